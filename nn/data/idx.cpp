#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <nn/data.hpp>
#include <nn/data/streams.hpp>
#include <nn/files/input.hpp>
#include <span>

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
class Idx {
  public:
    explicit Idx(const std::string& path) : file_(path) {
        const std::string magic = file_.read(4);
        if (magic.size() < 4 || magic[0] != 0 || magic[1] != 0) fail("this is not an IDX file");
        type = static_cast<unsigned char>(magic[2]);
        const std::size_t axes = static_cast<unsigned char>(magic[3]);
        if (width() == 0) fail(fmt::format("IDX has no element type 0x{:02x}", type));
        const std::string lengths = file_.read(4 * axes);
        if (axes == 0 || lengths.size() < 4 * axes) fail("the header is cut short");
        std::size_t size = width();
        for (std::size_t axis = 0; axis < axes; ++axis) {
            shape.push_back(big_endian<std::uint32_t>(lengths.data() + 4 * axis));
            if (shape.back() == 0) fail("there are no rows of data");
            if (size > largest / shape.back())
                fail(fmt::format("the header promises more than {} bytes, the most that are read", largest));
            size *= shape.back();
        }
        size_ = size;
    }

    std::size_t rows() const { return shape[0]; }
    std::size_t numbers() const { return autograd::size_of(shape) / rows(); }  // of a row

    /// Reads the next rows, `at` of which is counted from there; behind the last one the file must end.
    void read(std::size_t rows) {
        const std::size_t wanted = rows * numbers() * width();
        bytes_ = file_.read(wanted);
        read_ += bytes_.size();
        if (bytes_.size() < wanted) fail(fmt::format("the header promises {} bytes, but {} follow", size_, read_));
        if (read_ == size_ && file_.peek() >= 0)
            fail(fmt::format("the header promises {} bytes, but more follow", size_));
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw FileError(fmt::format("{}: {}", file_.path(), what));
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
        const char* element = bytes_.data() + i * width();
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

    unsigned type = 0;
    Shape shape;

  private:
    files::Input file_;
    std::string bytes_ = {};
    std::size_t size_ = 0, read_ = 0;  // bytes behind the header
};

/// Images, and the label of each.
class Images {
  public:
    Images(const std::string& images, const std::string& labels)
        : images_path_(images), labels_path_(labels), images_(images), labels_(labels) {
        is_qmnist_ = labels_.type == 0x0c && labels_.shape.size() == 2 && labels_.shape[1] == 8;
    }

    /// Throws where they are no images and their labels.
    void require_pairs() const {
        if ((labels_.type != 0x08 && labels_.type != 0x0c) || (labels_.shape.size() != 1 && !is_qmnist_))
            throw FileError(
                fmt::format("{}: labels are one byte each, or a 32-bit integer, along one axis", labels_path_));
        if (images_.rows() != labels_.rows())
            throw FileError(fmt::format("{}: {} rows, but {} has {} labels", images_path_, images_.rows(), labels_path_,
                                        labels_.rows()));
    }

    /// Reads all: what a header promises must be there before anything is made of it.
    void load() {
        images_.read(images_.rows());
        labels_.read(labels_.rows());
    }

    std::size_t rows() const { return images_.rows(); }
    std::size_t numbers() const { return images_.numbers(); }

    /// Reads the next images: only then may there be room for all that was promised.
    void load_images(std::size_t rows) { images_.read(rows); }

    template <class T>
    void copy_images(std::size_t rows, T* to) {
        for (std::size_t i = 0; i < rows * numbers(); ++i, ++to) {
            *to = static_cast<T>(images_.at(i));
            if (!std::isfinite(*to))
                throw FileError(
                    fmt::format("{}: element {} is not a finite number", images_path_, images_read_ * numbers() + i));
        }
        images_read_ += rows;
    }

    void load_labels(std::size_t rows) { labels_.read(rows); }

    void copy_labels(std::size_t rows, std::int64_t* to) {
        for (std::size_t i = 0; i < rows; ++i, ++labels_read_, ++to) {
            *to = static_cast<std::int64_t>(labels_.at(is_qmnist_ ? 8 * i : i));
            if (*to < 0 || *to > 65535)
                throw FileError(
                    fmt::format("{}: label {} of row {} is not one of 0 ... 65535", labels_path_, *to, labels_read_));
        }
    }

  private:
    std::string images_path_, labels_path_;
    Idx images_, labels_;
    bool is_qmnist_ = false;
    std::size_t images_read_ = 0, labels_read_ = 0;
};

/// "0", "1", ... up to the largest label.
void name_classes(std::span<const std::int64_t> labels, std::vector<std::string>& names) {
    for (const std::int64_t label : labels)
        while (names.size() <= static_cast<std::size_t>(label)) names.push_back(std::to_string(names.size()));
}

}  // namespace

template <class T>
Dataset<T> read_idx(const std::string& images_path, const std::string& labels_path) {
    Images images(images_path, labels_path);
    images.load();
    images.require_pairs();
    const std::size_t n = images.rows();
    Dataset<T> data{autograd::Array<T>::from_shape({n, images.numbers()}), autograd::Indices::from_shape({n}), {}};
    images.copy_images(n, data.features.data());
    images.copy_labels(n, data.labels.data());
    name_classes({data.labels.data(), n}, data.class_names);
    return data;
}

RowStream RowStream::of_idx(const std::string& images_path, const std::string& labels_path) {
    State state{{}, {}, files::SteadyFiles({images_path, labels_path}), {}};
    Images first(images_path, labels_path);
    first.require_pairs();
    std::vector<std::int64_t> labels(rows_at_once(1));
    for (std::size_t row = 0; row < first.rows(); row += labels.size()) {
        labels.resize(std::min(labels.size(), first.rows() - row));
        first.load_labels(labels.size());
        first.copy_labels(labels.size(), labels.data());
        name_classes(labels, state.outline.class_names);
    }
    state.facts = {first.rows(), first.numbers(), state.outline.classes(), 0};
    state.open = [=, facts = state.facts]() -> ReadRows<double> {
        const auto images = std::make_shared<Images>(images_path, labels_path);
        return [images, facts, row = std::size_t{0}](Batch<double>& batch) mutable {
            const std::size_t n = std::min(rows_at_once(facts.columns), facts.rows - row);
            if (n == 0) return false;
            images->load_images(n);
            images->load_labels(n);
            resize(batch, n, facts);
            images->copy_images(n, batch.x.data());
            images->copy_labels(n, batch.labels.data());
            for (const std::int64_t label : batch.labels)
                if (static_cast<std::size_t>(label) >= facts.classes) return false;  // another file: too few rows
            row += n;
            return true;
        };
    };
    return RowStreams::make(std::move(state));
}

template Dataset<float> read_idx(const std::string&, const std::string&);
template Dataset<double> read_idx(const std::string&, const std::string&);

}  // namespace nn
