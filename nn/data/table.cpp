#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <map>
#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/data/streams.hpp>
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

/// So many words differ, for so many rows, that hardly one comes again.
bool too_many_words(std::size_t different, std::size_t rows) { return different > 10 && different * 2 > rows; }

/// What stands in a column that is to be predicted.
class Target {
  public:
    struct Value {
        std::string name;
        std::size_t line;
        std::size_t count = 0;  // rows
        std::int64_t label = 0;
    };

    const Value* add(const std::string& name, std::size_t line) {
        Value& found = values_.try_emplace(name, Value{name, line}).first->second;
        // 1, 1.0 and 1e0 are one: the shortest is its name.
        if (std::pair(name.size(), name) < std::pair(found.name.size(), found.name)) found.name = name;
        ++found.count;
        if (rows_++ == 0) first_ = &found;
        return &found;
    }

    std::size_t rows() const { return rows_; }
    const Value& first() const { return *first_; }

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
        const bool many = whole ? distinct > 20 && distinct * 20 > rows_ : distinct > 10;
        const bool mostly = distinct * 2 > rows_ && (!whole || distinct > 10);
        return distinct > 1 && distinct * 2 > values_.size() && (many || mostly);
    }

    /// The words are no classes: nearly each row has its own.
    bool are_too_many_words() const {
        const auto words = std::ranges::count_if(values_, [](const auto& pair) { return !csv_number(pair.first); });
        return too_many_words(static_cast<std::size_t>(words), rows_);
    }

    const std::map<std::string, Value, ClassOrder>& values() const { return values_; }
    void number_classes(std::vector<std::string>& names) {
        for (auto& [key, found] : values_) {
            found.label = static_cast<std::int64_t>(names.size());
            names.push_back(found.name);
        }
    }

  private:
    std::map<std::string, Value, ClassOrder> values_;
    const Value* first_ = nullptr;
    std::size_t rows_ = 0;
};

/// The first line was taken for a row; where its class stands nowhere else, while others come again, it may have been a
/// header whose names are numbers.
void refuse_a_row_of_names(const std::string& path, const Target& target) {
    const Target::Value& first = target.first();
    if (first.line != 1 || first.count > 1 || target.values().size() == target.rows()) return;
    throw FileError(
        fmt::format("{}:1: the class '{}' stands on this line alone: say with --header yes or no whether it "
                    "names the columns",
                    printable(path), printable(first.name)));
}

/// The number that is to be predicted; throws where it is none, and so cannot be learned as one.
double target_number(const std::string& path, const std::string& column, const std::string& text, std::size_t line,
                     Task task) {
    const std::optional<double> number = csv_number(text);
    const char* fault = fault_of_number(text, number);
    if (fault == nullptr) return *number;
    throw FileError(fmt::format("{}:{}: '{}' in the target, column '{}', {}{}", printable(path), line, printable(text),
                                printable(column), fault,
                                task == Task::detect ? " (--task classification takes it for a class)" : ""));
}

void require_numbers(const std::string& path, const std::string& column, const Target& target, Task task) {
    for (const auto& [key, value] : target.values()) target_number(path, column, value.name, value.line, task);
}

bool has_decimal_commas(const Target& target) {
    return std::ranges::any_of(target.values(), [](const auto& pair) { return has_decimal_comma(pair.first); });
}

/// The cells of a table as numbers, row by row, and what its columns hold.
class Cells {
  public:
    Cells(std::size_t width, Missing missing) : missing_(missing), columns_(width) {}

    /// Reads the next row that is not left out: a word as its number among the words of its column, as they came; NaN
    /// for a missing cell.
    bool next(CsvReader& reader, std::vector<double>& values, std::vector<std::string>& labels) {
        while (reader.next_fields(fields_, labels)) {
            // "None" or "NA" may well be the name of a class: of what is to be predicted, only an empty cell is
            // missing.
            const bool gap = std::ranges::any_of(fields_, csv_missing) || std::ranges::find(labels, "") != labels.end();
            if (gap && missing_ == Missing::drop) {
                ++dropped_;
                continue;
            }
            for (std::size_t i = 0; i < labels.size(); ++i)
                if (labels[i].empty())
                    throw FileError(
                        fmt::format("{}:{}: the target is missing in column '{}' (--missing drop leaves the row out)",
                                    printable(reader.path()), reader.line(), printable(reader.labels()[i])));
            values.clear();
            for (std::size_t i = 0; i < columns_.size(); ++i) values.push_back(number(reader, i));
            ++rows_;
            return true;
        }
        return false;
    }

    std::size_t rows() const { return rows_; }
    std::size_t dropped() const { return dropped_; }
    std::size_t bytes() const { return bytes_; }  // of the words

    /// Says what was found, and in what order the categories stand. Throws where there are no rows, or too many words.
    void describe(const CsvReader& reader, Dataset<double>& data) {
        data.dropped = dropped_;
        if (rows_ == 0)
            throw FileError(fmt::format("{}: there are no rows of data{}", printable(reader.path()),
                                        dropped_ > 0 ? " without a missing cell" : ""));
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            Found& found = columns_[i];
            Column column{reader.has_header() ? reader.columns()[i] : "", {}};
            for (const auto& [word, number] : found.words) column.categories.push_back(word);
            const std::size_t different = column.categories.size();
            if (different > most_words || too_many_words(different, rows_)) too_many(reader, i, rows_);
            found.places.resize(different);
            std::size_t place = 0;  // in alphabetical order
            for (const auto& [word, number] : found.words) found.places[number] = place++;
            for (const std::string& word : column.categories)
                if (reader.has_header()) data.column_names.push_back(column.name + "=" + word);
            if (different == 0 && reader.has_header()) data.column_names.push_back(column.name);
            numbers_ += column.width();
            data.columns.push_back(column);
        }
    }

    /// How many numbers a row becomes.
    std::size_t numbers() const { return numbers_; }

    /// Writes these: for a word 1 at its category, and 0 elsewhere.
    void encode(const double* values, double* to) const {
        for (const Found& found : columns_) {
            const double value = *values++;
            if (found.places.empty()) {
                *to++ = value;
                continue;
            }
            std::fill_n(to, found.places.size(), std::isnan(value) ? NAN : 0.0);
            if (!std::isnan(value)) to[found.places[static_cast<std::size_t>(value)]] = 1;
            to += found.places.size();
        }
    }

  private:
    static constexpr std::size_t most_words = 1000;

    struct Found {
        std::map<std::string, std::size_t> words = {};  // numbered as they come
        std::vector<std::size_t> places = {};           // of these numbers, once all are known
        std::string first_word = {};                    // with its place
        bool numbers = false;
    };

    double number(const CsvReader& reader, std::size_t i) {
        const std::string& field = fields_[i];
        Found& found = columns_[i];
        if (csv_missing(field)) {
            if (missing_ == Missing::refuse)
                throw FileError(
                    reader.place(i, field) +
                    " is missing: --missing mean takes the column's mean, --missing drop leaves the row out");
            return NAN;
        }
        const std::optional<double> number = csv_number(field);
        double value = 0;
        if (number || has_decimal_comma(field)) {
            if (const char* fault = fault_of_number(field, number))
                throw FileError(fmt::format("{} {}", reader.place(i, field), fault));
            found.numbers = true;
            value = *number;
        } else {
            if (found.words.empty()) found.first_word = reader.place(i, field);
            const auto [word, is_new] = found.words.try_emplace(field, found.words.size());
            if (is_new) bytes_ += field.size() + 64;
            if (is_new && numbers_ > 0)
                throw FileError(reader.place(i, field) + " was not there when it was read first");
            if (found.words.size() > most_words) too_many(reader, i, rows_ + 1);  // this row is not yet counted
            value = static_cast<double>(word->second);
        }
        if (found.numbers && !found.words.empty())
            throw FileError(found.first_word + " is not a finite number, and others in this column are");
        return value;
    }

    [[noreturn]] void too_many(const CsvReader& reader, std::size_t i, std::size_t rows) const {
        const std::string& name = reader.columns()[i];
        throw FileError(fmt::format(
            "{}: column '{}' holds {} different words in {} rows, too many for categories: --drop {} leaves it out",
            printable(reader.path()), printable(name), columns_[i].words.size(), rows, printable(name)));
    }

    Missing missing_;
    std::vector<Found> columns_;
    std::vector<std::string> fields_ = {};
    std::size_t rows_ = 0, dropped_ = 0, bytes_ = 0, numbers_ = 0;
};

/// The rows of a table whose columns hold numbers or words; NaN is a missing cell.
template <class F>
void read_cells(CsvReader& reader, Missing missing, Dataset<double>& data, F take_labels) {
    const std::size_t width = reader.columns().size();
    const Limit limit;
    Cells cells(width, missing);
    std::vector<std::string> labels;
    std::vector<double> row, values;
    const auto require_memory = [&](std::size_t numbers) {
        limit.require(reader, numbers * sizeof(double) + cells.rows() * labels.size() * sizeof(void*) + cells.bytes());
    };
    while (cells.next(reader, row, labels)) {
        values.insert(values.end(), row.begin(), row.end());
        require_memory(values.size());
        take_labels(labels);
    }
    cells.describe(reader, data);
    require_memory(values.size() + cells.rows() * cells.numbers());
    data.features = autograd::Array<double>::from_shape({cells.rows(), cells.numbers()});
    for (std::size_t i = 0; i < cells.rows(); ++i)
        cells.encode(values.data() + i * width, data.features.data() + i * cells.numbers());
}

/// What is learned, and from which names.
template <class T>
Task decide(const CsvReader& reader, Task task, bool first_line_is_sure, std::vector<Target>& targets,
            Dataset<T>& data) {
    const std::string path = reader.path();
    if (task == Task::classification && targets.size() > 1)
        throw FileError(fmt::format("{}: one column can hold the class, not {}", printable(path), targets.size()));
    if (task == Task::detect && (targets.size() > 1 || targets[0].measures() || has_decimal_commas(targets[0]))) {
        for (std::size_t i = 0; i < targets.size(); ++i)
            require_numbers(path, reader.labels()[i], targets[i], targets.size() > 1 ? Task::regression : task);
        task = Task::regression;
    }
    if (task == Task::regression) {
        for (std::size_t i = 0; i < targets.size(); ++i) require_numbers(path, reader.labels()[i], targets[i], task);
        data.target_names = reader.labels();
        return task;
    }
    if (task == Task::detect && targets[0].are_too_many_words())
        throw FileError(
            fmt::format("{}: the target, column '{}', holds {} different classes in {} rows, such as '{}', too many to "
                        "be learned (--task classification takes them)",
                        printable(path), printable(reader.label()), targets[0].values().size(), targets[0].rows(),
                        printable(targets[0].first().name)));
    targets[0].number_classes(data.class_names);
    data.label_name = reader.label();
    if (!first_line_is_sure && !reader.has_header()) refuse_a_row_of_names(path, targets[0]);
    return Task::classification;
}

/// Reads a table whole by `read(data, take_labels)`, which writes all but what is to be predicted, and then decides
/// what is learned.
template <class T, class Read>
Dataset<T> learned(CsvReader& reader, Task task, bool first_line_is_sure, const Read& read) {
    Dataset<T> data;
    std::vector<Target> targets(reader.labels().size());
    std::vector<const Target::Value*> values;  // of each row, of each target
    read(data, [&](const std::vector<std::string>& names) {
        for (std::size_t i = 0; i < names.size(); ++i) values.push_back(targets[i].add(names[i], reader.line()));
    });
    const std::size_t rows = data.features.shape()[0];
    if (decide(reader, task, first_line_is_sure, targets, data) == Task::classification) {
        data.labels = autograd::Indices::from_shape({rows});
        for (std::size_t row = 0; row < rows; ++row) data.labels(row) = values[row]->label;
        return data;
    }
    data.targets = autograd::Array<T>::from_shape({rows, targets.size()});
    for (std::size_t i = 0; i < targets.size(); ++i)
        for (std::size_t row = 0; row < rows; ++row) {
            const std::string& name = values[row * targets.size() + i]->name;
            data.targets(row, i) = static_cast<T>(*csv_number(name));
            if (!std::isfinite(data.targets(row, i)))
                throw FileError(fmt::format("{}: {} in column '{}' is not a finite number of this precision",
                                            printable(reader.path()), name, printable(reader.labels()[i])));
        }
    return data;
}

CsvOptions csv_options(const TableOptions& options) {
    return {std::nullopt, options.header, {}, options.labels, options.drop};
}

/// Whether the first line names the columns for sure: it was said, or a name was found.
bool is_sure(const CsvReader& reader, const TableOptions& options) {
    bool sure = options.header != Header::detect;
    for (const auto* names : {&options.labels, &options.drop})
        for (const std::string& name : *names)
            sure = sure || (reader.has_header() && !name.empty() && !csv_number(name));
    return sure;
}

/// Throws where a header may have been a row: only a name that stands above numbers is no cell of its column.
void refuse_a_header_of_data(const CsvReader& reader, const TableOptions& options, const Dataset<double>& data) {
    if (is_sure(reader, options) || !reader.has_header()) return;
    const auto is_name = [](const std::string& text) {
        return !csv_number(text) && !has_decimal_comma(text) && !csv_missing(text);
    };
    const auto are_numbers = [](const std::vector<std::string>& texts) {
        return std::ranges::all_of(texts, [](const std::string& text) { return csv_number(text).has_value(); });
    };
    bool sure = are_numbers(data.class_names) && std::ranges::any_of(reader.labels(), is_name);
    for (const Column& column : data.columns) sure = sure || (column.categories.empty() && is_name(column.name));
    if (!sure)
        throw FileError(
            fmt::format("{}:1: this line may be a row: say with --header yes or no whether it names the columns",
                        printable(reader.path())));
}

/// The targets of a table that need not fit into memory: their values are kept only while they may be classes.
class StreamedTargets {
  public:
    explicit StreamedTargets(std::size_t count) : targets(count), numbers_only_(count) {}

    void add(const CsvReader& reader, const std::vector<std::string>& texts, Task task) {
        for (std::size_t i = 0; i < texts.size(); ++i) {
            if (task == Task::regression || texts.size() > 1) numbers_only_[i] = true;
            if (numbers_only_[i]) {
                target_number(reader.path(), reader.labels()[i], texts[i], reader.line(),
                              texts.size() > 1 ? Task::regression : task);
                continue;
            }
            bytes += texts[i].size() + 128;
            const Target::Value* value = targets[i].add(texts[i], reader.line());
            if (value->count > 1) bytes -= texts[i].size() + 128;
            if (targets[i].values().size() <= most_classes) continue;
            if (task == Task::classification || !targets[i].measures())
                throw FileError(
                    fmt::format("{}:{}: column '{}' holds more than {} different classes, too many for a "
                                "table that is read in blocks",
                                printable(reader.path()), reader.line(), printable(reader.labels()[i]), most_classes));
            require_numbers(reader.path(), reader.labels()[i], targets[i], task);
            targets[i] = {};
            bytes = 0;
            numbers_only_[i] = true;
        }
    }

    /// What was decided on the way.
    Task task(Task asked) const { return numbers_only_[0] ? Task::regression : asked; }

    std::vector<Target> targets;
    std::size_t bytes = 0;

  private:
    static constexpr std::size_t most_classes = 65536;
    std::vector<bool> numbers_only_;
};

/// Reads a table again, of which all is known.
class TablePass {
  public:
    TablePass(const std::string& path, CsvOptions options, Cells cells, const Target* classes, RowFacts facts)
        : reader_(path, std::move(options)), cells_(std::move(cells)), classes_(classes), facts_(facts) {}

    bool operator()(Batch<double>& batch) {
        const std::size_t most = rows_at_once(facts_.columns);
        resize(batch, most, facts_);
        std::size_t n = 0;
        for (; n < most && cells_.next(reader_, values_, labels_); ++n) {
            cells_.encode(values_.data(), batch.x.data() + n * facts_.columns);
            for (std::size_t j = 0; j < facts_.targets; ++j)
                batch.targets(n, j) =
                    target_number(reader_.path(), reader_.labels()[j], labels_[j], reader_.line(), Task::regression);
            if (facts_.is_regression()) continue;
            const auto found = classes_->values().find(labels_[0]);
            if (found == classes_->values().end())
                throw FileError(fmt::format("{}:{}: the class '{}' was not there when it was read first",
                                            printable(reader_.path()), reader_.line(), printable(labels_[0])));
            batch.labels(n) = found->second.label;
        }
        if (n == most) return true;
        Batch<double> last;
        resize(last, n, facts_);
        std::copy_n(batch.x.data(), last.x.size(), last.x.data());
        if (facts_.is_regression())
            std::copy_n(batch.targets.data(), last.targets.size(), last.targets.data());
        else
            std::copy_n(batch.labels.data(), last.labels.size(), last.labels.data());
        batch = std::move(last);
        return n > 0;
    }

  private:
    CsvReader reader_;
    Cells cells_;
    const Target* classes_;  // those that own it make the pass
    RowFacts facts_;
    std::vector<double> values_ = {};
    std::vector<std::string> labels_ = {};
};

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
    CsvReader reader(path, csv_options(options));
    auto data = learned<double>(
        reader, options.task, is_sure(reader, options),
        [&](auto& rows, const auto& take_labels) { read_cells(reader, options.missing, rows, take_labels); });
    refuse_a_header_of_data(reader, options, data);
    return data;
}

RowStream RowStream::of_table(const std::string& path, const TableOptions& options) {
    files::SteadyFiles files({path});
    CsvReader reader(path, csv_options(options));
    const Limit limit;
    Cells cells(reader.columns().size(), options.missing);
    StreamedTargets found(reader.labels().size());
    std::vector<double> row;
    std::vector<std::string> labels;
    while (cells.next(reader, row, labels)) {
        found.add(reader, labels, options.task);
        limit.require(reader, cells.bytes() + found.bytes);
    }
    State state{{}, {}, std::move(files), {}};
    cells.describe(reader, state.outline);
    decide(reader, found.task(options.task), is_sure(reader, options), found.targets, state.outline);
    refuse_a_header_of_data(reader, options, state.outline);
    state.facts = {cells.rows(), cells.numbers(), state.outline.classes(), state.outline.target_names.size()};
    CsvOptions again = csv_options(options);
    again.header = reader.has_header() ? Header::yes : Header::no;
    state.open = [=, facts = state.facts, classes = std::make_shared<const Target>(std::move(found.targets[0]))] {
        const auto pass = std::make_shared<TablePass>(path, again, cells, classes.get(), facts);
        return [pass, classes](Batch<double>& batch) { return (*pass)(batch); };
    };
    return RowStreams::make(std::move(state));
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
