#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/files/input.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <nn/fit.hpp>
#include <nn/metrics.hpp>
#include <nn/mlp.hpp>
#include <nn/optimizers.hpp>
#include <nn/safetensors.hpp>
#include <optional>
#include <stdexcept>

#include "commands.hpp"
#include "saved_network.hpp"
#include "signals.hpp"
#include "training_report.hpp"

namespace {

using autograd::Array;
using autograd::Parameter;
using nlohmann::json;
using nn::files::printable;

constexpr std::size_t most_confusion = 200;  // classes

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

/// What is said beside the result.
void say(const TrainOptions& options, const std::string& text) {
    if (!options.quiet && !options.json) fmt::print("{}", text);
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

/// The digits' size, or what the images of the test say in their header: four bytes each for count, height and width.
PictureSize picture_size(const TrainOptions& options) {
    if (!options.csv.empty()) return {};
    if (options.idx.empty()) return {8, 8};
    const std::string header = nn::files::Input(inputs(options)[2]).read(16);
    if (header.size() < 16 || header[3] != 3) return {};
    const auto length = [&](std::size_t at) {
        std::size_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(header[at + i]);
        return value;
    };
    return {length(8), length(12)};
}

/// Throws where there is only one class, or only one number.
void require_different(const nn::Dataset<double>& data, const std::string& path) {
    if (data.is_regression()) {
        for (std::size_t j = 0; j < data.target_names.size(); ++j) {
            bool same = true;
            for (std::size_t i = 0; i < data.size(); ++i) same = same && data.targets(i, j) == data.targets(0, j);
            if (same)
                throw std::invalid_argument(fmt::format("[train] {}: the target, column '{}', is always {}",
                                                        printable(path), printable(data.target_names[j]),
                                                        data.targets(0, j)));
        }
        return;
    }
    const auto first = data.labels(0);
    if (std::all_of(data.labels.begin(), data.labels.end(), [&](auto label) { return label == first; }))
        throw std::invalid_argument(fmt::format("[train] {}: there is only one class, '{}'", printable(path),
                                                printable(data.class_names[static_cast<std::size_t>(first)])));
}

/// What was decided about a table, in two lines.
std::string described(const nn::Dataset<double>& data, nn::Task task) {
    const bool names = !data.column_names.empty(), detected = task == nn::Task::detect;
    std::vector<std::string> targets = data.is_regression() ? data.target_names : std::vector{data.label_name};
    for (std::string& name : targets) name = printable(name);
    const auto all = fmt::format("{}", fmt::join(targets, ", "));
    std::vector<std::string> columns, words;
    for (const nn::Column& column : data.columns) {
        columns.push_back(column.name);
        if (!column.categories.empty())
            words.push_back(fmt::format("{} ({} categories)",
                                        names ? column.name : std::to_string(&column - data.columns.data()),
                                        column.categories.size()));
    }
    std::string text =
        names ? fmt::format("header: {}, {}; ", printable(fmt::format("{}", fmt::join(columns, ", "))), all)
              : "no header; ";
    const char* what = data.is_regression() ? "target" : "class";
    if (targets.size() > 1)
        text += names ? "the targets are the last of these\n" : fmt::format("the targets are in columns {}\n", all);
    else
        text += fmt::format("the {} is in {}\n", what, names ? "'" + all + "'" : "column " + all);
    if (!data.is_regression()) {
        text += fmt::format("{} classes in {}{}", data.classes(), names ? "" : "column ", all);
        if (detected && nn::csv_number(data.class_names[0])) text += " (--task regression learns their numbers)";
    } else if (targets.size() > 1) {
        text += fmt::format("{} targets: {}", targets.size(), all);
    } else {
        text += fmt::format("regression of {}{}", names ? "" : "column ", all);
        if (detected) text += " (--task classification takes each number for a class)";
    }
    if (!words.empty())
        text += fmt::format("\ncolumns of words: {}", printable(fmt::format("{}", fmt::join(words, ", "))));
    return text + "\n";
}

/// What is trained on, and what is tested on; the second is empty where a table is still to be split.
std::pair<nn::Dataset<double>, std::optional<nn::Dataset<double>>> read(const TrainOptions& options) {
    const std::vector<std::string> files = inputs(options);
    if (options.idx.empty()) {
        const auto labels = options.labels.empty() ? std::vector<std::string>{""} : options.labels;
        auto data = nn::read_table(files[0], {labels, options.header, options.task, options.drop, options.missing});
        if (!options.csv.empty()) say(options, described(data, options.task));
        if (data.dropped > 0) say(options, fmt::format("{} rows with a missing cell are left out\n", data.dropped));
        require_different(data, files[0]);
        return {std::move(data), std::nullopt};
    }
    auto training = nn::read_idx<double>(files[0], files[1]), test = nn::read_idx<double>(files[2], files[3]);
    require_different(training, files[1]);
    if (training.features.shape()[1] != test.features.shape()[1] || test.classes() > training.classes())
        throw autograd::FileError(
            fmt::format("{}: the test set's images or classes are not those of the training set", options.idx));
    return {std::move(training), std::move(test)};
}

/// Throws where an option has no meaning for what is learned.
void require_fitting_options(const TrainOptions& options, const nn::Dataset<double>& data) {
    if (data.is_regression())
        for (const auto& [given, name] : {std::pair{options.confusion, "--confusion"},
                                          {options.balanced, "--balanced"},
                                          {options.stratify, "--stratify"}})
            if (given)
                throw std::invalid_argument(fmt::format("[train] {} is for classes, and this is a regression", name));
    if (options.confusion && options.folds > 0)
        throw std::invalid_argument("[train] --confusion is for one test, and --folds makes several");
    if (options.confusion && data.classes() > most_confusion)
        throw std::invalid_argument(fmt::format("[train] --confusion prints {} classes at most, and there are {}",
                                                most_confusion, data.classes()));
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

Scaling scaling_of(const nn::Dataset<double>& data, const std::string& scale) {
    if (scale == "none") return Scaling::none(data.features.shape()[1]);
    return scale == "standard" ? Scaling::standard(data.features, data.column_names)
                               : Scaling::of(data.features, data.column_names);
}

/// Features and targets as the network takes them.
nn::Dataset<float> scaled(const nn::Dataset<double>& data, const Model& model) {
    Array<double> features = data.features;
    put(model.fill, features);
    const auto place_among = [](const std::vector<std::string>& names) {
        return [&names](std::size_t, std::size_t j) {
            return "[scaling] column " + (names.empty() ? std::to_string(j) : "'" + printable(names[j]) + "'");
        };
    };
    nn::Dataset<float> result{model.scaling(features, place_among(data.column_names)), data.labels, data.class_names,
                              data.column_names, data.label_name};
    if (!data.is_regression()) return result;
    result.targets = model.target_scaling(data.targets, place_among(data.target_names));
    result.target_names = data.target_names;
    return result;
}

/// As many weights as classes, so that each class counts the same: rows / (classes * rows of the class).
std::vector<double> balanced(const nn::Dataset<float>& data) {
    std::vector<double> counts(data.classes(), 0.0), weights;
    for (const auto label : data.labels) ++counts[static_cast<std::size_t>(label)];
    for (const double count : counts)
        weights.push_back(static_cast<double>(data.size()) / static_cast<double>(data.classes()) /
                          std::max(count, 1.0));
    return weights;
}

/// One of `optimizer_names`, with its own rate unless one is given.
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
    if (name == "adagrad") return std::make_unique<nn::Adagrad<float>>(parameters, with_rate(nn::AdagradOptions{}));
    return std::make_unique<nn::Adam<float>>(parameters, with_rate(nn::AdamOptions{}));
}

/// The schedule of this name over so many steps; none for none, and for plateau, which goes by the loss.
nn::Schedule make_schedule(const std::string& name, std::size_t steps) {
    if (name == "step") return nn::step_decay(std::max<std::size_t>(1, steps / 3));
    if (name == "cosine") return nn::cosine(steps);
    if (name == "warm-up") return nn::warm_up(std::max<std::size_t>(1, steps / 10));
    if (name == "one-cycle") return nn::one_cycle(steps);
    return {};
}

void print_confusion(const autograd::Indices& counts, std::vector<std::string> names) {
    for (std::string& name : names) name = printable(name);
    std::size_t width = 6;
    for (const std::string& name : names) width = std::max(width, name.size() + 1);
    fmt::print("{:{}}{:>10}{:>10}{:>10}\n", "", width, "precision", "recall", "F1");
    const auto qualities = nn::class_qualities(counts);
    for (std::size_t i = 0; i < names.size(); ++i)
        fmt::print("{:>{}}{:>10.4f}{:>10.4f}{:>10.4f}\n", names[i], width, qualities[i].precision, qualities[i].recall,
                   qualities[i].f1);
    fmt::print("rows: the class; columns: what it was taken for\n{:{}}", "", width);
    for (const std::string& name : names) fmt::print("{:>{}}", name, width);
    for (std::size_t i = 0; i < names.size(); ++i) {
        fmt::print("\n{:>{}}", names[i], width);
        for (std::size_t k = 0; k < names.size(); ++k) fmt::print("{:>{}}", counts(i, k), width);
    }
    fmt::print("\n");
}

[[noreturn]] void overflow(std::size_t epoch, double rate) {
    throw std::runtime_error(fmt::format("the loss overflows in epoch {}: try a --rate below {}", epoch, rate));
}

/// A network that is trained on these rows, or as far as a signal let it.
class Training {
  public:
    Training(const TrainOptions& options, nn::Dataset<double> rows, std::mt19937_64& engine)
        : options_(options),
          validation_rows_(take_validation(options, rows, engine)),
          model_(make_model(options, rows, engine)),
          rows_(scaled(rows, model_)),
          engine_(engine) {
        if (validation_rows_) validation_ = scaled(*validation_rows_, model_);
        validation_rows_.reset();
        if (options.balanced) weights_.class_weights = balanced(rows_);
        optimizer_ = make_optimizer(options.optimizer, options.rate, model_.network.parameters());
    }

    std::string description(std::size_t tested) const {
        const char* scale = options_.scale == "none"       ? "no column scaled"
                            : options_.scale == "standard" ? "each column scaled to mean 0 and deviation 1"
                                                           : "each column scaled to 0 ... 1";
        const std::string validated = validation_ ? fmt::format(", {} for the validation", validation_->size()) : "";
        return fmt::format("{} rows for training{}, {} for the test, {}; a network of {} with {}, {} at rate {}\n",
                           rows_.size(), validated, tested, scale, fmt::join(model_.network.widths(), "-"),
                           options_.activation, options_.optimizer, optimizer_->rate());
    }

    /// Says at the end which epoch's network it is, where there was a validation.
    void run(bool quiet) {
        nn::FitOptions<float> fit{.epochs = options_.epochs, .batch = options_.batch, .optimizer = optimizer_.get()};
        fit.engine = std::mt19937_64(engine_());
        if (options_.balanced)
            fit.loss = [this](const auto& scores, const auto& batch) {
                return softmax_cross_entropy(scores, batch.labels, weights_);
            };
        fit.clip_norm = options_.clip;
        fit.schedule = make_schedule(options_.schedule, steps());
        if (options_.schedule == "plateau") fit.plateau = nn::PlateauOptions{.patience = 5};
        fit.validation = validation_ ? &*validation_ : nullptr;
        fit.patience = options_.patience;
        fit.resume = !options_.resume.empty();
        fit.checkpoint = fit.resume ? options_.resume : options_.checkpoint;
        fit.settings = settings();
        fit.history = options_.history;
        if (model_.outputs() > 1 && rows_.is_regression()) fit.metric_name = "rmse_deviations";  // of all targets
        if (model_.outputs() == 1 && rows_.is_regression()) fit.metric_unit = 1 / model_.target_scaling.factor[0];
        fit.progress = quiet || options_.quiet || options_.json ? nullptr : stdout;
        fit.describe = [this](const nn::Measured& measured) { return metrics(measured); };
        fit.on_step = [](const nn::Epoch&) { return noted_signal() == 0; };
        fit.on_epoch = fit.on_step;
        history_ = nn::fit(model_.network, rows_, fit);
        if (quiet || !validation_ || history_.stopped) return;
        if (history_.is_early)
            say(options_, fmt::format("{} epochs have not lowered the loss of the validation; ", options_.patience));
        say(options_, fmt::format("the network of epoch {} is kept\n", history_.best));
    }

    /// The same as `description`, for programs.
    json as_json(std::size_t tested) const {
        json said = {{"task", rows_.is_regression() ? "regression" : "classification"},
                     {"rows", {{"training", rows_.size()}, {"test", tested}}},
                     {"widths", model_.network.widths()},
                     {"activation", options_.activation},
                     {"optimizer", options_.optimizer},
                     {"rate", optimizer_->rate()},
                     {"epochs", options_.epochs}};
        if (validation_) said["rows"]["validation"] = validation_->size();
        if (history_.epochs.empty()) return said;  // not yet
        said["epochs"] = history_.epochs.back().number;
        if (validation_) said["kept_epoch"] = history_.best;
        return said;
    }

    /// Tests, and says how good the network is.
    struct Tested {
        std::vector<double> scores;  // the accuracy in per cent, or R² and RMSE of each target
        std::string text;
        autograd::Indices confusion;
        std::vector<ClassAnswer> answers = {};  // for the report
        Array<double> predictions = {};         // of a regression
    };
    json as_json(const Tested& tested) const {
        if (!rows_.is_regression()) return {{"accuracy", tested.scores[0] / 100}};
        json targets = json::array();
        for (std::size_t j = 0; j < rows_.target_names.size(); ++j)
            targets.push_back({{"target", rows_.target_names[j]},
                               {"r_squared", tested.scores[2 * j]},
                               {"root_mean_squared_error", tested.scores[2 * j + 1]}});
        return targets;
    }
    Tested test(const nn::Dataset<double>& rows) const {
        autograd::Tape<float> tape;
        const auto pause = tape.pause();
        const nn::Dataset<float> test = scaled(rows, model_);
        if (!rows.is_regression()) return test_classes(test);
        const auto scores = model_.network(tape.constant(test.features));
        require_finite(mean_squared_error(scores, tape.constant(test.targets)));
        const Array<double> predictions = model_.target_scaling.undone(scores.value());
        Tested tested{{}, fit_of(model_, predictions, rows.targets), {}, {}, predictions};
        const auto r2 = nn::r_squared(predictions, rows.targets);
        const auto error = nn::root_mean_squared_error(predictions, rows.targets);
        for (std::size_t j = 0; j < r2.size(); ++j) tested.scores.insert(tested.scores.end(), {r2[j], error[j]});
        return tested;
    }

    const Model& model() const { return model_; }

    /// The page about it all.
    std::string page(const nn::Dataset<double>& test, const Tested& tested, json facts) const {
        const bool one_number = rows_.is_regression() && model_.outputs() == 1;
        return page_of({.data = !options_.idx.empty()   ? options_.idx
                                : !options_.csv.empty() ? options_.csv
                                                        : "handwritten digits",
                        .facts = std::move(facts),
                        .history = history_,
                        .metric = !rows_.is_regression() ? "Accuracy"
                                  : one_number           ? "RMSE"
                                                         : "RMSE in deviations",
                        .metric_factor = one_number ? 1 / model_.target_scaling.factor[0] : 1,
                        .test = test,
                        .classes = model_.class_names,
                        .picture = picture_size(options_),
                        .confusion = tested.confusion,
                        .answers = tested.answers,
                        .prediction = tested.predictions});
    }

  private:
    void require_finite(const autograd::Variable<float>& loss) const {
        if (!is_finite(model_.network) || !std::isfinite(loss.item())) overflow(options_.epochs, optimizer_->rate());
    }

    /// In blocks of rows: of many classes not all scores fit at once.
    Tested test_classes(const nn::Dataset<float>& test) const {
        constexpr std::size_t block = 1024;
        const std::size_t columns = test.features.shape()[1];
        autograd::Tape<float> tape;
        const auto pause = tape.pause();
        const bool reported = !options_.report.empty(),
                   counted = options_.confusion || (reported && model_.outputs() <= most_classes_on_page);
        double right = 0;
        autograd::Indices confusion;
        std::vector<ClassAnswer> answers;
        for (std::size_t begin = 0; begin < test.size(); begin += block) {
            const std::size_t n = std::min(block, test.size() - begin);
            auto x = Array<float>::from_shape({n, columns});
            auto labels = autograd::Indices::from_shape({n});
            std::copy_n(test.features.data() + begin * columns, n * columns, x.data());
            std::copy_n(test.labels.data() + begin, n, labels.data());
            tape.rewind();
            const auto scores = model_.network(tape.constant(x));
            require_finite(softmax_cross_entropy(scores, labels));
            right += std::round(nn::accuracy(scores.value(), labels) * static_cast<double>(n));
            if (reported) append_answers(answers, log_softmax(scores, -1).value(), labels);
            if (!counted) continue;
            const autograd::Indices counts = nn::confusion_matrix(scores.value(), labels);
            confusion = begin == 0 ? counts : autograd::Indices(confusion + counts);
        }
        const double percent = 100 * right / static_cast<double>(test.size());
        return {{percent}, fmt::format("accuracy: {:.2f} %", percent), confusion, answers, {}};
    }

    static void append_answers(std::vector<ClassAnswer>& answers, const Array<float>& log_probabilities,
                               const autograd::Indices& labels) {
        const std::size_t classes = log_probabilities.shape()[1];
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const float* row = log_probabilities.data() + i * classes;
            const auto best = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
            answers.push_back({answers.size(), best, row[labels(i)], std::exp(static_cast<double>(row[best]))});
        }
    }

    static Model make_model(const TrainOptions& options, nn::Dataset<double>& rows, std::mt19937_64& engine) {
        std::vector<double> fill;
        if (options.missing == nn::Missing::mean) fill = means(rows.features);
        put(fill, rows.features);
        Scaling scaling = scaling_of(rows, options.scale);
        const std::vector<nn::Column> columns =
            rows.columns.empty() ? std::vector<nn::Column>(rows.features.shape()[1]) : rows.columns;
        // A category that no row for training has was not learned: its offset and factor of 0 say so.
        std::size_t at = 0;
        for (const nn::Column& column : columns)
            for (std::size_t k = 0; k < column.width(); ++k, ++at) {
                bool seen = column.categories.empty();
                for (std::size_t i = 0; !seen && i < rows.features.shape()[0]; ++i) seen = rows.features(i, at) != 0;
                if (!seen) scaling.offset[at] = scaling.factor[at] = 0;
            }
        Scaling target_scaling;
        if (rows.is_regression()) {
            target_scaling = Scaling::standard(rows.targets, rows.target_names);
            for (std::size_t j = 0; j < rows.target_names.size(); ++j)
                if (target_scaling.factor[j] == 0)
                    throw std::invalid_argument(
                        fmt::format("[train] the target, column '{}', is always {} in the rows for training",
                                    printable(rows.target_names[j]), rows.targets(0, j)));
        }
        std::vector<std::size_t> widths = {rows.features.shape()[1]};
        if (options.hidden != std::vector<std::size_t>{0})
            widths.insert(widths.end(), options.hidden.begin(), options.hidden.end());
        widths.push_back(rows.is_regression() ? rows.target_names.size() : rows.classes());
        require_memory(widths);
        Model model{nn::Mlp<float>(widths, nn::activation_from_name(options.activation), engine),
                    rows.class_names,
                    columns,
                    rows.label_name,
                    scaling,
                    rows.target_names,
                    target_scaling,
                    fill};
        if (!options.save.empty()) require_names_that_can_be_saved(model);
        return model;
    }

    /// Targets are scaled to a variance of 1 in the rows for training, so that a loss of 1 is that of their mean.
    std::string metrics(const nn::Measured& measured) const {
        if (!rows_.is_regression()) return fmt::format("accuracy {:.2f} %", 100 * measured.metric);
        const double share = 1 - measured.metric * measured.metric;
        if (model_.outputs() > 1)
            return validation_ ? fmt::format("RMSE {:.4f} deviations", measured.metric)
                               : fmt::format("R² {:.4f}", share);
        const std::string error = fmt::format("RMSE {:.6g}", measured.metric / model_.target_scaling.factor[0]);
        return validation_ ? error : fmt::format("R² {:.4f}, {}", share, error);
    }

    std::size_t steps() const { return options_.epochs * ((rows_.size() + options_.batch - 1) / options_.batch); }

    /// The options that make a training what it is: a checkpoint of others is not gone on from.
    std::map<std::string, std::string> settings() const {
        const auto yes_or_no = [](bool given) { return given ? "yes" : "no"; };
        std::map<std::string, std::string> settings = {
            {"--hidden", fmt::format("{}", fmt::join(options_.hidden, ","))},
            {"--activation", options_.activation},
            {"--optimizer", options_.optimizer},
            {"--rate", options_.rate ? fmt::format("{}", *options_.rate) : "none"},
            {"--seed", std::to_string(options_.seed)},
            {"--scale", options_.scale},
            {"--holdout", fmt::format("{}", options_.holdout)},
            {"--validation", fmt::format("{}", options_.validation)},
            {"--stratify", yes_or_no(options_.stratify)},
            {"--balanced", yes_or_no(options_.balanced)},
            {"--schedule", options_.schedule}};
        if (make_schedule(options_.schedule, steps())) settings["--epochs"] = std::to_string(options_.epochs);
        return settings;
    }

    /// Takes the rows for validation out of those for training, if there are to be any.
    static std::optional<nn::Dataset<double>> take_validation(const TrainOptions& options, nn::Dataset<double>& rows,
                                                              std::mt19937_64& engine) {
        if (options.validation == 0) return {};
        auto [kept, taken] = options.stratify ? nn::stratified_split(rows, options.validation, engine)
                                              : nn::split(rows, options.validation, engine);
        rows = std::move(kept);
        return std::move(taken);
    }

    const TrainOptions& options_;
    std::optional<nn::Dataset<double>> validation_rows_;  // until they are scaled
    Model model_;
    nn::Dataset<float> rows_;
    std::optional<nn::Dataset<float>> validation_;
    std::mt19937_64& engine_;
    autograd::CrossEntropyOptions weights_;
    std::unique_ptr<nn::Optimizer<float>> optimizer_;
    nn::History history_;
};

void print(const json& report) { fmt::print("{}\n", report.dump(2, ' ', false, json::error_handler_t::replace)); }

/// The mean, and the deviation between folds (n - 1 of n are free).
std::string mean_of(const std::vector<std::vector<double>>& scores, std::size_t which, int digits) {
    double mean = 0, square = 0;
    const auto n = static_cast<double>(scores.size());
    for (const auto& fold : scores) mean += fold[which] / n;
    for (const auto& fold : scores) square += (fold[which] - mean) * (fold[which] - mean) / (n - 1);
    if (!std::isfinite(square)) return "undefined (in a fold all targets are the same)";
    return fmt::format("{:.{}f} ± {:.{}f}", mean, digits, std::sqrt(square), digits);
}

/// Trains and tests once for each fold, which is left out of the training.
int train_folds(const TrainOptions& options, const nn::Dataset<double>& data, std::mt19937_64& engine) {
    const auto parts = nn::folds(data, options.folds, engine);
    std::vector<std::vector<double>> scores;
    json report;
    for (std::size_t k = 0; k < parts.size(); ++k) {
        std::vector<std::size_t> others;
        for (std::size_t i = 0; i < parts.size(); ++i)
            if (i != k) others.insert(others.end(), parts[i].begin(), parts[i].end());
        Training training(options, nn::rows_of(data, others), engine);
        if (k == 0) say(options, training.description(parts[k].size()));
        if (k == 0) report = training.as_json(parts[k].size());
        flush_output();
        training.run(true);
        if (noted_signal() != 0) return 128 + noted_signal();
        const auto tested = training.test(nn::rows_of(data, parts[k]));
        scores.push_back(tested.scores);
        report["folds"].push_back(training.as_json(tested));
        say(options, fmt::format("fold {}/{}: {}\n", k + 1, parts.size(), tested.text));
    }
    if (options.json) {
        print(report);
        return 0;
    }
    if (!data.is_regression()) {
        fmt::print("mean accuracy of {} folds: {} %\n", parts.size(), mean_of(scores, 0, 2));
        return 0;
    }
    std::vector<std::string> all;
    for (std::size_t j = 0; j < data.target_names.size(); ++j)
        all.push_back(fmt::format("{}R² {}, RMSE {}",
                                  data.target_names.size() > 1 ? printable(data.target_names[j]) + ": " : "",
                                  mean_of(scores, 2 * j, 4), mean_of(scores, 2 * j + 1, 4)));
    fmt::print("mean of {} folds: {}\n", parts.size(), fmt::join(all, "; "));
    return 0;
}

/// Throws where a training stands there that has not come to its end: it would be lost.
void require_no_training(const std::string& path) {
    if (!std::filesystem::exists(path)) return;
    try {
        if (!nn::read_outline(path).metadata.contains("checkpoint")) return;
    } catch (const autograd::FileError&) {
        return;  // another file, which is written over as any other
    }
    const nn::TrainingPlace place = nn::read_training_place(path);
    const auto finished = place.numbers.find("finished");
    if (finished == place.numbers.end() || finished->second == 0)
        throw std::invalid_argument(fmt::format(
            "[train] {} holds a training that is not at its end: --resume goes on with it, or remove the file",
            printable(path)));
}

/// Throws where a file cannot be written, two of them are one, or a training would be lost.
void require_outputs(const TrainOptions& options, const std::string& interrupted) {
    std::vector<std::string> files;
    for (const std::string& path : {options.save, options.save.empty() ? "" : interrupted, options.checkpoint,
                                    options.resume, options.history, options.report}) {
        if (path.empty()) continue;
        nn::files::require_writable(path, inputs(options));
        for (const std::string& other : files)
            if (nn::files::is_same_place(path, other))
                throw std::invalid_argument(fmt::format("[train] '{}' is to be written twice", printable(path)));
        files.push_back(path);
    }
    if (!options.resume.empty()) nn::read_training_place(options.resume);  // one that is none is refused at once
    for (const std::string& path : files)
        if (path != options.resume) require_no_training(path);
}

}  // namespace

int train(const TrainOptions& given) {
    TrainOptions options = given;
    if (options.patience > 0 && options.validation == 0) options.validation = 0.1;
    nn::activation_from_name(options.activation);  // a name that is none is refused before anything is read
    const std::string interrupted = options.save + ".interrupted";
    require_outputs(options, interrupted);

    std::mt19937_64 engine(options.seed);
    auto [data, test] = read(options);
    require_fitting_options(options, data);
    if (options.folds > 0) {
        note_signals();
        return train_folds(options, data, engine);
    }
    if (!test) {
        auto [kept, held] = options.stratify ? nn::stratified_split(data, options.holdout, engine)
                                             : nn::split(data, options.holdout, engine);
        data = std::move(kept);
        test = std::move(held);
    }
    Training training(options, std::move(data), engine);
    say(options, training.description(test->size()));
    flush_output();
    note_signals();
    training.run(false);
    if (const int signal = noted_signal(); signal != 0) {
        const std::string& checkpoint = options.resume.empty() ? options.checkpoint : options.resume;
        if (!checkpoint.empty())
            say_error(fmt::format("deltarule: interrupted; --resume {} goes on\n", printable(checkpoint)));
        if (!options.save.empty()) {
            save(interrupted, training.model());
            say_error(fmt::format("deltarule: interrupted; what was reached is saved to {}\n", printable(interrupted)));
        }
        return 128 + signal;
    }
    const auto tested = training.test(*test);
    if (!options.save.empty()) save(options.save, training.model());
    json report = training.as_json(test->size());
    report["test"] = training.as_json(tested);
    if (!options.save.empty()) report["saved"] = options.save;
    if (options.json) {
        json printed = report;
        if (options.confusion) {
            printed["classes"] = training.model().class_names;
            const std::size_t n = training.model().class_names.size();
            for (std::size_t i = 0; i < n; ++i)
                printed["confusion"].push_back(
                    std::vector<std::int64_t>(tested.confusion.data() + i * n, tested.confusion.data() + (i + 1) * n));
        }
        print(printed);
    } else {
        if (options.confusion) print_confusion(tested.confusion, training.model().class_names);
        if (!options.save.empty()) say(options, fmt::format("saved to {}\n", printable(options.save)));
        fmt::print("test {}\n", tested.text);
    }
    if (!options.report.empty()) {
        flush_output();  // the result is said even where the page cannot be written any more
        nn::files::write(options.report, training.page(*test, tested, report));
    }
    return noted_signal() == 0 ? 0 : 128 + noted_signal();
}
