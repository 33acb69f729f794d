// Layers without weights that make images smaller: x is (n, channels, height, width).
#pragma once

#include <autograd/variable.hpp>
#include <autograd/window.hpp>
#include <optional>

namespace nn {

/// z[n, c, i, j] is the largest number that the window sees at place (i, j) of channel c; its gradient goes to the
/// first of tied ones. The stride is the kernel unless it is given; padding is never the largest.
template <class T>
class MaxPool2d {
  public:
    explicit MaxPool2d(autograd::Extent kernel, std::optional<autograd::Extent> stride = {},
                       autograd::Extent padding = 0, autograd::Extent dilation = 1)
        : window_{kernel, stride.value_or(kernel), padding, dilation} {}
    const autograd::Window& window() const { return window_; }
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

  private:
    autograd::Window window_;
};

/// z[n, c, i, j] is the mean of what the window sees at place (i, j) of channel c, the padding's zeros included. The
/// stride is the kernel unless it is given.
template <class T>
class AvgPool2d {
  public:
    explicit AvgPool2d(autograd::Extent kernel, std::optional<autograd::Extent> stride = {},
                       autograd::Extent padding = 0)
        : window_{kernel, stride.value_or(kernel), padding, 1} {}
    const autograd::Window& window() const { return window_; }
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

  private:
    autograd::Window window_;
};

/// z[n, c] is the mean of channel c: (n, channels).
template <class T>
struct GlobalAvgPool2d {
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
};

/// The elements of each example in one row: (n, ...) to (n, their number).
template <class T>
struct Flatten {
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;
};

#define NN_POOLING(T)                          \
    extern template class MaxPool2d<T>;        \
    extern template class AvgPool2d<T>;        \
    extern template struct GlobalAvgPool2d<T>; \
    extern template struct Flatten<T>;
NN_POOLING(float)
NN_POOLING(double)
#undef NN_POOLING

}  // namespace nn
