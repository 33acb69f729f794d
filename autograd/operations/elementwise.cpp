// Exponential, trigonometric and like functions. Each operation stands with its rule: z is the result, zbar its
// adjoint.
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <limits>
#include <numbers>

namespace autograd {

constexpr char quotient_in_domain[] = "div\0quotient_in_domain";
FACTS(quotient_in_domain, "u / d, NaN where the function is not defined", "ubar += zbar / d; dbar += -zbar * z / d", {},
      {}, "u d f");

namespace {

template <class T>
constexpr T infinity = std::numeric_limits<T>::infinity();

/// u / d where the function's value z is a number, else NaN, as it has no derivative there. But a u of 0, as of the
/// branch of `where` that is not taken, stays 0.
template <class T, class D>
auto over_in_domain(const Array<T>& u, const D& d, const Array<T>& z) {
    return between(u / d, choose(u, z, T(0)), -infinity<T>, infinity<T>);
}
template <class T>
Variable<T> over_in_domain(Variable<T> u, Variable<T> d, Variable<T> z) {
    return record(quotient_in_domain, {u, d, z}, over_in_domain(u.value(), d.value(), z.value()), [u, d, z](auto& at) {
        at.adjoint(u) += between(at.zbar() / at(d), at(z), -infinity<T>, infinity<T>);
        at.adjoint(d) += -(at.zbar() * at.z()) / at(d);
    });
}

}  // namespace

FACTS("exp", "exp(x)", "xbar += zbar * z", {{AT(std::isfinite(x)), "overflow of exp at {x} in {type}"}});
template <class T>
Variable<T> exp(Variable<T> x) {
    return record("exp", {x}, exp(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * at.z(); });
}
UNARY(exp);

FACTS("expm1", "exp(x) - 1", "xbar += zbar * exp(x)", {{AT(std::isfinite(x)), "overflow of expm1 at {x} in {type}"}});
template <class T>
Variable<T> expm1(Variable<T> x) {
    return record("expm1", {x}, expm1(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * exp(at(x)); });
}
UNARY(expm1);

FACTS("log", "log(x)", "xbar += zbar / x",
      {{AT(x == 0), "the logarithm of 0"}, {AT(x < 0), "the logarithm of a negative number"}},
      {{AT(x == 0), "the derivative of log at 0 is inf"}});
template <class T>
Variable<T> log(Variable<T> x) {
    return record("log", {x}, log(x.value()), [x](auto& at) {
        at.adjoint(x) += over_in_domain(at.zbar(), at(x) + T(0), at.z());  // (-0 counts as 0)
    });
}
UNARY(log);

FACTS("log1p", "log(1 + x)", "xbar += zbar / (1 + x)",
      {{AT(x == -1), "log1p of -1, the logarithm of 0"}, {AT(x < -1), "log1p of a number below -1"}},
      {{AT(x == -1), "the derivative of log1p at -1 is inf"}});
template <class T>
Variable<T> log1p(Variable<T> x) {
    return record("log1p", {x}, log1p(x.value()),
                  [x](auto& at) { at.adjoint(x) += over_in_domain(at.zbar(), at(x) + T(1), at.z()); });
}
UNARY(log1p);

FACTS("abs", "abs(x)", "xbar += zbar * sign(x)");
template <class T>
Variable<T> abs(Variable<T> x) {
    return record("abs", {x}, abs(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * sign(at(x)); });
}
UNARY(abs);

FACTS("sin", "sin(x)", "xbar += zbar * cos(x)");
template <class T>
Variable<T> sin(Variable<T> x) {
    return record("sin", {x}, sin(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * cos(at(x)); });
}
UNARY(sin);

FACTS("cos", "cos(x)", "xbar += -zbar * sin(x)");
template <class T>
Variable<T> cos(Variable<T> x) {
    return record("cos", {x}, cos(x.value()), [x](auto& at) { at.adjoint(x) += -at.zbar() * sin(at(x)); });
}
UNARY(cos);

FACTS("tanh", "tanh(x)", "xbar += zbar * (1 - z^2)");
template <class T>
Variable<T> tanh(Variable<T> x) {
    return record("tanh", {x}, tanh(x.value()),
                  [x](auto& at) { at.adjoint(x) += at.zbar() * (T(1) - at.z() * at.z()); });
}
UNARY(tanh);

FACTS("erf", "erf(x)", "xbar += zbar * 2 / sqrt(pi) * exp(-x^2)");
template <class T>
Variable<T> erf(Variable<T> x) {
    const T c = 2 * std::numbers::inv_sqrtpi_v<T>;
    return record("erf", {x}, erf(x.value()), [x, c](auto& at) { at.adjoint(x) += at.zbar() * c * bell(at(x), 1); });
}
UNARY(erf);

FACTS("bell", "exp(-c * x^2)", "xbar += -zbar * 2 * c * x * z");
template <class T>
Variable<T> bell(Variable<T> x, double c) {
    const T far = 1000;  // where z is 0: 0 * infinity has no value
    return record("bell", {x}, bell(x.value(), c), [x, c, far](auto& at) {
        at.adjoint(x) += at.zbar() * at.z() * (clip(at(x), -far, far) * static_cast<T>(-2 * c));
    });
}
UNARY(bell, double);

FACTS("logaddexp", "log(exp(x) + exp(y))", "xbar += zbar * sigmoid(x - y); ybar += zbar * sigmoid(y - x)");
template <class T>
Variable<T> logaddexp(Variable<T> x, Variable<T> y) {
    return record("logaddexp", {x, y}, logaddexp(x.value(), y.value()), [x, y](auto& at) {
        const auto& above = at.evaluate(at.z() * T(0.5) + std::numeric_limits<T>::max());  // 0 or less at -inf only
        at.adjoint(x) += gate(at.zbar() * sigmoid(at(x) - at(y)), above);
        at.adjoint(y) += gate(at.zbar() * sigmoid(at(y) - at(x)), above);
    });
}
BINARY(logaddexp);

FACTS_OF_THIS_FILE(facts_of_elementwise)

}  // namespace autograd
