// Windows that slide over images. `unfold` and `fold` are each the other's rule, and the three forms of a convolution
// close a circle, as those of a matrix product do: the gradients of each are the other two.
#include <fmt/format.h>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <limits>
#include <stdexcept>

namespace autograd {

FACTS("unfold", "what a window sees at each of its places", "xbar += zbar, folded");
template <class T>
Variable<T> unfold_plan(Variable<T> x, const WindowPlan& plan) {
    return record("unfold", {x}, unfold_plan(x.value(), plan),
                  [x, plan](auto& at) { at.adjoint(x) += fold_plan(at.zbar(), plan); });
}
UNARY(unfold_plan, const WindowPlan&);

FACTS("fold", "x, added where a window would see it", "xbar += zbar, unfolded");
template <class T>
Variable<T> fold_plan(Variable<T> x, const WindowPlan& plan) {
    return record("fold", {x}, fold_plan(x.value(), plan),
                  [x, plan](auto& at) { at.adjoint(x) += unfold_plan(at.zbar(), plan); });
}
UNARY(fold_plan, const WindowPlan&);

template <class T>
Variable<T> unfold(Variable<T> x, const Window& window) {
    return unfold_plan(x, plan_window("unfold", x.shape(), window));
}
UNARY(unfold, const Window&);

template <class T>
Variable<T> fold(Variable<T> columns, Extent size, const Window& window) {
    const Shape& shape = columns.shape();
    if (shape.size() != 3 || size.height < 0 || size.width < 0)
        throw std::invalid_argument(fmt::format(
            "[fold] columns of shape {} and a size of {} x {}: columns have the shape (n, channels * kernel size, "
            "places), and a size is not negative",
            to_string(shape), size.height, size.width));
    WindowPlan plan = plan_window(
        "fold", Shape{shape[0], 1, static_cast<std::size_t>(size.height), static_cast<std::size_t>(size.width)},
        window);
    plan.channels = shape[1] / plan.kernel_size();
    if (shape[1] % plan.kernel_size() != 0 || shape[2] != plan.places())
        throw std::invalid_argument(
            fmt::format("[fold] columns of shape {} do not fit a window of {} numbers that stands at {} places",
                        to_string(shape), plan.kernel_size(), plan.places()));
    return fold_plan(columns, plan);
}
UNARY(fold, Extent, const Window&);

FACTS("conv2d", "w @ unfold(x)", "xbar += fold(w^T @ zbar); wbar += zbar @ unfold(x)^T", {}, {}, "x w");
template <class T>
Variable<T> convolve(Variable<T> x, Variable<T> w, const kernels::ConvolutionPlan& plan) {
    return record("conv2d", {x, w}, convolve(x.value(), w.value(), plan), [x, w, plan](auto& at) {
        if (at.wants(x)) at.adjoint(x) += convolve_input(at(w), at.zbar(), plan);
        if (at.wants(w)) at.adjoint(w) += convolve_weight(at(x), at.zbar(), plan);
    });
}
BINARY(convolve, const kernels::ConvolutionPlan&);

FACTS("conv2d_input", "fold(x^T @ y)", "xbar += y @ unfold(zbar)^T; ybar += x @ unfold(zbar)");
template <class T>
Variable<T> convolve_input(Variable<T> w, Variable<T> y, const kernels::ConvolutionPlan& plan) {
    return record("conv2d_input", {w, y}, convolve_input(w.value(), y.value(), plan), [w, y, plan](auto& at) {
        if (at.wants(w)) at.adjoint(w) += convolve_weight(at.zbar(), at(y), plan);
        if (at.wants(y)) at.adjoint(y) += convolve(at.zbar(), at(w), plan);
    });
}
BINARY(convolve_input, const kernels::ConvolutionPlan&);

FACTS("conv2d_weight", "y @ unfold(x)^T", "xbar += fold(zbar^T @ y); ybar += zbar @ unfold(x)");
template <class T>
Variable<T> convolve_weight(Variable<T> x, Variable<T> y, const kernels::ConvolutionPlan& plan) {
    return record("conv2d_weight", {x, y}, convolve_weight(x.value(), y.value(), plan), [x, y, plan](auto& at) {
        if (at.wants(x)) at.adjoint(x) += convolve_input(at.zbar(), at(y), plan);
        if (at.wants(y)) at.adjoint(y) += convolve(at(x), at.zbar(), plan);
    });
}
BINARY(convolve_weight, const kernels::ConvolutionPlan&);

namespace {

kernels::ConvolutionPlan plan_convolution(const Shape& x, const Shape& weight, const Conv2dOptions& options) {
    if (weight.size() != 4 || x.size() != 4 || options.groups < 1)
        throw std::invalid_argument(fmt::format(
            "[conv2d] images of shape {}, a weight of shape {} and {} groups: images are (n, channels, height, width), "
            "the weight is (out, channels / groups, kernel height, kernel width), and there is at least one group",
            to_string(x), to_string(weight), options.groups));
    const auto groups = static_cast<std::size_t>(options.groups);
    if (weight[1] * groups != x[1] || weight[0] % groups != 0)
        throw std::invalid_argument(
            fmt::format("[conv2d] images of shape {} do not fit a weight of shape {} (out, channels / groups, kernel "
                        "height, kernel width) in {} groups",
                        to_string(x), to_string(weight), groups));
    const Window window{{weight[2], weight[3]}, options.stride, options.padding, options.dilation};
    return {plan_window("conv2d", x, window), weight[0], groups};
}

}  // namespace

template <class T>
Variable<T> conv2d(Variable<T> x, Variable<T> w, const Conv2dOptions& options) {
    return convolve(x, w, plan_convolution(x.shape(), w.shape(), options));
}
BINARY(conv2d, const Conv2dOptions&);

constexpr char conv2d_with_bias[] = "conv2d\0conv2d_with_bias";
FACTS(conv2d_with_bias, "w @ unfold(x) + b",
      "xbar += fold(w^T @ zbar); wbar += zbar @ unfold(x)^T; bbar += zbar, summed over images and places", {}, {},
      "x w b");
template <class T>
Variable<T> conv2d(Variable<T> x, Variable<T> w, Variable<T> b, const Conv2dOptions& options) {
    const kernels::ConvolutionPlan plan = plan_convolution(x.shape(), w.shape(), options);
    if (b.dimension() != 1 || b.size() != plan.outputs)
        throw std::invalid_argument(fmt::format("[conv2d] a bias of shape {} does not fit a weight of shape {}",
                                                to_string(b.shape()), to_string(w.shape())));
    return record(conv2d_with_bias, {x, w, b}, kernels::Convolved<T>{x.value(), w.value(), &b.value(), plan},
                  [x, w, b, plan](auto& at) {
                      if (at.wants(x)) at.adjoint(x) += convolve_input(at(w), at.zbar(), plan);
                      if (at.wants(w)) at.adjoint(w) += convolve_weight(at(x), at.zbar(), plan);
                      if (at.wants(b))
                          at.adjoint(b) += sum_to(at.zbar(), Shape{1, plan.outputs, 1, 1}, Shape{plan.outputs});
                  });
}

FACTS("max_pool2d", "the first maximum that a window sees at each of its places", "xbar += zbar at these");
template <class T>
Variable<T> max_pool2d(Variable<T> x, const Window& window) {
    const WindowPlan plan = plan_window("max_pool2d", x.shape(), window);
    if (2 * window.padding.height > window.kernel.height || 2 * window.padding.width > window.kernel.width)
        throw std::invalid_argument(
            fmt::format("[max_pool2d] a padding of {} x {} is more than half of a kernel of {} x {}",
                        window.padding.height, window.padding.width, window.kernel.height, window.kernel.width));
    if (x.size() > std::numeric_limits<std::int32_t>::max())
        throw std::length_error(
            fmt::format("[max_pool2d] images of shape {} have too many pixels", to_string(x.shape())));
    const Shape shape{plan.images, plan.channels, plan.places_down, plan.places_across};
    const std::span<std::int32_t> found = x.tape().template allocate<std::int32_t>(size_of(shape));
    kernels::find_maxima(x.value(), plan, found);
    const StoredIndices maxima{found, shape};
    return record("max_pool2d", {x}, take_flat(x.value(), maxima),
                  [x, maxima](auto& at) { at.adjoint(x) += scatter_flat(at.zbar(), maxima, at(x).shape()); });
}
UNARY(max_pool2d, const Window&);

template <class T>
Variable<T> avg_pool2d(Variable<T> x, const Window& window) {
    static const Axes over_the_window{2};
    const WindowPlan plan = plan_window("avg_pool2d", x.shape(), window);
    const Variable<T> seen =
        reshape(unfold_plan(x, plan), Shape{plan.images, plan.channels, plan.kernel_size(), plan.places()});
    return reshape(mean(seen, over_the_window),
                   Shape{plan.images, plan.channels, plan.places_down, plan.places_across});
}
UNARY(avg_pool2d, const Window&);

template Variable<float> conv2d(Variable<float>, Variable<float>, Variable<float>, const Conv2dOptions&);
template Variable<double> conv2d(Variable<double>, Variable<double>, Variable<double>, const Conv2dOptions&);

FACTS_OF_THIS_FILE(facts_of_convolutions)

}  // namespace autograd
