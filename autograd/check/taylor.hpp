// How the error of a Taylor expansion falls as the step shrinks: its order is the power of the step with which it
// falls, 2 beside a right gradient, 1 beside a wrong one or on a kink, 0 where the function jumps. Only numbers are
// looked at.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace autograd::taylor {

/// From one step to the next. An error of order 2 falls to a sixteenth and one of order 1 to a quarter: far enough
/// apart to be told from two neighbours, and there is room for many steps before rounding hides the error.
inline constexpr double shrink = 4;

/// An error shows its order while it is this many times its rounding: one of order 2 is still 16 times it at the next
/// step, so that rounding changes the order that is found by less than 0.1.
inline constexpr double clear_margin = 256;

/// Orders are found up to curvature and rounding. One above this bound counts as 2, one below it as 1. It is nearer to
/// 1, as curvature makes a true order of 2 look smaller.
inline constexpr double order_of_right = 1.25;
/// f(x + h) - f(x) falls with h where f has a slope, and slower where the slope is infinite: with h^0.5 for a root.
inline constexpr double order_of_slope = 0.9;
/// One below this bound counts as 0.
inline constexpr double order_of_jump = 0.5;

/// Stands for zero where a logarithm or a quotient is taken.
inline constexpr double almost_zero = std::numeric_limits<double>::denorm_min();

/// An error and the rounding that it is known up to, at one step.
struct Sample {
    double step, error, rounding;
};

/// The power of the step with which an error falls at the last steps that show it.
struct Order {
    double power = std::numeric_limits<double>::infinity();  ///< infinite: rounding is all that there is
    Sample last = {};                                        ///< the smallest step that shows it
    bool second() const { return power > order_of_right; }
    bool jumps() const { return power < order_of_jump; }
};

/// `error(i)` is the sample at step i, each step smaller than the one before. Only the smallest steps tell: at larger
/// ones a wrong slope hides behind curvature, and a kink nearby or the end of f's domain is in reach.
template <class Error>
Order order_of(std::size_t steps, Error error) {
    Order order;
    Sample previous{};
    // A single error within rounding may be chance, where the expansion's terms cancel: two in a row are the end.
    int lost = 0;
    for (std::size_t i = 0; i < steps && lost < 2; ++i) {
        const Sample sample = error(i);
        if (!std::isfinite(sample.error)) {  // beyond the end of f's domain
            previous = {};
            continue;
        }
        if (previous.step > 0 && lost == 0) {
            order.power = std::log(previous.error / std::max({sample.error, sample.rounding, almost_zero})) /
                          std::log(previous.step / sample.step);
            order.last = previous;
        }
        lost = sample.error > clear_margin * sample.rounding ? 0 : lost + 1;
        previous = lost == 0 ? sample : Sample{};
    }
    return order;
}

}  // namespace autograd::taylor
