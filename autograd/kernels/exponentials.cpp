#include <algorithm>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/exponentials.hpp>
#include <cmath>
#include <limits>
#include <tuple>

namespace autograd {

namespace {

constexpr std::size_t block_size = 512;  // numbers that are worked on at a time: they stay in the first cache

/// The last register is filled up with zeros, so that a number's result does not depend on its place.
template <class T>
void exp_in_place(T* x, std::size_t n) {
    each_register<T>(
        n, [x](std::size_t i, auto... some) { store_some(x + i, xsimd::exp(load_some(x + i, some...)), some...); });
}

/// Calls rows(first, count) for groups of rows of length n that together fill a block, and for single longer ones.
template <class F>
void in_blocks(std::size_t rows, std::size_t n, F f) {
    const std::size_t step = n >= block_size ? 1 : block_size / std::max<std::size_t>(n, 1);
    for (std::size_t first = 0; first < rows; first += step) f(first, std::min(step, rows - first));
}

template <class T>
void log_of(const T* x, T* z, std::size_t n) {
    expressions::apply(xt::math::log_fun(), n, z, x);
}

/// z = the softmax of a row that fits `lanes` of a register, and the row's maximum and the sum of its exponentials.
template <class T, class Lanes>
[[gnu::always_inline]] inline std::pair<T, T> softmax_of_register(const T* x, T* z, std::size_t n, Lanes lanes) {
    const auto is_inside = inside<T>(n);
    const Register<T> row = load_some(x, n);
    const T most =
        across(xsimd::select(is_inside, row, Register<T>(-std::numeric_limits<T>::infinity())), larger, lanes);
    const Register<T> exponentials = xsimd::select(is_inside, xsimd::exp(row - most), Register<T>(0));
    const T sum = across(exponentials, std::plus<>(), lanes);
    store_some(z, exponentials * (1 / sum), n);
    return {most, sum};
}

/// z = the softmax of rows of length n, and f(row, maximum, logarithm of the sum of the exponentials less it) for each,
/// where f is given.
template <class T, class... F>
void softmax_of_rows(const T* x, T* z, std::size_t rows, std::size_t n, F... f) {
    T most[block_size], sums[block_size];
    in_blocks(rows, n, [&](std::size_t first, std::size_t count) {
        const T* xs = x + first * n;
        T* zs = z + first * n;
        const auto in_registers = [&](auto lanes) {
            for (std::size_t r = 0; r < count; ++r)
                std::tie(most[r], sums[r]) = softmax_of_register(xs + r * n, zs + r * n, n, lanes);
        };
        if (n <= 2) {
            in_registers(std::integral_constant<std::size_t, 2>());
        } else if (n <= Register<T>::size) {
            in_registers(std::integral_constant<std::size_t, Register<T>::size>());
        } else {
            for (std::size_t r = 0; r < count; ++r) {
                most[r] = largest(xs + r * n, n);
                for (std::size_t i = r * n; i < (r + 1) * n; ++i) zs[i] = xs[i] - most[r];
            }
            exp_in_place(zs, count * n);
            for (std::size_t r = 0; r < count; ++r) {
                sums[r] = sum_of(zs + r * n, n);
                const T share = 1 / sums[r];
                for (std::size_t i = r * n; i < (r + 1) * n; ++i) zs[i] *= share;
            }
        }
        if constexpr (sizeof...(F) != 0) {
            if (count < Register<T>::size)  // too few for a register
                std::transform(sums, sums + count, sums, [](T sum) { return std::log(sum); });
            else
                log_of(sums, sums, count);
            for (std::size_t r = 0; r < count; ++r) (f(first + r, most[r], sums[r]), ...);
        }
    });
}

/// The largest number of each of `count` columns of n numbers that lie `inner` apart; of one with a NaN, any number.
template <class T>
void largest_of_columns(const T* x, std::size_t n, std::size_t inner, std::size_t count, T* most) {
    std::fill_n(most, count, -std::numeric_limits<T>::infinity());
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k < count; ++k) most[k] = std::max(most[k], x[i * inner + k]);
}

/// Columns of an inner axis, up to a block of them at a time: x and z point at the first row of `n`, which lie `inner`
/// apart.
template <class T, class F>
void exponentials_of_columns(const T* x, T* z, std::size_t n, std::size_t inner, F f) {
    T most[block_size], sums[block_size];
    for (std::size_t first = 0; first < inner; first += block_size) {
        const std::size_t count = std::min(block_size, inner - first);
        largest_of_columns(x + first, n, inner, count, most);
        std::fill_n(sums, count, T(0));
        for (std::size_t i = 0; i < n; ++i) {
            T* zs = z + i * inner + first;
            for (std::size_t k = 0; k < count; ++k) zs[k] = x[i * inner + first + k] - most[k];
            exp_in_place(zs, count);
            for (std::size_t k = 0; k < count; ++k) sums[k] += zs[k];
        }
        f(first, count, most, sums);
    }
}

}  // namespace

template <class T>
void Softmax<T>::evaluate_into(Array<T>& result, bool) const {
    const AxisView view(x.shape(), axis);
    const std::size_t n = view.length, inner = view.inner;
    if (result.size() == 0) return;
    if (inner == 1) {
        if (!logarithm) return softmax_of_rows(x.data(), result.data(), view.outer, n);
        // The row's probabilities are written first, and then its logarithms over them.
        return softmax_of_rows(x.data(), result.data(), view.outer, n, [&](std::size_t row, T most, T log_of_sum) {
            for (std::size_t i = row * n; i < (row + 1) * n; ++i) result.data()[i] = (x.data()[i] - most) - log_of_sum;
        });
    }
    for (std::size_t o = 0; o < view.outer; ++o) {
        const T* xs = x.data() + o * n * inner;
        T* zs = result.data() + o * n * inner;
        exponentials_of_columns(xs, zs, n, inner, [&](std::size_t first, std::size_t count, const T* most, T* sums) {
            if (logarithm)
                log_of(sums, sums, count);
            else
                for (std::size_t k = 0; k < count; ++k) sums[k] = 1 / sums[k];
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t k = 0; k < count; ++k) {
                    const std::size_t at = i * inner + first + k;
                    zs[at] = logarithm ? (xs[at] - most[k]) - sums[k] : zs[at] * sums[k];
                }
        });
    }
}

namespace {

template <class T>
T sum_of_exponentials(const T* x, std::size_t n, T shift) {
    if (n > block_size) {
        const std::size_t half = n / 2;
        return sum_of_exponentials(x, half, shift) + sum_of_exponentials(x + half, n - half, shift);
    }
    T block[block_size];
    for (std::size_t i = 0; i < n; ++i) block[i] = x[i] - shift;
    exp_in_place(block, n);
    return sum_of(block, n);
}

}  // namespace

template <class T>
void LogSumExp<T>::evaluate_into(Array<T>& z, bool) const {
    const Rows rows(x.shape(), kept);
    const std::size_t n = rows.length, inner = rows.inner;
    const auto finite_or_zero = [](T shift) { return std::isfinite(shift) ? shift : T(0); };
    T shifts[block_size], block[block_size];
    if (inner == 1) {
        in_blocks(rows.outer, 1, [&](std::size_t first, std::size_t count) {
            T* sums = z.data() + first;
            for (std::size_t r = 0; r < count; ++r) {
                const T* xs = x.data() + (first + r) * n;
                shifts[r] = finite_or_zero(largest(xs, n));
                sums[r] = sum_of_exponentials(xs, n, shifts[r]);
            }
            log_of(sums, sums, count);
            for (std::size_t r = 0; r < count; ++r) sums[r] += shifts[r];
        });
        return;
    }
    for (std::size_t o = 0; o < rows.outer; ++o)
        for (std::size_t first = 0; first < inner; first += block_size) {
            const std::size_t count = std::min(block_size, inner - first);
            const T* xs = x.data() + o * n * inner + first;
            T* sums = z.data() + o * inner + first;
            largest_of_columns(xs, n, inner, count, shifts);
            std::transform(shifts, shifts + count, shifts, finite_or_zero);
            std::fill_n(sums, count, T(0));
            for (std::size_t i = 0; i < n; ++i) {
                for (std::size_t k = 0; k < count; ++k) block[k] = xs[i * inner + k] - shifts[k];
                exp_in_place(block, count);
                for (std::size_t k = 0; k < count; ++k) sums[k] += block[k];
            }
            log_of(sums, sums, count);
            for (std::size_t k = 0; k < count; ++k) sums[k] += shifts[k];
        }
}

namespace {

template <class T>
void softmax_gradient_of_row(const T* z, const T* zbar, std::size_t n, T* xbar, bool accumulate) {
    T sum = 0;
    in_blocks(n, 1, [&](std::size_t from, std::size_t some) {
        sum += fold(some, T(0), std::plus<>(), [&](std::size_t i, auto... count) {
            return load_some(z + from + i, count...) * load_some(zbar + from + i, count...);
        });
    });
    each_register<T>(n, [&](std::size_t i, auto... count) {
        Register<T> value = load_some(z + i, count...) * (load_some(zbar + i, count...) - sum);
        if (accumulate) {
            value += load_some(xbar + i, count...);
            DELTARULE_BRANCH;
        }
        store_some(xbar + i, value, count...);
    });
}

}  // namespace

template <class T>
void SoftmaxGradient<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView view(z.shape(), axis);
    const std::size_t n = view.length, inner = view.inner;
    T block[block_size], sums[block_size];
    // Rows along the last axis are columns of width 1.
    for (std::size_t o = 0; o < view.outer; ++o)
        for (std::size_t first = 0; first < inner; first += block_size) {
            const std::size_t count = std::min(block_size, inner - first), start = o * n * inner + first;
            const T *zs = z.data() + start, *zbars = zbar.data() + start;
            T* xbars = result.data() + start;
            const auto add = [&](std::size_t at, T value) { xbars[at] = accumulate ? xbars[at] + value : value; };
            if (inner == 1) {
                if (!logarithm) {
                    softmax_gradient_of_row(zs, zbars, n, xbars, accumulate);
                    continue;
                }
                const T sum = sum_of(zbars, n);
                in_blocks(n, 1, [&](std::size_t from, std::size_t some) {
                    std::copy_n(zs + from, some, block);
                    exp_in_place(block, some);
                    for (std::size_t i = 0; i < some; ++i) add(from + i, zbars[from + i] - block[i] * sum);
                });
                continue;
            }
            std::fill_n(sums, count, T(0));
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t k = 0; k < count; ++k) {
                    const std::size_t at = i * inner + k;
                    sums[k] += logarithm ? zbars[at] : zbars[at] * zs[at];
                }
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t row = i * inner;
                if (logarithm) {
                    std::copy_n(zs + row, count, block);
                    exp_in_place(block, count);
                    for (std::size_t k = 0; k < count; ++k) add(row + k, zbars[row + k] - block[k] * sums[k]);
                } else {
                    for (std::size_t k = 0; k < count; ++k) add(row + k, zs[row + k] * (zbars[row + k] - sums[k]));
                }
            }
        }
}

template <class T>
void SoftmaxWithLosses<T>::evaluate_into(Array<T>& result, bool) const {
    const std::size_t n = targets.classes;
    softmax_of_rows(x.data(), result.data(), targets.rows(), n, [&](std::size_t row, T most, T log_of_sum) {
        const T* xs = x.data() + row * n;
        const auto loss = [&](std::size_t k) { return log_of_sum - (xs[k] - most); };
        if (targets.one_hot()) {
            losses[row] = loss(targets.label(row));
            return;
        }
        const T* u = targets.row(row);
        losses[row] = 0;
        for (std::size_t k = 0; k < n; ++k)
            if (u[k] != T(0)) losses[row] += u[k] * loss(k);
    });
}

template <class T>
void Losses<T>::evaluate_into(Array<T>& z, bool) const {
    if (shape_.empty()) {
        *z.data() = sum_of(losses.data(), losses.size()) * scale;
    } else {
        for (std::size_t i = 0; i < losses.size(); ++i) z.data()[i] = losses[i] * scale;
    }
}

template <class T>
void Residual<T>::evaluate_into(Array<T>& xbar, bool accumulate) const {
    const std::size_t n = targets.classes, step = zbar.dimension() == 0 ? 0 : 1;
    if (targets.one_hot() && step == 0) {
        const T factor = *zbar.data() * scale;
        const auto product = p * factor;
        expressions::Bound<T, std::decay_t<decltype(product)>>(product).write(xbar.data(), xbar.size(), accumulate);
        for (std::size_t row = 0; row < targets.rows(); ++row) xbar.data()[row * n + targets.label(row)] -= factor;
        return;
    }
    for (std::size_t row = 0; row < targets.rows(); ++row) {
        const T* ps = p.data() + row * n;
        T* xs = xbar.data() + row * n;
        const T factor = zbar.data()[row * step] * scale;
        const auto write = [&](auto value) {
            for (std::size_t k = 0; k < n; ++k) xs[k] = accumulate ? xs[k] + value(k) : value(k);
        };
        if (targets.one_hot()) {
            write([&](std::size_t k) { return ps[k] * factor; });
            xs[targets.label(row)] -= factor;
        } else {
            const T* u = targets.row(row);
            const T total = sum_of(u, n);
            // A row that does not count has no gradient, whatever its logits.
            write([&](std::size_t k) { return total == T(0) ? T(0) : (ps[k] * total - u[k]) * factor; });
        }
    }
}

template <class T>
Variable<T> residual(Variable<T> p, const Targets<T>& targets, Variable<T> zbar, T scale) {
    const std::size_t rows = targets.rows(), classes = targets.classes;
    BufferPool<T>& pool = *Reel<T>::of(p.tape()).pool;
    Array<T>& weights = *pool.take(Shape{rows, classes});
    if (targets.one_hot()) {
        weights.fill(T(0));
        for (std::size_t i = 0; i < rows; ++i) weights(i, targets.label(i)) = 1;
    } else {
        std::copy(targets.weights.begin(), targets.weights.end(), weights.data());
    }
    const Variable<T> u = p.tape().constant(weights), q = reshape(p, Shape{rows, classes});
    pool.give_back(&weights);
    const Variable<T> each = scale * (zbar.dimension() == 0 ? zbar : reshape(zbar, Shape{rows, 1}));
    if (targets.one_hot()) return reshape((q - u) * each, p.shape());
    const Variable<T> s = sum(u, {1}, true);
    return reshape(choose(s, (q * s - u) * each, T(0)), p.shape());
}

#define INSTANTIATE(T)                    \
    template struct Softmax<T>;           \
    template struct LogSumExp<T>;         \
    template struct SoftmaxGradient<T>;   \
    template struct SoftmaxWithLosses<T>; \
    template struct Losses<T>;            \
    template struct Residual<T>;          \
    template Variable<T> residual(Variable<T>, const Targets<T>&, Variable<T>, T);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
