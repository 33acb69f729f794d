// How the parser reads derivatives: dA/dB, second ones, what is held fixed, and gradients written with a nabla.
#include <fmt/format.h>

#include <cmath>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/read/parser.hpp>
#include <derivation/resolve/dependence.hpp>
#include <utility>

namespace derivation {

bool Parser::is_differential() const {
    const Token& token = peek();
    return token.is("partial") || (token.kind == TokenKind::word && token.text[0] == 'd');
}

/// Whether what stands below or above here makes an operator of the ∂ before it: ∂_x f, ∂_x^2 f.
bool Parser::is_operator(std::size_t ahead) const {
    if (peek(ahead).is("_")) return true;
    if (!peek(ahead).is("^")) return false;
    return peek(ahead + 2).is("_") || (peek(ahead + 1).is("{") && peek(ahead + 4).is("_"));
}

/// Reads `^2`; 1 where there is none.
int Parser::order_of_derivative() {
    if (!accept("^")) return 1;
    const bool brace = accept("{");
    const Token order = next();
    if (order.kind != TokenKind::number || order.number < 1 || order.number > 4 ||
        order.number != std::floor(order.number))
        throw Error(order.span, "the order of a derivative is a small whole number");
    if (brace) expect("}", "a closing brace is missing");
    return static_cast<int>(order.number);
}

/// Reads ∂, d or d2, and leaves what it stands before; returns the order.
int Parser::differential_head() {
    const Token token = peek();
    if (token.is("partial") || token.is_word("d")) {
        next();
        return order_of_derivative();
    }
    if (token.kind != TokenKind::word || token.text[0] != 'd') fail("a differential should stand here");
    const std::size_t skip = token.text.size() > 1 && token.text[1] == '2' ? 2 : 1;
    if (token.text.size() == skip) {
        next();
    } else {
        Token& rest = tokens_[at_];
        rest.text = token.text.substr(skip);
        if (rest.text[0] >= '0' && rest.text[0] <= '9') fail("a differential should stand here");
        if (rest.span.end - rest.span.begin > skip) rest.span.begin += skip;
    }
    return static_cast<int>(skip);
}

void Parser::held_fixed(Expression& e) {
    if (!peek().is("|")) return;
    next();
    const bool below = accept("_");
    const bool braces = accept("{");
    const bool brackets = accept("(");
    if (peek().kind == TokenKind::word)
        for (std::size_t i = 1; i < 8 && !peek(i).is("}") && !peek(i).is(")"); ++i)
            if (peek(i).is("="))
                throw IllFormed(
                    peek().span,
                    "a derivative at a point is not read: `at u = 0` above gives the numbers, and a claim with ~ "
                    "its value there");
    if (!below && !brackets) fail("what is held fixed stands in brackets: |(mu, var)");
    do e.children.push_back(name(false));
    while (accept(","));
    if (brackets) expect(")", "a closing ) is missing");
    if (braces) expect("}", "a closing brace is missing");
    e.span = join(e.span, tokens_[at_ - 1].span);
}

/// What an operator stands before: d/dw of c w^2 is that of the product whose factors stand side by side. Where another
/// reading is possible, brackets have to say it.
Expression Parser::operand_of_derivative() {
    const auto is_sign = [&] {
        for (const std::string_view symbol : {"*", "dot", "elementwise", "@", "outer"})
            if (peek().is(symbol)) return true;
        return peek().is("/") && peek(1).kind != TokenKind::number;
    };
    const std::string brackets =
        "brackets should say here how much is differentiated: \\frac{d}{dw} \\left( ... \\right)";
    const Span begin = peek().span;
    if (peek().is("(") || peek().is("{")) {
        Expression bracket = peek().is("{") ? group("{", "}") : postfix();
        const bool is_doubtful = peek().is("(") || peek().is("{");
        if (peek().is("^")) {  // (w - c)^2
            next();
            bracket = power_of(std::move(bracket), peek().is("{") ? group("{", "}") : power());
            bracket.span = join(begin, tokens_[at_ - 1].span);
            if (starts_factor()) throw IllFormed(peek().span, brackets);
        }
        if (is_doubtful) throw IllFormed(peek().span, brackets);
        return bracket;
    }
    Parts factors;
    factors.push_back({power(), Joint::times});
    const auto is_number = [](const Part& part) { return value_of_numbers(part.expression).has_value(); };
    while (starts_factor() || is_sign()) {
        // 3 \cdot w^2 has one reading.
        const bool goes_on =
            starts_factor() || (std::ranges::all_of(factors, is_number) && (accept("*") || accept("dot")));
        if (!goes_on) throw IllFormed(peek().span, brackets);
        factors.push_back({power(), Joint::juxtaposed});
        if (has_derivative(factors.back().expression)) throw IllFormed(factors.back().expression.span, brackets);
    }
    if (factors.size() == 1) return std::move(factors[0].expression);
    Expression e = product_of_factors(factors);
    e.span = join(begin, e.span);
    return e;
}

Expression Parser::differentiate() {
    const Span begin = peek().span;
    const bool is_fraction = accept("frac");
    if (is_fraction) expect("{", "a numerator");
    Expression e;
    e.kind = Kind::derivative;
    e.order = differential_head();
    std::optional<Expression> numerator;
    if (is_fraction) {
        if (!peek().is("}")) numerator = expression();
        expect("}", "the numerator should end here");
        expect("{", "a denominator");
    } else {
        if (!peek().is("/")) numerator = postfix();
        expect("/", "a derivative has a denominator");
    }
    const bool brackets = !is_fraction && accept("(");
    std::vector<Expression> by;
    do {
        const int times_before = differential_head();
        if (times_before != 1) fail("a differential should stand here");
        const bool inner = accept("("), braced = !inner && accept("{");
        Expression entry = name(false);
        if (inner) expect(")", "a closing ) is missing");
        if (braced) expect("}", "a closing brace is missing");
        if (is_fraction && e.order == 1 && peek().is("^"))
            throw IllFormed(
                peek().span,
                fmt::format("a derivative is taken by a name: for one by a power, let v be what is given, and {} a "
                            "root of it",
                            to_text(entry)));
        if (e.order > 1) accept("transpose");  // dz dz^T, which says no more than dz dz
        int times = e.order > 1 ? order_of_derivative() : 1;
        while (times-- > 0) by.push_back(entry);
        e.span = join(begin, tokens_[at_ - 1].span);
    } while (((brackets && !peek().is(")")) || (is_fraction && !peek().is("}"))) && is_differential());
    if (brackets) {
        e.span = join(e.span, peek().span);
        expect(")", "a closing ) is missing");
    }
    if (is_fraction) expect("}", "the denominator should end here");
    if (static_cast<int>(by.size()) != e.order)
        throw Error(e.span, fmt::format("a derivative of order {} is taken by {} entries here", e.order, by.size()));
    if (!numerator) {
        numerator = operand_of_derivative();
        e.span = join(e.span, numerator->span);
    }
    e.children.push_back(std::move(*numerator));
    for (Expression& entry : by) e.children.push_back(std::move(entry));
    held_fixed(e);
    return e;
}

std::vector<std::string> Parser::differentials() {
    if (model_.has("d")) return {};  // dA is d times A then
    const auto is_typed = [&](const Token& token) {
        return token.kind == TokenKind::word && token.text[0] == 'd' && !model_.is_letter(token.text) &&
               (!model_.has(token.text) || model_.is_direction(token.text));
    };
    // What is varied, of dX and dx_i; empty where it is no name.
    const auto varied = [&](const Token& token) -> std::string {
        if (!is_typed(token) || token.text.size() < 2) return {};
        const std::string rest = token.text.substr(1);
        if (model_.is_quantity(rest)) return rest;
        const std::string base = rest.substr(0, rest.rfind('_'));
        return base.size() < rest.size() && model_.is_quantity(base) ? base : std::string();
    };
    const Token& head = peek();
    if (!is_typed(head)) return {};
    if (head.text.size() > 1 && varied(head).empty() && matrix_function(head.text.substr(1)).empty()) return {};
    std::size_t equals = at_;
    for (int open = 0; equals < tokens_.size(); ++equals) {
        const Token& token = tokens_[equals];
        open += token.is("(") || token.is("{") || token.is("[") ? 1 : 0;
        open -= token.is(")") || token.is("}") || token.is("]") ? 1 : 0;
        if (open == 0 && token.is("/")) return {};
        if (open == 0 && (token.is("=") || token.is("=="))) break;
    }
    std::vector<std::string> names;
    std::vector<Token> tokens(tokens_.begin(),
                              tokens_.begin() + static_cast<std::ptrdiff_t>(std::min(equals, tokens_.size())));
    for (std::size_t i = equals; i < tokens_.size(); ++i) {
        Token token = tokens_[i];
        const bool divides = i > 0 && (tokens_[i - 1].is("/") || tokens_[i - 1].is("partial"));
        if (token.is_word("d") && !model_.has("d") && !divides && i + 1 < tokens_.size() &&
            tokens_[i + 1].kind == TokenKind::word && model_.is_quantity(tokens_[i + 1].text)) {
            token.text += tokens_[++i].text;
            token.span = join(token.span, tokens_[i].span);
        }
        const bool is_numerator = i + 1 < tokens_.size() && tokens_[i + 1].is("/") && i + 2 < tokens_.size() &&
                                  !varied(tokens_[i + 2]).empty();
        const std::string name = divides || is_numerator ? std::string() : varied(token);
        if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
        tokens.push_back(std::move(token));
    }
    if (names.empty()) return {};
    tokens_ = std::move(tokens);
    if (tokens_[at_].text.size() == 1)
        next();
    else
        tokens_[at_].text.erase(0, 1);
    return names;
}

/// A derivative where one stands here; nothing, and no step forward, where not.
std::optional<Expression> Parser::derivative() {
    const std::size_t place = at_;
    const bool is_fraction = peek().is("frac");
    const Token& head = is_fraction ? peek(2) : peek();
    const bool certain = head.is("partial");
    if (!is_fraction && certain && is_operator(1)) return {};
    if (!certain && !(head.kind == TokenKind::word && head.text[0] == 'd')) return {};
    std::vector<Token> tokens = tokens_;
    const int depth = depth_, norms = norms_, comparisons = comparisons_, absolutes = absolutes_,
              logarithms = logarithms_, whole_sums = whole_sums_;
    const auto known = [&](const Expression& e) { return e.kind != Kind::entry || model_.is_quantity(e.name); };
    try {
        const std::string typed = head.text;
        Expression e = differentiate();
        const bool declared = known(e.numerator()) && known(e.denominator());
        const bool is_name = model_.has(typed) || is_indexed_name(typed);
        if (certain || declared || !is_name) return e;
    } catch (const IllFormed&) {
        throw;  // it is a derivative, of what has to be said
    } catch (const Error&) {
        if (certain && is_fraction) throw;
    }
    tokens_ = std::move(tokens);
    at_ = place;
    depth_ = depth;
    norms_ = norms;
    comparisons_ = comparisons;
    absolutes_ = absolutes;
    logarithms_ = logarithms;
    whole_sums_ = whole_sums;
    return {};
}

/// A gradient, or with `^2` the matrix of second derivatives; a derivative as ∂_x f.
Expression Parser::nabla() {
    const bool is_partial = peek().is("partial");
    const Span begin = next().span;
    int order = order_of_derivative();
    std::optional<Expression> by;
    std::vector<Expression> others;  ///< y of ∂_{xy} f
    // ∇w E, where w and something behind it are names.
    const bool is_beside = !is_partial && peek().kind == TokenKind::word && model_.is_quantity(peek().text) &&
                           ((peek(1).kind == TokenKind::word && !peek(1).is_word("on")) || peek(1).is("("));
    if (is_beside) {
        by = name(false);
    } else if (accept("_")) {
        expect("{", "the gradient names what it is taken by: \\nabla_W C");
        by = name(false);
        while (is_partial && !peek().is("}")) {
            accept(",");
            others.push_back(name(false));
        }
        expect("}", "a closing brace is missing");
        if (order == 1) order = order_of_derivative();
        if (order > 1 && !others.empty())
            fail("a derivative by several names is taken once by each: \\frac{\\partial^2 f}{\\partial x \\partial y}");
    }
    // Of a name it is the name's alone: \nabla_z C \odot f'(z).
    Expression of =
        peek().kind == TokenKind::word && model_.is_quantity(peek().text) ? postfix() : operand_of_derivative();
    // \partial_u h v is no more one thing than the other.
    const auto begins_derivative = [&](std::size_t ahead) {
        return peek(ahead).is("partial") || (peek(ahead).is("frac") && peek(ahead + 2).is("partial"));
    };
    if (is_partial && of.kind == Kind::entry && starts_factor() && !begins_derivative(0))
        throw IllFormed(peek().span,
                        "brackets should say here how much is differentiated: (\\partial_x f) g, or \\partial_x (f g)");
    // ∇ L(θ) is no gradient by L.
    if (is_beside && !any_part(of, [&](const Expression& part) {
            if (part.kind != Kind::entry) return false;
            const std::vector<int> above = model_.quantities_named(part.name),
                                   below = model_.quantities_named(by->name);
            return std::ranges::any_of(above, [&](int a) {
                return std::ranges::any_of(below, [&](int b) { return a == b || depends_on(model_, a, b); });
            });
        }))
        throw Error(
            join(begin, of.span),
            fmt::format("what stands behind {} does not depend on it: the gradient names what it is taken by, as in "
                        "\\nabla_W C",
                        by->name));
    if (!by) {
        // ∇E, where there is one parameter.
        std::vector<int> parameters;
        const std::vector<int> named = model_.quantities_named(of.kind == Kind::entry ? of.name : "");
        for (int q = 0; q < model_.count() && named.size() == 1; ++q)
            if (model_.quantity(q).role == Role::given && depends_on(model_, named[0], q)) parameters.push_back(q);
        if (parameters.size() != 1)
            throw Error(join(begin, of.span), "the gradient names what it is taken by: \\nabla_W C");
        by = entry_of(model_.quantity(parameters[0]).name, {});
        by->span = begin;
    }
    Expression e = derivative_of(std::move(of), *by);
    e.order = order;
    for (int more = 1; more < order; ++more) e.children.push_back(*by);
    for (Expression& other : others) e.children.push_back(std::move(other));
    e.order += static_cast<int>(others.size());
    e.span = join(begin, e.numerator().span);
    return e;
}

}  // namespace derivation
