// The change of a formula of arrays with a number, or of a vector with a vector.
#pragma once

#include <derivation/mistakes/array_formulas.hpp>

namespace derivation {

/// dE/dc of an array or a number E by a number c, and the Jacobian dE/dx of a vector by a vector: rule by rule, from
/// the inputs on. A formula to be tried; none where it cannot be said.
std::optional<Expression> change_of(const Expression& e, const Editing& editing, int by);

/// dE where X is varied, by the same rules: what is linear in dX.
std::optional<Expression> differential_of(const Expression& e, const Editing& editing, int by);

}  // namespace derivation
