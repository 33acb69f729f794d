#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <nn/files/input.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <nn/safetensors.hpp>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>

namespace nn {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

using autograd::Array;
using autograd::FileError;
using autograd::Parameter;
using autograd::Shape;
using files::printable;
using nlohmann::json;

namespace {

template <class T>
constexpr const char* dtype = sizeof(T) == 4 ? "F32" : "F64";

constexpr std::size_t longest_header = 100'000'000;    // bytes, as in the reader in Rust
constexpr std::size_t largest = std::size_t{1} << 31;  // its square is still a number

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

/// Writes `array.size()` elements into the array; false where T does not hold one: a finite one is beyond its range, or
/// an integer has too many digits.
template <class S, class T>
bool copy_as(const char* bytes, Array<T>& array) {
    for (std::size_t i = 0; i < array.size(); ++i) {
        S element;
        std::memcpy(&element, bytes + i * sizeof(S), sizeof(S));
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

/// A type of elements: its name, its bytes, and how it is read.
template <class T>
struct Type {
    std::string_view name;
    std::size_t width;
    bool (*copy)(const char*, Array<T>&);
};

template <class T>
constexpr Type<T> types[] = {
    {"F32", 4, copy_as<float, T>},         {"F64", 8, copy_as<double, T>},        {"F16", 2, copy_as<Half<5>, T>},
    {"BF16", 2, copy_as<Half<8>, T>},      {"I64", 8, copy_as<std::int64_t, T>},  {"I32", 4, copy_as<std::int32_t, T>},
    {"I16", 2, copy_as<std::int16_t, T>},  {"I8", 1, copy_as<std::int8_t, T>},    {"U64", 8, copy_as<std::uint64_t, T>},
    {"U32", 4, copy_as<std::uint32_t, T>}, {"U16", 2, copy_as<std::uint16_t, T>}, {"U8", 1, copy_as<std::uint8_t, T>},
    {"BOOL", 1, copy_as<Bool, T>}};

/// Where an array stands in a file, and what it is.
struct Entry {
    std::string name;
    std::string type;
    Shape shape;
    std::size_t begin = 0, end = 0;
};

/// What a header says, read piece by piece: a tree of nlohmann's asks for memory when it is destroyed, which ends the
/// program where there is none.
class Header : public nlohmann::json_sax<json> {
  public:
    using Numbers = std::vector<std::uint64_t>;
    struct Named {
        std::string name;
        std::optional<std::string> type = {};
        std::optional<Numbers> shape = {}, offsets = {};
    };

    std::vector<Named> arrays;
    Metadata metadata;

    bool null() override { return depth_ == 1 ? in_metadata_ : is_other(); }
    bool boolean(bool) override { return is_other(); }
    bool number_integer(number_integer_t) override { return number(no_length); }
    bool number_float(number_float_t, const string_t&) override { return number(no_length); }
    bool number_unsigned(number_unsigned_t n) override { return number(n); }
    bool string(string_t& text) override {
        if (depth_ == 2 && in_metadata_) return metadata.emplace(key_, text).second;
        if (depth_ != 2 || key_ != "dtype") return is_other();
        arrays.back().type = text;
        return true;
    }
    bool binary(binary_t&) override { return false; }
    bool key(string_t& name) override {
        if (depth_ <= 2) key_ = name;
        if (depth_ > 1) return true;
        in_metadata_ = name == "__metadata__";
        return names_.insert(name).second;  // each name once
    }
    bool start_object(std::size_t) override {
        if (depth_ == 1 && !in_metadata_) arrays.push_back({key_});
        const bool allowed = depth_ < 2 || is_other();
        ++depth_;
        return allowed;
    }
    bool start_array(std::size_t) override {
        std::optional<Numbers>* const numbers = depth_ == 2 ? numbers_here() : nullptr;
        const bool allowed = numbers != nullptr || is_other();
        if (numbers != nullptr) numbers->emplace();
        ++depth_;
        return allowed;
    }
    bool end_object() override { return depth_-- > 0; }
    bool end_array() override { return depth_-- > 0; }
    bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

  private:
    static constexpr std::uint64_t no_length = std::numeric_limits<std::uint64_t>::max();

    /// The list of numbers that the last key names.
    std::optional<Numbers>* numbers_here() {
        if (in_metadata_) return nullptr;
        return key_ == "shape" ? &arrays.back().shape : key_ == "data_offsets" ? &arrays.back().offsets : nullptr;
    }
    bool number(std::uint64_t n) {
        std::optional<Numbers>* const numbers = depth_ == 3 ? numbers_here() : nullptr;
        if (numbers == nullptr) return is_other();
        (*numbers)->push_back(n);
        return true;
    }
    /// Whether this is something about an array that the format does not know, which may be anything.
    bool is_other() { return depth_ >= 2 && !in_metadata_ && key_ != "dtype" && numbers_here() == nullptr; }

    std::set<std::string> names_;
    std::string key_;  // the last one of an array, of the metadata or of the header
    bool in_metadata_ = false;
    int depth_ = 0;
};

/// A file is eight bytes with the header's length, the header in JSON, and the arrays one after the other.
struct Contents {
    explicit Contents(const std::string& path) : path_(files::printable(path)) {
        files::Input file(path);
        std::uint64_t length = 0;
        const std::string start = file.read(sizeof length);
        if (start.size() < sizeof length) fail("this is not a safetensors file");
        std::memcpy(&length, start.data(), sizeof length);
        if (length > longest_header) fail("this is not a safetensors file, or it is cut short");
        const std::string text = file.read(length);
        if (text.size() < length) fail("this is not a safetensors file, or it is cut short");
        Header header;
        if (!json::sax_parse(text, &header)) fail_at_header();
        metadata = std::move(header.metadata);
        for (const Header::Named& array : header.arrays) entries.push_back(read(array));
        std::ranges::sort(entries, {}, [](const Entry& entry) { return std::pair(entry.begin, entry.end); });
        std::size_t position = 0;
        for (const Entry& entry : entries) {
            if (entry.begin != position) fail("arrays overlap or leave a gap");
            position = entry.end;
        }
        data = file.read(position);
        if (data.size() < position)
            fail(fmt::format("the header promises {} bytes, but {} follow", position, data.size()));
        if (file.peek() >= 0) fail(fmt::format("the header promises {} bytes, but more follow", position));
    }

    /// What there is, in words: the first arrays with their shapes.
    std::string names() const {
        constexpr std::size_t shown = 8;
        std::string text;
        for (const Entry& entry : entries | std::views::take(shown))
            text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", printable(entry.name),
                                autograd::to_string(entry.shape));
        if (entries.size() > shown) text += fmt::format(" and {} more", entries.size() - shown);
        return text.empty() ? "none" : text;
    }

    /// The numbers of an array. Throws where its elements are of a type that is not read, or beyond the range of T.
    template <class T>
    Array<T> array(const Entry& entry) const {
        const auto type = std::ranges::find(types<T>, entry.type, &Type<T>::name);
        if (type == std::end(types<T>))
            fail(fmt::format("'{}' has elements of type {}, which is not read", printable(entry.name),
                             printable(entry.type)));
        Array<T> numbers;
        numbers.resize(entry.shape);
        if (!type->copy(data.data() + entry.begin, numbers))
            fail(fmt::format("'{}' holds a number beyond the range of {}, or an integer with more digits",
                             printable(entry.name), dtype<T>));
        return numbers;
    }

    [[noreturn]] void fail(const std::string& what) const { throw FileError(fmt::format("{}: {}", path_, what)); }

    std::string data;
    std::vector<Entry> entries;
    Metadata metadata;

  private:
    [[noreturn]] void fail_at_header() const { fail("the header is not what safetensors prescribes"); }

    Entry read(const Header::Named& said) const {
        if (!said.type || !said.shape || !said.offsets || said.offsets->size() != 2) fail_at_header();
        Entry entry{said.name, *said.type, {}, (*said.offsets)[0], (*said.offsets)[1]};
        const std::string name = printable(said.name);
        const auto type = std::ranges::find(types<float>, entry.type, &Type<float>::name);
        const std::size_t width = type == std::end(types<float>) ? 0 : type->width;  // 0: unknown, and skipped
        std::size_t extent = 1, size = width;
        for (const std::uint64_t n : *said.shape) {
            entry.shape.push_back(n);
            if (n <= largest) extent *= std::max<std::size_t>(n, 1);
            if (n > largest || extent > largest)
                fail(fmt::format("'{}' has an axis that is no length, or is too long", name));
            size *= n;
        }
        if (entry.begin > entry.end || (width != 0 && entry.end - entry.begin != size))
            fail(fmt::format("'{}' of shape {} needs {} bytes, but stands at {} ... {}", name,
                             autograd::to_string(entry.shape), size, entry.begin, entry.end));
        return entry;
    }

    std::string path_;
};

}  // namespace

template <class T>
void save(const std::string& path, const std::vector<Parameter<T>>& parameters, const Metadata& metadata) {
    const auto quoted = [&](const std::string& name) {
        try {
            return json(name).dump();
        } catch (const json::exception&) {
            throw FileError(fmt::format("{}: a name in it is not valid UTF-8", printable(path)));
        }
    };
    std::map<std::string, std::string> entries;  // as JSON, by name
    if (!metadata.empty()) {
        std::vector<std::string> texts;
        for (const auto& [name, text] : metadata) texts.push_back(quoted(name) + ":" + quoted(text));
        entries["__metadata__"] = fmt::format("{{{}}}", fmt::join(texts, ","));
    }
    std::string data;
    for (const Parameter<T>& parameter : parameters) {
        if (parameter.name() == "__metadata__")
            throw std::invalid_argument(
                "[save] no parameter can have the name '__metadata__': safetensors keeps it for what a file says about "
                "itself");
        const Array<T>& value = parameter.value();
        const std::size_t begin = data.size();
        data.append(reinterpret_cast<const char*>(value.data()), value.size() * sizeof(T));
        const std::string entry = fmt::format(R"({{"data_offsets":[{},{}],"dtype":"{}","shape":[{}]}})", begin,
                                              data.size(), dtype<T>, fmt::join(value.shape(), ","));
        if (!entries.emplace(parameter.name(), entry).second)
            throw std::invalid_argument(fmt::format("[save] two parameters have the name '{}'", parameter.name()));
    }
    std::vector<std::string> pairs;
    for (const auto& [name, entry] : entries) pairs.push_back(quoted(name) + ":" + entry);
    std::string text = fmt::format("{{{}}}", fmt::join(pairs, ","));
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    files::write(path, std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data);
}

template <class T>
Tensors<T> read_safetensors(const std::string& path) {
    Contents contents(path);
    Tensors<T> tensors;
    tensors.metadata = std::move(contents.metadata);
    for (const Entry& entry : contents.entries) tensors.arrays[entry.name] = contents.array<T>(entry);
    return tensors;
}

Outline read_outline(const std::string& path) {
    Contents contents(path);
    Outline outline{{}, std::move(contents.metadata)};
    for (const Entry& entry : contents.entries)
        if (std::ranges::find(types<float>, entry.type, &Type<float>::name) != std::end(types<float>))
            outline.shapes[entry.name] = entry.shape;
    return outline;
}

template <class T>
Metadata load(const std::string& path, const std::vector<Parameter<T>>& parameters) {
    Contents contents(path);
    std::vector<Array<T>> arrays;
    for (const Parameter<T>& parameter : parameters) {
        const auto found = std::ranges::find(contents.entries, parameter.name(), &Entry::name);
        if (found == contents.entries.end())
            contents.fail(fmt::format("there is no array '{}'; the file holds {}", printable(parameter.name()),
                                      contents.names()));
        if (found->shape != parameter.shape())
            contents.fail(fmt::format("'{}' has shape {}, but the parameter has shape {}", printable(parameter.name()),
                                      autograd::to_string(found->shape), autograd::to_string(parameter.shape())));
        arrays.push_back(contents.array<T>(*found));
    }
    for (std::size_t i = 0; i < parameters.size(); ++i)
        Parameter<T>(parameters[i]).edit([&](Array<T>& value) { value = std::move(arrays[i]); });
    return std::move(contents.metadata);
}

#define INSTANTIATE(T)                                                                         \
    template void save(const std::string&, const std::vector<Parameter<T>>&, const Metadata&); \
    template Metadata load(const std::string&, const std::vector<Parameter<T>>&);              \
    template Tensors<T> read_safetensors(const std::string&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
