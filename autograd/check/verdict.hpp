// Whether the tape's derivative of one output by one element is right.
#pragma once

#include <autograd/check/failure.hpp>

namespace autograd::taylor {

/// Judges one element of the Jacobian, along a line that moves this element alone. False where it is wrong: then
/// `result` has failed and says why. On a kink where any value passes, `result` keeps the first one.
template <class T>
bool judge(GradcheckResult& result, Subject<T>& subject, Line<T>& line, const Weights& weights,
           const TapeGradients& tape);

}  // namespace autograd::taylor
