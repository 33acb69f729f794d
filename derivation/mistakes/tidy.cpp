#include <algorithm>
#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/formula/elementary.hpp>
#include <derivation/mistakes/tidy.hpp>
#include <numeric>
#include <utility>

namespace derivation {

namespace {

/// (A B)^T as B^T A^T, with the numbers in front left there.
Expression without_transposed_product(Expression e) {
    if (e.kind != Kind::transpose || e.argument().kind != Kind::product) return e;
    Parts front, matrices;
    for (Part& part : factors_of(e.argument())) {
        const bool is_of_matrix = part.expression.kind == Kind::call && !matrix_function(part.expression.name).empty();
        const bool scalar = part.expression.kind == Kind::number || part.joint == Joint::divided ||
                            (is_of_matrix && part.expression.name != "solve");
        const bool fits = part.joint == Joint::juxtaposed || part.joint == Joint::matrix || part.joint == Joint::dot;
        if (scalar ? !matrices.empty() : !fits && !matrices.empty()) return e;
        (scalar ? front : matrices).push_back(std::move(part));
    }
    if (matrices.empty() || (matrices.size() < 2 && front.empty())) return e;
    const Joint joint = matrices.back().joint;
    Parts reversed = front;
    for (std::size_t i = matrices.size(); i-- > 0;)
        reversed.push_back(
            {turned(matrices[i].expression), reversed.size() == front.size() ? Joint::juxtaposed : joint});
    return product_of_factors(reversed);
}

/// A product as a number and powers of what is no number: 2 x/(3 s^2) is 2/3, x^1, s^-2.
struct Powers {
    double above = 1, below = 1;
    struct One {
        Expression base;
        double exponent;
        Span span;
    };
    std::vector<One> all;
    std::size_t numbers = 0;  ///< how many were met
    bool joined = false;      ///< whether two powers had one base

    void multiply(const Expression& e, double exponent) {
        if (e.kind == Kind::number && std::abs(exponent) == 1 && e.number != 0) {
            (exponent > 0 ? above : below) *= e.number;
            numbers += e.number == 1 ? 0 : 1;
            return;
        }
        if (e.kind == Kind::product) {
            for (const Part& part : factors_of(e))
                multiply(part.expression, part.joint == Joint::divided ? -exponent : exponent);
            return;
        }
        if (e.kind == Kind::add && e.children.size() == 1 && e.joints[0] == Joint::minus && std::abs(exponent) == 1) {
            above = -above;
            return multiply(e.children[0], exponent);
        }
        const bool is_power = e.kind == Kind::power && e.exponent().kind == Kind::number;
        if (is_power && e.base().kind == Kind::product && e.exponent().number == 2) {
            multiply(e.base(), exponent);
            return multiply(e.base(), exponent);
        }
        if (is_power && e.exponent().number == std::floor(e.exponent().number))
            return raise(e.base(), exponent * e.exponent().number, e.span);
        raise(e, exponent, e.span);
    }

    Expression product() const {
        Parts front, behind;
        for (const One& one : all) {
            if (one.exponent == 0) continue;
            const double size = std::abs(one.exponent);
            (one.exponent > 0 ? front : behind)
                .push_back({size == 1 ? one.base : power_of(one.base, number_of(size)), Joint::times});
        }
        double p = std::abs(above), q = std::abs(below);
        const bool whole = p == std::floor(p) && q == std::floor(q) && p < 1e6 && q < 1e6;
        if (whole) {
            const auto common = static_cast<double>(std::gcd(static_cast<long>(p), static_cast<long>(q)));
            p /= common;
            q /= common;
        }
        if (p != 1 || front.empty()) front.insert(front.begin(), {number_of(p), Joint::times});
        if (q != 1) behind.insert(behind.begin(), {number_of(q), Joint::times});
        if (!behind.empty()) front.push_back({product_of_factors(behind), Joint::divided});
        Expression result = product_of_factors(front);
        return above * below < 0 ? negated(std::move(result)) : result;
    }

  private:
    void raise(const Expression& base, double exponent, Span span) {
        const auto found = std::ranges::find_if(all, [&](const One& one) { return same(one.base, base); });
        if (found == all.end()) return all.push_back({base, exponent, span});
        found->exponent += exponent;
        joined = true;
    }
};

/// The number that all of a sum's terms have comes before the sum where another one stands there: 1/2 sum(2 x).
Expression without_number(Expression e, double& number) {
    if (e.kind != Kind::reduce || (e.name != "sum" && e.name != "mean") || e.body().kind != Kind::product) return e;
    Parts parts = factors_of(e.body());
    if (parts[0].expression.kind != Kind::number || parts.size() < 2 || parts[1].joint == Joint::divided) return e;
    number = parts[0].expression.number;
    parts.erase(parts.begin());
    e.body() = product_of_factors(parts);
    return e;
}

/// Numbers multiplied, and powers of one base joined; as it was typed where there is nothing to join.
Expression joined(Expression e) {
    if (e.kind != Kind::product) return e;
    Powers powers;
    for (const Part& part : factors_of(e)) powers.multiply(part.expression, part.joint == Joint::divided ? -1 : 1);
    if (powers.numbers > 0)
        for (Powers::One& one : powers.all) {
            double number = 1;
            Expression sum = one.exponent == 1 ? without_number(one.base, number) : one.base;
            if (number == 1) continue;
            one.base = std::move(sum);
            powers.above *= number;
            ++powers.numbers;
        }
    return powers.numbers > 1 || powers.joined ? powers.product() : e;
}

/// x/r/2 as x/2/r.
void put_numbers_first(Parts& parts) {
    for (std::size_t i = 2; i < parts.size(); ++i)
        for (std::size_t k = i; k > 1 && parts[k].expression.kind == Kind::number && parts[k].joint == Joint::divided &&
                                parts[k - 1].expression.kind != Kind::number && parts[k - 1].joint == Joint::divided;
             --k)
            std::swap(parts[k], parts[k - 1]);
}

bool is_row(const Parts& parts, bool (*is_joint)(Joint)) {
    return std::all_of(parts.begin() + 1, parts.end(), [&](const Part& part) { return is_joint(part.joint); });
}

/// A (B C) as A B C, and x ⊙ (a * (1 - a)) as x ⊙ a ⊙ (1 - a).
Parts opened(const Parts& parts) {
    const auto elementwise = [](Joint joint) { return joint == Joint::elementwise; };
    const auto of_matrices = [](Joint joint) { return joint == Joint::juxtaposed; };
    const bool of_entries = is_row(parts, elementwise);
    if (parts.size() < 2 || (!of_entries && !is_row(parts, of_matrices))) return parts;
    Parts row;
    for (const Part& part : parts) {
        Parts inner = factors_of(part.expression);
        const bool is_slope = inner.size() == 2 && inner[1].joint == Joint::times &&
                              inner[1].expression.kind == Kind::add && inner[1].expression.children.size() == 2 &&
                              is_number(inner[1].expression.children[0], 1) &&
                              same(inner[1].expression.children[1], inner[0].expression);
        if (of_entries && is_slope) inner[1].joint = Joint::elementwise;
        if (is_row(inner, elementwise) != of_entries || (!of_entries && !is_row(inner, of_matrices))) {
            row.push_back(part);
            continue;
        }
        inner[0].joint = part.joint;
        row.insert(row.end(), inner.begin(), inner.end());
    }
    return row;
}

/// In a product with arrays: 2 (y - t)/(2 s) x as (y - t)/s x.
Expression with_numbers_joined(Expression e) {
    if (e.kind != Kind::product) return e;
    double above = 1, below = 1;
    std::size_t numbers = 0;
    Parts rest;
    for (Part& part : factors_of(e)) {
        if (part.expression.kind == Kind::number) {
            (part.joint == Joint::divided ? below : above) *= part.expression.number;
            numbers += part.expression.number == 1 ? 0 : 1;
            continue;
        }
        if (part.joint == Joint::divided && part.expression.kind == Kind::product) {
            Parts kept;
            for (Part& inner : factors_of(part.expression)) {
                if (inner.expression.kind != Kind::number) {
                    kept.push_back(std::move(inner));
                    continue;
                }
                (inner.joint == Joint::divided ? above : below) *= inner.expression.number;
                ++numbers;
            }
            if (kept.empty()) continue;
            part.expression = product_of_factors(kept);
        }
        rest.push_back(std::move(part));
    }
    const bool whole = above == std::floor(above) && below == std::floor(below) && above < 1e6 && below < 1e6;
    if (numbers < 2 || !whole || above < 1 || below < 1 || rest.empty()) return e;
    const auto common = static_cast<double>(std::gcd(static_cast<long>(above), static_cast<long>(below)));
    Parts all;
    if (above != common || below != common || rest[0].joint == Joint::divided)
        all.push_back({number_of(above / common), Joint::times});
    if (below != common) all.push_back({number_of(below / common), Joint::divided});
    if (!all.empty() && rest[0].joint == Joint::times) rest[0].joint = Joint::juxtaposed;
    all.insert(all.end(), rest.begin(), rest.end());
    return product_of_factors(all);
}

/// A * 2 B as 2 A B.
void move_number_first(Parts& parts) {
    for (std::size_t i = 1; i < parts.size(); ++i) {
        if (parts[i].expression.kind != Kind::number || parts[i].joint == Joint::divided) continue;
        if (parts[0].expression.kind == Kind::number) return;
        parts[0].joint = Joint::juxtaposed;
        parts[i].joint = Joint::times;
        std::rotate(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(i),
                    parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        return;
    }
}

/// (-a) + b as -a + b.
Expression with_plain_signs(Expression e) {
    if (e.kind != Kind::add || e.children.size() < 2) return e;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
        Expression& term = e.children[i];
        if (term.kind != Kind::add || term.children.size() != 1 || term.joints[0] != Joint::minus) continue;
        term = Expression(term.children[0]);
        e.joints[i] = e.joints[i] == Joint::minus ? Joint::plus : Joint::minus;
    }
    return e;
}

/// x/r/n as x/(r n).
void join_last_divisors(Parts& parts) {
    if (parts.size() < 3 || parts.back().joint != Joint::divided || parts[parts.size() - 2].joint != Joint::divided)
        return;
    const Expression last = parts.back().expression;
    Expression& before = parts[parts.size() - 2].expression;
    if (last.kind == Kind::number) return;
    Parts both = factors_of(before);
    both.push_back({last, Joint::times});
    before = product_of_factors(both);
    parts.pop_back();
}

/// 1/(2 s) * n as n/(2 s); 1/2 * n stays.
void fill_numerator(Parts& parts) {
    if (parts.size() < 3 || !is_number(parts[0].expression, 1) || parts[1].joint != Joint::divided ||
        parts[1].expression.kind == Kind::number)
        return;
    const auto factor =
        std::ranges::find_if(parts.begin() + 1, parts.end(), [](const Part& p) { return p.joint != Joint::divided; });
    if (factor == parts.end() || factor->expression.kind == Kind::reduce) return;
    parts[0].expression = factor->expression;
    parts.erase(factor);
}

/// a + b - a as b.
Expression without_opposites(Expression e) {
    Parts terms = terms_of(e);
    const auto opposite = [&](const Part& one) {
        return std::ranges::find_if(terms, [&](const Part& other) {
            return other.joint != one.joint && same(other.expression, one.expression);
        });
    };
    bool any = false;
    for (std::size_t i = 0; i < terms.size();) {
        const auto found = opposite(terms[i]);
        if (found == terms.end()) {
            ++i;
            continue;
        }
        terms.erase(found);  // it stands behind this one, as none before has an opposite
        terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(i));
        any = true;
    }
    if (!any) return e;
    return terms.empty() ? number_of(0) : sum_of_terms(std::move(terms));
}

}  // namespace

Expression tidied(Expression e, bool arrays) {
    arrays = arrays || (e.kind == Kind::call && (!matrix_function(e.name).empty() || e.name == "entry"));
    if (!arrays) e = normalized(std::move(e));
    for (Expression& child : e.children) child = tidied(std::move(child), arrays);
    if (e.kind == Kind::power && is_number(e.exponent(), 1)) return Expression(std::move(e.base()));
    if (arrays) e = with_plain_signs(with_numbers_joined(without_transposed_product(std::move(e))));
    if (!arrays) e = normalized(joined(std::move(e)));
    if (!arrays && e.kind == Kind::add) return without_opposites(std::move(e));
    if (e.kind != Kind::product) return e;
    Parts parts = factors_of(e);
    if (arrays) parts = opened(parts);
    if (arrays) move_number_first(parts);
    put_numbers_first(parts);
    if (arrays) join_last_divisors(parts);
    if (!arrays) {
        fill_numerator(parts);
        join_last_divisors(parts);
        for (Part& part : parts)
            if (part.expression.kind == Kind::product && part.joint == Joint::divided)
                part.expression = tidied(std::move(part.expression), arrays);
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool next_divides = i == 0 && parts.size() > 1 && parts[1].joint == Joint::divided;
        if (!is_number(parts[i].expression, 1) || parts.size() < 2 || next_divides) continue;
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
        --i;
    }
    // (-x) y as -(x y).
    Expression& first = parts[0].expression;
    if (arrays || first.kind != Kind::add || first.children.size() != 1 || first.joints[0] != Joint::minus)
        return product_of_factors(parts);
    first = Expression(first.children[0]);
    return negated(normalized(product_of_factors(parts)));
}

}  // namespace derivation
