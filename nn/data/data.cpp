#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

template <class A>
void copy_rows(const A& from, std::span<const std::size_t> rows, A& to) {
    const std::size_t columns = from.dimension() == 2 ? from.shape()[1] : 1;
    if (from.dimension() == 2)
        to.resize({rows.size(), columns});
    else
        to.resize({rows.size()});
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::copy_n(from.data() + rows[i] * columns, columns, to.data() + i * columns);
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
    Dataset<T> part{{}, {}, data.class_names, data.column_names, data.label_name, {}, data.target_names, data.columns};
    copy_rows(data.features, rows, part.features);
    if (data.is_regression())
        copy_rows(data.targets, rows, part.targets);
    else
        copy_rows(data.labels, rows, part.labels);
    return part;
}

template <class T>
std::pair<Dataset<T>, Dataset<T>> split(const Dataset<T>& data, double holdout, std::mt19937_64& engine) {
    const std::vector<std::size_t> order = shuffled(data.size(), engine);
    const double share = std::clamp(holdout, 0.0, 1.0) * static_cast<double>(data.size());
    const auto held = static_cast<std::ptrdiff_t>(std::llround(share));
    if (!(holdout > 0 && holdout < 1) || held == 0 || static_cast<std::size_t>(held) == data.size())
        throw std::invalid_argument(
            fmt::format("[split] a share of {} of {} rows leaves one side empty", holdout, data.size()));
    return {rows_of(data, {order.begin() + held, order.end()}), rows_of(data, {order.begin(), order.begin() + held})};
}

namespace {

/// The rows of each class in a shuffled order.
template <class T>
std::vector<std::vector<std::size_t>> by_class(const Dataset<T>& data, std::mt19937_64& engine) {
    std::vector<std::vector<std::size_t>> rows(data.classes());
    for (const std::size_t row : shuffled(data.size(), engine))
        rows.at(static_cast<std::size_t>(data.labels(row))).push_back(row);
    return rows;
}

}  // namespace

template <class T>
std::pair<Dataset<T>, Dataset<T>> stratified_split(const Dataset<T>& data, double holdout, std::mt19937_64& engine) {
    if (data.is_regression()) throw std::invalid_argument("[stratified_split] there are no classes");
    std::vector<std::size_t> held, kept;
    for (const auto& rows : by_class(data, engine)) {
        const double share = std::clamp(holdout, 0.0, 1.0) * static_cast<double>(rows.size());
        const auto at = rows.begin() + static_cast<std::ptrdiff_t>(std::llround(share));
        held.insert(held.end(), rows.begin(), at);
        kept.insert(kept.end(), at, rows.end());
    }
    if (!(holdout > 0 && holdout < 1) || held.empty() || kept.empty())
        throw std::invalid_argument(
            fmt::format("[stratified_split] a share of {} of {} rows leaves one side empty", holdout, data.size()));
    return {rows_of(data, kept), rows_of(data, held)};
}

template <class T>
std::vector<std::vector<std::size_t>> folds(const Dataset<T>& data, std::size_t count, std::mt19937_64& engine) {
    if (count < 2 || count > data.size())
        throw std::invalid_argument(fmt::format("[folds] {} rows cannot be split into {} folds", data.size(), count));
    // The rows are dealt out like cards, a class after the other.
    std::vector<std::size_t> order;
    if (data.is_regression())
        order = shuffled(data.size(), engine);
    else
        for (const auto& rows : by_class(data, engine)) order.insert(order.end(), rows.begin(), rows.end());
    std::vector<std::vector<std::size_t>> parts(count);
    for (std::size_t i = 0; i < order.size(); ++i) parts[i % count].push_back(order[i]);
    return parts;
}

template <class T>
Batches<T>::Batches(const Dataset<T>& data, std::size_t batch, std::mt19937_64& engine)
    : data_(data), batch_(batch), engine_(engine), order_(shuffled(data.size(), engine)) {
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
RowFacts DatasetBatches<T>::facts() const {
    return {data_.size(), data_.features.dimension() == 2 ? data_.features.shape()[1] : 0,
            data_.is_regression() ? 0 : data_.classes(), data_.target_names.size()};
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
    order_.resize(data_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    if (engine != nullptr) shuffle(order_, *engine);
}

template <class T>
bool DatasetBatches<T>::next_rows(Batch<T>& batch, std::size_t begin, std::size_t end) {
    const std::size_t n = std::min(batch_, order_.size() - position_);
    if (n == 0) return false;
    const auto rows = std::span(order_).subspan(position_, std::min(end, n)).subspan(begin);
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
    template class DatasetBatches<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
