#include <fmt/format.h>
#include <algorithm>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

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

template <class T>
Variable<T> cross_entropy(Variable<T> x, const Targets<T>& given, double total, Reduction reduction) {
    Tape<T>& tape = x.tape();
    const Array<T>& logits = x.value();
    const Targets<T>* targets = Reel<T>::of(tape).arena.make(given);
    const std::span<T> losses = tape.template allocate<T>(given.rows());
    const Shape shape =
        reduction == Reduction::none ? Shape(logits.shape().begin(), logits.shape().end() - 1) : Shape{};
    const T scale = reduction == Reduction::mean ? static_cast<T>(1 / total) : T(1);
    // p = softmax(x); `losses`, which the next node takes, are written on the way
    const Variable<T> p = record("softmax", {x}, kernels::SoftmaxWithLosses<T>{logits, given, losses}, [x](auto& at) {
        at.adjoint(x) += softmax_gradient(at.z(), at.zbar(), at(x).dimension() - 1);
    });
    // z = -sum u log p     xbar += zbar * (p * sum(u) - u), which is all of x's share: the rule only reads p
    return record("softmax_cross_entropy", {x, p}, kernels::Losses<T>{losses, scale, shape},
                  [x, p, targets, scale](auto& at) { at.adjoint(x) += residual(at(p), *targets, at.zbar(), scale); });
}

/// Labels as a loss keeps them: which count, and their summed weight.
template <class T>
struct CheckedLabels {
    const Indices& labels;
    CrossEntropyOptions options;
    bool counts(std::int64_t label) const { return label != options.ignored_label; }
    /// f(label) of the rows that count, 0 of the others.
    template <class F>
    Array<T> each(F f) const {
        Array<T> values(labels.shape());
        for (std::size_t i = 0; i < labels.size(); ++i)
            values.data()[i] = counts(labels.data()[i]) ? f(labels.data()[i]) : T(0);
        return values;
    }
    T weight(std::int64_t label) const {
        return options.class_weights.empty() ? T(1)
                                             : static_cast<T>(options.class_weights[static_cast<std::size_t>(label)]);
    }
    double total = 0;  // a float counts to 2^24
};

void check_options(const char* operation, const Shape& logits, const CrossEntropyOptions& options) {
    if (logits.empty() || logits.back() == 0)
        throw std::invalid_argument(
            fmt::format("[{}] logits of shape {} have no classes", operation, to_string(logits)));
    if (!options.class_weights.empty() && options.class_weights.size() != logits.back())
        throw std::invalid_argument(fmt::format("[{}] {} class weights are given for {} classes", operation,
                                                options.class_weights.size(), logits.back()));
    for (const double weight : options.class_weights)
        if (!(weight >= 0 && std::isfinite(weight)))
            throw std::invalid_argument(
                fmt::format("[{}] a class weight is {}, but must be finite and not negative", operation, weight));
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
        throw std::invalid_argument(
            fmt::format("[{}] label smoothing {} is not between 0 and 1", operation, options.label_smoothing));
}

/// x at each row's label; of a row that does not count, any element.
template <class T>
Variable<T> at_labels(Variable<T> x, const CheckedLabels<T>& checked) {
    if (x.size() > std::numeric_limits<std::int32_t>::max())
        throw std::length_error(fmt::format("[take] an array of shape {} is too large", to_string(x.shape())));
    const Indices& labels = checked.labels;
    const std::size_t classes = x.shape().back();
    const std::span<std::int32_t> places = x.tape().template allocate<std::int32_t>(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i)
        places[i] = static_cast<std::int32_t>(i * classes) +
                    (checked.counts(labels.data()[i]) ? static_cast<std::int32_t>(labels.data()[i]) : 0);
    return take_flat(x, {places, labels.shape()});
}

/// Throws where labels do not fit logits, or one is no class.
template <class T>
CheckedLabels<T> check_labels(const char* operation, const Shape& shape, const Indices& labels,
                              const CrossEntropyOptions& options) {
    check_options(operation, shape, options);
    if (!equal_shapes(labels.shape(), ShapeView(shape).first(shape.size() - 1)))
        throw std::invalid_argument(fmt::format("[{}] labels of shape {} do not fit logits of shape {}", operation,
                                                to_string(labels.shape()), to_string(shape)));
    CheckedLabels<T> checked{labels, options};
    for (std::int64_t label : labels) {
        if (!checked.counts(label)) continue;
        if (label < 0 || label >= static_cast<std::int64_t>(shape.back()))
            throw std::out_of_range(
                fmt::format("[{}] label {} is not one of {} classes", operation, label, shape.back()));
        checked.total += static_cast<double>(checked.weight(label));
    }
    if (options.reduction == Reduction::mean && checked.total == 0)
        throw std::invalid_argument(
            fmt::format("[{}] no row counts: every label is ignored, or of weight 0", operation));
    return checked;
}

}  // namespace

// On variables.
template <class T>
Variable<T> residual(Variable<T> p, const Targets<T>& targets, Variable<T> zbar, T scale) {
    const std::size_t rows = targets.rows(), classes = targets.classes;
    BufferPool<T>& pool = *Reel<T>::of(p.tape()).pool;
    Array<T>& weights = *pool.take(Shape{rows, classes});
    if (targets.one_hot()) {
        weights.fill(T(0));
        for (std::size_t i = 0; i < rows; ++i) weights(i, targets.label(i)) = 1;
    } else {
        std::copy(targets.weights.begin(), targets.weights.end(), weights.data());
    }
    const Variable<T> u = p.tape().constant(weights), q = reshape(p, Shape{rows, classes});
    pool.give_back(&weights);
    const Variable<T> each = scale * (zbar.dimension() == 0 ? zbar : reshape(zbar, Shape{rows, 1}));
    if (targets.one_hot()) return reshape((q - u) * each, p.shape());
    const Variable<T> s = sum(u, {1}, true);
    return reshape(choose(s, (q * s - u) * each, T(0)), p.shape());
}

FACTS("softmax_cross_entropy", "-s * sum(t * log(p)), p = softmax(x), s = 1 or 1 / rows",
      "xbar += zbar * s * (p * sum(t) - t)", {}, {}, "x p");
template <class T>
Variable<T> softmax_cross_entropy(Variable<T> logits, const Indices& labels, const CrossEntropyOptions& options) {
    const CheckedLabels<T> checked = check_labels<T>("softmax_cross_entropy", logits.shape(), labels, options);
    const std::size_t classes = logits.shape().back();
    Targets<T> targets{{}, {}, classes};
    if (options.class_weights.empty() && options.label_smoothing == 0 && !options.ignored_label) {
        targets.labels = logits.tape().store(std::span<const std::int64_t>(labels.data(), labels.size()));
    } else {
        const T smoothing = static_cast<T>(options.label_smoothing);
        const std::span<T> weights = logits.tape().template allocate<T>(logits.size());
        std::fill(weights.begin(), weights.end(), T(0));
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const std::int64_t label = labels.data()[i];
            if (!checked.counts(label)) continue;
            T* u = weights.data() + i * classes;
            for (std::size_t k = 0; k < classes; ++k)
                u[k] = smoothing / static_cast<T>(classes) * checked.weight(static_cast<std::int64_t>(k));
            u[label] += (T(1) - smoothing) * checked.weight(label);
        }
        targets.weights = weights;
    }
    return cross_entropy(logits, targets, checked.total, options.reduction);
}
UNARY(softmax_cross_entropy, const Indices&, const CrossEntropyOptions&);

template <class T>
Variable<T> softmax_cross_entropy(Variable<T> logits, const std::type_identity_t<Array<T>>& probabilities,
                                  const CrossEntropyOptions& options) {
    check_options("softmax_cross_entropy", logits.shape(), options);
    check_equal_shapes("softmax_cross_entropy", logits, probabilities.shape());
    if (options.ignored_label)
        throw std::invalid_argument("[softmax_cross_entropy] rows of probabilities have no label to ignore");
    const std::size_t classes = logits.shape().back(), rows = logits.size() / classes;
    if (options.reduction == Reduction::mean && rows == 0)
        throw std::invalid_argument("[softmax_cross_entropy] there are no rows");
    for (const T probability : probabilities)
        if (probability < 0)
            throw std::invalid_argument(
                fmt::format("[softmax_cross_entropy] a probability is {}: it cannot be negative", probability));
    const T smoothing = static_cast<T>(options.label_smoothing);
    const std::span<T> weights = logits.tape().template allocate<T>(logits.size());
    for (std::size_t i = 0; i < weights.size(); ++i)
        weights[i] = (probabilities.data()[i] * (T(1) - smoothing) + smoothing / static_cast<T>(classes)) *
                     (options.class_weights.empty() ? T(1) : static_cast<T>(options.class_weights[i % classes]));
    return cross_entropy(logits, Targets<T>{{}, weights, classes}, static_cast<double>(rows), options.reduction);
}

FACTS("binary_cross_entropy_with_logits", "t * log(1 + exp(-x)) + (1 - t) * log(1 + exp(x))",
      "xbar += zbar * (sigmoid(x) - t); tbar += -zbar * x", {}, {}, "x t");
template <class T>
Variable<T> binary_cross_entropy_with_logits(Variable<T> x, Variable<T> t, Reduction reduction) {
    check_equal_shapes("binary_cross_entropy_with_logits", x, t.shape());
    return reduced(record("binary_cross_entropy_with_logits", {x, t},
                          softplus(-abs(x.value())) +
                              choose(T(1) - t.value(), (T(1) - t.value()) * gate(x.value(), x.value()), T(0)) +
                              choose(t.value(), t.value() * gate(-x.value(), -x.value()), T(0)),
                          [x, t](auto& at) {
                              at.adjoint(x) += at.zbar() * (sigmoid(at(x)) - at(t));
                              at.adjoint(t) += -at.zbar() * at(x);
                          }),
                   reduction);
}
BINARY(binary_cross_entropy_with_logits, Reduction);

template <class T>
Variable<T> mean_squared_error(Variable<T> prediction, Variable<T> target, Reduction reduction) {
    check_equal_shapes("mean_squared_error", prediction, target.shape());
    const Variable<T> difference = prediction - target;
    return reduced(difference * difference, reduction);
}
BINARY(mean_squared_error, Reduction);

template <class T>
Variable<T> mean_absolute_error(Variable<T> prediction, Variable<T> target, Reduction reduction) {
    check_equal_shapes("mean_absolute_error", prediction, target.shape());
    return reduced(abs(prediction - target), reduction);
}
BINARY(mean_absolute_error, Reduction);

// With c = min(max(e, -delta), delta) it is c * (e - c / 2): e^2 / 2 inside, delta * (|e| - delta / 2) outside.
template <class T>
Variable<T> huber_loss(Variable<T> prediction, Variable<T> target, Reduction reduction, std::type_identity_t<T> delta) {
    check_equal_shapes("huber_loss", prediction, target.shape());
    if (!(delta > 0)) throw std::invalid_argument(fmt::format("[huber_loss] delta is {}, but must be positive", delta));
    const Variable<T> e = prediction - target, c = clip(e, -delta, delta);
    return reduced(c * (e - c / T(2)), reduction);
}

FACTS("hinge_loss", "max(1 - y * x, 0)", "xbar += -zbar * y * [1 - y * x > 0]; ybar += -zbar * x * [1 - y * x > 0]");
template <class T>
Variable<T> hinge_loss(Variable<T> x, Variable<T> y, Reduction reduction, std::type_identity_t<T> margin) {
    check_equal_shapes("hinge_loss", x, y.shape());
    const auto missing = margin - y.value() * x.value();
    return reduced(record("hinge_loss", {x, y}, gate(missing, missing),
                          [x, y, margin](auto& at) {
                              const auto& by = at.evaluate(margin - at(y) * at(x));
                              at.adjoint(x) += gate(-at.zbar() * at(y), by);
                              at.adjoint(y) += gate(-at.zbar() * at(x), by);
                          }),
                   reduction);
}

template <class T>
Variable<T> hinge_loss(Variable<T> scores, const Indices& labels, Reduction reduction, std::type_identity_t<T> margin) {
    const CheckedLabels<T> checked = check_labels<T>("hinge_loss", scores.shape(), labels, {.reduction = reduction});
    const Shape& shape = scores.shape();
    BufferPool<T>& pool = *Reel<T>::of(scores.tape()).pool;
    Array<T>& array = *pool.take(shape);
    array.fill(T(1));
    const std::size_t classes = shape.back();
    for (std::size_t i = 0; i < labels.size(); ++i)
        array.data()[i * classes + static_cast<std::size_t>(labels.data()[i])] = T(0);
    const Variable<T> others = scores.tape().constant(array);
    pool.give_back(&array);
    Shape one = shape;
    one.back() = 1;
    const Variable<T> own = reshape(at_labels(scores, checked), one);
    const Variable<T> each = choose(others, relu(margin - (own - scores)), T(0));
    return reduced(sum(each, Axes{-1}) / static_cast<T>(classes), reduction);
}

template <class T>
Variable<T> negative_log_likelihood(Variable<T> x, const Indices& labels, const CrossEntropyOptions& options) {
    const CheckedLabels<T> checked = check_labels<T>("negative_log_likelihood", x.shape(), labels, options);
    if (options.label_smoothing != 0)
        throw std::invalid_argument(
            "[negative_log_likelihood] labels cannot be smoothed: softmax_cross_entropy does that");
    Variable<T> losses = -at_labels(x, checked);
    if (!options.class_weights.empty())
        losses = losses * checked.each([&](std::int64_t k) { return checked.weight(k); });
    if (options.ignored_label)
        losses = choose(x.tape().constant(checked.each([](std::int64_t) { return T(1); })), losses, T(0));
    return options.reduction == Reduction::mean ? sum(losses) / static_cast<T>(checked.total)
                                                : reduced(losses, options.reduction);
}

FACTS("kl_divergence", "y * (log(y) - x)", "xbar += -zbar * y; ybar += zbar * (log(y) + 1 - x)");
template <class T>
Variable<T> kl_divergence(Variable<T> x, Variable<T> y, Reduction reduction) {
    check_equal_shapes("kl_divergence", x, y.shape());
    if (x.dimension() == 0) throw std::invalid_argument("[kl_divergence] a scalar is no row of probabilities");
    const Variable<T> each = record(
        "kl_divergence", {x, y}, choose(y.value(), y.value() * (log(y.value()) - x.value()), T(0)), [x, y](auto& at) {
            at.adjoint(x) += -at.zbar() * at(y);
            at.adjoint(y) += at.zbar() * (log(at(y)) + T(1) - at(x));
        });
    return reduced(sum(each, Axes{-1}), reduction);
}
BINARY(kl_divergence, Reduction);

#define INSTANTIATE(T)                                                                             \
    template Variable<T> huber_loss(Variable<T>, Variable<T>, Reduction, std::type_identity_t<T>); \
    template Variable<T> hinge_loss(Variable<T>, Variable<T>, Reduction, std::type_identity_t<T>); \
    template Variable<T> hinge_loss(Variable<T>, const Indices&, Reduction, std::type_identity_t<T>);
INSTANTIATE(float)
INSTANTIATE(double)
UNARY(negative_log_likelihood, const Indices&, const CrossEntropyOptions&);
template Variable<float> residual(Variable<float>, const Targets<float>&, Variable<float>, float);
template Variable<double> residual(Variable<double>, const Targets<double>&, Variable<double>, double);
template Variable<float> softmax_cross_entropy(Variable<float>, const std::type_identity_t<Array<float>>&,
                                               const CrossEntropyOptions&);
template Variable<double> softmax_cross_entropy(Variable<double>, const std::type_identity_t<Array<double>>&,
                                                const CrossEntropyOptions&);

FACTS_OF_THIS_FILE(facts_of_losses)

}  // namespace autograd
