#include <autograd/backward.hpp>
#include <autograd/check/rules.hpp>
#include <autograd/check/verdict.hpp>
#include <autograd/grad.hpp>
#include <autograd/operations.hpp>
#include <autograd/print.hpp>
#include <numeric>
#include <random>
#include <stdexcept>

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

/// Goes over the Jacobian, and ends at the first element that is wrong.
template <class T>
class Check {
  public:
    Check(const char* name, const FunctionOf<T>& f, const Inputs<T>& inputs, const GradcheckOptions& options,
          bool is_derivative = false)
        : options_(options),
          inputs_(inputs),
          subject_{name, is_derivative, options, {f, inputs}},
          slopes_(subject_.slopes),
          y_(slopes_.value()) {
        if (options.directions == 0)
            throw std::invalid_argument(fmt::format("[{}] no directions to look in: options.directions is 0", name));
    }

    GradcheckResult run() {
        for (T value : y_)
            if (!std::isfinite(value)) {
                fail(result_, fmt::format("[{}] the function is not finite at these inputs", subject_.name));
                return result_;
            }
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (inputs_[i].size() == 0) continue;
            if (slopes_.line({i, {0}, {1.0}}).evaluate(0).value == y_) break;
            fail(result_, fmt::format("[{}] the function gives two values for the same inputs: it depends on something "
                                      "else (a random number, or what it did before)",
                                      subject_.name));
            return result_;
        }
        const Weights weights = weights_of_one_size();
        if (!is_steady(weights)) return result_;
        const auto at_first = slopes_.differentiate(weights).gradients;
        std::size_t elements = 0;
        for (const Array<T>& input : inputs_) elements += input.size();
        if (elements * y_.size() <= options_.largest) {
            every_element();
        } else {
            blocks_follow_ = elements <= most_elements;
            random_directions();
            if (result_.passed && blocks_follow_) blocks();
        }
        if (result_.passed) scales_with_adjoint(weights, at_first);
        // A rule that counts its calls may start late.
        if (result_.passed && std::isfinite(sum_of(at_first)) && slopes_.differentiate(weights).gradients != at_first)
            fail(result_, fmt::format("[{}] the gradient changes from call to call: a rule must depend on `at` alone",
                                      subject_.name));
        return result_;
    }

  private:
    /// So few are looked at one by one, or in small blocks.
    static constexpr std::size_t most_elements = 8192;

    static double sum_of(const std::vector<std::vector<double>>& gradients) {
        double total = 0;
        for (const auto& gradient : gradients) total = std::accumulate(gradient.begin(), gradient.end(), total);
        return total;
    }

    /// Numbers of either sign, none of them near 0: nothing hides behind a small one.
    static std::vector<double> numbers_of_one_size(std::size_t count, std::mt19937_64& engine) {
        std::vector<double> numbers(count);
        std::uniform_real_distribution<double> size(0.5, 1.5);
        for (double& x : numbers) x = engine() % 2 == 0 ? size(engine) : -size(engine);
        return numbers;
    }
    Weights weights_of_one_size() const {
        std::mt19937_64 engine(options_.seed);
        Weights weights{std::vector<std::size_t>(y_.size()), numbers_of_one_size(y_.size(), engine)};
        std::iota(weights.outputs.begin(), weights.outputs.end(), std::size_t{0});
        return weights;
    }

    bool is_steady(const Weights& weights) {
        const std::string sentence = find_unsteady_rule(slopes_.output(), slopes_.seed_of(weights));
        if (!sentence.empty()) fail(result_, fmt::format("[{}] {}", subject_.name, sentence));
        return result_.passed;
    }

    /// A rule is linear in the incoming adjoint, whose magnitude may be any: powers of two scale a gradient exactly.
    void scales_with_adjoint(const Weights& weights, const std::vector<std::vector<double>>& gradients) {
        constexpr double agreement = 1e-6;
        for (const int power : {10, -10, 40, -40}) {
            Weights scaled = weights;
            for (double& weight : scaled.weights) weight = std::ldexp(weight, power);
            const auto all = slopes_.differentiate(scaled).gradients;
            for (std::size_t i = 0; i < all.size(); ++i)
                for (std::size_t k = 0; k < all[i].size(); ++k) {
                    const double expected = std::ldexp(gradients[i][k], power), got = all[i][k];
                    const bool in_range = std::abs(expected) < std::sqrt(std::numeric_limits<T>::max()) &&
                                          std::abs(expected) > std::sqrt(std::numeric_limits<T>::min());
                    if (!in_range || std::abs(got - expected) <= agreement * std::abs(expected)) continue;
                    result_.comparison = {.sentence = "a rule is not linear in the incoming adjoint"};
                    return fail(result_,
                                fmt::format("[{}] by {} at {} the gradient is {:.10g}, and {:.10g} for an incoming "
                                            "adjoint that is {:.6g} times as large: a rule is not linear in it",
                                            subject_.name, subject_.name_of(i), index_of(k, inputs_[i].shape()),
                                            gradients[i][k], got, std::ldexp(1.0, power)));
                }
        }
    }

    /// A few elements at a time, so that each is looked at.
    void blocks() {
        blocks_follow_ = false;
        constexpr std::size_t length = 16;
        std::mt19937_64 engine(options_.seed);
        const Weights weights = weights_of_one_size();
        for (std::size_t i = 0; i < inputs_.size(); ++i)
            for (std::size_t first = 0; first < inputs_[i].size(); first += length) {
                std::vector<std::size_t> elements(std::min(length, inputs_[i].size() - first));
                std::iota(elements.begin(), elements.end(), first);
                std::size_t kinks_left = length;
                if (!search({i, elements, numbers_of_one_size(elements.size(), engine)}, weights, kinks_left)) return;
            }
    }

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
                    if (!judge(result_, subject_, line, weights[r], gradients[r])) return;
            }
    }

    void random_directions() {
        // A direction is halved for each kink that it crosses. After so many, single elements are looked at instead.
        constexpr std::size_t most_kinks = 16, samples = 64;
        std::mt19937_64 engine(options_.seed);
        const auto draw = [&](std::size_t count) { return numbers_of_one_size(count, engine); };
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
                std::size_t kinks_left = most_kinks;
                const std::size_t n = inputs_[i].size();
                if (n == 0) continue;
                if (!search({i, all(n), draw(n)}, weights, kinks_left)) return;
                for (std::size_t sample = 0; d == 0 && kinks_left == 0 && sample < samples; ++sample) {
                    std::size_t one_more = 1;
                    if (!search({i, {static_cast<std::size_t>(engine() % n)}, {1.0}}, weights, one_more)) return;
                }
            }
        }
    }

    /// Halves a direction that fails until one element is left, and then the outputs likewise. False where a derivative
    /// is found that is wrong.
    bool search(const Direction& direction, const Weights& weights, std::size_t& kinks_left) {
        Line<T> line = slopes_.line(direction);
        return search(line, weights, kinks_left);
    }

    bool search(Line<T>& line, const Weights& weights, std::size_t& kinks_left) {
        if (kinks_left == 0) return true;
        const Direction& direction = line.direction();
        const TapeGradients tape = slopes_.differentiate(weights);
        if (direction.elements.size() == 1 && weights.outputs.size() == 1) {
            if (!judge(result_, subject_, line, weights, tape)) return false;
            --kinks_left;
            return true;
        }
        if (const auto seen = slopes_.right(line, weights, tape)) {
            if (!blocks_follow_) note_rounding(result_, subject_, direction, weights, tape, *seen);
            return true;
        }
        const auto half = [](const auto& numbers, bool upper) {
            const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
            return std::decay_t<decltype(numbers)>(upper ? middle : numbers.begin(), upper ? numbers.end() : middle);
        };
        for (bool upper : {false, true}) {
            const bool passed =
                direction.elements.size() > 1
                    ? search({direction.input, half(direction.elements, upper), half(direction.lengths, upper)},
                             weights, kinks_left)
                    : search(line, {half(weights.outputs, upper), half(weights.weights, upper)}, kinks_left);
            if (!passed) return false;
        }
        return true;
    }

    const GradcheckOptions& options_;
    const Inputs<T>& inputs_;
    Subject<T> subject_;
    Slopes<T>& slopes_;
    const Array<T>& y_;
    GradcheckResult result_;
    bool blocks_follow_ = false;  ///< so that what rounding hides in a direction of all may yet be seen
};

/// Where the rules give one gradient on arrays and another on variables, says so: the check itself sees the latter
/// only.
template <class T>
std::string check_both_ways(const Variable<T>& y, const std::vector<Variable<T>>& xs, const Array<T>& seed) {
    const Gradients<T> on_arrays = gradients_of<T>({&y, 1}, {&seed, 1}, {});
    const auto on_variables = vjp(y, xs, y.tape().constant(seed));
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const Array<T>&arrays = on_arrays[xs[i]], &variables = on_variables[i].value();
        // Rounding makes them differ, by a share of the largest number that is added up. Below 1e-3 that is as good as
        // none.
        constexpr double agreement = std::is_same_v<T, double> ? 1e-6 : 1e-2;
        double scale = 1e-3;
        for (T number : arrays) scale = std::max(scale, std::abs(double(number)));
        for (std::size_t k = 0; k < arrays.size(); ++k) {
            const double a = arrays.data()[k], b = variables.data()[k];
            if (std::abs(a - b) > agreement * scale)
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
    if (const std::string sentence = find_unsteady_rule(y, all.back()); !sentence.empty())
        return {.passed = false, .message = "[gradgradcheck] " + sentence};
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
    GradcheckResult result = Check<T>("gradgradcheck", derivative, all, options, true).run();
    if (!result.passed)
        if (const std::string sentence = find_rule_with_constant(tape); !sentence.empty())
            result.message += " " + sentence;
    return result;
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
