#include <derivation/formula/tree.hpp>

#include <algorithm>
#include <utility>

namespace derivation {

namespace {

bool same(const std::vector<IndexTerm>& a, const std::vector<IndexTerm>& b) {
    return std::ranges::equal(
        a, b, [](const IndexTerm& x, const IndexTerm& y) { return x.name == y.name && x.sign == y.sign; });
}

}  // namespace

bool same(const Expression& a, const Expression& b) {
    return a.kind == b.kind && a.order == b.order && a.joints == b.joints && a.local == b.local &&
           (a.kind == Kind::number ? a.number == b.number : a.name == b.name) && same(a.letters, b.letters) &&
           std::ranges::equal(
               a.indices, b.indices,
               [](const Index& x, const Index& y) { return x.offset == y.offset && same(x.terms, y.terms); }) &&
           std::ranges::equal(a.children, b.children,
                              [](const Expression& x, const Expression& y) { return same(x, y); });
}

Expression normalized(Expression e) {
    for (Expression& child : e.children) child = normalized(std::move(child));
    if (e.kind == Kind::transpose) return std::move(e.children[0]);
    const auto is_negated = [](const Expression& x) {
        return x.kind == Kind::add && x.children.size() == 1 && x.joints[0] == Joint::minus;
    };
    if (e.kind == Kind::product) {
        std::vector<Part> parts;
        bool negative = false;
        const Span span = e.span;
        for (std::size_t i = 0; i < e.children.size(); ++i) {
            const Joint joint = e.joints[i] == Joint::divided ? Joint::divided : Joint::times;
            Expression child = std::move(e.children[i]);
            if (is_negated(child)) {
                negative = !negative;
                child = Expression(std::move(child.children[0]));
            }
            if (child.kind == Kind::product && joint == Joint::times) {
                for (Part& part : factors_of(child)) parts.push_back(std::move(part));
            } else {
                parts.push_back({std::move(child), joint});
            }
        }
        Expression product = product_of_factors(parts);
        product.span = span;
        return negative ? negated(std::move(product)) : product;
    }
    if (e.kind == Kind::add) {
        std::vector<Part> parts;
        const Span span = e.span;
        for (std::size_t i = 0; i < e.children.size(); ++i) {
            Expression child = std::move(e.children[i]);
            const bool minus = e.joints[i] == Joint::minus;
            if (is_negated(child)) {
                parts.push_back({Expression(std::move(child.children[0])), minus ? Joint::plus : Joint::minus});
            } else if (child.kind == Kind::add && !minus) {
                for (Part& part : terms_of(child)) parts.push_back(std::move(part));
            } else {
                parts.push_back({std::move(child), e.joints[i]});
            }
        }
        Expression sum = sum_of_terms(parts);
        sum.span = span;
        return sum;
    }
    return e;
}

void substitute(Expression& e, int letter, int replacement, const std::string& name) {
    const auto replace = [&](IndexTerm& term) {
        if (term.letter != letter) return;
        term.letter = replacement;
        term.name = name;
    };
    for (Index& index : e.indices) std::ranges::for_each(index.terms, replace);
    std::ranges::for_each(e.letters, replace);
    for (Expression& child : e.children) substitute(child, letter, replacement, name);
}

Expression number_of(double value) {
    Expression e;
    e.number = value;
    return e;
}

Expression letter_entry(std::string name, std::vector<std::string> letters) {
    Expression e;
    e.kind = Kind::entry;
    e.name = std::move(name);
    for (std::string& letter : letters) e.indices.push_back({{{std::move(letter), 1, -1}}, 0, {}});
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
    std::vector<Part> parts;
    for (Expression& factor : factors) parts.push_back({std::move(factor), Joint::times});
    return product_of_factors(parts);
}

Expression quotient_of(Expression a, Expression b) {
    std::vector<Part> parts = factors_of(a);
    parts.push_back({std::move(b), Joint::divided});
    Expression e = product_of_factors(parts);
    return e;
}

Expression sum_over(std::vector<std::string> letters, Expression body) {
    Expression e;
    e.kind = Kind::reduce;
    e.name = "sum";
    e.span = body.span;
    for (std::string& letter : letters) e.letters.push_back({std::move(letter), 1, -1});
    e.children.push_back(std::move(body));
    return e;
}

std::vector<Part> terms_of(const Expression& e) {
    if (e.kind != Kind::add) return {{e, Joint::plus}};
    std::vector<Part> parts;
    for (std::size_t i = 0; i < e.children.size(); ++i) parts.push_back({e.children[i], e.joints[i]});
    return parts;
}

std::vector<Part> factors_of(const Expression& e) {
    if (e.kind != Kind::product) return {{e, Joint::times}};
    std::vector<Part> parts;
    for (std::size_t i = 0; i < e.children.size(); ++i) parts.push_back({e.children[i], e.joints[i]});
    return parts;
}

namespace {

Expression assemble(Kind kind, const std::vector<Part>& parts) {
    Expression e;
    e.kind = kind;
    e.span = parts.front().expression.span;
    for (const Part& part : parts) {
        e.children.push_back(part.expression);
        e.joints.push_back(part.joint);
        e.span = join(e.span, part.expression.span);
    }
    return e;
}

}  // namespace

Expression sum_of_terms(const std::vector<Part>& terms) {
    if (terms.empty()) return number_of(0);
    if (terms.size() == 1 && terms[0].joint == Joint::plus) return terms[0].expression;
    return assemble(Kind::add, terms);
}

Expression product_of_factors(const std::vector<Part>& factors) {
    std::vector<Part> parts = factors;
    if (parts.empty()) return number_of(1);
    if (parts[0].joint == Joint::divided) parts.insert(parts.begin(), {number_of(1), Joint::times});
    parts[0].joint = Joint::times;
    if (parts.size() == 1) return parts[0].expression;
    return assemble(Kind::product, parts);
}

}  // namespace derivation
