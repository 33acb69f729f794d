// Powers. Each operation stands with its rule: z is the result, zbar its adjoint.
#include <autograd/operations/partners.hpp>

namespace autograd {

// z = sqrt(x)          xbar += zbar / (2 z)
template <class T>
Variable<T> sqrt(Variable<T> x) {
    return record("sqrt", {x}, sqrt(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() / (at.z() * T(2)); });
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

#define INSTANTIATE(T)                                              \
    template Variable<T> sqrt(Variable<T>);                         \
    template Variable<T> pow(Variable<T>, std::type_identity_t<T>); \
    template Variable<T> pow(Variable<T>, Variable<T>);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
