#include <algorithm>
#include <derivation/formula/building.hpp>
#include <derivation/formula/elementary.hpp>
#include <utility>

namespace derivation {

namespace {

Expression assembled(Kind kind, Parts parts) {
    Expression e;
    e.kind = kind;
    e.span = parts.front().expression.span;
    e.children.reserve(parts.size());
    for (Part& part : parts) {
        e.span = join(e.span, part.expression.span);
        e.children.push_back(std::move(part.expression));
        e.joints.push_back(part.joint);
    }
    return e;
}

/// Its parts where it is of this kind, or the whole as the only one.
Parts parts_of(Expression e, Kind kind, Joint whole) {
    Parts parts;
    if (e.kind != kind) {
        parts.push_back({std::move(e), whole});
        return parts;
    }
    parts.reserve(e.children.size());
    for (std::size_t i = 0; i < e.children.size(); ++i) parts.push_back({std::move(e.children[i]), e.joints[i]});
    return parts;
}

bool is_negated(const Expression& e) {
    return e.kind == Kind::add && e.children.size() == 1 && e.joints[0] == Joint::minus;
}

Expression normalized_product(Expression e) {
    // Most often there is nothing to flatten.
    const auto is_flat = [](const Expression& child) { return !is_negated(child) && child.kind != Kind::product; };
    if (e.children.size() > 1 && e.joints[0] != Joint::divided && std::ranges::all_of(e.children, is_flat)) {
        for (Joint& joint : e.joints)
            if (joint != Joint::divided) joint = Joint::times;
        return e;
    }
    Parts parts;
    bool negative = false;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
        const Joint joint = e.joints[i] == Joint::divided ? Joint::divided : Joint::times;
        Expression child = std::move(e.children[i]);
        if (is_negated(child)) {
            negative = !negative;
            child = Expression(std::move(child.children[0]));
        }
        if (child.kind == Kind::product && joint == Joint::times) {
            for (Part& part : factors_of(std::move(child))) parts.push_back(std::move(part));
        } else {
            parts.push_back({std::move(child), joint});
        }
    }
    Expression product = product_of_factors(std::move(parts));
    product.span = e.span;
    return negative ? negated(std::move(product)) : product;
}

Expression normalized_sum(Expression e) {
    if (e.children.size() > 1 &&
        std::ranges::none_of(e.children, [](const Expression& child) { return child.kind == Kind::add; }))
        return e;
    Parts parts;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
        Expression child = std::move(e.children[i]);
        const bool minus = e.joints[i] == Joint::minus;
        if (is_negated(child)) {
            parts.push_back({Expression(std::move(child.children[0])), minus ? Joint::plus : Joint::minus});
        } else if (child.kind == Kind::add && !minus) {
            for (Part& part : terms_of(std::move(child))) parts.push_back(std::move(part));
        } else {
            parts.push_back({std::move(child), e.joints[i]});
        }
    }
    Expression sum = sum_of_terms(std::move(parts));
    sum.span = e.span;
    return sum;
}

}  // namespace

Expression number_of(double value) {
    Expression e;
    e.number = value;
    return e;
}

Expression letter_of(const std::string& name) {
    Expression e;
    e.kind = Kind::letter;
    e.name = name;
    e.letters = {{name}};
    return e;
}

Index index_of(std::string letter) { return {{{std::move(letter)}}}; }

Expression entry_of(std::string name, std::vector<std::string> letters) {
    Expression e;
    e.kind = Kind::entry;
    e.name = std::move(name);
    for (std::string& letter : letters) e.indices.push_back(index_of(std::move(letter)));
    return e;
}

Expression negated(Expression e) {
    if (e.kind == Kind::add && e.children.size() == 1)
        return e.joints[0] == Joint::minus ? Expression(std::move(e.children[0])) : negated(Expression(e.children[0]));
    Expression sum;
    sum.kind = Kind::add;
    sum.span = e.span;
    sum.joints = {Joint::minus};
    sum.children.push_back(std::move(e));
    return sum;
}

Expression product_of(std::vector<Expression> factors) {
    Parts parts;
    for (Expression& factor : factors) parts.push_back({std::move(factor), Joint::times});
    return product_of_factors(std::move(parts));
}

Expression quotient_of(Expression a, Expression b) {
    Parts parts = factors_of(std::move(a));
    parts.push_back({std::move(b), Joint::divided});
    return product_of_factors(std::move(parts));
}

Expression power_of(Expression base, Expression exponent) {
    Expression e;
    e.kind = Kind::power;
    e.span = join(base.span, exponent.span);
    e.children.push_back(std::move(base));
    e.children.push_back(std::move(exponent));
    return e;
}

Expression call_of(std::string name, int order, Expression argument) {
    Expression e;
    e.kind = Kind::call;
    e.name = std::move(name);
    e.order = order;
    e.span = argument.span;
    e.children.push_back(std::move(argument));
    return e;
}

Expression sum_over(std::vector<std::string> letters, Expression body) {
    Expression e;
    e.kind = Kind::reduce;
    e.name = "sum";
    e.span = body.span;
    for (std::string& letter : letters) e.letters.push_back({std::move(letter)});
    e.children.push_back(std::move(body));
    return e;
}

Expression derivative_of(Expression numerator, Expression denominator) {
    Expression e;
    e.kind = Kind::derivative;
    e.order = 1;
    e.span = numerator.span;
    e.children.push_back(std::move(numerator));
    e.children.push_back(std::move(denominator));
    return e;
}

Expression comparison_of(Expression left, std::string sign, Expression right) {
    Expression e;
    e.kind = Kind::iverson;
    e.name = std::move(sign);
    e.span = join(left.span, right.span);
    e.children.push_back(std::move(left));
    e.children.push_back(std::move(right));
    return e;
}

Expression kronecker(const std::string& a, const std::string& b) {
    return comparison_of(letter_of(a), "==", letter_of(b));
}

Expression transpose_of(Expression e) {
    Expression transpose;
    transpose.kind = Kind::transpose;
    transpose.span = e.span;
    transpose.children.push_back(std::move(e));
    return transpose;
}

Expression turned(const Expression& e) {
    if (is_call(e, "diag")) return e;
    return e.kind == Kind::transpose ? e.argument() : transpose_of(e);
}

// Where memory ends between the elements of a list in braces that stands in a choice by ? and :, GCC 12 destroys what
// it did not make: there are none.
Parts terms_of(Expression e) { return parts_of(std::move(e), Kind::add, Joint::plus); }

Parts factors_of(Expression e) { return parts_of(std::move(e), Kind::product, Joint::times); }

Expression sum_of(Expression a, Expression b, Joint joint) {
    return sum_of_terms({{std::move(a), Joint::plus}, {std::move(b), joint}});
}

Expression sum_of_terms(Parts terms) {
    if (terms.empty()) return number_of(0);
    if (terms.size() == 1 && terms[0].joint == Joint::plus) return std::move(terms[0].expression);
    return assembled(Kind::add, std::move(terms));
}

Expression product_of_factors(Parts factors) {
    if (factors.empty()) return number_of(1);
    if (factors[0].joint == Joint::divided) factors.insert(factors.begin(), {number_of(1), Joint::times});
    factors[0].joint = Joint::times;
    if (factors.size() == 1) return std::move(factors[0].expression);
    return assembled(Kind::product, std::move(factors));
}

Parts without(Parts parts, std::size_t one) {
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(one));
    return parts;
}

Expression normalized(Expression e) {
    // What stands in tr(A B) are matrices.
    if (e.kind == Kind::call && (!matrix_function(e.name).empty() || e.name == "entry")) return e;
    for (Expression& child : e.children) child = normalized(std::move(child));
    switch (e.kind) {
        case Kind::transpose:
            return Expression(std::move(e.children[0]));
        case Kind::product:
            return normalized_product(std::move(e));
        case Kind::add:
            return normalized_sum(std::move(e));
        default:
            return e;
    }
}

}  // namespace derivation
