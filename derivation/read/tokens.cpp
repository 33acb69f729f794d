#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/characters.hpp>
#include <derivation/formula/elementary.hpp>
#include <derivation/read/latex_commands.hpp>
#include <derivation/read/tokens.hpp>
#include <utility>

namespace derivation {

namespace {

using namespace commands;

constexpr std::size_t most_tokens = 4000;
constexpr int deepest_group = 60;
constexpr std::size_t longest_name = 1000;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number that a text begins with, whatever the program's locale; 0 where there is none, inf where it is too large.
double number_in(std::string_view text) {
    double value = 0;
    fast_float::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

class Lexer {
  public:
    Lexer(std::string_view text, std::vector<std::size_t> places) : text_(text), places_(std::move(places)) {}

    std::vector<Token> run() {
        lex(0, text_.size());
        add(TokenKind::end, "", text_.size(), text_.size());
        return std::move(tokens_);
    }

  private:
    Span span(std::size_t begin, std::size_t end) const {
        return {places_[begin], end > begin ? places_[end - 1] + 1 : places_[begin]};
    }

    void add(TokenKind kind, std::string_view text, std::size_t begin, std::size_t end, double number = 0) {
        if (tokens_.size() >= most_tokens) throw Error(span(begin, end), "this statement is too long");
        const bool spaced = begin > 0 && begin <= text_.size() && (text_[begin - 1] == ' ' || text_[begin - 1] == '\t');
        tokens_.push_back({kind, std::string(text), number, span(begin, end), spaced});
    }
    void symbol(std::string_view text, std::size_t begin, std::size_t end) { add(TokenKind::symbol, text, begin, end); }

    void lex(std::size_t begin, std::size_t end) {
        if (++depth_ > deepest_group) throw Error(span(begin, begin + 1), "the braces are nested too deeply");
        at_ = begin;
        while (at_ < end) one(end);
        --depth_;
    }

    bool blank(char c) const { return c == ' ' || c == '\t' || c == '\r' || c == '$'; }

    void one(std::size_t end) {
        const std::size_t begin = at_;
        const char c = text_[at_];
        const std::string_view rest = text_.substr(at_, end - at_);
        if (blank(c)) {
            ++at_;
        } else if (is_digit(c) || (c == '.' && rest.size() > 1 && is_digit(rest[1]))) {
            number(end);
        } else if (is_letter(c)) {
            word(end);
        } else if (c == '\\') {
            command(end);
        } else if (c == '^') {
            superscript(end);
        } else if (c == '_') {
            ++at_;
            symbol("_", begin, at_);
            if (at_ < end && text_[at_] != '{') group(end);
        } else if (static_cast<unsigned char>(c) >= 0x80) {
            unicode(end);
        } else if (opens_quotes(c)) {
            const std::size_t close = rest.find(c, 1);
            if (close == std::string_view::npos) throw Error(span(begin, begin + 1), "these quotes are never closed");
            at_ += close + 1;
            symbol('"' + std::string(rest.substr(1, close - 1)) + '"', begin, at_);
        } else {
            static constexpr std::array<std::string_view, 15> long_symbols = {
                ".*", ".T", ":=", "<-", "==", "!=", "<=", ">=", "||", "**", "->", "=>", "&&", "&", "\n"};
            std::string_view found;
            for (const std::string_view s : long_symbols)
                if (found.empty() && rest.starts_with(s)) found = s;
            if (found.empty()) found = rest.substr(0, 1);
            at_ += found.size();
            if (found == ".*") return symbol("elementwise", begin, at_);
            if (found == ".T") return symbol("transpose", begin, at_);
            if (found == "**") return symbol("^", begin, at_);
            if (found == "=>") return symbol("implies", begin, at_);
            if (found == "\n") return;
            if (found == "&") {
                if (cases_ > 0) symbol("&", begin, at_);
                return;
            }
            if (found.size() == 1 && std::string_view("+-*/()[]{},=<>~|':@.;").find(found[0]) == std::string_view::npos)
                throw Error(span(begin, at_), fmt::format("the character {} has no meaning here", found));
            symbol(found, begin, at_);
        }
    }

    /// A ' is a prime where a name stands before it.
    bool opens_quotes(char c) const {
        if (c == '"') return true;
        return c == '\'' && !tokens_.empty() &&
               (tokens_.back().is("(") || tokens_.back().is(",") || tokens_.back().is("="));
    }

    void number(std::size_t end) {
        const std::size_t begin = at_;
        const auto digits = [&] {
            while (at_ < end && is_digit(text_[at_])) ++at_;
        };
        digits();
        if (at_ < end && text_[at_] == '.' && !(at_ + 1 < end && (text_[at_ + 1] == '*' || text_[at_ + 1] == 'T'))) {
            ++at_;
            digits();
        }
        if (at_ + 1 < end && (text_[at_] == 'e' || text_[at_] == 'E')) {
            const std::size_t sign = text_[at_ + 1] == '-' || text_[at_ + 1] == '+' ? 1 : 0;
            if (at_ + 1 + sign < end && is_digit(text_[at_ + 1 + sign])) {
                at_ += 1 + sign;
                digits();
            }
        }
        const std::string digits_typed(text_.substr(begin, at_ - begin));
        add(TokenKind::number, digits_typed, begin, at_, number_in(digits_typed));
    }

    /// Letters, digits, underscores, Greek and accents; an underscore before a group or a command ends it.
    void word(std::size_t end) {
        const std::size_t begin = at_;
        std::string name;
        std::string below;
        while (at_ < end) {
            const char c = text_[at_];
            if (is_letter(c) || is_digit(c)) {
                if (!below.empty()) break;
                name += c;
                ++at_;
            } else if (c == '_') {
                if (!below.empty() || at_ + 1 >= end) break;
                const auto next = static_cast<unsigned char>(text_[at_ + 1]);
                if (!is_letter(text_[at_ + 1]) && !is_digit(text_[at_ + 1]) && next != '_' && next < 0x80) break;
                if (next >= 0x80 && character_at(text_.substr(at_ + 1)).kind != CharacterKind::letter) break;
                name += c;
                ++at_;
            } else if (static_cast<unsigned char>(c) >= 0x80) {
                const Character character = character_at(text_.substr(at_));
                if (character.kind == CharacterKind::subscript) {
                    below += character.text;
                } else if (!below.empty()) {
                    break;
                } else if (character.kind == CharacterKind::letter || character.kind == CharacterKind::accent) {
                    name += character.text;
                } else {
                    break;
                }
                at_ += character.length;
            } else {
                break;
            }
        }
        if (!below.empty()) name += "_" + below;
        if (name.size() > longest_name)
            throw Error(span(begin, at_), fmt::format("a name of more than {} letters is not read", longest_name));
        add(TokenKind::word, name, begin, at_);
    }

    /// Characters of this kind that stand in a row here.
    std::string row_of(CharacterKind kind, std::size_t end) {
        std::string text;
        while (at_ < end && static_cast<unsigned char>(text_[at_]) >= 0x80) {
            const Character next = character_at(text_.substr(at_));
            if (next.kind != kind) break;
            text += next.text;
            at_ += next.length;
        }
        return text;
    }

    void unicode(std::size_t end) {
        const std::size_t begin = at_;
        const Character character = character_at(text_.substr(at_));
        switch (character.kind) {
            case CharacterKind::letter:
                return word(end);
            case CharacterKind::superscript: {
                const std::string exponent = row_of(CharacterKind::superscript, end);
                const std::string digits = exponent.substr(exponent[0] == '-' ? 1 : 0);
                if (digits.empty() || !std::ranges::all_of(digits, is_digit))
                    throw Error(span(begin, at_), "the digits of one number should stand above here");
                symbol("^", begin, at_);
                symbol("{", begin, begin);
                if (exponent[0] == '-') symbol("-", begin, at_);
                add(TokenKind::number, digits, begin, at_, number_in(digits));
                return symbol("}", at_, at_);
            }
            case CharacterKind::symbol:
                at_ += character.length;
                if (character.text == "sqrt") return add(TokenKind::word, "sqrt", begin, at_);
                return symbol(character.text, begin, at_);
            case CharacterKind::number:
                at_ += character.length;
                return add(TokenKind::number, character.text, begin, at_, number_in(character.text));
            case CharacterKind::blank:
                at_ += character.length;
                return;
            case CharacterKind::subscript: {
                symbol("_", begin, begin);
                symbol("{", begin, begin);
                const std::string letters = row_of(CharacterKind::subscript, end);
                add(is_digit(letters[0]) ? TokenKind::number : TokenKind::word, letters, begin, at_,
                    number_in(letters));
                return symbol("}", at_, at_);
            }
            default:
                throw Error(span(begin, begin + character.length),
                            fmt::format("the character {} has no meaning here", text_.substr(begin, character.length)));
        }
    }

    void skip_blanks(std::size_t end) {
        while (at_ < end && blank(text_[at_])) ++at_;
    }

    /// The end of the group that opens at `begin`.
    std::size_t closing(std::size_t begin, std::size_t end) const {
        int open = 0;
        for (std::size_t i = begin; i < end; ++i) {
            if (text_[i] == '\\') {
                ++i;
                continue;
            }
            if (text_[i] == '{') ++open;
            if (text_[i] == '}' && --open == 0) return i;
        }
        throw Error(span(begin, begin + 1), "this brace is never closed");
    }

    /// What stands in braces, or one character or command, as tokens between braces.
    void group(std::size_t end, bool braces = true) {
        skip_blanks(end);
        if (at_ >= end) throw Error(span(end, end), "something is missing at the end");
        const std::size_t begin = at_;
        if (braces) symbol("{", begin, begin);
        if (text_[at_] == '{') {
            const std::size_t close = closing(at_, end);
            lex(at_ + 1, close);
            at_ = close + 1;
        } else if (text_[at_] == '\\') {
            command(end);
        } else if (is_digit(text_[at_]) || is_letter(text_[at_])) {
            ++at_;
            const bool digit = is_digit(text_[begin]);
            add(digit ? TokenKind::number : TokenKind::word, text_.substr(begin, 1), begin, at_,
                digit ? text_[begin] - '0' : 0);
        } else {
            one(end);
        }
        if (braces) symbol("}", at_, at_);
    }

    /// What stands below or above a brace is a remark.
    void remark(std::size_t end) {
        skip_blanks(end);
        if (at_ >= end || (text_[at_] != '_' && text_[at_] != '^')) return;
        ++at_;
        skip_blanks(end);
        if (at_ < end && text_[at_] == '{') {
            at_ = closing(at_, end) + 1;
        } else {
            const std::size_t tokens = tokens_.size();
            if (at_ < end) one(end);
            tokens_.resize(tokens);
        }
    }

    /// Whether a condition stands below, as in \mathbf{1}_{k = n}.
    bool has_condition_below(std::size_t end) const {
        if (at_ + 1 >= end || text_[at_] != '_' || text_[at_ + 1] != '{') return false;
        const std::string_view inside = text_.substr(at_ + 2, closing(at_ + 1, end) - at_ - 2);
        return inside.find_first_of("=<>") != std::string_view::npos || inside.find("\\ne") != std::string_view::npos ||
               inside.find("\\ge") != std::string_view::npos || inside.find("\\le") != std::string_view::npos;
    }

    std::string raw_argument(std::size_t end) {
        skip_blanks(end);
        if (at_ >= end || text_[at_] != '{') return {};
        const std::size_t close = closing(at_, end);
        std::string result(text_.substr(at_ + 1, close - at_ - 1));
        at_ = close + 1;
        return result;
    }

    void superscript(std::size_t end) {
        const std::size_t begin = at_++;
        skip_blanks(end);
        std::size_t inner_begin = at_, inner_end = at_, next = at_;
        if (at_ < end && text_[at_] == '{') {
            next = closing(at_, end);
            inner_begin = at_ + 1;
            inner_end = next++;
        } else if (at_ < end && (text_[at_] == '(' || text_[at_] == '[')) {
            const std::size_t close = text_.find(text_[at_] == '(' ? ')' : ']', at_);
            if (close < end) inner_end = next = close + 1;
        } else if (at_ < end && text_[at_] == '\\') {
            next = at_ + 1;
            while (next < end && is_letter(text_[next])) ++next;
            inner_end = next;
        } else if (at_ < end && text_[at_] == 'T' &&
                   (at_ + 1 >= end ||
                    !(is_letter(text_[at_ + 1]) || is_digit(text_[at_ + 1]) || text_[at_ + 1] == '_'))) {
            inner_end = next = at_ + 1;
        }
        std::string inner;
        for (const char c : text_.substr(inner_begin, inner_end - inner_begin))
            if (!blank(c)) inner += c;
        const auto done = [&](std::string_view name) {
            at_ = next;
            symbol(name, begin, at_);
        };
        for (const std::string_view name : {"T", "\\top", "\\intercal", "\\mathsf{T}", "\\mathrm{T}", "\\mathsfT",
                                            "\\mathrmT", "\\mathbf{T}", "\\text{T}", "\\operatorname{T}", "⊤"})
            if (inner == name) return done("transpose");
        for (const std::string_view name : {"*", "\\ast", "\\star", "⋆"})
            if (inner == name || (inner.empty() && text_.substr(at_, end - at_).starts_with(name)))
                throw Error(
                    span(begin, std::max(next, begin + 1)),
                    "a star above is not read: an optimum w^* has a name of its own, as wstar, and a transpose is "
                    "A^T");
        if (at_ < end && text_.substr(at_).starts_with("⊤")) {
            next = at_ + std::string_view("⊤").size();
            return done("transpose");
        }
        if (inner == "\\prime") return done("'");
        if (inner == "\\prime\\prime") {
            symbol("'", begin, next);
            return done("'");
        }
        // W^{[2]T}
        bool transposes = false;
        for (const std::string_view t : {"T", "\\top"})
            if (!transposes && inner.size() > t.size() + 2 && inner.ends_with(t) &&
                (inner[inner.size() - t.size() - 1] == ')' || inner[inner.size() - t.size() - 1] == ']')) {
                inner.resize(inner.size() - t.size());
                transposes = true;
            }
        const bool in_brackets = inner.size() > 2 && ((inner.front() == '(' && inner.back() == ')') ||
                                                      (inner.front() == '[' && inner.back() == ']'));
        if (in_brackets) {
            const std::string layer = inner.substr(1, inner.size() - 2);
            const bool braces = text_[inner_begin - 1] == '{';
            if (layer.size() <= 3 && std::ranges::all_of(layer, is_digit)) {
                at_ = next;
                add(TokenKind::symbol, braces || inner.front() == '[' ? "layer" : "layer?", begin, at_,
                    number_in(layer));
                if (transposes) symbol("transpose", begin, at_);
                return;
            }
            if (inner.front() == '[' || (braces && !layer.empty() && (layer[0] == 'l' || layer[0] == 'L'))) {
                at_ = next;
                symbol("layer " + layer, begin, at_);
                if (transposes) symbol("transpose", begin, at_);
                return;
            }
        }
        if (inner == "l" || inner == "L" || inner.starts_with("l-") || inner.starts_with("l+") ||
            inner.starts_with("L-"))
            throw Error(
                span(begin, next),
                "running layers are read in brackets only, as names: declare W^{(l)} and a^{(l-1)}, or give each "
                "layer a name of its own, W1 and W2");
        symbol("^", begin, begin + 1);
    }

    void command(std::size_t end) {
        const std::size_t begin = at_++;
        std::size_t stop = at_;
        while (stop < end && is_letter(text_[stop])) ++stop;
        const std::string_view name = text_.substr(at_, stop - at_);
        if (name.empty()) {
            const char c = at_ < end ? text_[at_] : ' ';
            if (at_ < end) ++at_;
            if (c == '\\') return symbol("newline", begin, at_);
            if (c == '|') return symbol("||", begin, at_);
            if (c == '{' && is_indicator(end))
                tokens_.back() = {TokenKind::symbol, "indicator", 0, tokens_.back().span};
            if (c == '{' || c == '}') return symbol(c == '{' ? "(" : ")", begin, at_);
            if (c == '(' || c == ')' || c == '[' || c == ']') return;  // \( \) \[ \] around formulas
            if (std::string_view(" ,;:!>&").find(c) == std::string_view::npos)
                throw Error(span(begin, at_), fmt::format("the command \\{} is not read", c));
            return;
        }
        at_ = stop;
        if (const std::string_view letter = greek(name); !letter.empty()) {
            add(TokenKind::word, letter, begin, at_);
        } else if (const std::string_view text = find(symbols_of_commands, name); !text.empty()) {
            symbol(text, begin, at_);
        } else if (name == "underbrace" || name == "overbrace") {
            group(end);
            remark(end);
        } else if (name == "overset" || name == "stackrel") {
            // What stands above a sign is a remark.
            raw_argument(end);
            const std::size_t first = tokens_.size();
            group(end, false);
            if (tokens_.size() != first + 1 || (!tokens_[first].is("=") && !tokens_[first].is("~")))
                throw Error(span(begin, at_), fmt::format("\\{} is read over = only", name));
        } else if (name == "frac" || name == "dfrac" || name == "tfrac" || name == "cfrac") {
            symbol("frac", begin, at_);
            group(end);
            group(end);
        } else if (name == "sqrt") {
            if (at_ < end && text_[at_] == '[')
                throw Error(span(begin, at_ + 1), "of roots \\sqrt{x} is read: write another one as a power, x^{1/3}");
            add(TokenKind::word, "sqrt", begin, at_);
            symbol("(", at_, at_);
            group(end, false);
            symbol(")", at_, at_);
        } else if (const std::string_view accent = find(accents, name); !accent.empty()) {
            const std::size_t first = tokens_.size();
            group(end, false);
            if (tokens_.size() != first + 1 || tokens_[first].kind != TokenKind::word)
                throw Error(span(begin, at_), fmt::format("\\{} is read over a single name", name));
            tokens_[first].text += accent;
            tokens_[first].span = span(begin, at_);
        } else if (std::ranges::find(wrappers, name) != wrappers.end()) {
            wrapper(name, begin, end);
        } else if (has_latex_command(name) || name == "softmax" || name == "tr" || name == "Tr") {
            add(TokenKind::word, name, begin, at_);
        } else if (name == "begin" || name == "end") {
            const std::string environment = raw_argument(end);
            if (environment.ends_with("matrix") || environment == "array")
                throw Error(
                    span(begin, at_),
                    "matrices are not read entry by entry: numbers are given as in `given A[i,j] = [[1, 2], [3, "
                    "4]]`, a formula of several entries has letters");
            if (environment != "cases")
                throw Error(span(begin, at_), fmt::format("\\{}{{{}}} is not read", name, environment));
            cases_ += name == "begin" ? 1 : -1;
            symbol(name == "begin" ? "cases" : "endcases", begin, at_);
        } else if (name == "label" || name == "tag") {
            raw_argument(end);
        } else if (std::ranges::find(ignored, name) != ignored.end()) {
            if (at_ < end && text_[at_] == '.') ++at_;  // \left.
        } else if (const std::string_view reason = find(refused, name); !reason.empty()) {
            throw Error(span(begin, at_), std::string(reason));
        } else {
            throw Error(span(begin, at_), fmt::format("the command \\{} is not read", name));
        }
    }

    /// Whether 1\{ z > 0 \} stands here: a 1 before a brace that holds a condition.
    bool is_indicator(std::size_t end) const {
        if (tokens_.empty() || tokens_.back().kind != TokenKind::number || tokens_.back().text != "1") return false;
        const std::string_view rest = text_.substr(at_, end - at_);
        const std::string_view inside = rest.substr(0, rest.find("\\}"));
        return inside.find_first_of("<>=") != std::string_view::npos ||
               std::ranges::any_of(std::array<std::string_view, 3>{"\\ge", "\\le", "\\ne"},
                                   [&](std::string_view sign) { return inside.find(sign) != std::string_view::npos; });
    }

    void wrapper(std::string_view name, std::size_t begin, std::size_t end) {
        skip_blanks(end);
        if (name == "operatorname" && at_ < end && text_[at_] == '*') ++at_;
        if (name.starts_with("text") || name == "mbox" || name == "operatorname") {
            const std::string content = raw_argument(end);
            std::string kept;
            for (const char c : content)
                if (is_letter(c) || is_digit(c) || c == '_') kept += c;
            const bool is_name = content.find(' ') == std::string::npos;
            if (!is_name && (kept == "forall" || kept == "foreach" || kept == "forevery"))
                return add(TokenKind::symbol, "forall", begin, at_);
            if (kept == "if" || kept == "for" || kept == "when" || kept == "and" || kept.empty()) return;
            return add(is_digit(kept[0]) ? TokenKind::number : TokenKind::word, kept, begin, at_, number_in(kept));
        }
        const std::size_t first = tokens_.size();
        group(end, false);
        if (tokens_.size() != first + 1) return;
        Token& only = tokens_[first];
        const bool double_struck = name == "mathbb" || name == "mathds";
        const char next = at_ < end ? text_[at_] : ' ';
        const bool opens = next == '(' || next == '[' || next == '_' || next == '{' || next == '\\';
        const bool is_indicator = (double_struck && only.text == "1") || (double_struck && only.text == "I" && opens) ||
                                  (only.text == "1" && has_condition_below(end));
        // A bold 1 is a vector of ones.
        const bool is_bold = double_struck || name == "mathbf" || name == "boldsymbol" || name == "bm" || name == "pmb";
        if (is_bold && only.text == "1" && next != '_' && !(double_struck && opens)) {
            only.kind = TokenKind::symbol;
            only.text = "ones";
            return;
        }
        if (!is_indicator && !(double_struck && only.text == "E" && opens)) return;
        only.kind = TokenKind::symbol;
        only.text = is_indicator ? "indicator" : "expectation";
    }

    std::string_view text_;
    std::vector<std::size_t> places_;
    std::size_t at_ = 0;
    int depth_ = 0;
    int cases_ = 0;
    std::vector<Token> tokens_;
};

}  // namespace

namespace {

/// Replaces the macros of the file by what they stand for; every character of that stands where the macro does.
void expand(std::string& text, std::vector<std::size_t>& places, const std::vector<Macro>& macros) {
    constexpr int most_expansions = 400;
    constexpr std::size_t longest = 100000;
    int expansions = 0;
    for (std::size_t at = 0; at < text.size() && !macros.empty(); ++at) {
        if (text[at] != '\\') continue;
        std::size_t stop = at + 1;
        while (stop < text.size() && is_letter(text[stop])) ++stop;
        const std::string name = text.substr(at + 1, stop - at - 1);
        const auto macro = std::ranges::find(macros, name, &Macro::name);
        if (macro == macros.end()) continue;
        const Span span{places[at], places[stop - 1] + 1};
        std::vector<std::string> arguments;
        while (arguments.size() < macro->arguments) {
            while (stop < text.size() && text[stop] == ' ') ++stop;
            if (stop >= text.size()) throw Error(span, fmt::format("\\{} takes {} arguments", name, macro->arguments));
            std::size_t end = stop;
            if (text[stop] == '{') {
                for (int open = 0; end < text.size(); ++end) {
                    open += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
                    if (open == 0) break;
                }
                if (end == text.size()) throw Error(span, "this brace is never closed");
                arguments.push_back(text.substr(stop + 1, end - stop - 1));
            } else {
                if (text[stop] == '\\')
                    while (end + 1 < text.size() && is_letter(text[end + 1])) ++end;
                arguments.push_back(text.substr(stop, end - stop + 1));
            }
            stop = end + 1;
        }
        std::string body = macro->body;
        for (std::size_t i = 0; i + 1 < body.size(); ++i)
            if (body[i] == '#' && is_digit(body[i + 1])) {
                const auto number = static_cast<std::size_t>(body[i + 1] - '1');
                const std::string& argument = number < arguments.size() ? arguments[number] : body.substr(i, 0);
                const std::string copy = argument;
                body.replace(i, 2, copy);
                i += copy.size();
                if (i > 0) --i;
            }
        // A letter behind it would run into a command at its end.
        if (stop < text.size() && is_letter(text[stop])) body += ' ';
        if (++expansions > most_expansions || text.size() + body.size() > longest)
            throw Error(span, fmt::format("the macro \\{} has no end", name));
        text.replace(at, stop - at, body);
        places.erase(places.begin() + static_cast<std::ptrdiff_t>(at),
                     places.begin() + static_cast<std::ptrdiff_t>(stop));
        places.insert(places.begin() + static_cast<std::ptrdiff_t>(at), body.size(), span.begin);
        --at;
    }
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text, const std::vector<Span>& pieces, const std::vector<Macro>& macros) {
    std::string joined;
    std::vector<std::size_t> places;
    for (const Span piece : pieces) {
        if (!joined.empty()) {
            joined += ' ';
            places.push_back(places.back());
        }
        joined += text.substr(piece.begin, piece.end - piece.begin);
        for (std::size_t i = piece.begin; i < piece.end; ++i) places.push_back(i);
    }
    places.push_back(pieces.empty() ? 0 : pieces.back().end);
    expand(joined, places, macros);
    return Lexer(joined, std::move(places)).run();
}

}  // namespace derivation
