// A number as arithmetic gives it, with the size of what it was made of.
#pragma once

#include <algorithm>
#include <cmath>

namespace derivation {

/// What is a smaller share of its terms is 0 but for rounding.
inline constexpr double rounding = 1e-13;

/// A number, and how large the terms are that it was made of: its error by rounding is a tiny share of `scale`, also
/// where they cancelled and `value` is far smaller. x - x for x = 3 is 0 with the scale 3, a tenth of it has 0.3.
struct Rounded {
    double value = 0;
    double scale = 0;  ///< at least |value|

    Rounded() = default;
    Rounded(double x) : Rounded(x, 0) {}
    /// Where the terms have no size, as behind a root of 0, the number's own.
    Rounded(double x, double terms)
        : value(x), scale(std::isfinite(terms) ? std::max(std::abs(x), terms) : std::abs(x)) {}

    friend Rounded operator+(const Rounded& a, const Rounded& b) {
        return {a.value + b.value, std::max(a.scale, b.scale)};
    }
    friend Rounded operator-(const Rounded& a) { return {-a.value, a.scale}; }
    friend Rounded operator-(const Rounded& a, const Rounded& b) { return a + -b; }
    friend Rounded operator*(const Rounded& a, const Rounded& b) {
        return {a.value * b.value, std::max(std::abs(a.value) * b.scale, a.scale * std::abs(b.value))};
    }
    friend Rounded operator/(const Rounded& a, const Rounded& b) {
        const double ratio = a.value / b.value, divisor = std::abs(b.value);
        return {ratio, std::max(a.scale, std::abs(ratio) * b.scale) / divisor};
    }
};

/// f(x), by its value and slope there.
inline Rounded rounded_call(double value, double slope, const Rounded& x) { return {value, std::abs(slope) * x.scale}; }

/// The exponent of a number that stands in the formula is exact.
inline Rounded pow(const Rounded& base, const Rounded& exponent, bool is_exact) {
    const double power = std::pow(base.value, exponent.value);
    const double by_base = base.value == 0 ? std::pow(base.scale, exponent.value)
                                           : std::abs(exponent.value * power / base.value) * base.scale;
    const double by_exponent =
        is_exact || power == 0 ? 0 : std::abs(power * std::log(std::abs(base.value))) * exponent.scale;
    return {power, std::max(by_base, by_exponent)};
}

}  // namespace derivation
