// Operators. Each operation stands with its rule: z is the result, zbar its adjoint.
#include <autograd/operations/partners.hpp>

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

#define INSTANTIATE(T)                                                    \
    template Variable<T> operator+(Variable<T>, Variable<T>);             \
    template Variable<T> operator-(Variable<T>, Variable<T>);             \
    template Variable<T> operator*(Variable<T>, Variable<T>);             \
    template Variable<T> operator/(Variable<T>, Variable<T>);             \
    template Variable<T> operator+(Variable<T>, std::type_identity_t<T>); \
    template Variable<T> operator*(Variable<T>, std::type_identity_t<T>); \
    template Variable<T> operator/(Variable<T>, std::type_identity_t<T>); \
    template Variable<T> operator-(std::type_identity_t<T>, Variable<T>); \
    template Variable<T> operator/(std::type_identity_t<T>, Variable<T>); \
    template Variable<T> operator-(Variable<T>);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
