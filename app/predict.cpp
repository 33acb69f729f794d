#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <cmath>
#include <nn/csv.hpp>
#include <nn/files/text.hpp>
#include <nn/mode.hpp>
#include <optional>
#include <stdexcept>

#include "class_scores.hpp"
#include "commands.hpp"
#include "table_of_model.hpp"

namespace {

using autograd::FileError;
using nn::files::printable;

/// The digits that a float has of the target's spread, and of the distance from its mean.
std::string number(double value, double factor) {
    const double digits = std::ceil(std::log10(std::max(std::abs(value) * factor, 1e-6))) + 7;
    return fmt::format("{:.{}g}", value, static_cast<int>(std::clamp(digits, 1.0, 17.0)));
}

/// What is printed for each row, and how good it was.
class Answers {
  public:
    Answers(const Model& model, const PredictOptions& options)
        : model_(model), options_(options), scores_(options.top) {
        for (const std::string& name : model.class_names) fields_.push_back(nn::csv_field(name));
    }

    std::string header() const {
        std::vector<std::string> names;
        if (model_.is_regression())
            for (const std::string& name : model_.target_names) names.push_back(nn::csv_field(name));
        else
            names = {"class", "probability"};
        if (options_.probabilities) {
            names.resize(1);
            for (const std::string& name : model_.class_names) names.push_back(nn::csv_field(name));
        }
        return fmt::format("{}\n", fmt::join(names, ","));
    }

    /// Lines of numbers: scores (n, targets).
    std::string numbers(const autograd::Array<float>& scores, const TableOfModel& table, const TableRows& read) {
        const autograd::Array<double> values = model_.target_scaling.undone(scores);
        autograd::Array<double> targets(values.shape(), 0);
        std::string lines;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::size_t outputs = model_.outputs(), j = i % outputs, row = i / outputs;
            if (!std::isfinite(values.data()[i])) no_answer(row);
            lines += number(values.data()[i], model_.target_scaling.factor[j]) + (j + 1 == outputs ? "\n" : ",");
            if (!options_.metric) continue;
            targets.data()[i] = table.target(read, row, j);
        }
        if (options_.metric) number_scores_.add(values, targets);
        rows_ += scores.shape()[0];
        return lines;
    }

    /// Lines of classes: scores and probabilities (n, classes).
    std::string classes(const autograd::Array<float>& scores, const autograd::Array<float>& probabilities,
                        const TableOfModel& table, const TableRows& read) {
        const std::size_t n = probabilities.shape()[0], classes = fields_.size();
        std::string lines;
        auto known = autograd::Indices::from_shape({options_.metric ? n : 0});
        for (std::size_t row = 0; row < n; ++row) {
            const float* p = probabilities.data() + row * classes;
            const float* z = scores.data() + row * classes;  // two may be too near for their probabilities to differ
            const auto best = static_cast<std::size_t>(std::max_element(z, z + classes) - z);
            if (!std::all_of(p, p + classes, [](float x) { return std::isfinite(x); })) no_answer(row);
            if (options_.metric) known(row) = static_cast<std::int64_t>(table.class_of(read, row));
            if (options_.probabilities)
                lines += fmt::format("{},{:.6f}\n", fields_[best], fmt::join(p, p + classes, ","));
            else
                lines += fmt::format("{},{:.6f}\n", fields_[best], p[best]);
        }
        if (options_.metric) scores_.add(scores, known);
        rows_ += n;
        return lines;
    }

    std::size_t rows() const { return rows_; }

    std::string metric() const {
        if (!model_.is_regression()) return fmt::format("; accuracy {:.2f} %{}", scores_.accuracy(), scores_.more());
        return "; " + fit_of(model_, number_scores_);
    }

  private:
    [[noreturn]] void no_answer(std::size_t row) const {
        throw std::runtime_error(
            fmt::format("{}: the network has no finite answer for row {}", printable(options_.csv), rows_ + row + 1));
    }

    const Model& model_;
    const PredictOptions& options_;
    std::vector<std::string> fields_;  // the classes as they are written
    std::size_t rows_ = 0;
    ClassScores scores_;
    nn::NumberScores number_scores_;
};

}  // namespace

int predict(const PredictOptions& options) {
    const Model model = load(options.model);
    if (options.probabilities && model.is_regression())
        throw std::invalid_argument("[predict] --probabilities is for classes, and this network predicts numbers");
    require_top("predict", options.top, model.class_names.size());
    nn::CsvOptions columns = columns_of(model, options.header, options.labels, options.drop);
    if (options.metric && options.labels.empty()) add_target(model, columns, "predict");
    TableOfModel rows(model, options.csv, columns);
    const nn::CsvReader& table = rows.reader();
    const std::size_t wanted = model.is_regression() ? model.outputs() : 1;
    if (options.metric && table.labels().size() != wanted)
        throw std::invalid_argument(fmt::format("[predict] the network predicts {} columns, but --label names {}",
                                                wanted, table.labels().size()));
    Answers answers(model, options);
    autograd::Tape<float> tape;
    const nn::Evaluation<float> evaluation(tape);
    for (;;) {
        const TableRows read = rows.next(model.network.rows_at_once());  // so few that a table of any length fits
        if (read.count() == 0) break;
        tape.rewind();
        std::string lines = answers.rows() == 0 ? answers.header() : "";
        const auto scores = model.network(tape.constant(rows.scaled(read)));
        lines += model.is_regression() ? answers.numbers(scores.value(), rows, read)
                                       : answers.classes(scores.value(), softmax(scores, -1).value(), rows, read);
        fmt::print("{}", lines);
    }
    if (answers.rows() == 0) throw FileError(fmt::format("{}: there are no rows of data", printable(options.csv)));
    flush_output();
    say_error(fmt::format(
        "{} rows; {}{}\n", answers.rows(),
        table.has_header() ? fmt::format("header: {}", printable(fmt::format("{}", fmt::join(table.columns(), ", "))))
                           : "no header",
        options.metric ? answers.metric() : ""));
    return 0;
}
