#include <algorithm>
#include <autograd/kernels/axis_view.hpp>
#include <autograd/kernels/gathers.hpp>
#include <autograd/kernels/registers.hpp>
#include <type_traits>
#include <vector>

namespace autograd::kernels {

template <class T>
Shape Taken<T>::shape() const {
    Shape shape(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(axis));
    for (std::size_t length : indices.shape) shape.push_back(length);
    for (std::size_t i = axis + 1; i < x.dimension(); ++i) shape.push_back(x.shape()[i]);
    return shape;
}

template <class T>
void Taken<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView view(x.shape(), axis);
    T* z = result.data();
    for (std::size_t o = 0; o < view.outer; ++o) {
        const T* xs = x.data() + o * view.length * view.inner;
        for (std::int32_t index : indices.values) {
            copy_or_add(xs + static_cast<std::size_t>(index) * view.inner, z, view.inner, accumulate);
            z += view.inner;
        }
    }
}

namespace {

/// Calls add(sums) where the sums of the result stand. Many numbers that may all go to one place are added in double,
/// as a sum in float stops growing at 2^24; each thread keeps the largest room that it needed.
template <class T, class F>
void add_to_sums(Array<T>& result, std::size_t count, F add) {
    constexpr std::size_t few = 4096;
    if constexpr (std::is_same_v<T, float>) {
        if (count > few) {
            thread_local std::vector<double> sums;
            sums.assign(result.begin(), result.end());
            add(sums.data());
            std::transform(sums.begin(), sums.end(), result.data(), [](double sum) { return static_cast<float>(sum); });
            return;
        }
    }
    add(result.data());
}

}  // namespace

template <class T>
void ScatterAdded<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    const AxisView view(shape_, axis);
    add_to_sums(result, indices.values.size(), [&](auto* z) {
        const T* xs = x.data();
        for (std::size_t o = 0; o < view.outer; ++o, z += view.length * view.inner)
            for (std::int32_t index : indices.values) {
                auto* sums = z + static_cast<std::size_t>(index) * view.inner;
                for (std::size_t i = 0; i < view.inner; ++i) sums[i] += xs[i];
                xs += view.inner;
            }
    });
}

namespace {

/// Calls f(row of x, row of indices, distance of an axis' neighbours) where these run along an axis; x's rows are
/// `length` long.
template <class F>
void each_row_along(const AxisView& indices, std::size_t length, F f) {
    if (indices.inner == 1) {
        for (std::size_t o = 0; o < indices.outer; ++o)
            f(o * length, o * indices.length, std::integral_constant<std::size_t, 1>());
        return;
    }
    for (std::size_t o = 0; o < indices.outer; ++o)
        for (std::size_t n = 0; n < indices.inner; ++n)
            f(o * length * indices.inner + n, o * indices.length * indices.inner + n, indices.inner);
}

}  // namespace

template <class T>
void TakenAlong<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView to(indices.shape, axis);
    each_row_along(to, x.shape()[axis], [&](std::size_t from, std::size_t row, auto inner) {
        const T* xs = x.data() + from;
        const std::int32_t* places = indices.values.data() + row;
        T* z = result.data() + row;
        if (accumulate) {
            for (std::size_t i = 0; i < to.length; ++i)
                z[i * inner] += xs[static_cast<std::size_t>(places[i * inner]) * inner];
        } else {
            for (std::size_t i = 0; i < to.length; ++i)
                z[i * inner] = xs[static_cast<std::size_t>(places[i * inner]) * inner];
        }
    });
}

template <class T>
void ScatterAddedAlong<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    const AxisView from(indices.shape, axis);
    add_to_sums(result, from.length, [&](auto* sums) {
        each_row_along(from, shape_[axis], [&](std::size_t to, std::size_t row, auto inner) {
            const T* xs = x.data() + row;
            const std::int32_t* places = indices.values.data() + row;
            for (std::size_t i = 0; i < from.length; ++i)
                sums[to + static_cast<std::size_t>(places[i * inner]) * inner] += xs[i * inner];
        });
    });
}

template <class T>
void TakenFlat<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    T* z = result.data();
    for (std::size_t i = 0; i < indices.values.size(); ++i)
        z[i] = (accumulate ? z[i] : T(0)) + x.data()[indices.values[i]];
}

template <class T>
void ScatterAddedFlat<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    add_to_sums(result, indices.values.size(), [&](auto* sums) {
        for (std::size_t i = 0; i < indices.values.size(); ++i) sums[indices.values[i]] += x.data()[i];
    });
}

#define INSTANTIATE(T)                   \
    template struct Taken<T>;            \
    template struct ScatterAdded<T>;     \
    template struct TakenAlong<T>;       \
    template struct TakenFlat<T>;        \
    template struct ScatterAddedFlat<T>; \
    template struct ScatterAddedAlong<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
