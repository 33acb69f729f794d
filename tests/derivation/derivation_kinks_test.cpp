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

// Far out a softmax has e^-500 beside e^350: the way back through their sum is 0 in doubles, where a product with e^350
// waits.
BOOST_AUTO_TEST_CASE(what_leaves_the_range_of_numbers_makes_no_line_wrong) {
    verdicts_are(network, {{"dC/dz[k] = sum(n, dC/dyhat[n] * dyhat[n]/dz[k])", "holds"}}, 60);
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

// Two thresholds may lie so close together that no point drawn lies between them.
BOOST_AUTO_TEST_CASE(thresholds_are_told_apart) {
    const std::vector<std::pair<const char*, const char*>> lines = {
        {"dh/dx = [x > 0]*[x < 6]", "holds"},
        {"dh/dx = [x > 0]*[x < 5]", "wrong"},
        {"dh/dx = [x > 0]*[x < 5.9]", "wrong"},
        {"dg/dy = 1/6*[y > -3]*[y < 3]", "holds"},
        {"dg/dy = 1/6*[y > -2]*[y < 3]", "wrong"},
        {"dL/du = 2*(u-t)*[abs(u-t) < sqrt(50)]", "holds"},
        {"dL/du = 2*(u-t)*[abs(u-t) < 7]", "wrong"},
        {"dm/dy = [y > 0.31]", "wrong"},
        {"dq/db = 1", "wrong"},
        {"dq/db = [b > 0.001]", "holds"},
    };
    std::string text =
        "given x, u, t, y\ngiven b positive\nlet h = min(6, max(0, x))\nlet g = min(6, max(0, y + 3))/6\n"
        "let L = min(50, (u-t)^2)\nlet m = max(0, y - 0.3)\nlet q = max(b, 0.001)\n";
    for (const auto& [line, verdict] : lines) text += std::string("claim ") + line + "\n";
    derivation::Options options;
    for (options.seed = 1; options.seed <= 10; ++options.seed) {
        const derivation::Report report = derivation::check(text, options);
        BOOST_TEST_REQUIRE(report.lines.size() == lines.size());
        for (std::size_t i = 0; i < lines.size(); ++i)
            BOOST_TEST(verdict_of(report.lines[i]) == lines[i].second, lines[i].first << ", seed " << options.seed);
    }
}

// Where min(r A, clip(r) A) has r for clip(r) both branches are one, and no kink: such points were left out.
BOOST_AUTO_TEST_CASE(branches_that_are_one_are_no_kink) {
    const std::vector<std::pair<const char*, const char*>> lines = {
        {"dL/dr = A*([A > 0]*[r < 1.2] + [A < 0]*[r > 0.8])", "holds"},
        {"dL/dr = A*([A > 0]*[r < 0.8] + [A < 0]*[r > 1.2])", "wrong"},
        {"dk/dx = [x > 0]", "holds"},
        {"dk/dx = 1", "conditional"},
        {"dc/dx = [x < 1]", "holds"},
        {"dc/dx = [x < -1]", "wrong"},
        {"de/dw[i] = sum(p, [z[p] == e]*V[p,i])", "holds"},
        {"de/dw[i] = sum(p, [relu(z[p]) == e]*V[p,i])", "wrong"},
        {"dM/du[p] = 2*sum(q, sign(u[p]-u[q]))", "holds"},
        {"dM/du[p] = sum(q, sign(u[p]-u[q]))", "wrong"},
        // By what a branch is made of it is a kink.
        {"dk/dh = [h > 0]", "holds"},
        {"dk/dx = dk/dh * dh/dx", "holds"},
        {"dP/dr|(s) = A*[r*A < s*A]", "holds"},
    };
    std::string text =
        "index p, q, i = 3\ngiven r positive, A, x, V[p,i], w[i], u[p]\n"
        "let L = min(r*A, max(0.8, min(1.2, r))*A)\nlet s = max(0.8, min(1.2, r))\nlet P = min(r*A, s*A)\nlet h = "
        "max(0, x)\nlet k = max(0, h)\n"
        "let c = min(x, max(-1, min(1, x)))\nlet z[p] = sum(i, V[p,i]*w[i])\nlet e = max(p, relu(z[p]))\n"
        "let M = sum(p, q, abs(u[p]-u[q]))\n";
    for (const auto& [line, verdict] : lines) text += std::string("claim ") + line + "\n";
    derivation::Options options;
    for (options.seed = 1; options.seed <= 5; ++options.seed) {
        const derivation::Report report = derivation::check(text, options);
        BOOST_TEST_REQUIRE(report.lines.size() == lines.size());
        for (std::size_t i = 0; i < lines.size(); ++i)
            BOOST_TEST(verdict_of(report.lines[i]) == lines[i].second,
                       lines[i].first << ", seed " << options.seed << ": " << report.lines[i].reason);
    }
}

// At a single point a relu may be 0, which says neither that w is positive nor that it is not.
BOOST_AUTO_TEST_CASE(a_sign_is_a_condition_at_every_seed) {
    verdicts_are("given w, x, y\nlet q = relu(w*x)\nlet m = max(0, x)^2\n",
                 {{"dq/dx = w*[x > 0]", "conditional"},
                  {"dq/dx = x*[w > 0]", "wrong"},
                  {"dm/dx = 2*x", "conditional"},
                  {"d(abs(x*y))/dx = y*sign(x)", "conditional"}},
                 20);
    verdicts_are(
        "index s = 5\ngiven A[s], r[s] positive\nconstant eps = 0.2\n"
        "let P = mean(s, min(r[s]*A[s], max(1 - eps, min(1 + eps, r[s]))*A[s]))\n",
        {{"dP/dr[s] = A[s]/size(s)*([A[s] > 0]*[r[s] < 1 + eps] + [A[s] < 0]*[r[s] < 1 - eps])", "conditional"}}, 20);
    verdicts_are("given x\nlet h = min(6, max(0, x + 3))/6\n", {{"dh/dx = 1/6*[x > 0]*[x < 3.2]", "wrong"}}, 20);
    // Where both sides are 0 nothing is told.
    verdicts_are(
        "index s = 5\ngiven A[s], x[s]\n",
        {{"abs(A[s])*[x[s] > 0] = A[s]*[x[s] > 0]", "conditional"}, {"abs(A[s])*x[s] = A[s]*x[s]", "conditional"}}, 20);
}

// [x y < 50] is 1 near 0 with and without what the line above says.
BOOST_AUTO_TEST_CASE(a_bracket_that_shows_one_side_follows_from_nothing) {
    derivation::Options options;
    for (options.seed = 1; options.seed <= 20; ++options.seed) {
        const derivation::Report report = derivation::check(
            "given x, y\nlet e = max(0, 1 - x*y)\nclaim de/dx = -y*[x*y < 2]\nclaim de/dx = -y*[x*y < 50]\n", options);
        for (const derivation::LineReport& line : report.lines)
            BOOST_TEST(verdict_of(line) == "wrong", line.text << ", seed " << options.seed);
    }
}
