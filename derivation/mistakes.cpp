#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <derivation/checker.hpp>
#include <derivation/mistakes.hpp>
#include <derivation/print.hpp>

namespace derivation {

namespace {

using Names = std::vector<std::string>;
using Commit = Editing::Commit;

// ---- what the file says about its quantities

bool mentions(const Expression& e, int quantity) {
    return (e.kind == Kind::entry && e.symbol == quantity) ||
           std::ranges::any_of(e.children, [&](const Expression& child) { return mentions(child, quantity); });
}

/// Whether the quantity is only ever added: a bias.
bool is_bias(const Model& model, int quantity) {
    if (quantity < 0 || model.quantity(quantity).role != Role::given) return false;
    bool added = false;
    const auto look = [&](auto& self, const Expression& e) -> bool {
        if (e.kind == Kind::product || e.kind == Kind::power)
            return !mentions(e, quantity) || std::ranges::all_of(e.children, [&](const Expression& child) {
                return child.kind != Kind::entry || child.symbol != quantity;
            });
        for (const Expression& child : e.children) {
            if (e.kind == Kind::add && child.kind == Kind::entry && child.symbol == quantity) added = true;
            if (!self(self, child)) return false;
        }
        return true;
    };
    for (const Quantity& other : model.quantities)
        if (!has_derivative(other.definition) && !look(look, other.definition)) return false;
    return added;
}

template <class Test>
bool any_part(const Expression& e, Test test) {
    return test(e) || std::ranges::any_of(e.children, [&](const Expression& child) { return any_part(child, test); });
}

/// Whether a part of the quantity's definition, or of a definition behind it, passes the test.
template <class Test>
bool any_behind(const Model& model, int quantity, Test test) {
    if (quantity < 0) return false;
    for (std::size_t q = 0; q < model.quantities.size(); ++q)
        if (depends_on(model, quantity, static_cast<int>(q)) && any_part(model.quantities[q].definition, test))
            return true;
    return false;
}

bool is_call(const Expression& e, std::string_view name) { return e.kind == Kind::call && e.name == name; }

bool has_cross_entropy(const Model& model, int loss) {
    return any_behind(model, loss, [](const Expression& e) { return is_call(e, "log") || is_call(e, "softplus"); });
}

/// Whether the member names the adjoint of another quantity, which holds derivatives already.
bool uses_adjoint(const Editing& editing) {
    return any_part(editing.member, [&](const Expression& e) {
        if (e.kind == Kind::derivative) return true;
        if (e.kind != Kind::entry) return false;
        return std::ranges::any_of(editing.model.quantities_named(e.name),
                                   [&](int q) { return has_derivative(editing.model.quantity(q).definition); });
    });
}

std::string name_of_removed(const Editing& editing, const Expression& factor) {
    const Model& model = editing.model;
    const bool derivative = any_part(factor, [](const Expression& e) { return e.kind == Kind::call && e.order > 0; }) ||
                            any_part(factor,
                                     [](const Expression& e) {
                                         return e.kind == Kind::add && e.children.size() == 2 &&
                                                e.children[0].kind == Kind::number && e.children[0].number == 1;
                                     }) ||
                            factor.kind == Kind::iverson;
    if (derivative)
        return uses_adjoint(editing)                  ? "derivative-twice"
               : has_cross_entropy(model, editing.of) ? "extra-derivative"
                                                      : "derivative-twice";
    if (is_bias(model, editing.by)) return "input-on-bias";
    return "extra-factor";
}

/// Names the row for one quantity in the place of another.
std::string name_of_exchange(const Model& model, int wrong, int right) {
    const auto is_activation = [&](int a, int z) {
        const Expression& definition = model.quantity(a).definition;
        return definition.kind == Kind::call && mentions(definition, z);
    };
    const auto is_softmax = [&](int p, int z) {
        return mentions(model.quantity(p).definition, z) &&
               any_part(model.quantity(p).definition, [](const Expression& e) { return is_call(e, "exp"); });
    };
    if (has_derivative(model.quantity(wrong).definition) || has_derivative(model.quantity(right).definition))
        return "other-adjoint";
    if (is_activation(right, wrong) || is_activation(wrong, right)) return "preactivation-for-activation";
    if (is_softmax(right, wrong) || is_softmax(wrong, right)) return "logit-for-probability";
    for (const Quantity& quantity : model.quantities)
        if (any_part(quantity.definition, [&](const Expression& e) {
                return e.kind == Kind::product && mentions(e, wrong) && mentions(e, right);
            }))
            return "input-for-weight";
    return "wrong-name";
}

// ---- updates

/// The terms of an update beside the parameter itself.
bool is_parameter(const Editing& editing, const Expression& term) {
    return term.kind == Kind::entry && term.order == 0 && term.name == editing.line.members[0].name;
}

void climbs(Editing& editing) {
    if (!editing.line.is_update) return;
    std::vector<Part> terms = terms_of(editing.member);
    for (Part& term : terms)
        if (!is_parameter(editing, term.expression))
            term.joint = term.joint == Joint::minus ? Joint::plus : Joint::minus;
    editing.offer(sum_of_terms(terms), editing.member.span);
}

void missing_rate(Editing& editing) {
    if (!editing.line.is_update) return;
    for (const int rate : possible_rates(editing.model, editing.line.loss)) {
        std::vector<Part> terms = terms_of(editing.member);
        Span where = editing.member.span;
        for (Part& term : terms)
            if (!is_parameter(editing, term.expression)) {
                where = term.expression.span;
                std::vector<Part> factors = factors_of(term.expression);
                factors[0].joint = factors[0].joint == Joint::divided ? Joint::divided : Joint::times;
                factors.insert(factors.begin(), {letter_entry(editing.model.quantity(rate).name, {}), Joint::times});
                if (editing.arrays && factors.size() > 1) factors[1].joint = Joint::times;
                term.expression = product_of_factors(factors);
            }
        editing.offer(sum_of_terms(terms), where);
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

// ---- signs and factors

void sign(Editing& editing) {
    editing.offer(negated(editing.member), editing.member.span, "The sign is the wrong one.");
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::add || node.children.size() < 2) return;
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            const Joint before = node.joints[i];
            node.joints[i] = before == Joint::minus ? Joint::plus : Joint::minus;
            commit(node.children[i].span, fmt::format("The sign of {} is the wrong one.", to_text(node.children[i])),
                   {});
            node.joints[i] = before;
        }
    });
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::add || node.children.size() != 1) return;
        node = Expression(node.children[0]);
        commit(node.span, {}, {});
    });
}

Expression times(double factor, const Expression& e) {
    if (factor < 1) return product_of({quotient_of(number_of(1), number_of(1 / factor)), e});
    std::vector<Part> factors = factors_of(e);
    factors.insert(factors.begin(), {number_of(factor), Joint::times});
    if (factors.size() > 1 && factors[1].joint != Joint::divided) factors[1].joint = Joint::times;
    return product_of_factors(factors);
}

/// Multiplies the whole or a term by a number; where that number stands in the line already, it goes or comes instead.
void scaled(Editing& editing, double factor) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind == Kind::product) {
            const Expression saved = node;
            for (std::size_t i = 0; i < saved.children.size(); ++i) {
                const Expression& child = saved.children[i];
                if (child.kind != Kind::number) continue;
                const double value = saved.joints[i] == Joint::divided ? 1 / child.number : child.number;
                if (std::abs(value * factor - 1) > 1e-12 || saved.children.size() < 2) continue;
                std::vector<Part> parts = factors_of(saved);
                parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
                if (parts[0].joint == Joint::divided) continue;
                node = product_of_factors(parts);
                commit(child.span, {}, {});
            }
            node = saved;
            // 1/2 * x: two factors, 1 and /2.
            if (saved.children.size() > 2 && saved.children[0].kind == Kind::number && saved.children[0].number == 1 &&
                saved.joints[1] == Joint::divided && saved.children[1].kind == Kind::number &&
                std::abs(factor - saved.children[1].number) < 1e-12) {
                std::vector<Part> parts = factors_of(saved);
                parts.erase(parts.begin(), parts.begin() + 2);
                parts[0].joint = Joint::times;
                node = product_of_factors(parts);
                commit(join(saved.children[0].span, saved.children[1].span), {}, {});
            }
            node = saved;
        }
    });
    if (!editing.line.is_update) editing.offer(times(factor, editing.member), editing.member.span);
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::add) return;
        for (Expression& child : node.children) {
            if (is_parameter(editing, child) && editing.line.is_update) continue;
            const Expression saved = child;
            child = times(factor, child);
            commit(saved.span, {}, {});
            child = saved;
        }
    });
}

void half(Editing& editing) { scaled(editing, 2); }
void twice(Editing& editing) { scaled(editing, 0.5); }

/// A sum for a mean or a mean for a sum.
void exchange_mean(Editing& editing, const char* from, const char* to, const std::string& mistake) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::reduce || node.name != from) return;
        node.name = to;
        commit(node.span, {}, mistake);
    });
}

std::vector<Expression> sizes(const Editing& editing) {
    std::vector<Expression> found;
    for (std::size_t r = 0; r < editing.model.ranges.size(); ++r) {
        const double size = editing.model.ranges[r].size;
        bool named = false;
        for (const Quantity& quantity : editing.model.quantities)
            if (quantity.role == Role::constant && quantity.values.size() == 1 && quantity.values[0] == size) {
                found.push_back(letter_entry(quantity.name, {}));
                named = true;
            }
        const std::vector<std::string> letters = editing.letters_of_range(static_cast<int>(r));
        if (named || letters.empty()) continue;
        Expression letter;
        letter.kind = Kind::letter;
        letter.name = letters[0];
        letter.letters = {{letters[0], 1, -1}};
        found.push_back(call_of("size", 0, letter));
    }
    return found;
}

void divided_by_size(Editing& editing, bool divide) {
    for (const Expression& size : sizes(editing)) {
        const auto is_size = [&](const Expression& e) {
            return same(e, size) || (is_call(e, "size") && is_call(size, "size") &&
                                     editing.range_of(e.children[0].name) == editing.range_of(size.children[0].name));
        };
        // A size that stands there already is taken away.
        editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
            if (node.kind != Kind::product) return;
            const std::vector<Part> parts = factors_of(node);
            for (std::size_t i = 0; i < parts.size(); ++i) {
                if (!is_size(parts[i].expression) || (parts[i].joint == Joint::divided) == divide) continue;
                std::vector<Part> rest = parts;
                rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
                if (rest.size() > 1 && rest[0].expression.kind == Kind::number && rest[0].expression.number == 1 &&
                    rest[1].joint != Joint::divided)
                    rest.erase(rest.begin());
                node = product_of_factors(rest);
                commit(parts[i].expression.span, {}, {});
            }
        });
        if (editing.member.kind == Kind::add && !editing.line.is_update)
            editing.offer(divide ? quotient_of(editing.member, size) : product_of({editing.member, size}),
                          editing.member.span);
        editing.each_term([&](Expression& node, const Names&, const Commit& commit) {
            if (editing.line.is_update && is_parameter(editing, node)) return;
            std::vector<Part> parts = factors_of(node);
            if (divide && editing.arrays)
                parts.insert(parts.begin(), {quotient_of(number_of(1), size), Joint::times});
            else
                parts.push_back({size, divide ? Joint::divided : Joint::times});
            if (editing.arrays && divide && parts.size() > 1 && parts[1].joint != Joint::divided)
                parts[1].joint = Joint::times;
            node = product_of_factors(parts);
            commit({}, {}, {});
        });
    }
}

void mean_missing(Editing& editing) {
    exchange_mean(editing, "sum", "mean", {});
    if (!editing.done()) divided_by_size(editing, true);
}

/// Whether the loss divides by a constant or by a number of terms.
bool loss_is_mean(const Editing& editing) {
    const auto is_size = [&](const Expression& e) {
        return (e.kind == Kind::entry && editing.model.quantity(e.symbol).role == Role::constant) ||
               (e.kind == Kind::number && e.number > 2);
    };
    const auto divides = [&](const Expression& e) {
        if (e.kind == Kind::reduce && e.name == "mean") return true;
        for (std::size_t i = 0; e.kind == Kind::product && i < e.children.size(); ++i)
            if (e.joints[i] == Joint::divided && any_part(e.children[i], is_size)) return true;
        return false;
    };
    return any_behind(editing.model, editing.of, divides);
}

void mean_extra(Editing& editing) {
    const std::string mistake = loss_is_mean(editing) ? "batch-mean-twice" : "batch-mean-extra";
    exchange_mean(editing, "mean", "sum", mistake);
    if (editing.done()) return;
    if (mistake == "batch-mean-extra") divided_by_size(editing, false);
}

void mean_twice(Editing& editing) {
    if (loss_is_mean(editing)) divided_by_size(editing, false);
}

// ---- sums and letters

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
    if (editing.arrays) return;
    const std::string mistake = is_bias(editing.model, editing.by) ? "bias-not-summed" : "missing-sum";
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        for (const Letter& letter : editing.model.letters) {
            if (letter.name[0] == '_' || std::ranges::find(letters, letter.name) != letters.end()) continue;
            if (!uses_letter(saved, letter.name)) continue;
            node = sum_over({letter.name}, saved);
            commit(saved.span, fmt::format("A sum over {} is missing.", letter.name), mistake);
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
            for (unsigned chosen = (1u << uses.size()) - 1; chosen > 0; --chosen) {
                for (std::size_t i = 0; i < uses.size(); ++i)
                    uses[i]->terms[0].name = (chosen >> i & 1u) != 0 ? other : letter;
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
}

void wrong_letter(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        for (std::size_t i = 0; i < node.indices.size(); ++i)
            for (std::size_t k = 0; k < node.indices[i].terms.size(); ++k)
                for (const std::string& letter : letters) {
                    const std::string before = saved.indices[i].terms[k].name;
                    if (letter == before || (editing.range_of(letter) != editing.range_of(before))) continue;
                    node.indices[i].terms[k].name = letter;
                    commit(saved.span,
                           fmt::format("The wrong letter: {} where {} belongs.", to_text(saved), to_text(node)), {});
                    node = saved;
                }
        if (node.kind == Kind::letter)
            for (const std::string& letter : letters) {
                if (letter == saved.name || editing.range_of(letter) != editing.range_of(saved.name)) continue;
                rename_letter(node, saved.name, letter);
                commit(saved.span, {}, {});
                node = saved;
            }
        // A sum whose letter hides the one that is meant, and a letter that is wrong in all of a factor.
        if (node.kind == Kind::derivative || node.kind == Kind::reduce || node.kind == Kind::call)
            for (const Letter& from : editing.model.letters)
                for (const std::string& to : letters) {
                    if (from.name == to || from.name[0] == '_' || from.range != editing.range_of(to) ||
                        !uses_letter(saved, from.name))
                        continue;
                    if (node.kind == Kind::reduce && uses_letter(saved, to)) continue;
                    rename_letter(node, from.name, to);
                    commit(saved.span, {}, {});
                    node = saved;
                }
    });
}

/// Two letters of one range that have changed places everywhere.
void letters_exchanged(Editing& editing) {
    for (std::size_t a = 0; a < editing.free.size(); ++a)
        for (std::size_t b = a + 1; b < editing.free.size(); ++b) {
            const std::string &x = editing.free[a], &y = editing.free[b];
            if (editing.range_of(x) != editing.range_of(y) || editing.arrays) continue;
            Expression turned = editing.member;
            rename_letter(turned, x, "?");
            rename_letter(turned, y, x);
            rename_letter(turned, "?", y);
            editing.offer(turned, editing.member.span,
                          fmt::format("It stands transposed: {} and {} have changed places.", x, y));
        }
}

/// x[i]^2 for x[i] * x[j]
void square_of_entry(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::power || node.children[1].kind != Kind::number || node.children[1].number != 2 ||
            node.children[0].kind != Kind::entry)
            return;
        const Expression saved = node;
        const Expression entry = saved.children[0];
        for (std::size_t i = 0; i < entry.indices.size(); ++i)
            for (const std::string& letter : letters) {
                if (!entry.indices[i].is_letter() || letter == entry.indices[i].terms[0].name ||
                    editing.range_of(letter) != editing.range_of(entry.indices[i].terms[0].name))
                    continue;
                Expression other = entry;
                other.indices[i].terms[0].name = letter;
                node = product_of({entry, other});
                commit(saved.span, fmt::format("The wrong letter: {} belongs here.", to_text(node)), {});
            }
        node = saved;
    });
}

void index_shift(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        for (std::size_t i = 0; i < node.indices.size(); ++i) {
            if (node.indices[i].is_number()) continue;
            for (const int shift : {-1, 1, -2, 2}) {
                node.indices[i].offset += shift;
                commit(saved.span, fmt::format("The index is off: {} where {} belongs.", to_text(saved), to_text(node)),
                       {});
                node = saved;
            }
            for (const std::string& letter : letters)
                for (const int direction : {1, -1}) {
                    node.indices[i].terms.push_back({letter, direction, -1});
                    commit(saved.span,
                           fmt::format("The index is off: {} where {} belongs.", to_text(saved), to_text(node)), {});
                    node = saved;
                }
            if (node.indices[i].terms.size() > 1) {
                for (std::size_t k = 0; k < node.indices[i].terms.size(); ++k) {
                    node.indices[i].terms[k].sign *= -1;
                    commit(saved.span,
                           fmt::format("The index is off: {} where {} belongs.", to_text(saved), to_text(node)), {});
                    node = saved;
                }
            }
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

// ---- derivatives of activations

std::string name_of_missing_derivative(const Editing& editing, const Editing::Activation& activation) {
    if (editing.of < 0 || has_cross_entropy(editing.model, editing.of)) return "missing-derivative";
    const bool squared =
        any_behind(editing.model, editing.of, [](const Expression& e) { return e.kind == Kind::power; });
    const bool direct = std::ranges::any_of(editing.model.quantities, [&](const Quantity& q) {
        return q.ranges.empty() && mentions(q.definition, activation.quantity);
    });
    return squared && direct && !uses_adjoint(editing) &&
                   (activation.name == "sigmoid" || activation.name == "tanh" || activation.name.empty())
               ? "missing-output-derivative"
               : "missing-derivative";
}

void missing_derivative(Editing& editing) {
    for (const Editing::Activation& activation : editing.activations())
        editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
            if (editing.line.is_update && is_parameter(editing, node)) return;
            const Expression saved = node;
            for (const Expression& derivative : editing.instances(activation.derivative, activation.letters, letters)) {
                std::vector<Part> parts = factors_of(saved);
                if (editing.arrays)
                    parts = {{saved, Joint::times}, {derivative, Joint::elementwise}};
                else
                    for (Part& part : factors_of(derivative)) parts.push_back({part.expression, part.joint});
                node = product_of_factors(parts);
                commit(saved.span, fmt::format("The factor {} is missing.", to_text(derivative)),
                       name_of_missing_derivative(editing, activation));
                if (editing.arrays) {
                    node = product_of_factors({{derivative, Joint::times}, {saved, Joint::elementwise}});
                    commit(saved.span, fmt::format("The factor {} is missing.", to_text(derivative)),
                           name_of_missing_derivative(editing, activation));
                }
                node = saved;
            }
        });
}

void function_for_derivative(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::call || node.order > 2 || node.children.size() != 1 || node.name == "softmax" ||
            node.name == "size" || node.name == "diag")
            return;
        ++node.order;
        commit(node.span, fmt::format("{} stands here where its derivative belongs.", node.name), {});
    });
    // a[j] for f'(z[j])
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::entry) return;
        const Expression saved = node;
        for (const Editing::Activation& activation : editing.activations()) {
            const Quantity& a = editing.model.quantity(activation.quantity);
            if (a.name != saved.name || !same(a.written, activation.call)) continue;
            for (const Expression& derivative : editing.instances(activation.derivative, activation.letters, letters)) {
                node = derivative;
                const bool is_half = activation.name == "sigmoid";
                commit(saved.span,
                       is_half ? fmt::format("Half of the derivative: {} is missing a factor.", to_text(saved))
                               : fmt::format("{} itself stands here where its derivative belongs.", to_text(saved)),
                       is_half ? "half-derivative" : "");
            }
            node = saved;
        }
    });
}

void derivative_at_activation(Editing& editing) {
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::call || node.children.size() != 1) return;
        const Expression saved = node;
        for (const Editing::Activation& activation : editing.activations()) {
            if (activation.call.name != saved.name) continue;
            for (const Expression& call : editing.instances(activation.call, activation.letters, letters)) {
                if (same(call.children[0], saved.children[0])) continue;
                node.children[0] = call.children[0];
                commit(saved.span,
                       fmt::format("{} is taken at {}, not at {}.",
                                   saved.name + std::string(static_cast<std::size_t>(saved.order), '\''),
                                   to_text(saved.children[0]), to_text(call.children[0])),
                       saved.order > 0 ? "" : "wrong-name");
            }
            node = saved;
        }
    });
}

/// The factors of a derivative in a product: a (1 - a), 1 - a^2, [z > 0], f'(z).
bool looks_like_derivative(const Expression& e) {
    if (e.kind == Kind::call) return e.order > 0;
    if (e.kind == Kind::iverson) return true;
    return e.kind == Kind::add && e.children.size() == 2 && e.children[0].kind == Kind::number &&
           e.children[0].number == 1;
}

void half_derivative(Editing& editing) {
    for (const Editing::Activation& activation : editing.activations()) {
        if (activation.name != "sigmoid") continue;
        editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
            const Expression saved = node;
            if (saved.kind != Kind::add || !looks_like_derivative(saved)) return;
            for (const Expression& entry : editing.entries_of(activation.quantity, letters)) {
                node = product_of({entry, saved});
                commit(saved.span, fmt::format("Half of the derivative: the factor {} is missing.", to_text(entry)),
                       {});
            }
            node = saved;
        });
    }
}

void other_activation(Editing& editing) {
    for (const Editing::Activation& activation : editing.activations()) {
        if (editing.model.function(activation.call.name) < 0 && (activation.name == "log" || activation.name == "exp" ||
                                                                 activation.name == "sqrt" || activation.name == "abs"))
            continue;
        editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
            const Expression saved = node;
            for (const Expression& derivative : editing.instances(activation.derivative, activation.letters, letters)) {
                const std::string sentence =
                    fmt::format("The derivative of another activation: {} belongs here.", to_text(derivative));
                if (looks_like_derivative(saved)) {
                    node = derivative;
                    commit(saved.span, sentence,
                           saved.kind == Kind::call && saved.name == activation.call.name ? "wrong-name" : "");
                }
                if (saved.kind == Kind::product) {
                    const std::vector<Part> parts = factors_of(saved);
                    for (std::size_t i = 0; i < parts.size(); ++i) {
                        if (!looks_like_derivative(parts[i].expression)) continue;
                        // Alone, and with the factor a beside it.
                        for (std::size_t k = 0; k < parts.size(); ++k) {
                            std::vector<Part> rest = parts;
                            rest[i] = {derivative, Joint::times};
                            if (k != i) {
                                if (parts[k].expression.kind != Kind::entry && parts[k].expression.kind != Kind::call)
                                    continue;
                                rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(k));
                            }
                            node = product_of_factors(rest);
                            commit(parts[i].expression.span, sentence, {});
                        }
                    }
                }
                node = saved;
            }
        });
    }
}

/// f''(z) for f'(z)
void one_prime_less(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::call || node.order == 0) return;
        --node.order;
        commit(node.span, fmt::format("{} is differentiated once too often.", node.name), "derivative-twice");
    });
}

void power_of_derivative(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::power) return;
        const Expression saved = node;
        const bool derivative = looks_like_derivative(saved.children[0]);
        node = Expression(saved.children[0]);
        commit(saved.span, derivative ? "The derivative stands here twice." : "The power is the wrong one.",
               derivative ? "derivative-twice" : "wrong-power");
        node = saved;
        if (saved.children[1].kind != Kind::number) return;
        for (const int change : {-1, 1}) {
            node.children[1] = number_of(saved.children[1].number + change);
            commit(saved.span, "The power is the wrong one.", "wrong-power");
        }
        node.children[1] = number_of(-saved.children[1].number);
        commit(saved.span, "The power is the wrong one.", "wrong-power");
        for (const double value : {1.5, 0.5, -1.5, -0.5}) {
            node.children[1] = number_of(value);
            commit(saved.span, "The power is the wrong one.", "wrong-power");
        }
    });
}

// ---- softmax and Kronecker

std::vector<Expression> adjoints(const Editing& editing, const Names& letters);

/// p[k] ([k == n] - p[n]) for what is left of it, and with an adjoint p[k] (g[k] - sum(n, g[n] p[n])).
void softmax_jacobian(Editing& editing) {
    const Model& model = editing.model;
    if (editing.arrays) return;
    const bool only_diagonal = any_part(editing.member, [](const Expression& e) {
        return e.kind == Kind::iverson || (e.kind == Kind::entry && e.name == "delta" && e.indices.size() == 2) ||
               (e.kind == Kind::number && e.number == 1 && e.name == "1");
    });
    const char* mistake = only_diagonal ? "softmax-diagonal-only" : "softmax-diagonal-missing";
    const char* sentence =
        only_diagonal
            ? "The entries off the diagonal of softmax's Jacobian are not 0: every probability depends on every logit."
            : "The diagonal of softmax's Jacobian has a term of its own.";
    for (std::size_t q = 0; q < model.quantities.size(); ++q) {
        if (!any_part(model.quantities[q].definition, [](const Expression& e) { return is_call(e, "exp"); })) continue;
        for (const Expression& p : editing.entries_of(static_cast<int>(q), editing.free)) {
            if (p.indices.empty()) continue;
            const std::string last = p.indices.back().terms[0].name;
            for (const std::string& letter : editing.free) {
                if (letter == last || editing.range_of(letter) != editing.range_of(last)) continue;
                Expression other = p;
                other.indices.back().terms[0].name = letter;
                editing.offer(
                    product_of({p, sum_of_terms({{kronecker(last, letter), Joint::plus}, {other, Joint::minus}})}),
                    editing.member.span, sentence, mistake);
            }
            const std::string bound = editing.unused_letter(editing.range_of(last));
            if (bound.empty()) continue;
            for (const Expression& g : adjoints(editing, editing.free)) {
                if (!uses_letter(g, last) || !contains(editing.member, g)) continue;
                Expression sum = product_of({g, p});
                rename_letter(sum, last, bound);
                editing.offer(product_of({p, sum_of_terms({{g, Joint::plus}, {sum_over({bound}, sum), Joint::minus}})}),
                              editing.member.span, sentence, mistake);
            }
        }
    }
}

void missing_kronecker(Editing& editing) {
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        for (std::size_t a = 0; a < letters.size(); ++a)
            for (std::size_t b = a + 1; b < letters.size(); ++b) {
                if (editing.range_of(letters[a]) != editing.range_of(letters[b]) || editing.range_of(letters[a]) < 0 ||
                    editing.arrays)
                    continue;
                std::vector<Part> parts = factors_of(saved);
                parts.insert(parts.begin(), {kronecker(letters[a], letters[b]), Joint::times});
                node = product_of_factors(parts);
                commit(saved.span,
                       fmt::format("A Kronecker delta is missing: the entries where {} and {} differ are 0.",
                                   letters[a], letters[b]),
                       {});
                parts[0].expression.name = "!=";
                node = product_of_factors(parts);
                commit(saved.span,
                       fmt::format("A Kronecker delta is missing: the entries where {} and {} are the same are 0.",
                                   letters[a], letters[b]),
                       {});
                node = saved;
            }
    });
}

// ---- factors, names, terms

/// dA/dq or a name for it, for every q with entries in scope.
std::vector<Expression> adjoints(const Editing& editing, const Names& letters) {
    std::vector<Expression> found;
    const Model& model = editing.model;
    for (std::size_t q = 0; q < model.quantities.size(); ++q) {
        if (!has_derivative(model.quantities[q].definition)) continue;
        for (Expression& entry : editing.entries_of(static_cast<int>(q), letters, 3)) found.push_back(std::move(entry));
    }
    if (editing.of >= 0 && model.quantity(editing.of).ranges.empty())
        for (std::size_t q = 0; q < model.quantities.size(); ++q) {
            if (model.quantities[q].role != Role::definition || static_cast<int>(q) == editing.by ||
                !depends_on(model, editing.of, static_cast<int>(q)) || static_cast<int>(q) == editing.of)
                continue;
            for (Expression& entry : editing.entries_of(static_cast<int>(q), letters, 3)) {
                Expression derivative;
                derivative.kind = Kind::derivative;
                derivative.order = 1;
                derivative.children = {letter_entry(model.quantity(editing.of).name, {}), std::move(entry)};
                found.push_back(derivative);
            }
        }
    return found;
}

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
                if (!saved.children.empty() || saved.kind == Kind::entry) {
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
        editing.offer(number_of(1), editing.member.span, bias ? "The input of a bias is 1." : "",
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

Expression derivative_of(Expression a, Expression b) {
    Expression d;
    d.kind = Kind::derivative;
    d.order = 1;
    d.children = {std::move(a), std::move(b)};
    return d;
}

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

}  // namespace

const std::vector<Mistake>& catalogue() {
    static const std::vector<Mistake> rows = {
        {"update-climbs", "The update climbs: it adds the gradient, and a step of descent subtracts it.", climbs},
        {"missing-rate", "The rate is missing.", missing_rate},
        {"updated-weights", "Updated weights are used; the gradient is taken at the old ones.", updated_weights},
        {"sign", "The sign is the wrong one.", sign, true},
        {"factor-half", "It is half of what is right.", half, true},
        {"factor-two", "It is twice what is right.", twice, true},
        {"product-of-sums", "A product of sums stands for a sum of products.", product_of_sums},
        {"extra-sum", "A sum that should not be there.", extra_sum, true},
        {"factor-outside-sum", "A factor stands outside the sum over its letter.", factor_outside},
        {"batch-mean-missing", "The 1/N of the mean is missing: the error grows with the number of terms.",
         mean_missing},
        {"batch-mean-extra", "A 1/N that should not be there: the loss is a sum, not a mean.", mean_extra},
        {"batch-mean-twice", "The 1/N stands here twice: what is summed holds it already.", mean_twice},
        {"missing-sum", "A sum is missing.", missing_sum},
        {"transposed", "A matrix stands transposed.", transposed},
        {"order-of-factors", "The factors stand in the wrong order.", order_of_factors},
        {"wrong-letter", "The wrong letter.", wrong_letter, true},
        {"wrong-letter", "The wrong letter.", square_of_entry},
        {"wrong-letter", "The index is off.", index_shift},
        {"extra-sum", "A sum stands here that another factor holds already.", held_already},
        {"softmax-diagonal-missing", "Softmax's Jacobian is not this.", softmax_jacobian},
        {"function-for-derivative", "A function stands where its derivative belongs.", function_for_derivative},
        {"derivative-at-activation", "The derivative is taken at the wrong place.", derivative_at_activation},
        {"extra-factor", "A factor that should not be there.", extra_factor, true},
        {"half-derivative", "Half of the derivative.", half_derivative},
        {"other-activation", "The derivative of another activation.", other_activation},
        {"missing-kronecker", "A Kronecker delta is missing.", missing_kronecker},
        {"other-adjoint", "The adjoint of another quantity.", exchanged_adjoint},
        {"missing-derivative", "The derivative of the activation is missing.", missing_derivative, true},
        {"derivative-twice", "It is differentiated once too often.", one_prime_less},
        {"transposed", "It stands transposed.", letters_exchanged},
        {"jacobian-summed", "The rows of a Jacobian are summed.", jacobian_summed},
        {"missing-regulariser", "The regulariser is missing.", missing_term},
        {"missing-path", "A path is missing.", missing_path},
        {"extra-term", "A term that should not be there.", extra_term, true},
        {"wrong-name", "Another quantity belongs here.", exchanged_name},
        {"missing-factor", "A factor is missing.", missing_factor, true},
        {"wrong-power", "The power is the wrong one.", power_of_derivative},
        {"divided-for-times", "A factor stands where a divisor belongs.", divided_for_times},
        {"wrong-number", "A number is the wrong one.", small_changes},
    };
    return rows;
}

}  // namespace derivation
