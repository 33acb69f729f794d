#include <algorithm>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/matrix_rules.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/lookup.hpp>
#include <utility>

namespace derivation {

namespace {

Expression inverted(const Expression& e) { return is_inverse(e) ? e.base() : power_of(e, negated(number_of(1))); }

class Differentials {
  public:
    Differentials(const Model& model, std::string by) : model_(model), by_(std::move(by)) {}

    bool possible = true;

    /// factor * e, a number.
    void number(const Expression& e, const Parts& factor, Joint sign) {
        if (!varies(e) || !possible) return;
        if (e.kind == Kind::add) {
            for (std::size_t i = 0; i < e.children.size(); ++i)
                number(e.children[i], factor,
                       (e.joints[i] == Joint::minus) == (sign == Joint::minus) ? Joint::plus : Joint::minus);
        } else if (e.kind == Kind::product) {
            product(e, factor, sign);
        } else if (is_call(e, "tr")) {
            matrix(e.argument(), {}, {}, factor, sign);
        } else if (is_call(e, "logdet")) {
            matrix(e.argument(), {inverted(e.argument())}, {}, factor, sign);
        } else if (is_call(e, "log") && is_call(e.argument(), "det")) {
            matrix(e.argument().argument(), {inverted(e.argument().argument())}, {}, factor, sign);
        } else if (is_call(e, "det")) {
            matrix(e.argument(), {inverted(e.argument())}, {}, joined(factor, {{e, Joint::times}}), sign);
        } else if (e.kind == Kind::norm) {
            matrix(e.argument(), {turned_matrix(e.argument())}, {}, joined({{number_of(2), Joint::times}}, factor),
                   sign);
        } else {
            possible = false;
        }
    }

    std::optional<Expression> gradient() const {
        if (!possible || terms_.empty()) return {};
        Parts sum;
        for (std::size_t i = 0; i < terms_.size(); ++i) {
            const auto is_same = [&](const Part& other) {
                return other.joint == terms_[i].joint && same(other.expression, terms_[i].expression);
            };
            if (std::any_of(terms_.begin(), terms_.begin() + static_cast<std::ptrdiff_t>(i), is_same)) continue;
            const auto count = std::ranges::count_if(terms_, is_same);
            Part term = terms_[i];
            if (count > 1) {
                Parts factors = factors_of(term.expression);
                if (factors[0].expression.kind == Kind::number) {
                    factors[0].expression = number_of(factors[0].expression.number * static_cast<double>(count));
                } else {
                    factors[0].joint = Joint::juxtaposed;
                    factors.insert(factors.begin(), {number_of(static_cast<double>(count)), Joint::times});
                }
                term.expression = product_of_factors(factors);
            }
            sum.push_back(std::move(term));
        }
        return sum_of_terms(sum);
    }

  private:
    using Factors = std::vector<Expression>;

    bool varies(const Expression& e) const {
        return any_part(e, [&](const Expression& x) { return x.kind == Kind::entry && x.name == by_; });
    }

    static Parts joined(Parts a, const Parts& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    }

    bool is_symmetric(const Expression& e) const {
        if (is_inverse(e)) return is_symmetric(e.base());
        if (e.kind != Kind::entry) return false;
        if (e.name == "I" && !model_.has("I")) return true;
        const std::vector<int> named = model_.quantities_named(e.name);
        return !named.empty() && std::ranges::all_of(named, [&](int q) {
            const Domain domain = model_.quantity(q).domain;
            return domain == Domain::symmetric || domain == Domain::positive_definite;
        });
    }

    Expression turned_matrix(const Expression& e) const { return is_symmetric(e) ? e : turned(e); }

    Factors turned_product(const Factors& factors) const {
        Factors result;
        for (std::size_t i = factors.size(); i-- > 0;) result.push_back(turned_matrix(factors[i]));
        return result;
    }

    /// Numbers that stand beside each other, and the product of all the arrays among them, which is a number too.
    void product(const Expression& e, const Parts& factor, Joint sign) {
        Parts numbers, arrays;
        for (const Part& part : factors_of(e)) {
            const bool is_array = part.expression.kind != Kind::norm && is_of_arrays(model_, part.expression);
            if (is_array && (part.joint == Joint::elementwise || part.joint == Joint::divided)) possible = false;
            (is_array ? arrays : numbers).push_back(part);
        }
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (!varies(numbers[i].expression)) continue;
            if (numbers[i].joint == Joint::divided) possible = false;
            Parts others = joined(factor, without(numbers, i));
            if (!arrays.empty()) others.push_back({product_of_factors(arrays), Joint::times});
            number(numbers[i].expression, others, sign);
        }
        if (arrays.empty()) return;
        const Expression chain = product_of_factors(arrays);
        matrix(chain, {}, {}, joined(factor, numbers), sign);
    }

    /// factor * tr(before e after), of which the differential is looked for.
    void matrix(const Expression& e, const Factors& before, const Factors& after, const Parts& factor, Joint sign) {
        if (!varies(e) || !possible) return;
        const Joint opposite = sign == Joint::minus ? Joint::plus : Joint::minus;
        if (e.kind == Kind::entry) {
            add_term(before, after, factor, sign);
        } else if (e.kind == Kind::transpose) {
            matrix(e.argument(), turned_product(after), turned_product(before), factor, sign);
        } else if (e.kind == Kind::add) {
            for (std::size_t i = 0; i < e.children.size(); ++i)
                matrix(e.children[i], before, after, factor, e.joints[i] == Joint::minus ? opposite : sign);
        } else if (is_inverse(e)) {
            Factors left = before, right = {e};
            left.push_back(e);
            right.insert(right.end(), after.begin(), after.end());
            matrix(e.base(), left, right, factor, opposite);
        } else if (e.kind == Kind::product) {
            Parts numbers = factor;
            Factors factors;
            for (const Part& part : factors_of(e)) {
                const bool is_array = part.expression.kind != Kind::norm && is_of_arrays(model_, part.expression);
                if (is_array ? part.joint == Joint::elementwise || part.joint == Joint::divided
                             : varies(part.expression)) {
                    possible = false;
                    return;
                }
                if (is_array)
                    factors.push_back(part.expression);
                else
                    numbers.push_back(part);
            }
            for (std::size_t i = 0; i < factors.size(); ++i) {
                const auto place = factors.begin() + static_cast<std::ptrdiff_t>(i);
                Factors left = before, right(place + 1, factors.end());
                left.insert(left.end(), factors.begin(), place);
                right.insert(right.end(), after.begin(), after.end());
                matrix(factors[i], left, right, numbers, sign);
            }
        } else {
            possible = false;
        }
    }

    /// tr(P dX Q) is tr((P^T Q^T)^T dX).
    void add_term(const Factors& before, const Factors& after, const Parts& factor, Joint sign) {
        Parts parts = factor;
        for (const Factors* one : {&before, &after})
            for (const Expression& e : turned_product(*one))
                parts.push_back({e, parts.size() > factor.size() ? Joint::juxtaposed : Joint::times});
        if (parts.size() == factor.size())
            parts.push_back({entry_of("I", {}), factor.empty() ? Joint::times : Joint::juxtaposed});
        for (std::size_t i = factor.size(); i < parts.size() && i > 0; ++i) parts[i].joint = Joint::juxtaposed;
        terms_.push_back({product_of_factors(parts), sign});
    }

    const Model& model_;
    const std::string by_;
    Parts terms_;
};

/// The definitions that stand behind a formula in their places, as they were typed.
Expression expanded(const Model& model, Expression e, int by, int depth = 0) {
    if (e.kind == Kind::entry && e.indices.empty() && depth < 8) {
        const std::vector<int> named = model.quantities_named(e.name);
        if (named.size() == 1 && model.quantity(named[0]).role == Role::definition && named[0] != by &&
            depends_on(model, named[0], by) && !has_derivative(model.quantity(named[0]).definition))
            return expanded(model, model.quantity(named[0]).written, by, depth + 1);
        return e;
    }
    for (Expression& child : e.children) child = expanded(model, std::move(child), by, depth);
    return e;
}

}  // namespace

std::vector<Expression> by_differentials(const Editing& editing) {
    const Model& model = editing.model;
    const Expression& left = editing.left;
    if (!editing.arrays || editing.line.is_update || left.kind != Kind::derivative || left.order != 1 ||
        !left.held().empty() || editing.line.members.empty() || editing.line.members[0].kind != Kind::derivative)
        return {};
    const Expression& by = left.denominator();
    if (by.indices.empty() || model.quantities_named(by.name).size() != 1) return {};
    Differentials differentials(model, by.name);
    differentials.number(expanded(model, editing.line.members[0].numerator(), *by.symbol), {}, Joint::plus);
    if (const std::optional<Expression> gradient = differentials.gradient()) return {*gradient};
    return {};
}

}  // namespace derivation
