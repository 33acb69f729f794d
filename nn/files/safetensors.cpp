#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <autograd/error.hpp>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <nn/files/contents.hpp>
#include <nn/files/input.hpp>
#include <nn/files/text.hpp>
#include <optional>
#include <set>

namespace nn::files {

using autograd::Shape;
using nlohmann::json;

namespace {

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

/// A text as JSON has it.
std::string quoted(const std::string& path, const std::string& text) {
    try {
        return json(text).dump();
    } catch (const json::exception&) {
        throw autograd::FileError(fmt::format("{}: a name in it is not valid UTF-8", printable(path)));
    }
}

}  // namespace

// A file is eight bytes with the header's length, the header in JSON, and the arrays one after the other.
void Contents::read_safetensors(const std::string& start, Input& file) {
    std::uint64_t length = 0;
    if (start.size() < sizeof length) fail("this is not a safetensors file");
    std::memcpy(&length, start.data(), sizeof length);
    if (length > longest_header) fail("this is not a safetensors file, or it is cut short");
    const std::string text = file.read(length);
    if (text.size() < length) fail("this is not a safetensors file, or it is cut short");
    Header header;
    const auto fail_at_header = [&] { fail("the header is not what safetensors prescribes"); };
    if (!json::sax_parse(text, &header)) fail_at_header();
    metadata = std::move(header.metadata);
    std::vector<std::array<std::size_t, 3>> places;  // begin, end, and whose
    for (const Header::Named& said : header.arrays) {
        if (!said.type || !said.shape || !said.offsets || said.offsets->size() != 2) fail_at_header();
        Entry entry{said.name,
                    *said.type,
                    Shape(said.shape->begin(), said.shape->end()),
                    {},
                    element_type(*said.type, &ElementType::safetensors)};
        const std::size_t begin = (*said.offsets)[0], end = (*said.offsets)[1];
        require_fitting(entry, begin, end);
        places.push_back({begin, end, entries.size()});
        entries.push_back(std::move(entry));
    }
    std::ranges::sort(places);
    std::size_t size = 0;
    for (const auto& [begin, end, i] : places) {
        if (begin != size) fail("arrays overlap or leave a gap");
        size = end;
    }
    // A gzipped file may promise, and have, more than there is room for.
    const std::size_t most = memory() / 4;
    bytes_.push_back(file.read(std::min(size, most)));
    if (size > most && file.peek() >= 0) fail_at_memory(most);
    if (bytes_.back().size() < size)
        fail(fmt::format("the header promises {} bytes, but {} follow", size, bytes_.back().size()));
    if (file.peek() >= 0) fail(fmt::format("the header promises {} bytes, but more follow", size));
    std::vector<Entry> sorted;
    for (const auto& [begin, end, i] : places) {
        entries[i].bytes = std::string_view(bytes_.back()).substr(begin, end - begin);
        sorted.push_back(std::move(entries[i]));
    }
    entries = std::move(sorted);
}

bool metadata_from(const std::string& object, Metadata& metadata) {
    Header header;
    if (!json::sax_parse(R"({"__metadata__":)" + object + "}", &header) || !header.arrays.empty()) return false;
    metadata = std::move(header.metadata);
    return true;
}

std::string to_json(const std::string& path, const Metadata& metadata) {
    std::vector<std::string> texts;
    for (const auto& [name, text] : metadata) texts.push_back(quoted(path, name) + ":" + quoted(path, text));
    return fmt::format("{{{}}}", fmt::join(texts, ","));
}

std::string safetensors_bytes(const std::string& path, const std::vector<Entry>& entries, const Metadata& metadata) {
    std::map<std::string, std::string> described;  // as JSON, by name
    if (!metadata.empty()) described["__metadata__"] = to_json(path, metadata);
    std::string data;
    for (const Entry& entry : entries) {
        const std::size_t begin = data.size();
        data += entry.bytes;
        described[entry.name] = fmt::format(R"({{"data_offsets":[{},{}],"dtype":"{}","shape":[{}]}})", begin,
                                            data.size(), entry.element->safetensors, fmt::join(entry.shape, ","));
    }
    std::vector<std::string> pairs;
    for (const auto& [name, entry] : described) pairs.push_back(quoted(path, name) + ":" + entry);
    std::string text = fmt::format("{{{}}}", fmt::join(pairs, ","));
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data;
}

}  // namespace nn::files
