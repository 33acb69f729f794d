// Plain text, Unicode and LaTeX give one tree, and every tree comes back from its text.
#define BOOST_TEST_MODULE derivation_notation
#include <derivation/formula/notations.hpp>
#include <derivation/read/parser.hpp>
#include <derivation/read/reader.hpp>
#include <fstream>

#include "judged.hpp"
#include "temporary_folder.hpp"

using namespace derivation;

namespace {

const std::string declarations = network + R"(
index s : batch = 6
index t, r : time = 7
constant lambda
constant N = size(s)
given b[j]
given q
given w_out
given z_1
given T[j,m]
given X[s,i]
given v[t]
let l1 = sum(j, b[j])
let W1[j,i] = w[j,i]
given aone[j]
)";

Expression tree(const std::string& formula) {
    static Derivation known = read_derivation(declarations);
    Parser parser(known.model, tokens_of(formula, {{0, formula.size()}}));
    Expression e = parser.expression();
    parser.expect_end();
    return e;
}

void same_tree(const std::string& a, const std::string& b) {
    BOOST_TEST_CONTEXT(a << "   and   " << b) {
        try {
            const Expression x = normalized(tree(a)), y = normalized(tree(b));
            BOOST_TEST(same(x, y), to_text(x) << "   is not   " << to_text(y));
        } catch (const Error& error) {
            BOOST_ERROR(error.what());
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(latex_gives_the_tree_of_plain_text) {
    const std::vector<std::pair<std::string, std::string>> pairs = {
        {"\\frac{\\partial C}{\\partial w_{ji}}", "dC/dw[j,i]"},
        {"\\sum_n \\delta_n w_{nj} f'(z_j) x_i", "sum(n, delta[n]*w[n,j]*f'(z[j])*x[i])"},
        {"-(y_n - \\hat{y}_n)", "-(y[n] - yhat[n])"},
        {"f'(z_j) \\sum_n w_{nj} \\delta_n", "f'(z[j]) * sum(n, w[n,j] * delta[n])"},
        {"\\delta_j \\sum_n w_{nj} \\delta_n \\sum_i x_i", "delta[j]*sum(n, w[n,j]*delta[n]*sum(i, x[i]))"},
        {"\\sum_n \\frac{\\partial C}{\\partial z_n} \\frac{\\partial z_n}{\\partial a_j}",
         "sum(n, dC/dz[n] * dz[n]/da[j])"},
        {"-\\sum_{k=1}^{K} y_k \\log \\hat y_k", "-sum(k, y[k]*log(yhat[k]))"},
        {"-\\sum\\limits_k y_k \\log\\left(\\hat{y}_k\\right)", "-sum(k, y[k]*log(yhat[k]))"},
        {"\\frac{e^{z_k}}{\\sum_n e^{z_n}}", "exp(z[k])/sum(n, exp(z[n]))"},
        {"\\frac12 \\alpha", "1/2*alpha"},
        {"\\frac{1}{N} \\sum_s X_{si}", "1/N * sum(s, X[s,i])"},
        {"w_{ji} - \\alpha \\delta_j x_i^T", "w[j,i] - alpha*delta[j]*x[i]"},
        {"\\sum_{n \\ne k} z_n", "sum(n != k, z[n])"},
        {"\\prod_k z_k", "prod(k, z[k])"},
        {"\\mathbb{1}[k = n]", "[k == n]"},
        {"\\mathbb{1}_{k = n}", "[k == n]"},
        {"\\frac{d}{dq}(q^2)", "d(q^2)/dq"},
        {"\\frac{d}{dq} \\frac12 \\alpha q^2", "d(1/2 * alpha * q^2)/dq"},
        {"\\frac{d}{dq} 3 \\cdot q^2", "d(3 * q^2)/dq"},
        {"\\frac{d}{dq}(q^2) \\alpha", "d(q^2)/dq * alpha"},
        {"\\frac{d}{dq} q^2 + \\alpha", "d(q^2)/dq + alpha"},
        {"\\frac{\\partial^2 C}{\\partial z_k \\partial z_n}", "d2C/(dz[k] dz[n])"},
        {"\\frac{\\partial^2 C}{\\partial q^2}", "d2C/dq^2"},
        {"\\frac{\\mathrm{d} C}{\\mathrm{d} q}", "dC/dq"},
        {"\\nabla_{q} C", "dC/dq"},
        {"f^{\\prime}(z_j)", "f'(z[j])"},
        {"\\sigma(z_j)", "sigmoid(z[j])"},
        {"\\sqrt{q + 1}", "sqrt(q + 1)"},
        {"\\ln q", "log(q)"},
        {"\\operatorname{softmax}(z_k)", "softmax(z[k])"},
        {"\\text{softmax}(z_k)", "softmax(z[k])"},
        {"W^{(1)}_{ji} x_i", "W1[j,i]*x[i]"},
        {"l^{[1]}", "l1"},
        {"\\mathbf{x}_i", "x[i]"},
        {"\\vec{x}_i", "x[i]"},
        {"x_iw_{ji}", "x[i]*w[j,i]"},
        {"w_{\\text{out}} q", "w_out*q"},
        {"z_1", "z_1"},
        {"v_{t-1} v_{t+r}", "v[t-1]*v[t+r]"},
        {"\\delta_{kn}", "delta[k,n]"},
        {"\\begin{cases} q & k = n \\\\ -q & k \\ne n \\end{cases}", "[k == n]*q + [k != n]*(-q)"},
        {"\\|q\\|^2", "||q||^2"},
        {"2 q^2", "2*q^2"},
        {"2q(q+1)", "2*q*(q+1)"},
        {"\\alpha\\lambda q", "alpha*lambda*q"},
        {"$\\alpha \\cdot q$", "alpha*q"},
        {"\\big( q \\big)^{2}", "(q)^2"},
        {"\\max(0, q)", "max(0, q)"},
        {"\\exp\\left(-q\\right)", "exp(-q)"},
        {"\\frac{1}{N} \\sum_s \\left[ X_{si} + q \\right]", "1/N * sum(s, X[s,i] + q)"},
        {"l^{[1]T} q", "l1*q"},
    };
    for (const auto& [latex, plain] : pairs) same_tree(latex, plain);
}

BOOST_AUTO_TEST_CASE(unicode_gives_the_tree_of_plain_text) {
    const std::vector<std::pair<std::string, std::string>> pairs = {
        {"∂C/∂w_ji", "dC/dw[j,i]"},
        {"δ_j", "delta[j]"},
        {"δⱼ xᵢ", "delta[j]*x[i]"},
        {"ŷₖ − y_k", "yhat[k] - y[k]"},
        {"Σ_k δ_k w_kj", "sum(k, delta[k]*w[k,j])"},
        {"∑_k δ_k·w_kj", "sum(k, delta[k]*w[k,j])"},
        {"q²", "q^2"},
        {"f′(z_j)", "f'(z[j])"},
        {"α·λ", "alpha*lambda"},
        {"∂²C/(∂z_k ∂z_n)", "d2C/(dz[k] dz[n])"},
        {"y\xCC\x82_k", "yhat[k]"},
        {"[k ≠ n]", "[k != n]"},
        {"delta_j", "delta[j]"},
        {"w_kj", "w[k,j]"},
        {"w_{kj}", "w[k,j]"},
        {"w_{k,j}", "w[k,j]"},
        {"√(q)", "sqrt(q)"},
        {"½ q", "0.5*q"},
        {"σ(q)", "sigmoid(q)"},
    };
    for (const auto& [unicode, plain] : pairs) same_tree(unicode, plain);
}

BOOST_AUTO_TEST_CASE(precedence_is_that_of_python) {
    same_tree("-q^2", "-(q^2)");
    same_tree("2^-1", "2^(-1)");
    same_tree("q^2^3", "q^(2^3)");
    same_tree("1/2 q", "(1/2)*q");
    same_tree("q - q - q", "(q - q) - q");
    same_tree("dC/dq * q", "(dC/dq) * q");
    BOOST_TEST(!same(normalized(tree("q/(2*q)")), normalized(tree("q/2*q"))));
    BOOST_TEST(!same(tree("sum(n, z[n]) * q"), tree("sum(n, z[n] * q)")));
}

BOOST_AUTO_TEST_CASE(a_derivative_wins_over_a_name_and_the_longest_name_over_its_parts) {
    Derivation known = read_derivation("given W\ngiven W_hh\nlet L = W^2 + W_hh\nlet dW = dL/dW\nlet db = dW/W\n");
    BOOST_TEST((known.model.quantities[3].definition.kind == Kind::derivative));
    BOOST_TEST((known.model.quantities[4].definition.kind == Kind::product));
}

BOOST_AUTO_TEST_CASE(what_is_printed_is_read_back) {
    for (const std::string formula : {"dC/dw[j,i]",
                                      "-(y[k] - yhat[k])",
                                      "sum(n, delta[n] * w[n,j]) * f'(z[j])",
                                      "d2C/(dz[k] dz[n])",
                                      "1/2 * q^2",
                                      "q/(2 * q)",
                                      "[k == n] * q - q^(-1)",
                                      "sum(n != k, z[n])",
                                      "max(k, z[k])",
                                      "v[t-1] * v[t+r]",
                                      "exp(-q)/(1 + exp(-q))",
                                      "f''(q)",
                                      "d(q^2)/dq",
                                      "dC/dq|(l1)",
                                      "(q + 1)^2",
                                      "q - (q - 1)",
                                      "mean(s, X[s,i])",
                                      "delta[k,n]",
                                      "yhat[k] * W1[j,i]",
                                      "w_out",
                                      "prod(k, z[k])",
                                      "b * (q/2)"}) {
        const Expression e = tree(formula);
        same_tree(to_text(e), formula);
        same_tree(to_latex(e), formula);
        BOOST_TEST(to_mathml(e).find("<m") == 0u);
    }
}

BOOST_AUTO_TEST_CASE(a_display_is_a_claim_for_every_row_with_a_left_side) {
    const Derivation d = read_derivation(network + R"(claim \begin{align}
 \delta_k &= -(y_k - \hat{y}_k) \\
 \delta_j &= \sum_k w_{kj} \delta_k f'(z_j) \\
          &= f'(z_j) \sum_k w_{kj} \delta_k
\end{align}
$$\begin{aligned} \delta_n &= \hat{y}_n - y_n \end{aligned}$$
)");
    BOOST_TEST(d.lines.size() >= 2u);
    BOOST_TEST(d.lines[0].members.size() == 2u);
    BOOST_TEST(d.lines[1].members.size() == 3u);
    BOOST_TEST(d.lines[1].number == d.lines[0].number + 1);
}

BOOST_AUTO_TEST_CASE(what_is_not_read_is_refused_by_name) {
    const auto refuses = [](const std::string& formula, const std::string& part) {
        const Report report = check(declarations + "claim q = " + formula + "\n");
        BOOST_TEST_CONTEXT(formula) {
            BOOST_REQUIRE(report.lines.size() == 1u);
            BOOST_CHECK(report.lines[0].verdict == Verdict::ill_formed);
            BOOST_TEST(report.lines[0].reason.find(part) != std::string::npos, report.lines[0].reason);
        }
    };
    refuses("\\sum_{n=1}^{k} z_n", "n counts from 0 to 4 here");
    refuses("w^{l-1}", "running layers");
    refuses("a^{(l)}", "running layers");
    refuses("\\det x", "square matrix");
    refuses("\\operatorname{tr} X", "square matrix");
    refuses("X^{-1} b", "square matrix");
    refuses("T^{-2} b", "only the power A^{-1}");
    refuses("b^T (I b)^T I", "shapes");
    refuses("I", "nothing beside I says its size");
    refuses("dC", "differentials");
    refuses("\\foo q", "\\foo");
    refuses("w_{ji}^{-1} @ q ?", "character");
}

namespace {

/// What people write, and the same line in the notation of the manual. Every row is read and holds, is the same line,
/// and stands in docs/notations.md.
struct Spelling {
    std::string typed, means;
};

const std::string of_spellings = R"(
index i, j : input = 3
index k, n : output = 4
index s : batch = 5
function f
constant eta
given x[i], w[i], W[k,i], b[k], t[k], u, X[s,i], Y[s], q[i]
given A[i,j] invertible, S[i,j] positive definite
let z[k] = sum(i, W[k,i] * x[i]) + b[k]
let a[k] = sigmoid(z[k])
let p[k] = softmax(z[k])
let C = 1/2 * sum(k, (a[k] - t[k])^2)
let delta[k] = dC/dz[k]
let h = tanh(u)
let c = abs(u)
let m = sum(i, x[i] * w[i])
let P[s] = sum(i, X[s,i] * w[i])
let E = mean(s, (P[s] - Y[s])^2)
let J = sum(i, w[i]^2)
)";

const std::vector<std::pair<std::string, std::vector<Spelling>>> spellings = {
    {"LaTeX",
     {
         {R"(\log_2 8 = \log_{10}(1000))", "log(8)/log(2) = log(1000)/log(10)"},
         {R"(\delta_k = (a_k - t_k) a_k (1 - a_k).)", "delta[k] = (a[k] - t[k]) * a[k] * (1 - a[k])"},
         {R"(\delta_k = (a_k - t_k) a_k (1 - a_k) \quad \forall k)", "delta[k] = (a[k] - t[k]) * a[k] * (1 - a[k])"},
         {R"(\delta_k = (a_k - t_k) a_k (1 - a_k) \quad \text{for all } k)",
          "delta[k] = (a[k] - t[k]) * a[k] * (1 - a[k])"},
         {R"(\delta_k = (a_k - t_k) a_k (1 - a_k), \qquad k = 1, \dots, K)",
          "delta[k] = (a[k] - t[k]) * a[k] * (1 - a[k])"},
         {R"(\delta_k = (a_k - t_k) a_k (1 - a_k), \quad k \in \{1, \ldots, K\})",
          "delta[k] = (a[k] - t[k]) * a[k] * (1 - a[k])"},
         {R"(\delta_k = \underbrace{(a_k - t_k)}_{\text{error}} \cdot \underbrace{a_k (1 - a_k)}_{\sigma'(z_k)})",
          "delta[k] = (a[k] - t[k]) * (a[k] * (1 - a[k]))"},
         {R"(\cfrac{\partial C}{\partial z_k} = \delta_k)", "dC/dz[k] = delta[k]"},
         {R"(\tfrac{\partial C}{\partial z_k} = \delta_k)", "dC/dz[k] = delta[k]"},
         {R"(\delta_k \equiv (a_k - t_k) a_k (1 - a_k))", "delta[k] = (a[k] - t[k]) * a[k] * (1 - a[k])"},
         {R"((a - t) \oslash a = (a - t) / a)", "(a - t) / a = (a - t) / a"},
         {R"(\frac{\partial C}{\partial W} = \delta \otimes x)", "dC/dW = outer(delta, x)"},
         {R"(\frac{\partial p_k}{\partial z_n} = p_k (\mathbf{1}_{k=n} - p_n))",
          "dp[k]/dz[n] = p[k] * ([k == n] - p[n])"},
         {R"(\frac{\partial p_k}{\partial z_n} = p_k (\mathbb{I}(k = n) - p_n))",
          "dp[k]/dz[n] = p[k] * ([k == n] - p[n])"},
         {R"(\frac{\partial E}{\partial w_i} = \mathbb{E}_s[2 (P_s - Y_s) X_{si}])",
          "dE/dw[i] = mean(s, 2 * (P[s] - Y[s]) * X[s,i])"},
         {R"(\nabla_W C = \delta x^\top)", "dC/dW = delta x^T"},
         {R"(\nabla J = 2 w)", "dJ/dw = 2 w"},
         {R"(\nabla_w^2 E = 2 X^\top X / \text{size}(s))", "d2E/(dw dw) = 2 X^T X / size(s)"},
         {R"(\nabla^2_w E = 2 X^\top X / \text{size}(s))", "d2E/(dw dw) = 2 X^T X / size(s)"},
         {R"(\frac{\partial^2 E}{\partial w \partial w^\top} = 2 X^\top X / \text{size}(s))",
          "d2E/(dw dw) = 2 X^T X / size(s)"},
         {R"(\frac{\partial^2 C}{\partial {b_k}^2} = \frac{\partial \delta_k}{\partial z_k})",
          "d2C/(db[k] db[k]) = ddelta[k]/dz[k]"},
         {R"(\nabla_W C = (\delta) (x)')", "dC/dW = delta x^T"},
         {R"(\operatorname{diag}(a) b = a \odot b)", "diag(a) b = a * b"},
         {R"(\delta_k = \bigl( a_k - t_k \bigr) \, a_k \; \Bigl( 1 - a_k \Bigr))",
          "delta[k] = (a[k] - t[k]) * a[k] * (1 - a[k])"},
         {R"(\delta_k = (a_k - t_k) a_k (1 - a_k) \tag{1} \label{eq:one})",
          "delta[k] = (a[k] - t[k]) * a[k] * (1 - a[k])"},
         {R"(\langle x, w \rangle = m)", "x @ w = m"},
         {R"(\langle A, S \rangle_F = \operatorname{tr}(A^\top S))", "<A, S> = tr(A^T S)"},
         {R"(\tanh^2 u = h^2)", "tanh(u)^2 = h^2"},
         {R"(\cosh u = \frac{e^u + e^{-u}}{2})", "cosh(u) = (exp(u) + exp(-u))/2"},
         {R"(\sinh u \coth u = \cosh u)", "sinh(u) * coth(u) = cosh(u)"},
         {R"(\frac{d \tan u}{du} = 1 + \tan^2 u)", "d(tan(u))/du = 1 + tan(u)^2"},
         {R"(\partial_{w_i} J = 2 w_i)", "dJ/dw[i] = 2 * w[i]"},
         {R"(\partial_u^2 h = -2 h (1 - h^2))", "d2h/du^2 = -2 * h * (1 - h^2)"},
         {R"(\mathrm{softmax}(z)_k = p_k)", "softmax(z[k]) = p[k]"},
         {R"((W x + b)_k = z_k)", "(W x + b)[k] = z[k]"},
         {R"(\frac{\partial p_k}{\partial z_{k'}} = p_k (\delta_{kk'} - p_{k'}))",
          "dp[k]/dz[k'] = p[k] * ([k == k'] - p[k'])"},
         {R"([1 - u]_+ = \mathbf{1}_{\{u < 1\}} (1 - u))", "max(0, 1 - u) = [u < 1] * (1 - u)"},
         {R"(\mathrm{ReLU}(z)_k = \mathrm{ReLU}(z_k))", "relu(z)[k] = relu(z[k])"},
         {R"(\|x\|^2_2 = \mathrm{Tr}[x x^\top])", "||x||^2 = tr(x x^T)"},
         {R"((\nabla_z C)_k = \delta_k)", "(dC/dz)[k] = delta[k]"},
         {R"(\sum_{k' \ne k} p_{k'} = 1 - p_k)", "sum(k' != k, p[k']) = 1 - p[k]"},
         {R"(\frac{\partial E}{\partial w_i} = \frac{2}{\text{size}(s)} \sum_s (P^{(s)} - Y^{(s)}) X_i^{(s)})",
          "dE/dw[i] = 2/size(s) * sum(s, (P[s] - Y[s]) * X[s,i])"},
     }},
    {"Matrices",
     {
         {R"(A A^{-1} = I)", "A A^-1 = I_i"},
         {R"((A^{-1})^T = A^{-T})", "(A^-1)^T = (A^T)^-1"},
         {R"((A^\top)^{-1} = A^{-\top})", "(A^T)^-1 = (A^-1)^T"},
         {R"(\operatorname{tr}(A S) = \tr(S A))", "tr(A S) = tr(S A)"},
         {R"(\det(A^{-1}) = 1/\det A)", "det(A^-1) = 1/det(A)"},
         {R"(\log\det S = \log|S|)", "logdet(S) = log(det(S))"},
         {R"(\frac{\partial \log\det A}{\partial A} = A^{-T})", "d(logdet(A))/dA = (A^-1)^T"},
         {"solve(A, x) = inv(A) x", "A^-1 x = A^-1 x"},
         {"trace(A) = Tr(A)", "tr(A) = sum(i, A[i,i])"},
         {"np.linalg.inv(A) @ x = np.linalg.solve(A, x)", "A^-1 @ x = solve(A, x)"},
         {"np.trace(A @ S) = torch.trace(S @ A)", "tr(A S) = tr(S A)"},
         {"A.inverse() @ x = torch.linalg.inv(A) @ x", "A^-1 @ x = A^-1 @ x"},
         {"S + u I = S + u eye(i)", "S + u I = S + u I_i"},
         {R"(\mathrm{d}A^{-1} = -A^{-1} \mathrm{d}A A^{-1})", "d(A^-1) = -A^-1 dA A^-1"},
         {R"(d\log\det S = \operatorname{tr}(S^{-1} dS))", "d(logdet(S)) = tr(S^-1 dS)"},
         {"dJ = 2 w^T dw", "dJ = sum(i, 2 * w[i] * dw[i])"},
         {"sum(j, A[i,j] * I_ij) = A[i,i]", "sum(j, A[i,j] * [i == j]) = A[i,i]"},
     }},
    {"Plain text",
     {
         {"dh/du = 1 - tanh^2(u)", "dh/du = 1 - tanh(u)^2"},
         {"|u|^2 = u^2", "abs(u)^2 = u^2"},
         {"dc/du = 1(u > 0) - 1{u < 0}", "dc/du = [u > 0] - [u < 0]"},
         {"log2(8) = 3", "log(8)/log(2) = 3"},
         {"dc/du = sign(u)", "dc/du = [u > 0] - [u < 0]"},
         {"d(relu(u))/du = step(u)", "d(relu(u))/du = [u > 0]"},
         {"dh/du = sech^2(u)", "dh/du = 1 - h^2"},
         {"dot(x, w) = m", "x @ w = m"},
         {"<x, w> = m", "x @ w = m"},
         {"clip(u, -1, 1) = max(-1, min(1, u))", "min(max(u, -1), 1) = max(-1, min(1, u))"},
         {"∇W C = δ ⊗ x", "dC/dW = outer(delta, x)"},
         {"∇w J = 2 w", "dJ/dw = 2 w"},
         {"dC/dx = W.T delta", "dC/dx = W^T delta"},
         {"dC/dW = delta x'", "dC/dW = delta x^T"},
         {"norm(x)^2 = sum(i, x[i]^2)", "||x||^2 = sum(i, x[i]^2)"},
         {"norm(x) = sqrt(sum(i, x[i]^2))", "||x|| = sqrt(sum(i, x[i]^2))"},
         {"dc/du = I(u > 0) - I(u < 0)", "dc/du = [u > 0] - [u < 0]"},
         {"dh/du = 1 - h^2   // a comment", "dh/du = 1 - h^2"},
         {"dh/du = 1 - h^2   (chain rule)", "dh/du = 1 - h^2"},
         {"dh/du := 1 - h^2", "dh/du = 1 - h^2"},
     }},
    {"NumPy and PyTorch",
     {
         {"dC/dx = W.T @ delta", "dC/dx = W^T @ delta"},
         {"dC/dx = np.dot(W.T, delta)", "dC/dx = W^T @ delta"},
         {"dC/dx = W.T.dot(delta)", "dC/dx = W^T @ delta"},
         {"dC/dW = np.outer(delta, x)", "dC/dW = outer(delta, x)"},
         {"a = 1/(1 + np.exp(-z))", "a = 1/(1 + exp(-z))"},
         {"a = torch.sigmoid(z)", "a = sigmoid(z)"},
         {"p = F.softmax(z, dim=0)", "p = softmax(z)"},
         {"p = np.exp(z) / np.exp(z).sum()", "p = exp(z) / sum(exp(z))"},
         {"E = np.mean((P - Y)**2)", "E = mean((P - Y)^2)"},
         {"E = ((P - Y)**2).mean()", "E = mean((P - Y)^2)"},
         {"dE/dw = 2/size(s) * X.T @ (P - Y)", "dE/dw = 2/size(s) * X^T @ (P - Y)"},
         {"X.sum(0) = X.T @ 1_s", "sum(X, axis=0) = X^T @ 1_s"},
         {"X.mean(axis=1) = X.sum(-1) / size(i)", "mean(X, axis=1) = sum(X, axis=-1) / size(i)"},
         {"dh/du = 1 - torch.tanh(u)**2", "dh/du = 1 - tanh(u)^2"},
         {"relu(z) = np.where(z > 0, z, 0)", "relu(z) = [z > 0] * z"},
         {"relu(z) = np.maximum(z, 0)", "relu(z) = max(z, 0)"},
         {"np.linalg.norm(x)**2 = np.square(x).sum()", "||x||^2 = sum(x^2)"},
         {"np.multiply(a, t) = a * t", "a ⊙ t = a * t"},
         {"np.clip(x, -1, None) = torch.clamp(x, min=-1)", "max(x, -1) = max(x, -1)"},
         {"np.einsum('ki,i->k', W, x) = W @ x", R"(einsum("ki,i->k", W, x) = W @ x)"},
         {R"(torch.einsum("ij,ij->", A, S) = (A * S).sum())", "<A, S> = sum(A * S)"},
         {"np.diag(A) = np.einsum('ii->i', A)", R"(diag(A) = einsum("ii->i", A))"},
         {"A @ np.eye(i) = A", "A @ I_i = A"},
         {"np.linalg.slogdet(A)[1] = torch.logdet(A)", "logdet(A) = logdet(A)"},
         {"np.linalg.norm(X, 'fro')**2 = (X**2).sum()", "||X||_F^2 = sum(X^2)"},
         {"np.var(x) = (x**2).mean() - x.mean()**2", "mean((x - mean(x))^2) = mean(x^2) - mean(x)^2"},
         {"dE/dw = 2/X.shape[0] * X.T @ (P - Y)", "dE/dw = 2/size(s) * X^T @ (P - Y)"},
         {"(W @ x)[k] = z[k] - b[k]", "(W @ x)[k] = z[k] - b[k]"},
         {"X * w = X @ np.diag(w)", "X ⊙ w = X diag(w)"},
         {"X / w + q = q + X * (1 / w)", "X / w + 1_s q^T = X diag(1/w) + 1_s q^T"},
         {"b[:, None] * x[None, :] = np.outer(b, x)", "b[:, None] ⊙ x[None, :] = outer(b, x)"},
         {"np.exp(X) / np.exp(X).sum(axis=1, keepdims=True) = F.softmax(X, dim=-1)",
          "exp(X) / sum(exp(X), axis=1)[:, None] = softmax(X)"},
         {"X / np.linalg.norm(X, axis=1, keepdims=True) = X / np.sqrt((X**2).sum(1))[:, np.newaxis]",
          "X / sqrt(sum(X^2, axis=1))[:, None] = X / sqrt(sum(X^2, axis=1))[:, None]"},
         {"relu(z) = z * (z > 0)", "relu(z) = z * [z > 0]"},
         {"relu(z) = z * (z > 0).astype(np.float32)", "relu(z) = z * [z > 0]"},
         {"np.log1p(x**2) = np.log(1 + x**2)", "log(1 + x^2) = log(1 + x^2)"},
         {"np.expm1(x) = np.exp(x) - 1", "exp(x) - 1 = exp(x) - 1"},
         {"torch.logsumexp(z, dim=0) = np.log(np.exp(z).sum())", "log(sum(exp(z))) = log(sum(exp(z)))"},
     }},
    {"Updates",
     {
         {"w[i] -= eta * 2 * w[i] on J", "w[i] := w[i] - eta * 2 * w[i] on J"},
         {"w -= η 2 w on J", "w := w - eta * 2 * w on J"},
         {"Δw[i] = -eta * 2 * w[i] on J", "w[i] := w[i] - eta * 2 * w[i] on J"},
         {R"(\Delta w_i = -\eta 2 w_i on J)", "w[i] := w[i] - eta * 2 * w[i] on J"},
         {"w[i] := w[i] + eta * 2 * w[i] ascent on J", "w[i] := w[i] + eta * dJ/dw[i] ascent on J"},
         {"w += eta * 2 * w ascent on J", "w := w + eta * dJ/dw ascent on J"},
     }},
};

std::string table_of_spellings() {
    std::string text =
        "# What people write\n\nEach line on the left is read, and means the line on the right. Printed from the rows "
        "of\n"
        "`tests/derivation/derivation_notation_test.cpp`, which holds every one of them on the tape\n"
        "(`derivation_notation_test -- --write` prints it anew). The declarations that they stand below:\n\n```deriv" +
        of_spellings + "```\n";
    const auto code = [](std::string line) {
        // In a table a bar ends its cell.
        for (std::size_t at = line.find('|'); at != std::string::npos; at = line.find('|', at + 2))
            line.insert(at, "\\");
        return "`" + line + "`";
    };
    for (const auto& [title, rows] : spellings) {
        text += "\n## " + title + "\n\n| typed | means |\n|---|---|\n";
        for (const Spelling& row : rows) text += "| " + code(row.typed) + " | " + code(row.means) + " |\n";
    }
    return text + R"(
Macros that the file defines are replaced before a line is read:

```deriv
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
given u
let h = tanh(u)
claim \pd{h}{u} = 1 - h^2
```

A declared name wins over every word and notation here: a file may declare `sign`, `step`, `norm`, `dot`, `np` or `a'`.
)";
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_people_write) {
    for (const auto& [title, rows] : spellings)
        for (const Spelling& row : rows) {
            const std::string keyword = title == "Updates" ? "update " : "claim ";
            BOOST_TEST_CONTEXT(row.typed) {
                for (const std::string& line : {row.typed, row.means}) {
                    const derivation::LineReport one = judged(of_spellings + keyword + line + "\n");
                    BOOST_TEST(verdict_of(one) == "holds", line << ": " << one.reason << " " << one.repair);
                }
                // And with another 1 it is not, so that the right side was read whole; remarks behind it are cut.
                const bool has_remark = row.typed.find_first_of(",.") != std::string::npos ||
                                        row.typed.find("forall") != std::string::npos ||
                                        row.typed.find("for all") != std::string::npos ||
                                        row.typed.find("   ") != std::string::npos;
                if (title != "Updates" && !has_remark)
                    BOOST_TEST(verdict_of(judged(of_spellings + keyword + row.typed + " + 1\n")) != "holds");
            }
        }
    const std::string path = DELTARULE_SOURCE_DIR "/docs/notations.md";
    const auto& suite = boost::unit_test::framework::master_test_suite();
    if (suite.argc > 1 && std::string_view(suite.argv[1]) == "--write") std::ofstream(path) << table_of_spellings();
    BOOST_TEST((bytes_of(path) == table_of_spellings()),
               "docs/notations.md is not what derivation_notation_test -- --write writes");
}

BOOST_AUTO_TEST_CASE(names_in_brackets_are_no_remark) {
    const std::string file = "index s\ngiven p_s, t_s\nlet L = \\frac12 \\sum_s (p_s - t_s)^2\n";
    BOOST_TEST(verdict_of(judged(file + "claim \\frac{\\partial L}{\\partial p_s} = 1 (p_s - t_s)\n")) == "holds");
    BOOST_TEST(verdict_of(judged(file + "claim \\sum_s p_s - \\sum_s t_s = \\sum_s (p_s - t_s)\n")) == "holds");
    BOOST_TEST(verdict_of(judged(file + "claim p_s = p_s (p_s - t_s)\n")) == "wrong");
}

BOOST_AUTO_TEST_CASE(macros_are_replaced) {
    const std::string macros =
        "\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n\\newcommand{\\R}{u}\n\\def\\sq#1{{#1}^2}\n"
        "\\DeclareMathOperator{\\sg}{sigmoid}\ngiven u\nlet h = tanh(u)\n";
    BOOST_TEST(verdict_of(judged(macros + "claim \\pd{h}{\\R} = 1 - \\sq h\n")) == "holds");
    BOOST_TEST(verdict_of(judged(macros + "claim \\sg(u) = \\frac{1}{1 + e^{-\\R}}\n")) == "holds");
    const derivation::LineReport wrong = judged(macros + "claim \\pd{h}{u} = 1 + \\sq{h}\n");
    BOOST_TEST(verdict_of(wrong) == "wrong");
    BOOST_TEST(wrong.text == "\\pd{h}{u} = 1 + \\sq{h}");
    BOOST_TEST(wrong.repair == "1 - h^{2}");
    // What is printed back can be read, and updates keep how they step.
    const std::string typed =
        macros + "let g = \\sg(h)\nclaim \\pd{h}{\\R} = 1 - \\sq h\nupdate u += 0.1 * dh/du ascent on h\n";
    for (const Notation notation : {Notation::text, Notation::latex})
        BOOST_TEST(derivation::check(derivation::rewritten(typed, notation)).exit_code() == 0,
                   derivation::rewritten(typed, notation));
    // One that has no end, or too few arguments, costs its line.
    BOOST_TEST(verdict_of(judged("\\newcommand{\\x}{\\x u}\ngiven u\nclaim u = \\x\n")) == "ill-formed");
    BOOST_TEST(verdict_of(judged(macros + "claim u = \\pd{h}\n")) == "ill-formed");
}

BOOST_AUTO_TEST_CASE(a_declared_name_wins_over_every_word) {
    for (const std::string name :
         {"step", "sign",  "sgn",   "heaviside", "sech",  "norm",   "dot",     "inner",      "det",      "cosh",
          "sinh", "coth",  "tan",   "clip",      "clamp", "einsum", "slogdet", "len",        "None",     "newaxis",
          "tr",   "trace", "Tr",    "logdet",    "solve", "inv",    "inverse", "invertible", "definite", "eye",
          "T",    "np",    "torch", "F",         "I",     "ascent", "axis",    "Delta"})
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(verdict_of(judged("given " + name + ", y\nlet E = 1/2 * (" + name + " - y)^2\nclaim dE/d" +
                                         name + " = " + name + " - y\n")) == "holds");
            BOOST_TEST(verdict_of(judged("given x\nfunction " + name + "\nlet E = " + name +
                                         "(x)^2\nclaim dE/dx = 2 * " + name + "(x) * " + name + "'(x)\n")) == "holds");
        }
    BOOST_TEST(verdict_of(judged("index i\ngiven a[i], a'[i]\nlet E = sum(i, a'[i]^2 * a[i])\nclaim dE/da = a'^2\n")) ==
               "holds");
    // Several declared names in a row win, too.
    BOOST_TEST(verdict_of(judged("given t, r, x\nlet E = tr(x + 1)\nclaim dE/dx = t*r\n")) == "holds");
    BOOST_TEST(verdict_of(judged("index i, j = 3\ngiven A[i,j], T\nlet E = sum(A) * 2^{-T}\n"
                                 "claim dE/dA[i,j] = 2^{-T}\n")) == "holds");
    BOOST_TEST(verdict_of(judged("index i, j = 3\ngiven A[i,j] positive, I[i,j]\nclaim A I = A @ I\n")) == "holds");
    // Where it is not declared it is a transpose of an array, and of a number it is nothing.
    BOOST_TEST(verdict_of(judged("index i\ngiven a[i]\nlet E = a' a\nclaim dE/da = 2 a\n")) == "holds");
    BOOST_TEST(verdict_of(judged("given a\nclaim a' = a\n")) == "ill-formed");
}
