// Edits: sums.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>

namespace derivation {

namespace {

using Commit = Editing::Commit;

/// Takes out of the sums in a product what does not depend on their letters.
void unfold(const Expression& e, std::vector<Part>& out) {
    for (const Part& part : factors_of(e)) {
        if (part.expression.kind != Kind::reduce || part.expression.letters.size() != 1 ||
            part.expression.name != "sum" || part.joint == Joint::divided) {
            out.push_back(part);
            continue;
        }
        std::vector<Part> inside, kept;
        unfold(part.expression.children[0], inside);
        for (Part& factor : inside)
            (uses_letter(factor.expression, part.expression.letters[0].name) ? kept : out).push_back(factor);
        Expression sum = part.expression;
        sum.children[0] = product_of_factors(kept);
        out.push_back({sum, Joint::times});
    }
}

/// Exchanges the letters of every matrix over one range that is given.
void turn_matrices(const Editing& editing, Expression& e) {
    if (e.kind == Kind::derivative) return;
    if (e.kind == Kind::entry && e.indices.size() == 2 && e.indices[0].is_letter() && e.indices[1].is_letter() &&
        editing.range_of(e.indices[0].terms[0].name) == editing.range_of(e.indices[1].terms[0].name) &&
        std::ranges::any_of(editing.model.quantities_named(e.name),
                            [&](int q) { return editing.model.quantity(q).role == Role::given; }))
        std::swap(e.indices[0], e.indices[1]);
    for (Expression& child : e.children) turn_matrices(editing, child);
}

/// E^T 1_s, the sum of the rows, for E or for the sum of all its entries.
void missing_sum_of_rows(Editing& editing, const std::string& mistake, bool of_products) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        const bool sums_all = saved.kind == Kind::reduce && saved.letters.empty() && saved.name == "sum";
        const bool is_single = sums_all || saved.kind == Kind::entry || saved.kind == Kind::derivative;
        if (of_products ? saved.kind != Kind::product : !is_single) return;
        Expression turned;
        turned.kind = Kind::transpose;
        turned.children = {sums_all ? saved.children[0] : saved};
        for (std::size_t r = 0; r < editing.model.ranges.size(); ++r) {
            const Names letters = editing.letters_of_range(static_cast<int>(r));
            if (letters.empty()) continue;
            node = product_of_factors({{turned, Joint::times}, {letter_entry("1", {letters[0]}), Joint::juxtaposed}});
            commit(saved.span,
                   sums_all ? fmt::format("This adds up everything; only the sum over {} belongs here.", letters[0])
                            : fmt::format("A sum over {} is missing.", letters[0]),
                   mistake);
            node = saved;
        }
    });
}

}  // namespace

void extra_sum(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::reduce || node.letters.empty() || node.name == "max" || node.name == "prod") return;
        const Expression saved = node;
        const std::string& bound = saved.letters[0].name;
        const auto remove = [&](const std::string& replacement) {
            Expression body = saved.children[0];
            if (!replacement.empty()) rename_letter(body, bound, replacement);
            if (saved.letters.size() > 1) {
                node = saved;
                node.letters.erase(node.letters.begin());
                node.children[0] = body;
            } else {
                node = body;
            }
            std::string sentence = fmt::format("A sum over {} that should not be there", bound);
            if (editing.of >= 0 && editing.by >= 0 && editing.of_entry.kind == Kind::entry &&
                editing.by_entry.kind == Kind::entry && body.kind == Kind::entry &&
                body.name != editing.by_entry.name &&
                mentions(editing.model.quantity(editing.of).definition, editing.by))
                sentence += fmt::format(": {} depends on {} through {} alone", to_text(editing.of_entry),
                                        to_text(editing.by_entry), to_text(body));
            else
                sentence += fmt::format(": {} alone belongs here", to_text(body));
            commit(saved.span, sentence + ".", {});
            node = saved;
        };
        if (!uses_letter(saved.children[0], bound)) remove({});
        for (const std::string& letter : letters)
            if (editing.range_of(letter) == editing.range_of(bound)) remove(letter);
        remove({});
    });
}

/// Wraps a term, or some of the uses of a letter in it, in a sum.
void missing_sum(Editing& editing) {
    const std::string mistake = is_bias(editing.model, editing.by) ? "bias-not-summed" : "missing-sum";
    if (editing.arrays) {
        // The smallest part first: 0.1 dH^T 1_s, and not (0.1 dH)^T 1_s.
        for (const bool of_products : {false, true}) missing_sum_of_rows(editing, mistake, of_products);
        return;
    }
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        for (const Letter& letter : editing.model.letters) {
            if (letter.name[0] == '_' || std::ranges::find(letters, letter.name) != letters.end()) continue;
            if (!uses_letter(saved, letter.name)) continue;
            node = sum_over({letter.name}, saved);
            commit(saved.span, fmt::format("A sum over {} is missing.", letter.name), mistake);
            node.name = "mean";
            commit(saved.span, fmt::format("A mean over {} is missing.", letter.name), mistake);
            node = saved;
        }
        // A letter that stands on the left side as well: some of its uses are to be summed over.
        for (const std::string& letter : letters) {
            const std::string other = editing.unused_letter(editing.range_of(letter));
            if (other.empty()) continue;
            std::vector<Index*> uses;
            const auto collect = [&](auto& self, Expression& e) -> void {
                for (Index& index : e.indices)
                    if (index.is_letter() && index.terms[0].name == letter) uses.push_back(&index);
                for (Expression& child : e.children) self(self, child);
            };
            collect(collect, node);
            if (uses.empty() || uses.size() > 5) continue;
            // The last use stays most often: in a chain rule it is the letter of what is differentiated by.
            for (unsigned chosen = (1u << uses.size()) - 1; chosen > 0; --chosen) {
                for (std::size_t i = 0; i < uses.size(); ++i)
                    uses[i]->terms[0].name = (chosen >> (uses.size() - 1 - i) & 1u) != 0 ? other : letter;
                Expression changed = node;
                Expression body = changed;
                node = sum_over({other}, body);
                commit(saved.span, fmt::format("A sum is missing: every {} counts, not {} alone.", letter, letter),
                       mistake);
                node = changed;
                // The assignment moved the tree: find the uses again.
                uses.clear();
                const auto find_again = [&](auto& self, Expression& e) -> void {
                    for (Index& index : e.indices)
                        if (index.is_letter() && (index.terms[0].name == letter || index.terms[0].name == other))
                            uses.push_back(&index);
                    for (Expression& child : e.children) self(self, child);
                };
                find_again(find_again, node);
            }
            node = saved;
        }
        // An entry with a number for its index.
        for (const Letter& letter : editing.model.letters) {
            if (letter.name[0] == '_' || std::ranges::find(letters, letter.name) != letters.end() ||
                uses_letter(saved, letter.name))
                continue;
            Expression body = saved;
            const auto replace = [&](auto& self, Expression& e) -> bool {
                bool any = false;
                for (Index& index : e.indices)
                    if (index.is_number()) {
                        index.terms = {{letter.name, 1, -1}};
                        index.offset = 0;
                        any = true;
                    }
                for (Expression& child : e.children) any = self(self, child) || any;
                return any;
            };
            if (!replace(replace, body)) continue;
            node = sum_over({letter.name}, body);
            commit(saved.span, fmt::format("A sum over {} is missing.", letter.name), mistake);
            node = saved;
        }
    });
    // Around a part: exp(x[j]) below a fraction.
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        for (const Letter& letter : editing.model.letters) {
            if (letter.name[0] == '_' || std::ranges::find(letters, letter.name) != letters.end() ||
                !uses_letter(saved, letter.name))
                continue;
            node = sum_over({letter.name}, saved);
            commit(saved.span, fmt::format("A sum over {} is missing.", letter.name), mistake);
            node = saved;
        }
    });
}

/// A factor beside a sum goes into it; the letter of the sum takes the place of one that is free there.
void factor_outside(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Expression saved = node;
        const std::vector<Part> parts = factors_of(saved);
        for (std::size_t s = 0; s < parts.size(); ++s) {
            if (parts[s].expression.kind != Kind::reduce || parts[s].expression.letters.size() != 1 ||
                parts[s].joint == Joint::divided)
                continue;
            const std::string& bound = parts[s].expression.letters[0].name;
            for (std::size_t f = 0; f < parts.size(); ++f) {
                if (f == s) continue;
                std::vector<Expression> moved_to;
                Expression unknown = parts[f].expression;
                for (const Letter& letter : editing.model.letters) {
                    if (letter.name == bound || letter.range != editing.range_of(bound) ||
                        !uses_letter(parts[f].expression, letter.name))
                        continue;
                    if (std::ranges::find(letters, letter.name) == letters.end()) {
                        rename_letter(unknown, letter.name, bound);
                    } else {
                        moved_to.push_back(parts[f].expression);
                        rename_letter(moved_to.back(), letter.name, bound);
                    }
                }
                if (uses_letter(unknown, bound)) moved_to.insert(moved_to.begin(), unknown);
                for (const Expression& moved : moved_to) {
                    std::vector<Part> rest = parts;
                    std::vector<Part> inside = factors_of(parts[s].expression.children[0]);
                    inside.push_back({moved, parts[f].joint});
                    rest[s].expression.children[0] = product_of_factors(inside);
                    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(f));
                    node = product_of_factors(rest);
                    const bool jacobian = parts[s].expression.children[0].kind == Kind::derivative;
                    commit(parts[f].expression.span,
                           fmt::format("{} belongs inside the sum over {}{}.", to_text(parts[f].expression), bound,
                                       same(moved, parts[f].expression) ? "" : fmt::format(", as {}", to_text(moved))),
                           jacobian ? "jacobian-summed" : "");
                    node = saved;
                }
            }
            // The sum runs over the wrong letter: another one stands free beside it.
            for (const Letter& letter : editing.model.letters) {
                if (letter.name[0] == '_' || letter.name == bound ||
                    std::ranges::find(letters, letter.name) != letters.end() || !uses_letter(saved, letter.name))
                    continue;
                std::vector<Part> all = parts;
                Expression body = parts[s].expression.children[0];
                all[s].expression = body;
                std::vector<Part> flat;
                for (const Part& part : all)
                    for (Part& inner : factors_of(part.expression))
                        flat.push_back(part.joint == Joint::divided ? part : inner);
                node = sum_over({letter.name}, product_of_factors(flat));
                commit(saved.span,
                       fmt::format("The sum belongs to {}, around everything that holds it, and not to {}.",
                                   letter.name, bound),
                       {});
                for (const std::string& target : letters) {
                    if (editing.range_of(target) != editing.range_of(bound)) continue;
                    Expression renamed = product_of_factors(flat);
                    rename_letter(renamed, bound, target);
                    node = sum_over({letter.name}, renamed);
                    commit(saved.span,
                           fmt::format("The sum belongs to {}, around everything that holds it, and not to {}.",
                                       letter.name, bound),
                           {});
                }
                node = saved;
            }
        }
    });
}

/// A product of which some sums stand in another factor already: delta[j] holds the sum over k.
void held_already(Editing& editing) {
    if (editing.arrays) return;
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        std::vector<Part> parts;
        unfold(saved, parts);
        if (parts.size() < 3 || parts.size() > 6) return;
        for (unsigned kept = (1u << parts.size()) - 2; kept > 0; --kept) {
            std::vector<Part> some;
            std::string gone;
            for (std::size_t i = 0; i < parts.size(); ++i)
                if ((kept >> i & 1u) != 0)
                    some.push_back(parts[i]);
                else if (parts[i].expression.kind == Kind::reduce)
                    gone = to_text(parts[i].expression);
            if (gone.empty()) continue;
            const std::string sentence = fmt::format("Another factor holds {} already.", gone);
            node = product_of_factors(some);
            commit(saved.span, sentence, {});
            for (Part& part : some) {
                if (part.expression.kind != Kind::reduce || part.expression.letters.size() != 1) continue;
                const Part before = part;
                for (const std::string& letter : letters) {
                    if (editing.range_of(letter) != editing.range_of(before.expression.letters[0].name)) continue;
                    part.expression = before.expression.children[0];
                    rename_letter(part.expression, before.expression.letters[0].name, letter);
                    node = product_of_factors(some);
                    commit(saved.span,
                           fmt::format("{} And the sum over {} should not be there: {} alone belongs here.", sentence,
                                       before.expression.letters[0].name, to_text(part.expression)),
                           {});
                }
                part = before;
            }
        }
        node = saved;
    });
}

void product_of_sums(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Expression saved = node;
        const std::vector<Part> parts = factors_of(saved);
        for (std::size_t a = 0; a < parts.size(); ++a)
            for (std::size_t b = a + 1; b < parts.size(); ++b) {
                const Expression &x = parts[a].expression, &y = parts[b].expression;
                if (x.kind != Kind::reduce || y.kind != Kind::reduce || x.letters.size() != 1 || y.letters.size() != 1)
                    continue;
                if (editing.range_of(x.letters[0].name) != editing.range_of(y.letters[0].name)) continue;
                Expression second = y.children[0];
                rename_letter(second, y.letters[0].name, x.letters[0].name);
                std::vector<Part> rest = parts;
                std::vector<Part> inside = factors_of(x.children[0]);
                for (Part& part : factors_of(second)) inside.push_back(part);
                rest[a].expression.children[0] = product_of_factors(inside);
                rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(b));
                node = product_of_factors(rest);
                commit(join(x.span, y.span), {}, {});
                node = saved;
            }
    });
}

void transposed(Editing& editing) {
    if (!editing.arrays) {
        Expression turned = editing.member;
        turn_matrices(editing, turned);
        if (!same(turned, editing.member))
            editing.offer(turned, editing.member.span, "The matrices stand transposed: their letters change places.");
    }
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        if (node.kind == Kind::entry && node.indices.size() == 2) {
            std::swap(node.indices[0], node.indices[1]);
            commit(saved.span, fmt::format("{} stands transposed: {} belongs here.", to_text(saved), to_text(node)),
                   {});
            node = saved;
        }
        if (!editing.arrays) return;
        if (node.kind == Kind::transpose) {
            node = Expression(saved.children[0]);
            commit(saved.span, fmt::format("{} stands transposed.", to_text(node)), {});
            node = saved;
        }
        if (node.kind == Kind::entry || node.kind == Kind::product || node.kind == Kind::derivative ||
            node.kind == Kind::call) {
            Expression t;
            t.kind = Kind::transpose;
            t.span = saved.span;
            t.children = {saved};
            node = t;
            commit(saved.span, fmt::format("{} must be transposed here.", to_text(saved)), {});
            node = saved;
        }
    });
}

/// In lines of arrays: the order of the factors, and the kind of their product.
void order_of_factors(Editing& editing) {
    if (!editing.arrays) return;
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::product) return;
        const Expression saved = node;
        for (std::size_t i = 0; i + 1 < node.children.size(); ++i) {
            if (node.joints[i + 1] == Joint::divided || node.joints[i] == Joint::divided) continue;
            std::swap(node.children[i], node.children[i + 1]);
            commit(saved.span, "The factors stand in the wrong order.", "order-of-factors");
            // a b for b a^T, and the like
            for (const std::size_t t : {i, i + 1}) {
                Expression turned;
                turned.kind = Kind::transpose;
                turned.span = node.children[t].span;
                turned.children = {node.children[t]};
                if (node.children[t].kind == Kind::transpose) turned = Expression(node.children[t].children[0]);
                const Expression before = node.children[t];
                node.children[t] = turned;
                commit(saved.span, "The factors stand in the wrong order, and one of them transposed.",
                       "order-of-factors");
                node.children[t] = before;
            }
            if (node.children[i].kind == Kind::transpose && node.children[i + 1].kind == Kind::transpose) {
                node.children[i] = Expression(node.children[i].children[0]);
                node.children[i + 1] = Expression(node.children[i + 1].children[0]);
                commit(saved.span, "The factors stand in the wrong order, transposed.", "transposed");
            }
            node = saved;
            if (node.children[i].kind == Kind::transpose || node.children[i + 1].kind == Kind::transpose) {
                // a^T b for a b^T
                for (const std::size_t t : {i, i + 1}) {
                    if (node.children[t].kind == Kind::transpose) {
                        node.children[t] = Expression(node.children[t].children[0]);
                    } else {
                        Expression turned;
                        turned.kind = Kind::transpose;
                        turned.span = node.children[t].span;
                        turned.children = {node.children[t]};
                        node.children[t] = turned;
                    }
                }
                commit(saved.span, "The other factor must be transposed.", "transposed");
                node = saved;
            }
            for (const Joint joint : {Joint::elementwise, Joint::juxtaposed, Joint::matrix}) {
                if (node.joints[i + 1] == joint) continue;
                node.joints[i + 1] = joint;
                commit(saved.span,
                       joint == Joint::elementwise ? "The product is elementwise here."
                                                   : "A product of matrices belongs here, not an elementwise one.",
                       "kind-of-product");
                if (joint != Joint::elementwise) {
                    for (const std::size_t t : {i, i + 1}) {
                        const Expression before = node.children[t];
                        Expression turned;
                        turned.kind = Kind::transpose;
                        turned.children = {before};
                        if (before.kind == Kind::transpose) turned = Expression(before.children[0]);
                        node.children[t] = turned;
                        commit(saved.span, "A product of matrices belongs here, not an elementwise one.",
                               "kind-of-product");
                        node.children[t] = before;
                    }
                }
                node = saved;
            }
        }
    });
}

}  // namespace derivation
