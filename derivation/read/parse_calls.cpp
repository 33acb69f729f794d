// How the parser reads words, calls, reductions and conditions.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <derivation/formula/elementary.hpp>
#include <derivation/read/parser.hpp>
#include <limits>
#include <utility>

namespace derivation {

Expression Parser::word() {
    split_word();
    const Token token = peek();
    const std::string& text = token.text;
    if (model_.is_letter(text) && !model_.has(text)) {
        next();
        Expression e = letter_of(token.text);
        e.span = token.span;
        return e;
    }
    if (!model_.is_quantity(text)) {
        for (const std::string_view big : {"sum_", "prod_", "Sigma_"})
            if (text.starts_with(big) && text.size() > big.size()) {
                Token letters = token;
                letters.text = text.substr(big.size());
                Token below = token, open = token, close = token;
                below.kind = open.kind = close.kind = TokenKind::symbol;
                below.text = "_";
                open.text = "{";
                close.text = "}";
                tokens_[at_] = below;
                tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(at_) + 1, {open, letters, close});
                return big_reduction(big == "prod_" ? "prod" : "sum");
            }
        if ((text == "Sigma" || text == "sum" || text == "prod") && peek(1).is("_")) {
            next();
            return big_reduction(text == "prod" ? "prod" : "sum");
        }
        if (text == "sigma" && !model_.is_function(text) &&
            (peek(1).is("(") || peek(1).is("'") || peek(1).is("{") || peek(1).kind == TokenKind::word)) {
            next();
            return call(token, "sigmoid");
        }
    }
    for (const std::string_view reduces : {"sum", "prod", "mean", "max", "min"})
        if (text == reduces) {
            next();
            return reduction(token);
        }
    if (model_.is_function(text) || is_builtin(text)) {
        next();
        const Elementary* elementary = find_elementary(text);
        return call(token, elementary != nullptr ? std::string(elementary->name) : text);
    }
    if (text[0] == 'd' && text.size() > 1 && !is_indexed_name(text) && is_indexed_name(text.substr(1)) &&
        !is_builtin(text.substr(1)) && !splits(text))
        throw Error(token.span, fmt::format("differentials are not read: divide by what is varied, as in {}/dx", text));
    if (text == "new" && peek(1).is("(")) {
        next();
        next();
        Expression e = name(false);
        e.order = 1;
        e.span = join(token.span, peek().span);
        expect(")", "new(...) takes the name of a parameter");
        return e;
    }
    return name(false);
}

Expression Parser::call(const Token& head, std::string function) {
    Expression e;
    e.kind = Kind::call;
    e.name = std::move(function);
    e.span = head.span;
    while (accept("'")) ++e.order;
    if (accept("(")) {
        do e.children.push_back(expression());
        while (accept(","));
        e.span = join(e.span, peek().span);
        expect(")", "a closing ) is missing");
    } else if (starts_factor()) {
        e.children.push_back(power());
        e.span = join(e.span, e.children[0].span);
    } else {
        fail(fmt::format("the function {} takes something in brackets", e.name));
    }
    return e;
}

/// Adds the letters that a reduction runs over: `kn` are two where it is no letter itself.
void Parser::bind_letters(Expression& reduction, const std::string& word) const {
    if (model_.is_letter(word) || !all_letters(word)) {
        reduction.letters.push_back({word});
        return;
    }
    for (const char c : word) reduction.letters.push_back({std::string(1, c)});
}

/// sum(k, E), sum(k, n, E), sum(k != j, E), max(a, b), sum(E)
Expression Parser::reduction(const Token& head) {
    Expression e;
    e.kind = Kind::reduce;
    e.name = head.text;
    e.span = head.span;
    if (!peek().is("(")) {
        if (peek().is("_")) return big_reduction(head.text);
        if (!starts_factor()) fail(fmt::format("{} takes something in brackets", head.text));
        e.children.push_back(power());
        return e;
    }
    next();
    std::optional<Expression> condition;
    while (peek().kind == TokenKind::word && !model_.has(peek().text)) {
        const Token letter = peek();
        if (peek(1).is(",")) {
            at_ += 2;
        } else if (model_.is_letter(letter.text) && (peek(1).is("!=") || peek(1).is("==") || peek(1).is("<") ||
                                                     peek(1).is(">") || peek(1).is("<=") || peek(1).is(">="))) {
            ++comparisons_;
            condition = comparison();
            --comparisons_;
            expect(",", "a comma should follow the condition");
        } else {
            break;
        }
        bind_letters(e, letter.text);
    }
    e.children.push_back(expression());
    if (e.letters.empty() && peek().is(",") && (e.name == "max" || e.name == "min")) {
        e.kind = Kind::call;
        while (accept(",")) e.children.push_back(expression());
    }
    if (condition) e.children.push_back(std::move(*condition));
    e.span = join(e.span, peek().span);
    expect(")", "a closing ) is missing");
    return e;
}

/// \sum_k, \sum_{k=1}^{K}, \sum_{k \ne j}: reaches as far as the product that it stands before.
Expression Parser::big_reduction(std::string name) {
    Expression e;
    e.kind = Kind::reduce;
    e.name = std::move(name);
    e.span = tokens_[at_ > 0 ? at_ - 1 : 0].span;
    std::optional<Expression> condition;
    if (!accept("_")) {
        if (accept("^")) fail("the letter of the sum should stand below it");
        fail("a sum names its letter: \\sum_k, or sum(k, ...)");
    }
    expect("{", "the letter of the sum should stand here");
    while (!accept("}")) {
        const Token letter = peek();
        if (letter.kind != TokenKind::word) fail("the letter of the sum should stand here");
        if (peek(1).is("!=") || peek(1).is("<") || peek(1).is(">") || peek(1).is("<=") || peek(1).is(">=")) {
            ++comparisons_;
            condition = comparison();
            --comparisons_;
        } else {
            next();
            if (accept("=")) {
                const Token from = next();
                if (from.kind != TokenKind::number)
                    throw Error(from.span,
                                "a sum runs over the whole range of its letter: write [k > j] for a part of it");
            }
        }
        bind_letters(e, letter.text);
        accept(",");
    }
    const auto refuse_letter = [&](const Token& end) {
        if (end.kind == TokenKind::word && model_.is_letter(end.text))
            throw Error(end.span, fmt::format("a sum up to the letter {} is not read: sum over the whole range, "
                                              "with a factor such as [{} <= {}]",
                                              end.text, e.letters[0].name, end.text));
    };
    if (accept("^")) {
        const Token end = peek();
        if (accept("{")) {
            const Token inner = peek();
            refuse_letter(inner);
            int open = 1;
            while (open > 0) {
                if (at_end()) fail("the end of the sum is never closed");
                const Token token = next();
                open += token.is("{") ? 1 : token.is("}") ? -1 : 0;
            }
        } else {
            refuse_letter(end);
            next();
        }
    }
    e.children.push_back(term());
    if (condition) e.children.push_back(std::move(*condition));
    e.span = join(e.span, e.children[0].span);
    return e;
}

Expression Parser::comparison() {
    Expression e;
    e.kind = Kind::iverson;
    e.children.push_back(expression());
    for (const std::string_view symbol : {"==", "!=", "<=", ">=", "<", ">", "="})
        if (e.name.empty() && accept(symbol)) e.name = symbol == "=" ? "==" : symbol;
    if (e.name.empty()) fail("a comparison such as k == n should stand here");
    e.children.push_back(expression());
    e.span = join(e.children[0].span, e.children[1].span);
    return e;
}

Expression Parser::iverson(std::string_view close) {
    const Span begin = tokens_[at_ - 1].span;
    ++comparisons_;
    Expression e = comparison();
    --comparisons_;
    e.span = join(begin, peek().span);
    expect(close, "the condition should end here");
    return e;
}

Expression Parser::cases() {
    const Span begin = next().span;
    Parts terms;
    std::vector<Expression> conditions;
    while (!accept("endcases")) {
        Expression value = expression();
        accept(",");
        accept("&");
        accept_word("if");
        Expression condition;
        if (accept_word("otherwise") || accept_word("else") || accept_word("sonst")) {
            condition = number_of(1);
            for (const Expression& earlier : conditions)
                condition = sum_of_terms({{condition, Joint::plus}, {earlier, Joint::minus}});
        } else {
            const bool bracket = accept("[");
            condition = comparison();
            if (bracket) expect("]", "the condition should end here");
            conditions.push_back(condition);
        }
        terms.push_back({product_of({condition, value}), Joint::plus});
        accept(".");
        if (!accept("newline") && !peek().is("endcases")) fail("a row of cases should end here");
    }
    if (terms.empty()) throw Error(begin, "the cases have no rows");
    Expression e = sum_of_terms(terms);
    e.span = join(begin, e.span);
    return e;
}

Expression Parser::norm() {
    Expression e;
    e.kind = Kind::norm;
    e.span = next().span;
    ++norms_;
    e.children.push_back(expression());
    --norms_;
    e.span = join(e.span, peek().span);
    expect("||", "a closing || is missing");
    if (accept("_")) {
        expect("{", "a subscript");
        while (!at_end() && !accept("}")) next();
    }
    if (!peek().is("^")) throw Error(e.span, "the norm is read as a square only: ||x||^2; else write sqrt(||x||^2)");
    return e;
}

}  // namespace derivation
