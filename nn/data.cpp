#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <nn/data.hpp>
#include <optional>

namespace nn {

namespace {

std::string read_text(const std::string& path) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
    if (file == nullptr) throw autograd::FileError(fmt::format("{}: the file cannot be opened", path));
    std::string text;
    char buffer[1 << 16];
    for (;;) {
        const int n = gzread(file.get(), buffer, sizeof buffer);
        int error = Z_OK;
        gzerror(file.get(), &error);
        if (n < 0 || (error != Z_OK && error != Z_STREAM_END))
            throw autograd::FileError(fmt::format("{}: the file is damaged or cut short", path));
        if (n == 0) return text;
        text.append(buffer, static_cast<std::size_t>(n));
    }
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t start = 0;;) {
        const std::size_t end = text.find(separator, start);
        std::string_view part = text.substr(start, end - start);
        while (!part.empty() && (part.back() == ' ' || part.back() == '\r')) part.remove_suffix(1);
        while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
        parts.push_back(part);
        if (end == std::string_view::npos) return parts;
        start = end + 1;
    }
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
        throw autograd::FileError(fmt::format("{}: there is no column '{}'", path, label));
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

}  // namespace

template <class T>
Dataset<T> read_csv(const std::string& path, const std::string& label) {
    const std::string text = read_text(path);
    std::vector<std::string_view> lines = split_at(text, '\n');
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    if (lines.empty()) throw autograd::FileError(fmt::format("{}: there are no rows of data", path));

    const std::vector<std::string_view> first = split_at(lines.front(), ',');
    if (first.size() < 2) throw autograd::FileError(fmt::format("{}: there is only one column", path));
    const std::size_t label_column = column_of(path, first, label);
    const auto is_name = [&](std::size_t i) { return i != label_column && !number(first[i]); };
    std::size_t header = 0;
    for (std::size_t i = 0; i < first.size(); ++i)
        if (is_name(i)) header = 1;
    if (lines.size() == header) throw autograd::FileError(fmt::format("{}: there are no rows of data", path));

    Dataset<T> data;
    const std::size_t n = lines.size() - header;
    data.features = autograd::Array<T>::from_shape({n, first.size() - 1});
    data.labels = autograd::Indices::from_shape({n});
    std::map<std::string, std::int64_t, ClassOrder> classes;
    std::vector<const std::string*> names;
    T* feature = data.features.data();
    for (std::size_t row = 0; row < n; ++row) {
        const std::vector<std::string_view> fields = split_at(lines[row + header], ',');
        const std::size_t line = row + header + 1;
        if (fields.size() != first.size())
            throw autograd::FileError(
                fmt::format("{}:{}: {} fields, but the first line has {}", path, line, fields.size(), first.size()));
        for (std::size_t column = 0; column < fields.size(); ++column) {
            if (column == label_column) {
                if (fields[column].empty()) throw autograd::FileError(fmt::format("{}:{}: the class is missing", path, line));
                names.push_back(&classes.emplace(std::string(fields[column]), 0).first->first);
                continue;
            }
            const std::optional<double> value = number(fields[column]);
            if (!value || !std::isfinite(*value))
                throw autograd::FileError(fmt::format("{}:{}: '{}' in column {} is not a finite number", path, line,
                                                      fields[column], column));
            *feature++ = static_cast<T>(*value);
        }
    }
    for (auto& [name, index] : classes) {
        index = static_cast<std::int64_t>(data.class_names.size());
        data.class_names.push_back(name);
    }
    for (std::size_t row = 0; row < n; ++row) data.labels(row) = classes.at(*names[row]);
    return data;
}

std::vector<std::size_t> shuffled(std::size_t n, std::mt19937_64& engine) {
    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = i;
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[engine() % i]);
    return order;
}

template <class T>
Dataset<T> rows_of(const Dataset<T>& data, const std::vector<std::size_t>& rows) {
    const std::size_t columns = data.features.shape()[1];
    Dataset<T> part{autograd::Array<T>::from_shape({rows.size(), columns}), autograd::Indices::from_shape({rows.size()}),
                    data.class_names};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(data.features.data() + rows[i] * columns, columns, part.features.data() + i * columns);
        part.labels(i) = data.labels(rows[i]);
    }
    return part;
}

template <class T>
std::pair<Dataset<T>, Dataset<T>> split(const Dataset<T>& data, double holdout, std::mt19937_64& engine) {
    const std::vector<std::size_t> order = shuffled(data.size(), engine);
    const double share = std::clamp(holdout, 0.0, 1.0) * static_cast<double>(data.size());
    const auto held = static_cast<std::ptrdiff_t>(std::llround(share));
    if (!(holdout > 0 && holdout < 1) || held == 0 || static_cast<std::size_t>(held) == data.size())
        throw std::invalid_argument(fmt::format("[split] a share of {} of {} rows leaves one side empty", holdout, data.size()));
    return {rows_of(data, {order.begin() + held, order.end()}), rows_of(data, {order.begin(), order.begin() + held})};
}

template <class T>
Batches<T>::Batches(const Dataset<T>& data, std::size_t batch, std::mt19937_64& engine)
    : data_(data), batch_(batch), engine_(engine), order_(shuffled(data.size(), engine)) {
    if (batch == 0) throw std::invalid_argument("[batches] a batch has no rows");
}

template <class T>
bool Batches<T>::next(autograd::Array<T>& x, autograd::Indices& labels) {
    if (position_ == order_.size()) {
        for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[engine_() % i]);
        position_ = 0;
        return false;
    }
    const std::size_t n = std::min(batch_, order_.size() - position_), columns = data_.features.shape()[1];
    x.resize({n, columns});
    labels.resize({n});
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t row = order_[position_ + i];
        std::copy_n(data_.features.data() + row * columns, columns, x.data() + i * columns);
        labels(i) = data_.labels(row);
    }
    position_ += n;
    return true;
}

template <class T>
double accuracy(const autograd::Array<T>& scores, const autograd::Indices& labels) {
    if (scores.dimension() != 2 || labels.dimension() != 1 || scores.shape()[0] != labels.size() || labels.size() == 0)
        throw std::invalid_argument(fmt::format("[accuracy] scores of shape {} do not fit labels of shape {}",
                                                autograd::to_string(scores.shape()), autograd::to_string(labels.shape())));
    std::size_t right = 0;
    const std::size_t classes = scores.shape()[1];
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const T* row = scores.data() + i * classes;
        right += std::max_element(row, row + classes) - row == labels(i);
    }
    return static_cast<double>(right) / static_cast<double>(labels.size());
}

#define INSTANTIATE(T)                                                                                       \
    template Dataset<T> read_csv(const std::string&, const std::string&);                                    \
    template Dataset<T> rows_of(const Dataset<T>&, const std::vector<std::size_t>&);                          \
    template std::pair<Dataset<T>, Dataset<T>> split(const Dataset<T>&, double, std::mt19937_64&);            \
    template class Batches<T>;                                                                               \
    template double accuracy(const autograd::Array<T>&, const autograd::Indices&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
