#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <derivation/read/parser.hpp>
#include <derivation/resolve/lookup.hpp>
#include <utility>

namespace derivation {

namespace {

constexpr int deepest = 120;

}  // namespace

std::string instead_of_function(std::string_view function) {
    if (function == "argmax" || function == "argmin")
        return "it is a place, not a number, and has no derivative; write the value that stands there, as in max(k, "
               "z[k])";
    if (function == "cumsum") return "write it with letters, as in sum(i <= t, x[i])";
    if (function.starts_with("zeros")) return "write 0";
    if (function.starts_with("ones"))
        return "write 1_n for a vector of ones over the letter n, and 1_m 1_n^T for a matrix";
    if (function == "pinv") return "write inv(X^T X) X^T";
    if (function == "log_softmax") return "write log(softmax(z))";
    if (function == "cross_entropy" || function == "mse_loss" || function == "nll_loss")
        return "write the sum that it is, as in -sum(k, y[k] * log(p[k]))";
    if (function == "detach" || function == "item" || function == "numpy" || function == "copy" || function == "clone")
        return "leave it out";
    return "write what it does with letters, as in sum(i, x[i]^2)";
}

std::string described(const Token& token) {
    return token.kind == TokenKind::end ? "the statement ends" : fmt::format("there is {}", token.text);
}

struct Parser::Level {
    explicit Level(Parser& parser) : parser_(parser) {
        if (++parser_.depth_ > deepest) parser_.fail("the formula is nested too deeply");
    }
    ~Level() { --parser_.depth_; }
    Parser& parser_;
};

bool Parser::accept(std::string_view symbol) {
    if (!peek().is(symbol)) return false;
    next();
    return true;
}

bool Parser::accept_word(std::string_view word) {
    if (!peek().is_word(word)) return false;
    next();
    return true;
}

void Parser::expect(std::string_view symbol, std::string_view sentence) {
    if (!accept(symbol)) fail(fmt::format("{}, but {}", sentence, described(peek())));
}

/// Whether a word stands here that begins a remark, and is no name of the file.
bool Parser::is_word_of_prose() const {
    static constexpr std::array words = {"where", "since",     "because", "using", "hence",
                                         "thus",  "therefore", "with",    "by",    "so"};
    if (peek().kind != TokenKind::word || model_.has(peek().text) || model_.is_letter(peek().text) ||
        splits(peek().text))
        return false;
    return std::ranges::find(words, peek().text) != words.end() && !peek(1).is("[") && !peek(1).is("_");
}

void Parser::refuse_number_of_line() const {
    if (peek(1).is(")") && (peek().kind == TokenKind::number || peek().kind == TokenKind::word))
        fail(fmt::format("a label stands in brackets: ({})", peek().text));
    if (peek().kind == TokenKind::number && peek().text.ends_with('.') && peek(1).spaced)
        fail(fmt::format(
            "this may be the number of the line, or a factor: a label stands in brackets, ({0}), and a factor is "
            "{0} *",
            peek().text.substr(0, peek().text.size() - 1)));
}

void Parser::expect_end() {
    if (is_word_of_prose())
        fail(peek().is_word("where")
                 ? "what a letter stands for is said above, in a line of its own: let p[k] = softmax(z[k])"
                 : "remarks stand behind a #");
    if (peek().is(";") && peek(1).kind == TokenKind::end) next();
    if (!at_end()) fail(fmt::format("the statement should end here, but {}", described(peek())));
}

// ---- sums, products, powers

Expression Parser::expression() {
    const Level level(*this);
    Parts parts;
    accept("+");
    const bool bare_minus = peek().is("-");
    Expression first = term();
    if (bare_minus && first.kind == Kind::add && first.children.size() == 1)
        parts.push_back({first.children[0], first.joints[0]});
    else
        parts.push_back({std::move(first), Joint::plus});
    const Span begin = parts[0].expression.span;
    while (peek().is("+") || peek().is("-")) {
        const Joint joint = next().text == "+" ? Joint::plus : Joint::minus;
        parts.push_back({term(), joint});
    }
    if (parts.size() == 1 && parts[0].joint == Joint::minus) return negated(std::move(parts[0].expression));
    Expression e = sum_of_terms(parts);
    if (parts.size() > 1) e.span = join(begin, parts.back().expression.span);
    return e;
}

bool Parser::starts_factor() const {
    const Token& token = peek();
    if (token.kind == TokenKind::number) return true;
    if (token.kind == TokenKind::word)
        return !token.is_word("on") && !token.is_word("otherwise") &&
               (!token.is_word("ascent") || model_.has("ascent"));
    if (token.is("||")) return norms_ == 0;
    if (token.is("|")) return absolutes_ == 0;
    for (const std::string_view symbol : {"(", "[", "{", "frac", "partial", "nabla", "sum", "prod", "indicator",
                                          "cases", "expectation", "langle", "ones"})
        if (token.is(symbol)) return true;
    return false;
}

/// Whether a comparison stands in the bracket here, no deeper than this many brackets.
bool Parser::is_condition(int deepest_bracket) const {
    int open = 0;
    for (std::size_t i = at_; i < tokens_.size(); ++i) {
        if (tokens_[i].is("[")) ++open;
        if (tokens_[i].is("]") && --open == 0) break;
        for (const std::string_view symbol : {"==", "!=", "=", "<", ">", "<=", ">="})
            if (open <= deepest_bracket && tokens_[i].is(symbol)) return true;
    }
    return false;
}

/// Whether the brackets that begin at this token hold a comparison of two formulas, and no inner product <x, y>. Where
/// nothing else can stand in them, = is one too.
bool Parser::holds_comparison(std::size_t begin, bool with_equals_sign) const {
    int open = 0;
    bool found = false;
    for (std::size_t i = begin; i < tokens_.size(); ++i) {
        const Token& token = tokens_[i];
        open += token.is("(") || token.is("[") || token.is("{")   ? 1
                : token.is(")") || token.is("]") || token.is("}") ? -1
                                                                  : 0;
        if (open == 0) return found;
        if (open == 1 && token.is(",")) return false;
        for (const std::string_view symbol : {"==", "!=", "<", ">", "<=", ">="})
            found = found || (open == 1 && token.is(symbol));
        found = found || (open == 1 && with_equals_sign && token.is("="));
    }
    return false;
}

Expression Parser::term() {
    const Level level(*this);
    const Span begin = peek().span;
    if (accept("-")) {
        Expression e = negated(term());
        e.span = join(begin, e.span);
        return e;
    }
    if (accept("+")) return term();
    Parts parts;
    Joint joint = Joint::times;
    while (true) {
        if (peek().is("-") && !parts.empty()) {
            next();
            parts.push_back({negated(power()), joint});
        } else {
            parts.push_back({power(), joint});
        }
        if (accept("*")) {
            joint = Joint::times;
        } else if (accept("/")) {
            joint = Joint::divided;
        } else if (accept("@")) {
            joint = Joint::matrix;
        } else if (accept("elementwise")) {
            joint = Joint::elementwise;
        } else if (accept("dot")) {
            joint = Joint::dot;
        } else if (accept("outer")) {
            // u ⊗ v is a matrix.
            Expression left = product_of_factors(parts);
            Expression outer = call_of("outer", 0, std::move(left));
            outer.children.push_back(power());
            outer.span = join(begin, outer.children[1].span);
            parts = {{std::move(outer), Joint::times}};
            if (!starts_factor() && !peek().is("*") && !peek().is("/") && !peek().is("elementwise")) break;
            joint = accept("*")             ? Joint::times
                    : accept("/")           ? Joint::divided
                    : accept("elementwise") ? Joint::elementwise
                                            : Joint::juxtaposed;
        } else if (starts_factor()) {
            // 10 000, 1½, 1.5.2
            if (parts.back().expression.kind == Kind::number && peek().kind == TokenKind::number)
                fail("two numbers stand side by side: write one number without blanks, or 2 * 3");
            joint = Joint::juxtaposed;
        } else {
            break;
        }
    }
    // \frac{ab}{c} d and a*b/c*d are one product: fractions dissolve into the factors around them.
    if (parts.size() == 1) return std::move(parts[0].expression);
    Expression e = product_of_factors(parts);
    e.span = join(begin, e.span);
    return e;
}

Expression Parser::power() {
    const Level level(*this);
    if (peek().is("sum") || peek().is("prod")) return big_reduction(next().text);
    const bool is_norm_typed =
        peek().is("||") || peek().is_word("norm") || peek().is_word("np") || peek().is_word("torch");
    Expression base = postfix();
    if (base.kind == Kind::entry && base.name == "e" && base.indices.empty() && !model_.has("e") && peek().is("^")) {
        next();
        Expression e = call_of("exp", 0, peek().is("{") ? group("{", "}") : accept("-") ? negated(power()) : power());
        e.span = join(base.span, e.argument().span);
        return e;
    }
    if (peek().is("layer"))
        fail(
            base.kind == Kind::entry
                ? fmt::format(
                      "{0}^{{({1})}} is the name {0}{1}, which was never declared: declare it, or write {0}_{1} for an "
                      "entry, {0}^{1} for a power",
                      base.name, peek().number)
                : fmt::format(
                      "what stands above names a layer, and there is no such name: write ^{} or ^{{{}}} for a power",
                      peek().number, peek().number));
    if (peek().text.starts_with("layer ")) fail("a layer stands above names only, as in W^{(l)}");
    if (peek().is("layer?")) {
        Expression e = power_of(base, number_of(peek().number));
        e.span = join(base.span, next().span);
        return e;
    }
    if (!accept("^")) return base;
    if (peek().is("+") || (peek().is("{") && peek(1).is("+") && peek(2).is("}")))
        fail("a + above may be the next value, new(x), a positive part, max(0, x), or a pseudo-inverse: write that");
    if (accept_inverse_transpose()) {
        const Span span = join(base.span, tokens_[at_ - 1].span);
        Expression e = transpose_of(power_of(std::move(base), negated(number_of(1))));
        e.span = span;
        return with_letters(std::move(e));
    }
    Expression exponent = peek().is("{") ? group("{", "}") : accept("-") ? negated(power()) : power();
    // Nor is A^-1^T the power of a number that is transposed.
    const Expression* raised = &exponent;
    while (raised->kind == Kind::add && raised->children.size() == 1) raised = &raised->children[0];
    if (raised->kind == Kind::entry && !model_.has(raised->name) && raised->indices.empty()) {
        if (raised->name == "t") throw Error(exponent.span, "t was never declared: a transpose is written A^T");
        if (raised->name == "new" || raised->name == "old")
            throw Error(exponent.span,
                        "the value after a step is new(w), and the step a line of its own: update w := ...");
    }
    if (raised->kind == Kind::letter && comparisons_ == 0)
        throw Error(
            exponent.span,
            fmt::format("the letter {0} stands above as if it were a number: write an index below, as in x_{0}, or "
                        "above in brackets, x^{{({0})}}",
                        raised->name));
    const std::string after_power = "a transpose stands after the power here: write (x^2)^T";
    if (peek().is("transpose")) fail(after_power);
    if (raised->kind == Kind::transpose) throw Error(exponent.span, after_power);
    // ||x|| is the root of ||x||^2.
    if (is_call(base, "sqrt") && base.argument().kind == Kind::norm && exponent.kind == Kind::number &&
        exponent.number == 2 && is_norm_typed) {
        base = Expression(base.argument());
        base.span = join(base.span, exponent.span);
        base.order = 2;
        return base;
    }
    return with_letters(power_of(std::move(base), std::move(exponent)));
}

/// One entry of an array that is no name: (A^{-1})_{ij}, inv(A)[i,j], softmax(z)_k.
Expression Parser::with_letters(Expression e) {
    if (e.kind == Kind::entry || e.kind == Kind::number || (!is_square(e) && !is_of_arrays(model_, e))) return e;
    if (peek().is("_") && peek(1).is("{"))
        at_ += 2;
    else if (peek().is("[") && !peek().spaced && !is_condition(1) &&
             (is_square(e) || (model_.is_letter(peek(1).text) && (peek(2).is("]") || peek(2).is(",")))))
        next();
    else
        return e;
    const std::vector<Index> indices = indices_until(tokens_[at_ - 1].is("{") ? "}" : "]");
    const Span span = join(e.span, tokens_[at_ - 1].span);
    Expression entry = call_of("entry", 0, std::move(e));
    for (const Index& index : indices) {
        if (!index.is_letter()) throw Error(span, "an entry has letters here, as in (A^{-1})_{ij} and (W x)_k");
        entry.children.push_back(letter_of(index.terms[0].name));
        entry.children.back().span = index.span;
    }
    entry.span = span;
    return entry;
}

/// The -T of A^{-T}.
bool Parser::accept_inverse_transpose() {
    const std::size_t group = peek().is("{") || peek().is("(") ? 1 : 0;
    const Token& turned = peek(group + 1);
    const bool is_transpose = turned.is("top") || turned.is("transpose") ||
                              (turned.is_word("T") && !model_.has("T") && !model_.is_letter("T"));
    if (!peek(group).is("-") || !is_transpose) return false;
    if (group == 1 && !peek(3).is("}") && !peek(3).is(")")) return false;
    at_ += 2 + 2 * group;
    return true;
}

Expression Parser::postfix() {
    Expression e = primary();
    while (true) {
        if (is_slice()) e = with_new_axis(std::move(e));
        // [1 - m]_+
        if (peek().is("_") && peek(1).is("{") && peek(2).is("+") && peek(3).is("}")) {
            const Span span = join(e.span, peek(2).span);
            at_ += 4;
            e = call_of("max", 0, std::move(e));
            e.children.insert(e.children.begin(), number_of(0));
            e.span = span;
        }
        if (peek().is("_") || peek().is("[")) {
            const std::size_t place = at_;
            e = with_letters(std::move(e));
            if (at_ != place) continue;
        }
        // x' and (x y)' where no such name and no function is meant: the reader of names left the prime.
        if (peek().is("transpose") || peek().is("'")) {
            const Span span = join(e.span, next().span);
            e = transpose_of(std::move(e));
            e.span = span;
        } else if (peek().is(".") && peek(1).kind == TokenKind::word && peek(2).is("(")) {
            // (p - y).mean(0)
            next();
            const Token method = next();
            const Span begin = e.span;
            if (method.is_word("astype") || method.is_word("float") || method.is_word("double")) {
                skip_type(e.kind == Kind::iverson);
                continue;
            }
            if (method.is_word("var") || method.is_word("std"))
                throw Error(
                    method.span,
                    fmt::format("{0} divides by n in NumPy, and by n - 1 in PyTorch: write np.{0}(x), which divides "
                                "by n",
                                method.text));
            std::optional<Expression> result = library_call(method.text, {e}, begin);
            if (!result)
                throw Error(method.span, fmt::format("the method {} of an array is not read: {}", method.text,
                                                     instead_of_function(method.text)));
            e = std::move(*result);
        } else if (std::optional<Expression> size = size_of_axis(e)) {
            e = std::move(*size);
        } else {
            return e;
        }
    }
}

/// The (np.float32) of (z > 0).astype(np.float32), which leaves numbers as they are: so may any type leave a mask,
/// while another number would lose its fraction.
void Parser::skip_type(bool is_mask) {
    expect("(", "something in brackets should stand here");
    skip_module();
    const Token type = peek();
    if (type.kind == TokenKind::word) {
        next();
        if (!is_mask && !type.text.starts_with("float") && !type.text.starts_with("double"))
            throw Error(
                type.span,
                fmt::format("the type {} could change a number: it is read of masks such as (z > 0) only", type.text));
    }
    expect(")", "the type should end here");
}

/// The None of x[:, None], which np.newaxis is as well.
bool Parser::is_none(std::size_t ahead) const {
    const Token& token = peek(ahead);
    if (!token.is_word("None") && !token.is_word("newaxis")) return false;
    return !model_.has(token.text) && !model_.is_letter(token.text);
}

/// Whether the brackets here hold a : or a None, as NumPy's do.
bool Parser::is_slice() const {
    if (!peek().is("[")) return false;
    for (std::size_t i = 1; !peek(i).is("]") && !peek(i).is("[") && peek(i).kind != TokenKind::end; ++i)
        if (peek(i).is(":") || is_none(i)) return true;
    return false;
}

/// x[:, None], x[None, :] and the like.
Expression Parser::with_new_axis(Expression e) {
    const Span begin = next().span;
    std::string axes;
    while (!at_end() && !accept("]")) {
        skip_module();
        const bool new_one = is_none(0);
        if (peek().is(".") && peek(1).is(".") && peek(2).is(".")) at_ += 2;
        if (!new_one && !peek().is(":") && !peek().is(".")) break;
        axes += new_one ? 'n' : ':';
        next();
        if (!accept(",") && !peek().is("]")) break;
    }
    const Span span = join(begin, tokens_[at_ - 1].span);
    if (!tokens_[at_ - 1].is("]"))
        throw Error(span, "parts of an array are not read: write it with letters, as in X[s,i], or X[s,0]");
    const bool column = axes == ":n", row = axes == "n:" || axes == "n";
    if (!column && !row) throw Error(span, "of new axes these are read: x[:, None] and x[None, :] of a vector");
    const Span whole = join(e.span, span);
    e = call_of(std::string(column ? new_column : new_row), 0, std::move(e));
    e.span = whole;
    return e;
}

Expression Parser::group(std::string_view open, std::string_view close) {
    const Span begin = peek().span;
    expect(open, fmt::format("a group should begin with {}", open));
    Expression e = expression();
    const Span end = peek().span;
    if (open == "[" && peek().is(","))
        fail(
            "a list is no formula: numbers stand behind `given`, `at` and ~, and a formula of several entries has "
            "letters");
    expect(close, fmt::format("a closing {} is missing", close));
    if (open != "{") e.span = join(begin, end);
    return e;
}

Expression Parser::primary() {
    const Level level(*this);
    const Token token = peek();
    if (token.kind == TokenKind::number) {
        next();
        // 1_{z > 0}
        if (token.text == "1" && peek().is("_") && holds_comparison(at_ + 1, true)) {
            at_ += 2;
            return iverson("}");
        }
        if (token.text == "1" && peek().is("_")) {
            Expression ones = entry_of("1", {});
            ones.span = token.span;
            subscript(ones, "1", false);
            return ones;
        }
        Expression e = number_of(token.number);
        e.name = token.text;
        e.span = token.span;
        return e;
    }
    // A mask, (z > 0), and 1{z > 0}, are brackets of the language.
    if ((token.is("(") || token.is("{")) && holds_comparison(at_, false)) {
        next();
        return iverson(token.is("(") ? ")" : "}");
    }
    if (token.is("(")) return group("(", ")");
    if (token.is("{")) return group("{", "}");
    if (token.is("||")) return norm();
    if (token.is("|") && absolutes_ == 0) return absolute();
    if (token.is("langle") || token.is("<")) {
        next();
        return inner_product(token.is("<") ? ">" : "rangle");
    }
    if (token.is("expectation")) return expectation();
    if (token.is("dots"))
        fail("what dots stand for is not read: write the sum or the product over a letter, sum(i, x[i])");
    if (token.is("ones")) {
        if (!holds_comparison(at_ + 1, true))
            fail("a vector of ones names the letter of its length: \\mathbf{1}_n, or 1_n");
        at_ += 2;
        return iverson(tokens_[at_ - 1].is("(") ? ")" : tokens_[at_ - 1].is("[") ? "]" : "}");
    }
    if (token.is("nabla") || (token.is("partial") && is_operator(1))) return nabla();
    if (token.is("cases")) return cases();
    if (token.is("sum") || token.is("prod")) {
        next();
        return big_reduction(token.text);
    }
    if (token.is("[")) {
        // [k == n] is 1 or 0; without a comparison the brackets are brackets.
        if (!is_condition(1)) return group("[", "]");
        next();
        return iverson("]");
    }
    if (token.is("indicator")) {
        next();
        if (accept("_")) {
            expect("{", "the indicator takes a condition");
            // \mathbb{1}_{\{k = n\}}
            const bool round = peek().is("(") && holds_comparison(at_, true), square = peek().is("[");
            if (!round && !square) return iverson("}");
            next();
            Expression e = iverson(round ? ")" : "]");
            expect("}", "the condition should end here");
            return e;
        }
        if (accept("(")) return iverson(")");
        if (accept("{")) return iverson("}");
        expect("[", "the indicator takes a condition in brackets");
        return iverson("]");
    }
    if (token.is("frac") || token.is("partial") || token.kind == TokenKind::word) {
        if (std::optional<Expression> e = derivative()) return std::move(*e);
        if (token.is("frac")) return fraction();
        if (token.kind == TokenKind::word) return word();
    }
    if (token.is("partial")) fail("a derivative should stand here, as in ∂C/∂w");
    fail(token.kind == TokenKind::end ? "a formula is missing at the end"
                                      : fmt::format("a formula should stand here, but {}", described(token)));
}

Expression Parser::fraction() {
    const auto is_delta = [&](std::size_t ahead) {
        return peek(ahead).kind == TokenKind::word && peek(ahead).text == "delta" && !model_.has("delta") &&
               peek(ahead + 1).kind == TokenKind::word;
    };
    if (is_delta(2) && peek(4).is("}"))
        fail("a derivative is written with \\partial or d: \\frac{\\partial L}{\\partial z}");
    const Span begin = next().span;
    Expression above = group("{", "}");
    Expression below = group("{", "}");
    Expression e = quotient_of(std::move(above), std::move(below));
    e.span = join(begin, peek(0).span.begin > begin.begin ? Span{begin.begin, e.span.end} : e.span);
    return e;
}

// ---- numbers

Parser::Numbers Parser::numbers() {
    Numbers result;
    result.span = peek().span;
    const auto one = [&] {
        const int sign = accept("-") ? -1 : 1;
        accept("+");
        const Token token = next();
        if (token.kind != TokenKind::number)
            throw Error(token.span, fmt::format("a number should stand here, but {}", described(token)));
        result.values.push_back(sign * token.number);
        const std::size_t exponent = token.text.find_first_of("eE");
        const std::string digits = token.text.substr(0, exponent);
        const std::size_t point = digits.find('.');
        const int decimals = point == std::string::npos ? 0 : static_cast<int>(digits.size() - point - 1);
        const int power = exponent == std::string::npos ? 0 : std::atoi(token.text.c_str() + exponent + 1);
        result.tolerances.push_back(0.5 * std::pow(10.0, power - decimals));
        result.span = join(result.span, token.span);
        if (result.values.size() > 100000) throw Error(token.span, "these are too many numbers");
    };
    if (!peek().is("[") && !peek().is("(")) {
        one();
        return result;
    }
    std::size_t rank = 0;
    for (std::size_t i = 0; peek(i).is("[") || peek(i).is("("); ++i) ++rank;
    if (rank > 6) fail("these lists are nested too deeply");
    result.shape.assign(rank, 0);
    const auto list = [&](auto& self, std::size_t axis) -> void {
        if (axis == rank) return one();
        if (!accept("[")) expect("(", "a list of numbers should stand here");
        std::size_t count = 0;
        do {
            self(self, axis + 1);
            ++count;
        } while (accept(",") && !peek().is("]"));
        result.span = join(result.span, peek().span);
        if (!accept("]")) expect(")", "a closing ] is missing");
        if (result.shape[axis] != 0 && result.shape[axis] != count) fail("the rows of these numbers differ in length");
        result.shape[axis] = count;
    };
    list(list, 0);
    return result;
}

}  // namespace derivation
