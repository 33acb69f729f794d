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

/// dE/da * da/dz for dE/da * db/dz: what is above one d stands below another.
void broken_chain(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Expression saved = node;
        const auto is_link = [&](std::size_t i) {
            return saved.joints[i] != Joint::divided && saved.children[i].kind == Kind::derivative &&
                   saved.children[i].order == 1;
        };
        const auto joins_another = [&](std::size_t i, bool above) {
            for (std::size_t k = 0; k < saved.children.size(); ++k)
                if (k != i && is_link(k) &&
                    (above ? same(saved.children[i].numerator(), saved.children[k].denominator())
                           : same(saved.children[i].denominator(), saved.children[k].numerator())))
                    return true;
            return false;
        };
        for (std::size_t i = 0; i < saved.children.size(); ++i)
            for (std::size_t k = 0; k < saved.children.size(); ++k) {
                if (i == k || !is_link(i) || !is_link(k) || joins_another(i, false) || joins_another(k, true)) continue;
                node.children[k].numerator() = saved.children[i].denominator();
                commit(saved.children[k].span,
                       fmt::format("The chain is broken: behind {} belongs {}, not {}.", to_text(saved.children[i]),
                                   to_text(node.children[k]), to_text(saved.children[k])),
                       {});
                node = saved;
            }
    });
}

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
