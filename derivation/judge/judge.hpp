// Every line against the tape: its verdict, and for a line that does not hold the reason.
#pragma once

#include <cstdint>
#include <derivation/judge/elsewhere.hpp>
#include <derivation/judge/judgement.hpp>
#include <derivation/judge/states.hpp>
#include <derivation/judge/wrong_lines.hpp>
#include <vector>

namespace derivation {

/// Judges the lines of a file in their order: a line may follow from those above it.
class Judge {
  public:
    Judge(Derivation& derivation, std::uint64_t seed);

    Judgement judge(Line& line);

  private:
    friend class LineJudge;

    std::vector<Point> drawn_points();
    std::vector<Point>& positive_points();
    std::vector<Point>& points_of_states();

    Derivation& derivation_;
    std::uint64_t seed_;
    bool letters_noted_ = false;
    std::string over_budget_;  ///< why there are no points, or nothing
    std::vector<Point> points_, positive_points_, points_of_states_;
    WrongLines wrong_lines_;
    std::vector<StateUpdate> states_;
    VariedPoints varied_;
    Elsewhere elsewhere_;
};

}  // namespace derivation
