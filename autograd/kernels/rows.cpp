// What is computed row by row. Rows that lie together are folded; columns of an inner axis are worked on side by side.
#include <algorithm>
#include <autograd/kernels/axis_view.hpp>
#include <autograd/kernels/expressions.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/rows.hpp>
#include <cmath>
#include <functional>
#include <numeric>

namespace autograd::kernels {

namespace {

template <class T, class F>
void reduce_columns(const AxisView& rows, const T* x, T* z, T start, F f) {
    each_block_of_columns(rows, [&](std::size_t from, std::size_t to, std::size_t count) {
        std::fill_n(z + to, count, start);
        for (std::size_t i = 0; i < rows.length; ++i)
            for (std::size_t k = 0; k < count; ++k) z[to + k] = f(z[to + k], x[from + i * rows.inner + k]);
    });
}

/// A row's extremum, or NaN where the row has one: it shows in the sums of the numbers' products with 0, as infinity
/// does. `f` is the extremum of two.
template <class T, class F>
T extremum(const T* x, std::size_t n, F f) {
    const auto of_two = [f](T a, T b) { return a != a ? a : b != b ? b : f(a, b); };
    constexpr std::size_t width = Register<T>::size;
    if (n < width) return std::accumulate(x + 1, x + n, x[0], of_two);
    const Register<T> zero(0);
    Register<T> most[4], doubt[4];
    std::fill_n(most, 4, Register<T>::load_unaligned(x));
    std::fill_n(doubt, 4, zero);
    const auto take = [&](std::size_t k, std::size_t i) {
        const auto numbers = Register<T>::load_unaligned(x + i);
        most[k] = f(most[k], numbers);
        doubt[k] = xsimd::fma(numbers, zero, doubt[k]);
    };
    std::size_t i = 0;
    for (; i + 4 * width <= n; i += 4 * width)
        for (std::size_t k = 0; k < 4; ++k) take(k, i + k * width);
    for (; i + width <= n; i += width) take(0, i);
    take(1, n - width);  // the last numbers, that may not fill a register
    const Register<T> sum = (doubt[0] + doubt[1]) + (doubt[2] + doubt[3]);
    if (!xsimd::all(sum == sum))  // xsimd 8 says with AVX-512 that NaN != NaN is false
        return std::accumulate(x + 1, x + n, x[0], of_two);
    return across(f(f(most[0], most[1]), f(most[2], most[3])), f);
}

}  // namespace

template <class T>
void Extremum<T>::evaluate_into(Array<T>& z) const {
    const T infinity = std::numeric_limits<T>::infinity();
    const AxisView rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T* xs = x.data() + o * rows.length;
            z.data()[o] = maximum ? extremum(xs, rows.length, larger) : extremum(xs, rows.length, smaller);
        }
    } else if (maximum) {
        reduce_columns(rows, x.data(), z.data(), -infinity, [](T a, T b) { return a > b || a != a ? a : b; });
    } else {
        reduce_columns(rows, x.data(), z.data(), infinity, [](T a, T b) { return a < b || a != a ? a : b; });
    }
}

template <class T>
void TiesShared<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView rows(x.shape(), kept);
    const auto share = [&](const T* xs, T extremum, T part, std::size_t n, T* xbars) {
        each_register<T>(n, [&](std::size_t i, auto... some) {
            const auto ties = load_some(xs + i, some...) == Register<T>(extremum);
            // Of a row with a NaN, nobody knows whose it is.
            const Register<T> others(extremum == extremum ? T(0) : extremum);
            store_or_add(xbars + i, xsimd::select(ties, Register<T>(part), others), accumulate, some...);
        });
    };
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T *xs = x.data() + o * rows.length, extremum = z.data()[o];
            const T ties = fold(
                rows.length, T(0), [](auto a, auto b) { return a + b; },
                [&](std::size_t i, auto... some) {
                    return xsimd::select(load_some(xs + i, some...) == Register<T>(extremum), Register<T>(1),
                                         Register<T>(0));
                });
            share(xs, extremum, zbar.data()[o] / ties, rows.length, result.data() + o * rows.length);
        }
        return;
    }
    each_block_of_columns(rows, [&](std::size_t from, std::size_t to, std::size_t count) {
        T ties[block_size];
        const T *extrema = z.data() + to, *zbars = zbar.data() + to;
        add_in_halves(ties, count, 0, rows.length, false, [&](T* sums, std::size_t first, std::size_t some, bool adds) {
            if (!adds) std::fill_n(sums, count, T(0));
            for (std::size_t i = first; i < first + some; ++i)
                for (std::size_t k = 0; k < count; ++k)
                    sums[k] += x.data()[from + i * rows.inner + k] == extrema[k] ? T(1) : T(0);
        });
        for (std::size_t i = 0; i < rows.length; ++i) {
            const T* xs = x.data() + from + i * rows.inner;
            T* xbars = result.data() + from + i * rows.inner;
            for (std::size_t k = 0; k < count; ++k) {
                const T others = extrema[k] == extrema[k] ? T(0) : extrema[k];
                store_or_add(xbars[k], xs[k] == extrema[k] ? zbars[k] / ties[k] : others, accumulate);
            }
        }
    });
}

template <class T>
void RowProduct<T>::evaluate_into(Array<T>& z) const {
    const AxisView rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o)
            z.data()[o] = fold(x.data() + o * rows.length, rows.length, T(1), std::multiplies<>());
    } else {
        reduce_columns(rows, x.data(), z.data(), T(1), std::multiplies<>());
    }
}

namespace {

/// z[i] = the product of all x but x[i]: that of all divided by x[i], or where it is 0, tiny or infinite, the product
/// of those in other lanes of registers, and of those before and behind it in its own.
template <class T>
void products_of_others(const T* x, std::size_t n, T* z) {
    constexpr std::size_t width = Register<T>::size;
    const std::size_t whole = n / width * width;
    if (const T all = fold(x, n, T(1), std::multiplies<>()); std::isnormal(all)) {
        for (std::size_t i = 0; i < n; ++i) z[i] = all / x[i];
        return;
    }
    Register<T> product(1);
    for (std::size_t i = 0; i < whole; i += width) {
        product.store_unaligned(z + i);
        product *= Register<T>::load_unaligned(x + i);
    }
    alignas(64) T lanes[2 * width], others[2 * width];  // one for each lane, and for each number behind the registers
    product.store_aligned(lanes);
    const std::size_t count = std::copy(x + whole, x + n, lanes + width) - lanes;
    T so_far = 1;
    std::fill_n(others, count, T(1));
    const auto pass = [&](std::size_t k) {
        others[k] *= so_far;
        so_far *= lanes[k];
    };
    for (std::size_t k = 0; k < count; ++k) pass(k);
    so_far = 1;
    for (std::size_t k = count; k-- > 0;) pass(k);
    std::copy(others + width, others + count, z + whole);
    product = Register<T>::load_aligned(others);
    for (std::size_t i = whole; i > 0; i -= width) {
        (product * Register<T>::load_unaligned(z + i - width)).store_unaligned(z + i - width);
        product *= Register<T>::load_unaligned(x + i - width);
    }
}

}  // namespace

template <class T>
void ExclusiveProduct<T>::evaluate_into(Array<T>& result) const {
    const AxisView rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o)
            products_of_others(x.data() + o * rows.length, rows.length, result.data() + o * rows.length);
        return;
    }
    each_block_of_columns(rows, [&](std::size_t from, std::size_t, std::size_t count) {
        // Those before each number, from the first on; then, from the last on, those behind it.
        T products[block_size];
        const auto pass = [&](std::size_t i, auto use) {
            for (std::size_t k = 0; k < count; ++k) {
                const std::size_t at = from + i * rows.inner + k;
                use(result.data()[at], products[k]);
                products[k] *= x.data()[at];
            }
        };
        std::fill_n(products, count, T(1));
        for (std::size_t i = 0; i < rows.length; ++i) pass(i, [](T& z, T before) { z = before; });
        std::fill_n(products, count, T(1));
        for (std::size_t i = rows.length; i-- > 0;) pass(i, [](T& z, T behind) { z *= behind; });
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
        const Register<T> distance = load_some(x + i, some...) - from;
        return distance * distance;
    });
}

template <class T>
T sum_of_squares(const T* x, std::size_t n) {
    constexpr std::size_t block = 4096;
    if (n > block) return sum_of_squares(x, n / 2) + sum_of_squares(x + n / 2, n - n / 2);
    return fold(n, T(0), std::plus<>(), [x](std::size_t i, auto... some) {
        const Register<T> numbers = load_some(x + i, some...);
        return numbers * numbers;
    });
}

/// The norm of n numbers that lie `step` apart, where their squares are too large or too small for T.
template <class T>
long double wide_norm(const T* x, std::size_t n, std::size_t step) {
    long double sum = 0;
    for (std::size_t i = 0; i < n * step; i += step) sum += static_cast<long double>(x[i]) * x[i];
    return std::sqrt(sum);
}

/// Whether the squares of a sum have kept their digits; not so where it is 0, perhaps of numbers that are not.
template <class T>
bool is_safe_sum_of_squares(T sum) {
    using limits = std::numeric_limits<T>;
    return std::isnan(sum) || (sum > limits::min() / limits::epsilon() && sum <= limits::max());
}

}  // namespace

template <class T>
void Norm<T>::evaluate_into(Array<T>& z) const {
    const AxisView rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T* xs = x.data() + o * rows.length;
            const T sum = sum_of_squares(xs, rows.length);
            z.data()[o] = is_safe_sum_of_squares(sum) ? std::sqrt(sum) : static_cast<T>(wide_norm(xs, rows.length, 1));
        }
        return;
    }
    const auto squares = x * x;
    Bound<T, std::decay_t<decltype(squares)>>(squares).write_rows(z.data(), kept, x.shape(), false);
    for (std::size_t o = 0; o < rows.outer; ++o)
        for (std::size_t k = 0; k < rows.inner; ++k) {
            T& value = z.data()[o * rows.inner + k];
            const T* xs = x.data() + o * rows.length * rows.inner + k;
            value = is_safe_sum_of_squares(value) ? std::sqrt(value)
                                                  : static_cast<T>(wide_norm(xs, rows.length, rows.inner));
        }
}

template <class T>
void NormGradient<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView rows(x.shape(), kept);
    const auto is_ordinary = [](T norm, T factor) {
        return std::isnan(norm) || (std::isfinite(norm) && std::isfinite(factor));
    };
    const auto limit = [&](const T* xs, T* xbars, std::size_t step, T row_zbar) {
        const long double norm = wide_norm(xs, rows.length, step);
        std::size_t infinite = 0;
        for (std::size_t i = 0; i < rows.length * step; i += step) infinite += std::isinf(xs[i]);
        for (std::size_t i = 0; i < rows.length * step; i += step) {
            T share = norm == 0 ? T(0) : static_cast<T>(xs[i] / norm);
            if (std::isinf(xs[i]) && infinite == 1) share = std::copysign(T(1), xs[i]);
            store_or_add(xbars[i], share * row_zbar, accumulate);
        }
    };
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T *xs = x.data() + o * rows.length, norm = z.data()[o], factor = zbar.data()[o] / norm;
            T* xbars = result.data() + o * rows.length;
            if (is_ordinary(norm, factor))
                each_register<T>(rows.length, [&](std::size_t i, auto... some) {
                    store_or_add(xbars + i, load_some(xs + i, some...) * Register<T>(factor), accumulate, some...);
                });
            else
                limit(xs, xbars, 1, zbar.data()[o]);
        }
        return;
    }
    each_block_of_columns(rows, [&](std::size_t from, std::size_t to, std::size_t count) {
        T factors[block_size];
        bool ordinary[block_size];
        for (std::size_t k = 0; k < count; ++k) {
            factors[k] = zbar.data()[to + k] / z.data()[to + k];
            ordinary[k] = is_ordinary(z.data()[to + k], factors[k]);
            if (!ordinary[k]) limit(x.data() + from + k, result.data() + from + k, rows.inner, zbar.data()[to + k]);
        }
        for (std::size_t i = from; i < from + rows.length * rows.inner; i += rows.inner)
            for (std::size_t k = 0; k < count; ++k)
                if (ordinary[k]) store_or_add(result.data()[i + k], x.data()[i + k] * factors[k], accumulate);
    });
}

template <class T>
void Variance<T>::evaluate_into(Array<T>& z) const {
    const AxisView rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T* xs = x.data() + o * rows.length;
            z.data()[o] = squared_distance(xs, rows.length, sum_of(xs, rows.length) / n) / c;
        }
        return;
    }
    each_block_of_columns(rows, [&](std::size_t from, std::size_t to, std::size_t count) {
        T means[block_size], squares[block_size];
        const auto sum_of_each = [&](T* sums, auto f) {
            const auto add = [&](T* to_add_to, std::size_t first, std::size_t some, bool accumulate) {
                if (!accumulate) std::fill_n(to_add_to, count, T(0));
                for (std::size_t i = first; i < first + some; ++i)
                    for (std::size_t k = 0; k < count; ++k) to_add_to[k] += f(k, x.data()[from + i * rows.inner + k]);
            };
            add_in_halves(sums, count, 0, rows.length, false, add);
        };
        sum_of_each(means, [](std::size_t, T value) { return value; });
        for (std::size_t k = 0; k < count; ++k) means[k] /= n;
        sum_of_each(squares, [&](std::size_t k, T value) { return (value - means[k]) * (value - means[k]); });
        for (std::size_t k = 0; k < count; ++k) z.data()[to + k] = squares[k] / c;
    });
}

#define INSTANTIATE(T)                   \
    template struct Extremum<T>;         \
    template struct TiesShared<T>;       \
    template struct RowProduct<T>;       \
    template struct ExclusiveProduct<T>; \
    template struct Norm<T>;             \
    template struct NormGradient<T>;     \
    template struct Variance<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
