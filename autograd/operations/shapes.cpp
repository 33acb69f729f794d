// Operations that move elements. They are linear and come in pairs, each the other's rule.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <limits>
#include <stdexcept>

namespace autograd {

namespace {

template <class T>
StoredIndices stored(const char* operation, Tape<T>& tape, const Indices& indices, std::size_t length) {
    const auto n = static_cast<std::int64_t>(length);
    if (n > std::numeric_limits<std::int32_t>::max())
        throw std::length_error(fmt::format("[{}] an axis of length {} is too long", operation, n));
    const std::span<std::int32_t> values = tape.template allocate<std::int32_t>(indices.size());
    std::int64_t least = 0, most = -1;
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const std::int64_t index = indices.data()[i];
        least = std::min(least, index);
        most = std::max(most, index);
        values[i] = static_cast<std::int32_t>(index < 0 ? index + n : index);
    }
    if (least < -n || most >= n) {
        const auto outside =
            std::ranges::find_if(indices, [n](std::int64_t index) { return index < -n || index >= n; });
        throw std::out_of_range(
            fmt::format("[{}] index {} is out of range for an axis of length {}", operation, *outside, n));
    }
    return {values, indices.shape()};
}

}  // namespace

Shape shape_of(std::initializer_list<Length> lengths, std::size_t size) {
    std::vector<std::ptrdiff_t> wanted;
    for (const Length length : lengths) wanted.push_back(length.value);
    if (std::ranges::any_of(wanted, [](std::ptrdiff_t n) { return n < -1; }) || std::ranges::count(wanted, -1) > 1)
        throw std::invalid_argument(fmt::format(
            "[reshape] ({}) is no shape: a length is at least 0, and one of them may be -1 for what is left",
            fmt::join(wanted, ", ")));
    Shape shape(wanted.size());
    std::ptrdiff_t left = static_cast<std::ptrdiff_t>(size);
    bool divides = true;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        shape[i] = static_cast<std::size_t>(wanted[i]);
        if (wanted[i] == -1) continue;
        divides = divides && wanted[i] != 0 && left % wanted[i] == 0;
        if (divides) left /= wanted[i];
    }
    const auto unknown = std::ranges::find(wanted, -1);
    if (unknown == wanted.end()) return shape;
    if (!divides)
        throw std::invalid_argument(
            fmt::format("[reshape] an array of {} elements cannot take the shape ({})", size, fmt::join(wanted, ", ")));
    shape[static_cast<std::size_t>(unknown - wanted.begin())] = static_cast<std::size_t>(left);
    return shape;
}

FACTS("reshape", "x in another shape", "xbar += zbar in x's shape");
template <class T>
Variable<T> reshape(Variable<T> x, const Shape& shape) {
    if (checked_size("reshape", shape) != x.size())
        throw std::invalid_argument(fmt::format("[reshape] an array of shape {} cannot take the shape {}",
                                                to_string(x.shape()), to_string(shape)));
    if (shape == x.shape()) return x;
    return record("reshape", {x}, reshape(x.value(), shape),
                  [x](auto& at) { at.adjoint(x) += reshape(at.zbar(), at(x).shape()); });
}
UNARY(reshape, const Shape&);

FACTS("transpose", "x with its axes in another order", "xbar += zbar with its axes in x's order");
template <class T>
Variable<T> permute(Variable<T> x, const Shape& axes) {
    Shape inverse(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) inverse[axes[i]] = i;
    return record("transpose", {x}, permute(x.value(), axes),
                  [x, inverse](auto& at) { at.adjoint(x) += permute(at.zbar(), inverse); });
}
UNARY(permute, const Shape&);

template <class T>
Variable<T> transpose(Variable<T> x, const Axes& axes) {
    const std::size_t dimension = x.dimension();
    Shape order(dimension);
    if (axes.empty()) {
        for (std::size_t i = 0; i < dimension; ++i) order[i] = dimension - 1 - i;
    } else {
        if (axes.size() != dimension)
            throw std::invalid_argument(fmt::format("[transpose] {} axes are given for an array of shape {}",
                                                    axes.size(), to_string(x.shape())));
        kept_shape("transpose", x.shape(), axes);
        for (std::size_t i = 0; i < dimension; ++i) order[i] = axis_of("transpose", axes[i], dimension);
    }
    return permute(x, order);
}
UNARY(transpose, const Axes&);

template <class T>
Variable<T> matrix_transpose(Variable<T> x) {
    if (x.dimension() < 2)
        throw std::invalid_argument(
            fmt::format("[matrix_transpose] an array of shape {} is no matrix", to_string(x.shape())));
    Shape order(x.dimension());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    return permute(x, order);
}
UNARY(matrix_transpose);

template <class T>
Variable<T> broadcast_to(Variable<T> x, const Shape& shape) {
    if (!sums_to(shape, x.shape()))
        throw std::invalid_argument(fmt::format("[broadcast_to] an array of shape {} does not broadcast to {}",
                                                to_string(x.shape()), to_string(shape)));
    Shape kept(shape.size());
    std::fill(kept.begin(), kept.end(), std::size_t{1});
    std::copy(x.shape().begin(), x.shape().end(), kept.end() - static_cast<std::ptrdiff_t>(x.dimension()));
    return spread(x, kept, shape);
}
UNARY(broadcast_to, const Shape&);

template <class T>
Variable<T> squeeze(Variable<T> x, const Axes& axes) {
    const Shape kept = kept_shape("squeeze", x.shape(), axes);
    if (kept != x.shape())
        throw std::invalid_argument(
            fmt::format("[squeeze] an axis to be dropped is not of length 1 in shape {}", to_string(x.shape())));
    std::vector<bool> dropped(x.dimension(), false);
    for (std::ptrdiff_t axis : axes) dropped[axis_of("squeeze", axis, x.dimension())] = true;
    Shape shape;
    for (std::size_t i = 0; i < x.dimension(); ++i)
        if (axes.empty() ? x.shape()[i] != 1 : !dropped[i]) shape.push_back(x.shape()[i]);
    return reshape(x, shape);
}
UNARY(squeeze, const Axes&);

template <class T>
Variable<T> expand_dims(Variable<T> x, std::ptrdiff_t axis) {
    const std::size_t place = axis_of("expand_dims", axis, x.dimension() + 1);
    Shape shape(x.dimension() + 1, 1);
    for (std::size_t i = 0; i < x.dimension(); ++i) shape[i < place ? i : i + 1] = x.shape()[i];
    return reshape(x, shape);
}
UNARY(expand_dims, std::ptrdiff_t);

FACTS("slice", "x[start:stop:step]", "xbar += zbar at these places, 0 elsewhere");
template <class T>
Variable<T> slice_axis(Variable<T> x, std::size_t axis, std::ptrdiff_t start, std::ptrdiff_t step, std::size_t count) {
    return record("slice", {x}, slice_axis(x.value(), axis, start, step, count), [x, axis, start, step](auto& at) {
        at.adjoint(x) += pad_axis(at.zbar(), axis, start, step, at(x).shape()[axis]);
    });
}
UNARY(slice_axis, std::size_t, std::ptrdiff_t, std::ptrdiff_t, std::size_t);

FACTS("pad", "x with zeros around it", "xbar += zbar at x's places");
template <class T>
Variable<T> pad_axis(Variable<T> x, std::size_t axis, std::ptrdiff_t start, std::ptrdiff_t step, std::size_t length) {
    return record("pad", {x}, pad_axis(x.value(), axis, start, step, length), [x, axis, start, step](auto& at) {
        at.adjoint(x) += slice_axis(at.zbar(), axis, start, step, at(x).shape()[axis]);
    });
}
UNARY(pad_axis, std::size_t, std::ptrdiff_t, std::ptrdiff_t, std::size_t);

template <class T>
Variable<T> slice(Variable<T> x, std::ptrdiff_t axis, std::ptrdiff_t start, std::optional<std::ptrdiff_t> stop,
                  std::ptrdiff_t step) {
    const std::size_t place = axis_of("slice", axis, x.dimension());
    if (step == 0) throw std::invalid_argument("[slice] the step is 0");
    const auto n = static_cast<std::ptrdiff_t>(x.shape()[place]);
    const auto bounded = [n, step](std::ptrdiff_t i) {
        if (i < 0) i += n;
        return step > 0 ? std::clamp<std::ptrdiff_t>(i, 0, n) : std::clamp<std::ptrdiff_t>(i, -1, n - 1);
    };
    const std::ptrdiff_t first = bounded(start), end = stop ? bounded(*stop) : (step > 0 ? n : -1);
    // Written so that no sum with the step, however large it is, overflows.
    const std::ptrdiff_t span = end - first, count = span == 0 || (span > 0) != (step > 0) ? 0
                                                     : step > 0                            ? 1 + (span - 1) / step
                                                                                           : 1 + (span + 1) / step;
    return slice_axis(x, place, first, step, static_cast<std::size_t>(count));
}
UNARY(slice, std::ptrdiff_t, std::ptrdiff_t, std::optional<std::ptrdiff_t>, std::ptrdiff_t);

template <class T>
Variable<T> pad(Variable<T> x, std::ptrdiff_t axis, std::ptrdiff_t before, std::ptrdiff_t after) {
    const std::size_t place = axis_of("pad", axis, x.dimension());
    if (before < 0 || after < 0)
        throw std::invalid_argument(fmt::format(
            "[pad] {} zeros before and {} behind: neither can be negative, and `slice` takes a part", before, after));
    const std::size_t length = checked_sum("pad", static_cast<std::size_t>(before), x.shape()[place]);
    return pad_axis(x, place, before, 1, checked_sum("pad", length, static_cast<std::size_t>(after)));
}
UNARY(pad, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t);

FACTS("take", "x[indices]", "xbar[indices] += zbar");
template <class T>
Variable<T> take_stored(Variable<T> x, const StoredIndices& indices, std::size_t axis) {
    return record("take", {x}, take_stored(x.value(), indices, axis), [x, indices, axis](auto& at) {
        at.adjoint(x) += scatter_stored(at.zbar(), indices, axis, at(x).shape());
    });
}
UNARY(take_stored, const StoredIndices&, std::size_t);

FACTS("scatter_add", "z[indices] += x", "xbar += zbar[indices]");
template <class T>
Variable<T> scatter_stored(Variable<T> x, const StoredIndices& indices, std::size_t axis, const Shape& shape) {
    return record("scatter_add", {x}, scatter_stored(x.value(), indices, axis, shape),
                  [x, indices, axis](auto& at) { at.adjoint(x) += take_stored(at.zbar(), indices, axis); });
}
UNARY(scatter_stored, const StoredIndices&, std::size_t, const Shape&);

FACTS("take_along_axis", "x[indices] along an axis", "xbar[indices] += zbar");
template <class T>
Variable<T> take_stored_along(Variable<T> x, const StoredIndices& indices, std::size_t axis) {
    return record("take_along_axis", {x}, take_stored_along(x.value(), indices, axis), [x, indices, axis](auto& at) {
        at.adjoint(x) += scatter_stored_along(at.zbar(), indices, axis, at(x).shape());
    });
}
UNARY(take_stored_along, const StoredIndices&, std::size_t);

FACTS("scatter_add_along_axis", "z[indices] += x along an axis", "xbar += zbar[indices]");
template <class T>
Variable<T> scatter_stored_along(Variable<T> x, const StoredIndices& indices, std::size_t axis, const Shape& shape) {
    return record("scatter_add_along_axis", {x}, scatter_stored_along(x.value(), indices, axis, shape),
                  [x, indices, axis](auto& at) { at.adjoint(x) += take_stored_along(at.zbar(), indices, axis); });
}
UNARY(scatter_stored_along, const StoredIndices&, std::size_t, const Shape&);

// The same over all of x, as one row.
template <class T>
Variable<T> take_flat(Variable<T> x, const StoredIndices& indices) {
    return record("take", {x}, take_flat(x.value(), indices),
                  [x, indices](auto& at) { at.adjoint(x) += scatter_flat(at.zbar(), indices, at(x).shape()); });
}
UNARY(take_flat, const StoredIndices&);

template <class T>
Variable<T> scatter_flat(Variable<T> x, const StoredIndices& indices, const Shape& shape) {
    return record("scatter_add", {x}, scatter_flat(x.value(), indices, shape),
                  [x, indices](auto& at) { at.adjoint(x) += take_flat(at.zbar(), indices); });
}
UNARY(scatter_flat, const StoredIndices&, const Shape&);

template <class T>
Variable<T> take(Variable<T> x, const Indices& indices, std::ptrdiff_t axis) {
    const std::size_t place = axis_of("take", axis, x.dimension());
    return take_stored(x, stored("take", x.tape(), indices, x.shape()[place]), place);
}
UNARY(take, const Indices&, std::ptrdiff_t);

template <class T>
Variable<T> take_along_axis(Variable<T> x, const Indices& indices, std::ptrdiff_t axis) {
    const std::size_t place = axis_of("take_along_axis", axis, x.dimension());
    Shape expected = x.shape();
    if (indices.dimension() == expected.size()) expected[place] = indices.shape()[place];
    if (indices.shape() != expected)
        throw std::invalid_argument(
            fmt::format("[take_along_axis] indices of shape {} do not fit an array of shape {} along axis {}",
                        to_string(indices.shape()), to_string(x.shape()), axis));
    return take_stored_along(x, stored("take_along_axis", x.tape(), indices, x.shape()[place]), place);
}
UNARY(take_along_axis, const Indices&, std::ptrdiff_t);

FACTS("concatenate", "[x, y, ...]", "xbar += its part of zbar; ybar += its part of zbar");
template <class T>
Variable<T> concatenate(std::span<const Variable<T>> parts, std::ptrdiff_t axis) {
    if (parts.empty()) throw std::invalid_argument("[concatenate] there is nothing to concatenate");
    const Shape& first = parts.front().shape();
    const std::size_t place = axis_of("concatenate", axis, first.size());
    Tape<T>& tape = parts.front().tape();
    const std::span<const Array<T>*> arrays = tape.template allocate<const Array<T>*>(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Variable<T>& part = parts[i];
        Reel<T>::of(tape).check("concatenate", part);
        Shape expected = first;
        if (part.dimension() == first.size()) expected[place] = part.shape()[place];
        if (part.shape() != expected)
            throw std::invalid_argument(fmt::format("[concatenate] shapes do not fit along axis {}: {} and {}", axis,
                                                    to_string(first), to_string(part.shape())));
        arrays[i] = &part.value();
    }
    const std::span<const Variable<T>> xs = tape.store(parts);
    return record("concatenate", xs, kernels::Concatenated<T>{arrays, place}, [xs, place](auto& at) {
        std::size_t offset = 0;
        for (const Variable<T>& x : xs) {
            const std::size_t length = at(x).shape()[place];
            at.adjoint(x) += slice_axis(at.zbar(), place, static_cast<std::ptrdiff_t>(offset), 1, length);
            offset += length;
        }
    });
}

template <class T>
Variable<T> concatenate(const std::vector<Variable<T>>& parts, std::ptrdiff_t axis) {
    return concatenate(std::span<const Variable<T>>(parts), axis);
}

template <class T>
Variable<T> stack(const std::vector<Variable<T>>& parts, std::ptrdiff_t axis) {
    std::vector<Variable<T>> expanded;
    for (const Variable<T>& part : parts) {
        if (part.shape() != parts.front().shape())
            throw std::invalid_argument(fmt::format("[stack] shapes differ: {} and {}",
                                                    to_string(parts.front().shape()), to_string(part.shape())));
        expanded.push_back(expand_dims(part, axis));
    }
    return concatenate(expanded, axis);
}

template Variable<float> concatenate(std::span<const Variable<float>>, std::ptrdiff_t);
template Variable<double> concatenate(std::span<const Variable<double>>, std::ptrdiff_t);
template Variable<float> concatenate(const std::vector<Variable<float>>&, std::ptrdiff_t);
template Variable<double> concatenate(const std::vector<Variable<double>>&, std::ptrdiff_t);
template Variable<float> stack(const std::vector<Variable<float>>&, std::ptrdiff_t);
template Variable<double> stack(const std::vector<Variable<double>>&, std::ptrdiff_t);

FACTS_OF_THIS_FILE(facts_of_shapes)

}  // namespace autograd
