// Lines as NumPy and PyTorch are typed: what is read, right and wrong, and what is said where nothing is.
#define BOOST_TEST_MODULE derivation_numpy
#include "judged.hpp"

namespace {

struct Line {
    std::string line, verdict;
    std::string says = {};  ///< a part of the sentence
};

void lines_are(const std::string& declarations, const std::vector<Line>& lines) {
    for (const Line& one : lines) {
        const derivation::LineReport line = expect(declarations + "claim " + one.line + "\n", one.verdict);
        BOOST_TEST((line.reason.find(one.says) != std::string::npos), one.line << ": " << line.reason);
    }
}

const std::string arrays = R"(
index i, j : features = 3
index k : units = 4
index s, r : batch = 5
given X[s,i], g[i], h[i], c[s], d[s], b[k], A[i,j], u
)";

}  // namespace

BOOST_AUTO_TEST_CASE(shapes_are_broadcast_as_numpys_are) {
    // On the right what comes out has its letters; these were written down by hand.
    const std::vector<std::pair<std::string, std::string>> lets = {
        {"X * g", "X[s,i] * g[i]"},
        {"g * X", "X[s,i] * g[i]"},
        {"g ⊙ X", "X[s,i] * g[i]"},
        {"X / g", "X[s,i] / g[i]"},
        {"g / X", "g[i] / X[s,i]"},
        {"X - g", "X[s,i] - g[i]"},
        {"g - X - h", "g[i] - X[s,i] - h[i]"},
        {"h + g + X", "X[s,i] + g[i] + h[i]"},
        {"np.maximum(g, X)", "max(g[i], X[s,i])"},
        {"np.where(X > g, X, g)", "max(g[i], X[s,i])"},
        {"X * c[:, None]", "X[s,i] * c[s]"},
        {"c.reshape(-1, 1) + X", "X[s,i] + c[s]"},
        {"X - g[None, :]", "X[s,i] - g[i]"},
        {"g.unsqueeze(0) - c.unsqueeze(-1)", "g[i] - c[s]"},
        {"c[:, np.newaxis] * g", "c[s] * g[i]"},
        {"g * c[:, None]", "c[s] * g[i]"},
        {"c[:, None] @ g[None, :]", "c[s] * g[i]"},
        {"X - X.mean(axis=1, keepdims=True)", "X[s,i] - mean(j, X[s,j])"},
        {"X - mean(X, axis=1, keepdims=True)", "X[s,i] - mean(j, X[s,j])"},
        {"X - X.mean(0, keepdim=True)", "X[s,i] - mean(r, X[r,i])"},
        {"X - X.mean(keepdims=True)", "X[s,i] - mean(r, j, X[r,j])"},
        {"X + torch.logsumexp(X, dim=1, keepdim=True)", "X[s,i] + log(sum(j, exp(X[s,j])))"},
        {"X / np.linalg.norm(X, ord=1, axis=1, keepdims=True)", "X[s,i] / sum(j, abs(X[s,j]))"},
        {"X * g.sum(axis=0, keepdims=True)", "X[s,i] * sum(j, g[j])"},
    };
    for (const auto& [typed, means] : lets) {
        expect(arrays + "let Z = " + typed + "\nclaim Z[s,i] = " + means + "\n", "holds");
        expect(arrays + "let Z = " + typed + "\nclaim Z[s,i] = " + means + " + X[s,i]\n", "wrong");
    }
}

BOOST_AUTO_TEST_CASE(an_axis_that_is_kept_stays) {
    const std::string lets = arrays + "let m = X.sum(axis=1, keepdims=True)\nlet n = X.sum(axis=0, keepdims=True)\n" +
                             "let P = X / m\nlet L = sum(P * n)\n";
    lines_are(lets, {
                        {"P[s,i] = X[s,i] / sum(j, X[s,j])", "holds"},
                        {"m[s] = sum(i, X[s,i])", "holds"},
                        {"m = X.sum(axis=1)", "holds"},
                        {"X.sum(1) = m", "holds"},
                        {"n = X.sum(axis=0)", "holds"},
                        {"n = 1_s^T X", "holds"},
                        {"P.sum(axis=1) = 1_s", "holds"},
                        {"P.sum(axis=1) = m", "wrong"},
                        {"m.sum(axis=0) = sum(X)", "holds"},
                        {"m.sum(axis=1) = m", "holds"},
                        {"m * n = m @ n", "holds"},
                        {"m.T @ X = X.sum(axis=1).T X", "holds"},
                        {"X @ n.T = X n^T", "holds"},
                        {"m + n = X", "wrong"},
                        {"dL/dn = P.sum(axis=0)", "holds"},
                        {"dL/dn = P.sum(axis=0, keepdims=True)", "holds"},
                        {"dL/dn = P.sum(axis=1)", "ill-formed", "The shape is (batch)"},
                        {"m + c = c", "ill-formed", "NumPy makes a matrix of them"},
                        {"softmax(m) = m", "ill-formed", "softmax takes"},
                        {"m[:, None] = m", "ill-formed", "a new axis is given to vectors"},
                    });
}

BOOST_AUTO_TEST_CASE(what_may_be_rows_or_columns_is_asked_for) {
    lines_are(arrays, {
                          {"X * c = X", "ill-formed", "a number for each row is x[:, None]"},
                          {"X + c = X", "ill-formed", "a number for each row is x[:, None]"},
                          {"X * b = X", "ill-formed", "do not fit"},
                          {"c * d[:, None] = c", "ill-formed", "NumPy makes a matrix of them"},
                          {"A * g = A", "ill-formed", "its rows or for its columns"},
                          {"g * A = A", "ill-formed", "its rows or for its columns"},
                          {"A / g = A", "ill-formed", "its rows or for its columns"},
                          {"A * g[None, :] = A diag(g)", "holds"},
                          {"A * g[:, None] = diag(g) A", "holds"},
                          {"A * g[:, None] = A diag(g)", "wrong"},
                          {"X[:, 0] = c", "ill-formed", "write it with letters"},
                          {"X[1:] = X", "ill-formed", "write it with letters"},
                          {"X[:, None, :] = X", "ill-formed", "x[:, None] and x[None, :]"},
                          {"u[:, None] = u", "ill-formed", "a new axis is given to vectors"},
                          {"X.sum(axis=1, keepdims=1) = c", "ill-formed", "True or False"},
                          {"sum(X, axis=1, keepdims=True, dtype=float) = c", "ill-formed", "dtype is not read"},
                          {"X.reshape(3, 5) = X", "ill-formed", "x[:, None] and x[None, :]"},
                      });
    // A declared name wins.
    lines_are("index None = 3\ngiven x[None]\n", {{"x[None] = x[None]", "holds"}, {"x[None] = 1", "wrong"}});
}
