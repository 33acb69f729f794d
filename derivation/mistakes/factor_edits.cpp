// Edits of factors: one too many, one too few, or one on the wrong side of a fraction.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

/// The brackets and sums that definitions multiply by, as 1 - z of a gate, each with the letters of its definition.
std::vector<std::pair<Expression, std::vector<int>>> factors_of_definitions(const Editing& editing) {
    constexpr std::size_t most = 12;
    std::vector<std::pair<Expression, std::vector<int>>> found;
    for (const Quantity& quantity : editing.model.quantities) {
        const auto look = [&](auto& self, const Expression& e) -> void {
            for (std::size_t i = 0; e.kind == Kind::product && i < e.children.size(); ++i) {
                const Expression& factor = e.children[i];
                const bool is_known = std::ranges::any_of(found, [&](auto& one) { return same(one.first, factor); });
                const bool is_composed =
                    (factor.kind == Kind::add && factor.children.size() > 1) || factor.kind == Kind::reduce;
                if (is_composed && !is_known && found.size() < most) found.emplace_back(factor, quantity.letters);
            }
            for (const Expression& child : e.children) self(self, child);
        };
        look(look, quantity.written);
    }
    return found;
}

}  // namespace

void jacobian_summed(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::reduce || node.letters.empty() || node.name != "sum") return;
        const Expression saved = node;
        Names inside = letters;
        for (const IndexTerm& letter : saved.letters) inside.push_back(letter.name);
        for (const Expression& adjoint : adjoints(editing, inside)) {
            if (!uses_letter(adjoint, saved.letters[0].name)) continue;
            Parts parts = factors_of(saved.body());
            parts.insert(parts.begin(), {adjoint, Joint::times});
            node.body() = product_of_factors(parts);
            commit(saved.span,
                   fmt::format("The rows of a Jacobian are summed here: each entry belongs with its adjoint {}.",
                               to_text(adjoint)),
                   {});
            node = saved;
        }
    });
}

/// 1/T, 1/sqrt(d), s^2: a number of the file as a factor or a divisor of a term, or of the whole.
void missing_scalar(Editing& editing) {
    if (editing.line.is_update && !editing.arrays) return;
    const std::vector<Expression> numbers = scalars(editing);
    const auto with = [&](Expression& node, const Expression& number, bool divides) {
        if (divides) {
            node = quotient_of(node, number);
        } else {
            Parts parts = factors_of(node);
            parts[0].joint = Joint::times;
            parts.insert(parts.begin(), {number, Joint::times});
            node = product_of_factors(parts);
        }
    };
    const auto say = [](const Expression& number, bool divides) {
        return divides ? Reason(fmt::format("A division by {} is missing.", to_text(number))) : Reason::missing(number);
    };
    for (const Expression& number : numbers)
        for (const bool divides : {true, false})
            editing.each_term([&](Expression& node, const Names&, const Commit& commit) {
                if (editing.line.is_update && is_parameter(editing, node)) return;
                const Expression saved = node;
                with(node, number, divides);
                commit(saved.span, say(number, divides), {});
                node = saved;
            });
}

/// x/v for x/sqrt(v), and s for sqrt(s) of a number with a name
void root_of_divisor(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const auto take_root = [&](Expression& divisor) {
            if (divisor.kind == Kind::number || is_call(divisor, "sqrt")) return;
            const Expression saved = divisor;
            divisor = call_of("sqrt", 0, saved);
            commit(saved.span,
                   fmt::format("A root is missing: {} stands where {} belongs.", to_text(saved), to_text(divisor)), {});
            divisor = saved;
        };
        if (node.kind == Kind::entry && node.indices.empty() && node.order == 0 && !editing.arrays) take_root(node);
        if (node.kind != Kind::product) return;
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            if (node.joints[i] != Joint::divided) continue;
            // Before a small number is added: x/(v + eps) for x/(sqrt(v) + eps).
            if (node.children[i].kind == Kind::add)
                for (Expression& term : node.children[i].children) take_root(term);
            take_root(node.children[i]);
            if (node.children[i].kind == Kind::product)
                for (Expression& factor : node.children[i].children) take_root(factor);
        }
    });
}

void missing_factor(Editing& editing) {
    // [m < 1] for max(0, 1 - m)
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::iverson || (node.name != "<" && node.name != ">")) return;
        const Expression saved = node;
        const bool less = saved.name == "<";
        const Expression &large = less ? saved.right() : saved.left(), &small = less ? saved.left() : saved.right();
        Expression gap = large;
        if (!is_number(small, 0)) gap = sum_of_terms({{large, Joint::plus}, {small, Joint::minus}});
        node = product_of({saved, gap});
        commit(saved.span, Reason::missing(gap), {});
        node = saved;
    });
    // sum(a) for sum(y ⊙ a): of a product of vectors there is nothing to sum.
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (!editing.arrays || node.kind != Kind::reduce || !node.letters.empty()) return;
        const Expression saved = node.body();
        for (int q = 0; q < editing.model.count(); ++q)
            for (const Expression& entry : editing.entries_of(q, letters, 1)) {
                node.body() = product_of_factors({{entry, Joint::times}, {saved, Joint::elementwise}});
                commit(saved.span, Reason::missing(entry), {});
            }
    });
    // sum(i, x[i] - m) for sum(i, c[i] * (x[i] - m))
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (editing.arrays || node.kind != Kind::reduce || node.letters.empty() || node.body().kind != Kind::add)
            return;
        const Expression saved = node.body();
        Names inside = letters;
        for (const IndexTerm& letter : node.letters) inside.push_back(letter.name);
        for (int q = 0; q < editing.model.count(); ++q)
            for (const Expression& entry : editing.entries_of(q, inside, 3)) {
                node.body() = product_of({entry, saved});
                commit(saved.span, Reason::missing(entry), {});
            }
    });
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        if (editing.line.is_update && is_parameter(editing, node)) return;
        const Expression saved = node;
        const auto with = [&](const Expression& factor) {
            if (editing.arrays) {
                for (const Joint joint : {Joint::juxtaposed, Joint::elementwise}) {
                    for (const Expression& one : {factor, transpose_of(factor)}) {
                        node = product_of_factors({{saved, Joint::times}, {one, joint}});
                        commit(saved.span, Reason::missing(factor), {});
                        node = product_of_factors({{one, Joint::times}, {saved, joint}});
                        commit(saved.span, Reason::missing(factor), {});
                    }
                }
            } else {
                Parts parts = factors_of(saved);
                parts.push_back({factor, Joint::times});
                node = product_of_factors(parts);
                const bool rate = editing.line.is_update && factor.kind == Kind::entry &&
                                  std::ranges::any_of(possible_rates(editing.model, *editing.line.loss), [&](int q) {
                                      return editing.model.quantity(q).name == factor.name;
                                  });
                commit(saved.span, Reason::missing(factor), rate ? "missing-rate" : "");
                // Nobody divides by an adjoint.
                if (factor.kind != Kind::derivative && (!saved.children.empty() || saved.kind == Kind::entry)) {
                    parts.back().joint = Joint::divided;
                    node = product_of_factors(parts);
                    commit(saved.span, fmt::format("A division by {} is missing.", to_text(factor)), {});
                }
            }
            node = saved;
        };
        for (int q = 0; q < editing.model.count(); ++q)
            for (const Expression& entry : editing.entries_of(q, letters, 3)) with(entry);
        for (const auto& [factor, of_letters] : factors_of_definitions(editing))
            for (const Expression& one : editing.instances(factor, of_letters, letters, 3)) with(one);
        for (const Expression& adjoint : adjoints(editing, letters))
            if (adjoint.kind == Kind::derivative) with(adjoint);
        // w - g for w - H^-1 g
        for (const Quantity& matrix : editing.model.quantities) {
            if (!editing.arrays || matrix.ranges.size() != 2 || matrix.ranges[0] != matrix.ranges[1]) continue;
            const Expression inverse = power_of(entry_of(matrix.name, {}), negated(number_of(1)));
            node = product_of_factors({{inverse, Joint::times}, {saved, Joint::juxtaposed}});
            commit(saved.span, Reason::missing(inverse), {});
            node = saved;
        }
    });
}

/// X^T step(1 - m) for X^T (y ⊙ step(1 - m))
void missing_factor_within(Editing& editing) {
    if (!editing.arrays) return;
    for (int q = 0; q < editing.model.count(); ++q)
        editing.each_run([&](Expression& node, const Names& letters, const Commit& commit) {
            const Expression saved = node;
            const Expression& inner = saved.kind == Kind::transpose ? saved.argument() : saved;
            // On paper a matrix that is scaled by a vector is X diag(c).
            const std::vector<int> named = editing.model.quantities_named(inner.name);
            const bool is_matrix =
                inner.kind == Kind::entry && named.size() == 1 && editing.model.quantity(named[0]).ranges.size() == 2;
            for (const Expression& entry : editing.entries_of(q, letters, 1)) {
                node = is_matrix ? product_of({saved, call_of("diag", 0, entry)})
                                 : product_of_factors({{saved, Joint::times}, {entry, Joint::elementwise}});
                if (is_matrix) node.joints[1] = Joint::juxtaposed;
                commit(saved.span, Reason::missing(entry), {});
            }
        });
}

void extra_factor(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Expression saved = node;
        const Parts parts = factors_of(saved);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            node = product_of_factors(without(parts, i));
            const std::string name = name_of_removed(editing, parts[i].expression);
            Reason reason("The factor {} should not be there.", parts[i].expression);
            if (name == "input-on-bias")
                reason = Reason("The input of a bias is 1: the factor {} should not be there.", parts[i].expression);
            if (name == "derivative-twice")
                reason = Reason("The factor {} stands here although the adjoint beside it holds it already.",
                                parts[i].expression);
            if (name == "extra-derivative")
                reason =
                    Reason("The factor {} should not be there: it cancels in the cross-entropy.", parts[i].expression);
            commit(parts[i].expression.span, reason, name);
        }
        // a (1 - a) goes as a whole.
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (!looks_like_derivative(parts[i].expression)) continue;
            for (std::size_t k = 0; k < parts.size(); ++k) {
                if (k == i || (parts[k].expression.kind != Kind::entry && parts[k].expression.kind != Kind::call))
                    continue;
                node = product_of_factors(without(without(parts, std::max(i, k)), std::min(i, k)));
                const std::string name = name_of_removed(editing, parts[i].expression);
                commit(join(parts[i].expression.span, parts[k].expression.span),
                       name == "extra-derivative"
                           ? "A derivative of the activation that should not be there: it cancels in the cross-entropy."
                           : "The derivative of the activation stands here although the adjoint beside it holds it "
                             "already.",
                       name);
            }
        }
        node = saved;
    });
    if (editing.member.kind == Kind::entry || editing.member.kind == Kind::call) {
        const bool bias = is_bias(editing.model, editing.by);
        editing.offer(
            number_of(1), editing.member.span,
            bias ? "The input of a bias is 1." : fmt::format("{} stands where 1 belongs.", to_text(editing.member)),
            bias ? "input-on-bias" : "");
    }
}

void divided_for_times(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        // 1/2 is a number.
        if (node.kind != Kind::product ||
            std::ranges::all_of(node.children, [](const Expression& e) { return e.kind == Kind::number; }))
            return;
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            const Joint before = node.joints[i];
            Parts parts = factors_of(node);
            if (const Expression& number = parts[i].expression; number.kind == Kind::number && number.number < 1)
                continue;  // 1/0.5
            parts[i].joint = before == Joint::divided ? Joint::times : Joint::divided;
            const Expression saved = node;
            node = product_of_factors(parts);
            commit(saved.children[i].span,
                   before == Joint::divided ? fmt::format("{} is a factor, not a divisor.", to_text(saved.children[i]))
                                            : fmt::format("{} is a divisor, not a factor.", to_text(saved.children[i])),
                   {});
            node = saved;
        }
    });
}

}  // namespace derivation
