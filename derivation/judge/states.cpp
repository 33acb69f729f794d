#include <algorithm>
#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/judge/states.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/target.hpp>

namespace derivation {

namespace {

bool is_constant(const Model& model, const Expression& e) {
    return !any_part(e, [&](const Expression& x) {
        return x.kind == Kind::letter || x.kind == Kind::reduce || x.kind == Kind::derivative ||
               (x.kind == Kind::entry && model.quantity(x).role != Role::constant);
    });
}

void add_once(std::vector<Expression>& all, const Expression& e) {
    constexpr std::size_t most = 10;
    if (all.size() < most && std::ranges::none_of(all, [&](const Expression& one) { return same(one, e); }))
        all.push_back(e);
}

/// The factors of a formula that are made of constants, alone and together; `apart` is left out.
void add_constants(const Model& model, const Expression& e, const std::vector<Expression>& apart,
                   std::vector<Expression>& all) {
    if (std::ranges::any_of(apart, [&](const Expression& one) { return same(one, e); })) return;
    if (is_constant(model, e)) {
        if (e.kind == Kind::add && e.children.size() == 1) return add_constants(model, e.children[0], apart, all);
        return add_once(all, e);
    }
    if (e.kind == Kind::product) {
        Parts together;
        for (const Part& part : factors_of(e))
            if (is_constant(model, part.expression)) together.push_back(part);
        if (!together.empty()) add_once(all, product_of_factors(together));
    }
    for (const Expression& child : e.children) add_constants(model, child, apart, all);
}

/// 1 as well.
std::vector<Expression> constants_of(const Model& model, const Expression& e,
                                     const std::vector<Expression>& apart = {}) {
    std::vector<Expression> all = {number_of(1)};
    add_constants(model, e, apart, all);
    return all;
}

/// The gradients of the loss by everything given that has the ranges of this entry.
std::vector<Expression> gradients(const Model& model, const Line& update) {
    const Expression& entry = update.checked.members[0];
    std::vector<Expression> found;
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& quantity = model.quantity(q);
        if (quantity.role != Role::given || quantity.ranges != model.quantity(entry).ranges || q == entry.symbol ||
            !depends_on(model, *update.loss, q))
            continue;
        Expression by = entry;
        by.name = quantity.name;
        by.symbol = q;
        Expression loss = entry_of(model.quantity(*update.loss).name, {});
        loss.symbol = update.loss;
        found.push_back(derivative_of(std::move(loss), std::move(by)));
    }
    return found;
}

Expression sum(const Expression& a, const Expression& b, Joint joint) {
    return sum_of_terms({{a, Joint::plus}, {b, joint}});
}

/// The formula of a state at the letters of another entry.
Expression at_entry(const Model& model, Expression e, const StateUpdate& state, const Expression& entry) {
    std::vector<Substitution> all;
    for (std::size_t i = 0; i < state.letters.size() && i < entry.indices.size(); ++i)
        if (entry.indices[i].is_letter() || !entry.indices[i].terms.empty()) {
            const int to = *entry.indices[i].terms[0].letter;
            all.push_back({state.letters[i], to, model.letter(to).name});
        }
    substitute(e, all);
    return e;
}

}  // namespace

JudgedState judged_state(const Model& model, std::vector<Point>& points, const Line& update) {
    const Expression &m = update.checked.members[0], &right = update.checked.members[1];
    JudgedState judged;
    StateUpdate& state = judged.state;
    state.symbol = *m.symbol;
    state.line = update.number;
    state.next = right;
    for (const Index& index : m.indices)
        if (!index.terms.empty()) state.letters.push_back(*index.terms[0].letter);
    const std::vector<Expression> constants = constants_of(model, right), all = gradients(model, update);
    for (const Expression& gradient : all)
        for (const int power : {1, 2})
            for (const Expression& a : constants)
                for (const Expression& b : constants)
                    for (const Joint joint : {Joint::plus, Joint::minus}) {
                        if (power == 2 && joint == Joint::minus) continue;  // squares are gathered, not taken away
                        const Expression g = power == 1 ? gradient : power_of(gradient, number_of(2));
                        const Expression next = sum(product_of({a, m}), product_of({b, g}), joint);
                        if (!state.is_right && Target(model, points, next, update.checked.free).holds(right)) {
                            state.is_right = true;
                            state.power = power;
                            state.gradient = gradient;
                            state.sign = joint == Joint::plus ? 1 : -1;
                        }
                    }
    if (state.is_right || all.empty()) return judged;
    // a m + g, with the first constant that has a name.
    Expression a = number_of(1);
    for (const Expression& one : constants)
        if (one.kind == Kind::entry) {
            a = one;
            break;
        }
    // Of a running mean 1 - a.
    Expression b = number_of(1);
    for (const Expression& one : constants)
        if (one.kind == Kind::add && one.children.size() == 2 && is_number(one.children[0], 1)) {
            b = one;
            break;
        }
    judged.meant = sum(product_of({a, m}), product_of({b, all[0]}), Joint::plus);
    judged.meant_squared = sum(product_of({a, m}), product_of({b, power_of(all[0], number_of(2))}), Joint::plus);
    state.gradient = all[0];
    return judged;
}

JudgedStep judged_step(const Model& model, std::vector<Point>& points, const Line& update,
                       const std::vector<StateUpdate>& states) {
    const Expression &p = update.checked.members[0], &right = update.checked.members[1];
    std::vector<Expression> apart;
    for (const StateUpdate& state : states) apart.push_back(at_entry(model, state.next, state, p));
    const std::vector<Expression> constants = constants_of(model, right, apart);
    JudgedStep judged;
    const auto tries = [&](const Expression& step, double sign) {
        for (const Expression& c : constants)
            for (const Joint joint : {Joint::minus, Joint::plus}) {
                if (judged.is_right || judged.climbs) return;
                const Expression next = sum(p, product_of({c, step}), joint);
                if (!Target(model, points, next, update.checked.free).holds(right)) continue;
                const double direction = (joint == Joint::minus ? 1 : -1) * sign;
                if ((direction > 0) != update.ascends)
                    judged.is_right = true;
                else
                    judged.climbs = true;
                judged.meant = sum(p, product_of({c, step}), joint == Joint::minus ? Joint::plus : Joint::minus);
            }
    };
    for (const StateUpdate& state : states) {
        if (state.power != 1) continue;
        const Expression m = at_entry(model, state.next, state, p), g = at_entry(model, state.gradient, state, p);
        if (judged.meant.kind == Kind::number)
            judged.meant = sum(p, product_of({constants.back(), m}), update.ascends ? Joint::plus : Joint::minus);
        tries(m, state.sign);
        for (const Expression& a : constants) {
            // Nesterov: the gradient, and the state on top.
            tries(sum(g, product_of({a, m}), Joint::plus), 1);
            if (state.sign > 0) continue;
            for (const Expression& b : constants)
                tries(sum(product_of({a, m}), product_of({b, g}), Joint::minus), state.sign);
        }
    }
    // Adam, RMSprop.
    for (const StateUpdate& second : states) {
        if (second.power != 2) continue;
        const Expression v = at_entry(model, second.next, second, p);
        std::vector<std::pair<Expression, double>> numerators = {{at_entry(model, second.gradient, second, p), 1}};
        for (const StateUpdate& first : states)
            if (first.power == 1) numerators.emplace_back(at_entry(model, first.next, first, p), first.sign);
        std::vector<Expression> small = constants;
        small.push_back(number_of(0));
        for (const auto& [numerator, sign] : numerators)
            for (const Expression& scale : constants)
                for (const Expression& eps : small) {
                    const Expression mean = product_of({scale, v});
                    tries(quotient_of(numerator, sum(call_of("sqrt", 0, mean), eps, Joint::plus)), sign);
                    tries(quotient_of(numerator, call_of("sqrt", 0, sum(mean, eps, Joint::plus))), sign);
                }
    }
    return judged;
}

}  // namespace derivation
