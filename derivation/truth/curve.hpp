// What a function is at one point: a certain one, or any smooth one.
#pragma once

#include <autograd/tape.hpp>
#include <derivation/formula/elementary.hpp>

namespace derivation {

/// A function of one number. Where it is no elementary one it is a mixture that satisfies no identity of its own:
/// a sin(w x + p) + b tanh(v x + q) + c x^2 + d x + e.
struct Curve {
    const Elementary* elementary = nullptr;
    double a = 0, w = 0, p = 0, b = 0, v = 0, q = 0, c = 0, d = 0, e = 0;

    bool has_kink() const { return elementary != nullptr && elementary->has_kink; }
};

/// The derivative of this order (0 to 3) at x: a number, and recorded on a tape.
double derivative_at(const Curve& f, int order, double x);
autograd::Variable<double> derivative_at(const Curve& f, int order, const autograd::Variable<double>& x);

}  // namespace derivation
