#include "exact.hpp"

#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/expm1.hpp>
#include <boost/math/special_functions/log1p.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>

namespace {

using Real = boost::multiprecision::cpp_bin_float_50;
using Long = boost::multiprecision::number<boost::multiprecision::cpp_bin_float<700>>;

std::array<double, 2> in_two_parts(const Real& number) {
    const double high = static_cast<double>(number);
    return {high, std::isfinite(high) ? static_cast<double>(number - high) : 0};
}

/// Beyond it, an exponential is 0 or infinite in any precision here.
Real bounded(const Real& exponent) {
    const Real most = 1e6;
    return exponent > most ? most : exponent < -most ? Real(-most) : exponent;
}

Real exponential(const Real& x) { return exp(bounded(x)); }

/// x less the nearest number of turns.
Real angle(const Real& x) {
    static const Long turn = 2 * boost::math::constants::pi<Long>();
    const Long all(x);
    return abs(x) < 1 ? x : static_cast<Real>(all - turn * round(all / turn));
}

/// Where erfc is 0 or 2 in any precision here.
Real near(const Real& x) {
    const Real most = 1000;
    return x > most ? most : x < -most ? Real(-most) : x;
}

/// erf's derivative.
Real bell(const Real& x) {
    static const Real factor = 2 / sqrt(boost::math::constants::pi<Real>());
    return factor * exponential(-x * x);
}

}  // namespace

struct Exact::Digits {
    Real value;
    std::array<Real, 2> by = {0, 0};
};

Exact::Exact(Digits digits) : digits_(std::make_shared<const Digits>(std::move(digits))) {}
Exact::Exact(double number) : Exact(Digits{number}) {}

Exact Exact::variable(double number, std::size_t which) {
    Digits digits{number};
    digits.by[which] = 1;
    return Exact(digits);
}

std::array<double, 2> Exact::value() const { return in_two_parts(digits_->value); }
std::array<double, 2> Exact::derivative(std::size_t which) const { return in_two_parts(digits_->by[which]); }

namespace {

/// z = f(x), or f(x, y), whose derivatives are known.
Exact::Digits chain(const Real& z, const Exact::Digits& x, const Real& by_x) {
    return {z, {by_x * x.by[0], by_x * x.by[1]}};
}
Exact::Digits chain(const Real& z, const Exact::Digits& x, const Real& by_x, const Exact::Digits& y, const Real& by_y) {
    return {z, {by_x * x.by[0] + by_y * y.by[0], by_x * x.by[1] + by_y * y.by[1]}};
}

}  // namespace

#define OF_TWO(name, z, by_x, by_y)                                                        \
    Exact name(const Exact& first, const Exact& second) {                                  \
        const Real &x = first.digits_->value, &y [[maybe_unused]] = second.digits_->value; \
        return Exact(chain(z, *first.digits_, by_x, *second.digits_, by_y));               \
    }
#define OF_ONE(name, z, by_x)                         \
    Exact name(const Exact& first) {                  \
        const Real& x = first.digits_->value;         \
        return Exact(chain(z, *first.digits_, by_x)); \
    }
OF_TWO(operator+, x + y, 1, 1)
OF_TWO(operator-, x - y, 1, -1)
OF_TWO(operator*, x* y, y, x)
OF_TWO(operator/, x / y, 1 / y, -x / (y * y))
OF_TWO(pow, exponential(y* log(x)), y* exponential((y - 1) * log(x)), exponential(y* log(x)) * log(x))
OF_ONE(operator-, -x, -1)
OF_ONE(exp, exponential(x), exponential(x))
OF_ONE(expm1, boost::math::expm1(bounded(x)), exponential(x))
OF_ONE(log, log(x), 1 / x)
OF_ONE(log1p, x > -1 ? boost::math::log1p(x) : log(1 + x), 1 / (1 + x))
OF_ONE(sqrt, sqrt(x), 1 / (2 * sqrt(x)))
OF_ONE(sin, sin(angle(x)), cos(angle(x)))
OF_ONE(cos, cos(angle(x)), -sin(angle(x)))
OF_ONE(tanh, boost::math::expm1(bounded(2 * x)) / (exponential(2 * x) + 1),
       4 * exponential(2 * x) / pow(exponential(2 * x) + 1, 2))
OF_ONE(erf, boost::math::erf(near(x)), bell(x))
OF_ONE(erfc, boost::math::erfc(near(x)), -bell(x))
#undef OF_ONE
#undef OF_TWO

template <>
Exact pi() {
    return Exact(Exact::Digits{boost::math::constants::pi<Real>()});
}

bool operator<(const Exact& x, const Exact& y) { return x.digits_->value < y.digits_->value; }
