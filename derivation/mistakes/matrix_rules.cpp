#include <algorithm>
#include <cmath>
#include <derivation/formula/elementary.hpp>
#include <derivation/mistakes/array_changes.hpp>
#include <derivation/mistakes/matrix_rules.hpp>
#include <derivation/resolve/lookup.hpp>
#include <utility>

namespace derivation {

namespace {

/// The factors of a product of this kind, of matrices or of entries; anything else is one.
Parts factors_of_kind(const Expression& e, bool of_matrices) {
    if (e.kind == Kind::product && is_of_matrices(e.joints[1]) == of_matrices) return factors_of(e);
    return {{e, Joint::times}};
}

/// In a row of products of both kinds the ones that stand side by side are taken together, or one after the other.
enum class Grouping { left_to_right, tight_first };

/// A backward pass from a number L to an array X: each part E of L is visited with the G of dL = sum(G ⊙ dE).
class Differentials : ArrayFormulas {
  public:
    Differentials(const Editing& editing, int by, Grouping grouping)
        : ArrayFormulas(editing, by), grouping_(grouping) {}

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

    static Joint product_of_signs(Joint a, Joint b) {
        return (a == Joint::minus) == (b == Joint::minus) ? Joint::plus : Joint::minus;
    }

    /// factor * e, a number.
    void number(const Expression& e, const Parts& factor, Joint sign) {
        if (!varies(e) || !possible_) return;
        if (const Quantity* quantity = definition(e)) {
            if (is_of_each_entry(model, quantity->written))
                number(quantity->written.argument(), joined(factor, {{slope_by_name(*quantity, e), Joint::times}}),
                       sign);
            else
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
        } else if (e.kind == Kind::reduce) {
            reduction(without_letter(e), factor, sign);
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

    /// 1 / (2 r), where r = sqrt(v) has this name.
    Expression slope_by_name(const Quantity& quantity, const Expression& name) const {
        const auto put_name = [&](auto& self, Expression& e) -> void {
            if (same(e, quantity.written))
                e = name;
            else
                for (Expression& child : e.children) self(self, child);
        };
        Expression slope = slope_of_call(model, quantity.written);
        put_name(put_name, slope);
        return slope;
    }

    /// A sum or a mean of all entries.
    void reduction(const Expression& e, Parts factor, Joint sign) {
        if (is_of_whole(e, "mean")) {
            const std::optional<Expression> count = count_of(e.body());
            possible_ = possible_ && count.has_value();
            if (count) factor.push_back({*count, Joint::divided});
        } else if (!is_of_whole(e, "sum")) {
            possible_ = false;
        }
        array(e.body(), {Adjoint::Kind::ones, factor, sign});
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
            if (const std::optional<Expression> slope = slope_at(*quantity))
                array(quantity->written.argument(), times(adjoint, *slope));
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
                if (is_array(e.children[i]))
                    array(e.children[i], one);
                else if (varies(e.children[i]))
                    beside(e.children[i], one, e);
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
        } else if (is_of_each_entry(model, e)) {
            array(e.argument(), times(adjoint, slope_of_call(model, e)));
        } else if (e.kind == Kind::product) {
            factors(e, adjoint);
        } else {
            possible_ = false;
        }
    }

    /// A number that all entries of an array have, as a term or as a factor: the adjoints of all are summed.
    void beside(const Expression& number_of_all, const Adjoint& adjoint, const Expression& array) {
        std::optional<Expression> sum;
        if (adjoint.kind == Adjoint::Kind::formula)
            sum = inner_product(adjoint.array).value_or(sum_over({}, adjoint.array));
        else if (adjoint.kind == Adjoint::Kind::ones)
            sum = count_of(array);
        if (sum)
            number(number_of_all, joined(adjoint.numbers, {{*sum, Joint::times}}), adjoint.sign);
        else
            possible_ = false;
    }

    /// x^T v for the sum of x ⊙ v.
    std::optional<Expression> inner_product(const Expression& e) const {
        if (e.kind != Kind::product || e.children.size() != 2 || e.joints[1] != Joint::elementwise) return {};
        for (const Expression& factor : e.children)
            if (const std::optional<Axes> axes = axes_of(factor);
                !axes || axes->rows.size() != 1 || !axes->columns.empty() || factor.kind != Kind::entry)
                return {};
        return product_of_matrices({turned(e.children[0]), e.children[1]});
    }

    void factors(const Expression& e, Adjoint adjoint) {
        Parts numbers, arrays;
        for (const Part& part : factors_of(e)) (is_array(part.expression) ? arrays : numbers).push_back(part);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const auto& [number, joint] = numbers[i];
            if (!varies(number)) continue;
            Adjoint one = adjoint;
            one.numbers = joined(one.numbers, without(numbers, i));
            if (joint == Joint::divided) {
                one.numbers.push_back({power(number, 2), Joint::divided});
                one.sign = product_of_signs(one.sign, Joint::minus);
            }
            beside(number, times(one, product_of_factors(arrays)), e);
        }
        adjoint.numbers = joined(adjoint.numbers, numbers);
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

    /// G ⊙ factor. What stands above and below goes.
    Adjoint times(Adjoint adjoint, const Expression& factor) {
        if (adjoint.kind == Adjoint::Kind::identity) possible_ = false;
        Parts parts;
        if (adjoint.kind == Adjoint::Kind::formula) parts = factors_of_kind(adjoint.array, false);
        for (Part part : factors_of_kind(factor, false)) {
            if (is_number(part.expression, 1)) continue;
            const bool below = part.joint == Joint::divided;
            const auto other = std::ranges::find_if(parts, [&](const Part& one) {
                return (one.joint == Joint::divided) != below && same(one.expression, part.expression);
            });
            part.joint = below ? Joint::divided : Joint::elementwise;
            if (part.expression.kind == Kind::number)
                adjoint.numbers.push_back(part);
            else if (other != parts.end())
                parts.erase(other);
            else
                parts.push_back(part);
        }
        if (parts.size() > 1) std::erase_if(parts, [](const Part& one) { return is_number(one.expression, 1); });
        if (!parts.empty() && parts[0].joint == Joint::divided)
            parts.insert(parts.begin(), {number_of(1), Joint::times});
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
        if (!all.empty()) adjoint.kind = Adjoint::Kind::formula;
        adjoint.array = product_of_matrices(all);
        return adjoint;
    }

    /// p ⊙ (G - p^T G), of one vector.
    Adjoint through_softmax(Adjoint adjoint, const Expression& p) {
        if (adjoint.kind != Adjoint::Kind::formula) possible_ = false;
        Expression mean = product_of_factors({{turned(p), Joint::times}, {adjoint.array, Joint::juxtaposed}});
        if (const std::optional<Axes> axes = axes_of(p); axes && axes->count() == 2) {
            // Of each row, beside all of its entries.
            Expression of_rows =
                sum_over({}, product_of_factors({{p, Joint::times}, {adjoint.array, Joint::elementwise}}));
            of_rows.order = 2;
            mean = call_of(std::string(new_column), 0, std::move(of_rows));
        }
        const Expression rest = sum_of_terms({{adjoint.array, Joint::plus}, {mean, Joint::minus}});
        adjoint.array = product_of_factors({{p, Joint::times}, {rest, Joint::elementwise}});
        return adjoint;
    }

    bool is_number_times_symmetric(const Expression& e) const {
        std::size_t arrays = 0;
        for (const Expression& factor : e.children)
            if (is_array(factor) && (!is_symmetric(factor) || ++arrays > 1)) return false;
        return arrays == 1;
    }

    bool is_symmetric(const Expression& e) const {
        if (is_inverse(e)) return is_symmetric(e.base());
        if (e.kind == Kind::add)
            return std::ranges::all_of(e.children, [&](const Expression& term) { return is_symmetric(term); });
        if (e.kind == Kind::product) return is_number_times_symmetric(e);
        if (e.kind != Kind::entry || !e.indices.empty()) return false;
        if (e.name == "I" && !model.has("I")) return true;
        const std::vector<int> named = model.quantities_named(e.name);
        return !named.empty() && std::ranges::all_of(named, [&](int q) {
            const Quantity& quantity = model.quantity(q);
            return quantity.domain == Domain::symmetric || quantity.domain == Domain::positive_definite ||
                   (quantity.role == Role::definition && is_symmetric(quantity.written));
        });
    }

    Expression turned_matrix(const Expression& e) const {
        if (e.kind != Kind::product || !is_of_matrices(e.joints[1]) ||
            !std::ranges::all_of(e.joints.begin() + 1, e.joints.end(), is_of_matrices))
            return is_symmetric(e) ? e : turned(e);
        return product_of_matrices(turned_product(e.children));
    }

    Factors turned_product(const Factors& factors) const {
        Factors result;
        for (std::size_t i = factors.size(); i-- > 0;) result.push_back(turned_matrix(factors[i]));
        return result;
    }

    /// A number is added to each entry.
    void add_term(const Adjoint& adjoint) {
        const Gathered numbers(adjoint.numbers);
        const Joint sign = numbers.is_negative() ? product_of_signs(adjoint.sign, Joint::minus) : adjoint.sign;
        Parts parts = numbers.parts();
        if (adjoint.kind != Adjoint::Kind::ones) {
            Parts of_array = factors_of(adjoint.kind == Adjoint::Kind::formula ? adjoint.array : entry_of("I", {}));
            of_array[0].joint = parts.empty() ? Joint::times : Joint::juxtaposed;
            parts = joined(parts, of_array);
        }
        terms_.push_back({parts.empty() ? number_of(1) : product_of_factors(parts), sign});
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

    const Grouping grouping_;
    bool possible_ = true;
    Parts terms_;
};

}  // namespace

namespace {

/// d(A B) = dA B + A dB, of what the line varies.
std::vector<Expression> total_differential(const Editing& editing) {
    const Expression& left = editing.line.members[0];
    Parts terms;
    for (std::size_t i = 1; i < left.children.size(); ++i) {
        const std::vector<int> named = editing.model.quantities_named(left.children[i].name);
        if (named.size() != 1) return {};
        const std::optional<Expression> term = differential_of(left.argument(), editing, named[0]);
        if (!term) return {};
        terms.push_back({*term, Joint::plus});
    }
    return {sum_of_terms(terms)};
}

}  // namespace

std::vector<Expression> by_differentials(const Editing& editing) {
    if (!editing.line.members.empty() && is_differential(editing.line.members[0])) return total_differential(editing);
    const Model& model = editing.model;
    const Expression& left = editing.left;
    if (editing.line.is_update || left.kind != Kind::derivative || !left.held().empty() ||
        editing.line.members.empty() || editing.line.members[0].kind != Kind::derivative)
        return {};
    const Expression &by = left.denominator(), &of = editing.line.members[0].numerator();
    if (model.quantities_named(by.name).size() != 1) return {};
    const bool has_arrays =
        editing.arrays || (editing.of && any_part(model.quantity(*editing.of).written,
                                                  [&](const Expression& e) { return is_of_arrays(model, e); }));
    if (!has_arrays) return {};
    std::vector<Expression> formulas;
    if (left.order == 1)
        if (std::optional<Expression> change = change_of(of, editing, *by.symbol))
            formulas.push_back(std::move(*change));
    if (by.indices.empty()) return formulas;
    for (const Grouping grouping : {Grouping::left_to_right, Grouping::tight_first}) {
        const std::optional<Expression> gradient = Differentials(editing, *by.symbol, grouping).of(of);
        if (!gradient) continue;
        if (left.order == 1) {
            formulas.push_back(*gradient);
            // Of what is added to every row it is the sum over them.
            formulas.push_back(sum_over({}, *gradient));
            formulas.back().order = 1;
        } else if (left.order == 2 && left.denominators()[1].symbol == by.symbol) {
            if (std::optional<Expression> hessian = change_of(*gradient, editing, *by.symbol))
                formulas.push_back(std::move(*hessian));
        }
    }
    return formulas;
}

}  // namespace derivation
