#pragma once

#include <autograd/tape.hpp>
#include <string>

namespace autograd {

/// The recording as text, a line for each node: its number, its name, the operation with the numbers of its inputs, its
/// shape, and its value where that is one number.
///
///     %2 = mul(%0, %1)                 (2, 3)
template <class T>
std::string to_string(const Tape<T>& tape);

}  // namespace autograd
