// Text that comes from files, and may hold anything.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nn::files {

/// The text as a terminal may show it: control characters and bytes that are no UTF-8 become \x1b.
std::string printable(std::string_view text);

/// Whether the text is UTF-8 without control characters, save tabs and the ends of lines.
bool is_plain(std::string_view text);

/// The characters of a text in UTF-8; nothing where it is none. And back.
std::optional<std::u32string> characters(std::string_view text);
std::optional<std::string> utf8(std::u32string_view characters);

inline bool is_utf8(std::string_view text) { return characters(text).has_value(); }

}  // namespace nn::files
