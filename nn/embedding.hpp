#pragma once

#include <autograd/array.hpp>
#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <random>
#include <vector>

namespace nn {

/// A row of numbers for each word of a vocabulary: z[..., :] = weight[x[...], :].
///
/// The weight starts from the standard normal distribution. Copies share it.
template <class T>
class Embedding {
  public:
    /// Throws `std::invalid_argument` for a length of 0.
    Embedding(std::size_t words, std::size_t width, std::mt19937_64& engine);

    autograd::Parameter<T> weight;  ///< (words, width)

    /// Throws `std::out_of_range` for a word that is not from 0 to `words` - 1.
    autograd::Variable<T> operator()(autograd::Tape<T>& tape, const autograd::Indices& words) const;

    /// The same for words that are given as numbers, so that it may stand first in a `Sequential`. Throws
    /// `std::invalid_argument` for one that is not whole.
    autograd::Variable<T> operator()(const autograd::Variable<T>& words) const;

    std::vector<autograd::Parameter<T>> parameters() const { return {weight}; }
};

extern template class Embedding<float>;
extern template class Embedding<double>;

}  // namespace nn
