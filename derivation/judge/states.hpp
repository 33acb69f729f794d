// Updates with states: momentum, Nesterov's, and running means of squared gradients.
#pragma once

#include <derivation/read/reader.hpp>
#include <derivation/truth/point.hpp>
#include <optional>
#include <vector>

namespace derivation {

/// What a state becomes, as a formula over the letters of its update.
struct StateUpdate {
    int symbol;             ///< the state
    std::size_t line;       ///< where it is updated
    bool is_right = false;  ///< whether that line holds
    int power = 1;          ///< of the gradient that it gathers
    double sign = 1;        ///< with which it does so
    Expression next;        ///< as it was typed, over these letters
    std::vector<int> letters;
    Expression gradient;
};

/// m := a m + b g^n, with a and b made of constants: of a state that is updated so; `right` is whether the line is one.
/// Where it is none, the formulas that may be meant, with the constants of the line: of the gradient, and of its
/// square.
struct JudgedState {
    StateUpdate state;
    Expression meant, meant_squared;
};
JudgedState judged_state(const Model& model, std::vector<Point>& points, const Line& update);

/// The step of a parameter that goes by states: p - c m, p - c (g + a m), or p - c m/(sqrt(v) + e) with a running mean
/// v of squared gradients. `right` is whether the update is one; `meant` what is where it is none.
struct JudgedStep {
    bool is_right = false;
    bool climbs = false;
    Expression meant;
};
JudgedStep judged_step(const Model& model, std::vector<Point>& points, const Line& update,
                       const std::vector<StateUpdate>& states);

}  // namespace derivation
