// Which quantity a name with its letters means.
#pragma once

#include <derivation/formula/model.hpp>

namespace derivation {

/// The quantity that a name with these indices means; throws `IllFormed` where there is none.
int find_quantity(const Model& model, const Expression& entry);

/// Whether an array stands in the formula whole, or `@`, an elementwise product, or a transpose.
bool is_of_arrays(const Model& model, const Expression& e);

}  // namespace derivation
