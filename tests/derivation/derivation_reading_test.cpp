// What stands in a line is read whole, or refused: what is skipped makes wrong lines hold.
#define BOOST_TEST_MODULE derivation_reading
#include "judged.hpp"

using derivation::LineReport;

// A bound that was skipped made wrong lines hold.
BOOST_AUTO_TEST_CASE(the_bounds_of_a_sum_are_read) {
    verdicts_are(R"(
index t, i, j : time = 4 from 1
index k : few = 2
constant N = 4, m = 2
given x[t], w
let y = sum(t, x[t]^2)
let h[t] = sum(i <= t, w * x[i])
let p[t] = prod(i >= t, x[i])
)",
                 {{R"(y = \sum_{i=1}^{4} x_i^2)", "holds"},
                  {R"(y = \sum_{i=1}^N x_i^2)", "holds"},
                  {R"(y = \sum_{i=1}^{T} x_i^2)", "holds"},
                  {R"(y = \sum_{i=1}^{n_{in}} x_i^2)", "holds"},
                  {R"(y = \sum_{i=2}^{4} x_i^2)", "wrong"},
                  {R"(y = \sum_{i=2} x_i^2)", "wrong"},
                  {R"(y = \sum_{i=2}^{T} x_i^2 + x_1^2)", "holds"},
                  {R"(y = \sum_{i=1}^{3} x_i^2)", "wrong"},
                  {R"(y = \sum_{i=1}^{3} x_i^2 + x_4^2)", "holds"},
                  {R"(y = \sum_{i=1}^{T-1} x_i^2)", "wrong"},
                  {R"(y = \sum_{i=1}^{T-1} x_i^2 + x_4^2)", "holds"},
                  {R"(y = \sum_{i=1}^{N-2} x_i^2 + x_3^2 + x_4^2)", "holds"},
                  {R"(y = \sum_{i=1}^m x_i^2)", "wrong"},
                  {R"(y = \sum_{i=1}^{time} x_i^2)", "holds"},
                  {R"(y = \sum_{i=1}^{N_h} x_i^2)", "holds"},
                  {R"(y = \sum_{i=1}^{|D|} x_i^2)", "holds"},
                  {R"(y = \sum_{i=1}^{n^{(1)}} x_i^2)", "holds"},
                  {R"(y = \sum_{i=1}^{w} x_i^2)", "holds"},
                  {R"(y = \sum_{i=-1}^{4} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=1}^{N/2} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=1}^{2N} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=1}^{N-t} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=1}^{x} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=1}^{y} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=1}^{} x_i^2)", "ill-formed"},
                  {"y^2 = sum(i, j, x[i]^2 * x[j]^2)", "holds"},
                  {"y^2 = sum(i > 1, j, x[i]^2 * x[j]^2)", "wrong"},
                  {"y^2 = sum(i > 1, j < 9, x[i]^2 * x[j]^2)", "wrong"},
                  {"(y - x[1]^2)^2 = sum(i > 1, j > 1, x[i]^2 * x[j]^2)", "holds"},
                  {"p[2] * p[3] = prod(i > 1, x[i]) * prod(i > 2, x[i])", "holds"},
                  {R"(y = \sum_{i=1}^{few} x_i^2)", "wrong"},
                  {R"(y = \sum_{i=1}^{few} x_i^2 + x_3^2 + x_4^2)", "holds"},
                  {R"(y = \sum_{i=2}^{3} x_i^2 + x_1^2 + x_4^2)", "holds"},
                  {R"(y = \sum_{i=0}^{3} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=1}^{5} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=7}^{9} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=1.5}^{4} x_i^2)", "ill-formed"},
                  {R"(h_t = \sum_{i=1}^{t} w x_i)", "holds"},
                  {R"(h_t = \sum_{i=1}^{t-1} w x_i)", "wrong"},
                  {R"(h_t = \sum_{i=1}^{t-1} w x_i + w x_t)", "holds"},
                  {R"(h_t = \sum_{i=2}^{t} w x_i)", "wrong"},
                  {R"(\sum_t h_t = \sum_{i=1}^{4} \sum_{t=i}^{4} w x_i)", "holds"},
                  {R"(\sum_t h_t = \sum_{i=1}^{4} \sum_{t=i+1}^{4} w x_i)", "wrong"},
                  {R"(\sum_t h_t = \sum_{i=1}^{4} \sum_{t=i+1}^{N} w x_i + \sum_i w x_i)", "holds"},
                  {R"(h_j - h_i = \sum_{t=i+1}^{j} w x_t - \sum_{t=j+1}^{i} w x_t)", "holds"},
                  {R"(h_j - h_i = \sum_{t=i}^{j} w x_t - \sum_{t=j}^{i} w x_t)", "wrong"},
                  {R"(p_i = x_i \prod_{j=i+1}^{T} x_j)", "holds"},
                  {R"(p_i = \prod_{j=i+1}^{T} x_j)", "wrong"},
                  {R"(p_2 = p_3 \prod_{j=2}^{2} x_j)", "holds"},
                  {R"(p_1 = p_4 \prod_{j=1}^{3} x_j)", "holds"},
                  {R"(p_1 = p_4 x_1 \prod_{j=2}^{3} x_j)", "holds"},
                  {R"(p_1 = p_4 \prod_{j=2}^{3} x_j)", "wrong"}});
    verdicts_are("index t, i = 4 from 1\nconstant T = 2, h = 2.5\ngiven x[t]\nlet y = sum(t, x[t]^2)\n",
                 {{R"(y = \sum_{i=1}^{T} x_i^2)", "wrong"},
                  {R"(y = \sum_{i=1}^T x_i^2 + x_3^2 + x_4^2)", "holds"},
                  {R"(y = \sum_{i=1}^{h} x_i^2 + x_3^2 + x_4^2)", "ill-formed"}});
    // The first of a textbook is 1, that of this range 0: the whole is what both call so.
    verdicts_are(R"(
index t, i : time = 4
given x[t]
let y = sum(t, x[t]^2)
let h[t] = sum(i <= t, x[i])
)",
                 {{R"(y = \sum_{i=1}^{T} x_i^2)", "holds"},
                  {R"(y = \sum_{i=1}^{4} x_i^2)", "holds"},
                  {R"(y = \sum_{i=0}^{3} x_i^2)", "holds"},
                  {R"(y = \sum_{i=0}^{T-1} x_i^2)", "holds"},
                  {R"(y = \sum_{i=0}^{T-2} x_i^2 + x_3^2)", "holds"},
                  {R"(y = \sum_{i=1}^{T-1} x_i^2)", "wrong"},
                  {R"(y = \sum_{i=0}^{2} x_i^2)", "wrong"},
                  {R"(y = \sum_{i=1}^{3} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=2}^{T} x_i^2)", "ill-formed"},
                  {R"(y = \sum_{i=0}^{T} x_i^2)", "ill-formed"},
                  {R"(h_t = \sum_{i=0}^{t} x_i)", "holds"},
                  {R"(h_t = \sum_{i=1}^{t} x_i)", "ill-formed"},
                  {R"(\sum_t h_t = \sum_i \sum_{t=i}^{T} x_i)", "holds"}});
}

BOOST_AUTO_TEST_CASE(numbers_are_read_whole) {
    verdicts_are("given x positive, y\n", {
                                              {"x²³ = x^23", "holds"},
                                              {"x²³ = x^8", "wrong"},
                                              {"x¹² = x^12", "holds"},
                                              {"x¹⁰ = x^10", "holds"},
                                              {"x⁻¹ = 1/x", "holds"},
                                              {"x⁻¹² y = y/x^12", "holds"},
                                              {"2³² = 4294967296", "holds"},
                                              {"x² y³ = x^2 * y^3", "holds"},
                                              {"x⁻ = x", "ill-formed"},
                                              {"x¹⁻ = x", "ill-formed"},
                                              {"1½ x = 1.5 x", "ill-formed"},
                                              {"½x² = x^2/2", "holds"},
                                              {"10 000 x = 0", "ill-formed"},
                                              {"1.5.2 x = 0.3 x", "ill-formed"},
                                              {"2 x 3 = 6 x", "holds"},
                                          });
    // They are written apart, on each side of a fraction.
    const std::string text = "given x positive\nlet y = 24/x\nclaim y = 2 / x * 3 * 4\n";
    BOOST_TEST(verdict_of(judged(derivation::rewritten(text, derivation::Notation::latex))) == "holds");
    // Each way to take a name apart was tried, for 40 s.
    const LineReport endless = judged("given x\nclaim x = " + std::string(900000, 'x') + "\n");
    BOOST_TEST(verdict_of(endless) == "ill-formed");
    BOOST_TEST(endless.reason == "a name of more than 1000 letters is not read.");
}

// What stands below a norm, in the options of a call, and between a function and its exponent was skipped.
BOOST_AUTO_TEST_CASE(nothing_that_is_written_is_skipped) {
    verdicts_are(R"(
index i, k : n = 3
index m : few = 2
given x[i], X[m,i], W[i,k]
given a
function f
)",
                 {
                     {R"(\|x\|_2 = \sqrt{\sum_i x_i^2})", "holds"},
                     {R"(\|x\|_2^2 = \sum_i x_i^2)", "holds"},
                     {R"(\|W\|_F^2 = \sum_i \sum_k W_{ik}^2)", "holds"},
                     {R"(\|x\|_1 = \sqrt{\sum_i x_i^2})", "wrong"},
                     {R"(\|x\|_1 = \sum_i |x_i|)", "holds"},
                     {R"(\|x\|_1^2 = (\sum_i |x_i|)^2)", "holds"},
                     {R"(\frac{\partial \|x\|_1}{\partial x_i} = [x_i > 0] - [x_i < 0])", "holds"},
                     {R"(\|x\|_3 = \sqrt{\sum_i x_i^2})", "ill-formed"},
                     {R"(\|x\|_{2k} = \sqrt{\sum_i x_i^2})", "ill-formed"},
                     {R"(\|x\|_\infty = \sqrt{\sum_i x_i^2})", "ill-formed"},
                     {"norm(x, ord=2) = ||x||", "holds"},
                     {"norm(x, ord=1) = sum(abs(x))", "holds"},
                     {"norm(x, ord=1) = ||x||", "wrong"},
                     {"norm(x, ord=3) = ||x||", "ill-formed"},
                     {"norm(X, axis=1) = norm(X)", "wrong"},
                     {"np.exp(X, axis=1) = exp(X)", "ill-formed"},
                     {"F.softmax(X, axis=0) = softmax(X)", "ill-formed"},
                     {"F.softmax(X, axis=1) = softmax(X)", "holds"},
                     {"F.softmax(X, axis=-1) = softmax(X)", "holds"},
                     {"F.softmax(x, axis=0) = softmax(x)", "holds"},
                     {"F.softmax(x, 1) = softmax(x)", "ill-formed"},
                     {"a^{(2)} = a^2", "ill-formed"},
                     {"a^{[2]} = a^2", "ill-formed"},
                     {"a^(2) = a^2", "holds"},
                     {"f'^2(a) = f(a)^2", "wrong"},
                     {"f'^2(a) = f'(a)^2", "holds"},
                     {"tanh'^2(a) = (1 - tanh(a)^2)^2", "holds"},
                     {"f''^2(a) = f''(a)^2", "holds"},
                 });
}

// Of d/dw c w^2 both factors are meant; where it may be one, brackets say it.
BOOST_AUTO_TEST_CASE(an_operator_reaches_over_its_product) {
    const std::string file = "index i, j = 3\ngiven w positive, c, x[i], g[j], A[i,j]\nlet E = (w - c)^2\n";
    verdicts_are(file, {
                           {R"(\frac{\partial}{\partial w} \frac12 (w-c)^2 = w - c)", "holds"},
                           {R"(\nabla_g \frac12 \|A g - x\|_2^2 = A^\top (A g - x))", "holds"},
                           {R"(\frac{d}{d g_j} \tfrac12 \|g\|_2^2 = g_j)", "holds"},
                           {R"(\nabla_g \|g\|_2^2 = 2 g)", "holds"},
                           {R"(\frac{d}{dw} c w^2 = 0)", "wrong"},
                           {R"(\frac{d}{dw} c w^2 = 2 c w)", "holds"},
                           {R"(\frac{d}{dw} w \log w = \log w)", "wrong"},
                           {R"(\frac{\partial}{\partial w} w e^{-w} = e^{-w} - w e^{-w})", "holds"},
                           {R"(\frac{d}{dw} w^2 / 2 = w)", "holds"},
                           {R"(\frac{d}{dw} w \cdot c = c)", "ill-formed"},
                           {R"(\frac{d}{dw} (w-c)(w+c) = 2 w)", "ill-formed"},
                           {R"(\frac{d}{dw} (w-c)^2 c = 1)", "ill-formed"},
                           {R"(\frac{\partial}{\partial w} E \frac{\partial E}{\partial c} = 1)", "ill-formed"},
                           {R"(\frac{d}{dw} \left( w^2 \right) c = 2 w c)", "holds"},
                           {R"(\nabla_w E \cdot 2 = 4 (w - c))", "holds"},
                       });
}
