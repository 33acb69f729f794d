// How the parser reads sums, products, means and extremes over letters, and their bounds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <derivation/read/parser.hpp>
#include <utility>

namespace derivation {

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
        ++whole_sums_;
        e.children.push_back(power());
        --whole_sums_;
        return e;
    }
    next();
    std::vector<Expression> conditions;
    while (peek().kind == TokenKind::word && !model_.has(peek().text)) {
        const Token letter = peek();
        if (peek(1).is(",")) {
            at_ += 2;
        } else if (model_.is_letter(letter.text) && (peek(1).is("!=") || peek(1).is("==") || peek(1).is("<") ||
                                                     peek(1).is(">") || peek(1).is("<=") || peek(1).is(">="))) {
            ++comparisons_;
            conditions.push_back(comparison());
            --comparisons_;
            expect(",", "a comma should follow the condition");
        } else {
            break;
        }
        bind_letters(e, letter.text);
    }
    const bool is_whole = e.letters.empty();
    whole_sums_ += is_whole ? 1 : 0;
    e.children.push_back(expression());
    whole_sums_ -= is_whole ? 1 : 0;
    // sum(X, axis=0)
    if (e.letters.empty() && peek().is(",") && (peek(1).is_word("axis") || peek(1).is_word("dim")) && peek(2).is("=")) {
        at_ += 3;
        const int sign = accept("-") ? -1 : 1;
        const Token axis = next();
        if (axis.kind != TokenKind::number) throw Error(axis.span, "the number of an axis should stand here");
        const int number = sign * static_cast<int>(axis.number);
        e.order = number < 0 ? number : number + 1;
        bool keeps = false;
        while (peek().is(",") && peek(2).is("=")) {
            next();
            keepdims(keeps);
        }
        e.span = join(e.span, peek().span);
        expect(")", "a closing ) is missing");
        return keeps ? with_kept_axis(std::move(e), number, e.span) : e;
    }
    if (e.letters.empty() && peek().is(",") && (e.name == "max" || e.name == "min")) {
        e.kind = Kind::call;
        while (accept(",")) e.children.push_back(expression());
    }
    restrict_to(e, std::move(conditions));
    e.span = join(e.span, peek().span);
    expect(")", "a closing ) is missing");
    return e;
}

/// Of several conditions one stands beside the body, the others in it: as factors, and of a product what lies outside
/// is 1.
void Parser::restrict_to(Expression& reduction, std::vector<Expression> conditions) {
    for (; conditions.size() > 1; conditions.pop_back()) {
        const Expression& condition = conditions.back();
        if (reduction.name != "sum" && reduction.name != "prod")
            throw Error(condition.span, "several conditions are read of sums and products alone");
        Expression taken = product_of({condition, reduction.body()});
        if (reduction.name == "prod") {
            const Parts with_others = {{taken, Joint::plus}, {number_of(1), Joint::plus}, {condition, Joint::minus}};
            taken = sum_of_terms(with_others);
        }
        reduction.body() = std::move(taken);
    }
    if (!conditions.empty()) reduction.children.push_back(std::move(conditions[0]));
}

/// What stands below or above a sum: a number, a letter, or the name of a size, each with a number added.
struct Parser::Bound {
    enum class Kind { number, letter, size } kind = Kind::size;
    int number = 0;    ///< added to the letter or the size
    std::string name;  ///< of the letter or the size
    Span span;
};

/// The tokens of a bound: those up to the end of its braces or to a comma, or one.
std::vector<Token> Parser::bound_tokens(bool in_braces) {
    std::vector<Token> tokens;
    for (int open = 0; !at_end();) {
        if (in_braces && open == 0 && (peek().is("}") || peek().is(","))) break;
        open += peek().is("{") ? 1 : peek().is("}") ? -1 : 0;
        tokens.push_back(next());
        if (!in_braces) break;
    }
    if (at_end() || tokens.empty()) fail("a bound of the sum should stand here");
    return tokens;
}

/// Nothing in a bound may be skipped: a wrong sum would be taken for a right one.
Parser::Bound Parser::bound_of(const std::vector<Token>& tokens) const {
    Bound bound;
    bound.span = join(tokens.front().span, tokens.back().span);
    const auto refuse = [&] {
        throw Error(bound.span,
                    "the bound of a sum is a whole number, a letter or the name of a size, with a number added");
    };
    const auto whole = [&](double number) {
        if (!(std::abs(number) < 1e9) || number != std::floor(number)) refuse();
        return static_cast<int>(number);
    };
    std::size_t n = tokens.size();
    if (n > 1 && (tokens[n - 2].is("-") || tokens[n - 2].is("+")) && tokens[n - 1].kind == TokenKind::number) {
        bound.number = whole(tokens[n - 2].is("-") ? -tokens[n - 1].number : tokens[n - 1].number);
        n -= 2;
    }
    if (n == 0) {
        bound.kind = Bound::Kind::number;
        return bound;
    }
    if (n == 1 && tokens[0].kind == TokenKind::number) {
        bound.kind = Bound::Kind::number;
        bound.number += whole(tokens[0].number);
        return bound;
    }
    // N, n_{in}, n^{(1)}, |D|
    const bool is_word = tokens[0].kind == TokenKind::word;
    const bool has_subscript = n > 3 && tokens[1].is("_") && tokens[2].is("{") && tokens[n - 1].is("}");
    const bool is_of_set = n == 3 && tokens[0].is("|") && tokens[1].kind == TokenKind::word && tokens[2].is("|");
    if (!(is_word && (n == 1 || has_subscript || (n == 2 && tokens[1].is("layer")))) && !is_of_set) refuse();
    if (n > 1) return bound;
    bound.name = tokens[0].text;
    if (model_.is_letter(bound.name)) {
        bound.kind = Bound::Kind::letter;
        return bound;
    }
    // A constant with a number is that number; one without may be called as the size is.
    for (const int q : model_.quantities_named(bound.name)) {
        const Quantity& quantity = model_.quantity(q);
        if (!quantity.ranges.empty() || quantity.role == Role::definition) refuse();
        if (quantity.values.empty()) continue;
        bound.kind = Bound::Kind::number;
        bound.number += whole(quantity.values[0]);
    }
    return bound;
}

/// Which part of a letter's range lies between the bounds, as conditions. Textbooks count from 1: 1 to N is the whole
/// of a range that counts from 0, too, as is 0 to N - 1.
std::vector<Expression> Parser::between(const std::string& letter, const std::optional<Bound>& from,
                                        const std::optional<Bound>& to) {
    const std::optional<int> declared = model_.find_letter(letter);
    if (!declared) return {};  // which is said later
    const Range& range = model_.range(model_.letter(*declared).range);
    const int first = range.first, last = range.first + range.size - 1;
    const auto number_in = [&](const Bound& bound) {
        if (bound.kind != Bound::Kind::size) return bound.number;
        // The name of a range is its own size.
        const auto named = std::ranges::find(model_.ranges, bound.name, &Range::name);
        return (named == model_.ranges.end() ? range : *named).size + bound.number;
    };
    const bool from_number = !from || from->kind != Bound::Kind::letter;
    const bool to_end = !to || (to->kind != Bound::Kind::letter && number_in(*to) == range.size);
    if (first == 0 && to_end && (!from || (from_number && number_in(*from) == 1))) return {};
    std::vector<Expression> conditions;
    const auto add = [&](const char* sign, const Bound& bound) {
        Expression end = bound.kind == Bound::Kind::letter ? letter_of(bound.name) : number_of(number_in(bound));
        if (bound.kind == Bound::Kind::letter && bound.number != 0)
            end = sum_of_terms({{end, Joint::plus},
                                {number_of(std::abs(bound.number)), bound.number < 0 ? Joint::minus : Joint::plus}});
        conditions.push_back(comparison_of(letter_of(letter), sign, end));
        conditions.back().span = bound.span;
    };
    const auto refuse = [&](const Bound& bound) {
        throw Error(
            bound.span,
            fmt::format(
                "{} counts from {} to {} here, and this bound does not: a condition says which are taken, as in "
                "\\sum_{{{} \\le {}}}, or the range counts `from {}`",
                letter, first, last, letter, last, 1 - first));
    };
    if (from && from_number) {
        const int begin = number_in(*from);
        const bool to_last = to && to->kind == Bound::Kind::size && to->number < 0;
        // Where a range counts from 0, 1 may be its first or its second.
        if (begin < first || begin > last || (first == 0 && begin > 0 && to && !to_last)) refuse(*from);
        if (begin > first) add(">=", *from);
    } else if (from) {
        add(">=", *from);
    }
    if (!to || (to_end && !from_number)) return conditions;
    if (to->kind == Bound::Kind::letter) {
        add("<=", *to);
    } else if (const int end = number_in(*to); end != last) {
        if (end < first || end > last) refuse(*to);
        add("<=", *to);
    }
    return conditions;
}

/// \sum_k, \sum_{k=1}^{K}, \sum_{k \ne j}: reaches as far as the product that it stands before.
Expression Parser::big_reduction(std::string name) {
    Expression e;
    e.kind = Kind::reduce;
    e.name = std::move(name);
    e.span = tokens_[at_ > 0 ? at_ - 1 : 0].span;
    std::vector<Expression> conditions;
    std::vector<std::pair<std::string, std::optional<Bound> > > from;
    if (!accept("_")) {
        if (accept("^")) fail("the letter of the sum should stand below it");
        fail("a sum names its letter: \\sum_k, or sum(k, ...)");
    }
    expect("{", "the letter of the sum should stand here");
    while (!accept("}")) {
        const Token letter = peek();
        if (letter.kind != TokenKind::word) fail("the letter of the sum should stand here");
        if (peek(1).is("in") || peek(1).is(":") || peek(1).is("|"))
            throw Error(peek(1).span, fmt::format("a sum over a part of a range has a condition, as in \\sum_{{{0} > "
                                                  "1}}: write \\sum_{0} for all of it, "
                                                  "and a factor that is 0 or 1 for another part",
                                                  letter.text));
        if (peek(1).is("!=") || peek(1).is("<") || peek(1).is(">") || peek(1).is("<=") || peek(1).is(">=")) {
            ++comparisons_;
            conditions.push_back(comparison());
            --comparisons_;
        } else {
            next();
            from.emplace_back(letter.text, std::nullopt);
            if (accept("=")) from.back().second = bound_of(bound_tokens(true));
        }
        bind_letters(e, letter.text);
        accept(",");
    }
    std::optional<Bound> to;
    if (peek().is("transpose")) {  // ^T
        Token size = next();
        size.kind = TokenKind::word;
        size.text = "T";
        to = bound_of({size});
    } else if (accept("^")) {
        const bool in_braces = accept("{");
        to = bound_of(bound_tokens(in_braces));
        if (in_braces) expect("}", "the end of the sum is never closed");
    }
    for (const auto& [letter, begin] : from)
        if (begin || to)
            for (Expression& condition : between(letter, begin, to)) conditions.push_back(std::move(condition));
    e.children.push_back(term());
    restrict_to(e, std::move(conditions));
    e.span = join(e.span, e.children[0].span);
    return e;
}

}  // namespace derivation
