// The gradient of a function, and the gradient of that.
#include <autograd/autograd.hpp>
#include <iostream>

int main() {
    autograd::Tape<double> tape;
    auto x = tape.variable({{0.1, 0.2}, {0.3, 0.4}}, "x");
    auto y = sum(tanh(x) * x + 2.0);
    auto grads = tape.backward(y);
    const autograd::Array<double>& gradient = grads[x];
    for (std::size_t i = 0; i < 2; ++i) std::cout << gradient(i, 0) << ' ' << gradient(i, 1) << '\n';
    // 0.198675 0.389584
    // 0.565854 0.722204

    auto second = grad(sum(grad(y, x)), x);                                         // a gradient is a variable again
    std::cout << "second derivative at x[0, 0]: " << second.value()(0, 0) << '\n';  // 1.9604
}
