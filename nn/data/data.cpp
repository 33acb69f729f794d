#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nn/batches.hpp>
#include <nn/data/checksum.hpp>
#include <numeric>
#include <span>
#include <stdexcept>

namespace nn {

namespace {

/// Not `std::shuffle`, whose order differs between standard libraries.
void shuffle(std::vector<std::size_t>& order, std::mt19937_64& engine) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[engine() % i]);
}

/// How many numbers a row has, which is all that stands behind the first axis.
std::size_t row_size(const autograd::Shape& shape) {
    return std::accumulate(shape.begin() + 1, shape.end(), std::size_t{1}, std::multiplies<>());
}

template <class A>
void copy_rows(const A& from, std::span<const std::size_t> rows, A& to) {
    autograd::Shape shape = from.shape();
    const std::size_t columns = row_size(shape);
    shape[0] = rows.size();
    to.resize(shape);
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::copy_n(from.data() + rows[i] * columns, columns, to.data() + i * columns);
}

/// Throws where the parts of a data set do not fit.
template <class T>
const Dataset<T>& checked(const char* operation, const Dataset<T>& data) {
    using autograd::to_string;
    const bool is_regression = data.is_regression();
    const autograd::Shape &x = data.features.shape(), &y = is_regression ? data.targets.shape() : data.labels.shape();
    if (x.empty() || y.empty() || x[0] != y[0] || (!is_regression && y.size() != 1))
        throw std::invalid_argument(
            fmt::format("[{}] features of shape {} do not fit {} of shape {}: a row of each is wanted", operation,
                        to_string(x), is_regression ? "targets" : "labels", to_string(y)));
    if (is_regression && y.size() == 2 && y[1] != data.target_names.size())
        throw std::invalid_argument(fmt::format("[{}] targets of shape {} are of {} name{}", operation, to_string(y),
                                                data.target_names.size(), data.target_names.size() == 1 ? "" : "s"));
    if (is_regression || data.classes() == 0) return data;
    for (std::size_t i = 0; i < data.labels.size(); ++i)
        if (data.labels(i) < 0 || static_cast<std::size_t>(data.labels(i)) >= data.classes())
            throw std::out_of_range(fmt::format("[{}] label {} of row {} is not one of {} classes", operation,
                                                data.labels(i), i, data.classes()));
    return data;
}

/// The rows of a data set that was checked.
template <class T>
Dataset<T> taken(const Dataset<T>& data, std::span<const std::size_t> rows) {
    Dataset<T> part{{}, {}, data.class_names, data.column_names, data.label_name, {}, data.target_names, data.columns};
    copy_rows(data.features, rows, part.features);
    if (data.is_regression())
        copy_rows(data.targets, rows, part.targets);
    else
        copy_rows(data.labels, rows, part.labels);
    return part;
}

}  // namespace

std::vector<std::size_t> shuffled(std::size_t n, std::mt19937_64& engine) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle(order, engine);
    return order;
}

template <class T>
Dataset<T> rows_of(const Dataset<T>& data, const std::vector<std::size_t>& rows) {
    checked("rows_of", data);
    for (const std::size_t row : rows)
        if (row >= data.size())
            throw std::out_of_range(fmt::format("[rows_of] there is no row {} among {}", row, data.size()));
    return taken(data, rows);
}

template <class T>
std::pair<Dataset<T>, Dataset<T>> split(const Dataset<T>& data, double holdout, std::mt19937_64& engine) {
    checked("split", data);
    const std::vector<std::size_t> order = shuffled(data.size(), engine);
    const double share = std::clamp(holdout, 0.0, 1.0) * static_cast<double>(data.size());
    const auto held = static_cast<std::size_t>(std::llround(share));
    if (!(holdout > 0 && holdout < 1) || held == 0 || held == data.size())
        throw std::invalid_argument(
            fmt::format("[split] a share of {} of {} rows leaves one side empty", holdout, data.size()));
    const std::span all(order);
    return {taken(data, all.subspan(held)), taken(data, all.first(held))};
}

namespace {

/// The rows of each class in a shuffled order.
template <class T>
std::map<std::int64_t, std::vector<std::size_t>> by_class(const Dataset<T>& data, std::mt19937_64& engine) {
    std::map<std::int64_t, std::vector<std::size_t>> rows;  // classes need no names
    for (const std::size_t row : shuffled(data.size(), engine)) rows[data.labels(row)].push_back(row);
    return rows;
}

}  // namespace

template <class T>
std::pair<Dataset<T>, Dataset<T>> stratified_split(const Dataset<T>& data, double holdout, std::mt19937_64& engine) {
    checked("stratified_split", data);
    if (data.is_regression()) throw std::invalid_argument("[stratified_split] there are no classes");
    std::vector<std::size_t> held, kept;
    for (const auto& [label, rows] : by_class(data, engine)) {
        const double share = std::clamp(holdout, 0.0, 1.0) * static_cast<double>(rows.size());
        const auto at = rows.begin() + static_cast<std::ptrdiff_t>(std::llround(share));
        held.insert(held.end(), rows.begin(), at);
        kept.insert(kept.end(), at, rows.end());
    }
    if (!(holdout > 0 && holdout < 1) || held.empty() || kept.empty())
        throw std::invalid_argument(
            fmt::format("[stratified_split] a share of {} of {} rows leaves one side empty", holdout, data.size()));
    return {taken<T>(data, kept), taken<T>(data, held)};
}

template <class T>
std::vector<std::vector<std::size_t>> folds(const Dataset<T>& data, std::size_t count, std::mt19937_64& engine) {
    checked("folds", data);
    if (count < 2 || count > data.size())
        throw std::invalid_argument(fmt::format("[folds] {} rows cannot be split into {} folds", data.size(), count));
    // The rows are dealt out like cards, a class after the other.
    std::vector<std::size_t> order;
    if (data.is_regression())
        order = shuffled(data.size(), engine);
    else
        for (const auto& [label, rows] : by_class(data, engine)) order.insert(order.end(), rows.begin(), rows.end());
    std::vector<std::vector<std::size_t>> parts(count);
    for (std::size_t i = 0; i < order.size(); ++i) parts[i % count].push_back(order[i]);
    return parts;
}

template <class T>
Batches<T>::Batches(const Dataset<T>& data, std::size_t batch, std::mt19937_64& engine)
    : data_(checked("batches", data)), batch_(batch), engine_(engine), order_(shuffled(data.size(), engine)) {
    if (batch == 0) throw std::invalid_argument("[batches] a batch has no rows");
}

template <class T>
std::span<const std::size_t> Batches<T>::next_rows() {
    if (position_ == order_.size()) {
        shuffle(order_, engine_);
        position_ = 0;
        return {};
    }
    const std::size_t n = std::min(batch_, order_.size() - position_);
    position_ += n;
    return std::span(order_).subspan(position_ - n, n);
}

template <class T>
void Batches<T>::skip(std::size_t rows) {
    if (rows > order_.size() - position_)
        throw std::out_of_range(
            fmt::format("[batches] {} rows cannot be left out of the {} that follow", rows, order_.size() - position_));
    position_ += rows;
}

template <class T>
bool Batches<T>::next(autograd::Array<T>& x, autograd::Indices& labels) {
    if (data_.is_regression()) throw std::invalid_argument("[batches] the data set has targets, and no labels");
    const auto rows = next_rows();
    if (rows.empty()) return false;
    copy_rows(data_.features, rows, x);
    copy_rows(data_.labels, rows, labels);
    return true;
}

template <class T>
bool Batches<T>::next(autograd::Array<T>& x, autograd::Array<T>& targets) {
    if (!data_.is_regression()) throw std::invalid_argument("[batches] the data set has labels, and no targets");
    const auto rows = next_rows();
    if (rows.empty()) return false;
    copy_rows(data_.features, rows, x);
    copy_rows(data_.targets, rows, targets);
    return true;
}

template <class T>
bool BatchSource<T>::next_rows(Batch<T>& batch, std::size_t begin, std::size_t end) {
    Batch<T> all;
    if (!next(all)) return false;
    end = std::min(end, all.x.shape()[0]);
    std::vector<std::size_t> rows(end - std::min(begin, end));
    std::iota(rows.begin(), rows.end(), begin);
    copy_rows(all.x, rows, batch.x);
    if (facts().is_regression())
        copy_rows(all.targets, rows, batch.targets);
    else
        copy_rows(all.labels, rows, batch.labels);
    return true;
}

template <class T>
DatasetBatches<T>::DatasetBatches(const Dataset<T>& data) : data_(checked("batches", data)) {}

template <class T>
RowFacts DatasetBatches<T>::facts() const {
    return {data_.size(), row_size(data_.features.shape()), data_.is_regression() ? 0 : data_.classes(),
            data_.target_names.size()};
}

template <class T>
std::string DatasetBatches<T>::checksum() const {
    Checksum sum;
    sum.add_names(data_);
    sum.add(data_.features);
    sum.add(data_.labels);
    sum.add(data_.targets);
    return sum.text();
}

template <class T>
void DatasetBatches<T>::begin(std::size_t batch, std::mt19937_64* engine) {
    if (batch == 0) throw std::invalid_argument("[batches] a batch has no rows");
    batch_ = batch;
    position_ = 0;
    order_.resize(checked("batches", data_).size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    if (engine != nullptr) shuffle(order_, *engine);
}

template <class T>
bool DatasetBatches<T>::next_rows(Batch<T>& batch, std::size_t begin, std::size_t end) {
    const std::size_t n = std::min(batch_, order_.size() - position_);
    if (n == 0) return false;
    const auto rows = std::span(order_).subspan(position_, std::min(end, n)).subspan(std::min({begin, end, n}));
    copy_rows(data_.features, rows, batch.x);
    if (data_.is_regression())
        copy_rows(data_.targets, rows, batch.targets);
    else
        copy_rows(data_.labels, rows, batch.labels);
    position_ += n;
    return true;
}

#define INSTANTIATE(T)                                                                                        \
    template Dataset<T> rows_of(const Dataset<T>&, const std::vector<std::size_t>&);                          \
    template std::pair<Dataset<T>, Dataset<T>> split(const Dataset<T>&, double, std::mt19937_64&);            \
    template std::pair<Dataset<T>, Dataset<T>> stratified_split(const Dataset<T>&, double, std::mt19937_64&); \
    template std::vector<std::vector<std::size_t>> folds(const Dataset<T>&, std::size_t, std::mt19937_64&);   \
    template class Batches<T>;                                                                                \
    template class BatchSource<T>;                                                                            \
    template class DatasetBatches<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
