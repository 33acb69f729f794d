#include <fmt/format.h>

#include <nn/files/text.hpp>

namespace nn::files {

namespace {

/// The first character: how many bytes it has, 0 where they are no UTF-8, and which it is.
struct Character {
    explicit Character(std::string_view text) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        const unsigned first = byte(0);
        const std::size_t size = first < 0x80   ? 1
                                 : first < 0xc2 ? 0
                                 : first < 0xe0 ? 2
                                 : first < 0xf0 ? 3
                                 : first < 0xf5 ? 4
                                                : 0;
        if (size == 0 || size > text.size()) return;
        code = size == 1 ? first : first & (0x7fu >> size);
        for (std::size_t i = 1; i < size; ++i) {
            if ((byte(i) & 0xc0u) != 0x80u) return;
            code = code << 6 | (byte(i) & 0x3fu);
        }
        const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
        const bool surrogate = code >= 0xd800 && code < 0xe000;
        if (!overlong && !surrogate && code < 0x110000) length = size;
    }

    /// The control characters, and those that turn the direction of writing.
    bool is_control() const {
        return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
               (code >= 0x2066 && code <= 0x2069);
    }

    std::size_t length = 0;
    unsigned code = 0;
};

}  // namespace

std::string printable(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        const Character character(text);
        const std::size_t length = character.length == 0 ? 1 : character.length;
        if (character.length != 0 && !character.is_control())
            shown += text.substr(0, length);
        else
            for (const char c : text.substr(0, length))
                shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        text.remove_prefix(length);
    }
    return shown;
}

bool is_plain(std::string_view text) {
    while (!text.empty()) {
        const Character character(text);
        if (character.length == 0) return false;
        const char c = text.front();
        if (character.is_control() && c != '\t' && c != '\n' && c != '\r') return false;
        text.remove_prefix(character.length);
    }
    return true;
}

std::optional<std::u32string> characters(std::string_view text) {
    std::u32string all;
    while (!text.empty()) {
        const Character character(text);
        if (character.length == 0) return {};
        all += static_cast<char32_t>(character.code);
        text.remove_prefix(character.length);
    }
    return all;
}

std::optional<std::string> utf8(std::u32string_view characters) {
    std::string text;
    for (const char32_t code : characters) {
        if (code >= 0x110000 || (code >= 0xd800 && code < 0xe000)) return {};
        const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes that follow
        text += static_cast<char>(more == 0 ? code : (0xff00u >> (more + 1) & 0xffu) | code >> 6 * more);
        for (int i = more; i-- > 0;) text += static_cast<char>(0x80u | (code >> 6 * i & 0x3fu));
    }
    return text;
}

}  // namespace nn::files
