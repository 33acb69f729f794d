// Lines as papers and students write them: what is read, right and wrong, and what is said where nothing is.
#define BOOST_TEST_MODULE derivation_written
#include "judged.hpp"

BOOST_AUTO_TEST_CASE(a_letter_with_a_prime_is_another_letter) {
    const std::string declarations =
        "index i = 3\nindex k = 4\ngiven z[k], W[k,i], y[k]\nlet q_k = \\frac{e^{z_k}}{\\sum_{k'} e^{z_{k'}}}\n"
        "let C = -\\sum_k y_k \\log q_k\n";
    lines_are(declarations,
              {
                  {R"(q_k = \mathrm{softmax}(z)_k)", "holds"},
                  {R"(\frac{\partial q_k}{\partial z_{k'}} = q_k (\delta_{kk'} - q_{k'}))", "holds"},
                  {R"(\frac{\partial q_k}{\partial z_{k'}} = q_k (\delta_{kk'} - q_k))", "wrong"},
                  {R"(\frac{\partial q_k}{\partial z_{k'}} = q_k (\delta_{kk'} - q_{k''}))", "ill-formed"},
                  {"dq[k]/dz[k'] = q[k] * ([k == k'] - q[k'])", "holds"},
                  {R"(\sum_{k' \ne k} q_{k'} = 1 - q_k)", "holds"},
                  {R"(\sum_{k' \ne k} q_{k'} = 1)", "wrong"},
                  {R"(\sum_{k'=1}^{K} q_{k'} = 1)", "holds"},
                  {"sum(k', k'', q[k'] * q[k'']) = 1", "holds"},
                  {R"(\sum_{k^\prime} W_{k'i} = \sum_k W_{ki})", "holds"},
                  {R"(\frac{\partial C}{\partial z_{k'}} = q_{k'} \sum_k y_k - y_{k'})", "holds"},
                  {"z[k'] = z[k]", "ill-formed"},
                  {"(z)' z = sum(k, z[k]^2)", "holds"},
                  {"sum(i', z[i']) = 0", "ill-formed"},
              });
    // A letter with a prime may be declared, and a declared name wins.
    lines_are("index k, k' = 3\ngiven z[k]\n", {{"sum(k', z[k']) = sum(k, z[k])", "holds"}});
    lines_are("index k = 3\ngiven k', z[k]\n", {{"sum(k, z[k] * k') = k' * sum(k, z[k])", "holds"}});
}

BOOST_AUTO_TEST_CASE(what_stands_above_a_name_in_brackets_is_an_index_or_its_layer) {
    const std::string declarations = R"(
index i, j : input = 3
index k : output = 4
index s : batch = 5
given W^{(l)}_{ki}, a^{(l-1)}_i, b^{[l]}_k, X[s,i], t^{(s)}_k, M[i,j], W2[k,i], u, x[i]
let z^{(l)} = W^{(l)} a^{(l-1)} + b^{[l]}
let a^{(l)}_k = \tanh(z^{(l)}_k)
let C = \sum_k (a^{(l)}_k)^2
let y^{(s)}_k = \sum_i W2_{ki} X^{(s)}_i
let E = \frac12 \sum_s \sum_k (y_k^{(s)} - t^{(s)}_k)^2
)";
    lines_are(
        declarations,
        {
            {R"(\frac{\partial C}{\partial W^{(l)}_{ki}} = 2 a^{(l)}_k (1 - (a^{(l)}_k)^2) a^{(l-1)}_i)", "holds"},
            {R"(\frac{\partial C}{\partial W^{(l)}_{ki}} = 2 a^{(l)}_k (1 - (a^{(l)}_k)^2) a^{(l-1)}_j)", "ill-formed"},
            {R"(\frac{\partial C}{\partial W^{(l)}_{ki}} = 2 a^{(l)}_k a^{(l-1)}_i)", "wrong"},
            {"dC/da^{(l-1)} = W^{(l)T} dC/dz^{(l)}", "holds"},
            {"dC/db^{(l)} = dC/dz^{[l]}", "holds"},
            {"b^{(l+1)} = b^{[l]}", "ill-formed", "b^{(l+1)} is not: declare it"},
            {R"(\delta^{(l)}_k = 1)", "ill-formed", "delta^{(l)} is not: declare it"},
            {"W^{(3)} x = x", "ill-formed", "W3 was never declared"},
            {"u^{(2)} = u", "ill-formed", "u^2 for a power"},
            {"(u + 1)^{(l)} = u", "ill-formed", "a layer stands above names only"},
            {"a^{l} = x", "ill-formed", "in brackets only"},
            {R"(\frac{\partial E}{\partial W2_{ki}} = \sum_s (y^{(s)}_k - t^{(s)}_k) X_i^{(s)})", "holds"},
            {R"(\frac{\partial E}{\partial W2_{ki}} = \sum_s (y^{(s)}_k - t^{(s)}_k) X^{(s)}_j)", "ill-formed"},
            {"X^(s)_i = X[s,i]", "holds"},
            {"M^{(i)}_j = M[i,j]", "ill-formed", "may be the first of M or its last"},
            {"x^{(i)} = x[i]", "holds"},
            {"x^i = x_i", "ill-formed", "write an index below"},
        });
    for (const derivation::Notation notation : {derivation::Notation::text, derivation::Notation::latex})
        BOOST_TEST(derivation::check(
                       derivation::rewritten(declarations + "claim dC/da^{(l-1)} = W^{(l)T} dC/dz^{(l)}\n", notation))
                       .exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(a_partial_with_a_name_below_is_a_derivative) {
    lines_are("index i\ngiven x[i], w[i], u, v\nlet L = sum(i, x[i]^2 * w[i])\nlet h = u^2 * v^3\n",
              {
                  {R"(\partial_{x_i} L = 2 x_i w_i)", "holds"},
                  {R"(\partial_{x_i} L = 2 x_i)", "wrong"},
                  {"∂_x L = 2 x * w", "holds"},
                  {R"(\partial_u^2 h = 2 v^3)", "holds"},
                  {R"(\partial^2_u h = 2 v^3)", "holds"},
                  {R"(\partial_{uv} h = 6 u v^2)", "holds"},
                  {R"(\partial_{u,v} h = 6 u v^2)", "holds"},
                  {R"(\partial_u \partial_v h = 6 u v^2)", "holds"},
                  {R"(\partial_{uv}^2 h = 6 u v^2)", "ill-formed", "once by each"},
                  {R"(\partial_u (u v) = v)", "holds"},
                  {R"(\partial_u h u = 2 h)", "ill-formed", "brackets should say"},
                  {R"((\partial_u h) u = 2 h)", "holds"},
                  {R"(\partial_u (h u) = 3 h)", "holds"},
                  {R"(\partial_h h \, \partial_u h = 2 u v^3)", "holds"},
              });
}

BOOST_AUTO_TEST_CASE(what_papers_write_is_read_or_the_sentence_says_what_to_write) {
    const std::string declarations = R"(
index i, j : input = 3
index k, n : output = 4
index s : batch = 5
function f
constant N = size(s), eta
given x[i], w[i], W[k,i], b[k], y[k] onehot, u, v, X[s,i], Y[s], A[i,j], S[i,j], \theta[i], w_1, w_2
let z = W x + b
let p[k] = softmax(z[k])
let L = -sum(k, y[k] * log(p[k]))
let h = u^2 * v^3
let q = w_1^2 * w_2
let E = \frac{1}{2N} \sum_s (\sum_i w_i X_{si} - Y_s)^2
)";
    lines_are(
        declarations,
        {
            // What numbers a line, and remarks.
            {R"((1) \frac{\partial L}{\partial z_k} = p_k - y_k)", "holds"},
            {R"(\frac{\partial L}{\partial z_k} = p_k - y_k \quad (1))", "holds"},
            {R"(2. \frac{\partial L}{\partial z_k} = p_k - y_k)", "ill-formed", "may be the number of the line"},
            {R"(1) \frac{\partial L}{\partial z_k} = p_k - y_k)", "ill-formed", "a label stands in brackets: (1)"},
            {"a) dL/dz[k] = p_k - y_k", "ill-formed", "a label stands in brackets: (a)"},
            {"h = u^2 v^3   [chain rule]", "holds"},
            {"h = u^2 v^2   [chain rule]", "wrong"},
            {R"(h = u^2 v^3 \qquad \square)", "holds"},
            {"h = u^2 v^3;", "holds"},
            {"h = u^2 v^3; h = 1", "ill-formed", "there is ;"},
            {"dL/dz[k] = p_k - y_k where p is the softmax", "ill-formed", "let p[k] = softmax(z[k])"},
            {R"(\frac{\partial L}{\partial z_k} = p_k - y_k, \text{where } p = 1)", "ill-formed", "let p[k] = softmax"},
            {"dL/dz[k] = p_k - y_k since y sums to 1", "ill-formed", "behind a #"},
            {"dL/dz[k] = p_k - y_k  (since sum y = 1)", "ill-formed", "behind a #"},
            // Derivatives.
            {R"(\frac{\partial^2 q}{\partial w_1 \partial w_2} = 2 w_1)", "holds"},
            {R"(\frac{\partial^2 q}{\partial w_1 \partial w_2} = w_1)", "wrong"},
            {R"(\left.\frac{dh}{du}\right|_{u=0} = 0)", "ill-formed", "`at u = 0`"},
            {"dh/du |_{u=0} = 0", "ill-formed", "`at u = 0`"},
            {R"(\frac{\delta L}{\delta z_k} = p_k - y_k)", "ill-formed", "written with \\partial or d"},
            {R"(h'(u) = 2 u v^3)", "ill-formed", "h is no function"},
            {"h_u = 2 u v^3", "ill-formed", "a derivative is dh/du"},
            {"L_{z_k} = p_k - y_k", "ill-formed", "a derivative is dL/dz_k"},
            {"D_u h = 2 u v^3", "ill-formed", "a derivative is df/du"},
            {R"(\dot x = 1)", "ill-formed", "dA/dB"},
            {R"(\ddot x = 1)", "ill-formed", "d2A/dB^2"},
            {R"(\nabla L(\theta) = 0)", "ill-formed", "names what it is taken by"},
            {R"(∇w E = \nabla_w E)", "holds"},
            {R"(\frac{\partial h}{\partial u} \overset{!}{=} 2 u v^3)", "holds"},
            {R"(\frac{\partial h}{\partial u} \stackrel{(a)}{=} 2 u)", "wrong"},
            {R"(\overset{\sim}{u} = u)", "ill-formed", "over = only"},
            {R"(\frac{\partial h}{\partial u^2} = v^3)", "ill-formed", "u a root of it"},
            {R"(\frac{\partial (W x)_k}{\partial x_i} = W_{ki})", "holds"},
            {"A I_3 = A", "ill-formed", "I_n, over a letter n"},
            {"p(u | v) = 1", "ill-formed", "a density"},
            // Steps.
            {R"(\Delta w = -\eta \nabla_w E)", "ill-formed", "update w :="},
            {R"(w \leftarrow w - \eta \nabla_w E)", "ill-formed", "update w :="},
            {R"(w^{new} = w - \eta \nabla_w E)", "ill-formed", "new(w)"},
            {R"(w_{\text{new}} = w - \eta \nabla_w E)", "ill-formed", "new(w)"},
            // Transposes, stars, norms.
            {R"(A^{\mathrm T} x = A^{\intercal} x)", "holds"},
            {"A^t x = A^T x", "ill-formed", "a transpose is written A^T"},
            {"A^* x = A^T x", "ill-formed", "wstar"},
            {R"(w^\star = w)", "ill-formed", "wstar"},
            {R"(A^\dagger x = A x)", "ill-formed", "A^T for the transpose"},
            {R"(\|x\|^2_2 = x^\top x)", "holds"},
            {R"(\|x\|_2^{2} = \|x\|^{2}_{2})", "holds"},
            {R"(\|x\|^2_2 = \|x\|_2)", "wrong"},
            {"|x|^2 = x^T x", "ill-formed", "||x|| for its length"},
            {"|x - w|^2 = x^T x", "ill-formed", "||x|| for its length"},
            {"sum(|x|) = sum(i, |x[i]|)", "holds"},
            {R"(\|x\|_\infty = 1)", "ill-formed", "max(abs(x))"},
            {R"(\mathrm{Tr}[A S] = \mathrm{tr}(S A))", "holds"},
            {R"(\mathrm{Tr}[A S] = \mathrm{tr}(A))", "wrong"},
            {R"(A \otimes S = A)", "ill-formed", "Kronecker product"},
            {R"(\mathrm{vec}(A) = x)", "ill-formed", "dY[i,j]/dX[k,l]"},
            // Sums, extremes, conditions.
            {R"(\sum_{s \in B} Y_s = 1)", "ill-formed", "a condition, as in \\sum_{s > 1}"},
            {R"(\sum_{k: y_k = 1} z_k = 1)", "ill-formed", "a factor that is 0 or 1"},
            {R"(\sum_{i<j} A_{ij} = 1)", "ill-formed", "sum(i, j, [i < j] * ...)"},
            {R"(\sum_{i \ne j} A_{ij} = \sum_i A_{ij} - A_{jj})", "holds"},
            {R"(\sum_{i \ne j} A_{ij} = \sum_i \sum_j A_{ij})", "ill-formed", "over all pairs"},
            {R"(\sum_j \sum_{i<j} A_{ij} = \sum_{i,j} [i < j] A_{ij})", "holds"},
            {R"(\arg\max_k z_k = 1)", "ill-formed", "max(k, z[k])"},
            {R"(\operatorname*{arg\,min}_k z_k = 1)", "ill-formed", "min(k, z[k])"},
            {R"(\mathbb{1}_{\{z_k > 0\}} z_k = \mathrm{ReLU}(z_k))", "holds"},
            {R"(\mathbf{1}_{[z_k > 0]} z_k = \max(0, z_k))", "holds"},
            {"1_{z_k > 0} z_k = [z_k]_+", "holds"},
            {"1_{z_k > 0} z_k = z_k", "wrong"},
            {"(1 - u)_+ = max(0, 1 - u)", "holds"},
            {"u_+ = max(0, u)", "ill-formed", "max(0, x)"},
            {"u^+ = u", "ill-formed", "new(x)"},
            {"A^{+} x = x", "ill-formed", "a pseudo-inverse"},
            {"[1 - u]_+ = max(0, u)", "wrong"},
            {R"(\mathbf{1}^T x = 1)", "ill-formed", "names the letter of its length"},
            {"1^T x = 1", "ill-formed", "1_n"},
            {R"(\mathbf{1}_i^T x = \sum_i x_i)", "holds"},
            {R"(\mathbf{1}(u > 0) u = \mathbf{1} [u > 0] u)", "holds"},
            {R"(\mathbf{1}\{u > 0\} u = u)", "conditional"},
            {R"((\nabla_z L)_k = p_k - y_k)", "holds"},
            {R"([\nabla_z L]_k = p_k)", "wrong"},
            {R"(W_{k\cdot} = 1)", "ill-formed", "a letter that runs over it"},
            {"W_{k,:} = 1", "ill-formed", "a letter that runs over it"},
            {R"(x_0^2 + \cdots + x_2^2 = 1)", "ill-formed", "write the sum or the product"},
            {"u < v", "ill-formed", "[x < y] = 1"},
            // Functions.
            {R"(\sqrt[3]{u} = u)", "ill-formed", "x^{1/3}"},
            {"||A||_2 = ||A||_F", "ill-formed", "write ||A||_F"},
            {"||2 A||_2 = 2 ||A||_F", "ill-formed", "write ||A||_F"},
            {R"(\|A\|_1 = 1)", "ill-formed", "sum(abs(A))"},
            {"||A x||_2 = ||A x||", "holds"},
            {R"(\sin^{-1} u = u)", "ill-formed", "1/sin(x)"},
            {R"(\arctan u = u)", "ill-formed", "`function f`"},
            {R"(\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} = A)", "ill-formed", "given A[i,j] ="},
            {"[u, v] = x", "ill-formed", "numbers stand behind `given`"},
        });
    // Where d is declared dA is a product, behind a line that would have differentials, too.
    lines_are("index i, j = 3\ngiven A[i,j] invertible, d, L\nclaim dL = tr(A^{-1} dA) d\n",
              {{"d(A^{-1}) = A^{-1} dA A^{-1}", "holds"}, {"dL = L d", "holds"}});
    // Names that are declared win over all of these, those below too.
    lines_are("index t\nfunction erf\ngiven where, by[t], u_v, u, v, w, w_new, ReLU, t_1\n",
              {{"where * by[t] = by[t] where", "holds"},
               {"u_v * u * v = u v u_v", "holds"},
               {"w_new - w = -(w - w_new)", "holds"},
               {"erf(u) = erf(u)", "holds"},
               {"ReLU u = u ReLU", "holds"}});
    lines_are(
        "index t = 3\ngiven h, a, x[t]\nlet s[t] = x[t] * h_a[t-1]\nlet h_a[t] = x[t] + w_new[t-1]\n"
        "let w_new[t] = s[t]\n",
        {{"ds[t]/dx[t] = h_a[t-1]", "holds"}});
}
