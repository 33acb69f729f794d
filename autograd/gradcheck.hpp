// Gradients held against the function that they should be the gradients of.
//
// A right gradient g leaves a Taylor expansion f(x + h) = f(x) + h g + e with an error e that falls with h^2; a wrong
// one leaves an error that falls with h. Which of the two it is needs no tolerance: the step shrinks until e is lost in
// the rounding of f, and the last steps above that tell. Where f(x + h) - 2 f(x) + f(x - h) falls with h as well, the
// slopes on both sides differ, x is on a kink, and any value between these slopes is right. Where curvature hides a
// wrong slope until the rounding of f does, extrapolated differences tell, as far as that rounding lets them.
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
    std::size_t directions = 4;  ///< at least one
    unsigned seed = 1;
    bool allow_float = false;  ///< `float` finds errors above about 1 % only, so it must be asked for
};

struct GradcheckResult {
    bool passed = true;
    bool kink = false;           ///< an input lies on a kink, where any value between the slopes on both sides passes
    std::string operation = {};  ///< the operation whose kink it is
    bool rounding = false;       ///< rounding hides a derivative, which passes: whether it is right was not seen
    /// Where it failed: the input, the index, both values, the relative error, the step, and what the wrong gradient
    /// looks like; of what passed on a kink, or unseen: where it is.
    std::string message = {};
    Comparison comparison = {};  ///< what the wrong gradient looks like
    explicit operator bool() const { return passed; }
};

/// Whether the rules behind f give its derivative: the full Jacobian for small inputs, `<v, J u>` in random directions
/// for large ones, and in blocks of a few elements up to 8192, where a direction that fails is halved until the element
/// is found. f must be a function of its inputs alone. A rule that changes what it is given, changes from call to call,
/// or is not linear in the incoming adjoint from 1e-12 to 1e12 is named. Where the tape's derivative is rounding, or
/// the rounding of f leaves less than three digits of it, it passes, `rounding` is set, and the message says so. Throws
/// `std::invalid_argument` for no directions.
///
/// The verdict is about these inputs only. Errors that are smaller than what the rounding of f hides pass: of x^2 + c
/// at 0.3 a relative one of 1e-7 for c = 1e7, and one of 1e-4 for c = 1e10; where it hides 1e-3, `rounding` is set. In
/// a block it is the rounding beside all its elements that counts, and above 8192 elements beside all there are: of x^2
/// at 1.5 an error of 1e-4 in one of 20,000 or 100,000 elements was found at each seed, and one of 1e-5 at none.
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
