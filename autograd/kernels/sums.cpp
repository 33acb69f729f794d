#include <algorithm>
#include <autograd/kernels/expressions.hpp>
#include <autograd/kernels/halves.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/sums.hpp>
#include <cmath>
#include <functional>

namespace autograd::kernels {

template <class T>
T sum_of(const T* x, std::size_t n) {
    constexpr std::size_t block = 4096;
    if (n <= block) return fold(x, n, T(0), std::plus<>());
    const std::size_t half = (n / 2 + block - 1) / block * block;
    return sum_of(x, half) + sum_of(x + half, n - half);
}

namespace {

/// z = row + row + ..., or z += that, for a few rows of n numbers that lie `step` apart.
template <class T>
void add_few_rows(T* z, const T* x, std::size_t n, std::size_t step, std::size_t rows, bool accumulate) {
    constexpr std::size_t width = Register<T>::size;
    if (n < width && step == n) {
        // What a register holds beyond a row is not stored.
        Register<T> even = load_some(z, accumulate ? n : 0), odd(0);
        const auto row = [&](std::size_t r) {
            const std::size_t left = (rows - r) * n;
            return left >= width ? Register<T>::load_unaligned(x + r * n) : load_some(x + r * n, left);
        };
        std::size_t r = 0;
        for (; r + 2 <= rows; r += 2) {
            even += row(r);
            odd += row(r + 1);
        }
        if (r < rows) even += row(r);
        return store_some(z, even + odd, n);
    }
    for (std::size_t count = 0; rows > 0 || !accumulate; rows -= count, x += count * step, accumulate = true) {
        count = std::min(rows, std::size_t{32});  // these stay in the first cache
        const auto add = [&](std::size_t j, auto... some) {
            Register<T> even(0), odd(0);
            std::size_t r = 0;
            for (; r + 2 <= count; r += 2) {
                even += load_some(x + r * step + j, some...);
                odd += load_some(x + (r + 1) * step + j, some...);
            }
            if (r < count) {
                even += load_some(x + r * step + j, some...);
                DELTARULE_BRANCH;
            }
            store_or_add(z + j, even + odd, accumulate, some...);
        };
        std::size_t j = 0;
        for (; j + width <= n; j += width) add(j);
        if (j < n) add(j, n - j);
    }
}

/// Calls f(first column, number of columns) for blocks of columns; for all of them at once where rows are few.
template <class F>
void each_block_to_add(std::size_t n, std::size_t rows, F f) {
    const std::size_t together = rows <= few_rows ? n : most_columns;
    for (std::size_t j = 0; j < n; j += together) f(j, std::min(together, n - j));
}

/// The same for any number of rows that lie one behind the other.
template <class T>
void add_rows(T* z, const T* x, std::size_t n, std::size_t rows, bool accumulate) {
    if (rows <= few_rows) return add_few_rows(z, x, n, n, rows, accumulate);
    each_block_to_add(n, rows, [&](std::size_t j, std::size_t count) {
        add_in_halves(z + j, count, 0, rows, accumulate, [&](T* to, std::size_t first, std::size_t some, bool adds) {
            add_few_rows(to, x + first * n + j, count, n, some, adds);
        });
    });
}

}  // namespace

// Several short rows are evaluated at a time; halves of long ones are added.
template <class T>
void sum_each_row(T* z, const ExpressionRows<T>& expression, RowStarts<T> row, std::size_t n, const bool* along,
                  std::size_t rows, const Steps& steps) {
    constexpr std::size_t block = 512;
    const std::size_t count = row.size(), half = (n / 2 + block - 1) / block * block;
    const auto advance = [&](RowStarts<T>& by_rows, std::size_t times) {
        for (std::size_t k = 0; k < count; ++k) by_rows[k] += times * steps[k];
    };
    if (expression.is_array) {
        for (std::size_t r = 0; r < rows; ++r) {
            const T* xs = row[0] + r * steps[0];
            prefetch_behind(xs, n, rows * n);
            z[r * steps[count]] += sum_of(xs, n);
        }
        return;
    }
    if (n > block) {
        for (std::size_t r = 0; r < rows; ++r, z += steps[count], advance(row, 1)) {
            RowStarts<T> right = row;
            for (std::size_t k = 0; k < count; ++k)
                if (!along || along[k]) right[k] += half;
            T halves[2] = {0, 0};
            sum_each_row(halves, expression, row, half, along, 1, steps);
            sum_each_row(halves + 1, expression, right, n - half, along, 1, steps);
            *z += halves[0] + halves[1];
        }
        return;
    }
    T values[block];
    Steps to_values = steps;
    to_values[count] = n;
    const std::size_t together = block / n;
    for (std::size_t r = 0; r < rows; r += together, advance(row, together)) {
        const std::size_t some = std::min(together, rows - r);
        expression.write(expression.expression, values, row.data(), n, false, along, some, to_values.data());
        for (std::size_t i = 0; i < some; ++i, z += steps[count]) *z += sum_of(values + i * n, n);
    }
}

template <class T>
void add_rows(T* z, const ExpressionRows<T>& expression, std::size_t n, std::size_t rows, bool accumulate) {
    if (expression.is_array) return add_rows(z, expression.data[0], n, rows, accumulate);
    const RowStarts<T> row(expression.data.begin(), expression.data.end());
    Steps steps(row.size() + 1, n);
    steps.back() = 0;
    add_each_row(z, expression, row, n, accumulate, nullptr, rows, steps);
}

template <class T>
void add_each_row(T* z, const ExpressionRows<T>& expression, const RowStarts<T>& row, std::size_t n, bool accumulate,
                  const bool* along, std::size_t rows, const Steps& steps) {
    const auto write = [&](T* to, const RowStarts<T>& from, std::size_t columns, bool adds, std::size_t some) {
        expression.write(expression.expression, to, from.data(), columns, adds, along, some, steps.data());
    };
    each_block_to_add(n, rows, [&](std::size_t j, std::size_t count) {
        add_in_halves(z + j, count, 0, rows, accumulate, [&](T* to, std::size_t first, std::size_t some, bool adds) {
            RowStarts<T> from = row;
            const auto advance = [&](std::size_t by) {
                for (std::size_t k = 0; k < from.size(); ++k) from[k] += by * steps[k];
            };
            for (std::size_t k = 0; k < from.size(); ++k)
                if (!along || along[k]) from[k] += j;
            advance(first);
            if (!adds) {  // the first row is assigned
                write(to, from, count, false, 1);
                if (--some == 0) return;
                advance(1);
            }
            write(to, from, count, true, some);
        });
    });
}

template <class T>
bool sum_leading_axes(T* z, ShapeView kept, const Array<T>& x, bool accumulate) {
    const std::size_t n = size_of(kept);
    const std::size_t rows = n > 1 && kept.size() <= x.dimension() ? leading_rows(kept, x.shape()) : 0;
    if (rows != 0) add_rows(z, x.data(), n, rows, accumulate);
    return rows != 0;
}

template <class T>
void SumTo<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (result.size() == 1)
        return void(*result.data() = sum_of(x.data(), x.size()) + (accumulate ? *result.data() : T(0)));
    if (!sum_leading_axes(result.data(), kept, x, accumulate))
        Bound<T, Array<T>>(x).write_rows(result.data(), kept, x.shape(), accumulate);
}

// A sum that is not finite is made again of smaller numbers: the mean of finite numbers is finite.
template <class T>
void Mean<T>::evaluate_into(Array<T>& result) const {
    const SumTo<T> sums{*this, x};
    sums.evaluate_into(result);
    if (std::all_of(result.data(), result.data() + result.size(), [](T sum) { return std::isfinite(sum); })) {
        std::for_each_n(result.data(), result.size(), [&](T& sum) { sum /= n; });
        return;
    }
    int exponent = 0;
    std::frexp(n, &exponent);
    const T share = std::ldexp(T(1), -exponent);
    const Array<T> shares = x * share;
    Array<T> means(result.shape());
    SumTo<T>{*this, shares}.evaluate_into(means);
    for (std::size_t i = 0; i < result.size(); ++i) {
        T& sum = result.data()[i];
        sum = std::isfinite(sum) ? sum / n : means.data()[i] / (n * share);
    }
}

template <class T>
void Spread<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (const std::size_t rows = x.size() > 1 ? leading_rows(kept, shape_) : 0) {
        for (std::size_t r = 0, n = x.size(); r < rows; ++r)
            copy_or_add(x.data(), result.data() + r * n, n, accumulate);
        return;
    }
    Bound<T, Array<T>> bound(x);
    bound.shapes[0] = kept;
    bound.write_rows(result.data(), shape_, shape_, accumulate);
}

#define INSTANTIATE(T)                                                                                            \
    template T sum_of(const T*, std::size_t);                                                                     \
    template void sum_each_row(T*, const ExpressionRows<T>&, RowStarts<T>, std::size_t, const bool*, std::size_t, \
                               const Steps&);                                                                     \
    template void add_rows(T*, const ExpressionRows<T>&, std::size_t, std::size_t, bool);                         \
    template void add_each_row(T*, const ExpressionRows<T>&, const RowStarts<T>&, std::size_t, bool, const bool*, \
                               std::size_t, const Steps&);                                                        \
    template bool sum_leading_axes(T*, ShapeView, const Array<T>&, bool);                                         \
    template struct SumTo<T>;                                                                                     \
    template struct Mean<T>;                                                                                      \
    template struct Spread<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
