#include <fmt/format.h>
#include <algorithm>
#include <autograd/kernels/axis_view.hpp>
#include <autograd/kernels/halves.hpp>
#include <autograd/kernels/moments.hpp>
#include <autograd/kernels/registers.hpp>
#include <cmath>
#include <stdexcept>

namespace autograd::kernels {

namespace {

template <class T>
T squared_distance(const T* x, std::size_t n, T from) {
    return sum_of_values<T>(n, [x, from](std::size_t i, auto... some) {
        const Register<T> distance = load_some(x + i, some...) - from;
        return distance * distance;
    });
}

// The mean and the variance of n numbers that lie `step` apart, where their sum or that of their squares overflows T.
template <class T>
long double wide_mean(const T* x, std::size_t n, std::size_t step) {
    long double sum = 0;
    for (std::size_t i = 0; i < n * step; i += step) sum += x[i];
    return sum / static_cast<long double>(n);
}
template <class T>
T wide_variance(const T* x, std::size_t n, std::size_t step, T c) {
    const long double mean = wide_mean(x, n, step);
    long double squares = 0;
    for (std::size_t i = 0; i < n * step; i += step) squares += (x[i] - mean) * (x[i] - mean);
    return static_cast<T>(squares / c);
}

}  // namespace

template <class T>
void Variance<T>::evaluate_into(Array<T>& z) const {
    const AxisView rows(x.shape(), kept);
    if (rows.inner == 1) {
        for (std::size_t o = 0; o < rows.outer; ++o) {
            const T* xs = x.data() + o * rows.length;
            prefetch_behind(xs, rows.length, x.size());
            T& value = z.data()[o] = squared_distance(xs, rows.length, sum_of(xs, rows.length) / n) / c;
            if (!std::isfinite(value)) value = wide_variance(xs, rows.length, 1, c);
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
        for (std::size_t k = 0; k < count; ++k) {
            const T value = squares[k] / c;
            z.data()[to + k] =
                std::isfinite(value) ? value : wide_variance(x.data() + from + k, rows.length, rows.inner, c);
        }
    });
}

namespace {

/// Of n numbers that lie together: their mean, and 1 / sqrt(variance + epsilon).
template <class T>
struct Moments {
    T mean, inverse_deviation;

    Moments(const T* x, std::size_t n, T epsilon) {
        const T count = static_cast<T>(n);
        mean = sum_of(x, n) / count;
        T variance = squared_distance(x, n, mean) / count;
        if (!std::isfinite(variance)) {
            variance = wide_variance(x, n, 1, count);
            if (std::isinf(variance))
                throw std::overflow_error(fmt::format(
                    "[layer_norm] the squares of a row of {} numbers overflow: its numbers are too large", n));
            mean = static_cast<T>(wide_mean(x, n, 1));
        }
        inverse_deviation = 1 / std::sqrt(variance + epsilon);
    }
};

}  // namespace

template <class T>
void InverseDeviation<T>::evaluate_into(Array<T>& z) const {
    const std::size_t rows = z.size(), n = rows == 0 ? 0 : x.size() / rows;
    for (std::size_t i = 0; i < rows; ++i) z.data()[i] = Moments<T>(x.data() + i * n, n, epsilon).inverse_deviation;
}

template <class T>
void LayerNorm<T>::evaluate_into(Array<T>& z) const {
    const std::size_t n = w.size(), rows = x.size() / n;
    const T *weights = w.data(), *biases = b.data();
    for (std::size_t i = 0; i < rows; ++i) {
        const T* xs = x.data() + i * n;
        T* zs = z.data() + i * n;
        const Moments<T> row(xs, n, epsilon);
        const Register<T> m(row.mean), r(row.inverse_deviation);
        each_register<T>(n, [&](std::size_t k, auto... some) {
            const Register<T> u = (load_some(xs + k, some...) - m) * r;
            store_some(zs + k, u * load_some(weights + k, some...) + load_some(biases + k, some...), some...);
        });
    }
}

template <class T>
void LayerNormGradient<T>::evaluate_into(Array<T>& xbar, bool accumulate) const {
    const std::size_t n = w.size(), rows = x.size() / n;
    const T *weights = w.data(), count = static_cast<T>(n);
    for (std::size_t i = 0; i < rows; ++i) {
        const T *xs = x.data() + i * n, *zbars = zbar.data() + i * n;
        T* xbars = xbar.data() + i * n;
        const Register<T> mean(m.data()[i]), scale(r.data()[i]);
        const auto g = [&](std::size_t k, auto... some) {
            return load_some(zbars + k, some...) * load_some(weights + k, some...);
        };
        const auto u = [&](std::size_t k, auto... some) { return (load_some(xs + k, some...) - mean) * scale; };
        const auto gu = [&](std::size_t k, auto... some) { return g(k, some...) * u(k, some...); };
        const Register<T> of_g(sum_of_values<T>(n, g) / count), of_gu(sum_of_values<T>(n, gu) / count);
        each_register<T>(n, [&](std::size_t k, auto... some) {
            store_or_add(xbars + k, (g(k, some...) - of_g - u(k, some...) * of_gu) * scale, accumulate, some...);
        });
    }
}

#define INSTANTIATE(T)                   \
    template struct Variance<T>;         \
    template struct InverseDeviation<T>; \
    template struct LayerNorm<T>;        \
    template struct LayerNormGradient<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
