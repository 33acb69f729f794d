#include <fmt/format.h>

#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <autograd/precision.hpp>
#include <cmath>
#include <derivation/derivation.hpp>
#include <filesystem>
#include <lab/explained_derivation.hpp>
#include <lab/player.hpp>
#include <lab/recording_json.hpp>
#include <lab/recording_text.hpp>
#include <memory>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <optional>
#include <random>
#include <stdexcept>

#include "commands.hpp"
#include "table_of_model.hpp"

namespace {

using autograd::Array, autograd::FileError, autograd::Tape, autograd::Variable;
using nn::files::printable;

/// What is explained of a network: a row, and what it should be taken for.
struct Row {
    Array<float> features;                // (1, numbers), scaled
    std::optional<std::size_t> cls;       // its class
    std::optional<Array<float>> targets;  // its numbers, (1, targets), scaled
    std::string result;                   // what the last node is, in words
};

/// The loss where it is known what the row should be taken for, else the answer itself.
template <class T>
Variable<T> recorded(Tape<T>& tape, const DescribedNetwork<T>& network, const Row& row) {
    const auto scores = tape.name(network(tape.variable(Array<T>(xt::cast<T>(row.features)), "x")), "scores");
    Variable<T> result = scores;
    if (row.cls)
        result =
            softmax_cross_entropy(scores, autograd::Indices(autograd::Shape{1}, static_cast<std::int64_t>(*row.cls)));
    else if (row.targets)
        result = mean_squared_error(scores, tape.constant(Array<T>(xt::cast<T>(*row.targets)), "target"));
    else if (scores.size() > 1)
        result = amax(scores);
    return tape.name(result, row.cls || row.targets ? "loss" : "answer");
}

/// The same network in double.
DescribedNetwork<double> widened(const Network& network) {
    std::mt19937_64 engine;
    DescribedNetwork<double> wide(network.layers(), network.input(), engine);
    const auto from = network.parameters();
    auto to = wide.parameters();
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i].edit([&](Array<double>& value) { value = xt::cast<double>(from[i].value()); });
    return wide;
}

/// The table, with what was to be predicted where it holds that.
std::unique_ptr<TableOfModel> table_of(const Model& model, const ExplainOptions& options) {
    const nn::CsvOptions columns = columns_of(model, options.header, options.labels, options.drop);
    // What is no regular file is read once: it must have the target then.
    const bool may_lack_target = std::filesystem::is_regular_file(options.csv);
    if (!options.labels.empty()) return std::make_unique<TableOfModel>(model, options.csv, columns);
    nn::CsvOptions with_target = columns;
    try {
        add_target(model, with_target, "explain");
        return std::make_unique<TableOfModel>(model, options.csv, with_target);
    } catch (const std::exception&) {
        if (!may_lack_target) throw;
        auto table = std::make_unique<TableOfModel>(model, options.csv, columns);
        // Where the target is there, it cannot be told, as two columns have its name.
        for (const std::string& name : with_target.labels)
            if (table->reader().holds(name)) throw;
        return table;
    }
}

Row row_of(const Model& model, const ExplainOptions& options) {
    const std::unique_ptr<TableOfModel> opened = table_of(model, options);
    TableOfModel& table = *opened;
    const std::size_t wanted = model.is_regression() ? model.outputs() : 1, given = table.reader().labels().size();
    if (given != 0 && given != wanted)
        throw std::invalid_argument(
            fmt::format("[explain] the network predicts {} columns, but --label names {}", wanted, given));
    if (given == 0 && model.is_regression() && wanted > 1)
        throw std::invalid_argument(
            fmt::format("[explain] the network predicts {} numbers, and their columns are not in {}: "
                        "--label names them",
                        wanted, printable(options.csv)));
    TableRows rows;
    for (std::size_t i = 0; i < options.row; ++i) {
        rows = table.next(1);
        if (rows.count() == 0)
            throw FileError(fmt::format("{}: there is no row {}, but {}", printable(options.csv), options.row,
                                        i == 1 ? "1 row" : fmt::format("{} rows", i)));
    }
    Row row{table.scaled(rows), {}, {}, "the answer"};
    if (given == 0) return row;
    if (!model.is_regression()) {
        row.cls = table.class_of(rows, 0);
        row.result = fmt::format("the cross-entropy for the class '{}'", printable(model.class_names[*row.cls]));
        return row;
    }
    auto targets = Array<double>::from_shape({1, wanted});
    for (std::size_t j = 0; j < wanted; ++j) targets(0, j) = table.target(rows, 0, j);
    row.targets = model.target_scaling(targets, [&](std::size_t, std::size_t j) {
        return fmt::format("{}: '{}' of row {}", printable(options.csv), printable(model.target_names[j]), options.row);
    });
    row.result = "the mean squared error of the scaled numbers";
    return row;
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

lab::Recording recording_of(const Model& model, const Row& row, const ExplainOptions& options) {
    Tape<float> tape;
    Tape<double> wide_tape;
    const auto result = recorded(tape, model.network, row);
    if (!std::isfinite(result.item()))
        throw std::runtime_error(
            fmt::format("{}: the network has no finite answer for row {}", printable(options.csv), options.row));
    lab::Recording recording = lab::record_of(
        tape, result,
        {.title =
             printable(fmt::format("{}, row {} of {}", file_name(options.file), options.row, file_name(options.csv)))});
    const DescribedNetwork<double> wide = widened(model.network);
    lab::add_digits(recording, autograd::compare_recordings(result, recorded(wide_tape, wide, row)));
    return recording;
}

/// Whether the recording was written to the file that was named; else it is printed.
bool shown(const lab::Recording& recording, const std::string& output) {
    if (output.empty()) {
        fmt::print("{}", lab::to_text(recording));
        return false;
    }
    if (output.ends_with(".json"))
        nn::files::write(output, lab::to_json(recording));
    else if (output.ends_with(".dot"))
        nn::files::write(output, lab::to_dot(recording));
    else
        lab::write_page(recording, output);
    return true;
}

int explain_network(const ExplainOptions& options) {
    const Model model = load(options.file);
    const Row row = row_of(model, options);
    const lab::Recording recording = recording_of(model, row, options);
    if (shown(recording, options.output))
        fmt::print("{} at row {}: {:.6g}, step by step in {}\n", row.result, options.row,
                   recording.nodes[recording.result].value.values[0], printable(options.output));
    return 0;
}

/// Safetensors begin with a length of eight bytes, .npz with the letters of a zip file.
bool is_network(const std::string& bytes) {
    return bytes.starts_with("PK\3\4") || (bytes.size() > 8 && bytes[7] == '\0' && bytes[8] == '{');
}

int explain_derivation(const ExplainOptions& options) {
    const std::string text = derivation_in(options.file);
    if (is_network(text))
        throw std::invalid_argument(
            "[explain] a network is explained at a row of a table: deltarule explain MODEL TABLE --row 1");
    const derivation::Report report = derivation::check(text, {options.file, options.seed, 0});
    if (report.error) {
        say_error(derivation::to_text(report));
        return 1;
    }
    const lab::Recording recording = lab::explained(text, report);
    const bool written = shown(recording, options.output);
    const std::size_t right = report.count(derivation::Verdict::holds), lines = report.lines.size();
    if (written)
        fmt::print("{}: {:.6g}, step by step in {}; {} of {} line{} hold{}\n",
                   printable(recording.nodes[recording.result].name), recording.nodes[recording.result].value.values[0],
                   printable(options.output), right, lines, lines == 1 ? "" : "s", right == 1 ? "s" : "");
    for (const std::string& note : recording.notes) fmt::print("  {}\n", note);
    return 0;
}

}  // namespace

int explain(const ExplainOptions& options) {
    if (!options.output.empty()) nn::files::require_writable(options.output, {options.file, options.csv});
    return options.csv.empty() ? explain_derivation(options) : explain_network(options);
}
