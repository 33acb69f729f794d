#pragma once

#include <autograd/array.hpp>
#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <nn/dense.hpp>
#include <optional>
#include <random>
#include <vector>

namespace nn {

struct AttentionOptions {
    bool causal = false;  ///< a place sees itself and those before it only
    bool bias = true;
};

/// softmax(q @ transpose(k) / sqrt(width / heads)) @ v for each of some heads, which share out the width (Vaswani et
/// al., 2017): q, k and v are products of `query`, `key` and `value`, (n, places, width) each, with the three parts of
/// `in_proj_weight`; what the heads see, side by side, goes through `out_proj`.
///
/// A place that sees nothing gets 0. Biases start at zero. Copies share the parameters.
template <class T>
class MultiHeadAttention {
  public:
    /// Throws `std::invalid_argument` where the heads do not divide the width.
    MultiHeadAttention(std::size_t width, std::size_t heads, std::mt19937_64& engine, AttentionOptions options = {});

    autograd::Parameter<T> in_proj_weight;  ///< (3 * width, width): those of q, k and v
    autograd::Parameter<T> in_proj_bias;    ///< (3 * width,), or (0,) for a layer without a bias
    Dense<T> out_proj;

    /// Of a sequence to itself.
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const { return (*this)(x, x, x); }

    /// (n, places, width) of `query`. `lengths` (n,) are those of the keys' sequences: nobody sees what stands behind,
    /// which are any finite numbers.
    /// Throws `std::invalid_argument` where shapes do not fit, and `std::out_of_range` for a length that is not from 0
    /// to the number of the key's places.
    autograd::Variable<T> operator()(const autograd::Variable<T>& query, const autograd::Variable<T>& key,
                                     const autograd::Variable<T>& value,
                                     const std::optional<autograd::Indices>& lengths = {}) const;

    std::vector<autograd::Parameter<T>> parameters() const;

    std::size_t heads() const { return heads_; }
    const AttentionOptions& options() const { return options_; }

  private:
    std::size_t heads_;
    AttentionOptions options_;
};

extern template class MultiHeadAttention<float>;
extern template class MultiHeadAttention<double>;

}  // namespace nn
