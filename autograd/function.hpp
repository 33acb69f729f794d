#pragma once

#include <autograd/variable.hpp>
#include <functional>
#include <vector>

namespace autograd {

/// A function of several arrays, recorded on the tape of its variables:
///
///     [](const auto& x) { return tanh(x[0]) * x[1]; }
template <class T>
using FunctionOf = std::function<Variable<T>(const std::vector<Variable<T>>&)>;
using Function = FunctionOf<double>;

}  // namespace autograd
