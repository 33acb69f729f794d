// Edits of terms: one too many, or one too few.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/chain_rule.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>
#include <derivation/mistakes/tidy.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

/// The ways in which the adjoint comes through a quantity: dA/dq * dq/dB at one of its entries, or summed over them.
std::vector<Expression> paths_through(const Editing& editing, int q) {
    const Quantity& through = editing.model.quantity(q);
    std::vector<Expression> paths;
    // Every axis has the letter of the left side, one shifted by a step of a recurrence, or one that is summed over.
    std::vector<std::pair<Expression, Names>> entries = {{entry_of(through.name, {}), {}}};
    for (std::size_t axis = 0; axis < through.ranges.size(); ++axis) {
        std::vector<std::pair<Expression, Names>> next;
        for (const auto& [entry, summed] : entries) {
            const auto with = [&, &before = entry, &over = summed](Index index, const std::string& sum) {
                Expression longer = before;
                longer.indices.push_back(std::move(index));
                Names letters = over;
                if (!sum.empty()) letters.push_back(sum);
                if (next.size() < 24) next.emplace_back(std::move(longer), std::move(letters));
            };
            for (const std::string& name : editing.letters_of_range(through.ranges[axis])) {
                if (!uses_letter(editing.of_entry, name) && !uses_letter(editing.by_entry, name)) continue;
                if (q != editing.by) with(index_of(name), {});
                if (q == editing.by)
                    for (const int shift : {1, -1, 0}) with({{{name}}, shift, {}}, {});
            }
            for (const std::string& name : editing.letters_of_range(through.ranges[axis]))
                if (!uses_letter(editing.of_entry, name) && !uses_letter(editing.by_entry, name) &&
                    std::ranges::find(summed, name) == summed.end()) {
                    with(index_of(name), name);
                    break;
                }
        }
        entries = std::move(next);
    }
    for (const auto& [entry, summed] : entries) {
        if (same(entry, editing.by_entry)) continue;
        Expression path = product_of({derivative_of(editing.of_entry, entry), derivative_of(entry, editing.by_entry)});
        paths.push_back(summed.empty() ? path : sum_over(summed, path));
    }
    return paths;
}

/// What lambda w^2, and half of it or its mean, contribute to a gradient by w; to a Hessian a part of its diagonal.
std::vector<Expression> regularising_terms(const Editing& editing, const Expression& lambda) {
    std::vector<Expression> terms = {product_of({lambda, editing.by_entry})};
    if (editing.second_order)
        for (std::size_t a = 0; a < editing.free.size(); ++a)
            for (std::size_t b = a + 1; b < editing.free.size(); ++b)
                if (editing.same_range(editing.free[a], editing.free[b]))
                    terms.push_back(product_of({lambda, kronecker(editing.free[a], editing.free[b])}));
    terms.push_back(product_of({number_of(2), lambda, editing.by_entry}));
    for (const Expression& size : sizes(editing))
        terms.push_back(quotient_of(product_of({lambda, editing.by_entry}), size));
    return terms;
}

}  // namespace

/// A term beside a factor: p for p - y, log p for log p + 1, p for p - [k == n].
void missing_summand(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::entry && node.kind != Kind::call && node.kind != Kind::power) return;
        const Expression saved = node;
        const auto beside = [&](const Expression& term, const std::string& mistake) {
            for (const Parts& terms :
                 {Parts{{saved, Joint::plus}, {term, Joint::minus}}, Parts{{saved, Joint::plus}, {term, Joint::plus}},
                  Parts{{term, Joint::plus}, {saved, Joint::minus}}}) {
                node = sum_of_terms(terms);
                commit(saved.span,
                       fmt::format("A term is missing: {} stands where {} belongs.", to_text(saved), to_text(node)),
                       mistake);
            }
            node = saved;
        };
        if (!editing.arrays) beside(number_of(1), {});
        for (std::size_t a = 0; a < letters.size() && !editing.arrays; ++a)
            for (std::size_t b = a + 1; b < letters.size(); ++b)
                if (editing.same_range(letters[a], letters[b]))
                    beside(kronecker(letters[a], letters[b]), "missing-kronecker");
        for (int q = 0; q < editing.model.count(); ++q)
            for (const Expression& entry : editing.entries_of(q, letters, 3))
                if (!same(entry, saved)) beside(entry, {});
        for (const Activation& activation : editing.activations())
            for (const Expression& call : editing.instances(activation.call, activation.letters, letters))
                beside(call, {});
    });
}

/// X^T X where a definition says X^T X + lambda I.
void missing_in_definition(Editing& editing) {
    const Model& model = editing.model;
    struct Shortened {
        Expression sum, rest, missing;
    };
    std::vector<Shortened> found;
    for (const Quantity& quantity : model.quantities) {
        if (quantity.role != Role::definition || quantity.written.kind != Kind::add) continue;
        Names letters;
        if (!editing.arrays)
            for (const int letter : quantity.letters) letters.push_back(model.letter(letter).name);
        const Parts terms = terms_of(quantity.written);
        for (std::size_t i = 0; terms.size() > 1 && i < terms.size(); ++i)
            found.push_back({entry_of(quantity.name, letters), sum_of_terms(without(terms, i)), terms[i].expression});
    }
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        for (const Shortened& one : found) {
            if (!same(saved, one.rest)) continue;
            node = one.sum;
            commit(saved.span,
                   fmt::format("{} is missing, with which {} is {}.", to_text(one.missing), to_text(saved),
                               to_text(one.sum)),
                   {});
            node = saved;
        }
    });
}

/// The regulariser's part of the gradient: lambda w, 2 lambda w, lambda w / N.
void missing_term(Editing& editing) {
    if (!editing.by) return;
    std::vector<Expression> rates;
    if (editing.line.is_update)
        for (const int rate : possible_rates(editing.model, *editing.line.loss))
            rates.push_back(entry_of(editing.model.quantity(rate).name, {}));
    const auto offer = [&](const Expression& said, const Expression& term, Joint joint) {
        Parts terms = terms_of(editing.member);
        terms.push_back({term, joint});
        const Expression edited = sum_of_terms(terms);
        editing.offer(editing.arrays || joint == Joint::plus ? edited : normalized(edited), editing.member.span,
                      fmt::format("The regulariser's part of the gradient, {}, is missing.", to_text(said)),
                      "missing-regulariser");
    };
    for (const Quantity& constant : editing.model.quantities) {
        if (constant.role != Role::constant) continue;
        const Expression c = entry_of(constant.name, {});
        if (editing.arrays) {
            const Expression w = entry_of(editing.model.quantity(*editing.by).name, {});
            for (const double factor : {1.0, 2.0}) {
                const auto scaled = [&](const Expression& term) { return factor == 1 ? term : times(factor, term); };
                for (const Expression& rate : rates) {
                    const Expression term = scaled(product_of({rate, c, w}));
                    offer(term, term, Joint::minus);
                }
                const Expression term = scaled(product_of({c, w}));
                if (!editing.line.is_update) offer(term, term, Joint::plus);
            }
            continue;
        }
        for (const Expression& term : regularising_terms(editing, c)) {
            for (const Expression& rate : rates) offer(term, product_of({rate, term}), Joint::minus);
            offer(term, term, Joint::plus);
        }
    }
}

/// Adds what comes through one or two more of the quantities that depend on the denominator, or comes directly.
void missing_path(Editing& editing) {
    if (editing.arrays || !editing.of || !editing.by || editing.line.is_update || editing.second_order) return;
    const Model& model = editing.model;
    struct Through {
        std::string name;
        std::vector<Expression> paths;
    };
    std::vector<Through> all;
    Expression direct = derivative_of(editing.of_entry, editing.by_entry);
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& through = model.quantity(q);
        if (through.role != Role::definition || has_derivative(through.definition) || q == editing.of ||
            !depends_on(model, *editing.of, q))
            continue;
        if (q != editing.by && depends_on(model, q, *editing.by) && mentions(model.quantity(*editing.of).definition, q))
            direct.children.push_back(entry_of(through.name, {}));
        if (mentions(through.definition, *editing.by)) all.push_back({through.name, paths_through(editing, q)});
    }
    // An entropy of probabilities that depend on what it is differentiated by.
    for (int q = 0; q < model.count(); ++q)
        if (const Quantity& through = model.quantity(q);
            through.role == Role::definition && through.ranges.empty() && !has_derivative(through.definition) &&
            q != editing.of && depends_on(model, q, *editing.by) && !mentions(through.definition, *editing.by) &&
            mentions(model.quantity(*editing.of).definition, q))
            all.push_back({through.name, paths_through(editing, q)});
    const auto offer = [&](const std::vector<const Expression*>& paths, const std::string& names) {
        Parts terms = terms_of(editing.member);
        for (const Expression* path : paths) terms.push_back({*path, Joint::plus});
        editing.offer(sum_of_terms(terms), editing.member.span,
                      fmt::format("A path is missing: {} depends on {} {}.", to_text(editing.of_entry),
                                  to_text(editing.by_entry), names),
                      {});
    };
    for (const Through& one : all)
        for (const Expression& path : one.paths) offer({&path}, fmt::format("through {} as well", one.name));
    const bool is_direct = !direct.held().empty() && mentions(model.quantity(*editing.of).definition, *editing.by);
    if (is_direct) {
        // As a formula, where it can be said: dy/dv at fixed q is what was asked for, half of it.
        if (const std::optional<Expression> partial = partial_derivative(editing)) {
            const Expression tidy = tidied(*partial, false);
            offer({&tidy}, "directly as well");
        }
    }
    for (std::size_t a = 0; a < all.size(); ++a)
        for (std::size_t b = a + 1; b < all.size(); ++b)
            for (const Expression& x : all[a].paths)
                for (const Expression& y : all[b].paths)
                    offer({&x, &y}, fmt::format("through {} and {} as well", all[a].name, all[b].name));
    if (is_direct) offer({&direct}, "directly as well");
}

void extra_term(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::add || node.children.size() < 2) return;
        const Expression saved = node;
        const Parts parts = terms_of(saved);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            node = sum_of_terms(without(parts, i));
            const bool regulariser =
                is_bias(editing.model, editing.by) && any_part(parts[i].expression, [&](const Expression& e) {
                    return e.kind == Kind::entry && e.name == editing.by_entry.name;
                });
            commit(parts[i].expression.span,
                   regulariser ? fmt::format("The loss does not regularise the bias: the term {} should not be there.",
                                             to_text(parts[i].expression))
                               : fmt::format("The term {} should not be there.", to_text(parts[i].expression)),
                   regulariser ? "regulariser-on-bias" : "extra-term");
        }
        node = saved;
    });
}

}  // namespace derivation
