#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <nn/data.hpp>
#include <nn/files/input.hpp>

namespace nn {

using autograd::FileError;
using autograd::Shape;

namespace {

/// Numbers are stored with the most significant byte first.
template <class N>
N big_endian(const char* bytes) {
    char reversed[sizeof(N)];
    std::reverse_copy(bytes, bytes + sizeof(N), reversed);
    N value;
    std::memcpy(&value, std::endian::native == std::endian::little ? reversed : bytes, sizeof(N));
    return value;
}

constexpr std::size_t largest = std::size_t{1} << 40;  // bytes of a file

/// A header: two zeros, the type of the elements, the number of axes, and four bytes for the length of each.
struct Idx {
    explicit Idx(const std::string& path) {
        files::Input file(path);
        const auto fail = [&](const std::string& what) { throw FileError(fmt::format("{}: {}", file.path(), what)); };
        const std::string magic = file.read(4);
        if (magic.size() < 4 || magic[0] != 0 || magic[1] != 0) fail("this is not an IDX file");
        type = static_cast<unsigned char>(magic[2]);
        const std::size_t axes = static_cast<unsigned char>(magic[3]);
        if (width() == 0) fail(fmt::format("IDX has no element type 0x{:02x}", type));
        const std::string lengths = file.read(4 * axes);
        if (axes == 0 || lengths.size() < 4 * axes) fail("the header is cut short");
        std::size_t size = width();
        for (std::size_t axis = 0; axis < axes; ++axis) {
            shape.push_back(big_endian<std::uint32_t>(lengths.data() + 4 * axis));
            if (shape.back() == 0) fail("there are no rows of data");
            if (size > largest / shape.back())
                fail(fmt::format("the header promises more than {} bytes, the most that are read", largest));
            size *= shape.back();
        }
        bytes = file.read(size);
        if (bytes.size() < size) fail(fmt::format("the header promises {} bytes, but {} follow", size, bytes.size()));
        if (file.peek() >= 0) fail(fmt::format("the header promises {} bytes, but more follow", size));
    }

    std::size_t width() const {
        switch (type) {
            case 0x08:
            case 0x09:
                return 1;
            case 0x0b:
                return 2;
            case 0x0c:
            case 0x0d:
                return 4;
            case 0x0e:
                return 8;
            default:
                return 0;
        }
    }

    double at(std::size_t i) const {
        const char* element = bytes.data() + i * width();
        switch (type) {
            case 0x08:
                return static_cast<unsigned char>(*element);
            case 0x09:
                return static_cast<signed char>(*element);
            case 0x0b:
                return big_endian<std::int16_t>(element);
            case 0x0c:
                return big_endian<std::int32_t>(element);
            case 0x0d:
                return static_cast<double>(big_endian<float>(element));
            default:
                return big_endian<double>(element);
        }
    }

    std::string bytes;
    unsigned type = 0;
    Shape shape;
};

}  // namespace

template <class T>
Dataset<T> read_idx(const std::string& images_path, const std::string& labels_path) {
    const Idx images(images_path), labels(labels_path);
    const bool qmnist = labels.type == 0x0c && labels.shape.size() == 2 && labels.shape[1] == 8;
    if ((labels.type != 0x08 && labels.type != 0x0c) || (labels.shape.size() != 1 && !qmnist))
        throw FileError(fmt::format("{}: labels are one byte each, or a 32-bit integer, along one axis", labels_path));
    const std::size_t n = labels.shape[0];
    if (images.shape[0] != n)
        throw FileError(fmt::format("{}: {} rows, but {} has {} labels", images_path, images.shape[0], labels_path, n));

    Dataset<T> data{autograd::Array<T>::from_shape({n, autograd::size_of(images.shape) / n}),
                    autograd::Indices::from_shape({n}),
                    {}};
    for (std::size_t i = 0; i < data.features.size(); ++i) {
        data.features.data()[i] = static_cast<T>(images.at(i));
        if (!std::isfinite(data.features.data()[i]))
            throw FileError(fmt::format("{}: element {} is not a finite number", images_path, i));
    }
    for (std::size_t i = 0; i < n; ++i) {
        data.labels(i) = static_cast<std::int64_t>(labels.at(qmnist ? 8 * i : i));
        if (data.labels(i) < 0 || data.labels(i) > 65535)
            throw FileError(
                fmt::format("{}: label {} of row {} is not one of 0 ... 65535", labels_path, data.labels(i), i));
        while (data.classes() <= static_cast<std::size_t>(data.labels(i)))
            data.class_names.push_back(std::to_string(data.classes()));
    }
    return data;
}

template Dataset<float> read_idx(const std::string&, const std::string&);
template Dataset<double> read_idx(const std::string&, const std::string&);

}  // namespace nn
