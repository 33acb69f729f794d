#include <algorithm>
#include <derivation/mistakes/array_changes.hpp>
#include <utility>

namespace derivation {

namespace {

class Changes : ArrayFormulas {
  public:
    /// `unit` is the change of the quantity itself: 1 of a number, I of a vector, or dX.
    Changes(const Editing& editing, int by, Expression unit)
        : ArrayFormulas(editing, by), unit_(std::move(unit)), by_vector_(is_identity(unit_)) {}

    std::optional<Expression> of(const Expression& e) {
        Expression result = change(e);
        if (!possible_) return {};
        return result;
    }

  private:
    Expression impossible() {
        possible_ = false;
        return number_of(0);
    }

    /// Of what does not vary it is 0, which is not asked for.
    Expression change(const Expression& e) {
        if (is_by(e)) return unit_;
        if (const Quantity* quantity = definition(e)) {
            if (const std::optional<Expression> slope = slope_at(*quantity))
                return scaled(*slope, quantity->written.argument());
            if (is_call(quantity->written, "softmax")) return through_softmax(e, quantity->written.argument());
            return change(quantity->written);
        }
        if (e.kind == Kind::add) return sum(e);
        if (e.kind == Kind::product) return product(e);
        if (is_of_each_entry(model, e)) return scaled(slope_of_call(model, e), e.argument());
        if (is_call(e, "softmax")) return through_softmax(e, e.argument());
        if (e.kind == Kind::power && !is_inverse(e) && e.exponent().kind == Kind::number) {
            const double n = e.exponent().number;
            return scaled(product_of({number_of(n), power(e.base(), n - 1)}), e.base());
        }
        return by_vector_ ? impossible() : of_matrix(e);
    }

    /// What has a rule by a number only.
    Expression of_matrix(const Expression& e) {
        if (is_inverse(e)) return negated(matrices({e, change(e.base()), e}));
        if (e.kind == Kind::transpose) return turned(change(e.argument()));
        if (e.kind == Kind::norm) {
            const auto [sum, sign] =
                signed_term(whole("sum", elementwise(e.argument(), change(e.argument()))), Joint::plus);
            return sum_of_terms({{product_of({number_of(2), sum}), sign}});
        }
        if (is_call(e, "tr")) return call_of("tr", 0, change(e.argument()));
        if (is_call(e, "logdet")) return of_log_of_determinant(e.argument());
        if (is_call(e, "det"))
            return product_of_factors({{e, Joint::times}, {of_log_of_determinant(e.argument()), Joint::times}});
        const Expression reduction = without_letter(e);
        if (is_of_whole(reduction, "sum") || is_of_whole(reduction, "mean"))
            return whole(reduction.name, change(reduction.body()));
        return impossible();
    }

    Expression of_log_of_determinant(const Expression& a) {
        return call_of("tr", 0, matrices({inverted(a), change(a)}));
    }

    Expression sum(const Expression& e) {
        Parts terms;
        for (const Part& term : terms_of(e)) {
            if (!varies(term.expression)) continue;
            // The same number for every row.
            if (by_vector_ && !is_array(term.expression)) return impossible();
            terms.push_back(signed_term(change(term.expression), term.joint));
        }
        return sum_of_terms(terms);
    }

    /// The numbers of a product together, in front of its arrays.
    Part gathered(const Parts& factors, Joint sign) const {
        Parts numbers, arrays;
        for (const Part& part : factors) (is_array(part.expression) ? arrays : numbers).push_back(part);
        if (!arrays.empty() && arrays[0].joint == Joint::divided) return {product_of_factors(factors), sign};
        const Gathered together(numbers);
        Parts parts = together.parts();
        if (!arrays.empty()) arrays[0].joint = parts.empty() ? Joint::times : Joint::juxtaposed;
        parts = joined(parts, arrays);
        return {parts.empty() ? number_of(1) : product_of_factors(parts),
                together.is_negative() ? turned_around(sign) : sign};
    }

    static Joint turned_around(Joint sign) { return sign == Joint::minus ? Joint::plus : Joint::minus; }

    /// a - -b is a + b.
    static Part signed_term(Expression e, Joint sign) {
        while (e.kind == Kind::add && e.children.size() == 1) {
            if (e.joints[0] == Joint::minus) sign = turned_around(sign);
            e = Expression(e.children[0]);
        }
        return {std::move(e), sign};
    }

    /// One factor after the other changes.
    Expression product(const Expression& e) {
        const Parts factors = factors_of(e);
        Parts terms;
        for (std::size_t i = 0; i < factors.size(); ++i) {
            const auto& [factor, joint] = factors[i];
            if (!varies(factor)) continue;
            Parts changed = factors;
            auto [inner, sign] = signed_term(change(factor), Joint::plus);
            if (by_vector_) {
                if (!put_jacobian(changed, i, inner)) return impossible();
            } else if (joint == Joint::divided) {
                changed[i] = {std::move(inner), is_array(factor) ? Joint::elementwise : Joint::times};
                changed.push_back({power(factor, 2), Joint::divided});
                sign = turned_around(sign);
            } else if (is_number(inner, 1) && changed.size() > 1) {
                changed = without(changed, i);
            } else {
                put(changed, i, inner);
            }
            changed[0].joint = Joint::times;
            terms.push_back(gathered(changed, sign));
        }
        return sum_of_terms(terms);
    }

    /// In a row of products of matrices a product of matrices needs no brackets.
    static void put(Parts& factors, std::size_t i, const Expression& e) {
        Parts parts = factors_of_matrices(e);
        const bool is_flat = std::all_of(factors.begin() + 1, factors.end(),
                                         [](const Part& part) { return is_of_matrices(part.joint); });
        if (!is_flat || parts.size() == 1) {
            factors[i].expression = e;
            return;
        }
        parts[0].joint = factors[i].joint;
        factors.erase(factors.begin() + static_cast<std::ptrdiff_t>(i));
        factors.insert(factors.begin() + static_cast<std::ptrdiff_t>(i), parts.begin(), parts.end());
    }

    /// A x, the vector at the end: A times its Jacobian; and diag(b) times that of a, where a product is b ⊙ a.
    bool put_jacobian(Parts& factors, std::size_t i, const Expression& jacobian) const {
        if (!is_array(factors[i].expression) || factors[i].joint == Joint::divided) return false;
        Parts numbers, arrays;
        bool is_elementwise = false;
        for (std::size_t k = 0; k < factors.size(); ++k) {
            Parts& kind = is_array(factors[k].expression) ? arrays : numbers;
            if (&kind == &arrays && k != i) {
                const bool after = k > i;
                if (is_of_matrices(factors[k].joint) ? after : after || factors[i].joint == Joint::elementwise)
                    is_elementwise = true;
                if (after && is_of_matrices(factors[k].joint)) return false;
                if (factors[k].joint == Joint::divided && arrays.empty()) return false;
            }
            if (k != i) kind.push_back(factors[k]);
        }
        if (is_elementwise && !arrays.empty()) {
            arrays[0].joint = Joint::times;
            arrays = {{call_of("diag", 0, product_of_factors(arrays)), Joint::times}};
        }
        if (!is_identity(jacobian) || arrays.empty())
            for (const Part& part : factors_of_matrices(jacobian))
                arrays.push_back({part.expression, Joint::juxtaposed});
        if (!numbers.empty()) arrays[0].joint = Joint::juxtaposed;
        factors = joined(numbers, arrays);
        return true;
    }

    /// slope ⊙ dx, or diag(slope) dx.
    Expression scaled(const Expression& slope, const Expression& x) {
        const Expression dx = change(x);
        if (!by_vector_) return is_array(x) ? elementwise(by_entries(slope), dx) : product_of({slope, dx});
        const Expression diagonal = call_of("diag", 0, by_entries(slope));
        return is_identity(dx) ? diagonal : matrices({diagonal, dx});
    }

    Expression through_softmax(const Expression& p, const Expression& z) {
        if (const std::optional<Axes> axes = axes_of(z); !by_vector_ || !axes || axes->count() != 1)
            return impossible();
        const Expression jacobian =
            sum_of_terms({{call_of("diag", 0, p), Joint::plus}, {matrices({p, turned(p)}), Joint::minus}});
        const Expression dz = change(z);
        return is_identity(dz) ? jacobian : matrices({jacobian, dz});
    }

    static bool is_identity(const Expression& e) { return e.kind == Kind::entry && e.name == "I"; }

    static Parts factors_of_matrices(const Expression& e) {
        if (e.kind == Kind::product && std::all_of(e.joints.begin() + 1, e.joints.end(), is_of_matrices))
            return factors_of(e);
        return {{e, Joint::times}};
    }

    static Expression matrices(const std::vector<Expression>& factors) {
        std::vector<Expression> all;
        for (const Expression& factor : factors)
            if (!is_number(factor, 1) && !is_identity(factor))
                for (Part& part : factors_of_matrices(factor)) all.push_back(std::move(part.expression));
        return all.empty() ? factors.back() : product_of_matrices(all);
    }

    static Expression elementwise(const Expression& a, const Expression& b) {
        if (is_number(b, 1)) return a;
        auto [factor, sign] = signed_term(b, Joint::plus);
        return sum_of_terms({{product_of_factors({{a, Joint::times}, {std::move(factor), Joint::elementwise}}), sign}});
    }

    static Expression whole(const std::string& name, const Expression& body) {
        auto [inner, sign] = signed_term(body, Joint::plus);
        Expression e = sum_over({}, std::move(inner));
        e.name = name;
        return sum_of_terms({{std::move(e), sign}});
    }

    const Expression unit_;
    const bool by_vector_;
    bool possible_ = true;
};

}  // namespace

std::optional<Expression> change_of(const Expression& e, const Editing& editing, int by) {
    const std::size_t axes = editing.model.quantity(by).ranges.size();
    if (axes > 1) return {};
    return Changes(editing, by, axes == 0 ? number_of(1) : entry_of("I", {})).of(e);
}

std::optional<Expression> differential_of(const Expression& e, const Editing& editing, int by) {
    return Changes(editing, by, entry_of("d" + editing.model.quantity(by).name, {})).of(e);
}

}  // namespace derivation
