// On a kink any value between the slopes on both sides passes; nothing wrong may hide behind it.
#define BOOST_TEST_MODULE gradcheck_kinks
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "cube.hpp"

namespace {

/// z = max(x, 0) with a rule that is off by a factor.
Function relu_times(double factor) {
    return [factor](const Xs& xs) {
        const auto x = xs[0];
        return record("relu", {x}, gate(x.value(), x.value()),
                      [x, factor](auto& at) { at.adjoint(x) += factor * gate(at.zbar(), at(x)); });
    };
}

}  // namespace

namespace {

/// An operation with a kink at 0 whose rule gives `slope` there.
Function kinked(double below, double above, double slope) {
    return [=](const Xs& xs) {
        const auto x = xs[0];
        return record("kinked", {x}, above * gate(x.value(), x.value()) - below * gate(-x.value(), -x.value()),
                      [=](auto& at) {
                          at.adjoint(x) += above * gate(at.zbar(), at(x)) + below * gate(at.zbar(), -at(x)) +
                                           choose(at(x), 0.0, at.zbar()) * slope;
                      });
    };
}

}  // namespace

BOOST_AUTO_TEST_CASE(errors_of_an_order_just_above_one_pass) {
    BOOST_TEST(gradcheck([](const Xs& x) { return pow(x[0], 1.2); }, {Array<double>{0}}).passed);
    BOOST_TEST(gradcheck([](const Xs& x) { return x[0] * log(x[0]); }, {Array<double>{1e-300}}).passed);
}

BOOST_AUTO_TEST_CASE(kinks_accept_any_value_between_the_slopes) {
    for (const auto& [below, above] : {std::pair(0.0, 1.0), std::pair(-1.0, 1.0), std::pair(2.0, -0.5)}) {
        const auto judged = [&, low = below, high = above](double share) {
            return gradcheck(kinked(low, high, low + share * (high - low)), {Array<double>{0.5, 0, -0.25}});
        };
        for (double share : {0.0, 1e-3, 0.25, 0.5, 0.9, 1.0}) {
            const auto result = judged(share);
            BOOST_TEST(result.passed, result.message);
            BOOST_TEST(result.kink);
            BOOST_TEST(result.operation == "kinked");
        }
        for (double share : {-1.0, -1e-3, 1.001, 2.0}) {
            const auto result = judged(share);
            BOOST_TEST(!result.passed, "a value outside of the slopes passes: " << share);
            BOOST_TEST(result.kink);
            BOOST_TEST(result.message.find("on a kink of 'kinked'") != std::string::npos, result.message);
        }
    }
}

BOOST_AUTO_TEST_CASE(kinks_are_named) {
    struct Kink {
        const char* operation;
        Function f;
        Inputs inputs;
    };
    const std::vector<Kink> rows = {
        {"relu", [](const Xs& x) { return exp(relu(sin(x[0]))); }, {Array<double>{0, 1}}},
        {"abs", [](const Xs& x) { return abs(x[0] - 2.0) * x[0]; }, {Array<double>{2, 1}}},
        {"clip", [](const Xs& x) { return clip(x[0], -0.5, 0.75); }, {Array<double>{-0.5, 0.1}}},
        {"clip", [](const Xs& x) { return clip(x[0], -0.5, 0.75); }, {Array<double>{0.75, 0.1}}},
        {"maximum", [](const Xs& x) { return maximum(x[0], x[1]) * x[0]; }, {Array<double>{1, 2}, Array<double>{1, 3}}},
        {"minimum", [](const Xs& x) { return minimum(x[0], x[1]) * x[0]; }, {Array<double>{1, 2}, Array<double>{1, 3}}},
        {"amax", [](const Xs& x) { return tanh(amax(x[0])); }, {Array<double>{0.5, 0.25, 0.5, 0.5}}},
        {"amin", [](const Xs& x) { return amin(x[0], {1}); }, {Array<double>{{1, 1, 2}, {3, 2, 2}}}},
        {"norm", [](const Xs& x) { return norm(x[0]); }, {Array<double>{0, 0}}},
    };
    for (const Kink& row : rows) {
        const auto result = gradcheck(row.f, row.inputs);
        BOOST_TEST(result.passed, row.operation << ": " << result.message);
        BOOST_TEST(result.kink);
        BOOST_TEST(result.operation == row.operation, result.operation << " for " << row.operation);
        BOOST_TEST(result.message.find(std::string("on a kink of '") + row.operation) != std::string::npos,
                   result.message);
    }
    BOOST_TEST(!gradcheck([](const Xs& x) { return relu(x[0]); }, {points}).kink);
    // Kinks of many elements at once do not hide behind each other in a random direction.
    const Array<double> zeros(Shape{500}, 0.0);  // too many for a whole Jacobian
    const auto many = gradcheck([](const Xs& x) { return abs(x[0]); }, {zeros});
    BOOST_TEST(many.passed, many.message);
    BOOST_TEST(many.operation == "abs");
}

// relu(x) - relu(-x) is x, but both rules give 0 at 0: the slopes on both sides agree, and the tape's is another.
BOOST_AUTO_TEST_CASE(kinks_that_cancel_and_jumps_are_wrong) {
    BOOST_TEST(!gradcheck([](const Xs& x) { return relu(x[0]) - relu(-x[0]); }, {Array<double>{0}}).passed);
    const auto jump = gradcheck([](const Xs& x) { return sign(x[0]); }, {Array<double>{0}});
    BOOST_TEST(!jump.passed);
    BOOST_TEST(jump.message.find("jumps here, at 'sign'") != std::string::npos, jump.message);
    const auto second = gradgradcheck([](const Xs& x) { return relu(x[0]); }, {Array<double>{0, 1}});
    BOOST_TEST(second.passed);
    BOOST_TEST(second.kink);
    BOOST_TEST(second.message.find("does not exist: the function has a kink") != std::string::npos, second.message);
    BOOST_TEST(second.message.find("jumps, at 'gate'") != std::string::npos, second.message);
    BOOST_TEST(!gradcheck([](const Xs& x) { return log(x[0]); }, {Array<double>{-1}}).passed);
}

BOOST_AUTO_TEST_CASE(what_lies_behind_many_kinks_is_checked) {
    Array<double> sparse(Shape{71}, 0.5);
    std::fill_n(sparse.data(), 16, 0.0);
    BOOST_TEST(!gradcheck(relu_times(-3), {sparse}).passed);
    Array<double> image(Shape{1000}, 0.0);
    for (std::size_t i = 0; i < image.size(); i += 20) image.data()[i] = 0.5;
    BOOST_TEST(!gradcheck(relu_times(7), {image}).passed);
    BOOST_TEST(gradcheck(relu_times(1), {image}).passed);
}

BOOST_AUTO_TEST_CASE(small_outputs_do_not_hide_behind_large_ones) {
    const Array<double> x(xt::linspace<double>(-20, 20, 71));
    const auto wrong_below_zero = [](const Xs& xs) {
        const auto y = xs[0];
        return record("exp", {y}, xt::exp(y.value()),
                      [y](auto& at) { at.adjoint(y) += at.zbar() * at.z() * sign(at(y)); });
    };
    BOOST_TEST(!gradcheck(wrong_below_zero, {x}).passed);
    BOOST_TEST(gradcheck([](const Xs& xs) { return exp(xs[0]); }, {x}).passed);
}

BOOST_AUTO_TEST_CASE(slopes_on_a_kink_are_those_of_one_element) {
    Array<double> x(Shape{71}, 0.5);
    x(3) = 0;
    const auto result = gradcheck([](const Xs& xs) { return 10.0 * relu(xs[0]); }, {x});
    BOOST_TEST(result.passed);
    BOOST_TEST(result.message.find("the slope is 0 below and 10 above, and 0 on the tape") != std::string::npos,
               result.message);
}

BOOST_AUTO_TEST_CASE(a_kink_elsewhere_does_not_hide_what_is_wrong) {
    const auto result = gradcheck(relu_times(-3), {Array<double>{0, 0, 0.5, -1, 2}});
    BOOST_TEST(result.comparison.relation == "constant-factor", result.message);
    BOOST_TEST(std::abs(result.comparison.factor + 3) < 1e-6, result.message);
    const auto large = gradcheck(relu_times(2), {Array<double>(Shape{5000}, 0.5)});
    BOOST_TEST(!large.passed);
    BOOST_TEST(large.message.find("relation") == std::string::npos, large.message);
}

namespace {

/// A function with a slope of its own at 0, where its rule gives `slope`.
Function root(double power, double slope) {
    return [=](const Xs& xs) {
        const auto x = xs[0];
        const Array<double> value =
            power == 0.5 ? Array<double>(xt::sqrt(x.value())) : Array<double>(xt::cbrt(x.value()));
        return record("root", {x}, value, [=](auto& at) { at.adjoint(x) += at.zbar() * (at(x) * 0.0 + slope); });
    };
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_finite_value_is_right_where_the_slope_is_infinite) {
    for (const double power : {0.5, 1.0 / 3})
        for (const double slope : {0.0, 1.0, 1e2, 1e3, 3e3, 1e4, 1e5, 1e6, 1e9, 1e15, -1e3}) {
            const auto result = gradcheck(root(power, slope), {Array<double>{0}});
            BOOST_TEST(!result.passed, "power " << power << ", slope " << slope << ": " << result.message);
        }
    for (const double power : {0.5, 1.0 / 3})
        BOOST_TEST(gradcheck(root(power, std::numeric_limits<double>::infinity()), {Array<double>{0}}).passed);
    BOOST_TEST(!gradcheck(root(0.5, -std::numeric_limits<double>::infinity()), {Array<double>{0}}).passed);
}

// One output's incoming adjoint is 0, and the other's slope infinite: their product is NaN, where the derivative is 0.
BOOST_AUTO_TEST_CASE(an_infinite_slope_does_not_make_other_outputs_wrong) {
    for (const Array<double>& x : {Array<double>{0, 4}, Array<double>{0, 0}, Array<double>{4, 0, 1}}) {
        const auto result = gradcheck([](const Xs& xs) { return sqrt(xs[0]); }, {x});
        BOOST_TEST(result.passed, result.message);
    }
    const auto product = gradcheck([](const Xs& xs) { return xs[0] * sqrt(xs[0]); }, {Array<double>{0, 4}});
    BOOST_TEST(!product.passed);
}
