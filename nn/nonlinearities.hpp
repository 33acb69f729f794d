// Elementwise functions as layers of their own, and softmax. Where nothing is chosen, a function is a layer, too:
// `nn::Sequential<float>(..., autograd::relu<float>, ...)`.
#pragma once

#include <autograd/variable.hpp>
#include <cstddef>

namespace nn {

/// x * Phi(x), Phi being the normal distribution's: (1 + erf(x / sqrt(2))) / 2.
template <class T>
struct Gelu {
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
};

/// x * sigmoid(x).
template <class T>
struct Silu {
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
};

/// x where x > 0, else slope * x.
template <class T>
struct LeakyRelu {
    T slope = T(0.01);
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
};

/// x where x > 0, else alpha * (exp(x) - 1).
template <class T>
struct Elu {
    T alpha = 1;
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
};

/// exp(x) / sum(exp(x)) along an axis. (`softmax_cross_entropy` takes what comes before it.)
template <class T>
struct Softmax {
    std::ptrdiff_t axis = -1;
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
};

}  // namespace nn
