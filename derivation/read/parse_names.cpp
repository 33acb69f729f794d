// How the parser reads names with their indices.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <derivation/formula/elementary.hpp>
#include <derivation/read/parser.hpp>
#include <limits>
#include <utility>

namespace derivation {

namespace {

bool all_digits(std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool Parser::all_letters(std::string_view word) const {
    return !word.empty() &&
           std::ranges::all_of(word, [&](char c) { return model_.is_letter(std::string_view(&c, 1)); });
}

/// Whether the word is a declared name, or one with letters below it: `w_kj`.
bool Parser::is_indexed_name(std::string_view word) const {
    if (model_.has(word) || is_builtin(word)) return true;
    for (std::size_t i = word.rfind('_'); i != std::string_view::npos && i > 0; i = word.rfind('_', i - 1)) {
        const std::string_view rest = word.substr(i + 1);
        if (model_.is_quantity(word.substr(0, i)) && (model_.is_letter(rest) || all_letters(rest) || all_digits(rest)))
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
    if (is_matrix_function()) return;  // tr(A), though there are t and r
    // x_iw: an index is one character, as in TeX, where no longer reading has a meaning.
    if (const std::size_t below = token.text.find('_');
        below != std::string::npos && below > 0 && below + 2 < token.text.size() &&
        model_.is_quantity(token.text.substr(0, below)) && all_letters(token.text.substr(below + 1, 1)) &&
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
    if (model_.is_letter(word) || !all_letters(word)) {
        if (all_digits(word)) {
            indices.push_back({{}, std::atoi(word.c_str()), span});
        } else {
            indices.push_back({{{word}}, 0, span});
        }
        return;
    }
    for (const char c : word) indices.push_back({{{std::string(1, c)}}, 0, span});
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
            } else if (token.is("dot") || token.is(":") || token.is("*") || token.is("dots")) {
                throw Error(token.span,
                            "an index is a letter or a number: for a whole row, W[k,i] has a letter that runs over it");
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
        if (peek().is("dot") || peek().is("*"))
            fail("an index is a letter or a number: for a whole row, W[k,i] has a letter that runs over it");
        if (close == "}" && (peek().kind == TokenKind::word || peek().kind == TokenKind::number)) continue;
        expect(",", fmt::format("a comma or {} should follow an index", close));
    }
}

/// The (i) of x^{(i)}, where i is a letter.
std::optional<Index> Parser::accept_upper_index() {
    const bool is_running = peek().text.starts_with("layer ") && model_.is_letter(peek().text.substr(6));
    const std::size_t brace = peek(1).is("{") ? 1 : 0;
    const bool is_letter = peek().is("^") && peek(1 + brace).is("(") && model_.is_letter(peek(2 + brace).text) &&
                           peek(3 + brace).is(")") && (brace == 0 || peek(4 + brace).is("}"));
    if (!is_running && !is_letter) return {};
    Index index = index_of(is_running ? peek().text.substr(6) : peek(2 + brace).text);
    index.span = peek().span;
    at_ += is_running ? 1 : 4 + 2 * brace;
    return index;
}

/// The indices of x_j^{(i)}: which stands first, the ranges of its declaration say.
std::vector<Index> Parser::with_upper(const std::string& name, std::vector<Index> upper, std::vector<Index> lower,
                                      Span span) const {
    std::vector<Index> upper_first = upper, lower_first = lower;
    upper_first.insert(upper_first.end(), lower.begin(), lower.end());
    lower_first.insert(lower_first.end(), upper.begin(), upper.end());
    const auto is_declared = [&](const std::vector<Index>& indices) {
        return std::ranges::any_of(model_.quantities_named(name), [&](int q) {
            const std::vector<int>& ranges = model_.quantity(q).ranges;
            return std::ranges::equal(ranges, indices, [&](int range, const Index& index) {
                const std::optional<int> letter =
                    index.terms.empty() ? std::nullopt : model_.find_letter(index.terms[0].name);
                return index.is_number() || (letter && model_.letter(*letter).range == range);
            });
        });
    };
    const bool second = is_declared(lower_first);
    if (!lower.empty() && second && is_declared(upper_first))
        throw Error(
            span,
            fmt::format("the index above may be the first of {0} or its last: write {0}[i,j], all in brackets", name));
    return second ? lower_first : upper_first;
}

/// Reads what stands below a name, beside it in brackets, and the layer above it; returns the name.
std::string Parser::subscript(Expression& entry, std::string name, bool declares) {
    std::string layer;
    std::vector<Index> upper;
    while (true) {
        if (peek().text.starts_with("layer ") && (model_.is_quantity(name + "^{(" + peek().text.substr(6) + ")}") ||
                                                  (declares && !model_.is_letter(peek().text.substr(6))))) {
            layer = "^{(" + peek().text.substr(6) + ")}";
            entry.span = join(entry.span, next().span);
        } else if (std::optional<Index> index = accept_upper_index()) {
            upper.push_back(std::move(*index));
            entry.span = join(entry.span, tokens_[at_ - 1].span);
        } else if (peek().text.starts_with("layer ")) {
            throw Error(peek().span,
                        fmt::format("running layers are read as names that are declared so, and {0}^{{({1})}} is not: "
                                    "declare it, or give each layer a name of its own, {0}1 and {0}2",
                                    name, peek().text.substr(6)));
        } else if (peek().is("_") && peek(1).is("{") && (peek(2).is("+") || peek(2).is("-")) && peek(3).is("}")) {
            throw Error(
                join(entry.span, peek(2).span),
                "a sign below a name may be its positive part, max(0, x), or its next value, new(x): write that");
        } else if (peek().is("_") && peek(1).is("{") && entry.indices.empty()) {
            const Token inner = peek(2);
            const bool single = inner.kind != TokenKind::end && peek(3).is("}");
            const std::string longer = name + "_" + inner.text;
            const bool text =
                inner.kind == TokenKind::word && !model_.is_letter(inner.text) && !all_letters(inner.text);
            const bool names_it = model_.is_quantity(longer) || text || (declares && inner.kind == TokenKind::number);
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
                    (declares || model_.is_quantity(name + peek().text + fmt::format("{}", peek().number)) ||
                     model_.is_quantity(name + fmt::format("{}", peek().number))))) {
            if (peek().is("layer") && !declares && !model_.is_quantity(name + fmt::format("{}", peek().number)) &&
                model_.is_quantity(name) && peek().text == "layer") {
                break;
            }
            layer = fmt::format("{}", peek().number);
            entry.span = join(entry.span, next().span);
        } else if (peek().is("[") && entry.indices.empty() && name != "1") {
            if (is_condition(std::numeric_limits<int>::max()) || is_slice()) break;
            next();
            entry.indices = indices_until("]");
            entry.span = join(entry.span, tokens_[at_ - 1].span);
        } else {
            break;
        }
    }
    if (!upper.empty()) entry.indices = with_upper(name + layer, std::move(upper), entry.indices, entry.span);
    return name + layer;
}

bool Parser::accept_change() {
    const Token token = peek();
    constexpr std::string_view delta = "Delta";
    if (token.kind != TokenKind::word || !token.text.starts_with(delta) || is_indexed_name(token.text)) return false;
    if (token.text == delta) {
        if (peek(1).kind != TokenKind::word) return false;
        next();
        return true;
    }
    const std::string rest = token.text.substr(delta.size());
    if (!is_indexed_name(rest)) return false;
    tokens_[at_].text = rest;
    return true;
}

std::vector<Letter> primed_letters(const Model& model, const std::vector<Token>& tokens) {
    std::vector<Letter> found;
    int open = 0;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        const Token& token = tokens[i];
        open += token.is("(") || token.is("[") || token.is("{")   ? 1
                : token.is(")") || token.is("]") || token.is("}") ? -1
                                                                  : 0;
        if (open == 0 || token.kind != TokenKind::word || model.has(token.text)) continue;
        std::string name = token.text;
        // Of several letters in a row it is the last one's.
        if (!model.is_letter(name) && i > 0 && tokens[i - 1].is("{")) name = name.substr(name.size() - 1);
        const std::optional<int> letter = model.find_letter(name);
        if (!letter) continue;
        for (std::size_t k = i + 1; k < tokens.size() && tokens[k].is("'") && !tokens[k].spaced; ++k) name += '\'';
        const bool is_known = name.back() != '\'' || model.has(name) || model.is_letter(name) ||
                              std::ranges::find(found, name, &Letter::name) != found.end();
        if (!is_known) found.push_back({name, model.letter(*letter).range});
    }
    return found;
}

std::vector<Token> with_primed_letters(const Model& model, std::vector<Token> tokens) {
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        if (tokens[i].kind != TokenKind::word || !tokens[i + 1].is("'") || tokens[i + 1].spaced) continue;
        std::string name = tokens[i].text, before;
        if (model.has(name)) continue;
        if (!model.is_letter(name) && i > 0 && tokens[i - 1].is("{")) {
            before = name.substr(0, name.size() - 1);
            name = name.substr(name.size() - 1);
        }
        std::size_t end = i + 1;
        for (; tokens[end].is("'") && !tokens[end].spaced; ++end) name += '\'';
        if (!model.is_letter(name) && !(before.empty() && model.has(name))) continue;
        const auto at = [&](std::size_t k) { return tokens.begin() + static_cast<std::ptrdiff_t>(k); };
        Token letter = tokens[i];
        letter.text = name;
        letter.span = join(tokens[i].span, tokens[end - 1].span);
        tokens.erase(at(i + 1), at(end));
        tokens[i].text = before;
        if (before.empty())
            tokens[i] = letter;
        else
            tokens.insert(at(i + 1), letter);
    }
    return tokens;
}

std::vector<Token> without_remarks(const Model& model, std::vector<Token> tokens) {
    const Token end = tokens.back();
    tokens.pop_back();
    const auto cut = [&](std::size_t at) {
        while (at > 0 && (tokens[at - 1].is(",") || tokens[at - 1].is(".") || tokens[at - 1].is(";"))) --at;
        tokens.resize(at);
    };
    int open = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const Token& token = tokens[i];
        if (token.is("(") || token.is("[") || token.is("{")) ++open;
        if (token.is(")") || token.is("]") || token.is("}")) --open;
        if (open != 0) continue;
        if (token.is("forall")) {
            cut(i);
            break;
        }
        // , k = 1, ..., K and , k in {1, ..., K}
        const bool quantifies =
            token.is(",") && i + 2 < tokens.size() && tokens[i + 1].kind == TokenKind::word &&
            model.is_letter(tokens[i + 1].text) &&
            (tokens[i + 2].is("in") || (tokens[i + 2].is("=") && std::ranges::any_of(tokens, [](const Token& t) {
                                            return t.is("dots") || t.is(".");
                                        })));
        if (quantifies) {
            cut(i);
            break;
        }
    }
    // (chain rule): words in brackets behind the formula, none of which is declared. (p_s - t_s) are no words.
    if (tokens.size() > 3 && (tokens.back().is(")") || tokens.back().is("]"))) {
        std::size_t begin = tokens.size() - 1;
        while (begin > 0 &&
               (tokens[begin - 1].kind == TokenKind::word || tokens[begin - 1].is("-") || tokens[begin - 1].is(",")))
            --begin;
        const std::string_view open_bracket = tokens.back().is(")") ? "(" : "[";
        bool words =
            begin > 1 && tokens[begin - 1].is(open_bracket) && tokens[begin - 1].spaced && begin + 1 < tokens.size();
        std::size_t long_words = 0;
        for (std::size_t i = begin; words && i + 1 < tokens.size(); ++i) {
            words = !model.has(tokens[i].text) && !model.is_letter(tokens[i].text) &&
                    tokens[i].text.find_first_of("_0123456789") == std::string::npos;
            long_words += tokens[i].text.size() > 2;
        }
        if (words && long_words > 0) tokens.resize(begin - 1);
    }
    if (!tokens.empty() && (tokens.back().is(",") || tokens.back().is(".") || tokens.back().is(";")))
        cut(tokens.size());
    tokens.push_back(end);
    return tokens;
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
            const bool letters = model_.is_letter(rest) || all_letters(rest);
            const bool fits = letters || (all_digits(rest) && !declares && model_.is_quantity(base.substr(0, i)));
            if (fits && (model_.is_quantity(base.substr(0, i)) || base.find('_') == i)) {
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
    const std::size_t before_primes = at_;
    const std::string without_primes = base;
    const Span span_without_primes = entry.span;
    while (peek().is("'") && !peek().spaced) {
        base += "'";
        entry.span = join(entry.span, next().span);
    }
    // x' is x transposed where it is no name and x is an array.
    const std::vector<int> arrays = model_.quantities_named(without_primes);
    const bool is_array = !arrays.empty() && entry.indices.empty() &&
                          std::ranges::none_of(arrays, [&](int q) { return model_.quantity(q).ranges.empty(); });
    if (!declares && at_ > before_primes && !model_.has(base) && is_array && !peek().is("[") && !peek().is("_")) {
        at_ = before_primes;
        base = without_primes;
        entry.span = span_without_primes;
    }
    if (!declares && peek().is("(") && base.ends_with('\'') && !model_.has(base) && model_.is_quantity(without_primes))
        throw Error(entry.span,
                    fmt::format("{0} is no function, and has no {1}: a derivative is d{0}/dx", without_primes, base));
    // Neither is said of an array that a line below defines.
    const auto never_declared = [&](const std::string& name, const std::string& sentence) {
        IllFormed error(entry.span, sentence, "undeclared");
        error.undeclared = name;
        throw error;
    };
    // h_u and L_{z_k}
    const std::size_t below = base.find('_');
    const bool has_group = below == std::string::npos && peek().is("_") && peek(1).is("{");
    const std::string of = base.substr(0, below);
    const std::string variable = has_group ? peek(2).text : below == std::string::npos ? "" : base.substr(below + 1);
    const bool may_be_derivative = (model_.is_quantity(of) && entry.indices.empty()) || (of == "D" && !model_.has("D"));
    if (!declares && may_be_derivative && !variable.empty() && !model_.has(of + "_" + variable) &&
        !model_.is_letter(variable) && !model_.is_function(variable) && !is_builtin(variable) &&
        is_indexed_name(variable))
        never_declared(of + "_" + variable,
                       fmt::format("{0}_{1} was never declared, and {1} is no letter: a derivative is d{2}/d{1}", of,
                                   variable, of == "D" ? "f" : of));
    entry.name = subscript(entry, base, declares);
    if (!declares && entry.name.ends_with("_new") && !model_.has(entry.name))
        if (const std::string old = entry.name.substr(0, entry.name.size() - 4); model_.is_quantity(old))
            never_declared(
                entry.name,
                fmt::format("{0} was never declared: the value after a step is new({1}), and the step a line of "
                            "its own, update {1} := ...",
                            entry.name, old));
    return entry;
}

}  // namespace derivation
