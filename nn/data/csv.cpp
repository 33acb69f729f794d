#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <nn/csv.hpp>
#include <nn/files/input.hpp>
#include <nn/files/text.hpp>
#include <optional>
#include <unordered_map>

namespace nn {

using autograd::FileError;
using files::printable;

namespace {

constexpr std::size_t longest_row = std::size_t{1} << 26;   // bytes
constexpr std::size_t most_columns = std::size_t{1} << 20;  // a row is held as a text for each
constexpr std::size_t none = static_cast<std::size_t>(-1);

constexpr const char* counts_the_columns = "counts the columns";
constexpr const char* has_equal_steps = "counts in equal steps, as years above columns do";

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

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
        // A byte order mark is no part of the table; files that were put together begin with several.
        while (input_.peek() == 0xef && (begin_ = input_.read(3)) == byte_order_mark) begin_.clear();
        if (!files::is_utf8(begin_)) fail(1, "the first bytes are no text in UTF-8");
    }

    /// Reads the next row, over several lines where a quoted field goes over them; false at the end of the file.
    bool next(std::vector<std::string>& fields) {
        std::size_t empty_line = 0;
        for (;;) {
            if (begun_ == begin_.size() && input_.peek() < 0) return false;
            line_ = next_line_;
            read_row(fields);
            // Empty lines end a file; among rows they are rows whose fields are missing. One of two quotes is a row.
            if (fields.size() > 1 || !trimmed(raw_).empty()) break;
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
        const int c = begun_ < begin_.size() ? static_cast<unsigned char>(begin_[begun_++]) : input_.get();
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
        if (raw_.starts_with(byte_order_mark) && line_ > 1)
            fail(line_, "a byte order mark stands within the table, as where files are put together");
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
    std::string begin_;      // what was read of the table to look for a byte order mark
    std::size_t begun_ = 0;  // and was given to the first row
    char separator_ = 0;     // not known yet
    std::string raw_;        // of the row, with its quotes
    std::size_t line_ = 0, next_line_ = 1, length_ = 0;
};

}  // namespace

struct CsvReader::State {
    State(const std::string& path, CsvOptions given) : options(std::move(given)), rows(path) {
        if (!rows.next(first)) rows.fail("there are no rows of data");
        width = first.size();
        for (std::size_t i = 0; i < width; ++i) {
            const auto [found, is_new] = places.try_emplace(first[i], Place{i});
            found->second.is_only = is_new;
        }
        if (options.label)
            options.labels = {*options.label};
        else
            options.labels = names_in(options.labels);
        options.drop = names_in(options.drop);
        if (!options.labels.empty() && width < 2) rows.fail("there is only one column");
        find_header();
        find_labels();
        find_columns();
        if (header) return;
        pending.push_back({first, rows.line()});
        // `explain` may read no row but the first: the one below it is looked at now.
        if (std::vector<std::string> second; may_count != nullptr && rows.next(second)) {
            require_whole(second);
            pending.insert(pending.begin(), {std::move(second), rows.line()});
        }
    }

    bool stands(const std::string& name) const { return places.contains(name); }

    /// "y1,y2" are two names where no column is called so.
    std::vector<std::string> names_in(const std::vector<std::string>& texts) const {
        std::vector<std::string> names;
        for (const std::string& text : texts) {
            std::string_view rest = text;
            const bool several = !stands(text) && rest.find(',') != std::string_view::npos;
            while (!stands(text) && rest.find(',') != std::string_view::npos) {
                names.emplace_back(trimmed(rest.substr(0, rest.find(','))));
                rest.remove_prefix(rest.find(',') + 1);
            }
            names.emplace_back(stands(text) ? rest : trimmed(rest));
            const bool empty_is_meant = options.empty_is_name && stands("");
            if (several && !empty_is_meant && std::ranges::find(names, "") != names.end())
                rows.fail(fmt::format("'{}' names columns, and has a comma too many", printable(text)));
        }
        return names;
    }

    /// Whether the first line names the columns.
    void find_header() {
        if (options.header != Header::detect) {
            header = is_sure = options.header == Header::yes;
            return;
        }
        const auto is_there = [&](const std::string& name) { return stands(name); };
        const auto names_one = [&](const std::string& text) {
            return (!text.empty() || options.empty_is_name) && !csv_number(text) && stands(text);
        };
        const bool names_all = !options.columns.empty() && std::ranges::all_of(options.columns, is_there);
        if (names_all && std::ranges::none_of(first, is_name))
            could_be_either("holds the names of columns, or numbers of a row");
        if (names_all || std::ranges::any_of(options.labels, names_one) ||
            std::ranges::any_of(options.drop, names_one)) {
            header = is_sure = true;
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
        if (header) return;
        const std::size_t counted = count_of_columns();
        if (counted > 2) could_be_either(counts_the_columns);
        if (counted > 0)
            may_count = counts_the_columns;
        else if (steps_are_equal())
            may_count = has_equal_steps;
    }

    [[noreturn]] void could_be_either(const char* what) const {
        constexpr std::size_t most = 8;
        std::string shown;
        for (std::size_t i = 0; i < std::min(width, most); ++i) shown += (i == 0 ? "" : separator()) + first[i];
        rows.fail(1, fmt::format("'{}{}' {}: say with --header yes or no whether it names them", printable(shown),
                                 width > most ? "..." : "", what));
    }
    std::string separator() const { return std::string(1, rows.separator()); }

    std::vector<bool> columns_to_drop() const {
        std::vector<bool> is_dropped(width + 1);
        for (const std::string& text : options.drop) is_dropped[std::min(index_of(text), width)] = true;
        return is_dropped;
    }

    /// How many columns the first line counts, from 0 or from 1, as what writes a table without names may have it;
    /// an index before them has no name, or is left out. 0: it does not.
    std::size_t count_of_columns() const {
        const std::vector<bool> is_dropped = columns_to_drop();
        for (const std::size_t start : {0, 1, 2}) {  // the number in column i is i + start - 1
            std::size_t counted = 0, others = 0;
            for (std::size_t i = 0; i < width; ++i) {
                if (is_dropped[i] || (i == 0 && first[i].empty())) continue;
                ++(i + start > 0 && first[i] == std::to_string(i + start - 1) ? counted : others);
            }
            if (others == 0) return counted;
        }
        return 0;
    }

    /// Whether at least three whole numbers in the first line rise or fall alike from column to column.
    bool steps_are_equal() const {
        std::vector<std::pair<double, double>> numbers;  // behind their columns
        const std::vector<bool> is_dropped = columns_to_drop();
        for (std::size_t i = 0; i < width; ++i) {
            if (is_dropped[i] || (i == 0 && first[i].empty())) continue;
            const std::optional<double> number = csv_number(first[i]);
            if (!number || first[i] != fmt::format("{:.0f}", *number)) return false;
            numbers.emplace_back(static_cast<double>(i), *number);
        }
        if (numbers.size() < 3) return false;
        const auto [column, number] = numbers.front();
        const double step = (numbers[1].second - number) / (numbers[1].first - column);
        return step != 0 && std::ranges::all_of(numbers, [&, begin = column, from = number](const auto& each) {
                   return each.second == from + step * (each.first - begin);
               });
    }

    /// Throws where a number in a row is not whole, as those are that count.
    void require_whole(const std::vector<std::string>& row) const {
        for (std::size_t i = 0; i < std::min(width, row.size()); ++i) {
            const std::optional<double> number = csv_number(row[i]);
            if (!dropped[i] && number && std::isfinite(*number) && *number != std::floor(*number))
                could_be_either(may_count);
        }
    }

    /// A column by its number, "" being the last; none where the text is no such number.
    std::size_t index_of(const std::string& text) const {
        if (text.empty()) return options.empty_is_name ? none : width - 1;
        const std::optional<double> index = csv_number(text);
        if (!index || *index != std::floor(*index) || *index < 0 || *index >= static_cast<double>(width)) return none;
        return static_cast<std::size_t>(*index);
    }

    /// The column of this name; it must stand there once.
    std::size_t named(const std::string& name) const {
        const auto found = places.find(name);
        if (found == places.end()) return none;
        if (!found->second.is_only)
            rows.fail(rows.line(), fmt::format("two columns have the name '{}'", printable(name)));
        return found->second.column;
    }

    std::size_t column_of(const std::string& text) const {
        std::size_t column = header && (!text.empty() || options.empty_is_name) ? named(text) : none;
        if (column == none) column = index_of(text);
        if (column == none) rows.fail(fmt::format("there is no column '{}'", printable(text)));
        return column;
    }

    void find_labels() {
        labelled.resize(width);
        dropped.resize(width);
        for (const std::string& text : options.labels) {
            const std::size_t column = column_of(text);
            if (labelled[column]) rows.fail(fmt::format("the column '{}' is named twice", printable(text)));
            labelled[column] = true;
            label_columns.push_back(column);
            labels.push_back(header ? first[column] : std::to_string(column));
        }
        for (const std::string& text : options.drop) {
            const std::size_t column = column_of(text);
            if (labelled[column])
                rows.fail(fmt::format("the column '{}' cannot be left out: it is to be predicted", printable(text)));
            dropped[column] = true;
        }
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
            for (const std::size_t i : sources)
                if (labelled[i] || dropped[i])
                    rows.fail(
                        fmt::format("the column '{}' cannot be left out: the network takes it", printable(first[i])));
        } else {
            for (std::size_t i = 0; i < width; ++i)
                if (!labelled[i] && !dropped[i]) sources.push_back(i);
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
        if (!pending.empty()) {
            fields = std::move(pending.back().fields);
            line = pending.back().line;
            pending.pop_back();
        } else if (rows.next(fields)) {
            line = rows.line();
            if (may_count != nullptr) require_whole(fields);
        } else {
            return false;
        }
        if (fields.size() != width)
            rows.fail(line, fmt::format("{} fields, but the first line has {}", fields.size(), width));
        if (is_sure && width > 1 && fields == first && std::ranges::any_of(first, is_name))
            rows.fail(line, "the names of the columns stand there again, as where files are put together");
        return true;
    }

    bool next(std::vector<double>& numbers, std::vector<std::string>& names) {
        if (!next()) return false;
        numbers.resize(sources.size());
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const std::string& field = fields[sources[i]];
            const std::optional<double> number = csv_number(field);
            if (const char* fault = fault_of_number(field, number))
                rows.fail(line, fmt::format("'{}' in column {} {}", printable(field), sources[i], fault));
            numbers[i] = *number;
        }
        names.resize(label_columns.size());
        for (std::size_t i = 0; i < names.size(); ++i) {
            names[i] = fields[label_columns[i]];
            if (names[i].empty() && names.size() == 1) rows.fail(line, "the class is missing");
            if (names[i].empty())
                rows.fail(line, fmt::format("what is to be predicted is missing in column '{}'", labels[i]));
        }
        return true;
    }

    CsvOptions options;
    Rows rows;
    struct Place {
        std::size_t column;
        bool is_only = true;
    };
    std::vector<std::string> first, fields;
    std::unordered_map<std::string, Place> places;  // of what stands in the first row
    std::size_t width = 0;
    bool header = false, is_sure = false;  // sure where it was asked for, not found by its words
    // What makes a first line of numbers doubtful: it is a row where all numbers below it are whole, too.
    const char* may_count = nullptr;
    struct Line {
        std::vector<std::string> fields;
        std::size_t line;
    };
    std::vector<Line> pending;  // rows that were not handed out, the next one last
    std::size_t line = 0;
    std::vector<std::size_t> label_columns;
    std::vector<bool> labelled, dropped;
    std::vector<std::string> labels, row_labels;
    std::vector<std::size_t> sources;  // where the columns of numbers stand
    std::vector<std::string> columns;
};

CsvReader::CsvReader(const std::string& path, CsvOptions options)
    : state_(std::make_shared<State>(path, std::move(options))) {}

bool CsvReader::has_header() const { return state_->header; }
std::string CsvReader::path() const { return state_->rows.path(); }
bool CsvReader::holds(const std::string& name) const { return state_->header && state_->stands(name); }
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
std::size_t CsvReader::line() const { return state_->line; }

namespace {
constexpr double most_exact = 9007199254740992;  // 2^53: below, a double holds every integer
}

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
                       has_header() ? fmt::format("'{}'", printable(name)) : name);
}

bool csv_missing(std::string_view text) {
    static const std::vector<std::string_view> marks = {"",     "?",    "-",    "NA",   "N/A", "n/a", "#N/A", "nan",
                                                        "null", "NULL", "None", "none", "NaN", "NAN", "."};
    return text.size() <= 4 && std::ranges::find(marks, text) != marks.end();  // most fields are longer
}

bool has_decimal_comma(std::string_view text) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos || comma + 1 == text.size()) return false;
    std::string with_point(text);
    with_point[comma] = '.';
    return csv_number(with_point).has_value();
}

const char* fault_of_number(std::string_view text, std::optional<double> number) {
    if (number && std::abs(*number) < most_exact) return nullptr;
    if (!number && has_decimal_comma(text)) return "has a decimal comma: numbers have a decimal point";
    if (!number || !std::isfinite(*number)) return "is not a finite number";
    const std::size_t begin = text.find_first_not_of("+-0");
    const bool is_integer = text.find_first_not_of("0123456789", begin) == std::string_view::npos;
    if (!is_integer || text.substr(begin) == fmt::format("{:.0f}", std::abs(*number))) return nullptr;
    return "is an integer of more digits than a double holds, and others would be the same number";
}

bool ClassOrder::operator()(const std::string& left, const std::string& right) const {
    const auto number = [](const std::string& text) {
        const std::optional<double> value = csv_number(text);
        return value && std::abs(*value) < most_exact ? value : std::nullopt;
    };
    const auto a = number(left), b = number(right);
    if (a && b) return *a < *b;
    if (a.has_value() != b.has_value()) return a.has_value();
    return left < right;
}

std::string csv_field(const std::string& text) {
    const bool as_it_is =
        !text.empty() && text.find_first_of(",;\t\"\r\n") == std::string::npos && trimmed(text) == text;
    if (as_it_is && !text.starts_with(byte_order_mark)) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
    return quoted + '"';
}

}  // namespace nn
