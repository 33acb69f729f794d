// Powers. Each operation stands with its rule: z is the result, zbar its adjoint.
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>

namespace autograd {

FACTS("sqrt", "sqrt(x)", "xbar += zbar / (2 * z)", {{AT(x < 0), "the square root of a negative number"}},
      {{AT(z == 0), "the derivative of sqrt at 0 is inf"}});
template <class T>
Variable<T> sqrt(Variable<T> x) {
    return record("sqrt", {x}, sqrt(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() / (at.z() * T(2)); });
}
UNARY(sqrt);

// z = x^c              xbar += zbar * c * x^(c - 1)
template <class T>
Variable<T> pow(Variable<T> x, std::type_identity_t<T> c) {
    return record("pow", {x}, pow(x.value(), c), [x, c](auto& at) {
        if (c != T(0)) at.adjoint(x) += at.zbar() * c * pow(at(x), T(c - T(1)));
    });
}

FACTS("pow", "x^y", "xbar += zbar * y * x^(y - 1); ybar += zbar * z * log(x)",
      {{AT(x == 0 && std::isinf(z)), "0 to a negative power"},
       {AT(x < 0 && std::isnan(z)), "a negative number to a power not whole"}},
      {{AT(x == 0), "the derivative of this power at 0 is inf"}});
template <class T>
Variable<T> pow(Variable<T> x, Variable<T> y) {
    return record("pow", {x, y}, pow(x.value(), y.value()), [x, y](auto& at) {
        at.adjoint(x) += choose(at(y), at.zbar() * at(y) * pow(at(x), at(y) - T(1)), T(0));
        at.adjoint(y) += at.zbar() * at.z() * log(choose(at(x), at(x), T(1)));
    });
}
BINARY(pow);

template Variable<float> pow(Variable<float>, float);
template Variable<double> pow(Variable<double>, double);

FACTS_OF_THIS_FILE(facts_of_powers)

}  // namespace autograd
