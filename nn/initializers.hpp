// The values that weights start from. Numbers are made from the engine's bits here, not by the distributions of
// <random>, whose results differ between standard libraries; an engine's seed therefore fixes a model.
#pragma once

#include <autograd/array.hpp>
#include <random>

namespace nn {

/// A uniform number in [0, 1): the upper 53 bits of one draw.
double uniform(std::mt19937_64& engine);

/// A number of the standard normal distribution (Marsaglia's polar method).
double normal(std::mt19937_64& engine);

/// Makes a weight of shape (out, in). All throw `std::invalid_argument` for another dimension or a width of 0.
template <class T>
using Initializer = autograd::Array<T> (*)(const autograd::Shape& shape, std::mt19937_64& engine);

/// Uniform in ±sqrt(6 / (in + out)): keeps the variance through layers with tanh or sigmoid (Glorot and Bengio, 2010).
template <class T>
autograd::Array<T> glorot_uniform(const autograd::Shape& shape, std::mt19937_64& engine);

/// Normal with the standard deviation sqrt(2 / (in + out)).
template <class T>
autograd::Array<T> glorot_normal(const autograd::Shape& shape, std::mt19937_64& engine);

/// Uniform in ±sqrt(6 / in): keeps the variance through layers with relu (He et al., 2015).
template <class T>
autograd::Array<T> he_uniform(const autograd::Shape& shape, std::mt19937_64& engine);

/// Normal with the standard deviation sqrt(2 / in).
template <class T>
autograd::Array<T> he_normal(const autograd::Shape& shape, std::mt19937_64& engine);

}  // namespace nn
