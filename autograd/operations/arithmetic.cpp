// Operators. Each operation stands with its rule: z is the result, zbar its adjoint.
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>

namespace autograd {

FACTS("add", "x + y", "xbar += zbar; ybar += zbar", {{AT(std::isinf(x) && std::isinf(y)), "inf - inf"}});
template <class T>
Variable<T> operator+(Variable<T> x, Variable<T> y) {
    return record("add", {x, y}, x.value() + y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar();
        at.adjoint(y) += at.zbar();
    });
}
BINARY(operator+);

FACTS("sub", "x - y", "xbar += zbar; ybar += -zbar", {{AT(std::isinf(x) && std::isinf(y)), "inf - inf"}});
template <class T>
Variable<T> operator-(Variable<T> x, Variable<T> y) {
    return record("sub", {x, y}, x.value() - y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar();
        at.adjoint(y) += -at.zbar();
    });
}
BINARY(operator-);

FACTS("mul", "x * y", "xbar += zbar * y; ybar += zbar * x",
      {{AT((x == 0 && (!binary || std::isinf(y))) || (y == 0 && std::isinf(x))), "0 * inf"}});
template <class T>
Variable<T> operator*(Variable<T> x, Variable<T> y) {
    return record("mul", {x, y}, x.value() * y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar() * at(y);
        at.adjoint(y) += at.zbar() * at(x);
    });
}
BINARY(operator*);

FACTS("div", "x / y", "xbar += zbar / y; ybar += -zbar * z / y",
      {{AT(x == 0 && (binary ? y == 0 : std::isnan(z))), "0 / 0"},
       {AT((binary ? y : x) == 0), "division by 0"},
       {AT(std::isinf(x) && std::isinf(y)), "inf / inf"},
       {AT(!binary && std::isfinite(x)), "division by 0, or a quotient too large for {type}"}},
      {{AT((binary ? y : x) == 0), "the derivative of a division by 0 is inf"}});
template <class T>
Variable<T> operator/(Variable<T> x, Variable<T> y) {
    return record("div", {x, y}, x.value() / y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar() / at(y);
        at.adjoint(y) += -(at.zbar() * at.z()) / at(y);
    });
}
BINARY(operator/);

// With a number c.
constexpr char add_number[] = "add\0add_number", mul_number[] = "mul\0mul_number", number_sub[] = "sub\0number_sub",
               div_number[] = "div\0div_number", number_div[] = "div\0number_div";

FACTS(add_number, "x + c", "xbar += zbar");
template <class T>
Variable<T> operator+(Variable<T> x, std::type_identity_t<T> c) {
    return record(add_number, {x}, x.value() + c, [x](auto& at) { at.adjoint(x) += at.zbar(); });
}

FACTS(mul_number, "x * c", "xbar += zbar * c");
template <class T>
Variable<T> operator*(Variable<T> x, std::type_identity_t<T> c) {
    return record(mul_number, {x}, x.value() * c, [x, c](auto& at) { at.adjoint(x) += at.zbar() * c; });
}

FACTS(number_sub, "c - x", "xbar += -zbar");
template <class T>
Variable<T> operator-(std::type_identity_t<T> c, Variable<T> x) {
    return record(number_sub, {x}, c - x.value(), [x](auto& at) { at.adjoint(x) += -at.zbar(); });
}

FACTS(div_number, "x / c", "xbar += zbar / c");
template <class T>
Variable<T> operator/(Variable<T> x, std::type_identity_t<T> c) {
    return record(div_number, {x}, x.value() / c, [x, c](auto& at) { at.adjoint(x) += at.zbar() / c; });
}

FACTS(number_div, "c / x", "xbar += -zbar * z / x");
template <class T>
Variable<T> operator/(std::type_identity_t<T> c, Variable<T> x) {
    return record(number_div, {x}, c / x.value(), [x](auto& at) { at.adjoint(x) += -(at.zbar() * at.z()) / at(x); });
}

FACTS("neg", "-x", "xbar += -zbar");
template <class T>
Variable<T> operator-(Variable<T> x) {
    return record("neg", {x}, -x.value(), [x](auto& at) { at.adjoint(x) += -at.zbar(); });
}
UNARY(operator-);

template Variable<float> operator+(Variable<float>, float);
template Variable<double> operator+(Variable<double>, double);
template Variable<float> operator*(Variable<float>, float);
template Variable<double> operator*(Variable<double>, double);
template Variable<float> operator/(Variable<float>, float);
template Variable<double> operator/(Variable<double>, double);
template Variable<float> operator-(float, Variable<float>);
template Variable<double> operator-(double, Variable<double>);
template Variable<float> operator/(float, Variable<float>);
template Variable<double> operator/(double, Variable<double>);

FACTS_OF_THIS_FILE(facts_of_arithmetic)

}  // namespace autograd
