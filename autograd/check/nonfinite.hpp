// Where a number that is not finite came from: what `Tape::trap_nonfinite` checks and says.
#pragma once

#include <autograd/record.hpp>

namespace autograd {

template <class T>
bool all_finite(const Array<T>& array);

/// Throws `NonfiniteError` for a node whose value is not finite everywhere. The node is not yet part of the tape.
template <class T>
[[noreturn]] void throw_nonfinite_value(const Tape<T>& tape, const Node<T>& node);

/// Throws `NonfiniteError` where the rule of node `index`, just run, made an adjoint of one of its inputs that is not
/// finite.
template <class T>
void check_adjoints(const ArrayWalk<T>& walk, std::uint32_t index);

}  // namespace autograd
