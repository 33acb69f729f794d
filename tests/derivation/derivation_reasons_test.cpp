// Reasons that are true: of the line, and of the repair that stands beside them.
#define BOOST_TEST_MODULE derivation_reasons
#include <array>

#include <array>

#include "judged.hpp"

using derivation::LineReport;

BOOST_AUTO_TEST_CASE(one_minus_p_is_not_said_where_something_else_is_the_repair) {
    const std::string file = "index i\nindex j\ngiven W[i,j], x[j]\nlet z = W x\n";
    for (const char* claim : {"W x + 1 = z", "W x - 1 = z", "W x + 2 = z"}) {
        const LineReport line = expect(file + "claim " + claim + "\n", "wrong");
        BOOST_TEST(line.reason.find("1 - z") == std::string::npos, line.reason << " " << line.repair);
        BOOST_TEST(line.repair == "W x", line.reason << " " << line.repair);
    }
    BOOST_TEST(expect("given u\nlet p = sigmoid(u)\nclaim dp/du = p * p\n", "wrong").repair == "(1 - p) * p");
}

BOOST_AUTO_TEST_CASE(a_number_is_a_size_where_something_of_that_size_is_summed) {
    const std::string file =
        "index i\nindex j\nindex s = 5\ngiven W[i,j], x[j], y[s], b\nlet z = W x\nlet B = sum(s, y[s] + b)\n"
        "let A = sum(s, (y[s] - b)^2) / 5\n";
    const auto reason = [&](const std::string& claim) {
        return expect(file + "claim " + claim + "\n", "wrong").reason;
    };
    for (const char* claim :
         {"3 * W x = z", "4 W x = z", "z = 3 * W x", "z = 4 W x", "3 * sum(j, W[i,j] * x[j]) = z[i]",
          "z[i] = 3 * sum(j, W[i,j] * x[j])", "z[i] = sum(j, W[i,j] * x[j]) / 3", "sum(j, W[i,j] * x[j]) / 3 = z[i]"}) {
        BOOST_TEST(reason(claim).find("size") == std::string::npos, claim << ": " << reason(claim));
        BOOST_TEST(reason(claim).find("mean") == std::string::npos, claim << ": " << reason(claim));
        BOOST_TEST(reason(claim).find("/N") == std::string::npos, claim << ": " << reason(claim));
    }
    // Here it is one.
    BOOST_TEST(reason("dB/db = 1") == "The factor size(s) is missing: every term of the sum adds the same.");
    BOOST_TEST(reason("dA/db = -2 * sum(s, y[s] - b)").starts_with("The 1/N of the mean is missing"));
    BOOST_TEST(reason("dA/dy[s] = 2 * (y[s] - b)").starts_with("The 1/N of the mean is missing"));
    BOOST_TEST(reason("dB/dy[s] = 1/5").starts_with("A 1/N that should not be there"));
}

// 3 and 4 are sizes here by accident.
BOOST_AUTO_TEST_CASE(a_number_that_is_a_size_by_accident_is_none) {
    const std::string file =
        "index i\nindex j\nindex k = 2\nindex s = 5\ngiven W[i,j], x[j], y[k], w[i], b, Y[s]\nlet z = W x\n"
        "let S = sum(i, w[i])\nlet mu = mean(i, w[i])\nlet E = sum(i, (w[i] - b)^2)\nlet F = mean(s, Y[s]^2)\n";
    const std::vector<std::pair<const char*, const char*>> repairs = {
        {"z/4 = W x", "1/4 * (W x)"},
        {"4 z = W x", "4 * W x"},
        {"8*y[k] = 2*y[k]", "8 * y[k]"},
        {"S = 6*sum(i, w[i])", "sum(i, w[i])"},
        {"S = 3*sum(i, w[i])", "sum(i, w[i])"},
        {"mu = sum(i, w[i])/(size(i) + 1)", "sum(i, w[i])/size(i)"},
        {"mu = sum(i, w[i])/(size(i) - 1)", "sum(i, w[i])/size(i)"},
        {"d(sum(i, w[i]^2))/dw[i] = 6*w[i]", "2 * w[i]"},
        {"dE/dw[i] = 2*size(i)*(w[i] - b)", "2 * (w[i] - b)"},
        {"dF/dY[s] = 2/25*Y[s]", "2 * Y[s]/size(s)"},
        {"dmu/dw[i] = 1", "1/size(i)"},
    };
    for (const auto& [claim, repair] : repairs) {
        const LineReport line = expect(file + "claim " + claim + "\n", "wrong");
        BOOST_TEST(line.repair == repair, claim << ": " << line.repair);
        if (line.text.find("dF") == std::string::npos && line.text.find("dmu") == std::string::npos)
            BOOST_TEST(line.reason.find("1/N") == std::string::npos, claim << ": " << line.reason);
        BOOST_TEST(line.reason.find("bias") == std::string::npos, claim << ": " << line.reason);
    }
}

BOOST_AUTO_TEST_CASE(a_term_that_does_not_depend_on_the_letter_of_a_sum_stands_outside_of_it) {
    const std::string file =
        "index i\nindex s = 5\nconstant lambda\ngiven w[i], x[s,i], y[s]\n"
        "let e[s] = sum(i, w[i]*x[s,i]) - y[s]\nlet R = 1/2*sum(s, e[s]^2) + lambda*sum(i, w[i]^2)\n"
        "let M = mean(s, e[s]^2) + lambda*sum(i, w[i]^2)\n";
    for (const char* factor : {"2*", ""}) {
        const LineReport line =
            expect(file + "claim dR/dw[i] = sum(s, e[s]*x[s,i] + " + factor + "lambda*w[i])\n", "wrong");
        BOOST_TEST(line.repair == "sum(s, e[s] * x[s,i]) + 2 * lambda * w[i]");
        BOOST_TEST(line.mistake == "term-inside-sum");
    }
    // Only what is divided twice is said to be.
    const auto reason = [&](const std::string& right) {
        return expect(file + "claim dM/dw[i] = " + right + "\n", "wrong").reason;
    };
    BOOST_TEST(reason("mean(s, 2*e[s]*x[s,i])/size(s) + 2*lambda*w[i]").find("twice") != std::string::npos);
    BOOST_TEST(reason("2*sum(s, e[s]*x[s,i])/size(s)^2 + 2*lambda*w[i]").find("twice") != std::string::npos);
    BOOST_TEST(reason("mean(s, 2*e[s]*x[s,i]) + 2*lambda*w[i]/size(i)") == "A 1/N that should not be there.");
}

BOOST_AUTO_TEST_CASE(what_is_said_of_the_jacobian_of_softmax_is_true_of_the_line) {
    const std::string file =
        "index k, n = 4\ngiven z[k], t[k] onehot\nlet p[k] = exp(z[k])/sum(n, exp(z[n]))\n"
        "let C = -sum(k, t[k]*log(p[k]))\nlet q = sum(k, p[k]^3)\nlet g[k] = dq/dp[k]\n";
    const std::vector<std::array<const char*, 3>> lines = {
        {"dp[k]/dz[n] = -p[k]*p[n]", "softmax-diagonal-missing", "p[k] * ([k == n] - p[n])"},
        {"dp[k]/dz[n] = [k==n]*p[k]*(1 - p[k])", "softmax-diagonal-only", "p[k] * ([k == n] - p[n])"},
        {"dp[k]/dz[n] = p[k]*(1 - p[n])", "missing-kronecker", "p[k] * ([k == n] - p[n])"},
        {"dp[k]/dz[n] = [k==n] - p[n]", "missing-factor", "([k == n] - p[n]) * p[k]"},
        {"dq/dz[k] = g[k]*p[k]", "softmax-diagonal-only", "p[k] * (g[k] - sum(n, g[n] * p[n]))"},
        {"dq/dz[k] = g[k]", "softmax-jacobian", "p[k] * (g[k] - sum(n, g[n] * p[n]))"},
        {"dq/dz[k] = p[k]*sum(n, g[n]*p[n])", "softmax-jacobian", "p[k] * (g[k] - sum(n, g[n] * p[n]))"},
        {"dq/dz[k] = -p[k]*sum(n, g[n]*p[n])", "softmax-diagonal-missing", "p[k] * (g[k] - sum(n, g[n] * p[n]))"},
        // p sums to 1: that is no reason to sum.
        {"dC/dz[k] = (p[k] - t[k])*p[k]", "extra-factor", "p[k] - t[k]"},
    };
    for (const auto& [claim, mistake, repair] : lines) {
        const LineReport line = expect(file + "claim " + claim + "\n", "wrong");
        BOOST_TEST(line.mistake == mistake, claim << ": " << line.mistake << " " << line.reason);
        BOOST_TEST(line.repair == repair, claim << ": " << line.repair);
    }
}

BOOST_AUTO_TEST_CASE(a_product_of_matrices_is_not_said_to_be_an_elementwise_one) {
    const std::string file = "index i\nindex j\ngiven W[i,j], x[j], v[j]\nlet z = W x\nlet q = x^T x\n";
    for (const char* claim : {"x^T x = x x^T", "q = x x^T", "W^T z = z W"}) {
        const LineReport line = expect(file + "claim " + claim + "\n", "ill-formed");
        BOOST_TEST(line.reason.find("elementwise") == std::string::npos, line.reason);
    }
    BOOST_TEST(expect(file + "claim W^T z = z W\n", "ill-formed").reason.find("a row before an @") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_held_fixed_is_written_as_a_formula) {
    const auto repair = [](const std::string& loss) {
        return expect("index i, l, k = 4\ngiven w[i], x[i], t\nlet m = mean(i, w[i])\nlet L = " + loss +
                          "\nclaim dL/dw[i] = dL/dm / 4\n",
                      "wrong")
            .repair;
    };
    for (const char* loss :
         {"sum(i, max(w[i] - m, 0))", "sum(i, min(m * w[i], t))", "sum(i, (m^2)^w[i])", "w[0] * m",
          "sum(i, l, w[i] * w[l] * x[i]) + m^2", "sum(i, (w[i] - m)^2 * x[i])", "mean(i, l, (w[i] - w[l])^2 * m)"})
        BOOST_TEST((!repair(loss).empty() && repair(loss).find("|(") == std::string::npos),
                   loss << ": " << repair(loss));
}

// Beside whole arrays a letter is the axis at its place, so that A[j,i] would be A.
BOOST_AUTO_TEST_CASE(letters_beside_whole_arrays_do_not_say_a_transpose) {
    const std::string file =
        "index i, j = 3\nindex k = 2\ngiven A[i,j], B[i,j], x[i], V[k,i]\nlet E = ||A||^2\nlet y = A x\n";
    for (const std::string line :
         {"d(||A||^2)/dA[i,j] = 2*A[j,i]", "d(sum(A^2))/dA[i,j] = 2*A[j,i]", "d(sum(A*B))/dA[i,j] = B[j,i]",
          "A ⊙ A = A[i,j]*A[j,i]", "A[j,i] = A", "A[j,i] = A^T", "d2(x^T A x)/(dx[i] dx[j]) = A[i,j] + A[j,i]",
          "d2(||x||^2)/(dx[i] dx[j]) = 2*[i==j]", "d2(||x||^2)/dx[i]^2 = 2", "d2(x^T A x)/dx[i]^2 = 2*A[i,i]"})
        BOOST_TEST(expect(file + "claim " + line + "\n", "ill-formed").reason.find("whole arrays stand beside") !=
                   std::string::npos);
    expect(file + "claim dE/dA[i,j] = 2*A[j,i]\n", "wrong");
    expect(file + "claim d(||A||^2)/dA[i,j] = 2*A[i,j]\n", "holds");
    expect(file + "claim d(||A||^2)/dA = 2*A\n", "holds");
    expect(file + "claim d2(x^T A x)/(dx dx) = A + A^T\n", "holds");
}

BOOST_AUTO_TEST_CASE(what_follows_from_a_wrong_line_needs_it) {
    const std::string file = "given a, y\nlet H = y*a\nlet K = abs(a)\nlet M = H^2\nclaim dH/da = a\n";
    expect(file + "claim dK/da = sign(a) + [a > 1]\n", "wrong");
    expect(file + "claim d(K^2)/da = 2*a + [a > 1]\n", "wrong");
    expect(file + "claim dM/da = 2*H*a\n", "follows");
    expect(file + "claim dM/da = 2*H*a + [a > 1]\n", "wrong");
}

BOOST_AUTO_TEST_CASE(functions_of_matrices_are_no_row_of_letters) {
    expect("index i, j = 3\ngiven A[i,j] invertible, t, r\nclaim tr(A) = sum(i, A[i,i])\n", "holds");
    expect("index i, j = 3\ngiven A[i,j] invertible, d, e, t\nclaim det(A) = det(A^T)\n", "holds");
    expect("given t, r, x\nlet y = t*r*x\nclaim y = tr(x)\n", "holds");
}

BOOST_AUTO_TEST_CASE(two_changes_that_are_one_are_said_as_one) {
    const LineReport policy = expect(
        "index a, b\ngiven h[a], t[a] onehot, A\nlet p[a] = exp(h[a])/sum(b, exp(h[b]))\n"
        "let J = A*sum(a, t[a]*log(p[a]))\nclaim dJ/dh[a] = A*t[a]*(1 - p[a])\n",
        "wrong");
    BOOST_TEST(policy.repair == "A * (t[a] - p[a])");
    BOOST_TEST(policy.reason == "A * t[a] * (1 - p[a]) stands where A * (t[a] - p[a]) belongs.");
    const LineReport mixture = expect(
        "index k\nindex n = 4\ngiven x[n], mu[k], s[k] positive\nlet N[n,k] = exp(-(x[n] - mu[k])^2/(2*s[k]^2))\n"
        "let L = sum(n, log(sum(k, N[n,k])))\nlet g[n,k] = N[n,k]/sum(k, N[n,k])\n"
        "claim dL/dmu[k] = sum(n, g[n,k]*(x[n] - mu[k]))\n",
        "wrong");
    BOOST_TEST(mixture.repair == "sum(n, g[n,k] * (x[n] - mu[k]))/s[k]^2");
    BOOST_TEST(mixture.reason == "A division by s[k]^2 is missing.");
}

BOOST_AUTO_TEST_CASE(a_mean_that_is_beside_the_way_divides_nothing) {
    const LineReport line = expect(
        "index s = 5\nindex d\nconstant e\ngiven x[s,d], g[d], b[d], G[s,d]\nlet m[d] = mean(s, x[s,d])\n"
        "let v[d] = mean(s, (x[s,d] - m[d])^2)\nlet h[s,d] = (x[s,d] - m[d])/sqrt(v[d] + e)\n"
        "let y[s,d] = g[d]*h[s,d] + b[d]\nlet L = sum(s, sum(d, G[s,d]*y[s,d]^2))\n"
        "claim dL/dg[d] = mean(s, dL/dy[s,d]*h[s,d])\n",
        "wrong");
    BOOST_TEST(line.reason == "A 1/N that should not be there: the loss is a sum, not a mean.");
    BOOST_TEST(line.repair == "sum(s, dL/dy[s,d] * h[s,d])");
}

BOOST_AUTO_TEST_CASE(a_cross_entropy_is_the_logarithm_of_a_probability) {
    const std::string file =
        "index i\nindex j = 4\ngiven v[i], W[j,i], b[j]\nlet F = -sum(j, log(1 + exp(b[j] + sum(i, W[j,i]*v[i]))))\n"
        "let p[j] = sigmoid(b[j] + sum(i, W[j,i]*v[i]))\n";
    const LineReport line = expect(file + "claim dF/dW[j,i] = -p[j]*(1 - p[j])*v[i]\n", "wrong");
    BOOST_TEST(line.reason == "The factor 1 - p[j] should not be there.");
    BOOST_TEST(line.repair == "-p[j] * v[i]");
}

// dL/dq means all that comes back through q.
BOOST_AUTO_TEST_CASE(a_repair_brings_in_no_adjoint_that_is_not_whole) {
    const LineReport line = expect(
        "index i, j, k = 4\nindex p = 2\ngiven x[i,p], b[p], e[i]\nlet h[i] = sum(p, x[i,p]*b[p])\n"
        "let r[i] = sum(j >= i, exp(h[j]))\nlet L = sum(i, e[i]*(h[i] - log(r[i])))\n"
        "let m[i,p] = sum(j >= i, exp(h[j])*x[j,p])/r[i]\nclaim dL/db[p] = sum(i, x[i,p] - m[i,p])\n",
        "wrong");
    BOOST_TEST(line.repair.find("dL/dh") == std::string::npos, line.repair);
    BOOST_TEST(line.repair == "sum(i, e[i] * (x[i,p] - m[i,p]))");
}

// A factor that goes and comes back as another one is one change; of two factors each is said.
BOOST_AUTO_TEST_CASE(what_goes_and_comes_back_is_one_change) {
    const std::string file = "index k = 3\ngiven x[k], y[k], w, t\nlet L = w * t * sum(k, y[k]^2)\n";
    const derivation::LineReport one = expect(file + "claim dL/dw = t * sum(k, x[k] * exp(x[k]))\n", "wrong");
    BOOST_TEST(one.reason == "x[k] * exp(x[k]) stands where y[k]^2 belongs.");
    BOOST_TEST(one.mistake == "wrong-term");
    const derivation::LineReport two = expect(file + "claim dL/dw = t * exp(x[0])\n", "wrong");
    BOOST_TEST(two.reason == "The factor exp(x[0]) should not be there. The factor sum(k, y[k]^2) is missing.");
    BOOST_TEST(two.mistake == "extra-factor");
}

BOOST_AUTO_TEST_CASE(a_reason_says_what_was_changed) {
    const std::string file = R"(
index b : batch = 3
index f : feat = 2
index i, j : d = 2
given X[b,f], G[b,f], c[f], w[i], A[i,j], x
let r6 = min(6, max(0, x))
let L = sum((X + 1_b c^T) * G)
let p = softmax(X)
let q[b,f] = X[b,f] - mean(f, X[b,f])
let S = sum(p * G)
let J = sum(i, (w[i] - 3)^2)
let g[i] = dJ/dw[i]
constant eta
)";
    const std::vector<std::array<const char*, 4>> lines = {
        {"claim sum(b, p[b,f]) = 1", "wrong", "The sum on the left runs over the wrong letter: over f it is 1.",
         "sum(f, p[b,f])"},
        {"claim mean(b, q[b,f]) = 0", "wrong", "The mean on the left runs over the wrong letter: over f it is 0.",
         "mean(f, q[b,f])"},
        {"claim dS/dX = p * (G - (p * G).sum(axis=0, keepdims=True))", "wrong",
         "The sum runs over the wrong axis: sum(p * G, axis=1)[:, None] belongs here.",
         "p * (G - sum(p * G, axis=1)[:, None])"},
        {"claim dr6/dx = [x > 0]*[x < 5]", "wrong", "The number is the wrong one: 6 belongs here.",
         "[x > 0] * [x < 6]"},
        {"claim dL/dc = G.sum(axis=1)", "ill-formed",
         "The shape is (batch) here, but (feat) on the left side. The sum runs over the wrong axis: that over b "
         "belongs "
         "here.",
         "G^T 1_b"},
        {"claim dL/dc = G.sum()", "wrong", "This adds up everything; only the sum over b belongs here.", "G^T 1_b"},
        {"claim d(||A w||^2)/dA = 2 w w^T A", "wrong", "The factors stand in the wrong order.", "2 A w w^T"},
        {"update w[i] := w[i] - eta*g[i]/||g|| on J", "wrong", "The factor ||g|| should not be there.",
         "w[i] - eta * g[i]"},
    };
    for (const auto& [line, verdict, reason, repair] : lines) {
        const derivation::LineReport report = expect(file + line + "\n", verdict);
        BOOST_TEST(report.reason == reason, line << ": " << report.reason);
        BOOST_TEST(report.repair == repair, line << ": " << report.repair);
    }
}
