#include <algorithm>
#include <autograd/kernels/axis_view.hpp>
#include <autograd/kernels/moves.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/transpose.hpp>

namespace autograd::kernels {

namespace {

Shape with_length(Shape shape, std::size_t axis, std::size_t length) {
    shape[axis] = length;
    return shape;
}

std::ptrdiff_t signed_of(std::size_t number) { return static_cast<std::ptrdiff_t>(number); }

/// An axis of a permutation's result: its length, and how far neighbours lie apart in x and in the result.
struct MovedAxis {
    std::size_t length, x_step, z_step;
};
using MovedAxes = xt::svector<MovedAxis, 8>;

/// The result's axes, the innermost first. What moves as one is one: axes of length 1 are left out, and axes that are
/// neighbours in x and in the result in the same order count as one long axis, so that `permute(x, {2, 0, 1})` for x
/// of shape (2, 3, 4) is the transpose of a (6, 4) matrix.
MovedAxes moved_axes(ShapeView shape, ShapeView axes) {
    MovedAxes result;
    std::size_t z_step = 1;
    for (std::size_t i = axes.size(); i-- > 0;) {
        const std::size_t length = shape[axes[i]], x_step = size_of(shape.subspan(axes[i] + 1));
        if (length == 1) continue;
        if (!result.empty() && x_step == result.back().x_step * result.back().length)
            result.back().length *= length;
        else
            result.push_back({length, x_step, z_step});
        z_step *= length;
    }
    return result;
}

/// Calls f(place in x, place in the result) for each position along the axes.
template <class F>
void each_position(std::span<const MovedAxis> axes, std::size_t from, std::size_t to, const F& f) {
    if (axes.empty()) return f(from, to);
    const MovedAxis& outermost = axes.back();
    for (std::size_t i = 0; i < outermost.length; ++i)
        each_position(axes.first(axes.size() - 1), from + i * outermost.x_step, to + i * outermost.z_step, f);
}

}  // namespace

template <class T>
Shape Permuted<T>::shape() const {
    Shape shape(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) shape[i] = x.shape()[axes[i]];
    return shape;
}

template <class T>
void Permuted<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (result.size() == 0) return;
    MovedAxes moved = moved_axes(x.shape(), axes);
    if (moved.size() < 2) return copy_or_add(x.data(), result.data(), result.size(), accumulate);

    // Two axes at a time are a plane; the others are walked. One of the two is the result's innermost axis. Where it is
    // x's innermost as well, the other is the next one, and rows are moved whole. Else the other is x's innermost, and
    // a matrix is transposed.
    const auto together = std::ranges::find(moved, std::size_t{1}, &MovedAxis::x_step);
    const bool in_rows = together == moved.begin();
    const MovedAxis inner = moved.front(), lines = in_rows ? moved[1] : *together;
    moved.erase(in_rows ? together + 1 : together);
    moved.erase(moved.begin());
    each_position(moved, 0, 0, [&](std::size_t from, std::size_t to) {
        const T* xs = x.data() + from;
        T* z = result.data() + to;
        if (!in_rows) return transpose(xs, inner.x_step, inner.length, lines.length, z, lines.z_step, accumulate);
        for (std::size_t l = 0; l < lines.length; ++l)
            copy_or_add(xs + l * lines.x_step, z + l * lines.z_step, inner.length, accumulate);
    });
}

template <class T>
Shape Sliced<T>::shape() const {
    return with_length(x.shape(), axis, count);
}

template <class T>
void Sliced<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView view(x.shape(), axis);
    T* z = result.data();
    for (std::size_t o = 0; o < view.outer; ++o) {
        const T* xs = x.data() + (signed_of(o * view.length) + start) * signed_of(view.inner);
        if (step == 1) {
            copy_or_add(xs, z, count * view.inner, accumulate);
            z += count * view.inner;
            continue;
        }
        for (std::size_t i = 0; i < count; ++i, xs += step * signed_of(view.inner), z += view.inner)
            copy_or_add(xs, z, view.inner, accumulate);
    }
}

template <class T>
Shape Padded<T>::shape() const {
    return with_length(x.shape(), axis, length);
}

template <class T>
void Padded<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView view(x.shape(), axis);
    const T* xs = x.data();
    if (!accumulate && step != 1 && x.size() != result.size()) result.fill(T(0));
    for (std::size_t o = 0; o < view.outer; ++o) {
        T* row = result.data() + o * length * view.inner;
        T* z = row + start * signed_of(view.inner);
        if (step == 1) {
            const std::size_t count = view.length * view.inner;
            if (!accumulate) std::fill(row, z, T(0)), std::fill(z + count, row + length * view.inner, T(0));
            copy_or_add(xs, z, count, accumulate);
            xs += count;
            continue;
        }
        for (std::size_t i = 0; i < view.length; ++i, z += step * signed_of(view.inner), xs += view.inner)
            copy_or_add(xs, z, view.inner, accumulate);
    }
}

template <class T>
Shape Concatenated<T>::shape() const {
    std::size_t length = 0;
    for (const Array<T>* part : parts) length = checked_sum("concatenate", length, part->shape()[axis]);
    return with_length(parts.front()->shape(), axis, length);
}

template <class T>
void Concatenated<T>::evaluate_into(Array<T>& result) const {
    const AxisView view(result.shape(), axis);
    T* z = result.data();
    for (std::size_t o = 0; o < view.outer; ++o)
        for (const Array<T>* part : parts) {
            const std::size_t n = part->shape()[axis] * view.inner;
            copy_or_add(part->data() + o * n, z, n, false);
            z += n;
        }
}

#define INSTANTIATE(T)           \
    template struct Permuted<T>; \
    template struct Sliced<T>;   \
    template struct Padded<T>;   \
    template struct Concatenated<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
