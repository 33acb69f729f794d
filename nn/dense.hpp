#pragma once

#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <nn/initializers.hpp>
#include <random>
#include <vector>

namespace nn {

/// A fully connected layer: x (..., in) -> x @ transpose(weight) + bias, of shape (..., out).
///
/// The bias starts at zero. Copies share the parameters, which are handles.
template <class T>
class Dense {
  public:
    /// Throws `std::invalid_argument` for a width of 0.
    Dense(std::size_t in, std::size_t out, std::mt19937_64& engine, bool bias = true,
          Initializer<T> initializer = glorot_uniform<T>);

    autograd::Parameter<T> weight;  ///< (out, in)
    autograd::Parameter<T> bias;    ///< (out,), or (0,) for a layer without a bias

    bool has_bias() const { return bias.value().size() != 0; }

    /// Records the layer on x's tape. Throws `std::invalid_argument` unless x has two axes or more, and `in` columns.
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

    /// The weight, and the bias where there is one.
    std::vector<autograd::Parameter<T>> parameters() const;
};

extern template class Dense<float>;
extern template class Dense<double>;

}  // namespace nn
