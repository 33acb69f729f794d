// Kernels that read, or add to, elements at stored indices.
#pragma once

#include <autograd/array.hpp>

namespace autograd {

/// Stored integers with their shape, as the rules of gathers keep them.
struct StoredIndices {
    std::span<const std::int32_t> values;  ///< half as wide as they are given: gathers read less
    Shape shape;
};

namespace kernels {

/// `x[..., indices, ...]` along an axis.
template <class T>
struct Taken {
    const Array<T>& x;
    StoredIndices indices;
    std::size_t axis;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// The partner of `Taken`: zeros of `shape_`, to which x is added at the indices; repeated ones add up.
template <class T>
struct ScatterAdded {
    const Array<T>& x;
    StoredIndices indices;
    std::size_t axis;
    Shape shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// One element per position of `indices`, whose shape is the result's.
template <class T>
struct TakenAlong {
    const Array<T>& x;
    StoredIndices indices;
    std::size_t axis;
    const Shape& shape() const { return indices.shape; }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// The partner of `TakenAlong`.
template <class T>
struct ScatterAddedAlong {
    const Array<T>& x;
    StoredIndices indices;
    std::size_t axis;
    Shape shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// x's elements at the indices, counted over all of x; the result has the indices' shape.
template <class T>
struct TakenFlat {
    const Array<T>& x;
    StoredIndices indices;
    const Shape& shape() const { return indices.shape; }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// The partner of `TakenFlat`.
template <class T>
struct ScatterAddedFlat {
    const Array<T>& x;
    StoredIndices indices;
    Shape shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::Taken<T> take_stored(const Array<T>& x, const StoredIndices& indices, std::size_t axis) {
    return {x, indices, axis};
}
template <class T>
kernels::ScatterAdded<T> scatter_stored(const Array<T>& x, const StoredIndices& indices, std::size_t axis,
                                        const Shape& shape) {
    return {x, indices, axis, shape};
}
template <class T>
kernels::TakenAlong<T> take_stored_along(const Array<T>& x, const StoredIndices& indices, std::size_t axis) {
    return {x, indices, axis};
}
template <class T>
kernels::ScatterAddedAlong<T> scatter_stored_along(const Array<T>& x, const StoredIndices& indices, std::size_t axis,
                                                   const Shape& shape) {
    return {x, indices, axis, shape};
}
template <class T>
kernels::TakenFlat<T> take_flat(const Array<T>& x, const StoredIndices& indices) {
    return {x, indices};
}
template <class T>
kernels::ScatterAddedFlat<T> scatter_flat(const Array<T>& x, const StoredIndices& indices, const Shape& shape) {
    return {x, indices, shape};
}

}  // namespace autograd
