// What a check says: where it looked, and what a wrong derivative looks like.
#pragma once

#include <autograd/check/slopes.hpp>
#include <autograd/gradcheck.hpp>

namespace autograd::taylor {

/// What is checked, and under which name.
template <class T>
struct Subject {
    const char* name;    ///< of the function that was called: messages begin with it
    bool is_derivative;  ///< the last input is the incoming adjoint
    const GradcheckOptions& options;
    Slopes<T> slopes;

    std::string name_of(std::size_t input) const;
    /// "the derivative of output [0] by input 1 at [2, 3]", of one element of each.
    std::string place(const Direction& direction, const Weights& weights) const;
};

/// Lets the check fail.
void fail(GradcheckResult& result, std::string message);

/// Lets it fail as the tape's derivative of one output by one element is wrong. `order` is how the error of the
/// expansion falls, where that is known; `kink` is a sentence about a kink, or nothing.
template <class T>
void fail_at(GradcheckResult& result, Subject<T>& subject, Line<T>& line, const Weights& weights,
             const TapeGradients& tape, const Order& order, const std::string& kink);

}  // namespace autograd::taylor
