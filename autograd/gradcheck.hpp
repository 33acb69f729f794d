// Gradients held against the function that they should be the gradients of.
//
// A right gradient g leaves a Taylor expansion f(x + h) = f(x) + h g + e with an error e that falls with h^2; a wrong
// one leaves an error that falls with h. Which of the two it is needs no tolerance: the step shrinks until e is lost in
// the rounding of f, and the last steps above that tell. Where f(x + h) - 2 f(x) + f(x - h) falls with h as well, the
// slopes on both sides differ, x is on a kink, and any value between these slopes is right.
#pragma once

#include <autograd/compare.hpp>
#include <autograd/function.hpp>
#include <autograd/tape.hpp>
#include <concepts>
#include <string>
#include <vector>

namespace autograd {

struct GradcheckOptions {
    std::size_t largest = 4096;  ///< a Jacobian of more elements is checked in random directions instead
    std::size_t directions = 4;
    unsigned seed = 1;
    bool allow_float = false;  ///< `float` finds errors above about 1 % only, so it must be asked for
};

struct GradcheckResult {
    bool passed = true;
    bool kink = false;           ///< an input lies on a kink, where any value between the slopes on both sides passes
    std::string operation = {};  ///< the operation whose kink it is
    /// Where it failed: the input, the index, both values, the relative error, the step, and what the wrong gradient
    /// looks like; on a kink that passed: where it is.
    std::string message = {};
    Comparison comparison = {};  ///< what the wrong gradient looks like
    explicit operator bool() const { return passed; }
};

/// Whether the rules behind f give its derivative: the full Jacobian for small inputs, `<v, J u>` in random directions
/// for large ones, and in blocks of a few elements up to 8192, where a direction that fails is halved until the element
/// is found. f must be a function of its inputs alone. A rule that changes what it is given, changes from call to call,
/// or is not linear in the incoming adjoint from 1e-12 to 1e12 is named. Where the tape's derivative is rounding it
/// passes, and the message says so.
///
/// The verdict is about these inputs only, and relative errors below 1e-6 may pass where f itself rounds.
GradcheckResult gradcheck(const Function& f, const std::vector<Array<double>>& inputs,
                          const GradcheckOptions& options = {});

/// The same for the derivative of f along random seeds: whether its second derivatives are right. On a kink of f there
/// are none: any value passes, and the message says so.
GradcheckResult gradgradcheck(const Function& f, const std::vector<Array<double>>& inputs,
                              const GradcheckOptions& options = {});

/// The same in single precision. Throws `std::invalid_argument` unless `options.allow_float` is set.
GradcheckResult gradcheck_in_float(const FunctionOf<float>& f, const std::vector<Array<float>>& inputs,
                                   const GradcheckOptions& options = {});
GradcheckResult gradgradcheck_in_float(const FunctionOf<float>& f, const std::vector<Array<float>>& inputs,
                                       const GradcheckOptions& options = {});
template <class F, std::same_as<float> T>
GradcheckResult gradcheck(const F& f, const std::vector<Array<T>>& inputs, const GradcheckOptions& options = {}) {
    return gradcheck_in_float(f, inputs, options);
}
template <class F, std::same_as<float> T>
GradcheckResult gradgradcheck(const F& f, const std::vector<Array<T>>& inputs, const GradcheckOptions& options = {}) {
    return gradgradcheck_in_float(f, inputs, options);
}

}  // namespace autograd
