// Windows that slide over images, as convolutions and pooling have them.
#pragma once

#include <autograd/array.hpp>

namespace autograd {

/// A height and a width; one number gives both: `3` or `{3, 5}`.
struct Extent {
    template <std::integral I>
    constexpr Extent(I both) : height(static_cast<std::ptrdiff_t>(both)), width(static_cast<std::ptrdiff_t>(both)) {}
    template <std::integral I, std::integral J>
    constexpr Extent(I rows, J columns)
        : height(static_cast<std::ptrdiff_t>(rows)), width(static_cast<std::ptrdiff_t>(columns)) {}
    friend bool operator==(const Extent&, const Extent&) = default;
    std::ptrdiff_t height, width;
};

/// A window over the last two axes of images: it moves by `stride` over an image with `padding` zeros on every side,
/// and looks at pixels that lie `dilation` apart. `{.kernel = 3, .padding = 1}`
struct Window {
    Extent kernel;
    Extent stride = 1;
    Extent padding = 0;
    Extent dilation = 1;
};

/// How a kernel moves over images, and into how many groups their channels fall: every output of a group sees the
/// group's inputs only.
struct Conv2dOptions {
    Extent stride = 1;
    Extent padding = 0;
    Extent dilation = 1;
    std::ptrdiff_t groups = 1;
};

/// Images of shape (images, channels, height, width), a window, and at how many places it stands:
/// (height + 2 padding - dilation (kernel - 1) - 1) / stride + 1 of them along the height.
struct WindowPlan {
    std::size_t images, channels, height, width;
    Window window;
    std::size_t places_down, places_across;
    std::size_t places() const { return places_down * places_across; }
    std::size_t kernel_size() const { return static_cast<std::size_t>(window.kernel.height * window.kernel.width); }
    std::size_t image_size() const { return channels * height * width; }
};

/// Throws `std::invalid_argument`, beginning with `[operation]`, where the shape is not of images, a length of the
/// window cannot be, or the window is larger than a padded image.
WindowPlan plan_window(const char* operation, ShapeView images, const Window& window);

}  // namespace autograd
