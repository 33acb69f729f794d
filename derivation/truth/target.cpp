#include <algorithm>
#include <cmath>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <derivation/truth/target.hpp>
#include <set>

namespace derivation {

namespace {

constexpr double tolerance = 1e-12;

/// Whether such a derivative stands in the formula or behind it, and the formula depends on one of these definitions.
template <class Test>
bool differentiates(const Model& model, const Expression& e, const std::set<int>& definitions, const Test& is_such) {
    return std::ranges::any_of(definitions, [&](int definition) {
        if (!depends_on(model, e, definition)) return false;
        if (any_part(e, is_such)) return true;
        for (int q = 0; q < model.count(); ++q)
            if (any_part(model.quantity(q).definition, is_such) && depends_on(model, e, q) &&
                depends_on(model, q, definition))
                return true;
        return false;
    });
}

/// Whether a derivative in the formula, or behind it, is that of a definition that stands on a kink here.
bool differentiates_a_kink(const Model& model, const Point& point, const Expression& e) {
    const auto is_derivative = [](const Expression& x) { return x.kind == Kind::derivative; };
    // What is held fixed parts branches as well.
    const auto is_by_let = [&](const Expression& x) {
        return x.kind == Kind::derivative &&
               (x.local || !x.held().empty() || std::ranges::any_of(x.denominators(), [&](const Expression& by) {
                    return model.quantity(by).role == Role::definition;
                }));
    };
    return differentiates(model, e, point.kinks(), is_derivative) || differentiates(model, e, point.ties(), is_by_let);
}

}  // namespace

Target::Target(const Model& model, std::vector<Point>& points, Expression left, std::vector<int> free)
    : model_(model), points_(points), left_(std::move(left)), free_(std::move(free)) {
    for (Point& point : points_) sides_.push_back(evaluate(left_, point, nullptr));
}

/// Whether the left side speaks of an entry that does not exist: dh[t]/dh[t-1] at the first t.
bool Target::is_void(const Letters& letters) const {
    const auto outside = [&](const Expression& e) { return e.kind == Kind::entry && !place_of(model_, e, letters); };
    if (left_.kind == Kind::derivative)
        return outside(left_.numerator()) || std::ranges::any_of(left_.denominators(), outside);
    return outside(left_);
}

Target::Side Target::evaluate(const Expression& e, Point& point, const Side* other) {
    Side side;
    Evaluator evaluator(model_, point);
    std::size_t entry = 0;
    for_each_entry(model_, free_, evaluator.letters, [&] {
        const bool none = is_void(evaluator.letters);
        const auto [value, terms] = none ? Rounded() : evaluator.at(e);
        side.values.push_back(value);
        side.scale = std::max(side.scale, terms);
        if (!std::isfinite(value)) side.usable = false;
        // Far off already: the rest need not be known.
        if (other != nullptr && side.usable && other->usable) {
            if (std::abs(value - other->values[entry]) > 1e-3 * std::max(side.scale, other->scale)) return false;
        }
        ++entry;
        return side.usable;
    });
    side.kinked =
        evaluator.kinked || (point.is_kinked() && has_derivative(e)) || differentiates_a_kink(model_, point, e);
    if (!std::isfinite(side.scale)) side.usable = false;
    return side;
}

Outcome Target::compare(const Expression& right) {
    Outcome outcome;
    outcome.equal = true;
    outcome.all_zero = true;
    double worst = -1;
    for (std::size_t p = 0; p < points_.size(); ++p) {
        const Side& left = sides_[p];
        if (!left.usable) continue;
        const Side side = evaluate(right, points_[p], nullptr);
        if (left.kinked || side.kinked) outcome.kinked = true;
        if (!side.usable && !left.kinked && !side.kinked) outcome.has_gaps = true;
        if (!side.usable || left.kinked || side.kinked) continue;
        outcome.decided = true;
        const double scale = std::max(left.scale, side.scale);
        Letters letters = first_letters(model_);
        std::size_t entry = 0;
        for_each_entry(model_, free_, letters, [&] {
            const double a = left.values[entry], b = side.values[entry];
            ++entry;
            const double error = std::abs(a - b);
            if (std::max(std::abs(a), std::abs(b)) > tolerance * scale && scale > 0) outcome.all_zero = false;
            if (error > tolerance * scale) outcome.equal = false;
            if (scale > 0 && error / scale > worst) {
                worst = error / scale;
                outcome.left = a;
                outcome.right = b;
                outcome.letters = letters;
            }
            return true;
        });
    }
    if (!outcome.decided) outcome.equal = outcome.all_zero = false;
    return outcome;
}

std::optional<Outcome> Target::departure(const Expression& right) {
    constexpr double clearly = 1e-6;
    Outcome outcome = compare(right);
    const double size = std::max(std::abs(outcome.left), std::abs(outcome.right));
    if (!outcome.decided || outcome.equal || !(std::abs(outcome.left - outcome.right) > clearly * size)) return {};
    return outcome;
}

bool Target::is_zero() const {
    for (const Side& side : sides_)
        for (const double value : side.values)
            if (std::abs(value) > tolerance * side.scale) return false;
    return true;
}

std::optional<double> Target::share_of_equal_points(const Expression& right) {
    double usable = 0, equal = 0;
    for (std::size_t p = 0; p < points_.size(); ++p) {
        const Side& left = sides_[p];
        if (!left.usable || left.kinked) continue;
        const Side side = evaluate(right, points_[p], nullptr);
        if (!side.usable || side.kinked) continue;
        const double most = tolerance * std::max(left.scale, side.scale);
        const auto is_zero = [&](double x) { return std::abs(x) <= most; };
        if (std::ranges::all_of(left.values, is_zero) && std::ranges::all_of(side.values, is_zero)) continue;
        ++usable;
        equal += std::ranges::equal(left.values, side.values, [&](double a, double b) { return is_zero(a - b); });
    }
    if (usable == 0) return {};
    return equal / usable;
}

bool Target::holds(const Expression& right) {
    bool decided = false, all_zero = true;
    for (std::size_t p = 0; p < points_.size(); ++p) {
        const Side& left = sides_[p];
        if (!left.usable || left.kinked) continue;
        const Side side = evaluate(right, points_[p], &left);
        if (!side.usable || side.kinked) continue;
        if (side.values.size() < left.values.size()) return false;
        const double scale = std::max(left.scale, side.scale);
        for (std::size_t i = 0; i < left.values.size(); ++i) {
            if (!(std::abs(left.values[i] - side.values[i]) <= tolerance * scale)) return false;
            if (std::abs(left.values[i]) > tolerance * scale) all_zero = false;
        }
        decided = true;
    }
    // Where both are 0 wherever both have values, nothing tells them apart, unless the left side is 0 everywhere.
    return decided && (!all_zero || is_zero());
}

bool Target::holds_locally(Expression& right, std::vector<std::string>& said) {
    return make_local(model_, right, said) && holds(right);
}

}  // namespace derivation
