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

bool TapeGradients::agrees(const Difference& difference, const Direction& direction) const {
    constexpr double rounding_of_tape = 1e-9;  // of each slope: more than that is seen as the error falls
    double total = 0;
    for (std::size_t i = 0; i < direction.elements.size(); ++i)
        total += std::abs(gradients[direction.input][direction.elements[i]] * direction.lengths[i]);
    return std::isnan(difference.value) ||
           std::abs(along(direction) - difference.value) <= difference.error + rounding_of_tape * total;
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
    TapeGradients result{weights.of(y_.value()), std::numeric_limits<T>::epsilon() * weights.size_of(y_.value()), {}};
    for (std::uint32_t n = 0; n < tape_.size(); ++n) {
        const Variable<T> node = variable_at(tape_, n);
        if (!node.requires_gradient()) continue;
        const Array<T>&value = node.value(), &adjoint = gradients[node];
        for (std::size_t i = 0; i < value.size(); ++i) {
            const double rounding = std::numeric_limits<T>::epsilon() * std::abs(double(value.data()[i])) +
                                    std::numeric_limits<T>::denorm_min();
            const double effect = rounding * std::abs(double(adjoint.data()[i]));
            if (std::isfinite(effect)) result.rounding += effect;
        }
    }
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
        return tape.rounding + std::numeric_limits<T>::denorm_min() +
               std::numeric_limits<T>::epsilon() *
                   (weights.size_of(point.value) + std::abs(point.t * tape.along(line.direction())));
    };
    const auto order = [&](double noise) {
        return order_of(line.steps(), [&](std::size_t step) {
            const auto& point = line.at(step, side);
            return Sample{std::abs(point.t), std::abs(remainder(line, weights, tape, step, side)),
                          noise + rounding(point)};
        });
    };
    // The noise takes eight more values of f: it is looked for only where the error does not fall as it should. Beside
    // an infinite slope f is no polynomial, however small the step, and what looks like noise is none.
    const Order plain = order(0);
    return plain.second() || has_infinite_slope(line, weights, side) ? plain : order(line.noise(weights, side));
}

template <class T>
std::optional<Difference> Slopes<T>::right(Line<T>& line, const Weights& weights, const TapeGradients& tape) {
    if (!std::isfinite(tape.along(line.direction()))) return {};
    for (int side : {1, -1})
        if (!order(line, weights, tape, side).second()) return {};
    const Difference seen = difference(line, weights, tape);
    return tape.agrees(seen, line.direction()) ? std::optional(seen) : std::nullopt;
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
Order Slopes<T>::order_of_change(Line<T>& line, const Weights& weights, int side) {
    return order_of(line.steps(), [&](std::size_t step) {
        const auto& point = line.at(step, side);
        return Sample{std::abs(point.t), std::abs(weights.change(y_.value(), point.value)),
                      std::numeric_limits<T>::epsilon() * weights.size_of(y_.value())};
    });
}

template <class T>
bool Slopes<T>::unbounded(Line<T>& line, const Weights& weights, double g) {
    if (std::isnan(g)) return false;
    for (int side : {1, -1}) {
        const Order order = order_of_change(line, weights, side);
        if (order.last.step == 0 || order.power >= order_of_slope) continue;
        const auto& point = line.at(line.step_of(order.last.step), side);
        if (weights.change(y_.value(), point.value) * side * g > 0) return true;
    }
    return false;
}

template <class T>
bool Slopes<T>::has_infinite_slope(Line<T>& line, const Weights& weights, int side) {
    // Noise falls with no power: several steps in a row have to show the same one.
    constexpr double same = 0.1;
    constexpr std::size_t steps_in_a_row = 4;
    const Order order = order_of_change(line, weights, side);
    if (order.last.step == 0 || order.power >= order_of_slope || order.power < same) return false;
    const std::size_t last = line.step_of(order.last.step);
    if (last < steps_in_a_row) return false;
    for (std::size_t i = last; i > last - steps_in_a_row; --i) {
        const auto &wide = line.at(i - 1, side), &narrow = line.at(i, side);
        const double power =
            std::log(weights.change(y_.value(), wide.value) / weights.change(y_.value(), narrow.value)) /
            std::log(wide.t / narrow.t);
        if (!(std::abs(power - order.power) < same)) return false;
    }
    return true;
}

template <class T>
Difference Slopes<T>::difference(Line<T>& line, const Weights& weights, double rounding) const {
    constexpr std::size_t least_steps = 2, terms = 3;
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    Difference result{nan, infinity, infinity, 0, 0};
    const std::size_t steps = line.steps(), evaluated = line.evaluated();
    if (steps < least_steps) return result;
    const Array<T>& middle = y_.value();
    const auto defined = [&](std::size_t step, int side) {
        return std::isfinite(weights.of(line.at(step, side).value));
    };
    const std::size_t least_last = std::max(evaluated, least_steps) - 1;
    const bool above = defined(least_last, 1), below = defined(least_last, -1), central = above == below;
    // Each term of the expansion falls to this part of itself at the next step.
    const double fall = central ? shrink * shrink : shrink;

    // Ridders: the table extrapolates to a step of 0, and neighbours in it show how far off it is.
    std::vector<Difference> differences;
    double table[terms] = {}, previous[terms], least = infinity;
    std::size_t length = 0;  // of the last row
    double quotient = 0;
    for (std::size_t i = 0; i < steps; ++i) {
        // Where the error's order has been looked for, its steps are enough.
        if (i > least_last && evaluated > 0) break;
        const auto &high = line.at(i, central || above ? 1 : -1), &low = line.at(i, -1);
        const Array<T>& start = central ? low.value : middle;
        const double distance = central ? high.t - low.t : high.t;
        const auto [change, size] = weights.change_and_size(start, high.value);
        const double slope = change / distance;
        if (!std::isfinite(slope)) {
            length = 0;
            continue;
        }
        const double noise =
            (2 * (rounding + std::numeric_limits<T>::epsilon() * size) + std::numeric_limits<T>::denorm_min()) /
            std::abs(distance);
        if (i > least_last && noise > least) break;  // from here on rounding only grows
        std::copy_n(table, terms, previous);
        if (length == 0)
            quotient = std::max({quotient, std::abs(slope), std::abs(weights.change(middle, high.value) / high.t)});
        Difference best{slope, infinity, noise, std::abs(high.t), 0};
        table[0] = slope;
        length = std::min(length + 1, terms);
        double power = 1;
        for (std::size_t k = 1; k < length; ++k) {
            power *= fall;
            table[k] = table[k - 1] + (table[k - 1] - previous[k - 1]) / (power - 1);
            const double error =
                std::max(std::abs(table[k] - table[k - 1]), std::abs(table[k] - previous[k - 1])) + noise;
            if (error < best.error) best.value = table[k], best.error = error;
        }
        if (length < 2) continue;
        least = std::min(least, best.error);
        differences.push_back(best);
    }

    // The nearer one is right where two contradict each other: a kink lies between them, or the end of a wave.
    for (std::size_t i = differences.size(); i-- > 0;) {
        const Difference& next = differences[i];
        if (std::abs(next.value - result.value) > next.error + result.error) break;
        if (next.error < result.error) result = next;
    }
    result.quotient = quotient;
    return result;
}

template <class T>
Difference Slopes<T>::difference(Line<T>& line, const Weights& weights, const TapeGradients& tape) {
    const Difference plain = difference(line, weights, tape.rounding);
    if (tape.agrees(plain, line.direction())) return plain;
    return difference(line, weights, tape.rounding + std::max(line.noise(weights, 1), line.noise(weights, -1)));
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
