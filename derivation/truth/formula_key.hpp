// A formula at one place as a key, so that what was recorded for it is found again.
#pragma once

#include <derivation/truth/letters.hpp>
#include <string>
#include <vector>

namespace derivation {

/// Adds a formula to `key`, with the values of its letters. Those that are bound in it, or around it (`bound`), stand
/// for all of their values: of each the key says which one it is.
void write_key(const Model& model, const Expression& e, const Letters& letters, std::string& key,
               std::vector<int> bound = {});

}  // namespace derivation
