// Edits of names: the right place, another quantity.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

}  // namespace

/// dC/dp[k] for dC/dz[k], as a derivative or as a name for one.
void exchanged_adjoint(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        const bool names_one =
            node.kind == Kind::entry && std::ranges::any_of(editing.model.quantities_named(node.name), [&](int q) {
                return editing.model.quantity(q).definition.kind == Kind::derivative;
            });
        if ((node.kind != Kind::derivative || node.order != 1) && !names_one) return;
        const Expression saved = node;
        if (!names_one && node.denominator().kind == Kind::entry) {
            const std::vector<int> named = editing.model.quantities_named(node.denominator().name);
            for (const Quantity& other : editing.model.quantities) {
                if (other.role != Role::definition || other.name == node.denominator().name ||
                    std::ranges::none_of(named,
                                         [&](int q) { return editing.model.quantity(q).ranges == other.ranges; }))
                    continue;
                node.denominator().name = other.name;
                commit(saved.span,
                       fmt::format("The adjoint of another quantity: {} stands where {} belongs.", to_text(saved),
                                   to_text(node)),
                       {});
                node = saved;
            }
        }
        for (const Expression& adjoint : adjoints(editing, letters)) {
            if (same(adjoint, saved)) continue;
            node = adjoint;
            commit(saved.span,
                   fmt::format("The adjoint of another quantity: {} stands where {} belongs.", to_text(saved),
                               to_text(adjoint)),
                   {});
        }
        node = saved;
    });
}

void exchanged_name(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::entry) return;
        const Expression saved = node;
        const std::vector<int> named = editing.model.quantities_named(saved.name);
        if (named.empty() || saved.name == "1") return;
        int wrong = named[0];
        for (const int q : named) {
            const std::vector<int>& ranges = editing.model.quantity(q).ranges;
            if (std::ranges::equal(saved.indices, ranges, [&](const Index& index, int range) {
                    return !index.is_letter() || editing.range_of(index.terms[0].name) == range;
                }))
                wrong = q;
        }
        const auto try_entry = [&](int q, const Expression& entry) {
            node = entry;
            node.span = saved.span;
            const std::string name = name_of_exchange(editing.model, wrong, q);
            commit(saved.span,
                   fmt::format("{}{} stands where {} belongs.",
                               name == "other-adjoint" ? "The adjoint of another quantity: " : "", to_text(saved),
                               to_text(entry)),
                   name);
            node = saved;
        };
        for (int q = 0; q < editing.model.count(); ++q) {
            const Quantity& right = editing.model.quantity(q);
            if (right.ranges == editing.model.quantity(wrong).ranges && right.name != saved.name) {
                Expression entry = saved;
                entry.name = right.name;
                entry.order = 0;
                try_entry(q, entry);
            }
        }
        for (int q = 0; q < editing.model.count(); ++q)
            for (const Expression& entry : editing.entries_of(q, letters, 3))
                if (!same(entry, saved)) try_entry(q, entry);
        // c[j] for tanh(c[j])
        for (const Activation& activation : editing.activations())
            for (const Expression& call : editing.instances(activation.call, activation.letters, letters)) {
                if (!same(call.argument(), saved)) continue;
                node = call;
                commit(saved.span, fmt::format("{} stands where {} belongs.", to_text(saved), to_text(call)),
                       "preactivation-for-activation");
                node = saved;
            }
    });
}

}  // namespace derivation
