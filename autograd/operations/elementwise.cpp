// Exponential, trigonometric and like functions. Each operation stands with its rule: z is the result, zbar its
// adjoint.
#include <autograd/operations/partners.hpp>
#include <numbers>

namespace autograd {

// z = exp(x)           xbar += zbar * z
template <class T>
Variable<T> exp(Variable<T> x) {
    return record("exp", {x}, exp(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * at.z(); });
}

// z = exp(x) - 1       xbar += zbar * exp(x)
template <class T>
Variable<T> expm1(Variable<T> x) {
    return record("expm1", {x}, expm1(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * exp(at(x)); });
}

// z = log(x)           xbar += zbar / x
template <class T>
Variable<T> log(Variable<T> x) {
    return record("log", {x}, log(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() / at(x); });
}

// z = log(1 + x)       xbar += zbar / (1 + x)
template <class T>
Variable<T> log1p(Variable<T> x) {
    return record("log1p", {x}, log1p(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() / (at(x) + T(1)); });
}

// z = |x|              xbar += zbar * sign(x)
template <class T>
Variable<T> abs(Variable<T> x) {
    return record("abs", {x}, abs(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * sign(at(x)); });
}

// z = sin(x)           xbar += zbar * cos(x)
template <class T>
Variable<T> sin(Variable<T> x) {
    return record("sin", {x}, sin(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * cos(at(x)); });
}

// z = cos(x)           xbar -= zbar * sin(x)
template <class T>
Variable<T> cos(Variable<T> x) {
    return record("cos", {x}, cos(x.value()), [x](auto& at) { at.adjoint(x) += -at.zbar() * sin(at(x)); });
}

// z = tanh(x)          xbar += zbar * (1 - z^2)
template <class T>
Variable<T> tanh(Variable<T> x) {
    return record("tanh", {x}, tanh(x.value()),
                  [x](auto& at) { at.adjoint(x) += at.zbar() * (T(1) - at.z() * at.z()); });
}

// z = erf(x)           xbar += zbar * 2 / sqrt(pi) * exp(-x^2)
template <class T>
Variable<T> erf(Variable<T> x) {
    const T c = 2 * std::numbers::inv_sqrtpi_v<T>;
    return record("erf", {x}, erf(x.value()),
                  [x, c](auto& at) { at.adjoint(x) += at.zbar() * c * exp(-(at(x) * at(x))); });
}

// z = log(exp(x) + exp(y))   xbar += zbar * sigmoid(x - y), 0 where z is infinite   ybar likewise
template <class T>
Variable<T> logaddexp(Variable<T> x, Variable<T> y) {
    return record("logaddexp", {x, y}, logaddexp(x.value(), y.value()), [x, y](auto& at) {
        const auto& counts = at.evaluate(finite(at.z() - at.z() + T(1)));
        at.adjoint(x) += choose(counts, at.zbar() * sigmoid(at(x) - at(y)), T(0));
        at.adjoint(y) += choose(counts, at.zbar() * sigmoid(at(y) - at(x)), T(0));
    });
}

#define INSTANTIATE(T)                       \
    template Variable<T> exp(Variable<T>);   \
    template Variable<T> expm1(Variable<T>); \
    template Variable<T> log(Variable<T>);   \
    template Variable<T> log1p(Variable<T>); \
    template Variable<T> abs(Variable<T>);   \
    template Variable<T> sin(Variable<T>);   \
    template Variable<T> cos(Variable<T>);   \
    template Variable<T> tanh(Variable<T>);  \
    template Variable<T> erf(Variable<T>);   \
    template Variable<T> logaddexp(Variable<T>, Variable<T>);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
