// Edits of matrices with inverses, traces and determinants.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/resolve/lookup.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

std::size_t count_inverses(const Expression& e) {
    std::size_t count = is_inverse(e) ? 1 : 0;
    for (const Expression& child : e.children) count += count_inverses(child);
    return count;
}

/// Whether the name is one array, a square matrix.
bool is_square_name(const Editing& editing, const Expression& e) {
    return e.kind == Kind::entry && e.indices.empty() &&
           std::ranges::any_of(editing.model.quantities_named(e.name), [&](int q) {
               const std::vector<int>& ranges = editing.model.quantity(q).ranges;
               return ranges.size() == 2 && ranges[0] == ranges[1];
           });
}

Expression inverse_of(const Expression& e) {
    if (is_inverse(e)) return e.base();
    return power_of(e, negated(number_of(1)));
}

void turn_inverses(Expression& e) {
    const bool turned_already = e.kind == Kind::transpose && is_inverse(e.argument());
    if (is_inverse(e) || turned_already)
        e = turned(e);
    else
        for (Expression& child : e.children) turn_inverses(child);
}

}  // namespace

/// A^-T for A^-1, one of them or all.
void transposed_inverse(Editing& editing) {
    if (!editing.arrays || count_inverses(editing.member) == 0) return;
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        if (!is_inverse(saved) && (saved.kind != Kind::transpose || !is_inverse(saved.argument()))) return;
        node = turned(saved);
        commit(saved.span, fmt::format("The inverse stands transposed: {} belongs here.", to_text(node)), {});
    });
    if (count_inverses(editing.member) < 2) return;
    Expression all = editing.member;
    turn_inverses(all);
    editing.offer(std::move(all), editing.member.span, "The inverses stand transposed.");
}

/// -A^-1 B A^-1 for A^-1 B A^-1.
void sign_of_inverse(Editing& editing) {
    if (!editing.arrays || !editing.by) return;
    const auto is_from_inverse = [](const Expression& term) {
        const Expression& e = term.kind == Kind::add && term.children.size() == 1 ? term.children[0] : term;
        return (e.kind == Kind::product || e.kind == Kind::transpose || is_call(e, "tr")) && count_inverses(e) > 1;
    };
    static constexpr const char* words =
        "The sign is the wrong one: the derivative of an inverse has a minus, d(A^-1) = -A^-1 dA A^-1.";
    if (is_from_inverse(editing.member)) editing.offer(negated(editing.member), editing.member.span, words);
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::add || node.children.size() < 2) return;
        const Parts saved = terms_of(node);
        for (std::size_t i = 0; i < saved.size(); ++i) {
            if (!is_from_inverse(saved[i].expression)) continue;
            Parts terms = saved;
            terms[i].joint = terms[i].joint == Joint::minus ? Joint::plus : Joint::minus;
            node = sum_of_terms(terms);
            commit(saved[i].expression.span, words, {});
        }
    });
}

/// A^-1 for A, and A for A^-1.
void inverse_forgotten(Editing& editing) {
    if (!editing.arrays) return;
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        const bool is_sum = saved.kind == Kind::add && saved.children.size() > 1;
        if (!is_inverse(saved) && !is_sum && !is_square_name(editing, saved)) return;
        node = inverse_of(saved);
        commit(saved.span,
               is_inverse(saved) ? fmt::format("An inverse stands here where {} belongs.", to_text(node))
                                 : fmt::format("The inverse belongs here: {}.", to_text(node)),
               {});
    });
}

/// tr(A B C) is tr(B C A), but not tr(B A C).
void order_in_trace(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (!is_call(node, "tr") || node.children.size() != 1 || node.argument().kind != Kind::product) return;
        const Expression saved = node;
        for (std::size_t i = 0; i + 1 < saved.argument().children.size(); ++i)
            for (std::size_t k = i + 1; k < saved.argument().children.size(); ++k) {
                node = saved;
                std::swap(node.argument().children[i], node.argument().children[k]);
                commit(saved.span,
                       "The factors in a trace may go round, tr(A B C) = tr(B C A), but no two of them alone change "
                       "places.",
                       {});
            }
    });
}

/// A + 1 or A + lambda for A + lambda I.
void missing_identity(Editing& editing) {
    if (!editing.arrays) return;
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const auto is_array = [&](const Expression& term) { return is_of_arrays(editing.model, term); };
        if (node.kind != Kind::add || std::ranges::none_of(node.children, is_array)) return;
        const Parts saved = terms_of(node);
        for (std::size_t i = 0; i < saved.size(); ++i) {
            const Expression& term = saved[i].expression;
            if (is_array(term)) continue;
            const Expression identity = entry_of("I", {});
            Parts terms = saved;
            terms[i].expression = identity;
            if (!is_number(term, 1))
                terms[i].expression = product_of_factors({{term, Joint::times}, {identity, Joint::juxtaposed}});
            node = sum_of_terms(terms);
            commit(term.span,
                   fmt::format("A number is added to every entry: {} belongs here.", to_text(terms[i].expression)), {});
        }
    });
}

/// det(A) A^-T for A^-T.
void missing_determinant(Editing& editing) {
    if (!editing.arrays || !editing.by || editing.line.members.empty()) return;
    Expression of = editing.line.members[0];
    if (of.kind == Kind::derivative) of = Expression(of.numerator());
    if (of.kind == Kind::entry && editing.of) of = editing.model.quantity(*editing.of).written;
    const auto offer = [&](auto& self, const Expression& e) -> void {
        if (is_call(e, "det"))
            editing.offer(product_of_factors({{e, Joint::times}, {editing.member, Joint::juxtaposed}}),
                          editing.member.span, fmt::format("The determinant is missing as a factor: {}.", to_text(e)));
        for (const Expression& child : e.children) self(self, child);
    };
    offer(offer, of);
}

/// t^n det(A) for t det(A), where det(t A) is meant.
void power_in_determinant(Editing& editing) {
    const auto is_determinant = [](const Expression& e) { return is_call(e, "det"); };
    if (!editing.arrays || !any_part(editing.member, is_determinant)) return;
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::entry || is_of_arrays(editing.model, node)) return;
        const Expression saved = node;
        for (const Quantity& matrix : editing.model.quantities) {
            if (matrix.ranges.size() != 2 || matrix.ranges[0] != matrix.ranges[1]) continue;
            const Names letters = editing.letters_of_range(matrix.ranges[0]);
            if (letters.empty()) continue;
            node = power_of(saved, call_of("size", 0, letter_of(letters[0])));
            commit(saved.span,
                   fmt::format("A determinant has a factor of its matrix once for each row: {} belongs here.",
                               to_text(node)),
                   {});
        }
        node = saved;
    });
}

}  // namespace derivation
