// Edits of updates.
#include <algorithm>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>

namespace derivation {

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

}  // namespace derivation
