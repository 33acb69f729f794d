// A variational autoencoder (Kingma and Welling, 2014): eight numbers for each handwritten digit, and new digits from
// noise.
#include <cstdio>
#include <exception>
#include <nn/nn.hpp>

namespace {

using autograd::Array, autograd::Reduction, autograd::Variable;

/// A picture to the normal distribution of its code, and a code to the logits of a picture.
struct Autoencoder {
    Autoencoder(std::size_t pixels, std::size_t hidden, std::size_t code, std::mt19937_64& engine)
        : body(pixels, hidden, engine),
          mean(hidden, code, engine),
          log_variance(hidden, code, engine),
          decoder({code, hidden, pixels}, nn::ActivationKind::relu, engine) {}

    std::vector<autograd::Parameter<float>> parameters() const {
        return nn::parameters_of<float>("body", body, "mean", mean, "log_variance", log_variance, "decoder", decoder);
    }

    nn::Dense<float> body, mean, log_variance;
    nn::Mlp<float> decoder;
};

Array<float> noise(std::size_t n, std::size_t width, std::mt19937_64& engine) {
    auto numbers = Array<float>::from_shape({n, width});
    for (float& number : numbers) number = static_cast<float>(nn::normal(engine));
    return numbers;
}

/// What a picture costs on average, an upper bound of -log p(x): what its pixels cost given its code, and
/// KL(q || N(0, 1)) = sum(mean^2 + variance - log(variance) - 1) / 2 for the code.
struct Cost {
    Variable<float> pixels, code;
};
Cost cost(const Autoencoder& model, const Variable<float>& x, std::mt19937_64& engine) {
    const auto n = x.shape()[0];
    const auto hidden = relu(model.body(x));
    const auto mean = model.mean(hidden), log_variance = model.log_variance(hidden);
    // The code is drawn as mean + deviation * noise, so that gradients reach both.
    const auto code = mean + exp(log_variance / 2) * noise(n, mean.shape()[1], engine);
    // A pixel says how many of 16 points are dark, and each of them counts.
    const auto pixels = 16 * binary_cross_entropy_with_logits(model.decoder(code), x, Reduction::sum);
    const auto kl = sum(mean * mean + exp(log_variance) - log_variance - 1) / 2;
    return {pixels / n, kl / n};
}

/// The cost of a picture for who knows no more than how dark each pixel is on average.
double cost_of_means(const Array<float>& training, const Array<float>& test) {
    autograd::Tape<double> tape;
    const auto p = mean(tape.constant(training), 0) * 0.998 + 0.001;
    const auto x = tape.constant(test);
    return -16 * sum(x * log(p) + (1 - x) * log(1 - p)).item() / test.shape()[0];
}

void draw(const Array<float>& pictures) {
    for (std::size_t row = 0; row < 8; ++row) {
        for (std::size_t i = 0; i < pictures.shape()[0]; ++i) {
            for (std::size_t column = 0; column < 8; ++column)
                std::putchar(" .:-=+*#%@"[static_cast<int>(pictures(i, 8 * row + column) * 9.99f)]);
            std::fputs("   ", stdout);
        }
        std::putchar('\n');
    }
}

int run(const char* path) {
    std::mt19937_64 engine(1);
    auto data = nn::read_csv<float>(path);
    data.features /= 16.0f;  // pixels are 0 ... 16
    const auto [training, test] = nn::split(data, 0.2, engine);

    const Autoencoder model(64, 128, 8, engine);
    nn::Adam<float> optimizer(model.parameters(), {.rate = 2e-3});
    nn::Batches<float> batches(training, 32, engine);
    autograd::Tape<float> tape;
    Array<float> x;
    autograd::Indices labels;
    for (int epoch = 1; epoch <= 40; ++epoch) {
        double pixels = 0, code = 0;
        while (batches.next(x, labels)) {
            tape.rewind();
            const Cost batch = cost(model, tape.constant(x), engine);
            optimizer.step(tape.backward(batch.pixels + batch.code));
            pixels += batch.pixels.item() * labels.size() / training.size();
            code += batch.code.item() * labels.size() / training.size();
        }
        if (epoch % 10 == 0) std::printf("epoch %2d: pixels %.1f, code %.1f\n", epoch, pixels, code);
    }

    tape.rewind();
    const auto pause = tape.pause();
    const Cost left = cost(model, tape.constant(test.features), engine);
    const double costs = (left.pixels + left.code).item(), before = cost_of_means(training.features, test.features);
    std::printf("a new digit costs %.1f nats; without a code %.1f\n", costs, before);
    draw(sigmoid(model.decoder(tape.constant(noise(8, 8, engine)))).value());
    return costs < 0.8 * before ? 0 : 1;
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
