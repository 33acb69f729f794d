// Updates of states: momentum, and running means of gradients and of their squares.
#pragma once

#include <derivation/read/reader.hpp>
#include <derivation/truth/point.hpp>
#include <vector>

namespace derivation {

/// What a state holds: a m + b g, a m + b g^2, or max(a m, |g|).
enum class Gathers { gradients, squares, largest };

/// What a state becomes, as a formula over the letters of its update.
struct StateUpdate {
    int symbol;             ///< the state
    std::size_t line;       ///< where it is updated
    bool is_right = false;  ///< whether that line holds
    bool is_known = true;   ///< else it may be one of another kind
    Gathers gathers = Gathers::gradients;
    double sign = 1;   ///< with which it gathers gradients
    Expression decay;  ///< the constant that its old value is multiplied by
    Expression next;   ///< as it was typed, over these letters
    std::vector<int> letters;
    Expression gradient;
};

/// Whether a state gathers gradients, with factors that are made of constants. Where it does not, the formulas that may
/// be meant, with the constants of the line.
struct JudgedState {
    StateUpdate state;
    std::vector<Expression> meant;
};
JudgedState judged_state(const Model& model, std::vector<Point>& points, const Line& update);

/// Whether a formula is made of constants alone.
bool is_constant(const Model& model, const Expression& e);

}  // namespace derivation
