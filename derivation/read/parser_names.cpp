// Names with their indices, functions, and reductions.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <derivation/read/parser.hpp>
#include <utility>

namespace derivation {

namespace {

bool all_digits(std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool Parser::all_letters(std::string_view word) const {
    return !word.empty() &&
           std::ranges::all_of(word, [&](char c) { return model_.letter(std::string_view(&c, 1)) >= 0; });
}

/// Whether the word is a declared name, or one with letters below it: `w_kj`.
bool Parser::is_indexed_name(std::string_view word) const {
    if (model_.has(word) || is_builtin(word)) return true;
    for (std::size_t i = word.rfind('_'); i != std::string_view::npos && i > 0; i = word.rfind('_', i - 1)) {
        const std::string_view rest = word.substr(i + 1);
        if (model_.has_quantity(word.substr(0, i)) &&
            (model_.letter(rest) >= 0 || all_letters(rest) || all_digits(rest)))
            return true;
        if (i == 0) break;
    }
    return false;
}

/// Whether the word is several names in a row: `xw` where x and w are declared and xw is not.
bool Parser::splits(std::string_view word) const {
    if (word.size() > 24 || is_indexed_name(word)) return is_indexed_name(word);
    for (std::size_t n = std::min(word.find('_'), word.size() - 1); n > 0; --n)
        if (model_.has(word.substr(0, n)) && splits(word.substr(n))) return true;
    return false;
}

/// Replaces the word that comes next by its pieces where it is several names in a row.
void Parser::split_word() {
    const Token token = peek();
    if (is_indexed_name(token.text)) return;
    // x_iw: an index is one character, as in TeX, where no longer reading has a meaning.
    if (const std::size_t below = token.text.find('_');
        below != std::string::npos && below > 0 && below + 2 < token.text.size() &&
        model_.has_quantity(token.text.substr(0, below)) && all_letters(token.text.substr(below + 1, 1)) &&
        splits(token.text.substr(below + 2))) {
        Token first = token, second = token;
        first.text = token.text.substr(0, below + 2);
        second.text = token.text.substr(below + 2);
        tokens_[at_] = first;
        tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(at_) + 1, second);
        return;
    }
    for (std::size_t n = std::min(token.text.find('_'), token.text.size() - 1); n > 0 && n < token.text.size(); --n)
        if (model_.has(token.text.substr(0, n)) && splits(token.text.substr(n))) {
            Token first = token, second = token;
            first.text = token.text.substr(0, n);
            second.text = token.text.substr(n);
            if (token.span.end - token.span.begin == token.text.size()) {
                first.span.end = token.span.begin + n;
                second.span.begin = first.span.end;
            }
            second.spaced = false;
            tokens_[at_] = first;
            tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(at_) + 1, second);
            return;
        }
}

void Parser::indices_of_word(const std::string& word, Span span, std::vector<Index>& indices) const {
    if (model_.letter(word) >= 0 || !all_letters(word)) {
        if (all_digits(word)) {
            indices.push_back({{}, std::atoi(word.c_str()), span});
        } else {
            indices.push_back({{{word, 1, -1}}, 0, span});
        }
        return;
    }
    for (const char c : word) indices.push_back({{{std::string(1, c), 1, -1}}, 0, span});
}

/// `k, t-1, 0` up to the closing bracket, which is read.
std::vector<Index> Parser::indices_until(std::string_view close) {
    std::vector<Index> indices;
    while (true) {
        Index index;
        index.span = peek().span;
        int sign = accept("-") ? -1 : 1;
        while (true) {
            const Token token = next();
            index.span = join(index.span, token.span);
            if (token.kind == TokenKind::number) {
                if (token.number != std::floor(token.number) || token.number > 1e6)
                    throw Error(token.span, "an index is a letter or a whole number");
                index.offset += sign * static_cast<int>(token.number);
            } else if (token.kind == TokenKind::word) {
                std::vector<Index> several;
                indices_of_word(token.text, token.span, several);
                if (several.size() > 1 && index.terms.empty() && index.offset == 0 && sign == 1) {
                    indices.insert(indices.end(), several.begin(), several.end() - 1);
                    index.terms = several.back().terms;
                } else {
                    for (const Index& one : several)
                        for (IndexTerm letter : one.terms) {
                            letter.sign = sign;
                            index.terms.push_back(letter);
                        }
                }
            } else {
                throw Error(token.span, fmt::format("an index should stand here, but {}", described(token)));
            }
            if (accept("+"))
                sign = 1;
            else if (accept("-"))
                sign = -1;
            else
                break;
        }
        indices.push_back(index);
        if (accept(close)) return indices;
        if (close == "}" && (peek().kind == TokenKind::word || peek().kind == TokenKind::number)) continue;
        expect(",", fmt::format("a comma or {} should follow an index", close));
    }
}

/// Reads what stands below a name, beside it in brackets, and the layer above it; returns the name.
std::string Parser::subscript(Expression& entry, std::string name, bool declares) {
    std::string layer;
    while (true) {
        if (peek().is("_") && peek(1).is("{") && entry.indices.empty()) {
            const Token inner = peek(2);
            const bool single = inner.kind != TokenKind::end && peek(3).is("}");
            const std::string longer = name + "_" + inner.text;
            const bool text =
                inner.kind == TokenKind::word && model_.letter(inner.text) < 0 && !all_letters(inner.text);
            const bool names_it = model_.has_quantity(longer) || text || (declares && inner.kind == TokenKind::number);
            if (single && names_it) {
                at_ += 3;
                name = longer;
            } else {
                at_ += 2;
                entry.indices = indices_until("}");
                continue;
            }
            entry.span = join(entry.span, next().span);
        } else if (peek().is("_") && peek(1).is("{") && peek(3).is("}") && peek(2).kind == TokenKind::word) {
            fail("this name has two subscripts");
        } else if (peek().is("layer") ||
                   (peek().is("layer?") &&
                    (declares || model_.has_quantity(name + peek().text + fmt::format("{}", peek().number)) ||
                     model_.has_quantity(name + fmt::format("{}", peek().number))))) {
            if (peek().is("layer") && !declares && !model_.has_quantity(name + fmt::format("{}", peek().number)) &&
                model_.has_quantity(name) && peek().text == "layer") {
                break;
            }
            layer = fmt::format("{}", peek().number);
            entry.span = join(entry.span, next().span);
        } else if (peek().is("[") && entry.indices.empty() && name != "1") {
            const std::size_t place = at_;
            int open = 0;
            bool compares = false;
            for (std::size_t i = at_; i < tokens_.size(); ++i) {
                if (tokens_[i].is("[")) ++open;
                if (tokens_[i].is("]") && --open == 0) break;
                for (const std::string_view symbol : {"==", "!=", "=", "<", ">", "<=", ">="})
                    compares = compares || tokens_[i].is(symbol);
            }
            if (compares && peek().spaced) break;
            if (compares) {
                at_ = place;
                break;
            }
            next();
            entry.indices = indices_until("]");
            entry.span = join(entry.span, tokens_[at_ - 1].span);
        } else {
            break;
        }
    }
    return name + layer;
}

Expression Parser::name(bool declares) {
    if (peek().kind != TokenKind::word) fail(fmt::format("a name should stand here, but {}", described(peek())));
    if (!declares) split_word();
    const Token token = next();
    Expression entry;
    entry.kind = Kind::entry;
    entry.span = token.span;
    std::string base = token.text;
    if (!model_.has(base) || declares) {
        for (std::size_t i = base.rfind('_'); i != std::string::npos && i > 0; i = base.rfind('_', i - 1)) {
            const std::string rest = base.substr(i + 1);
            const bool letters = model_.letter(rest) >= 0 || all_letters(rest);
            const bool fits = letters || (all_digits(rest) && !declares && model_.has_quantity(base.substr(0, i)));
            if (fits && (model_.has_quantity(base.substr(0, i)) || base.find('_') == i)) {
                std::vector<Index> indices;
                const auto named = model_.quantities_named(base.substr(0, i));
                const bool digit_each = all_digits(rest) && rest.size() > 1 && !named.empty() &&
                                        model_.quantity(named[0]).ranges.size() == rest.size();
                if (digit_each)
                    for (const char c : rest) indices.push_back({{}, c - '0', token.span});
                else
                    indices_of_word(rest, token.span, indices);
                entry.indices = indices;
                base = base.substr(0, i);
                break;
            }
        }
    }
    while (peek().is("'") && !peek().spaced) {
        base += "'";
        entry.span = join(entry.span, next().span);
    }
    entry.name = subscript(entry, base, declares);
    return entry;
}

Expression Parser::word() {
    split_word();
    const Token token = peek();
    const std::string& text = token.text;
    if (const int letter = model_.letter(text); letter >= 0 && !model_.has(text)) {
        next();
        Expression e;
        e.kind = Kind::letter;
        e.name = text;
        e.span = token.span;
        e.letters = {{text, 1, -1}};
        return e;
    }
    if (!model_.has_quantity(text)) {
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
        if (text == "sigma" && model_.function(text) < 0 &&
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
    if (model_.function(text) >= 0 || is_builtin(text)) {
        next();
        return call(token, text == "ln" ? "log" : text);
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
        } else if (model_.letter(letter.text) >= 0 && (peek(1).is("!=") || peek(1).is("==") || peek(1).is("<") ||
                                                       peek(1).is(">") || peek(1).is("<=") || peek(1).is(">="))) {
            ++comparisons_;
            condition = comparison();
            --comparisons_;
            expect(",", "a comma should follow the condition");
        } else {
            break;
        }
        if (model_.letter(letter.text) < 0 && all_letters(letter.text)) {
            for (const char c : letter.text) e.letters.push_back({std::string(1, c), 1, -1});
        } else {
            e.letters.push_back({letter.text, 1, -1});
        }
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
        if (model_.letter(letter.text) < 0 && all_letters(letter.text))
            for (const char c : letter.text) e.letters.push_back({std::string(1, c), 1, -1});
        else
            e.letters.push_back({letter.text, 1, -1});
        accept(",");
    }
    if (accept("^")) {
        const Token end = peek();
        if (accept("{")) {
            const Token inner = peek();
            if (inner.kind == TokenKind::word && model_.letter(inner.text) >= 0)
                throw Error(inner.span, fmt::format("a sum up to the letter {} is not read: sum over the whole range, "
                                                    "with a factor such as [{} <= {}]",
                                                    inner.text, e.letters[0].name, inner.text));
            int open = 1;
            while (open > 0) {
                if (at_end()) fail("the end of the sum is never closed");
                const Token token = next();
                open += token.is("{") ? 1 : token.is("}") ? -1 : 0;
            }
        } else {
            if (end.kind == TokenKind::word && model_.letter(end.text) >= 0)
                throw Error(end.span, fmt::format("a sum up to the letter {} is not read: sum over the whole range, "
                                                  "with a factor such as [{} <= {}]",
                                                  end.text, e.letters[0].name, end.text));
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
    std::vector<Part> terms;
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
