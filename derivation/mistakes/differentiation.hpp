// The derivative of a formula over letters, as a formula.
#pragma once

#include <derivation/mistakes/editing.hpp>
#include <optional>

namespace derivation {

/// What else than the quantity itself is differentiated: nothing, or all that is made of it, by its definition.
enum class Through { nothing, definitions };
/// Which branch of a maximum counts where both are equal: none, where that is a kink, or the first.
enum class AtTie { neither, first };

/// The derivative by an entry, whose sums have other letters than those around it; none where there is no formula for
/// it here.
std::optional<Expression> differentiated(const Model& model, const Expression& e, const Expression& by, Through through,
                                         AtTie at_tie = AtTie::neither, const Names& around = {});

/// The definition of an entry, in which what is summed over has none of the letters that stand around it, nor, on the
/// way through definitions, one that belongs to a whole array.
std::optional<Expression> definition_at(const Model& model, const Expression& of, const Expression& by, Through through,
                                        const Names& around = {});

/// size(k) where it was resolved.
Expression with_sizes(Expression e);

/// Replaces a letter by an index; false where it stands for itself, and the index is no letter.
bool replace_letter(Expression& e, const std::string& letter, const Index& by);

// Without what changes nothing: a factor 1, a term 0.
Expression plain_product(const Expression& a, const Expression& b);
Expression plain_sum(const Expression& a, const Expression& b, Joint joint);
Expression plain_power(const Expression& base, double exponent);

}  // namespace derivation
