#include <fmt/format.h>

#include <autograd/operations.hpp>
#include <nn/convolution.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Extent;
using autograd::Parameter;
using autograd::Shape;
using autograd::Variable;

namespace {

/// A weight that starts as that of a dense layer with `in / groups * kernel size` inputs.
template <class T>
Array<T> start(std::size_t in, std::size_t out, Extent kernel, std::ptrdiff_t groups, Initializer<T> initializer,
               std::mt19937_64& engine) {
    const auto group = static_cast<std::size_t>(groups);
    if (groups < 1 || in == 0 || out == 0 || in % group != 0 || out % group != 0 || kernel.height < 1 ||
        kernel.width < 1)
        throw std::invalid_argument(
            fmt::format("[conv2d] {} channels to {} by a kernel of {} x {} in {} groups: each is at least 1, and the "
                        "groups divide the channels",
                        in, out, kernel.height, kernel.width, groups));
    const auto height = static_cast<std::size_t>(kernel.height), width = static_cast<std::size_t>(kernel.width);
    const Shape shape{out, in / group, height, width};
    Array<T> weight = initializer(Shape{out, autograd::checked_size("conv2d", shape) / out}, engine);
    weight.reshape(shape);
    return weight;
}

}  // namespace

template <class T>
Conv2d<T>::Conv2d(std::size_t in, std::size_t out, Extent kernel, std::mt19937_64& engine,
                  autograd::Conv2dOptions options, bool with_bias, Initializer<T> initializer)
    : weight("weight", start(in, out, kernel, options.groups, initializer, engine)),
      bias("bias", Array<T>(Shape{with_bias ? out : 0}, T(0))),
      options_(options) {}

template <class T>
Variable<T> Conv2d<T>::operator()(const Variable<T>& x) const {
    // autograd::conv2d says the same, but not before the parameters are recorded.
    const Shape &shape = x.shape(), &w = weight.shape();
    const std::size_t in = w[1] * static_cast<std::size_t>(options_.groups);
    if (shape.size() != 4 || shape[1] != in)
        throw std::invalid_argument(
            fmt::format("[conv2d] the input has shape {}, but a weight of shape {} needs (n, {}, height, width)",
                        autograd::to_string(shape), autograd::to_string(w), in));
    autograd::plan_window("conv2d", shape, {{w[2], w[3]}, options_.stride, options_.padding, options_.dilation});
    autograd::Tape<T>& tape = x.tape();
    return has_bias() ? conv2d(x, tape.watch(weight), tape.watch(bias), options_)
                      : conv2d(x, tape.watch(weight), options_);
}

template <class T>
std::vector<Parameter<T>> Conv2d<T>::parameters() const {
    if (has_bias()) return {weight, bias};
    return {weight};
}

template class Conv2d<float>;
template class Conv2d<double>;

}  // namespace nn
