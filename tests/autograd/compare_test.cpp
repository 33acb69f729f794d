// What `compare` says of gradients derived by hand.
#define BOOST_TEST_MODULE compare
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace autograd;

namespace {

const Array<double> right = {{1, -2, 3}, {4, 5, -6}};

void is(const Comparison& comparison, const std::string& relation, double factor = 1) {
    BOOST_TEST_MESSAGE(comparison.sentence);
    BOOST_TEST(comparison.relation == relation, comparison.sentence);
    BOOST_TEST(std::abs(comparison.factor - factor) < 1e-9, comparison.sentence);
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_context) {
    is(compare(right, right), "equal");
    BOOST_TEST(compare(right * (1 + 1e-9), right).equal());
    is(compare(Array<float>(right), right), "equal");
    is(compare(-right, right), "constant-factor", -1);
    is(compare(right / 6, right), "constant-factor", 1.0 / 6);
    is(compare(right * 1.0005, right), "constant-factor", 1.0005);
    is(compare(right * 0, right), "zero", 0);
    is(compare(xt::transpose(right), right), "transposed");
    is(compare(-2 * xt::transpose(right), right), "transposed", -2);
    is(compare(Array<double>{{3, 1, -2}, {5, -6, 4}}, right), "reordered");
    is(compare(right * right, right), "none");
    is(compare(Array<double>{1.5}, Array<double>{2.5}), "none");  // one number has a factor to every other
    is(compare(Array<double>{-2.5}, Array<double>{2.5}), "constant-factor", -1);
}

BOOST_AUTO_TEST_CASE(the_factor_is_named) {
    BOOST_TEST(compare(right * 3, right).sentence ==
               "the gradient is 3 (3 is the length of axis 1 of the gradient) times the right one");
    BOOST_TEST(compare(right / -6, right).sentence ==
               "the gradient is -1/6 (6 is the number of elements of the gradient) times the right one");
    BOOST_TEST(compare(right * 2 / 3, right).sentence ==
               "the gradient is 2/3 (3 is the length of axis 1 of the gradient) times the right one");
    BOOST_TEST(compare(right * 1.25, right).sentence == "the gradient is 1.25 times the right one");
}

BOOST_AUTO_TEST_CASE(one_element_is_named) {
    Array<double> hand = right;
    hand(1, 2) = 6;
    const auto comparison = compare(hand, right);
    is(comparison, "one-element");
    BOOST_TEST((comparison.index == std::vector<std::size_t>{1, 2}));
    BOOST_TEST(comparison.sentence ==
               "the gradient is right but for the element at [1, 2], which is 6 and should be -6");
}

BOOST_AUTO_TEST_CASE(sums) {
    const Array<double> by_column = {5, 3, -3};
    Array<double> by_row = {2, 3};
    by_row.reshape({2, 1});
    is(compare(right, by_column), "missing-sum");
    is(compare(right, by_row), "missing-sum");
    is(compare(right, Array<double>(Shape{}, 5.0)), "missing-sum");
    is(compare(right / 2, by_column), "missing-sum", 0.5);
    is(compare(by_column, right), "extra-sum");
    is(compare(by_row, right), "extra-sum");
    is(compare(xt::broadcast(by_column, {2, 3}), right), "extra-sum");
    is(compare(Array<double>{1, 2, 3, 4}, right), "none");
}

// z = tanh(x), or a product with it.
BOOST_AUTO_TEST_CASE(with_context) {
    const Array<double> x = {{0.5, -1, 2}, {0.25, 1.5, -0.75}}, zbar = {{1, 3, -2}, {0.5, -1.5, 4}};
    const Array<double> z = tanh(x), gradient = zbar * (1 - z * z);
    const CompareContext context = {.adjoint = zbar, .locals = {{"x", x}, {"z", z}}};
    is(compare(1 - z * z, gradient, context), "missing-adjoint");
    is(compare(zbar, gradient, context), "missing-inner-derivative");
    is(compare(zbar * (1 - z * z) * (1 - z * z), gradient, context), "extra-inner-derivative");
    is(compare(zbar * z, gradient, context), "wrong-derivative");
    BOOST_TEST(compare(zbar * (1 - x * x), gradient, context).sentence ==
               "the gradient is the adjoint times (1 - x^2), and should be the adjoint times tanh'(x)");
    is(compare(gradient - zbar * x * z, gradient, context), "missing-term");
    Array<double> branch = gradient;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (x.data()[i] < 0) branch.data()[i] *= 0.3 + double(i);
    is(compare(branch, gradient, context), "one-branch");
    is(compare(x, gradient, {.others = {{"y", x}}}), "another-input");
    // A bias: the adjoint is summed over its two rows.
    is(compare(Array<double>{2, 2, 2}, Array<double>{1.5, 1.5, 2}, {.adjoint = zbar}), "missing-adjoint", 2);
}

// z = w @ v
BOOST_AUTO_TEST_CASE(with_a_jacobian) {
    const Array<double> w = {{1, 2, -1}, {0.5, 3, 4}, {2, -2, 0.25}}, zbar = {1, -3, 2};
    const auto product = [](auto entry) {
        Array<double> result(Shape{3}, 0.0);
        for (std::size_t i = 0; i < 3; ++i)
            for (std::size_t k = 0; k < 3; ++k) result(i) += entry(i, k);
        return result;
    };
    const Array<double> gradient = product([&](auto i, auto k) { return w(k, i) * zbar(k); });
    const CompareContext context = {.adjoint = zbar, .jacobian = w};
    is(compare(product([&](auto i, auto k) { return w(i, k) * zbar(k); }), gradient, context), "transposed");
    is(compare(product([&](auto i, auto k) { return w(k, i); }), gradient, context), "missing-adjoint");
    is(compare(product([&](auto i, auto k) { return i == k ? w(k, i) * zbar(k) : 0; }), gradient, context), "diagonal");
    is(compare(product([&](auto i, auto k) { return i != k ? w(k, i) * zbar(k) : 0; }), gradient, context), "diagonal");
    is(compare(product([&](auto i, auto k) { return k == 1 ? w(k, i) * zbar(k) : 0; }), gradient, context),
       "missing-sum");
}

BOOST_AUTO_TEST_CASE(equal_means_equal) {
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const auto equal = [](const Array<double>& hand, const Array<double>& other, const CompareContext& context = {}) {
        return compare(hand, other, context).equal();
    };
    BOOST_TEST(!equal({1, 2}, {1, inf}));
    BOOST_TEST(!equal({1, inf}, {1, 2}));
    BOOST_TEST(!equal({1, -inf}, {1, inf}));
    BOOST_TEST(!equal({3, inf}, {1, inf}));
    BOOST_TEST(!equal({1, nan}, {1, 2}));
    BOOST_TEST(!equal({1, 2}, {1, nan}));
    BOOST_TEST(!equal({1, nan}, {1, inf}));
    BOOST_TEST(equal({1, inf, nan, -inf}, {1, inf, nan, -inf}));
    BOOST_TEST(!equal({1, 2e-10}, {1, 1e-10}));
    BOOST_TEST(equal({1, 2e-10}, {1, 1e-10}, {.floor = 1e-3}));
    BOOST_TEST(!equal({1, 2e-8}, {1, 1e-8}, {.floor = 1e-3}));
    BOOST_TEST(equal({0, 0}, {0, 0}));
    BOOST_TEST(!equal({0, 1e-300}, {0, 0}));
    is(compare({nan, nan}, {1, 2}), "none");
    is(compare({0, 0}, {1, inf}), "zero", 0);
    is(compare({-1, -inf, -2}, {1, inf, 2}), "constant-factor", -1);
    is(compare({1, 5, inf}, {1, 2, inf}), "one-element");
    is(compare({1, 2, nan}, {2, nan, 1}), "none");
}
