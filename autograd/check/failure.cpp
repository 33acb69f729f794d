#include <autograd/check/failure.hpp>
#include <autograd/print.hpp>
#include <numeric>
#include <random>

namespace autograd::taylor {

template <class T>
std::string Subject<T>::name_of(std::size_t input) const {
    const bool is_seed = is_derivative && input + 1 == slopes.inputs().size();
    return is_seed ? "the incoming adjoint" : fmt::format("input {}", input);
}

template <class T>
std::string Subject<T>::place(const Direction& direction, const Weights& weights) const {
    const std::string output = weights.outputs.size() == 1
                                   ? "output " + index_of(weights.outputs[0], slopes.value().shape())
                                   : "the outputs together";
    return fmt::format("the derivative of {} by {} at {}", output, name_of(direction.input),
                       index_of(direction.elements[0], slopes.inputs()[direction.input].shape()));
}

void fail(GradcheckResult& result, std::string message) {
    result.passed = false;
    result.message = std::move(message);
}

namespace {

/// All outputs, in random proportions.
Weights random_weights(std::size_t outputs, unsigned seed) {
    Weights weights{std::vector<std::size_t>(outputs), std::vector<double>(outputs)};
    std::iota(weights.outputs.begin(), weights.outputs.end(), std::size_t{0});
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal;
    for (double& weight : weights.weights) weight = normal(engine);
    return weights;
}

/// Whether the gradient by this input does not change with the incoming adjoint.
template <class T>
bool ignores_adjoint(Slopes<T>& slopes, const Weights& weights, const std::vector<double>& gradient,
                     std::size_t input) {
    Weights twice = weights;
    twice.weights[0] *= 2;
    return slopes.differentiate(twice).gradients[input] == gradient && gradient != std::vector<double>(gradient.size());
}

/// What the gradient of the outputs in random proportions looks like beside the right one, which differences give.
template <class T>
Comparison look(Subject<T>& subject, std::size_t input) {
    Slopes<T>& slopes = subject.slopes;
    const Inputs<T>& inputs = slopes.inputs();
    const Array<T>& y = slopes.value();
    const std::size_t n = inputs[input].size(), m = y.size();
    if (n > subject.options.largest) {
        Comparison not_looked_for;
        not_looked_for.sentence.clear();
        return not_looked_for;
    }
    const Weights weights = random_weights(m, subject.options.seed);
    const std::vector<double> gradient = slopes.differentiate(weights).gradients[input];
    if (m == 1 && ignores_adjoint(slopes, weights, gradient, input))
        return {"missing-adjoint", 1, {}, "the incoming adjoint is left out"};

    CompareContext context;
    context.tolerance = std::is_same_v<T, double> ? 1e-7 : 1e-2;  // as far as differences can be trusted
    context.floor = 1e-3;  // and a difference has no more digits than the largest
    context.adjoint = Array<double>::from_shape(y.shape());
    std::copy_n(weights.weights.begin(), m, context.adjoint->data());
    const bool small = n * m <= subject.options.largest;
    if (small) {
        Shape shape = y.shape();
        for (std::size_t length : inputs[input].shape()) shape.push_back(length);
        context.jacobian = Array<double>::from_shape(shape);
    }
    Array<double> hand = Array<double>::from_shape(inputs[input].shape()), right = hand;
    std::copy_n(gradient.begin(), n, hand.data());
    for (std::size_t k = 0; k < n; ++k) {
        Line<T> line = slopes.line({input, {k}, {1.0}});
        // On a kink there is no slope to compare with: the gradient stands in for it.
        right.data()[k] = slopes.bends(line, weights) ? hand.data()[k] : slopes.difference(line, weights).value;
        for (std::size_t r = 0; small && r < m; ++r)
            context.jacobian->data()[r * n + k] = slopes.difference(line, {{r}, {1.0}}).value;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
        context.locals.emplace_back(subject.name_of(i), Array<double>(inputs[i]));
    context.locals.emplace_back("the output", Array<double>(y));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (i == input || inputs[i].shape() != inputs[input].shape()) continue;
        Array<double> other = right;
        for (std::size_t k = 0; k < n; ++k) {
            Line<T> line = slopes.line({i, {k}, {1.0}});
            other.data()[k] = slopes.difference(line, weights).value;
        }
        context.others.emplace_back(subject.name_of(i), std::move(other));
    }
    return compare(hand, right, context);
}

}  // namespace

template <class T>
void fail_at(GradcheckResult& result, Subject<T>& subject, Line<T>& line, const Weights& weights,
             const TapeGradients& tape, const Order& order, const std::string& kink) {
    const Direction& direction = line.direction();
    const double unit = direction.lengths[0] * weights.weights[0];
    const double got = tape.along(direction) / direction.lengths[0] / weights.weights[0];
    const Difference difference = subject.slopes.difference(line, weights, tape.rounding);
    const double expected = difference.value / unit;
    const double relative = std::abs(got - expected) / std::max({std::abs(got), std::abs(expected), almost_zero});
    std::string why;
    if (!std::isfinite(got)) {
        why = fmt::format(" {}.", subject.slopes.origin_of_nonfinite(weights));
    } else if (std::isfinite(order.power)) {
        why = fmt::format(" As the step shrinks the error of the Taylor expansion falls with its power {:.1f}, not 2.",
                          order.power);
    }
    result.comparison = look(subject, direction.input);
    if (result.comparison.equal())
        result.comparison = {.sentence = "the gradient differs from the right one by too little to say how"};
    std::string looks;
    if (!result.comparison.sentence.empty())
        looks = fmt::format(" By {}: {}.", subject.name_of(direction.input), result.comparison.sentence);
    const std::string error = std::isfinite(got) ? fmt::format("relative error {:.2g}, ", relative) : "";
    fail(result, fmt::format("[{}] {} is {:.10g} on the tape, but differences give {:.10g} ({}step {:.2g}).{}{}{}",
                             subject.name, subject.place(direction, weights), got, expected, error, difference.step,
                             why, kink, looks));
}

template struct Subject<float>;
template struct Subject<double>;
template void fail_at(GradcheckResult&, Subject<float>&, Line<float>&, const Weights&, const TapeGradients&,
                      const Order&, const std::string&);
template void fail_at(GradcheckResult&, Subject<double>&, Line<double>&, const Weights&, const TapeGradients&,
                      const Order&, const std::string&);

}  // namespace autograd::taylor
