#include "training.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <map>
#include <nn/files/text.hpp>
#include <nn/metrics.hpp>
#include <nn/mode.hpp>
#include <stdexcept>

#include "class_scores.hpp"
#include "signals.hpp"
#include "training_data.hpp"

using autograd::Array;
using autograd::Parameter;
using nlohmann::json;
using nn::files::printable;

namespace {

/// Throws where the network, its gradients and what the optimizer keeps would not fit into this machine, or a batch on
/// its way through it.
void require_memory(const std::vector<DescribedLayer>& layers, std::size_t batch) {
    const double there = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    double numbers = 0, of_batch = 0;
    for (const auto& [name, shape] : arrays_of(layers)) numbers += number_of(shape);
    for (const DescribedLayer& layer : layers)
        of_batch += static_cast<double>(batch) * static_cast<double>(autograd::size_of(layer.out));
    const double needed = 4 * numbers * sizeof(float), in_batch = 2 * of_batch * sizeof(float);
    if (needed > there)
        throw std::invalid_argument(fmt::format("[train] {} needs {:.0f} GB, but the machine has {:.0f}",
                                                network_name(layers), needed / 1e9, there / 1e9));
    if (needed + in_batch > there)
        throw std::invalid_argument(fmt::format(
            "[train] {} needs {:.0f} GB for a batch of {}, but the machine has {:.0f}: choose a smaller --batch",
            network_name(layers), in_batch / 1e9, batch, there / 1e9));
}

/// Throws where a batch of one row would have no variance.
void require_batches(const std::vector<DescribedLayer>& layers, std::size_t rows, std::size_t batch) {
    const std::size_t last = rows % batch == 0 ? std::min(rows, batch) : rows % batch;
    for (const DescribedLayer& layer : layers) {
        std::size_t each = 1;  // numbers of a feature in an example
        for (std::size_t i = 1; i < layer.in.size(); ++i) each *= layer.in[i];
        if (layer.kind == LayerKind::batchnorm && last * each < 2)
            throw std::invalid_argument(
                fmt::format("[train] {} rows for training in batches of {} leave one row for the last batch, and "
                            "batchnorm needs two: choose another --batch",
                            rows, batch));
    }
}

/// What an example is for the first layer.
autograd::Shape input_of(const TrainOptions& options, std::size_t columns) {
    if (options.layers.empty()) return {columns};
    const autograd::Shape picture = picture_shape(options);
    return !picture.empty() && autograd::size_of(picture) == columns ? picture : autograd::Shape{columns};
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

[[noreturn]] void overflow(std::size_t epoch, double rate) {
    throw std::runtime_error(fmt::format("the loss overflows in epoch {}: try a --rate below {}", epoch, rate));
}

void append_answers(std::vector<ClassAnswer>& answers, const Array<float>& log_probabilities,
                    const autograd::Indices& labels) {
    const std::size_t classes = log_probabilities.shape()[1];
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const float* row = log_probabilities.data() + i * classes;
        const auto best = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
        answers.push_back({answers.size(), best, row[labels(i)], std::exp(static_cast<double>(row[best]))});
    }
}

Model make_model(const TrainOptions& options, nn::Dataset<double>& rows, std::mt19937_64& engine) {
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
    const autograd::Shape input = input_of(options, rows.features.shape()[1]);
    const std::string line = !options.layers.empty() ? options.layers
                                                     : perceptron_line(options.hidden == std::vector<std::size_t>{0}
                                                                           ? std::vector<std::size_t>{}
                                                                           : options.hidden,
                                                                       nn::activation_from_name(options.activation));
    auto layers = read_layers(line, input, rows.is_regression() ? rows.target_names.size() : rows.classes());
    require_memory(layers, std::min(options.batch, rows.size()));
    require_batches(layers, rows.size(), options.batch);
    Model model{Network(std::move(layers), input, engine),
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

/// Takes the rows for validation out of those for training, if there are to be any.
std::optional<nn::Dataset<double>> take_validation(const TrainOptions& options, nn::Dataset<double>& rows,
                                                   std::mt19937_64& engine) {
    if (options.validation == 0) return {};
    auto [kept, taken] = options.stratify ? nn::stratified_split(rows, options.validation, engine)
                                          : nn::split(rows, options.validation, engine);
    rows = std::move(kept);
    return std::move(taken);
}

}  // namespace

Training::Training(const TrainOptions& options, nn::Dataset<double> rows, std::mt19937_64& engine)
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

std::string Training::description(std::size_t tested) const {
    const char* scale = options_.scale == "none"       ? "no column scaled"
                        : options_.scale == "standard" ? "each column scaled to mean 0 and deviation 1"
                                                       : "each column scaled to 0 ... 1";
    const std::string validated = validation_ ? fmt::format(", {} for the validation", validation_->size()) : "";
    const std::string with = options_.layers.empty() ? " with " + options_.activation : "";
    return fmt::format("{} rows for training{}, {} for the test, {}; {}{}, {} at rate {}\n", rows_.size(), validated,
                       tested, scale, model_.network.name(), with, options_.optimizer, optimizer_->rate());
}

void Training::run(bool quiet) {
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

json Training::as_json(std::size_t tested) const {
    json said = {{"task", rows_.is_regression() ? "regression" : "classification"},
                 {"rows", {{"training", rows_.size()}, {"test", tested}}},
                 {"optimizer", options_.optimizer},
                 {"rate", optimizer_->rate()},
                 {"epochs", options_.epochs}};
    if (options_.layers.empty()) {
        said["widths"] = *model_.network.widths();
        said["activation"] = options_.activation;
    } else {
        said["input"] = model_.network.input();
        said["layers"] = model_.network.line();
    }
    if (validation_) said["rows"]["validation"] = validation_->size();
    if (history_.epochs.empty()) return said;  // not yet
    said["epochs"] = history_.epochs.back().number;
    if (validation_) said["kept_epoch"] = history_.best;
    return said;
}

json Training::as_json(const Tested& tested) const {
    if (!rows_.is_regression()) return tested.classes;
    json targets = json::array();
    for (std::size_t j = 0; j < rows_.target_names.size(); ++j)
        targets.push_back({{"target", rows_.target_names[j]},
                           {"r_squared", tested.scores[2 * j]},
                           {"root_mean_squared_error", tested.scores[2 * j + 1]}});
    return targets;
}

template <class F>
void Training::in_blocks(const nn::Dataset<float>& rows, const F& f) const {
    const std::size_t columns = rows.features.shape()[1], block = model_.network.rows_at_once();
    autograd::Tape<float> tape;
    const nn::Evaluation<float> evaluation(tape);
    for (std::size_t begin = 0; begin < rows.size(); begin += block) {
        const std::size_t n = std::min(block, rows.size() - begin);
        auto x = Array<float>::from_shape({n, columns});
        std::copy_n(rows.features.data() + begin * columns, n * columns, x.data());
        tape.rewind();
        f(model_.network(tape.constant(x)), begin, n);
    }
}

Tested Training::test(const nn::Dataset<double>& rows) const {
    const nn::Dataset<float> test = scaled(rows, model_);
    if (!rows.is_regression()) return test_classes(test);
    auto all = Array<float>::from_shape(test.targets.shape());
    in_blocks(test, [&](const autograd::Variable<float>& scores, std::size_t begin, std::size_t) {
        require_finite(sum(scores));
        std::ranges::copy(scores.value(), all.data() + begin * model_.outputs());
    });
    const Array<double> predictions = model_.target_scaling.undone(all);
    nn::NumberScores scores;
    scores.add(predictions, rows.targets);
    Tested tested{.text = fit_of(model_, scores), .predictions = predictions};
    const auto r2 = scores.r_squared(), error = scores.root_mean_squared_error();
    for (std::size_t j = 0; j < r2.size(); ++j) tested.scores.insert(tested.scores.end(), {r2[j], error[j]});
    return tested;
}

std::string Training::page(const nn::Dataset<double>& test, const Tested& tested, json facts) const {
    const bool one_number = rows_.is_regression() && model_.outputs() == 1;
    const autograd::Shape picture = picture_shape(options_);
    const bool is_grey = picture.size() == 3 && picture[0] == 1;
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
                    .picture = is_grey ? PictureSize{picture[1], picture[2]} : PictureSize(),
                    .confusion = tested.confusion,
                    .answers = tested.answers,
                    .prediction = tested.predictions});
}

void Training::require_finite(const autograd::Variable<float>& loss) const {
    if (!is_finite(model_.network) || !std::isfinite(loss.item())) overflow(options_.epochs, optimizer_->rate());
}

Tested Training::test_classes(const nn::Dataset<float>& test) const {
    const bool reported = !options_.report.empty(),
               counted = options_.confusion || (reported && model_.outputs() <= most_classes_on_page);
    ClassScores all(options_.top);
    autograd::Indices confusion;
    std::vector<ClassAnswer> answers;
    in_blocks(test, [&](const autograd::Variable<float>& scores, std::size_t begin, std::size_t n) {
        auto labels = autograd::Indices::from_shape({n});
        std::copy_n(test.labels.data() + begin, n, labels.data());
        require_finite(softmax_cross_entropy(scores, labels));
        all.add(scores.value(), labels);
        if (reported) append_answers(answers, log_softmax(scores, -1).value(), labels);
        if (!counted) return;
        const autograd::Indices counts = nn::confusion_matrix(scores.value(), labels);
        confusion = begin == 0 ? counts : autograd::Indices(confusion + counts);
    });
    return {.scores = all.numbers(),
            .text = fmt::format("accuracy: {:.2f} %{}", all.accuracy(), all.more()),
            .confusion = confusion,
            .classes = all.as_json(),
            .answers = answers};
}

/// Targets are scaled to a variance of 1 in the rows for training, so that a loss of 1 is that of their mean.
std::string Training::metrics(const nn::Measured& measured) const {
    if (!rows_.is_regression()) return fmt::format("accuracy {:.2f} %", 100 * measured.metric);
    const double share = 1 - measured.metric * measured.metric;
    if (model_.outputs() > 1)
        return validation_ ? fmt::format("RMSE {:.4f} deviations", measured.metric) : fmt::format("R² {:.4f}", share);
    const std::string error = fmt::format("RMSE {:.6g}", measured.metric / model_.target_scaling.factor[0]);
    return validation_ ? error : fmt::format("R² {:.4f}, {}", share, error);
}

std::size_t Training::steps() const { return options_.epochs * ((rows_.size() + options_.batch - 1) / options_.batch); }

/// The options that make a training what it is: a checkpoint of others is not gone on from.
std::map<std::string, std::string> Training::settings() const {
    const auto yes_or_no = [](bool given) { return given ? "yes" : "no"; };
    std::map<std::string, std::string> settings = {
        {"--optimizer", options_.optimizer},
        {"--rate", options_.rate ? fmt::format("{}", *options_.rate) : "none"},
        {"--seed", std::to_string(options_.seed)},
        {"--scale", options_.scale},
        {"--holdout", fmt::format("{}", options_.holdout)},
        {"--validation", fmt::format("{}", options_.validation)},
        {"--stratify", yes_or_no(options_.stratify)},
        {"--balanced", yes_or_no(options_.balanced)},
        {"--schedule", options_.schedule}};
    if (options_.layers.empty()) {
        settings["--hidden"] = fmt::format("{}", fmt::join(options_.hidden, ","));
        settings["--activation"] = options_.activation;
    } else {
        settings["--layers"] = model_.network.line();
    }
    if (make_schedule(options_.schedule, steps())) settings["--epochs"] = std::to_string(options_.epochs);
    return settings;
}
