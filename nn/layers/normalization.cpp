#include <fmt/format.h>

#include <algorithm>
#include <autograd/operations.hpp>
#include <cmath>
#include <nn/layers/masks.hpp>
#include <nn/normalization.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Axes;
using autograd::Parameter;
using autograd::Shape;
using autograd::ShapeView;
using autograd::Variable;

namespace {

/// All axes but the second, for an array of two axes or more.
const Axes& all_but_features(std::size_t dimension) {
    static const Axes axes[] = {{0}, {0, 2}, {0, 2, 3}};
    return axes[dimension - 2];
}

/// (features,) seen as (features, 1, ...), which broadcasts to x.
template <class T>
Variable<T> per_feature(const Variable<T>& row, const Variable<T>& x) {
    Shape shape{row.size()};
    for (std::size_t i = 2; i < x.dimension(); ++i) shape.push_back(1);
    return reshape(row, shape);
}

/// statistic += momentum * (factor * batch - statistic)
template <class T>
void move_towards(const Parameter<T>& statistic, const Array<T>& batch, T momentum, T factor) {
    Parameter<T>(statistic).edit([&](Array<T>& value) {
        for (std::size_t i = 0; i < value.size(); ++i)
            value.data()[i] = (T(1) - momentum) * value.data()[i] + momentum * (factor * batch.data()[i]);
    });
}

/// Of numbers whose squares overflow each would be divided by infinity, and come out as 0.
template <class T>
Variable<T> without_overflow(const char* layer, const Variable<T>& x, const Variable<T>& squares) {
    if (std::ranges::any_of(squares.value(), [](T square) { return std::isinf(square); }))
        throw std::overflow_error(
            fmt::format("[{}] the squares of an input of shape {} overflow: its numbers are too large", layer,
                        autograd::to_string(x.shape())));
    return squares;
}

template <class T>
Array<T> filled(const char* layer, const Shape& shape, T value) {
    autograd::checked_size(layer, shape);
    return Array<T>(shape, value);
}

void check_row(const char* layer, const Shape& shape) {
    if (shape.empty() || autograd::size_of(shape) == 0)
        throw std::invalid_argument(fmt::format("[{}] it needs the shape of one axis or more, each at least 1, not {}",
                                                layer, autograd::to_string(shape)));
}

Axes last_axes(const char* layer, const Shape& shape) {
    check_row(layer, shape);
    Axes axes;
    for (std::size_t i = shape.size(); i > 0; --i) axes.push_back(-static_cast<std::ptrdiff_t>(i));
    return axes;
}

template <class T>
T checked_epsilon(const char* layer, double epsilon) {
    if (!(epsilon >= 0))
        throw std::invalid_argument(fmt::format("[{}] epsilon is {}, but cannot be negative", layer, epsilon));
    return static_cast<T>(epsilon);
}

template <class T>
void check_last_axes(const char* layer, const Variable<T>& x, const Shape& shape) {
    const ShapeView own = x.shape();
    if (own.size() < shape.size() || !autograd::equal_shapes(own.subspan(own.size() - shape.size()), shape))
        throw std::invalid_argument(fmt::format("[{}] the input has shape {}, but its last axes must have the shape {}",
                                                layer, autograd::to_string(own), autograd::to_string(shape)));
}

}  // namespace

template <class T>
BatchNorm<T>::BatchNorm(std::size_t features, BatchNormOptions options)
    : weight("weight", filled("batch_norm", Shape{options.affine ? features : 0}, T(1))),
      bias("bias", filled("batch_norm", Shape{options.affine ? features : 0}, T(0))),
      running_mean(Parameter<T>::buffer("running_mean", filled("batch_norm", Shape{features}, T(0)))),
      running_var(Parameter<T>::buffer("running_var", filled("batch_norm", Shape{features}, T(1)))),
      options_(options) {
    if (features == 0 || !(options.epsilon >= 0) || !(options.momentum >= 0 && options.momentum <= 1))
        throw std::invalid_argument(
            fmt::format("[batch_norm] {} features, an epsilon of {} and a momentum of {}: there is at least one "
                        "feature, epsilon is not negative, and the momentum is between 0 and 1",
                        features, options.epsilon, options.momentum));
}

template <class T>
Variable<T> BatchNorm<T>::centred(const Variable<T>& x, Variable<T>& variance) const {
    autograd::Tape<T>& tape = x.tape();
    if (!switch_.trains(tape)) {
        variance = per_feature(tape.constant(running_var.value()), x);
        return x - per_feature(tape.constant(running_mean.value()), x);
    }
    const std::size_t features = running_mean.value().size(), count = x.size() / features;
    if (count < 2)
        throw std::invalid_argument(fmt::format(
            "[batch_norm] an input of shape {} has {} number of each feature, and in training two are needed",
            autograd::to_string(x.shape()), count));
    const Axes& axes = all_but_features(x.dimension());
    const Variable<T> average = mean(x, axes, true), d = x - average;
    variance = without_overflow("batch_norm", d, mean(d * d, axes, true));
    const T momentum = static_cast<T>(options_.momentum), n = static_cast<T>(count);
    move_towards(running_mean, average.value(), momentum, T(1));
    move_towards(running_var, variance.value(), momentum, n / (n - 1));
    return d;
}

template <class T>
Variable<T> BatchNorm<T>::operator()(const Variable<T>& x) const {
    if (x.dimension() < 2 || x.dimension() > 4 || x.shape()[1] != running_mean.value().size())
        throw std::invalid_argument(fmt::format(
            "[batch_norm] the input has shape {}, but {} features need (n, {}), with a length or an image behind it",
            autograd::to_string(x.shape()), running_mean.value().size(), running_mean.value().size()));
    Variable<T> variance;
    const Variable<T> d = centred(x, variance), deviation = sqrt(variance + static_cast<T>(options_.epsilon));
    if (!options_.affine) return d / deviation;
    autograd::Tape<T>& tape = x.tape();
    return d * (per_feature(tape.watch(weight), x) / deviation) + per_feature(tape.watch(bias), x);
}

template <class T>
std::vector<Parameter<T>> BatchNorm<T>::parameters() const {
    if (options_.affine) return {weight, bias, running_mean, running_var};
    return {running_mean, running_var};
}

template <class T>
LayerNorm<T>::LayerNorm(Shape shape, double epsilon, bool with_bias)
    : weight("weight", filled("layer_norm", shape, T(1))),
      bias("bias", filled("layer_norm", with_bias ? shape : Shape{0}, T(0))),
      epsilon_(checked_epsilon<T>("layer_norm", epsilon)),
      has_bias_(with_bias) {
    check_row("layer_norm", shape);
}

template <class T>
Variable<T> LayerNorm<T>::operator()(const Variable<T>& x) const {
    check_last_axes("layer_norm", x, weight.shape());
    autograd::Tape<T>& tape = x.tape();
    const Variable<T> w = tape.watch(weight);
    return layer_norm(x, w,
                      has_bias_ ? tape.watch(bias) : filled(tape, w.shape(), [](Array<T>& zeros) { zeros.fill(T(0)); }),
                      epsilon_);
}

template <class T>
std::vector<Parameter<T>> LayerNorm<T>::parameters() const {
    if (has_bias_) return {weight, bias};
    return {weight};
}

template <class T>
RmsNorm<T>::RmsNorm(Shape shape, double epsilon)
    : weight("weight", filled("rms_norm", shape, T(1))),
      epsilon_(checked_epsilon<T>("rms_norm", epsilon)),
      axes_(last_axes("rms_norm", shape)) {}

template <class T>
Variable<T> RmsNorm<T>::operator()(const Variable<T>& x) const {
    check_last_axes("rms_norm", x, weight.shape());
    return x / sqrt(without_overflow("rms_norm", x, mean(x * x, axes_, true)) + epsilon_) * x.tape().watch(weight);
}

template class BatchNorm<float>;
template class BatchNorm<double>;
template class LayerNorm<float>;
template class LayerNorm<double>;
template class RmsNorm<float>;
template class RmsNorm<double>;

}  // namespace nn
