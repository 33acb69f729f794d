// One line before the judge.
#pragma once

#include <derivation/judge/descent.hpp>
#include <derivation/judge/judge.hpp>
#include <derivation/judge/steps_by_states.hpp>
#include <derivation/mistakes/diagnosis.hpp>
#include <derivation/truth/sides.hpp>
#include <derivation/truth/target.hpp>
#include <vector>

namespace derivation {

class LineJudge {
  public:
    LineJudge(Judge& judge, Line& line)
        : judge_(judge), model_(judge.derivation_.model), points_(&judge.points_), line_(line) {}

    Judgement run();

  private:
    void judge();
    void claim();
    bool leaves_domain();
    void members();
    void update();
    bool is_step_on_another();
    void update_of_state();
    void update_by_states();
    void update_by_wrong_state(std::vector<StateUpdate> used, std::size_t because_of);
    bool slip_of_step(const std::vector<StateUpdate>& used, const StepsByStates& steps, bool is_corrected);
    void judge_step(const Expression& step);
    void ill_formed();
    void mend();
    void undecided(std::size_t member, std::string reason);
    void remember();
    void depart(Target& target, std::size_t member, const Outcome& outcome);
    void write_worst_entry(const Outcome& outcome);
    void note_what_was_not_shown();
    bool holds_locally(Target& target, const Expression& right);
    std::vector<Point>& near_and_far();
    std::vector<Point> points_at(const std::vector<Missing>& edges);
    std::vector<Point>& at_edges();
    std::vector<Point> at_edges_of(const Expression& repair);
    std::optional<Outcome> departure_at(std::vector<Point>& points, const Expression& left, const Expression& right);
    double share_of_search() const;
    bool departs_elsewhere(const Expression& left);
    bool holds_at_one_size();
    void watch_line(Sides& sides) const;
    Formulas members_of_line() const;
    Diagnosis diagnosis_of(Target& target, std::size_t member);
    bool is_left_side(const std::string& text, std::size_t member);
    bool sums_another_letter(std::size_t member);
    bool blames_left_side(std::size_t member);

    // Printed numbers.
    void printed();
    bool needs_a_number(const Expression& e, std::string& name) const;
    void take_steps(Model& model) const;

    Judge& judge_;
    Model& model_;
    std::vector<Point>* points_;               ///< other ones where a member has no value at the first
    std::optional<std::vector<Point>> edges_;  ///< those of `at_edges`
    Line& line_;
    Rate rate_;  ///< of an update
    Judgement judgement_;
};

}  // namespace derivation
