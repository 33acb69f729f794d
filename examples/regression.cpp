// Numbers to be predicted: how a disease went on after a year, by ten measurements of each patient. A layer of one's
// own keeps the scales of the columns, so that they are saved with the network; `nn::fit` trains it.
#include <cstdio>
#include <exception>
#include <nn/nn.hpp>

namespace {

using autograd::Array, autograd::Parameter, autograd::Variable;

/// z = x * factor + offset for each column. Both are saved with the network, and not learned.
struct Scale {
    Scale(Array<double> factors, Array<double> offsets)
        : factor(Parameter<double>::buffer("factor", std::move(factors))),
          offset(Parameter<double>::buffer("offset", std::move(offsets))) {}

    Variable<double> operator()(const Variable<double>& x) const {
        return x * x.tape().watch(factor) + x.tape().watch(offset);
    }
    std::vector<Parameter<double>> parameters() const { return {factor, offset}; }

    Parameter<double> factor, offset;
};

int run(const char* path) {
    std::mt19937_64 engine(1);
    const auto [training, test] = nn::split(nn::read_table(path), 0.2, engine);
    std::printf("%zu patients to learn from, %zu others\n", training.size(), test.size());

    autograd::Tape<double> tape;
    const auto x = tape.constant(training.features), y = tape.constant(training.targets);
    const Array<double> mean_x = mean(x, 0).value(), deviation_x = sqrt(variance(x, 0)).value();
    const Array<double> mean_y = mean(y, 0).value(), deviation_y = sqrt(variance(y, 0)).value();
    nn::Sequential<double> model(Scale(1 / deviation_x, -mean_x / deviation_x), nn::Dense<double>(10, 16, engine),
                                 autograd::tanh<double>, nn::Dense<double>(16, 1, engine), Scale(deviation_y, mean_y));
    nn::AdamW<double> optimizer(model.parameters(), {.rate = 3e-3, .weight_decay = 0.1});
    const nn::History history =
        nn::fit(model, training,
                {.epochs = 200, .optimizer = &optimizer, .validation_share = 0.2, .patience = 20, .progress = nullptr});
    std::printf("%zu epochs, the best was number %zu\n", history.epochs.size(), history.best);

    tape.rewind();
    const nn::Evaluation evaluation(tape);
    const Array<double> predictions = model(tape.constant(test.features)).value();
    const double r_squared = nn::r_squared(predictions, test.targets)[0];
    std::printf("R^2 %.3f, mean absolute error %.1f of numbers that deviate by %.1f\n", r_squared,
                nn::mean_absolute_error(predictions, test.targets)[0], deviation_y(0));
    return r_squared > 0.35 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? argv[1] : DELTARULE_DATA_DIR "/diabetes.csv");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
