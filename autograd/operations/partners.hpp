// What rules call besides the public operations: functions that have one name on arrays, where they are kernels
// (kernels/), and on variables, where they record themselves, as those below do.
#pragma once

#include <autograd/kernels/exponentials.hpp>
#include <autograd/kernels/factorizations.hpp>
#include <autograd/kernels/gathers.hpp>
#include <autograd/kernels/matrices.hpp>
#include <autograd/kernels/moments.hpp>
#include <autograd/kernels/moves.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/kernels/sums.hpp>
#include <autograd/kernels/windows.hpp>
#include <autograd/operations.hpp>
#include <autograd/record.hpp>

namespace autograd {

// ---- linear partners, each the other's derivative ------------------------------------------------------------------

template <class T>
Variable<T> sum_to(Variable<T> x, const Shape& kept, const Shape& shape);
template <class T>
Variable<T> mean_to(Variable<T> x, const Shape& kept, const Shape& shape);
template <class T>
Variable<T> spread(Variable<T> x, const Shape& kept, const Shape& shape);
template <class T>
Variable<T> permute(Variable<T> x, const Shape& axes);
template <class T>
Variable<T> slice_axis(Variable<T> x, std::size_t axis, std::ptrdiff_t start, std::ptrdiff_t step, std::size_t count);
template <class T>
Variable<T> pad_axis(Variable<T> x, std::size_t axis, std::ptrdiff_t start, std::ptrdiff_t step, std::size_t length);
template <class T>
Variable<T> take_stored(Variable<T> x, const StoredIndices& indices, std::size_t axis);
template <class T>
Variable<T> scatter_stored(Variable<T> x, const StoredIndices& indices, std::size_t axis, const Shape& shape);
template <class T>
Variable<T> take_stored_along(Variable<T> x, const StoredIndices& indices, std::size_t axis);
template <class T>
Variable<T> scatter_stored_along(Variable<T> x, const StoredIndices& indices, std::size_t axis, const Shape& shape);

/// The same over all of x, as one row.
template <class T>
Variable<T> take_flat(Variable<T> x, const StoredIndices& indices);
template <class T>
Variable<T> scatter_flat(Variable<T> x, const StoredIndices& indices, const Shape& shape);

template <class T>
Variable<T> unfold_plan(Variable<T> x, const WindowPlan& plan);
template <class T>
Variable<T> fold_plan(Variable<T> x, const WindowPlan& plan);

// ---- a convolution's result, images and weight, each from the other two ------------------------------------------

template <class T>
Variable<T> convolve(Variable<T> x, Variable<T> w, const kernels::ConvolutionPlan& plan);
template <class T>
Variable<T> convolve_input(Variable<T> w, Variable<T> y, const kernels::ConvolutionPlan& plan);
template <class T>
Variable<T> convolve_weight(Variable<T> x, Variable<T> y, const kernels::ConvolutionPlan& plan);

// ---- reductions ----------------------------------------------------------------------------------------------------

/// The shapes of a reduction of an array of shape `shape`. Throws where an axis does not exist or is named twice.
kernels::Reduced reduced(const char* operation, const Shape& shape, const Axes& axes, bool keepdims);

/// x with the reduced axes side by side, as kernels want them: where others stand between, they are moved to the end.
template <class T>
void bring_together(Variable<T>& x, Shape& kept);

/// `zbar * x / z` of each row and its norm z, the limit where z is 0 or infinite: 0 where z is 0, and all of zbar for
/// the only infinite number of a row.
template <class T>
Variable<T> norm_gradient(Variable<T> x, Variable<T> z, Variable<T> zbar, const Shape& kept);

/// `1 / sqrt(variance + epsilon)` over the axes of which `kept` has a 1.
template <class T>
Variable<T> inverse_deviation(Variable<T> x, const Shape& kept, T epsilon);

/// `(g - mean(g) - u * mean(g * u)) * r` with g = zbar * w and u = (x - m) * r, the means over the axes of which m has
/// a 1.
template <class T>
Variable<T> layer_norm_gradient(Variable<T> x, Variable<T> m, Variable<T> r, Variable<T> w, Variable<T> zbar);

/// u / z, 0 where z is 0; its derivative by z is not 0 there but NaN.
template <class T>
Variable<T> over_nonzero(Variable<T> u, Variable<T> z);

/// x where mask is not 0, else y.
template <class T>
Variable<T> choose(Variable<T> mask, Variable<T> x, Variable<T> y);

/// The normal distribution's Phi(x).
template <class T>
Variable<T> normal_cdf(Variable<T> x);
/// exp(-c x^2), c being 1 or 1/2.
template <class T>
Variable<T> bell(Variable<T> x, double c);

// ---- products: a @ b, a @ transpose(b) and transpose(a) @ b, without a copy of what is transposed ------------------

template <class T>
Variable<T> times(Variable<T> a, Variable<T> b);
template <class T>
Variable<T> times_transposed(Variable<T> a, Variable<T> b);
template <class T>
Variable<T> transposed_times(Variable<T> a, Variable<T> b);
/// transpose(a) @ b of all rows, whatever the leading axes: a (..., m) and b (..., n) to (m, n).
template <class T>
Variable<T> transposed_rows_times(Variable<T> a, Variable<T> b);
template <class T>
kernels::Product<T> times(const Array<T>& a, const Array<T>& b) {
    return matmul(a, b);
}
template <class T>
kernels::Product<T> times_transposed(const Array<T>& a, const Array<T>& b) {
    return matmul(a, matrix_transpose(b));
}
template <class T>
kernels::Product<T> transposed_times(const Array<T>& a, const Array<T>& b) {
    return matmul(matrix_transpose(a), b);
}

/// `z_ij = (-1)^(i + j) det(x without row i and column j)`, the derivative of `det(x)` by x_ij.
template <class T>
Variable<T> cofactors(Variable<T> x);

// ---- rows ----------------------------------------------------------------------------------------------------------

/// For each element the product of all others of its row.
template <class T>
Variable<T> exclusive_product(Variable<T> x, const Shape& kept);
/// `zbar / ties` where x is its row's extremum z, which `ties` elements are; else 0.
template <class T>
Variable<T> share_ties(Variable<T> x, Variable<T> z, Variable<T> zbar, const Shape& kept);
/// `exp(x) / sum exp(x)` of each row; 0 where the sum is, and of a sum that one infinite number makes, its share.
template <class T>
Variable<T> share_of_exponentials(Variable<T> x, const Shape& kept);
template <class T>
Variable<T> softmax_gradient(Variable<T> z, Variable<T> zbar, std::size_t axis);
template <class T>
Variable<T> log_softmax_gradient(Variable<T> z, Variable<T> zbar, std::size_t axis);
/// `zbar * scale * (p * sum(u) - u)`, u being the targets' weights.
template <class T>
Variable<T> residual(Variable<T> p, const Targets<T>& targets, Variable<T> zbar, T scale);

}  // namespace autograd
