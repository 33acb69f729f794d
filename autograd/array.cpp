#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/array.hpp>
#include <limits>
#include <stdexcept>

namespace autograd {

std::string to_string(ShapeView shape) {
    return fmt::format("({}{})", fmt::join(shape.begin(), shape.end(), ", "), shape.size() == 1 ? "," : "");
}

template <std::floating_point T>
Array<T> matrix(std::initializer_list<std::initializer_list<T>> rows) {
    const std::size_t columns = rows.size() == 0 ? 0 : rows.begin()->size();
    Array<T> result = Array<T>::from_shape({rows.size(), columns});
    T* end = result.data();
    for (const auto& row : rows) {
        if (row.size() != columns)
            throw std::invalid_argument(
                fmt::format("[matrix] rows of {} and of {} elements make no matrix", columns, row.size()));
        end = std::copy(row.begin(), row.end(), end);
    }
    return result;
}

template <std::floating_point T>
Array<T> matrices(std::initializer_list<std::initializer_list<std::initializer_list<T>>> values) {
    const Shape first = values.size() == 0 ? Shape{0, 0} : matrix<T>(*values.begin()).shape();
    Array<T> result = Array<T>::from_shape({values.size(), first[0], first[1]});
    T* end = result.data();
    for (const auto& rows : values) {
        const Array<T> one = matrix<T>(rows);
        if (one.shape() != first)
            throw std::invalid_argument(fmt::format("[matrices] matrices of shapes {} and {} do not stand side by side",
                                                    to_string(first), to_string(one.shape())));
        end = std::copy(one.begin(), one.end(), end);
    }
    return result;
}

#define INSTANTIATE(T)                                                         \
    template Array<T> matrix(std::initializer_list<std::initializer_list<T>>); \
    template Array<T> matrices(std::initializer_list<std::initializer_list<std::initializer_list<T>>>);
INSTANTIATE(float)
INSTANTIATE(double)

namespace {

constexpr std::size_t most_elements = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(double);

}  // namespace

std::size_t checked_size(const char* operation, ShapeView shape) {
    std::size_t size = 1;
    bool empty = false;
    for (const std::size_t length : shape) {
        if (length > most_elements / size)
            throw std::length_error(
                fmt::format("[{}] an array of shape {} is larger than any memory", operation, to_string(shape)));
        empty |= length == 0;
        size *= std::max(length, std::size_t{1});
    }
    return empty ? 0 : size;
}

std::size_t checked_sum(const char* operation, std::size_t length, std::size_t other) {
    if (length > most_elements || other > most_elements - length)
        throw std::length_error(
            fmt::format("[{}] an axis of length {} + {} is larger than any memory", operation, length, other));
    return length + other;
}

Shape broadcast_shapes(const char* operation, std::span<const ShapeView> shapes) {
    std::size_t dimension = 0;
    for (const ShapeView shape : shapes) dimension = std::max(dimension, shape.size());
    Shape result(dimension, 1);
    for (const ShapeView shape : shapes)
        for (std::size_t i = 0; i < shape.size(); ++i) {
            std::size_t& length = result[dimension - shape.size() + i];
            if (length == 1) length = shape[i];
            if (shape[i] != 1 && shape[i] != length) {
                std::string text;
                for (const ShapeView own : shapes) text += (text.empty() ? "" : " and ") + to_string(own);
                throw std::invalid_argument(fmt::format("[{}] shapes do not broadcast: {}", operation, text));
            }
        }
    return result;
}

bool sums_to(ShapeView from, ShapeView to) {
    if (to.size() > from.size()) return false;
    const std::size_t offset = from.size() - to.size();
    for (std::size_t i = 0; i < to.size(); ++i)
        if (to[i] != 1 && to[i] != from[offset + i]) return false;
    return true;
}

std::size_t axis_of(const char* operation, std::ptrdiff_t axis, std::size_t dimension) {
    const auto n = static_cast<std::ptrdiff_t>(dimension);
    if (axis < -n || axis >= n)
        throw std::out_of_range(
            fmt::format("[{}] axis {} is out of range for an array of {} dimensions", operation, axis, n));
    return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

Shape kept_shape(const char* operation, const Shape& shape, std::span<const std::ptrdiff_t> axes) {
    Shape kept = shape;
    for (std::size_t k = 0; k < axes.size(); ++k) {
        const std::size_t place = axis_of(operation, axes[k], shape.size());
        for (std::size_t earlier = 0; earlier < k; ++earlier)
            if (axis_of(operation, axes[earlier], shape.size()) == place)
                throw std::invalid_argument(fmt::format("[{}] axis {} is named twice", operation, axes[k]));
        kept[place] = 1;
    }
    return kept;
}

}  // namespace autograd
