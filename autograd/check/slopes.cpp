#include <autograd/backward.hpp>
#include <autograd/check/slopes.hpp>
#include <autograd/error.hpp>

namespace autograd::taylor {

double TapeGradients::along(const Direction& direction) const {
    double total = 0;
    for (std::size_t i = 0; i < direction.elements.size(); ++i)
        total += gradients[direction.input][direction.elements[i]] * direction.lengths[i];
    return total;
}

template <class T>
Slopes<T>::Slopes(const FunctionOf<T>& f, const Inputs<T>& inputs)
    : f_(f), inputs_(inputs), xs_(record_inputs(tape_, inputs)), y_(f(xs_)) {}

template <class T>
Array<T> Slopes<T>::seed_of(const Weights& weights) const {
    Array<T> seed(xt::zeros<T>(y_.shape()));
    for (std::size_t i = 0; i < weights.outputs.size(); ++i)
        seed.data()[weights.outputs[i]] = static_cast<T>(weights.weights[i]);
    return seed;
}

template <class T>
TapeGradients Slopes<T>::differentiate(const Weights& weights) {
    const Array<T> seed = seed_of(weights);
    const Gradients<T> gradients = gradients_of<T>({&y_, 1}, {&seed, 1}, Keep<T>::all());
    TapeGradients result{weights.of(y_.value()), weights.size_of(y_.value()), {}};
    for (std::uint32_t n = 0; n < tape_.size(); ++n) {
        const Variable<T> node = variable_at(tape_, n);
        if (!node.requires_gradient()) continue;
        const Array<T>&value = node.value(), &adjoint = gradients[node];
        for (std::size_t i = 0; i < value.size(); ++i) {
            const double effect = std::abs(double(value.data()[i]) * double(adjoint.data()[i]));
            if (std::isfinite(effect)) result.rounding += effect;
        }
    }
    result.rounding *= std::numeric_limits<T>::epsilon();
    for (const Variable<T>& x : xs_) result.gradients.emplace_back(gradients[x].begin(), gradients[x].end());
    return result;
}

template <class T>
double Slopes<T>::remainder(Line<T>& line, const Weights& weights, const TapeGradients& tape, std::size_t step,
                            int side) {
    const auto& point = line.at(step, side);
    return weights.of(point.value) - tape.value - point.t * tape.along(line.direction());
}

template <class T>
Order Slopes<T>::order(Line<T>& line, const Weights& weights, const TapeGradients& tape, int side) {
    const auto rounding = [&](const auto& point) {
        return tape.rounding + std::numeric_limits<T>::epsilon() *
                                   (weights.size_of(point.value) + std::abs(point.t * tape.along(line.direction())));
    };
    const auto order = [&](double noise) {
        return order_of(line.steps(), [&](std::size_t step) {
            const auto& point = line.at(step, side);
            return Sample{std::abs(point.t), std::abs(remainder(line, weights, tape, step, side)),
                          noise + rounding(point)};
        });
    };
    // The noise takes eight more values of f: it is looked for only where the error does not fall as it should.
    const Order plain = order(0);
    return plain.second() ? plain : order(line.noise(weights, side));
}

template <class T>
bool Slopes<T>::right(Line<T>& line, const Weights& weights, const TapeGradients& tape) {
    return std::isfinite(tape.along(line.direction())) && order(line, weights, tape, 1).second() &&
           order(line, weights, tape, -1).second();
}

template <class T>
Order Slopes<T>::bend(Line<T>& line, const Weights& weights) {
    const double middle = weights.of(y_.value());
    return order_of(line.steps(), [&](std::size_t step) {
        const auto &high = line.at(step, 1), &low = line.at(step, -1);
        return Sample{high.t, std::abs(weights.of(high.value) - 2 * middle + weights.of(low.value)),
                      2 * std::numeric_limits<T>::epsilon() *
                          (weights.size_of(high.value) + weights.size_of(low.value) + std::abs(middle))};
    });
}

template <class T>
bool Slopes<T>::bends(Line<T>& line, const Weights& weights) {
    const Order order = bend(line, weights);
    return !order.second() && !order.jumps();
}

template <class T>
bool Slopes<T>::unbounded(Line<T>& line, const Weights& weights, double g) {
    // f(x + h) - f(x) falls with h where f has a slope, and slower where the slope is infinite: with h^0.5 for a root.
    constexpr double order_of_slope = 0.9;
    if (std::isnan(g)) return false;
    for (int side : {1, -1}) {
        const double start = weights.of(y_.value());
        const Order order = order_of(line.steps(), [&](std::size_t step) {
            const auto& point = line.at(step, side);
            return Sample{std::abs(point.t), std::abs(weights.of(point.value) - start),
                          std::numeric_limits<T>::epsilon() * std::abs(start)};
        });
        const double quotient = (weights.of(line.at(line.step_of(order.last.step), side).value) - start) * side;
        if (order.last.step > 0 && order.power < order_of_slope && quotient * g > 0) return true;
    }
    return false;
}

template <class T>
std::pair<double, double> Slopes<T>::difference(Line<T>& line, const Weights& weights) {
    constexpr double operations = 4;  // f is made of a few, each of which rounds
    double least = std::numeric_limits<double>::infinity(), step = 0, result = 0, previous = 0;
    for (std::size_t i = 0; i < line.steps(); ++i) {
        const auto &high = line.at(i, 1), &low = line.at(i, -1);
        const double distance = high.t - low.t;
        const double slope = (weights.of(high.value) - weights.of(low.value)) / distance;
        const double rounding = std::numeric_limits<T>::epsilon() * weights.size_of(high.value) / distance;
        const double error = std::abs(slope - previous) + operations * rounding;
        if (i > 0 && error < least) {
            least = error;
            step = high.t;
            result = slope;
        }
        if (operations * rounding > least) break;  // from here on rounding only grows
        previous = slope;
    }
    return {result, step};
}

template <class T>
double Slopes<T>::noise_of_slope(const Direction& direction, const Weights& weights) {
    Tape<T> tape;
    Inputs<T> moved = inputs_;
    Array<T>& input = moved[direction.input];
    const Array<T> origin = input;
    double scale = 0;
    for (std::size_t k : direction.elements) scale = std::max(scale, std::abs(double(origin.data()[k])));
    const auto slope_at = [&](double t) {
        for (std::size_t i = 0; i < direction.elements.size(); ++i) {
            const std::size_t k = direction.elements[i];
            input.data()[k] = static_cast<T>(double(origin.data()[k]) + t * direction.lengths[i]);
        }
        tape.rewind();
        const auto xs = record_inputs(tape, moved);
        const Variable<T> y = f_(xs);
        const Array<T> seed = seed_of(weights);
        const Gradients<T> gradients = gradients_of<T>({&y, 1}, {&seed, 1}, {});
        double total = 0;
        for (std::size_t i = 0; i < direction.elements.size(); ++i)
            total += double(gradients[xs[direction.input]].data()[direction.elements[i]]) * direction.lengths[i];
        return total;
    };
    // Fourth differences of a smooth curve fall to a sixteenth at half the step, and those of noise do not. Of several
    // the middle one is taken: a kink nearby makes a few large.
    const auto fourth_difference = [&](double step) {
        std::vector<double> slopes, differences;
        for (int i = 0; i < 16; ++i) slopes.push_back(slope_at(i * step));
        for (std::size_t i = 0; i + 4 < slopes.size(); ++i)
            differences.push_back(
                std::abs(slopes[i] - 4 * slopes[i + 1] + 6 * slopes[i + 2] - 4 * slopes[i + 3] + slopes[i + 4]));
        std::ranges::nth_element(differences, differences.begin() + 6);
        return std::isfinite(differences[6]) ? differences[6] : 0;
    };
    double noise = 0;
    // No round numbers: rounding in step with them would look smooth.
    for (const double relative : {1.2345678e-8, 1.2345678e-7, 1.2345678e-6, 1.2345678e-5, 1.2345678e-4}) {
        const double wide = fourth_difference(relative * scale), narrow = fourth_difference(relative * scale / 2);
        if (wide < 4 * narrow) noise = std::max(noise, std::min(wide, narrow));
    }
    return noise;
}

template <class T>
std::string Slopes<T>::origin_of_nonfinite(const Weights& weights) {
    tape_.trap_nonfinite(true);
    std::string sentence = "No operation makes it";
    try {
        tape_.backward(y_, seed_of(weights));
    } catch (const NonfiniteError& error) {
        sentence = error.what();
    }
    tape_.trap_nonfinite(false);
    return sentence;
}

template class Slopes<float>;
template class Slopes<double>;

}  // namespace autograd::taylor
