// Square matrices. Their rules are made of themselves, so that derivatives of every order follow.
#include <fmt/format.h>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <stdexcept>

namespace autograd {

// The diagonal are the numbers n + 1 apart.
template <class T>
Variable<T> trace(Variable<T> x) {
    const Shape& shape = x.shape();
    if (shape.size() != 2 || shape[0] != shape[1])
        throw std::invalid_argument(
            fmt::format("[trace] a square matrix is wanted, not an array of shape {}", to_string(shape)));
    return sum(slice(reshape(x, Shape{x.size()}), 0, 0, {}, static_cast<std::ptrdiff_t>(shape[0]) + 1));
}
UNARY(trace);

FACTS("det", "det(x)", "xbar += zbar * cofactors(x)");
template <class T>
Variable<T> det(Variable<T> x) {
    return record("det", {x}, det(x.value()),
                  [x](auto& at) { at.adjoint(x) += at.zbar() * at.evaluate(cofactors(at(x))); });
}
UNARY(det);

namespace {

/// 1 in row i, 0 elsewhere.
template <class T>
Array<T> only_row(std::size_t i, const Shape& shape) {
    Array<T> mask(shape, T(0));
    for (std::size_t j = 0; j < shape[1]; ++j) mask(i, j) = 1;
    return mask;
}

}  // namespace

// sum(zbar * z) is the sum over i of det(x with zbar's row i in the place of its own).
FACTS("cofactors", "cofactors(x)", "xbar += sum_i (1 - row_i) * cofactors((1 - row_i) * x + row_i * zbar)");
template <class T>
Variable<T> cofactors(Variable<T> x) {
    return record("cofactors", {x}, cofactors(x.value()), [x](auto& at) {
        const Shape shape = at(x).shape();
        for (std::size_t i = 0; i < shape[0]; ++i) {
            const Array<T> row = only_row<T>(i, shape), others = T(1) - row;
            const auto& exchanged = at.evaluate(at(x) * others + at.zbar() * row);
            at.adjoint(x) += at.evaluate(cofactors(exchanged)) * others;
        }
    });
}
UNARY(cofactors);

FACTS("logdet", "log(det(x))", "xbar += zbar * x^-T");
template <class T>
Variable<T> logdet(Variable<T> x) {
    return record("logdet", {x}, logdet(x.value()), [x](auto& at) {
        at.adjoint(x) += at.zbar() * at.evaluate(matrix_transpose(at.evaluate(inverse(at(x)))));
    });
}
UNARY(logdet);

FACTS("inverse", "x^-1", "xbar -= z^T @ zbar @ z^T");
template <class T>
Variable<T> inverse(Variable<T> x) {
    return record("inverse", {x}, inverse(x.value()), [x](auto& at) {
        const auto& u = at.evaluate(transposed_times(at.z(), at.zbar()));
        at.adjoint(x) += -at.evaluate(times_transposed(u, at.z()));
    });
}
UNARY(inverse);

FACTS("solve", "x^-1 @ y", "xbar -= x^-T @ zbar @ z^T; ybar += x^-T @ zbar");
template <class T>
Variable<T> solve(Variable<T> a, Variable<T> b) {
    if (b.dimension() == 1) return squeeze(solve(a, expand_dims(b, 1)), {-1});
    return record("solve", {a, b}, solve(a.value(), b.value()), [a, b](auto& at) {
        const auto& u = at.evaluate(solve(matrix_transpose(at(a)), at.zbar()));
        at.adjoint(b) += u;
        if (at.wants(a)) at.adjoint(a) += -at.evaluate(times_transposed(u, at.z()));
    });
}
BINARY(solve);

namespace {

/// 1 below the diagonal, 1/2 on it, 0 above.
template <class T>
Array<T> lower_half(const Shape& shape) {
    Array<T> mask(shape, T(0));
    for (std::size_t i = 0; i < shape[0]; ++i)
        for (std::size_t j = 0; j <= i; ++j) mask(i, j) = j < i ? T(1) : T(0.5);
    return mask;
}

}  // namespace

FACTS("cholesky", "the lower triangular z of z @ z^T = x",
      "xbar += (s + s^T) / 2, s = z^-T @ lower_half(z^T @ zbar) @ z^-1");
template <class T>
Variable<T> cholesky(Variable<T> x) {
    return record("cholesky", {x}, cholesky(x.value()), [x](auto& at) {
        const Array<T> half = lower_half<T>(at(x).shape());
        const auto& p = at.evaluate(at.evaluate(transposed_times(at.z(), at.zbar())) * half);
        const auto& u = at.evaluate(solve(matrix_transpose(at.z()), p));
        const auto& s = at.evaluate(solve(matrix_transpose(at.z()), at.evaluate(matrix_transpose(u))));
        at.adjoint(x) += T(0.5) * (s + at.evaluate(matrix_transpose(s)));
    });
}
UNARY(cholesky);

FACTS_OF_THIS_FILE(facts_of_square_matrices)

}  // namespace autograd
