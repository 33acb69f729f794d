// Trees back to text.
#pragma once

#include <derivation/formula/tree.hpp>
#include <string>

namespace derivation {

std::string to_text(const Expression& e);
std::string to_latex(const Expression& e);
std::string to_mathml(const Expression& e);

}  // namespace derivation
