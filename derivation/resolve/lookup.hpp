// Which quantity a name with its letters means.
#pragma once

#include <derivation/formula/model.hpp>

namespace derivation {

/// The quantity that a name with these indices means; throws `IllFormed` where there is none.
int find_quantity(const Model& model, const Expression& entry);

/// Whether it is a call of tr, det, logdet or solve, and of no function of the file.
bool is_of_matrix(const Model& model, const Expression& e);

/// Whether it is the differential of its first argument where the others are varied.
inline bool is_differential(const Expression& e) { return is_call(e, "differential") && e.children.size() > 1; }

/// Whether it is one entry of an array that is no name.
inline bool is_entry_of_array(const Expression& e) {
    return is_call(e, "entry") && e.children.size() > 1 && e.children[1].kind == Kind::letter;
}

/// Whether it is the identity I, or I_n, where no such name is declared.
bool is_identity(const Model& model, const Expression& e);

/// Whether an array stands in the formula whole, or `@`, an elementwise product, or a transpose.
bool is_of_arrays(const Model& model, const Expression& e);

}  // namespace derivation
