#include "table_of_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <nn/files/text.hpp>
#include <optional>
#include <stdexcept>

using autograd::FileError;
using nn::files::printable;

nn::CsvOptions columns_of(const Model& model, nn::Header header, const std::vector<std::string>& labels,
                          const std::vector<std::string>& drop) {
    nn::CsvOptions columns{std::nullopt, header, model.column_names(), labels, drop};
    // Without names, a first line of words is a row where the network takes words.
    if (columns.columns.empty() && columns.header == nn::Header::detect &&
        std::ranges::any_of(model.columns, [](const nn::Column& column) { return !column.categories.empty(); }))
        columns.header = nn::Header::no;
    return columns;
}

void add_target(const Model& model, nn::CsvOptions& columns, const char* command) {
    columns.labels = model.is_regression() ? model.target_names : std::vector{model.target_name};
    columns.empty_is_name = true;
    if (columns.labels[0].empty() && columns.columns.empty())  // it is from before format 1
        throw std::invalid_argument(
            fmt::format("[{}] the network has no name for its target: --label says where it is", command));
}

TableOfModel::TableOfModel(const Model& model, const std::string& path, const nn::CsvOptions& columns)
    : model_(model), path_(path), table_(path, columns) {
    if (table_.columns().size() != model.columns.size())
        throw FileError(fmt::format("{}: {} columns, but the network takes {} (--label leaves one out)",
                                    printable(path), table_.columns().size(), model.columns.size()));
    for (const std::string& name : model.class_names) classes_.emplace(name, classes_.size());
    for (const std::string& name : model.target_names)
        if (const auto found = std::ranges::find(table_.labels(), name); found != table_.labels().end())
            label_of_target_.push_back(static_cast<std::size_t>(found - table_.labels().begin()));
    // Under other names the columns come in the network's order, where a target's own name stands for no other.
    const auto& targets = model.target_names;
    if (label_of_target_.size() == targets.size() || table_.labels().size() != targets.size()) return;
    for (std::size_t j = 0; j < targets.size(); ++j)
        if (const std::string& name = table_.labels()[j];
            name != targets[j] && std::ranges::find(targets, name) != targets.end())
            throw FileError(fmt::format("{}: '{}' is one of the targets, but --label names it in the place of '{}'",
                                        printable(path), printable(name), printable(targets[j])));
}

/// Appends the numbers of a cell.
void TableOfModel::append(std::vector<double>& numbers, std::size_t column, const std::string& field) const {
    const auto& categories = model_.columns[column].categories;
    const auto found = std::ranges::find(categories, field);
    // A network that was made elsewhere may know "NA" as a word.
    if (found == categories.end() && nn::csv_missing(field) && !model_.fill.empty()) {
        numbers.insert(numbers.end(), model_.columns[column].width(), NAN);
        return;
    }
    if (categories.empty()) {
        const std::optional<double> number = nn::csv_number(field);
        if (const char* fault = nn::fault_of_number(field, number))
            throw FileError(fmt::format("{} {}", table_.place(column, field), fault));
        numbers.push_back(*number);
        return;
    }
    const std::size_t at = numbers.size() % model_.scaling.offset.size();
    const auto is_known = [&](std::size_t k) {  // others had no row for the training
        return model_.scaling.offset[at + k] != 0 || model_.scaling.factor[at + k] != 0;
    };
    if (found == categories.end() || !is_known(static_cast<std::size_t>(found - categories.begin()))) {
        std::vector<std::string> known;
        for (std::size_t k = 0; k < categories.size(); ++k)
            if (is_known(k)) known.push_back(categories[k]);
        throw FileError(fmt::format("{} is none of the network's categories: {}", table_.place(column, field),
                                    printable(fmt::format("{}", fmt::join(known, ", ")))));
    }
    for (const std::string& category : categories) numbers.push_back(category == field ? 1 : 0);
}

TableRows TableOfModel::next(std::size_t most) {
    before_ += last_;
    TableRows rows;
    std::vector<double> numbers;
    std::vector<std::string> fields, labels;
    for (; rows.count() < most && table_.next_fields(fields, labels); rows.labels.push_back(labels))
        for (std::size_t i = 0; i < fields.size(); ++i) append(numbers, i, fields[i]);
    rows.features = autograd::Array<double>::from_shape({rows.count(), model_.scaling.offset.size()});
    std::ranges::copy(numbers, rows.features.data());
    put(model_.fill, rows.features);
    last_ = rows.count();
    return rows;
}

autograd::Array<float> TableOfModel::scaled(const TableRows& rows) const {
    return model_.scaling(rows.features, [&](std::size_t row, std::size_t number) {
        std::size_t column = 0;
        for (; number >= model_.columns[column].width(); ++column) number -= model_.columns[column].width();
        const std::string& name = table_.columns()[column];
        return fmt::format("{}: column {} of row {}", printable(path_),
                           table_.has_header() ? "'" + printable(name) + "'" : name, before_ + row + 1);
    });
}

double TableOfModel::target(const TableRows& rows, std::size_t row, std::size_t j) const {
    // Named in another order they are the same columns; under other names they come in the network's order.
    const std::string& text =
        rows.labels[row][label_of_target_.size() == model_.target_names.size() ? label_of_target_[j] : j];
    const std::optional<double> number = nn::csv_number(text);
    if (const char* fault = nn::fault_of_number(text, number))
        throw FileError(fmt::format("{}: '{}', the '{}' of row {}, {}", printable(path_), printable(text),
                                    printable(model_.target_names[j]), before_ + row + 1, fault));
    return *number;
}

std::size_t TableOfModel::class_of(const TableRows& rows, std::size_t row) const {
    const std::string& text = rows.labels[row][0];
    if (const auto found = classes_.find(text); found != classes_.end()) return found->second;
    throw FileError(fmt::format("{}: the class '{}' of row {} is none of the network's: {}", printable(path_),
                                printable(text), before_ + row + 1,
                                printable(fmt::format("{}", fmt::join(model_.class_names, ", ")))));
}
