// The right value of a derivative by a whole array, from differentials.
#pragma once

#include <derivation/mistakes/editing.hpp>
#include <vector>

namespace derivation {

/// Of a number that is made of arrays by sums, norms, traces, determinants, products and functions of their entries,
/// the derivative by an array: it is G where dL = sum(G ⊙ dX). Formulas to be tried: none is promised to hold.
std::vector<Expression> by_differentials(const Editing& editing);

}  // namespace derivation
