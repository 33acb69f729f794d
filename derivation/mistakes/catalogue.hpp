// The catalogue of mistakes that people make: one row for each, structural ones first.
#pragma once

#include <derivation/mistakes/editing.hpp>
#include <vector>

namespace derivation {

struct Mistake {
    const char* name;      ///< short and stable
    const char* sentence;  ///< what is said of a line that one of the edits mends
    /// How it is recognised: one of these edits makes the line hold.
    void (*edits)(Editing& editing);
    bool generic = false;  ///< also tried after another edit
};

const std::vector<Mistake>& catalogue();

}  // namespace derivation
