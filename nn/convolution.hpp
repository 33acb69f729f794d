#pragma once

#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <autograd/window.hpp>
#include <nn/initializers.hpp>
#include <random>
#include <vector>

namespace nn {

/// A convolution of images: x (n, in, height, width) to (n, out, places down, places across),
///
///     z[n, o, i, j] = sum_{c, k, l} weight[o, c, k, l] * x[n, c, i * stride + k * dilation - padding, ...] + bias[o],
///
/// x being 0 outside: the product of the weight and `autograd::unfold(x)`. In groups, every output sees the inputs of
/// its own group only.
///
///     nn::Conv2d<float>(3, 16, 3, engine, {.padding = 1})
///
/// The bias starts at zero. Copies share the parameters, which are handles.
template <class T>
class Conv2d {
  public:
    /// Throws `std::invalid_argument` where a length is 0, or the groups do not divide `in` and `out`.
    Conv2d(std::size_t in, std::size_t out, autograd::Extent kernel, std::mt19937_64& engine,
           autograd::Conv2dOptions options = {}, bool bias = true, Initializer<T> initializer = he_uniform<T>);

    autograd::Parameter<T> weight;  ///< (out, in / groups, kernel height, kernel width)
    autograd::Parameter<T> bias;    ///< (out,), or (0,) for a layer without a bias

    const autograd::Conv2dOptions& options() const { return options_; }
    bool has_bias() const { return bias.value().size() != 0; }

    /// Records the layer on x's tape. Throws `std::invalid_argument` where x does not fit the weight or the window.
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

    /// The weight, and the bias where there is one.
    std::vector<autograd::Parameter<T>> parameters() const;

  private:
    autograd::Conv2dOptions options_;
};

extern template class Conv2d<float>;
extern template class Conv2d<double>;

}  // namespace nn
