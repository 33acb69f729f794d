#include <derivation/mistakes/facts.hpp>

namespace derivation {

bool mentions(const Expression& e, int quantity) {
    return (e.kind == Kind::entry && e.symbol == quantity) ||
           std::ranges::any_of(e.children, [&](const Expression& child) { return mentions(child, quantity); });
}

/// Whether the quantity is only ever added: a bias.
bool is_bias(const Model& model, int quantity) {
    if (quantity < 0 || model.quantity(quantity).role != Role::given) return false;
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

bool is_call(const Expression& e, std::string_view name) { return e.kind == Kind::call && e.name == name; }

bool has_cross_entropy(const Model& model, int loss) {
    return any_behind(model, loss, [](const Expression& e) { return is_call(e, "log") || is_call(e, "softplus"); });
}

/// Whether the member names the adjoint of another quantity, which holds derivatives already.
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
    const bool derivative = any_part(factor, [](const Expression& e) { return e.kind == Kind::call && e.order > 0; }) ||
                            any_part(factor,
                                     [](const Expression& e) {
                                         return e.kind == Kind::add && e.children.size() == 2 &&
                                                e.children[0].kind == Kind::number && e.children[0].number == 1;
                                     }) ||
                            factor.kind == Kind::iverson;
    if (derivative)
        return uses_adjoint(editing)                  ? "derivative-twice"
               : has_cross_entropy(model, editing.of) ? "extra-derivative"
                                                      : "derivative-twice";
    if (is_bias(model, editing.by)) return "input-on-bias";
    return "extra-factor";
}

/// Names the row for one quantity in the place of another.
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

/// The terms of an update beside the parameter itself.
bool is_parameter(const Editing& editing, const Expression& term) {
    return term.kind == Kind::entry && term.order == 0 && term.name == editing.line.members[0].name;
}

Expression times(double factor, const Expression& e) {
    if (factor < 1) return product_of({quotient_of(number_of(1), number_of(1 / factor)), e});
    std::vector<Part> factors = factors_of(e);
    factors.insert(factors.begin(), {number_of(factor), Joint::times});
    if (factors.size() > 1 && factors[1].joint != Joint::divided) factors[1].joint = Joint::times;
    return product_of_factors(factors);
}

std::vector<Expression> sizes(const Editing& editing) {
    std::vector<Expression> found;
    for (std::size_t r = 0; r < editing.model.ranges.size(); ++r) {
        const double size = editing.model.ranges[r].size;
        bool named = false;
        for (const Quantity& quantity : editing.model.quantities)
            if (quantity.role == Role::constant && quantity.values.size() == 1 && quantity.values[0] == size) {
                found.push_back(letter_entry(quantity.name, {}));
                named = true;
            }
        const std::vector<std::string> letters = editing.letters_of_range(static_cast<int>(r));
        if (named || letters.empty()) continue;
        Expression letter;
        letter.kind = Kind::letter;
        letter.name = letters[0];
        letter.letters = {{letters[0], 1, -1}};
        found.push_back(call_of("size", 0, letter));
    }
    return found;
}

/// The factors of a derivative in a product: a (1 - a), 1 - a^2, [z > 0], f'(z).
bool looks_like_derivative(const Expression& e) {
    if (e.kind == Kind::call) return e.order > 0;
    if (e.kind == Kind::iverson) return true;
    return e.kind == Kind::add && e.children.size() == 2 && e.children[0].kind == Kind::number &&
           e.children[0].number == 1;
}

/// dA/dq or a name for it, for every q with entries in scope.
std::vector<Expression> adjoints(const Editing& editing, const Names& letters) {
    std::vector<Expression> found;
    const Model& model = editing.model;
    for (std::size_t q = 0; q < model.quantities.size(); ++q) {
        if (!has_derivative(model.quantities[q].definition)) continue;
        for (Expression& entry : editing.entries_of(static_cast<int>(q), letters, 3)) found.push_back(std::move(entry));
    }
    if (editing.of >= 0 && model.quantity(editing.of).ranges.empty())
        for (std::size_t q = 0; q < model.quantities.size(); ++q) {
            if (model.quantities[q].role != Role::definition || static_cast<int>(q) == editing.by ||
                !depends_on(model, editing.of, static_cast<int>(q)) || static_cast<int>(q) == editing.of)
                continue;
            for (Expression& entry : editing.entries_of(static_cast<int>(q), letters, 3)) {
                Expression derivative;
                derivative.kind = Kind::derivative;
                derivative.order = 1;
                derivative.children = {letter_entry(model.quantity(editing.of).name, {}), std::move(entry)};
                found.push_back(derivative);
            }
        }
    return found;
}

Expression derivative_of(Expression a, Expression b) {
    Expression d;
    d.kind = Kind::derivative;
    d.order = 1;
    d.children = {std::move(a), std::move(b)};
    return d;
}

}  // namespace derivation
