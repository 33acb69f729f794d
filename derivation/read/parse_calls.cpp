// How the parser reads words, calls, norms and conditions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <derivation/formula/elementary.hpp>
#include <derivation/read/parser.hpp>
#include <limits>
#include <numbers>
#include <utility>

namespace derivation {

namespace {

std::string without_quotes(const std::string& text) {
    return text.size() > 1 && text.front() == '"' ? text.substr(1, text.size() - 2) : text;
}

/// Functions as papers write their names.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> spellings = {{{"ReLU", "relu"},
                                                                                     {"Relu", "relu"},
                                                                                     {"Softmax", "softmax"},
                                                                                     {"SoftMax", "softmax"},
                                                                                     {"Sigmoid", "sigmoid"},
                                                                                     {"Softplus", "softplus"},
                                                                                     {"Tanh", "tanh"},
                                                                                     {"logistic", "sigmoid"}}};

/// What to write instead of others.
constexpr std::array<std::pair<std::string_view, const char*>, 9> functions_not_read = {
    {{"vec", "vec is not read: a derivative of matrices has letters, as in dY[i,j]/dX[k,l]"},
     {"erf", "erf is not read: declare `function`, which is any smooth function"},
     {"Var", "variances are not read: write mean(s, (x[s] - m)^2), or np.var(x)"},
     {"Cov", "covariances are not read: write mean(s, (x[s] - m) * (y[s] - n))"},
     {"arctan", "inverse functions are not read: `function f` is any smooth function"},
     {"arcsin", "inverse functions are not read: `function f` is any smooth function"},
     {"rank", "a rank is not read, as it has no derivative"},
     {"round", "rounding is not read, as it has no derivative"},
     {"floor", "rounding is not read, as it has no derivative"}}};

constexpr const char* which_norms =
    "of norms these are read: ||x|| and ||x||_2, the root of the sum of squares, ||X||_F, the same of a matrix, and "
    "||x||_1, the sum of sizes";

}  // namespace

Expression Parser::word() {
    const std::size_t module = at_;
    if (const Span begin = peek().span; skip_module()) {
        const bool is_of_torch = tokens_[at_ - 2].is_word("torch") || tokens_[module].is_word("torch");
        const Token function = next();
        if (function.is_word("pi") && !peek().is("(")) {
            Expression pi = number_of(std::numbers::pi);
            pi.span = join(begin, function.span);
            return pi;
        }
        if (!peek().is("(")) throw Error(function.span, fmt::format("{} takes something in brackets", function.text));
        if (function.is_word("var") || function.is_word("std")) return variance(function.text, is_of_torch, begin);
        if (std::optional<Expression> e = library_call(function.text, {}, begin)) return std::move(*e);
        throw Error(function.span, fmt::format("the function {} of this library is not read: {}", function.text,
                                               instead_of_function(function.text)));
    }
    if (!model_.has(peek().text) && !model_.is_letter(peek().text) && peek(1).is("(")) {
        const Token token = peek();
        if (std::ranges::any_of(std::array{"norm", "dot", "inner", "log2", "log10", "log1p", "expm1", "logsumexp",
                                           "clip", "clamp", "einsum", "eye", "slogdet"},
                                [&](std::string_view function) { return token.is_word(function); }) &&
            !splits(token.text)) {
            next();
            return *library_call(token.text, {}, token.span);
        }
        if (token.is_word("len") && peek(2).kind == TokenKind::word && peek(3).is(")")) {
            at_ += 4;
            return size_along(tokens_[at_ - 2].text, 0, join(token.span, tokens_[at_ - 1].span));
        }
        // I(k = n)
        if (token.is_word("I") && holds_comparison(at_ + 1, true)) {
            at_ += 2;
            return iverson(")");
        }
    }
    if (is_matrix_function()) {
        const Token token = next();
        Expression e = call(token, std::string(matrix_function(token.text)));
        if (e.kind != Kind::call || e.name != "inverse") return e;
        if (e.children.size() != 1) throw Error(e.span, "inverse takes one matrix");
        const Span span = e.span;
        e = power_of(Expression(std::move(e.children[0])), negated(number_of(1)));
        e.span = span;
        return e;
    }
    split_word();
    if (peek().text.starts_with("I_") && peek().text.find_first_not_of("0123456789", 2) == std::string::npos &&
        !model_.has("I") && !model_.has(peek().text))
        fail("the identity is I_n, over a letter n, or I, where something beside it says its size");
    const bool is_declared = model_.has(peek().text) || model_.is_letter(peek().text);
    for (const auto& [typed, name] : spellings)
        if (peek().is_word(typed) && !is_declared) tokens_[at_].text = name;
    for (const auto& [typed, sentence] : functions_not_read)
        if (peek().is_word(typed) && peek(1).is("(") && !is_declared && !splits(typed)) fail(sentence);
    const Token token = peek();
    const std::string& text = token.text;
    if (is_word_of_prose())
        fail(text == "where" ? "what a letter stands for is said above, in a line of its own: let p[k] = softmax(z[k])"
                             : "remarks stand behind a #, or in brackets behind the formula");
    if (const std::string word = text.substr(0, text.find('_'));
        (word == "argmax" || word == "argmin") && !is_indexed_name(text) && !peek(1).is("["))
        fail(fmt::format(
            "the place of a {0} is not read, as it has no derivative: write the value there, as in {1}(k, z[k])",
            text.starts_with("argmax") ? "maximum" : "minimum", text.substr(3, 3)));
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
    if (model_.is_function(text) || (is_builtin(text) && !model_.is_quantity(text))) {
        next();
        const Elementary* elementary = model_.is_function(text) ? nullptr : find_elementary(text);
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

/// Whether a matrix stands whole between the brackets that open at this token.
bool Parser::is_of_whole_matrix(std::size_t bracket) const {
    if (!peek(bracket).is("(")) return false;
    std::size_t depth = 1;
    for (std::size_t i = bracket + 1; depth > 0 && peek(i).kind != TokenKind::end; ++i) {
        if (peek(i).is("(")) ++depth;
        if (peek(i).is(")")) --depth;
        const auto is_matrix = [&](int q) { return model_.quantity(q).ranges.size() == 2; };
        if (peek(i).kind == TokenKind::word && !peek(i + 1).is("[") &&
            std::ranges::any_of(model_.quantities_named(peek(i).text), is_matrix))
            return true;
    }
    return false;
}

/// Whether tr, det, logdet, solve or inverse stands here before what it takes, and is not declared. Several declared
/// names in a row, as t and r, win before a number.
bool Parser::is_matrix_function() const {
    const std::string& text = peek().text;
    if (matrix_function(text).empty() || model_.has(text) || model_.is_letter(text)) return false;
    if (splits(text)) return is_of_whole_matrix(1);
    return peek(1).is("(") || peek(1).is("[") || peek(1).is("{") || peek(1).kind == TokenKind::word || peek(1).is("^");
}

/// Whether a formula is a square matrix, as far as its names tell.
bool Parser::is_square(const Expression& e) const {
    switch (e.kind) {
        case Kind::entry: {
            if (e.name == "I" && !model_.has("I")) return true;
            const std::vector<int> named = model_.quantities_named(e.name);
            if (!e.indices.empty() || named.size() != 1) return false;
            const std::vector<int>& ranges = model_.quantity(named[0]).ranges;
            return ranges.size() == 2 && ranges[0] == ranges[1];
        }
        case Kind::add:
        case Kind::product:
            return std::ranges::any_of(e.children, [&](const Expression& child) { return is_square(child); });
        case Kind::power:
            return is_square(e.base());
        case Kind::transpose:
            return is_square(e.argument());
        default:
            return false;
    }
}

/// Whether a formula is a vector, as far as its names tell.
bool Parser::is_vector(const Expression& e) const {
    if (e.kind == Kind::add)
        return std::ranges::any_of(e.children, [&](const Expression& child) { return is_vector(child); });
    if (e.kind != Kind::entry || !e.indices.empty()) return false;
    const std::vector<int> named = model_.quantities_named(e.name);
    return named.size() == 1 && model_.quantity(named[0]).ranges.size() == 1;
}

/// Whether a formula is a matrix, as far as its names tell.
bool Parser::is_matrix(const Expression& e) const {
    if (e.kind == Kind::add)
        return std::ranges::any_of(e.children, [&](const Expression& child) { return is_matrix(child); });
    if (e.kind == Kind::product) {
        const auto is_scalar = [&](const Expression& child) {
            if (child.kind != Kind::entry || !child.indices.empty()) return child.kind == Kind::number;
            const std::vector<int> named = model_.quantities_named(child.name);
            return named.size() == 1 && model_.quantity(named[0]).ranges.empty();
        };
        const auto is_matrix_part = [&](const Expression& child) { return is_matrix(child); };
        return std::ranges::any_of(e.children, is_matrix_part) &&
               std::ranges::all_of(e.children, [&](const Expression& c) { return is_matrix(c) || is_scalar(c); });
    }
    if (e.kind == Kind::transpose) return is_matrix(e.argument());
    if (e.kind != Kind::entry || !e.indices.empty()) return false;
    const std::vector<int> named = model_.quantities_named(e.name);
    return named.size() == 1 && model_.quantity(named[0]).ranges.size() == 2;
}

/// Whether an axis is the last one of what softmax takes, as far as names tell: beside 1, which only matrices have.
bool Parser::is_last_axis(int axis, const std::vector<Expression>& of) const {
    if (axis == -1 || of.size() != 1) return true;
    if (of[0].kind != Kind::entry || !of[0].indices.empty()) return axis == 1;
    const std::vector<int> named = model_.quantities_named(of[0].name);
    return std::ranges::all_of(
        named, [&](int q) { return static_cast<std::size_t>(axis) + 1 == model_.quantity(q).ranges.size(); });
}

/// log_b(x), of log(x).
Expression Parser::logarithm_to(Expression base, Expression logarithm) {
    const Span span = logarithm.span;
    Expression e = quotient_of(std::move(logarithm), call_of("log", 0, std::move(base)));
    e.span = span;
    return e;
}

Expression Parser::call(const Token& head, std::string function) {
    Expression e;
    e.kind = Kind::call;
    e.name = std::move(function);
    e.span = head.span;
    while (accept("'")) ++e.order;
    if (peek().is("^") && (peek(1).is("-") || (peek(1).is("{") && peek(2).is("-"))))
        fail(fmt::format("{0}^-1 may be the inverse function of {0}, which is not read, or 1/{0}(x): write that",
                         e.name));
    // tanh^2(u)
    if (peek().is("^") && (peek(1).kind == TokenKind::number ||
                           (peek(1).is("{") && peek(2).kind == TokenKind::number && peek(3).is("}")))) {
        next();
        const bool brace = accept("{");
        Expression exponent = number_of(peek().number);
        exponent.name = peek().text;
        exponent.span = next().span;
        if (brace) next();
        const int order = e.order;
        e = call(head, std::move(e.name));
        e.order += order;
        return power_of(std::move(e), std::move(exponent));
    }
    const bool is_logarithm = e.name == "log";
    // \log_2 x
    if (is_logarithm && e.order == 0 && peek().is("_")) {
        next();
        const bool brace = accept("{");
        if (peek().kind != TokenKind::number) fail("the base of a logarithm is a number");
        Expression base = number_of(peek().number);
        base.name = peek().text;
        base.span = next().span;
        if (brace) expect("}", "the base of a logarithm should end here");
        return logarithm_to(std::move(base), call(head, "log"));
    }
    logarithms_ += is_logarithm ? 1 : 0;
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
    logarithms_ -= is_logarithm ? 1 : 0;
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
    const Span begin = next().span;
    ++norms_;
    Expression x = expression();
    --norms_;
    Span span = join(begin, peek().span);
    expect("||", "a closing || is missing");
    // ||x||^2_2 is ||x||_2^2.
    const std::size_t power = peek().is("^") ? (peek(1).is("{") && peek(3).is("}") ? 4 : 2) : 0;
    if (power > 0 && peek(power).is("_") && peek(power + 1).is("{") && peek(power + 3).is("}"))
        std::rotate(tokens_.begin() + static_cast<std::ptrdiff_t>(at_),
                    tokens_.begin() + static_cast<std::ptrdiff_t>(at_ + power),
                    tokens_.begin() + static_cast<std::ptrdiff_t>(at_ + power + 4));
    std::string which = "2";
    if (accept("_")) {
        expect("{", "a subscript");
        const Token name = next();
        which = peek().is("}") ? name.text : "";
        while (!at_end() && !accept("}")) next();
        span = join(span, name.span);
        if ((which == "1" || which == "2") && is_matrix(x))
            throw Error(
                span, fmt::format("||A||_{} of a matrix may mean two things: write ||A||_F for the root of its sum of "
                                  "squares, or sum(abs(A)); the norm that A has as a map is not read",
                                  which));
    }
    return norm_of(std::move(x), which, span);
}

/// The root of the sum of squares, of a vector or a matrix; the sum of sizes for 1.
Expression Parser::norm_of(Expression x, std::string_view which, Span span) {
    Expression e;
    e.children.push_back(std::move(x));
    e.span = span;
    if (which == "1") {
        e.kind = Kind::reduce;
        e.name = "sum";
        e.body() = call_of("abs", 0, e.body());
        return e;
    }
    if (which != "2" && which != "F") throw Error(span, which_norms);
    e.kind = Kind::norm;
    e = call_of("sqrt", 0, std::move(e));
    e.span = span;
    return e;
}

/// |u|
Expression Parser::absolute() {
    const Span begin = next().span;
    ++absolutes_;
    Expression e = call_of("abs", 0, expression());
    --absolutes_;
    e.span = join(begin, peek().span);
    expect("|", "a closing | is missing (a density p(x | m) is a let with a name of its own)");
    // Of a square matrix: log |A| has its determinant, sum(|A|) the sizes of its entries.
    if (whole_sums_ == 0 && is_square(e.argument())) {
        if (logarithms_ == 0)
            throw Error(e.span,
                        "bars around a square matrix may mean two things: write det(A), or abs(A) for its entries");
        e.name = "det";
    }
    if (whole_sums_ == 0 && is_vector(e.argument()) && !peek().is("."))
        throw Error(e.span,
                    "bars around a vector may mean two things: write ||x|| for its length, or abs(x) for its entries");
    return e;
}

/// <x, y>, and \langle X, Y \rangle_F.
Expression Parser::inner_product(std::string_view close) {
    const Span begin = tokens_[at_ - 1].span;
    Expression a = expression();
    expect(",", "an inner product has two factors: <x, y>");
    Expression b = expression();
    Expression e = call_of(std::string(angle_brackets), 0, std::move(a));
    e.children.push_back(std::move(b));
    e.span = join(begin, peek().span);
    expect(close, "the inner product should end here");
    if (accept("_")) {
        expect("{", "a subscript");
        if (!accept_word("F") || !peek().is("}"))
            fail(
                "of inner products these are read: <x, y>, and <X, Y>_F of matrices; another one is written out, as in "
                "x^T "
                "M y");
        next();
    }
    return e;
}

/// \mathbb{E}_s[...] is the mean over s.
Expression Parser::expectation() {
    Expression e;
    e.kind = Kind::reduce;
    e.name = "mean";
    e.span = next().span;
    expect("_", "an expectation names the letter that it is the mean over: \\mathbb{E}_s[..]");
    expect("{", "an expectation names the letter that it is the mean over: \\mathbb{E}_s[..]");
    while (!accept("}")) {
        const Token letter = next();
        if (letter.kind != TokenKind::word || (!model_.is_letter(letter.text) && !all_letters(letter.text)))
            throw Error(letter.span, "an expectation is read as the mean over a letter of the file: \\mathbb{E}_s[..]");
        bind_letters(e, letter.text);
        accept(",");
    }
    e.children.push_back(peek().is("[") ? group("[", "]") : peek().is("(") ? group("(", ")") : term());
    e.span = join(e.span, e.children[0].span);
    return e;
}

// ---- NumPy and PyTorch

/// The `np.` of np.exp(z).
bool Parser::skip_module() {
    bool skipped = false;
    for (bool more = true; more;) {
        more = false;
        for (const std::string_view module :
             {"np", "numpy", "torch", "jnp", "jax", "nn", "functional", "F", "tf", "math", "linalg"})
            if (peek().is_word(module) && !model_.has(module) && !model_.is_letter(module) && peek(1).is(".") &&
                peek(2).kind == TokenKind::word) {
                at_ += 2;
                skipped = more = true;
            }
    }
    return skipped;
}

/// A function or a method of an array, whose arguments stand in brackets here; nothing where there is no such function.
std::optional<Expression> Parser::library_call(const std::string& function, std::vector<Expression> before,
                                               Span begin) {
    static constexpr std::array reduces = {"sum", "mean", "max", "min", "prod", "amax", "amin"};
    static constexpr std::array products = {"dot", "matmul", "mm", "mv"};
    if (function == "einsum") return einsum_of(begin);
    const bool is_reduction = std::ranges::find(reduces, function) != reduces.end();
    const bool is_product = std::ranges::find(products, function) != products.end();
    const Elementary* elementary = find_elementary(function);
    static constexpr std::array others = {"outer",   "multiply",  "mul",       "square",      "power",   "pow",
                                          "maximum", "minimum",   "where",     "norm",        "diag",    "absolute",
                                          "softmax", "log2",      "log10",     "log1p",       "expm1",   "logsumexp",
                                          "t",       "transpose", "unsqueeze", "expand_dims", "reshape", "clip",
                                          "clamp",   "eye",       "identity",  "slogdet",     "inner",   "vdot"};
    const std::string_view of_matrix = matrix_function(function);
    // eye(i) is I_i.
    if ((function == "eye" || function == "identity") && before.empty() && peek().is("(")) {
        if (peek(1).kind != TokenKind::word || !model_.is_letter(peek(1).text) || !peek(2).is(")"))
            throw Error(
                peek(1).span,
                fmt::format("{} takes a letter here, whose range is its size, as in {}(n); I takes the size of what "
                            "stands beside it",
                            function, function));
        Expression e = entry_of("I", {peek(1).text});
        e.span = e.indices[0].span = join(begin, peek(2).span);
        at_ += 3;
        return e;
    }
    if (!is_reduction && !is_product && elementary == nullptr && of_matrix.empty() &&
        std::ranges::find(others, function) == others.end())
        return {};
    expect("(", "something in brackets should stand here");
    std::vector<Expression> all = std::move(before);
    std::optional<int> axis;
    std::string which_norm = "2";
    Span of_axis;
    bool keeps = false, names_norm = false;
    const bool is_clip = function == "clip" || function == "clamp";
    static constexpr std::array<std::string_view, 4> ends = {"min", "max", "a_min", "a_max"};
    std::optional<Expression> lowest, highest;
    int bounds = 0;
    if (function == "where") {
        ++comparisons_;
        all.push_back(comparison());
        --comparisons_;
        expect(",", "where takes a condition and two values");
    }
    while (!peek().is(")")) {
        if (peek().kind == TokenKind::word && peek(1).is("=")) {
            if (peek().is_word("keepdims") || peek().is_word("keepdim")) {
                keepdims(keeps);
                if (!accept(",")) break;
                continue;
            }
            const Token option = next();
            next();
            if (is_clip && std::ranges::find(ends, option.text) != ends.end()) {
                std::optional<Expression>& bound = option.text.ends_with("min") ? lowest : highest;
                if (bound) throw Error(option.span, fmt::format("{} stands here twice", option.text));
                if (is_none(0))
                    next();
                else
                    bound = expression();
                if (!accept(",")) break;
                continue;
            }
            const int sign = accept("-") ? -1 : 1;
            const Token value = next();
            if ((option.text == "axis" || option.text == "dim") && value.kind == TokenKind::number)
                axis = sign * static_cast<int>(value.number), of_axis = join(option.span, value.span);
            else if ((option.text == "ord" || option.text == "p") && function == "norm" && sign == 1)
                which_norm = without_quotes(value.text), names_norm = true;
            else if ((option.text == "axis" || option.text == "dim") && (value.is("(") || value.is("[")))
                throw Error(value.span, fmt::format("an axis is one number here: sum(X) is the sum over all of X, and "
                                                    "X.sum({0}=0) that along the first axis",
                                                    option.text));
            else
                throw Error(option.span, fmt::format("the option {} is not read", option.text));
        } else if (function == "norm" && peek().kind == TokenKind::symbol && peek().text.starts_with('"')) {
            which_norm = without_quotes(next().text);
            names_norm = true;
        } else if (is_clip && !all.empty()) {
            // Without a name they are the lowest and the highest.
            std::optional<Expression>& bound = bounds++ == 0 ? lowest : highest;
            if (bounds > 2 || bound) fail("clip takes what is clipped, and two bounds");
            if (is_none(0))
                next();
            else
                bound = expression();
        } else {
            all.push_back(expression());
        }
        if (!accept(",")) break;
    }
    const Span end = peek().span;
    expect(")", "a closing ) is missing");
    const auto takes = [&](std::size_t count) {
        if (all.size() != count)
            throw Error(join(begin, end),
                        fmt::format("{} takes {} argument{} here", function, count, count == 1 ? "" : "s"));
    };
    const bool has_axis_argument =
        (is_reduction || function == "softmax" || function == "logsumexp") && all.size() == 2 &&
        (all[1].kind == Kind::number ||
         (all[1].kind == Kind::add && all[1].children.size() == 1 && all[1].children[0].kind == Kind::number));
    if (has_axis_argument) {
        axis = static_cast<int>(all[1].kind == Kind::number ? all[1].number : -all[1].children[0].number);
        of_axis = all[1].span;
        all.pop_back();
    }
    if (axis && !is_reduction && function != "logsumexp" && function != "unsqueeze" && function != "expand_dims" &&
        function != "norm" && (function != "softmax" || !is_last_axis(*axis, all)))
        throw Error(of_axis, function == "softmax"
                                 ? "softmax runs along the last axis here: write axis=-1, or transpose"
                                 : fmt::format("{} takes no axis here", function));
    const auto reduced = [&](std::string name, Expression body) {
        Expression reduction;
        reduction.kind = Kind::reduce;
        reduction.name = std::move(name);
        // -1 is the last axis, 0 none in particular.
        if (axis) reduction.order = *axis < 0 ? *axis : *axis + 1;
        reduction.children = {std::move(body)};
        return reduction;
    };
    Expression e;
    if (is_reduction) {
        takes(1);
        e = reduced(function == "amax" ? "max" : function == "amin" ? "min" : function, std::move(all[0]));
    } else if (function == "logsumexp") {
        takes(1);
        e = call_of("log", 0, reduced("sum", call_of("exp", 0, std::move(all[0]))));
    } else if (function == "log1p") {
        takes(1);
        e = call_of("log", 0, sum_of_terms({{number_of(1), Joint::plus}, {std::move(all[0]), Joint::plus}}));
    } else if (function == "expm1") {
        takes(1);
        e = sum_of_terms({{call_of("exp", 0, std::move(all[0])), Joint::plus}, {number_of(1), Joint::minus}});
    } else if (function == "log2" || function == "log10") {
        takes(1);
        e = logarithm_to(number_of(function == "log2" ? 2 : 10), call_of("log", 0, std::move(all[0])));
    } else if (is_product) {
        takes(2);
        e = product_of_factors({{all[0], Joint::times}, {all[1], Joint::matrix}});
    } else if (function == "multiply" || function == "mul") {
        takes(2);
        e = product_of_factors({{all[0], Joint::times}, {all[1], Joint::elementwise}});
    } else if (function == "square") {
        takes(1);
        e = power_of(all[0], number_of(2));
    } else if (function == "power" || function == "pow") {
        takes(2);
        e = power_of(all[0], all[1]);
    } else if (function == "transpose" || function == "t") {
        takes(1);
        e = transpose_of(all[0]);
    } else if (function == "unsqueeze" || function == "expand_dims" || function == "reshape") {
        // Of a vector: unsqueeze(1), reshape(-1, 1).
        const auto number = [&](std::size_t i) -> double {
            return i < all.size() ? value_of_numbers(all[i]).value_or(9) : 9;
        };
        const bool reshapes = function == "reshape";
        if (axis) all.push_back(number_of(*axis));
        takes(reshapes ? 3 : 2);
        const bool column = reshapes ? number(1) == -1 && number(2) == 1 : number(1) == 1 || number(1) == -1;
        const bool row = reshapes ? number(1) == 1 && number(2) == -1 : number(1) == 0 || number(1) == -2;
        if (!column && !row) throw Error(join(begin, end), "of new axes these are read: x[:, None] and x[None, :]");
        e = call_of(std::string(column ? new_column : new_row), 0, std::move(all[0]));
        axis.reset();
    } else if (function == "where") {
        takes(3);
        Expression opposite = sum_of_terms({{number_of(1), Joint::plus}, {all[0], Joint::minus}});
        e = sum_of_terms({{product_of({all[0], all[1]}), Joint::plus}, {product_of({opposite, all[2]}), Joint::plus}});
    } else if (function == "norm") {
        if (all.size() == 2 && all[1].kind == Kind::number) {
            which_norm = all[1].name;
            all.pop_back();
            names_norm = true;
        }
        takes(1);
        const auto is_matrix = [&](const Expression& part) {
            return part.kind == Kind::entry && part.indices.empty() &&
                   std::ranges::any_of(model_.quantities_named(part.name),
                                       [&](int q) { return model_.quantity(q).ranges.size() == 2; });
        };
        if (!axis && names_norm && which_norm != "fro" && any_part(all[0], is_matrix))
            throw Error(
                join(begin, end),
                "of a matrix ord=2 is its largest singular value, and ord=1 a largest sum of a column, which are "
                "not read: norm(X) is the root of the sum of squares, abs(X).sum() the sum of sizes");
        if (which_norm == "fro") which_norm = "F";
        if (axis && which_norm == "2")
            e = call_of("sqrt", 0, reduced("sum", power_of(std::move(all[0]), number_of(2))));
        else if (axis && which_norm == "1")
            e = reduced("sum", call_of("abs", 0, std::move(all[0])));
        else if (axis)
            throw Error(of_axis, which_norms);
        else
            e = norm_of(std::move(all[0]), which_norm, join(begin, end));
    } else if (is_clip) {
        takes(1);
        if (!lowest && !highest) throw Error(join(begin, end), "clip takes one bound or two, as in clip(x, 0, 1)");
        const auto extreme = [&](std::string name, Expression bound) {
            Expression bounded = call_of(std::move(name), 0, std::move(all[0]));
            bounded.children.push_back(std::move(bound));
            bounded.span = join(begin, end);
            all[0] = std::move(bounded);
        };
        if (lowest) extreme("max", std::move(*lowest));
        if (highest) extreme("min", std::move(*highest));
        e = std::move(all[0]);
    } else if (function == "slogdet") {
        // Its second part, slogdet(A)[1], or .logabsdet.
        takes(1);
        const bool is_named = peek().is(".") && peek(1).is_word("logabsdet");
        if (!is_named &&
            !(peek().is("[") && peek(1).kind == TokenKind::number && peek(1).number == 1 && peek(2).is("]")))
            throw Error(join(begin, end),
                        "slogdet is a sign and a logarithm: write slogdet(A)[1], or logdet(A), for the logarithm");
        at_ += is_named ? 2 : 3;
        e = call_of("logdet", 0, std::move(all[0]));
    } else if (function == "inner" || function == "vdot") {
        takes(2);
        e = call_of(function == "inner" ? "inner" : std::string(angle_brackets), 0, std::move(all[0]));
        e.children.push_back(std::move(all[1]));
    } else if (of_matrix == "inverse") {
        takes(1);
        e = power_of(all[0], negated(number_of(1)));
    } else if (!of_matrix.empty()) {
        takes(of_matrix == "solve" ? 2 : 1);
        e.kind = Kind::call;
        e.name = of_matrix;
        e.children = std::move(all);
    } else {
        const bool two = function == "outer" || function == "maximum" || function == "minimum";
        takes(two ? 2 : 1);
        e.kind = Kind::call;
        e.name = function == "maximum"    ? "max"
                 : function == "minimum"  ? "min"
                 : function == "absolute" ? "abs"
                 : elementary != nullptr  ? std::string(elementary->name)
                                          : function;
        e.children = std::move(all);
    }
    e.span = join(begin, end);
    if (keeps && axis) return with_kept_axis(std::move(e), *axis, e.span);
    return e;
}

/// The letters of einsum("ij,jk->ik", A, B), and its arrays.
Expression Parser::einsum_of(Span begin) {
    const auto refuse = [&](Span span) {
        throw Error(span,
                    "einsum takes the letters of each array, an arrow, and those of the result, each once: "
                    "einsum(\"ij,jk->ik\", A, B)");
    };
    expect("(", "einsum takes something in brackets");
    const Token typed = next();
    std::string letters = without_quotes(typed.text);
    std::erase(letters, ' ');
    const std::size_t arrow = letters.find("->");
    if (typed.kind != TokenKind::symbol || letters.size() == typed.text.size() || arrow == std::string::npos)
        refuse(typed.span);
    const std::string inputs = letters.substr(0, arrow), output = letters.substr(arrow + 2);
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    for (std::size_t i = 0; i < inputs.size(); ++i)
        if (!is_letter(inputs[i]) && inputs[i] != ',') refuse(typed.span);
    for (std::size_t i = 0; i < output.size(); ++i)
        if (!is_letter(output[i]) || inputs.find(output[i]) == std::string::npos || output.find(output[i]) < i)
            refuse(typed.span);
    Expression e;
    e.kind = Kind::call;
    e.name = std::string(einsum) + letters;
    while (accept(",")) e.children.push_back(expression());
    e.span = join(begin, peek().span);
    expect(")", "a closing ) is missing");
    const auto groups = static_cast<std::size_t>(std::ranges::count(inputs, ',')) + 1;
    if (groups != e.children.size())
        throw Error(e.span, fmt::format("einsum has letters for {} array{}, and {} stand{} here", groups,
                                        groups == 1 ? "" : "s", e.children.size(), e.children.size() == 1 ? "s" : ""));
    return e;
}

/// np.var(x, axis=1), the mean of the squares of what is taken from the mean; np.std its root.
Expression Parser::variance(const std::string& function, bool is_of_torch, Span begin) {
    expect("(", "something in brackets should stand here");
    Expression x = expression();
    std::optional<int> axis;
    bool keeps = false, divides_by_n = !is_of_torch;
    while (accept(",")) {
        if (peek().is_word("keepdims") || peek().is_word("keepdim")) {
            keepdims(keeps);
            continue;
        }
        const Token option = peek(1).is("=") ? next() : peek();
        const bool is_named = accept("=");
        const int sign = accept("-") ? -1 : 1;
        const Token value = next();
        if ((!is_named || option.is_word("axis") || option.is_word("dim")) && value.kind == TokenKind::number)
            axis = sign * static_cast<int>(value.number);
        else if (option.is_word("unbiased") || option.is_word("correction") || option.is_word("ddof"))
            divides_by_n = value.is_word("False") || (value.kind == TokenKind::number && value.number == 0);
        else
            throw Error(option.span, fmt::format("the option {} is not read", option.text));
    }
    const Span span = join(begin, peek().span);
    expect(")", "a closing ) is missing");
    if (!divides_by_n)
        throw Error(span,
                    fmt::format("{} is read where it divides by n, as NumPy's does, and PyTorch's with unbiased=False; "
                                "what divides by n - 1 is written out",
                                function));
    const auto mean = [&](Expression of, bool keeps_axis) {
        Expression e;
        e.kind = Kind::reduce;
        e.name = "mean";
        if (axis) e.order = *axis < 0 ? *axis : *axis + 1;
        e.children = {std::move(of)};
        e.span = span;
        return keeps_axis && axis ? with_kept_axis(std::move(e), *axis, span) : e;
    };
    Expression e = mean(power_of(sum_of(x, mean(x, true), Joint::minus), number_of(2)), keeps);
    if (function == "std") e = call_of("sqrt", 0, std::move(e));
    e.span = span;
    return e;
}

/// X.shape[0] and len(X), which are size(s).
Expression Parser::size_along(const std::string& name, double axis, Span span) const {
    const std::vector<int> named = model_.quantities_named(name);
    if (named.size() != 1 || !(axis < static_cast<double>(model_.quantity(named[0]).ranges.size())))
        throw Error(span, "a size is read as size(k), of a letter, or as X.shape[0], of a name");
    const int range = model_.quantity(named[0]).ranges[static_cast<std::size_t>(axis)];
    Expression size = call_of("size", 0, letter_of(std::ranges::find(model_.letters, range, &Letter::range)->name));
    size.span = span;
    return size;
}

std::optional<Expression> Parser::size_of_axis(const Expression& e) {
    if (!peek().is(".") || !peek(1).is_word("shape") || !peek(2).is("[")) return {};
    const Span span = join(e.span, peek(4).span);
    const Token axis = peek(3);
    const bool is_name = e.kind == Kind::entry && e.indices.empty();
    at_ += 5;
    return size_along(is_name && axis.kind == TokenKind::number && tokens_[at_ - 1].is("]") ? e.name : "", axis.number,
                      span);
}

/// The option keepdims=True, or False.
void Parser::keepdims(bool& keeps) {
    const Token option = next();
    if (!option.is_word("keepdims") && !option.is_word("keepdim"))
        throw Error(option.span, fmt::format("the option {} is not read", option.text));
    expect("=", "an = should stand here");
    const Token value = next();
    if (!value.is_word("True") && !value.is_word("False"))
        throw Error(value.span, fmt::format("{} is True or False", option.text));
    keeps = value.is_word("True");
}

/// What was reduced along an axis, with that axis of length 1.
Expression Parser::with_kept_axis(Expression e, int axis, Span span) {
    if (axis < -2 || axis > 1)
        throw Error(span, "keepdims is read where a matrix is reduced along one of its axes, 0 or 1");
    e = call_of(std::string(axis == 1 || axis == -1 ? new_column : new_row), 0, std::move(e));
    e.span = span;
    return e;
}

}  // namespace derivation
