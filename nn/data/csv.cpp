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
bool is_name(std::string_view text) {
    static const std::vector<std::string_view> missing = {"",     "?",    "-",    "NA",   "N/A",  "n/a",
                                                          "#N/A", "null", "NULL", "None", "none", "."};
    return !csv_number(text) && !has_decimal_comma(text) && std::ranges::find(missing, text) == missing.end();
}

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
        if (options.label && width < 2) rows.fail("there is only one column");
        find_header();
        find_label();
        find_columns();
        pending = !header;
    }

    /// Whether the first line names the columns.
    void find_header() {
        if (options.header != Header::detect) {
            header = options.header == Header::yes;
            return;
        }
        const auto stands = [&](const std::string& name) { return std::ranges::find(first, name) != first.end(); };
        if (!options.columns.empty() && std::ranges::all_of(options.columns, stands)) {
            header = true;
            return;
        }
        if (options.label && !options.label->empty() && !csv_number(*options.label) && stands(*options.label)) {
            header = true;
            return;
        }
        const std::size_t of_class = options.label ? index_of(*options.label) : none;
        std::string_view name, value;
        for (std::size_t i = 0; i < width; ++i) {
            if (i == of_class) continue;
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

    void find_label() {
        if (!options.label) return;
        if (header && !options.label->empty()) label_column = named(*options.label);
        if (label_column == none) label_column = index_of(*options.label);
        if (label_column == none) rows.fail(fmt::format("there is no column '{}'", printable(*options.label)));
        label = header ? first[label_column] : std::to_string(label_column);
    }

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
                if (i != label_column) sources.push_back(i);
            if (!options.columns.empty() && sources.size() != options.columns.size())
                rows.fail(fmt::format("{} columns of numbers, but {} are needed (--label leaves one out)",
                                      sources.size(), options.columns.size()));
        }
        for (const std::size_t i : sources) {
            if (header) named(first[i]);
            columns.push_back(header ? first[i] : std::to_string(i));
        }
    }

    bool next(std::vector<double>& numbers, std::string& name) {
        if (pending) {
            fields = first;
            pending = false;
        } else if (!rows.next(fields)) {
            return false;
        }
        if (fields.size() != width)
            rows.fail(rows.line(), fmt::format("{} fields, but the first line has {}", fields.size(), width));
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
        if (label_column == none) return true;
        if (fields[label_column].empty()) rows.fail(rows.line(), "the class is missing");
        name = fields[label_column];
        return true;
    }

    CsvOptions options;
    Rows rows;
    std::vector<std::string> first, fields;
    std::size_t width = 0;
    bool header = false;
    bool pending = false;  // the first line is a row that was not handed out
    std::size_t label_column = none;
    std::string label;
    std::vector<std::size_t> sources;  // where the columns of numbers stand
    std::vector<std::string> columns;
};

CsvReader::CsvReader(const std::string& path, CsvOptions options)
    : state_(std::make_unique<State>(path, std::move(options))) {}
CsvReader::~CsvReader() = default;
CsvReader::CsvReader(CsvReader&&) noexcept = default;

bool CsvReader::has_header() const { return state_->header; }
char CsvReader::separator() const { return state_->rows.separator(); }
const std::vector<std::string>& CsvReader::columns() const { return state_->columns; }
const std::string& CsvReader::label() const { return state_->label; }
bool CsvReader::next(std::vector<double>& numbers, std::string& label) { return state_->next(numbers, label); }
std::size_t CsvReader::line() const { return state_->rows.line(); }

std::optional<double> csv_number(std::string_view text) {
    if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
    double value = 0;
    // A number that no double holds becomes inf or 0; newer versions of fast_float call that an error, too.
    const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) return {};
    return value;
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

/// The numbers of all rows as one array; each row's class goes to `take_label`.
template <class T, class F>
autograd::Array<T> read_rows(const std::string& path, CsvReader& reader, F take_label) {
    std::vector<T> values;
    std::vector<double> numbers;
    std::string label;
    std::size_t n = 0;
    const std::size_t most = files::memory() / 4;
    for (; reader.next(numbers, label); ++n) {
        if ((values.size() + numbers.size()) * sizeof(T) + n * sizeof(void*) > most)
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
        take_label(label);
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

}  // namespace

template <class T>
Dataset<T> read_csv(const std::string& path, const std::string& label, Header header) {
    CsvReader reader(path, {label, header, {}});
    Dataset<T> data;
    struct Class {
        std::string name;
        std::int64_t label = 0;
    };
    std::map<std::string, Class, ClassOrder> classes;
    std::vector<const Class*> class_of_row;
    data.features = read_rows<T>(path, reader, [&](const std::string& name) {
        Class& found = classes.try_emplace(name, Class{name}).first->second;
        // 1, 1.0 and 1e0 are one class: the shortest is its name.
        if (std::pair(name.size(), name) < std::pair(found.name.size(), found.name)) found.name = name;
        class_of_row.push_back(&found);
    });
    for (auto& [key, found] : classes) {
        found.label = static_cast<std::int64_t>(data.class_names.size());
        data.class_names.push_back(found.name);
    }
    data.labels = autograd::Indices::from_shape({class_of_row.size()});
    for (std::size_t row = 0; row < class_of_row.size(); ++row) data.labels(row) = class_of_row[row]->label;
    if (header == Header::detect && !reader.has_header())
        refuse_a_row_of_names(path, data.labels, data.classes(),
                              data.class_names[static_cast<std::size_t>(data.labels(0))]);
    if (reader.has_header()) data.column_names = reader.columns();
    data.label_name = reader.label();
    return data;
}

template <class T>
autograd::Array<T> read_csv_features(const std::string& path, const std::string& label, Header header) {
    CsvReader reader(path, {label.empty() ? std::nullopt : std::optional(label), header, {}});
    return read_rows<T>(path, reader, [](const std::string&) {});
}

template Dataset<float> read_csv(const std::string&, const std::string&, Header);
template Dataset<double> read_csv(const std::string&, const std::string&, Header);
template autograd::Array<float> read_csv_features(const std::string&, const std::string&, Header);
template autograd::Array<double> read_csv_features(const std::string&, const std::string&, Header);

}  // namespace nn
