// Gradients held against central differences.
#pragma once

#include <autograd/tape.hpp>
#include <functional>
#include <string>
#include <vector>

namespace autograd {

/// A function of several arrays, recorded on the tape of its variables: `[](const auto& x) { return tanh(x[0]) * x[1];
/// }`.
using Function = std::function<Variable<double>(const std::vector<Variable<double>>&)>;

struct GradcheckOptions {
    double step = 1e-5;          ///< times max(1, |x|), for each element
    double relative = 1e-6;      ///< tolerance, of the larger of both values
    double absolute = 1e-7;      ///< tolerance
    std::size_t largest = 4096;  ///< a Jacobian of more elements is checked in random directions instead
    std::size_t directions = 4;
    unsigned seed = 1;
};

struct GradcheckResult {
    bool passed = true;
    std::string message = {};  ///< the input, the index, both values, the relative error and the step
    explicit operator bool() const { return passed; }
};

/// Whether the rules behind f give its derivative: the full Jacobian for small inputs, `<v, J u>` in random directions
/// for large ones.
GradcheckResult gradcheck(const Function& f, const std::vector<Array<double>>& inputs,
                          const GradcheckOptions& options = {});

/// The same for the derivative of f along random seeds: whether its second derivatives are right.
GradcheckResult gradgradcheck(const Function& f, const std::vector<Array<double>>& inputs,
                              const GradcheckOptions& options = {});

}  // namespace autograd
