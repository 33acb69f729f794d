// What gdb.sh looks at, where it stops.
#include <autograd/autograd.hpp>

[[gnu::noinline]] void stop_here() { asm volatile(""); }

int main() {
    autograd::Tape<double> tape;
    autograd::Parameter<double> w("0.weight", {{0.5, -0.25}, {2, 4}, {8, 16}});
    const autograd::Array<float> a = {1.5f, 2.5f};
    const autograd::Indices labels = {3, 1, 2};
    const autograd::Array<double> scalar = 7.0, none = xt::zeros<double>({0, 3});
    const auto earlier = tape.variable(1.0);
    tape.rewind();
    const auto x = tape.variable({1.0, 2.0}, "x");
    const auto y = tape.name(matmul(tape.watch(w), x), "y");
    const auto z = sum(y);
    const auto gradients = tape.backward(z);
    const autograd::Variable<double> unused;
    stop_here();
    return static_cast<int>(earlier.index() + unused.index());
}
