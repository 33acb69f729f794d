// Sums, added pairwise or in blocks, so that their error grows with the logarithm of their length; and their partner.
#pragma once

#include <autograd/kernels/broadcast.hpp>

namespace autograd {

namespace kernels {

/// The shapes of a reduction's result: `kept` is the array's with a 1 in the place of every reduced axis, `shape_` the
/// result's, which has as many elements and may be without those axes.
struct Reduced {
    Shape kept, shape_;
    const Shape& shape() const { return shape_; }
};

template <class T>
struct SumTo : Reduced {
    const Array<T>& x;
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// How many elements make one of the result.
template <class T>
T count_of(ShapeView shape, ShapeView kept) {
    std::size_t count = 1;
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (kept[i] == 1) count *= shape[i];
    return static_cast<T>(count);
}

/// The same sums, divided by n, of which no step overflows.
template <class T>
struct Mean : Reduced {
    const Array<T>& x;
    T n;
    void evaluate_into(Array<T>& result) const;
};

/// The partner of `SumTo`: repeats x, seen as an array of shape `kept`, along the axes of length 1.
template <class T>
struct Spread {
    const Array<T>& x;
    Shape kept, shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// The sum of n numbers that lie together: registers of running sums, and halves of long rows added as NumPy does, so
/// that the error grows with log n instead of n.
template <class T>
T sum_of(const T* x, std::size_t n);

/// z += the sum of each row of n numbers of an expression, where `along` is as for ExpressionRows::write: rows lie
/// `steps` apart, and z's numbers `steps.back()`.
template <class T>
void sum_each_row(T* z, const ExpressionRows<T>& expression, RowStarts<T> row, std::size_t n, const bool* along,
                  std::size_t rows, const Steps& steps);

/// z = row + row + ..., or z += that, for rows of n numbers of an expression that no array repeats in.
template <class T>
void add_rows(T* z, const ExpressionRows<T>& expression, std::size_t n, std::size_t rows, bool accumulate);

/// The same for rows that lie `steps` apart, where `along` is as for ExpressionRows::write.
template <class T>
void add_each_row(T* z, const ExpressionRows<T>& expression, const RowStarts<T>& row, std::size_t n, bool accumulate,
                  const bool* along, std::size_t rows, const Steps& steps);

/// z = x, or z += x, summed over leading axes to the shape `kept`, where that is all there is to do; false where it is
/// not.
template <class T>
bool sum_leading_axes(T* z, ShapeView kept, const Array<T>& x, bool accumulate);

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::SumTo<T> sum_to(const Array<T>& x, const Shape& kept, const Shape& shape) {
    return {{kept, shape}, x};
}
template <class T>
kernels::Mean<T> mean_to(const Array<T>& x, const Shape& kept, const Shape& shape) {
    return {{kept, shape}, x, kernels::count_of<T>(x.shape(), kept)};
}
template <class T>
kernels::Spread<T> spread(const Array<T>& x, const Shape& kept, const Shape& shape) {
    return {x, kept, shape};
}

}  // namespace autograd
