// Sums of which two halves are added to each other, so that the error grows with the logarithm of the number of terms.
#pragma once

#include <autograd/kernels/registers.hpp>
#include <cstddef>
#include <vector>

namespace autograd::kernels {

/// The sum of value(i) for i from `first` on, n of them, as `fold` calls it: halves of long rows are added.
template <class T, class Value>
T sum_of_values(std::size_t n, const Value& value, std::size_t first = 0) {
    constexpr std::size_t block = 4096;
    if (n > block) return sum_of_values<T>(n / 2, value, first) + sum_of_values<T>(n - n / 2, value, first + n / 2);
    // In the last register of a row only its first lanes count: x - m is not 0 in the others.
    return fold(
        n, T(0), [](auto a, auto b) { return a + b; },
        [&](std::size_t i, auto... some) { return value(first + i, some...); });
}

/// Columns whose rows are added in halves at a time, and rows that are too few for halves.
inline constexpr std::size_t most_columns = 512, few_rows = 128;

/// The rows of the first half: whole parts of `few`, and no fewer than are left.
constexpr std::size_t first_half(std::size_t rows, std::size_t few) { return ((rows + 1) / 2 + few - 1) / few * few; }

/// z = sums, or z += sums, of n <= most_columns columns over `rows` rows.
/// `add(z, first row, number of rows, accumulate)` adds few.
template <class T, class Add>
void add_in_halves(T* z, std::size_t n, std::size_t first, std::size_t rows, bool accumulate, const Add& add) {
    if (rows <= few_rows) return add(z, first, rows, accumulate);
    const std::size_t half = first_half(rows, few_rows);
    T second[most_columns];
    add_in_halves(z, n, first, half, accumulate, add);
    add_in_halves(second, n, first + half, rows - half, false, add);
    for (std::size_t k = 0; k < n; ++k) z[k] += second[k];
}

/// The same for any number of columns, and rows of which `few` are added at a time. Each thread keeps the room in which
/// the largest second halves stood.
template <class T, class Add>
void add_many_in_halves(T* z, std::size_t n, std::size_t rows, std::size_t few, bool accumulate, const Add& add) {
    std::size_t halvings = 0;
    for (std::size_t count = rows; count > few; count = first_half(count, few)) ++halvings;
    thread_local std::vector<T> kept;
    if (kept.size() < halvings * n) kept.resize(halvings * n);
    const auto halves = [&](const auto& self, T* to, std::size_t first, std::size_t count, bool adds, T* room) -> void {
        if (count <= few) return add(to, first, count, adds);
        const std::size_t half = first_half(count, few);
        self(self, to, first, half, adds, room + n);
        self(self, room, first + half, count - half, false, room + n);
        for (std::size_t k = 0; k < n; ++k) to[k] += room[k];
    };
    halves(halves, z, 0, rows, accumulate, kept.data());
}

}  // namespace autograd::kernels
