#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <nn/mlp.hpp>
#include <nn/optimizers.hpp>
#include <stdexcept>

#include "commands.hpp"
#include "saved_network.hpp"
#include "signals.hpp"

namespace {

using autograd::Array;
using autograd::Parameter;
using nn::files::printable;

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

/// The files that are read: a table, or the images and labels of the training and of the test.
std::vector<std::string> inputs(const TrainOptions& options) {
    if (options.idx.empty()) return {options.csv.empty() ? digits() : options.csv};
    std::vector<std::string> files;
    for (const char* part : {"train", "t10k"})
        for (const char* kind : {"-images-idx3-ubyte", "-labels-idx1-ubyte"})
            files.push_back(plain_or_packed(options.idx, std::string(part) + kind));
    return files;
}

/// Throws where the target has one class only, or is numbers of which so many differ that they measure something.
void require_classes(const nn::Dataset<double>& data, const TrainOptions& options, const std::string& path) {
    const auto first = data.labels(0);
    if (std::all_of(data.labels.begin(), data.labels.end(), [&](auto label) { return label == first; }))
        throw std::invalid_argument(fmt::format("[train] {}: there is only one class, '{}'", printable(path),
                                                printable(data.class_names[static_cast<std::size_t>(first)])));
    if (options.classification || !options.idx.empty()) return;  // labels of images are classes
    bool whole = true;
    for (const std::string& name : data.class_names) {
        if (nn::has_decimal_comma(name))
            throw std::invalid_argument(
                fmt::format("[train] {}: '{}' in the target, column '{}', has a decimal comma: numbers have a decimal "
                            "point (--task classification takes it for a class)",
                            printable(path), printable(name), printable(data.label_name)));
        const std::optional<double> value = nn::csv_number(name);
        if (!value || !std::isfinite(*value)) return;
        whole = whole && *value == std::floor(*value);
    }
    const std::size_t distinct = data.classes(), rows = data.size();
    const bool many = whole ? distinct > 20 && distinct * 20 > rows : distinct > 10;
    const bool mostly = distinct * 2 > rows && (!whole || distinct > 10);
    if (many || mostly)
        throw std::invalid_argument(
            fmt::format("[train] {}: the target, column '{}', is numbers, and {} of {} rows differ: only classes are "
                        "learned (--task classification takes each number for a class)",
                        printable(path), printable(data.label_name), distinct, rows));
}

/// What was decided about a table, in a line.
std::string described(const nn::Dataset<double>& data) {
    if (data.column_names.empty()) return fmt::format("no header; the class is in column {}", data.label_name);
    return fmt::format("header: {}, {}; the class is in '{}'",
                       printable(fmt::format("{}", fmt::join(data.column_names, ", "))), printable(data.label_name),
                       printable(data.label_name));
}

/// What is trained on, and what is tested on.
std::pair<nn::Dataset<double>, nn::Dataset<double>> read(const TrainOptions& options, std::mt19937_64& engine) {
    const std::vector<std::string> files = inputs(options);
    if (options.idx.empty()) {
        const auto data = nn::read_csv<double>(files[0], options.label, options.header);
        if (!options.csv.empty()) fmt::print("{}\n", described(data));
        require_classes(data, options, files[0]);
        return nn::split(data, options.holdout, engine);
    }
    auto sets = std::pair{nn::read_idx<double>(files[0], files[1]), nn::read_idx<double>(files[2], files[3])};
    const auto& [training, test] = sets;
    require_classes(training, options, files[1]);
    if (training.features.shape()[1] != test.features.shape()[1] || test.classes() > training.classes())
        throw autograd::FileError(
            fmt::format("{}: the test set's images or classes are not those of the training set", options.idx));
    return sets;
}

/// Throws where the network, its gradients and what the optimizer keeps would not fit into this machine.
void require_memory(const std::vector<std::size_t>& widths) {
    double numbers = 0;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i)
        numbers += (static_cast<double>(widths[i]) + 1) * static_cast<double>(widths[i + 1]);
    const double needed = 4 * numbers * sizeof(float);
    const double there = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    if (needed > there)
        throw std::invalid_argument(fmt::format("[train] a network of {} needs {:.0f} GB, but the machine has {:.0f}",
                                                fmt::join(widths, "-"), needed / 1e9, there / 1e9));
}

/// Takes the float features and leaves the rest of the data set.
nn::Dataset<float> scaled(const nn::Dataset<double>& data, const Scaling& scaling) {
    return {scaling(data.features), data.labels, data.class_names, data.column_names, data.label_name};
}

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
            if (last) flush_output();
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
        flush_output();
    }

  private:
    using Clock = std::chrono::steady_clock;
    std::size_t epochs_, rows_;
    bool terminal_ = isatty(STDOUT_FILENO) != 0;
    Clock::time_point start_ = Clock::now(), drawn_ = {};
};

constexpr std::size_t most_confusion = 200;  // classes

void print_confusion(const autograd::Indices& counts, std::vector<std::string> names) {
    for (std::string& name : names) name = printable(name);
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

}  // namespace

int train(const TrainOptions& options) {
    const auto activation = nn::activation_from_name(options.activation);
    const std::string interrupted = options.save + ".interrupted";
    if (!options.save.empty())
        for (const std::string& path : {options.save, interrupted}) nn::files::require_writable(path, inputs(options));

    std::mt19937_64 engine(options.seed);
    auto [training_rows, test_rows] = read(options, engine);
    if (options.confusion && training_rows.classes() > most_confusion)
        throw std::invalid_argument(fmt::format("[train] --confusion prints {} classes at most, and there are {}",
                                                most_confusion, training_rows.classes()));
    const Scaling scaling = Scaling::of(training_rows.features, training_rows.column_names);
    const nn::Dataset<float> training = scaled(training_rows, scaling), test = scaled(test_rows, scaling);
    training_rows = {};
    test_rows = {};

    std::vector<std::size_t> widths = {training.features.shape()[1]};
    if (options.hidden != std::vector<std::size_t>{0})
        widths.insert(widths.end(), options.hidden.begin(), options.hidden.end());
    widths.push_back(training.classes());
    require_memory(widths);
    Model model{nn::Mlp<float>(widths, activation, engine), training.class_names, training.column_names,
                training.label_name, scaling};
    if (!options.save.empty()) require_names_that_can_be_saved(model);
    const auto optimizer = make_optimizer(options.optimizer, options.rate, model.network.parameters());
    fmt::print(
        "{} rows for training, {} for the test, each column scaled to 0 ... 1; a network of {} with {}, {} at rate "
        "{}\n",
        training.size(), test.size(), fmt::join(widths, "-"), options.activation, options.optimizer, optimizer->rate());
    flush_output();

    nn::Batches<float> batches(training, options.batch, engine);
    Progress progress(options.epochs, training.size());
    autograd::Tape<float> tape;
    Array<float> x;
    autograd::Indices labels;
    const auto overflow = [&](std::size_t epoch) {
        throw std::runtime_error(
            fmt::format("the loss overflows in epoch {}: try a --rate below {}", epoch, optimizer->rate()));
    };
    note_signals();
    for (std::size_t epoch = 1; epoch <= options.epochs && noted_signal() == 0; ++epoch) {
        double loss_sum = 0, right = 0;
        std::size_t seen = 0;
        while (noted_signal() == 0 && batches.next(x, labels)) {
            tape.rewind();
            const auto logits = model.network(tape.constant(x));
            const auto loss = softmax_cross_entropy(logits, labels);
            if (!std::isfinite(loss.item())) overflow(epoch);
            optimizer->step(tape.backward(loss));
            const auto rows = static_cast<double>(labels.size());
            loss_sum += static_cast<double>(loss.item()) * rows;
            right += nn::accuracy(logits.value(), labels) * rows;
            seen += labels.size();
            progress.show(epoch, seen, loss_sum / static_cast<double>(seen), right / static_cast<double>(seen));
        }
    }
    if (const int signal = noted_signal(); signal != 0) {
        if (!options.save.empty()) {
            save(interrupted, model);
            fmt::print(stderr, "deltarule: interrupted; what was reached is saved to {}\n", printable(interrupted));
        }
        return 128 + signal;
    }

    tape.rewind();
    const auto pause = tape.pause();
    const auto logits = model.network(tape.constant(test.features));
    if (!is_finite(model.network) || !std::isfinite(softmax_cross_entropy(logits, test.labels).item()))
        overflow(options.epochs);
    if (!options.save.empty()) save(options.save, model);
    if (options.confusion) print_confusion(nn::confusion_matrix(logits.value(), test.labels), training.class_names);
    if (!options.save.empty()) fmt::print("saved to {}\n", printable(options.save));
    fmt::print("test accuracy: {:.2f} %\n", 100 * nn::accuracy(logits.value(), test.labels));
    return noted_signal() == 0 ? 0 : 128 + noted_signal();
}
