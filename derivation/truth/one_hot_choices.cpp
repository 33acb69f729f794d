#include <algorithm>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/one_hot_choices.hpp>

namespace derivation {

namespace {

constexpr std::size_t most_choices = 64;

}  // namespace

Choices::Choices(const Model& model, const Variation& variation, const std::vector<const Expression*>& formulas)
    : model_(model) {
    for (const Expression* formula : formulas) look_for_rows(variation, *formula);
    for (int q = 0; q < model.count(); ++q)
        if (std::ranges::any_of(formulas, [&](const Expression* formula) { return depends_on(model, *formula, q); }))
            look_for_rows(variation, model.quantity(q).definition);
}

void Choices::look_for_rows(const Variation& variation, const Expression& e) {
    for (const Expression& child : e.children) look_for_rows(variation, child);
    if (e.kind != Kind::entry || e.indices.empty() || !e.indices.back().is_number()) return;
    const Quantity& quantity = model_.quantity(e);
    if (quantity.role == Role::definition || variation.domain_of(model_, *e.symbol) != Domain::onehot ||
        (!quantity.values.empty() && !variation.domains.contains(*e.symbol)))
        return;
    const auto classes = static_cast<std::size_t>(model_.range(quantity.ranges.back()).size);
    const std::optional<std::size_t> place = place_of(model_, e, first_letters(model_));
    const bool is_one_row = std::ranges::all_of(e.indices, &Index::is_number);
    const int at = e.indices.back().offset;
    if (at < 0 || static_cast<std::size_t>(at) >= classes || (is_one_row && !place)) return;
    Row& row = is_one_row ? rows_[{*e.symbol, *place / classes}] : all_rows_[*e.symbol];
    row.classes = classes;
    if (std::ranges::find(row.named, static_cast<std::size_t>(at)) == row.named.end())
        row.named.push_back(static_cast<std::size_t>(at));
}

std::optional<std::size_t> Choices::Row::other() const {
    for (std::size_t i = 0; i < classes; ++i)
        if (std::ranges::find(named, i) == named.end()) return i;
    return {};
}

/// All that the rows may be together, or the first of very many.
std::vector<OneHotChoice> Choices::together() const {
    std::vector<OneHotChoice> all;
    if (!rows_.empty()) all.emplace_back();
    for (const auto& [at, row] : rows_) {
        std::vector<std::size_t> classes = row.named;
        if (const auto other = row.other()) classes.push_back(*other);
        std::vector<OneHotChoice> more;
        for (const OneHotChoice& choice : all)
            for (const std::size_t one : classes) {
                more.push_back(choice);
                more.back()[at] = one;
            }
        all = std::move(more);
        if (all.size() > most_choices) all.resize(most_choices);
    }
    for (const auto& [quantity, row] : all_rows_) {
        std::vector<std::size_t> classes = row.named;
        if (const auto other = row.other()) classes.push_back(*other);
        for (const std::size_t one : classes) {
            all.emplace_back();
            for (std::size_t i = 0; i < model_.size(model_.quantity(quantity)) / row.classes; ++i)
                all.back()[{quantity, i}] = one;
        }
    }
    return all;
}

bool Choices::are_very_many() const {
    std::size_t count = 1;
    for (const auto& [at, row] : rows_) {
        count *= row.named.size() + (row.other() ? 1 : 0);
        if (count > most_choices) return true;
    }
    return false;
}

bool Choices::are_all_shown(const std::vector<Point>& points) const {
    return !are_very_many() && missing(points).empty();
}

bool Choices::is_shown(const OneHotChoice& choice, const Point& point) const {
    return std::ranges::all_of(choice, [&](const auto& one) {
        const auto& at = one.first;  // (Clang 14 captures no names of a structured binding)
        const std::size_t place = one.second;
        const auto found = rows_.find(at);
        const Row& row = found != rows_.end() ? found->second : all_rows_.at(at.first);
        const auto is_one = [&](std::size_t i) { return point.value(at.first, at.second * row.classes + i) == 1; };
        return is_one(place) ||
               (std::ranges::find(row.named, place) == row.named.end() && std::ranges::none_of(row.named, is_one));
    });
}

std::vector<OneHotChoice> Choices::missing(const std::vector<Point>& points) const {
    std::vector<OneHotChoice> all = together();
    std::erase_if(all, [&](const OneHotChoice& choice) {
        return std::ranges::any_of(points, [&](const Point& point) { return is_shown(choice, point); });
    });
    return all;
}

}  // namespace derivation
