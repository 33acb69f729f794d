// Why a member departs, and what would be right: edits of the line, the structural ones first.
#pragma once

#include <derivation/mistakes/search.hpp>
#include <optional>
#include <string>

namespace derivation {

struct Diagnosis {
    std::string mistake;  ///< the name of a row of the catalogue
    std::string reason;   ///< a sentence
    std::optional<Expression> repair;
    Span span;  ///< the part that is at fault
};

/// The target is what the member should be equal to; `confirm` has the last word about a repair.
Diagnosis diagnose(Model& model, const Line& line, std::size_t member, Target& target, const Confirm& confirm);

}  // namespace derivation
