#include <fmt/format.h>

#include <algorithm>
#include <autograd/check/slopes.hpp>
#include <autograd/grad.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/operations.hpp>
#include <autograd/print.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace autograd {

namespace {

using namespace taylor;

template <class T>
Array<T> random_like(const Shape& shape, std::mt19937_64& engine) {
    Array<T> array = Array<T>::from_shape(shape);
    std::normal_distribution<double> normal;
    for (T& value : array) value = static_cast<T>(normal(engine));
    return array;
}

template <class T>
class Check {
  public:
    Check(const char* name, const FunctionOf<T>& f, const Inputs<T>& inputs, const GradcheckOptions& options,
          bool is_derivative = false)
        : name_(name),
          is_derivative_(is_derivative),
          inputs_(inputs),
          options_(options),
          slopes_(f, inputs),
          y_(slopes_.value()) {}

    GradcheckResult run() {
        for (T value : y_)
            if (!std::isfinite(value)) {
                fail(fmt::format("[{}] the function is not finite at these inputs", name_));
                return result_;
            }
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (inputs_[i].size() == 0) continue;
            if (slopes_.line({i, {0}, {1.0}}).evaluate(0).value == y_) break;
            fail(
                fmt::format("[{}] the function gives two values for the same inputs: it depends on something else "
                            "(a random number, or what it did before)",
                            name_));
            return result_;
        }
        std::size_t elements = 0;
        for (const Array<T>& input : inputs_) elements += input.size();
        if (elements * y_.size() <= options_.largest) {
            every_element();
        } else {
            random_directions();
        }
        return result_;
    }

  private:
    void every_element() {
        // Adjoints of either sign that are not 1: a rule must be linear in them.
        std::vector<Weights> weights;
        for (std::size_t r = 0; r < y_.size(); ++r) weights.push_back({{r}, {r % 2 == 0 ? -1.7 : 2.3}});
        if (y_.size() == 1) weights.push_back({{0}, {2.3}});
        std::vector<TapeGradients> gradients;
        for (const Weights& row : weights) gradients.push_back(slopes_.differentiate(row));
        for (std::size_t i = 0; i < inputs_.size(); ++i)
            for (std::size_t k = 0; k < inputs_[i].size(); ++k) {
                Line<T> line = slopes_.line({i, {k}, {1.0}});
                for (std::size_t r = 0; r < weights.size(); ++r)
                    if (!judge(line, weights[r], gradients[r])) return;
            }
    }

    void random_directions() {
        std::mt19937_64 engine(options_.seed);
        std::normal_distribution<double> normal;
        const auto draw = [&](std::size_t count) {
            std::vector<double> numbers(count);
            for (double& x : numbers) x = normal(engine);
            return numbers;
        };
        const auto all = [](std::size_t count) {
            std::vector<std::size_t> numbers(count);
            std::iota(numbers.begin(), numbers.end(), std::size_t{0});
            return numbers;
        };
        for (std::size_t d = 0; d < options_.directions; ++d) {
            Weights weights{all(y_.size()), draw(y_.size())};
            // Small outputs must not hide behind large ones.
            for (std::size_t r = 0; d % 2 == 1 && r < y_.size(); ++r)
                if (const double size = std::abs(double(y_.data()[r])); size > 0) weights.weights[r] /= size;
            for (std::size_t i = 0; i < inputs_.size(); ++i) {
                std::size_t kinks_left = 16;
                const std::size_t n = inputs_[i].size();
                if (n == 0) continue;
                if (!search(slopes_.line({i, all(n), draw(n)}), weights, kinks_left)) return;
                // Among so many kinks directions tell nothing: single elements do.
                for (std::size_t sample = 0; d == 0 && kinks_left == 0 && sample < 64; ++sample) {
                    std::size_t one_more = 1;
                    if (!search(slopes_.line({i, {engine() % n}, {1.0}}), weights, one_more)) return;
                }
            }
        }
    }

    /// Halves a direction that fails, and the outputs, until one element of each is left.
    bool search(Line<T> line, const Weights& weights, std::size_t& kinks_left) {
        return search_along(line, weights, kinks_left);
    }

    bool search_along(Line<T>& line, const Weights& weights, std::size_t& kinks_left) {
        if (kinks_left == 0) return true;
        const Direction& direction = line.direction();
        const TapeGradients tape = slopes_.differentiate(weights);
        if (direction.elements.size() == 1 && weights.outputs.size() == 1) {
            if (!judge(line, weights, tape)) return false;
            --kinks_left;
            return true;
        }
        if (slopes_.right(line, weights, tape)) return true;
        const auto half = [](const auto& numbers, bool upper) {
            const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
            return std::decay_t<decltype(numbers)>(upper ? middle : numbers.begin(), upper ? numbers.end() : middle);
        };
        for (bool upper : {false, true}) {
            const bool found =
                direction.elements.size() > 1
                    ? search(slopes_.line(
                                 {direction.input, half(direction.elements, upper), half(direction.lengths, upper)}),
                             weights, kinks_left)
                    : search_along(line, {half(weights.outputs, upper), half(weights.weights, upper)}, kinks_left);
            if (!found) return false;
        }
        return true;
    }

    /// Judges one element of the Jacobian; false ends the check.
    bool judge(Line<T>& line, const Weights& weights, const TapeGradients& tape) {
        const double g = tape.along(line.direction());
        if (!std::isfinite(g)) return slopes_.unbounded(line, weights, g) || wrong(line, weights, tape, {}, "");
        const Order above = slopes_.order(line, weights, tape, 1), below = slopes_.order(line, weights, tape, -1);
        if (above.second() && below.second()) return true;
        const Order bend = slopes_.bend(line, weights);
        const Order& worst = above.power < below.power ? above : below;
        if (worst.jumps()) {
            const std::string where = kink_at(line, slopes_.step_of(line, worst.last.step), true);
            if (!is_derivative_)
                return wrong(line, weights, tape, worst, fmt::format(" The function jumps here{}.", where));
            result_.kink = true;
            if (result_.message.empty())
                result_.message = fmt::format(
                    "[{}] {} does not exist: the function has a kink here, and its first derivative jumps{}", name_,
                    place(line, weights), where);
            return true;
        }
        if (bend.second() || bend.jumps()) {
            // x^1.2 at 0 has an error of order 1.2, and no other slope.
            const double unit = line.direction().lengths[0], expected = slopes_.difference(line, weights).first / unit;
            if (worst.power > 1.05 && std::abs(g / unit - expected) <= 1e-9 * std::abs(expected)) return true;
            return wrong(line, weights, tape, worst, "");
        }

        const std::size_t step = slopes_.step_of(line, bend.last.step);
        const double high = slopes_.remainder(line, weights, tape, step, 1),
                     low = slopes_.remainder(line, weights, tape, step, -1);
        const double t = line.at(step, 1).t, unit = line.direction().lengths[0] * weights.weights[0];
        double slope_above = (g + high / t) / unit + 0.0, slope_below = (g - low / t) / unit + 0.0;  // no -0
        if (line.direction().lengths[0] < 0) std::swap(slope_above, slope_below);
        const std::string where = kink_at(line, step, false);
        const std::string slopes = fmt::format("the slope is {:.6g} below and {:.6g} above", slope_below, slope_above);
        result_.kink = true;
        if (above.second() || below.second() || high * low > 0) {
            if (result_.message.empty())
                result_.message = fmt::format("[{}] {} is on a kink{}: {}, and {:.6g} on the tape", name_,
                                              place(line, weights), where, slopes, g / unit + 0.0);
            return true;
        }
        return wrong(line, weights, tape, worst,
                     fmt::format(" It is on a kink{}, but not between the slopes: {}.", where, slopes));
    }

    /// Where the kink is, in words, if it is found.
    std::string kink_at(Line<T>& line, std::size_t step, bool jump) {
        const Kink kink = slopes_.kink(line, step, jump);
        if (kink.words.empty()) return "";
        result_.operation = kink.operation;
        return (jump ? ", at " : " of ") + kink.words;
    }

    std::string place(const Line<T>& line, const Weights& weights) const {
        const Direction& d = line.direction();
        return fmt::format("the derivative of output {} by {} at {}", index_of(weights.outputs[0], y_.shape()),
                           name_of(d.input), index_of(d.elements[0], inputs_[d.input].shape()));
    }

    std::string name_of(std::size_t input) const {
        const bool is_seed = is_derivative_ && input + 1 == inputs_.size();
        return is_seed ? "the incoming adjoint" : fmt::format("input {}", input);
    }

    bool wrong(Line<T>& line, const Weights& weights, const TapeGradients& tape, const Order& order,
               const std::string& kink) {
        const double got = tape.along(line.direction()) / line.direction().lengths[0] / weights.weights[0];
        auto [expected, step] = slopes_.difference(line, weights);
        expected /= line.direction().lengths[0] * weights.weights[0];
        const double relative = std::abs(got - expected) / std::max({std::abs(got), std::abs(expected), 1e-300});
        std::string why;
        if (!std::isfinite(got)) {
            why = fmt::format(" {}.", slopes_.origin_of_nonfinite(weights));
        } else if (std::isfinite(order.power)) {
            why = fmt::format(
                " As the step shrinks the error of the Taylor expansion falls with its power {:.1f}, not 2.",
                order.power);
        }
        result_.comparison = look(line.direction().input);
        std::string looks;
        if (!result_.comparison.equal() && !result_.comparison.sentence.empty())
            looks = fmt::format(" By {}: {}.", name_of(line.direction().input), result_.comparison.sentence);
        const std::string error = std::isfinite(got) ? fmt::format("relative error {:.2g}, ", relative) : "";
        fail(fmt::format("[{}] {} is {:.10g} on the tape, but differences give {:.10g} ({}step {:.2g}).{}{}{}", name_,
                         place(line, weights), got, expected, error, step, why, kink, looks));
        return false;
    }

    /// What the gradient of the outputs in random proportions looks like beside the right one.
    Comparison look(std::size_t input) {
        const std::size_t n = inputs_[input].size(), m = y_.size();
        std::mt19937_64 engine(options_.seed);
        const Array<double> v = random_like<double>(y_.shape(), engine);
        Weights weights;
        for (std::size_t r = 0; r < m; ++r) {
            weights.outputs.push_back(r);
            weights.weights.push_back(v.data()[r]);
        }
        const auto tape = slopes_.differentiate(weights);
        Array<double> hand = Array<double>::from_shape(inputs_[input].shape()), right = hand;
        std::copy_n(tape.gradients[input].begin(), n, hand.data());
        if (n > options_.largest) {
            Comparison not_looked_for;
            not_looked_for.sentence.clear();
            return not_looked_for;
        }
        if (m == 1) {
            Weights twice = weights;
            twice.weights[0] *= 2;
            const auto& gradient = tape.gradients[input];
            if (slopes_.differentiate(twice).gradients[input] == gradient && gradient != std::vector<double>(n))
                return {"missing-adjoint", 1, {}, "the incoming adjoint is left out"};
        }

        CompareContext context;
        context.tolerance = std::is_same_v<T, double> ? 1e-7 : 1e-2;
        context.adjoint = v;
        const bool small = n * m <= options_.largest;
        if (small) {
            Shape shape = y_.shape();
            for (std::size_t length : inputs_[input].shape()) shape.push_back(length);
            context.jacobian = Array<double>::from_shape(shape);
        }
        for (std::size_t k = 0; k < n; ++k) {
            Line<T> line = slopes_.line({input, {k}, {1.0}});
            // On a kink there is no slope to compare with: the gradient stands in for it.
            right.data()[k] = slopes_.bends(line, weights) ? hand.data()[k] : slopes_.difference(line, weights).first;
            for (std::size_t r = 0; small && r < m; ++r)
                context.jacobian->data()[r * n + k] = slopes_.difference(line, {{r}, {1.0}}).first;
        }
        for (std::size_t i = 0; i < inputs_.size(); ++i)
            context.locals.emplace_back(name_of(i), Array<double>(inputs_[i]));
        context.locals.emplace_back("the output", Array<double>(y_));
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (i == input || inputs_[i].shape() != inputs_[input].shape()) continue;
            Array<double> gradient = right;
            for (std::size_t k = 0; k < n; ++k) {
                Line<T> line = slopes_.line({i, {k}, {1.0}});
                gradient.data()[k] = slopes_.difference(line, weights).first;
            }
            context.others.emplace_back(name_of(i), std::move(gradient));
        }
        return compare(hand, right, context);
    }

    void fail(std::string message) {
        result_.passed = false;
        result_.message = std::move(message);
    }

    const char* name_;
    bool is_derivative_;
    const Inputs<T>& inputs_;
    const GradcheckOptions& options_;
    Slopes<T> slopes_;
    const Array<T>& y_;
    GradcheckResult result_;
};

/// Where the rules give one gradient on arrays and another on variables, says so.
template <class T>
std::string check_both_ways(const Variable<T>& y, const std::vector<Variable<T>>& xs, const Array<T>& seed) {
    const Gradients<T> on_arrays = y.tape().backward(y, seed);
    const auto on_variables = vjp(y, xs, y.tape().constant(seed));
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const Array<T>&arrays = on_arrays[xs[i]], &variables = on_variables[i].value();
        double scale = 1e-3;
        for (T number : arrays) scale = std::max(scale, std::abs(double(number)));
        for (std::size_t k = 0; k < arrays.size(); ++k) {
            const double a = arrays.data()[k], b = variables.data()[k];
            if (std::abs(a - b) > (std::is_same_v<T, double> ? 1e-6 : 1e-2) * scale)
                return fmt::format(
                    "[gradgradcheck] by input {} at {} the rules give {:.10g} on arrays, but {:.10g} on variables", i,
                    index_of(k, arrays.shape()), a, b);
        }
    }
    return "";
}

template <class T>
GradcheckResult check_second(const FunctionOf<T>& f, const Inputs<T>& inputs, const GradcheckOptions& options) {
    std::mt19937_64 engine(options.seed);
    Tape<T> tape;
    const auto xs = record_inputs(tape, inputs);
    const Variable<T> y = f(xs);
    std::vector<Array<T>> all = inputs, weights;  // the incoming adjoint is an input of the derivative
    all.push_back(random_like<T>(y.shape(), engine));
    for (const Array<T>& input : inputs) weights.push_back(random_like<T>(input.shape(), engine));
    if (std::string message = check_both_ways(y, xs, all.back()); !message.empty())
        return {.passed = false, .message = std::move(message)};

    const FunctionOf<T> derivative = [&](const std::vector<Variable<T>>& given) {
        Tape<T>& outer = given.front().tape();
        // Differences need the derivative's value only, but the derivative itself needs a recording.
        const bool paused = !outer.records();
        Tape<T> own;
        std::vector<Variable<T>> fresh;
        for (const Variable<T>& x : given) fresh.push_back(paused ? own.variable(x.value()) : x);
        const Variable<T> seed = fresh.back();
        fresh.pop_back();
        const auto gradients = vjp(f(fresh), fresh, seed);
        Variable<T> total = seed.tape().constant(T(0));
        for (std::size_t i = 0; i < fresh.size(); ++i) total = total + sum(gradients[i] * weights[i]);
        return paused ? outer.constant(total.value()) : total;
    };
    return Check<T>("gradgradcheck", derivative, all, options, true).run();
}

void allow_float(const char* name, const GradcheckOptions& options) {
    if (!options.allow_float)
        throw std::invalid_argument(fmt::format(
            "[{}] in single precision only errors above about 1 % are found: check in double, or set allow_float",
            name));
}

}  // namespace

GradcheckResult gradcheck(const Function& f, const Inputs<double>& inputs, const GradcheckOptions& options) {
    return Check<double>("gradcheck", f, inputs, options).run();
}

GradcheckResult gradgradcheck(const Function& f, const Inputs<double>& inputs, const GradcheckOptions& options) {
    return check_second<double>(f, inputs, options);
}

GradcheckResult gradcheck_in_float(const FunctionOf<float>& f, const Inputs<float>& inputs,
                                   const GradcheckOptions& options) {
    allow_float("gradcheck", options);
    return Check<float>("gradcheck", f, inputs, options).run();
}

GradcheckResult gradgradcheck_in_float(const FunctionOf<float>& f, const Inputs<float>& inputs,
                                       const GradcheckOptions& options) {
    allow_float("gradgradcheck", options);
    return check_second<float>(f, inputs, options);
}

}  // namespace autograd
