// Edits: factors, names, terms.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

/// The ways in which the adjoint comes through a quantity: dA/dq * dq/dB at one of its entries, or summed over them.
std::vector<Expression> paths_through(const Editing& editing, int q) {
    const Quantity& through = editing.model.quantity(q);
    std::vector<Expression> paths;
    // Every axis has the letter of the left side, one shifted by a step of a recurrence, or one that is summed over.
    std::vector<std::pair<Expression, Names>> entries = {{letter_entry(through.name, {}), {}}};
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
                if (q != editing.by) with({{{name, 1, -1}}, 0, {}}, {});
                if (q == editing.by)
                    for (const int shift : {1, -1, 0}) with({{{name, 1, -1}}, shift, {}}, {});
            }
            for (const std::string& name : editing.letters_of_range(through.ranges[axis]))
                if (!uses_letter(editing.of_entry, name) && !uses_letter(editing.by_entry, name) &&
                    std::ranges::find(summed, name) == summed.end()) {
                    with({{{name, 1, -1}}, 0, {}}, name);
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

}  // namespace

void jacobian_summed(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::reduce || node.letters.empty() || node.name != "sum") return;
        const Expression saved = node;
        Names inside = letters;
        for (const IndexTerm& letter : saved.letters) inside.push_back(letter.name);
        for (const Expression& adjoint : adjoints(editing, inside)) {
            if (!uses_letter(adjoint, saved.letters[0].name)) continue;
            std::vector<Part> parts = factors_of(saved.children[0]);
            parts.insert(parts.begin(), {adjoint, Joint::times});
            node.children[0] = product_of_factors(parts);
            commit(saved.span,
                   fmt::format("The rows of a Jacobian are summed here: each entry belongs with its adjoint {}.",
                               to_text(adjoint)),
                   {});
            node = saved;
        }
    });
}

void missing_factor(Editing& editing) {
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        if (editing.line.is_update && is_parameter(editing, node)) return;
        const Expression saved = node;
        const auto with = [&](const Expression& factor) {
            if (editing.arrays) {
                for (const Joint joint : {Joint::juxtaposed, Joint::elementwise}) {
                    Expression turned;
                    turned.kind = Kind::transpose;
                    turned.children = {factor};
                    for (const Expression& one : {factor, turned}) {
                        node = product_of_factors({{saved, Joint::times}, {one, joint}});
                        commit(saved.span, fmt::format("The factor {} is missing.", to_text(factor)), {});
                        node = product_of_factors({{one, Joint::times}, {saved, joint}});
                        commit(saved.span, fmt::format("The factor {} is missing.", to_text(factor)), {});
                    }
                }
            } else {
                std::vector<Part> parts = factors_of(saved);
                parts.push_back({factor, Joint::times});
                node = product_of_factors(parts);
                const bool rate = editing.line.is_update && factor.kind == Kind::entry &&
                                  std::ranges::any_of(possible_rates(editing.model, editing.line.loss), [&](int q) {
                                      return editing.model.quantity(q).name == factor.name;
                                  });
                commit(saved.span, fmt::format("The factor {} is missing.", to_text(factor)),
                       rate ? "missing-rate" : "");
                // Nobody divides by an adjoint.
                if (factor.kind != Kind::derivative && (!saved.children.empty() || saved.kind == Kind::entry)) {
                    parts.back().joint = Joint::divided;
                    node = product_of_factors(parts);
                    commit(saved.span, fmt::format("A division by {} is missing.", to_text(factor)), {});
                }
            }
            node = saved;
        };
        for (std::size_t q = 0; q < editing.model.quantities.size(); ++q)
            for (const Expression& entry : editing.entries_of(static_cast<int>(q), letters, 3)) with(entry);
        for (const Expression& adjoint : adjoints(editing, letters))
            if (adjoint.kind == Kind::derivative) with(adjoint);
    });
}

void extra_factor(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Expression saved = node;
        const std::vector<Part> parts = factors_of(saved);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            std::vector<Part> rest = parts;
            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
            node = product_of_factors(rest);
            const std::string name = name_of_removed(editing, parts[i].expression);
            std::string sentence = fmt::format("The factor {} should not be there.", to_text(parts[i].expression));
            if (name == "input-on-bias")
                sentence = fmt::format("The input of a bias is 1: the factor {} should not be there.",
                                       to_text(parts[i].expression));
            if (name == "derivative-twice")
                sentence = fmt::format("The factor {} stands here although the adjoint beside it holds it already.",
                                       to_text(parts[i].expression));
            if (name == "extra-derivative")
                sentence = fmt::format("The factor {} should not be there: it cancels in the cross-entropy.",
                                       to_text(parts[i].expression));
            commit(parts[i].expression.span, sentence, name);
        }
        // a (1 - a) goes as a whole.
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (!looks_like_derivative(parts[i].expression)) continue;
            for (std::size_t k = 0; k < parts.size(); ++k) {
                if (k == i || (parts[k].expression.kind != Kind::entry && parts[k].expression.kind != Kind::call))
                    continue;
                std::vector<Part> rest = parts;
                rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(std::max(i, k)));
                rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(std::min(i, k)));
                node = product_of_factors(rest);
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
        if (node.kind != Kind::product) return;
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            const Joint before = node.joints[i];
            std::vector<Part> parts = factors_of(node);
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

/// dC/dp[k] for dC/dz[k], as a derivative or as a name for one.
void exchanged_adjoint(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        const bool names_one =
            node.kind == Kind::entry && std::ranges::any_of(editing.model.quantities_named(node.name), [&](int q) {
                return editing.model.quantity(q).definition.kind == Kind::derivative;
            });
        if ((node.kind != Kind::derivative || node.order != 1) && !names_one) return;
        const Expression saved = node;
        if (!names_one && node.children[1].kind == Kind::entry) {
            const std::vector<int> named = editing.model.quantities_named(node.children[1].name);
            for (const Quantity& other : editing.model.quantities) {
                if (other.role != Role::definition || other.name == node.children[1].name ||
                    std::ranges::none_of(named,
                                         [&](int q) { return editing.model.quantity(q).ranges == other.ranges; }))
                    continue;
                node.children[1].name = other.name;
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
        const auto try_entry = [&](std::size_t q, const Expression& entry) {
            node = entry;
            node.span = saved.span;
            const std::string name = name_of_exchange(editing.model, wrong, static_cast<int>(q));
            commit(saved.span,
                   fmt::format("{}{} stands where {} belongs.",
                               name == "other-adjoint" ? "The adjoint of another quantity: " : "", to_text(saved),
                               to_text(entry)),
                   name);
            node = saved;
        };
        for (std::size_t q = 0; q < editing.model.quantities.size(); ++q) {
            const Quantity& right = editing.model.quantities[q];
            if (right.ranges == editing.model.quantity(wrong).ranges && right.name != saved.name) {
                Expression entry = saved;
                entry.name = right.name;
                entry.order = 0;
                try_entry(q, entry);
            }
        }
        for (std::size_t q = 0; q < editing.model.quantities.size(); ++q)
            for (const Expression& entry : editing.entries_of(static_cast<int>(q), letters, 3))
                if (!same(entry, saved)) try_entry(q, entry);
        // c[j] for tanh(c[j])
        for (const Editing::Activation& activation : editing.activations())
            for (const Expression& call : editing.instances(activation.call, activation.letters, letters)) {
                if (!same(call.children[0], saved)) continue;
                node = call;
                commit(saved.span, fmt::format("{} stands where {} belongs.", to_text(saved), to_text(call)),
                       "preactivation-for-activation");
                node = saved;
            }
    });
}

/// A term beside a factor: p for p - y, log p for log p + 1, p for p - [k == n].
void missing_summand(Editing& editing) {
    if (editing.arrays) return;
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::entry && node.kind != Kind::call && node.kind != Kind::power) return;
        const Expression saved = node;
        const auto beside = [&](const Expression& term, const std::string& mistake) {
            for (const Joint joint : {Joint::minus, Joint::plus}) {
                node = sum_of_terms({{saved, Joint::plus}, {term, joint}});
                commit(saved.span,
                       fmt::format("A term is missing: {} stands where {} belongs.", to_text(saved), to_text(node)),
                       mistake);
            }
            node = saved;
        };
        beside(number_of(1), {});
        for (std::size_t a = 0; a < letters.size(); ++a)
            for (std::size_t b = a + 1; b < letters.size(); ++b)
                if (editing.range_of(letters[a]) == editing.range_of(letters[b]))
                    beside(kronecker(letters[a], letters[b]), "missing-kronecker");
        for (std::size_t q = 0; q < editing.model.quantities.size(); ++q)
            for (const Expression& entry : editing.entries_of(static_cast<int>(q), letters, 3))
                if (!same(entry, saved)) beside(entry, {});
    });
}

void missing_term(Editing& editing) {
    if (editing.arrays) {
        if (editing.by < 0) return;
        const Expression w = letter_entry(editing.model.quantity(editing.by).name, {});
        std::vector<Expression> rates = {number_of(1)};
        if (editing.line.is_update) {
            rates.clear();
            for (const int rate : possible_rates(editing.model, editing.line.loss))
                rates.push_back(letter_entry(editing.model.quantity(rate).name, {}));
        }
        for (const Quantity& constant : editing.model.quantities) {
            if (constant.role != Role::constant) continue;
            for (const double factor : {1.0, 2.0})
                for (const Expression& rate : rates) {
                    Expression term = product_of({letter_entry(constant.name, {}), w});
                    if (editing.line.is_update) term = product_of({rate, letter_entry(constant.name, {}), w});
                    if (factor != 1) term = times(factor, term);
                    std::vector<Part> terms = terms_of(editing.member);
                    terms.push_back({term, editing.line.is_update ? Joint::minus : Joint::plus});
                    editing.offer(sum_of_terms(terms), editing.member.span,
                                  fmt::format("The regulariser's part of the gradient, {}, is missing.", to_text(term)),
                                  "missing-regulariser");
                }
        }
        return;
    }
    std::vector<Expression> candidates;
    if (editing.by >= 0)
        for (const Quantity& constant : editing.model.quantities) {
            if (constant.role != Role::constant) continue;
            const Expression c = letter_entry(constant.name, {});
            candidates.push_back(product_of({c, editing.by_entry}));
            if (editing.second_order)
                for (std::size_t a = 0; a < editing.free.size(); ++a)
                    for (std::size_t b = a + 1; b < editing.free.size(); ++b)
                        if (editing.range_of(editing.free[a]) == editing.range_of(editing.free[b]))
                            candidates.push_back(product_of({c, kronecker(editing.free[a], editing.free[b])}));
            candidates.push_back(product_of({number_of(2), c, editing.by_entry}));
            for (const Expression& size : sizes(editing))
                candidates.push_back(quotient_of(product_of({c, editing.by_entry}), size));
        }
    for (const Expression& term : candidates) {
        if (editing.line.is_update)
            for (const int rate : possible_rates(editing.model, editing.line.loss)) {
                std::vector<Part> terms = terms_of(editing.member);
                terms.push_back(
                    {product_of({letter_entry(editing.model.quantity(rate).name, {}), term}), Joint::minus});
                editing.offer(normalized(sum_of_terms(terms)), editing.member.span,
                              fmt::format("The regulariser's part of the gradient, {}, is missing.", to_text(term)),
                              "missing-regulariser");
            }
        std::vector<Part> terms = terms_of(editing.member);
        terms.push_back({term, Joint::plus});
        editing.offer(sum_of_terms(terms), editing.member.span,
                      fmt::format("The regulariser's part of the gradient, {}, is missing.", to_text(term)),
                      "missing-regulariser");
    }
}

/// Adds what comes through one or two more of the quantities that depend on the denominator, or comes directly.
void missing_path(Editing& editing) {
    if (editing.arrays || editing.of < 0 || editing.by < 0 || editing.line.is_update || editing.second_order) return;
    const Model& model = editing.model;
    struct Through {
        std::string name;
        std::vector<Expression> paths;
    };
    std::vector<Through> all;
    Expression direct = derivative_of(editing.of_entry, editing.by_entry);
    for (std::size_t q = 0; q < model.quantities.size(); ++q) {
        const Quantity& through = model.quantities[q];
        const int symbol = static_cast<int>(q);
        if (through.role != Role::definition || has_derivative(through.definition) || symbol == editing.of ||
            !depends_on(model, editing.of, symbol))
            continue;
        if (symbol != editing.by && depends_on(model, symbol, editing.by) &&
            mentions(model.quantity(editing.of).definition, symbol))
            direct.children.push_back(letter_entry(through.name, {}));
        if (mentions(through.definition, editing.by)) all.push_back({through.name, paths_through(editing, symbol)});
    }
    const auto offer = [&](const std::vector<const Expression*>& paths, const std::string& names) {
        std::vector<Part> terms = terms_of(editing.member);
        for (const Expression* path : paths) terms.push_back({*path, Joint::plus});
        editing.offer(sum_of_terms(terms), editing.member.span,
                      fmt::format("A path is missing: {} depends on {} {}.", to_text(editing.of_entry),
                                  to_text(editing.by_entry), names),
                      {});
    };
    for (const Through& one : all)
        for (const Expression& path : one.paths) offer({&path}, fmt::format("through {} as well", one.name));
    if (direct.children.size() > 2 && mentions(model.quantity(editing.of).definition, editing.by))
        offer({&direct}, "directly as well");
    for (std::size_t a = 0; a < all.size(); ++a)
        for (std::size_t b = a + 1; b < all.size(); ++b)
            for (const Expression& x : all[a].paths)
                for (const Expression& y : all[b].paths)
                    offer({&x, &y}, fmt::format("through {} and {} as well", all[a].name, all[b].name));
}

void extra_term(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::add || node.children.size() < 2) return;
        const Expression saved = node;
        const std::vector<Part> parts = terms_of(saved);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            std::vector<Part> rest = parts;
            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
            node = sum_of_terms(rest);
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

/// 1 - p for p - 1 is a sign; p for 1 - p, and log p for 1/p, are these.
void small_changes(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        if (saved.kind == Kind::entry || saved.kind == Kind::call) {
            node = quotient_of(number_of(1), saved);
            commit(saved.span, fmt::format("{} stands where 1/{} belongs.", to_text(saved), to_text(saved)),
                   "not-differentiated");
            node = sum_of_terms({{number_of(1), Joint::plus}, {saved, Joint::minus}});
            commit(saved.span, fmt::format("{} stands where 1 - {} belongs.", to_text(saved), to_text(saved)),
                   "wrong-term");
            Expression square;
            square.kind = Kind::power;
            square.children = {saved, number_of(2)};
            node = square;
            commit(saved.span, "A power is missing.", "wrong-power");
        }
        node = saved;
        if (saved.kind == Kind::number)
            for (const double other : {0.0, 1.0, 2.0, 3.0, 4.0, 0.5}) {
                if (other == saved.number) continue;
                node = number_of(other);
                commit(saved.span, fmt::format("The number is the wrong one: {} belongs here.", other), "wrong-number");
            }
        node = saved;
        if (saved.kind == Kind::iverson && (saved.name == "==" || saved.name == "!=")) {
            node.name = saved.name == "==" ? "!=" : "==";
            commit(saved.span, "The condition is the opposite of the right one.", "wrong-condition");
        }
        if (saved.kind == Kind::iverson && (saved.name == ">" || saved.name == "<")) {
            node.name = saved.name == ">" ? "<" : ">";
            commit(saved.span, "The condition is the opposite of the right one.", "wrong-condition");
        }
    });
}

}  // namespace derivation
