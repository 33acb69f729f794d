#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <lab/player.hpp>
#include <nlohmann/json.hpp>
#include <nn/checkpoint.hpp>
#include <nn/data.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <nn/metrics.hpp>
#include <nn/safetensors.hpp>
#include <stdexcept>

#include "class_scores.hpp"
#include "commands.hpp"
#include "processes.hpp"
#include "saved_network.hpp"
#include "signals.hpp"
#include "training.hpp"
#include "training_data.hpp"

namespace {

using nlohmann::json;
using nn::files::printable;

constexpr std::size_t most_confusion = 200;  // classes

/// Throws where an option has no meaning for what is learned.
void require_fitting_options(const TrainOptions& options, const nn::Dataset<double>& data) {
    if (data.is_regression())
        for (const auto& [given, name] : {std::pair{options.confusion, "--confusion"},
                                          {options.balanced, "--balanced"},
                                          {options.stratify, "--stratify"},
                                          {options.label_smoothing > 0, "--label-smoothing"}})
            if (given)
                throw std::invalid_argument(fmt::format("[train] {} is for classes, and this is a regression", name));
    if (options.loss && !data.is_regression())
        throw std::invalid_argument("[train] --loss is for a regression, and these are classes");
    require_top("train", options.top, data.classes());
    if (options.confusion && options.folds > 0)
        throw std::invalid_argument("[train] --confusion is for one test, and --folds makes several");
    if (options.confusion && data.classes() > most_confusion)
        throw std::invalid_argument(fmt::format("[train] --confusion prints {} classes at most, and there are {}",
                                                most_confusion, data.classes()));
}

void print_confusion(const autograd::Indices& counts, std::vector<std::string> names) {
    for (std::string& name : names) name = printable(name);
    std::size_t width = 6;
    for (const std::string& name : names) width = std::max(width, name.size() + 1);
    width = std::max(width, fmt::format(" {}", std::ranges::max(counts)).size());
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

void print(const json& report) { fmt::print("{}\n", report.dump(2, ' ', false, json::error_handler_t::replace)); }

/// The mean, and the deviation between folds (n - 1 of n are free); `alike` is what is all the same in a fold whose
/// score is undefined.
std::string mean_of(const std::vector<std::vector<double>>& scores, std::size_t which, int digits, const char* alike) {
    long double mean = 0, square = 0;  // which hold the squares of all doubles
    const auto n = static_cast<long double>(scores.size());
    for (const auto& fold : scores) mean += fold[which] / n;
    for (const auto& fold : scores) square += (fold[which] - mean) * (fold[which] - mean) / (n - 1);
    if (std::isnan(square)) return fmt::format("undefined (in a fold all {})", alike);
    const auto average = static_cast<double>(mean), deviation = static_cast<double>(std::sqrt(square));
    // Of what is far from 1, as an error in metres may be, the digits behind the point say nothing, or hundreds do.
    if (average != 0 && (std::abs(average) < 1e-3 || std::abs(average) >= 1e9))
        return fmt::format("{:.6g} ± {:.6g}", average, deviation);
    return fmt::format("{:.{}f} ± {:.{}f}", average, digits, deviation, digits);
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
        training.require_scalable(known(nn::rows_of(data, parts[k])).features);
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
        constexpr const char* alike = "rows are of one class";
        std::string text = fmt::format("{} %", mean_of(scores, 0, 2, alike));
        if (data.classes() == 2) text += fmt::format(", AUC {}", mean_of(scores, 1, 4, alike));
        if (options.top > 0)
            text += fmt::format(", top-{} accuracy {} %", options.top, mean_of(scores, scores[0].size() - 1, 2, alike));
        fmt::print("mean accuracy of {} folds: {}\n", parts.size(), text);
        return 0;
    }
    constexpr const char* alike = "targets are the same";
    std::vector<std::string> all;
    for (std::size_t j = 0; j < data.target_names.size(); ++j)
        all.push_back(fmt::format("{}R² {}, RMSE {}, MAE {}",
                                  data.target_names.size() > 1 ? printable(data.target_names[j]) + ": " : "",
                                  mean_of(scores, 3 * j, 4, alike), mean_of(scores, 3 * j + 1, 4, alike),
                                  mean_of(scores, 3 * j + 2, 4, alike)));
    fmt::print("mean of {} folds: {}\n", parts.size(), fmt::join(all, "; "));
    return 0;
}

/// Throws where the options of a step contradict each other.
void require_steps(const TrainOptions& options) {
    const bool is_lbfgs = options.optimizer == "lbfgs";
    if ((options.batch || !is_lbfgs) && options.micro_batch > options.batch.value_or(32))
        throw std::invalid_argument(fmt::format("[train] --micro-batch {} is more than the {} rows of --batch",
                                                options.micro_batch, options.batch.value_or(32)));
    if (!is_lbfgs) return;
    for (const auto& [given, name] : {std::pair{options.weight_decay.value_or(0) != 0, "--weight-decay"},
                                      {options.clip > 0, "--clip"},
                                      {options.clip_value > 0, "--clip-value"},
                                      {options.schedule != "none", "--schedule"}})
        if (given)
            throw std::invalid_argument(fmt::format(
                "[train] {} is not for lbfgs, which goes by the gradients of the loss and its own lengths of steps",
                name));
    if (options.stream && options.micro_batch == 0)
        throw std::invalid_argument(
            "[train] lbfgs takes all rows at once: --stream needs --micro-batch, the rows that are in memory then");
}

/// Throws where one process alone can do what is asked for.
void require_shared(const TrainOptions& options, std::size_t processes) {
    if (processes == 1) return;
    for (const auto& [given, name] :
         {std::pair{options.stream, "--stream"}, {options.folds > 0, "--folds"}, {options.balanced, "--balanced"}})
        if (given)
            throw std::invalid_argument(
                fmt::format("[train] {} is for one process, and there are {}", name, processes));
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

/// Throws where another training that runs on this machine writes its checkpoint to this place; until this one ends
/// none can. Two that begin at once find no file there.
void claim(const std::string& checkpoint) {
    std::error_code none;  // where there is no folder for a lock, there is none
    const std::string place = std::filesystem::weakly_canonical(checkpoint, none).string();
    const std::string name = (std::filesystem::temp_directory_path(none) /
                              fmt::format("deltarule-{:016x}.lock", std::hash<std::string>()(place)))
                                 .string();
    const int lock = none ? -1 : open(name.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw std::invalid_argument(
            fmt::format("[train] another training writes its checkpoint to {}", printable(checkpoint)));
}

/// Throws where a file cannot be written, two of them are one, or a training would be lost.
void require_outputs(const TrainOptions& options, const std::string& interrupted) {
    std::vector<std::string> files;
    for (const std::string& path : {options.save, options.save.empty() ? "" : interrupted, options.checkpoint,
                                    options.resume, options.history, options.report, options.player}) {
        if (path.empty()) continue;
        nn::files::require_writable(path, inputs(options));
        for (const std::string& other : files)
            if (nn::files::is_same_place(path, other))
                throw std::invalid_argument(fmt::format("[train] '{}' is to be written twice", printable(path)));
        files.push_back(path);
    }
    if (const std::string path = options.resume.empty() ? options.checkpoint : options.resume; !path.empty())
        claim(path);
    if (!options.resume.empty()) nn::read_training_place(options.resume);  // one that is none is refused at once
    for (const std::string& path : files)
        if (path != options.resume) require_no_training(path);
}

/// Trains, tests and says how it went. `test` begins to read the rows for the test; `shown` are these where they are in
/// memory.
int train_and_test(const TrainOptions& options, Training& training, std::size_t tested_rows,
                   const std::function<nn::ReadRows<double>()>& test, const nn::Dataset<double>* shown) {
    const std::string interrupted = options.save + ".interrupted";
    say(options, training.description(tested_rows));
    flush_output();
    note_signals();
    training.run(false);
    // Another process may have had the signal.
    const int signal = noted_signal() == 0 && training.is_stopped() ? SIGTERM : noted_signal();
    if (processes().rank() > 0) return signal == 0 ? 0 : 128 + signal;
    if (signal != 0) {
        const std::string& checkpoint = options.resume.empty() ? options.checkpoint : options.resume;
        if (!checkpoint.empty())
            say_error(fmt::format("deltarule: interrupted; --resume {} goes on\n", printable(checkpoint)));
        if (!options.save.empty()) {
            save(interrupted, training.model());
            say_error(fmt::format("deltarule: interrupted; what was reached is saved to {}\n", printable(interrupted)));
        }
        return 128 + signal;
    }
    // Whatever the test meets, a training that came to its end is not lost.
    if (!options.save.empty()) {
        save(options.save, training.model());
        say(options, fmt::format("saved to {}\n", printable(options.save)));
        flush_output();
    }
    const auto tested = training.test(test());
    json report = training.as_json(tested_rows);
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
        fmt::print("test {}\n", tested.text);
    }
    if (!options.report.empty()) {
        flush_output();  // the result is said even where the page cannot be written any more
        nn::files::write(options.report, training.page(*shown, tested, report));
    }
    if (!options.player.empty()) {
        flush_output();
        lab::write_player(training.recordings(), options.player);
    }
    return noted_signal() == 0 ? 0 : 128 + noted_signal();
}

}  // namespace

int train(const TrainOptions& given) {
    TrainOptions options = given;
    if (options.patience > 0 && options.validation == 0) options.validation = 0.1;
    nn::activation_from_name(options.activation);  // a name that is none is refused before anything is read
    require_steps(options);
    require_shared(options, processes().size());
    if (processes().rank() == 0)
        require_outputs(options, options.save + ".interrupted");
    else
        options.save = options.checkpoint = options.history = options.report = options.player = "";

    std::mt19937_64 engine(options.seed);
    if (options.stream) {
        const StreamedRows rows(options);
        require_fitting_options(options, rows.known().outline);
        Training training(options, rows, engine);
        training.require_scalable(rows.held_out());
        return train_and_test(options, training, rows.count(Part::test), rows.open(Part::test), nullptr);
    }
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
    training.require_scalable(known(*test).features);
    return train_and_test(
        options, training, test->size(), [&] { return read_rows(*test); }, &*test);
}
