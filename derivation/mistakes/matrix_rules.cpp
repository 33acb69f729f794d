#include <algorithm>
#include <cmath>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/matrix_rules.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/lookup.hpp>
#include <utility>

namespace derivation {

namespace {

Expression inverted(const Expression& e) { return is_inverse(e) ? e.base() : power_of(e, negated(number_of(1))); }

/// The factors of a product of this kind, of matrices or of entries; anything else is one.
Parts factors_of_kind(const Expression& e, bool of_matrices) {
    if (e.kind == Kind::product && is_of_matrices(e.joints[1]) == of_matrices) return factors_of(e);
    return {{e, Joint::times}};
}

/// In a row of products of both kinds the ones that stand side by side are taken together, or one after the other.
enum class Grouping { left_to_right, tight_first };

/// A backward pass from a number L to an array X: each part E of L is visited with the G of dL = sum(G ⊙ dE).
class Differentials {
  public:
    Differentials(const Editing& editing, int by, Grouping grouping)
        : model_(editing.model), activations_(editing.activations()), by_(by), grouping_(grouping) {}

    /// What is the derivative of L, where that can be said.
    std::optional<Expression> of(const Expression& loss) {
        number(loss, {}, Joint::plus);
        return gradient();
    }

  private:
    using Factors = std::vector<Expression>;

    /// Numbers times an array: a formula, the identity of a trace or of a product that is a number, or ones of a sum.
    struct Adjoint {
        enum class Kind { formula, identity, ones } kind = Kind::identity;
        Parts numbers;
        Joint sign = Joint::plus;
        Expression array = {};
    };

    bool varies(const Expression& e) const {
        return any_part(e, [&](const Expression& x) {
            if (x.kind != Kind::entry) return false;
            return std::ranges::any_of(model_.quantities_named(x.name),
                                       [&](int q) { return q == by_ || depends_on(model_, q, by_); });
        });
    }

    bool is_array(const Expression& e) const {
        const bool is_sum = e.kind == Kind::reduce && e.letters.empty() && e.order == 0;
        return e.kind != Kind::norm && !is_sum && is_of_arrays(model_, e);
    }

    static Parts joined(Parts a, const Parts& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    }

    static Joint product_of_signs(Joint a, Joint b) {
        return (a == Joint::minus) == (b == Joint::minus) ? Joint::plus : Joint::minus;
    }

    /// The definition behind a name, in which the array stands.
    const Quantity* definition(const Expression& e) const {
        if (e.kind != Kind::entry || !e.indices.empty()) return nullptr;
        const std::vector<int> named = model_.quantities_named(e.name);
        if (named.size() != 1 || named[0] == by_ || model_.quantity(named[0]).role != Role::definition ||
            has_derivative(model_.quantity(named[0]).definition))
            return nullptr;
        return &model_.quantity(named[0]);
    }

    /// factor * e, a number.
    void number(const Expression& e, const Parts& factor, Joint sign) {
        if (!varies(e) || !possible_) return;
        if (const Quantity* quantity = definition(e)) {
            number(quantity->written, factor, sign);
        } else if (e.kind == Kind::add) {
            for (std::size_t i = 0; i < e.children.size(); ++i)
                number(e.children[i], factor, product_of_signs(sign, e.joints[i]));
        } else if (e.kind == Kind::product) {
            product(e, factor, sign);
        } else if (is_call(e, "tr")) {
            array(e.argument(), {Adjoint::Kind::identity, factor, sign});
        } else if (is_call(e, "logdet")) {
            array(e.argument(), {Adjoint::Kind::formula, factor, sign, turned_matrix(inverted(e.argument()))});
        } else if (is_call(e, "log") && is_call(e.argument(), "det")) {
            const Expression& a = e.argument().argument();
            array(a, {Adjoint::Kind::formula, factor, sign, turned_matrix(inverted(a))});
        } else if (is_call(e, "det")) {
            array(e.argument(), {Adjoint::Kind::formula, joined(factor, {{e, Joint::times}}), sign,
                                 turned_matrix(inverted(e.argument()))});
        } else if (e.kind == Kind::norm) {
            array(e.argument(),
                  {Adjoint::Kind::formula, joined({{number_of(2), Joint::times}}, factor), sign, e.argument()});
        } else if (e.kind == Kind::reduce && e.name == "sum" && e.letters.empty() && e.order == 0) {
            array(e.body(), {Adjoint::Kind::ones, factor, sign});
        } else if (e.kind == Kind::power && e.exponent().kind == Kind::number) {
            const double n = e.exponent().number;
            number(e.base(), joined(factor, {{product_of({number_of(n), power(e.base(), n - 1)}), Joint::times}}),
                   sign);
        } else if (e.kind == Kind::call && e.children.size() == 1) {
            number(e.argument(), joined(factor, {{slope_of(e), Joint::times}}), sign);
        } else {
            possible_ = false;
        }
    }

    /// Numbers that stand beside each other, and the product of all the arrays among them, which is a number too.
    void product(const Expression& e, const Parts& factor, Joint sign) {
        Parts numbers, arrays;
        for (const Part& part : factors_of(e)) (is_array(part.expression) ? arrays : numbers).push_back(part);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (!varies(numbers[i].expression)) continue;
            Parts others = joined(factor, without(numbers, i));
            if (!arrays.empty()) others.push_back({product_of_factors(arrays), Joint::times});
            const bool below = numbers[i].joint == Joint::divided;
            if (below) others.push_back({power(numbers[i].expression, 2), Joint::divided});
            number(numbers[i].expression, others, below ? product_of_signs(sign, Joint::minus) : sign);
        }
        if (!arrays.empty())
            array(product_of_factors(arrays), {Adjoint::Kind::identity, joined(factor, numbers), sign});
    }

    void array(const Expression& e, const Adjoint& adjoint) {
        constexpr std::size_t most_terms = 12;
        if (!varies(e) || !possible_) return;
        if (terms_.size() >= most_terms) {
            possible_ = false;
        } else if (const Quantity* quantity = definition(e)) {
            const auto known = std::ranges::find_if(activations_, [&](const Activation& one) {
                return &model_.quantity(one.quantity) == quantity && same(one.call, quantity->written);
            });
            if (known != activations_.end())
                array(quantity->written.argument(), times(adjoint, known->derivative));
            else if (is_call(quantity->written, "softmax"))
                array(quantity->written.argument(), through_softmax(adjoint, e));
            else
                array(quantity->written, adjoint);
        } else if (e.kind == Kind::entry) {
            if (e.indices.empty())
                add_term(adjoint);
            else
                possible_ = false;
        } else if (e.kind == Kind::transpose) {
            Adjoint inner = adjoint;
            if (inner.kind == Adjoint::Kind::formula) inner.array = turned_matrix(inner.array);
            array(e.argument(), inner);
        } else if (e.kind == Kind::add) {
            for (std::size_t i = 0; i < e.children.size(); ++i) {
                Adjoint one = adjoint;
                one.sign = product_of_signs(one.sign, e.joints[i]);
                array(e.children[i], one);
            }
        } else if (is_inverse(e)) {
            Adjoint inner = between({e}, adjoint, {e});
            inner.sign = product_of_signs(inner.sign, Joint::minus);
            array(e.base(), inner);
        } else if (e.kind == Kind::power && e.exponent().kind == Kind::number) {
            Adjoint inner = times(adjoint, power(e.base(), e.exponent().number - 1));
            inner.numbers.push_back({number_of(e.exponent().number), Joint::times});
            array(e.base(), inner);
        } else if (is_call(e, "softmax")) {
            array(e.argument(), through_softmax(adjoint, e));
        } else if (e.kind == Kind::call && e.children.size() == 1 &&
                   (model_.is_function(e.name) || find_elementary(e.name) != nullptr)) {
            const Elementary* function = model_.is_function(e.name) || e.order > 0 ? nullptr : find_elementary(e.name);
            const bool by_value =
                function != nullptr && function->slope == nullptr && function->slope_by_value != nullptr;
            array(e.argument(), times(adjoint, by_value ? function->slope_by_value(e) : slope_of(e)));
        } else if (e.kind == Kind::product) {
            factors(e, adjoint);
        } else {
            possible_ = false;
        }
    }

    void factors(const Expression& e, Adjoint adjoint) {
        Parts arrays;
        for (const Part& part : factors_of(e)) {
            if (!is_array(part.expression)) {
                possible_ = possible_ && !varies(part.expression);
                adjoint.numbers.push_back(part);
            } else {
                arrays.push_back(part);
            }
        }
        arrays = grouped(arrays);
        if (arrays.size() == 1) return array(arrays[0].expression, adjoint);
        for (std::size_t i = 0; i < arrays.size(); ++i) {
            if (!varies(arrays[i].expression)) continue;
            Factors before, after;
            for (std::size_t k = 0; k < arrays.size(); ++k)
                if (k != i) (k < i ? before : after).push_back(arrays[k].expression);
            if (is_of_matrices(arrays[1].joint)) {
                array(arrays[i].expression, between(before, adjoint, after));
                continue;
            }
            Adjoint inner = times(adjoint, product_of_factors(without(arrays, i)));
            if (arrays[i].joint == Joint::divided) {
                inner = times(inner, power(arrays[i].expression, -2));
                inner.sign = product_of_signs(inner.sign, Joint::minus);
            }
            array(arrays[i].expression, inner);
        }
    }

    /// A row of products of one kind, with products of the other kind as its factors.
    Parts grouped(const Parts& parts) {
        Parts group;
        for (const Part& part : parts) {
            if (part.joint == Joint::dot) possible_ = false;
            if (grouping_ == Grouping::tight_first && !group.empty() && is_of_matrices(part.joint)) {
                if (group.size() == 1) {
                    group.push_back(part);
                } else {
                    Part& last = group.back();
                    last.expression = product_of_factors({{last.expression, Joint::times}, part});
                }
                continue;
            }
            if (group.size() > 1 && is_of_matrices(group[1].joint) != is_of_matrices(part.joint))
                group = {{product_of_factors(group), Joint::times}};
            group.push_back(part);
        }
        return group;
    }

    /// G ⊙ factor.
    Adjoint times(Adjoint adjoint, const Expression& factor) {
        if (adjoint.kind == Adjoint::Kind::identity) possible_ = false;
        Parts parts;
        if (adjoint.kind == Adjoint::Kind::formula) parts.push_back({adjoint.array, Joint::times});
        for (const Part& part : factors_of_kind(factor, false)) {
            if (is_number(part.expression, 1)) continue;
            const bool below = part.joint == Joint::divided;
            if (part.expression.kind == Kind::number)
                adjoint.numbers.push_back(part);
            else
                parts.push_back({part.expression, below ? Joint::divided : Joint::elementwise});
        }
        adjoint.kind = parts.empty() ? Adjoint::Kind::ones : Adjoint::Kind::formula;
        adjoint.array = product_of_factors(parts);
        return adjoint;
    }

    /// E = P F Q: of F it is P^T G Q^T.
    Adjoint between(const Factors& before, Adjoint adjoint, const Factors& after) {
        if (adjoint.kind == Adjoint::Kind::ones) possible_ = false;
        Factors all = turned_product(before);
        if (adjoint.kind == Adjoint::Kind::formula)
            for (const Part& part : factors_of_kind(adjoint.array, true)) all.push_back(part.expression);
        for (const Expression& e : turned_product(after)) all.push_back(e);
        Parts parts;
        for (const Expression& e : all) parts.push_back({e, parts.empty() ? Joint::times : Joint::juxtaposed});
        if (!parts.empty()) adjoint.kind = Adjoint::Kind::formula;
        adjoint.array = product_of_factors(parts);
        return adjoint;
    }

    /// p ⊙ (G - p^T G), of one vector.
    Adjoint through_softmax(Adjoint adjoint, const Expression& p) {
        if (adjoint.kind != Adjoint::Kind::formula) possible_ = false;
        const Expression mean = product_of_factors({{turned(p), Joint::times}, {adjoint.array, Joint::juxtaposed}});
        const Expression rest = sum_of_terms({{adjoint.array, Joint::plus}, {mean, Joint::minus}});
        adjoint.array = product_of_factors({{p, Joint::times}, {rest, Joint::elementwise}});
        return adjoint;
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

    Expression turned_matrix(const Expression& e) const {
        if (e.kind != Kind::product || !is_of_matrices(e.joints[1]) ||
            !std::ranges::all_of(e.joints.begin() + 1, e.joints.end(), is_of_matrices))
            return is_symmetric(e) ? e : turned(e);
        Factors factors(e.children.begin(), e.children.end());
        Parts parts;
        for (const Expression& factor : turned_product(factors))
            parts.push_back({factor, parts.empty() ? Joint::times : Joint::juxtaposed});
        return product_of_factors(parts);
    }

    Factors turned_product(const Factors& factors) const {
        Factors result;
        for (std::size_t i = factors.size(); i-- > 0;) result.push_back(turned_matrix(factors[i]));
        return result;
    }

    static Expression power(const Expression& base, double n) {
        if (n == 1) return base;
        return n < 0 ? quotient_of(number_of(1), power(base, -n)) : power_of(base, number_of(n));
    }

    void add_term(const Adjoint& adjoint) {
        if (adjoint.kind == Adjoint::Kind::ones) possible_ = false;
        double factor = 1;
        Parts parts;
        for (const Part& part : adjoint.numbers) {
            if (part.expression.kind != Kind::number)
                parts.push_back(part);
            else
                factor *= part.joint == Joint::divided ? 1 / part.expression.number : part.expression.number;
        }
        if (factor != 1) {
            const double below = 1 / factor;
            const bool is_share = std::abs(factor) < 1 && below == std::round(below);
            parts.insert(parts.begin(),
                         {is_share ? quotient_of(number_of(1), number_of(below)) : number_of(factor), Joint::times});
        }
        const Expression array = adjoint.kind == Adjoint::Kind::formula ? adjoint.array : entry_of("I", {});
        Parts of_array = factors_of(array);
        of_array[0].joint = parts.empty() ? Joint::times : Joint::juxtaposed;
        terms_.push_back({product_of_factors(joined(parts, of_array)), adjoint.sign});
    }

    std::optional<Expression> gradient() const {
        if (!possible_ || terms_.empty()) return {};
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

    const Model& model_;
    const std::vector<Activation>& activations_;
    const int by_;
    const Grouping grouping_;
    bool possible_ = true;
    Parts terms_;
};

}  // namespace

std::vector<Expression> by_differentials(const Editing& editing) {
    const Model& model = editing.model;
    const Expression& left = editing.left;
    if (!editing.arrays || editing.line.is_update || left.kind != Kind::derivative || left.order != 1 ||
        !left.held().empty() || editing.line.members.empty() || editing.line.members[0].kind != Kind::derivative)
        return {};
    const Expression& by = left.denominator();
    if (by.indices.empty() || model.quantities_named(by.name).size() != 1) return {};
    std::vector<Expression> formulas;
    for (const Grouping grouping : {Grouping::left_to_right, Grouping::tight_first})
        if (std::optional<Expression> gradient =
                Differentials(editing, *by.symbol, grouping).of(editing.line.members[0].numerator())) {
            // Of what is added to every row it is the sum over them.
            Expression over_rows;
            over_rows.kind = Kind::reduce;
            over_rows.name = "sum";
            over_rows.order = 1;
            over_rows.children = {*gradient};
            formulas.push_back(std::move(*gradient));
            formulas.push_back(std::move(over_rows));
        }
    return formulas;
}

}  // namespace derivation
