// Kinks and conditions: where a formula has no derivative, or another one on each side.
#pragma once

#include <derivation/formula/tree.hpp>

namespace derivation {

/// Nearer than this to a kink, nothing is said about derivatives.
inline constexpr double edge = 1e-9;

/// What [a < b] is where its sides have these values.
inline bool holds(const Expression& comparison, double a, double b) {
    if (comparison.name == "==") return a == b;
    if (comparison.name == "!=") return a != b;
    if (comparison.name == "<") return a < b;
    if (comparison.name == ">") return a > b;
    if (comparison.name == "<=") return a <= b;
    return a >= b;
}

/// Whether its sides stand at the edge of something: equations have none, and letters are whole numbers. Equal to the
/// last bit is no accident: [a > 0] where a = relu(z) is 0 by its definition.
inline bool has_edge(const Expression& comparison, double a, double b) {
    return comparison.name != "==" && comparison.name != "!=" && comparison.left().kind != Kind::letter &&
           comparison.right().kind != Kind::letter && a != b;
}

}  // namespace derivation
