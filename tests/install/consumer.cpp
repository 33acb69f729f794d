// A user's program: plain xtensor of its own beside a tape.
#include <autograd/autograd.hpp>
#include <iostream>

int main() {
    const xt::xarray<double> own = {1.0, 2.0, 3.0};
    autograd::Tape<double> tape;
    const auto x = tape.variable(own * 2.0);
    const auto gradients = tape.backward(sum(x * x));
    const bool right = gradients[x](0) == 4 && gradients[x](2) == 12;
    std::cout << (right ? "right" : "wrong") << '\n';
    return right ? 0 : 1;
}
