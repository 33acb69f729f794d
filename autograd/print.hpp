#pragma once

#include <autograd/tape.hpp>
#include <string>

namespace autograd {

/// The recording as text, a line for each node: its number, the operation with the numbers of its inputs, its name, its
/// shape, and its value where that is one number. Numbers beside a variable are part of the operation: `1 - x` is
/// `sub(%0)`.
///
///     %0 = variable "x"                        (2, 3)
///     %1 = mul(%0, %0)                         (2, 3)
template <class T>
std::string to_string(const Tape<T>& tape);

/// One node of it: `%2 = mul(%0, %1)`, and its name where it has one.
template <class T>
std::string to_string(const Tape<T>& tape, std::uint32_t index);

/// The index of an element that is counted in the order of memory: `[3, 1]`.
std::string index_of(std::size_t element, ShapeView shape);

}  // namespace autograd
