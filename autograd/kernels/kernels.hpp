// The computations that are not elementwise, each a small struct that says its shape and evaluates into an array
// (`Kernel`, record.hpp). The same kernel gives an operation's value and, in the rule of its partner, a gradient.
#pragma once

#include <autograd/record.hpp>

namespace autograd {

/// An axis with what lies before and behind it: element (o, i, n) is at (o * length + i) * inner + n.
struct AxisView {
    std::size_t outer = 1, length = 1, inner = 1;
    AxisView(const Shape& shape, std::size_t axis) {
        for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
        length = shape[axis];
        for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
    }
};

/// Stored integers with their shape, as the rules of gathers keep them.
struct StoredIndices {
    std::span<const std::int32_t> values;  ///< half as wide as they are given: gathers read less
    Shape shape;
};

/// Sums the axes along which `kept` has a 1; the result has `kept`'s elements and the shape `shape_`.
template <class T>
struct SumTo {
    const Array<T>& x;
    Shape kept, shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// The same sums, divided by n.
template <class T>
struct Mean {
    const Array<T>& x;
    Shape kept, shape_;
    T n;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool) const;
};

/// Repeats x, seen as an array of shape `kept`, along the axes of length 1.
template <class T>
struct Spread {
    const Array<T>& x;
    Shape kept, shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// Axis i of the result is axis `axes[i]` of x.
template <class T>
struct Permuted {
    const Array<T>& x;
    Shape axes;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// Elements start, start + step, ... of an axis, `count` of them.
template <class T>
struct Sliced {
    const Array<T>& x;
    std::size_t axis;
    std::ptrdiff_t start, step;
    std::size_t count;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// The partner of `Sliced`: x at start, start + step, ... of an axis of length `length`, zeros elsewhere.
template <class T>
struct Padded {
    const Array<T>& x;
    std::size_t axis;
    std::ptrdiff_t start, step;
    std::size_t length;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// `x[..., indices, ...]` along an axis.
template <class T>
struct Taken {
    const Array<T>& x;
    StoredIndices indices;
    std::size_t axis;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// The partner of `Taken`: zeros of `shape_`, to which x is added at the indices; repeated ones add up.
template <class T>
struct ScatterAdded {
    const Array<T>& x;
    StoredIndices indices;
    std::size_t axis;
    Shape shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// One element per position of `indices`, whose shape is the result's.
template <class T>
struct TakenAlong {
    const Array<T>& x;
    StoredIndices indices;
    std::size_t axis;
    const Shape& shape() const { return indices.shape; }
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

template <class T>
struct ScatterAddedAlong {
    const Array<T>& x;
    StoredIndices indices;
    std::size_t axis;
    Shape shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

template <class T>
struct Concatenated {
    std::span<const Array<T>* const> parts;
    std::size_t axis;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// A matrix, or the transpose of its last two axes, that no copy is made of.
template <class T>
struct Matrix {
    const Array<T>& x;
    bool transposed = false;
};
template <class T>
Matrix<T> matrix_transpose(const Array<T>& x) {
    return {x, true};
}

/// The product of matrices, or of stacks of matrices whose leading axes broadcast; BLAS does it.
template <class T>
struct Product {
    Matrix<T> a, b;
    Shape shape() const;
    bool is_of_shape(ShapeView other) const;
    void evaluate_into(Array<T>& result, bool accumulate) const;
};
template <class T>
Product<T> matmul(const Array<T>& a, const Array<T>& b) {
    return {{a}, {b}};
}
template <class T>
Product<T> matmul(Matrix<T> a, const Array<T>& b) {
    return {a, {b}};
}
template <class T>
Product<T> matmul(const Array<T>& a, Matrix<T> b) {
    return {{a}, b};
}

/// `x @ transpose(weight) + bias`, the layer of a network; `bias` may be null.
template <class T>
struct Affine {
    const Array<T>& x;
    const Array<T>& weight;
    const Array<T>* bias;
    Shape shape() const;
    bool is_of_shape(ShapeView other) const;
    void evaluate_into(Array<T>& result, bool accumulate) const;
};

/// An array as rows that are reduced: element i of a row is at (o * length + i) * inner + n. `kept` is its shape with a
/// 1 in the place of the reduced axes, which stand side by side.
struct Rows {
    std::size_t outer = 1, length = 1, inner = 1;
    Rows(ShapeView shape, ShapeView kept);
};

/// The largest number of each row, or the smallest; of a row with a NaN, NaN.
template <class T>
struct Extremum {
    bool maximum;
    const Array<T>& x;
    Shape kept, shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& z, bool) const;
};

/// `zbar / ties` where x is its row's extremum z, which `ties` elements are; else 0.
template <class T>
struct TiesShared {
    const Array<T>&x, &z, &zbar;
    Shape kept;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate) const;
};

/// The product of each row.
template <class T>
struct RowProduct {
    const Array<T>& x;
    Shape kept, shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& z, bool) const;
};

/// For each element the product of all others of its row.
template <class T>
struct ExclusiveProduct {
    const Array<T>& x;
    Shape kept;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& z, bool) const;
};

/// `sqrt(sum x^2)` of each row.
template <class T>
struct Norm {
    const Array<T>& x;
    Shape kept, shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& z, bool) const;
};

/// `sum((x - m)^2) / c` of each row of n elements, m being their mean.
template <class T>
struct Variance {
    const Array<T>& x;
    Shape kept, shape_;
    T n, c;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& z, bool) const;
};

// The names by which rules call them on arrays.
template <class T>
SumTo<T> sum_to(const Array<T>& x, const Shape& kept, const Shape& shape) {
    return {x, kept, shape};
}
template <class T>
Spread<T> spread(const Array<T>& x, const Shape& kept, const Shape& shape) {
    return {x, kept, shape};
}
template <class T>
Permuted<T> permute(const Array<T>& x, const Shape& axes) {
    return {x, axes};
}
template <class T>
Sliced<T> slice_axis(const Array<T>& x, std::size_t axis, std::ptrdiff_t start, std::ptrdiff_t step,
                     std::size_t count) {
    return {x, axis, start, step, count};
}
template <class T>
Padded<T> pad_axis(const Array<T>& x, std::size_t axis, std::ptrdiff_t start, std::ptrdiff_t step, std::size_t length) {
    return {x, axis, start, step, length};
}
template <class T>
Taken<T> take_stored(const Array<T>& x, const StoredIndices& indices, std::size_t axis) {
    return {x, indices, axis};
}
template <class T>
ScatterAdded<T> scatter_stored(const Array<T>& x, const StoredIndices& indices, std::size_t axis, const Shape& shape) {
    return {x, indices, axis, shape};
}
template <class T>
TakenAlong<T> take_stored_along(const Array<T>& x, const StoredIndices& indices, std::size_t axis) {
    return {x, indices, axis};
}
template <class T>
ScatterAddedAlong<T> scatter_stored_along(const Array<T>& x, const StoredIndices& indices, std::size_t axis,
                                          const Shape& shape) {
    return {x, indices, axis, shape};
}
template <class T>
ExclusiveProduct<T> exclusive_product(const Array<T>& x, const Shape& kept) {
    return {x, kept};
}
template <class T>
TiesShared<T> share_ties(const Array<T>& x, const Array<T>& z, const Array<T>& zbar, const Shape& kept) {
    return {x, z, zbar, kept};
}
/// x's elements under another shape, as an expression: nothing is copied.
template <class T>
auto reshape(const Array<T>& x, const Shape& shape) {
    return xt::adapt(x.data(), x.size(), xt::no_ownership(), shape);
}

}  // namespace autograd
