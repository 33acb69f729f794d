// LaTeX's commands, by what they are to a derivation.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace derivation::commands {

using Pair = std::pair<std::string_view, std::string_view>;

template <std::size_t n>
std::string_view find(const std::array<Pair, n>& table, std::string_view key) {
    const auto found = std::ranges::find(table, key, &Pair::first);
    return found == table.end() ? std::string_view() : found->second;
}

inline constexpr std::array symbols_of_commands = {
    Pair{"cdot", "dot"},
    Pair{"times", "*"},
    Pair{"ast", "*"},
    Pair{"odot", "elementwise"},
    Pair{"circ", "elementwise"},
    Pair{"partial", "partial"},
    Pair{"nabla", "nabla"},
    Pair{"sum", "sum"},
    Pair{"prod", "prod"},
    Pair{"leftarrow", "<-"},
    Pair{"gets", "<-"},
    Pair{"coloneqq", ":="},
    Pair{"approx", "~"},
    Pair{"simeq", "~"},
    Pair{"ne", "!="},
    Pair{"neq", "!="},
    Pair{"le", "<="},
    Pair{"leq", "<="},
    Pair{"ge", ">="},
    Pair{"geq", ">="},
    Pair{"lt", "<"},
    Pair{"gt", ">"},
    Pair{"Rightarrow", "implies"},
    Pair{"implies", "implies"},
    Pair{"Longrightarrow", "implies"},
    Pair{"therefore", "implies"},
    Pair{"top", "top"},
    Pair{"intercal", "top"},
    Pair{"prime", "'"},
    Pair{"lVert", "||"},
    Pair{"rVert", "||"},
    Pair{"Vert", "||"},
    Pair{"vert", "|"},
    Pair{"lvert", "|"},
    Pair{"rvert", "|"},
    Pair{"mid", "|"},
    Pair{"lbrack", "["},
    Pair{"rbrack", "]"},
    Pair{"colon", ":"},
    Pair{"equiv", "="},
    Pair{"triangleq", "="},
    Pair{"oslash", "/"},
    Pair{"otimes", "outer"},
    Pair{"forall", "forall"},
    Pair{"in", "in"},
    Pair{"dots", "dots"},
    Pair{"ldots", "dots"},
    Pair{"cdots", "dots"},
    Pair{"langle", "langle"},
    Pair{"rangle", "rangle"},
};

inline constexpr std::array accents = {Pair{"hat", "hat"},      Pair{"widehat", "hat"}, Pair{"bar", "bar"},
                                       Pair{"overline", "bar"}, Pair{"tilde", "tilde"}, Pair{"widetilde", "tilde"}};

inline constexpr std::array<std::string_view, 20> wrappers = {
    "mathbf", "mathrm", "mathit", "mathsf", "boldsymbol", "bm",   "mathcal",   "vec",     "text", "operatorname",
    "textrm", "textbf", "textit", "mathbb", "mathds",     "mbox", "underline", "mathscr", "pmb",  "mathtt"};

inline constexpr std::array<std::string_view, 26> ignored = {
    "blacksquare", "square",   "qed",          "Box",       "left",     "right", "big",    "Big",  "bigl",
    "bigr",        "Bigl",     "Bigr",         "bigg",      "Bigg",     "biggl", "biggr",  "quad", "qquad",
    "limits",      "nolimits", "displaystyle", "textstyle", "nonumber", "notag", "middle", "Biggr"};

inline constexpr std::array refused = {
    Pair{"int", "integrals are not read: name the function that the integral is"},
    Pair{"infty",
         "infinity is not read: a sum runs over a letter whose range has a size, and the largest entry of x is "
         "max(abs(x))"},
    Pair{"lim", "limits are not read: state the derivative that the limit is"},
    Pair{"dot", "derivatives by time are written dA/dB"},
    Pair{"ddot", "derivatives by time are written d2A/dB^2"},
    Pair{"arg",
         "the place of a maximum is not read, as it has no derivative: write the value there, as in max(k, z[k])"},
    Pair{"argmax",
         "the place of a maximum is not read, as it has no derivative: write the value there, as in max(k, z[k])"},
    Pair{"argmin",
         "the place of a minimum is not read, as it has no derivative: write the value there, as in min(k, z[k])"},
    Pair{"dagger", "a dagger is not read: write A^T for the transpose, A^{-1} for the inverse of a square matrix"},
    Pair{"pm", "a sign that is both is not read: write a line for each"},
    Pair{"mp", "a sign that is both is not read: write a line for each"},
    Pair{"binom", "binomial coefficients are not read: write the number, or the products that it is"},
    Pair{"Pr", "probabilities of events are not read: write the sum or the mean that it is"},
    Pair{"oplus", "the sign is not read: write + for a sum"},
    Pair{"propto", "in proportion to is not read: write = with the factor"},
    Pair{"to", "limits are not read: state the derivative that the limit is"},
    Pair{"mapsto", "a function is declared by `function f`, and given by `let y = ...`"},
    Pair{"iff", "each side is a line of its own: a claim says that something = something"},
    Pair{"arctan", "inverse functions are not read: `function f` is any smooth function"},
    Pair{"arcsin", "inverse functions are not read: `function f` is any smooth function"},
    Pair{"arccos", "inverse functions are not read: `function f` is any smooth function"},
    Pair{"lfloor", "rounding is not read, as it has no derivative"},
    Pair{"lceil", "rounding is not read, as it has no derivative"},
    Pair{"Leftrightarrow", "each side is a line of its own: a claim says that something = something"},
};

}  // namespace derivation::commands
