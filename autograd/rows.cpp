// What is computed row by row. Rows that lie together are folded; columns of an inner axis are worked on side by side.
#include <algorithm>
#include <autograd/kernels.hpp>
#include <autograd/registers.hpp>
#include <cmath>
#include <functional>

namespace autograd {

Rows::Rows(ShapeView shape, ShapeView kept) {
    std::size_t i = 0;
    const auto reduced = [&](std::size_t axis) { return kept[axis] != shape[axis]; };
    for (; i < shape.size() && !reduced(i); ++i) outer *= shape[i];
    for (; i < shape.size() && (reduced(i) || shape[i] == 1); ++i) length *= shape[i];
    for (; i < shape.size(); ++i) inner *= shape[i];
}

namespace {

constexpr std::size_t block_size = 512;  // columns that are worked on at a time: they stay in the first cache

/// Calls f(offset of the first element of x, offset of the first result, number of columns) block by block.
template <class F>
void each_block(const Rows& rows, F f) {
    for (std::size_t o = 0; o < rows.outer; ++o)
        for (std::size_t n = 0; n < rows.inner; n += block_size)
            f(o * rows.length * rows.inner + n, o * rows.inner + n, std::min(block_size, rows.inner - n));
}

template <class T, class F>
void reduce_columns(const Rows& rows, const T* x, T* z, T start, F f) {
    each_block(rows, [&](std::size_t from, std::size_t to, std::size_t count) {
        std::fill_n(z + to, count, start);
        for (std::size_t i = 0; i < rows.length; ++i)
            for (std::size_t k = 0; k < count; ++k) z[to + k] = f(z[to + k], x[from + i * rows.inner + k]);
    });
}

template <class T>
bool has_nan(const T* x, std::size_t n) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) count += x[i] != x[i];
    return count != 0;
}

}  // namespace

template <class T>
void Extremum<T>::evaluate_into(Array<T>& z, bool) const {
    const T infinity = std::numeric_limits<T>::infinity();
    const Rows rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T* xs = x.data() + o * rows.length;
            const T extremum = maximum ? largest(xs, rows.length) : smallest(xs, rows.length);
            z.data()[o] = has_nan(xs, rows.length) ? std::numeric_limits<T>::quiet_NaN() : extremum;
        }
    } else if (maximum) {
        reduce_columns(rows, x.data(), z.data(), -infinity, [](T a, T b) { return a > b || a != a ? a : b; });
    } else {
        reduce_columns(rows, x.data(), z.data(), infinity, [](T a, T b) { return a < b || a != a ? a : b; });
    }
}

template <class T>
void TiesShared<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const Rows rows(x.shape(), kept);
    const auto share = [&](const T* xs, T extremum, T part, std::size_t n, T* xbars) {
        for (std::size_t i = 0; i < n; ++i) {
            const T value = xs[i] == extremum ? part : T(0);
            xbars[i] = accumulate ? xbars[i] + value : value;
        }
    };
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T *xs = x.data() + o * rows.length, extremum = z.data()[o];
            const auto ties = static_cast<T>(std::count(xs, xs + rows.length, extremum));
            share(xs, extremum, zbar.data()[o] / ties, rows.length, result.data() + o * rows.length);
        }
        return;
    }
    each_block(rows, [&](std::size_t from, std::size_t to, std::size_t count) {
        T ties[block_size] = {};
        const T *extrema = z.data() + to, *zbars = zbar.data() + to;
        for (std::size_t i = 0; i < rows.length; ++i)
            for (std::size_t k = 0; k < count; ++k)
                ties[k] += x.data()[from + i * rows.inner + k] == extrema[k] ? T(1) : T(0);
        for (std::size_t i = 0; i < rows.length; ++i) {
            const T* xs = x.data() + from + i * rows.inner;
            T* xbars = result.data() + from + i * rows.inner;
            for (std::size_t k = 0; k < count; ++k) {
                const T value = xs[k] == extrema[k] ? zbars[k] / ties[k] : T(0);
                xbars[k] = accumulate ? xbars[k] + value : value;
            }
        }
    });
}

template <class T>
void RowProduct<T>::evaluate_into(Array<T>& z, bool) const {
    const Rows rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o)
            z.data()[o] = fold(x.data() + o * rows.length, rows.length, T(1), std::multiplies<>());
    } else {
        reduce_columns(rows, x.data(), z.data(), T(1), std::multiplies<>());
    }
}

template <class T>
void ExclusiveProduct<T>::evaluate_into(Array<T>& result, bool) const {
    const Rows rows(x.shape(), kept);
    if (rows.inner == 1) {
        // Several rows at a time: a product waits for the one before it.
        constexpr std::size_t group = 8;
        for (std::size_t first = 0; first < rows.outer; first += group) {
            const std::size_t count = std::min(group, rows.outer - first), n = rows.length;
            const T* xs = x.data() + first * n;
            T* zs = result.data() + first * n;
            T products[group];
            std::fill_n(products, count, T(1));
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t k = 0; k < count; ++k) {
                    zs[k * n + i] = products[k];
                    products[k] *= xs[k * n + i];
                }
            std::fill_n(products, count, T(1));
            for (std::size_t i = n; i-- > 0;)
                for (std::size_t k = 0; k < count; ++k) {
                    zs[k * n + i] *= products[k];
                    products[k] *= xs[k * n + i];
                }
        }
        return;
    }
    each_block(rows, [&](std::size_t from, std::size_t, std::size_t count) {
        T products[block_size];
        std::fill_n(products, count, T(1));
        for (std::size_t i = 0; i < rows.length; ++i)
            for (std::size_t k = 0; k < count; ++k) {
                result.data()[from + i * rows.inner + k] = products[k];
                products[k] *= x.data()[from + i * rows.inner + k];
            }
        std::fill_n(products, count, T(1));
        for (std::size_t i = rows.length; i-- > 0;)
            for (std::size_t k = 0; k < count; ++k) {
                result.data()[from + i * rows.inner + k] *= products[k];
                products[k] *= x.data()[from + i * rows.inner + k];
            }
    });
}

namespace {

template <class T>
T squared_distance(const T* x, std::size_t n, T from) {
    constexpr std::size_t block = 4096;
    if (n > block) return squared_distance(x, n / 2, from) + squared_distance(x + n / 2, n - n / 2, from);
    // Not std::plus: what lies beyond the end is 0 in x, but not in x - from.
    const auto add = [](auto a, auto b) { return a + b; };
    return fold(n, T(0), add, [x, from](std::size_t i, auto... some) {
        Register<T> value;
        if constexpr (sizeof...(some) == 0)
            value = Register<T>::load_unaligned(x + i) - from;
        else
            value = load_some(x + i, some...) - from;
        return value * value;
    });
}

}  // namespace

template <class T>
void Norm<T>::evaluate_into(Array<T>& z, bool) const {
    const Rows rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o)
            z.data()[o] = std::sqrt(squared_distance(x.data() + o * rows.length, rows.length, T(0)));
        return;
    }
    const auto squares = x * x;
    expressions::evaluate(z.data(), kept, x.shape(), expressions::Bound<T, std::decay_t<decltype(squares)>>(squares),
                          false);
    for (T& value : z) value = std::sqrt(value);
}

template <class T>
void Variance<T>::evaluate_into(Array<T>& z, bool) const {
    const Rows rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T* xs = x.data() + o * rows.length;
            z.data()[o] = squared_distance(xs, rows.length, sum_of(xs, rows.length) / n) / c;
        }
        return;
    }
    each_block(rows, [&](std::size_t from, std::size_t to, std::size_t count) {
        T means[block_size] = {}, squares[block_size] = {};
        const auto each = [&](auto f) {
            for (std::size_t i = 0; i < rows.length; ++i)
                for (std::size_t k = 0; k < count; ++k) f(k, x.data()[from + i * rows.inner + k]);
        };
        each([&](std::size_t k, T value) { means[k] += value; });
        for (std::size_t k = 0; k < count; ++k) means[k] /= n;
        each([&](std::size_t k, T value) { squares[k] += (value - means[k]) * (value - means[k]); });
        for (std::size_t k = 0; k < count; ++k) z.data()[to + k] = squares[k] / c;
    });
}

#define INSTANTIATE(T)                   \
    template struct Extremum<T>;         \
    template struct TiesShared<T>;       \
    template struct RowProduct<T>;       \
    template struct ExclusiveProduct<T>; \
    template struct Norm<T>;             \
    template struct Variance<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
