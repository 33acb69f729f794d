// Edits of the derivatives of activations, of softmax, and of Kronecker deltas.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/differentiation.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>
#include <optional>

namespace derivation {

namespace {

using Commit = Editing::Commit;

std::string name_of_missing_derivative(const Editing& editing, const Activation& activation) {
    if (!editing.of || has_cross_entropy(editing.model, editing.of)) return "missing-derivative";
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

/// The derivative at the letters in scope, and where something else in the term stands: at h[t+1,j] beside g[t+1,j].
std::vector<Expression> derivatives_beside(const Editing& editing, const Activation& activation, const Expression& term,
                                           const Names& letters) {
    std::vector<Expression> derivatives = editing.instances(activation.derivative, activation.letters, letters);
    const Model& model = editing.model;
    const auto is_shifted = [](const Index& index) { return !index.is_letter() && !index.is_number(); };
    const auto ranges_of = [&](const Expression& entry) -> const std::vector<int>* {
        const std::vector<int> named = model.quantities_named(entry.name);
        return named.size() == 1 ? &model.quantity(named[0]).ranges : nullptr;
    };
    const std::vector<int>& ranges = model.quantity(activation.quantity).ranges;
    const auto look = [&](auto& self, const Expression& e) -> void {
        const std::vector<int>* its = e.kind == Kind::entry ? ranges_of(e) : nullptr;
        if (its != nullptr && *its == ranges && std::ranges::any_of(e.indices, is_shifted)) {
            Expression derivative = activation.derivative;
            bool possible = true;
            for (std::size_t i = 0; i < ranges.size(); ++i)
                rename_letter(derivative, model.letter(activation.letters[i]).name, "?" + std::to_string(i));
            for (std::size_t i = 0; i < ranges.size(); ++i)
                possible = replace_letter(derivative, "?" + std::to_string(i), e.indices[i]) && possible;
            if (possible && std::ranges::none_of(derivatives, [&](const Expression& d) { return same(d, derivative); }))
                derivatives.push_back(std::move(derivative));
        }
        for (const Expression& child : e.children) self(self, child);
    };
    if (!editing.arrays) look(look, term);
    return derivatives;
}

}  // namespace

void missing_derivative(Editing& editing) {
    for (const Activation& activation : editing.activations())
        editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
            if (editing.line.is_update && is_parameter(editing, node)) return;
            const Expression saved = node;
            for (const Expression& derivative : derivatives_beside(editing, activation, saved, letters)) {
                Parts parts = factors_of(saved);
                if (editing.arrays)
                    parts = {{saved, Joint::times}, {derivative, Joint::elementwise}};
                else
                    for (Part& part : factors_of(derivative)) parts.push_back({part.expression, part.joint});
                node = product_of_factors(parts);
                commit(saved.span, Reason::missing(derivative), name_of_missing_derivative(editing, activation));
                if (editing.arrays) {
                    node = product_of_factors({{derivative, Joint::times}, {saved, Joint::elementwise}});
                    commit(saved.span, Reason::missing(derivative), name_of_missing_derivative(editing, activation));
                }
                node = saved;
            }
        });
}

/// (V^T g) x^T for ((V^T g) ⊙ (1 - h^2)) x^T
void missing_derivative_within(Editing& editing) {
    if (!editing.arrays) return;
    for (const Activation& activation : editing.activations()) {
        const auto add = [&](Expression& node, const Commit& commit) {
            const Expression saved = node;
            node = product_of_factors({{saved, Joint::times}, {activation.derivative, Joint::elementwise}});
            commit(saved.span, Reason::missing(activation.derivative), name_of_missing_derivative(editing, activation));
        };
        editing.each_run([&](Expression& node, const Names&, const Commit& commit) { add(node, commit); });
        editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
            if (node.kind == Kind::transpose) add(node.argument(), commit);
        });
    }
}

void function_for_derivative(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::call || node.order > 2 || node.children.size() != 1 || node.name == "softmax" ||
            node.name == "size" || node.name == "diag")
            return;
        const Expression saved = node;
        const bool depends = any_part(saved, [&](const Expression& x) {
            return x.kind == Kind::entry && std::ranges::any_of(editing.model.quantities_named(x.name), [&](int q) {
                       return editing.model.quantity(q).role != Role::constant;
                   });
        });
        if (!depends) return;
        const bool named = editing.model.is_function(saved.name);
        node = named ? call_of(saved.name, saved.order + 1, saved.argument()) : slope_of(saved);
        commit(saved.span, fmt::format("{} stands here where its derivative belongs.", saved.name), {});
        node = saved;
    });
    // a[j] for f'(z[j])
    editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
        if (node.kind != Kind::entry) return;
        const Expression saved = node;
        for (const Activation& activation : editing.activations()) {
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
        for (const Activation& activation : editing.activations()) {
            if (activation.call.name != saved.name) continue;
            for (const Expression& call : editing.instances(activation.call, activation.letters, letters)) {
                if (same(call.argument(), saved.argument())) continue;
                node.argument() = call.argument();
                commit(saved.span,
                       fmt::format("{} is taken at {}, not at {}.",
                                   saved.name + std::string(static_cast<std::size_t>(saved.order), '\''),
                                   to_text(saved.argument()), to_text(call.argument())),
                       saved.order > 0 ? "" : "wrong-name");
            }
            node = saved;
        }
    });
}

void half_derivative(Editing& editing) {
    for (const Activation& activation : editing.activations()) {
        if (activation.name != "sigmoid") continue;
        editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
            const Expression saved = node;
            if (saved.kind != Kind::add || !looks_like_derivative(saved)) return;
            for (const Expression& entry : editing.entries_of(activation.quantity, letters)) {
                node = product_of({entry, saved});
                commit(saved.span, Reason("Half of the derivative: the factor {} is missing.", entry), {});
            }
            node = saved;
        });
    }
}

void other_activation(Editing& editing) {
    for (const Activation& activation : editing.activations()) {
        const Elementary* elementary = find_elementary(activation.call.name);
        if (elementary != nullptr && !elementary->is_activation) continue;
        editing.each_node([&](Expression& node, const Names& letters, const Commit& commit) {
            const Expression saved = node;
            for (const Expression& derivative : editing.instances(activation.derivative, activation.letters, letters)) {
                // Another threshold is no other activation.
                const auto is_condition = [&](const Expression& e) {
                    return e.kind == Kind::iverson && derivative.kind == Kind::iverson;
                };
                const auto sentence = [&](const Expression& wrong) {
                    return fmt::format(
                        "{}: {} belongs here.",
                        is_condition(wrong) ? "The condition is another one" : "The derivative of another activation",
                        to_text(derivative));
                };
                const auto mistake = [&](const Expression& wrong) {
                    return is_condition(wrong)                                              ? "wrong-condition"
                           : wrong.kind == Kind::call && wrong.name == activation.call.name ? "wrong-name"
                                                                                            : "";
                };
                if (looks_like_derivative(saved)) {
                    node = derivative;
                    commit(saved.span, sentence(saved), mistake(saved));
                }
                if (saved.kind == Kind::product) {
                    const Parts parts = factors_of(saved);
                    for (std::size_t i = 0; i < parts.size(); ++i) {
                        if (!looks_like_derivative(parts[i].expression)) continue;
                        // Alone, and with the factor a beside it.
                        for (std::size_t k = 0; k < parts.size(); ++k) {
                            Parts rest = parts;
                            rest[i] = {derivative, Joint::times};
                            const Kind beside = parts[k].expression.kind;
                            if (k != i && beside != Kind::entry && beside != Kind::call) continue;
                            node = product_of_factors(k == i ? rest : without(rest, k));
                            commit(parts[i].expression.span, sentence(parts[i].expression),
                                   is_condition(parts[i].expression) ? "wrong-condition" : "");
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

namespace {

/// 2, -2, 1/2 and -1/2.
std::optional<double> number_written(const Expression& e) {
    if (e.kind == Kind::number) return e.number;
    if (e.kind == Kind::add && e.children.size() == 1 && e.joints[0] == Joint::minus) {
        const std::optional<double> positive = number_written(e.children[0]);
        return positive ? std::optional(-*positive) : std::nullopt;
    }
    if (e.kind == Kind::product && e.children.size() == 2 && e.joints[1] == Joint::divided &&
        e.children[0].kind == Kind::number && e.children[1].kind == Kind::number)
        return e.children[0].number / e.children[1].number;
    return {};
}

}  // namespace

/// 1 - h^2 for (1 - h)^2, and the other way round.
void power_of_bracket(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        if (saved.kind == Kind::power && saved.base().kind == Kind::add && saved.base().children.size() == 2)
            for (const std::size_t i : {1u, 0u}) {
                node = saved.base();
                node.children[i] = power_of(saved.base().children[i], saved.exponent());
                commit(
                    saved.span,
                    fmt::format("The power belongs to {} alone: {}.", to_text(saved.base().children[i]), to_text(node)),
                    {});
            }
        for (std::size_t i = 0; saved.kind == Kind::add && saved.children.size() == 2 && i < 2; ++i) {
            if (saved.children[i].kind != Kind::power) continue;
            Expression bracket = saved;
            bracket.children[i] = saved.children[i].base();
            node = power_of(bracket, saved.children[i].exponent());
            commit(saved.span, fmt::format("The power belongs to the bracket: {}.", to_text(node)), {});
        }
        node = saved;
    });
}

void power_of_derivative(Editing& editing) {
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::power) return;
        const Expression saved = node;
        const bool derivative = looks_like_derivative(saved.base());
        node = saved.base();
        commit(saved.span, derivative ? "The derivative stands here twice." : "The power is the wrong one.",
               derivative ? "derivative-twice" : "wrong-power");
        const std::optional<double> typed = number_written(saved.exponent());
        if (!typed) return;
        for (const double exponent : {*typed - 1, *typed + 1, -*typed, 1 / *typed, 1.5, 0.5, -1.5, -0.5}) {
            if (!std::isfinite(exponent)) continue;
            node = saved;
            node.exponent() = number_of(exponent);
            // (-3/2) where (-1/2) was typed
            if (saved.exponent().kind != Kind::number && exponent != std::floor(exponent) &&
                2 * exponent == std::floor(2 * exponent)) {
                node.exponent() = quotient_of(number_of(2 * std::abs(exponent)), number_of(2));
                if (exponent < 0) node.exponent() = negated(node.exponent());
            }
            commit(saved.span, "The power is the wrong one.", "wrong-power");
        }
    });
}

namespace {

/// The factors of the member that no letter stands in, such as 1/T.
Parts constants_in_front(const Editing& editing, const Expression& p) {
    Expression member = editing.member;
    if (member.kind == Kind::add && member.children.size() == 1) member = Expression(member.children[0]);
    Parts found;
    for (const Part& part : factors_of(member)) {
        const bool varies = any_part(part.expression, [&](const Expression& e) {
            return e.kind == Kind::letter || !e.indices.empty() || !e.letters.empty() || e.name == p.name;
        });
        if (!varies) found.push_back(part);
    }
    return found;
}

/// What is wrong with a member that should be softmax's Jacobian, or an adjoint times it.
struct SoftmaxSlip {
    const char *mistake, *sentence;
};
constexpr SoftmaxSlip only_diagonal = {
    "softmax-diagonal-only",
    "The entries off the diagonal of softmax's Jacobian are not 0: every probability "
    "depends on every logit."};
constexpr SoftmaxSlip no_diagonal = {"softmax-diagonal-missing",
                                     "The diagonal of softmax's Jacobian has a term of its own."};

bool is_kronecker(const Expression& e) {
    return (e.kind == Kind::iverson && e.name == "==") ||
           (e.kind == Kind::entry && e.name == "delta" && e.indices.size() == 2);
}

bool names(const Expression& e, const std::string& name) {
    return any_part(e, [&](const Expression& part) { return part.kind == Kind::entry && part.name == name; });
}

/// -p[k] p[n] and [k == n] p[k] (1 - p[k]) are what is left of the Jacobian.
std::optional<SoftmaxSlip> slip_of_jacobian(const Editing& editing, const Expression& p, const std::string& other) {
    const Parts terms = terms_of(editing.member);
    const auto has_kronecker = [](const Part& term) {
        const Parts factors = factors_of(term.expression);
        return std::ranges::any_of(factors, [](const Part& factor) { return is_kronecker(factor.expression); });
    };
    const bool is_at_one_letter = names(editing.member, p.name) && !uses_letter(editing.member, other) &&
                                  any_part(editing.member, looks_like_derivative);
    if (std::ranges::all_of(terms, has_kronecker) || is_at_one_letter) return only_diagonal;
    const Parts factors = factors_of(terms[0].expression);
    const bool only_p = std::ranges::all_of(factors, [&](const Part& factor) {
        const Expression& e = factor.expression;
        return e.kind == Kind::number || (e.kind == Kind::entry && (e.name == p.name || e.indices.empty()));
    });
    if (terms.size() == 1 && terms[0].joint == Joint::minus && only_p && names(editing.member, p.name))
        return no_diagonal;
    return {};
}

/// -p[k] sum(n, g[n] p[n]) and g[k] p[k] (1 - p[k]).
std::optional<SoftmaxSlip> slip_of_adjoint(const Editing& editing, const Expression& p, const Expression& g) {
    const auto has_adjoint = [&](const Expression& e) {
        return any_part(e, [&](const Expression& part) {
            if (g.kind != Kind::derivative) return part.kind == Kind::entry && part.name == g.name;
            return is_simple_derivative(part) && part.denominator().name == g.denominator().name;
        });
    };
    if (!names(editing.member, p.name) || !has_adjoint(editing.member)) return {};
    const auto is_sum = [](const Expression& e) { return e.kind == Kind::reduce; };
    if (!any_part(editing.member, is_sum)) return only_diagonal;
    const Parts terms = terms_of(editing.member);
    if (terms.size() > 1 || terms[0].joint != Joint::minus) return {};
    for (const Part& factor : factors_of(terms[0].expression)) {
        const Expression& e = factor.expression;
        if (is_sum(e) ? !names(e, p.name) || !has_adjoint(e)
                      : e.kind != Kind::number && !names(e, p.name) && !e.indices.empty())
            return {};
    }
    return no_diagonal;
}

/// `known_slips`: only what is said exactly; else the Jacobian for whatever stands there.
void softmax_jacobian_for(Editing& editing, bool known_slips) {
    const Model& model = editing.model;
    const auto offer = [&](Expression edited, std::optional<SoftmaxSlip> slip, const std::string& else_said) {
        if (slip.has_value() != known_slips) return;
        editing.offer(std::move(edited), editing.member.span, slip ? slip->sentence : else_said,
                      slip ? slip->mistake : "");
    };
    for (int q = 0; q < model.count(); ++q) {
        if (!any_part(model.quantity(q).definition, [](const Expression& e) { return is_call(e, "exp"); })) continue;
        if (editing.arrays) {
            const Expression p = entry_of(model.quantity(q).name, {});
            const Expression outer = product_of_factors({{p, Joint::times}, {transpose_of(p), Joint::juxtaposed}});
            std::optional<SoftmaxSlip> slip;
            if (any_part(editing.member, [](const Expression& e) { return is_call(e, "diag"); })) slip = only_diagonal;
            if (same(editing.member, negated(outer))) slip = no_diagonal;
            offer(sum_of_terms({{call_of("diag", 0, p), Joint::plus}, {outer, Joint::minus}}), slip, {});
            continue;
        }
        for (const Expression& p : editing.entries_of(q, editing.free)) {
            if (p.indices.empty()) continue;
            const std::string last = p.indices.back().terms[0].name;
            Parts front = constants_in_front(editing, p);
            const auto with_front = [&](const Expression& a, const Expression& b) {
                Parts factors = front;
                factors.push_back({a, Joint::times});
                factors.push_back({b, Joint::times});
                return product_of_factors(factors);
            };
            for (const std::string& letter : editing.free) {
                if (letter == last || !editing.same_range(letter, last)) continue;
                Expression other = p;
                other.indices.back().terms[0].name = letter;
                offer(with_front(p, sum_of_terms({{kronecker(last, letter), Joint::plus}, {other, Joint::minus}})),
                      slip_of_jacobian(editing, p, letter), {});
            }
            std::string bound = editing.unused_letter_like(last);
            for (const std::string& letter : editing.letters_beside(editing.free))
                if (bound.empty() && editing.same_range(letter, last)) bound = letter;
            if (bound.empty()) continue;
            for (const Expression& g : adjoints(editing, editing.free)) {
                if (!uses_letter(g, last)) continue;
                Expression sum = product_of({g, p});
                rename_letter(sum, last, bound);
                offer(with_front(p, sum_of_terms({{g, Joint::plus}, {sum_over({bound}, sum), Joint::minus}})),
                      slip_of_adjoint(editing, p, g),
                      fmt::format("All of {} comes back through the softmax.", to_text(g)));
            }
        }
    }
}

}  // namespace

/// p[k] ([k == n] - p[n]) for what is left of it, and with an adjoint p[k] (g[k] - sum(n, g[n] p[n])).
void softmax_jacobian(Editing& editing) { softmax_jacobian_for(editing, true); }
void not_softmax_jacobian(Editing& editing) { softmax_jacobian_for(editing, false); }

/// f''(z) dA/da, the term of a second derivative that goes through the first one's factor f'(z).
void missing_second_derivative(Editing& editing) {
    if (!editing.second_order || editing.arrays) return;
    for (const Activation& activation : editing.activations()) {
        Expression second = activation.call;
        second.order = 2;
        for (const Expression& term : editing.instances(second, activation.letters, editing.free))
            for (const Expression& adjoint : adjoints(editing, editing.free)) {
                Parts terms = terms_of(editing.member);
                terms.push_back({product_of({adjoint, term}), Joint::plus});
                editing.offer(sum_of_terms(terms), editing.member.span,
                              fmt::format("The term with {} is missing.", to_text(term)));
            }
    }
}

void missing_kronecker(Editing& editing) {
    editing.each_term([&](Expression& node, const Names& letters, const Commit& commit) {
        const Expression saved = node;
        for (std::size_t a = 0; a < letters.size(); ++a)
            for (std::size_t b = a + 1; b < letters.size(); ++b) {
                if (!editing.same_range(letters[a], letters[b]) || !editing.range_of(letters[a]) || editing.arrays)
                    continue;
                Parts parts = factors_of(saved);
                parts.insert(parts.begin(), {kronecker(letters[a], letters[b]), Joint::times});
                const bool is_all = same(saved, editing.member);
                for (const char* sign : {"==", "!="}) {
                    parts[0].expression.name = sign;
                    node = product_of_factors(parts);
                    const bool equal = parts[0].expression.name == "==";
                    commit(saved.span,
                           is_all
                               ? fmt::format("A Kronecker delta is missing: the entries where {} and {} {} are 0.",
                                             letters[a], letters[b], equal ? "differ" : "are the same")
                               : fmt::format("A Kronecker delta is missing: {} counts only where {} and {} {}.",
                                             to_text(saved), letters[a], letters[b], equal ? "are the same" : "differ"),
                           {});
                }
                node = saved;
            }
    });
}

}  // namespace derivation
