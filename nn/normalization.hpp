// Layers that bring numbers to mean 0 and variance 1, then scale and shift them by what is learned. An input whose
// squares overflow throws `std::overflow_error`: divided by infinity, it would become 0.
#pragma once

#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <concepts>
#include <limits>
#include <nn/mode.hpp>
#include <vector>

namespace nn {

struct BatchNormOptions {
    double epsilon = 1e-5;
    double momentum = 0.1;  ///< how much of a running statistic each batch replaces
    bool affine = true;     ///< with a weight and a bias
};

/// z = (x - mean) / sqrt(variance + epsilon) * weight + bias for each feature, the second axis of x: (n, features), (n,
/// features, length), or images (n, channels, height, width).
///
/// In training, mean and variance are the batch's, the latter divided by their number; and the running statistics,
///
///     running_mean = (1 - momentum) * running_mean + momentum * mean,
///
/// running_var likewise with the variance divided by one less, move towards them. In evaluation they are the running
/// statistics. Which of the two it is must be said: `TrainingSwitch`.
///
/// Copies share the parameters and the switch.
template <class T>
class BatchNorm {
  public:
    /// Throws `std::invalid_argument` for no features, an epsilon below 0, or a momentum outside 0 ... 1.
    explicit BatchNorm(std::size_t features, BatchNormOptions options = {});

    autograd::Parameter<T> weight, bias;               ///< (features,), from 1 and 0; (0,) each without `affine`
    autograd::Parameter<T> running_mean, running_var;  ///< (features,), from 0 and 1: saved, not trained

    void train(bool on) { switch_.train(on); }
    bool training() const { return switch_.training(); }

    /// Throws `std::invalid_argument` where x has other features, and in training where it has one number of each.
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

    /// The weight and the bias, where there are, and the running statistics.
    std::vector<autograd::Parameter<T>> parameters() const;

    const BatchNormOptions& options() const { return options_; }

  private:
    autograd::Variable<T> centred(const autograd::Variable<T>& x, autograd::Variable<T>& variance) const;

    BatchNormOptions options_;
    TrainingSwitch switch_{"batch_norm"};
};

/// z = (x - mean) / sqrt(variance + epsilon) * weight + bias, with mean and variance over the last axes of x, one
/// example at a time.
template <class T>
class LayerNorm {
  public:
    /// `shape` is that of the last axes: `LayerNorm<float>({64})`. Throws `std::invalid_argument` where it is empty.
    explicit LayerNorm(autograd::Shape shape, double epsilon = 1e-5, bool bias = true);
    LayerNorm(autograd::Shape shape, std::same_as<bool> auto) = delete;  // no epsilon: it stands before the bias

    autograd::Parameter<T> weight;  ///< of that shape, from 1
    autograd::Parameter<T> bias;    ///< from 0, or (0,) for a layer without a bias

    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
    std::vector<autograd::Parameter<T>> parameters() const;

    T epsilon() const { return epsilon_; }
    bool has_bias() const { return has_bias_; }

  private:
    T epsilon_;
    bool has_bias_;
};

/// z = x / sqrt(mean(x^2) + epsilon) * weight over the last axes of x, one example at a time (Zhang and Sennrich,
/// 2019).
template <class T>
class RmsNorm {
  public:
    /// As for `LayerNorm`.
    explicit RmsNorm(autograd::Shape shape, double epsilon = std::numeric_limits<T>::epsilon());

    autograd::Parameter<T> weight;  ///< of that shape, from 1

    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
    std::vector<autograd::Parameter<T>> parameters() const { return {weight}; }

    T epsilon() const { return epsilon_; }

  private:
    T epsilon_;
    std::vector<std::ptrdiff_t> axes_;
};

extern template class BatchNorm<float>;
extern template class BatchNorm<double>;
extern template class LayerNorm<float>;
extern template class LayerNorm<double>;
extern template class RmsNorm<float>;
extern template class RmsNorm<double>;

}  // namespace nn
