// A derivation as a program that builds the same network with deltarule.
#pragma once

#include <derivation/derivation.hpp>
#include <string>

namespace lab {

/// A source of C++20: the lets as operations on variables, at the numbers of `explained`, the way back, and the
/// gradients that the claims are about, printed. `report` is what `derivation::check` says of the same text. Throws
/// `std::runtime_error` as `explained` does, and for what has no C++, which it names.
std::string to_cpp(const std::string& text, const derivation::Report& report);

}  // namespace lab
