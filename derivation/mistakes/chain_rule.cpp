#include <algorithm>
#include <derivation/formula/elementary.hpp>
#include <derivation/mistakes/chain_rule.hpp>
#include <derivation/resolve/dependence.hpp>
#include <optional>

namespace derivation {

namespace {

Expression product(const Expression& a, const Expression& b) {
    if (is_number(a, 0) || is_number(b, 0)) return number_of(0);
    if (is_number(a, 1)) return b;
    if (is_number(b, 1)) return a;
    return normalized(product_of({a, b}));
}

Expression sum(const Expression& a, const Expression& b, Joint joint) {
    if (is_number(b, 0)) return a;
    if (is_number(a, 0)) return joint == Joint::minus ? negated(b) : b;
    return normalized(sum_of(a, b, joint));
}

Expression power(const Expression& base, double exponent) {
    return exponent == 1 ? base : power_of(base, number_of(exponent));
}

/// Replaces a letter by an index.
void replace(Expression& e, const std::string& letter, const Index& by, bool& possible) {
    if (e.kind == Kind::letter && e.name == letter) {
        if (by.is_letter())
            rename_letter(e, letter, by.terms[0].name);
        else
            possible = false;
        return;
    }
    for (Index& index : e.indices) {
        std::vector<IndexTerm> terms;
        for (const IndexTerm& term : index.terms) {
            if (term.name != letter) {
                terms.push_back(term);
                continue;
            }
            for (IndexTerm inner : by.terms) {
                inner.sign *= term.sign;
                terms.push_back(inner);
            }
            index.offset += term.sign * by.offset;
        }
        // t - s + s
        for (std::size_t i = 0; i < terms.size(); ++i)
            for (std::size_t k = i + 1; k < terms.size(); ++k)
                if (terms[i].name == terms[k].name && terms[i].sign == -terms[k].sign) {
                    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(k));
                    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(i));
                    i = k = terms.size();
                }
        std::ranges::stable_sort(terms, std::ranges::greater(), &IndexTerm::sign);
        index.terms = std::move(terms);
    }
    for (Expression& child : e.children) replace(child, letter, by, possible);
}

/// A term of a derivative: a formula where these pairs of indices are equal, and 0 elsewhere.
struct Term {
    Expression formula;
    std::vector<std::pair<Index, Index>> equal;
};

class Differentiation {
  public:
    explicit Differentiation(const Expression& by) : by_(by) {}

    bool possible = true;

    std::vector<Term> of(const Expression& e) {
        switch (e.kind) {
            case Kind::entry: {
                if (e.symbol != by_.symbol) return {};
                Term term{number_of(1), {}};
                for (std::size_t i = 0; i < e.indices.size(); ++i)
                    term.equal.emplace_back(e.indices[i], by_.indices[i]);
                return {term};
            }
            case Kind::add: {
                std::vector<Term> all;
                for (std::size_t i = 0; i < e.children.size(); ++i)
                    for (Term& term : of(e.children[i])) {
                        if (e.joints[i] == Joint::minus) term.formula = negated(term.formula);
                        all.push_back(std::move(term));
                    }
                return all;
            }
            case Kind::product: {
                std::vector<Term> all;
                for (std::size_t i = 0; i < e.children.size(); ++i)
                    for (Term& term : of(e.children[i])) {
                        Parts rest = factors_of(e);
                        if (e.joints[i] == Joint::divided) {
                            rest[i].expression = power(rest[i].expression, 2);
                            term.formula = negated(term.formula);
                        } else {
                            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
                        }
                        if (!rest.empty()) term.formula = product(product_of_factors(rest), term.formula);
                        all.push_back(std::move(term));
                    }
                return all;
            }
            case Kind::power: {
                if (e.exponent().kind != Kind::number) {
                    Expression lower = e;
                    lower.exponent() = sum_of_terms({{e.exponent(), Joint::plus}, {number_of(1), Joint::minus}});
                    std::vector<Term> all = scaled(of(e.base()), product(e.exponent(), lower));
                    for (Term& term : scaled(of(e.exponent()), product(call_of("log", 0, e.base()), e)))
                        all.push_back(std::move(term));
                    return all;
                }
                const double n = e.exponent().number;
                return scaled(of(e.base()), product(number_of(n), power(e.base(), n - 1)));
            }
            case Kind::call: {
                if (e.children.size() == 2 && (e.name == "max" || e.name == "min")) {
                    std::vector<Term> all;
                    for (const std::size_t i : {0u, 1u})
                        for (Term& term :
                             scaled(of(e.children[i]),
                                    comparison_of(e.children[i], e.name == "max" ? ">" : "<", e.children[1 - i])))
                            all.push_back(std::move(term));
                    return all;
                }
                if (e.children.size() != 1) {
                    if (mentions(e, *by_.symbol)) possible = false;
                    return {};
                }
                return scaled(of(e.argument()), slope_of(e));
            }
            case Kind::reduce: {
                std::vector<Term> all;
                if ((e.name != "sum" && e.name != "mean") || e.condition() != nullptr) {
                    if (mentions(e, *by_.symbol)) possible = false;
                    return {};
                }
                for (Term& term : of(e.body())) {
                    for (const IndexTerm& letter : e.letters) term = summed(e, letter, std::move(term));
                    all.push_back(std::move(term));
                }
                return all;
            }
            default:
                if (mentions(e, *by_.symbol) && e.kind != Kind::iverson) possible = false;
                return {};
        }
    }

  private:
    static std::vector<Term> scaled(std::vector<Term> terms, const Expression& factor) {
        for (Term& term : terms) term.formula = product(factor, term.formula);
        return terms;
    }

    /// The sum of a term over a letter: an equation that fixes the letter replaces it.
    Term summed(const Expression& e, const IndexTerm& over, Term term) {
        const std::string& letter = over.name;
        // Only the left sides of equations may fix it: the right ones are the denominator's, whose letters are free.
        const auto equation = std::ranges::find_if(term.equal, [&](const auto& one) {
            return std::ranges::find(one.first.terms, letter, &IndexTerm::name) != one.first.terms.end();
        });
        if (equation != term.equal.end()) {
            const Index value = solved(equation->first, equation->second, letter);
            term.equal.erase(equation);
            replace(term.formula, letter, value, possible);
            for (auto& [a, b] : term.equal) {
                Expression carrier = entry_of("", {});
                carrier.indices = {a};
                replace(carrier, letter, value, possible);
                a = carrier.indices[0];
            }
        } else {
            Expression sum = e;
            sum.name = "sum";
            sum.letters = {over};
            sum.body() = term.formula;
            term.formula = sum;
        }
        if (e.name == "mean") term.formula = quotient_of(term.formula, call_of("size", 0, letter_of(letter)));
        return term;
    }

    /// sign * letter + rest = b, solved for the letter.
    static Index solved(const Index& a, const Index& b, const std::string& letter) {
        const int sign = std::ranges::find(a.terms, letter, &IndexTerm::name)->sign;
        Index value;
        value.offset = sign * (b.offset - a.offset);
        for (IndexTerm other : b.terms) {
            other.sign *= sign;
            value.terms.push_back(other);
        }
        for (IndexTerm other : a.terms)
            if (other.name != letter) {
                other.sign *= -sign;
                value.terms.push_back(other);
            }
        return value;
    }

    const Expression& by_;
};

/// The terms as one formula, with a Kronecker delta for every equation that is left.
std::optional<Expression> assembled(const Model& model, const std::vector<Term>& terms) {
    Expression total = number_of(0);
    for (const Term& term : terms) {
        Expression formula = term.formula;
        for (const auto& [a, b] : term.equal) {
            const bool same_index = a.offset == b.offset && a.terms.size() == b.terms.size() &&
                                    std::ranges::equal(a.terms, b.terms, [](const IndexTerm& x, const IndexTerm& y) {
                                        return x.name == y.name && x.sign == y.sign;
                                    });
            if (same_index) continue;
            if (a.is_number() && b.is_number()) {
                formula = number_of(0);
                break;
            }
            if (a.is_letter() != b.is_letter() && a.is_number() != b.is_number()) {
                const std::string& letter = (a.is_letter() ? a : b).terms[0].name;
                const int number = (a.is_letter() ? b : a).offset;
                const std::optional<int> known = model.find_letter(letter);
                if (!known) return {};
                formula = product(
                    comparison_of(letter_of(letter), "==", number_of(number + model.range_of(*known).first)), formula);
                continue;
            }
            if (!a.is_letter() || !b.is_letter()) return {};
            formula = product(kronecker(a.terms[0].name, b.terms[0].name), formula);
        }
        total = sum(total, formula, Joint::plus);
    }
    return total;
}

/// Gives a letter that is bound in the body the name of one that neither it nor the derivative uses; a mark where there
/// is none, as the derivative may leave no sum.
void rename_bound(const Model& model, Expression& body, const std::string& letter, const Expression& of,
                  const Expression& by, bool everywhere) {
    const int range = model.letter(*model.find_letter(letter)).range;
    const auto unused = std::ranges::find_if(model.letters, [&](const Letter& other) {
        return other.range == range && !other.is_of_array() && !uses_letter(body, other.name) &&
               !uses_letter(of, other.name) && !uses_letter(by, other.name);
    });
    const std::string name = unused != model.letters.end() ? unused->name : "?" + letter;
    const auto rename = [&](auto& self, Expression& e) -> void {
        const bool binds =
            e.kind == Kind::reduce && std::ranges::find(e.letters, letter, &IndexTerm::name) != e.letters.end();
        if (everywhere || binds) return rename_letter(e, letter, name);
        for (Expression& child : e.children) self(self, child);
    };
    rename(rename, body);
}

/// The derivative of an entry by one that stands in its own definition.
std::optional<Expression> local(const Model& model, const Expression& of, const Expression& by) {
    const Quantity& quantity = model.quantity(of);
    if (quantity.role != Role::definition || has_derivative(quantity.definition)) return {};
    Expression body = normalized(quantity.definition);
    bool possible = true;
    // Through marks: a letter of the definition may be another one on the left side.
    for (std::size_t i = 0; i < quantity.letters.size(); ++i)
        rename_letter(body, model.letter(quantity.letters[i]).name, "?" + std::to_string(i));
    for (std::size_t i = 0; i < quantity.letters.size(); ++i) {
        // A letter that is bound in the definition must not be caught.
        for (const IndexTerm& term : of.indices[i].terms)
            if (model.is_letter(term.name) && uses_letter(body, term.name))
                rename_bound(model, body, term.name, of, by, true);
        replace(body, "?" + std::to_string(i), of.indices[i], possible);
    }
    for (const Index& index : by.indices)
        for (const IndexTerm& term : index.terms)
            if (binds_letter(body, term.name)) rename_bound(model, body, term.name, of, by, false);
    if (!possible) return {};
    Differentiation differentiation(by);
    const std::vector<Term> terms = differentiation.of(body);
    if (!differentiation.possible) return {};
    std::optional<Expression> derivative = assembled(model, terms);
    if (derivative)
        for (const Letter& letter : model.letters) rename_letter(*derivative, "?" + letter.name, letter.name);
    return derivative;
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
            Expression formula =
                normalized(product(outer, part.joint == Joint::minus ? negated(part.expression) : part.expression));
            // A letter that a Kronecker delta fixes is none that a sum must run over: it goes first.
            std::stable_partition(letters.begin(), letters.end(), [&](const std::string& letter) {
                return std::ranges::any_of(factors_of(formula), [&](const Part& factor) {
                    return factor.expression.kind == Kind::iverson && uses_letter(factor.expression, letter);
                });
            });
            for (const std::string& letter : letters) formula = summed_over(letter, formula);
            total = sum(total, formula, Joint::plus);
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

}  // namespace

std::optional<Expression> partial_derivative(const Editing& editing) {
    if (editing.arrays || !editing.of || !editing.by) return {};
    return local(editing.model, editing.of_entry, editing.by_entry);
}

std::vector<Expression> by_chain_rule(const Editing& editing) {
    std::vector<Expression> formulas;
    const Model& model = editing.model;
    const Expression& left = editing.left;
    if (!editing.arrays && left.kind == Kind::derivative && left.order == 1 && left.numerator().kind != Kind::entry) {
        Differentiation differentiation(left.denominator());
        const std::vector<Term> terms = differentiation.of(normalized(left.numerator()));
        if (const std::optional<Expression> value = assembled(model, terms); value && differentiation.possible)
            formulas.push_back(*value);
    }
    if (editing.arrays || !editing.of || !editing.by || editing.line.is_update || editing.second_order) return formulas;
    const Expression &of = editing.of_entry, &by = editing.by_entry;
    const auto has_typed_letters = [](const Expression& e) {
        return std::ranges::none_of(e.indices, [](const Index& index) {
            return std::ranges::any_of(index.terms, [](const IndexTerm& t) { return t.name.starts_with("_"); });
        });
    };
    if (!has_typed_letters(of) || !has_typed_letters(by)) return formulas;
    const std::optional<Expression> direct =
        mentions(model.quantity(*editing.of).definition, *editing.by) ? local(model, of, by) : std::nullopt;
    if (std::optional<Expression> error = error_of_softmax(editing)) formulas.push_back(std::move(*error));
    if (direct) formulas.push_back(*direct);
    if (const std::optional<Expression> value = through_others(editing, direct.value_or(number_of(0))))
        formulas.push_back(*value);
    return formulas;
}

}  // namespace derivation
