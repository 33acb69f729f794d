// Powers. Each operation stands with its rule: z is the result, zbar its adjoint.
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>

namespace autograd {

FACTS("sqrt", "sqrt(x)", "xbar += zbar / (2 * z)", {{AT(x < 0), "the square root of a negative number"}},
      {{AT(z == 0), "the derivative of sqrt at 0 is inf"}});
template <class T>
Variable<T> sqrt(Variable<T> x) {
    return record("sqrt", {x}, sqrt(x.value()),
                  [x](auto& at) { at.adjoint(x) += at.zbar() / (at.z() * T(2) + T(0)); });  // (-0 counts as 0)
}
UNARY(sqrt);

constexpr char power_of_number[] = "pow\0power_of_number", slope_by_base[] = "pow\0slope_by_base",
               slope_by_exponent[] = "pow\0slope_by_exponent";

// On variables each slope is recorded with its own: at the edges where a slope is 0 by its limit or by convention, its
// derivative is another, and p (1 + y log x) the one by both.

namespace {

/// y p where p = x^(y - 1): 0 where one of them is, whatever the other.
template <class T>
auto pow_by_base(const Array<T>&, const Array<T>& y, const Array<T>& p) {
    return choose(y, choose(p, y * p, T(0)), T(0));
}
/// z log(x): 0 where z is, but for a negative x.
template <class T>
auto pow_by_exponent(const Array<T>&, const Array<T>&, const Array<T>& z, const Array<T>& log_of_x) {
    return choose(z, z * log_of_x, z * sign(log_of_x));
}

template <class T, class At>
void add_mixed_slope(At& at, Variable<T> x, Variable<T> y, Variable<T> to) {
    const auto& p = at.evaluate(pow(at(x), at(y) - T(1)));
    const auto& l = at.evaluate(log(at(x)));
    at.adjoint(to) += at.zbar() * choose(p, p * (T(1) + at(y) * l), p * sign(l));
}

template <class T>
Variable<T> pow_by_base(Variable<T> x, Variable<T> y, Variable<T> p) {
    return record(slope_by_base, {x, y}, pow_by_base(x.value(), y.value(), p.value()), [x, y](auto& at) {
        const auto& e = at.evaluate(at(y) - T(1));
        const auto& slope = at.evaluate(pow_by_base(at(x), e, at.evaluate(pow(at(x), e - T(1)))));
        at.adjoint(x) += at.zbar() * choose(slope, at(y) * slope, T(0));
        add_mixed_slope(at, x, y, y);
    });
}
template <class T>
Variable<T> pow_by_exponent(Variable<T> x, Variable<T> y, Variable<T> z, Variable<T> log_of_x) {
    return record(slope_by_exponent, {x, y}, pow_by_exponent(x.value(), y.value(), z.value(), log_of_x.value()),
                  [x, y](auto& at) {
                      const auto& power = at.evaluate(pow(at(x), at(y)));
                      const auto& l = at.evaluate(log(at(x)));
                      add_mixed_slope(at, x, y, x);
                      at.adjoint(y) += at.zbar() * choose(power, at.z() * l, power * sign(l));
                  });
}

}  // namespace

FACTS("pow", "x^y", "xbar += zbar * y * x^(y - 1); ybar += zbar * z * log(x)",
      {{AT(x == 0 && std::isinf(z)), "0 to a negative power"},
       {AT(x < 0 && std::isnan(z)), "a negative number to a power not whole"}},
      {{AT(x == 0), "the derivative of this power at 0 is inf"}});
template <class T>
Variable<T> pow(Variable<T> x, Variable<T> y) {
    return record("pow", {x, y}, pow(x.value(), y.value()), [x, y](auto& at) {
        const auto& p = at.evaluate(pow(at(x), at(y) - T(1)));
        const auto& l = at.evaluate(log(choose(at(x), at(x), T(1))));
        at.adjoint(x) += at.zbar() * pow_by_base(at(x), at(y), p);
        at.adjoint(y) += at.zbar() * pow_by_exponent(at(x), at(y), at.z(), l);
    });
}
BINARY(pow);

FACTS(slope_by_base, "y * x^(y - 1)",
      "xbar += zbar * y * (y - 1) * x^(y - 2); ybar += zbar * x^(y - 1) * (1 + y * log(x))");
FACTS(slope_by_exponent, "x^y * log(x)", "xbar += zbar * x^(y - 1) * (1 + y * log(x)); ybar += zbar * z * log(x)");

FACTS(power_of_number, "x^c", "xbar += zbar * c * x^(c - 1)");
template <class T>
Variable<T> pow(Variable<T> x, std::type_identity_t<T> c) {
    return record(power_of_number, {x}, pow(x.value(), c), [x, c](auto& at) {
        if (c != T(0)) at.adjoint(x) += at.zbar() * c * pow(at(x), T(c - T(1)));
    });
}

template Variable<float> pow(Variable<float>, float);
template Variable<double> pow(Variable<double>, double);

FACTS_OF_THIS_FILE(facts_of_powers)

}  // namespace autograd
