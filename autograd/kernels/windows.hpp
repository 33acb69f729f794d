// Kernels of windows that slide over images: what they see as columns, and products with these image by image, so that
// no more than one image's columns are ever there.
#pragma once

#include <autograd/window.hpp>

namespace autograd {

namespace kernels {

/// What the window sees at each place: (images, channels * kernel size, places).
template <class T>
struct Unfolded {
    const Array<T>& x;
    WindowPlan plan;
    Shape shape() const;
    void evaluate_into(Array<T>& result) const;
};

/// The partner of `Unfolded`: the columns, added to the pixels that they are of.
template <class T>
struct Folded {
    const Array<T>& x;
    WindowPlan plan;
    Shape shape() const;
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// A convolution is a product of three: of images x, a weight w and its results z. The sum of z times the convolution
/// of x and w is linear in each, and its derivative by one is made of the other two.
struct ConvolutionPlan {
    WindowPlan window;
    std::size_t outputs, groups;
    Shape x_shape() const { return {window.images, window.channels, window.height, window.width}; }
    Shape weight_shape() const;
    Shape z_shape() const { return {window.images, outputs, window.places_down, window.places_across}; }
};

/// z, given x and w, and a bias for each output, which may be null.
template <class T>
struct Convolved {
    const Array<T>& x;
    const Array<T>& weight;
    const Array<T>* bias;
    ConvolutionPlan plan;
    Shape shape() const { return plan.z_shape(); }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// x, given w and z.
template <class T>
struct ConvolvedInput {
    const Array<T>& weight;
    const Array<T>& z;
    ConvolutionPlan plan;
    Shape shape() const { return plan.x_shape(); }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// w, given x and z.
template <class T>
struct ConvolvedWeight {
    const Array<T>& x;
    const Array<T>& z;
    ConvolutionPlan plan;
    Shape shape() const { return plan.weight_shape(); }
    void evaluate_into(Array<T>& result, bool accumulate = false) const;
};

/// Where the first of the largest numbers is that the window sees at each place, counted over all of x; a NaN is the
/// largest. Throws `std::invalid_argument` where a window lies in the padding altogether.
template <class T>
void find_maxima(const Array<T>& x, const WindowPlan& plan, std::span<std::int32_t> found);

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::Unfolded<T> unfold_plan(const Array<T>& x, const WindowPlan& plan) {
    return {x, plan};
}
template <class T>
kernels::Folded<T> fold_plan(const Array<T>& x, const WindowPlan& plan) {
    return {x, plan};
}
template <class T>
kernels::Convolved<T> convolve(const Array<T>& x, const Array<T>& weight, const kernels::ConvolutionPlan& plan) {
    return {x, weight, nullptr, plan};
}
template <class T>
kernels::ConvolvedInput<T> convolve_input(const Array<T>& weight, const Array<T>& z,
                                          const kernels::ConvolutionPlan& plan) {
    return {weight, z, plan};
}
template <class T>
kernels::ConvolvedWeight<T> convolve_weight(const Array<T>& x, const Array<T>& z,
                                            const kernels::ConvolutionPlan& plan) {
    return {x, z, plan};
}

}  // namespace autograd
