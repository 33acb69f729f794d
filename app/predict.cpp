#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <cmath>
#include <map>
#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/files/text.hpp>
#include <optional>
#include <stdexcept>

#include "commands.hpp"
#include "saved_network.hpp"

namespace {

using autograd::FileError;
using nn::files::printable;

constexpr std::size_t block = 1024;  // rows at a time, so that a table of any length fits

/// Rows of a table, and what was to be predicted in each.
struct Block {
    autograd::Array<double> features;
    std::vector<std::vector<std::string>> labels;
};

/// Appends the numbers of a cell.
void append(std::vector<double>& numbers, const Model& model, std::size_t column, const std::string& field,
            const nn::CsvReader& table) {
    const auto& categories = model.columns[column].categories;
    if (nn::csv_missing(field) && !model.fill.empty()) {
        numbers.insert(numbers.end(), model.columns[column].width(), NAN);
        return;
    }
    if (categories.empty()) {
        numbers.push_back(nn::csv_number(field).value_or(NAN));
        if (!std::isfinite(numbers.back()))
            throw FileError(table.place(column, field) + (nn::has_decimal_comma(field)
                                                              ? " has a decimal comma: numbers have a decimal point"
                                                              : " is not a finite number"));
        return;
    }
    const std::size_t at = numbers.size() % model.scaling.offset.size();
    const auto is_known = [&](std::size_t k) {  // others had no row for the training
        return model.scaling.offset[at + k] != 0 || model.scaling.factor[at + k] != 0;
    };
    const auto found = std::ranges::find(categories, field);
    if (found == categories.end() || !is_known(static_cast<std::size_t>(found - categories.begin()))) {
        std::vector<std::string> known;
        for (std::size_t k = 0; k < categories.size(); ++k)
            if (is_known(k)) known.push_back(categories[k]);
        throw FileError(fmt::format("{} is none of the network's categories: {}", table.place(column, field),
                                    printable(fmt::format("{}", fmt::join(known, ", ")))));
    }
    for (const std::string& category : categories) numbers.push_back(category == field ? 1 : 0);
}

/// The next rows, (n, columns); none at the end.
Block next_rows(nn::CsvReader& table, const Model& model) {
    Block rows;
    std::vector<double> numbers;
    std::vector<std::string> fields, labels;
    for (; rows.labels.size() < block && table.next_fields(fields, labels); rows.labels.push_back(labels))
        for (std::size_t i = 0; i < fields.size(); ++i) append(numbers, model, i, fields[i], table);
    rows.features = autograd::Array<double>::from_shape({rows.labels.size(), model.scaling.offset.size()});
    std::ranges::copy(numbers, rows.features.data());
    return rows;
}

/// The digits that a float has of the target's spread, and of the distance from its mean.
std::string number(double value, double factor) {
    const double digits = std::ceil(std::log10(std::max(std::abs(value) * factor, 1e-6))) + 7;
    return fmt::format("{:.{}g}", value, static_cast<int>(std::clamp(digits, 1.0, 17.0)));
}

/// What is printed for each row, and how good it was.
class Answers {
  public:
    Answers(const Model& model, const PredictOptions& options) : model_(model), options_(options) {
        for (const std::string& name : model.class_names) {
            fields_.push_back(nn::csv_field(name));
            labels_.emplace(name, fields_.size() - 1);
        }
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
    std::string numbers(const autograd::Array<float>& scores, const std::vector<std::vector<std::string>>& labels) {
        const autograd::Array<double> values = model_.target_scaling.undone(scores);
        std::string lines;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::size_t targets = model_.outputs(), j = i % targets, row = i / targets;
            if (!std::isfinite(values.data()[i])) no_answer(row);
            lines += number(values.data()[i], model_.target_scaling.factor[j]) + (j + 1 == targets ? "\n" : ",");
            if (!options_.metric) continue;
            const std::optional<double> target = nn::csv_number(labels[row][j]);
            if (!target || !std::isfinite(*target))
                throw FileError(fmt::format("{}: '{}', the '{}' of row {}, is not a finite number",
                                            printable(options_.csv), printable(labels[row][j]),
                                            printable(model_.target_names[j]), rows_ + row + 1));
            predictions_.push_back(values.data()[i]);
            targets_.push_back(*target);
        }
        rows_ += scores.shape()[0];
        return lines;
    }

    /// Lines of classes: probabilities (n, classes).
    std::string classes(const autograd::Array<float>& probabilities,
                        const std::vector<std::vector<std::string>>& labels) {
        const std::size_t n = probabilities.shape()[0], classes = fields_.size();
        std::string lines;
        for (std::size_t row = 0; row < n; ++row) {
            const float* p = probabilities.data() + row * classes;
            const auto best = static_cast<std::size_t>(std::max_element(p, p + classes) - p);
            if (!std::all_of(p, p + classes, [](float x) { return std::isfinite(x); })) no_answer(row);
            if (options_.metric) right_ += label_of(labels[row][0], row) == best;
            if (options_.probabilities)
                lines += fmt::format("{},{:.6f}\n", fields_[best], fmt::join(p, p + classes, ","));
            else
                lines += fmt::format("{},{:.6f}\n", fields_[best], p[best]);
        }
        rows_ += n;
        return lines;
    }

    std::size_t rows() const { return rows_; }

    std::string metric() const {
        if (!model_.is_regression())
            return fmt::format("; accuracy {:.2f} %", 100.0 * static_cast<double>(right_) / static_cast<double>(rows_));
        const std::size_t targets = model_.outputs();
        auto predictions = autograd::Array<double>::from_shape({rows_, targets}), wanted = predictions;
        std::ranges::copy(predictions_, predictions.data());
        std::ranges::copy(targets_, wanted.data());
        return "; " + fit_of(model_, predictions, wanted);
    }

  private:
    [[noreturn]] void no_answer(std::size_t row) const {
        throw std::runtime_error(
            fmt::format("{}: the network has no finite answer for row {}", printable(options_.csv), rows_ + row + 1));
    }

    /// The number of a class, told apart from others as in the training.
    std::size_t label_of(const std::string& text, std::size_t row) const {
        if (const auto found = labels_.find(text); found != labels_.end()) return found->second;
        throw FileError(fmt::format("{}: the class '{}' of row {} is none of the network's: {}",
                                    printable(options_.csv), printable(text), rows_ + row + 1,
                                    printable(fmt::format("{}", fmt::join(model_.class_names, ", ")))));
    }

    const Model& model_;
    const PredictOptions& options_;
    std::vector<std::string> fields_;  // the classes as they are written
    std::map<std::string, std::size_t, nn::ClassOrder> labels_;
    std::size_t rows_ = 0, right_ = 0;
    std::vector<double> predictions_, targets_;
};

}  // namespace

int predict(const PredictOptions& options) {
    const Model model = load(options.model);
    if (options.probabilities && model.is_regression())
        throw std::invalid_argument("[predict] --probabilities is for classes, and this network predicts numbers");
    nn::CsvOptions columns{std::nullopt, options.header, model.column_names(), options.labels, options.drop};
    // Without names, a first line of words is a row where the network takes words.
    if (columns.columns.empty() && columns.header == nn::Header::detect &&
        std::ranges::any_of(model.columns, [](const nn::Column& column) { return !column.categories.empty(); }))
        columns.header = nn::Header::no;
    if (options.metric && options.labels.empty()) {
        columns.labels = model.is_regression() ? model.target_names : std::vector{model.target_name};
        columns.empty_is_name = true;
        if (columns.labels[0].empty() && columns.columns.empty())  // it is from before format 1
            throw std::invalid_argument("[predict] the network has no name for its target: --label says where it is");
    }
    nn::CsvReader table(options.csv, columns);
    if (table.columns().size() != model.columns.size())
        throw FileError(fmt::format("{}: {} columns, but the network takes {} (--label leaves one out)",
                                    printable(options.csv), table.columns().size(), model.columns.size()));
    const std::size_t wanted = model.is_regression() ? model.outputs() : 1;
    if (options.metric && table.labels().size() != wanted)
        throw std::invalid_argument(fmt::format("[predict] the network predicts {} columns, but --label names {}",
                                                wanted, table.labels().size()));
    Answers answers(model, options);
    autograd::Tape<float> tape;
    const auto pause = tape.pause();
    for (;;) {
        Block rows = next_rows(table, model);
        if (rows.labels.empty()) break;
        put(model.fill, rows.features);
        tape.rewind();
        std::string lines = answers.rows() == 0 ? answers.header() : "";
        const auto place = [&](std::size_t row, std::size_t number) {
            std::size_t column = 0;
            for (; number >= model.columns[column].width(); ++column) number -= model.columns[column].width();
            return fmt::format(
                "{}: column {} of row {}", printable(options.csv),
                table.has_header() ? "'" + printable(table.columns()[column]) + "'" : table.columns()[column],
                answers.rows() + row + 1);
        };
        const auto scores = model.network(tape.constant(model.scaling(rows.features, place)));
        lines += model.is_regression() ? answers.numbers(scores.value(), rows.labels)
                                       : answers.classes(softmax(scores, -1).value(), rows.labels);
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
