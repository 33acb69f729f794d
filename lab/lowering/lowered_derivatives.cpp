// Derivatives within lets: what the backward pass gives, recorded.
#include <lab/lowering/lowerer.hpp>

namespace lab::lowering {

Value Lowerer::derivative(const Expression& e) {
    Letters held;
    for (const Expression& one : e.held()) held.push_back(*one.symbol);
    std::ranges::sort(held);
    Version* const outer = std::exchange(version_, &version_holding(held));
    const auto by = e.denominators();
    Letters letters = free_of(e.numerator());
    for (const Expression& one : by.first(by.size() - 1))
        for (const int letter : without(free_of(one), letters)) letters.push_back(letter);
    if (!letters.empty()) one_by_one_.emplace(definition_, letters);
    const Value result = stacked(letters, [&] {
        Value y = record(e.numerator());
        for (const Expression& one : by) y = gradient(y, one);
        return y;
    });
    version_ = outer;
    return result;
}

Version& Lowerer::version_holding(const Letters& held) {
    Version& version = versions_[held];
    version.held = held;
    return version;
}

Value Lowerer::gradient(const Value& y, const Expression& by) {
    const int q = *by.symbol;
    if (y.is_number() || !y.node->requires_gradient()) return number(0);
    const std::tuple key(version_, y.node->index(), q);
    auto known = gradients_.find(key);
    if (known == gradients_.end()) known = gradients_.emplace(key, gradient_by_array(*y.node, q)).first;
    return known->second ? indexed(*known->second, model_.quantity(q).ranges, by.indices) : number(0);
}

std::optional<Variable> Lowerer::gradient_by_array(const Variable& y, int q) {
    const Variable x = array(q);
    if (!recurrences_.contains(q) || is_among(version_->held, q)) {
        if (!x.requires_gradient()) return {};
        const std::size_t walk = tape().size();
        const Variable result = grad(y, x);
        noted(result, model_.quantity(q).letters);
        is_backward(walk);
        return result;
    }
    const auto [along, rest] = split(q);
    std::vector<Variable> steps;
    const Letters outer = std::exchange(fixed_, Letters(model_.letters.size(), -1));
    each(along, [&, &letters = along] { steps.push_back(step(q, values_of(letters))); });
    const std::size_t walk = tape().size();
    const std::vector<Variable> gradients = grad(y, steps);
    is_backward(walk);
    std::size_t i = 0;
    const Value all = stacked(along, [&, &others = rest] { return Value{gradients[i++], 0, others}; });
    fixed_ = outer;
    return *arranged(all, model_.quantity(q).letters).node;
}

}  // namespace lab::lowering
