// Updates with states: momentum, Nesterov's, and running means of squared gradients.
#pragma once

#include <derivation/read/reader.hpp>
#include <derivation/truth/point.hpp>
#include <memory>
#include <vector>

namespace derivation {

/// What a state becomes, as a formula over the letters of its update.
struct StateUpdate {
    int symbol;             ///< the state
    std::size_t line;       ///< where it is updated
    bool is_right = false;  ///< whether that line holds
    int power = 1;          ///< of the gradient that it gathers
    double sign = 1;        ///< with which it does so
    Expression decay;       ///< the constant that its old value is multiplied by
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

struct JudgedStep {
    bool is_right = false;
    bool climbs = false;
    bool is_corrected = true;  ///< false where only the constants beside its means are others
    Expression meant;          ///< what is right, where it climbs
};

/// The steps of parameters that go by states: p - c m, p - c (g + a m), or p - c m/(sqrt(v) + e), and with e below the
/// root, where v is a running mean of squared gradients. What c, a and e are, the numbers of a line say: where the
/// constants of the file are the same, these are the same.
class StepsByStates {
  public:
    StepsByStates(const Model& model, const std::vector<Point>& points, std::vector<StateUpdate> states);

    JudgedStep judged(const Line& update) const;

    /// Points that share their constants, and differ in everything else.
    struct Sample {
        Model model;
        std::vector<Point> points;
    };

  private:
    const Model& model_;
    std::vector<StateUpdate> states_;
    std::vector<std::unique_ptr<Sample>> samples_;
};

}  // namespace derivation
