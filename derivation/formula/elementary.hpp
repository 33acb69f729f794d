// The functions of the language. Of an elementary one everything that the language knows stands in one row.
#pragma once

#include <derivation/formula/tree.hpp>
#include <span>
#include <string>
#include <string_view>

namespace autograd {
template <class T>
class Variable;
}

namespace derivation {

/// A function of one number with a name of its own.
struct Elementary {
    std::string_view name;
    std::string_view other_name = {};  ///< read as well: ln
    bool latex_command = false;        ///< LaTeX has a command of its name
    bool has_kink = false;             ///< at 0
    bool defines = true;               ///< may stand in `function f = tanh`
    bool is_supposed = true;           ///< tried where a line may hold for one function f only
    bool gives_way = false;            ///< a declared name wins
    bool is_activation = true;         ///< another one's derivative in its place is a mistake that people make

    /// The derivative as people write it, of a call f(x): cos(x), 1/x. None: f'(x).
    Expression (*slope)(const Expression& call) = nullptr;
    /// The same by the value a = f(x): a (1 - a). None: that is no simpler.
    Expression (*slope_by_value)(const Expression& a) = nullptr;

    // The derivative of an order from 0 to 3: of a number, and recorded on a tape.
    double (*on_numbers)(int order, double x) = nullptr;
    autograd::Variable<double> (*on_tape)(int order, autograd::Variable<double> x) = nullptr;
};

std::span<const Elementary> elementary_functions();
/// The row of this name or other name, or nothing.
const Elementary* find_elementary(std::string_view name);

/// The name of a function of a matrix (tr, det, logdet, solve, inverse) that is typed as this word, or nothing. A
/// declared name, and several in a row, win.
std::string_view matrix_function(std::string_view word);
/// Whether the word means nothing where a file declares it: sign, step, sech, norm, dot.
bool gives_way(std::string_view word);
/// Names that every derivation has: the elementary functions, and sum, softmax, size and the like.
bool is_builtin(std::string_view name);
/// Whether LaTeX has a command for the function, as it has for tanh and max.
bool has_latex_command(std::string_view function);
/// The derivative of a call by its argument, as people write it: exp(x), 1/x, f'(x).
Expression slope_of(const Expression& call);

}  // namespace derivation
