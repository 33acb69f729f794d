// What a file of named arrays holds, whatever its format is.
#pragma once

#include <autograd/array.hpp>
#include <cstdint>
#include <deque>
#include <nn/safetensors.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nn::files {

class Input;

constexpr std::size_t longest_header = 100'000'000;  // bytes of a safetensors file's, as in the reader in Rust

/// A type of elements: what safetensors and NumPy call it (NumPy without the order of bytes), and its bytes.
struct ElementType {
    std::string_view safetensors, numpy;
    std::size_t width;
};

/// The type that a format calls so; null where it is none that is read.
const ElementType* element_type(std::string_view name, std::string_view ElementType::*format);

/// An array in a file, or on its way into one.
struct Entry {
    std::string name;
    std::string type;  // as the file calls it
    autograd::Shape shape;
    std::string_view bytes;
    const ElementType* element;  // null: none that is read
    bool big_endian = false;
    bool fortran_order = false;  // the first axis runs fastest
};

enum class Format { safetensors, npz, npy };

/// Throws `std::invalid_argument`, beginning with `[operation]`, where two parameters have one name.
template <class T>
void check_names(const char* operation, const std::vector<autograd::Parameter<T>>& parameters);

class Contents {
  public:
    /// Reads a file of this format; without one, of that which it begins with. Throws `autograd::FileError`.
    explicit Contents(const std::string& path, std::optional<Format> format = {});
    Contents(const Contents&) = delete;
    Contents& operator=(const Contents&) = delete;

    Format format;
    std::vector<Entry> entries;
    Metadata metadata;

    /// The array of this name; nothing where there is none.
    const Entry* find(std::string_view name) const;

    /// What there is, in words: the first arrays with their shapes.
    std::string names() const;

    /// The numbers of an array. Throws where its elements are of a type that is not read, or beyond the range of T.
    template <class T>
    autograd::Array<T> array(const Entry& entry) const;

    [[noreturn]] void fail(const std::string& what) const;
    [[noreturn]] void fail_at_memory(std::size_t most) const;

  private:
    // `start` is what was read to tell the formats apart.
    void read_safetensors(const std::string& start, Input& file);
    void read_npz(const std::string& start, Input& file);
    void read_npy(const std::string& start, Input& file);

    /// Throws unless the shape is one that an array may have, and needs the bytes from `begin` to `end`.
    void require_fitting(const Entry& entry, std::size_t begin, std::size_t end) const;
    Entry npy_entry(const std::string& name, std::string_view npy) const;
    void read_metadata(const Entry& entry);

    std::string path_;
    std::deque<std::string> bytes_;  // what the entries look at, which does not move
};

/// The metadata in a JSON object of texts; false where it is none.
bool metadata_from(const std::string& object, Metadata& metadata);

// What stands in the file at `path`, which errors name. Arrays are in C's order and little-endian.
std::string to_json(const std::string& path, const Metadata& metadata);
std::string safetensors_bytes(const std::string& path, const std::vector<Entry>& entries, const Metadata& metadata);
std::string npz_bytes(const std::string& path, const std::vector<Entry>& entries, const Metadata& metadata);
std::string npy_bytes(const Entry& entry);

}  // namespace nn::files
