#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nn/files/contents.hpp>
#include <nn/files/input.hpp>
#include <nn/files/text.hpp>

namespace nn::files {

using autograd::Array;
using autograd::Shape;

static_assert(std::endian::native == std::endian::little, "arrays in files are little-endian");

namespace {

constexpr std::size_t largest = std::size_t{1} << 31;  // its square is still a number

constexpr ElementType element_types[] = {{"F32", "f4", 4}, {"F64", "f8", 8}, {"F16", "f2", 2}, {"BF16", "", 2},
                                         {"I64", "i8", 8}, {"I32", "i4", 4}, {"I16", "i2", 2}, {"I8", "i1", 1},
                                         {"U64", "u8", 8}, {"U32", "u4", 4}, {"U16", "u2", 2}, {"U8", "u1", 1},
                                         {"BOOL", "b1", 1}};

/// The number that a 16-bit float stands for: a sign, `exponent_bits` bits of exponent, and the rest.
template <int exponent_bits>
struct Half {
    std::uint16_t bits;
    operator double() const {
        constexpr int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
        const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
        const int fraction = bits & ((1 << fraction_bits) - 1);
        const double sign = bits >> 15 ? -1 : 1;
        if (exponent == (1 << exponent_bits) - 1) return fraction ? NAN : sign * INFINITY;
        const int whole = exponent ? fraction + (1 << fraction_bits) : fraction;
        return sign * std::ldexp(whole, std::max(exponent, 1) - bias - fraction_bits);
    }
};

struct Bool {
    std::uint8_t bits;
    operator double() const { return bits != 0; }
};

/// Writes the elements into an array of as many; false where T does not hold one: a finite one is beyond its range, or
/// an integer has too many digits.
template <class S, class T>
bool copy_as(const Entry& entry, Array<T>& array) {
    for (std::size_t i = 0; i < array.size(); ++i) {
        char bytes[sizeof(S)];
        std::memcpy(bytes, entry.bytes.data() + i * sizeof(S), sizeof(S));
        if (entry.big_endian) std::ranges::reverse(bytes);
        S element;
        std::memcpy(&element, bytes, sizeof(S));
        if constexpr (std::is_same_v<S, double> && !std::is_same_v<T, double>)
            if (std::isfinite(element) && !std::isfinite(static_cast<T>(element))) return false;
        if constexpr (std::is_integral_v<S> && sizeof(S) >= sizeof(T)) {
            const long double number = static_cast<T>(element);
            if (number != static_cast<long double>(element)) return false;
        }
        array.data()[i] = static_cast<T>(element);
    }
    return true;
}

/// How each of `element_types` is read.
template <class T>
constexpr bool (*copies[])(const Entry&, Array<T>&) = {
    copy_as<float, T>,         copy_as<double, T>,        copy_as<Half<5>, T>,       copy_as<Half<8>, T>,
    copy_as<std::int64_t, T>,  copy_as<std::int32_t, T>,  copy_as<std::int16_t, T>,  copy_as<std::int8_t, T>,
    copy_as<std::uint64_t, T>, copy_as<std::uint32_t, T>, copy_as<std::uint16_t, T>, copy_as<std::uint8_t, T>,
    copy_as<Bool, T>};
static_assert(std::size(copies<float>) == std::size(element_types));

/// The format of a file that begins so. Of a safetensors file this is a length, and what the others begin with is too
/// long for one.
Format format_of(std::string_view start) {
    std::uint64_t length = 0;
    if (start.size() == sizeof length) std::memcpy(&length, start.data(), sizeof length);
    if (length <= longest_header) return Format::safetensors;
    if (start.starts_with("PK\3\4") || start.starts_with("PK\5\6")) return Format::npz;
    return start.starts_with("\x93NUMPY") ? Format::npy : Format::safetensors;
}

}  // namespace

const ElementType* element_type(std::string_view name, std::string_view ElementType::*format) {
    const auto found = std::ranges::find(element_types, name, format);
    return name.empty() || found == std::end(element_types) ? nullptr : found;
}

Contents::Contents(const std::string& path, std::optional<Format> wanted) : path_(printable(path)) {
    Input file(path);
    const std::string start = file.read(sizeof(std::uint64_t));
    format = wanted ? *wanted : format_of(start);
    if (format == Format::safetensors) read_safetensors(start, file);
    if (format == Format::npz) read_npz(start, file);
    if (format == Format::npy) read_npy(start, file);
}

const Entry* Contents::find(std::string_view name) const {
    const auto found = std::ranges::find(entries, name, &Entry::name);
    return found == entries.end() ? nullptr : &*found;
}

std::string Contents::names() const {
    constexpr std::size_t shown = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, entries.size()); ++i)
        text += fmt::format("{}'{}' {}", i == 0 ? "" : ", ", printable(entries[i].name),
                            autograd::to_string(entries[i].shape));
    if (entries.size() > shown) text += fmt::format(" and {} more", entries.size() - shown);
    return text.empty() ? "none" : text;
}

template <class T>
Array<T> Contents::array(const Entry& entry) const {
    if (entry.element == nullptr)
        fail(fmt::format("'{}' has elements of type {}, which is not read", printable(entry.name),
                         printable(entry.type)));
    Array<T> numbers;
    numbers.resize(entry.fortran_order ? Shape(entry.shape.rbegin(), entry.shape.rend()) : entry.shape);
    if (!copies<T>[entry.element - element_types](entry, numbers))
        fail(fmt::format("'{}' holds a number beyond the range of {}, or an integer with more digits",
                         printable(entry.name), sizeof(T) == 4 ? "F32" : "F64"));
    if (entry.fortran_order) return xt::transpose(numbers);
    return numbers;
}
template Array<float> Contents::array(const Entry&) const;
template Array<double> Contents::array(const Entry&) const;

void Contents::fail(const std::string& what) const { throw autograd::FileError(fmt::format("{}: {}", path_, what)); }

void Contents::fail_at_memory(std::size_t most) const {
    fail(fmt::format("the file needs more than {} MB, a quarter of the memory", most >> 20));
}

void Contents::require_fitting(const Entry& entry, std::size_t begin, std::size_t end) const {
    const std::string name = printable(entry.name);
    std::size_t extent = 1, size = entry.element == nullptr ? 0 : entry.element->width;
    for (const std::size_t n : entry.shape) {
        if (n <= largest) extent *= std::max<std::size_t>(n, 1);
        if (n > largest || extent > largest)
            fail(fmt::format("'{}' has an axis that is no length, or is too long", name));
        size *= n;
    }
    if (begin > end || (entry.element != nullptr && end - begin != size))
        fail(fmt::format("'{}' of shape {} needs {} bytes, but stands at {} ... {}", name,
                         autograd::to_string(entry.shape), size, begin, end));
}

}  // namespace nn::files
