#include <algorithm>
#include <array>
#include <derivation/formula/characters.hpp>

namespace derivation {

namespace {

struct Row {
    std::string_view character;
    CharacterKind kind;
    std::string_view text;
};

using enum CharacterKind;

constexpr std::array rows = {
    Row{"α", letter, "alpha"},       Row{"β", letter, "beta"},        Row{"γ", letter, "gamma"},
    Row{"δ", letter, "delta"},       Row{"ε", letter, "epsilon"},     Row{"ϵ", letter, "epsilon"},
    Row{"ζ", letter, "zeta"},        Row{"η", letter, "eta"},         Row{"θ", letter, "theta"},
    Row{"ϑ", letter, "theta"},       Row{"ι", letter, "iota"},        Row{"κ", letter, "kappa"},
    Row{"λ", letter, "lambda"},      Row{"μ", letter, "mu"},          Row{"µ", letter, "mu"},
    Row{"ν", letter, "nu"},          Row{"ξ", letter, "xi"},          Row{"π", letter, "pi"},
    Row{"ρ", letter, "rho"},         Row{"σ", letter, "sigma"},       Row{"τ", letter, "tau"},
    Row{"υ", letter, "upsilon"},     Row{"φ", letter, "phi"},         Row{"ϕ", letter, "phi"},
    Row{"χ", letter, "chi"},         Row{"ψ", letter, "psi"},         Row{"ω", letter, "omega"},
    Row{"Γ", letter, "Gamma"},       Row{"Δ", letter, "Delta"},       Row{"Θ", letter, "Theta"},
    Row{"Λ", letter, "Lambda"},      Row{"Ξ", letter, "Xi"},          Row{"Π", letter, "Pi"},
    Row{"Σ", letter, "Sigma"},       Row{"Φ", letter, "Phi"},         Row{"Ψ", letter, "Psi"},
    Row{"Ω", letter, "Omega"},       Row{"ℓ", letter, "ell"},         Row{"ℒ", letter, "L"},
    Row{"ŷ", letter, "yhat"},        Row{"â", letter, "ahat"},        Row{"ĉ", letter, "chat"},
    Row{"ê", letter, "ehat"},        Row{"ĝ", letter, "ghat"},        Row{"ĥ", letter, "hhat"},
    Row{"î", letter, "ihat"},        Row{"ĵ", letter, "jhat"},        Row{"ô", letter, "ohat"},
    Row{"ŝ", letter, "shat"},        Row{"û", letter, "uhat"},        Row{"ŵ", letter, "what"},
    Row{"ẑ", letter, "zhat"},        Row{"Ŷ", letter, "Yhat"},        Row{"ȳ", letter, "ybar"},
    Row{"ā", letter, "abar"},        Row{"ã", letter, "atilde"},      Row{"\xCC\x82", accent, "hat"},
    Row{"\xCC\x84", accent, "bar"},  Row{"\xCC\x85", accent, "bar"},  Row{"\xCC\x83", accent, "tilde"},
    Row{"₀", subscript, "0"},        Row{"₁", subscript, "1"},        Row{"₂", subscript, "2"},
    Row{"₃", subscript, "3"},        Row{"₄", subscript, "4"},        Row{"₅", subscript, "5"},
    Row{"₆", subscript, "6"},        Row{"₇", subscript, "7"},        Row{"₈", subscript, "8"},
    Row{"₉", subscript, "9"},        Row{"ₐ", subscript, "a"},        Row{"ₑ", subscript, "e"},
    Row{"ₕ", subscript, "h"},        Row{"ᵢ", subscript, "i"},        Row{"ⱼ", subscript, "j"},
    Row{"ₖ", subscript, "k"},        Row{"ₗ", subscript, "l"},        Row{"ₘ", subscript, "m"},
    Row{"ₙ", subscript, "n"},        Row{"ₒ", subscript, "o"},        Row{"ₚ", subscript, "p"},
    Row{"ᵣ", subscript, "r"},        Row{"ₛ", subscript, "s"},        Row{"ₜ", subscript, "t"},
    Row{"ᵤ", subscript, "u"},        Row{"ᵥ", subscript, "v"},        Row{"ₓ", subscript, "x"},
    Row{"¹", superscript, "1"},      Row{"²", superscript, "2"},      Row{"³", superscript, "3"},
    Row{"⁴", superscript, "4"},      Row{"⁵", superscript, "5"},      Row{"⁶", superscript, "6"},
    Row{"⁷", superscript, "7"},      Row{"⁸", superscript, "8"},      Row{"⁹", superscript, "9"},
    Row{"⁰", superscript, "0"},      Row{"⁻", superscript, "-"},      Row{"½", number, "0.5"},
    Row{"ᵀ", symbol, "transpose"},   Row{"⊤", symbol, "top"},         Row{"′", symbol, "'"},
    Row{"’", symbol, "'"},           Row{"∂", symbol, "partial"},     Row{"∇", symbol, "nabla"},
    Row{"∑", symbol, "sum"},         Row{"∏", symbol, "prod"},        Row{"·", symbol, "dot"},
    Row{"⋅", symbol, "dot"},         Row{"×", symbol, "*"},           Row{"∗", symbol, "*"},
    Row{"⊙", symbol, "elementwise"}, Row{"∘", symbol, "elementwise"}, Row{"−", symbol, "-"},
    Row{"–", symbol, "-"},           Row{"≠", symbol, "!="},          Row{"≤", symbol, "<="},
    Row{"≥", symbol, ">="},          Row{"←", symbol, "<-"},          Row{"≔", symbol, ":="},
    Row{"≈", symbol, "~"},           Row{"⊗", symbol, "outer"},       Row{"⟨", symbol, "langle"},
    Row{"⟩", symbol, "rangle"},      Row{"∀", symbol, "forall"},      Row{"∈", symbol, "in"},
    Row{"…", symbol, "dots"},        Row{"≡", symbol, "="},           Row{"⇒", symbol, "implies"},
    Row{"‖", symbol, "||"},          Row{"∥", symbol, "||"},          Row{"𝟙", symbol, "indicator"},
    Row{"√", symbol, "sqrt"},        Row{"\xC2\xA0", blank, ""},      Row{"\xE2\x80\x89", blank, ""},
    Row{"\xEF\xBB\xBF", blank, ""},
};

constexpr std::array<std::string_view, 35> greek_names = {
    "alpha", "beta",   "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",   "lambda", "mu",
    "nu",    "xi",     "pi",    "rho",   "sigma",   "tau",  "phi", "chi",   "psi",  "omega",   "Gamma",  "Delta",
    "Theta", "Lambda", "Xi",    "Pi",    "Sigma",   "Phi",  "Psi", "Omega", "ell",  "upsilon", "Upsilon"};

}  // namespace

Character character_at(std::string_view text) {
    for (const Row& row : rows)
        if (text.starts_with(row.character)) return {row.kind, row.text, row.character.size()};
    const auto c = static_cast<unsigned char>(text[0]);
    return {none, {}, c < 0x80 ? 1u : c < 0xE0 ? 2u : c < 0xF0 ? 3u : 4u};
}

std::string_view greek(std::string_view command) {
    if (command.starts_with("var")) command.remove_prefix(3);
    const auto found = std::ranges::find(greek_names, command);
    return found == greek_names.end() ? std::string_view() : *found;
}

std::size_t first_bad_byte(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
        const unsigned first = byte(0);
        const std::size_t length = first < 0x80                    ? 1
                                   : first >= 0xC2 && first < 0xE0 ? 2
                                   : first >= 0xE0 && first < 0xF0 ? 3
                                   : first >= 0xF0 && first < 0xF5 ? 4
                                                                   : 0;
        if (length == 0 || i + length > text.size() || first == 0) return i;
        for (std::size_t k = 1; k < length; ++k)
            if ((byte(k) & 0xC0) != 0x80) return i;
        // Longer than need be, half of a pair, or beyond the last character.
        if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
            (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F))
            return i;
        i += length;
    }
    return text.size();
}

}  // namespace derivation
