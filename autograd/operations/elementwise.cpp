// Each operation with its rule: z is the result, zbar its adjoint.
#include <autograd/kernels/kernels.hpp>
#include <autograd/operations.hpp>
#include <numbers>

namespace autograd {

// z = x + y            xbar += zbar                ybar += zbar
template <class T>
Variable<T> operator+(Variable<T> x, Variable<T> y) {
    return record("add", {x, y}, x.value() + y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar();
        at.adjoint(y) += at.zbar();
    });
}

// z = x - y            xbar += zbar                ybar -= zbar
template <class T>
Variable<T> operator-(Variable<T> x, Variable<T> y) {
    return record("sub", {x, y}, x.value() - y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar();
        at.adjoint(y) += -at.zbar();
    });
}

// z = x * y            xbar += zbar * y            ybar += zbar * x
template <class T>
Variable<T> operator*(Variable<T> x, Variable<T> y) {
    return record("mul", {x, y}, x.value() * y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar() * at(y);
        at.adjoint(y) += at.zbar() * at(x);
    });
}

// z = x / y            xbar += zbar / y            ybar -= zbar * z / y
template <class T>
Variable<T> operator/(Variable<T> x, Variable<T> y) {
    return record("div", {x, y}, x.value() / y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar() / at(y);
        at.adjoint(y) += -(at.zbar() * at.z()) / at(y);
    });
}

// z = x + c            xbar += zbar
template <class T>
Variable<T> operator+(Variable<T> x, std::type_identity_t<T> c) {
    return record("add", {x}, x.value() + c, [x](auto& at) { at.adjoint(x) += at.zbar(); });
}

// z = x * c            xbar += zbar * c
template <class T>
Variable<T> operator*(Variable<T> x, std::type_identity_t<T> c) {
    return record("mul", {x}, x.value() * c, [x, c](auto& at) { at.adjoint(x) += at.zbar() * c; });
}

// z = c - x            xbar -= zbar
template <class T>
Variable<T> operator-(std::type_identity_t<T> c, Variable<T> x) {
    return record("sub", {x}, c - x.value(), [x](auto& at) { at.adjoint(x) += -at.zbar(); });
}

// z = x / c            xbar += zbar / c
template <class T>
Variable<T> operator/(Variable<T> x, std::type_identity_t<T> c) {
    return record("div", {x}, x.value() / c, [x, c](auto& at) { at.adjoint(x) += at.zbar() / c; });
}

// z = c / x            xbar -= zbar * z / x
template <class T>
Variable<T> operator/(std::type_identity_t<T> c, Variable<T> x) {
    return record("div", {x}, c / x.value(), [x](auto& at) { at.adjoint(x) += -(at.zbar() * at.z()) / at(x); });
}

// z = -x               xbar -= zbar
template <class T>
Variable<T> operator-(Variable<T> x) {
    return record("neg", {x}, -x.value(), [x](auto& at) { at.adjoint(x) += -at.zbar(); });
}

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

// z = sqrt(x)          xbar += zbar / (2 z)
template <class T>
Variable<T> sqrt(Variable<T> x) {
    return record("sqrt", {x}, sqrt(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() / (at.z() * T(2)); });
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

// z = sigmoid(x)       xbar += zbar * z * (1 - z), where 1 - z is sigmoid(-x)
template <class T>
Variable<T> sigmoid(Variable<T> x) {
    return record("sigmoid", {x}, sigmoid(x.value()),
                  [x](auto& at) { at.adjoint(x) += at.zbar() * at.z() * sigmoid(-at(x)); });
}

// z = max(x, 0)        xbar += zbar where x > 0
template <class T>
Variable<T> relu(Variable<T> x) {
    return record("relu", {x}, gate(x.value(), x.value()), [x](auto& at) { at.adjoint(x) += gate(at.zbar(), at(x)); });
}

// z = log(1 + exp(x))  xbar += zbar * sigmoid(x)
template <class T>
Variable<T> softplus(Variable<T> x) {
    return record("softplus", {x}, softplus(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * sigmoid(at(x)); });
}

// z = x * Phi(x)       xbar += zbar * (Phi(x) + x * phi(x))
template <class T>
Variable<T> gelu(Variable<T> x) {
    const T r = T(1) / std::numbers::sqrt2_v<T>, c = r * std::numbers::inv_sqrtpi_v<T>;
    return record("gelu", {x}, x.value() * (T(0.5) * (T(1) + erf(x.value() * r))), [x, r, c](auto& at) {
        at.adjoint(x) += at.zbar() * (T(0.5) * (T(1) + erf(at(x) * r)) + c * at(x) * exp(T(-0.5) * at(x) * at(x)));
    });
}

// z = x * s(u), u = 2 sqrt(2/pi) (x + a x^3), s being the sigmoid     xbar += zbar * s(u) * (1 + x * s(-u) * u')
template <class T>
Variable<T> gelu_tanh(Variable<T> x) {
    const T c = std::numbers::sqrt2_v<T> * 2 * std::numbers::inv_sqrtpi_v<T>, a = T(0.044715);
    const auto u = [c, a](const auto& v) { return v * c * (T(1) + a * v * v); };
    return record("gelu_tanh", {x}, x.value() * sigmoid(u(x.value())), [x, u, c, a](auto& at) {
        at.adjoint(x) += at.zbar() * sigmoid(u(at(x))) *
                         (T(1) + at(x) * sigmoid(-u(at(x))) * (c * (T(1) + T(3) * a * at(x) * at(x))));
    });
}

// z = x * s(x)         xbar += zbar * s(x) * (1 + x * s(-x)), s being the sigmoid
template <class T>
Variable<T> silu(Variable<T> x) {
    return record("silu", {x}, x.value() * sigmoid(x.value()),
                  [x](auto& at) { at.adjoint(x) += at.zbar() * sigmoid(at(x)) * (T(1) + at(x) * sigmoid(-at(x))); });
}

// z = x^c              xbar += zbar * c * x^(c - 1)
template <class T>
Variable<T> pow(Variable<T> x, std::type_identity_t<T> c) {
    return record("pow", {x}, pow(x.value(), c), [x, c](auto& at) {
        if (c != T(0)) at.adjoint(x) += at.zbar() * c * pow(at(x), T(c - T(1)));
    });
}

// z = x^y              xbar += zbar * y * x^(y - 1), 0 where y is 0     ybar += zbar * z * log(x), 0 where x is 0
template <class T>
Variable<T> pow(Variable<T> x, Variable<T> y) {
    return record("pow", {x, y}, pow(x.value(), y.value()), [x, y](auto& at) {
        at.adjoint(x) += choose(at(y), at.zbar() * at(y) * pow(at(x), at(y) - T(1)), T(0));
        at.adjoint(y) += choose(at(x), at.zbar() * at.z() * log(choose(at(x), at(x), T(1))), T(0));
    });
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

// z = max(x, y)        xbar += zbar where x > y, zbar / 2 where x = y   ybar likewise
template <class T>
Variable<T> maximum(Variable<T> x, Variable<T> y) {
    return record("maximum", {x, y}, maximum(x.value(), y.value()), [x, y](auto& at) {
        at.adjoint(x) += winner(at.zbar(), at(x), at(y));
        at.adjoint(y) += winner(at.zbar(), at(y), at(x));
    });
}

// z = min(x, y)        xbar += zbar where x < y, zbar / 2 where x = y   ybar likewise
template <class T>
Variable<T> minimum(Variable<T> x, Variable<T> y) {
    return record("minimum", {x, y}, minimum(x.value(), y.value()), [x, y](auto& at) {
        at.adjoint(x) += winner(at.zbar(), at(y), at(x));
        at.adjoint(y) += winner(at.zbar(), at(x), at(y));
    });
}

// z = min(max(x, l), h)   xbar += zbar where l <= x <= h
template <class T>
Variable<T> clip(Variable<T> x, std::type_identity_t<T> low, std::type_identity_t<T> high) {
    if (low > high) throw std::invalid_argument("[clip] the lower bound is above the upper one");
    return record("clip", {x}, clip(x.value(), low, high),
                  [x, low, high](auto& at) { at.adjoint(x) += between(at.zbar(), at(x), low, high); });
}

// z = mask ? x : y     xbar += mask ? zbar : 0     ybar += mask ? 0 : zbar
template <class T>
Variable<T> where(Variable<T> mask, Variable<T> x, Variable<T> y) {
    return record("where", {mask, x, y}, choose(mask.value(), x.value(), y.value()), [mask, x, y](auto& at) {
        at.adjoint(x) += choose(at(mask), at.zbar(), T(0));
        at.adjoint(y) += choose(at(mask), T(0), at.zbar());
    });
}

template <class T>
Variable<T> choose(Variable<T> mask, Variable<T> x, std::type_identity_t<T> y) {
    return record("where", {mask, x}, choose(mask.value(), x.value(), y),
                  [mask, x](auto& at) { at.adjoint(x) += choose(at(mask), at.zbar(), T(0)); });
}

template <class T>
Variable<T> choose(Variable<T> mask, std::type_identity_t<T> x, Variable<T> y) {
    return record("where", {mask, y}, choose(mask.value(), x, y.value()),
                  [mask, y](auto& at) { at.adjoint(y) += choose(at(mask), T(0), at.zbar()); });
}

// Linear in u; in x and y constant almost everywhere.
template <class T>
Variable<T> gate(Variable<T> u, Variable<T> x) {
    return record("gate", {u, x}, gate(u.value(), x.value()),
                  [u, x](auto& at) { at.adjoint(u) += gate(at.zbar(), at(x)); });
}

template <class T>
Variable<T> winner(Variable<T> u, Variable<T> x, Variable<T> y) {
    return record("winner", {u, x, y}, winner(u.value(), x.value(), y.value()),
                  [u, x, y](auto& at) { at.adjoint(u) += winner(at.zbar(), at(x), at(y)); });
}

template <class T>
Variable<T> between(Variable<T> u, Variable<T> x, std::type_identity_t<T> low, std::type_identity_t<T> high) {
    return record("between", {u, x}, between(u.value(), x.value(), low, high),
                  [u, x, low, high](auto& at) { at.adjoint(u) += between(at.zbar(), at(x), low, high); });
}

template <class T>
Variable<T> finite(Variable<T> x) {
    return record("finite", {x}, finite(x.value()), [x](auto& at) {
        at.adjoint(x) += choose(at.evaluate(finite(at(x) - at(x) + T(1))), at.zbar(), T(0));
    });
}

template <class T>
Variable<T> sign(Variable<T> x) {
    return record("sign", {x}, sign(x.value()), [](auto&) {});
}

#define INSTANTIATE(T)                                                                                        \
    template Variable<T> operator+(Variable<T>, Variable<T>);                                                 \
    template Variable<T> operator-(Variable<T>, Variable<T>);                                                 \
    template Variable<T> operator*(Variable<T>, Variable<T>);                                                 \
    template Variable<T> operator/(Variable<T>, Variable<T>);                                                 \
    template Variable<T> operator+(Variable<T>, std::type_identity_t<T>);                                     \
    template Variable<T> operator*(Variable<T>, std::type_identity_t<T>);                                     \
    template Variable<T> operator/(Variable<T>, std::type_identity_t<T>);                                     \
    template Variable<T> operator-(std::type_identity_t<T>, Variable<T>);                                     \
    template Variable<T> operator/(std::type_identity_t<T>, Variable<T>);                                     \
    template Variable<T> operator-(Variable<T>);                                                              \
    template Variable<T> exp(Variable<T>);                                                                    \
    template Variable<T> expm1(Variable<T>);                                                                  \
    template Variable<T> log(Variable<T>);                                                                    \
    template Variable<T> log1p(Variable<T>);                                                                  \
    template Variable<T> sqrt(Variable<T>);                                                                   \
    template Variable<T> abs(Variable<T>);                                                                    \
    template Variable<T> sin(Variable<T>);                                                                    \
    template Variable<T> cos(Variable<T>);                                                                    \
    template Variable<T> tanh(Variable<T>);                                                                   \
    template Variable<T> erf(Variable<T>);                                                                    \
    template Variable<T> sigmoid(Variable<T>);                                                                \
    template Variable<T> relu(Variable<T>);                                                                   \
    template Variable<T> softplus(Variable<T>);                                                               \
    template Variable<T> gelu(Variable<T>);                                                                   \
    template Variable<T> gelu_tanh(Variable<T>);                                                              \
    template Variable<T> silu(Variable<T>);                                                                   \
    template Variable<T> pow(Variable<T>, std::type_identity_t<T>);                                           \
    template Variable<T> pow(Variable<T>, Variable<T>);                                                       \
    template Variable<T> logaddexp(Variable<T>, Variable<T>);                                                 \
    template Variable<T> maximum(Variable<T>, Variable<T>);                                                   \
    template Variable<T> minimum(Variable<T>, Variable<T>);                                                   \
    template Variable<T> clip(Variable<T>, std::type_identity_t<T>, std::type_identity_t<T>);                 \
    template Variable<T> where(Variable<T>, Variable<T>, Variable<T>);                                        \
    template Variable<T> choose(Variable<T>, Variable<T>, std::type_identity_t<T>);                           \
    template Variable<T> choose(Variable<T>, std::type_identity_t<T>, Variable<T>);                           \
    template Variable<T> gate(Variable<T>, Variable<T>);                                                      \
    template Variable<T> winner(Variable<T>, Variable<T>, Variable<T>);                                       \
    template Variable<T> between(Variable<T>, Variable<T>, std::type_identity_t<T>, std::type_identity_t<T>); \
    template Variable<T> finite(Variable<T>);                                                                 \
    template Variable<T> sign(Variable<T>);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
