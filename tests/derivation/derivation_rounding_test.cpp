// What is rounding and what is a number: sums that cancel, and numbers that are small.
#define BOOST_TEST_MODULE derivation_rounding
#include "judged.hpp"

BOOST_AUTO_TEST_CASE(what_cancels_is_0) {
    verdicts_are(R"(
index k, l = 3
given z[k], s
let c = sum(k, sum(l, tanh(z[k] - z[l])))
let L = s * c + sum(k, z[k]^2)
let M = s * sum(k, sum(l, tanh(z[k] - z[l])))
)",
                 {{"dL/ds = 0", "holds"},
                  {"dM/ds = 0", "holds"},
                  {"c = 0", "holds"},
                  {"10^15 * c = 0", "holds"},
                  {"dL/dz[k] = 2 * z[k]", "holds"},
                  {"M = 0", "holds"},
                  {"dL/dz[k] = z[k]", "wrong"}},
                 5);
}

BOOST_AUTO_TEST_CASE(what_is_small_is_not_0) {
    verdicts_are(R"(
index i, j = 3
given x, y
given p[i]
given A[i, j] invertible
let small = x / 10^20
let cancelled = (x + y)^2 - (x - y)^2 - 4 * x * y
let q[i] = exp(p[i]) / sum(i, exp(p[i]))
)",
                 {{"x / 10^12 = 0", "wrong"},
                  {"1e-15 * x = 0", "wrong"},
                  {"d(x / 10^12)/dx = 0", "wrong"},
                  {"d(x / 10^12)/dx = 1e-12", "holds"},
                  {"small = 0", "wrong"},
                  {"small^2 = 0", "wrong"},
                  {"small = 10^-20 * x", "holds"},
                  {"dsmall/dx = 0", "wrong"},
                  {"exp(-40) * x = 0", "wrong"},
                  {"exp(-x^2 - 40) = 0", "wrong"},
                  {"1e-12 * sum(i, p[i]) = 0", "wrong"},
                  {"1e-12 * A^{-1} = 0 * A", "wrong"},
                  {"det(1e-5 * A) = 0", "wrong"},
                  {"det(1e-5 * A) = 1e-15 * det(A)", "holds"},
                  {"d(log(x^2 + 1e-10))/dx = 2 / x", "wrong"},
                  {"d(x^2 + 1e-10 * y)/dy = 0", "wrong"},
                  {"cancelled = 0", "holds"},
                  {"10^20 * cancelled = 0", "holds"},
                  {"dcancelled/dx = 0", "holds"},
                  {"log(sum(i, q[i])) = 0", "holds"},
                  {"sin(x)^2 + cos(x)^2 - 1 = 0", "holds"},
                  {"sqrt((x - y)^2) = abs(x - y)", "holds"},
                  {"tanh(cancelled) = 0", "holds"},
                  {"logdet(A^{-1}) + logdet(A) = 0", "holds"}},
                 3);
}

BOOST_AUTO_TEST_CASE(numbers_that_differ_are_shown_apart) {
    const derivation::Report report = check_file("given x\nclaim d(log(x^2 + 1e-7))/dx = 2 / x\n");
    const std::string text = derivation::to_text(report);
    BOOST_TEST_REQUIRE(report.lines[0].expected.has_value());
    const auto written = [&](const std::string& before) {
        const std::size_t begin = text.find(before) + before.size();
        return text.substr(begin, text.find_first_of(",\n", begin) - begin);
    };
    BOOST_TEST(written("the tape says ") != written("this line "), text);
    BOOST_TEST(written("the tape says ").size() < 13u, text);
}
