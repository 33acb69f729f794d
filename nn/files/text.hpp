// Text that comes from files, and may hold anything.
#pragma once

#include <string>
#include <string_view>

namespace nn::files {

/// The text as a terminal may show it: control characters and bytes that are no UTF-8 become \x1b.
std::string printable(std::string_view text);

/// Whether the text is UTF-8 without control characters, save tabs and the ends of lines.
bool is_plain(std::string_view text);

}  // namespace nn::files
