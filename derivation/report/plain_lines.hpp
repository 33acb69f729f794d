// Text as a terminal shows it.
#pragma once

#include <derivation/derivation.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace derivation {

/// The columns that a text takes, or its characters.
std::size_t columns(std::string_view text);

/// Puts others, as long and as wide, for what a terminal would obey and for bytes that are no UTF-8.
void make_plain(std::string& text);

/// Two numbers that differ, in five digits or in as many more as show it.
std::pair<std::string, std::string> told_apart(double a, double b);

/// The line with its repair in the place of the side that is at fault.
std::string with_repair(const LineReport& line);

/// Breaks a sentence at blanks.
std::vector<std::string> wrapped(const std::string& text, std::size_t room);

}  // namespace derivation
