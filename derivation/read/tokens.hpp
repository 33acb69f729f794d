// Plain text, Unicode and LaTeX become one stream of tokens, so that everything behind it knows one notation.
#pragma once

#include <derivation/read/source.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace derivation {

enum class TokenKind { number, word, symbol, end };

/// A number, a word (`w`, `delta`, `yhat`, `w_kj`) or a symbol. The symbols with names of their own:
/// `partial`, `nabla`, `frac` (two groups follow), `sum`, `prod`, `dot`, `elementwise`, `transpose`, `layer` (the
/// number of `W^{(1)}`), `layer l-1` (of `W^{(l-1)}`), `indicator`, `cases`, `endcases`, `newline`, `||`, `outer`,
/// `expectation`, `langle`, `rangle`, `forall`, `in`, `dots`, and `"..."` with what stands in quotes.
struct Token {
    TokenKind kind = TokenKind::end;
    std::string text;
    double number = 0;
    Span span;
    bool spaced = false;  ///< a blank stands before it

    bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
    bool is_word(std::string_view word) const { return kind == TokenKind::word && text == word; }
};

/// The tokens of a statement, with one of kind `end` behind them. Throws `Error` for a character or a command that
/// has no meaning here.
std::vector<Token> tokens_of(std::string_view text, const std::vector<Span>& pieces,
                             const std::vector<Macro>& macros = {});

}  // namespace derivation
