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
