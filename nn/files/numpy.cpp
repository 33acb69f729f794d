#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <charconv>
#include <cstring>
#include <nn/files/contents.hpp>
#include <nn/files/input.hpp>
#include <nn/files/text.hpp>
#include <nn/files/zip.hpp>

namespace nn::files {

using autograd::Shape;

namespace {

// An .npy file is this, a version of two bytes, the header's length, the header as Python writes a dict, and the
// numbers: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longest_npy_header = 1 << 16;
constexpr std::string_view metadata_name = "__metadata__";

/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Header {
  public:
    std::string type;
    bool fortran_order = false;
    Shape shape;

    /// False where the text is no such header.
    bool read(std::string_view text) {
        text_ = text;
        bool has_type = false, has_order = false, has_shape = false;
        if (!take("{")) return false;
        while (!take("}")) {
            std::string key;
            if (!quoted(key) || !take(":")) return false;
            bool& has = key == "descr" ? has_type : key == "fortran_order" ? has_order : has_shape;
            if (has) return false;
            has = key == "descr" ? read_type() : key == "fortran_order" ? read_order() : key == "shape" && read_shape();
            if (!has || (!take(",") && !at("}"))) return false;
        }
        skip_blanks();
        return text_.empty() && has_type && has_order && has_shape;
    }

  private:
    void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size())); }
    bool at(std::string_view word) {
        skip_blanks();
        return text_.starts_with(word);
    }
    bool take(std::string_view word) {
        if (!at(word)) return false;
        text_.remove_prefix(word.size());
        return true;
    }
    bool quoted(std::string& word) {
        if (!at("'") && !at("\"")) return false;
        const std::size_t end = text_.find(text_[0], 1);
        if (end == std::string_view::npos) return false;
        word = text_.substr(1, end - 1);
        text_.remove_prefix(end + 1);
        return word.find('\\') == std::string::npos;
    }
    bool read_type() {
        if (!at("[")) return quoted(type);
        // The fields of records: brackets are balanced, and quotes hold none.
        std::size_t depth = 0, end = 0;
        for (; end < text_.size(); ++end) {
            depth += text_[end] == '[';
            if (text_[end] == ']' && --depth == 0) break;
        }
        if (end == text_.size()) return false;
        type = "a record";
        text_.remove_prefix(end + 1);
        return true;
    }
    bool read_order() {
        fortran_order = take("True");
        return fortran_order || take("False");
    }
    bool read_shape() {
        if (!take("(")) return false;
        while (!take(")")) {
            std::size_t n = 0;
            skip_blanks();
            const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), n);
            if (error != std::errc()) return false;
            text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
            take("L");  // as Python 2 wrote it
            shape.push_back(n);
            if (!take(",") && (shape.size() == 1 || !at(")"))) return false;  // (3) is a number, (3,) a shape
        }
        return true;
    }

    std::string_view text_;
};

/// What stands before the numbers, byte for byte as NumPy writes it: there is room for a longer first axis, and numbers
/// begin at a multiple of 64 bytes.
std::string npy_header(std::string_view type, const Shape& shape) {
    std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
    if (!shape.empty()) text.append(21 - std::to_string(shape[0]).size(), ' ');
    const std::size_t before = magic.size() + 4, size = (before + text.size()) / 64 * 64 + 64 - before;
    text.resize(size - 1, ' ');
    const auto byte = [&](std::size_t i) { return static_cast<char>(size >> (8 * i) & 0xff); };
    return std::string(magic) + '\1' + '\0' + byte(0) + byte(1) + text + '\n';
}

}  // namespace

Entry Contents::npy_entry(const std::string& name, std::string_view npy) const {
    const auto fail_at_header = [&] {
        fail(fmt::format("the header of '{}' is not what NumPy prescribes", printable(name)));
    };
    const auto byte = [&](std::size_t i) -> std::size_t {
        if (i >= npy.size()) fail_at_header();
        return static_cast<unsigned char>(npy[i]);
    };
    if (!npy.starts_with(magic)) fail_at_header();
    const std::size_t version = byte(6), width = version == 1 ? 2 : 4, before = 8 + width;
    if (version < 1 || version > 3 || byte(7) != 0) fail_at_header();
    std::size_t length = 0;
    for (std::size_t i = width; i-- > 0;) length = length << 8 | byte(8 + i);
    Header header;
    if (length > longest_npy_header || length > npy.size() - before || !header.read(npy.substr(before, length)))
        fail_at_header();
    // The order of bytes stands before the type, '|' or any where there is but one.
    const std::string_view type = header.type;
    const bool ordered = !type.empty() && std::string_view("<>|=").find(type[0]) != std::string_view::npos;
    const ElementType* element = ordered ? element_type(type.substr(1), &ElementType::numpy) : nullptr;
    if (element != nullptr && element->width > 1 && type[0] != '<' && type[0] != '>') element = nullptr;
    Entry entry{name, header.type, header.shape, npy.substr(before + length), element};
    entry.big_endian = element != nullptr && element->width > 1 && type[0] == '>';
    entry.fortran_order = header.fortran_order;
    require_fitting(entry, before + length, npy.size());
    return entry;
}

void Contents::read_npy(const std::string& start, Input& file) {
    if (!start.starts_with(magic)) fail("this is not an .npy file");
    const std::size_t most = memory() / 4;
    bytes_.push_back(start + file.read(most));
    if (file.peek() >= 0) fail_at_memory(most);
    entries.push_back(npy_entry("array", bytes_.back()));
}

void Contents::read_npz(const std::string& start, Input& file) {
    if (!start.starts_with("PK")) fail("this is not an .npz file");
    const std::size_t most = memory() / 4;
    bytes_.push_back(start + file.read(most));
    if (file.peek() >= 0) fail_at_memory(most);
    const std::vector<Member> members = zip_members(path_, bytes_.back());
    std::uint64_t size = bytes_.back().size();
    for (const Member& member : members) {
        if (member.name.ends_with("/data.pkl"))
            fail(
                "this is PyTorch's own format, a pickle, which is not read: save_file of safetensors.torch writes one "
                "that is");
        constexpr std::string_view ending = ".npy";
        if (!member.name.ends_with(ending))
            fail(fmt::format("'{}' in it is no array, as its name does not end in .npy", printable(member.name)));
        if (member.deflated && (member.size > most || (size += member.size) > most)) fail_at_memory(most);
        if (member.deflated) bytes_.push_back(unpacked(path_, member));
        const std::string_view npy = member.deflated ? bytes_.back() : member.packed;
        require_checksum(path_, member, npy);
        Entry entry = npy_entry(member.name.substr(0, member.name.size() - ending.size()), npy);
        if (entry.name == metadata_name)
            read_metadata(entry);
        else
            entries.push_back(std::move(entry));
    }
}

// The text stands in an array of one element, of characters of four bytes: numpy.savez makes one of a str.
void Contents::read_metadata(const Entry& entry) {
    const std::string ending = fmt::format("U{}", entry.bytes.size() / 4);
    const bool is_text = (entry.type == "<" + ending || entry.type == ">" + ending) && entry.bytes.size() % 4 == 0 &&
                         std::ranges::all_of(entry.shape, [](std::size_t n) { return n == 1; });
    std::u32string text;
    for (std::size_t i = 0; is_text && i < entry.bytes.size(); i += 4) {
        char32_t c = 0;
        for (std::size_t k = 0; k < 4; ++k)
            c = c << 8 | static_cast<unsigned char>(entry.bytes[i + (entry.type[0] == '>' ? k : 3 - k)]);
        text += c;
    }
    while (text.ends_with(U'\0')) text.pop_back();  // NumPy fills a text with these
    const std::optional<std::string> object = utf8(text);
    if (!is_text || !object || !metadata_from(*object, metadata))
        fail("its '__metadata__' is not a text with a JSON object of texts");
}

std::string npy_bytes(const Entry& entry) {
    return npy_header("<" + std::string(entry.element->numpy), entry.shape) + std::string(entry.bytes);
}

std::string npz_bytes(const std::string& path, const std::vector<Entry>& entries, const Metadata& metadata) {
    ZipWriter zip(path);
    if (!metadata.empty()) {
        const std::u32string text = characters(to_json(path, metadata)).value();
        zip.add(fmt::format("{}.npy", metadata_name),
                npy_header(fmt::format("<U{}", text.size()), {}) +
                    std::string(reinterpret_cast<const char*>(text.data()), text.size() * sizeof(char32_t)));
    }
    for (const Entry& entry : entries) {
        if (!is_utf8(entry.name) || entry.name.find('\0') != std::string::npos)
            throw autograd::FileError(
                fmt::format("{}: the name '{}' cannot stand in an .npz file", printable(path), printable(entry.name)));
        zip.add(entry.name + ".npy", npy_bytes(entry));
    }
    return std::move(zip).finish();
}

}  // namespace nn::files
