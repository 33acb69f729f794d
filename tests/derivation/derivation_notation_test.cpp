// Plain text, Unicode and LaTeX give one tree, and every tree comes back from its text.
#define BOOST_TEST_MODULE derivation_notation
#include <derivation/formula/notations.hpp>
#include <derivation/read/parser.hpp>
#include <derivation/read/reader.hpp>

#include "judged.hpp"

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
    refuses("\\sum_{n=1}^{k} z_n", "up to the letter k");
    refuses("w^{l-1}", "running layers");
    refuses("a^{(l)}", "running layers");
    refuses("\\det w", "determinants");
    refuses("\\operatorname{tr} \\tr w", "traces");
    refuses("dC", "differentials");
    refuses("T^{-1} b", "inverses");
    refuses("\\foo q", "\\foo");
    refuses("w_{ji}^{-1} @ q ?", "character");
}
