#include <algorithm>
#include <derivation/judge/varied_points.hpp>
#include <derivation/truth/moved_points.hpp>
#include <derivation/truth/sides.hpp>
#include <derivation/truth/target.hpp>

namespace derivation {

namespace {

constexpr std::size_t most_nodes = 1000000;

std::vector<int> shown_by(std::vector<Point>& points, Sides sides) {
    for (Point& point : points) sides.add(point);
    return sides.shown();
}

}  // namespace

void VariedPoints::forget_where_there_are_many() {
    std::size_t nodes = 0;
    for (const auto& [key, points] : points_)
        for (const Point& point : points) nodes += point.nodes();
    if (nodes > most_nodes) points_.clear();
}

std::vector<Point>& VariedPoints::points(const Variation& variation, const std::string& key) {
    const auto found = points_.find(key);
    if (found != points_.end()) return found->second;
    std::vector<Point> drawn;
    try {
        variations_[key] = variation;
        drawn = draw_points(model_, variation, seed_ + 101, 1);
    } catch (const Error&) {
        // It cannot be so: there are no such points.
    }
    return points_.emplace(key, std::move(drawn)).first->second;
}

std::vector<Point>& VariedPoints::more_points(const std::string& key) {
    const std::string more = key + " at more points";
    const auto found = points_.find(more);
    if (found != points_.end()) return found->second;
    const std::size_t nodes = points_.at(key).front().nodes() + 1;
    const std::size_t count = std::clamp<std::size_t>(10000 / nodes, 3, 12);
    return points_.emplace(more, draw_points(model_, variations_[key], seed_ + 202, count)).first->second;
}

std::vector<Point>& VariedPoints::scattered(const Variation& variation, const std::string& key) {
    const std::string name = key + " scattered";
    const auto found = points_.find(name);
    if (found != points_.end()) return found->second;
    std::vector<Point> drawn = scattered_points(model_, variation, seed_ + 606, 1);
    if (!drawn.empty()) {
        const std::size_t count = std::clamp<std::size_t>(100000 / (drawn.front().nodes() + 1), 6, 48);
        drawn = scattered_points(model_, variation, seed_ + 606, count);
    }
    return points_.emplace(name, std::move(drawn)).first->second;
}

std::vector<Point>& VariedPoints::near_and_far(bool many) {
    if (many) return scattered({}, "plain");
    const auto [place, is_new] = points_.try_emplace("plain, a few");
    constexpr std::size_t few = 6;
    if (is_new) place->second = scattered_points(model_, {}, seed_ + 707, few);
    return place->second;
}

/// Scattered points may all miss what lies between two close thresholds; points at the edges do not.
bool VariedPoints::departs_at_edges(const Variation& variation, const std::string& key, const Expression& left,
                                    const Expression& right, const std::vector<int>& free) {
    Sides sides(model_);
    sides.watch_with_definitions({&left, &right});
    std::vector<Point*> points;
    for (Point& point : scattered(variation, key)) points.push_back(&point);
    std::vector<Point> edges = points_at_edges(model_, variation, sides.edges(), points);
    Target target(model_, edges, left, free);
    return target.departure(right).has_value();
}

bool VariedPoints::is_the_condition(const Variation& variation, const std::string& key, const Expression& left,
                                    const Expression& right, const std::vector<int>& free) {
    Target with(model_, scattered(variation, key), left, free);
    if (with.share_of_equal_points(right).value_or(1) < 1 || departs_at_edges(variation, key, left, right, free))
        return false;
    const auto share_where = [&](int quantity, Domain domain, const char* words) {
        Variation other;
        other.domains[quantity] = domain;
        Target target(model_, scattered(other, std::to_string(quantity) + words), left, free);
        return target.share_of_equal_points(right);
    };
    for (const auto& [quantity, domain] : variation.domains) {
        // Elsewhere it may be right by chance, as a kink's other side is; where everything positive is negative it may
        // not. What is probabilities or one-hot is positive too: that may not be all.
        if (domain == Domain::positive) return share_where(quantity, Domain::negative, " is negative") == 0;
        if (domain != Domain::symmetric &&
            share_where(quantity, Domain::positive, " is anything positive").value_or(0) >= 0.5)
            return false;
    }
    return is_wrong_as_a_rule(left, right, free);
}

bool VariedPoints::is_the_condition(const Expression& left, const Expression& varied_left, const Expression& right,
                                    const std::vector<int>& free) {
    Target with(model_, scattered({}, "plain"), varied_left, free);
    return with.share_of_equal_points(right).value_or(1) == 1 && is_wrong_as_a_rule(left, right, free);
}

bool VariedPoints::is_wrong_as_a_rule(const Expression& left, const Expression& right, const std::vector<int>& free) {
    Target without(model_, scattered({}, "plain"), left, free);
    return without.share_of_equal_points(right).value_or(0) < 0.5;
}

bool VariedPoints::hold(const Variation& variation, const std::string& key, std::vector<Point>& plain,
                        const Expression& left, const Expression& right, const std::vector<int>& free) {
    forget_where_there_are_many();
    std::vector<Point>& one = points(variation, key);
    if (one.empty()) return false;
    Target first(model_, one, left, free);
    if (const Outcome outcome = first.compare(right); outcome.decided && !outcome.equal) return false;
    // One point may be luck, one where both are 0, or one on a kink.
    std::vector<Point>& several = more_points(key);
    Target target(model_, several, left, free);
    if (target.is_zero() || !target.holds(right)) return false;
    // What is positive has one side by its nature; elsewhere a side that no point shows is no condition.
    if (std::ranges::any_of(variation.domains, [](const auto& domain) { return domain.second == Domain::positive; }))
        return true;
    const Formulas members = {&left, &right};
    Sides sides(model_);
    sides.watch_definitions_behind(members);
    if (variation.assumptions.empty() && variation.definitions.empty())
        return shown_by(several, sides) == shown_by(plain, sides);
    // Where it does not matter what an earlier line says, these points hide what is wrong.
    if (points({}, "as it is").empty()) return false;
    Target without(model_, more_points("as it is"), left, free);
    if (without.holds(right)) return false;
    for (const Expression* member : members) sides.watch(*member);
    const std::vector<int> shown = shown_by(plain, sides);
    if (shown_by(several, sides) != shown) {
        std::vector<Point> chosen = draw_points(model_, variation, seed_ + 303, 3, false, {members});
        Target again(model_, chosen, left, free);
        if (!again.holds(right) || shown_by(chosen, sides) != shown) return false;
    }
    // Far out a bracket may show what it does not show here.
    Target far(model_, scattered(variation, key), left, free);
    return !far.departure(right);
}

}  // namespace derivation
