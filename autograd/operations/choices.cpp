// Functions that choose one of their arguments, and the partners that pass a gradient on where it was chosen. Each
// operation stands with its rule: z is the result, zbar its adjoint.
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <cmath>
#include <stdexcept>

namespace autograd {

FACTS("maximum", "max(x, y)",
      "xbar += zbar where x > y, half of it where x = y; ybar += zbar where y > x, half of it where x = y");
template <class T>
Variable<T> maximum(Variable<T> x, Variable<T> y) {
    return record("maximum", {x, y}, maximum(x.value(), y.value()), [x, y](auto& at) {
        at.adjoint(x) += winner(at.zbar(), at(x), at(y));
        at.adjoint(y) += winner(at.zbar(), at(y), at(x));
    });
}
BINARY(maximum);

FACTS("minimum", "min(x, y)",
      "xbar += zbar where x < y, half of it where x = y; ybar += zbar where y < x, half of it where x = y");
template <class T>
Variable<T> minimum(Variable<T> x, Variable<T> y) {
    return record("minimum", {x, y}, minimum(x.value(), y.value()), [x, y](auto& at) {
        at.adjoint(x) += winner(at.zbar(), at(y), at(x));
        at.adjoint(y) += winner(at.zbar(), at(x), at(y));
    });
}
BINARY(minimum);

FACTS("clip", "min(max(x, low), high)", "xbar += zbar where low <= x <= high");
template <class T>
Variable<T> clip(Variable<T> x, std::type_identity_t<T> low, std::type_identity_t<T> high) {
    if (low > high) throw std::invalid_argument("[clip] the lower bound is above the upper one");
    if (std::isnan(low) || std::isnan(high)) throw std::invalid_argument("[clip] a bound is NaN");
    return record("clip", {x}, clip(x.value(), low, high),
                  [x, low, high](auto& at) { at.adjoint(x) += between(at.zbar(), at(x), low, high); });
}

FACTS("where", "mask ? x : y", "xbar += mask ? zbar : 0; ybar += mask ? 0 : zbar", {}, {}, "mask x y");
constexpr char where_or_number[] = "where\0where_or_number", where_else_number[] = "where\0where_else_number";
FACTS(where_or_number, "mask ? x : c", "xbar += mask ? zbar : 0", {}, {}, "mask x");
FACTS(where_else_number, "mask ? c : y", "ybar += mask ? 0 : zbar", {}, {}, "mask y");
template <class T>
Variable<T> where(Variable<T> mask, Variable<T> x, Variable<T> y) {
    return record("where", {mask, x, y}, choose(mask.value(), x.value(), y.value()), [mask, x, y](auto& at) {
        at.adjoint(x) += choose(at(mask), at.zbar(), T(0));
        at.adjoint(y) += choose(at(mask), T(0), at.zbar());
    });
}

template <class T>
Variable<T> choose(Variable<T> mask, Variable<T> x, Variable<T> y) {
    return where(mask, x, y);
}

template <class T>
Variable<T> choose(Variable<T> mask, Variable<T> x, std::type_identity_t<T> y) {
    return record(where_or_number, {mask, x}, choose(mask.value(), x.value(), y),
                  [mask, x](auto& at) { at.adjoint(x) += choose(at(mask), at.zbar(), T(0)); });
}

template <class T>
Variable<T> choose(Variable<T> mask, std::type_identity_t<T> x, Variable<T> y) {
    return record(where_else_number, {mask, y}, choose(mask.value(), x, y.value()),
                  [mask, y](auto& at) { at.adjoint(y) += choose(at(mask), T(0), at.zbar()); });
}

// Linear in u; in x and y constant almost everywhere.
FACTS("gate", "x > 0 ? u : 0", "ubar += x > 0 ? zbar : 0", {}, {}, "u x");
template <class T>
Variable<T> gate(Variable<T> u, Variable<T> x) {
    return record("gate", {u, x}, gate(u.value(), x.value()),
                  [u, x](auto& at) { at.adjoint(u) += gate(at.zbar(), at(x)); });
}
BINARY(gate);

FACTS("winner", "x > y ? u : x = y ? u / 2 : 0", "ubar += x > y ? zbar : x = y ? zbar / 2 : 0", {}, {}, "u x y");
template <class T>
Variable<T> winner(Variable<T> u, Variable<T> x, Variable<T> y) {
    return record("winner", {u, x, y}, winner(u.value(), x.value(), y.value()),
                  [u, x, y](auto& at) { at.adjoint(u) += winner(at.zbar(), at(x), at(y)); });
}

FACTS("between", "low <= x <= high ? u : 0", "ubar += low <= x <= high ? zbar : 0", {}, {}, "u x");
template <class T>
Variable<T> between(Variable<T> u, Variable<T> x, std::type_identity_t<T> low, std::type_identity_t<T> high) {
    return record("between", {u, x}, between(u.value(), x.value(), low, high),
                  [u, x, low, high](auto& at) { at.adjoint(u) += between(at.zbar(), at(x), low, high); });
}

FACTS("sign", "sign(x)", "none");
template <class T>
Variable<T> sign(Variable<T> x) {
    return record("sign", {x}, sign(x.value()), [](auto&) {});
}
UNARY(sign);

template Variable<float> clip(Variable<float>, float, float);
template Variable<double> clip(Variable<double>, double, double);
template Variable<float> where(Variable<float>, Variable<float>, Variable<float>);
template Variable<double> where(Variable<double>, Variable<double>, Variable<double>);
template Variable<float> choose(Variable<float>, Variable<float>, Variable<float>);
template Variable<double> choose(Variable<double>, Variable<double>, Variable<double>);
template Variable<float> choose(Variable<float>, Variable<float>, float);
template Variable<double> choose(Variable<double>, Variable<double>, double);
template Variable<float> choose(Variable<float>, float, Variable<float>);
template Variable<double> choose(Variable<double>, double, Variable<double>);
template Variable<float> winner(Variable<float>, Variable<float>, Variable<float>);
template Variable<double> winner(Variable<double>, Variable<double>, Variable<double>);
template Variable<float> between(Variable<float>, Variable<float>, float, float);
template Variable<double> between(Variable<double>, Variable<double>, double, double);

FACTS_OF_THIS_FILE(facts_of_choices)

}  // namespace autograd
