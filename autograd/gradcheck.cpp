#include <fmt/format.h>

#include <algorithm>
#include <autograd/calculus.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/operations.hpp>
#include <cmath>
#include <random>

namespace autograd {

namespace {

using Inputs = std::vector<Array<double>>;

std::vector<Variable<double>> record_inputs(Tape<double>& tape, const Inputs& inputs) {
    std::vector<Variable<double>> xs;
    for (std::size_t i = 0; i < inputs.size(); ++i) xs.push_back(tape.variable(inputs[i], fmt::format("input {}", i)));
    return xs;
}

Array<double> evaluate_at(const Function& f, const Inputs& inputs) {
    Tape<double> tape;
    const auto xs = record_inputs(tape, inputs);
    const auto pause = tape.pause();
    return f(xs).value();
}

Array<double> random_like(const Shape& shape, std::mt19937_64& engine) {
    Array<double> array = Array<double>::from_shape(shape);
    std::normal_distribution<double> normal;
    for (double& value : array) value = normal(engine);
    return array;
}

std::string index_of(std::size_t flat, const Shape& shape) {
    std::vector<std::size_t> index(shape.size());
    for (std::size_t i = shape.size(); i-- > 0; flat /= shape[i]) index[i] = flat % shape[i];
    return fmt::format("[{}]", fmt::join(index, ", "));
}

double relative_error(double got, double expected) {
    return std::abs(got - expected) / std::max({std::abs(got), std::abs(expected), 1e-300});
}

bool agree(double got, double expected, const GradcheckOptions& options) {
    return std::abs(got - expected) <=
           options.absolute + options.relative * std::max(std::abs(got), std::abs(expected));
}

GradcheckResult check_jacobian(const Function& f, const Inputs& inputs, const GradcheckOptions& options) {
    Tape<double> tape;
    const auto xs = record_inputs(tape, inputs);
    const Variable<double> y = f(xs);
    Inputs moved = inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Array<double> tape_jacobian = jacobian(y, xs[i]);
        for (std::size_t k = 0; k < inputs[i].size(); ++k) {
            const double x = inputs[i].data()[k], step = options.step * std::max(1.0, std::abs(x));
            moved[i].data()[k] = x + step;
            const Array<double> above = evaluate_at(f, moved);
            moved[i].data()[k] = x - step;
            const Array<double> below = evaluate_at(f, moved);
            moved[i].data()[k] = x;
            for (std::size_t r = 0; r < y.size(); ++r) {
                const double expected = (above.data()[r] - below.data()[r]) / (2 * step);
                const double got = tape_jacobian.data()[r * inputs[i].size() + k];
                if (!agree(got, expected, options))
                    return {
                        false,
                        fmt::format("[gradcheck] the derivative of output {} by input {} at {} is {:.10g} on the "
                                    "tape, but central differences give {:.10g} (relative error {:.2g}, step {:.2g})",
                                    index_of(r, y.shape()), i, index_of(k, inputs[i].shape()), got, expected,
                                    relative_error(got, expected), step)};
            }
        }
    }
    return {};
}

GradcheckResult check_directions(const Function& f, const Inputs& inputs, const GradcheckOptions& options) {
    std::mt19937_64 engine(options.seed);
    Tape<double> tape;
    const auto xs = record_inputs(tape, inputs);
    const Variable<double> y = f(xs);
    const double step = options.step;
    for (std::size_t d = 0; d < options.directions; ++d) {
        const Array<double> v = random_like(y.shape(), engine);
        const Gradients<double> gradients = tape.backward(y, v);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const Array<double> u = random_like(inputs[i].shape(), engine);
            Inputs above = inputs, below = inputs;
            above[i] += step * u;
            below[i] -= step * u;
            const Array<double> high = evaluate_at(f, above), low = evaluate_at(f, below);
            double got = 0, expected = 0;
            for (std::size_t k = 0; k < u.size(); ++k) got += gradients[xs[i]].data()[k] * u.data()[k];
            for (std::size_t r = 0; r < v.size(); ++r)
                expected += v.data()[r] * (high.data()[r] - low.data()[r]) / (2 * step);
            if (!agree(got, expected, options))
                return {false, fmt::format(
                                   "[gradcheck] along random direction {} of input {} the derivative is {:.10g} on the "
                                   "tape, but central differences give {:.10g} (relative error {:.2g}, step {:.2g})",
                                   d, i, got, expected, relative_error(got, expected), step)};
        }
    }
    return {};
}

}  // namespace

GradcheckResult gradcheck(const Function& f, const std::vector<Array<double>>& inputs,
                          const GradcheckOptions& options) {
    std::size_t elements = 0;
    for (const Array<double>& input : inputs) elements += input.size();
    const std::size_t outputs = evaluate_at(f, inputs).size();
    return elements * outputs <= options.largest ? check_jacobian(f, inputs, options)
                                                 : check_directions(f, inputs, options);
}

GradcheckResult gradgradcheck(const Function& f, const std::vector<Array<double>>& inputs,
                              const GradcheckOptions& options) {
    const auto derivative = [&](const std::vector<Variable<double>>& xs) {
        std::mt19937_64 engine(options.seed);
        Tape<double>& tape = xs.front().tape();
        // Differences need the derivative's value only, but the derivative itself needs a recording.
        std::vector<Variable<double>> fresh;
        const bool paused = !tape.records();
        Tape<double> own;
        for (const Variable<double>& x : xs) fresh.push_back(paused ? own.variable(x.value()) : x);
        const Variable<double> y = f(fresh);
        const auto gradients = vjp(y, fresh, y.tape().constant(random_like(y.shape(), engine)));
        Variable<double> total = y.tape().constant(0.0);
        for (const Variable<double>& gradient : gradients)
            total = total + sum(gradient * random_like(gradient.shape(), engine));
        return paused ? tape.constant(total.value()) : total;
    };
    return gradcheck(derivative, inputs, options);
}

}  // namespace autograd
