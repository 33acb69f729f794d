// Updates of parameters by states: momentum, Nesterov's, Adam and its relatives.
#pragma once

#include <derivation/judge/states.hpp>
#include <memory>
#include <vector>

namespace derivation {

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
    /// To a step what counts steps is a constant.
    StepsByStates(const Model& model, const std::vector<Point>& points, std::vector<StateUpdate> states,
                  const std::vector<int>& counters);

    JudgedStep judged(const Line& update) const;

    /// Points that share their constants, and differ in everything else; at the `far` ones what a step is divided by is
    /// so large that nothing is left of the step.
    struct Sample {
        Model model;
        std::vector<Point> points, far;
    };

  private:
    Model model_;
    std::vector<StateUpdate> states_;
    std::vector<std::unique_ptr<Sample>> samples_;
};

}  // namespace derivation
