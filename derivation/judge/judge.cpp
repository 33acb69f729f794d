#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <derivation/judge/line_judge.hpp>
#include <derivation/resolve/dependence.hpp>
#include <utility>

namespace derivation {

namespace {

void add_once(std::vector<std::string>& notes, const std::string& note) {
    if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
}

void note_zero_derivatives(const Model& model, const Expression& e, std::vector<std::string>& notes) {
    if (e.kind == Kind::derivative && e.numerator().kind == Kind::entry &&
        !depends_on(model, *e.numerator().symbol, *e.denominator().symbol))
        add_once(
            notes,
            fmt::format("d{}/d{} is 0: {} does not depend on {}.", model.signature(model.quantity(e.numerator())),
                        model.signature(model.quantity(e.denominator())), e.numerator().name, e.denominator().name));
    for (const Expression& child : e.children) note_zero_derivatives(model, child, notes);
}

/// x_i is one scalar where i was not declared.
void note_undeclared_letters(const Model& model, const Expression& e, std::vector<std::string>& notes) {
    const std::string& name = e.name;
    const std::size_t size = name.size();
    if (e.kind == Kind::entry && e.symbol && model.quantity(e).ranges.empty() && size > 2 && name[size - 2] == '_' &&
        std::isalpha(static_cast<unsigned char>(name.back())) != 0)
        add_once(notes, fmt::format("{} is one number of this name: with `index {}` above, {} is a letter.", name,
                                    name.substr(size - 1), name.substr(size - 1)));
    for (const Expression& child : e.children) note_undeclared_letters(model, child, notes);
}

}  // namespace

Judge::Judge(Derivation& derivation, std::uint64_t seed)
    : derivation_(derivation),
      seed_(seed),
      points_(drawn_points()),
      wrong_lines_(derivation.model),
      varied_(derivation.model, seed),
      elsewhere_(derivation, seed) {}

std::vector<Point> Judge::drawn_points() {
    try {
        return points_for(derivation_, seed_);
    } catch (const OverBudget& error) {
        over_budget_ = error.what();
        return {};
    }
}

std::vector<Point>& Judge::positive_points() {
    if (positive_points_.empty()) positive_points_ = points_for(derivation_, seed_ + 7, true);
    return positive_points_;
}

/// A rate of forgetting is below 1, and a mean of squares is positive.
std::vector<Point>& Judge::points_of_states() {
    if (!points_of_states_.empty()) return points_of_states_;
    Variation variation;
    const Model& model = derivation_.model;
    for (int q = 0; q < model.count(); ++q)
        if (model.quantity(q).role == Role::constant && model.quantity(q).values.empty())
            variation.domains[q] = Domain::unit;
    for (const Line& line : derivation_.lines)
        if (line.keeps_state) variation.domains[*line.checked.members[0].symbol] = Domain::positive;
    // More of them where a maximum has two sides, each for both signs of a gradient.
    const bool has_largest = std::ranges::any_of(derivation_.lines, [](const Line& line) {
        return line.keeps_state &&
               any_part(line.checked.members[1], [](const Expression& e) { return is_call(e, "max"); });
    });
    return points_of_states_ = draw_points(model, variation, seed_ + 909, has_largest ? 24 : 3);
}

Judgement Judge::judge(Line& line) {
    Judgement judgement = LineJudge(*this, line).run();
    std::vector<std::string> letters;
    for (const Expression& member : line.checked.members) {
        note_zero_derivatives(derivation_.model, member, judgement.notes);
        note_undeclared_letters(derivation_.model, member, letters);
    }
    // Once in a file.
    if (!std::exchange(letters_noted_, letters_noted_ || !letters.empty()))
        judgement.notes.insert(judgement.notes.end(), letters.begin(), letters.end());
    return judgement;
}

}  // namespace derivation
