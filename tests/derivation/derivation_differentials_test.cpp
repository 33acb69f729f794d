// Derivatives of whole arrays come from the definitions where no simple change of a line helps.
#define BOOST_TEST_MODULE derivation_differentials
#include <array>

#include "judged.hpp"

namespace {

const std::string file = R"(
index s = 5
index i, j = 3
index m = 4
constant C
given X[s,i], w[i], b, y[s], Z[s,i]
given W[m,i], V[j,m], x[i], t[j], A[i,j] invertible, K[i,j] positive definite, g, k
let margin = y ⊙ (X w + b)
let h = tanh(W x)
let u = x + V h - t
let p = softmax(A x)
let q = sigmoid(X w)
let c = x - mean(x)
let sd = sqrt(mean(c^2) + C)
let n = g/||x|| x
let a = (K + k I)^{-1} t
)";

/// Of what by what, and the repair of a line that is nothing like it: no edit leads there.
using Line = std::array<const char*, 3>;

void repairs_are(const std::vector<Line>& lines, const std::string& wrong) {
    for (const auto& [of, by, derivative] : lines) {
        const derivation::LineReport one = judged(file + "let L = " + of + "\nclaim " + by + " = " + wrong + "\n");
        BOOST_TEST(one.repair == derivative, of << ": " << by << ": " << one.repair << " (" << one.reason << ")");
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(of_a_number_by_an_array) {
    repairs_are(
        {
            {"sum(relu(1 - margin))", "dL/dw", "-X^T ([1 - margin > 0] ⊙ y)"},
            {"1/2 ||w||^2 + C sum(margin^2)", "dL/dw", "w + 2 * C X^T (margin ⊙ y)"},
            {"1/2 ||tanh(X w) - y||^2", "dL/dw", "X^T ((tanh(X w) - y) ⊙ (1 - tanh(X w)^2))"},
            {"-mean(y ⊙ log(q) + (1 - y) ⊙ log(1 - q))", "dL/dw",
             "-1/size(s) X^T (y ⊙ (1 - q)) + 1/size(s) X^T ((1 - y) ⊙ q)"},
            {"sum(s, y[s] * log(q[s])) / C", "dL/dw", "1/C X^T (y ⊙ (1 - q))"},
        },
        "1.7 * w * w");
    repairs_are({{"sum(Z^2)", "dL/dZ", "2 Z"}}, "1.7 * Z * Z");
    repairs_are({{"1/2 ||u||^2", "dL/dW", "(V^T u ⊙ (1 - h^2)) x^T"}}, "1.7 * W * W");
    repairs_are(
        {
            {"1/2 ||u||^2", "dL/dx", "u + W^T (V^T u ⊙ (1 - h^2))"},
            {"sum((A x)^3 / t)", "dL/dx", "3 A^T (1/t ⊙ (A x)^2)"},
            {"1/2 ||c/sd - t||^2", "dL/dx",
             "-sum((c/sd - t) ⊙ c)/sd^3/size(i) c + 1/sd (c/sd - t) - sum(c/sd - t)/(sd * size(i))"},
            {"1/2 (n^T t - C)^2", "dL/dx", "-(n^T t - C) * g * (t^T x)/||x||^3 x + (n^T t - C) * g/||x|| t"},
        },
        "1.7 * x * x");
    repairs_are(
        {
            {"1/2 ||A^{-1} x - t||^2", "dL/dA", "-A^-T (A^-1 x - t) x^T A^-T"},
            {"t^T log(p)", "dL/dA", "(p ⊙ (t/p - p^T (t/p))) x^T"},
        },
        "1.7 * A * A");
    repairs_are({{"t^T a", "dL/dK", "-(K + k I)^-1 t t^T (K + k I)^-1"}}, "1.7 * K * K");
}

// Each row of a matrix has a softmax of its own: the weights of attention.
BOOST_AUTO_TEST_CASE(through_the_rows_of_a_softmax) {
    const std::string attention = R"(
index t = 3
index u = 4
index c = 2
given Q[t,c], K[u,c], V[u,c], D[t,c], B[t,u]
let S = Q K^T + B
let P = softmax(S)
let L = sum(D ⊙ (P V))
)";
    for (const auto& [by, derivative] :
         std::vector<std::array<const char*, 2>>{{"dL/dS", "P ⊙ (D V^T - sum(P ⊙ (D V^T), axis=1)[:, None])"},
                                                 {"dL/dB", "P ⊙ (D V^T - sum(P ⊙ (D V^T), axis=1)[:, None])"},
                                                 {"dL/dQ", "(P ⊙ (D V^T - sum(P ⊙ (D V^T), axis=1)[:, None])) K"}}) {
        const derivation::LineReport one =
            judged(attention + "claim " + by + " = 1.7 * " + (std::string(by) == "dL/dQ" ? "Q" : "B * B") + "\n");
        BOOST_TEST(one.repair == derivative, by << ": " << one.repair << " (" << one.reason << ")");
    }
}

BOOST_AUTO_TEST_CASE(by_a_number) {
    repairs_are(
        {
            {"t^T a", "dL/dk", "-t^T (K + k I)^-1 (K + k I)^-1 t"},
            {"logdet(K + k I)", "dL/dk", "tr((K + k I)^-1)"},
            {"||a||^2", "dL/dk", "-2 * sum(a ⊙ ((K + k I)^-1 (K + k I)^-1 t))"},
            {"sum(tanh(k x))", "dL/dk", "sum((1 - tanh(k x)^2) ⊙ x)"},
        },
        "1.7 * k");
    repairs_are({{"0", "da/dk", "-(K + k I)^-1 (K + k I)^-1 t"}}, "1.7 * x");
}

BOOST_AUTO_TEST_CASE(of_a_vector_by_a_vector) {
    repairs_are(
        {
            {"0", "du/dx", "I + V diag(1 - h^2) W"},
            {"0", "dp/dx", "(diag(p) - p p^T) A"},
            {"0", "d(x ⊙ (A x))/dx", "diag(A x) + diag(x) A"},
        },
        "1.7 * A * A");
}

BOOST_AUTO_TEST_CASE(second_derivatives) {
    repairs_are(
        {
            {"1/2 ||X w - y||^2 + C/2 ||w||^2", "d2L/(dw dw)", "X^T X + C I"},
            {"-sum(s, log(q[s]))", "d2L/(dw dw)", "X^T diag(q ⊙ (1 - q)) X"},
        },
        "1.7 * A * A");
}
