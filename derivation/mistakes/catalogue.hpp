// The catalogue of mistakes that people make: one row for each, structural ones first.
#pragma once

#include <derivation/mistakes/editing.hpp>
#include <string_view>
#include <vector>

namespace derivation {

enum Trait : unsigned {
    generic = 1,      ///< its edits are tried after another edit too
    last_resort = 2,  ///< its edits put in so much that a second edit could make anything of them
    weak = 4,         ///< an accident is called so too: where nothing is differentiated, that is said instead
};

struct Mistake {
    const char* name;      ///< short and stable
    const char* sentence;  ///< what is said of a line that one of the edits mends
    /// How it is recognised: one of these edits makes the line hold.
    void (*edits)(Editing& editing);
    unsigned traits = 0;

    bool is(Trait trait) const { return (traits & trait) != 0; }
};

const std::vector<Mistake>& catalogue();

/// The row of this name, or nothing: an edit may give its mistake a name of its own.
const Mistake* find_mistake(std::string_view name);

}  // namespace derivation
