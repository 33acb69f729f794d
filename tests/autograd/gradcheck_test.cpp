// The checks are checked: rules that are broken on purpose must be caught and named, right rules of hard functions must
// pass, and on a kink any value between the slopes on both sides.
#define BOOST_TEST_MODULE gradcheck
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "cube.hpp"

namespace {

const Array<double> other = {{0.7, -0.4, 1.1}, {0.2, 1.9, -1.3}};
const Array<double> square = {{0.5, 1.5, -1.0}, {2.0, 1.25, -0.75}, {0.3, -1.2, 0.9}};
const Array<double> square_too = {{0.2, -0.5, 1.3}, {1.7, 0.4, -0.6}, {-1.1, 0.8, 0.25}};
const Array<double> vector = {0.4, -1.2, 2.0};

/// A constant array of x's shape: `inside` at the first `count` elements, `outside` at the others.
Variable<double> mask(const Variable<double>& x, std::size_t count, double inside, double outside) {
    Array<double> array(x.shape(), outside);
    std::fill_n(array.data(), count, inside);
    return x.tape().constant(array);
}

struct Broken {
    const char* what;
    Function f;
    Inputs inputs;
    const char* relation;
    double factor = 1;
};

const std::vector<Broken> broken = {
    {"off by 0.05 %",
     cube([](auto& at, auto x) { at.adjoint(x) += at.zbar() * 3.0015 * at(x) * at(x); }),
     {points},
     "constant-factor",
     1.0005},
    {"off by 0.0001 %",
     cube([](auto& at, auto x) { at.adjoint(x) += at.zbar() * 3.000003 * at(x) * at(x); }),
     {points},
     "constant-factor",
     1.000001},
    {"the sign",
     cube([](auto& at, auto x) { at.adjoint(x) += -at.zbar() * 3.0 * at(x) * at(x); }),
     {points},
     "constant-factor",
     -1},
    {"twice",
     cube([](auto& at, auto x) { at.adjoint(x) += at.zbar() * 6.0 * at(x) * at(x); }),
     {points},
     "constant-factor",
     2},
    {"half",
     cube([](auto& at, auto x) { at.adjoint(x) += at.zbar() * 1.5 * at(x) * at(x); }),
     {points},
     "constant-factor",
     0.5},
    {"zero", cube([](auto&, auto) {}), {points}, "zero", 0},
    {"the incoming adjoint left out",
     cube([](auto& at, auto x) { at.adjoint(x) += at(x) * at(x) * 3.0; }),
     {points},
     "missing-adjoint"},
    {"the function for its derivative",
     cube([](auto& at, auto x) { at.adjoint(x) += at.zbar() * at.z(); }),
     {points},
     "missing-inner-derivative",
     1.0 / 3},
    {"an offset",
     cube([](auto& at, auto x) { at.adjoint(x) += at.zbar() * 3.0 * at(x) * at(x) + 1e-4; }),
     {points},
     "none"},
    {"1/N",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("total", {x}, sum_to(x.value(), {1, 1}, {}), [x](auto& at) {
             at.adjoint(x) += at.evaluate(spread(at.zbar(), {1, 1}, {2, 3})) / 6.0;
         });
     },
     {points},
     "constant-factor",
     1.0 / 6},
    {"N along an axis",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("average", {x}, mean(x, {0}).value() * 1.0, [x](auto& at) {
             at.adjoint(x) += at.evaluate(spread(at.zbar(), {1, 3}, {2, 3}));
         });
     },
     {points},
     "constant-factor",
     2},
    {"a product's factor not transposed",
     [](const Xs& xs) {
         const auto a = xs[0], b = xs[1];
         return record("product", {a, b}, matmul(a.value(), b.value()), [a, b](auto& at) {
             at.adjoint(a) += matmul(at.zbar(), at(b));
             at.adjoint(b) += matmul(matrix_transpose(at(a)), at.zbar());
         });
     },
     {square, square_too},
     "transposed"},
    {"the gradient transposed",
     [](const Xs& xs) {
         const auto x = xs[0], w = xs[1];
         return record("affine", {x, w}, matmul(x.value(), matrix_transpose(w.value())), [x, w](auto& at) {
             at.adjoint(x) += matmul(at.zbar(), at(w));
             at.adjoint(w) += matmul(matrix_transpose(at(x)), at.zbar());
         });
     },
     {square, square_too},
     "transposed"},
    {"no sum over a broadcast axis",
     [](const Xs& xs) {
         const auto x = xs[0], b = xs[1], first_row = mask(x, 3, 1, 0);
         return record("scale", {x, b, first_row}, x.value() * b.value(), [x, b, first_row](auto& at) {
             at.adjoint(x) += at.zbar() * at(b);
             at.adjoint(b) += at.zbar() * at(x) * at(first_row);
         });
     },
     {points, vector},
     "missing-sum"},
    {"a sum too many",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("double", {x}, x.value() * 2.0, [x](auto& at) {
             at.adjoint(x) += at.evaluate(spread(at.evaluate(sum_to(at.zbar(), {1, 3}, {3})), {1, 3}, {2, 3})) * 2.0;
         });
     },
     {points},
     "extra-sum"},
    {"the inner derivative left out",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("sine of a square", {x}, sin(x.value() * x.value()),
                       [x](auto& at) { at.adjoint(x) += at.zbar() * cos(at(x) * at(x)); });
     },
     {points},
     "missing-inner-derivative",
     0.5},
    {"the inner derivative twice",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("tanh too", {x}, tanh(x.value()), [x](auto& at) {
             at.adjoint(x) += at.zbar() * (1.0 - at.z() * at.z()) * (1.0 - at.z() * at.z());
         });
     },
     {points},
     "extra-inner-derivative"},
    {"one element",
     [](const Xs& xs) {
         const auto x = xs[0], but_first = mask(x, 1, 0, 1);
         return record("square", {x, but_first}, x.value() * x.value(),
                       [x, but_first](auto& at) { at.adjoint(x) += at.zbar() * 2.0 * at(x) * at(but_first); });
     },
     {points},
     "one-element"},
    {"the sign of one branch",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("magnitude", {x}, abs(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar(); });
     },
     {points},
     "missing-inner-derivative"},
    {"one branch",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("leaky relu", {x}, gate(x.value(), x.value()) - 0.1 * gate(-x.value(), -x.value()),
                       [x](auto& at) { at.adjoint(x) += gate(at.zbar(), at(x)) + 0.01 * gate(at.zbar(), -at(x)); });
     },
     {points},
     "one-branch"},
    {"a term lacking",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("x sin x", {x}, x.value() * sin(x.value()),
                       [x](auto& at) { at.adjoint(x) += at.zbar() * sin(at(x)); });
     },
     {points},
     "missing-term"},
    {"the second input's sign",
     [](const Xs& xs) {
         const auto x = xs[0], y = xs[1];
         return record("ratio", {x, y}, x.value() / y.value(), [x, y](auto& at) {
             at.adjoint(x) += at.zbar() / at(y);
             at.adjoint(y) += at.zbar() * at.z() / at(y);
         });
     },
     {points, other},
     "constant-factor",
     -1},
    {"softmax without what lies off the diagonal",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("normalized", {x}, softmax(x).value() * 1.0,
                       [x](auto& at) { at.adjoint(x) += at.zbar() * at.z() * (1.0 - at.z()); });
     },
     {points},
     "diagonal"},
    {"the inputs exchanged",
     [](const Xs& xs) {
         const auto x = xs[0], y = xs[1];
         return record("times", {x, y}, x.value() * y.value(), [x, y](auto& at) {
             at.adjoint(x) += at.zbar() * at(x);
             at.adjoint(y) += at.zbar() * at(y);
         });
     },
     {points, other},
     "another-input"},
    {"the derivative at the wrong place",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("tanh too", {x}, tanh(x.value()),
                       [x](auto& at) { at.adjoint(x) += at.zbar() * (1.0 - at(x) * at(x)); });
     },
     {points},
     "wrong-derivative"},
    {"rows exchanged",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("half", {x}, x.value() / 2.0,
                       [x](auto& at) { at.adjoint(x) += at.evaluate(slice_axis(at.zbar(), 0, 1, -1, 2)) / 2.0; });
     },
     {points},
     "reordered"},
    {"a linear rule, by little",
     [](const Xs& xs) {
         const auto x = xs[0];
         return record("linear", {x}, x.value() * 3.0, [x](auto& at) { at.adjoint(x) += at.zbar() * 3.0000001; });
     },
     {points},
     "none"},  // too little for `compare` to speak of
};

}  // namespace

BOOST_AUTO_TEST_CASE(broken_rules_are_caught_and_named) {
    for (const Broken& row : broken) {
        const GradcheckResult result = gradcheck(row.f, row.inputs);
        BOOST_TEST_MESSAGE(row.what << ": " << result.message);
        BOOST_TEST(!result.passed, row.what << " passes");
        BOOST_TEST(result.comparison.relation == row.relation, row.what << " is called " << result.comparison.relation);
        BOOST_TEST(std::abs(result.comparison.factor - row.factor) < 1e-7,
                   row.what << ": " << result.comparison.factor);
    }
}

BOOST_AUTO_TEST_CASE(a_failure_says_all) {
    const auto result =
        gradcheck(cube([](auto& at, auto x) { at.adjoint(x) += at.zbar() * 6.0 * at(x) * at(x); }), {points});
    for (const char* part : {"[gradcheck] the derivative of output [0, 0] by input 0 at [0, 0] is 1.5 on the tape",
                             "differences give 0.75 ", "(relative error 0.5, step ", "falls with its power 1.0, not 2",
                             "the gradient is 2 times the right one"})
        BOOST_TEST(result.message.find(part) != std::string::npos, part << " is not in: " << result.message);
}

// The rule is right on arrays, but written wrongly for variables.
BOOST_AUTO_TEST_CASE(a_wrong_second_derivative_is_caught) {
    const Function f = cube([](auto& at, auto x) {
        if constexpr (std::is_same_v<std::decay_t<decltype(at)>, OnArrays<double>>) {
            at.adjoint(x) += at.zbar() * 3.0 * at(x) * at(x);
        } else {
            at.adjoint(x) += at.zbar() * 3.0 * x.value() * at(x);
        }
    });
    BOOST_TEST(gradcheck(f, {points}).passed);
    const auto result = gradgradcheck(f, {points});
    BOOST_TEST(!result.passed);
    BOOST_TEST(result.comparison.relation == "constant-factor");
    BOOST_TEST(std::abs(result.comparison.factor - 0.5) < 1e-6);
    const Function zero = cube([](auto& at, auto x) { at.adjoint(x) += at.zbar() * 3.0 * x.value() * x.value(); });
    const auto lost = gradgradcheck(zero, {points});
    BOOST_TEST(lost.comparison.relation == "zero");
    for (const auto& message : {result.message, lost.message})
        BOOST_TEST(message.find("The rule of 'cube' (%1) makes a constant of shape (2, 3) when it runs on variables: "
                                "where it reads x.value(), at(x) is meant") != std::string::npos,
                   message);
}

// At 0 the error of this rule is h^3 - h c: it vanishes at the first step tried, on both sides, and must not pass for
// it.
BOOST_AUTO_TEST_CASE(an_error_that_vanishes_at_one_step_is_caught) {
    const double step = 0.1234567;
    const auto result =
        gradcheck(cube([=](auto& at, auto x) { at.adjoint(x) += at.zbar() * (3.0 * at(x) * at(x) + step * step); }),
                  {Array<double>{0}});
    BOOST_TEST(!result.passed);
}

// 10,000 outputs: one wrong element is found by halving random directions.
BOOST_AUTO_TEST_CASE(a_wrong_element_of_a_large_input_is_found) {
    Array<double> large = Array<double>::from_shape({100, 100});
    for (std::size_t i = 0; i < large.size(); ++i) large.data()[i] = std::sin(0.1 * double(i));
    const auto square_with = [](double at_1234) {
        return [at_1234](const Xs& xs) {
            const auto x = xs[0];
            Array<double> factors(x.shape(), 1.0);
            factors.data()[1234] = at_1234;
            const auto factor = x.tape().constant(factors);
            return record("square", {x, factor}, x.value() * x.value(),
                          [x, factor](auto& at) { at.adjoint(x) += at.zbar() * 2.0 * at(x) * at(factor); });
        };
    };
    BOOST_TEST(gradcheck(square_with(1), {large}).passed);
    const auto result = gradcheck(square_with(1.001), {large});
    BOOST_TEST(!result.passed);
    BOOST_TEST(result.message.find("output [12, 34] by input 0 at [12, 34]") != std::string::npos, result.message);
}

BOOST_AUTO_TEST_CASE(right_rules_of_hard_functions_pass) {
    struct Right {
        const char* what;
        Function f;
        Inputs inputs;
    };
    Array<double> many = Array<double>::from_shape({20000});
    for (std::size_t i = 0; i < many.size(); ++i) many.data()[i] = std::sin(0.7 * double(i));
    const std::vector<Right> rows = {
        {"an exactly linear function", [](const Xs& x) { return x[0] * 3.0 - 2.0; }, {points * 1e6}},
        {"a difference of equals", [](const Xs& x) { return x[0] - x[0]; }, {points}},
        {"a large constant beside a small number", [](const Xs& x) { return (x[0] + 1e8) - 1e8; }, {points}},
        {"a large factor that cancels", [](const Xs& x) { return x[0] * 1e6 - x[0] * (1e6 - 1); }, {points}},
        {"a tiny value", [](const Xs& x) { return tanh(x[0]) * 1e-30; }, {points}},
        {"a huge value", [](const Xs& x) { return tanh(x[0]) * 1e30; }, {points}},
        {"log of tiny numbers", [](const Xs& x) { return log(x[0]); }, {Array<double>{1e-12, 1e-100, 3e-7}}},
        {"log of huge numbers", [](const Xs& x) { return log(x[0]); }, {Array<double>{1e12, 1e100}}},
        {"1 / x near 0", [](const Xs& x) { return 1.0 / x[0]; }, {Array<double>{1e-9, -1e-5}}},
        {"exp of large numbers", [](const Xs& x) { return exp(x[0]); }, {Array<double>{300, -300, 30}}},
        {"a fast oscillation", [](const Xs& x) { return sin(x[0] * 1e4); }, {points}},
        {"a step of tanh", [](const Xs& x) { return tanh(x[0] * 1e5); }, {Array<double>{0, 1e-6, -3e-5, 0.4}}},
        {"squares at 0", [](const Xs& x) { return x[0] * x[0]; }, {Array<double>{0, 0}}},
        {"x^1.5 at 0", [](const Xs& x) { return pow(x[0], 1.5); }, {Array<double>{0}}},
        {"an infinite slope", [](const Xs& x) { return sqrt(x[0]); }, {Array<double>{0}}},
        {"kinks nearby",
         [](const Xs& x) { return relu(x[0]) + abs(x[0]); },
         {Array<double>{1e-9, -1e-6, 1e-3, -1e-14}}},
        {"near ties",
         [](const Xs& x) { return amax(x[0]) * maximum(x[0], 1.0 + 0.0 * x[0]); },
         {Array<double>{1, 1 + 1e-7, 1 - 1e-9}}},
        {"variance about a large mean", [](const Xs& x) { return variance(x[0], {0}); }, {points + 1e6}},
        {"logsumexp of large numbers", [](const Xs& x) { return logsumexp(x[0], {0}); }, {Array<double>{1e4, 1e4 - 1}}},
        {"cross-entropy of large logits",
         [](const Xs& x) {
             return softmax_cross_entropy(x[0], Indices{0, 2});
         },
         {points * 1e3}},
        {"no elements", [](const Xs& x) { return exp(x[0]); }, {Array<double>::from_shape({0, 3})}},
        {"many elements", [](const Xs& x) { return sum(relu(x[0]) * exp(x[0])); }, {many}},
        {"many zeros", [](const Xs& x) { return sum(x[0] * x[0] * x[0]); }, {many * 0.0}},
        {"noise that the tape does not show",
         [](const Xs& xs) {
             const auto x = xs[0];
             return record("1 - cos", {x}, 1.0 - cos(x.value()),
                           [x](auto& at) { at.adjoint(x) += at.zbar() * sin(at(x)); });
         },
         {Array<double>{1e-3, 0.01, 1}}},
    };
    for (const Right& row : rows) {
        const auto result = gradcheck(row.f, row.inputs);
        BOOST_TEST(result.passed, row.what << ": " << result.message);
    }
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_not_a_number_says_where_it_came_from) {
    const auto result = gradcheck([](const Xs& x) { return sqrt(x[0]) * x[0]; }, {Array<double>{0, 1}});
    BOOST_TEST(!result.passed);
    BOOST_TEST(result.message.find("[sqrt] the backward pass of %1 makes NaN at [0]") != std::string::npos,
               result.message);
}

BOOST_AUTO_TEST_CASE(a_function_that_draws_random_numbers_is_found) {
    std::mt19937_64 engine(1);
    const auto result =
        gradcheck([&](const Xs& x) { return x[0] * std::normal_distribution<double>()(engine); }, {points});
    BOOST_TEST(!result.passed);
    BOOST_TEST(result.message.find("two values for the same inputs") != std::string::npos, result.message);
}

BOOST_AUTO_TEST_CASE(single_precision_must_be_asked_for) {
    const std::vector<Array<float>> inputs = {points};
    const auto f = [](const auto& x) { return tanh(x[0]) * x[0]; };
    BOOST_CHECK_EXCEPTION(gradcheck(f, inputs), std::invalid_argument, [](const std::exception& error) {
        return std::string(error.what()).find("[gradcheck] in single precision") == 0;
    });
    BOOST_CHECK_THROW(gradgradcheck(f, inputs), std::invalid_argument);
    const auto result = gradcheck(f, inputs, {.allow_float = true});
    BOOST_TEST(result.passed, result.message);
    const auto second = gradgradcheck(f, inputs, {.allow_float = true});
    BOOST_TEST(second.passed, second.message);
    const auto wrong = gradcheck(
        [](const std::vector<Variable<float>>& xs) {
            const auto x = xs[0];
            return record("square", {x}, x.value() * x.value(), [x](auto& at) { at.adjoint(x) += at.zbar() * at(x); });
        },
        inputs, {.allow_float = true});
    BOOST_TEST(!wrong.passed);
    BOOST_TEST(wrong.comparison.relation == "constant-factor");
}

namespace {

GradcheckResult check_cube(auto rule, const Array<double>& x) { return gradcheck(cube(rule), {x}); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_rule_must_be_linear_in_the_incoming_adjoint) {
    const auto bad = [](auto rule) {
        BOOST_TEST(!check_cube(rule, points).passed);
        BOOST_TEST(!check_cube(rule, Array<double>{0.5}).passed);
    };
    bad([](auto& at, auto x) { at.adjoint(x) += at.zbar() * at.zbar() * 3.0 * at(x) * at(x); });
    bad([](auto& at, auto x) { at.adjoint(x) += abs(at.zbar()) * 3.0 * at(x) * at(x); });
    bad([](auto& at, auto x) { at.adjoint(x) += gate(at.zbar(), at.zbar()) * 3.0 * at(x) * at(x); });
    bad([](auto& at, auto x) { at.adjoint(x) += minimum(at.zbar(), at.zbar() * 0.0 + 1.0) * 3.0 * at(x) * at(x); });
    const auto loss = gradcheck(
        [](const Xs& xs) {
            const auto x = xs[0];
            return record("loss", {x}, sum_to(x.value(), {1, 1}, {}),
                          [x](auto& at) { at.adjoint(x) += at(x) * 0.0 + 1.0; });
        },
        {points});
    BOOST_TEST(!loss.passed);
    BOOST_TEST(loss.comparison.relation == "missing-adjoint", loss.message);
}

BOOST_AUTO_TEST_CASE(second_derivatives_see_the_incoming_adjoint_and_both_ways_of_a_rule) {
    const auto detached = cube([](auto& at, auto x) {
        const auto& zbar = at.zbar();
        if constexpr (std::is_same_v<std::decay_t<decltype(at)>, OnVariables<double>>)
            at.adjoint(x) += zbar.detach() * 3.0 * at(x) * at(x);
        else
            at.adjoint(x) += zbar * 3.0 * at(x) * at(x);
    });
    BOOST_TEST(gradcheck(detached, {points}).passed);
    const auto without = gradgradcheck(detached, {points});
    BOOST_TEST(!without.passed);
    BOOST_TEST(without.message.find("by the incoming adjoint at") != std::string::npos, without.message);

    const auto two_ways = gradgradcheck(cube([](auto& at, auto x) {
                                            const bool arrays =
                                                std::is_same_v<std::decay_t<decltype(at)>, OnArrays<double>>;
                                            at.adjoint(x) += at.zbar() * (arrays ? 3.0 : 2.0) * at(x) * at(x);
                                        }),
                                        {points});
    BOOST_TEST(!two_ways.passed);
    BOOST_TEST(two_ways.message.find("on variables") != std::string::npos, two_ways.message);
}

// Kernels stand in a rule of one's own as expressions do, and the same text runs on variables.
BOOST_AUTO_TEST_CASE(own_rules_transpose_and_multiply_matrices) {
    const auto transposed = [](const Variable<double>& x) {
        return record("own transpose", {x}, matrix_transpose(x.value()),
                      [x](auto& at) { at.adjoint(x) += matrix_transpose(at.zbar()); });
    };
    const auto gram = [](const Variable<double>& x) {
        return record("own gram matrix", {x}, matmul(matrix_transpose(x.value()), x.value()), [x](auto& at) {
            at.adjoint(x) += matmul(at(x), at.zbar());
            at.adjoint(x) += matmul(at(x), matrix_transpose(at.zbar()));
        });
    };
    Tape<double> tape;
    const auto x = tape.variable(points);
    BOOST_TEST(transposed(x).value() == transpose(x).value());
    BOOST_TEST(gram(x).value() == matmul(transpose(x), x).value());
    const Array<double> stack = Array<double>(Shape{2, 2, 3}, 0.0) + points + 0.5;
    for (const Array<double>& input : {points, stack}) {
        const Function twice = [&](const Xs& xs) { return transposed(xs[0]) * transposed(xs[0]); };
        const Function grams = [&](const Xs& xs) { return gram(xs[0]); };
        for (const Function& f : {twice, grams}) {
            const auto first = gradcheck(f, {input}), second = gradgradcheck(f, {input});
            BOOST_TEST(first.passed, first.message);
            BOOST_TEST(second.passed, second.message);
        }
    }
    BOOST_CHECK_THROW(transposed(tape.variable(vector)), std::invalid_argument);
    BOOST_CHECK_THROW(gram(tape.variable(vector)), std::invalid_argument);
}

// (1 - cos x) / x^2 at 1e-4: the rules are right, and what they give is rounding.
BOOST_AUTO_TEST_CASE(rounding_is_no_wrong_rule) {
    const Function f = [](const Xs& xs) { return (1.0 - cos(xs[0])) / (xs[0] * xs[0]); };
    for (const double x : {1e-3, 3e-4, 1.1e-4, 1e-4, 3e-5, 2e-5, 1e-5}) {
        const auto result = gradcheck(f, {Array<double>{x, 0.5}});
        BOOST_TEST_MESSAGE(result.message);
        BOOST_TEST(result.passed, x << ": " << result.message);
    }
    const auto result = gradcheck(f, {Array<double>{1e-5}});
    BOOST_TEST(result.message.find("is rounding") != std::string::npos, result.message);
}

BOOST_AUTO_TEST_CASE(a_clipped_adjoint_is_seen) {
    for (const double limit : {10.0, 1e3, 1e9}) {
        const auto result = gradcheck(cube([limit](auto& at, auto x) {
                                          at.adjoint(x) +=
                                              minimum(at.zbar(), at.zbar() * 0.0 + limit) * 3.0 * at(x) * at(x);
                                      }),
                                      {points});
        BOOST_TEST(!result.passed);
        BOOST_TEST(!result.comparison.equal());
        BOOST_TEST(result.message.find("a rule is not linear in it") != std::string::npos, result.message);
    }
}

BOOST_AUTO_TEST_CASE(a_rule_that_changes_its_input_or_counts_its_calls_is_named) {
    const auto changing = gradcheck(
        [](const Xs& xs) {
            return sum(cube([](auto& at, auto x) {
                const_cast<Array<double>&>(x.value()).data()[1] += 1;
                at.adjoint(x) += at.zbar() * 3.0 * at(x) * at(x);
            })(xs));
        },
        {points});
    BOOST_TEST(!changing.passed);
    BOOST_TEST(
        changing.message.find("[gradcheck] the rule of 'cube' (%1) changes what it is given: %0 = variable") == 0,
        changing.message);
    for (const int late : {0, 1, 5}) {
        int calls = 0;
        const auto counting = gradcheck(cube([&calls, late](auto& at, auto x) {
                                            const double factor = ++calls > late ? 3.0 + 1e-10 * calls : 3.0;
                                            at.adjoint(x) += at.zbar() * factor * at(x) * at(x);
                                        }),
                                        {points});
        BOOST_TEST(!counting.passed);
        BOOST_TEST(counting.message.find("from call to call") != std::string::npos, counting.message);
    }
}

// Each of some thousand elements is looked at, whatever the seed.
BOOST_AUTO_TEST_CASE(one_wrong_element_of_5000_is_found_at_every_seed) {
    Array<double> large = Array<double>::from_shape({5000});
    for (std::size_t i = 0; i < large.size(); ++i) large.data()[i] = std::sin(0.1 * double(i)) + 1.5;
    for (unsigned seed = 1; seed <= 20; ++seed) {
        const std::size_t wrong = 251 * seed % 5000;
        const auto result = gradcheck(
            [wrong](const Xs& xs) {
                const auto x = xs[0];
                Array<double> factors(x.shape(), 1.0);
                factors.data()[wrong] = 1.001;
                const auto factor = x.tape().constant(factors);
                return record("square", {x, factor}, x.value() * x.value(),
                              [x, factor](auto& at) { at.adjoint(x) += at.zbar() * 2.0 * at(x) * at(factor); });
            },
            {large}, {.seed = seed});
        BOOST_TEST(!result.passed, "seed " << seed);
        BOOST_TEST(result.message.find(std::to_string(wrong)) != std::string::npos, result.message);
    }
}

namespace {

/// z = x^2 + constant, by a rule that is off by a factor at one element, or at each.
Function square_beside(double constant, double factor, std::size_t element = std::size_t(-1)) {
    return [=](const Xs& xs) {
        const auto x = xs[0];
        Array<double> factors(x.shape(), element < x.value().size() ? 1.0 : factor);
        if (element < factors.size()) factors.data()[element] = factor;
        const auto by = x.tape().constant(factors);
        return record("square", {x, by}, x.value() * x.value() + constant,
                      [x, by](auto& at) { at.adjoint(x) += at.zbar() * 2.0 * at(x) * at(by); });
    };
}

}  // namespace

// What f rounds away is small beside these errors: their own differences tell.
BOOST_AUTO_TEST_CASE(a_wrong_rule_does_not_hide_beside_a_large_constant) {
    const auto caught = [](const auto& what, const Function& f, const Inputs& inputs) {
        for (unsigned seed = 1; seed <= 3; ++seed) {
            const auto result = gradcheck(f, inputs, {.seed = seed});
            BOOST_TEST(!result.passed, what << " passes at seed " << seed << ": " << result.message);
        }
    };
    for (const auto& [constant, factor] : {std::pair(1e7, 1.001), std::pair(1e11, 1.1), std::pair(1e12, 1.5),
                                           std::pair(1e13, -1.0), std::pair(1e13, 10.0), std::pair(1e13, 0.0)})
        caught(factor, square_beside(constant, factor), {Array<double>{0.3}});
    for (const double factor : {1.0001, 0.9999})
        caught("sin",
               [=](const Xs& xs) {
                   const auto x = xs[0];
                   return record("sin", {x}, sin(x.value()) + 1e5,
                                 [=](auto& at) { at.adjoint(x) += factor * at.zbar() * cos(at(x)); });
               },
               {Array<double>{0.3}});
    Array<double> large(Shape{60}, 1000.0);
    large(17) = 0.001;
    for (const double factor : {0.0, 3.0, -2.0})
        caught("one small element", [=](const Xs& xs) { return sum(square_beside(0, factor, 17)(xs)); }, {large});
    caught("a denormal value", [](const Xs& xs) { return square_beside(0, 1.5)(xs) * 1e-308; }, {Array<double>{0.3}});
}

// Where rounding leaves less than three digits of a derivative it passes, and the result says that it was not seen.
BOOST_AUTO_TEST_CASE(a_derivative_that_rounding_hides_is_no_silent_pass) {
    for (const auto& [constant, factor] : {std::pair(1e13, 1.0), std::pair(1e14, 1.0), std::pair(1e14, 0.0),
                                           std::pair(1e17, 3.0), std::pair(1e30, 0.0), std::pair(1e30, 1.0)}) {
        const auto result = gradcheck(square_beside(constant, factor), {Array<double>{0.3}});
        BOOST_TEST(result.passed, result.message);
        BOOST_TEST(result.rounding, constant);
        BOOST_TEST(
            result.message.find("[gradcheck] rounding hides the derivative of output [0] by input 0 at [0]") == 0,
            result.message);
    }
    Array<double> many(Shape{5000}, 1000.0);
    many(1700) = 1e-9;
    const auto one = gradcheck([](const Xs& xs) { return sum(xs[0] * xs[0]); }, {many});
    BOOST_TEST(one.passed, one.message);
    BOOST_TEST(one.message.find("by input 0 at [1700]") != std::string::npos, one.message);
    for (const double constant : {0.0, 1.0, 1e5, 1e8}) {
        const auto result = gradcheck(square_beside(constant, 1), {Array<double>{0.3, -2, 50}});
        BOOST_TEST(result.passed, result.message);
        BOOST_TEST(!result.rounding, result.message);
        BOOST_TEST(result.message.empty(), result.message);
    }
}

BOOST_AUTO_TEST_CASE(small_numbers_have_digits_too) {
    const Function length = [](const Xs& xs) { return norm(xs[0]); };
    for (const double scale : {1e-50, 1e-250, 1e-290, 1e-300}) {
        const auto result = gradcheck(length, {Array<double>{3 * scale, 4 * scale}});
        BOOST_TEST(result.passed, result.message);
    }
}

BOOST_AUTO_TEST_CASE(no_directions_are_refused) {
    BOOST_CHECK_EXCEPTION(
        gradcheck(square_beside(0, 1.5), {Array<double>(Shape{9000}, 1.5)}, {.directions = 0}), std::invalid_argument,
        [](const std::exception& error) { return std::string(error.what()).find("[gradcheck] no directions") == 0; });
}

// A Jacobian of more than 4096 elements, of which one column is wrong.
BOOST_AUTO_TEST_CASE(a_small_error_of_one_element_of_many_is_found_at_every_seed) {
    for (const auto& [n, factor] :
         {std::pair(65, 1.00001), std::pair(1000, 1.00001), std::pair(8192, 1.0001), std::pair(20000, 1.0001)})
        for (unsigned seed = 1; seed <= 3; ++seed) {
            const auto result = gradcheck(square_beside(0, factor, std::size_t(n) / 2),
                                          {Array<double>(Shape{std::size_t(n)}, 1.5)}, {.seed = seed});
            BOOST_TEST(!result.passed, n << " elements, seed " << seed);
        }
}
