// Chain rules of local factors: `dL/dvar * dvar/dmu`, where the second factor means what stands in var's definition.
#pragma once

#include <derivation/formula/model.hpp>
#include <string>
#include <vector>

namespace derivation {

/// Marks the derivatives whose denominator stands in the numerator's own definition, and says what is held fixed
/// there. False where there are none.
bool make_local(const Model& model, Expression& e, std::vector<std::string>& said);

}  // namespace derivation
