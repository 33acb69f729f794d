// Formulas in three notations: as they are typed, in LaTeX, and in the MathML of a page.
#pragma once

#include <derivation/formula/tree.hpp>
#include <string>
#include <vector>

namespace derivation {

std::string to_text(const Expression& e);
std::string to_latex(const Expression& e);
/// What stands within `mark` has the class `departs`.
std::string to_mathml(const Expression& e, Span mark = {});

/// "a, b and c".
std::string listed(const std::vector<std::string>& names, std::string_view before_last = " and ");

}  // namespace derivation
