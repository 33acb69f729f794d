#include <fmt/format.h>

#include <autograd/operations.hpp>
#include <nn/pooling.hpp>
#include <stdexcept>

namespace nn {

using autograd::Axes;
using autograd::Shape;
using autograd::ShapeView;
using autograd::Variable;

template <class T>
Variable<T> MaxPool2d<T>::operator()(const Variable<T>& x) const {
    return max_pool2d(x, window_);
}

template <class T>
Variable<T> AvgPool2d<T>::operator()(const Variable<T>& x) const {
    return avg_pool2d(x, window_);
}

template <class T>
Variable<T> GlobalAvgPool2d<T>::operator()(const Variable<T>& x) const {
    static const Axes over_the_image{2, 3};
    if (x.dimension() != 4)
        throw std::invalid_argument(
            fmt::format("[global_avg_pool2d] images have the shape (n, channels, height, width), not {}",
                        autograd::to_string(x.shape())));
    return mean(x, over_the_image);
}

template <class T>
Variable<T> Flatten<T>::operator()(const Variable<T>& x) const {
    if (x.dimension() == 0) throw std::invalid_argument("[flatten] a scalar is no row of examples");
    const ShapeView shape = x.shape();
    return reshape(x, Shape{shape[0], autograd::size_of(shape.subspan(1))});
}

#define INSTANTIATE(T)                  \
    template class MaxPool2d<T>;        \
    template class AvgPool2d<T>;        \
    template struct GlobalAvgPool2d<T>; \
    template struct Flatten<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
