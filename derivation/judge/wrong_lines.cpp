#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/building.hpp>
#include <derivation/judge/wrong_lines.hpp>
#include <derivation/resolve/dependence.hpp>

namespace derivation {

namespace {

// A line may follow from one of these many wrong lines above it.
constexpr std::size_t most_mistaken = 12;

/// The formula at the letters of `to` where it stands at those of `from`. None where an index is no letter.
std::optional<Expression> at_letters(const Model& model, const std::vector<Index>& from, const std::vector<int>& to,
                                     Expression e) {
    if (from.size() != to.size()) return {};
    std::vector<Substitution> all;
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i].terms.size() != 1) return {};
        all.push_back({*from[i].terms[0].letter, to[i], model.letter(to[i]).name});
    }
    substitute(e, all);
    return e;
}

}  // namespace

void WrongLines::add(std::size_t line, const Expression& left, const Expression& member) {
    mistaken_.push_back({line, left, member});
    if (mistaken_.size() > most_mistaken) mistaken_.erase(mistaken_.begin());
}

void WrongLines::set_right(const Expression& left) {
    std::erase_if(mistaken_, [&](const Mistaken& one) { return same(one.left, left); });
}

Variation WrongLines::assuming(const Mistaken& mistaken) const {
    Variation variation;
    const Expression& left = mistaken.left;
    if (left.kind == Kind::entry && model_.quantity(left).role == Role::definition) {
        const Quantity& quantity = model_.quantity(left);
        const std::optional<Expression> renamed =
            depends_on(model_, mistaken.member, *left.symbol)
                ? std::nullopt
                : at_letters(model_, left.indices, quantity.letters, mistaken.member);
        if (!renamed) return variation;
        if (is_simple_derivative(quantity.definition)) variation.assumptions.push_back({quantity.definition, *renamed});
        variation.definitions[*left.symbol] = *renamed;
    } else if (is_simple_derivative(left)) {
        variation.assumptions.push_back({left, mistaken.member});
    }
    return variation;
}

std::optional<std::size_t> WrongLines::that_implies(const Line& line, VariedPoints& varied, std::vector<Point>& plain,
                                                    const Expression& left, const Expression& right) const {
    if (line.steps > 0) return {};
    // Of an update its step is judged, which may not be 0.
    const auto step = [&](const Expression& e) {
        if (!line.is_update) return e;
        return sum_of_terms({{e, Joint::plus}, {line.checked.members[0], Joint::minus}});
    };
    for (auto mistaken = mistaken_.rbegin(); mistaken != mistaken_.rend(); ++mistaken) {
        const Variation variation = assuming(*mistaken);
        if (variation.empty()) continue;
        try {
            if (varied.hold(variation, fmt::format("line {}", mistaken->line), plain, step(left), step(right),
                            line.checked.free))
                return mistaken->line;
        } catch (const Error&) {
            // What stands there has no value.
        }
    }
    return {};
}

}  // namespace derivation
