#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <map>
#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/files/input.hpp>
#include <nn/files/text.hpp>
#include <optional>

namespace nn {

using autograd::FileError;
using files::printable;

namespace {

/// Holds what is read against the memory that there is.
class Limit {
  public:
    void require(const CsvReader& reader, std::size_t bytes) const {
        if (bytes > most_)
            throw FileError(
                fmt::format("{}:{}: the table is larger than a quarter of the memory that there is, which is {} MiB",
                            printable(reader.path()), reader.line(), most_ >> 18));
    }

  private:
    std::size_t most_ = files::memory() / 4;
};

/// The numbers of all rows as one array; what is to be predicted goes to `take_labels` row by row.
template <class T, class F>
autograd::Array<T> read_rows(CsvReader& reader, F take_labels) {
    const std::string path = reader.path();
    std::vector<T> values;
    std::vector<double> numbers;
    std::vector<std::string> labels;
    std::size_t n = 0;
    const Limit limit;
    for (; reader.next(numbers, labels); ++n) {
        limit.require(reader, (values.size() + numbers.size()) * sizeof(T) + n * labels.size() * sizeof(void*));
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            values.push_back(static_cast<T>(numbers[i]));
            if (!std::isfinite(values.back()))
                throw FileError(fmt::format("{}:{}: {} in column '{}' is not a finite number of this precision",
                                            printable(path), reader.line(), numbers[i],
                                            printable(reader.columns()[i])));
        }
        take_labels(labels);
    }
    if (n == 0) throw FileError(fmt::format("{}: there are no rows of data", printable(path)));
    auto features = autograd::Array<T>::from_shape({n, reader.columns().size()});
    std::ranges::copy(values, features.data());
    return features;
}

/// The first line was taken for a row; where its class is a word that stands nowhere else, while others come again, it
/// may have been a header whose names are numbers.
void refuse_a_row_of_names(const std::string& path, const autograd::Indices& labels, std::size_t classes,
                           const std::string& name) {
    const bool alone = std::count(labels.begin(), labels.end(), labels(0)) == 1;
    if (csv_number(name) || !alone || classes == labels.size()) return;
    throw FileError(
        fmt::format("{}:1: the class '{}' stands on this line alone: say with --header yes or no whether it "
                    "names the columns",
                    printable(path), printable(name)));
}

/// So many words differ, for so many rows, that hardly one comes again.
bool too_many_words(std::size_t different, std::size_t rows) { return different > 10 && different * 2 > rows; }

/// What stands in a column that is to be predicted.
class Target {
  public:
    struct Value {
        std::string name;
        std::size_t line;
        std::int64_t label = 0;
    };

    void add(const std::string& name, std::size_t line) {
        Value& found = values_.try_emplace(name, Value{name, line}).first->second;
        // 1, 1.0 and 1e0 are one: the shortest is its name.
        if (std::pair(name.size(), name) < std::pair(found.name.size(), found.name)) found.name = name;
        of_row_.push_back(&found);
    }

    /// The numbers measure something: so many differ, for so many rows, that they are no classes.
    bool measures() const {
        bool whole = true;
        std::size_t distinct = 0;
        for (const auto& [key, value] : values_) {
            const std::optional<double> number = csv_number(key);
            if (!number || !std::isfinite(*number)) continue;
            ++distinct;
            whole = whole && *number == std::floor(*number);
        }
        const std::size_t rows = of_row_.size();
        const bool many = whole ? distinct > 20 && distinct * 20 > rows : distinct > 10;
        const bool mostly = distinct * 2 > rows && (!whole || distinct > 10);
        return distinct > 1 && distinct * 2 > values_.size() && (many || mostly);
    }

    /// The words are no classes: nearly each row has its own.
    bool are_too_many_words() const {
        const auto words = std::ranges::count_if(values_, [](const auto& pair) { return !csv_number(pair.first); });
        return too_many_words(static_cast<std::size_t>(words), of_row_.size());
    }

    const std::map<std::string, Value, ClassOrder>& values() const { return values_; }
    const std::vector<const Value*>& of_row() const { return of_row_; }

    void number_classes(std::vector<std::string>& names, autograd::Indices& labels) {
        for (auto& [key, found] : values_) {
            found.label = static_cast<std::int64_t>(names.size());
            names.push_back(found.name);
        }
        labels = autograd::Indices::from_shape({of_row_.size()});
        for (std::size_t row = 0; row < of_row_.size(); ++row) labels(row) = of_row_[row]->label;
    }

  private:
    std::map<std::string, Value, ClassOrder> values_;
    std::vector<const Value*> of_row_;
};

/// Throws where a value is no number, and so cannot be learned as one.
void require_numbers(const std::string& path, const std::string& column, const Target& target, Task task) {
    const char* other = task == Task::detect ? " (--task classification takes it for a class)" : "";
    for (const auto& [key, value] : target.values()) {
        const std::optional<double> number = csv_number(key);
        if (number && std::isfinite(*number)) continue;
        throw FileError(fmt::format(
            "{}:{}: '{}' in the target, column '{}', {}{}", printable(path), value.line, printable(value.name),
            printable(column),
            has_decimal_comma(key) ? "has a decimal comma: numbers have a decimal point" : "is not a finite number",
            other));
    }
}

bool has_decimal_commas(const Target& target) {
    return std::ranges::any_of(target.values(), [](const auto& pair) { return has_decimal_comma(pair.first); });
}

/// What a column of a table holds.
struct Cells {
    std::map<std::string, std::size_t> words;  // numbered as they come
    std::string first_word;                    // with its place
    bool numbers = false;
};

/// The rows of a table whose columns hold numbers or words; NaN is a missing cell.
template <class F>
void read_cells(CsvReader& reader, Missing missing, Dataset<double>& data, F take_labels) {
    const std::size_t width = reader.columns().size();
    const Limit limit;
    std::vector<Cells> cells(width);
    std::vector<std::string> fields, labels;
    std::vector<double> values;
    std::size_t rows = 0;
    const auto require_memory = [&](std::size_t numbers) {
        limit.require(reader, numbers * sizeof(double) + rows * labels.size() * sizeof(void*));
    };
    while (reader.next_fields(fields, labels)) {
        // "None" or "NA" may well be the name of a class: of what is to be predicted, only an empty cell is missing.
        const bool gap = std::ranges::any_of(fields, csv_missing) || std::ranges::find(labels, "") != labels.end();
        if (gap && missing == Missing::drop) {
            ++data.dropped;
            continue;
        }
        for (std::size_t i = 0; i < labels.size(); ++i)
            if (labels[i].empty())
                throw FileError(fmt::format("{}:{}: {} in column '{}' (--missing drop leaves the row out)",
                                            printable(reader.path()), reader.line(),
                                            labels.size() == 1 ? "the class is missing" : "a target is missing",
                                            printable(reader.labels()[i])));
        for (std::size_t i = 0; i < width; ++i) {
            const std::optional<double> number = csv_number(fields[i]);
            if (csv_missing(fields[i])) {
                if (missing == Missing::refuse)
                    throw FileError(reader.place(i, fields[i]) +
                                    " is missing: --missing mean takes the column's mean, --missing drop leaves the "
                                    "row out");
                values.push_back(NAN);
            } else if (number && std::isfinite(*number)) {
                cells[i].numbers = true;
                values.push_back(*number);
            } else if (number || has_decimal_comma(fields[i])) {
                throw FileError(
                    reader.place(i, fields[i]) +
                    (number ? " is not a finite number" : " has a decimal comma: numbers have a decimal point"));
            } else {
                if (cells[i].words.empty()) cells[i].first_word = reader.place(i, fields[i]);
                values.push_back(
                    static_cast<double>(cells[i].words.try_emplace(fields[i], cells[i].words.size()).first->second));
            }
            if (cells[i].numbers && !cells[i].words.empty())
                throw FileError(cells[i].first_word + " is not a finite number, and others in this column are");
        }
        ++rows;
        require_memory(values.size());
        take_labels(labels);
    }
    if (rows == 0)
        throw FileError(fmt::format("{}: there are no rows of data{}", printable(reader.path()),
                                    data.dropped > 0 ? " without a missing cell" : ""));
    std::size_t columns = 0;
    for (std::size_t i = 0; i < width; ++i) {
        Column column{reader.has_header() ? reader.columns()[i] : "", {}};
        for (const auto& [word, number] : cells[i].words) column.categories.push_back(word);
        const std::size_t different = column.categories.size();
        if (different > 1000 || too_many_words(different, rows))
            throw FileError(
                fmt::format("{}: column '{}' holds {} different words in {} rows, too many for categories: "
                            "--drop {} leaves it out",
                            printable(reader.path()), printable(reader.columns()[i]), different, rows,
                            printable(reader.columns()[i])));
        for (const std::string& word : column.categories)
            if (reader.has_header()) data.column_names.push_back(column.name + "=" + word);
        if (different == 0 && reader.has_header()) data.column_names.push_back(column.name);
        columns += column.width();
        data.columns.push_back(column);
    }
    require_memory(values.size() + rows * columns);
    data.features = autograd::Array<double>(autograd::Shape{rows, columns}, 0.0);
    double* to = data.features.data();
    for (std::size_t i = 0; i < width; ++i) {
        std::size_t place = 0;  // of a category in alphabetical order
        std::vector<std::size_t> places(cells[i].words.size());
        for (const auto& [word, number] : cells[i].words) places[number] = place++;
        for (std::size_t row = 0; row < rows; ++row) {
            const double value = values[row * width + i];
            double* cell = to + row * columns;
            if (places.empty())
                cell[0] = value;
            else if (std::isnan(value))
                std::fill_n(cell, places.size(), NAN);
            else
                cell[places[static_cast<std::size_t>(value)]] = 1;
        }
        to += data.columns[i].width();
    }
}

/// Reads a table whole by `read(data, take_labels)`, which writes all but what is to be predicted, and then decides
/// what is learned.
template <class T, class Read>
Dataset<T> learned(CsvReader& reader, Task task, bool first_line_is_sure, const Read& read) {
    const std::string path = reader.path();
    Dataset<T> data;
    std::vector<Target> targets(reader.labels().size());
    read(data, [&](const std::vector<std::string>& names) {
        for (std::size_t i = 0; i < names.size(); ++i) targets[i].add(names[i], reader.line());
    });
    if (task == Task::classification && targets.size() > 1)
        throw FileError(fmt::format("{}: one column can hold the class, not {}", printable(path), targets.size()));
    if (task == Task::detect && (targets.size() > 1 || targets[0].measures() || has_decimal_commas(targets[0]))) {
        for (std::size_t i = 0; i < targets.size(); ++i)
            require_numbers(path, reader.labels()[i], targets[i], targets.size() > 1 ? Task::regression : task);
        task = Task::regression;
    }
    if (task == Task::regression) {
        data.target_names = reader.labels();
        data.targets = autograd::Array<T>::from_shape({data.features.shape()[0], targets.size()});
        for (std::size_t i = 0; i < targets.size(); ++i) {
            require_numbers(path, reader.labels()[i], targets[i], task);
            for (std::size_t row = 0; row < targets[i].of_row().size(); ++row) {
                const auto value = static_cast<T>(*csv_number(targets[i].of_row()[row]->name));
                if (!std::isfinite(value))
                    throw FileError(fmt::format("{}: {} in column '{}' is not a finite number of this precision",
                                                printable(path), targets[i].of_row()[row]->name,
                                                printable(reader.labels()[i])));
                data.targets(row, i) = value;
            }
        }
        return data;
    }
    if (task == Task::detect && targets[0].are_too_many_words())
        throw FileError(
            fmt::format("{}: the target, column '{}', holds {} different classes in {} rows, such as '{}', too many to "
                        "be learned (--task classification takes them)",
                        printable(path), printable(reader.label()), targets[0].values().size(),
                        targets[0].of_row().size(), printable(targets[0].of_row()[0]->name)));
    targets[0].number_classes(data.class_names, data.labels);
    data.label_name = reader.label();
    if (!first_line_is_sure && !reader.has_header())
        refuse_a_row_of_names(path, data.labels, data.classes(),
                              data.class_names[static_cast<std::size_t>(data.labels(0))]);
    return data;
}

}  // namespace

template <class T>
Dataset<T> read_csv(const std::string& path, const std::string& label, Header header) {
    CsvReader reader(path, {label, header, {}});
    return learned<T>(reader, Task::classification, header != Header::detect, [&](auto& data, const auto& take_labels) {
        data.features = read_rows<T>(reader, take_labels);
        if (reader.has_header()) data.column_names = reader.columns();
    });
}

Dataset<double> read_table(const std::string& path, const TableOptions& options) {
    CsvReader reader(path, {std::nullopt, options.header, {}, options.labels, options.drop});
    bool sure = options.header != Header::detect;  // whether the first line names the columns: a name that was found
    for (const auto* names : {&options.labels, &options.drop})
        for (const std::string& name : *names)
            sure = sure || (reader.has_header() && !name.empty() && !csv_number(name));
    const auto data = learned<double>(reader, options.task, sure, [&](auto& rows, const auto& take_labels) {
        read_cells(reader, options.missing, rows, take_labels);
    });
    const bool all_words =
        !data.is_regression() && !csv_number(data.class_names[0]) &&
        std::ranges::all_of(data.columns, [](const Column& column) { return !column.categories.empty(); });
    if (!sure && reader.has_header() && all_words)
        throw FileError(
            fmt::format("{}: all cells are words: say with --header yes or no whether the first line names "
                        "the columns",
                        printable(path)));
    return data;
}

template <class T>
autograd::Array<T> read_csv_features(const std::string& path, const std::string& label, Header header) {
    CsvReader reader(path, {label.empty() ? std::nullopt : std::optional(label), header, {}});
    return read_rows<T>(reader, [](const std::vector<std::string>&) {});
}

template Dataset<float> read_csv(const std::string&, const std::string&, Header);
template Dataset<double> read_csv(const std::string&, const std::string&, Header);
template autograd::Array<float> read_csv_features(const std::string&, const std::string&, Header);
template autograd::Array<double> read_csv_features(const std::string&, const std::string&, Header);

}  // namespace nn
