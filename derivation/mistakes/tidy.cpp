#include <algorithm>
#include <derivation/formula/building.hpp>
#include <derivation/mistakes/tidy.hpp>
#include <utility>

namespace derivation {

namespace {

/// (A B)^T as B^T A^T, with the numbers in front left there.
Expression without_transposed_product(Expression e) {
    if (e.kind != Kind::transpose || e.argument().kind != Kind::product) return e;
    Parts front, matrices;
    for (Part& part : factors_of(e.argument())) {
        const bool scalar = part.expression.kind == Kind::number || part.joint == Joint::divided;
        const bool fits = part.joint == Joint::juxtaposed || part.joint == Joint::matrix || part.joint == Joint::dot;
        if (scalar ? !matrices.empty() : !fits && !matrices.empty()) return e;
        (scalar ? front : matrices).push_back(std::move(part));
    }
    if (matrices.size() < 2) return e;
    const Joint joint = matrices[1].joint;
    Parts reversed = front;
    for (std::size_t i = matrices.size(); i-- > 0;)
        reversed.push_back(
            {turned(matrices[i].expression), reversed.size() == front.size() ? Joint::juxtaposed : joint});
    return product_of_factors(reversed);
}

/// 2 x/(2 s) as x/s, and x/(2 s) times 2 likewise.
void cancel_numbers(Parts& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i)
        for (std::size_t k = 0; k < parts.size(); ++k) {
            Expression& below = parts[k].expression;
            if (parts[i].joint == Joint::divided || parts[i].expression.kind != Kind::number || i == k ||
                parts[k].joint != Joint::divided)
                continue;
            if (is_number(below, parts[i].expression.number)) {
                below = number_of(1);
                parts[i].expression = number_of(1);
            } else if (below.kind == Kind::product && below.joints[0] != Joint::divided &&
                       is_number(below.children[0], parts[i].expression.number)) {
                below.children[0] = number_of(1);
                parts[i].expression = number_of(1);
            }
        }
}

/// x/s^2/s, where an edit put the last divisor, as x/s^3; x/r/n as x/(r n).
void join_last_divisors(Parts& parts) {
    if (parts.size() < 3 || parts.back().joint != Joint::divided || parts[parts.size() - 2].joint != Joint::divided)
        return;
    const Expression last = parts.back().expression;
    Expression& before = parts[parts.size() - 2].expression;
    if (last.kind == Kind::number || before.kind == Kind::number) return;
    const bool is_power = before.kind == Kind::power && before.exponent().kind == Kind::number;
    if (same(is_power ? before.base() : before, last)) {
        before = power_of(last, number_of(is_power ? before.exponent().number + 1 : 2));
    } else {
        Parts both = factors_of(before);
        both.push_back({last, Joint::times});
        before = product_of_factors(both);
    }
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
    for (Expression& child : e.children) child = tidied(std::move(child), arrays);
    if (e.kind == Kind::power && is_number(e.exponent(), 1)) return Expression(std::move(e.base()));
    if (arrays) e = without_transposed_product(std::move(e));
    if (e.kind != Kind::product) return e;
    Parts parts = factors_of(e);
    if (!arrays) {
        cancel_numbers(parts);
        fill_numerator(parts);
        join_last_divisors(parts);
        for (Part& part : parts)
            if (part.expression.kind == Kind::product) part.expression = tidied(std::move(part.expression), arrays);
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
