// What a line follows from, and what it would need to hold.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/judge/judge.hpp>
#include <derivation/mistakes/diagnosis.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <set>
#include <utility>

namespace derivation {

namespace {

constexpr std::size_t most_varied_nodes = 1000000;

bool stands_in(const Expression& e, int quantity) {
    std::vector<int> entries;
    add_entries(e, entries);
    return std::ranges::find(entries, quantity) != entries.end();
}

}  // namespace

bool Judge::holds_under(const Variation& variation, const std::string& key, const Expression& left,
                        const Expression& right, const std::vector<int>& free) {
    std::size_t nodes = 0;
    for (const auto& [name, points] : varied_)
        for (const Point& point : points) nodes += point.nodes();
    if (nodes > most_varied_nodes) varied_.clear();
    auto found = varied_.find(key);
    if (found == varied_.end()) {
        try {
            auto& kept = variations_[key] = std::make_unique<Variation>(variation);
            found = varied_.emplace(key, draw_points(derivation_.model, *kept, seed_ + 101, 1)).first;
        } catch (const Error&) {
            found = varied_.emplace(key, std::vector<Point>()).first;
        }
    }
    if (found->second.empty()) return false;
    Target first(derivation_.model, found->second, left, free);
    if (first.is_zero() || !first.holds(right)) return false;
    // One point may be luck.
    const std::string more = key + " at more points";
    auto others = varied_.find(more);
    if (others == varied_.end())
        others = varied_.emplace(more, draw_points(derivation_.model, *variations_[key], seed_ + 202, 3)).first;
    Target target(derivation_.model, others->second, left, free);
    // What is positive has one side by its nature; elsewhere a side that no point shows is no condition.
    const bool one_sided =
        std::ranges::any_of(variation.domains, [](const auto& one) { return one.second == Domain::positive; });
    return target.holds(right) && (one_sided || shows_both_sides(others->second));
}

/// Whether these points show as much of every relu, abs and max as the points without a condition do.
bool Judge::shows_both_sides(const std::vector<Point>& points) const {
    const auto sides_of = [](const std::vector<Point>& all) {
        std::map<const Expression*, int> sides;
        for (const Point& point : all)
            for (const auto& [place, side] : point.sides()) sides[place] |= side;
        return sides;
    };
    const auto shown = sides_of(points);
    return std::ranges::all_of(sides_of(points_), [&](const auto& one) {
        const auto found = shown.find(one.first);
        return found == shown.end() || found->second == one.second;
    });
}

namespace {

/// Gives the formula the letters of `to` where `from` stands with others. False where an index is no letter.
bool match_letters(const Model& model, const std::vector<Index>& from, const std::vector<int>& to, Expression& e) {
    if (from.size() != to.size()) return false;
    std::vector<int> between;
    for (std::size_t i = 0; i < from.size(); ++i)
        if (from[i].terms.size() != 1) return false;
    // Through letters of its own, so that a swap does not merge two letters.
    for (std::size_t i = 0; i < from.size(); ++i) substitute(e, from[i].terms[0].letter, -10 - static_cast<int>(i), "");
    for (std::size_t i = 0; i < to.size(); ++i)
        substitute(e, -10 - static_cast<int>(i), to[i], model.letters[static_cast<std::size_t>(to[i])].name);
    return true;
}

}  // namespace

Variation Judge::assuming(const Mistaken& mistaken) const {
    Variation variation;
    const Model& model = derivation_.model;
    const auto assume = [&](const Expression& derivative, const Expression& value) {
        if (derivative.order != 1 || derivative.children.size() != 2 || derivative.children[0].kind != Kind::entry)
            return;
        variation.assumptions.push_back({derivative, value});
        for (std::size_t q = 0; q < model.quantities.size(); ++q) {
            const Expression& definition = model.quantities[q].definition;
            if (definition.kind != Kind::derivative || definition.order != 1 || definition.children.size() != 2 ||
                definition.children[0].kind != Kind::entry)
                continue;
            if (definition.children[0].symbol != derivative.children[0].symbol ||
                definition.children[1].symbol != derivative.children[1].symbol)
                continue;
            Expression renamed = value;
            std::vector<Index> from = derivative.children[0].indices;
            from.insert(from.end(), derivative.children[1].indices.begin(), derivative.children[1].indices.end());
            std::vector<int> to;
            for (const Expression& side : definition.children)
                for (const Index& index : side.indices)
                    to.push_back(index.terms.size() == 1 ? index.terms[0].letter : -1);
            if (std::ranges::find(to, -1) == to.end() && match_letters(model, from, to, renamed))
                variation.definitions[static_cast<int>(q)] = renamed;
        }
    };
    if (mistaken.left.kind == Kind::entry && model.quantity(mistaken.left.symbol).role == Role::definition) {
        const Quantity& quantity = model.quantity(mistaken.left.symbol);
        Expression renamed = mistaken.member;
        if (depends_on(model, mistaken.member, mistaken.left.symbol) ||
            !match_letters(model, mistaken.left.indices, quantity.letters, renamed))
            return variation;
        if (quantity.definition.kind == Kind::derivative) assume(quantity.definition, renamed);
        variation.definitions[mistaken.left.symbol] = renamed;
    } else if (mistaken.left.kind == Kind::derivative) {
        assume(mistaken.left, mistaken.member);
    }
    return variation;
}

bool Judge::follows(const Line& line, LineReport& report, const Expression& left, const Expression& right,
                    const std::vector<int>& free) {
    if (line.steps > 0) return false;
    for (auto mistaken = mistaken_.rbegin(); mistaken != mistaken_.rend(); ++mistaken) {
        const Variation variation = assuming(*mistaken);
        if (variation.empty()) continue;
        bool holds = false;
        try {
            // Of an update its step is judged, which may not be 0.
            const auto step = [&](const Expression& e) {
                return line.is_update ? sum_of_terms({{e, Joint::plus}, {line.checked.members[0], Joint::minus}}) : e;
            };
            holds = holds_under(variation, fmt::format("line {}", mistaken->line), step(left), step(right), free);
        } catch (const Error&) {
        }
        if (!holds) continue;
        report.verdict = Verdict::follows;
        report.because_of = mistaken->line;
        report.reason = fmt::format(
            "It follows from line {}, which is wrong: with what stands there this line is right.", mistaken->line);
        return true;
    }
    return false;
}

bool Judge::conditional(const Line& line, LineReport& report, const Expression& left, const Expression& right,
                        const std::vector<int>& free) {
    const Model& model = derivation_.model;
    const auto under = [&](std::string condition, std::string sentence) {
        report.verdict = Verdict::conditional;
        report.condition = std::move(condition);
        report.reason = std::move(sentence);
        return true;
    };
    // What is held fixed in a derivative on the left side.
    if (left.kind == Kind::derivative && left.order == 1 && left.children.size() == 2 &&
        left.children[0].kind == Kind::entry &&
        stands_in(model.quantity(left.children[0].symbol).definition, left.children[1].symbol)) {
        std::vector<int> between;
        for (std::size_t q = 0; q < model.quantities.size(); ++q) {
            const int symbol = static_cast<int>(q);
            if (symbol != left.children[0].symbol && symbol != left.children[1].symbol &&
                model.quantities[q].role == Role::definition && depends_on(model, left.children[0].symbol, symbol) &&
                depends_on(model, symbol, left.children[1].symbol))
                between.push_back(symbol);
        }
        std::vector<std::vector<int>> choices;
        for (const int one : between) choices.push_back({one});
        for (std::size_t a = 0; a < between.size() && between.size() <= 8; ++a)
            for (std::size_t b = a + 1; b < between.size(); ++b) choices.push_back({between[a], between[b]});
        if (between.size() > 2) choices.push_back(between);
        for (const std::vector<int>& choice : choices) {
            Expression holding = left;
            std::vector<std::string> names;
            for (const int symbol : choice) {
                Expression held = letter_entry(model.quantity(symbol).name, {});
                held.symbol = symbol;
                holding.children.push_back(held);
                names.push_back(model.quantity(symbol).name);
            }
            Target target(model, points_, holding, free);
            if (target.holds(right))
                return under("at fixed " + listed(names), fmt::format("It holds only where {} {} held fixed.",
                                                                      listed(names), names.size() == 1 ? "is" : "are"));
        }
    }
    // An undefined function that is a certain one.
    const auto uses_function = [&](int function) {
        std::set<int> seen;
        const auto uses = [&](auto& self, const Expression& e) -> bool {
            if (e.kind == Kind::call && e.symbol == function) return true;
            if (e.kind == Kind::entry && e.symbol >= 0 && seen.insert(e.symbol).second && seen.size() < 200 &&
                self(self, model.quantity(e.symbol).definition))
                return true;
            return std::ranges::any_of(e.children, [&](const Expression& child) { return self(self, child); });
        };
        return uses(uses, left) || uses(uses, right);
    };
    const auto has_condition = [](auto& self, const Expression& e) -> bool {
        return (e.kind == Kind::iverson && (e.name == ">" || e.name == "<" || e.name == ">=" || e.name == "<=")) ||
               std::ranges::any_of(e.children, [&](const Expression& child) { return self(self, child); });
    };
    for (std::size_t f = 0; f < model.functions.size(); ++f) {
        if (!model.functions[f].definition.empty() || !uses_function(static_cast<int>(f))) continue;
        for (const char* definition : {"sigmoid", "tanh", "relu", "softplus", "sin", "cos", "log", "sqrt"}) {
            if (std::string_view(definition) == "relu" && !has_condition(has_condition, right)) continue;
            Variation variation;
            variation.functions[static_cast<int>(f)] = definition;
            if (holds_under(variation, fmt::format("{} = {}", f, definition), left, right, free))
                return under(fmt::format("{} = {}", model.functions[f].name, definition),
                             fmt::format("It holds only where {} is {}, and {} is any function here.",
                                         model.functions[f].name, definition, model.functions[f].name));
        }
    }
    // A domain of what is given, the weakest first.
    for (std::size_t q = 0; q < model.quantities.size(); ++q) {
        const Quantity& quantity = model.quantities[q];
        const int symbol = static_cast<int>(q);
        if (quantity.role != Role::given || !quantity.values.empty() ||
            (!depends_on(model, left, symbol) && !depends_on(model, right, symbol)))
            continue;
        std::vector<std::pair<Domain, const char*>> choices;
        const bool real = quantity.domain == Domain::real || quantity.domain == Domain::nonzero;
        if (real) choices.emplace_back(Domain::positive, "is positive");
        if (!quantity.ranges.empty() &&
            (real || quantity.domain == Domain::positive || quantity.domain == Domain::unit)) {
            choices.emplace_back(Domain::sums_to_one, "sums to 1");
            choices.emplace_back(Domain::probabilities, "is probabilities");
        }
        if (!quantity.ranges.empty() && quantity.domain != Domain::onehot && quantity.domain != Domain::symmetric)
            choices.emplace_back(Domain::onehot, "is one-hot");
        if (quantity.ranges.size() == 2 && quantity.ranges[0] == quantity.ranges[1] && real)
            choices.emplace_back(Domain::symmetric, "is symmetric");
        for (const auto& [domain, words] : choices) {
            Variation variation;
            variation.domains[symbol] = domain;
            if (!holds_under(variation, fmt::format("{} {}", q, words), left, right, free)) continue;
            if (domain == Domain::symmetric) {
                Target target(derivation_.model, points_, left, free);
                if (transposition_repairs(derivation_.model, line, *report.member, target)) continue;
            }
            return under(fmt::format("{} {}", quantity.name, words),
                         fmt::format("It holds only where {} {}.", quantity.name, words));
        }
    }
    return false;
}

}  // namespace derivation
