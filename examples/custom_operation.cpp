// An operation of one's own, with its rule, checked like any other.
#include <autograd/autograd.hpp>
#include <iostream>

using autograd::Variable;

// z = x^2 exp(-x)      xbar += zbar * (2 x - x^2) exp(-x)
template <class T>
Variable<T> hump(Variable<T> x) {
    return autograd::record("hump", {x}, x.value() * x.value() * exp(-x.value()), [x](auto& at) {
        at.adjoint(x) += at.zbar() * (T(2) * at(x) - at(x) * at(x)) * exp(-at(x));
    });
}

int main() {
    const autograd::Array<double> points = {{0.5, -1.0, 2.0}, {0.1, 1.5, 3.0}};
    const auto f = [](const auto& x) { return hump(x[0]); };
    const auto first = autograd::gradcheck(f, {points});
    const auto second = autograd::gradgradcheck(f, {points});
    std::cout << "first derivative:  " << (first ? "right" : first.message) << '\n';
    std::cout << "second derivative: " << (second ? "right" : second.message) << '\n';
    return first && second ? 0 : 1;
}
