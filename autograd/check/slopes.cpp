#include <algorithm>
#include <autograd/check/slopes.hpp>
#include <autograd/print.hpp>

namespace autograd::taylor {

double TapeGradients::along(const Direction& direction) const {
    double total = 0;
    for (std::size_t i = 0; i < direction.elements.size(); ++i)
        total += gradients[direction.input][direction.elements[i]] * direction.lengths[i];
    return total;
}

template <class T>
Slopes<T>::Slopes(const FunctionOf<T>& f, const Inputs<T>& inputs)
    : f_(f), inputs_(inputs), xs_(record_inputs(tape_, inputs)), y_(f(xs_)), nodes_(tape_.size()) {}

template <class T>
Array<T> Slopes<T>::seed_of(const Weights& weights) const {
    Array<T> seed(xt::zeros<T>(y_.shape()));
    for (std::size_t i = 0; i < weights.outputs.size(); ++i)
        seed.data()[weights.outputs[i]] = static_cast<T>(weights.weights[i]);
    return seed;
}

template <class T>
TapeGradients Slopes<T>::differentiate(const Weights& weights) {
    const Gradients<T> gradients = tape_.backward(y_, seed_of(weights), Keep<T>::all());
    TapeGradients result{weights.of(y_.value()), weights.size_of(y_.value()), {}};
    for (std::uint32_t n = 0; n < nodes_; ++n) {
        const Variable<T> node = variable_at(tape_, n);
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
    if (std::isnan(g)) return false;
    for (int side : {1, -1}) {
        const double start = weights.of(y_.value());
        const Order order = order_of(line.steps(), [&](std::size_t step) {
            const auto& point = line.at(step, side);
            return Sample{std::abs(point.t), std::abs(weights.of(point.value) - start),
                          std::numeric_limits<T>::epsilon() * std::abs(start)};
        });
        const double quotient = (weights.of(line.at(step_of(line, order.last.step), side).value) - start) * side;
        if (order.last.step > 0 && order.power < 0.9 && quotient * g > 0) return true;
    }
    return false;
}

template <class T>
std::size_t Slopes<T>::step_of(Line<T>& line, double t) {
    for (std::size_t step = 0; step < line.steps(); ++step)
        if (std::abs(line.at(step, 1).t) <= t * 1.5) return step;
    return line.steps() - 1;
}

template <class T>
Kink Slopes<T>::kink(Line<T>& line, std::size_t step, bool jump) {
    const Direction& direction = line.direction();
    const double t = std::abs(line.at(step, 1).t);
    const double moves[] = {t, -t, t / shrink, -t / shrink};
    Tape<T> tapes[4];
    for (std::size_t i = 0; i < 4; ++i) {
        Inputs<T> moved = inputs_;
        for (std::size_t k = 0; k < direction.elements.size(); ++k)
            moved[direction.input].data()[direction.elements[k]] += static_cast<T>(moves[i] * direction.lengths[k]);
        f_(record_inputs(tapes[i], moved));
    }
    for (std::uint32_t n = 0; n < nodes_; ++n) {
        const Node<T>& node = node_at(tape_, n);
        if (node.inputs.empty()) continue;
        for (const Tape<T>& tape : tapes)
            if (n >= tape.size() || !equal_shapes(node_at(tape, n).value->shape(), node.value->shape())) return {};
        for (std::size_t i = 0; i < node.value->size(); ++i) {
            const double value = node.value->data()[i];
            const auto change = [&](std::size_t tape) {
                return double(node_at(tapes[tape], n).value->data()[i]) - value;
            };
            const auto size = [&](std::size_t above) {
                return jump ? std::max(std::abs(change(above)), std::abs(change(above + 1)))
                            : std::abs(change(above) + change(above + 1));
            };
            const double wide = size(0), narrow = std::max(size(2), 1e-300);
            if (!(wide > clear_margin * std::numeric_limits<T>::epsilon() * std::abs(value)) || !(wide > 1e-8 * t) ||
                std::log(wide / narrow) > (jump ? 0.5 : 1.25) * std::log(shrink))
                continue;
            const std::string place = node.value->dimension() > 0 ? " at " + index_of(i, node.value->shape()) : "";
            return {node.operation, fmt::format("'{}' (%{}{})", node.operation, n, place)};
        }
    }
    return {};
}

template <class T>
std::pair<double, double> Slopes<T>::difference(Line<T>& line, const Weights& weights) {
    double least = std::numeric_limits<double>::infinity(), step = 0, result = 0, previous = 0;
    for (std::size_t i = 0; i < line.steps(); ++i) {
        const auto &high = line.at(i, 1), &low = line.at(i, -1);
        const double distance = high.t - low.t;
        const double slope = (weights.of(high.value) - weights.of(low.value)) / distance;
        const double rounding = std::numeric_limits<T>::epsilon() * weights.size_of(high.value) / distance;
        const double error = std::abs(slope - previous) + 4 * rounding;
        if (i > 0 && error < least) {
            least = error;
            step = high.t;
            result = slope;
        }
        if (4 * rounding > least) break;
        previous = slope;
    }
    return {result, step};
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
