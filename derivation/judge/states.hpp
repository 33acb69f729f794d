// Updates with states: momentum, Nesterov's, and running means of squared gradients.
#pragma once

#include <derivation/read/reader.hpp>
#include <derivation/truth/point.hpp>
#include <memory>
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

struct JudgedStep {
    bool is_right = false;
    bool climbs = false;
    bool is_corrected = true;  ///< false where only the constants beside its means are others
    Expression meant;          ///< what is right, where it climbs
};

/// The steps of parameters that go by states: p - c m, p - c (g + a m), or p - c m/(sqrt(v) + e), with e below the root
/// too, where v is a running mean of squared gradients, or p - c m/(v + e) where it is the largest of them; beside a
/// divisor a part of p may be taken away. What c, a and e are, the numbers of a line say: where the constants of the
/// file are the same, these are the same.
class StepsByStates {
  public:
    StepsByStates(const Model& model, const std::vector<Point>& points, std::vector<StateUpdate> states);

    JudgedStep judged(const Line& update) const;

    /// Points that share their constants, and differ in everything else; at the `far` ones what a step is divided by is
    /// so large that nothing is left of the step.
    struct Sample {
        Model model;
        std::vector<Point> points, far;
    };

  private:
    const Model& model_;
    std::vector<StateUpdate> states_;
    std::vector<std::unique_ptr<Sample>> samples_;
};

}  // namespace derivation
