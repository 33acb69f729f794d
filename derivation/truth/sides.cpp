#include <algorithm>
#include <cmath>
#include <derivation/formula/elementary.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/evaluator.hpp>
#include <derivation/truth/sides.hpp>

namespace derivation {

namespace {

// Where two numbers stand to each other. Of equal ones nothing is expected: an entry outside its range is always 0.
constexpr int above = 1, below = 2, equal = 4;
constexpr std::size_t most_entries = 4096;

int side_of(double a, double b) { return a > b ? above : a < b ? below : a == b ? equal : 0; }

bool is_equation(const Expression& e) { return e.kind == Kind::iverson && (e.name == "==" || e.name == "!="); }

bool is_shown(const Expression& formula, int sides) {
    if (sides == equal) return true;
    return is_equation(formula) ? (sides & equal) != 0 : (sides & (sides - 1)) != 0;
}

bool has_kink(const Model& model, const Expression& e) {
    if (e.kind == Kind::iverson) return true;
    if (e.kind == Kind::reduce) return e.name == "max" || e.name == "min";
    if (e.kind != Kind::call) return false;
    if (e.name == "max" || e.name == "min") return true;
    const Elementary* elementary = find_elementary(e.symbol ? model.function(*e.symbol).definition : e.name);
    return elementary != nullptr && elementary->has_kink;
}

/// Whether something in it is another number at another point.
bool is_drawn(const Model& model, const Expression& e) {
    return any_part(e, [&](const Expression& x) {
        return x.kind == Kind::entry && x.symbol &&
               (model.quantity(x).role == Role::definition || model.quantity(x).values.empty());
    });
}

/// The side of one entry, and of what a maximum compares all of its sides.
int side_at(const Expression& e, Evaluator& evaluator, const Model& model) {
    if (e.kind == Kind::iverson) return side_of(evaluator(e.left()), evaluator(e.right()));
    if (e.kind == Kind::call && e.children.size() == 1) return side_of(evaluator(e.argument()), 0);
    const bool greatest = e.name == "max";
    int sides = 0;
    std::optional<double> best;
    const auto compare = [&](double x) {
        if (best) sides |= side_of(*best, x);
        best = !best ? x : greatest ? std::max(*best, x) : std::min(*best, x);
    };
    if (e.kind == Kind::call)
        for (const Expression& child : e.children) compare(evaluator(child));
    else
        for_each_entry(model, bound_letters(e), evaluator.letters, [&] {
            if (e.condition() == nullptr || evaluator(*e.condition()) != 0) compare(evaluator(e.body()));
            return true;
        });
    return sides;
}

}  // namespace

void Sides::watch(const Expression& formula) {
    for (const Expression& child : formula.children) watch(child);
    if (!has_kink(model_, formula) || !is_drawn(model_, formula)) return;
    const std::vector<int> letters = free_letters(formula);
    std::size_t entries = 1;
    for (const int letter : letters) entries *= static_cast<std::size_t>(model_.range_of(letter).size);
    if (entries <= most_entries) kinks_.push_back({&formula, letters, std::vector<int>(entries, 0)});
}

void Sides::watch_definitions() {
    for (const Quantity& quantity : model_.quantities) watch(quantity.definition);
}

void Sides::watch_definitions_behind(const Formulas& formulas) {
    for (int q = 0; q < model_.count(); ++q)
        if (std::ranges::any_of(formulas, [&](const Expression* e) { return depends_on(model_, *e, q); }))
            watch(model_.quantity(q).definition);
}

void Sides::watch_with_definitions(const Formulas& formulas) {
    watch_definitions_behind(formulas);
    for (const Expression* formula : formulas) watch(*formula);
}

Sides::News Sides::add(Point& point) {
    News news = News::nothing;
    for (Kink& kink : kinks_) {
        const int before = kink.of_all();
        Evaluator evaluator(model_, point);
        std::size_t entry = 0;
        for_each_entry(model_, kink.letters, evaluator.letters, [&] {
            const int side = side_at(*kink.formula, evaluator, model_);
            int& sides = kink.sides[entry++];
            if ((side & ~sides) != 0 && !derivation::is_shown(*kink.formula, sides))
                news = std::max(news, News::of_an_entry);
            if ((side & ~before) != 0 && !derivation::is_shown(*kink.formula, before)) news = News::of_a_kink;
            sides |= side;
            return true;
        });
    }
    return news;
}

bool Sides::are_all_shown() const { return missing().empty(); }

std::vector<Missing> Sides::missing() const {
    std::vector<Missing> whole, entries;
    for (std::size_t k = 0; k < kinks_.size(); ++k) {
        const Kink& kink = kinks_[k];
        const bool one_sided = !derivation::is_shown(*kink.formula, kink.of_all());
        Letters letters = first_letters(model_);
        std::size_t entry = 0;
        for_each_entry(model_, kink.letters, letters, [&] {
            const int sides = kink.sides[entry];
            if (!derivation::is_shown(*kink.formula, sides))
                (one_sided ? whole : entries).push_back({kink.formula, letters, sides, k, entry});
            ++entry;
            return !one_sided;  // one entry is enough where none has shown the other side
        });
    }
    whole.insert(whole.end(), entries.begin(), entries.end());
    return whole;
}

bool Sides::is_shown(const Missing& missing) const {
    return derivation::is_shown(*missing.formula, kinks_[missing.kink].sides[missing.entry]);
}

std::vector<Missing> Sides::edges() const {
    std::vector<Missing> all;
    for (std::size_t k = 0; k < kinks_.size(); ++k)
        if (!is_equation(*kinks_[k].formula))
            all.push_back({kinks_[k].formula, first_letters(model_), kinks_[k].of_all(), k, 0});
    return all;
}

std::vector<int> Sides::shown() const {
    std::vector<int> all;
    for (const Kink& kink : kinks_) all.push_back(kink.of_all());
    return all;
}

std::vector<const Expression*> Sides::one_sided() const {
    std::vector<const Expression*> formulas;
    for (const Kink& kink : kinks_)
        if (!derivation::is_shown(*kink.formula, kink.of_all())) formulas.push_back(kink.formula);
    return formulas;
}

bool Missing::is_equation() const { return derivation::is_equation(*formula); }

std::optional<double> Missing::gap(const Model& model, Point& point) const {
    Evaluator evaluator(model, point);
    evaluator.letters = letters;
    if (formula->kind == Kind::iverson) return evaluator(formula->left()) - evaluator(formula->right());
    if (formula->kind != Kind::call || formula->children.size() > 2) return {};
    const double a = evaluator(formula->children[0]);
    return formula->children.size() == 1 ? a : a - evaluator(formula->children[1]);
}

bool Missing::is_shown_by(double gap) const {
    if (is_equation()) return gap == 0;
    return (side_of(gap, 0) & ~sides & ~equal) != 0;
}

bool Missing::is_nearer(double gap, double than) const {
    if (is_equation() || (sides & ~equal) == 0) return std::abs(gap) < std::abs(than);
    return (sides & above) != 0 ? gap < than : gap > than;
}

}  // namespace derivation
