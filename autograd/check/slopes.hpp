// A function at some inputs, with the slopes that the tape gives it there and what differences say of them.
#pragma once

#include <autograd/check/line.hpp>
#include <optional>
#include <string>
#include <utility>

namespace autograd::taylor {

/// A slope by differences: how far off it is at most, how much of that is rounding, and the step; and the quotient at
/// the largest step, which is not 0 where f changes at all.
struct Difference {
    double value, error, rounding, step, quotient;
};

/// The tape's derivatives for some weights of the outputs, and the rounding of f's value: every recorded number is off
/// by a rounding, and its adjoint tells what that does to the output.
struct TapeGradients {
    double value;
    double rounding;
    std::vector<std::vector<double>> gradients;

    double along(const Direction& direction) const;
    /// Whether a difference allows for them: also where there is none.
    bool agrees(const Difference& difference, const Direction& direction) const;
};

template <class T>
class Slopes {
  public:
    Slopes(const FunctionOf<T>& f, const Inputs<T>& inputs);

    const Inputs<T>& inputs() const { return inputs_; }
    const Array<T>& value() const { return y_.value(); }
    const Tape<T>& tape() const { return tape_; }
    const Variable<T>& output() const { return y_; }
    Array<T> seed_of(const Weights& weights) const;
    Line<T> line(Direction direction) const { return Line<T>(f_, inputs_, std::move(direction)); }
    TapeGradients differentiate(const Weights& weights);

    /// f(x + t u) - f(x) - t g, with its sign.
    double remainder(Line<T>& line, const Weights& weights, const TapeGradients& tape, std::size_t step, int side);
    /// How it falls with t on a side of x: with t^2 where g is right.
    Order order(Line<T>& line, const Weights& weights, const TapeGradients& tape, int side);
    /// What differences say of g where the error falls as it should: curvature, or a value of f that is large beside
    /// what g changes, may hide a wrong one there.
    Difference difference(Line<T>& line, const Weights& weights, const TapeGradients& tape);
    /// The difference that bears g out, where it is right.
    std::optional<Difference> right(Line<T>& line, const Weights& weights, const TapeGradients& tape);

    /// f(x + h) - 2 f(x) + f(x - h) falls with h where the slopes on both sides differ.
    Order bend(Line<T>& line, const Weights& weights);
    bool bends(Line<T>& line, const Weights& weights);
    /// Whether the quotients of differences grow without bound on a side, as the square root's do at 0, towards g.
    bool unbounded(Line<T>& line, const Weights& weights, double g);
    /// The same on this side, whatever g is.
    bool has_infinite_slope(Line<T>& line, const Weights& weights, int side);

    /// The first operation that makes a derivative that is not finite, in a sentence.
    std::string origin_of_nonfinite(const Weights& weights);

    /// The difference with the least error, where the values of f are off by `rounding` beside that of their own size;
    /// central, or on one side where f ends. Without any it is NaN.
    Difference difference(Line<T>& line, const Weights& weights, double rounding = 0) const;

    /// How far the tape's slopes are from a smooth curve about x: how much of g is rounding.
    double noise_of_slope(const Direction& direction, const Weights& weights);

  private:
    /// How f(x + h) - f(x) falls.
    Order order_of_change(Line<T>& line, const Weights& weights, int side);

    const FunctionOf<T>& f_;
    const Inputs<T>& inputs_;
    Tape<T> tape_;
    std::vector<Variable<T>> xs_;
    Variable<T> y_;
};

extern template class Slopes<float>;
extern template class Slopes<double>;

}  // namespace autograd::taylor
