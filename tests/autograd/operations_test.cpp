// Every row of the table of operations, and what follows from it. Each operation is a suite of that name:
//     operations_test --run_test=mish
//     operations_test --run_test=*/third_order
#include "operations_table.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <random>

namespace {

A random_array(const Shape& shape, std::mt19937_64& engine) {
    std::uniform_real_distribution<double> uniform(0.5, 1.5);
    A array = A::from_shape(shape);
    for (double& x : array) x = uniform(engine);
    return array;
}

template <class T>
Inputs<T> record_inputs(Tape<T>& tape, const std::vector<A>& inputs) {
    Inputs<T> variables;
    for (const A& input : inputs) variables.push_back(tape.variable(Array<T>(xt::cast<T>(input))));
    return variables;
}

/// Up to a few units in the last place; infinities and NaN exactly.
bool same(double got, double expected, double tolerance) {
    if (std::isnan(expected)) return std::isnan(got);
    if (std::isinf(expected) || std::isinf(got)) return got == expected;
    return std::abs(got - expected) <= tolerance * std::abs(expected) + 1e-300;
}

void check_same(const A& got, const A& expected, double tolerance) {
    bool equal = got.shape() == expected.shape();
    for (std::size_t i = 0; equal && i < got.size(); ++i) equal = same(got.data()[i], expected.data()[i], tolerance);
    BOOST_TEST(equal, "expected " << text_of(expected) << ", got " << text_of(got));
}

/// Runs a check on every variant at each of its shapes.
template <class Check>
void for_each_sample(const Operation& operation, unsigned seed, Check check) {
    for (const Variant& variant : operation.variants)
        for (const auto& shapes : variant.samples) {
            std::string text;
            for (const Shape& shape : shapes) text += " " + to_string(shape);
            BOOST_TEST_CONTEXT(variant.of.text << " of" << text) { check(variant, sample(variant, shapes, seed)); }
        }
}

// ---- what is checked of every operation

// Against scalar code, with the inputs repeated where they broadcast.
void value(const Operation& operation) {
    for_each_sample(operation, 1, [](const Variant& variant, const std::vector<A>& inputs) {
        if (variant.scalar == nullptr) return;
        Tape<double> tape;
        const A z = variant.of(record_inputs(tape, inputs)).value();
        const A x = xt::broadcast(inputs.front(), z.shape()), y = xt::broadcast(inputs.back(), z.shape());
        for (std::size_t i = 0; i < z.size(); ++i) {
            const double expected = variant.scalar(x.data()[i], y.data()[i]);
            BOOST_TEST(std::abs(z.data()[i] - expected) <= 1e-13 * (1 + std::abs(expected)),
                       z.data()[i] << " instead of " << expected << " at element " << i);
        }
    });
}

// What works element by element takes arrays of no elements, of no axes, and of many.
void any_shape(const Operation& operation) {
    for (const Variant& variant : operation.variants) {
        if (variant.scalar == nullptr) continue;
        for (const Shape& shape : {Shape{}, Shape{0}, Shape{0, 2}, Shape{2, 0}, Shape{1}, Shape{3, 1, 2}}) {
            BOOST_TEST_CONTEXT(variant.of.text << " of shape " << to_string(shape)) {
                Tape<double> tape;
                const auto x = tape.variable(A(shape, 0.5)), y = tape.variable(A(shape, 0.25));
                const auto result = variant.of(Inputs<double>{x, y});
                BOOST_TEST(to_string(result.shape()) == to_string(shape));
                BOOST_TEST(to_string(tape.backward(result, A(shape, 1.0))[x].shape()) == to_string(shape));
                BOOST_TEST(to_string(vjp(result, {x}, tape.constant(A(shape, 1.0)))[0].shape()) == to_string(shape));
            }
        }
    }
}

void first_order(const Operation& operation) {
    for_each_sample(operation, 2, [](const Variant& variant, const std::vector<A>& inputs) {
        const auto result = gradcheck(variant.of.in_double, inputs);
        BOOST_TEST(result.passed, result.message);
    });
}

void second_order(const Operation& operation) {
    for_each_sample(operation, 3, [](const Variant& variant, const std::vector<A>& inputs) {
        const auto result = gradgradcheck(variant.of.in_double, inputs);
        BOOST_TEST(result.passed, result.message);
    });
}

/// The derivative of f along one direction.
template <class F>
Function slope(const F& f) {
    return [f](const Inputs<double>& xs) {
        std::mt19937_64 engine(1);
        const auto y = f(xs);
        auto total = xs[0].tape().constant(0.0);
        for (const auto& gradient : grad(sum(y * random_array(y.shape(), engine)), xs))
            total = total + sum(gradient * random_array(gradient.shape(), engine));
        return total;
    };
}

// Second order of a slope.
void third_order(const Operation& operation) {
    for_each_sample(operation, 4, [](const Variant& variant, const std::vector<A>& inputs) {
        const auto result = gradgradcheck(slope(variant.of), inputs);
        BOOST_TEST(result.passed, result.message);
    });
}

// <v, J u> by jvp and <J^T v, u> by vjp.
void forward_agrees_with_reverse(const Operation& operation) {
    std::mt19937_64 engine(4);
    std::normal_distribution<double> normal;
    const auto random = [&](const Shape& shape) {
        A array = A::from_shape(shape);
        for (double& x : array) x = normal(engine);
        return array;
    };
    for_each_sample(operation, 5, [&](const Variant& variant, const std::vector<A>& inputs) {
        Tape<double> tape;
        const auto xs = record_inputs(tape, inputs);
        Inputs<double> us;
        for (const A& input : inputs) us.push_back(tape.constant(random(input.shape())));
        const auto y = variant.of(xs);
        const A v = random(y.shape());
        const A forward = jvp(y, xs, us).value();
        const auto reverse = tape.backward(y, v);
        double left = 0, right = 0;
        for (std::size_t i = 0; i < v.size(); ++i) left += v.data()[i] * forward.data()[i];
        for (std::size_t k = 0; k < xs.size(); ++k)
            for (std::size_t i = 0; i < xs[k].size(); ++i) right += reverse[xs[k]].data()[i] * us[k].value().data()[i];
        BOOST_TEST(std::abs(left - right) <= 1e-12 * (1 + std::abs(left)), left << " and " << right);
    });
}

/// Every input is used once more, and that contribution comes first: what the rule adds to it is held against the same
/// rule on variables, which adds without a choice.
template <class T>
void check_contributions(const Variant& variant, const std::vector<A>& inputs, std::mt19937_64& engine) {
    Tape<T> tape;
    const auto xs = record_inputs(tape, inputs);
    const auto random = [&](const Shape& shape) { return tape.constant(random_array(shape, engine)); };
    const auto z = variant.of(xs);
    auto y = sum(z * random(z.shape()));
    for (const auto& x : xs) y = y + sum(x * random(x.shape()));
    const auto gradients = tape.backward(y);
    const auto recorded = grad(y, xs);
    for (std::size_t k = 0; k < xs.size(); ++k)
        for (std::size_t i = 0; i < xs[k].size(); ++i) {
            const T got = gradients[xs[k]].data()[i], expected = recorded[k].value().data()[i];
            BOOST_TEST(std::abs(got - expected) <= 500 * std::numeric_limits<T>::epsilon() * (1 + std::abs(expected)),
                       "input " << k << " at " << i << ": " << got << " and " << expected);
        }
}

void contributions_add_up(const Operation& operation) {
    std::mt19937_64 engine(6);
    const auto in_both_precisions = [&](const Variant& variant, const std::vector<A>& inputs) {
        check_contributions<float>(variant, inputs, engine);
        check_contributions<double>(variant, inputs, engine);
    };
    for_each_sample(operation, 7, in_both_precisions);
    // Several registers and a part of one, for what takes such a shape.
    const Shape wide{3, 43};
    for (const Variant& variant : operation.variants) {
        std::vector<A> inputs;
        for (std::size_t i = 0; i < variant.samples[0].size(); ++i) inputs.push_back(random_array(wide, engine));
        try {
            Tape<double> tape;
            variant.of(record_inputs(tape, inputs));
        } catch (const std::logic_error&) {
            BOOST_TEST((variant.scalar == nullptr),
                       variant.of.text << " is elementwise but refuses " << to_string(wide));
            continue;
        }
        BOOST_TEST_CONTEXT(variant.of.text << " of " << to_string(wide)) { in_both_precisions(variant, inputs); }
    }
}

// The same numbers in both precisions, to what single precision can say.
void single_precision_agrees(const Operation& operation) {
    for_each_sample(operation, 8, [](const Variant& variant, const std::vector<A>& inputs) {
        std::vector<A> rounded;
        for (const A& input : inputs) rounded.push_back(xt::cast<double>(Array<float>(xt::cast<float>(input))));
        Tape<double> tape;
        Tape<float> in_float;
        const auto xs = record_inputs(tape, rounded);
        const auto float_xs = record_inputs(in_float, rounded);
        const auto z = variant.of(xs);
        const auto float_z = variant.of(float_xs);
        const auto close = [](const Array<float>& got, const A& expected) {
            double scale = 1;
            for (const double x : expected) scale = std::max(scale, std::abs(x));
            BOOST_TEST_REQUIRE(to_string(got.shape()) == to_string(expected.shape()));
            for (std::size_t i = 0; i < got.size(); ++i)
                BOOST_TEST(std::abs(got.data()[i] - expected.data()[i]) <= 1e-5 * scale,
                           got.data()[i] << " instead of " << expected.data()[i]);
        };
        close(float_z.value(), z.value());
        std::mt19937_64 engine(9);
        const A seed = random_array(z.shape(), engine);
        const auto gradients = tape.backward(z, seed);
        const auto float_gradients = in_float.backward(float_z, Array<float>(xt::cast<float>(seed)));
        for (std::size_t k = 0; k < xs.size(); ++k) close(float_gradients[float_xs[k]], gradients[xs[k]]);
    });
}

/// `[the slope by input i] by input j` of a point's formula, as the point gives it: as a matrix, or its diagonal.
void check_second(const Point& point, const Inputs<double>& inputs, const Inputs<double>& slopes) {
    std::size_t k = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        for (std::size_t j = i; j < inputs.size(); ++j) {
            BOOST_TEST_REQUIRE(k < point.second.size());
            const A& expected = point.second[k++];
            const auto check = [&](std::size_t from, std::size_t by, const A& derivative) {
                BOOST_TEST_CONTEXT("the slope by "
                                   << "xyw"[from] << ", by "
                                   << "xyw"[by]) {
                    if (expected.shape() == inputs[by].shape())
                        return check_same(grad(sum(slopes[from]), inputs[by]).value(), derivative, point.tolerance);
                    A matrix = jacobian(slopes[from], inputs[by]);
                    matrix.reshape({slopes[from].size(), inputs[by].size()});
                    check_same(matrix, derivative, point.tolerance);
                }
            };
            check(i, j, expected);
            if (i != j) check(j, i, expected.dimension() == 2 ? A(xt::transpose(expected)) : expected);
        }
    BOOST_TEST(k == point.second.size());
}

/// The value of a formula, its slopes and their own sums' slopes, all in one.
template <class T>
std::vector<Array<T>> to_second_order(const Point& point, const std::vector<A>& at) {
    Tape<T> tape;
    const auto inputs = record_inputs(tape, at);
    const auto y = point.of(inputs);
    const auto seed = tape.constant(Array<T>(xt::cast<T>(point.seed.value_or(A(y.shape(), 1.0)))));
    std::vector<Array<T>> all{y.value()};
    for (const auto& slope : vjp(y, inputs, seed)) {
        all.push_back(slope.value());
        for (const auto& second : grad(sum(slope), inputs)) all.push_back(second.value());
    }
    return all;
}

/// In single precision the same, as far as it reaches: huge numbers are its own hugest.
void check_in_float(const Point& point) {
    const double most = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::min();
    std::vector<A> at = point.at;
    for (A& array : at)
        for (double& x : array) x = std::isinf(x) || std::isnan(x) ? x : static_cast<float>(std::clamp(x, -most, most));
    const auto in_float = to_second_order<float>(point, at);
    const auto in_double = to_second_order<double>(point, at);
    for (std::size_t k = 0; k < in_float.size(); ++k)
        for (std::size_t i = 0; i < in_float[k].size(); ++i) {
            const double got = in_float[k].data()[i], expected = in_double[k].data()[i];
            const double wanted = std::abs(expected) > most ? std::copysign(infinity, expected) : expected;
            BOOST_TEST((same(got, wanted, 1e-5) || (std::abs(got) < 2 * least && std::abs(wanted) < 2 * least)),
                       "in float " << got << ", not " << wanted << ", is number " << i << " of result " << k);
        }
}

void edge(const Point& point) {
    Tape<double> tape;
    const auto inputs = record_inputs(tape, point.at);
    if (point.error != nullptr) {
        BOOST_CHECK_EXCEPTION(point.of(inputs), std::exception, [&](const std::exception& error) {
            BOOST_TEST_MESSAGE(error.what());
            return std::string(error.what()) == point.error;
        });
        return;
    }
    const auto result = point.of(inputs);
    check_same(result.value(), point.value, point.tolerance);
    const A seed = point.seed.value_or(A(result.shape(), 1.0));
    const auto gradients = tape.backward(result, seed);
    const auto recorded = vjp(result, inputs, tape.constant(seed));
    BOOST_TEST_REQUIRE(point.derivatives.size() == inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        check_same(gradients[inputs[i]], point.derivatives[i], point.tolerance);
        check_same(recorded[i].value(), point.derivatives[i], point.tolerance);
    }
    if (point.second.empty()) return;
    check_second(point, inputs, recorded);
    check_in_float(point);
}

void edges(const Operation& operation) {
    BOOST_TEST(!operation.edges.empty());
    for (const Point& point : operation.edges) BOOST_TEST_CONTEXT(point.of.text << " at " << text_of(point.at)) {
            edge(point);
        }
}

const std::pair<const char*, void (*)(const Operation&)> checks[] = {
    {"value", value},
    {"any_shape", any_shape},
    {"first_order", first_order},
    {"second_order", second_order},
    {"third_order", third_order},
    {"forward_agrees_with_reverse", forward_agrees_with_reverse},
    {"contributions_add_up", contributions_add_up},
    {"single_precision_agrees", single_precision_agrees},
    {"edges", edges},
};

bool name_the_tests() {
    using namespace boost::unit_test;
    framework::master_test_suite().p_name.value = "operations";
    for (const Operation& operation : operations()) {
        auto* suite = BOOST_TEST_SUITE(operation.name);
        for (const auto& one : checks)
            suite->add(
                make_test_case([&operation, run = one.second] { run(operation); }, one.first, __FILE__, __LINE__));
        framework::master_test_suite().add(suite);
    }
    return true;
}

double gradient_at(double x, Variable<double> (*f)(Variable<double>)) {
    Tape<double> tape;
    const auto v = tape.variable(x);
    return tape.backward(f(v))[v]();
}

}  // namespace

int main(int argc, char* argv[]) { return boost::unit_test::unit_test_main(&name_the_tests, argc, argv); }

// ---- what no row says

// On variables this rule squares x by an operation whose own rule takes x for a constant.
BOOST_AUTO_TEST_CASE(a_rule_that_is_wrong_at_third_order_only_is_found) {
    const auto square = [](Variable<double> x) {
        const auto c = x.detach();
        return record("square", {x}, x.value() * x.value(),
                      [x, c](auto& at) { at.adjoint(x) += at.zbar() * 2.0 * at(c); });
    };
    const auto cube = [square](const Inputs<double>& xs) {
        const auto x = xs[0];
        return record("cube", {x}, x.value() * x.value() * x.value(), [x, square](auto& at) {
            if constexpr (std::is_same_v<std::decay_t<decltype(at)>, OnArrays<double>>)
                at.adjoint(x) += at.zbar() * 3.0 * at(x) * at(x);
            else
                at.adjoint(x) += at.zbar() * 3.0 * square(x);
        });
    };
    const std::vector<A> inputs = {{0.5, 1.5, -1.0}};
    BOOST_TEST(gradcheck(cube, inputs).passed);
    BOOST_TEST(gradgradcheck(cube, inputs).passed);
    BOOST_TEST(!gradgradcheck(slope(cube), inputs).passed);
}

BOOST_AUTO_TEST_CASE(a_layer_in_single_precision) {
    Tape<float> tape;
    const auto x = tape.variable({{0.5f, -1.0f, 2.0f}, {0.25f, 1.5f, -0.75f}});
    const auto w = tape.variable({{1.0f, 2.0f, -1.0f}});
    const auto g = tape.backward(sum(tanh(linear(x, w)) * 2.0));
    double expected = 0;  // d/dw_0 = sum_n 2 (1 - tanh^2) x_n0
    for (int n = 0; n < 2; ++n) {
        const double z = x.value()(n, 0) + 2.0 * x.value()(n, 1) - x.value()(n, 2);
        expected += 2 * (1 - std::tanh(z) * std::tanh(z)) * x.value()(n, 0);
    }
    BOOST_TEST(std::abs(g[w](0, 0) - expected) < 1e-6);
}

// What a result stands for is multiplied out by plain loops: matrices larger than those of the table, and one that is
// far from regular but not singular.
BOOST_AUTO_TEST_CASE(inverses_and_factors_of_larger_matrices) {
    const auto product = [](const A& a, const A& b) {
        A c(Shape{a.shape()[0], b.shape()[1]}, 0.0);
        for (std::size_t i = 0; i < c.shape()[0]; ++i)
            for (std::size_t k = 0; k < a.shape()[1]; ++k)
                for (std::size_t j = 0; j < c.shape()[1]; ++j) c(i, j) += a(i, k) * b(k, j);
        return c;
    };
    const auto farthest = [](const A& a, const A& b) { return xt::amax(xt::abs(a - b))(); };
    std::mt19937_64 engine(11);
    std::normal_distribution<double> normal;
    const std::size_t n = 90;
    A x = A::from_shape({n, n}), unit(Shape{n, n}, 0.0);
    for (double& number : x) number = normal(engine);
    for (std::size_t i = 0; i < n; ++i) unit(i, i) = 1;
    Tape<double> tape;
    const auto v = tape.variable(x);
    BOOST_TEST(farthest(product(inverse(v).value(), x), unit) < 1e-11);
    BOOST_TEST(farthest(product(x, solve(v, unit).value()), unit) < 1e-11);
    const A gram = product(x, A(xt::transpose(x)));
    const A factor = cholesky(tape.variable(gram)).value();
    BOOST_TEST(farthest(product(factor, A(xt::transpose(factor))), gram) < 1e-11);
    double logarithm = 0;
    for (std::size_t i = 0; i < n; ++i) logarithm += 2 * std::log(factor(i, i));
    BOOST_TEST(std::abs(logdet(tape.variable(gram)).item() - logarithm) < 1e-10);
    // With orthogonal rows the cofactors are the rows times det / |row|^2, also where one of them is 0.
    A wide(Shape{4, 4}, 0.0);
    for (std::size_t i = 0; i < 3; ++i) wide(i, (i + 1) % 4) = static_cast<double>(i) + 2;
    const auto w = tape.variable(wide);
    const A cofactor = tape.backward(det(w))[w];
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j) BOOST_TEST(cofactor(i, j) == (i == 3 && j == 0 ? -24 : 0));
    A hilbert(Shape{8, 8}, 0.0);
    for (std::size_t i = 0; i < 8; ++i)
        for (std::size_t j = 0; j < 8; ++j) hilbert(i, j) = 1.0 / static_cast<double>(i + j + 1);
    BOOST_TEST(std::abs(inverse(tape.variable(hilbert)).value()(0, 0) - 64) < 1e-5);
    // The sum of two halves does not overflow.
    const A huge = cholesky(tape.variable(A{{1.5e308, 0}, {0, 1.5e308}})).value();
    BOOST_TEST(std::abs(huge(1, 1) - std::sqrt(1.5e308)) < 1e140);
}

BOOST_AUTO_TEST_CASE(kinks_and_edges) {
    BOOST_TEST(gradient_at(0, [](Variable<double> x) { return relu(x); }) == 0);
    BOOST_TEST(gradient_at(0, [](Variable<double> x) { return abs(x); }) == 0);
    BOOST_TEST(gradient_at(1, [](Variable<double> x) { return clip(x, -1, 1); }) == 1);
    BOOST_TEST(gradient_at(0, [](Variable<double> x) { return sqrt(x); }) == infinity);
    BOOST_TEST(gradient_at(0, [](Variable<double> x) { return norm(x); }) == 0);
    BOOST_TEST(gradient_at(-2, [](Variable<double> x) { return pow(x, 2); }) == -4);
    BOOST_TEST(gradient_at(0, [](Variable<double> x) { return maximum(x, x * 2.0); }) == 1.5);
    BOOST_TEST(gradient_at(-1e4, [](Variable<double> x) { return softplus(x); }) == 0);
    BOOST_TEST(gradient_at(1e4, [](Variable<double> x) { return sigmoid(x); }) == 0);

    Tape<double> tape;
    // The branch of `where` that is not taken gets an exact zero, even from an infinite adjoint.
    const auto taken = tape.variable({1.0, 2.0}), other = tape.variable({3.0, 4.0});
    const auto chosen = tape.backward(where(Array<double>{1, 0}, taken, other), Array<double>{infinity, infinity});
    BOOST_TEST(chosen[taken](1) == 0);
    BOOST_TEST(chosen[other](0) == 0);
    const auto ties = tape.variable({1.0, 3.0, 3.0});
    BOOST_TEST(tape.backward(amax(ties))[ties](1) == 0.5);
    const auto zeros = tape.variable({0.0, 2.0, 0.0, 3.0});
    BOOST_TEST(tape.backward(prod(slice(zeros, 0, 0, 2)))[zeros](0) == 2);
    const auto nothing = tape.variable({-infinity, -infinity});
    const auto lse = logsumexp(nothing, {0});
    BOOST_TEST(lse.item() == -infinity);
    BOOST_TEST(tape.backward(lse)[nothing](0) == 0);
    BOOST_TEST(std::isnan(mean(tape.variable(Array<double>::from_shape({0}))).item()));
    BOOST_CHECK_THROW(amax(tape.variable(Array<double>::from_shape({0}))), std::invalid_argument);
    const auto large = tape.variable({{1e4, -1e4}});
    const auto loss = softmax_cross_entropy(large, Indices{1});
    BOOST_TEST(loss.item() == 2e4);
    BOOST_TEST(tape.backward(loss)[large](0, 1) == -1);
}

BOOST_AUTO_TEST_CASE(errors_are_sentences) {
    Tape<double> tape;
    const auto a = tape.variable(Array<double>(xt::ones<double>({3, 2}))),
               b = tape.variable(Array<double>(xt::ones<double>({4, 3})));
    const auto says = [](const char* text) {
        return [text](const std::exception& error) {
            BOOST_TEST_MESSAGE(error.what());
            return std::string(error.what()) == text;
        };
    };
    const std::size_t before = tape.size();
    BOOST_CHECK_EXCEPTION(matmul(a, b), std::invalid_argument, says("[matmul] inner sizes differ: (3, 2) x (4, 3)"));
    BOOST_CHECK_EXCEPTION(a * b, std::invalid_argument, says("[mul] shapes do not broadcast: (3, 2) and (4, 3)"));
    BOOST_CHECK_THROW(sum(a, {2}), std::out_of_range);
    BOOST_CHECK_THROW(sum(a, {0, 0}), std::invalid_argument);
    BOOST_CHECK_THROW(reshape(a, {4}), std::invalid_argument);
    BOOST_CHECK_THROW(take(a, Indices{3}, 0), std::out_of_range);
    BOOST_CHECK_THROW(concatenate<double>({a, b}, 0), std::invalid_argument);
    BOOST_CHECK_EXCEPTION(clip(a, 1.0, 0.0), std::invalid_argument,
                          says("[clip] the lower bound is above the upper one"));
    for (const auto& [low, high] : {std::pair{std::nan(""), 1.0}, {0.0, std::nan("")}})
        BOOST_CHECK_EXCEPTION(clip(a, low, high), std::invalid_argument, says("[clip] a bound is NaN"));
    BOOST_CHECK_THROW(mean_squared_error(a, b), std::invalid_argument);
    BOOST_CHECK_THROW(softmax_cross_entropy(a, Indices{0, 1, 2}), std::out_of_range);
    BOOST_CHECK_THROW(softmax_cross_entropy(a, Indices{0, 1}), std::invalid_argument);
    for (const double weight : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
        const CrossEntropyOptions weighted{.class_weights = {1, weight}};
        BOOST_CHECK_THROW(softmax_cross_entropy(a, Indices{0, 0, 0}, weighted), std::invalid_argument);
        BOOST_CHECK_THROW(negative_log_likelihood(a, Indices{0, 0, 0}, weighted), std::invalid_argument);
    }
    BOOST_CHECK_THROW(softmax_cross_entropy(a, Array<double>{{1.5, -0.5}, {1, 0}, {1, 0}}), std::invalid_argument);
    BOOST_TEST(tape.size() == before);
}
