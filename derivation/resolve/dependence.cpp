#include <derivation/resolve/dependence.hpp>

namespace derivation {

namespace {

/// Visits the formula's quantities and those behind them, each once, until one passes the test.
template <class Test>
bool any_behind_formula(const Model& model, const Expression& e, const Test& test) {
    std::vector<bool> seen(model.quantities.size(), false);
    std::vector<int> waiting;
    add_entries(e, waiting);
    while (!waiting.empty()) {
        const int quantity = waiting.back();
        waiting.pop_back();
        if (test(quantity)) return true;
        if (seen[static_cast<std::size_t>(quantity)]) continue;
        seen[static_cast<std::size_t>(quantity)] = true;
        add_entries(model.quantity(quantity).definition, waiting);
    }
    return false;
}

}  // namespace

void add_entries(const Expression& e, std::vector<int>& quantities) {
    if (e.kind == Kind::entry && e.symbol) quantities.push_back(*e.symbol);
    for (const Expression& child : e.children) add_entries(child, quantities);
}

bool depends_on(const Model& model, const Expression& e, int on) {
    return any_behind_formula(model, e, [&](int quantity) { return quantity == on; });
}

bool depends_on(const Model& model, int quantity, int on) {
    return quantity == on || depends_on(model, model.quantity(quantity).definition, on);
}

bool mentions(const Expression& e, int quantity) {
    return any_part(e, [&](const Expression& x) { return x.kind == Kind::entry && x.symbol == quantity; });
}

bool calls(const Model& model, const Expression& e, int function) {
    const auto calls_here = [&](const Expression& formula) {
        return any_part(formula, [&](const Expression& x) { return x.kind == Kind::call && x.symbol == function; });
    };
    return calls_here(e) ||
           any_behind_formula(model, e, [&](int quantity) { return calls_here(model.quantity(quantity).definition); });
}

std::vector<int> possible_losses(const Model& model, int parameter) {
    std::vector<int> losses;
    for (int q = model.count(); q-- > 0;) {
        const Quantity& quantity = model.quantity(q);
        if (quantity.role == Role::definition && quantity.ranges.empty() && !has_derivative(quantity.definition) &&
            q != parameter && depends_on(model, q, parameter))
            losses.push_back(q);
    }
    return losses;
}

std::optional<int> default_loss(const Model& model, int parameter, std::size_t end) {
    for (const int q : possible_losses(model, parameter))
        if (model.quantity(q).span.begin < end) return q;
    return {};
}

std::optional<StepAbove> usual_step(const Model& model, int parameter) {
    const std::optional<int> loss = default_loss(model, parameter);
    if (!loss) return {};
    StepAbove step;
    step.loss = *loss;
    step.rates = possible_rates(model, *loss);
    return step;
}

std::vector<int> possible_rates(const Model& model, int loss) {
    std::vector<int> rates;
    for (int q = 0; q < model.count(); ++q)
        if (model.quantity(q).role == Role::constant && !depends_on(model, loss, q)) rates.push_back(q);
    return rates;
}

}  // namespace derivation
