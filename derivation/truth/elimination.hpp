// Elimination with pivots on the entries of a matrix, numbers or variables of a tape alike: which row is the pivot's
// is decided by values, so that derivatives of every order follow from the steps.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <derivation/truth/rounded.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace derivation {

inline double number_in(const Rounded& x) { return x.value; }
template <class Variable>
double number_in(const Variable& x) {
    return x.item();
}

/// What elimination makes of a matrix of n rows: its inverse, and its pivots in their order with the sign of the
/// exchanges of rows.
template <class T>
struct Elimination {
    std::vector<T> inverse, pivots;
    double sign = 1;
};

/// As large as the products may be that a determinant is the sum of: the product of the rows' lengths.
inline double largest_product(const std::vector<double>& a, std::size_t n) {
    double product = 1;
    for (std::size_t i = 0; i < n; ++i) {
        double square = 0;
        for (std::size_t j = 0; j < n; ++j) square += a[i * n + j] * a[i * n + j];
        product *= std::sqrt(square);
    }
    return product;
}

/// None where a pivot is no larger than rounding.
template <class T>
std::optional<Elimination<T>> eliminated(std::vector<T> a, std::size_t n, std::vector<T> unit, bool wants_inverse) {
    Elimination<T> result;
    double largest = 0;
    for (const T& x : a) largest = std::max(largest, std::abs(number_in(x)));
    const auto subtract = [n](std::vector<T>& m, std::size_t row, const T& factor, std::size_t from,
                              std::size_t first) {
        for (std::size_t j = first; j < n; ++j) m[row * n + j] = m[row * n + j] - factor * m[from * n + j];
    };
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k + 1; i < n; ++i)
            if (std::abs(number_in(a[i * n + k])) > std::abs(number_in(a[pivot * n + k]))) pivot = i;
        if (!(std::abs(number_in(a[pivot * n + k])) > rounding * largest)) return {};
        if (pivot != k) {
            for (std::vector<T>* m : {&a, &unit})
                for (std::size_t j = 0; j < n; ++j) std::swap((*m)[k * n + j], (*m)[pivot * n + j]);
            result.sign = -result.sign;
        }
        const T p = a[k * n + k];
        result.pivots.push_back(p);
        if (wants_inverse)
            for (std::size_t j = 0; j < n; ++j) {
                a[k * n + j] = a[k * n + j] / p;
                unit[k * n + j] = unit[k * n + j] / p;
            }
        for (std::size_t i = wants_inverse ? 0 : k + 1; i < n; ++i) {
            if (i == k) continue;
            const T factor = wants_inverse ? a[i * n + k] : a[i * n + k] / p;
            subtract(a, i, factor, k, k + 1);
            if (wants_inverse) subtract(unit, i, factor, k, 0);
        }
    }
    result.inverse = std::move(unit);
    return result;
}

}  // namespace derivation
