// A repair as one would write it.
#pragma once

#include <derivation/formula/tree.hpp>

namespace derivation {

/// The formula without factors and powers of 1, and what cancels.
Expression tidied(Expression e, bool arrays);

}  // namespace derivation
