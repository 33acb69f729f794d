// Which operation it is that makes a function bend or jump.
#pragma once

#include <autograd/check/line.hpp>
#include <string>

namespace autograd::taylor {

/// An operation on whose kink the inputs lie; none, and no words, where it was not found.
struct Kink {
    std::string operation, words;
};

/// The first operation on the tape whose value bends, or jumps, at this step of the line: its own inputs do not, so
/// they lie on its kink. `tape` is the recording at x.
template <class T>
Kink find_kink(const Tape<T>& tape, Line<T>& line, std::size_t step, bool jump);

}  // namespace autograd::taylor
