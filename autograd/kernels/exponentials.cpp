#include <algorithm>
#include <autograd/kernels/axis_view.hpp>
#include <autograd/kernels/exponentials.hpp>
#include <autograd/kernels/expressions.hpp>
#include <autograd/kernels/halves.hpp>
#include <autograd/kernels/registers.hpp>
#include <cmath>
#include <limits>
#include <tuple>

namespace autograd::kernels {

namespace {

/// The last register is filled up with zeros, so that a number's result does not depend on its place.
template <class T>
void exp_in_place(T* x, std::size_t n) {
    each_register<T>(
        n, [x](std::size_t i, auto... some) { store_some(x + i, xsimd::exp(load_some(x + i, some...)), some...); });
}

template <class T>
void log_in_place(T* x, std::size_t n) {
    apply(xt::math::log_fun(), n, x, x);
}

/// Calls f(first, count) for groups of rows of length n that together fill a block, and for single longer ones.
template <class F>
void in_blocks(std::size_t rows, std::size_t n, F f) {
    const std::size_t step = n >= block_size ? 1 : block_size / std::max<std::size_t>(n, 1);
    for (std::size_t first = 0; first < rows; first += step) f(first, std::min(step, rows - first));
}

// ---- the softmax of rows: z, and each row's maximum and the sum of its exponentials less that ----------------------

/// A row that fits `lanes` of a register.
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

/// Longer rows: the exponentials of several in one loop.
template <class T>
void softmax_of_long_rows(const T* x, T* z, std::size_t rows, std::size_t n, T* most, T* sums) {
    for (std::size_t r = 0; r < rows; ++r) {
        most[r] = largest(x + r * n, n);
        for (std::size_t i = r * n; i < (r + 1) * n; ++i) z[i] = x[i] - most[r];
    }
    exp_in_place(z, rows * n);
    for (std::size_t r = 0; r < rows; ++r) {
        sums[r] = sum_of(z + r * n, n);
        const T share = 1 / sums[r];
        for (std::size_t i = r * n; i < (r + 1) * n; ++i) z[i] *= share;
    }
}

/// All rows, a block at a time; after each block `then(first row, number of rows, maxima, sums)`.
template <class T, class Then>
void softmax_of_rows(const T* x, T* z, std::size_t rows, std::size_t n, Then then) {
    T most[block_size], sums[block_size];
    in_blocks(rows, n, [&](std::size_t first, std::size_t count) {
        const T* xs = x + first * n;
        T* zs = z + first * n;
        const auto in_registers = [&](auto lanes) {
            for (std::size_t r = 0; r < count; ++r)
                std::tie(most[r], sums[r]) = softmax_of_register(xs + r * n, zs + r * n, n, lanes);
        };
        if (n <= 2)
            in_registers(std::integral_constant<std::size_t, 2>());
        else if (n <= Register<T>::size)
            in_registers(std::integral_constant<std::size_t, Register<T>::size>());
        else
            softmax_of_long_rows(xs, zs, count, n, most, sums);
        then(first, count, most, sums);
    });
}

/// The same, and f(row, maximum, logarithm of the sum) for each row.
template <class T, class F>
void softmax_and_logarithms_of_rows(const T* x, T* z, std::size_t rows, std::size_t n, F f) {
    softmax_of_rows(x, z, rows, n, [&](std::size_t first, std::size_t count, const T* most, T* sums) {
        if (count < Register<T>::size)  // too few for a register
            std::transform(sums, sums + count, sums, [](T sum) { return std::log(sum); });
        else
            log_in_place(sums, count);
        for (std::size_t r = 0; r < count; ++r) f(first + r, most[r], sums[r]);
    });
}

// ---- columns: a block of them side by side, each of n numbers that lie `inner` apart -------------------------------

/// The largest number of each of `count` columns of n numbers that lie `inner` apart; of one with a NaN, any number.
template <class T>
void largest_of_columns(const T* x, std::size_t n, std::size_t inner, std::size_t count, T* most) {
    std::fill_n(most, count, -std::numeric_limits<T>::infinity());
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k < count; ++k) most[k] = std::max(most[k], x[i * inner + k]);
}

/// The sum of each of `count` columns of n numbers, halves of which are added; add(sums, i) adds row i.
template <class T, class Add>
void sum_of_columns(T* sums, std::size_t n, std::size_t count, const Add& add) {
    add_in_halves(sums, count, 0, n, false, [&](T* to, std::size_t first, std::size_t rows, bool accumulate) {
        if (!accumulate) std::fill_n(to, count, T(0));
        for (std::size_t i = first; i < first + rows; ++i) add(to, i);
    });
}

/// The sum of exp(x - shift) of each column. Row i of the exponentials is left at `to(i)`.
template <class T, class To>
void sum_exponentials_of_columns(const T* x, std::size_t n, std::size_t inner, std::size_t count, const T* shifts,
                                 T* sums, To to) {
    sum_of_columns(sums, n, count, [&](T* some_sums, std::size_t i) {
        T* row = to(i);
        for (std::size_t k = 0; k < count; ++k) row[k] = x[i * inner + k] - shifts[k];
        exp_in_place(row, count);
        for (std::size_t k = 0; k < count; ++k) some_sums[k] += row[k];
    });
}

/// Calls f(column, place of the element) for each element of a block of columns.
template <class F>
void each_element(std::size_t n, std::size_t inner, std::size_t count, F f) {
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k < count; ++k) f(k, i * inner + k);
}

}  // namespace

namespace {

template <class T>
void softmax_over(const AxisView& view, const T* x, T* z) {
    const std::size_t n = view.length, inner = view.inner;
    if (inner == 1) return softmax_of_rows(x, z, view.outer, n, [](auto...) {});
    T most[block_size], sums[block_size];
    each_block_of_columns(view, [&](std::size_t from, std::size_t, std::size_t count) {
        const T* xs = x + from;
        T* zs = z + from;
        largest_of_columns(xs, n, inner, count, most);
        sum_exponentials_of_columns(xs, n, inner, count, most, sums, [&](std::size_t i) { return zs + i * inner; });
        for (std::size_t k = 0; k < count; ++k) sums[k] = 1 / sums[k];
        each_element(n, inner, count, [&](std::size_t k, std::size_t at) { zs[at] *= sums[k]; });
    });
}

/// What a row is whose largest number is infinite, which its exponentials, NaN by then, do not say.
enum class Limit { none, all_below, one_above };

template <class T>
Limit limit_of_row(const T* x, std::size_t n, std::size_t step) {
    const T infinity = std::numeric_limits<T>::infinity();
    std::size_t below = 0, above = 0, unknown = 0;
    for (std::size_t i = 0; i < n * step; i += step) {
        below += x[i] == -infinity;
        above += x[i] == infinity;
        unknown += std::isnan(x[i]);
    }
    if (unknown == 0 && below == n) return Limit::all_below;
    return unknown == 0 && above == 1 ? Limit::one_above : Limit::none;
}

/// Writes f(whether the number is infinite) to the rows that are NaN and have this limit.
template <class T, class F>
void write_limits(const AxisView& view, const T* x, T* z, Limit limit, F f) {
    const std::size_t step = view.inner, size = view.length * step;
    for (std::size_t o = 0; o < view.outer; ++o)
        for (std::size_t first = o * size; first < o * size + step; ++first) {
            if (!std::isnan(z[first]) || limit_of_row(x + first, view.length, step) != limit) continue;
            for (std::size_t i = first; i < first + size; i += step)
                z[i] = f(x[i] == std::numeric_limits<T>::infinity());
        }
}

}  // namespace

template <class T>
void Softmax<T>::evaluate_into(Array<T>& result) const {
    if (result.size() == 0) return;
    const AxisView view(x.shape(), axis);
    softmax_over(view, x.data(), result.data());
    write_limits(view, x.data(), result.data(), Limit::one_above, [](bool is_largest) { return T(is_largest); });
}

template <class T>
void ShareOfExponentials<T>::evaluate_into(Array<T>& result) const {
    if (result.size() == 0) return;
    const AxisView view(x.shape(), kept);
    softmax_over(view, x.data(), result.data());
    const auto share = [](bool is_largest) { return T(is_largest); };
    write_limits(view, x.data(), result.data(), Limit::all_below, share);
    write_limits(view, x.data(), result.data(), Limit::one_above, share);
}

template <class T>
void LogSoftmax<T>::evaluate_into(Array<T>& result) const {
    const AxisView view(x.shape(), axis);
    const std::size_t n = view.length, inner = view.inner;
    if (result.size() == 0) return;
    const auto write_infinite_rows = [&] {
        write_limits(view, x.data(), result.data(), Limit::one_above,
                     [](bool is_largest) { return is_largest ? T(0) : -std::numeric_limits<T>::infinity(); });
    };
    if (inner == 1) {
        // A row's probabilities are written first, and then its logarithms over them.
        const auto write = [&](std::size_t row, T most, T log_of_sum) {
            for (std::size_t i = row * n; i < (row + 1) * n; ++i) result.data()[i] = (x.data()[i] - most) - log_of_sum;
        };
        softmax_and_logarithms_of_rows(x.data(), result.data(), view.outer, n, write);
        return write_infinite_rows();
    }
    T most[block_size], sums[block_size], exponentials[block_size];
    each_block_of_columns(view, [&](std::size_t from, std::size_t, std::size_t count) {
        const T* xs = x.data() + from;
        T* zs = result.data() + from;
        largest_of_columns(xs, n, inner, count, most);
        sum_exponentials_of_columns(xs, n, inner, count, most, sums, [&](std::size_t) { return exponentials; });
        log_in_place(sums, count);
        each_element(n, inner, count, [&](std::size_t k, std::size_t at) { zs[at] = (xs[at] - most[k]) - sums[k]; });
    });
    write_infinite_rows();
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
void LogSumExp<T>::evaluate_into(Array<T>& z) const {
    const AxisView view(x.shape(), kept);
    const std::size_t n = view.length, inner = view.inner;
    const auto finite_or_zero = [](T shift) { return std::isfinite(shift) ? shift : T(0); };
    T shifts[block_size], exponentials[block_size];
    const auto log_and_shift_back = [&](T* sums, std::size_t count) {
        log_in_place(sums, count);
        for (std::size_t k = 0; k < count; ++k) sums[k] += shifts[k];
    };
    if (inner == 1) {
        in_blocks(view.outer, 1, [&](std::size_t first, std::size_t count) {
            T* sums = z.data() + first;
            for (std::size_t r = 0; r < count; ++r) {
                const T* xs = x.data() + (first + r) * n;
                shifts[r] = finite_or_zero(largest(xs, n));
                sums[r] = sum_of_exponentials(xs, n, shifts[r]);
            }
            log_and_shift_back(sums, count);
        });
        return;
    }
    each_block_of_columns(view, [&](std::size_t from, std::size_t to, std::size_t count) {
        const T* xs = x.data() + from;
        T* sums = z.data() + to;
        largest_of_columns(xs, n, inner, count, shifts);
        std::transform(shifts, shifts + count, shifts, finite_or_zero);
        sum_exponentials_of_columns(xs, n, inner, count, shifts, sums, [&](std::size_t) { return exponentials; });
        log_and_shift_back(sums, count);
    });
}

namespace {

template <class T>
T sum_of_products(const T* x, const T* y, std::size_t n) {
    if (n > block_size) {
        const std::size_t half = (n / 2 + block_size - 1) / block_size * block_size;
        return sum_of_products(x, y, half) + sum_of_products(x + half, y + half, n - half);
    }
    return fold(n, T(0), std::plus<>(),
                [&](std::size_t i, auto... count) { return load_some(x + i, count...) * load_some(y + i, count...); });
}

template <class T>
void softmax_gradient_of_row(const T* z, const T* zbar, std::size_t n, T* xbar, bool accumulate) {
    const T sum = sum_of_products(z, zbar, n);
    each_register<T>(n, [&](std::size_t i, auto... count) {
        store_or_add(xbar + i, load_some(z + i, count...) * (load_some(zbar + i, count...) - sum), accumulate,
                     count...);
    });
}

template <class T>
void log_softmax_gradient_of_row(const T* z, const T* zbar, std::size_t n, T* xbar, bool accumulate) {
    const T sum = sum_of(zbar, n);
    each_register<T>(n, [&](std::size_t i, auto... count) {
        store_or_add(xbar + i, load_some(zbar + i, count...) - xsimd::exp(load_some(z + i, count...)) * sum, accumulate,
                     count...);
    });
}

}  // namespace

template <class T>
void SoftmaxGradient<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView view(z.shape(), axis);
    const std::size_t n = view.length, inner = view.inner;
    if (inner == 1) {
        for (std::size_t i = 0; i < view.outer * n; i += n)
            softmax_gradient_of_row(z.data() + i, zbar.data() + i, n, result.data() + i, accumulate);
        return;
    }
    each_block_of_columns(view, [&](std::size_t from, std::size_t, std::size_t count) {
        const T *zs = z.data() + from, *zbars = zbar.data() + from;
        T* xbars = result.data() + from;
        T sums[block_size];
        sum_of_columns(sums, n, count, [&](T* to, std::size_t i) {
            for (std::size_t k = 0; k < count; ++k) to[k] += zbars[i * inner + k] * zs[i * inner + k];
        });
        each_element(n, inner, count, [&](std::size_t k, std::size_t at) {
            store_or_add(xbars[at], zs[at] * (zbars[at] - sums[k]), accumulate);
        });
    });
}

template <class T>
void LogSoftmaxGradient<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView view(z.shape(), axis);
    const std::size_t n = view.length, inner = view.inner;
    if (inner == 1) {
        for (std::size_t i = 0; i < view.outer * n; i += n)
            log_softmax_gradient_of_row(z.data() + i, zbar.data() + i, n, result.data() + i, accumulate);
        return;
    }
    each_block_of_columns(view, [&](std::size_t from, std::size_t, std::size_t count) {
        const T *zs = z.data() + from, *zbars = zbar.data() + from;
        T* xbars = result.data() + from;
        T sums[block_size], exponentials[block_size];
        sum_of_columns(sums, n, count, [&](T* to, std::size_t i) {
            for (std::size_t k = 0; k < count; ++k) to[k] += zbars[i * inner + k];
        });
        for (std::size_t i = 0; i < n; ++i) {
            std::copy_n(zs + i * inner, count, exponentials);
            exp_in_place(exponentials, count);
            for (std::size_t k = 0; k < count; ++k)
                store_or_add(xbars[i * inner + k], zbars[i * inner + k] - exponentials[k] * sums[k], accumulate);
        }
    });
}

template <class T>
void SoftmaxWithLosses<T>::evaluate_into(Array<T>& result) const {
    const std::size_t n = targets.classes;
    const T infinity = std::numeric_limits<T>::infinity();
    const auto write_loss = [&](std::size_t row, T most, T log_of_sum) {
        const T* xs = x.data() + row * n;
        const bool has_limit = most == infinity && limit_of_row(xs, n, 1) == Limit::one_above;
        const auto loss = [&](std::size_t k) {
            if (has_limit) return xs[k] == infinity ? T(0) : infinity;
            return log_of_sum - (xs[k] - most);
        };
        if (targets.one_hot()) {
            losses[row] = loss(targets.label(row));
            return;
        }
        const T* u = targets.row(row);
        sum_of_columns(&losses[row], n, 1, [&](T* sum, std::size_t k) {
            if (u[k] != T(0)) *sum += u[k] * loss(k);
        });
    };
    softmax_and_logarithms_of_rows(x.data(), result.data(), targets.rows(), n, write_loss);
    write_limits(AxisView(x.shape(), x.dimension() - 1), x.data(), result.data(), Limit::one_above,
                 [](bool is_largest) { return T(is_largest); });
}

template <class T>
void Losses<T>::evaluate_into(Array<T>& z) const {
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
        Bound<T, std::decay_t<decltype(product)>>(product).write(xbar.data(), xbar.size(), accumulate);
        for (std::size_t row = 0; row < targets.rows(); ++row) xbar.data()[row * n + targets.label(row)] -= factor;
        return;
    }
    for (std::size_t row = 0; row < targets.rows(); ++row) {
        const T* ps = p.data() + row * n;
        T* xs = xbar.data() + row * n;
        const T factor = zbar.data()[row * step] * scale;
        const auto write = [&](auto value) {
            for (std::size_t k = 0; k < n; ++k) store_or_add(xs[k], value(k), accumulate);
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

#define INSTANTIATE(T)                      \
    template struct Softmax<T>;             \
    template struct ShareOfExponentials<T>; \
    template struct LogSoftmax<T>;          \
    template struct LogSumExp<T>;           \
    template struct SoftmaxGradient<T>;     \
    template struct LogSoftmaxGradient<T>;  \
    template struct SoftmaxWithLosses<T>;   \
    template struct Losses<T>;              \
    template struct Residual<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
