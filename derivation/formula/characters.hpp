// What single characters beyond ASCII stand for.
#pragma once

#include <string_view>

namespace derivation {

enum class CharacterKind {
    none,
    letter,       ///< part of a word: `text` is how it is typed in ASCII
    accent,       ///< appended to the word before it
    subscript,    ///< as after `_`
    superscript,  ///< as after `^`
    symbol,       ///< the token's name
    number,
    blank,
};

struct Character {
    CharacterKind kind = CharacterKind::none;
    std::string_view text;
    std::size_t length = 1;  ///< bytes
};

/// The character at the beginning of valid UTF-8 text.
Character character_at(std::string_view text);

/// The byte where the text stops being UTF-8, or is a NUL; or its size.
std::size_t first_bad_byte(std::string_view text);

/// The ASCII name of a Greek letter's LaTeX command (`varepsilon` is epsilon), or nothing.
std::string_view greek(std::string_view command);

}  // namespace derivation
