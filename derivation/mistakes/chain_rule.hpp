// The right value of a derivative in the file's own letters, from the definitions by the chain rule.
#pragma once

#include <derivation/mistakes/editing.hpp>
#include <optional>
#include <vector>

namespace derivation {

/// Formulas for the derivative on the left side, the simplest first: from the definition of the numerator, or through
/// the quantities that stand between. They are to be tried: none is promised to hold.
std::vector<Expression> by_chain_rule(const Editing& editing);

/// The same without derivatives of what stands between, of any order; and the definition of a name on the left side.
std::vector<Expression> by_definitions(const Editing& editing);

/// What is differentiated on the left side by what stands in its own definition, the other names there held fixed.
std::optional<Expression> partial_derivative(const Editing& editing);

}  // namespace derivation
