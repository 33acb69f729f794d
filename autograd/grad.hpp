// Derivatives of derivatives, and what is made of them.
#pragma once

#include <autograd/record.hpp>
#include <vector>

namespace autograd {

/// The derivatives of y by each of xs, as variables on the same tape, so that they can be differentiated again. y must
/// have one element, or a seed of y's shape be given; a variable that y does not depend on has a derivative of zeros.
/// Throws `GradientError` for an operation whose rule is written for arrays only.
template <class T>
std::vector<Variable<T>> grad(const Variable<T>& y, const std::vector<Variable<T>>& xs);
template <class T>
Variable<T> grad(const Variable<T>& y, const Variable<T>& x);

/// `seed^T J`: the derivative of `sum(seed * y)` by each of xs.
template <class T>
std::vector<Variable<T>> vjp(const Variable<T>& y, const std::vector<Variable<T>>& xs, const Variable<T>& seed);

/// `J u`: how y changes when xs move along the directions, one of each x's shape. Two reverse passes.
template <class T>
Variable<T> jvp(const Variable<T>& y, const std::vector<Variable<T>>& xs, const std::vector<Variable<T>>& directions);

/// The Hessian of a y of one element times the directions, one of each x's shape: as arrays, in at most five times the
/// time of a gradient and three times its memory. What is to be differentiated again is
/// `grad(sum(grad(y, x) * direction), x)`.
template <class T>
std::vector<Array<T>> hvp(const Variable<T>& y, const std::vector<Variable<T>>& xs,
                          const std::vector<Array<T>>& directions);

/// The derivative of every element of y by every element of x: shape (y's axes..., x's axes...).
template <class T>
Array<T> jacobian(const Variable<T>& y, const Variable<T>& x);

/// The second derivatives of a y of one element: shape (x's axes..., x's axes...).
template <class T>
Array<T> hessian(const Variable<T>& y, const Variable<T>& x);

}  // namespace autograd
