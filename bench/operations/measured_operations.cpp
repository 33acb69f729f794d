// The table of operations. Most formulas are written once and run on variables of the tape and on registers alike.
#include <bench/operations/measured_operations.hpp>
#include <bench/operations/rows_by_hand.hpp>
#include <numbers>

namespace {

using Variable = autograd::Variable<float>;

// ---- the shapes that a row may have ----

/// z = f(x), `record` being the same on the tape; gradient(zbar, z, x) is x's.
template <class Record, class F, class Gradient>
Operation unary(const char* name, Domain domain, Record record, F f, Gradient gradient) {
    return {name,
            {{domain}},
            [record](const auto& x, const Data&) { return record(x[0]); },
            [f](const Memory& m) {
                const float* x = m.x[0];
                float* z = m.z;
                each<float>(m.n, [=](std::size_t i, auto part) { store(z + i, f(load(x + i, part)), part); });
            },
            [gradient](const Memory& m) {
                const float *x = m.x[0], *z = m.z, *zbar = m.zbar;
                float* xbar = m.xbar[0];
                each<float>(m.n, [=](std::size_t i, auto part) {
                    store(xbar + i, gradient(load(zbar + i, part), load(z + i, part), load(x + i, part)), part);
                });
            }};
}
template <class F, class Gradient>
Operation unary(const char* name, Domain domain, F f, Gradient gradient) {
    return unary(name, domain, f, f, gradient);
}

/// z = f(x, y); gradients(zbar, z, x, y) is the pair of x's and y's.
template <class Record, class F, class Gradients>
Operation binary(const char* name, Domain x_domain, Domain y_domain, Record record, F f, Gradients gradients) {
    return {name,
            {{x_domain}, {y_domain}},
            [record](const auto& x, const Data&) { return record(x[0], x[1]); },
            [f](const Memory& m) {
                const float *x = m.x[0], *y = m.x[1];
                float* z = m.z;
                each<float>(m.n, [=](std::size_t i, auto part) {
                    store(z + i, f(load(x + i, part), load(y + i, part)), part);
                });
            },
            [gradients](const Memory& m) {
                const float *x = m.x[0], *y = m.x[1], *z = m.z, *zbar = m.zbar;
                float *xbar = m.xbar[0], *ybar = m.xbar[1];
                each<float>(m.n, [=](std::size_t i, auto part) {
                    const auto [to_x, to_y] =
                        gradients(load(zbar + i, part), load(z + i, part), load(x + i, part), load(y + i, part));
                    store(xbar + i, to_x, part);
                    store(ybar + i, to_y, part);
                });
            }};
}
template <class F, class Gradients>
Operation binary(const char* name, Domain x_domain, Domain y_domain, F f, Gradients gradients) {
    return binary(name, x_domain, y_domain, f, f, gradients);
}

/// What works on rows; record(x, data).
template <class Record>
Operation on_rows(const char* name, std::vector<Input> inputs, Record record, by_hand::Loops loops) {
    return {name, std::move(inputs), record, std::move(loops.forward), std::move(loops.backward)};
}
constexpr Input vector = {}, matrix = {Domain::any, Form::matrix}, row = {Domain::any, Form::row},
                column = {Domain::any, Form::column}, positive_vector = {Domain::positive},
                positive_matrix = {Domain::positive, Form::matrix};

// ---- formulas that take more than a line ----

template <class B>
B select_positive(B condition, B x, B y) {
    return xsimd::select(condition > 0.f, x, y);
}

/// 1 / (1 + exp(-x)).
constexpr auto sigmoid_of = [](auto x) { return 1.f / (1.f + exp(-x)); };

/// The sigmoids of x and of -x by one exponential, whose argument is negative so that it can't overflow.
template <class B>
std::pair<B, B> sigmoids(B x) {
    const B e = exp(-abs(x)), large = 1.f / (1.f + e), small = e * large;
    return {xsimd::select(x > 0.f, large, small), xsimd::select(x > 0.f, small, large)};
}

constexpr float inv_sqrt2 = 1 / std::numbers::sqrt2_v<float>,
                inv_sqrt2pi = inv_sqrt2 * std::numbers::inv_sqrtpi_v<float>;

/// Phi(x), the normal distribution's.
constexpr auto normal = [](auto x) { return 0.5f * (1.f + erf(x * inv_sqrt2)); };

/// u where x wins over y, by a comparison, half of it where they tie.
constexpr auto won = [](auto u, auto wins, auto ties) {
    const decltype(u) zero(0.f);
    return xsimd::select(wins, u, xsimd::select(ties, u * 0.5f, zero));
};

/// z = mask ? x : y; the mask is given.
Operation where() {
    return {"where",
            {{}, {}},
            [](const auto& x, const Data& data) { return where(data.mask, x[0], x[1]); },
            [](const Memory& m) {
                const float *mask = m.data.mask.data(), *x = m.x[0], *y = m.x[1];
                float* z = m.z;
                each<float>(m.n, [=](std::size_t i, auto part) {
                    store(z + i, xsimd::select(load(mask + i, part) != 0.f, load(x + i, part), load(y + i, part)),
                          part);
                });
            },
            [](const Memory& m) {
                const float *mask = m.data.mask.data(), *zbar = m.zbar;
                float *xbar = m.xbar[0], *ybar = m.xbar[1];
                each<float>(m.n, [=](std::size_t i, auto part) {
                    const auto taken = load(mask + i, part) != 0.f;
                    const Register<float> value = load(zbar + i, part), zero(0.f);
                    store(xbar + i, xsimd::select(taken, value, zero), part);
                    store(ybar + i, xsimd::select(taken, zero, value), part);
                });
            }};
}

// ---- the table ----

std::vector<Operation> make_operations() {
    using enum Domain;
    using std::pair;
    return {
        // name, domains, formula on the tape (where another than by hand), formula by hand, gradients
        binary(
            "add", any, any, [](auto x, auto y) { return x + y; },
            [](auto zbar, auto, auto, auto) { return pair(zbar, zbar); }),
        binary(
            "sub", any, any, [](auto x, auto y) { return x - y; },
            [](auto zbar, auto, auto, auto) { return pair(zbar, -zbar); }),
        binary(
            "mul", any, any, [](auto x, auto y) { return x * y; },
            [](auto zbar, auto, auto x, auto y) { return pair(zbar * y, zbar * x); }),
        binary(
            "div", any, positive, [](auto x, auto y) { return x / y; },
            [](auto zbar, auto z, auto, auto y) {
                const auto to_x = zbar / y;
                return pair(to_x, -to_x * z);
            }),
        unary(
            "neg", any, [](auto x) { return -x; }, [](auto zbar, auto, auto) { return -zbar; }),
        unary(
            "add scalar", any, [](auto x) { return x + 3.f; }, [](auto zbar, auto, auto) { return zbar; }),
        unary(
            "mul scalar", any, [](auto x) { return x * 3.f; }, [](auto zbar, auto, auto) { return zbar * 3.f; }),
        unary(
            "div scalar", any, [](auto x) { return x / 3.f; }, [](auto zbar, auto, auto) { return zbar / 3.f; }),
        unary(
            "scalar div", positive, [](auto x) { return 3.f / x; },
            [](auto zbar, auto z, auto x) { return -(zbar * z) / x; }),

        unary(
            "exp", any, [](auto x) { return exp(x); }, [](auto zbar, auto z, auto) { return zbar * z; }),
        unary(
            "expm1", any, [](auto x) { return expm1(x); }, [](auto zbar, auto, auto x) { return zbar * exp(x); }),
        unary(
            "log", positive, [](auto x) { return log(x); }, [](auto zbar, auto, auto x) { return zbar / x; }),
        unary(
            "log1p", positive, [](auto x) { return log1p(x); },
            [](auto zbar, auto, auto x) { return zbar / (1.f + x); }),
        unary(
            "sqrt", positive, [](auto x) { return sqrt(x); }, [](auto zbar, auto z, auto) { return zbar / (2.f * z); }),
        unary(
            "abs", any, [](auto x) { return abs(x); },
            [](auto zbar, auto, auto x) {
                return select_positive(x, zbar, select_positive(-x, -zbar, decltype(x)(0.f)));
            }),
        unary(
            "sin", any, [](auto x) { return sin(x); }, [](auto zbar, auto, auto x) { return zbar * cos(x); }),
        unary(
            "cos", any, [](auto x) { return cos(x); }, [](auto zbar, auto, auto x) { return -zbar * sin(x); }),
        unary(
            "tanh", any, [](auto x) { return tanh(x); }, [](auto zbar, auto z, auto) { return zbar * (1.f - z * z); }),
        unary(
            "erf", any, [](auto x) { return erf(x); },
            [](auto zbar, auto, auto x) { return zbar * (2 * std::numbers::inv_sqrtpi_v<float>)*exp(-(x * x)); }),
        unary(
            "sigmoid", any, [](Variable x) { return sigmoid(x); }, sigmoid_of,
            [](auto zbar, auto z, auto x) { return zbar * z * sigmoid_of(-x); }),
        unary(
            "relu", any, [](Variable x) { return relu(x); }, [](auto x) { return max(x, decltype(x)(0.f)); },
            [](auto zbar, auto, auto x) { return select_positive(x, zbar, decltype(x)(0.f)); }),
        unary(
            "softplus", any, [](Variable x) { return softplus(x); },
            [](auto x) { return max(x, decltype(x)(0.f)) + log1p(exp(-abs(x))); },
            [](auto zbar, auto, auto x) { return zbar * sigmoid_of(x); }),
        unary(
            "gelu", any, [](Variable x) { return gelu(x); }, [](auto x) { return x * normal(x); },
            [](auto zbar, auto, auto x) { return zbar * (normal(x) + x * inv_sqrt2pi * exp(-0.5f * x * x)); }),
        unary(
            "silu", any, [](Variable x) { return silu(x); }, [](auto x) { return x * sigmoid_of(x); },
            [](auto zbar, auto, auto x) {
                const auto [s, opposite] = sigmoids(x);
                return zbar * s * (1.f + x * opposite);
            }),
        unary(
            "pow scalar", any, [](Variable x) { return pow(x, 3.f); }, [](auto x) { return x * x * x; },
            [](auto zbar, auto, auto x) { return zbar * 3.f * x * x; }),
        unary(
            "pow 2.5", positive, [](Variable x) { return pow(x, 2.5f); },
            [](auto x) { return pow(x, decltype(x)(2.5f)); },
            [](auto zbar, auto, auto x) { return zbar * 2.5f * pow(x, decltype(x)(1.5f)); }),
        binary(
            "pow", positive, any, [](auto x, auto y) { return pow(x, y); },
            [](auto zbar, auto z, auto x, auto y) {
                const decltype(x) zero(0.f), one(1.f), safe = xsimd::select(x != zero, x, one);
                return pair(xsimd::select(y != zero, zbar * y * pow(x, y - one), zero),
                            xsimd::select(x != zero, zbar * z * log(safe), zero));
            }),
        binary(
            "maximum", any, any, [](Variable x, Variable y) { return maximum(x, y); },
            [](auto x, auto y) { return max(x, y); },
            [](auto zbar, auto, auto x, auto y) { return pair(won(zbar, x > y, x == y), won(zbar, y > x, x == y)); }),
        binary(
            "minimum", any, any, [](Variable x, Variable y) { return minimum(x, y); },
            [](auto x, auto y) { return min(x, y); },
            [](auto zbar, auto, auto x, auto y) { return pair(won(zbar, x < y, x == y), won(zbar, y < x, x == y)); }),
        unary(
            "clip", any, [](Variable x) { return clip(x, -1.f, 1.f); },
            [](auto x) { return min(max(x, decltype(x)(-1.f)), decltype(x)(1.f)); },
            [](auto zbar, auto, auto x) { return xsimd::select((x >= -1.f) & (x <= 1.f), zbar, decltype(x)(0.f)); }),
        where(),

        on_rows(
            "add row", {matrix, row}, [](const auto& x, const Data&) { return x[0] + x[1]; }, by_hand::add_row()),
        on_rows(
            "mul column", {column, matrix}, [](const auto& x, const Data&) { return x[0] * x[1]; },
            by_hand::multiply_column()),

        on_rows(
            "sum", {positive_vector}, [](const auto& x, const Data&) { return sum(x[0]); }, by_hand::total(false)),
        on_rows(
            "mean", {vector}, [](const auto& x, const Data&) { return mean(x[0]); }, by_hand::total(true)),
        on_rows(
            "sum axis 0", {positive_matrix}, [](const auto& x, const Data&) { return sum(x[0], {0}); },
            by_hand::sum_axis_0()),
        on_rows(
            "sum axis 1", {matrix}, [](const auto& x, const Data&) { return sum(x[0], {1}); }, by_hand::sum_axis_1()),
        on_rows(
            "prod", {positive_matrix}, [](const auto& x, const Data&) { return prod(x[0], {1}); }, by_hand::product()),
        on_rows(
            "amax", {matrix}, [](const auto& x, const Data&) { return amax(x[0], {1}); }, by_hand::maximum()),
        on_rows(
            "amin", {matrix}, [](const auto& x, const Data&) { return amin(x[0], {1}); }, by_hand::minimum()),
        on_rows(
            "norm", {matrix}, [](const auto& x, const Data&) { return norm(x[0], {1}); }, by_hand::norm()),
        on_rows(
            "variance", {matrix}, [](const auto& x, const Data&) { return variance(x[0], {1}); }, by_hand::variance()),
        on_rows(
            "logsumexp", {matrix}, [](const auto& x, const Data&) { return logsumexp(x[0], {1}); },
            by_hand::logsumexp()),
        on_rows(
            "softmax", {matrix}, [](const auto& x, const Data&) { return softmax(x[0]); }, by_hand::softmax()),
        on_rows(
            "log_softmax", {matrix}, [](const auto& x, const Data&) { return log_softmax(x[0]); },
            by_hand::log_softmax()),

        on_rows(
            "transpose", {matrix}, [](const auto& x, const Data&) { return transpose(x[0]); }, by_hand::transpose()),
        on_rows(
            "concatenate", {matrix, matrix}, [](const auto& x, const Data&) { return concatenate(x, 1); },
            by_hand::concatenate()),
        on_rows(
            "slice", {matrix}, [](const auto& x, const Data&) { return slice(x[0], 1, columns / 4, columns * 3 / 4); },
            by_hand::slice()),
        on_rows(
            "take rows", {matrix}, [](const auto& x, const Data& data) { return take(x[0], data.row_indices); },
            by_hand::take_rows()),
        on_rows(
            "take_along_axis", {matrix},
            [](const auto& x, const Data& data) { return take_along_axis(x[0], data.column_indices, 1); },
            by_hand::take_along_axis()),
        on_rows(
            "broadcast_to", {row},
            [](const auto& x, const Data& data) {
                return broadcast_to(x[0], {data.rows, columns});
            },
            by_hand::repeat_row()),
    };
}

}  // namespace

const std::vector<Operation>& operations() {
    static const std::vector<Operation> table = make_operations();
    return table;
}
