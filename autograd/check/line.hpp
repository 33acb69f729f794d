// A function along a straight line through its inputs: what differences are taken of.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <autograd/check/taylor.hpp>
#include <autograd/function.hpp>
#include <autograd/tape.hpp>
#include <cmath>
#include <limits>

namespace autograd::taylor {

template <class T>
using Inputs = std::vector<Array<T>>;

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
    /// The change from one value to another, to which outputs that stay as they are add no rounding, and the size of
    /// what changes.
    template <class T>
    std::pair<double, double> change_and_size(const Array<T>& from, const Array<T>& to) const {
        double change = 0, size = 0;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const double start = from.data()[outputs[i]], end = to.data()[outputs[i]];
            if (start == end) continue;
            change += weights[i] * (end - start);
            size += std::abs(weights[i]) * (std::abs(start) + std::abs(end));
        }
        return {change, size};
    }
    template <class T>
    double change(const Array<T>& from, const Array<T>& to) const {
        return change_and_size(from, to).first;
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
        // No round number: kinks lie at round distances from round inputs, and a step should not end on one.
        constexpr double first_share = 0.1234567;
        const Array<T>& input = inputs[direction_.input];
        origin_ = input;
        for (std::size_t k : direction_.elements) scale_ = std::max(scale_, std::abs(double(input.data()[k])));
        first_ = std::max(1.0, scale_) * first_share;
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

    /// How many steps have been evaluated on a side at least.
    std::size_t evaluated() const { return std::max(points_[0].size(), points_[1].size()); }

    /// How many steps are large enough that x + t keeps t to ten bits. At x = 0 every step is: 64 of them end at 1e-39.
    std::size_t steps() const {
        const double last = 1024 * std::numeric_limits<T>::epsilon() * scale_;
        std::size_t count = 0;
        for (double t = first_; t > last && (scale_ > 0 || count < 64); t /= shrink) ++count;
        return count;
    }

    /// The first step that is not above t. A step is t up to the inputs' rounding, and on one side of x not what it is
    /// on the other; the next one is `shrink` times as small.
    std::size_t step_of(double t) {
        constexpr double the_same = 1.5;
        for (std::size_t step = 0; step < steps(); ++step)
            if (std::abs(at(step, 1).t) <= t * the_same) return step;
        return steps() - 1;
    }

    Point evaluate(double t) {
        const double actual = move(t);
        tape_.rewind();
        const auto xs = record_inputs(tape_, moved_);
        const auto pause = tape_.pause();
        Array<T> value = f_(xs).value();
        move_back();
        return {actual, std::move(value)};
    }

    /// Records f at x + t u, to look at the numbers on its way.
    void record(Tape<T>& tape, double t) {
        move(t);
        f_(record_inputs(tape, moved_));
        move_back();
    }

    /// How far f's values are from a smooth curve, by fourth differences on one side of x (Hamming). Between steps as
    /// small as these a smooth f is a polynomial of the third degree, whose fourth differences are zero: what is left
    /// is noise.
    double noise(const Weights& weights, int side) {
        const double relative = std::max(1e-8, 64 * double(std::numeric_limits<T>::epsilon()));
        const double step = side * relative * (scale_ > 0 ? scale_ : 1);
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
    /// Moves the inputs to x + t u, and returns t as their precision has it.
    double move(double t) {
        Array<T>& input = moved_[direction_.input];
        double actual = t;
        for (std::size_t i = 0; i < direction_.elements.size(); ++i) {
            const std::size_t k = direction_.elements[i];
            input.data()[k] = static_cast<T>(double(origin_.data()[k]) + t * direction_.lengths[i]);
            if (direction_.elements.size() == 1)
                actual = (double(input.data()[k]) - double(origin_.data()[k])) / direction_.lengths[i];
        }
        return actual;
    }
    void move_back() {
        for (std::size_t k : direction_.elements) moved_[direction_.input].data()[k] = origin_.data()[k];
    }

    const FunctionOf<T>& f_;
    Inputs<T> moved_;
    Direction direction_;
    Array<T> origin_;
    Tape<T> tape_;
    double scale_ = 0, first_ = 0;
    std::vector<Point> points_[2];
};

}  // namespace autograd::taylor
