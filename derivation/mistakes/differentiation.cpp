#include <algorithm>
#include <derivation/formula/elementary.hpp>
#include <derivation/mistakes/differentiation.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/lookup.hpp>
#include <utility>

namespace derivation {

Expression plain_product(const Expression& a, const Expression& b) {
    if (is_number(a, 0) || is_number(b, 0)) return number_of(0);
    if (is_number(a, 1)) return b;
    if (is_number(b, 1)) return a;
    return normalized(product_of({a, b}));
}

Expression plain_sum(const Expression& a, const Expression& b, Joint joint) {
    if (is_number(b, 0)) return a;
    if (is_number(a, 0)) return joint == Joint::minus ? negated(b) : b;
    return normalized(sum_of(a, b, joint));
}

Expression plain_power(const Expression& base, double exponent) {
    return exponent == 1 ? base : power_of(base, number_of(exponent));
}

Expression with_sizes(Expression e) {
    if (e.kind == Kind::number && e.name.starts_with("size("))
        return call_of("size", 0, letter_of(e.name.substr(5, e.name.size() - 6)));
    for (Expression& child : e.children) child = with_sizes(std::move(child));
    return e;
}

bool replace_letter(Expression& e, const std::string& letter, const Index& by) {
    if (e.kind == Kind::letter && e.name == letter) {
        if (by.is_letter()) rename_letter(e, letter, by.terms[0].name);
        return by.is_letter();
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
    bool possible = true;
    for (Expression& child : e.children) possible = replace_letter(child, letter, by) && possible;
    return possible;
}

namespace {

/// Gives a letter that is bound in the body the name of one that neither it nor the derivative uses; a mark where there
/// is none, as the derivative may leave no sum.
void rename_bound(const Model& model, Expression& body, const std::string& letter, const Expression& of,
                  const Expression& by, const Names& in_scope, bool everywhere) {
    const int range = model.letter(*model.find_letter(letter)).range;
    const auto unused = std::ranges::find_if(model.letters, [&](const Letter& other) {
        return other.range == range && !other.is_of_array() && !uses_letter(body, other.name) &&
               !uses_letter(of, other.name) && !uses_letter(by, other.name) &&
               std::ranges::find(in_scope, other.name) == in_scope.end();
    });
    std::string name = unused != model.letters.end() ? unused->name : "?" + letter;
    while (std::ranges::find(in_scope, name) != in_scope.end()) name.insert(0, "?");
    const auto rename = [&](auto& self, Expression& e) -> void {
        const bool binds =
            e.kind == Kind::reduce && std::ranges::find(e.letters, letter, &IndexTerm::name) != e.letters.end();
        if (everywhere || binds) return rename_letter(e, letter, name);
        for (Expression& child : e.children) self(self, child);
    };
    rename(rename, body);
}

}  // namespace

std::optional<Expression> definition_at(const Model& model, const Expression& of, const Expression& by, Through through,
                                        const Names& in_scope) {
    const Quantity& quantity = model.quantity(of);
    if (quantity.role != Role::definition || has_derivative(quantity.definition)) return {};
    Expression body = normalized(quantity.definition);
    bool possible = true;
    // Through marks: a letter of the definition may be another one on the left side.
    for (std::size_t i = 0; i < quantity.letters.size(); ++i)
        rename_letter(body, model.letter(quantity.letters[i]).name, "!" + std::to_string(i));
    for (std::size_t i = 0; i < quantity.letters.size(); ++i) {
        // A letter that is bound in the definition must not be caught.
        for (const IndexTerm& term : of.indices[i].terms)
            if (model.is_letter(term.name) && uses_letter(body, term.name))
                rename_bound(model, body, term.name, of, by, in_scope, true);
        possible = replace_letter(body, "!" + std::to_string(i), of.indices[i]) && possible;
    }
    const bool is_array = is_of_arrays(model, quantity.written);
    Names around = in_scope;
    for (const Index& index : by.indices)
        for (const IndexTerm& term : index.terms) around.push_back(term.name);
    for (const Letter& letter : model.letters) {
        const bool is_around = std::ranges::find(around, letter.name) != around.end();
        // A softmax sums over a letter that nobody can type.
        const bool is_hidden = letter.is_of_array() && (through == Through::definitions || !is_array);
        if ((is_around || is_hidden) && binds_letter(body, letter.name))
            rename_bound(model, body, letter.name, of, by, in_scope, false);
    }
    if (!possible) return {};
    return with_sizes(std::move(body));
}

namespace {

/// A term of a derivative: a formula where these pairs of indices are equal, and 0 elsewhere.
struct Term {
    Expression formula;
    std::vector<std::pair<Index, Index>> equal;
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
                formula = plain_product(
                    comparison_of(letter_of(letter), "==", number_of(number + model.range_of(*known).first)), formula);
                continue;
            }
            if (!a.is_letter() || !b.is_letter()) return {};
            formula = plain_product(kronecker(a.terms[0].name, b.terms[0].name), formula);
        }
        total = plain_sum(total, formula, Joint::plus);
    }
    return total;
}

class Differentiation {
  public:
    /// Its sums have other letters than those around it.
    Differentiation(const Model& model, const Expression& by, Through through, AtTie at_tie = AtTie::neither,
                    Names around = {})
        : model_(model), by_(by), through_(through), at_tie_(at_tie), in_scope_(std::move(around)) {}

    /// The derivative of a formula.
    std::optional<Expression> assembled(const Expression& e) {
        const std::vector<Term> terms = of(e);
        std::optional<Expression> derivative = possible_ ? derivation::assembled(model_, terms) : std::nullopt;
        if (!derivative) return {};
        for (const Letter& letter : model_.letters)
            if (!letter.is_of_array()) rename_letter(*derivative, "?" + letter.name, letter.name);
        return derivative;
    }

  private:
    std::vector<Term> of(const Expression& e) {
        constexpr std::size_t most_steps = 5000;  // of products of products there is no end
        if (!possible_ || ++steps_ > most_steps) {
            possible_ = false;
            return {};
        }
        switch (e.kind) {
            case Kind::entry: {
                if (e.symbol == by_.symbol) {
                    Term term{number_of(1), {}};
                    for (std::size_t i = 0; i < e.indices.size(); ++i)
                        term.equal.emplace_back(e.indices[i], by_.indices[i]);
                    return {term};
                }
                return is_made_of_it(e) ? of_definition(e, false) : std::vector<Term>{};
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
                            rest[i].expression = plain_power(rest[i].expression, 2);
                            term.formula = negated(term.formula);
                        } else {
                            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
                        }
                        if (!rest.empty()) term.formula = plain_product(product_of_factors(rest), term.formula);
                        all.push_back(std::move(term));
                    }
                return all;
            }
            case Kind::power: {
                if (e.exponent().kind != Kind::number) {
                    Expression lower = e;
                    lower.exponent() = sum_of_terms({{e.exponent(), Joint::plus}, {number_of(1), Joint::minus}});
                    std::vector<Term> all = scaled(of(e.base()), plain_product(e.exponent(), lower));
                    for (Term& term : scaled(of(e.exponent()), plain_product(call_of("log", 0, e.base()), e)))
                        all.push_back(std::move(term));
                    return all;
                }
                const double n = e.exponent().number;
                return scaled(of(e.base()), plain_product(number_of(n), plain_power(e.base(), n - 1)));
            }
            case Kind::call: {
                if (e.name == "max" || e.name == "min") return of_branches(e);
                if (e.name == "log" && e.argument().kind == Kind::product) return of(logarithm(e.argument()));
                if (e.name == "log" && e.argument().kind == Kind::entry && is_made_of_it(e.argument()))
                    return of_definition(e.argument(), true);
                if (e.children.size() != 1) {
                    possible_ = possible_ && !depends_on(model_, e, *by_.symbol);
                    return {};
                }
                return scaled(of(e.argument()), slope_of(e));
            }
            case Kind::reduce: {
                std::vector<Term> all;
                const bool is_extreme = e.name == "max" || e.name == "min";
                const bool has_simple_condition =
                    e.condition() == nullptr || (e.name == "sum" && e.letters.size() == 1);
                if ((e.name != "sum" && e.name != "mean" && !is_extreme) || !has_simple_condition) {
                    possible_ = possible_ && !depends_on(model_, e, *by_.symbol);
                    return {};
                }
                for (const IndexTerm& letter : e.letters) in_scope_.push_back(letter.name);
                std::vector<Term> terms = of(e.body());
                if (is_extreme && !terms.empty()) terms = scaled(terms, comparison_of(e.body(), "==", itself(e)));
                for (Term& term : terms) {
                    for (const IndexTerm& letter : e.letters) term = summed(e, letter, std::move(term));
                    all.push_back(std::move(term));
                }
                in_scope_.resize(in_scope_.size() - e.letters.size());
                return all;
            }
            default:
                if (e.kind != Kind::iverson && depends_on(model_, e, *by_.symbol)) possible_ = false;
                return {};
        }
    }

    /// Whether the definition of an entry is differentiated, too.
    bool is_made_of_it(const Expression& entry) const {
        return through_ == Through::definitions && entry.symbol != by_.symbol &&
               depends_on(model_, *entry.symbol, *by_.symbol);
    }

    /// Of an entry's definition, or of its logarithm.
    std::vector<Term> of_definition(const Expression& entry, bool logarithmic) {
        // Of a recurrence that has no end.
        const bool is_recurrence = std::ranges::find(inside_, *entry.symbol) != inside_.end();
        const std::optional<Expression> body =
            is_recurrence ? std::nullopt : definition_at(model_, entry, by_, through_, in_scope_);
        if (!body) {
            possible_ = false;
            return {};
        }
        inside_.push_back(*entry.symbol);
        std::vector<Term> terms = logarithmic && body->kind == Kind::product ? of(logarithm(*body))
                                  : logarithmic ? scaled(of_value(entry, *body), slope_of(call_of("log", 0, entry)))
                                                : of_value(entry, *body);
        inside_.pop_back();
        return terms;
    }

    /// Of an entry that this is the definition of: a (1 - a) of a sigmoid.
    std::vector<Term> of_value(const Expression& entry, const Expression& body) {
        const Elementary* function = body.kind == Kind::call && body.order == 0 && !model_.is_function(body.name)
                                         ? find_elementary(body.name)
                                         : nullptr;
        if (function == nullptr || function->slope_by_value == nullptr) return of(body);
        return scaled(of(body.argument()), function->slope_by_value(entry));
    }

    /// Of a maximum or a minimum of several.
    std::vector<Term> of_branches(const Expression& e) {
        std::vector<Term> all;
        for (std::size_t i = 0; i < e.children.size(); ++i) {
            Expression others = e;
            others.children.erase(others.children.begin() + static_cast<std::ptrdiff_t>(i));
            if (others.children.size() == 1) others = Expression(others.children[0]);
            std::string wins = e.name == "max" ? ">" : "<";
            if (i == 0 && at_tie_ == AtTie::first) wins += "=";
            for (Term& term : scaled(of(e.children[i]), comparison_of(e.children[i], wins, others)))
                all.push_back(std::move(term));
        }
        return all;
    }

    /// The logarithm of a product as a sum.
    static Expression logarithm(const Expression& e) {
        if (is_call(e, "exp")) return e.argument();
        if (e.kind == Kind::power) return plain_product(e.exponent(), logarithm(e.base()));
        if (e.kind != Kind::product) return call_of("log", 0, e);
        Parts terms;
        for (const Part& factor : factors_of(e))
            terms.push_back(
                {logarithm(factor.expression), factor.joint == Joint::divided ? Joint::minus : Joint::plus});
        return sum_of_terms(std::move(terms));
    }

    /// A maximum with letters of its own, so that it can stand below its own sum.
    Expression itself(const Expression& e) const {
        Expression own = e;
        Expression around = entry_of("", {});
        for (const IndexTerm& letter : e.letters) around.indices.push_back(index_of(letter.name));
        for (const IndexTerm& letter : e.letters)
            if (model_.is_letter(letter.name)) rename_bound(model_, own, letter.name, around, by_, in_scope_, false);
        return own;
    }

    static std::vector<Term> scaled(std::vector<Term> terms, const Expression& factor) {
        for (Term& term : terms) term.formula = plain_product(factor, term.formula);
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
            if (e.condition() != nullptr) term.formula = plain_product(*e.condition(), term.formula);
            possible_ = replace_letter(term.formula, letter, value) && possible_;
            for (auto& [a, b] : term.equal) {
                Expression carrier = entry_of("", {});
                carrier.indices = {a};
                possible_ = replace_letter(carrier, letter, value) && possible_;
                a = carrier.indices[0];
            }
        } else {
            Expression sum = e;
            sum.name = "sum";  // of a mean or a maximum, too
            sum.letters = {over};
            const bool is_negative = term.formula.kind == Kind::add && term.formula.children.size() == 1 &&
                                     term.formula.joints[0] == Joint::minus;
            sum.body() = is_negative ? Expression(term.formula.children[0]) : term.formula;
            term.formula = is_negative ? negated(sum) : sum;
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

    const Model& model_;
    const Expression& by_;
    const Through through_;
    const AtTie at_tie_;
    Names in_scope_;           ///< the letters of the sums around
    std::vector<int> inside_;  ///< the quantities whose definitions are around
    std::size_t steps_ = 0;
    bool possible_ = true;
};

}  // namespace

std::optional<Expression> differentiated(const Model& model, const Expression& e, const Expression& by, Through through,
                                         AtTie at_tie, const Names& around) {
    return Differentiation(model, by, through, at_tie, around).assembled(e);
}

}  // namespace derivation
