// What depends on what, through definitions.
#include <algorithm>
#include <derivation/resolve/checked.hpp>

namespace derivation {

void add_entries(const Expression& e, std::vector<int>& entries) {
    if (e.kind == Kind::entry && e.symbol >= 0) entries.push_back(e.symbol);
    for (const Expression& child : e.children) add_entries(child, entries);
}

bool depends_on(const Model& model, const Expression& e, int on) {
    std::vector<bool> seen(model.quantities.size(), false);
    std::vector<int> waiting;
    add_entries(e, waiting);
    while (!waiting.empty()) {
        const int quantity = waiting.back();
        waiting.pop_back();
        if (quantity == on) return true;
        if (seen[static_cast<std::size_t>(quantity)]) continue;
        seen[static_cast<std::size_t>(quantity)] = true;
        add_entries(model.quantity(quantity).definition, waiting);
    }
    return false;
}

bool depends_on(const Model& model, int quantity, int on) {
    return quantity == on || depends_on(model, model.quantity(quantity).definition, on);
}

bool has_derivative(const Expression& e) {
    return e.kind == Kind::derivative || std::ranges::any_of(e.children, has_derivative);
}

int default_loss(const Model& model, int parameter) {
    for (std::size_t i = model.quantities.size(); i-- > 0;) {
        const Quantity& quantity = model.quantities[i];
        if (quantity.role == Role::definition && quantity.ranges.empty() && !has_derivative(quantity.definition) &&
            static_cast<int>(i) != parameter && depends_on(model, static_cast<int>(i), parameter))
            return static_cast<int>(i);
    }
    return -1;
}

std::vector<int> possible_rates(const Model& model, int loss) {
    std::vector<int> rates;
    for (std::size_t i = 0; i < model.quantities.size(); ++i)
        if (model.quantities[i].role == Role::constant && !depends_on(model, loss, static_cast<int>(i)))
            rates.push_back(static_cast<int>(i));
    return rates;
}

}  // namespace derivation
