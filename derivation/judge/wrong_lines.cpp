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

std::vector<Index> indices_of(const Expression& derivative) {
    std::vector<Index> indices = derivative.numerator().indices;
    const std::vector<Index>& below = derivative.denominator().indices;
    indices.insert(indices.end(), below.begin(), below.end());
    return indices;
}

/// The letters of these indices. None where an index is no letter.
std::optional<std::vector<int>> letters_of_indices(const std::vector<Index>& indices) {
    std::vector<int> letters;
    for (const Index& index : indices) {
        if (index.terms.size() != 1) return {};
        letters.push_back(*index.terms[0].letter);
    }
    return letters;
}

/// A derivative is taken to be this value, and every name for it too.
void assume(const Model& model, const Expression& derivative, const Expression& value, Variation& variation) {
    if (!is_simple_derivative(derivative)) return;
    variation.assumptions.push_back({derivative, value});
    for (int q = 0; q < model.count(); ++q) {
        const Expression& definition = model.quantity(q).definition;
        if (!is_simple_derivative(definition) || definition.numerator().symbol != derivative.numerator().symbol ||
            definition.denominator().symbol != derivative.denominator().symbol)
            continue;
        const std::optional<std::vector<int>> to = letters_of_indices(indices_of(definition));
        if (!to) continue;
        if (std::optional<Expression> renamed = at_letters(model, indices_of(derivative), *to, value))
            variation.definitions[q] = std::move(*renamed);
    }
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
        if (quantity.definition.kind == Kind::derivative) assume(model_, quantity.definition, *renamed, variation);
        variation.definitions[*left.symbol] = *renamed;
    } else if (left.kind == Kind::derivative) {
        assume(model_, left, mistaken.member, variation);
    }
    return variation;
}

std::optional<std::size_t> WrongLines::that_implies(const Line& line, VariedPoints& varied, std::vector<Point>& plain,
                                                    const Expression& left, const Expression& right) const {
    if (line.steps > 0) return {};
    // Of an update its step is judged, which may not be 0.
    const auto step = [&](const Expression& e) {
        return line.is_update ? sum_of_terms({{e, Joint::plus}, {line.checked.members[0], Joint::minus}}) : e;
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
