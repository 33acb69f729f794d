#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nn/data.hpp>
#include <numeric>
#include <span>
#include <stdexcept>

namespace nn {

namespace {

/// Not `std::shuffle`, whose order differs between standard libraries.
void shuffle(std::vector<std::size_t>& order, std::mt19937_64& engine) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[engine() % i]);
}

template <class T>
void copy_rows(const Dataset<T>& data, std::span<const std::size_t> rows, autograd::Array<T>& features,
               autograd::Indices& labels) {
    const std::size_t columns = data.features.shape()[1];
    features.resize({rows.size(), columns});
    labels.resize({rows.size()});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(data.features.data() + rows[i] * columns, columns, features.data() + i * columns);
        labels(i) = data.labels(rows[i]);
    }
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
    Dataset<T> part{{}, {}, data.class_names, data.column_names, data.label_name};
    copy_rows(data, rows, part.features, part.labels);
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

template <class T>
Batches<T>::Batches(const Dataset<T>& data, std::size_t batch, std::mt19937_64& engine)
    : data_(data), batch_(batch), engine_(engine), order_(shuffled(data.size(), engine)) {
    if (batch == 0) throw std::invalid_argument("[batches] a batch has no rows");
}

template <class T>
bool Batches<T>::next(autograd::Array<T>& x, autograd::Indices& labels) {
    if (position_ == order_.size()) {
        shuffle(order_, engine_);
        position_ = 0;
        return false;
    }
    const std::size_t n = std::min(batch_, order_.size() - position_);
    copy_rows(data_, std::span(order_).subspan(position_, n), x, labels);
    position_ += n;
    return true;
}

namespace {

/// Calls f(the label, the class of the largest score) for each row.
template <class T, class F>
void for_each_row(const char* operation, const autograd::Array<T>& scores, const autograd::Indices& labels, F f) {
    if (scores.dimension() != 2 || labels.dimension() != 1 || scores.shape()[0] != labels.size() || labels.size() == 0)
        throw std::invalid_argument(fmt::format("[{}] scores of shape {} do not fit labels of shape {}", operation,
                                                autograd::to_string(scores.shape()),
                                                autograd::to_string(labels.shape())));
    const std::size_t classes = scores.shape()[1];
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels(i) < 0 || static_cast<std::size_t>(labels(i)) >= classes)
            throw std::out_of_range(
                fmt::format("[{}] label {} at position {} is not one of {} classes", operation, labels(i), i, classes));
        const T* row = scores.data() + i * classes;
        f(labels(i), std::max_element(row, row + classes) - row);
    }
}

}  // namespace

template <class T>
autograd::Indices confusion_matrix(const autograd::Array<T>& scores, const autograd::Indices& labels) {
    const std::size_t classes = scores.dimension() == 2 ? scores.shape()[1] : 0;
    autograd::Indices counts(autograd::Shape{classes, classes}, 0);
    for_each_row("confusion_matrix", scores, labels, [&](std::int64_t label, auto best) { ++counts(label, best); });
    return counts;
}

template <class T>
double accuracy(const autograd::Array<T>& scores, const autograd::Indices& labels) {
    std::int64_t right = 0;
    for_each_row("accuracy", scores, labels, [&](std::int64_t label, auto best) { right += label == best; });
    return static_cast<double>(right) / static_cast<double>(labels.size());
}

#define INSTANTIATE(T)                                                                             \
    template Dataset<T> rows_of(const Dataset<T>&, const std::vector<std::size_t>&);               \
    template std::pair<Dataset<T>, Dataset<T>> split(const Dataset<T>&, double, std::mt19937_64&); \
    template class Batches<T>;                                                                     \
    template double accuracy(const autograd::Array<T>&, const autograd::Indices&);                 \
    template autograd::Indices confusion_matrix(const autograd::Array<T>&, const autograd::Indices&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
