// Kernels on square matrices (n, n): elimination with pivots, and Cholesky's. All is computed in double.
#pragma once

#include <autograd/kernels/matrices.hpp>

namespace autograd {

namespace kernels {

/// The determinant, or its logarithm.
template <class T>
struct Determinant {
    const Array<T>& x;
    bool logarithm = false;
    Shape shape() const;
    void evaluate_into(Array<T>& result) const;
};

/// `(-1)^(i + j)` times the determinant without row i and column j: without a division by what may be 0.
template <class T>
struct Cofactors {
    const Array<T>& x;
    Shape shape() const;
    void evaluate_into(Array<T>& result) const;
};

template <class T>
struct Inverse {
    const Array<T>& x;
    Shape shape() const;
    void evaluate_into(Array<T>& result) const;
};

/// The z of `a @ z = b`, a matrix b.
template <class T>
struct Solution {
    Matrix<T> a;
    const Array<T>& b;
    Shape shape() const;
    void evaluate_into(Array<T>& result) const;
};

/// The lower triangular z of `z @ transpose(z) = (x + transpose(x)) / 2`.
template <class T>
struct CholeskyFactor {
    const Array<T>& x;
    Shape shape() const;
    void evaluate_into(Array<T>& result) const;
};

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::Determinant<T> det(const Array<T>& x) {
    return {x};
}
template <class T>
kernels::Determinant<T> logdet(const Array<T>& x) {
    return {x, true};
}
template <class T>
kernels::Cofactors<T> cofactors(const Array<T>& x) {
    return {x};
}
template <class T>
kernels::Inverse<T> inverse(const Array<T>& x) {
    return {x};
}
template <class T>
kernels::Solution<T> solve(const Array<T>& a, const Array<T>& b) {
    return {{a}, b};
}
template <class T>
kernels::Solution<T> solve(kernels::Matrix<T> a, const Array<T>& b) {
    return {a, b};
}
template <class T>
kernels::CholeskyFactor<T> cholesky(const Array<T>& x) {
    return {x};
}

}  // namespace autograd
