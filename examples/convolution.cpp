// A convolutional network, with a training loop of one's own: handwritten digits of 8 by 8 pixels, a fifth held out.
#include <cstdio>
#include <exception>
#include <iostream>
#include <nn/nn.hpp>

namespace {

/// Rows of 64 pixels of 0 ... 16 as images of one channel.
autograd::Array<float> images(autograd::Array<float> rows) {
    rows /= 16.0f;
    rows.reshape(autograd::Shape{rows.shape()[0], 1, 8, 8});
    return rows;
}

int run(const char* path) {
    std::mt19937_64 engine(1);
    const auto [training, test] = nn::split(nn::read_csv<float>(path), 0.2, engine);

    nn::Sequential<float> model(nn::Conv2d<float>(1, 16, 3, engine, {.padding = 1}), nn::BatchNorm<float>(16),
                                autograd::relu<float>, nn::MaxPool2d<float>(2),
                                nn::Conv2d<float>(16, 32, 3, engine, {.padding = 1}), autograd::relu<float>,
                                nn::MaxPool2d<float>(2), nn::Flatten<float>(), nn::Dropout<float>(0.25, engine),
                                nn::Dense<float>(128, training.classes(), engine));
    std::cout << nn::summary(model, images(nn::rows_of(training, {0}).features)) << '\n';

    nn::Adam<float> optimizer(model.parameters(), {.rate = 3e-3});
    nn::Batches<float> batches(training, 32, engine);
    autograd::Tape<float> tape;
    autograd::Array<float> x;
    autograd::Indices labels;
    model.train(true);
    for (int epoch = 1; epoch <= 10; ++epoch) {
        float loss_of_batch = 0;
        while (batches.next(x, labels)) {
            tape.rewind();
            const auto loss = softmax_cross_entropy(model(tape.constant(images(x))), labels);
            optimizer.step(tape.backward(loss));
            loss_of_batch = loss.item();
        }
        if (epoch % 5 == 0) std::printf("epoch %2d: loss %.4f\n", epoch, static_cast<double>(loss_of_batch));
    }

    tape.rewind();
    const nn::Evaluation evaluation(tape);
    const double accuracy = nn::accuracy(model(tape.constant(images(test.features))).value(), test.labels);
    std::printf("test accuracy: %.2f %%\n", 100 * accuracy);
    return accuracy >= 0.98 ? 0 : 1;
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
