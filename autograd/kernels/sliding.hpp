// Convolutions whose window moves by one pixel at a time, without columns: a row of the columns would be the image
// itself, from another pixel on.
#pragma once

#include <autograd/window.hpp>

namespace autograd::kernels {

/// One group of a convolution: its channels and outputs, and the images of all groups in a row.
struct Sliding {
    WindowPlan window;
    std::size_t channels, outputs, groups;
    std::size_t inputs() const { return channels * window.kernel_size(); }
};

/// Whether it takes less time so than by columns.
template <class T>
bool slides(const Sliding& what);

/// z = w @ columns(x) + bias, or z += that. The bias may be null.
template <class T>
void slide(const Sliding& what, const T* x, const T* weight, const T* bias, T* z, bool accumulate);

/// The convolution that gives x, given w and z: its window sees z. Its weight is `turned`.
Sliding transposed(const Sliding& what);

/// The weight of `transposed(what)`: for each input the outputs, every kernel turned by 180 degrees.
template <class T>
void turn(const Sliding& what, const T* weight, T* turned);

/// w = z @ columns(x)^T, added up over the images, or w += that.
template <class T>
void slide_for_weight(const Sliding& what, const T* x, const T* z, T* weight, bool accumulate);

}  // namespace autograd::kernels
