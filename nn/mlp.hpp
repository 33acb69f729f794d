#pragma once

#include <nn/layers.hpp>
#include <random>
#include <vector>

namespace nn {

/// A multilayer perceptron: Dense, activation, ..., Dense. widths {64, 32, 10} maps (n, 64) to (n, 10) through one
/// hidden layer of 32; the last layer has no activation, as the losses take logits.
///
/// Layers before an activation of relu's kind start from `he_uniform`, others from `glorot_uniform`.
template <class T>
class Mlp : public Sequential<T> {
  public:
    /// Throws `std::invalid_argument` for fewer than two widths or a width of 0.
    Mlp(std::vector<std::size_t> widths, ActivationKind activation, std::mt19937_64& engine);

    const std::vector<std::size_t>& widths() const { return widths_; }
    ActivationKind activation() const { return activation_; }

  private:
    std::vector<std::size_t> widths_;
    ActivationKind activation_;
};

extern template class Mlp<float>;
extern template class Mlp<double>;

}  // namespace nn
