// What a formula that was derived is called in the file.
#pragma once

#include <derivation/formula/building.hpp>
#include <derivation/formula/model.hpp>

namespace derivation {

/// Puts `softmax`, and the names of lets, in the place of the formulas that they stand for.
Expression with_names(const Model& model, Expression e);

}  // namespace derivation
