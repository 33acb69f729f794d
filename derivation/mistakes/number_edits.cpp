// Edits of signs and numbers: as factors, as the 1/N of a mean, and small changes of single ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>
#include <utility>

namespace derivation {

namespace {

using Commit = Editing::Commit;

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
                Parts parts = factors_of(saved);
                parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
                if (parts[0].joint == Joint::divided) continue;
                node = product_of_factors(parts);
                commit(child.span, {}, {});
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
            commit(saved.span, fmt::format("{} is {} what is right.", to_text(saved), factor > 1 ? "half of" : "twice"),
                   {});
            child = saved;
        }
    });
}

/// A sum for a mean or a mean for a sum.
void exchange_mean(Editing& editing, const char* from, const char* to) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::reduce || node.name != from) return;
        node.name = to;
        commit(node.span, {}, {});
    });
}

double size_of(const Editing& editing, const Expression& size) {
    if (is_call(size, "size")) return editing.model.range(*editing.range_of(size.argument().name)).size;
    return editing.model.quantity(editing.model.quantities_named(size.name)[0]).values[0];
}

/// Whether the left side, or the loss behind it, divides by a number of terms.
bool loss_is_mean(const Editing& editing) {
    const auto is_size = [&](const Expression& e) {
        std::optional<double> value;
        if (e.kind == Kind::number && e.number > 2) value = e.number;
        if (e.kind == Kind::entry && editing.model.quantity(e).values.size() == 1)
            value = editing.model.quantity(e).values[0];
        return is_call(e, "size") ||
               (value && std::ranges::find(editing.model.ranges, *value, &Range::size) != editing.model.ranges.end());
    };
    const auto divides = [&](const Expression& e) {
        if (e.kind == Kind::reduce && e.name == "mean") return true;
        for (std::size_t i = 0; e.kind == Kind::product && i < e.children.size(); ++i)
            if (e.joints[i] == Joint::divided && any_part(e.children[i], is_size)) return true;
        return false;
    };
    // A mean that is not between the loss and what it is differentiated by divides nothing here.
    if (editing.of && editing.by) {
        const Model& model = editing.model;
        for (int q = 0; q < model.count(); ++q)
            if (depends_on(model, *editing.of, q) && depends_on(model, q, *editing.by) &&
                any_part(model.quantity(q).definition, divides))
                return true;
        return any_part(editing.left, divides);
    }
    std::vector<int> named;
    add_entries(editing.left, named);
    return any_part(editing.left, divides) || any_behind(editing.model, editing.of, divides) ||
           std::ranges::any_of(named, [&](int q) { return any_behind(editing.model, q, divides); });
}

/// Whether something of this size is summed over, in the line or behind it: else a number that is the size is it by
/// accident.
bool is_summed(const Editing& editing, double size) {
    const Model& model = editing.model;
    const auto sums = [&](const Expression& e) {
        return e.kind == Kind::reduce && std::ranges::any_of(e.letters, [&](const IndexTerm& letter) {
                   return letter.letter && model.range_of(letter).size == size;
               });
    };
    std::vector<int> named;
    for (const Expression& member : editing.line.checked.members) add_entries(member, named);
    add_entries(editing.left, named);
    return any_part(editing.left, sums) ||
           std::ranges::any_of(editing.line.checked.members, [&](const Expression& e) { return any_part(e, sums); }) ||
           std::ranges::any_of(named, [&](int q) { return any_behind(model, q, sums); });
}

/// Whether the number itself makes the factor: it stands on the left side or behind it, or is too much in the member.
bool makes_factor(const Editing& editing, double number, bool divide) {
    const auto is_factor = [&](const Expression& e) {
        for (std::size_t i = 0; e.kind == Kind::product && i < e.children.size(); ++i)
            if (e.joints[i] != Joint::divided && is_number(e.children[i], number)) return true;
        return false;
    };
    if (divide) return any_part(editing.member, is_factor) && !loss_is_mean(editing);
    return any_part(editing.left, is_factor) || any_behind(editing.model, editing.of, is_factor);
}

/// Whether the term that holds this divisor has another 1/N, or an adjoint that may hold one.
bool is_divided_beside(const Editing& editing, const Expression& divisor) {
    const auto counts = [&](auto& self, const Expression& e) -> int {
        int count = (e.kind == Kind::reduce && e.name == "mean") || e.kind == Kind::derivative ? 1 : 0;
        if (e.kind == Kind::entry)
            for (const int q : editing.model.quantities_named(e.name))
                count += has_derivative(editing.model.quantity(q).definition) ? 1 : 0;
        for (std::size_t i = 0; i < e.children.size() && e.kind == Kind::product; ++i)
            if (const Expression& child = e.children[i]; e.joints[i] == Joint::divided)
                count += child.kind == Kind::power ? static_cast<int>(first_number(child.exponent())) : 1;
        for (const Expression& child : e.children) count += self(self, child);
        return count;
    };
    for (const Part& term : terms_of(editing.member))
        if (any_part(term.expression, [&](const Expression& e) {
                return e.span.begin == divisor.span.begin && e.span.end == divisor.span.end && same(e, divisor);
            }))
            return counts(counts, term.expression) > 1;
    return true;
}

/// `mistake` is what it is called where nothing in the line divides and a factor N is forgotten; empty: the row's name.
void divided_by_size(Editing& editing, bool divide, const std::string& mistake = {}) {
    const bool of_mean = loss_is_mean(editing);
    for (const Expression& size : sizes(editing)) {
        const double number = size_of(editing, size);
        const bool summed = is_summed(editing, number), number_is_size = summed && (!divide || of_mean);
        const auto is_size = [&](const Expression& e) {
            return same(e, size) || (number_is_size && e.kind == Kind::number && e.number == number && number > 2) ||
                   (is_call(e, "size") && is_call(size, "size") &&
                    editing.same_range(e.argument().name, size.argument().name));
        };
        // A size that stands there already is taken away.
        editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
            if (node.kind != Kind::product) return;
            const Parts parts = factors_of(node);
            const auto commit_without = [&](const Expression& gone) {
                if (divide && !of_mean)
                    commit(gone.span, Reason("The factor {} should not be there.", gone), "extra-factor");
                else if (!divide && of_mean && !is_divided_beside(editing, gone))
                    commit(gone.span, "A 1/N that should not be there.", "batch-mean-extra");
                else
                    commit(gone.span, {}, {});
            };
            for (std::size_t i = 0; i < parts.size(); ++i) {
                const Expression& e = parts[i].expression;
                if (e.kind == Kind::power && is_size(e.base()) && e.exponent().kind == Kind::number &&
                    (parts[i].joint == Joint::divided) != divide) {
                    Parts lower = parts;
                    lower[i].expression.exponent() = number_of(e.exponent().number - 1);
                    node = product_of_factors(lower);
                    commit_without(e.base());
                }
                if (!is_size(parts[i].expression) || (parts[i].joint == Joint::divided) == divide) continue;
                Parts rest = without(parts, i);
                if (rest.size() > 1 && is_number(rest[0].expression, 1) && rest[1].joint != Joint::divided)
                    rest.erase(rest.begin());
                node = product_of_factors(rest);
                commit_without(parts[i].expression);
            }
        });
        if (!summed || (is_call(size, "size") && makes_factor(editing, number, divide))) continue;
        Reason reason;
        std::string name = mistake;
        if (!mistake.empty()) {
            reason = Reason("The factor {} is missing: every term of the sum adds the same.", size);
        } else if (divide && !of_mean) {
            reason = fmt::format("A division by {} is missing.", to_text(size));
            name = "missing-factor";
        }
        if (editing.member.kind == Kind::add && !editing.line.is_update) {
            Expression edited = quotient_of(editing.member, size);
            if (!divide) edited = product_of({editing.member, size});
            editing.offer(std::move(edited), editing.member.span, mistake.empty() ? reason : Reason::missing(size),
                          name);
        }
        editing.each_term([&](Expression& node, const Names&, const Commit& commit) {
            if (editing.line.is_update && is_parameter(editing, node)) return;
            Parts parts = factors_of(node);
            if (divide && editing.arrays)
                parts.insert(parts.begin(), {quotient_of(number_of(1), size), Joint::times});
            else
                parts.push_back({size, divide ? Joint::divided : Joint::times});
            if (editing.arrays && divide && parts.size() > 1 && parts[1].joint != Joint::divided)
                parts[1].joint = Joint::times;
            node = product_of_factors(parts);
            commit({}, reason, name);
        });
    }
}

}  // namespace

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
        commit(node.span, fmt::format("The sign of {} is the wrong one.", to_text(node)), {});
    });
}

void half(Editing& editing) { scaled(editing, 2); }
void twice(Editing& editing) { scaled(editing, 0.5); }

void missing_numeric_factor(Editing& editing) {
    for (const int factor : {3, 4, 5, 6, 8}) {
        editing.offer(times(factor, editing.member), editing.member.span, Reason::missing(number_of(factor)));
        editing.offer(times(1.0 / factor, editing.member), editing.member.span,
                      fmt::format("It is {} times what is right.", factor));
    }
}

void mean_missing(Editing& editing) {
    exchange_mean(editing, "sum", "mean");
    if (!editing.done()) divided_by_size(editing, true);
}

void mean_extra(Editing& editing) {
    if (loss_is_mean(editing)) return;
    exchange_mean(editing, "mean", "sum");
    if (!editing.done()) divided_by_size(editing, false, "missing-factor");
}

void mean_twice(Editing& editing) {
    if (!loss_is_mean(editing)) return;
    divided_by_size(editing, false);
    if (!editing.done()) exchange_mean(editing, "mean", "sum");
}

/// f(-x) for f(x), 1 - p for p, and p for 1 - p.
void small_signs(Editing& editing) {
    const auto is_one_minus = [](const Expression& e) {
        return e.kind == Kind::add && e.children.size() == 2 && is_number(e.children[0], 1) &&
               e.joints[1] == Joint::minus;
    };
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        if (is_one_minus(saved)) {
            node = Expression(saved.children[1]);
            commit(saved.span, fmt::format("{} stands where {} belongs.", to_text(saved), to_text(node)), "wrong-term");
            node = saved;
        }
        if (saved.kind == Kind::call && saved.children.size() == 1 && saved.name != "size") {
            node.argument() = negated(saved.argument());
            commit(saved.argument().span, "The sign of the argument is the wrong one.", "sign");
            node = saved;
        }
        const bool stands_behind_one = any_part(editing.member, [&](const Expression& e) {
            return is_one_minus(e) && same(e.children[1], saved) && e.children[1].span.begin == saved.span.begin;
        });
        if ((saved.kind != Kind::entry && saved.kind != Kind::call) || stands_behind_one) return;
        node = sum_of_terms({{number_of(1), Joint::plus}, {saved, Joint::minus}});
        commit(saved.span, fmt::format("{} stands where 1 - {} belongs.", to_text(saved), to_text(saved)),
               "wrong-term");
    });
}

/// a (b - c) d for a b - c d: a bracket is missing.
void missing_bracket(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::add || node.children.size() != 2 || node.joints[0] == Joint::minus || editing.arrays)
            return;
        const Expression saved = node;
        const Parts first = factors_of(saved.children[0]), second = factors_of(saved.children[1]);
        for (std::size_t a = 0; a < first.size(); ++a)
            for (std::size_t b = 1; b <= second.size(); ++b) {
                if (a == 0 && b == second.size()) continue;
                if (first[a].joint == Joint::divided && a > 0) continue;
                const Parts before(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(a)),
                    left(first.begin() + static_cast<std::ptrdiff_t>(a), first.end()),
                    right(second.begin(), second.begin() + static_cast<std::ptrdiff_t>(b)),
                    behind(second.begin() + static_cast<std::ptrdiff_t>(b), second.end());
                Parts factors = before;
                factors.push_back({sum_of_terms({{product_of_factors(left), Joint::plus},
                                                 {product_of_factors(right), saved.joints[1]}}),
                                   Joint::times});
                factors.insert(factors.end(), behind.begin(), behind.end());
                node = product_of_factors(factors);
                commit(saved.span, "A bracket is missing.", {});
            }
        node = saved;
    });
}

void wrong_number(Editing& editing) {
    // Those that are usual, and those of the definitions: the 6 of relu6.
    std::vector<double> numbers = {0, 1, 2, 3, 4, 0.5};
    const auto gather = [&](auto& self, const Expression& e) -> void {
        if (e.kind == Kind::number && std::ranges::find(numbers, e.number) == numbers.end())
            numbers.push_back(e.number);
        for (const Expression& child : e.children) self(self, child);
    };
    for (const Quantity& quantity : editing.model.quantities) gather(gather, quantity.written);
    constexpr std::size_t most = 16;
    numbers.resize(std::min(numbers.size(), most));
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::number) return;
        const Expression saved = node;
        for (const double other : numbers) {
            if (other == saved.number) continue;
            node = number_of(other);
            commit(saved.span, fmt::format("The number is the wrong one: {} belongs here.", other), {});
        }
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
        }
        const bool is_bracket = saved.kind == Kind::add && saved.children.size() > 1;
        if (saved.kind == Kind::entry || saved.kind == Kind::call || is_bracket) {
            node = is_call(saved, "sqrt") ? saved.body() : power_of(saved, number_of(2));
            commit(saved.span, "A power is missing.", "wrong-power");
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
