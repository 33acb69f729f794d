// IDX files, as images and as labels.
#include <bit>
#include <cmath>
#include <nn/batches.hpp>

#include "fuzz.hpp"

namespace {

// Two images of 2 x 3, and their labels.
const std::string images("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c",
                         28);
const std::string labels("\0\0\x08\x01\0\0\0\x02\x03\x01", 10);

template <class N>
void add_big_endian(std::string& bytes, N value) {
    for (std::size_t i = sizeof(N); i-- > 0;) bytes += static_cast<char>(value >> (8 * i) & 255);
}

/// The rows as doubles, and the labels as integers of 32 bits.
std::string images_of(const nn::Dataset<double>& data) {
    std::string bytes("\0\0\x0e\x02", 4);
    add_big_endian(bytes, static_cast<std::uint32_t>(data.size()));
    add_big_endian(bytes, static_cast<std::uint32_t>(data.features.shape()[1]));
    for (const double x : data.features) add_big_endian(bytes, std::bit_cast<std::uint64_t>(x));
    return bytes;
}
std::string labels_of(const nn::Dataset<double>& data) {
    std::string bytes("\0\0\x0c\x01", 4);
    add_big_endian(bytes, static_cast<std::uint32_t>(data.size()));
    for (const std::int64_t label : data.labels) add_big_endian(bytes, static_cast<std::uint32_t>(label));
    return bytes;
}

/// Read in blocks they are the same, or are refused, too.
void holds_in_blocks(const std::string& image_bytes, const std::string& label_bytes, const nn::Dataset<double>* whole) {
    const fuzz::MemoryFile image_file(image_bytes), label_file(label_bytes);
    std::size_t row = 0;
    const bool good = fuzz::accepts([&] {
        nn::Batch<double> block;
        const auto stream = nn::RowStream::of_idx(image_file.path(), label_file.path());
        for (const auto read = stream.open(); read(block);)
            for (std::size_t i = 0; i < block.x.shape()[0]; ++i, ++row) {
                if (whole == nullptr) continue;
                fuzz::require(block.labels(i) == whole->labels(row), "labels are the same");
                for (std::size_t j = 0; j < block.x.shape()[1]; ++j)
                    fuzz::require(block.x(i, j) == whole->features(row, j), "numbers are the same");
            }
    });
    fuzz::require(good == (whole != nullptr), "both are read, or both are refused");
    fuzz::require(whole == nullptr || row == whole->size(), "all rows come");
}

void holds(const std::string& image_bytes, const std::string& label_bytes) {
    const auto read = [](const std::string& of_images, const std::string& of_labels, nn::Dataset<double>& data) {
        const fuzz::MemoryFile image_file(of_images), label_file(of_labels);
        return fuzz::accepts([&] { data = nn::read_idx<double>(image_file.path(), label_file.path()); });
    };
    nn::Dataset<double> first, second;
    const bool good = read(image_bytes, label_bytes, first);
    holds_in_blocks(image_bytes, label_bytes, good ? &first : nullptr);
    if (!good) return;
    for (const double x : first.features) fuzz::require(std::isfinite(x), "numbers are finite");
    for (const std::int64_t label : first.labels)
        fuzz::require(label >= 0 && label < static_cast<std::int64_t>(first.classes()), "each row has a class");
    fuzz::require(read(images_of(first), labels_of(first), second), "what was written is read");
    fuzz::require(fuzz::same(first.features, second.features) && first.labels == second.labels, "rows come back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string bytes = fuzz::text_of(data, size);
    holds(bytes, labels);
    holds(images, bytes);
    return 0;
}
