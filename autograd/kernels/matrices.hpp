// Kernels that multiply matrices, and stacks of them.
#pragma once

#include <autograd/array.hpp>

namespace autograd {

namespace kernels {

/// A matrix, or the transpose of its last two axes: in a product no copy is made of it. By itself it is a kernel, too.
template <class T>
struct Matrix {
    const Array<T>& x;
    bool transposed = false;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// The product of matrices, or of stacks of matrices whose leading axes broadcast.
template <class T>
struct Product {
    Matrix<T> a, b;
    Shape shape() const;
    bool is_of_shape(ShapeView other) const;
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// transpose(a) @ b of all rows, whatever the leading axes: a (..., m) and b (..., n) to (m, n).
template <class T>
struct ProductOfRows {
    const Array<T>& a;
    const Array<T>& b;
    Shape shape() const { return {a.shape().back(), b.shape().back()}; }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// `x @ transpose(weight) + bias`, the layer of a network; `bias` may be null.
template <class T>
struct Affine {
    const Array<T>& x;
    const Array<T>& weight;
    const Array<T>* bias;
    Shape shape() const;
    bool is_of_shape(ShapeView other) const;
    void evaluate_into(Array<T>& result) const;
};

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::Matrix<T> matrix_transpose(const Array<T>& x) {
    return {x, true};
}
template <class T>
kernels::Product<T> matmul(kernels::Matrix<T> a, kernels::Matrix<T> b) {
    return {a, b};
}
template <class T>
kernels::Product<T> matmul(const Array<T>& a, const Array<T>& b) {
    return {{a}, {b}};
}
template <class T>
kernels::Product<T> matmul(kernels::Matrix<T> a, const Array<T>& b) {
    return {a, {b}};
}
template <class T>
kernels::Product<T> matmul(const Array<T>& a, kernels::Matrix<T> b) {
    return {{a}, b};
}
template <class T>
kernels::ProductOfRows<T> transposed_rows_times(const Array<T>& a, const Array<T>& b) {
    return {a, b};
}

}  // namespace autograd
