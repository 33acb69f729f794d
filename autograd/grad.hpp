// Derivatives of derivatives, and what is made of them.
#pragma once

#include <autograd/tape.hpp>
#include <optional>
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

/// The adjoints during a backward pass that is itself recorded.
template <class T>
struct VariableWalk {
    Tape<T>& tape;
    std::vector<std::optional<Variable<T>>> adjoints;  ///< by node
    std::vector<char> wanted;  ///< whether it is one of the nodes that lead from the variables asked for
};

/// What a rule sees when it is run on variables.
template <class T>
class OnVariables {
  public:
    OnVariables(VariableWalk<T>& walk, std::uint32_t index) : walk_(walk), index_(index) {}

    const Variable<T>& operator()(const Variable<T>& x) const { return x; }
    Variable<T> z() const { return variable_at(walk_.tape, index_); }
    const Variable<T>& zbar() const { return *walk_.adjoints[index_]; }
    Variable<T> evaluate(const Variable<T>& e) const { return e; }
    bool wants(const Variable<T>& x) const { return wants(x.index()); }

    class Adjoint {
      public:
        Adjoint(OnVariables& at, std::uint32_t input) : at_(at), input_(input) {}

        /// `e` is a variable, or becomes one where its value is wanted.
        template <class E>
        void operator+=(const E& e) const {
            if (at_.wants(input_)) add(e);
        }

      private:
        void add(const Variable<T>& e) const;

        OnVariables& at_;
        std::uint32_t input_;
    };
    Adjoint adjoint(const Variable<T>& x) { return {*this, x.index()}; }

  private:
    bool wants(std::uint32_t input) const { return input < walk_.wanted.size() && walk_.wanted[input]; }

    VariableWalk<T>& walk_;
    std::uint32_t index_;
};

}  // namespace autograd
