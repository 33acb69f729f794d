#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <nn/data.hpp>
#include <nn/mlp.hpp>
#include <nn/optimizers.hpp>
#include <nn/safetensors.hpp>
#include <stdexcept>

#include "commands.hpp"

namespace {

using autograd::Array;
using autograd::Parameter;
using nlohmann::json;

/// The digits beside the program where it is installed, or in the source tree.
std::string digits() {
    const auto program = std::filesystem::canonical("/proc/self/exe").parent_path();
    const auto installed = program / DELTARULE_INSTALLED_DATA_DIR / "digits.csv.gz";
    return std::filesystem::exists(installed) ? installed.string() : DELTARULE_DATA_DIR "/digits.csv.gz";
}

std::string plain_or_packed(const std::string& folder, const std::string& name) {
    const auto plain = std::filesystem::path(folder) / name;
    return std::filesystem::exists(plain) ? plain.string() : plain.string() + ".gz";
}

/// What is trained on, and what is tested on.
std::pair<nn::Dataset<float>, nn::Dataset<float>> read(const TrainOptions& options, std::mt19937_64& engine) {
    if (options.idx.empty())
        return nn::split(nn::read_csv<float>(options.csv.empty() ? digits() : options.csv, options.label),
                         options.holdout, engine);
    const auto part = [&](const std::string& name) {
        return nn::read_idx<float>(plain_or_packed(options.idx, name + "-images-idx3-ubyte"),
                                   plain_or_packed(options.idx, name + "-labels-idx1-ubyte"));
    };
    auto sets = std::pair{part("train"), part("t10k")};
    const auto& [training, test] = sets;
    if (training.features.shape()[1] != test.features.shape()[1] || test.classes() > training.classes())
        throw autograd::FileError(
            fmt::format("{}: the test set's images or classes are not those of the training set", options.idx));
    return sets;
}

/// Maps each column of the training set to 0 ... 1, and columns that never change to 0: x -> (x - least) * factor.
struct Scaling {
    explicit Scaling(const Array<float>& features) {
        const std::size_t columns = features.shape()[1];
        least.assign(features.data(), features.data() + columns);
        std::vector<float> most = least;
        for (std::size_t i = 0; i < features.size(); ++i) {
            least[i % columns] = std::min(least[i % columns], features.data()[i]);
            most[i % columns] = std::max(most[i % columns], features.data()[i]);
        }
        for (std::size_t j = 0; j < columns; ++j) factor.push_back(most[j] > least[j] ? 1 / (most[j] - least[j]) : 0);
    }

    void apply(Array<float>& features) const {
        const std::size_t columns = features.shape()[1];
        for (std::size_t i = 0; i < features.size(); ++i)
            features.data()[i] = (features.data()[i] - least[i % columns]) * factor[i % columns];
    }

    /// Moves the scaling into the first layer, so that the network takes the numbers of the file:
    /// weight * (factor * (x - least)) + bias = (weight * factor) * x + (bias - (weight * factor) * least).
    void fold_into(Parameter<float> weight, Parameter<float> bias) const {
        weight.edit([&](Array<float>& w) {
            for (std::size_t i = 0; i < w.size(); ++i) w.data()[i] *= factor[i % factor.size()];
        });
        bias.edit([&](Array<float>& b) {
            for (std::size_t i = 0; i < b.size(); ++i) {
                double shift = 0;
                for (std::size_t j = 0; j < least.size(); ++j) shift += double{weight.value()(i, j)} * least[j];
                b(i) = static_cast<float>(b(i) - shift);
            }
        });
    }

    std::vector<float> least, factor;
};

/// sgd, momentum, adam, adamw or rmsprop, with its own rate unless one is given.
std::unique_ptr<nn::Optimizer<float>> make_optimizer(const std::string& name, std::optional<double> rate,
                                                     std::vector<Parameter<float>> parameters) {
    const auto with_rate = [rate](auto options) {
        options.rate = rate.value_or(options.rate);
        return options;
    };
    if (name == "sgd") return std::make_unique<nn::Sgd<float>>(parameters, with_rate(nn::SgdOptions{.rate = 0.1}));
    if (name == "momentum")
        return std::make_unique<nn::Sgd<float>>(parameters, with_rate(nn::SgdOptions{.rate = 0.03, .momentum = 0.9}));
    if (name == "adamw") return std::make_unique<nn::AdamW<float>>(parameters, with_rate(nn::AdamWOptions{}));
    if (name == "rmsprop")
        return std::make_unique<nn::RMSprop<float>>(parameters, with_rate(nn::RMSpropOptions{.rate = 1e-3}));
    return std::make_unique<nn::Adam<float>>(parameters, with_rate(nn::AdamOptions{}));
}

/// A bar that is drawn over itself on a terminal; elsewhere a line for each epoch.
class Progress {
  public:
    Progress(std::size_t epochs, std::size_t rows) : epochs_(epochs), rows_(rows) {}

    void show(std::size_t epoch, std::size_t seen, double loss, double accuracy) {
        const auto now = Clock::now();
        const bool last = seen == rows_;
        if (!terminal_) {
            if (last) fmt::print("epoch {}/{}: loss {:.4f}, accuracy {:.2f} %\n", epoch, epochs_, loss, 100 * accuracy);
            if (last) std::fflush(stdout);
            return;
        }
        if (!last && now - drawn_ < std::chrono::milliseconds(50)) return;
        drawn_ = now;
        const double done = (static_cast<double>(epoch - 1) + static_cast<double>(seen) / static_cast<double>(rows_)) /
                            static_cast<double>(epochs_);
        const double left = std::chrono::duration<double>(now - start_).count() * (1 - done) / done;
        const auto filled = static_cast<int>(done * 30);
        fmt::print("\r{:#>{}}{:.>{}} epoch {}/{}  loss {:.4f}  accuracy {:.2f} %  {}:{:02} left \033[K", "", filled, "",
                   30 - filled, epoch, epochs_, loss, 100 * accuracy, static_cast<int>(left) / 60,
                   static_cast<int>(left) % 60);
        if (last && epoch == epochs_) fmt::print("\n");
        std::fflush(stdout);
    }

  private:
    using Clock = std::chrono::steady_clock;
    std::size_t epochs_, rows_;
    bool terminal_ = isatty(STDOUT_FILENO) != 0;
    Clock::time_point start_ = Clock::now(), drawn_ = {};
};

void print_confusion(const autograd::Indices& counts, const std::vector<std::string>& names) {
    std::size_t width = 6;
    for (const std::string& name : names) width = std::max(width, name.size() + 1);
    fmt::print("rows: the class; columns: what it was taken for\n{:{}}", "", width);
    for (const std::string& name : names) fmt::print("{:>{}}", name, width);
    for (std::size_t i = 0; i < names.size(); ++i) {
        fmt::print("\n{:>{}}", names[i], width);
        for (std::size_t k = 0; k < names.size(); ++k) fmt::print("{:>{}}", counts(i, k), width);
    }
    fmt::print("\n");
}

/// What the saved network says about itself.
nn::Metadata describe(const std::vector<std::size_t>& widths, const TrainOptions& options,
                      const std::vector<std::string>& names) {
    try {
        return {
            {widths_key, json(widths).dump()}, {activation_key, options.activation}, {classes_key, json(names).dump()}};
    } catch (const json::exception&) {
        throw autograd::FileError(fmt::format("{}: the name of a class is not valid UTF-8", options.csv));
    }
}

}  // namespace

void train(const TrainOptions& options) {
    const auto activation = nn::activation_from_name(options.activation);
    const auto folder = std::filesystem::path(options.save).parent_path();
    if (!folder.empty() && !std::filesystem::is_directory(folder))
        throw autograd::FileError(fmt::format("{}: there is no folder {}", options.save, folder.string()));

    std::mt19937_64 engine(options.seed);
    auto [training, test] = read(options, engine);
    const Scaling scaling(training.features);
    scaling.apply(training.features);
    scaling.apply(test.features);

    std::vector<std::size_t> widths = {training.features.shape()[1]};
    if (options.hidden != std::vector<std::size_t>{0})
        widths.insert(widths.end(), options.hidden.begin(), options.hidden.end());
    widths.push_back(training.classes());
    const nn::Metadata metadata = describe(widths, options, training.class_names);
    nn::Mlp<float> model(widths, activation, engine);
    const auto optimizer = make_optimizer(options.optimizer, options.rate, model.parameters());
    fmt::print("{} rows for training, {} for the test; a network of {} with {}, {} at rate {}\n", training.size(),
               test.size(), fmt::join(widths, "-"), options.activation, options.optimizer, optimizer->rate());

    nn::Batches<float> batches(training, options.batch, engine);
    Progress progress(options.epochs, training.size());
    autograd::Tape<float> tape;
    Array<float> x;
    autograd::Indices labels;
    for (std::size_t epoch = 1; epoch <= options.epochs; ++epoch) {
        double loss_sum = 0, right = 0;
        std::size_t seen = 0;
        while (batches.next(x, labels)) {
            tape.rewind();
            const auto logits = model(tape.constant(x));
            const auto loss = softmax_cross_entropy(logits, labels);
            if (!std::isfinite(loss.item()))
                throw std::runtime_error(
                    fmt::format("the loss overflows in epoch {}: try a --rate below {}", epoch, optimizer->rate()));
            optimizer->step(tape.backward(loss));
            const auto rows = static_cast<double>(labels.size());
            loss_sum += static_cast<double>(loss.item()) * rows;
            right += nn::accuracy(logits.value(), labels) * rows;
            seen += labels.size();
            progress.show(epoch, seen, loss_sum / static_cast<double>(seen), right / static_cast<double>(seen));
        }
    }

    tape.rewind();
    const auto pause = tape.pause();
    const auto logits = model(tape.constant(test.features));
    if (options.confusion) print_confusion(nn::confusion_matrix(logits.value(), test.labels), training.class_names);
    if (!options.save.empty()) {
        const auto parameters = model.parameters();
        scaling.fold_into(parameters[0], parameters[1]);
        nn::save(options.save, parameters, metadata);
        fmt::print("saved to {}\n", options.save);
    }
    fmt::print("test accuracy: {:.2f} %\n", 100 * nn::accuracy(logits.value(), test.labels));
}
