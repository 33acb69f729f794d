// A formula at one place as a key, so that what was recorded for it is found again.
#pragma once

#include <derivation/truth/letters.hpp>
#include <string>

namespace derivation {

/// Adds a formula with the values of its letters to `key`.
void write_key(const Expression& e, const Letters& letters, std::string& key);

}  // namespace derivation
