// The text of an exercise and of an answer to it, as the reader of derivations takes them.
#pragma once

#include <derivation/grade.hpp>
#include <derivation/read/reader.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace derivation {

/// The blocks of a Markdown file that are fenced as this, with empty lines for all others; nothing where there is none.
std::optional<std::string> blocks_fenced_as(std::string_view language, std::string_view text);

/// What stands above the lines of an answer: the declarations, and for each task a line with its left side.
std::string lines_above(const Exercise& exercise);

/// The name at the beginning of a declaration, or nothing.
std::string declared_name(const Model& model, const Source& source, const Statement& statement);

std::size_t number_of_lines(std::string_view text);

}  // namespace derivation
