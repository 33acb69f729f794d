// How the error of a Taylor expansion falls as the step shrinks.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <autograd/gradcheck.hpp>
#include <cmath>
#include <limits>

namespace autograd::taylor {

template <class T>
using Inputs = std::vector<Array<T>>;

inline constexpr double shrink = 4;          // from one step to the next
inline constexpr double clear_margin = 256;  // an error this many times its rounding shows its order

template <class T>
std::vector<Variable<T>> record_inputs(Tape<T>& tape, const Inputs<T>& inputs) {
    std::vector<Variable<T>> xs;
    for (std::size_t i = 0; i < inputs.size(); ++i) xs.push_back(tape.variable(inputs[i], fmt::format("input {}", i)));
    return xs;
}

/// The elements of one input that are moved, and how far each: one element by 1, or all in a random direction.
struct Direction {
    std::size_t input;
    std::vector<std::size_t> elements;
    std::vector<double> lengths;
};

/// The outputs that are looked at, and the weight of each.
struct Weights {
    std::vector<std::size_t> outputs;
    std::vector<double> weights;

    template <class T>
    double of(const Array<T>& y) const {
        double total = 0;
        for (std::size_t i = 0; i < outputs.size(); ++i) total += weights[i] * double(y.data()[outputs[i]]);
        return total;
    }
    template <class T>
    double size_of(const Array<T>& y) const {
        double total = 0;
        for (std::size_t i = 0; i < outputs.size(); ++i) total += std::abs(weights[i] * double(y.data()[outputs[i]]));
        return total;
    }
};

/// f along a direction, at steps that shrink on both sides of x. Each step is evaluated once, when it is asked for.
template <class T>
class Line {
  public:
    Line(const FunctionOf<T>& f, const Inputs<T>& inputs, Direction direction)
        : f_(f), moved_(inputs), direction_(std::move(direction)) {
        const Array<T>& input = inputs[direction_.input];
        origin_ = input;
        for (std::size_t k : direction_.elements) scale_ = std::max(scale_, std::abs(double(input.data()[k])));
        first_ = std::max(1.0, scale_) * 0.1234567;
    }

    /// f at x + t u, and t as the inputs' precision has it.
    struct Point {
        double t;
        Array<T> value;
    };
    const Point& at(std::size_t step, int side) {
        auto& points = points_[side > 0];
        while (points.size() <= step) {
            const double t = side * first_ * std::pow(shrink, -double(points.size()));
            points.push_back(evaluate(t));
        }
        return points[step];
    }

    /// How many steps are above the inputs' own rounding.
    std::size_t steps() const {
        const double last = 1024 * std::numeric_limits<T>::epsilon() * scale_;
        std::size_t count = 0;
        for (double t = first_; t > last && (scale_ > 0 || count < 64); t /= shrink) ++count;
        return count;
    }

    Point evaluate(double t) {
        Array<T>& input = moved_[direction_.input];
        double actual = t;
        for (std::size_t i = 0; i < direction_.elements.size(); ++i) {
            const std::size_t k = direction_.elements[i];
            input.data()[k] = static_cast<T>(double(origin_.data()[k]) + t * direction_.lengths[i]);
            if (direction_.elements.size() == 1)
                actual = (double(input.data()[k]) - double(origin_.data()[k])) / direction_.lengths[i];
        }
        tape_.rewind();
        const auto xs = record_inputs(tape_, moved_);
        const auto pause = tape_.pause();
        Array<T> value = f_(xs).value();
        for (std::size_t k : direction_.elements) input.data()[k] = origin_.data()[k];
        return {actual, std::move(value)};
    }

    /// How far f's values are from a smooth curve, by fourth differences on one side of x (Hamming).
    double noise(const Weights& weights, int side) {
        const double step =
            side * std::max(1e-8, 64 * double(std::numeric_limits<T>::epsilon())) * (scale_ > 0 ? scale_ : 1);
        std::vector<double> values;
        for (int i = 1; i <= 8; ++i) values.push_back(weights.of(evaluate(i * step).value));
        double result = 0;
        for (std::size_t i = 0; i + 4 < values.size(); ++i)
            result = std::max(result, std::abs(values[i] - 4 * values[i + 1] + 6 * values[i + 2] - 4 * values[i + 3] +
                                               values[i + 4]));
        return std::isfinite(result) ? result : 0;
    }

    const Direction& direction() const { return direction_; }

  private:
    const FunctionOf<T>& f_;
    Inputs<T> moved_;
    Direction direction_;
    Array<T> origin_;
    Tape<T> tape_;
    double scale_ = 0, first_ = 0;
    std::vector<Point> points_[2];
};

/// An error and the rounding that it is known up to, at one step.
struct Sample {
    double step, error, rounding;
};

/// The power of the step with which an error falls at the last steps that show it.
struct Order {
    double power = std::numeric_limits<double>::infinity();  ///< infinite: rounding is all that there is
    Sample last = {};                                        ///< the smallest step that shows it
    bool second() const { return power > 1.25; }
    bool jumps() const { return power < 0.5; }
};

/// `error(i)` is the sample at step i, each step smaller than the one before. Only the smallest steps tell: at larger
/// ones a wrong slope hides behind curvature, and a kink nearby or the end of f's domain is in reach.
template <class Error>
Order order_of(std::size_t steps, Error error) {
    Order order;
    Sample previous{};
    // A single error within rounding may be chance, where the expansion's terms cancel.
    int lost = 0;
    for (std::size_t i = 0; i < steps && lost < 2; ++i) {
        const Sample sample = error(i);
        if (!std::isfinite(sample.error)) {
            previous = {};
            continue;
        }
        if (previous.step > 0 && lost == 0) {
            order.power = std::log(previous.error / std::max({sample.error, sample.rounding, 1e-300})) /
                          std::log(previous.step / sample.step);
            order.last = previous;
        }
        lost = sample.error > clear_margin * sample.rounding && sample.error > 1e-290 ? 0 : lost + 1;
        previous = lost == 0 ? sample : Sample{};
    }
    return order;
}

}  // namespace autograd::taylor
