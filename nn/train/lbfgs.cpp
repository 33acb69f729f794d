#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <limits>
#include <nn/lbfgs.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Parameter;
using autograd::Shape;
using autograd::Tape;
using autograd::Variable;

namespace {

constexpr std::size_t most_tries = 25;              // of a line search, as in PyTorch
constexpr double decrease = 1e-4, curvature = 0.9;  // of the Wolfe conditions

// The names of arrays in a state, which are PyTorch's.
constexpr const char *directions = "d", *gradients_before = "prev_flat_grad", *old_steps = "old_stps",
                     *old_changes = "old_dirs";

template <class T>
T dot(const std::vector<T>& a, const std::vector<T>& b) {
    double sum = 0;  // of more numbers than a float adds up well
    for (std::size_t k = 0; k < a.size(); ++k) sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
    return static_cast<T>(sum);
}

/// a += factor * b
template <class T>
void add(std::vector<T>& a, T factor, const std::vector<T>& b) {
    for (std::size_t k = 0; k < a.size(); ++k) a[k] += factor * b[k];
}

template <class T>
double largest(const std::vector<T>& a) {
    double most = 0;
    for (const T x : a) most = std::max(most, static_cast<double>(std::abs(x)));
    return most;
}

/// Whether a pair's s'y says what curvature is, and can be divided by.
template <class T>
bool is_product(T product) {
    return product >= std::numeric_limits<T>::min() && std::isfinite(product);
}

/// Where the cubic through two points with their slopes is least, between the bounds; their middle where it has no
/// minimum.
template <class P>
double lowest(const P& one, const P& other, double low, double high) {
    const P &left = one.t <= other.t ? one : other, &right = one.t <= other.t ? other : one;
    const double d1 = one.slope + other.slope - 3 * (one.loss - other.loss) / (one.t - other.t);
    const double square = d1 * d1 - one.slope * other.slope;
    if (!(square >= 0) || std::isinf(square)) return (low + high) / 2;
    const double d2 = std::sqrt(square);
    const double t = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
    return std::isnan(t) ? (low + high) / 2 : std::min(std::max(t, low), high);
}

LbfgsOptions checked(LbfgsOptions options) {
    const auto check = [](bool good, const char* what) {
        if (!good) throw std::invalid_argument(fmt::format("[lbfgs] {}", what));
    };
    check(options.rate > 0 && std::isfinite(options.rate), "the rate must be above 0");
    check(options.iterations > 0, "a step has at least one iteration");
    check(options.history > 0, "the history holds at least one pair");
    check(options.gradient_tolerance >= 0 && options.change_tolerance >= 0, "a tolerance is 0 or more");
    return options;
}

}  // namespace

template <class T>
Lbfgs<T>::Lbfgs(std::vector<Parameter<T>> parameters, LbfgsOptions options)
    : Optimizer<T>("lbfgs", std::move(parameters), checked(options).rate), options_(options) {
    for (const Parameter<T>& parameter : this->parameters()) size_ += parameter.value().size();
    if (options.evaluations == 0) options_.evaluations = options.iterations * 5 / 4;
}

template <class T>
typename Lbfgs<T>::Vector Lbfgs<T>::position() const {
    Vector all;
    all.reserve(size_);
    for (const Parameter<T>& parameter : this->parameters())
        all.insert(all.end(), parameter.value().data(), parameter.value().data() + parameter.value().size());
    return all;
}

/// p = from + t * direction
template <class T>
void Lbfgs<T>::move(const Vector& from, double t) {
    std::size_t at = 0;
    for (Parameter<T> parameter : this->parameters())
        parameter.edit([&](Array<T>& value) {
            for (std::size_t k = 0; k < value.size(); ++k, ++at)
                value.data()[k] = from[at] + static_cast<T>(t) * (t == 0 ? T(0) : direction_[at]);
        });
}

template <class T>
typename Lbfgs<T>::Point Lbfgs<T>::at(const Evaluate<T>& evaluate) {
    const auto [loss, gradients] = evaluate();
    ++evaluations_;
    Point point{0, loss, 0, {}};
    point.gradient.reserve(size_);
    for (const Parameter<T>& parameter : this->parameters()) {
        const Array<T>& gradient = gradients[parameter];
        point.gradient.insert(point.gradient.end(), gradient.data(), gradient.data() + gradient.size());
    }
    if (point.gradient.size() != size_)
        throw std::invalid_argument("[lbfgs] a parameter has another shape than before");
    // Too far: a gradient that is not finite says as little as a loss that is not.
    if (!std::isfinite(point.loss) || !std::ranges::all_of(point.gradient, [](T g) { return std::isfinite(g); }))
        point.loss = std::numeric_limits<double>::infinity();
    return point;
}

/// The loss at t along the direction. The parameters are back where they were when it returns, and when it throws.
template <class T>
typename Lbfgs<T>::Point Lbfgs<T>::along(const Evaluate<T>& evaluate, double t) {
    const Vector start = position();
    move(start, t);
    try {
        Point point = at(evaluate);
        move(start, 0);
        point.t = t;
        point.slope = static_cast<double>(dot(point.gradient, direction_));
        return point;
    } catch (...) {
        move(start, 0);
        throw;
    }
}

/// A point that meets the strong Wolfe conditions, or the lowest that was found: `low` and `high` close in on it.
template <class T>
typename Lbfgs<T>::Found Lbfgs<T>::search(const Evaluate<T>& evaluate, const Point& start, double t, std::size_t most) {
    std::size_t tried = 0;
    bool is_finite = false;
    const auto there = [&](double at) {
        Point point = along(evaluate, at);
        ++tried;
        is_finite = is_finite || !std::isinf(point.loss);
        return point;
    };
    const auto too_high = [&](const Point& p) { return p.loss > start.loss + decrease * p.t * start.slope; };
    const auto flat = [&](const Point& p) { return std::abs(p.slope) <= -curvature * start.slope; };
    const double length = largest(direction_);
    Point before = start, now = there(t);
    std::size_t tries = 0;
    // Farther and farther, until the minimum lies between the last two points.
    for (; tries < most; ++tries) {
        if (too_high(now) || (tries > 1 && now.loss >= before.loss)) break;
        if (flat(now)) return {std::move(now), tried, false};
        if (now.slope >= 0) break;
        const double next = lowest(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
        before = std::move(now);
        now = there(next);
    }
    if (tries == most) before = start;
    Point low = std::move(before), high = std::move(now);
    if (low.loss > high.loss) std::swap(low, high);
    // Between them.
    bool stalled = false;
    while (tries < most && std::abs(high.t - low.t) * length >= options_.change_tolerance) {
        const double left = std::min(low.t, high.t), right = std::max(low.t, high.t), edge = 0.1 * (right - left);
        double t_new = lowest(low, high, left, right);
        // Close to an end twice in turn, it is moved away from there.
        if (std::min(right - t_new, t_new - left) < edge) {
            const bool moved = stalled || t_new >= right || t_new <= left;
            if (moved) t_new = right - t_new < t_new - left ? right - edge : left + edge;
            stalled = !moved;
        } else {
            stalled = false;
        }
        Point middle = there(t_new);
        ++tries;
        if (too_high(middle) || middle.loss >= low.loss) {
            high = std::move(middle);
            if (low.loss > high.loss) std::swap(low, high);
            continue;
        }
        if (flat(middle)) return {std::move(middle), tried, false};
        if (middle.slope * (high.t - low.t) >= 0) high = std::move(low);
        low = std::move(middle);
    }
    return {std::move(low), tried, !is_finite && tries == most};
}

/// direction = -H g, by the two loops over the pairs.
template <class T>
void Lbfgs<T>::direct(const Vector& gradient) {
    Vector q(size_);
    for (std::size_t k = 0; k < size_; ++k) q[k] = -gradient[k];
    if (iterations_ == 0) {
        direction_ = std::move(q);
        return;
    }
    Vector y(size_), s(size_);
    for (std::size_t k = 0; k < size_; ++k) {
        y[k] = gradient[k] - last_gradient_[k];
        s[k] = direction_[k] * static_cast<T>(last_t_);
    }
    // A pair whose product is rounding says nothing of the curvature. What that is depends on the loss' unit: PyTorch's
    // 1e-10 would learn from no pair any more once the loss is small.
    using limits = std::numeric_limits<T>;
    const T product = dot(y, s), square = dot(y, y);
    if (square >= limits::min() && is_product(product) &&
        product > limits::epsilon() * std::sqrt(square) * std::sqrt(dot(s, s))) {
        if (steps_.size() == options_.history) {
            steps_.erase(steps_.begin());
            changes_.erase(changes_.begin());
            inverses_.erase(inverses_.begin());
        }
        scale_ = product / square;
        inverses_.push_back(1 / product);
        steps_.push_back(std::move(s));
        changes_.push_back(std::move(y));
    }
    Vector alpha(steps_.size());
    for (std::size_t i = steps_.size(); i-- > 0;) {
        alpha[i] = dot(steps_[i], q) * inverses_[i];
        add(q, -alpha[i], changes_[i]);
    }
    for (T& x : q) x *= scale_;
    for (std::size_t i = 0; i < steps_.size(); ++i) add(q, alpha[i] - dot(changes_[i], q) * inverses_[i], steps_[i]);
    direction_ = std::move(q);
}

template <class T>
double Lbfgs<T>::step(Tape<T>& tape, const std::function<Variable<T>()>& loss) {
    return step([&]() -> LossAndGradients<T> {
        tape.rewind();
        const Variable<T> y = loss();
        return {static_cast<double>(y.item()), tape.backward(y)};
    });
}

template <class T>
double Lbfgs<T>::step(const Evaluate<T>& evaluate) {
    Point now = at(evaluate);
    const double first = now.loss;
    if (!std::isfinite(first) || !std::isfinite(dot(now.gradient, now.gradient)))
        throw autograd::GradientError("[lbfgs] the loss or its gradient is not finite, or the square of that");
    this->count_step();
    if (this->rate() == 0) return first;
    std::size_t used = 1;
    for (std::size_t i = 1; largest(now.gradient) > options_.gradient_tolerance; ++i) {
        direct(now.gradient);
        double t = this->rate();
        if (iterations_ == 0) {
            double sum = 0;
            for (const T g : now.gradient) sum += static_cast<double>(std::abs(g));
            t *= std::min(1.0, 1.0 / sum);
        }
        ++iterations_;
        last_gradient_ = now.gradient;
        last_t_ = t;
        now.t = 0;
        now.slope = static_cast<double>(dot(now.gradient, direction_));
        if (now.slope > -options_.change_tolerance) break;
        const double before = now.loss;
        const Vector start = position();
        const bool last = i == options_.iterations;
        if (options_.strong_wolfe) {
            Found found = search(evaluate, now, t, std::min(most_tries, options_.evaluations - used));
            // The next step would begin in the same way.
            if (i == 1 && found.is_over)
                throw autograd::GradientError(
                    fmt::format("[lbfgs] the loss or its gradient is not finite wherever a step of {} leads, and at {} "
                                "shorter ones: try a lower rate",
                                t, found.tried - 1));
            now = std::move(found.point);
            used += found.tried;
            last_t_ = t = now.t;
            move(start, t);
        } else {
            move(start, t);
            if (!last) {
                now = at(evaluate);
                ++used;
                if (std::isinf(now.loss)) {
                    move(start, 0);
                    throw autograd::GradientError(
                        fmt::format("[lbfgs] a step of {} led where the loss or its gradient is not finite; the "
                                    "parameters are where they were before it",
                                    t));
                }
            }
        }
        if (last || used >= options_.evaluations || largest(direction_) * std::abs(t) <= options_.change_tolerance ||
            std::abs(now.loss - before) < options_.change_tolerance)
            break;
    }
    return first;
}

template <class T>
OptimizerState<T> Lbfgs<T>::state() const {
    OptimizerState<T> state = Optimizer<T>::state();
    state.numbers["func_evals"] = static_cast<double>(evaluations_);
    state.numbers["n_iter"] = static_cast<double>(iterations_);
    state.numbers["t"] = last_t_;
    state.numbers["H_diag"] = static_cast<double>(scale_);
    if (iterations_ == 0) return state;
    const auto put = [&](const char* name, const std::vector<Vector>& rows) {
        Array<T>& array = state.arrays.emplace(name, Array<T>(Shape{rows.size(), size_}, T(0))).first->second;
        T* to = array.data();
        for (const Vector& row : rows) to = std::copy(row.begin(), row.end(), to);
    };
    put(directions, {direction_});
    put(gradients_before, {last_gradient_});
    put(old_steps, steps_);
    put(old_changes, changes_);
    return state;
}

template <class T>
std::map<std::string, Shape> Lbfgs<T>::arrays_of(const OptimizerState<T>& state) const {
    const auto made = state.numbers.find("n_iter");
    if (made == state.numbers.end() || made->second == 0) return {};
    const auto found = state.arrays.find(old_steps);
    const std::size_t pairs = found == state.arrays.end() || found->second.dimension() == 0
                                  ? 0
                                  : std::min(found->second.shape()[0], options_.history);
    return {{directions, {1, size_}},
            {gradients_before, {1, size_}},
            {old_steps, {pairs, size_}},
            {old_changes, {pairs, size_}}};
}

namespace {

/// The rows of this array in a state.
template <class T>
std::vector<std::vector<T>> rows_of(const OptimizerState<T>& state, const char* name) {
    std::vector<std::vector<T>> rows;
    const auto found = state.arrays.find(name);
    if (found == state.arrays.end()) return rows;
    const std::size_t size = found->second.shape()[1];
    const T* from = found->second.data();
    for (std::size_t i = 0; i < found->second.shape()[0]; ++i, from += size) rows.emplace_back(from, from + size);
    return rows;
}

}  // namespace

template <class T>
void Lbfgs<T>::check_numbers(const OptimizerState<T>& state) const {
    Optimizer<T>::check_numbers(state);
    for (const char* name : {"func_evals", "n_iter"}) this->check_count(name, state.numbers.at(name));
    const std::vector<Vector> steps = rows_of(state, old_steps), changes = rows_of(state, old_changes);
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (!is_product(dot(changes[i], steps[i])))
            this->refuse_state(fmt::format("the rows {} of its '{}' and '{}' are no pair", i, old_steps, old_changes));
}

template <class T>
void Lbfgs<T>::set_state(const OptimizerState<T>& state) {
    Optimizer<T>::set_state(state);
    evaluations_ = static_cast<std::uint64_t>(state.numbers.at("func_evals"));
    iterations_ = static_cast<std::uint64_t>(state.numbers.at("n_iter"));
    last_t_ = state.numbers.at("t");
    scale_ = static_cast<T>(state.numbers.at("H_diag"));
    steps_ = rows_of(state, old_steps);
    changes_ = rows_of(state, old_changes);
    inverses_.clear();
    for (std::size_t i = 0; i < steps_.size(); ++i) inverses_.push_back(1 / dot(changes_[i], steps_[i]));
    direction_ = iterations_ == 0 ? Vector() : rows_of(state, directions)[0];
    last_gradient_ = iterations_ == 0 ? Vector() : rows_of(state, gradients_before)[0];
}

template class Lbfgs<float>;
template class Lbfgs<double>;

}  // namespace nn
