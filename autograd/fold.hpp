// Many numbers combined into one by an operation whose order does not matter.
#pragma once

#include <autograd/array.hpp>
#include <limits>

namespace autograd {

/// `f(... f(f(start, x[0]), x[1]) ..., x[n - 1])` in another order: several registers for a long row, four numbers at a
/// time for a short one, so that no step waits for the one before. `f` takes registers and numbers alike.
template <class T, class F>
T fold(const T* x, std::size_t n, T start, F f) {
    using Batch = xsimd::batch<T>;
    constexpr std::size_t registers = 4;
    constexpr std::ptrdiff_t width = Batch::size;
    const T* const end = x + n;
    T a = start, b = start, c = start, d = start;
    if (end - x >= 2 * width) {
        Batch parts[registers] = {Batch(start), Batch(start), Batch(start), Batch(start)};
        for (; end - x >= static_cast<std::ptrdiff_t>(registers) * width; x += registers * width)
            for (std::size_t k = 0; k < registers; ++k)
                parts[k] = f(parts[k], Batch::load_unaligned(x + static_cast<std::ptrdiff_t>(k) * width));
        for (; end - x >= width; x += width) parts[0] = f(parts[0], Batch::load_unaligned(x));
        alignas(64) T lanes[width];
        f(f(parts[0], parts[1]), f(parts[2], parts[3])).store_aligned(lanes);
        for (std::ptrdiff_t half = width / 2; half > 0; half /= 2)
            for (std::ptrdiff_t k = 0; k < half; ++k) lanes[k] = f(lanes[k], lanes[k + half]);
        a = lanes[0];
    }
    for (; end - x >= 4; x += 4) {
        a = f(a, x[0]);
        b = f(b, x[1]);
        c = f(c, x[2]);
        d = f(d, x[3]);
    }
    for (; x != end; ++x) a = f(a, *x);
    return f(f(a, b), f(c, d));
}

/// The largest number; of a row with a NaN among it, any of its numbers.
template <class T>
T largest(const T* x, std::size_t n) {
    return fold(x, n, -std::numeric_limits<T>::infinity(), [](auto a, auto b) {
        using std::max, xsimd::max;
        return max(a, b);
    });
}

}  // namespace autograd
