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
    /// From here on a wrong line is said to be one, and no more: to find out why is most of the work.
    void stop_looking_for_reasons() { looks_for_reasons_ = false; }

  private:
    friend class LineJudge;

    std::vector<Point> drawn_points();
    std::vector<Point>& positive_points();
    std::vector<Point>& points_of_states();

    Derivation& derivation_;
    std::uint64_t seed_;
    bool letters_noted_ = false;
    bool looks_for_reasons_ = true;
    std::string over_budget_;  ///< why there are no points, or nothing
    std::vector<Point> points_, positive_points_, points_of_states_;
    WrongLines wrong_lines_;
    std::vector<StateUpdate> states_;
    std::vector<int> counters_;  ///< the states that count steps
    VariedPoints varied_;
    Elsewhere elsewhere_;
};

}  // namespace derivation
