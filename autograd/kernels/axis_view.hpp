// An axis of an array, or several that stand side by side, with what lies before and behind.
#pragma once

#include <algorithm>
#include <autograd/array.hpp>

namespace autograd::kernels {

/// Element (o, i, n) is at (o * length + i) * inner + n, i being the position along the axis. Where `inner` is 1 the
/// numbers along it lie together, a row; else they are the columns of a matrix, and columns are worked on side by side.
struct AxisView {
    std::size_t outer = 1, length = 1, inner = 1;

    AxisView(ShapeView shape, std::size_t axis)
        : outer(size_of(shape.first(axis))), length(shape[axis]), inner(size_of(shape.subspan(axis + 1))) {}

    /// The axes that are reduced: `kept` is the shape with a 1 in the place of each.
    AxisView(ShapeView shape, ShapeView kept) {
        std::size_t i = 0;
        const auto reduced = [&](std::size_t axis) { return kept[axis] != shape[axis]; };
        for (; i < shape.size() && !reduced(i); ++i) outer *= shape[i];
        for (; i < shape.size() && (reduced(i) || shape[i] == 1); ++i) length *= shape[i];
        for (; i < shape.size(); ++i) inner *= shape[i];
    }
};

/// Columns, or numbers, that are worked on at a time: they stay in the first cache.
inline constexpr std::size_t block_size = 512;

/// Calls f(where the block's first number is, where its first result is, number of columns) for blocks of columns that
/// lie side by side; a column has one result.
template <class F>
void each_block_of_columns(const AxisView& view, F f) {
    for (std::size_t o = 0; o < view.outer; ++o)
        for (std::size_t n = 0; n < view.inner; n += block_size)
            f(o * view.length * view.inner + n, o * view.inner + n, std::min(block_size, view.inner - n));
}

}  // namespace autograd::kernels
