#include <algorithm>
#include <derivation/formula/building.hpp>
#include <derivation/judge/states.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/target.hpp>
#include <utility>

namespace derivation {

bool is_constant(const Model& model, const Expression& e) {
    return !any_part(e, [&](const Expression& x) {
        return x.kind == Kind::letter || x.kind == Kind::reduce || x.kind == Kind::derivative ||
               (x.kind == Kind::entry && model.quantity(x).role != Role::constant);
    });
}

namespace {

void add_once(std::vector<Expression>& all, const Expression& e) {
    constexpr std::size_t most = 10;
    if (all.size() < most && std::ranges::none_of(all, [&](const Expression& one) { return same(one, e); }))
        all.push_back(e);
}

/// The factors of a formula that are made of constants, alone and together.
void add_constants(const Model& model, const Expression& e, std::vector<Expression>& all) {
    if (is_constant(model, e)) {
        if (e.kind == Kind::add && e.children.size() == 1) return add_constants(model, e.children[0], all);
        return add_once(all, e);
    }
    if (e.kind == Kind::product) {
        Parts together;
        for (const Part& part : factors_of(e))
            if (is_constant(model, part.expression)) together.push_back(part);
        if (!together.empty()) add_once(all, product_of_factors(together));
    }
    for (const Expression& child : e.children) add_constants(model, child, all);
}

/// 1 as well.
std::vector<Expression> constants_of(const Model& model, const Expression& e) {
    std::vector<Expression> all = {number_of(1)};
    add_constants(model, e, all);
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

Expression squared(const Expression& e) { return power_of(e, number_of(2)); }

Expression larger_of(const Expression& a, const Expression& b) {
    Expression e = call_of("max", 0, a);
    e.children.push_back(b);
    return e;
}

bool is_extremum(const Expression& e) { return is_call(e, "max") || is_call(e, "min"); }

/// Whether the formula of a state is none that is known here, as that of clipped gradients or of AMSGrad, whose largest
/// is that of another state.
bool is_of_another_kind(const Model& model, const Line& update) {
    const Expression &m = update.checked.members[0], &right = update.checked.members[1];
    if (!any_part(right, is_extremum)) return false;
    const auto has_extremum = [](const Expression& e) { return any_part(e, is_extremum); };
    if (!is_call(right, "max") || std::ranges::any_of(right.children, has_extremum)) return true;
    if (!depends_on(model, right, *m.symbol)) return false;
    for (int q = 0; q < model.count(); ++q)
        if (q != *m.symbol && model.quantity(q).role == Role::given && depends_on(model, right, q) &&
            !depends_on(model, *update.loss, q))
            return true;
    return false;
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
    const auto is_next = [&](const Expression& next) {
        return Target(model, points, next, update.checked.free).holds(right);
    };
    const auto found = [&](Gathers gathers, const Expression& decay, const Expression& gradient, double sign) {
        state.is_right = true;
        state.gathers = gathers;
        state.decay = decay;
        state.gradient = gradient;
        state.sign = sign;
        return judged;
    };
    const bool has_largest = any_part(right, [](const Expression& e) { return is_call(e, "max"); });
    for (const Expression& gradient : all) {
        const Expression size = call_of("abs", 0, gradient);
        for (const Expression& a : constants)
            for (const Expression& b : constants) {
                const Expression kept = product_of({a, m});
                if (has_largest)
                    for (const Expression& other : {size, sum_of(size, b, Joint::plus)})
                        if (is_next(larger_of(kept, other))) return found(Gathers::largest, a, gradient, 1);
                const Expression one = product_of({b, gradient}), square = product_of({b, squared(gradient)});
                if (is_next(sum_of(kept, one, Joint::plus))) return found(Gathers::gradients, a, gradient, 1);
                if (is_next(sum_of(kept, one, Joint::minus))) return found(Gathers::gradients, a, gradient, -1);
                // Squares are gathered, not taken away.
                if (is_next(sum_of(kept, square, Joint::plus))) return found(Gathers::squares, a, gradient, 1);
            }
    }
    if (all.empty()) return judged;
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
    const Expression kept = product_of({a, m}), &gradient = all[0];
    judged.meant = {sum_of(kept, product_of({b, gradient}), Joint::plus),
                    sum_of(kept, product_of({b, squared(gradient)}), Joint::plus)};
    if (has_largest) judged.meant = {larger_of(kept, call_of("abs", 0, gradient))};
    state.is_known = !is_of_another_kind(model, update);
    state.gradient = all[0];
    return judged;
}

}  // namespace derivation
