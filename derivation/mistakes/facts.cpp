#include <derivation/mistakes/facts.hpp>

namespace derivation {

bool is_bias(const Model& model, std::optional<int> quantity) {
    if (!quantity || model.quantity(*quantity).role != Role::given) return false;
    bool added = false;
    const auto look = [&](auto& self, const Expression& e) -> bool {
        if (e.kind == Kind::product || e.kind == Kind::power) {
            const bool before = added;
            const bool only_added = std::ranges::all_of(e.children, [&](const Expression& child) {
                return (child.kind != Kind::entry || child.symbol != quantity) && self(self, child);
            });
            if (e.kind == Kind::product) added = before;
            return only_added;
        }
        for (const Expression& child : e.children) {
            if (e.kind == Kind::add && child.kind == Kind::entry && child.symbol == quantity) added = true;
            if (!self(self, child)) return false;
        }
        return true;
    };
    for (const Quantity& other : model.quantities)
        if (!has_derivative(other.definition) && !look(look, other.definition)) return false;
    return added;
}

bool has_cross_entropy(const Model& model, std::optional<int> loss) {
    // The logarithm of a sigmoid or of a softmax, by whatever name; that of 1 + exp(z) is none.
    const auto squashes = [](const Expression& e) {
        return is_call(e, "sigmoid") || is_call(e, "softmax") || is_call(e, "exp");
    };
    const auto is_probability = [&](const Expression& e) {
        if (e.kind != Kind::entry || !e.symbol) return is_call(e, "sigmoid") || is_call(e, "softmax");
        return any_part(model.quantity(e).definition, squashes);
    };
    return any_behind(model, loss, [&](const Expression& e) {
        if (is_call(e, "softplus")) return true;
        return is_call(e, "log") && (any_part(e.argument(), is_probability) ||
                                     (e.argument().kind == Kind::product && any_part(e.argument(), squashes)));
    });
}

bool uses_adjoint(const Editing& editing) {
    return any_part(editing.member, [&](const Expression& e) {
        if (e.kind == Kind::derivative) return true;
        if (e.kind != Kind::entry) return false;
        return std::ranges::any_of(editing.model.quantities_named(e.name),
                                   [&](int q) { return has_derivative(editing.model.quantity(q).definition); });
    });
}

std::string name_of_removed(const Editing& editing, const Expression& factor) {
    const Model& model = editing.model;
    const bool derivative = factor.kind == Kind::iverson || any_part(factor, [](const Expression& e) {
                                return (e.kind == Kind::call && e.order > 0) ||
                                       (e.kind == Kind::add && e.children.size() == 2 && is_number(e.children[0], 1));
                            });
    if (derivative)
        return uses_adjoint(editing)                  ? "derivative-twice"
               : has_cross_entropy(model, editing.of) ? "extra-derivative"
                                                      : "extra-factor";
    // What a weight would be multiplied by is no function.
    const bool is_input =
        any_part(factor, [](const Expression& e) { return e.kind == Kind::entry; }) &&
        !any_part(factor, [](const Expression& e) { return e.kind == Kind::call || e.kind == Kind::norm; });
    return is_input && is_bias(model, editing.by) ? "input-on-bias" : "extra-factor";
}

std::string name_of_exchange(const Model& model, int wrong, int right) {
    const auto is_activation = [&](int a, int z) {
        const Expression& definition = model.quantity(a).definition;
        return definition.kind == Kind::call && mentions(definition, z);
    };
    const auto is_softmax = [&](int p, int z) {
        return mentions(model.quantity(p).definition, z) &&
               any_part(model.quantity(p).definition, [](const Expression& e) { return is_call(e, "exp"); });
    };
    if (has_derivative(model.quantity(wrong).definition) || has_derivative(model.quantity(right).definition))
        return "other-adjoint";
    if (is_activation(right, wrong) || is_activation(wrong, right)) return "preactivation-for-activation";
    if (is_softmax(right, wrong) || is_softmax(wrong, right)) return "logit-for-probability";
    for (const Quantity& quantity : model.quantities)
        if (any_part(quantity.definition, [&](const Expression& e) {
                return e.kind == Kind::product && mentions(e, wrong) && mentions(e, right);
            }))
            return "input-for-weight";
    return "wrong-name";
}

bool is_parameter(const Editing& editing, const Expression& term) {
    return term.kind == Kind::entry && term.order == 0 && term.name == editing.line.members[0].name;
}

Expression times(double factor, const Expression& e) {
    if (factor < 1) return product_of({quotient_of(number_of(1), number_of(1 / factor)), e});
    Parts factors = factors_of(e);
    factors.insert(factors.begin(), {number_of(factor), Joint::times});
    if (factors.size() > 1 && factors[1].joint != Joint::divided) factors[1].joint = Joint::times;
    return product_of_factors(factors);
}

std::vector<Expression> sizes(const Editing& editing) {
    std::vector<Expression> found;
    const Model& model = editing.model;
    for (int r = 0; r < static_cast<int>(model.ranges.size()); ++r) {
        bool named = false;
        for (const Quantity& quantity : model.quantities)
            if (quantity.role == Role::constant && quantity.values.size() == 1 &&
                quantity.values[0] == model.range(r).size) {
                found.push_back(entry_of(quantity.name, {}));
                named = true;
            }
        if (!named) found.push_back(call_of("size", 0, letter_of(editing.letters_of_range(r)[0])));
    }
    return found;
}

std::vector<Expression> scalars(const Editing& editing) {
    constexpr std::size_t most = 12;
    const Model& model = editing.model;
    std::vector<Expression> found;
    const auto add = [&](const Expression& e) {
        if (found.size() < most && std::ranges::none_of(found, [&](const Expression& one) { return same(one, e); }))
            found.push_back(e);
    };
    const auto is_scalar_entry = [&](const Expression& e) {
        return e.kind == Kind::entry && e.indices.empty() && e.order == 0 &&
               std::ranges::any_of(model.quantities_named(e.name), [&](int q) {
                   return model.quantity(q).ranges.empty() && q != editing.of &&
                          !has_derivative(model.quantity(q).definition);
               });
    };
    const auto is_of_scalars = [&](const Expression& e) {
        return !any_part(e, [&](const Expression& x) {
            return x.kind == Kind::letter || x.kind == Kind::reduce || x.kind == Kind::derivative ||
                   x.kind == Kind::iverson || (x.kind == Kind::entry && !is_scalar_entry(x));
        }) && any_part(e, is_scalar_entry);
    };
    const auto look = [&](auto& self, const Expression& e) -> void {
        if ((e.kind == Kind::power || (e.kind == Kind::call && e.children.size() == 1)) && is_of_scalars(e)) add(e);
        for (const Expression& child : e.children) self(self, child);
    };
    for (const Quantity& quantity : model.quantities) look(look, quantity.written);
    for (const Quantity& quantity : model.quantities)
        if (const Expression entry = entry_of(quantity.name, {}); quantity.ranges.empty() && is_scalar_entry(entry))
            add(entry);
    // What something is divided by, and its square: d(1/s) is -ds/s^2.
    const auto look_below = [&](auto& self, const Expression& e) -> void {
        for (std::size_t i = 0; e.kind == Kind::product && i < e.children.size(); ++i)
            if (e.joints[i] == Joint::divided && e.children[i].kind != Kind::number && e.children[i].indices.empty()) {
                add(e.children[i]);
                if (is_scalar_entry(e.children[i])) add(power_of(e.children[i], number_of(2)));
            }
        for (const Expression& child : e.children) self(self, child);
    };
    for (const Quantity& quantity : model.quantities) look_below(look_below, quantity.written);
    return found;
}

bool looks_like_derivative(const Expression& e) {
    if (e.kind == Kind::call) return e.order > 0;
    if (e.kind == Kind::iverson) return true;
    return e.kind == Kind::add && e.children.size() == 2 && is_number(e.children[0], 1);
}

std::vector<Expression> adjoints(const Editing& editing, const Names& letters) {
    std::vector<Expression> found;
    const Model& model = editing.model;
    for (int q = 0; q < model.count(); ++q) {
        if (!has_derivative(model.quantity(q).definition)) continue;
        for (Expression& entry : editing.entries_of(q, letters, 3)) found.push_back(std::move(entry));
    }
    if (!editing.of || !model.quantity(*editing.of).ranges.empty()) return found;
    const Expression loss = entry_of(model.quantity(*editing.of).name, {});
    for (int q = 0; q < model.count(); ++q) {
        if (model.quantity(q).role != Role::definition || q == editing.by || q == editing.of ||
            !depends_on(model, *editing.of, q))
            continue;
        for (Expression& entry : editing.entries_of(q, letters, 3))
            found.push_back(derivative_of(loss, std::move(entry)));
    }
    return found;
}

}  // namespace derivation
