// A network that learns an equation instead of data (Raissi et al., 2019). Heat flows through a rod whose ends are kept
// at 0,
//
//     u_t = u_xx / 10,   u(0, x) = sin(pi x),   u(t, 0) = u(t, 1) = 0,
//
// and the network's loss is what is left of it when the network stands in u's place. The derivatives of u are
// variables, so that the loss, which has second derivatives by x in it, has a gradient by the weights.
#include <cmath>
#include <cstdio>
#include <exception>
#include <nn/nn.hpp>
#include <numbers>

namespace {

using autograd::Array, autograd::concatenate, autograd::Variable;

/// n numbers between 0 and 1, as a column.
Array<double> column(std::size_t n, std::mt19937_64& engine) {
    auto numbers = Array<double>::from_shape({n, 1});
    for (double& number : numbers) number = nn::uniform(engine);
    return numbers;
}

int run() {
    std::mt19937_64 engine(1);
    nn::Mlp<double> model({2, 24, 24, 1}, nn::ActivationKind::tanh, engine);
    const auto u = [&](const Variable<double>& t, const Variable<double>& x) { return model(concatenate({t, x}, 1)); };

    const Array<double> inside_t = column(256, engine), inside_x = column(256, engine), edge = column(64, engine);
    const Array<double> zeros = 0 * edge, ones = zeros + 1;

    autograd::Tape<double> tape;
    const auto loss = [&] {
        const auto t = tape.variable(inside_t), x = tape.variable(inside_x);
        const auto first = grad(sum(u(t, x)), {t, x});  // u_t and u_x at each point
        const auto u_xx = grad(sum(first[1]), x);
        const auto equation = mean(pow(first[0] - u_xx / 10, 2));

        const auto s = tape.constant(edge), zero = tape.constant(zeros), one = tape.constant(ones);
        const auto start = mean_squared_error(u(zero, s), sin(std::numbers::pi * edge));
        const auto ends = mean(pow(u(s, zero), 2)) + mean(pow(u(s, one), 2));
        return equation + start + ends;
    };

    // The loss is the same from step to step, and double: a quasi-Newton method gets far. The loss becomes small, and
    // so do its changes.
    nn::Lbfgs<double> optimizer(model.parameters(), {.iterations = 100, .change_tolerance = 0});
    for (int step = 1; step <= 15; ++step) std::printf("step %2d: loss %.2e\n", step, optimizer.step(tape, loss));

    double largest = 0;
    tape.rewind();
    const auto pause = tape.pause();
    for (int i = 0; i <= 20; ++i) {
        for (int j = 0; j <= 20; ++j) {
            const double t = i / 20.0, x = j / 20.0, pi = std::numbers::pi;
            const double exact = std::exp(-pi * pi * t / 10) * std::sin(pi * x);
            largest = std::max(largest, std::abs(model(tape.constant({{t, x}})).item() - exact));
        }
    }
    std::printf("largest error %.1e, where u is between 0 and 1\n", largest);
    return largest < 2e-3 ? 0 : 1;
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
