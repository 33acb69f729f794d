#include <fmt/format.h>
#include <algorithm>
#include <autograd/kernels/factorizations.hpp>
#include <autograd/kernels/multiplication.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <vector>

namespace autograd::kernels {

namespace {

constexpr double rounding = std::numeric_limits<double>::epsilon();

template <class T>
void check_square(const char* operation, const Array<T>& x) {
    if (x.dimension() != 2 || x.shape()[0] != x.shape()[1])
        throw std::invalid_argument(
            fmt::format("[{}] a square matrix is wanted, not an array of shape {}", operation, to_string(x.shape())));
}

template <class T>
Shape shape_of_square(const char* operation, const Array<T>& x) {
    check_square(operation, x);
    return {x.shape()[0], x.shape()[1]};
}

/// Rows of numbers that lie side by side.
struct Rows {
    std::size_t length;
    std::vector<double> numbers;

    template <class T>
    Rows(std::size_t width, const Array<T>& x) : length(width), numbers(x.begin(), x.end()) {}
    explicit Rows(std::size_t width) : length(width), numbers(width * width) {}
    double* operator[](std::size_t row) { return numbers.data() + row * length; }
    const double* operator[](std::size_t row) const { return numbers.data() + row * length; }
};

template <class T>
bool is_finite(const Array<T>& x) {
    return std::all_of(x.begin(), x.end(), [](T number) { return std::isfinite(number); });
}

template <class T>
void fill_nan(Array<T>& result) {
    std::fill(result.begin(), result.end(), std::numeric_limits<T>::quiet_NaN());
}

/// row -= factor * pivot. What is 0 takes nothing, not even from an infinite number.
void subtract(double* row, double factor, const double* pivot, std::size_t n) {
    if (factor == 0) return;
    for (std::size_t j = 0; j < n; ++j) row[j] -= factor * pivot[j];
}

/// Large matrices are taken apart in blocks of so many rows and columns, and what one block does to the others is a
/// product.
constexpr std::size_t block = 64;

struct Interval {
    std::size_t begin, end;
    std::size_t size() const { return end - begin; }
};

/// These rows and columns by themselves.
std::vector<double> part(const Rows& x, Interval rows, Interval columns) {
    std::vector<double> numbers;
    numbers.reserve(rows.size() * columns.size());
    for (std::size_t i = rows.begin; i < rows.end; ++i)
        numbers.insert(numbers.end(), x[i] + columns.begin, x[i] + columns.end);
    return numbers;
}

/// z -= x @ y, of z these rows and columns, of x and y what lies between.
void subtract_product(Rows& z, Interval rows, Interval columns, const Rows& x, const Rows& y, Interval between) {
    const std::size_t m = rows.size(), k = between.size(), n = columns.size();
    if (m == 0 || k == 0 || n == 0) return;
    const std::vector<double> left = part(x, rows, between), right = part(y, between, columns);
    std::vector<double> product(m * n);
    multiply<double>({left.data(), false, right.data(), false, product.data(), m, k, n, nullptr, 0});
    for (std::size_t i = 0; i < m; ++i) subtract(z[rows.begin + i] + columns.begin, 1, product.data() + i * n, n);
}

/// A product of many numbers, which may leave the range of a double on its way.
struct LongProduct {
    double fraction = 1;  ///< from sqrt(1/2) to sqrt(2), or 0
    long exponent = 0;

    void multiply(double by) {
        int of_factor = 0, of_product = 0;
        fraction = std::frexp(fraction * std::frexp(by, &of_factor), &of_product);
        exponent += of_factor + of_product;
        if (std::abs(fraction) < std::numbers::sqrt2 / 2) {
            fraction *= 2;
            --exponent;
        }
    }
    double value() const { return std::ldexp(fraction, static_cast<int>(std::clamp(exponent, -5000L, 5000L))); }
    double log() const { return std::log(fraction) + static_cast<double>(exponent) * std::numbers::ln2; }
};

/// P x = L U with the largest number of each column as its pivot: `lu` holds U, and L below the diagonal.
class Elimination {
  public:
    Elimination(std::size_t n, Rows x) : n_(n), lu_(std::move(x)), from_(n) {
        std::iota(from_.begin(), from_.end(), std::size_t{0});
        for (std::size_t begin = 0; begin < n_; begin += block) {
            const Interval here = {begin, std::min(begin + block, n_)}, later = {here.end, n_};
            for (std::size_t k = here.begin; k < here.end; ++k) eliminate(k, here.end);
            for (std::size_t k = here.begin; k < here.end; ++k)
                for (std::size_t i = k + 1; i < here.end; ++i)
                    subtract(lu_[i] + later.begin, lu_[i][k], lu_[k] + later.begin, later.size());
            subtract_product(lu_, later, later, lu_, lu_, here);
        }
    }

    /// The first column that is, to rounding, made of those before it.
    std::optional<std::size_t> dependent_column() const { return dependent_; }

    void check_regular(const char* operation) const {
        if (dependent_)
            throw std::invalid_argument(
                fmt::format("[{}] a matrix of shape ({}, {}) is singular: column {} is made of those before it",
                            operation, n_, n_, *dependent_));
    }

    LongProduct determinant() const {
        LongProduct product;
        if (odd_) product.multiply(-1);
        for (std::size_t k = 0; k < n_; ++k) product.multiply(lu_[k][k]);
        return product;
    }

    /// x^-1 b.
    Rows solve(const Rows& b) const {
        Rows z = b;
        for (std::size_t i = 0; i < n_; ++i) std::copy_n(b[from_[i]], b.length, z[i]);
        const Interval all = {0, b.length};
        for (std::size_t begin = 0; begin < n_; begin += block) {
            const Interval here = {begin, std::min(begin + block, n_)};
            subtract_product(z, here, all, lu_, z, {0, here.begin});
            for (std::size_t i = here.begin; i < here.end; ++i)
                for (std::size_t k = here.begin; k < i; ++k) subtract(z[i], lu_[i][k], z[k], b.length);
        }
        for (std::size_t end = n_; end > 0;) {
            const Interval here = {(end - 1) / block * block, end};
            subtract_product(z, here, all, lu_, z, {here.end, n_});
            for (std::size_t i = here.end; i-- > here.begin;) {
                for (std::size_t k = i + 1; k < here.end; ++k) subtract(z[i], lu_[i][k], z[k], b.length);
                for (std::size_t j = 0; j < b.length; ++j) z[i][j] /= lu_[i][i];
            }
            end = here.begin;
        }
        return z;
    }

  private:
    /// Column k, and what it does to the columns up to `end`.
    void eliminate(std::size_t k, std::size_t end) {
        std::size_t pivot = k;
        for (std::size_t i = k + 1; i < n_; ++i)
            if (std::abs(lu_[i][k]) > std::abs(lu_[pivot][k])) pivot = i;
        if (pivot != k) {
            std::swap_ranges(lu_[k], lu_[k] + n_, lu_[pivot]);
            std::swap(from_[k], from_[pivot]);
            odd_ = !odd_;
        }
        if (!dependent_ && is_noise(k)) dependent_ = k;
        if (lu_[k][k] == 0) return;
        for (std::size_t i = k + 1; i < n_; ++i) {
            const double factor = lu_[i][k] /= lu_[k][k];
            subtract(lu_[i] + k + 1, factor, lu_[k] + k + 1, end - k - 1);
        }
    }

    /// Whether every number that could be the pivot of this column is no larger than what rounding left of the terms
    /// that were subtracted to make it.
    bool is_noise(std::size_t k) const {
        // Few pivots are that small beside their column: the others need no look at their terms.
        double largest = 0;
        for (std::size_t i = 0; i <= k; ++i) largest = std::max(largest, std::abs(lu_[i][k]));
        if (std::abs(lu_[k][k]) > 1e-8 * largest) return false;
        for (std::size_t i = k; i < n_; ++i) {
            double terms = std::abs(lu_[i][k]);
            for (std::size_t j = 0; j < k; ++j) terms += std::abs(lu_[i][j] * lu_[j][k]);
            if (std::abs(lu_[i][k]) > static_cast<double>(n_) * rounding * terms) return false;
        }
        return true;
    }

    std::size_t n_;
    Rows lu_;
    std::vector<std::size_t> from_;  ///< row i of P x is this row of x
    bool odd_ = false;
    std::optional<std::size_t> dependent_;
};

}  // namespace

template <class T>
Shape Determinant<T>::shape() const {
    check_square(logarithm ? "logdet" : "det", x);
    return {};
}

template <class T>
void Determinant<T>::evaluate_into(Array<T>& result) const {
    if (!is_finite(x)) return fill_nan(result);
    const std::size_t n = x.shape()[0];
    const Elimination elimination(n, Rows(n, x));
    const LongProduct product = elimination.determinant();
    if (!logarithm) {
        result() = static_cast<T>(product.value());
        return;
    }
    elimination.check_regular("logdet");
    if (product.fraction < 0)
        throw std::invalid_argument(
            fmt::format("[logdet] the determinant of a matrix of shape {} is negative", to_string(x.shape())));
    result() = static_cast<T>(product.log());
}

template <class T>
Shape Cofactors<T>::shape() const {
    return shape_of_square("det", x);
}

// P x Q = L U with the largest number left as each pivot, so that only the last one need be 0 where a cofactor is not.
// With U = [U' u; 0 s], whose adjugate is det(U') [s U'^-1, -U'^-1 u; 0, 1], the cofactors of L U are the transpose of
// adj(U) L^-1.
template <class T>
void Cofactors<T>::evaluate_into(Array<T>& result) const {
    if (!is_finite(x)) return fill_nan(result);
    const std::size_t n = x.shape()[0];
    if (n == 0) return;
    std::vector<std::size_t> row(n), column(n);
    std::iota(row.begin(), row.end(), std::size_t{0});
    std::iota(column.begin(), column.end(), std::size_t{0});
    Rows lu(n, x);
    // Rows and columns are brought to the size of 1, or products of few pivots would leave the range of a double.
    std::vector<int> of_row(n), of_column(n);
    LongProduct d;  // of U', with the sign of both permutations and all that was taken from rows and columns
    const auto take_from = [&](std::vector<int>& exponents, auto at) {
        for (std::size_t i = 0; i < n; ++i) {
            double largest = 0;
            for (std::size_t j = 0; j < n; ++j) largest = std::max(largest, std::abs(at(i, j)));
            if (largest == 0) continue;
            std::frexp(largest, &exponents[i]);
            for (std::size_t j = 0; j < n; ++j) at(i, j) = std::ldexp(at(i, j), -exponents[i]);
            d.exponent += exponents[i];
        }
    };
    take_from(of_row, [&](std::size_t i, std::size_t j) -> double& { return lu[i][j]; });
    take_from(of_column, [&](std::size_t i, std::size_t j) -> double& { return lu[j][i]; });
    for (std::size_t k = 0; k + 1 < n; ++k) {
        std::size_t i = k, j = k;
        for (std::size_t r = k; r < n; ++r)
            for (std::size_t c = k; c < n; ++c)
                if (std::abs(lu[r][c]) > std::abs(lu[i][j])) i = r, j = c;
        if (i != k) {
            std::swap_ranges(lu[k], lu[k] + n, lu[i]);
            std::swap(row[k], row[i]);
            d.multiply(-1);
        }
        if (j != k) {
            for (std::size_t r = 0; r < n; ++r) std::swap(lu[r][k], lu[r][j]);
            std::swap(column[k], column[j]);
            d.multiply(-1);
        }
        if (lu[k][k] == 0) {
            std::fill(result.begin(), result.end(), T(0));
            return;
        }
        d.multiply(lu[k][k]);
        for (std::size_t r = k + 1; r < n; ++r) {
            const double factor = lu[r][k] /= lu[k][k];
            subtract(lu[r] + k + 1, factor, lu[k] + k + 1, n - k - 1);
        }
    }
    Rows y(n);  // L^-1
    for (std::size_t i = 0; i < n; ++i) {
        y[i][i] = 1;
        for (std::size_t k = 0; k < i; ++k) subtract(y[i], lu[i][k], y[k], n);
    }
    const std::size_t last = n - 1;
    for (std::size_t i = 0; i < last; ++i)
        for (std::size_t j = 0; j < n; ++j) y[i][j] = lu[last][last] * y[i][j] - lu[i][last] * y[last][j];
    for (std::size_t i = last; i-- > 0;) {
        for (std::size_t k = i + 1; k < last; ++k) subtract(y[i], lu[i][k], y[k], n);
        for (std::size_t j = 0; j < n; ++j) y[i][j] /= lu[i][i];
    }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            const LongProduct cofactor{d.fraction * y[i][j], d.exponent - of_row[row[j]] - of_column[column[i]]};
            result(row[j], column[i]) = static_cast<T>(cofactor.value());
        }
}

template <class T>
Shape Inverse<T>::shape() const {
    return shape_of_square("inverse", x);
}

template <class T>
void Inverse<T>::evaluate_into(Array<T>& result) const {
    if (!is_finite(x)) return fill_nan(result);
    const std::size_t n = x.shape()[0];
    const Elimination elimination(n, Rows(n, x));
    elimination.check_regular("inverse");
    Rows unit(n);
    for (std::size_t i = 0; i < n; ++i) unit[i][i] = 1;
    const Rows z = elimination.solve(unit);
    std::transform(z.numbers.begin(), z.numbers.end(), result.data(), [](double v) { return static_cast<T>(v); });
}

template <class T>
Shape Solution<T>::shape() const {
    check_square("solve", a.x);
    if (b.dimension() != 2 || b.shape()[0] != a.x.shape()[0])
        throw std::invalid_argument(fmt::format("[solve] a matrix of shape {} does not fit a right side of shape {}",
                                                to_string(a.x.shape()), to_string(b.shape())));
    return {b.shape()[0], b.shape()[1]};
}

template <class T>
void Solution<T>::evaluate_into(Array<T>& result) const {
    if (!is_finite(a.x)) return fill_nan(result);
    const std::size_t n = a.x.shape()[0];
    Rows rows(n, a.x);
    if (a.transposed)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < i; ++j) std::swap(rows[i][j], rows[j][i]);
    const Elimination elimination(n, std::move(rows));
    elimination.check_regular("solve");
    const Rows z = elimination.solve(Rows(b.shape()[1], b));
    std::transform(z.numbers.begin(), z.numbers.end(), result.data(), [](double v) { return static_cast<T>(v); });
}

template <class T>
Shape CholeskyFactor<T>::shape() const {
    return shape_of_square("cholesky", x);
}

template <class T>
void CholeskyFactor<T>::evaluate_into(Array<T>& result) const {
    if (!is_finite(x)) return fill_nan(result);
    const std::size_t n = x.shape()[0];
    Rows z(n);
    for (std::size_t begin = 0; begin < n; begin += block) {
        const Interval here = {begin, std::min(begin + block, n)}, earlier = {0, begin};
        // What the columns before take from those of this block.
        std::vector<double> taken((n - begin) * here.size());
        if (begin > 0) {
            const std::vector<double> below = part(z, {begin, n}, earlier), beside = part(z, here, earlier);
            multiply<double>(
                {below.data(), false, beside.data(), true, taken.data(), n - begin, begin, here.size(), nullptr, 0});
        }
        for (std::size_t i = begin; i < n; ++i)
            for (std::size_t j = begin; j < here.end && j <= i; ++j) {
                const double whole = static_cast<double>(x(i, j)) / 2 + static_cast<double>(x(j, i)) / 2;
                double left = whole - taken[(i - begin) * here.size() + j - begin];
                for (std::size_t k = begin; k < j; ++k) left -= z[i][k] * z[j][k];
                if (j < i) {
                    z[i][j] = left / z[j][j];
                    continue;
                }
                if (!(left > static_cast<double>(n) * rounding * whole))
                    throw std::invalid_argument(fmt::format(
                        "[cholesky] a matrix of shape {} is not positive definite: its first {} are not",
                        to_string(x.shape()), i == 0 ? "row and column" : fmt::format("{} rows and columns", i + 1)));
                z[i][i] = std::sqrt(left);
            }
    }
    std::transform(z.numbers.begin(), z.numbers.end(), result.data(), [](double v) { return static_cast<T>(v); });
}

#define INSTANTIATE(T)              \
    template struct Determinant<T>; \
    template struct Cofactors<T>;   \
    template struct Inverse<T>;     \
    template struct Solution<T>;    \
    template struct CholeskyFactor<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
