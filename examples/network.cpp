// A network of one's own: a struct with parameters() and a call operator, and a training loop around it.
// Flowers of three kinds are told apart by four lengths; a block adds what it computes to what it was given.
#include <autograd/operations.hpp>
#include <cstdio>
#include <exception>
#include <nn/data.hpp>
#include <nn/dense.hpp>
#include <nn/layers.hpp>
#include <nn/optimizers.hpp>

namespace {

using autograd::Variable;

/// z = x + tanh(x @ w1^T + b1) @ w2^T
struct Residual {
    Residual(std::size_t width, std::mt19937_64& engine)
        : inner(width, width, engine), outer(width, width, engine, false) {}

    Variable<float> operator()(const Variable<float>& x) const { return x + outer(tanh(inner(x))); }

    std::vector<autograd::Parameter<float>> parameters() const {
        return nn::parameters_of<float>("inner", inner, "outer", outer);
    }

    nn::Dense<float> inner, outer;
};

int run(const char* path) {
    std::mt19937_64 engine(1);
    const auto [training, test] = nn::split(nn::read_csv<float>(path), 0.3, engine);

    nn::Sequential<float> model(nn::Dense<float>(4, 8, engine), Residual(8, engine), Residual(8, engine),
                                nn::Dense<float>(8, training.classes(), engine));
    nn::Sgd<float> optimizer(model.parameters(), {.rate = 0.05, .momentum = 0.9});
    autograd::Tape<float> tape;
    for (int epoch = 1; epoch <= 200; ++epoch) {
        tape.rewind();  // the whole set at once: a step is an epoch
        const auto loss = softmax_cross_entropy(model(tape.constant(training.features)), training.labels);
        optimizer.step(tape.backward(loss));
        if (epoch % 50 == 0) std::printf("epoch %3d: loss %.4f\n", epoch, static_cast<double>(loss.item()));
    }

    tape.rewind();
    const auto pause = tape.pause();
    const double accuracy = nn::accuracy(model(tape.constant(test.features)).value(), test.labels);
    std::printf("test accuracy: %.2f %%\n", 100 * accuracy);
    return accuracy >= 0.9 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? argv[1] : DELTARULE_DATA_DIR "/iris.csv");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
