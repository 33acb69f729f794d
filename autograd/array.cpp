#include <fmt/format.h>

#include <autograd/array.hpp>
#include <stdexcept>

namespace autograd {

std::size_t size_of(const Shape& shape) {
    std::size_t size = 1;
    for (std::size_t length : shape) size *= length;
    return size;
}

std::string to_string(const Shape& shape) {
    return fmt::format("({}{})", fmt::join(shape.begin(), shape.end(), ", "), shape.size() == 1 ? "," : "");
}

Shape broadcast_shapes(const char* operation, const Shape& left, const Shape& right) {
    const Shape& longer = left.size() >= right.size() ? left : right;
    const Shape& shorter = left.size() >= right.size() ? right : left;
    Shape result = longer;
    const std::size_t offset = longer.size() - shorter.size();
    for (std::size_t i = 0; i < shorter.size(); ++i) {
        std::size_t& length = result[offset + i];
        if (length == 1) length = shorter[i];
        if (shorter[i] != 1 && shorter[i] != length)
            throw std::invalid_argument(
                fmt::format("[{}] shapes do not broadcast: {} and {}", operation, to_string(left), to_string(right)));
    }
    return result;
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
