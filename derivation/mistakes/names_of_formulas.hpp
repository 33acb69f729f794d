// What a formula that was derived is called in the file.
#pragma once

#include <derivation/formula/building.hpp>
#include <derivation/formula/model.hpp>

namespace derivation {

/// Puts a softmax, and each let that has a value of its own, in the place of what it is defined by.
Expression with_names(const Model& model, Expression e);

}  // namespace derivation
