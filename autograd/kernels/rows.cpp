// What is computed row by row. Rows that lie together are folded; columns of an inner axis are worked on side by side.
#include <algorithm>
#include <autograd/kernels/axis_view.hpp>
#include <autograd/kernels/expressions.hpp>
#include <autograd/kernels/halves.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/rows.hpp>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>

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

namespace {

/// A product whose steps neither overflow nor underflow: that of the finite numbers is mantissa * 2^exponent, and those
/// of which no division is possible are counted.
template <class T>
class Factors {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    static constexpr int digits = std::numeric_limits<T>::digits - 1, bias = std::numeric_limits<T>::max_exponent - 1;
    static constexpr Bits ones = 2 * bias + 1;  // of an exponent

    static Bits exponent_bits(T x) { return std::bit_cast<Bits>(x) >> digits & ones; }
    static T mantissa_of(T x) {
        return std::bit_cast<T>((std::bit_cast<Bits>(x) & ~(ones << digits)) | Bits{bias} << digits);
    }
    static T power_of_two(std::int64_t exponent) {
        return std::bit_cast<T>(static_cast<Bits>(exponent + bias) << digits);
    }

  public:
    void multiply(T x) { change(x, 1); }

    /// Of what it was multiplied by.
    void divide(T x) { change(x, -1); }

    /// Is due after each 32 numbers.
    void normalize() {
        exponent_ += static_cast<std::int64_t>(exponent_bits(mantissa_)) - bias;
        mantissa_ = mantissa_of(mantissa_);
    }

    T value() const {
        constexpr T infinity = std::numeric_limits<T>::infinity();
        if (nans_ > 0 || (zeros_ > 0 && infinities_ > 0)) return std::numeric_limits<T>::quiet_NaN();
        if (zeros_ > 0 || infinities_ > 0) return std::copysign(zeros_ > 0 ? T(0) : infinity, mantissa_);
        if (exponent_ < -bias - digits - 1) return std::copysign(T(0), mantissa_);  // processors take long to find it
        // Both halves are powers of two that T has, and only the second product rounds.
        const std::int64_t exponent = std::min<std::int64_t>(exponent_, 2 * bias), half = exponent / 2;
        return mantissa_ * power_of_two(half) * power_of_two(exponent - half);
    }

  private:
    void change(T x, int by) {
        auto exponent = static_cast<std::int64_t>(exponent_bits(x)) - bias;
        if (exponent == -bias || exponent > bias) {
            int shift = 0;
            if (x == 0 || !std::isfinite(x)) {
                (x == 0 ? zeros_ : std::isinf(x) ? infinities_ : nans_) += by;
                x = std::copysign(T(1), x);
            } else {
                x = 2 * std::frexp(x, &shift);
                --shift;
            }
            exponent = shift;
        }
        exponent_ += by * exponent;
        mantissa_ = by > 0 ? mantissa_ * mantissa_of(x) : mantissa_ / mantissa_of(x);
    }

    T mantissa_ = 1;
    std::int64_t exponent_ = 0;
    std::ptrdiff_t zeros_ = 0, infinities_ = 0, nans_ = 0;
};

/// A product, and the smallest on the way to it: where that has not all digits, the product has not.
template <class T>
struct WatchedProduct {
    Register<T>& least;
    T& least_of_few;

    Register<T> operator()(const Register<T>& a, const Register<T>& b) const {
        const Register<T> product = a * b;
        least = xsimd::min(least, xsimd::abs(product));
        return product;
    }
    T operator()(T a, T b) const {
        const T product = a * b;
        least_of_few = std::min(least_of_few, std::abs(product));
        return product;
    }
};

template <class T>
bool is_safe_product(T product, T least) {
    return std::isnormal(product) && least >= std::numeric_limits<T>::min();
}

/// The product of n numbers that lie together; nothing where a step to it overflows or underflows.
template <class T>
std::optional<T> safe_product(const T* x, std::size_t n) {
    Register<T> least(1);
    T least_of_few = 1, product = 1;
    const WatchedProduct<T> multiply{least, least_of_few};
    if (n < Register<T>::size) {
        product = fold(x, n, T(1), multiply);
    } else {
        product = fold(n, T(1), multiply, [x](std::size_t i, auto... count) {
            if constexpr (sizeof...(count) == 0)
                return Register<T>::load_unaligned(x + i);
            else
                return xsimd::select(inside<T>(count...), load_some(x + i, count...), Register<T>(1));
        });
        least_of_few = across(least, smaller);
    }
    return is_safe_product(product, least_of_few) ? std::optional(product) : std::nullopt;
}

/// The product of n numbers that lie `step` apart.
template <class T>
Factors<T> factors_of(const T* x, std::size_t n, std::size_t step) {
    constexpr std::size_t block = 128, most = 32;  // most: between two normalizations
    Factors<T> factors;
    for (std::size_t begin = 0; begin < n; begin += block) {
        const T* some = x + begin * step;
        const std::size_t count = std::min(block, n - begin);
        if (const auto product = step == 1 ? safe_product(some, count) : std::nullopt) {
            factors.multiply(*product);
        } else {
            for (std::size_t i = 0; i < count; ++i) {
                factors.multiply(some[i * step]);
                if (i % most == most - 1) factors.normalize();
            }
        }
        factors.normalize();
    }
    return factors;
}

/// For each of n numbers that lie `step` apart the product of all others.
template <class T>
void products_of_others(const T* x, std::size_t n, std::size_t step, T* z) {
    const Factors<T> all = factors_of(x, n, step);
    for (std::size_t i = 0; i < n * step; i += step) {
        Factors<T> others = all;
        others.divide(x[i]);
        z[i] = others.value();
    }
}

/// Calls f(the first column, where its result is, their products, whether they are safe, number of columns) for blocks
/// of columns.
template <class T, class F>
void each_block_of_products(const AxisView& rows, const T* x, F f) {
    each_block_of_columns(rows, [&](std::size_t from, std::size_t to, std::size_t count) {
        T products[block_size], least[block_size];
        std::fill_n(products, count, T(1));
        std::fill_n(least, count, T(1));
        for (std::size_t i = 0; i < rows.length; ++i)
            for (std::size_t k = 0; k < count; ++k) {
                products[k] *= x[from + i * rows.inner + k];
                least[k] = std::abs(products[k]) < least[k] ? std::abs(products[k]) : least[k];
            }
        bool safe[block_size];
        for (std::size_t k = 0; k < count; ++k) safe[k] = is_safe_product(products[k], least[k]);
        f(from, to, products, safe, count);
    });
}

}  // namespace

template <class T>
void RowProduct<T>::evaluate_into(Array<T>& z) const {
    const AxisView rows(x.shape(), kept);
    const auto product_of = [&](const T* xs) { return factors_of(xs, rows.length, rows.inner).value(); };
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T* xs = x.data() + o * rows.length;
            const auto product = safe_product(xs, rows.length);
            z.data()[o] = product ? *product : product_of(xs);
        }
        return;
    }
    each_block_of_products(rows, x.data(), [&](auto from, auto to, const T* products, const bool* safe, auto count) {
        for (std::size_t k = 0; k < count; ++k)
            z.data()[to + k] = safe[k] ? products[k] : product_of(x.data() + from + k);
    });
}

template <class T>
void ExclusiveProduct<T>::evaluate_into(Array<T>& result) const {
    const AxisView rows(x.shape(), kept);
    const auto take_others = [&](std::size_t from) {
        products_of_others(x.data() + from, rows.length, rows.inner, result.data() + from);
    };
    if (rows.inner == 1) {
        for (std::size_t from = 0; from < x.size(); from += rows.length)
            if (const auto product = safe_product(x.data() + from, rows.length))
                for (std::size_t i = from; i < from + rows.length; ++i) result.data()[i] = *product / x.data()[i];
            else
                take_others(from);
        return;
    }
    each_block_of_products(rows, x.data(), [&](auto from, auto, const T* products, const bool* safe, auto count) {
        for (std::size_t i = from; i < from + rows.length * rows.inner; i += rows.inner)
            for (std::size_t k = 0; k < count; ++k) result.data()[i + k] = products[k] / x.data()[i + k];
        for (std::size_t k = 0; k < count; ++k)
            if (!safe[k]) take_others(from + k);
    });
}

namespace {

template <class T>
T sum_of_squares(const T* x, std::size_t n) {
    return sum_of_values<T>(n, [x](std::size_t i, auto... some) {
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
            prefetch_behind(xs, rows.length, x.size());
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
    const auto is_ordinary = [](T norm, T row_zbar) {
        const T factor = row_zbar / norm;
        return std::isnan(norm) || std::isnan(row_zbar) ||
               (std::isfinite(norm) && (std::isnormal(factor) || (factor == 0 && row_zbar == 0)));
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
            if (is_ordinary(norm, zbar.data()[o]))
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
            ordinary[k] = is_ordinary(z.data()[to + k], zbar.data()[to + k]);
            if (!ordinary[k]) limit(x.data() + from + k, result.data() + from + k, rows.inner, zbar.data()[to + k]);
        }
        for (std::size_t i = from; i < from + rows.length * rows.inner; i += rows.inner)
            for (std::size_t k = 0; k < count; ++k)
                if (ordinary[k]) store_or_add(result.data()[i + k], x.data()[i + k] * factors[k], accumulate);
    });
}

#define INSTANTIATE(T)                   \
    template struct Extremum<T>;         \
    template struct TiesShared<T>;       \
    template struct RowProduct<T>;       \
    template struct ExclusiveProduct<T>; \
    template struct Norm<T>;             \
    template struct NormGradient<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
