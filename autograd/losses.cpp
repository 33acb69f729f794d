#include <fmt/format.h>
#include <algorithm>
#include <autograd/kernels.hpp>
#include <autograd/operations.hpp>

namespace autograd {

namespace {

template <class T>
Variable<T> reduced(Variable<T> losses, Reduction reduction) {
    if (reduction == Reduction::none) return losses;
    return reduction == Reduction::sum ? sum(losses) : mean(losses);
}

template <class T>
void check_equal_shapes(const char* operation, const Variable<T>& prediction, const Shape& target) {
    if (prediction.shape() != target)
        throw std::invalid_argument(fmt::format("[{}] predictions have shape {}, targets {}: they must be equal",
                                                operation, to_string(prediction.shape()), to_string(target)));
}

/// The value of the loss from logits x, p = softmax(x), weighted targets u and their row sums s.
template <class T>
struct CrossEntropyValue {
    const Array<T>&x, &p, &u, &s;
    T scale;
    Shape shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool) const {
        const bool each = size_of(shape_) == s.size() && shape_.size() + 1 == x.dimension();
        if (!each) result.fill(T(0));
        const std::size_t classes = x.shape().back();
        for (std::size_t row = 0; row < s.size(); ++row) {
            const T *xs = x.data() + row * classes, *ps = p.data() + row * classes, *us = u.data() + row * classes;
            T loss = 0;
            if (s.data()[row] != T(0)) {
                // The largest probability is at least 1 / classes: its logarithm loses nothing.
                const std::size_t k = static_cast<std::size_t>(std::max_element(ps, ps + classes) - ps);
                const T log_of_sum = xs[k] - std::log(ps[k]);
                for (std::size_t j = 0; j < classes; ++j)
                    if (us[j] != T(0)) loss += us[j] * (log_of_sum - xs[j]);
            }
            result.data()[each ? row : 0] += each ? loss * scale - result.data()[row] : loss * scale;
        }
    }
};

/// Expands labels or probabilities into weighted targets, row by row, into the tape's own memory.
template <class T, class Row>
struct Targets {
    Shape shape_;
    Row row;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& result, bool) const {
        const std::size_t classes = shape_.back();
        result.fill(T(0));
        for (std::size_t i = 0; i * classes < result.size(); ++i) row(i, result.data() + i * classes);
    }
};

template <class T, class Row>
Variable<T> cross_entropy(Variable<T> x, const CrossEntropyOptions& options, T total, Row row) {
    Shape kept = x.shape();
    kept.back() = 1;
    const Variable<T> p = softmax(x);
    const auto constant = [&](const auto& value) {
        const auto pause = x.tape().pause();
        return record("targets", {x}, value, [](auto&) {});
    };
    const Variable<T> u = constant(Targets<T, Row>{x.shape(), row});
    const Variable<T> s = constant(sum_to(u.value(), kept, kept));
    const bool each = options.reduction == Reduction::none;
    const T scale = options.reduction == Reduction::mean ? T(1) / total : T(1);
    Shape shape, ones = kept;
    if (each) shape = Shape(kept.begin(), kept.end() - 1);
    if (!each) std::fill(ones.begin(), ones.end(), std::size_t{1});
    // z = -sum u log p     xbar += zbar * scale * (p sum(u) - u)
    return record("softmax_cross_entropy", {x, p, u, s},
                  CrossEntropyValue<T>{x.value(), p.value(), u.value(), s.value(), scale, shape},
                  [x, p, u, s, scale, ones](auto& at) {
                      at.adjoint(x) += (at(p) * at(s) - at(u)) * (reshape(at.zbar(), ones) * scale);
                  });
}

template <class T>
void check_options(const Variable<T>& logits, const CrossEntropyOptions& options) {
    if (logits.dimension() == 0 || logits.shape().back() == 0)
        throw std::invalid_argument(
            fmt::format("[softmax_cross_entropy] logits of shape {} have no classes", to_string(logits.shape())));
    if (!options.class_weights.empty() && options.class_weights.size() != logits.shape().back())
        throw std::invalid_argument(fmt::format("[softmax_cross_entropy] {} class weights are given for {} classes",
                                                options.class_weights.size(), logits.shape().back()));
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
        throw std::invalid_argument(
            fmt::format("[softmax_cross_entropy] label smoothing {} is not between 0 and 1", options.label_smoothing));
}

}  // namespace

template <class T>
Variable<T> softmax_cross_entropy(Variable<T> logits, const Indices& labels, const CrossEntropyOptions& options) {
    check_options(logits, options);
    const std::size_t classes = logits.shape().back();
    if (!std::equal(labels.shape().begin(), labels.shape().end(), logits.shape().begin(), logits.shape().end() - 1))
        throw std::invalid_argument(
            fmt::format("[softmax_cross_entropy] labels of shape {} do not fit logits of shape {}",
                        to_string(labels.shape()), to_string(logits.shape())));
    const auto weight = [&](std::size_t k) {
        return options.class_weights.empty() ? T(1) : static_cast<T>(options.class_weights[k]);
    };
    T total = 0;
    for (std::int64_t label : labels) {
        if (label == options.ignored_label) continue;
        if (label < 0 || label >= static_cast<std::int64_t>(classes))
            throw std::out_of_range(
                fmt::format("[softmax_cross_entropy] label {} is not one of {} classes", label, classes));
        total += weight(static_cast<std::size_t>(label));
    }
    if (options.reduction == Reduction::mean && total == T(0))
        throw std::invalid_argument("[softmax_cross_entropy] no row counts: every label is ignored, or of weight 0");
    const T smoothing = static_cast<T>(options.label_smoothing);
    return cross_entropy(logits, options, total, [&](std::size_t i, T* u) {
        const std::int64_t label = labels.data()[i];
        if (label == options.ignored_label) return;
        for (std::size_t k = 0; k < classes; ++k) u[k] = smoothing / static_cast<T>(classes) * weight(k);
        u[label] += (T(1) - smoothing) * weight(static_cast<std::size_t>(label));
    });
}

template <class T>
Variable<T> softmax_cross_entropy(Variable<T> logits, const std::type_identity_t<Array<T>>& probabilities,
                                  const CrossEntropyOptions& options) {
    check_options(logits, options);
    check_equal_shapes("softmax_cross_entropy", logits, probabilities.shape());
    const std::size_t classes = logits.shape().back();
    if (options.ignored_label)
        throw std::invalid_argument("[softmax_cross_entropy] rows of probabilities have no label to ignore");
    const std::size_t rows = logits.size() / classes;
    if (options.reduction == Reduction::mean && rows == 0)
        throw std::invalid_argument("[softmax_cross_entropy] there are no rows");
    const T smoothing = static_cast<T>(options.label_smoothing);
    return cross_entropy(logits, options, static_cast<T>(rows), [&](std::size_t i, T* u) {
        for (std::size_t k = 0; k < classes; ++k)
            u[k] = (probabilities.data()[i * classes + k] * (T(1) - smoothing) + smoothing / static_cast<T>(classes)) *
                   (options.class_weights.empty() ? T(1) : static_cast<T>(options.class_weights[k]));
    });
}

// z = t log(1 + exp(-x)) + (1 - t) log(1 + exp(x))     xbar += zbar * (sigmoid(x) - t)     tbar -= zbar * x
template <class T>
Variable<T> binary_cross_entropy_with_logits(Variable<T> x, Variable<T> t, Reduction reduction) {
    check_equal_shapes("binary_cross_entropy_with_logits", x, t.shape());
    return reduced(record("binary_cross_entropy_with_logits", {x, t},
                          t.value() * softplus(-x.value()) + (T(1) - t.value()) * softplus(x.value()),
                          [x, t](auto& at) {
                              at.adjoint(x) += at.zbar() * (sigmoid(at(x)) - at(t));
                              at.adjoint(t) += -at.zbar() * at(x);
                          }),
                   reduction);
}

template <class T>
Variable<T> mean_squared_error(Variable<T> prediction, Variable<T> target, Reduction reduction) {
    check_equal_shapes("mean_squared_error", prediction, target.shape());
    const Variable<T> difference = prediction - target;
    return reduced(difference * difference, reduction);
}

#define INSTANTIATE(T)                                                                                   \
    template Variable<T> softmax_cross_entropy(Variable<T>, const Indices&, const CrossEntropyOptions&); \
    template Variable<T> softmax_cross_entropy(Variable<T>, const std::type_identity_t<Array<T>>&,       \
                                               const CrossEntropyOptions&);                              \
    template Variable<T> binary_cross_entropy_with_logits(Variable<T>, Variable<T>, Reduction);          \
    template Variable<T> mean_squared_error(Variable<T>, Variable<T>, Reduction);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
