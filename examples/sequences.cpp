// Sequences of different lengths: a recurrent network learns which two of up to thirty numbers to add (Hochreiter and
// Schmidhuber, 1997). The marked ones may stand anywhere, so that the first must be remembered until the end.
#include <cstdio>
#include <exception>
#include <nn/nn.hpp>

namespace {

using autograd::Array, autograd::Variable;

/// Some sequences, filled up to the longest: in each step a number and whether it is marked.
struct Sequences {
    Array<float> steps;         ///< (n, longest, 2)
    autograd::Indices lengths;  ///< (n,)
    Array<float> sums;          ///< (n, 1)
};

Sequences draw(std::size_t n, std::mt19937_64& engine) {
    const std::size_t longest = 30;
    Sequences drawn{Array<float>::from_shape({n, longest, 2}), autograd::Indices::from_shape({n}),
                    Array<float>::from_shape({n, 1})};
    drawn.steps.fill(0);
    const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(nn::uniform(engine) * limit); };
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t length = 10 + below(longest - 9);
        drawn.lengths(i) = static_cast<std::int64_t>(length);
        for (std::size_t step = 0; step < length; ++step) drawn.steps(i, step, 0) = nn::uniform(engine);
        const std::size_t first = below(length / 2), second = length / 2 + below(length - length / 2);
        drawn.steps(i, first, 1) = drawn.steps(i, second, 1) = 1;
        drawn.sums(i, 0) = drawn.steps(i, first, 0) + drawn.steps(i, second, 0);
    }
    return drawn;
}

/// What a GRU knows at the end of each sequence, through a dense layer.
struct Model {
    explicit Model(std::mt19937_64& engine) : gru(2, 32, engine), sum(32, 1, engine) {}

    Variable<float> operator()(const Variable<float>& steps, const autograd::Indices& lengths) const {
        return sum(squeeze(gru.run(steps, lengths).state.hidden, 0));
    }
    std::vector<autograd::Parameter<float>> parameters() const {
        return nn::parameters_of<float>("gru", gru, "sum", sum);
    }

    nn::Gru<float> gru;
    nn::Dense<float> sum;
};

int run() {
    std::mt19937_64 engine(1);
    const Model model(engine);
    const int steps = 1500;
    nn::Adam<float> optimizer(model.parameters(), {.rate = 1e-2});
    nn::Scheduler schedule(optimizer, nn::one_cycle(steps));
    autograd::Tape<float> tape;
    for (int step = 1; step <= steps; ++step) {
        const Sequences batch = draw(64, engine);
        tape.rewind();
        const auto loss = mean_squared_error(model(tape.constant(batch.steps), batch.lengths), batch.sums);
        auto gradients = tape.backward(loss);
        const double norm = nn::clip_gradient_norm(gradients, model.parameters(), 1);
        optimizer.step(gradients);
        schedule.step();
        if (step % 250 == 0)
            std::printf("step %4d: loss %.5f, gradient's norm %.3f, next rate %.5f\n", step,
                        static_cast<double>(loss.item()), norm, optimizer.rate());
    }

    const Sequences test = draw(1000, engine);
    tape.rewind();
    const auto pause = tape.pause();
    const double error = mean_squared_error(model(tape.constant(test.steps), test.lengths), test.sums).item();
    std::printf("mean squared error of new sequences %.5f; who always says 1 has 0.16667\n", error);
    return error < 0.005 ? 0 : 1;
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
