// Repairs that a teacher would write: the smallest plain change.
#define BOOST_TEST_MODULE derivation_repairs
#include <array>
#include <derivation/judge/judge.hpp>
#include <derivation/read/reader.hpp>

#include "judged.hpp"

using derivation::LineReport;

namespace {

using Case = std::array<const char*, 3>;  ///< a claim, what is said to be the mistake, and the repair

void are_repaired(const std::string& file, const std::vector<Case>& cases) {
    for (const auto& [claim, mistake, repair] : cases) {
        const LineReport line = expect(file + "claim " + claim + "\n", "wrong");
        BOOST_TEST(line.mistake == mistake, claim << ": " << line.mistake << ", " << line.reason);
        BOOST_TEST(line.repair == repair, claim << ": " << line.repair);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_claim_about_a_new_value_is_repaired_as_an_update_is) {
    are_repaired("index i\nconstant alpha\ngiven w[i], x[i], y\nlet E = 1/2*(sum(i, w[i]*x[i]) - y)^2\n",
                 {{"new(w[i]) = w[i] + alpha*dE/dw[i]", "update-climbs", "w[i] - alpha * dE/dw[i]"},
                  {"new(w[i]) = w[i] - dE/dw[i]", "missing-rate", "w[i] - alpha * dE/dw[i]"},
                  {"new(w[i]) = alpha*dE/dw[i]", "missing-old-value", "w[i] - alpha * dE/dw[i]"}});
}

BOOST_AUTO_TEST_CASE(another_entry_may_be_meant) {
    are_repaired("index i = 3\nfunction f\ngiven x[i], w[i]\nlet s = x[0]*w[0] + x[1]^2\nlet q = f(x[0])*x[1]\n",
                 {{"ds/dw[0] = x[1]", "wrong-letter", "x[0]"},
                  {"ds/dx[1] = 2*x[0]", "wrong-letter", "2 * x[1]"},
                  {"dq/dx[0] = f'(x[1])*x[1]", "wrong-letter", "f'(x[0]) * x[1]"}});
    are_repaired("index i = 3 from 1\ngiven x[i], w[i]\nlet s = x[1]*w[1] + x[3]^2\n",
                 {{"ds/dx[3] = 2*x[1]", "wrong-letter", "2 * x[3]"}});
}

BOOST_AUTO_TEST_CASE(a_power_may_belong_to_a_bracket_or_to_a_part_of_it) {
    are_repaired("given a, y\nlet h = tanh(a)\nlet L = 1/2*(h - y)^2\nlet K = (a - y)^3\n",
                 {{"dh/da = (1 - h)^2", "wrong-power", "1 - h^2"},
                  {"dL/da = (h - y)*(1 - h)^2", "wrong-power", "(h - y) * (1 - h^2)"},
                  {"dK/da = 3*(a^2 - y^2)", "unknown", "3 * (a - y)^2"},
                  {"dK/da = 3*(a - y^2)", "wrong-power", "3 * (a - y)^2"}});
}

BOOST_AUTO_TEST_CASE(what_definitions_multiply_by_may_be_missing) {
    are_repaired("given u, c, n\nlet z = sigmoid(u)\nlet h = z*c + (1 - z)*n\nlet L = h^2\n",
                 {{"dL/dn = 2*h", "missing-factor", "2 * h * (1 - z)"},
                  {"dL/du = dL/dh*z*(1 - z)*c", "missing-term", "dL/dh * z * (1 - z) * (c - n)"},
                  {"dL/du = dL/dh*z*(1 - z)*n", "missing-term", "dL/dh * z * (1 - z) * (c - n)"}});
    are_repaired("index i, j = 3\ngiven A[i,j] invertible\nlet D = det(A)\n",
                 {{"dD/dA = A^{-T}", "missing-determinant", "det(A) A^-T"},
                  {"dD/dA[i,j] = (A^{-1})[j,i]", "missing-factor", "(A^-1)[j,i] * D"}});
}

BOOST_AUTO_TEST_CASE(a_factor_may_be_missing_below_a_transpose) {
    are_repaired(
        "index i\nindex j\nindex k = 5\ngiven X[k,i], T[k,j], W[j,i], x[i], t[j]\nlet Q = sigmoid(X W^T)\n"
        "let J = sum((Q - T)^2)\nlet o = W x\nlet P = sigmoid(o)\nlet L = 1/2 ||P - t||^2\n",
        {{"dJ/dW = 2 (Q - T)^T X", "missing-output-derivative", "2 ((Q - T) ⊙ Q ⊙ (1 - Q))^T X"},
         {"dL/do = P ⊙ (1 - P) ⊙ t", "missing-term", "P ⊙ (1 - P) ⊙ (P - t)"},
         {"dL/do = P ⊙ (1 + P) ⊙ dL/dP", "sign", "P ⊙ (1 - P) ⊙ dL/dP"}});
}

// sum(i, [i == l]) is 1: that the line has it is no reason to have none.
BOOST_AUTO_TEST_CASE(a_sum_that_the_line_has_may_stay) {
    are_repaired(
        "index i, l = 3\nindex j = 4\ngiven V[j,i], b, p[i], a\nlet T = (sum(j, sum(i, V[j,i])) + sum(i, b + p[i]))^2\n"
        "let h[j] = sum(i, V[j,i])*(a^2 + b)\nlet q = a/(1 + b^2)\n",
        {{"dT/dp[l] = 2*(sum(j, sum(i, V[j,i]^2)) + sum(i, b + p[i]))*sum(i, [i == l])", "wrong-power",
          "2 * (sum(j, sum(i, V[j,i])) + sum(i, b + p[i])) * sum(i, [i == l])"},
         {"dh[j]/da = 2*a", "missing-factor", "2 * a * sum(i, V[j,i])"},
         {"dq/db = -a*2*b/(2 + b^2)^2", "wrong-number", "-a * 2 * b/(1 + b^2)^2"}});
}

BOOST_AUTO_TEST_CASE(numbers_stay_plain) {
    are_repaired(
        "index n\ngiven q[n], z\nlet H = 0.5*sum(n, q[n]^2)\nlet Q = 2*sum(n, q[n]^2) + z\nlet p = 1/(1 - z)\n",
        {{"H = 1/0.5*sum(n, q[n]^2)", "missing-factor", "sum(n, q[n]^2)/2"},
         {"Q = 0.5*sum(n, q[n]^2) + z", "wrong-number", "2 * sum(n, q[n]^2) + z"},
         {"1/p = z", "wrong-term", "1 - z"},
         {"1 - 1/p = 1 - z", "wrong-term", "z"}});
}

BOOST_AUTO_TEST_CASE(roots_and_exponents_are_written_plainly) {
    are_repaired(
        "index s\nconstant a = 0.7\nconstant e\ngiven x[s], v, u\nlet y[s] = sqrt(a)*x[s]\nlet z = u/sqrt(v^2 + e)\n",
        {{"dy[s]/dx[s] = a", "missing-root", "sqrt(a)"},
         {"dz/dv = -u*v*(v^2 + e)^(-1/2)", "wrong-power", "-u * v * (v^2 + e)^(-3/2)"}});
    are_repaired(
        "index n = 5\nindex p\nconstant lam\ngiven X[n,p], y[n], w[p], c[n]\n"
        "let E = 1/2 * (y - X w)^T diag(c) (y - X w) + lam/2 ||w||^2\n",
        {{"d2E/(dw dw) = X^T X + lam I", "missing-factor", "X^T diag(c) X + lam I"}});
}

BOOST_AUTO_TEST_CASE(a_way_through_a_number_may_be_missing) {
    are_repaired(
        "index a, b\nconstant c\ngiven z[a], k[a] onehot, R\nlet p[a] = exp(z[a])/sum(b, exp(z[b]))\n"
        "let q = sum(a, k[a]*p[a])\nlet H = -sum(a, p[a]*log(p[a]))\nlet J = R*log(q) + c*H\n",
        {{"dJ/dz[a] = R*(k[a] - p[a])", "missing-path", "R * (k[a] - p[a]) + dJ/dH * dH/dz[a]"}});
}

BOOST_AUTO_TEST_CASE(a_condition_may_be_the_opposite) {
    are_repaired("index i, j, k = 4\ngiven v[i], e[i]\nlet r[i] = sum(j >= i, v[j])\nlet L = sum(i, e[i]*r[i]^2)\n",
                 {{"dL/dv[k] = sum(i >= k, 2*e[i]*r[i])", "wrong-condition", "sum(i <= k, 2 * e[i] * r[i])"}});
}

// What no small change mends is derived: through several definitions, twice, where branches are equal, and of a softmax
// and a maximum; a let is what it is defined as.
BOOST_AUTO_TEST_CASE(what_is_right_is_derived) {
    const std::string file = R"(
index i, j, l = 3
index k, m, n = 4
index s, r = 2
constant nu = 2
function f
given x[i], q[k], V[k,j], t[s,k], u[s,j], y[k] onehot, A, r0 positive
let d = sqrt(sum(i, x[i]^2))
let g = min(1.5, max(x[0], -1.5))
let L = min(r0*A, max(0.8, min(1.2, r0))*A)
let a[s,j] = f(u[s,j])
let o[s,k] = sum(j, V[k,j]*a[s,j])
let E = 1/(2*size(s))*sum(s, sum(k, (o[s,k] - t[s,k])^2))
let S = -sum(k, y[k]*log(softmax(q[k]/nu)))
let p[k] = exp(q[k])/sum(n, exp(q[n]))
let C = -sum(k, y[k]*log(p[k]))
let M = max(i, x[i])
let T = max(q[0], q[1], 0)
)";
    const std::vector<std::array<const char*, 2>> lines = {
        {"g = x[0]", "min(1.5, max(x[0], -1.5))"},
        {"d2d/(dx[i] dx[j]) = ([i == j] - x[i]*x[j])/d", "-x[i] * x[j]/d^3 + [i == j]/d"},
        {"dL/dr0 = A", "[r0 * A <= max(0.8, min(1.2, r0)) * A] * A"},
        {"d2E/(du[s,j] du[s,i]) = sum(k, V[k,j]*V[k,i])/size(s)",
         "sum(k, V[k,j] * f'(u[s,j]) * V[k,i] * f'(u[s,i]))/size(s) + [j == i] * sum(k, (o[s,k] - t[s,k]) * V[k,j] * "
         "f''(u[s,j]))/size(s)"},
        {"d2S/(dq[k] dq[m]) = softmax(q[k])",
         "-softmax(q[k]/nu) * softmax(q[m]/nu)/nu^2 + [k == m] * softmax(q[k]/nu)/nu^2"},
        {"d2C/(dq[k] dq[m]) = y[k] - p[m]", "p[k] * ([k == m] - p[m])"},
        {"dM/dx[i] = 1", "[x[i] == M]"},
        {"dT/dq[k] = [q[0] > q[1]]", "[k == 0] * [q[0] > max(q[1], 0)] + [k == 1] * [q[1] > max(q[0], 0)]"},
    };
    for (const auto& [line, repair] : lines) {
        const LineReport report = expect(file + "claim " + line + "\n", "wrong");
        BOOST_TEST(report.repair == repair, line << ": " << report.repair);
        if (!report.repair.empty()) BOOST_TEST(verdict_of(repaired(file + "claim " + line + "\n", report)) == "holds");
    }
}

// 2^29 terms are none that anybody reads.
BOOST_AUTO_TEST_CASE(what_has_no_end_is_not_derived) {
    std::string file = "given x, y\nlet u0 = x*y\n";
    for (int i = 1; i < 30; ++i)
        file +=
            "let u" + std::to_string(i) + " = u" + std::to_string(i - 1) + "^2 * u" + std::to_string(i - 1) + " + x\n";
    const LineReport line = expect(file + "claim d2u29/(dx dy) = 1\n", "wrong");
    BOOST_TEST(line.repair.empty(), line.repair);
}

BOOST_AUTO_TEST_CASE(the_gradient_of_a_step_is_derived) {
    const std::string file =
        "index i, j = 3\nconstant eta, mu\ngiven w[i], x[i], t\nlet E = sum(i, w[i]^3)\n"
        "let L = (tanh(sum(i, w[i]*x[i])) - t)^2\n";
    const LineReport cube = expect(file + "update w[i] := w[i] - eta * w[i]^2 on E\n", "wrong");
    BOOST_TEST(cube.repair == "w[i] - eta * 3 * w[i]^2", cube.repair);
    const LineReport square = expect(file + "update w[i] := w[i] - eta * w[i] * t on L\n", "wrong");
    BOOST_TEST(
        square.repair == "w[i] - eta * 2 * (tanh(sum(j, w[j] * x[j])) - t) * (1 - tanh(sum(j, w[j] * x[j]))^2) * x[i]",
        square.repair);
}

// A left side without the letters of the right one cannot be read.
BOOST_AUTO_TEST_CASE(a_left_side_keeps_its_letters) {
    const LineReport line = expect("index k = 3\ngiven z[k], x\nclaim (z[k] + 1) * x = z[k] * 0\n", "wrong");
    BOOST_TEST(line.repair.empty(), line.repair << " " << line.reason);
}

// Letters of arrays' axes have names that nobody can type.
BOOST_AUTO_TEST_CASE(a_repair_has_no_letter_of_an_array) {
    const LineReport line = expect(
        R"(
index i, j = 3
given g[i], A[i,j]
claim \frac{\partial^2}{\partial g_i \partial g_j} \frac12 g^\top A g = \frac12 (A_{ij} + A_{ji})
)",
        "ill-formed");
    BOOST_TEST(line.repair.find("_1") == std::string::npos, line.repair);
    BOOST_TEST(!line.repair.empty());
}

// A 2 that a repair brings in is no size of a range.
BOOST_AUTO_TEST_CASE(a_number_of_a_repair_is_no_size) {
    const std::string file = "index j : n = 2\nconstant alpha\ngiven s, x[j]\nlet E = 0 * s + sum(j, x[j])\n";
    const LineReport line = expect(file + "update s := s - alpha * sum(j, s)\n", "wrong");
    BOOST_TEST(line.repair == "s", line.repair << " " << line.reason);
}

// What a search costs is counted, so that every machine does the same: many lines that nothing mends take no more than
// a file may, and leave enough for a slip below them.
BOOST_AUTO_TEST_CASE(lines_without_a_repair_take_a_bounded_work) {
    const std::vector<std::pair<std::string, std::string>> formulas = {
        {"sum(k, yhat[k]^2) = cos(C) + ", " * sin(sum(j, a[j]))"},
        {"z[k] + yhat[k] = sin(z[k]) * ", " + sum(j, w[k,j]^3)"},
        {"delta[j] * a[j] = tanh(z[j]) - ", " * sum(k, w[k,j] * yhat[k])^2"},
        {"dC/dw[j,i] * w[j,i] = x[i]^2 * a[j] + ", ""},
        {"2 * C = sum(k, y[k] * sin(z[k])) + ", " * sum(i, x[i])"},
    };
    constexpr std::size_t lines = 50;
    std::string text = network;
    for (std::size_t i = 0; i < lines; ++i) {
        const auto& [before, behind] = formulas[i % formulas.size()];
        text += "claim " + before + std::to_string(i) + ".7" + behind + "\n";
    }
    text +=
        "claim dC/dz[k] = yhat[k] + y[k]\nclaim dC/dw[k,j] = delta[k]\nclaim delta[j] = sum(k, w[k,j] * delta[k])\n";
    derivation::Derivation file = derivation::read_derivation(text);
    derivation::Judge judge(file, 1);
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
        const derivation::Judgement judgement = judge.judge(file.lines[i]);
        BOOST_TEST((judgement.verdict == derivation::Verdict::wrong));
        BOOST_TEST(judgement.repair.has_value() == (i >= lines), "line " << i << ": " << judgement.reason);
    }
    // In units of some 10 ns at most.
    BOOST_TEST(file.model.budget->work_so_far() <= 700000000u);
}
