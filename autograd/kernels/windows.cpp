#include <fmt/format.h>
#include <algorithm>
#include <autograd/kernels/halves.hpp>
#include <autograd/kernels/multiplication.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/sliding.hpp>
#include <autograd/kernels/windows.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>

namespace autograd {

namespace {

using Signed = std::ptrdiff_t;

std::string text_of(Extent extent) { return fmt::format("{} x {}", extent.height, extent.width); }

/// At how many places a window stands along one axis; none where it is larger than the axis.
std::size_t places_along(std::size_t length, Signed kernel, Signed stride, Signed padding, Signed dilation) {
    const Signed free = static_cast<Signed>(length) + 2 * padding - dilation * (kernel - 1) - 1;
    return free < 0 ? 0 : static_cast<std::size_t>(free / stride) + 1;
}

void check_window(const char* operation, const Window& window) {
    constexpr Signed most = std::numeric_limits<std::int32_t>::max();
    const auto check = [&](const char* what, Extent extent, Signed least) {
        for (const Signed length : {extent.height, extent.width})
            if (length < least || length > most)
                throw std::invalid_argument(fmt::format("[{}] a {} of {} cannot be: it is at least {} and at most {}",
                                                        operation, what, text_of(extent), least, most));
    };
    check("kernel", window.kernel, 1);
    check("stride", window.stride, 1);
    check("padding", window.padding, 0);
    check("dilation", window.dilation, 1);
}

}  // namespace

WindowPlan plan_window(const char* operation, ShapeView images, const Window& window) {
    if (images.size() != 4)
        throw std::invalid_argument(fmt::format("[{}] images have the shape (n, channels, height, width), not {}",
                                                operation, to_string(images)));
    check_window(operation, window);
    const auto& [kernel, stride, padding, dilation] = window;
    WindowPlan plan{images[0], images[1], images[2], images[3], window, 0, 0};
    plan.places_down = places_along(plan.height, kernel.height, stride.height, padding.height, dilation.height);
    plan.places_across = places_along(plan.width, kernel.width, stride.width, padding.width, dilation.width);
    if (plan.places_down == 0 || plan.places_across == 0)
        throw std::invalid_argument(
            fmt::format("[{}] a window of {} (dilation {}) is larger than an image of shape {} with a padding of {}",
                        operation, text_of(kernel), text_of(dilation), to_string(images), text_of(padding)));
    return plan;
}

namespace kernels {

namespace {

/// The places j, of `count`, from the first on and before the last, at which 0 <= j * stride + left < width.
std::pair<Signed, Signed> places_on_image(Signed left, Signed stride, Signed width, Signed count) {
    const Signed first = left >= 0 ? 0 : std::min(count, (-left + stride - 1) / stride);
    return {first, left >= width ? first : std::clamp((width - left + stride - 1) / stride, first, count)};
}

/// Calls f(row, c, top, left, first, last) for every row of the columns, which holds what one pixel of the window sees
/// of channel c: at place (i, j) the image's pixel (i * stride + top, j * stride + left), whose column is on the image
/// from place `first` on and before `last`.
template <class F>
void each_row_of_columns(const WindowPlan& plan, std::size_t channels, const F& f) {
    const auto& [kernel, stride, padding, dilation] = plan.window;
    const Signed width = static_cast<Signed>(plan.width), across = static_cast<Signed>(plan.places_across);
    std::size_t row = 0;
    for (std::size_t c = 0; c < channels; ++c)
        for (Signed k = 0; k < kernel.height; ++k)
            for (Signed l = 0; l < kernel.width; ++l, ++row) {
                const Signed top = k * dilation.height - padding.height, left = l * dilation.width - padding.width;
                const auto [first, last] = places_on_image(left, stride.width, width, across);
                f(row, c, top, left, first, last);
            }
}

/// One image's channels as columns: (channels * kernel size, places).
template <class T>
void unfold_image(const T* x, const WindowPlan& plan, std::size_t channels, T* columns) {
    const Signed step = plan.window.stride.width, height = static_cast<Signed>(plan.height);
    each_row_of_columns(
        plan, channels, [&](std::size_t row, std::size_t c, Signed top, Signed left, Signed first, Signed last) {
            T* z = columns + row * plan.places();
            const T* plane = x + c * plan.height * plan.width;
            for (std::size_t i = 0; i < plan.places_down; ++i, z += plan.places_across) {
                const Signed y = static_cast<Signed>(i) * plan.window.stride.height + top;
                if (y < 0 || y >= height) {
                    std::fill_n(z, plan.places_across, T(0));
                    continue;
                }
                const T* pixels = plane + y * static_cast<Signed>(plan.width) + left;
                std::fill(z, z + first, T(0));
                if (step == 1)
                    copy_or_add(pixels + first, z + first, static_cast<std::size_t>(last - first), false);
                else
                    for (Signed j = first; j < last; ++j) z[j] = pixels[j * step];
                std::fill(z + last, z + plan.places_across, T(0));
            }
        });
}

/// x += the columns, each number where it is of.
template <class T>
void fold_image(const T* columns, const WindowPlan& plan, std::size_t channels, T* x) {
    const Signed step = plan.window.stride.width, height = static_cast<Signed>(plan.height);
    each_row_of_columns(
        plan, channels, [&](std::size_t row, std::size_t c, Signed top, Signed left, Signed first, Signed last) {
            const T* z = columns + row * plan.places();
            T* plane = x + c * plan.height * plan.width;
            for (std::size_t i = 0; i < plan.places_down; ++i, z += plan.places_across) {
                const Signed y = static_cast<Signed>(i) * plan.window.stride.height + top;
                if (y < 0 || y >= height) continue;
                T* pixels = plane + y * static_cast<Signed>(plan.width) + left;
                if (step == 1)
                    copy_or_add(z + first, pixels + first, static_cast<std::size_t>(last - first), true);
                else
                    for (Signed j = first; j < last; ++j) pixels[j * step] += z[j];
            }
        });
}

}  // namespace

template <class T>
Shape Unfolded<T>::shape() const {
    return {plan.images, plan.channels * plan.kernel_size(), plan.places()};
}

template <class T>
void Unfolded<T>::evaluate_into(Array<T>& result) const {
    const std::size_t size = plan.channels * plan.kernel_size() * plan.places();
    for (std::size_t n = 0; n < plan.images; ++n)
        unfold_image(x.data() + n * plan.image_size(), plan, plan.channels, result.data() + n * size);
}

template <class T>
Shape Folded<T>::shape() const {
    return {plan.images, plan.channels, plan.height, plan.width};
}

template <class T>
void Folded<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    const std::size_t size = plan.channels * plan.kernel_size() * plan.places();
    for (std::size_t n = 0; n < plan.images; ++n)
        fold_image(x.data() + n * size, plan, plan.channels, result.data() + n * plan.image_size());
}

Shape ConvolutionPlan::weight_shape() const {
    return {outputs, window.channels / groups, static_cast<std::size_t>(window.window.kernel.height),
            static_cast<std::size_t>(window.window.kernel.width)};
}

namespace {

/// The sizes of one group's matrices: its weight is (outputs, inputs), its columns (inputs, places).
struct Group {
    explicit Group(const ConvolutionPlan& plan)
        : channels(plan.window.channels / plan.groups),
          outputs(plan.outputs / plan.groups),
          inputs(channels * plan.window.kernel_size()),
          places(plan.window.places()),
          image(channels * plan.window.height * plan.window.width) {
        const auto& [kernel, stride, padding, dilation] = plan.window.window;
        is_plain = kernel == Extent(1) && stride == Extent(1) && padding == Extent(0);
    }
    std::size_t channels, outputs, inputs, places, image;
    bool is_plain;  ///< the image is its columns
};

/// Room for one group's columns, another weight, or a row of maxima: each thread keeps the largest that it needed.
template <class T>
T* room_for(std::size_t size) {
    thread_local Array<T> room;
    if (room.size() < size) room.resize({size});
    return room.data();
}

template <class T>
bool is_finite(const Array<T>& x) {
    return fold(x.size(), T(0), std::plus<>(),
                [&](std::size_t i, auto... some) { return load_some(x.data() + i, some...) * Register<T>(T(0)); }) == 0;
}

Sliding sliding_of(const ConvolutionPlan& plan) {
    return {plan.window, plan.window.channels / plan.groups, plan.outputs / plan.groups, plan.groups};
}

/// Calls f(number of the image and the group, number of the group) for all.
template <class F>
void each_group(const ConvolutionPlan& plan, const F& f) {
    for (std::size_t n = 0; n < plan.window.images; ++n)
        for (std::size_t g = 0; g < plan.groups; ++g) f(n * plan.groups + g, g);
}

}  // namespace

// z = w @ columns(x)
template <class T>
void Convolved<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (const Sliding sliding = sliding_of(plan); slides<T>(sliding))
        return slide(sliding, x.data(), weight.data(), bias == nullptr ? nullptr : bias->data(), result.data(),
                     accumulate);
    const Group group(plan);
    T* columns = group.is_plain ? nullptr : room_for<T>(group.inputs * group.places);
    each_group(plan, [&](std::size_t i, std::size_t g) {
        const T* xs = x.data() + i * group.image;
        T* z = result.data() + i * group.outputs * group.places;
        if (bias != nullptr)
            for (std::size_t o = 0; o < group.outputs; ++o)
                for (std::size_t p = 0; p < group.places; ++p) {
                    T& start = z[o * group.places + p];
                    start = (accumulate ? start : T(0)) + bias->data()[g * group.outputs + o];
                }
        if (!group.is_plain) unfold_image(xs, plan.window, group.channels, columns);
        multiply<T>({weight.data() + g * group.outputs * group.inputs, false, group.is_plain ? xs : columns, false, z,
                     group.outputs, group.inputs, group.places, accumulate || bias != nullptr ? z : nullptr,
                     group.places});
    });
}

// x = fold(w^T @ z)
template <class T>
void ConvolvedInput<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    // Beside an infinite weight the zeros around z would be NaN.
    if (const Sliding sliding = sliding_of(plan); slides<T>(transposed(sliding)) && is_finite(weight)) {
        T* turned = room_for<T>(weight.size());
        turn(sliding, weight.data(), turned);
        return slide<T>(transposed(sliding), z.data(), turned, nullptr, result.data(), accumulate);
    }
    const Group group(plan);
    T* columns = group.is_plain ? nullptr : room_for<T>(group.inputs * group.places);
    if (!accumulate && !group.is_plain) result.fill(T(0));
    each_group(plan, [&](std::size_t i, std::size_t g) {
        T* xs = result.data() + i * group.image;
        T* product = group.is_plain ? xs : columns;
        multiply<T>({weight.data() + g * group.outputs * group.inputs, true,
                     z.data() + i * group.outputs * group.places, false, product, group.inputs, group.outputs,
                     group.places, accumulate && group.is_plain ? xs : nullptr, group.places});
        if (!group.is_plain) fold_image(columns, plan.window, group.channels, xs);
    });
}

namespace {

/// w = z @ columns(x)^T, added up over the images, or w += that.
template <class T>
void convolve_for_weight(const ConvolutionPlan& plan, const T* x, const T* z, T* weight, bool accumulate) {
    if (const Sliding sliding = sliding_of(plan); slides<T>(sliding))
        return slide_for_weight(sliding, x, z, weight, accumulate);
    const Group group(plan);
    T* columns = group.is_plain ? nullptr : room_for<T>(group.inputs * group.places);
    if (!accumulate) std::fill_n(weight, plan.outputs * group.inputs, T(0));
    each_group(plan, [&](std::size_t i, std::size_t g) {
        const T* xs = x + i * group.image;
        T* w = weight + g * group.outputs * group.inputs;
        if (!group.is_plain) unfold_image(xs, plan.window, group.channels, columns);
        multiply<T>({z + i * group.outputs * group.places, false, group.is_plain ? xs : columns, true, w, group.outputs,
                     group.places, group.inputs, w, group.inputs});
    });
}

}  // namespace

template <class T>
void ConvolvedWeight<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    constexpr std::size_t few = 64;
    const std::size_t images = plan.window.images;
    if (images == 0) return convolve_for_weight(plan, x.data(), z.data(), result.data(), accumulate);
    const std::size_t x_size = x.size() / images, z_size = z.size() / images;
    add_many_in_halves(result.data(), result.size(), images, few, accumulate,
                       [&](T* to, std::size_t first, std::size_t count, bool adds) {
                           ConvolutionPlan some = plan;
                           some.window.images = count;
                           convolve_for_weight(some, x.data() + first * x_size, z.data() + first * z_size, to, adds);
                       });
}

// A row of places side by side: what is larger is chosen without a branch, which would be foretold wrongly as often as
// not.
template <class T>
void find_maxima(const Array<T>& x, const WindowPlan& plan, std::span<std::int32_t> found) {
    const auto& [kernel, stride, padding, dilation] = plan.window;
    const Signed height = static_cast<Signed>(plan.height), width = static_cast<Signed>(plan.width),
                 across = static_cast<Signed>(plan.places_across);
    // Short rows are worked on as if they filled a register, where x goes on for so long.
    const Signed rounded = (across + 15) / 16 * 16, numbers = static_cast<Signed>(x.size());
    T* largest = room_for<T>(static_cast<std::size_t>(rounded));
    std::int32_t* best = room_for<std::int32_t>(static_cast<std::size_t>(rounded));
    std::int32_t* z = found.data();
    for (std::size_t plane = 0; plane < plan.images * plan.channels; ++plane)
        for (std::size_t i = 0; i < plan.places_down; ++i, z += across) {
            std::fill_n(best, rounded, -1);
            std::fill_n(largest, rounded, T(0));
            for (Signed k = 0; k < kernel.height; ++k) {
                const Signed y = static_cast<Signed>(i) * stride.height - padding.height + k * dilation.height;
                if (y < 0 || y >= height) continue;
                for (Signed l = 0; l < kernel.width; ++l) {
                    const Signed left = l * dilation.width - padding.width;
                    const auto [first, last] = places_on_image(left, stride.width, width, across);
                    const Signed place = (static_cast<Signed>(plane) * height + y) * width + left;
                    const T* pixels = x.data() + place;
                    const bool goes_on =
                        first < last && last == across && place + (rounded - 1) * stride.width < numbers;
                    for (Signed j = first, end = goes_on ? rounded : last; j < end; ++j) {
                        const T value = pixels[j * stride.width], before = largest[j];
                        const bool better = (best[j] < 0) | (!(value <= before) & (before == before));
                        best[j] = better ? static_cast<std::int32_t>(place + j * stride.width) : best[j];
                        largest[j] = better ? value : before;
                    }
                }
            }
            if (std::find(best, best + across, -1) != best + across)
                throw std::invalid_argument("[max_pool2d] a window lies in the padding altogether");
            std::copy_n(best, across, z);
        }
}

#define INSTANTIATE(T)                  \
    template struct Unfolded<T>;        \
    template struct Folded<T>;          \
    template struct Convolved<T>;       \
    template struct ConvolvedInput<T>;  \
    template struct ConvolvedWeight<T>; \
    template void find_maxima(const Array<T>&, const WindowPlan&, std::span<std::int32_t>);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace kernels

}  // namespace autograd
