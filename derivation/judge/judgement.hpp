// What is found out about one line, before it is written down.
#pragma once

#include <derivation/derivation.hpp>
#include <derivation/formula/tree.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace derivation {

struct Judgement {
    Verdict verdict = Verdict::holds;
    std::optional<std::size_t> member;               ///< the first that departs
    std::vector<std::pair<std::string, int>> index;  ///< the worst entry
    std::optional<double> expected, got;             ///< the tape's value there, and the line's
    std::string reason;                              ///< a sentence
    std::string mistake;                             ///< its short name in the catalogue
    std::optional<Expression> repair;
    std::string repaired_number;  ///< where a printed number is to be another one
    std::string condition;
    std::optional<std::size_t> because_of;  ///< the line that it follows from
    std::vector<std::string> notes;
    std::vector<Span> marks;  ///< what is at fault, the last of them most exactly
};

}  // namespace derivation
