// The arrays that everything is computed on. This is the only header that includes xtensor: it hides that xtensor moved
// its headers in 0.26, and fixes what must be the same in the library and in every source that uses it.
#pragma once

#include <autograd/config.hpp>

#if __cplusplus < 202002L  // A file that is not there ends the compilation, so that the sentence stands alone.
#include "deltarule: compile as C++20 or newer (-std=c++20)"
#elif !defined(XTENSOR_USE_XSIMD)
#include "deltarule: compile with the flags that its CMake targets and its pkg-config file carry (XTENSOR_USE_XSIMD is not defined)"
#else
#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/core/xnoalias.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#endif

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>
#include <xsimd/xsimd.hpp>

#if XTENSOR_VERSION_MAJOR == 0 && XTENSOR_VERSION_MINOR < 25
// In C++20 xtensor 0.24 takes the shape of an array of any number of dimensions for one of four, and `xt::variance` and
// what else reduces it at once write beyond it.
template <>
struct xt::detail::xtype_for_shape<xt::dynamic_shape<std::size_t> > {
    template <class T, xt::layout_type L>
    using type = xt::xarray<T, L>;
};
#endif

namespace autograd {

/// A dense row-major array of any number of dimensions: `xt::xarray` with its allocator fixed at 64 bytes, so that it
/// is one type whatever the flags. Every xtensor expression converts to it.
template <class T>
using Array = xt::xarray<T, xt::layout_type::row_major, xsimd::aligned_allocator<T, 64> >;

/// A single number, as beside an array.
template <class S>
concept Arithmetic = std::is_arithmetic_v<S>;

/// The lengths of an array's axes; a scalar has none.
using Shape = Array<double>::shape_type;

/// A shape that is only looked at.
using ShapeView = std::span<const std::size_t>;

/// Axes of an operation; negative ones count from the last.
using Axes = std::vector<std::ptrdiff_t>;

/// Integer positions, as `take` and the class labels of a loss use them.
using Indices = Array<std::int64_t>;

/// A matrix from rows: `matrix<double>({{0.}, {1.}})`, a column that xtensor's own braces do not tell from a vector.
template <std::floating_point T>
Array<T> matrix(std::initializer_list<std::initializer_list<T> > rows);
extern template Array<float> matrix(std::initializer_list<std::initializer_list<float> >);
extern template Array<double> matrix(std::initializer_list<std::initializer_list<double> >);

/// The same of several matrices of one shape, along a first axis.
template <std::floating_point T>
Array<T> matrices(std::initializer_list<std::initializer_list<std::initializer_list<T> > > values);
extern template Array<float> matrices(std::initializer_list<std::initializer_list<std::initializer_list<float> > >);
extern template Array<double> matrices(std::initializer_list<std::initializer_list<std::initializer_list<double> > >);

/// The number of elements of an array of this shape, which exists: of one that is asked for, `checked_size` says it.
inline std::size_t size_of(ShapeView shape) {
    std::size_t size = 1;
    for (std::size_t length : shape) size *= length;
    return size;
}

/// Whether two shapes are the same: written out, as `==` calls the C library for a few numbers.
inline bool equal_shapes(ShapeView left, ShapeView right) {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i)
        if (left[i] != right[i]) return false;
    return true;
}

/// Gives an array a shape; its contents are arbitrary then, unless it had it. Where there is no memory, it throws and
/// the array is as it was: xtensor's own `resize` would leave it with the new shape and the old memory.
template <class T>
[[gnu::noinline]] void reshape_storage(Array<T>& array, ShapeView shape) {
    Shape other(shape.begin(), shape.end());
    const bool keeps_memory = array.size() == size_of(shape) && other.size() <= 4;  // longer shapes have memory, too
    if (keeps_memory)
        array.resize(std::move(other));
    else
        array = Array<T>::from_shape(std::move(other));
}
template <class T>
void resize(Array<T>& array, ShapeView shape) {
    if (!equal_shapes(array.shape(), shape)) reshape_storage(array, shape);
}

/// The shape as NumPy prints it: `(2, 3)`, `(4,)`, `()`.
std::string to_string(ShapeView shape);

/// The number of elements of an array that is asked for. Throws `std::length_error` that begins with `[operation]`
/// where no memory has room for it; as in NumPy, axes of length 0 do not make the others smaller.
std::size_t checked_size(const char* operation, ShapeView shape);

/// The sum of two lengths of an axis. Throws where it is larger than any axis.
std::size_t checked_sum(const char* operation, std::size_t length, std::size_t other);

/// The shape that shapes broadcast to, as NumPy defines it. Throws `std::invalid_argument` that begins with
/// `[operation]` where they do not fit.
Shape broadcast_shapes(const char* operation, std::span<const ShapeView> shapes);

/// Whether an array of shape `to` broadcasts to `from`, so that a gradient of shape `from` can be summed to `to`.
bool sums_to(ShapeView from, ShapeView to);

/// The axis, counted from the first. Throws `std::out_of_range` where the array has no such axis.
std::size_t axis_of(const char* operation, std::ptrdiff_t axis, std::size_t dimension);

/// The shape with a 1 in the place of each of the axes. Throws where an axis does not exist or is named twice.
Shape kept_shape(const char* operation, const Shape& shape, std::span<const std::ptrdiff_t> axes);

}  // namespace autograd

namespace xt {

/// An array as NumPy prints it, with the stream's precision; of a large one the first and last elements of each axis.
/// It stands in xtensor's namespace, where an array's operators are looked for.
template <class T>
requires std::is_arithmetic_v<T> std::ostream& operator<<(std::ostream& out, const autograd::Array<T>& array);

}  // namespace xt

#endif
