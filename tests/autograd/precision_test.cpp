// How many digits `precision_report` finds where the answer is known.
#define BOOST_TEST_MODULE precision
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace autograd;

namespace {

const double all_digits = 24 * std::log10(2.0);

std::string worst_value(const PrecisionReport& report) {
    return report.worst_value ? report.nodes[*report.worst_value].text : "none";
}
std::string worst_adjoint(const PrecisionReport& report) {
    return report.worst_adjoint ? report.nodes[*report.worst_adjoint].text : "none";
}

}  // namespace

BOOST_AUTO_TEST_CASE(exact_operations_keep_every_digit) {
    const auto report = precision_report([](const auto& x) { return sum(x[0] * 2 + x[0]); }, {{0.1, 0.5, -3.0}});
    BOOST_TEST(report.nodes.size() == 4u);
    BOOST_TEST(report.nodes[0].value_digits == all_digits);
    BOOST_TEST(report.nodes[1].value_digits == all_digits);
    BOOST_TEST(*report.nodes[0].adjoint_digits == all_digits);
    BOOST_TEST(worst_value(report) == "none");
    BOOST_TEST(worst_adjoint(report) == "none");
}

BOOST_AUTO_TEST_CASE(cancellation_is_found_forward) {
    // (x + 1000) - 1000 leaves of x the digits that stand above 1000's last.
    const auto report = precision_report([](const auto& x) { return (x[0] + 1000) - 1000; }, {Array<double>(0.0123)});
    const double low = (0.0123f + 1000.0f) - 1000.0f, high = (double(0.0123f) + 1000.0) - 1000.0;
    BOOST_TEST(worst_value(report) == "%2 = add(%1)");
    BOOST_TEST(report.nodes[2].value_digits == -std::log10(std::abs(low - high) / high),
               boost::test_tools::tolerance(1e-9));
    BOOST_TEST(report.nodes[2].value_loss > 3);
    BOOST_TEST(report.nodes[1].value_digits > 6.5);
    BOOST_TEST(worst_adjoint(report) == "none");
}

BOOST_AUTO_TEST_CASE(a_loss_in_the_backward_pass_is_told_apart) {
    // 1 - z^2 near z = 1: tanh itself is right, its derivative has hardly a digit.
    const auto report = precision_report([](const auto& x) { return tanh(x[0]); }, {Array<double>(6.0)});
    BOOST_TEST(worst_value(report) == "none");
    BOOST_TEST(worst_adjoint(report) == "%1 = tanh(%0)");
    BOOST_TEST(*report.nodes[0].adjoint_digits < 3.5);
    BOOST_TEST(*report.nodes[1].adjoint_digits == all_digits);
}

BOOST_AUTO_TEST_CASE(overflow_leaves_no_digit) {
    const auto naive = precision_report([](const auto& x) { return log(sum(exp(x[0]))); }, {{100.0, 99.0}});
    BOOST_TEST(worst_value(naive) == "%1 = exp(%0)");
    BOOST_TEST(naive.nodes[1].value_digits == 0);
    const auto proper = precision_report([](const auto& x) { return logsumexp(x[0], {0}); }, {{100.0, 99.0}});
    BOOST_TEST(worst_value(proper) == "none");
    BOOST_TEST(*proper.nodes[0].adjoint_digits > 4.5);  // exp(x - z): the digits that z has before its point
    BOOST_TEST(proper.nodes.back().value_digits > 6.5);
}

BOOST_AUTO_TEST_CASE(a_loss_that_does_not_reach_the_result_is_not_blamed) {
    // exp(-200) is 0 in float, which does not matter beside exp(0), but does to its own logarithm.
    const auto harmless = precision_report([](const auto& x) { return sum(exp(x[0])); }, {{0.0, -200.0}});
    BOOST_TEST(harmless.nodes[1].value_digits == 0);
    BOOST_TEST(worst_value(harmless) == "none");
    const auto harmful = precision_report(
        [](const auto& x) {
            const auto e = exp(x[0]);
            const auto logarithms = sum(log(e));
            return sum(e) + logarithms;
        },
        {{0.0, -200.0}});
    BOOST_TEST(worst_value(harmful) == "%1 = exp(%0)");
}

BOOST_AUTO_TEST_CASE(of_several_uses_the_one_that_knew_least_is_asked) {
    // x's adjoint has no digit since exp's has none; its exact use beside it is not to blame.
    const auto report =
        precision_report([](const auto& x) { return log(sum(exp(x[0]))) + sum(x[0] * 2); }, {{100.0, 99.0}});
    BOOST_TEST(*report.nodes[0].adjoint_digits < 1);
    BOOST_TEST(worst_adjoint(report) == "none");
}

BOOST_AUTO_TEST_CASE(constants_have_no_adjoint_and_the_text_names_the_worst) {
    const auto report =
        precision_report([](const auto& x) { return log(sum(exp(x[0] * x[0].tape().constant(2)))); }, {{50.0}});
    BOOST_TEST(!report.nodes[1].adjoint_digits.has_value());
    const std::string text = to_string(report);
    for (const char* part : {"%0 = variable \"input 0\"", "forward, exp loses most: ", "in %3 = exp(%2)"})
        BOOST_TEST(text.find(part) != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(recordings_that_differ_are_an_error) {
    const auto f = [](const auto& x) { return x[0].item() * x[0].item() > 0 ? exp(x[0]) : x[0] * 2; };
    BOOST_CHECK_THROW(precision_report(f, {Array<double>(1e-30)}), Error);
    BOOST_CHECK_NO_THROW(precision_report(f, {Array<double>(1e-10)}));
}
