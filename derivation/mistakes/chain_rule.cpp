#include <algorithm>
#include <derivation/formula/elementary.hpp>
#include <derivation/mistakes/chain_rule.hpp>
#include <derivation/mistakes/differentiation.hpp>
#include <derivation/mistakes/names_of_formulas.hpp>
#include <derivation/resolve/dependence.hpp>
#include <optional>

namespace derivation {

namespace {

/// The derivative of an entry by one that stands in its own definition.
std::optional<Expression> local(const Model& model, const Expression& of, const Expression& by) {
    const std::optional<Expression> body = definition_at(model, of, by, Through::nothing);
    std::optional<Expression> value;
    if (body) value = differentiated(model, *body, by, Through::nothing);
    if (value) value = with_names(model, normalized(*value));
    return value;
}

/// The letters of a Kronecker delta that stands among the factors replace the one that is summed over.
Expression summed_over(const std::string& letter, const Expression& formula) {
    const bool minus = formula.kind == Kind::add && formula.children.size() == 1;
    const Expression body = minus ? formula.children[0] : formula;
    const Parts factors = factors_of(body);
    for (std::size_t i = 0; i < factors.size(); ++i) {
        const Expression& f = factors[i].expression;
        if (f.kind != Kind::iverson || f.name != "==" || (f.left().name != letter && f.right().name != letter))
            continue;
        Expression fixed = product_of_factors(without(factors, i));
        rename_letter(fixed, letter, f.left().name == letter ? f.right().name : f.left().name);
        return minus ? negated(fixed) : fixed;
    }
    const Expression sum = sum_over({letter}, body);
    return minus ? negated(sum) : sum;
}

/// A name for dA/dq, which reads better, or the derivative itself.
Expression named_derivative(const Model& model, int a, const Expression& of, int q, const Expression& entry) {
    for (int name = 0; name < model.count(); ++name) {
        const Quantity& candidate = model.quantity(name);
        if (is_simple_derivative(candidate.definition) && candidate.definition.numerator().symbol == a &&
            candidate.definition.denominator().symbol == q && candidate.ranges == model.quantity(q).ranges &&
            model.quantity(a).ranges.empty()) {
            Expression named = entry;
            named.name = candidate.name;
            named.symbol = name;
            return named;
        }
    }
    return derivative_of(of, entry);
}

/// An entry of a quantity with letters that the derivative does not use, or marks where there are too few: entry by
/// entry no sum is left over them.
Expression entry_between(const Editing& editing, int q, Names& letters) {
    const Quantity& through = editing.model.quantity(q);
    for (const int range : through.ranges) {
        const Names typed = editing.letters_of_range(range);
        const auto unused = std::ranges::find_if(typed, [&](const std::string& name) {
            return !uses_letter(editing.of_entry, name) && !uses_letter(editing.by_entry, name) &&
                   std::ranges::find(letters, name) == letters.end();
        });
        letters.push_back(unused != typed.end() ? *unused : "!" + std::to_string(letters.size()));
    }
    Expression entry = entry_of(through.name, letters);
    entry.symbol = q;
    return entry;
}

/// Through what stands between: `start` and the sum of dA/dq * dq/dB over every q between.
std::optional<Expression> through_others(const Editing& editing, Expression start) {
    const Model& model = editing.model;
    Expression total = std::move(start);
    bool any = false;
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& through = model.quantity(q);
        if (through.role != Role::definition || q == editing.of || !mentions(through.definition, *editing.by) ||
            has_derivative(through.definition) || !depends_on(model, *editing.of, q))
            continue;
        Names letters;
        const Expression entry = entry_between(editing, q, letters);
        const std::optional<Expression> inner = local(model, entry, editing.by_entry);
        if (!inner) return {};
        const Expression outer = named_derivative(model, *editing.of, editing.of_entry, q, entry);
        for (const Part& part : terms_of(normalized(*inner))) {
            Expression formula = normalized(
                plain_product(outer, part.joint == Joint::minus ? negated(part.expression) : part.expression));
            // A letter that a Kronecker delta fixes is none that a sum must run over: it goes first.
            std::stable_partition(letters.begin(), letters.end(), [&](const std::string& letter) {
                return std::ranges::any_of(factors_of(formula), [&](const Part& factor) {
                    return factor.expression.kind == Kind::iverson && uses_letter(factor.expression, letter);
                });
            });
            for (const std::string& letter : letters) formula = summed_over(letter, formula);
            total = plain_sum(total, formula, Joint::plus);
        }
        any = true;
    }
    if (!any) return {};
    return normalized(total);
}

/// A cross-entropy: c times the sum of target * log(p), perhaps over examples too.
struct CrossEntropy {
    Parts front;  ///< of c
    Expression target, p;
};

std::optional<CrossEntropy> cross_entropy_of(const Expression& loss) {
    CrossEntropy found;
    bool negative = false;
    Expression e = normalized(loss);
    for (;;) {
        if (e.kind == Kind::add && e.children.size() == 1) {
            negative = negative != (e.joints[0] == Joint::minus);
            e = Expression(e.children[0]);
        } else if (e.kind == Kind::reduce && (e.name == "sum" || e.name == "mean") && e.condition() == nullptr) {
            for (const IndexTerm& letter : e.letters)
                if (e.name == "mean")
                    found.front.push_back({call_of("size", 0, letter_of(letter.name)), Joint::divided});
            e = Expression(e.body());
        } else if (e.kind == Kind::product) {
            Parts parts = factors_of(e);
            const auto sum = std::ranges::find_if(parts, [](const Part& part) {
                return part.expression.kind == Kind::reduce && part.joint != Joint::divided;
            });
            const auto log = std::ranges::find_if(parts, [](const Part& part) {
                return is_call(part.expression, "log") && part.joint != Joint::divided;
            });
            if (sum != parts.end()) {
                e = Expression(sum->expression);
                parts.erase(sum);
                found.front.insert(found.front.end(), parts.begin(), parts.end());
                continue;
            }
            if (!negative || log == parts.end() || log->expression.argument().kind != Kind::entry) return {};
            found.p = log->expression.argument();
            parts.erase(log);
            found.target = product_of_factors(parts);
            return found;
        } else {
            return {};
        }
    }
}

/// p - t behind a softmax and a cross-entropy, as every textbook has it.
std::optional<Expression> error_of_softmax(const Editing& editing) {
    const Model& model = editing.model;
    const Expression& by = editing.by_entry;
    if (!model.quantity(*editing.of).ranges.empty()) return {};
    std::optional<CrossEntropy> loss = cross_entropy_of(model.quantity(*editing.of).definition);
    if (!loss || !loss->p.symbol || !mentions(model.quantity(loss->p).definition, *editing.by) ||
        loss->p.indices.size() != by.indices.size())
        return {};
    std::vector<std::pair<std::string, std::string>> names;
    for (std::size_t i = 0; i < by.indices.size(); ++i) {
        if (!by.indices[i].is_letter() || !loss->p.indices[i].is_letter()) return {};
        names.emplace_back(loss->p.indices[i].terms[0].name, by.indices[i].terms[0].name);
    }
    Parts parts = {{sum_of_terms({{loss->p, Joint::plus}, {loss->target, Joint::minus}}), Joint::times}};
    for (const Part& part : loss->front) parts.push_back(part);
    Expression error = product_of_factors(parts);
    // Through marks, as two letters may change places.
    for (std::size_t i = 0; i < names.size(); ++i) rename_letter(error, names[i].first, "?" + std::to_string(i));
    for (std::size_t i = 0; i < names.size(); ++i) rename_letter(error, "?" + std::to_string(i), names[i].second);
    return error;
}

/// What is differentiated on the left side, once or more often, through all that it is made of.
std::optional<Expression> through_all(const Model& model, const Expression& left, AtTie at_tie) {
    std::optional<Expression> value = normalized(with_sizes(left.numerator()));
    Names around;
    for (const Expression& by : left.denominators())
        for (const Index& index : by.indices)
            for (const IndexTerm& term : index.terms) around.push_back(term.name);
    for (const Expression& by : left.denominators())
        if (value) value = differentiated(model, normalized(*value), by, Through::definitions, at_tie, around);
    if (value) value = with_names(model, normalized(*value));
    return value;
}

}  // namespace

std::optional<Expression> partial_derivative(const Editing& editing) {
    if (editing.arrays || !editing.of || !editing.by) return {};
    return local(editing.model, editing.of_entry, editing.by_entry);
}

std::vector<Expression> by_chain_rule(const Editing& editing) {
    if (editing.line.is_update || editing.arrays || !editing.of || !editing.by || editing.second_order) return {};
    std::vector<Expression> formulas;
    const Expression &of = editing.of_entry, &by = editing.by_entry;
    const std::optional<Expression> direct = mentions(editing.model.quantity(*editing.of).definition, *editing.by)
                                                 ? local(editing.model, of, by)
                                                 : std::nullopt;
    if (std::optional<Expression> error = error_of_softmax(editing)) formulas.push_back(std::move(*error));
    if (direct) formulas.push_back(*direct);
    if (const std::optional<Expression> value = through_others(editing, direct.value_or(number_of(0))))
        formulas.push_back(*value);
    return formulas;
}

std::vector<Expression> by_definitions(const Editing& editing) {
    if (editing.arrays) return {};
    std::vector<Expression> formulas;
    const Expression& left = editing.left;
    if (editing.line.is_update) {
        // p - rate * dL/dp
        const bool is_step = !editing.line.keeps_state && editing.line.states.empty() && left.kind == Kind::add &&
                             left.children.size() == 2 && left.children[1].kind == Kind::product &&
                             left.children[1].children.back().kind == Kind::derivative;
        if (!is_step) return {};
        Expression step = left;
        Expression& gradient = step.children[1].children.back();
        std::optional<Expression> value = through_all(editing.model, gradient, AtTie::first);
        if (!value) return {};
        gradient = std::move(*value);
        return {normalized(step)};
    }
    if (left.kind == Kind::derivative && left.held().empty())
        for (const AtTie at_tie : {AtTie::neither, AtTie::first})
            if (std::optional<Expression> value = through_all(editing.model, left, at_tie))
                formulas.push_back(std::move(*value));
    if (left.kind == Kind::entry)
        if (std::optional<Expression> definition = definition_at(editing.model, left, left, Through::definitions))
            formulas.push_back(std::move(*definition));
    return formulas;
}

}  // namespace derivation
