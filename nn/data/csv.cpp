#include <fast_float/fast_float.h>
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
#include <type_traits>

namespace nn {

using autograd::FileError;
using files::printable;

namespace {

constexpr std::size_t longest_row = std::size_t{1} << 26;   // bytes
constexpr std::size_t most_columns = std::size_t{1} << 20;  // a row is held as a text for each
constexpr std::size_t none = static_cast<std::size_t>(-1);

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    return text;
}

/// A name could not stand in a row of data: it is neither a number nor one of the marks for a missing one.
bool is_name(std::string_view text) { return !csv_number(text) && !has_decimal_comma(text) && !csv_missing(text); }

/// The rows of a file: the fields between separators, without blanks and quotes around them.
class Rows {
  public:
    explicit Rows(const std::string& path) : input_(path) {
        const int first = input_.peek();
        if (first == 0xff || first == 0xfe) fail(1, "this is UTF-16, or no text: a table is in UTF-8");
        if (first == 0xef && input_.read(3) != "\xef\xbb\xbf") fail(1, "the first bytes are no text in UTF-8");
    }

    /// Reads the next row, over several lines where a quoted field goes over them; false at the end of the file.
    bool next(std::vector<std::string>& fields) {
        std::size_t empty_line = 0;
        for (;;) {
            if (input_.peek() < 0) return false;
            line_ = next_line_;
            read_row(fields);
            // Empty lines end a file; among rows they are rows whose fields are missing.
            if (fields.size() > 1 || !fields.front().empty()) break;
            if (empty_line == 0) empty_line = line_;
        }
        if (empty_line != 0) fail(empty_line, "the line is empty");
        return true;
    }

    [[noreturn]] void fail(std::size_t line, const std::string& what) const {
        throw FileError(fmt::format("{}:{}: {}", input_.path(), line, what));
    }
    [[noreturn]] void fail(const std::string& what) const {
        throw FileError(fmt::format("{}: {}", input_.path(), what));
    }

    std::string path() const { return input_.path(); }
    std::size_t line() const { return line_; }
    char separator() const { return separator_; }

  private:
    int get() {
        const int c = input_.get();
        if (++length_ > longest_row) fail(line_, "the row is longer than 64 MiB");
        if (c == 0) fail(next_line_, "there is a NUL byte: this is UTF-16, or no text");
        if ((c > 0 && c < ' ' && !is_blank(static_cast<char>(c))) || c == 0x7f)
            fail(next_line_, fmt::format("there is a control character \\x{:02x}: this is no text", c));
        next_line_ += c == '\n';
        return c;
    }

    /// The characters of a row, the fields and quotes among them undone afterwards: the first row says what separates.
    void read_row(std::vector<std::string>& fields) {
        raw_.clear();
        length_ = 0;
        bool quoted = false, blank = true;  // blank: nothing but blanks since the last separator
        for (;;) {
            const int c = get();
            if (c < 0) {
                if (quoted) fail(line_, "a quote is not closed");
                break;
            }
            if (c == '"' && (blank || quoted)) {
                quoted = !quoted;
                if (quoted) blank = false;
                if (!quoted && input_.peek() == '"') {
                    raw_ += '"';
                    get();
                    quoted = true;
                }
            } else if (!quoted) {
                if (c == '\n') break;
                if (c == '\r' && input_.peek() >= 0 && input_.peek() != '\n' && input_.peek() != '\r')
                    fail(next_line_, "a carriage return stands alone: lines end in a line feed");
                if (c == ',' || c == ';' || c == '\t')
                    blank = separator_ == 0 || c == separator_ || (blank && c == '\t');
                else if (!is_blank(static_cast<char>(c)))
                    blank = false;
            }
            raw_ += static_cast<char>(c);
        }
        if (separator_ == 0) separator_ = most_frequent();
        split(fields);
    }

    /// What separates the fields of the first row: of comma, semicolon and tab the one that stands there most often
    /// outside quotes. Semicolons win against as many commas, which are decimal then.
    char most_frequent() const {
        std::size_t commas = 0, semicolons = 0, tabs = 0;
        bool quoted = false;
        for (const char c : trimmed(raw_)) {
            quoted ^= c == '"';
            commas += !quoted && c == ',';
            semicolons += !quoted && c == ';';
            tabs += !quoted && c == '\t';
        }
        if (tabs > commas && tabs > semicolons) return '\t';
        return semicolons > 0 && semicolons >= commas ? ';' : ',';
    }

    void split(std::vector<std::string>& fields) const {
        std::size_t count = 0, at = 0;
        const auto skip_blanks = [&] {
            while (at < raw_.size() && is_blank(raw_[at]) && raw_[at] != separator_) ++at;
        };
        for (;;) {
            if (count == most_columns) fail(line_, fmt::format("the row has more than {} fields", most_columns));
            if (fields.size() <= count) fields.emplace_back();
            std::string& field = fields[count++];
            field.clear();
            skip_blanks();
            if (at < raw_.size() && raw_[at] == '"') {
                for (++at; at < raw_.size(); ++at) {
                    if (raw_[at] == '"' && (at + 1 == raw_.size() || raw_[at + 1] != '"')) break;
                    at += raw_[at] == '"';
                    field += raw_[at];
                }
                ++at;
                skip_blanks();
                if (at < raw_.size() && raw_[at] != separator_)
                    fail(line_, fmt::format("after the quoted '{}' something else follows", printable(field)));
                field = trimmed(field);
            } else {
                const std::size_t end = std::min(raw_.find(separator_, at), raw_.size());
                field = trimmed(std::string_view(raw_).substr(at, end - at));
                at = end;
            }
            if (at >= raw_.size()) break;
            ++at;
        }
        fields.resize(count);
    }

    files::Input input_;
    char separator_ = 0;  // not known yet
    std::string raw_;     // of the row, with its quotes
    std::size_t line_ = 0, next_line_ = 1, length_ = 0;
};

/// Words and integers that a double does not hold are told apart by their letters, other numbers by their value.
std::optional<double> class_number(std::string_view text) {
    const std::optional<double> value = csv_number(text);
    return value && std::abs(*value) < 9007199254740992.0 ? value : std::nullopt;
}

/// Numbers by their value, before words in alphabetical order.
struct ClassOrder {
    bool operator()(const std::string& left, const std::string& right) const {
        const auto a = class_number(left), b = class_number(right);
        if (a && b) return *a < *b;
        if (a.has_value() != b.has_value()) return a.has_value();
        return left < right;
    }
};

}  // namespace

struct CsvReader::State {
    State(const std::string& path, CsvOptions given) : options(std::move(given)), rows(path) {
        if (!rows.next(first)) rows.fail("there are no rows of data");
        width = first.size();
        if (options.label)
            options.labels = {*options.label};
        else
            options.labels = names_in(options.labels);
        options.drop = names_in(options.drop);
        if (!options.labels.empty() && width < 2) rows.fail("there is only one column");
        find_header();
        find_labels();
        find_columns();
        pending = !header;
    }

    bool stands(const std::string& name) const { return std::ranges::find(first, name) != first.end(); }

    /// "y1,y2" are two names where no column is called so.
    std::vector<std::string> names_in(const std::vector<std::string>& texts) const {
        std::vector<std::string> names;
        for (const std::string& text : texts) {
            std::string_view rest = text;
            while (!stands(text) && rest.find(',') != std::string_view::npos) {
                names.emplace_back(trimmed(rest.substr(0, rest.find(','))));
                rest.remove_prefix(rest.find(',') + 1);
            }
            names.emplace_back(stands(text) ? rest : trimmed(rest));
        }
        return names;
    }

    /// Whether the first line names the columns.
    void find_header() {
        if (options.header != Header::detect) {
            header = options.header == Header::yes;
            return;
        }
        const auto is_there = [&](const std::string& name) { return stands(name); };
        const auto names_one = [&](const std::string& text) {
            return !text.empty() && !csv_number(text) && stands(text);
        };
        if ((!options.columns.empty() && std::ranges::all_of(options.columns, is_there)) ||
            std::ranges::any_of(options.labels, names_one) || std::ranges::any_of(options.drop, names_one)) {
            header = true;
            return;
        }
        std::vector<bool> skipped(width + 1);
        for (const auto* texts : {&options.labels, &options.drop})
            for (const std::string& text : *texts) skipped[std::min(index_of(text), width)] = true;
        std::string_view name, value;
        for (std::size_t i = 0; i < width; ++i) {
            if (skipped[i]) continue;
            if (is_name(first[i]) && name.empty()) name = first[i];
            if (csv_number(first[i]) && value.empty()) value = first[i];
        }
        if (!name.empty() && !value.empty())
            rows.fail(
                rows.line(),
                fmt::format("'{}' is a name and '{}' a number: say with --header yes or no whether this line names "
                            "the columns",
                            printable(name), printable(value)));
        header = !name.empty();
    }

    /// A column by its number, "" being the last; none where the text is no such number.
    std::size_t index_of(const std::string& text) const {
        if (text.empty()) return width - 1;
        const std::optional<double> index = csv_number(text);
        if (!index || *index != std::floor(*index) || *index < 0 || *index >= static_cast<double>(width)) return none;
        return static_cast<std::size_t>(*index);
    }

    /// The column of this name; it must stand there once.
    std::size_t named(const std::string& name) const {
        const auto found = std::ranges::find(first, name);
        if (found == first.end()) return none;
        if (std::find(found + 1, first.end(), name) != first.end())
            rows.fail(rows.line(), fmt::format("two columns have the name '{}'", printable(name)));
        return static_cast<std::size_t>(found - first.begin());
    }

    std::size_t column_of(const std::string& text) const {
        std::size_t column = header && !text.empty() ? named(text) : none;
        if (column == none) column = index_of(text);
        if (column == none) rows.fail(fmt::format("there is no column '{}'", printable(text)));
        return column;
    }

    void find_labels() {
        for (const std::string& text : options.labels) {
            const std::size_t column = column_of(text);
            if (is_label(column)) rows.fail(fmt::format("the column '{}' is named twice", printable(text)));
            label_columns.push_back(column);
            labels.push_back(header ? first[column] : std::to_string(column));
        }
        for (const std::string& text : options.drop) {
            const std::size_t column = column_of(text);
            if (is_label(column))
                rows.fail(fmt::format("the column '{}' cannot be left out: it is to be predicted", printable(text)));
            dropped.push_back(column);
        }
    }

    bool is_label(std::size_t column) const { return std::ranges::find(label_columns, column) != label_columns.end(); }

    void find_columns() {
        if (header && !options.columns.empty()) {
            std::string absent;
            for (const std::string& name : options.columns) {
                sources.push_back(named(name));
                if (sources.back() == none)
                    absent += fmt::format("{}'{}'", absent.empty() ? "" : ", ", printable(name));
            }
            if (!absent.empty()) rows.fail(fmt::format("there is no column {}", absent));
        } else {
            for (std::size_t i = 0; i < width; ++i)
                if (!is_label(i) && std::ranges::find(dropped, i) == dropped.end()) sources.push_back(i);
            if (sources.empty()) rows.fail("no column is left to learn from");
            if (!options.columns.empty() && sources.size() != options.columns.size())
                rows.fail(fmt::format("{} columns of numbers, but {} are needed (--label leaves one out)",
                                      sources.size(), options.columns.size()));
        }
        for (const std::size_t i : sources) {
            if (header) named(first[i]);
            columns.push_back(header ? first[i] : std::to_string(i));
        }
    }

    /// Reads the next row into `fields`.
    bool next() {
        if (pending) {
            fields = first;
            pending = false;
        } else if (!rows.next(fields)) {
            return false;
        }
        if (fields.size() != width)
            rows.fail(rows.line(), fmt::format("{} fields, but the first line has {}", fields.size(), width));
        return true;
    }

    bool next(std::vector<double>& numbers, std::vector<std::string>& names) {
        if (!next()) return false;
        numbers.resize(sources.size());
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const std::string& field = fields[sources[i]];
            numbers[i] = csv_number(field).value_or(NAN);
            if (!std::isfinite(numbers[i]))
                rows.fail(rows.line(),
                          fmt::format("'{}' in column {} {}", printable(field), sources[i],
                                      has_decimal_comma(field) ? "has a decimal comma: numbers have a decimal point"
                                                               : "is not a finite number"));
        }
        names.resize(label_columns.size());
        for (std::size_t i = 0; i < names.size(); ++i) {
            names[i] = fields[label_columns[i]];
            if (names[i].empty() && names.size() == 1) rows.fail(rows.line(), "the class is missing");
            if (names[i].empty())
                rows.fail(rows.line(), fmt::format("what is to be predicted is missing in column '{}'", labels[i]));
        }
        return true;
    }

    CsvOptions options;
    Rows rows;
    std::vector<std::string> first, fields;
    std::size_t width = 0;
    bool header = false;
    bool pending = false;  // the first line is a row that was not handed out
    std::vector<std::size_t> label_columns, dropped;
    std::vector<std::string> labels, row_labels;
    std::vector<std::size_t> sources;  // where the columns of numbers stand
    std::vector<std::string> columns;
};

CsvReader::CsvReader(const std::string& path, CsvOptions options)
    : state_(std::make_unique<State>(path, std::move(options))) {}
CsvReader::~CsvReader() = default;
CsvReader::CsvReader(CsvReader&&) noexcept = default;

bool CsvReader::has_header() const { return state_->header; }
std::string CsvReader::path() const { return state_->rows.path(); }
char CsvReader::separator() const { return state_->rows.separator(); }
const std::vector<std::string>& CsvReader::columns() const { return state_->columns; }
const std::vector<std::string>& CsvReader::labels() const { return state_->labels; }
const std::string& CsvReader::label() const {
    static const std::string no_name;
    return state_->labels.empty() ? no_name : state_->labels.front();
}
bool CsvReader::next(std::vector<double>& numbers, std::vector<std::string>& labels) {
    return state_->next(numbers, labels);
}
bool CsvReader::next(std::vector<double>& numbers, std::string& label) {
    const bool more = state_->next(numbers, state_->row_labels);
    if (more && !state_->row_labels.empty()) label = state_->row_labels.front();
    return more;
}
std::size_t CsvReader::line() const { return state_->rows.line(); }

std::optional<double> csv_number(std::string_view text) {
    if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
    double value = 0;
    // A number that no double holds becomes inf or 0; newer versions of fast_float call that an error, too.
    const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) return {};
    return value;
}

bool CsvReader::next_fields(std::vector<std::string>& fields, std::vector<std::string>& labels) {
    if (!state_->next()) return false;
    fields.resize(state_->sources.size());
    labels.resize(state_->label_columns.size());
    for (std::size_t i = 0; i < fields.size(); ++i) fields[i] = state_->fields[state_->sources[i]];
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = state_->fields[state_->label_columns[i]];
    return true;
}
std::string CsvReader::place(std::size_t column, const std::string& text) const {
    const std::string& name = state_->columns[column];
    return fmt::format("{}:{}: '{}' in column {}", state_->rows.path(), line(), printable(text),
                       has_header() ? "'" + printable(name) + "'" : name);
}

bool csv_missing(std::string_view text) {
    static const std::vector<std::string_view> marks = {"",     "?",    "-",    "NA",   "N/A", "n/a", "#N/A", "nan",
                                                        "null", "NULL", "None", "none", "NaN", "NAN", "."};
    return std::ranges::find(marks, text) != marks.end();
}

bool has_decimal_comma(std::string_view text) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos || comma + 1 == text.size()) return false;
    std::string with_point(text);
    with_point[comma] = '.';
    return csv_number(with_point).has_value();
}

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",;\t\"\r\n") == std::string::npos && trimmed(text) == text) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
    return quoted + '"';
}

namespace {

/// The numbers of all rows as one array; what is to be predicted goes to `take_labels` row by row.
template <class T, class F>
autograd::Array<T> read_rows(const std::string& path, CsvReader& reader, F take_labels) {
    std::vector<T> values;
    std::vector<double> numbers;
    std::vector<std::string> labels;
    std::size_t n = 0;
    const std::size_t most = files::memory() / 4;
    for (; reader.next(numbers, labels); ++n) {
        if ((values.size() + numbers.size()) * sizeof(T) + n * labels.size() * sizeof(void*) > most)
            throw FileError(
                fmt::format("{}:{}: the table is larger than a quarter of the memory that there is, which is {} MiB",
                            printable(path), reader.line(), most >> 18));
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
    const std::size_t width = reader.columns().size(), most = files::memory() / 4;
    std::vector<Cells> cells(width);
    std::vector<std::string> fields, labels;
    std::vector<double> values;
    std::size_t rows = 0;
    const auto require_memory = [&](std::size_t numbers) {
        if (numbers * sizeof(double) + rows * labels.size() * sizeof(void*) > most)
            throw FileError(
                fmt::format("{}: the table is larger than a quarter of the memory that there is, which is "
                            "{} MiB",
                            reader.place(0, fields[0]), most >> 18));
    };
    while (reader.next_fields(fields, labels)) {
        const bool gap = std::ranges::any_of(fields, csv_missing) || std::ranges::any_of(labels, csv_missing);
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
        if (different > 1000 || (different > 10 && different * 2 > rows))
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

/// Reads a table whole, and then decides what is learned.
template <class T>
Dataset<T> read_whole(const std::string& path, CsvReader& reader, Task task, bool first_line_is_sure,
                      const TableOptions* options = nullptr) {
    Dataset<T> data;
    std::vector<Target> targets(reader.labels().size());
    const auto take_labels = [&](const std::vector<std::string>& names) {
        for (std::size_t i = 0; i < names.size(); ++i) targets[i].add(names[i], reader.line());
    };
    if constexpr (std::is_same_v<T, double>)
        if (options != nullptr) read_cells(reader, options->missing, data, take_labels);
    if (options == nullptr) {
        data.features = read_rows<T>(path, reader, take_labels);
        if (reader.has_header()) data.column_names = reader.columns();
    }
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
    targets[0].number_classes(data.class_names, data.labels);
    data.label_name = reader.label();
    if (options != nullptr && !first_line_is_sure && reader.has_header() && !csv_number(data.class_names[0]) &&
        std::ranges::none_of(data.columns, [](const Column& column) { return column.categories.empty(); }))
        throw FileError(
            fmt::format("{}: all cells are words: say with --header yes or no whether the first line names "
                        "the columns",
                        printable(path)));
    if (!first_line_is_sure && !reader.has_header())
        refuse_a_row_of_names(path, data.labels, data.classes(),
                              data.class_names[static_cast<std::size_t>(data.labels(0))]);
    return data;
}

}  // namespace

template <class T>
Dataset<T> read_csv(const std::string& path, const std::string& label, Header header) {
    CsvReader reader(path, {label, header, {}});
    return read_whole<T>(path, reader, Task::classification, header != Header::detect);
}

Dataset<double> read_table(const std::string& path, const TableOptions& options) {
    CsvReader reader(path, {std::nullopt, options.header, {}, options.labels, options.drop});
    bool sure = options.header != Header::detect;  // whether the first line names the columns: a name that was found
    for (const auto* names : {&options.labels, &options.drop})
        for (const std::string& name : *names)
            sure = sure || (reader.has_header() && !name.empty() && !csv_number(name));
    return read_whole<double>(path, reader, options.task, sure, &options);
}

template <class T>
autograd::Array<T> read_csv_features(const std::string& path, const std::string& label, Header header) {
    CsvReader reader(path, {label.empty() ? std::nullopt : std::optional(label), header, {}});
    return read_rows<T>(path, reader, [](const std::vector<std::string>&) {});
}

template Dataset<float> read_csv(const std::string&, const std::string&, Header);
template Dataset<double> read_csv(const std::string&, const std::string&, Header);
template autograd::Array<float> read_csv_features(const std::string&, const std::string&, Header);
template autograd::Array<double> read_csv_features(const std::string&, const std::string&, Header);

}  // namespace nn
