#include <algorithm>
#include <derivation/mistakes/chain_rule.hpp>
#include <derivation/resolve/checked.hpp>
#include <optional>

namespace derivation {

namespace {

bool is_number(const Expression& e, double value) { return e.kind == Kind::number && e.number == value; }

Expression product(const Expression& a, const Expression& b) {
    if (is_number(a, 0) || is_number(b, 0)) return number_of(0);
    if (is_number(a, 1)) return b;
    if (is_number(b, 1)) return a;
    return normalized(product_of({a, b}));
}

Expression sum(const Expression& a, const Expression& b, Joint joint) {
    if (is_number(b, 0)) return a;
    if (is_number(a, 0)) return joint == Joint::minus ? negated(b) : b;
    return normalized(sum_of_terms({{a, Joint::plus}, {b, joint}}));
}

Expression power(const Expression& base, double exponent) {
    if (exponent == 1) return base;
    Expression e;
    e.kind = Kind::power;
    e.children = {base, number_of(exponent)};
    return e;
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
                        std::vector<Part> rest = factors_of(e);
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
                if (e.children[1].kind != Kind::number) {
                    possible = possible && of(e.children[1]).empty();
                    Expression lower = e;
                    lower.children[1] = sum_of_terms({{e.children[1], Joint::plus}, {number_of(1), Joint::minus}});
                    return scaled(of(e.children[0]), product(e.children[1], lower));
                }
                const double n = e.children[1].number;
                return scaled(of(e.children[0]), product(number_of(n), power(e.children[0], n - 1)));
            }
            case Kind::call: {
                if (e.children.size() != 1) {
                    possible = false;
                    return {};
                }
                return scaled(of(e.children[0]), slope_of(e));
            }
            case Kind::reduce: {
                std::vector<Term> all;
                if ((e.name != "sum" && e.name != "mean") || e.children.size() > 1 || e.letters.size() != 1) {
                    std::vector<int> entries;
                    add_entries(e, entries);
                    if (std::ranges::find(entries, by_.symbol) != entries.end()) possible = false;
                    return {};
                }
                for (Term& term : of(e.children[0])) all.push_back(summed(e, std::move(term)));
                return all;
            }
            default: {
                std::vector<int> entries;
                add_entries(e, entries);
                if (std::ranges::find(entries, by_.symbol) != entries.end() && e.kind != Kind::iverson)
                    possible = false;
                return {};
            }
        }
    }

  private:
    static std::vector<Term> scaled(std::vector<Term> terms, const Expression& factor) {
        for (Term& term : terms) term.formula = product(factor, term.formula);
        return terms;
    }

    /// The sum of a term over a letter: an equation that fixes the letter replaces it.
    Term summed(const Expression& e, Term term) {
        const std::string& letter = e.letters[0].name;
        std::optional<Index> solution;
        for (auto equation = term.equal.begin(); equation != term.equal.end() && !solution; ++equation) {
            for (const bool flip : {false, true}) {
                const Index &a = flip ? equation->second : equation->first,
                            &b = flip ? equation->first : equation->second;
                if (flip) break;  // the right side is the denominator's, whose letters are free
                const auto here = std::ranges::find(a.terms, letter, &IndexTerm::name);
                if (here == a.terms.end()) continue;
                // sign * letter + rest = b
                Index value;
                value.offset = here->sign * (b.offset - a.offset);
                for (IndexTerm other : b.terms) {
                    other.sign *= here->sign;
                    value.terms.push_back(other);
                }
                for (IndexTerm other : a.terms)
                    if (other.name != letter) {
                        other.sign *= -here->sign;
                        value.terms.push_back(other);
                    }
                solution = value;
                term.equal.erase(equation);
                break;
            }
            if (solution) break;
        }
        if (solution) {
            replace(term.formula, letter, *solution, possible);
            for (auto& [a, b] : term.equal) {
                Expression carrier;
                carrier.kind = Kind::entry;
                carrier.indices = {a};
                replace(carrier, letter, *solution, possible);
                a = carrier.indices[0];
            }
        } else {
            Expression sum = e;
            sum.name = "sum";
            sum.children[0] = term.formula;
            term.formula = sum;
        }
        if (e.name == "mean") {
            Expression size;
            size.kind = Kind::letter;
            size.name = letter;
            size.letters = {{letter, 1, -1}};
            term.formula = quotient_of(term.formula, call_of("size", 0, size));
        }
        return term;
    }

    const Expression& by_;
};

/// The terms as one formula, with a Kronecker delta for every equation that is left.
std::optional<Expression> assembled(const std::vector<Term>& terms) {
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
            if (!a.is_letter() || !b.is_letter()) return {};
            formula = product(kronecker(a.terms[0].name, b.terms[0].name), formula);
        }
        total = sum(total, formula, Joint::plus);
    }
    return total;
}

std::optional<Expression> local(const Model& model, const Expression& of, const Expression& by) {
    const Quantity& quantity = model.quantity(of.symbol);
    if (quantity.role != Role::definition || has_derivative(quantity.definition)) return {};
    Expression body = normalized(quantity.definition);
    bool possible = true;
    // Through marks: a letter of the definition may be another one on the left side.
    for (std::size_t i = 0; i < quantity.letters.size(); ++i)
        rename_letter(body, model.letters[static_cast<std::size_t>(quantity.letters[i])].name, "?" + std::to_string(i));
    for (std::size_t i = 0; i < quantity.letters.size(); ++i) {
        const Index& index = of.indices[i];
        // A letter that is bound in the definition must not be caught.
        for (const IndexTerm& term : index.terms)
            for (const Letter& letter : model.letters)
                if (letter.name == term.name && uses_letter(body, letter.name)) {
                    for (const Letter& other : model.letters)
                        if (other.range == letter.range && other.name[0] != '_' && !uses_letter(body, other.name) &&
                            !uses_letter(of, other.name) && !uses_letter(by, other.name)) {
                            rename_letter(body, letter.name, other.name);
                            break;
                        }
                }
        replace(body, "?" + std::to_string(i), index, possible);
    }
    for (const Index& index : by.indices)
        for (const IndexTerm& term : index.terms) {
            const auto bound = [&](auto& self, const Expression& e) -> bool {
                return (e.kind == Kind::reduce &&
                        std::ranges::any_of(e.letters, [&](const IndexTerm& l) { return l.name == term.name; })) ||
                       std::ranges::any_of(e.children, [&](const Expression& child) { return self(self, child); });
            };
            if (!bound(bound, body)) continue;
            const int range = model.letters[static_cast<std::size_t>(model.letter(term.name))].range;
            for (const Letter& other : model.letters)
                if (other.range == range && other.name[0] != '_' && !uses_letter(body, other.name) &&
                    !uses_letter(of, other.name) && !uses_letter(by, other.name)) {
                    const auto rename_bound = [&](auto& self, Expression& e) -> void {
                        if (e.kind == Kind::reduce &&
                            std::ranges::any_of(e.letters, [&](const IndexTerm& l) { return l.name == term.name; }))
                            return rename_letter(e, term.name, other.name);
                        for (Expression& child : e.children) self(self, child);
                    };
                    rename_bound(rename_bound, body);
                    break;
                }
        }
    if (!possible) return {};
    Differentiation differentiation(by);
    const std::vector<Term> terms = differentiation.of(body);
    if (!differentiation.possible) return {};
    return assembled(terms);
}

bool mentions(const Expression& e, int quantity) {
    std::vector<int> entries;
    add_entries(e, entries);
    return std::ranges::find(entries, quantity) != entries.end();
}

}  // namespace

std::vector<Expression> by_chain_rule(const Editing& editing) {
    std::vector<Expression> formulas;
    const Model& model = editing.model;
    const Expression& left = editing.left;
    if (!editing.arrays && left.kind == Kind::derivative && left.order == 1 && left.children[0].kind != Kind::entry) {
        Differentiation differentiation(left.children[1]);
        const std::vector<Term> terms = differentiation.of(normalized(left.children[0]));
        if (const std::optional<Expression> value = assembled(terms); value && differentiation.possible)
            formulas.push_back(*value);
    }
    if (editing.arrays || editing.of < 0 || editing.by < 0 || editing.line.is_update || editing.second_order)
        return formulas;
    const Expression &of = editing.of_entry, &by = editing.by_entry;
    const auto known = [](const Expression& e) {
        return std::ranges::none_of(e.indices, [](const Index& index) {
            return std::ranges::any_of(index.terms, [](const IndexTerm& t) { return t.name.starts_with("_"); });
        });
    };
    if (!known(of) || !known(by)) return formulas;
    const std::optional<Expression> direct =
        mentions(model.quantity(editing.of).definition, editing.by) ? local(model, of, by) : std::nullopt;
    if (direct) formulas.push_back(*direct);
    // Through what stands between: sum of dA/dq * dq/dB.
    Expression total = direct.value_or(number_of(0));
    bool possible = true, any = false;
    for (std::size_t q = 0; q < model.quantities.size() && possible; ++q) {
        const Quantity& through = model.quantities[q];
        if (through.role != Role::definition || static_cast<int>(q) == editing.of ||
            !mentions(through.definition, editing.by) || has_derivative(through.definition) ||
            !depends_on(model, editing.of, static_cast<int>(q)))
            continue;
        Expression entry = letter_entry(through.name, {});
        entry.symbol = static_cast<int>(q);
        std::vector<std::string> letters;
        for (const int range : through.ranges) {
            std::string letter;
            for (const std::string& name : editing.letters_of_range(range))
                if (letter.empty() && !uses_letter(of, name) && !uses_letter(by, name) &&
                    std::ranges::find(letters, name) == letters.end())
                    letter = name;
            possible = possible && !letter.empty();
            letters.push_back(letter);
            entry.indices.push_back({{{letter, 1, -1}}, 0, {}});
        }
        if (!possible) break;
        const std::optional<Expression> inner = local(model, entry, by);
        if (!inner) {
            possible = false;
            break;
        }
        Expression derivative;
        derivative.kind = Kind::derivative;
        derivative.order = 1;
        derivative.children = {of, entry};
        for (std::size_t name = 0; name < model.quantities.size(); ++name) {
            // A name for it reads better.
            const Quantity& candidate = model.quantities[name];
            if (candidate.definition.kind == Kind::derivative && candidate.definition.order == 1 &&
                candidate.definition.children.size() == 2 && candidate.definition.children[0].symbol == editing.of &&
                candidate.definition.children[1].symbol == static_cast<int>(q) && candidate.ranges == through.ranges &&
                model.quantity(editing.of).ranges.empty()) {
                Expression named = entry;
                named.name = candidate.name;
                named.symbol = static_cast<int>(name);
                derivative = named;
                break;
            }
        }
        // The sum over the letters of q, of which Kronecker deltas fix some.
        std::vector<Term> terms;
        for (const Part& part : terms_of(normalized(*inner))) {
            Expression formula = normalized(
                product(derivative, part.joint == Joint::minus ? negated(part.expression) : part.expression));
            for (const std::string& letter : letters) {
                const bool minus = formula.kind == Kind::add && formula.children.size() == 1;
                Expression body = minus ? Expression(formula.children[0]) : formula;
                std::vector<Part> factors = factors_of(body);
                bool fixed = false;
                for (std::size_t i = 0; i < factors.size() && !fixed; ++i) {
                    const Expression& f = factors[i].expression;
                    if (f.kind != Kind::iverson || f.name != "==" ||
                        (f.children[0].name != letter && f.children[1].name != letter))
                        continue;
                    const std::string other = f.children[0].name == letter ? f.children[1].name : f.children[0].name;
                    factors.erase(factors.begin() + static_cast<std::ptrdiff_t>(i));
                    body = product_of_factors(factors);
                    rename_letter(body, letter, other);
                    fixed = true;
                }
                if (!fixed) body = sum_over({letter}, body);
                formula = minus ? negated(body) : body;
            }
            total = sum(total, formula, Joint::plus);
        }
        any = true;
    }
    if (possible && any) formulas.push_back(normalized(total));
    return formulas;
}

}  // namespace derivation
