#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nn/metrics.hpp>
#include <numeric>
#include <span>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Indices;

namespace {

/// Calls f(the label, the row's scores) for each row.
template <class T, class F>
void for_each_row(const char* operation, const Array<T>& scores, const Indices& labels, F f) {
    if (scores.dimension() != 2 || labels.dimension() != 1 || scores.shape()[0] != labels.size() || labels.size() == 0)
        throw std::invalid_argument(fmt::format("[{}] scores of shape {} do not fit labels of shape {}", operation,
                                                autograd::to_string(scores.shape()),
                                                autograd::to_string(labels.shape())));
    const std::size_t classes = scores.shape()[1];
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels(i) < 0 || static_cast<std::size_t>(labels(i)) >= classes)
            throw std::out_of_range(
                fmt::format("[{}] label {} at position {} is not one of {} classes", operation, labels(i), i, classes));
        f(labels(i), std::span(scores.data() + i * classes, classes));
    }
}

template <class T>
bool has_nan(std::span<const T> row) {
    return std::ranges::any_of(row, [](T score) { return std::isnan(score); });
}

/// The class of the largest score; none, which is -1, where one is NaN.
template <class T>
std::int64_t best(std::span<const T> row) {
    return has_nan(row) ? -1 : std::ranges::max_element(row) - row.begin();
}

}  // namespace

template <class T>
Indices confusion_matrix(const Array<T>& scores, const Indices& labels) {
    const std::size_t classes = scores.dimension() == 2 ? scores.shape()[1] : 0;
    Indices counts(autograd::Shape{classes, classes}, 0);
    for_each_row("confusion_matrix", scores, labels, [&](std::int64_t label, std::span<const T> row) {
        if (has_nan(row))
            throw std::invalid_argument(
                fmt::format("[confusion_matrix] a score at position {} is NaN: the row is taken for no class",
                            static_cast<std::size_t>(row.data() - scores.data()) / classes));
        ++counts(label, best(row));
    });
    return counts;
}

template <class T>
double accuracy(const Array<T>& scores, const Indices& labels) {
    std::int64_t right = 0;
    for_each_row("accuracy", scores, labels,
                 [&](std::int64_t label, std::span<const T> row) { right += label == best(row); });
    return static_cast<double>(right) / static_cast<double>(labels.size());
}

template <class T>
double top_k_accuracy(const Array<T>& scores, const Indices& labels, std::size_t k) {
    if (k == 0) throw std::invalid_argument("[top_k_accuracy] k must be at least 1");
    std::int64_t right = 0;
    for_each_row("top_k_accuracy", scores, labels, [&](std::int64_t label, std::span<const T> row) {
        const auto at = static_cast<std::size_t>(label);
        std::size_t before = 0;
        for (std::size_t i = 0; i < row.size(); ++i) before += row[i] > row[at] || (row[i] == row[at] && i < at);
        right += before < k && !has_nan(row);
    });
    return static_cast<double>(right) / static_cast<double>(labels.size());
}

std::vector<ClassQuality> class_qualities(const Indices& confusion) {
    if (confusion.dimension() != 2 || confusion.shape()[0] != confusion.shape()[1])
        throw std::invalid_argument(fmt::format("[class_qualities] a confusion matrix is square, and this has shape {}",
                                                autograd::to_string(confusion.shape())));
    std::vector<ClassQuality> qualities;
    for (std::size_t i = 0; i < confusion.shape()[0]; ++i) {
        double rows = 0, taken = 0;
        for (std::size_t k = 0; k < confusion.shape()[0]; ++k) {
            rows += static_cast<double>(confusion(i, k));
            taken += static_cast<double>(confusion(k, i));
        }
        const auto right = static_cast<double>(confusion(i, i));
        const auto share = [](double part, double whole) { return whole == 0 ? NAN : part / whole; };
        qualities.push_back({share(right, taken), share(right, rows), share(2 * right, rows + taken)});
    }
    return qualities;
}

template <class T>
double area_under_curve(const Array<T>& scores, const Indices& labels) {
    const bool fits = (scores.dimension() == 1 || (scores.dimension() == 2 && scores.shape()[1] == 1)) &&
                      labels.dimension() == 1 && scores.size() == labels.size() && labels.size() > 0;
    if (!fits)
        throw std::invalid_argument(fmt::format("[area_under_curve] scores of shape {} do not fit labels of shape {}",
                                                autograd::to_string(scores.shape()),
                                                autograd::to_string(labels.shape())));
    std::vector<std::size_t> order(labels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (const std::size_t i : order) {
        if (labels(i) != 0 && labels(i) != 1)
            throw std::out_of_range(
                fmt::format("[area_under_curve] label {} at position {} is neither 0 nor 1", labels(i), i));
        if (std::isnan(scores.data()[i])) return NAN;
    }
    std::ranges::sort(order, {}, [&](std::size_t i) { return scores.data()[i]; });
    // Each pair of a row of class 1 and one of class 0 that stands before it counts 1, of equal scores 1/2.
    double pairs = 0, zeros = 0, ones = 0;
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
        double zeros_here = 0, ones_here = 0;
        for (; end < order.size() && scores.data()[order[end]] == scores.data()[order[begin]]; ++end)
            ++(labels(order[end]) == 1 ? ones_here : zeros_here);
        pairs += ones_here * (zeros + zeros_here / 2);
        zeros += zeros_here;
        ones += ones_here;
    }
    return zeros == 0 || ones == 0 ? NAN : pairs / (zeros * ones);
}

namespace {

void require_columns(const char* operation, const Array<double>& predictions, const Array<double>& targets) {
    if (predictions.shape() != targets.shape() || targets.dimension() != 2 || targets.size() == 0)
        throw std::invalid_argument(fmt::format("[{}] predictions of shape {} do not fit targets of shape {}",
                                                operation, autograd::to_string(predictions.shape()),
                                                autograd::to_string(targets.shape())));
}

NumberScores scores_of(const char* operation, const Array<double>& predictions, const Array<double>& targets) {
    require_columns(operation, predictions, targets);
    NumberScores scores;
    scores.add(predictions, targets);
    return scores;
}

}  // namespace

void NumberScores::add(const Array<double>& predictions, const Array<double>& targets) {
    require_columns("number_scores", predictions, targets);
    const std::size_t columns = targets.shape()[1];
    if (rows_ > 0 && columns != sums_.size())
        throw std::invalid_argument(
            fmt::format("[number_scores] {} columns of targets follow rows of {}", columns, sums_.size()));
    sums_.resize(columns);
    for (std::size_t i = 0; i < targets.shape()[0]; ++i) {
        ++rows_;
        for (std::size_t j = 0; j < columns; ++j) {
            Sums& sums = sums_[j];
            const long double target = targets(i, j), error = predictions(i, j) - target, far = target - sums.mean;
            sums.mean += far / static_cast<long double>(rows_);  // Welford's
            sums.spread += far * (target - sums.mean);
            sums.squares += error * error;
            sums.distances += std::abs(error);
        }
    }
}

std::vector<double> NumberScores::r_squared() const {
    std::vector<double> results;
    for (const Sums& sums : sums_)
        results.push_back(sums.spread == 0 ? NAN : static_cast<double>(1 - sums.squares / sums.spread));
    return results;
}

std::vector<double> NumberScores::root_mean_squared_error() const {
    std::vector<double> results;
    for (const Sums& sums : sums_)
        results.push_back(static_cast<double>(std::sqrt(sums.squares / static_cast<long double>(rows_))));
    return results;
}

std::vector<double> NumberScores::mean_absolute_error() const {
    std::vector<double> results;
    for (const Sums& sums : sums_)
        results.push_back(static_cast<double>(sums.distances / static_cast<long double>(rows_)));
    return results;
}

std::vector<double> r_squared(const Array<double>& predictions, const Array<double>& targets) {
    return scores_of("r_squared", predictions, targets).r_squared();
}

std::vector<double> root_mean_squared_error(const Array<double>& predictions, const Array<double>& targets) {
    return scores_of("root_mean_squared_error", predictions, targets).root_mean_squared_error();
}

std::vector<double> mean_absolute_error(const Array<double>& predictions, const Array<double>& targets) {
    return scores_of("mean_absolute_error", predictions, targets).mean_absolute_error();
}

#define INSTANTIATE(T)                                                            \
    template double accuracy(const Array<T>&, const Indices&);                    \
    template double top_k_accuracy(const Array<T>&, const Indices&, std::size_t); \
    template double area_under_curve(const Array<T>&, const Indices&);            \
    template Indices confusion_matrix(const Array<T>&, const Indices&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
