// Under which condition a line that does not hold would: three searches, the most telling one first.
#pragma once

#include <derivation/judge/varied_points.hpp>
#include <derivation/read/reader.hpp>
#include <optional>
#include <string>
#include <vector>

namespace derivation {

struct Condition {
    std::string name;         ///< "f = tanh"
    std::string sentence;     ///< "It holds only where ..."
    bool is_of_sign = false;  ///< that something given is positive
};

/// A member that departs from its left side, and the points where it does.
struct Departure {
    Model& model;
    const Line& line;
    std::size_t member;
    const Expression& left;
    const Expression& right;
    std::vector<Point>& points;
};

std::optional<Condition> condition_of(const Departure& departure, VariedPoints& varied);

/// The conditions that nobody means who does not speak of a target: that something sums to 1, is probabilities or
/// one-hot. Small edits of the line come before them.
std::optional<Condition> strange_condition_of(const Departure& departure, VariedPoints& varied);

}  // namespace derivation
