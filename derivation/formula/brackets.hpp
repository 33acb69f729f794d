// What stands in brackets when a formula is printed.
#pragma once

#include <fmt/format.h>

#include <derivation/formula/tree.hpp>
#include <string>

namespace derivation::brackets {

// How tightly a formula binds: what binds less than its place asks for gets brackets.
inline constexpr int of_sum = 1, of_product = 2, of_power = 3, of_atom = 4;

inline int strength(const Expression& e) {
    switch (e.kind) {
        case Kind::number:
            return e.number < 0 ? of_sum : of_atom;
        case Kind::add:
            return of_sum;
        case Kind::product:
            return of_product;
        case Kind::power:
        case Kind::transpose:
            return of_power;
        default:
            return of_atom;
    }
}

/// A number as it was typed, or as short as it can be.
inline std::string number_text(const Expression& e) { return e.name.empty() ? fmt::format("{}", e.number) : e.name; }

}  // namespace derivation::brackets
