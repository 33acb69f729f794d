// Kinks and brackets that stand together.
#define BOOST_TEST_MODULE derivation_kinks
#include "judged.hpp"

// Each has shown both sides where a is below 1, but not q > q*a where the maximum is negative.
BOOST_AUTO_TEST_CASE(sides_of_two_kinks_are_shown_together) {
    verdicts_are("given a, b\nlet q = cos(b) - a\nlet L = relu(max(q*a, q))\n",
                 {{"dL/da = [q*a > q]*(q - a)*[max(q*a, q) > 0] - [q > q*a]*[max(q*a, q) > 0]", "holds"},
                  {"dL/da = [q*a > q]*(q - a)*[max(q*a, q) > 0] - [q > q*a]", "wrong"}},
                 20);
}

// (a^2)^3 to the third is small where a is below 1, and its cosine 1.
BOOST_AUTO_TEST_CASE(what_is_small_at_some_points_is_seen_at_others) {
    verdicts_are("given a, b\nlet q = (a^2)^3\nlet L = sin(q^3*b^2)\n",
                 {{"dL/dq = 3*q^2*b^2*cos(q^3*b^2)", "holds"}, {"dL/dq = 3*q^2*b^2*cos(q^3*b)", "wrong"}}, 50);
}

// Far out 1 - p is what rounding leaves of it, and so is the derivative of its logarithm.
BOOST_AUTO_TEST_CASE(what_rounding_leaves_far_out_makes_no_line_wrong) {
    verdicts_are(
        "index i\nindex j = 4\ngiven z[i], W[j,i], x[j]\nlet y[j] = sigmoid(sum(i, W[j,i]*z[i]))\n"
        "let R = -sum(j, x[j]*log(y[j]) + (1 - x[j])*log(1 - y[j]))\n",
        {{"dR/dz[i] = sum(j, (y[j] - x[j])*W[j,i])", "holds"}}, 60);
}

BOOST_AUTO_TEST_CASE(a_repair_holds_on_all_sides_together) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const derivation::Report report =
            derivation::check("given a, b\nlet L = max(a, b)\nclaim dL/db = [a > b]\n", {"-", seed});
        BOOST_TEST(report.lines[0].repair == "[a < b]", seed << ": " << report.lines[0].repair);
    }
}

// A derivative on a kink costs its own line alone: also one that a repair was tried with.
BOOST_AUTO_TEST_CASE(a_kink_of_a_formula_is_that_of_its_line) {
    const derivation::Report report = check_file(R"(
index i, j, k, l : n = 3
given A[i,j], C[i,j], x
claim d(max(i, sum(j, A[i,j])))/dA[k,l] = d(max(j, sum(i, A[i,j])))/dA[k,l]
claim d(relu(x - x))/dx = 0
claim d(sum(i, j, A[i,j] * C[i,j]))/dA[k,l] = C[k,l]
)");
    BOOST_TEST_REQUIRE(report.lines.size() == 3u);
    BOOST_TEST(verdict_of(report.lines[0]) == "wrong");
    BOOST_TEST(verdict_of(report.lines[1]) == "undecided");
    BOOST_TEST(verdict_of(report.lines[2]) == "holds");
}
