// Every operation in one table, and one loop over it: value, first order, second order, jvp.
#define BOOST_TEST_MODULE operations
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace autograd;
using Xs = std::vector<Variable<double>>;
using Inputs = std::vector<Array<double>>;

namespace {

/// Where sample points are drawn.
enum class Domain { any, positive, unit };

struct Row {
    const char* name;
    Function f;
    std::vector<Shape> shapes;
    Domain domain = Domain::any;
    double (*scalar)(double, double) = nullptr;  ///< the value of an elementwise operation of inputs of equal shapes
};

const double infinity = std::numeric_limits<double>::infinity();
constexpr auto phi = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };

const std::vector<Row> table = {
    {"add",
     [](const Xs& x) { return x[0] + x[1]; },
     {{2, 3}, {2, 3}},
     Domain::any,
     [](double a, double b) { return a + b; }},
    {"add, broadcast both ways", [](const Xs& x) { return x[0] + x[1]; }, {{2, 1}, {3}}},
    {"add, aliased",
     [](const Xs& x) { return x[0] + x[0]; },
     {{2, 3}},
     Domain::any,
     [](double a, double) { return a + a; }},
    {"sub", [](const Xs& x) { return x[0] - x[1]; }, {{3}, {3}}, Domain::any, [](double a, double b) { return a - b; }},
    {"sub, rank 0", [](const Xs& x) { return x[0] - x[1]; }, {{}, {2, 2}}},
    {"mul",
     [](const Xs& x) { return x[0] * x[1]; },
     {{2, 3}, {2, 3}},
     Domain::any,
     [](double a, double b) { return a * b; }},
    {"mul, aliased",
     [](const Xs& x) { return x[0] * x[0]; },
     {{2, 3}},
     Domain::any,
     [](double a, double) { return a * a; }},
    {"mul, broadcast", [](const Xs& x) { return x[0] * x[1]; }, {{2, 3, 2}, {3, 1}}},
    {"div",
     [](const Xs& x) { return x[0] / x[1]; },
     {{2, 3}, {2, 3}},
     Domain::positive,
     [](double a, double b) { return a / b; }},
    {"div, broadcast", [](const Xs& x) { return x[0] / x[1]; }, {{3}, {2, 1}}, Domain::positive},
    {"scalars",
     [](const Xs& x) { return 2.0 - (3.0 * x[0] + 1.0) / 4.0 + 2.0 / x[0]; },
     {{4}},
     Domain::positive,
     [](double a, double) { return 2 - (3 * a + 1) / 4 + 2 / a; }},
    {"neg", [](const Xs& x) { return -x[0]; }, {{0, 2}}},
    {"exp", [](const Xs& x) { return exp(x[0]); }, {{2, 3}}, Domain::any, [](double a, double) { return std::exp(a); }},
    {"expm1",
     [](const Xs& x) { return expm1(x[0]); },
     {{2, 3}},
     Domain::any,
     [](double a, double) { return std::expm1(a); }},
    {"log",
     [](const Xs& x) { return log(x[0]); },
     {{2, 3}},
     Domain::positive,
     [](double a, double) { return std::log(a); }},
    {"log1p",
     [](const Xs& x) { return log1p(x[0]); },
     {{2, 3}},
     Domain::positive,
     [](double a, double) { return std::log1p(a); }},
    {"sqrt",
     [](const Xs& x) { return sqrt(x[0]); },
     {{2, 3}},
     Domain::positive,
     [](double a, double) { return std::sqrt(a); }},
    {"abs", [](const Xs& x) { return abs(x[0]); }, {{2, 3}}, Domain::any, [](double a, double) { return std::abs(a); }},
    {"sin", [](const Xs& x) { return sin(x[0]); }, {{9}}, Domain::any, [](double a, double) { return std::sin(a); }},
    {"cos", [](const Xs& x) { return cos(x[0]); }, {{9}}, Domain::any, [](double a, double) { return std::cos(a); }},
    {"tanh", [](const Xs& x) { return tanh(x[0]); }, {{9}}, Domain::any, [](double a, double) { return std::tanh(a); }},
    {"erf", [](const Xs& x) { return erf(x[0]); }, {{9}}, Domain::any, [](double a, double) { return std::erf(a); }},
    {"sigmoid",
     [](const Xs& x) { return sigmoid(x[0]); },
     {{9}},
     Domain::any,
     [](double a, double) { return 1 / (1 + std::exp(-a)); }},
    {"relu",
     [](const Xs& x) { return relu(x[0]); },
     {{9}},
     Domain::any,
     [](double a, double) { return std::max(a, 0.0); }},
    {"softplus",
     [](const Xs& x) { return softplus(x[0]); },
     {{9}},
     Domain::any,
     [](double a, double) { return std::log(1 + std::exp(a)); }},
    {"gelu", [](const Xs& x) { return gelu(x[0]); }, {{9}}, Domain::any, [](double a, double) { return a * phi(a); }},
    {"gelu_tanh",
     [](const Xs& x) { return gelu_tanh(x[0]); },
     {{9}},
     Domain::any,
     [](double a, double) { return a * (1 + std::tanh(std::sqrt(2 / M_PI) * (a + 0.044715 * a * a * a))) / 2; }},
    {"silu",
     [](const Xs& x) { return silu(x[0]); },
     {{9}},
     Domain::any,
     [](double a, double) { return a / (1 + std::exp(-a)); }},
    {"pow, constant",
     [](const Xs& x) { return pow(x[0], 3.0); },
     {{9}},
     Domain::any,
     [](double a, double) { return a * a * a; }},
    {"pow, exponent 0",
     [](const Xs& x) { return pow(x[0], 0.0); },
     {{3}},
     Domain::any,
     [](double, double) { return 1.0; }},
    {"pow",
     [](const Xs& x) { return pow(x[0], x[1]); },
     {{5}, {5}},
     Domain::positive,
     [](double a, double b) { return std::pow(a, b); }},
    {"logaddexp",
     [](const Xs& x) { return logaddexp(x[0], x[1]); },
     {{9}, {9}},
     Domain::any,
     [](double a, double b) { return std::log(std::exp(a) + std::exp(b)); }},
    {"logaddexp, broadcast", [](const Xs& x) { return logaddexp(x[0], x[1]); }, {{2, 1}, {3}}},
    {"maximum",
     [](const Xs& x) { return maximum(x[0], x[1]); },
     {{9}, {9}},
     Domain::any,
     [](double a, double b) { return std::max(a, b); }},
    {"maximum, broadcast", [](const Xs& x) { return maximum(x[0], x[1]); }, {{2, 1}, {3}}},
    {"minimum",
     [](const Xs& x) { return minimum(x[0], x[1]); },
     {{9}, {9}},
     Domain::any,
     [](double a, double b) { return std::min(a, b); }},
    {"clip",
     [](const Xs& x) { return clip(x[0], -0.5, 0.75); },
     {{9}},
     Domain::any,
     [](double a, double) { return std::min(std::max(a, -0.5), 0.75); }},
    {"where",
     [](const Xs& x) {
         return where(Array<double>{1, 0, 1}, x[0], x[1]);
     },
     {{2, 3}, {3}}},
    {"sum", [](const Xs& x) { return sum(x[0]); }, {{2, 3}}},
    {"sum of axis 0", [](const Xs& x) { return sum(x[0], {0}); }, {{2, 3, 2}}},
    {"sum of two axes",
     [](const Xs& x) {
         return sum(x[0], {-1, 0});
     },
     {{2, 3, 2}}},
    {"sum with keepdims", [](const Xs& x) { return sum(x[0], {1}, true) * x[0]; }, {{2, 3, 2}}},
    {"mean", [](const Xs& x) { return mean(x[0]) + mean(x[0], {1}); }, {{2, 3}}},
    {"variance", [](const Xs& x) { return variance(x[0], {0}, 1); }, {{4, 2}}},
    {"prod", [](const Xs& x) { return prod(x[0]); }, {{2, 2}}},
    {"prod of axis 0", [](const Xs& x) { return prod(x[0], {0}); }, {{3, 2}}},
    {"prod of outer axes",
     [](const Xs& x) {
         return prod(x[0], {0, 2});
     },
     {{2, 2, 2}}},
    {"amax", [](const Xs& x) { return amax(x[0]) * amax(x[0], {1}); }, {{3, 4}}},
    {"amin", [](const Xs& x) { return amin(x[0], {0}, true) * x[0]; }, {{3, 4}}},
    {"norm", [](const Xs& x) { return norm(x[0], {1}); }, {{2, 3}}},
    {"logsumexp", [](const Xs& x) { return logsumexp(x[0], {0}); }, {{3, 2}}},
    {"logsumexp of both axes",
     [](const Xs& x) {
         return logsumexp(x[0], {0, 1}, true);
     },
     {{3, 2}}},
    {"softmax", [](const Xs& x) { return softmax(x[0]); }, {{2, 3}}},
    {"softmax of axis 0", [](const Xs& x) { return softmax(x[0], 0); }, {{3, 2}}},
    {"softmax of a mask",
     [](const Xs& x) {
         return softmax(x[0], Array<double>{{1, 0, 1}, {0, 0, 0}});
     },
     {{2, 3}}},
    {"log_softmax", [](const Xs& x) { return log_softmax(x[0]); }, {{2, 3}}},
    {"reshape",
     [](const Xs& x) {
         return reshape(x[0], {3, 2}) * x[1];
     },
     {{2, 3}, {3, 2}}},
    {"transpose",
     [](const Xs& x) {
         return transpose(x[0], {2, 0, 1}) * x[1];
     },
     {{2, 3, 4}, {4, 2, 3}}},
    {"broadcast_to",
     [](const Xs& x) {
         return broadcast_to(x[0], {4, 2, 3}) * x[1];
     },
     {{2, 1}, {4, 2, 3}}},
    {"squeeze, expand_dims", [](const Xs& x) { return squeeze(x[0]) * expand_dims(x[1], -1); }, {{2, 1, 3}, {2}}},
    {"slice", [](const Xs& x) { return slice(x[0], 1, 3, 0, -2) * slice(x[0], 1, 1, 3); }, {{2, 5}}},
    {"pad", [](const Xs& x) { return pad(x[0], 0, 1, 2) * x[1]; }, {{2, 3}, {5, 3}}},
    {"take",
     [](const Xs& x) {
         return take(x[0], Indices{{0, 2}, {2, -1}}, 0) * x[1];
     },
     {{3, 2}, {2, 2, 2}}},
    {"take_along_axis",
     [](const Xs& x) {
         return take_along_axis(x[0], Indices{{0, 0}, {2, 1}}, 1) * x[1];
     },
     {{2, 3}, {2, 2}}},
    {"concatenate",
     [](const Xs& x) {
         return concatenate<double>({x[0], x[1], x[0]}, 1) * x[2];
     },
     {{2, 1}, {2, 2}, {2, 4}}},
    {"stack",
     [](const Xs& x) {
         return stack<double>({x[0], x[1]}, 1) * x[2];
     },
     {{2, 3}, {2, 3}, {2, 2, 3}}},
    {"matmul", [](const Xs& x) { return matmul(x[0], x[1]); }, {{2, 3}, {3, 4}}},
    {"matmul, stacks", [](const Xs& x) { return matmul(x[0], x[1]); }, {{2, 1, 2, 3}, {2, 3, 2}}},
    {"matmul, vectors", [](const Xs& x) { return matmul(x[0], x[1]); }, {{3}, {3}}},
    {"matmul, vector and matrix", [](const Xs& x) { return matmul(x[0], x[1]); }, {{3}, {3, 2}}},
    {"matmul, aliased", [](const Xs& x) { return matmul(x[0], x[0]); }, {{3, 3}}},
    {"linear", [](const Xs& x) { return linear(x[0], x[1], x[2]); }, {{2, 3}, {4, 3}, {4}}},
    {"linear, no bias", [](const Xs& x) { return linear(x[0], x[1]); }, {{2, 3}, {4, 3}}},
    {"softmax_cross_entropy",
     [](const Xs& x) {
         return softmax_cross_entropy(x[0], Indices{0, 2});
     },
     {{2, 3}}},
    {"softmax_cross_entropy, all options",
     [](const Xs& x) {
         return softmax_cross_entropy(x[0], Indices{0, -1, 2}, {Reduction::none, {0.5, 1, 2}, 0.1, -1});
     },
     {{3, 3}}},
    {"softmax_cross_entropy, probabilities",
     [](const Xs& x) {
         return softmax_cross_entropy(x[0], Array<double>{{0.25, 0.75, 0}, {0.5, 0.25, 0.25}},
                                      {.reduction = Reduction::sum});
     },
     {{2, 3}}},
    {"binary_cross_entropy_with_logits",
     [](const Xs& x) { return binary_cross_entropy_with_logits(x[0], x[1]); },
     {{2, 3}, {2, 3}},
     Domain::unit},
    {"mean_squared_error", [](const Xs& x) { return mean_squared_error(x[0], x[1]); }, {{2, 3}, {2, 3}}},
};

Inputs sample(const Row& row, unsigned seed) {
    std::mt19937_64 engine(seed);
    const double low = row.domain == Domain::any ? -2 : 0.25, high = row.domain == Domain::unit ? 0.9 : 2;
    std::uniform_real_distribution<double> uniform(low, high);
    Inputs inputs;
    for (const Shape& shape : row.shapes) {
        inputs.push_back(Array<double>::from_shape(shape));
        for (double& x : inputs.back()) x = uniform(engine);
    }
    return inputs;
}

double gradient_at(double x, Variable<double> (*f)(Variable<double>)) {
    Tape<double> tape;
    const auto v = tape.variable(x);
    return tape.backward(f(v))[v]();
}

}  // namespace

BOOST_AUTO_TEST_CASE(values) {
    for (const Row& row : table) {
        if (row.scalar == nullptr) continue;
        const Inputs inputs = sample(row, 1);
        Tape<double> tape;
        Xs xs;
        for (const auto& input : inputs) xs.push_back(tape.variable(input));
        const Array<double> z = row.f(xs).value();
        for (std::size_t i = 0; i < z.size(); ++i) {
            const double expected = row.scalar(inputs[0].data()[i], inputs.back().data()[i]);
            BOOST_TEST(std::abs(z.data()[i] - expected) <= 1e-13 * (1 + std::abs(expected)), row.name << " at " << i);
        }
    }
}

BOOST_AUTO_TEST_CASE(first_order) {
    for (const Row& row : table) {
        const auto result = gradcheck(row.f, sample(row, 2));
        BOOST_TEST(result.passed, row.name << ": " << result.message);
    }
}

BOOST_AUTO_TEST_CASE(second_order) {
    for (const Row& row : table) {
        const auto result = gradgradcheck(row.f, sample(row, 3));
        BOOST_TEST(result.passed, row.name << ": " << result.message);
    }
}

// <v, J u> by jvp and <J^T v, u> by vjp.
BOOST_AUTO_TEST_CASE(forward_agrees_with_reverse) {
    std::mt19937_64 engine(4);
    std::normal_distribution<double> normal;
    const auto random = [&](const Shape& shape) {
        Array<double> array = Array<double>::from_shape(shape);
        for (double& x : array) x = normal(engine);
        return array;
    };
    for (const Row& row : table) {
        Tape<double> tape;
        Xs xs, us;
        for (const auto& input : sample(row, 5)) {
            xs.push_back(tape.variable(input));
            us.push_back(tape.constant(random(input.shape())));
        }
        const auto y = row.f(xs);
        const Array<double> v = random(y.shape());
        const Array<double> forward = jvp(y, xs, us).value();
        const auto reverse = tape.backward(y, v);
        double left = 0, right = 0;
        for (std::size_t i = 0; i < v.size(); ++i) left += v.data()[i] * forward.data()[i];
        for (std::size_t k = 0; k < xs.size(); ++k)
            for (std::size_t i = 0; i < xs[k].size(); ++i) right += reverse[xs[k]].data()[i] * us[k].value().data()[i];
        BOOST_TEST(std::abs(left - right) <= 1e-12 * (1 + std::abs(left)),
                   row.name << ": " << left << " and " << right);
    }
}

// What a rule adds to an adjoint that has a contribution already, over several registers and a part of one: the same
// rule on variables adds without a choice.
template <class T>
void check_contributions() {
    using V = Variable<T>;
    V(*const functions[])
    (V) = {
        [](V x) { return x * x; },
        [](V x) { return T(1) / x; },
        [](V x) { return exp(x); },
        [](V x) { return log(x); },
        [](V x) { return tanh(x); },
        [](V x) { return sigmoid(x); },
        [](V x) { return relu(x); },
        [](V x) { return gelu(x); },
        [](V x) { return pow(x, T(2.5)); },
        [](V x) { return logaddexp(x, x * T(2)); },
        [](V x) { return where(x, x, x); },
        [](V x) { return x * sum(x, {0}); },
        [](V x) { return x + mean(x, {1}, true); },
        [](V x) { return x * variance(x, {0}) * variance(x, {1}, 0, true); },
        [](V x) { return x * prod(x, {0}) * norm(x, {1}, true); },
        [](V x) { return x * amax(x, {0}) * amin(x, {1}, true); },
        [](V x) { return x * logsumexp(x, {0}) * logsumexp(x, {1}, true); },
        [](V x) { return softmax(x) * softmax(x, 0); },
        [](V x) { return log_softmax(x) * log_softmax(x, 0); },
        [](V x) { return matmul(x, matmul(transpose(x), x)); },
        [](V x) {
            return slice(concatenate<T>({x, x}), 0, 1, 4);
        },
        [](V x) {
            return take(x, Indices{2, 0, 0}) + pad(slice(x, 1, 1), 1, 1, 0);
        },
        [](V x) {
            return x * softmax_cross_entropy(x, Indices{1, 40, 7});
        },
    };
    std::mt19937_64 engine(6);
    std::uniform_real_distribution<T> uniform(T(0.5), T(1.5));
    for (std::size_t i = 0; i < std::size(functions); ++i) {
        Array<T> input(Shape{3, 43}), seed(Shape{3, 43});
        for (T& value : input) value = uniform(engine);
        for (T& value : seed) value = uniform(engine);
        Tape<T> tape;
        const V x = tape.variable(input), y = functions[i](x) + x;
        const auto gradients = tape.backward(y, seed);
        const auto recorded = vjp(y, {x}, tape.constant(seed))[0].value();
        for (std::size_t k = 0; k < input.size(); ++k) {
            const T got = gradients[x].data()[k], expected = recorded.data()[k];
            BOOST_TEST(std::abs(got - expected) <= 500 * std::numeric_limits<T>::epsilon() * (1 + std::abs(expected)),
                       "function " << i << " at " << k << ": " << got << " and " << expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(contributions_add_up) {
    check_contributions<float>();
    check_contributions<double>();
}

BOOST_AUTO_TEST_CASE(single_precision_agrees) {
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
    BOOST_CHECK_THROW(mean_squared_error(a, b), std::invalid_argument);
    BOOST_CHECK_THROW(softmax_cross_entropy(a, Indices{0, 1, 2}), std::out_of_range);
    BOOST_CHECK_THROW(softmax_cross_entropy(a, Indices{0, 1}), std::invalid_argument);
    BOOST_TEST(tape.size() == before);
}
