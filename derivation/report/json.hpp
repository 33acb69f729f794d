// JSON, written piece by piece: a tree of nlohmann's asks for memory when it is destroyed, which ends the program where
// there is none.
#pragma once

#include <derivation/derivation.hpp>
#include <string>
#include <utility>
#include <vector>

namespace derivation::json_text {

std::string number(double value);
std::string number(std::size_t value);
std::string quoted(const std::string& text);
std::string quoted_or_null(const std::string& text);

/// Brackets around parts, each on its own line.
std::string enclosed(char open, const std::vector<std::string>& parts, char close);
std::string object(const std::vector<std::pair<std::string, std::string>>& members);
std::string of_line(const LineReport& one);
std::string of_error(const ReadError& error);

}  // namespace derivation::json_text
