#pragma once

#include <derivation/truth/point.hpp>
#include <string>

namespace derivation {

/// Adds a formula with the values of its letters to `key`, so that what was recorded for it is found again.
void write_key(const Expression& e, const Letters& letters, std::string& key);

}  // namespace derivation
