// Numbers of 50 digits with their derivatives by x and y: what the formulas of the table are held against.
#pragma once

#include <array>
#include <cmath>
#include <memory>
#include <numbers>

/// A number of 50 digits. The constructor's argument is taken exactly.
class Exact {
  public:
    Exact(double number = 0);
    /// The same, as the variable x (0) or y (1).
    static Exact variable(double number, std::size_t which);

    /// The number, or its derivative by x or y, as a sum of two doubles: the nearest one, and what is left.
    std::array<double, 2> value() const;
    std::array<double, 2> derivative(std::size_t which) const;

    struct Digits;  ///< (apart, since the headers of such numbers take long to compile)

  private:
    explicit Exact(Digits digits);
    std::shared_ptr<const Digits> digits_;

    friend Exact operator+(const Exact& x, const Exact& y);
    friend Exact operator-(const Exact& x, const Exact& y);
    friend Exact operator*(const Exact& x, const Exact& y);
    friend Exact operator/(const Exact& x, const Exact& y);
    friend Exact operator-(const Exact& x);
    friend bool operator<(const Exact& x, const Exact& y);
    friend bool operator>(const Exact& x, const Exact& y) { return y < x; }
    friend bool operator<=(const Exact& x, const Exact& y) { return !(y < x); }
    friend bool operator>=(const Exact& x, const Exact& y) { return !(x < y); }
    friend bool operator!=(const Exact& x, const Exact& y) { return x < y || y < x; }

    template <class Number>
    friend Number pi();
    friend Exact exp(const Exact& x);
    friend Exact expm1(const Exact& x);
    friend Exact log(const Exact& x);
    friend Exact log1p(const Exact& x);
    friend Exact sqrt(const Exact& x);
    friend Exact sin(const Exact& x);
    friend Exact cos(const Exact& x);
    friend Exact tanh(const Exact& x);
    friend Exact erf(const Exact& x);
    friend Exact erfc(const Exact& x);
    friend Exact pow(const Exact& x, const Exact& y);
    friend Exact fabs(const Exact& x) { return x < 0 ? -x : x; }
};

template <class Number>
Number pi() {
    return std::numbers::pi_v<Number>;
}
template <>
Exact pi();

/// Without overflow, and with the digits of its small values.
template <class Number>
Number log_of_1_plus_exp(const Number& x) {
    return (x > 0 ? x : Number(0)) + log1p(exp(-fabs(x)));
}
