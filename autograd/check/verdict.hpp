// Whether the tape's derivative of one output by one element is right.
#pragma once

#include <autograd/check/failure.hpp>

namespace autograd::taylor {

/// Judges one element of the Jacobian, along a line that moves this element alone. False where it is wrong: then
/// `result` has failed and says why. On a kink where any value passes, `result` keeps the first one.
template <class T>
bool judge(GradcheckResult& result, Subject<T>& subject, Line<T>& line, const Weights& weights,
           const TapeGradients& tape);

/// Says in `result` where the rounding of f leaves less than three digits of a derivative that is not 0.
template <class T>
void note_rounding(GradcheckResult& result, const Subject<T>& subject, const Direction& direction,
                   const Weights& weights, const TapeGradients& tape, const Difference& difference);

}  // namespace autograd::taylor
