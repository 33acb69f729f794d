#include "training.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <map>
#include <nn/files/text.hpp>
#include <nn/lbfgs.hpp>
#include <nn/metrics.hpp>
#include <nn/mode.hpp>
#include <numeric>
#include <stdexcept>

#include "class_scores.hpp"
#include "processes.hpp"
#include "signals.hpp"
#include "training_data.hpp"

using autograd::Array;
using autograd::Parameter;
using nlohmann::json;
using nn::files::printable;

namespace {

/// The rows of a step, of so many for training.
std::size_t batch_of(const TrainOptions& options, std::size_t rows) {
    if (options.optimizer != "lbfgs") return options.batch.value_or(32);
    if (options.batch.value_or(rows) < rows)
        throw std::invalid_argument(
            fmt::format("[train] lbfgs takes all {} rows for training at once, and --batch is {}: --micro-batch is for "
                        "less memory",
                        rows, *options.batch));
    return rows;
}

/// The rows that are recorded at once.
std::size_t micro_batch_of(const TrainOptions& options, std::size_t rows) {
    const std::size_t batch = std::min(batch_of(options, rows), rows);
    return options.micro_batch > 0 ? std::min(options.micro_batch, batch) : batch;
}

/// Throws where the network, its gradients and what the optimizer keeps would not fit into this machine, or the rows
/// that are on their way through it.
void require_memory(const std::vector<DescribedLayer>& layers, const TrainOptions& options, std::size_t rows) {
    const std::size_t batch = micro_batch_of(options, rows);
    const std::size_t pairs =  // of lbfgs, each as large as the network twice
        options.optimizer == "lbfgs" ? std::min(nn::LbfgsOptions().history, 20 * options.epochs) : 0;
    const double there = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    double numbers = 0, of_batch = 0;
    for (const auto& [name, shape] : arrays_of(layers)) numbers += number_of(shape);
    for (const DescribedLayer& layer : layers)
        of_batch += static_cast<double>(batch) * static_cast<double>(autograd::size_of(layer.out));
    const double needed = (4 + 4 * static_cast<double>(pairs)) * numbers * sizeof(float),  // with a copy of the pairs
        in_batch = 2 * of_batch * sizeof(float);
    if (needed > there)
        throw std::invalid_argument(fmt::format("[train] {} needs {:.0f} GB, but the machine has {:.0f}",
                                                network_name(layers), needed / 1e9, there / 1e9));
    if (needed + in_batch > there)
        throw std::invalid_argument(
            fmt::format("[train] {} needs {:.0f} GB for {} rows at a time, but the machine has {:.0f}: choose a "
                        "smaller --batch, or --micro-batch",
                        network_name(layers), in_batch / 1e9, batch, there / 1e9));
}

/// Throws where a layer would do in each process what the others do not, or its loss is none for L-BFGS.
void require_fitting(const std::vector<DescribedLayer>& layers, const TrainOptions& options, std::size_t processes) {
    const auto refuse = [&](const char* name, const char* what) {
        if (processes > 1)
            throw std::invalid_argument(
                fmt::format("[train] {} is for one process, and there are {}: each would {}", name, processes, what));
        if (options.optimizer == "lbfgs")
            throw std::invalid_argument(fmt::format(
                "[train] {} is not for lbfgs, whose loss has to be the same each time that it is evaluated", name));
    };
    for (const DescribedLayer& layer : layers) {
        if (layer.kind == LayerKind::batchnorm) refuse("batchnorm", "have the mean and the variance of its own rows");
        if (layer.kind == LayerKind::dropout) refuse("dropout", "draw other numbers");
    }
}

/// Throws where a batch of one row would have no variance.
void require_batches(const std::vector<DescribedLayer>& layers, std::size_t rows, const TrainOptions& options) {
    const auto last_of = [](std::size_t all, std::size_t part) {
        return part == 0 || all < part ? all : all % part == 0 ? part : all % part;
    };
    const std::size_t whole = batch_of(options, rows), batch = std::min(rows, whole), micro = options.micro_batch;
    const std::size_t least = std::min(last_of(batch, micro), last_of(last_of(rows, batch), micro));
    for (const DescribedLayer& layer : layers) {
        std::size_t each = 1;  // numbers of a feature in an example
        for (std::size_t i = 1; i < layer.in.size(); ++i) each *= layer.in[i];
        if (layer.kind == LayerKind::batchnorm && least * each < 2)
            throw std::invalid_argument(
                fmt::format("[train] {} rows for training in batches of {}{} leave one row for the last{}, and "
                            "batchnorm needs two: choose another --{}",
                            rows, whole, micro > 0 ? fmt::format(" and micro-batches of {}", micro) : "",
                            micro > 0 ? " of these" : " batch", micro > 0 ? "micro-batch" : "batch"));
    }
}

/// What an example is for the first layer.
autograd::Shape input_of(const TrainOptions& options, std::size_t columns) {
    if (options.layers.empty()) return {columns};
    const autograd::Shape picture = picture_shape(options);
    return !picture.empty() && autograd::size_of(picture) == columns ? picture : autograd::Shape{columns};
}

Scaling scaling_of(const KnownRows& rows, const std::string& scale) {
    const auto& names = rows.outline.column_names;
    if (scale == "none") return Scaling::none(rows.features.columns.size());
    return scale == "standard" ? Scaling::standard(rows.features, names) : Scaling::of(rows.features, names);
}

/// As many weights as classes, so that each class counts the same: rows / (classes * rows of the class).
std::vector<double> balanced(const KnownRows& rows) {
    std::vector<double> weights;
    for (const double count : rows.of_class)
        weights.push_back(static_cast<double>(rows.size()) / static_cast<double>(rows.of_class.size()) /
                          std::max(count, 1.0));
    return weights;
}

/// One of `optimizer_names`, with its own rate and weight decay unless these are given.
std::unique_ptr<nn::Optimizer<float>> make_optimizer(const TrainOptions& given,
                                                     std::vector<Parameter<float>> parameters) {
    const std::string& name = given.optimizer;
    const auto with_given = [&](auto options) {
        options.rate = given.rate.value_or(options.rate);
        options.weight_decay = given.weight_decay.value_or(options.weight_decay);
        return options;
    };
    if (name == "sgd") return std::make_unique<nn::Sgd<float>>(parameters, with_given(nn::SgdOptions{.rate = 0.1}));
    if (name == "momentum")
        return std::make_unique<nn::Sgd<float>>(parameters, with_given(nn::SgdOptions{.rate = 0.03, .momentum = 0.9}));
    if (name == "adamw") return std::make_unique<nn::AdamW<float>>(parameters, with_given(nn::AdamWOptions{}));
    if (name == "rmsprop")
        return std::make_unique<nn::RMSprop<float>>(parameters, with_given(nn::RMSpropOptions{.rate = 1e-3}));
    if (name == "lbfgs")
        return std::make_unique<nn::Lbfgs<float>>(parameters, nn::LbfgsOptions{.rate = given.rate.value_or(1)});
    if (name == "adagrad") return std::make_unique<nn::Adagrad<float>>(parameters, with_given(nn::AdagradOptions{}));
    return std::make_unique<nn::Adam<float>>(parameters, with_given(nn::AdamOptions{}));
}

/// The schedule of this name over so many steps; none for none, and for plateau, which goes by the loss.
nn::Schedule make_schedule(const std::string& name, std::size_t steps) {
    if (name == "step") return nn::step_decay((steps + 2) / 3);  // rounded up: the last third is the last
    if (name == "cosine") return nn::cosine(steps);
    if (name == "warm-up") return nn::warm_up(std::max<std::size_t>(1, steps / 10));
    if (name == "one-cycle") return nn::one_cycle(steps);
    return {};
}

/// What an error calls one of these columns.
Scaling::Place place_among(const std::vector<std::string>& names) {
    return [&names](std::size_t, std::size_t j) {
        return "[scaling] column " + (names.empty() ? std::to_string(j) : "'" + printable(names[j]) + "'");
    };
}

/// Throws where the network has no answer for a row of the test, the first of which has this number.
template <class T>
void require_finite(const Array<T>& answers, std::size_t first) {
    for (std::size_t i = 0; i < answers.size(); ++i)
        if (!std::isfinite(answers.data()[i]))
            throw std::runtime_error(fmt::format("[train] the network has no finite answer for row {} of the test",
                                                 first + i / answers.shape()[1] + 1));
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

Model make_model(const TrainOptions& options, const KnownRows& known, std::mt19937_64& engine) {
    const nn::Dataset<double>& rows = known.outline;
    const std::size_t numbers = known.features.columns.size();
    const std::vector<double> fill =
        options.missing == nn::Missing::mean ? known.features.means(rows.column_names) : std::vector<double>();
    Scaling scaling = scaling_of(known, options.scale);
    const std::vector<nn::Column> columns = rows.columns.empty() ? std::vector<nn::Column>(numbers) : rows.columns;
    // A category that no row for training has was not learned: its offset and factor of 0 say so.
    std::size_t at = 0;
    for (const nn::Column& column : columns)
        for (std::size_t k = 0; k < column.width(); ++k, ++at)
            if (!column.categories.empty() && known.features.columns[at].most == 0)
                scaling.offset[at] = scaling.factor[at] = 0;
    Scaling target_scaling;
    if (rows.is_regression()) {
        target_scaling = Scaling::standard(known.targets, rows.target_names);
        for (std::size_t j = 0; j < rows.target_names.size(); ++j)
            if (target_scaling.factor[j] == 0)
                throw std::invalid_argument(
                    fmt::format("[train] the target, column '{}', is always {} in the rows for training",
                                printable(rows.target_names[j]), known.targets.columns[j].least));
    }
    const autograd::Shape input = input_of(options, numbers);
    const std::string line = !options.layers.empty() ? options.layers
                                                     : perceptron_line(options.hidden == std::vector<std::size_t>{0}
                                                                           ? std::vector<std::size_t>{}
                                                                           : options.hidden,
                                                                       nn::activation_from_name(options.activation));
    auto layers = read_layers(line, input, rows.is_regression() ? rows.target_names.size() : rows.classes());
    require_fitting(layers, options, processes().size());
    require_memory(layers, options, known.size());
    require_batches(layers, known.size(), options);
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

std::string source_of(const TrainOptions& options) {
    return !options.idx.empty() ? options.idx : !options.csv.empty() ? options.csv : "handwritten digits";
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
      validation_read_(take_validation(options, rows, engine)),
      known_(known(rows)),
      model_(make_model(options, known_, engine)),
      rows_(scaled(rows)),
      training_(std::make_unique<nn::DatasetBatches<float>>(rows_)),
      engine_(engine) {
    if (validation_read_) {
        validation_rows_ = scaled(*validation_read_);
        validation_ = std::make_unique<nn::DatasetBatches<float>>(validation_rows_);
    }
    validation_read_.reset();
    prepare();
}

Training::Training(const TrainOptions& options, const StreamedRows& rows, std::mt19937_64& engine)
    : options_(options),
      known_(rows.known()),
      model_(make_model(options, known_, engine)),
      training_(streamed(rows, Part::training)),
      engine_(engine) {
    if (rows.count(Part::validation) > 0) validation_ = streamed(rows, Part::validation);
    prepare();
}

void Training::prepare() {
    if (options_.balanced) cross_entropy_.class_weights = balanced(known_);
    cross_entropy_.label_smoothing = options_.label_smoothing;
    optimizer_ = make_optimizer(options_, model_.network.parameters());
    rate_ = optimizer_->rate();
}

/// Features as the network takes them.
Array<float> Training::scaled(Array<double> features) const {
    put(model_.fill, features);
    return model_.scaling(features, place_among(known_.outline.column_names));
}

/// Features and targets as the network learns from them.
nn::Batch<float> Training::scaled(nn::Batch<double> rows) const {
    nn::Batch<float> result{scaled(std::move(rows.x)), std::move(rows.labels), {}};
    if (model_.is_regression()) result.targets = model_.target_scaling(rows.targets, place_among(model_.target_names));
    return result;
}

void Training::require_scalable(const Statistics& features) const {
    auto extremes = Array<double>::from_shape({2, features.columns.size()});
    for (std::size_t j = 0; j < features.columns.size(); ++j) {
        const auto& column = features.columns[j];
        extremes(0, j) = column.count > 0 ? column.least : model_.scaling.offset[j];
        extremes(1, j) = column.count > 0 ? column.most : model_.scaling.offset[j];
    }
    model_.scaling(extremes, place_among(known_.outline.column_names));
}

nn::Dataset<float> Training::scaled(const nn::Dataset<double>& rows) const {
    nn::Batch<float> batch = scaled({rows.features, rows.labels, rows.targets});
    nn::Dataset<float> result{std::move(batch.x), std::move(batch.labels), rows.class_names, rows.column_names,
                              rows.label_name};
    result.targets = std::move(batch.targets);
    result.target_names = rows.target_names;
    return result;
}

std::unique_ptr<nn::BatchSource<float>> Training::streamed(const StreamedRows& rows, Part part) const {
    const nn::RowFacts facts{rows.count(part), known_.features.columns.size(), model_.class_names.size(),
                             model_.target_names.size()};
    const auto open = [this, begin = rows.open(part)]() -> nn::ReadRows<float> {
        return [this, read = begin()](nn::Batch<float>& batch) {
            nn::Batch<double> block;
            if (!read(block)) return false;
            batch = scaled(std::move(block));
            return true;
        };
    };
    return std::make_unique<nn::StreamedBatches<float>>(facts, rows.checksum(), open, options_.shuffle_buffer);
}

autograd::Variable<float> Training::loss(const autograd::Variable<float>& scores, const nn::Batch<float>& rows) const {
    if (!model_.is_regression()) return softmax_cross_entropy(scores, rows.labels, cross_entropy_);
    const std::string name = options_.loss.value_or("mse");
    const auto targets = scores.tape().constant(rows.targets, "target");
    return name == "mae"     ? mean_absolute_error(scores, targets)
           : name == "huber" ? huber_loss(scores, targets)
                             : mean_squared_error(scores, targets);
}

void Training::record() {
    if (options_.player.empty()) return;
    constexpr std::size_t most_rows = 8;  // whose sum is shown term by term
    std::vector<std::size_t> first(std::min(most_rows, rows_.size()));
    std::iota(first.begin(), first.end(), std::size_t{0});
    const nn::Dataset<float> rows = nn::rows_of(rows_, first);
    autograd::Tape<float> tape;
    const auto scores = tape.name(model_.network(tape.constant(rows.features, "x")), "scores");
    recordings_.push_back(lab::record_of(
        tape, tape.name(loss(scores, {{}, rows.labels, rows.targets}), "loss"),
        {.title = printable(fmt::format("{}, {} rows for training", source_of(options_), rows.size()))}));
}

std::string Training::description(std::size_t tested) const {
    const char* scale = options_.scale == "none"       ? "no column scaled"
                        : options_.scale == "standard" ? "each column scaled to mean 0 and deviation 1"
                                                       : "each column scaled to 0 ... 1";
    const std::string validated = validation_ ? fmt::format(", {} for the validation", validation_->facts().rows) : "";
    const std::string with = options_.layers.empty() ? " with " + options_.activation : "";
    std::string more;
    if (options_.weight_decay) more += fmt::format(", weight decay {}", *options_.weight_decay);
    if (options_.loss) more += fmt::format(", loss {}", *options_.loss);
    if (options_.label_smoothing > 0) more += fmt::format(", label smoothing {}", options_.label_smoothing);
    if (options_.clip > 0) more += fmt::format(", gradients clipped to norm {}", options_.clip);
    if (options_.clip_value > 0) more += fmt::format(", numbers in gradients clipped to {}", options_.clip_value);
    if (options_.average > 0) more += fmt::format(", weights averaged with decay {}", options_.average);
    if (options_.micro_batch > 0) more += fmt::format(", {} rows at a time", options_.micro_batch);
    return fmt::format("{} rows for training{}, {} for the test, {}; {}{}, {} at rate {}{}\n", rows(), validated,
                       tested, scale, model_.network.name(), with, options_.optimizer, rate_, more);
}

void Training::run(bool quiet) {
    nn::FitOptions<float> fit{.epochs = options_.epochs,
                              .batch = batch(),
                              .micro_batch = std::min(options_.micro_batch, batch()),
                              .optimizer = optimizer_.get()};
    fit.engine = std::mt19937_64(engine_());
    fit.loss = [this](const auto& scores, const auto& batch) { return loss(scores, batch); };
    if (options_.balanced)
        fit.weight = [this](const auto& batch) {
            return std::accumulate(batch.labels.begin(), batch.labels.end(), 0.0,
                                   [this](double sum, std::int64_t label) {
                                       return sum + cross_entropy_.class_weights[static_cast<std::size_t>(label)];
                                   });
        };
    fit.clip_value = options_.clip_value;
    fit.clip_norm = options_.clip;
    fit.average = options_.average;
    fit.schedule = make_schedule(options_.schedule, steps());
    if (options_.schedule == "plateau") fit.plateau = nn::PlateauOptions{.patience = 5};
    fit.validation_source = validation_.get();
    fit.patience = options_.patience;
    fit.resume = !options_.resume.empty();
    fit.checkpoint = fit.resume ? options_.resume : options_.checkpoint;
    fit.settings = settings();
    fit.history = options_.history;
    if (model_.outputs() > 1 && model_.is_regression()) fit.metric_name = "rmse_deviations";  // of all targets
    if (model_.outputs() == 1 && model_.is_regression()) fit.metric_unit = 1 / model_.target_scaling.factor[0];
    fit.progress = quiet || options_.quiet || options_.json ? nullptr : stdout;
    fit.describe = [this](const nn::Measured& measured) { return metrics(measured); };
    fit.on_step = [](const nn::Epoch&) { return noted_signal() == 0; };
    fit.on_evaluation = [] { return noted_signal() == 0; };
    fit.on_epoch = [this, every = (options_.epochs + 39) / 40](const nn::Epoch& epoch) {
        if (epoch.number % every == 0 || epoch.number == options_.epochs) record();
        return noted_signal() == 0;
    };
    if (!fit.resume) record();
    fit.communicator = &processes();
    history_ = nn::fit(model_.network, *training_, fit);
    if (!is_finite(model_.network))
        throw std::runtime_error(fmt::format(
            "the loss overflows in epoch {}: {}a --rate below {}", options_.epochs,
            optimizer_->decays_too_much() ? "--weight-decay makes weights grow, try a smaller one, or " : "try ",
            rate_));
    if (recordings_.empty()) record();  // one that was at its end before it was resumed
    if (quiet || !validation_ || history_.stopped) return;
    if (history_.is_early)
        say(options_, fmt::format("{} epochs have not lowered the loss of the validation; ", options_.patience));
    say(options_, fmt::format("the network of epoch {} is kept\n", history_.best));
}

json Training::as_json(std::size_t tested) const {
    json said = {{"task", model_.is_regression() ? "regression" : "classification"},
                 {"rows", {{"training", rows()}, {"test", tested}}},
                 {"optimizer", options_.optimizer},
                 {"rate", rate_},
                 {"epochs", options_.epochs}};
    if (options_.micro_batch > 0) said["micro_batch"] = options_.micro_batch;
    if (options_.weight_decay) said["weight_decay"] = *options_.weight_decay;
    if (options_.loss) said["loss"] = *options_.loss;
    if (options_.label_smoothing > 0) said["label_smoothing"] = options_.label_smoothing;
    if (options_.clip > 0) said["clip"] = options_.clip;
    if (options_.clip_value > 0) said["clip_value"] = options_.clip_value;
    if (options_.average > 0) said["average"] = options_.average;
    if (options_.layers.empty()) {
        said["widths"] = *model_.network.widths();
        said["activation"] = options_.activation;
    } else {
        said["input"] = model_.network.input();
        said["layers"] = model_.network.line();
    }
    if (validation_) said["rows"]["validation"] = validation_->facts().rows;
    if (history_.epochs.empty()) return said;  // not yet
    said["epochs"] = history_.epochs.back().number;
    if (validation_) said["kept_epoch"] = history_.best;
    return said;
}

json Training::as_json(const Tested& tested) const {
    if (!model_.is_regression()) return tested.classes;
    json targets = json::array();
    for (std::size_t j = 0; j < model_.target_names.size(); ++j)
        targets.push_back({{"target", model_.target_names[j]},
                           {"r_squared", tested.scores[3 * j]},
                           {"root_mean_squared_error", tested.scores[3 * j + 1]},
                           {"mean_absolute_error", tested.scores[3 * j + 2]}});
    return targets;
}

template <class F>
void Training::in_blocks(const nn::ReadRows<double>& read, const F& f) const {
    nn::Batch<double> rows;
    const std::size_t block = model_.network.rows_at_once();
    autograd::Tape<float> tape;
    const nn::Evaluation<float> evaluation(tape);
    while (read(rows)) {
        const std::size_t count = rows.x.shape()[0], columns = rows.x.shape()[1];
        const Array<float> all = scaled(rows.x);
        for (std::size_t begin = 0; begin < count; begin += block) {
            const std::size_t n = std::min(block, count - begin);
            auto x = Array<float>::from_shape({n, columns});
            std::copy_n(all.data() + begin * columns, n * columns, x.data());
            tape.rewind();
            f(model_.network(tape.constant(x)), rows, begin);
        }
    }
}

Tested Training::test(const nn::Dataset<double>& rows) const { return test(read_rows(rows)); }

Tested Training::test(const nn::ReadRows<double>& read) const {
    return model_.is_regression() ? test_numbers(read) : test_classes(read);
}

Tested Training::test_numbers(const nn::ReadRows<double>& read) const {
    nn::NumberScores scores;
    const std::size_t targets = model_.outputs();
    std::vector<double> all;
    in_blocks(read, [&](const autograd::Variable<float>& output, const nn::Batch<double>& rows, std::size_t begin) {
        const Array<double> predictions = model_.target_scaling.undone(output.value());
        require_finite(predictions, scores.rows());
        auto wanted = Array<double>::from_shape(predictions.shape());
        std::copy_n(rows.targets.data() + begin * targets, wanted.size(), wanted.data());
        scores.add(predictions, wanted);
        if (!options_.report.empty()) all.insert(all.end(), predictions.begin(), predictions.end());
    });
    Tested tested{.text = fit_of(model_, scores)};
    const auto r2 = scores.r_squared(), error = scores.root_mean_squared_error(),
               absolute = scores.mean_absolute_error();
    for (std::size_t j = 0; j < r2.size(); ++j)
        tested.scores.insert(tested.scores.end(), {r2[j], error[j], absolute[j]});
    tested.predictions = Array<double>::from_shape({all.size() / targets, targets});
    std::ranges::copy(all, tested.predictions.data());
    return tested;
}

std::string Training::page(const nn::Dataset<double>& test, const Tested& tested, json facts) const {
    const bool one_number = model_.is_regression() && model_.outputs() == 1;
    const autograd::Shape picture = picture_shape(options_);
    const bool is_grey = picture.size() == 3 && picture[0] == 1;
    return page_of({.data = source_of(options_),
                    .facts = std::move(facts),
                    .history = history_,
                    .metric = !model_.is_regression() ? "Accuracy"
                              : one_number            ? "RMSE"
                                                      : "RMSE in deviations",
                    .metric_factor = one_number ? 1 / model_.target_scaling.factor[0] : 1,
                    .test = test,
                    .classes = model_.class_names,
                    .picture = is_grey ? PictureSize{picture[1], picture[2]} : PictureSize(),
                    .confusion = tested.confusion,
                    .answers = tested.answers,
                    .prediction = tested.predictions});
}

Tested Training::test_classes(const nn::ReadRows<double>& read) const {
    const bool reported = !options_.report.empty(),
               counted = options_.confusion || (reported && model_.outputs() <= most_classes_on_page);
    ClassScores all(options_.top);
    autograd::Indices confusion;
    bool is_first = true;
    std::vector<ClassAnswer> answers;
    in_blocks(read, [&](const autograd::Variable<float>& scores, const nn::Batch<double>& rows, std::size_t begin) {
        auto labels = autograd::Indices::from_shape({scores.shape()[0]});
        std::copy_n(rows.labels.data() + begin, labels.size(), labels.data());
        require_finite(scores.value(), all.rows());
        all.add(scores.value(), labels);
        if (reported) append_answers(answers, log_softmax(scores, -1).value(), labels);
        if (!counted) return;
        const autograd::Indices counts = nn::confusion_matrix(scores.value(), labels);
        confusion = is_first ? counts : autograd::Indices(confusion + counts);
        is_first = false;
    });
    return {.scores = all.numbers(),
            .text = fmt::format("accuracy: {:.2f} %{}", all.accuracy(), all.more()),
            .confusion = confusion,
            .classes = all.as_json(),
            .answers = answers};
}

/// Targets are scaled to a variance of 1 in the rows for training, so that a loss of 1 is that of their mean.
std::string Training::metrics(const nn::Measured& measured) const {
    if (!model_.is_regression()) return fmt::format("accuracy {:.2f} %", 100 * measured.metric);
    const double share = 1 - measured.metric * measured.metric;
    if (model_.outputs() > 1)
        return validation_ ? fmt::format("RMSE {:.4f} deviations", measured.metric) : fmt::format("R² {:.4f}", share);
    const std::string error = fmt::format("RMSE {:.6g}", measured.metric / model_.target_scaling.factor[0]);
    return validation_ ? error : fmt::format("R² {:.4f}, {}", share, error);
}

std::size_t Training::batch() const { return batch_of(options_, rows()); }

std::size_t Training::steps() const { return options_.epochs * ((rows() + batch() - 1) / batch()); }

/// The options that make a training what it is: a checkpoint of others is not gone on from.
std::map<std::string, std::string> Training::settings() const {
    const auto yes_or_no = [](bool given) { return given ? "yes" : "no"; };
    std::map<std::string, std::string> settings = {{"--optimizer", options_.optimizer},
                                                   {"--rate", fmt::format("{}", rate_)},
                                                   {"--seed", std::to_string(options_.seed)},
                                                   {"--scale", options_.scale},
                                                   {"--holdout", fmt::format("{}", options_.holdout)},
                                                   {"--validation", fmt::format("{}", options_.validation)},
                                                   {"--stratify", yes_or_no(options_.stratify)},
                                                   {"--balanced", yes_or_no(options_.balanced)},
                                                   {"--schedule", options_.schedule}};
    const double own_decay = options_.optimizer == "adamw" ? nn::AdamWOptions().weight_decay : 0;
    if (const double decay = options_.weight_decay.value_or(own_decay); decay != own_decay)
        settings["--weight-decay"] = fmt::format("{}", decay);
    if (options_.loss.value_or("mse") != "mse") settings["--loss"] = *options_.loss;
    if (options_.label_smoothing > 0) settings["--label-smoothing"] = fmt::format("{}", options_.label_smoothing);
    if (options_.layers.empty()) {
        settings["--hidden"] = fmt::format("{}", fmt::join(options_.hidden, ","));
        settings["--activation"] = options_.activation;
    } else {
        settings["--layers"] = model_.network.line();
    }
    if (options_.stream) settings["--shuffle-buffer"] = std::to_string(options_.shuffle_buffer);
    if (make_schedule(options_.schedule, steps())) settings["--epochs"] = std::to_string(options_.epochs);
    return settings;
}
