#include <autograd/operations.hpp>
#include <cmath>
#include <derivation/truth/curve.hpp>

namespace derivation {

namespace {

double of(const Elementary& function, int order, double x) { return function.on_numbers(order, x); }

autograd::Variable<double> of(const Elementary& function, int order, const autograd::Variable<double>& x) {
    return function.on_tape(order, x);
}

template <class T>
T derivative(const Curve& f, int order, const T& x) {
    static const Elementary &sine = *find_elementary("sin"), &hyperbolic = *find_elementary("tanh");
    if (f.elementary != nullptr) return of(*f.elementary, order, x);
    const T smooth = f.a * std::pow(f.w, order) * of(sine, order, f.w * x + f.p) +
                     f.b * std::pow(f.v, order) * of(hyperbolic, order, f.v * x + f.q);
    return order == 0   ? smooth + f.c * (x * x) + f.d * x + f.e
           : order == 1 ? smooth + 2 * f.c * x + f.d
           : order == 2 ? smooth + 2 * f.c
                        : smooth;
}

}  // namespace

double derivative_at(const Curve& f, int order, double x) { return derivative(f, order, x); }

autograd::Variable<double> derivative_at(const Curve& f, int order, const autograd::Variable<double>& x) {
    return derivative(f, order, x);
}

}  // namespace derivation
