#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <nn/data.hpp>
#include <nn/files/bytes.hpp>
#include <optional>

namespace nn {

using autograd::FileError;

namespace {

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\r'; };
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(trimmed(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

/// The fields between commas, without blanks and quotes around them; a quoted field may contain commas.
std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    bool quoted = false;
    for (std::size_t start = 0, i = 0; i <= line.size(); ++i) {
        if (i < line.size() && line[i] == '"') quoted = !quoted;
        if (i < line.size() && (line[i] != ',' || quoted)) continue;
        std::string_view field = trimmed(line.substr(start, i - start));
        if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
        fields.push_back(field);
        start = i + 1;
    }
    return fields;
}

std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    return value;
}

/// The column named in the first line, or of this number; the last where nothing is given.
std::size_t column_of(const std::string& path, const std::vector<std::string_view>& first, const std::string& label) {
    if (label.empty()) return first.size() - 1;
    const auto found = std::ranges::find(first, label);
    if (found != first.end()) return static_cast<std::size_t>(found - first.begin());
    const std::optional<double> index = number(label);
    if (!index || *index != std::floor(*index) || *index < 0 || *index >= static_cast<double>(first.size()))
        throw FileError(fmt::format("{}: there is no column '{}'", path, label));
    return static_cast<std::size_t>(*index);
}

/// Numbers by their value, before words in alphabetical order.
struct ClassOrder {
    bool operator()(const std::string& left, const std::string& right) const {
        const auto a = number(left), b = number(right);
        if (a && b && *a != *b) return *a < *b;
        if (a.has_value() != b.has_value()) return a.has_value();
        return left < right;
    }
};

/// The lines of a file, and what the first one says of the columns.
struct Table {
    Table(const std::string& path_of_file, const std::string& label, bool labelled)
        : path(path_of_file), text(files::read(path)) {
        lines = lines_of(text);
        if (lines.empty()) throw FileError(fmt::format("{}: there are no rows of data", path));
        const std::vector<std::string_view> first = fields_of(lines.front());
        columns = first.size();
        if (labelled) {
            if (columns < 2) throw FileError(fmt::format("{}: there is only one column", path));
            label_column = column_of(path, first, label);
        }
        for (std::size_t i = 0; i < columns; ++i)
            if (i != label_column && !number(first[i])) header = 1;
        if (rows() == 0) throw FileError(fmt::format("{}: there are no rows of data", path));
    }

    std::size_t rows() const { return lines.size() - header; }

    /// Reads the numbers, (n, columns without the label's), and hands each row's label to `take_label`.
    template <class T, class F>
    autograd::Array<T> read(F take_label) const {
        auto features = autograd::Array<T>::from_shape({rows(), columns - (label_column < columns)});
        T* feature = features.data();
        for (std::size_t i = header; i < lines.size(); ++i) {
            const std::vector<std::string_view> fields = fields_of(lines[i]);
            if (fields.size() != columns)
                throw FileError(
                    fmt::format("{}:{}: {} fields, but the first line has {}", path, i + 1, fields.size(), columns));
            for (std::size_t column = 0; column < columns; ++column) {
                if (column == label_column) {
                    if (fields[column].empty())
                        throw FileError(fmt::format("{}:{}: the class is missing", path, i + 1));
                    take_label(fields[column]);
                    continue;
                }
                const T value = static_cast<T>(number(fields[column]).value_or(NAN));
                if (!std::isfinite(value))
                    throw FileError(fmt::format("{}:{}: '{}' in column {} is not a finite number", path, i + 1,
                                                fields[column], column));
                *feature++ = value;
            }
        }
        return features;
    }

    const std::string& path;
    std::string text;
    std::vector<std::string_view> lines;
    std::size_t columns = 0;
    std::size_t label_column = static_cast<std::size_t>(-1);  // none
    std::size_t header = 0;
};

}  // namespace

template <class T>
Dataset<T> read_csv(const std::string& path, const std::string& label) {
    const Table table(path, label, true);
    Dataset<T> data;
    std::map<std::string, std::int64_t, ClassOrder> classes;
    std::vector<std::int64_t*> label_of_row;
    data.features = table.read<T>(
        [&](std::string_view name) { label_of_row.push_back(&classes.try_emplace(std::string(name)).first->second); });
    for (auto& [name, index] : classes) {
        index = static_cast<std::int64_t>(data.class_names.size());
        data.class_names.push_back(name);
    }
    data.labels = autograd::Indices::from_shape({table.rows()});
    for (std::size_t row = 0; row < table.rows(); ++row) data.labels(row) = *label_of_row[row];
    return data;
}

template <class T>
autograd::Array<T> read_csv_features(const std::string& path, const std::string& label) {
    return Table(path, label, !label.empty()).template read<T>([](std::string_view) {});
}

template Dataset<float> read_csv(const std::string&, const std::string&);
template Dataset<double> read_csv(const std::string&, const std::string&);
template autograd::Array<float> read_csv_features(const std::string&, const std::string&);
template autograd::Array<double> read_csv_features(const std::string&, const std::string&);

}  // namespace nn
