// A network with a training loop of one's own: handwritten digits of 8 by 8 pixels, a fifth of them held out.
#include <autograd/operations.hpp>
#include <cstdio>
#include <exception>
#include <nn/data.hpp>
#include <nn/mlp.hpp>
#include <nn/optimizers.hpp>

namespace {

int run(const char* path) {
    std::mt19937_64 engine(1);
    auto data = nn::read_csv<float>(path);
    data.features /= 16.0f;  // pixels are 0 ... 16
    const auto [training, test] = nn::split(data, 0.2, engine);

    nn::Mlp<float> model({data.features.shape()[1], 64, data.classes()}, nn::ActivationKind::relu, engine);
    nn::Adam<float> optimizer(model.parameters(), {.rate = 3e-3});
    nn::Batches<float> batches(training, 32, engine);
    autograd::Tape<float> tape;
    autograd::Array<float> x;
    autograd::Indices labels;
    for (int epoch = 1; epoch <= 20; ++epoch) {
        float loss_of_batch = 0;
        while (batches.next(x, labels)) {
            tape.rewind();
            const auto loss = softmax_cross_entropy(model(tape.constant(x)), labels);
            optimizer.step(tape.backward(loss));
            loss_of_batch = loss.item();
        }
        if (epoch % 5 == 0) std::printf("epoch %2d: loss %.4f\n", epoch, static_cast<double>(loss_of_batch));
    }

    tape.rewind();
    const auto pause = tape.pause();
    const double accuracy = nn::accuracy(model(tape.constant(test.features)).value(), test.labels);
    std::printf("test accuracy: %.2f %%\n", 100 * accuracy);
    return accuracy >= 0.95 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? argv[1] : DELTARULE_DATA_DIR "/digits.csv.gz");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
