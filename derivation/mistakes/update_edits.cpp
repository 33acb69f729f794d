// Edits of updates.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

}  // namespace

void climbs(Editing& editing) {
    if (!editing.line.is_update) return;
    Parts terms = terms_of(editing.member);
    for (Part& term : terms)
        if (!is_parameter(editing, term.expression))
            term.joint = term.joint == Joint::minus ? Joint::plus : Joint::minus;
    editing.offer(sum_of_terms(terms), editing.member.span);
}

void missing_rate(Editing& editing) {
    if (!editing.line.is_update) return;
    for (const int rate : possible_rates(editing.model, *editing.line.loss)) {
        Parts terms = terms_of(editing.member);
        Span where = editing.member.span;
        for (Part& term : terms)
            if (!is_parameter(editing, term.expression)) {
                where = term.expression.span;
                Parts factors = factors_of(term.expression);
                factors[0].joint = factors[0].joint == Joint::divided ? Joint::divided : Joint::times;
                factors.insert(factors.begin(), {entry_of(editing.model.quantity(rate).name, {}), Joint::times});
                if (editing.arrays && factors.size() > 1) factors[1].joint = Joint::times;
                term.expression = product_of_factors(factors);
            }
        editing.offer(sum_of_terms(terms), where);
    }
}

void missing_old_value(Editing& editing) {
    if (!editing.line.is_update) return;
    const Parts terms = terms_of(editing.member);
    if (std::ranges::any_of(terms, [&](const Part& term) { return is_parameter(editing, term.expression); })) return;
    for (const bool step_is_negated : {false, true}) {
        Parts all = {{editing.line.members[0], Joint::plus}};
        for (const Part& term : terms)
            all.push_back(
                {term.expression, (term.joint == Joint::minus) == step_is_negated ? Joint::minus : Joint::plus});
        editing.offer(sum_of_terms(all), editing.member.span);
    }
}

void updated_weights(Editing& editing) {
    Expression all = editing.member;
    const auto strip = [](auto& self, Expression& e) -> bool {
        bool any = false;
        if (e.kind == Kind::entry && e.order == 1) {
            e.order = 0;
            any = true;
        }
        for (Expression& child : e.children) any = self(self, child) || any;
        return any;
    };
    if (strip(strip, all)) editing.offer(all, editing.member.span);
}

/// sqrt(v) for sqrt(new(v))
void old_state(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::entry || node.order != 0) return;
        const Expression saved = node;
        node.order = 1;
        const bool is_state =
            std::ranges::any_of(editing.line.new_values, [&](const auto& value) { return same(value.first, node); });
        if (is_state)
            commit(saved.span,
                   fmt::format("The old value of {} is used; a step goes by the new one, {}.", to_text(saved),
                               to_text(node)),
                   {});
        node = saved;
    });
}

/// 1 - a^t beside 1 - b^s, or beside 1 - b.
void number_of_steps(Editing& editing) {
    if (!editing.line.is_update) return;
    std::vector<Expression> counts;
    any_part(editing.member, [&](const Expression& e) {
        if (e.kind == Kind::power && std::ranges::none_of(counts, [&](auto& one) { return same(one, e.exponent()); }))
            counts.push_back(e.exponent());
        return false;
    });
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        const bool is_weight = saved.kind == Kind::add && saved.children.size() == 2 &&
                               saved.joints[1] == Joint::minus && is_number(saved.children[0], 1);
        if (!is_weight) return;
        const Expression rate = saved.children[1].kind == Kind::power ? saved.children[1].base() : saved.children[1];
        for (const Expression& count : counts) {
            node.children[1] = power_of(rate, count);
            if (!same(node, saved))
                commit(saved.span,
                       fmt::format("The means are divided as after different numbers of steps: {} belongs here.",
                                   to_text(node)),
                       {});
        }
        node = saved;
    });
}

/// 1 - b^t below the mean of a, and 1 - a^t below that of b.
void exchanged_rates(Editing& editing) {
    if (!editing.line.is_update) return;
    std::vector<Expression> rates;
    const auto is_correction = [](const Expression& e) {
        return e.kind == Kind::add && e.children.size() == 2 && e.joints[1] == Joint::minus &&
               is_number(e.children[0], 1) && e.children[1].kind == Kind::power;
    };
    any_part(editing.member, [&](const Expression& e) {
        if (is_correction(e) && std::ranges::none_of(rates, [&](auto& one) { return same(one, e.children[1].base()); }))
            rates.push_back(e.children[1].base());
        return false;
    });
    if (rates.size() != 2) return;
    const auto exchange = [&](auto& self, Expression& e) -> void {
        if (is_correction(e))
            e.children[1].base() = same(e.children[1].base(), rates[0]) ? rates[1] : rates[0];
        else
            for (Expression& child : e.children) self(self, child);
    };
    Expression member = editing.member;
    exchange(exchange, member);
    editing.offer(std::move(member), editing.member.span,
                  fmt::format("{} and {} stand in each other's place: a mean is divided by 1 less a power of the rate "
                              "at which it forgets.",
                              to_text(rates[0]), to_text(rates[1])));
}

}  // namespace derivation
