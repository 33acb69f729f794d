// Kernels that move elements, one to one.
#pragma once

#include <autograd/array.hpp>

namespace autograd {

namespace kernels {

/// Axis i of the result is axis `axes[i]` of x.
template <class T>
struct Permuted {
    const Array<T>& x;
    Shape axes;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// Elements start, start + step, ... of an axis, `count` of them.
template <class T>
struct Sliced {
    const Array<T>& x;
    std::size_t axis;
    std::ptrdiff_t start, step;
    std::size_t count;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// The partner of `Sliced`: x at start, start + step, ... of an axis of length `length`, zeros elsewhere.
template <class T>
struct Padded {
    const Array<T>& x;
    std::size_t axis;
    std::ptrdiff_t start, step;
    std::size_t length;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// The parts one behind the other along an axis.
template <class T>
struct Concatenated {
    std::span<const Array<T>* const> parts;
    std::size_t axis;
    Shape shape() const;
    void evaluate_into(Array<T>& result) const;
};

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::Permuted<T> permute(const Array<T>& x, const Shape& axes) {
    return {x, axes};
}
template <class T>
kernels::Sliced<T> slice_axis(const Array<T>& x, std::size_t axis, std::ptrdiff_t start, std::ptrdiff_t step,
                              std::size_t count) {
    return {x, axis, start, step, count};
}
template <class T>
kernels::Padded<T> pad_axis(const Array<T>& x, std::size_t axis, std::ptrdiff_t start, std::ptrdiff_t step,
                            std::size_t length) {
    return {x, axis, start, step, length};
}
/// x's elements under another shape, as an expression: nothing is copied.
template <class T>
auto reshape(const Array<T>& x, const Shape& shape) {
    return xt::adapt(x.data(), x.size(), xt::no_ownership(), shape);
}

}  // namespace autograd
