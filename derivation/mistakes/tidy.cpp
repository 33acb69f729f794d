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

/// x/r/n as x/(r n).
void join_last_divisors(Parts& parts) {
    if (parts.size() < 3 || parts.back().joint != Joint::divided || parts[parts.size() - 2].joint != Joint::divided)
        return;
    const Expression last = parts.back().expression;
    Expression& before = parts[parts.size() - 2].expression;
    if (last.kind == Kind::number || before.kind == Kind::number) return;
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

}  // namespace

Expression tidied(Expression e, bool arrays) {
    arrays = arrays || (e.kind == Kind::call && (!matrix_function(e.name).empty() || e.name == "entry"));
    if (!arrays) e = normalized(std::move(e));
    for (Expression& child : e.children) child = tidied(std::move(child), arrays);
    if (e.kind == Kind::power && is_number(e.exponent(), 1)) return Expression(std::move(e.base()));
    if (arrays) e = without_transposed_product(std::move(e));
    if (!arrays) e = normalized(joined(std::move(e)));
    if (e.kind != Kind::product) return e;
    Parts parts = factors_of(e);
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
