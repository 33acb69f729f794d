// Lines as NumPy and PyTorch are typed: what is read, right and wrong, and what is said where nothing is.
#define BOOST_TEST_MODULE derivation_numpy
#include "judged.hpp"

namespace {

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

BOOST_AUTO_TEST_CASE(functions_of_the_libraries_mean_what_they_do_there) {
    const std::string declarations =
        "index i, j : n = 3\nindex k = 4\nindex s = 5\ngiven x[i], w[i], W[k,i], A[i,j] invertible, B[i,j], X[s,i], u, "
        "lo\nlet z = W x\n";
    lines_are(
        declarations,
        {
            {"np.clip(u, 0, 1) = [u > 0] * [u < 1] * u + [u >= 1]", "holds"},
            {"np.clip(u, 0, 1) = [u > 0] * u", "wrong"},
            {"d(np.clip(u, 0, 1))/du = [u > 0] * [u < 1]", "holds"},
            {"x.clip(max=lo) = np.minimum(x, lo)", "holds"},
            {"torch.clamp(x, min=lo, max=lo + 1) = np.maximum(np.minimum(x, lo + 1), lo)", "holds"},
            {"torch.clamp(x) = x", "ill-formed", "clip takes one bound or two"},
            {"np.clip(x, 0, 1, 2) = x", "ill-formed", "two bounds"},
            {"np.clip(x, 0, min=1) = x", "ill-formed", "twice"},
            {"np.eye(3) = I_i", "ill-formed", "eye takes a letter"},
            {"np.eye(i) = I_i", "holds"},
            {"np.inner(A, B) = A B", "ill-formed", "A @ B.T"},
            {"np.inner(x, w) = x @ w", "holds"},
            {"np.vdot(A, B) = tr(A^T B)", "holds"},
            {"np.vdot(A, B) = tr(A B)", "wrong"},
            {"<A, B> = tr(A^T B)", "holds"},
            {"<A, x> = x", "ill-formed", "two arrays of one shape"},
            {R"(\langle x, w \rangle_M = 1)", "ill-formed", "<X, Y>_F of matrices"},
            {"d(<A, B>)/dA = B", "holds"},
            {"d(<A, B>)/dA = B^T", "wrong"},
            {"np.einsum('ij,jk->ik', A, B) = A @ B", "holds"},
            {"np.einsum('ij,jk->ik', A, B) = B @ A", "wrong"},
            {"np.einsum('ij,kj->ik', A, B) = A @ B.T", "holds"},
            {"np.einsum('ij->ji', A) = A.T", "holds"},
            {"np.einsum('ii->', A) = tr(A)", "holds"},
            {"np.einsum('si,ki->sk', X, W) = X @ W.T", "holds"},
            {"np.einsum('i,j->ij', x, z) = outer(x, z)", "holds"},
            {"np.einsum('i,j->ji', x, z) = outer(z, x)", "holds"},
            {"np.einsum('i,j->ji', x, z) = outer(x, z)", "ill-formed"},
            {"np.einsum('ij,jk', A, B) = A @ B", "ill-formed", "an arrow"},
            {"np.einsum('...j,jk->...k', A, B) = A @ B", "ill-formed", "an arrow"},
            {"np.einsum('ij,jk->iz', A, B) = A @ B", "ill-formed", "an arrow"},
            {"np.einsum('ij->iji', A) = A", "ill-formed", "an arrow"},
            {"np.einsum('ij,jk->ik', A) = A", "ill-formed", "2 arrays, and 1 stands"},
            {"np.einsum('ij,jk->ik', W, W) = W", "ill-formed", "stands for the ranges"},
            {"np.einsum('i->i', A) = A", "ill-formed", "for what has the shape"},
            {"np.einsum(ij, A) = A", "ill-formed", "an arrow"},
            {"np.einsum('ij, A) = A", "ill-formed", "never closed"},
            {"np.linalg.slogdet(A)[1] = logdet(A)", "holds"},
            {"np.linalg.slogdet(A) = logdet(A)", "ill-formed", "slogdet(A)[1]"},
            {"np.linalg.slogdet(A)[0] = 1", "ill-formed", "slogdet(A)[1]"},
            {"np.linalg.norm(A) = ||A||_F", "holds"},
            {"np.linalg.norm(A, 2) = ||A||_F", "ill-formed", "largest singular value"},
            {"np.linalg.norm(A, ord=1) = abs(A).sum()", "ill-formed", "largest singular value"},
            {"np.linalg.norm(x, 1) = abs(x).sum()", "holds"},
            {"torch.norm(x, p=2) = ||x||", "holds"},
            {"np.diag(A) = 1_i", "wrong"},
            {"np.diag(W) = x", "ill-formed", "diag takes"},
            {"np.var(X, axis=0) = np.mean(X**2, axis=0) - np.mean(X, axis=0)**2", "holds"},
            {"np.var(X, axis=1) = np.mean(X**2, axis=0)", "ill-formed"},
            {"np.std(x)**2 = np.var(x)", "holds"},
            {"(X - X.mean(1, keepdims=True)) / np.std(X, axis=1, keepdims=True) = (X - mean(X, axis=1)[:, None]) / "
             "torch.std(X, dim=1, unbiased=False, keepdim=True)",
             "holds"},
            {"torch.var(x) = np.var(x)", "ill-formed", "unbiased=False"},
            {"np.var(x, ddof=1) = np.var(x)", "ill-formed", "unbiased=False"},
            {"x.var() = np.var(x)", "ill-formed", "n - 1 in PyTorch"},
            {"X.shape[0] = 5", "holds"},
            {"len(X) * X.shape[1] = 15", "holds"},
            {"X.shape[2] = 5", "ill-formed", "size(k)"},
            {"(W x).shape[0] = 4", "ill-formed", "size(k)"},
            {"np.sum(X, axis=(0, 1)) = X.sum()", "ill-formed", "one number"},
            {"np.cumsum(x) = x", "ill-formed", "sum(i <= t, x[i])"},
            {"x.argmax() = 1", "ill-formed", "max(k, z[k])"},
            {"np.cos(np.pi) = -1", "holds"},
            {"(W @ x)[k] = z[k]", "holds"},
            {"(W @ x)[i] = z[i]", "ill-formed"},
            {"(W @ x)[k,i] = z[k]", "ill-formed", "2 letters stand here"},
            {"sum(k, (W @ x)[k]^2) = ||z||^2", "holds"},
            {"(x[i] + x)[j] = x[j]", "ill-formed", "whole arrays stand beside"},
        });
    // Declared names win.
    lines_are("index i\nfunction clip, einsum, len\ngiven x[i], tan, cosh\nlet y[i] = clip(x[i])\n",
              {{"dy[i]/dx[i] = clip'(x[i])", "holds"},
               {"einsum(x[i]) = einsum(x[i])", "holds"},
               {"len(x[i]) = 3", "wrong"},
               {"tan cosh = cosh * tan", "holds"}});
}
