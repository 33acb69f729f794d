#include <fmt/format.h>
#include <algorithm>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
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
Variable<T> cross_entropy(Variable<T> x, const Targets<T>& given, T total, Reduction reduction) {
    Tape<T>& tape = x.tape();
    const Array<T>& logits = x.value();
    const Targets<T>* targets = Reel<T>::of(tape).arena.make(given);
    const std::span<T> losses = tape.template allocate<T>(given.rows());
    const Shape shape =
        reduction == Reduction::none ? Shape(logits.shape().begin(), logits.shape().end() - 1) : Shape{};
    const T scale = reduction == Reduction::mean ? T(1) / total : T(1);
    // p = softmax(x); `losses`, which the next node takes, are written on the way
    const Variable<T> p = record("softmax", {x}, kernels::SoftmaxWithLosses<T>{logits, given, losses}, [x](auto& at) {
        at.adjoint(x) += softmax_gradient(at.z(), at.zbar(), at(x).dimension() - 1);
    });
    // z = -sum u log p     xbar += zbar * (p * sum(u) - u), which is all of x's share: the rule only reads p
    return record("softmax_cross_entropy", {x, p}, kernels::Losses<T>{losses, scale, shape},
                  [x, p, targets, scale](auto& at) { at.adjoint(x) += residual(at(p), *targets, at.zbar(), scale); });
}

void check_options(const Shape& logits, const CrossEntropyOptions& options) {
    if (logits.empty() || logits.back() == 0)
        throw std::invalid_argument(
            fmt::format("[softmax_cross_entropy] logits of shape {} have no classes", to_string(logits)));
    if (!options.class_weights.empty() && options.class_weights.size() != logits.back())
        throw std::invalid_argument(fmt::format("[softmax_cross_entropy] {} class weights are given for {} classes",
                                                options.class_weights.size(), logits.back()));
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
        throw std::invalid_argument(
            fmt::format("[softmax_cross_entropy] label smoothing {} is not between 0 and 1", options.label_smoothing));
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

FACTS("softmax_cross_entropy", "-sum(t * log(p)), p = softmax(x)", "xbar += zbar * (p * sum(t) - t)");
template <class T>
Variable<T> softmax_cross_entropy(Variable<T> logits, const Indices& labels, const CrossEntropyOptions& options) {
    const Shape& shape = logits.shape();
    check_options(shape, options);
    const std::size_t classes = shape.back();
    if (!equal_shapes(labels.shape(), ShapeView(shape).first(shape.size() - 1)))
        throw std::invalid_argument(
            fmt::format("[softmax_cross_entropy] labels of shape {} do not fit logits of shape {}",
                        to_string(labels.shape()), to_string(shape)));
    const auto weight = [&](std::int64_t k) {
        return options.class_weights.empty() ? T(1)
                                             : static_cast<T>(options.class_weights[static_cast<std::size_t>(k)]);
    };
    T total = 0;
    for (std::int64_t label : labels) {
        if (label == options.ignored_label) continue;
        if (label < 0 || label >= static_cast<std::int64_t>(classes))
            throw std::out_of_range(
                fmt::format("[softmax_cross_entropy] label {} is not one of {} classes", label, classes));
        total += weight(label);
    }
    if (options.reduction == Reduction::mean && total == T(0))
        throw std::invalid_argument("[softmax_cross_entropy] no row counts: every label is ignored, or of weight 0");

    Targets<T> targets{{}, {}, classes};
    if (options.class_weights.empty() && options.label_smoothing == 0 && !options.ignored_label) {
        targets.labels = logits.tape().store(std::span<const std::int64_t>(labels.data(), labels.size()));
    } else {
        const T smoothing = static_cast<T>(options.label_smoothing);
        const std::span<T> weights = logits.tape().template allocate<T>(logits.size());
        std::fill(weights.begin(), weights.end(), T(0));
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const std::int64_t label = labels.data()[i];
            if (label == options.ignored_label) continue;
            T* u = weights.data() + i * classes;
            for (std::size_t k = 0; k < classes; ++k)
                u[k] = smoothing / static_cast<T>(classes) * weight(static_cast<std::int64_t>(k));
            u[label] += (T(1) - smoothing) * weight(label);
        }
        targets.weights = weights;
    }
    return cross_entropy(logits, targets, total, options.reduction);
}
UNARY(softmax_cross_entropy, const Indices&, const CrossEntropyOptions&);

template <class T>
Variable<T> softmax_cross_entropy(Variable<T> logits, const std::type_identity_t<Array<T>>& probabilities,
                                  const CrossEntropyOptions& options) {
    check_options(logits.shape(), options);
    check_equal_shapes("softmax_cross_entropy", logits, probabilities.shape());
    if (options.ignored_label)
        throw std::invalid_argument("[softmax_cross_entropy] rows of probabilities have no label to ignore");
    const std::size_t classes = logits.shape().back(), rows = logits.size() / classes;
    if (options.reduction == Reduction::mean && rows == 0)
        throw std::invalid_argument("[softmax_cross_entropy] there are no rows");
    const T smoothing = static_cast<T>(options.label_smoothing);
    const std::span<T> weights = logits.tape().template allocate<T>(logits.size());
    for (std::size_t i = 0; i < weights.size(); ++i)
        weights[i] = (probabilities.data()[i] * (T(1) - smoothing) + smoothing / static_cast<T>(classes)) *
                     (options.class_weights.empty() ? T(1) : static_cast<T>(options.class_weights[i % classes]));
    return cross_entropy(logits, Targets<T>{{}, weights, classes}, static_cast<T>(rows), options.reduction);
}

FACTS("binary_cross_entropy_with_logits", "t * log(1 + exp(-x)) + (1 - t) * log(1 + exp(x))",
      "xbar += zbar * (sigmoid(x) - t); tbar += -zbar * x");
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

template Variable<float> residual(Variable<float>, const Targets<float>&, Variable<float>, float);
template Variable<double> residual(Variable<double>, const Targets<double>&, Variable<double>, double);
template Variable<float> softmax_cross_entropy(Variable<float>, const std::type_identity_t<Array<float>>&,
                                               const CrossEntropyOptions&);
template Variable<double> softmax_cross_entropy(Variable<double>, const std::type_identity_t<Array<double>>&,
                                                const CrossEntropyOptions&);

FACTS_OF_THIS_FILE(facts_of_losses)

}  // namespace autograd
