#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <nn/files/bytes.hpp>
#include <nn/safetensors.hpp>
#include <stdexcept>
#include <tuple>

namespace nn {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

using autograd::Array;
using autograd::FileError;
using autograd::Parameter;
using autograd::Shape;
using nlohmann::json;

namespace {

template <class T>
constexpr const char* dtype = sizeof(T) == 4 ? "F32" : "F64";

constexpr std::size_t largest = std::size_t{1} << 31;  // its square is still a number

template <class S, class T>
void copy_as(const char* bytes, Array<T>& array) {
    for (std::size_t i = 0; i < array.size(); ++i) {
        S value;
        std::memcpy(&value, bytes + i * sizeof(S), sizeof(S));
        array.data()[i] = static_cast<T>(value);
    }
}

/// Where an array stands in a file, and what it is.
struct Entry {
    std::string name;
    Shape shape;
    std::size_t width = 0;  // bytes of an element
    std::size_t begin = 0, end = 0;
};

/// A file is eight bytes with the header's length, the header in JSON, and the arrays one after the other.
struct Contents {
    explicit Contents(const std::string& path) : bytes(files::read(path)) {
        const auto fail = [&](const std::string& what) { throw FileError(fmt::format("{}: {}", path, what)); };
        std::uint64_t length = 0;
        if (bytes.size() < sizeof length) fail("this is not a safetensors file");
        std::memcpy(&length, bytes.data(), sizeof length);
        if (length > bytes.size() - sizeof length) fail("this is not a safetensors file, or it is cut short");
        const char* const header = bytes.data() + sizeof length;
        data = header + length;
        const std::size_t room = bytes.size() - sizeof length - length;
        try {
            const json entries_by_name = json::parse(header, data);
            for (const auto& [name, value] : entries_by_name.items()) {
                if (name == "__metadata__") {
                    metadata = value.get<Metadata>();
                } else {
                    entries.push_back(read(name, value, fail));
                }
            }
        } catch (const json::exception&) {
            fail("the header is not what safetensors prescribes");
        }
        std::ranges::sort(entries, {}, [](const Entry& entry) { return std::pair(entry.begin, entry.end); });
        std::size_t position = 0;
        for (const Entry& entry : entries) {
            if (entry.begin != position) fail("arrays overlap or leave a gap");
            position = entry.end;
        }
        if (position != room) fail(fmt::format("the header promises {} bytes, but {} follow", position, room));
    }

    std::string bytes;
    const char* data = nullptr;
    std::vector<Entry> entries;
    Metadata metadata;

  private:
    template <class Fail>
    static Entry read(const std::string& name, const json& value, Fail fail) {
        Entry entry;
        entry.name = name;
        const auto type = value.at("dtype").get<std::string>();
        entry.width = type == "F32" ? 4 : type == "F64" ? 8 : 0;
        if (entry.width == 0) fail(fmt::format("'{}' has elements of type {}; F32 and F64 are read", name, type));
        std::size_t extent = 1, size = entry.width;
        for (const json& axis : value.at("shape")) {
            const auto n = axis.is_number_unsigned() ? axis.get<std::size_t>() : largest + 1;
            entry.shape.push_back(n);
            extent *= std::max<std::size_t>(n, 1);
            if (n > largest || extent > largest)
                fail(fmt::format("'{}' has an axis that is no length, or is too long", name));
            size *= n;
        }
        std::tie(entry.begin, entry.end) = value.at("data_offsets").get<std::pair<std::uint64_t, std::uint64_t>>();
        if (entry.begin > entry.end || entry.end - entry.begin != size)
            fail(fmt::format("'{}' of shape {} needs {} bytes, but stands at {} ... {}", name,
                             autograd::to_string(entry.shape), size, entry.begin, entry.end));
        return entry;
    }
};

}  // namespace

template <class T>
void save(const std::string& path, const std::vector<Parameter<T>>& parameters, const Metadata& metadata) {
    json header = json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::string data;
    for (const Parameter<T>& parameter : parameters) {
        if (parameter.name() == "__metadata__")
            throw std::invalid_argument(
                "[save] no parameter can have the name '__metadata__': safetensors keeps it for what a file says about "
                "itself");
        if (header.contains(parameter.name()))
            throw std::invalid_argument(fmt::format("[save] two parameters have the name '{}'", parameter.name()));
        const Array<T>& value = parameter.value();
        const std::size_t begin = data.size();
        data.append(reinterpret_cast<const char*>(value.data()), value.size() * sizeof(T));
        header[parameter.name()] = {
            {"dtype", dtype<T>}, {"shape", value.shape()}, {"data_offsets", {begin, data.size()}}};
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const json::exception&) {
        throw FileError(fmt::format("{}: a name in it is not valid UTF-8", path));
    }
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    files::write(path, std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data);
}

template <class T>
Tensors<T> read_safetensors(const std::string& path) {
    Contents contents(path);
    Tensors<T> tensors;
    tensors.metadata = std::move(contents.metadata);
    for (const Entry& entry : contents.entries) {
        Array<T>& array = tensors.arrays[entry.name];
        array.resize(entry.shape);
        const char* const bytes = contents.data + entry.begin;
        entry.width == 4 ? copy_as<float>(bytes, array) : copy_as<double>(bytes, array);
    }
    return tensors;
}

template <class T>
Metadata load(const std::string& path, const std::vector<Parameter<T>>& parameters) {
    Tensors<T> tensors = read_safetensors<T>(path);
    for (const Parameter<T>& parameter : parameters) {
        const auto found = tensors.arrays.find(parameter.name());
        if (found == tensors.arrays.end())
            throw FileError(fmt::format("{}: there is no array '{}'", path, parameter.name()));
        if (found->second.shape() != parameter.shape())
            throw FileError(fmt::format("{}: '{}' has shape {}, but the parameter has shape {}", path, parameter.name(),
                                        autograd::to_string(found->second.shape()),
                                        autograd::to_string(parameter.shape())));
    }
    for (Parameter<T> parameter : parameters)
        parameter.edit([&](Array<T>& value) { value = tensors.arrays.at(parameter.name()); });
    return std::move(tensors.metadata);
}

#define INSTANTIATE(T)                                                                         \
    template void save(const std::string&, const std::vector<Parameter<T>>&, const Metadata&); \
    template Metadata load(const std::string&, const std::vector<Parameter<T>>&);              \
    template Tensors<T> read_safetensors(const std::string&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
