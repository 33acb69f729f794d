#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/judge/conditions.hpp>
#include <derivation/judge/line_judge.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/lookup.hpp>
#include <derivation/truth/moved_points.hpp>
#include <derivation/truth/one_hot_choices.hpp>
#include <derivation/truth/random_points.hpp>
#include <derivation/truth/sides.hpp>
#include <utility>

namespace derivation {

namespace {

// Of what is left of the budget, for the reason and the repair of one line; and the work in which a plain slip is
// found, which is kept for every line below.
constexpr double share_of_a_search = 0.3, work_for_a_slip = 1e7;

/// A claim about new(w) as the update of w that it speaks of.
Line as_update(const Line& claim) {
    if (claim.is_update || claim.members.size() != 2 || claim.members[0].kind != Kind::entry ||
        claim.members[0].order != 1)
        return claim;
    const Expression& step = claim.checked.members[0];
    const bool is_step = step.kind == Kind::add && step.children.size() == 2 &&
                         step.children[1].kind == Kind::product &&
                         step.children[1].children.back().kind == Kind::derivative;
    if (!is_step) return claim;  // of a state
    Line update = claim;
    update.is_update = true;
    update.loss = step.children[1].children.back().numerator().symbol;
    update.ascends = step.joints[1] == Joint::plus;
    update.members[0].order = 0;
    update.checked.members[0] = Expression(step.children[0]);
    return update;
}

const char* const what_is_smaller = " Smaller sizes of the ranges show the same mistakes.";

}  // namespace

Judgement LineJudge::run() {
    try {
        judge();
        note_what_was_not_shown();
    } catch (const OverBudget& error) {
        // That it is wrong is known before the reason is looked for.
        if (judgement_.verdict == Verdict::wrong) {
            if (judgement_.reason.empty()) judgement_.reason = "Why was not found out.";
            judgement_.reason += fmt::format(" {}", error.what());
            remember();
        } else {
            judgement_ = {};
            undecided(0, error.what() + std::string(what_is_smaller));
        }
    }
    return std::move(judgement_);
}

void LineJudge::judge() {
    if (!line_.too_large.empty())
        undecided(0, "The line has too many terms." + std::string(what_is_smaller));
    else if (line_.fault)
        ill_formed();
    else if (!judge_.over_budget_.empty())
        undecided(0, judge_.over_budget_ + what_is_smaller);
    else if (points_->empty())
        undecided(0,
                  "The definitions have no value anywhere: a logarithm or a root leaves its domain at every point "
                  "that was tried.");
    else if (line_.is_update)
        update();
    else
        claim();
}

/// The kinks and brackets of the line, and of the definitions behind it.
void LineJudge::watch_line(Sides& sides) const { sides.watch_with_definitions(members_of_line()); }

Formulas LineJudge::members_of_line() const {
    Formulas members;
    for (const Expression& member : line_.checked.members) members.push_back(&member);
    return members;
}

/// Kinks of which the points show one side only, and choices of one-hot entries that they do not show: the line was
/// judged without them.
void LineJudge::note_what_was_not_shown() {
    if (line_.fault || points_->empty() || judgement_.verdict == Verdict::wrong) return;
    Sides sides(model_);
    watch_line(sides);
    for (Point& point : *points_) sides.add(point);
    const auto add = [&](const std::string& note) {
        if (std::ranges::find(judgement_.notes, note) == judgement_.notes.end()) judgement_.notes.push_back(note);
    };
    for (const Expression* formula : sides.one_sided())
        add(fmt::format("Only one side of {} could be shown.", to_text(*formula)));
    if (!Choices(model_, {}, members_of_line()).are_all_shown(*points_))
        add("Not all that these one-hot entries may be together could be shown.");
}

void LineJudge::undecided(std::size_t member, std::string reason) {
    judgement_.verdict = Verdict::undecided;
    judgement_.reason = std::move(reason);
    if (member == 0) return;
    judgement_.member = member;
    judgement_.marks.push_back(line_.members[member].span);
}

// ---- what is ill-formed

void LineJudge::ill_formed() {
    judgement_.verdict = Verdict::ill_formed;
    if (!line_.members.empty()) judgement_.member = line_.fault_member;
    judgement_.mistake = line_.fault->mistake;
    judgement_.marks.push_back(line_.fault->span);
    std::string& reason = judgement_.reason;
    reason = line_.fault->what();
    if (reason.starts_with("the ") || reason.starts_with("this ")) reason[0] = 'T';
    if (!reason.ends_with(".")) reason += ".";
    if (line_.fault_member == 0 || points_->empty() || line_.fault_member >= line_.members.size()) return;
    try {
        mend();
    } catch (const IllFormed&) {
        // The left side is at fault too.
    }
}

/// The left side stands, so that the member can be mended.
void LineJudge::mend() {
    std::size_t at = 0;
    line_.checked = check_line(model_, {line_.members[0]}, at);
    if (!line_.checked.arrays && is_of_arrays(model_, line_.members[line_.fault_member])) {
        line_.checked = {};
        return;
    }
    Expression left = line_.checked.members[0];
    if (line_.is_update) {
        if (!line_.loss && left.kind == Kind::entry) line_.loss = default_loss(model_, *left.symbol);
        if (!line_.loss) return;
        const std::vector<int> rates = possible_rates(model_, *line_.loss);
        rate_ = rates.empty() ? Rate{{}, 0.1} : Rate{rates[0]};
        left = true_step(model_, line_, rate_);
    }
    Target target(model_, *points_, left, line_.checked.free);
    const Diagnosis diagnosis = diagnosis_of(target, line_.fault_member);
    if (!diagnosis.repair) return;
    judgement_.repair = diagnosis.repair;
    const std::string& mistake = judgement_.mistake;
    if (mistake == "free-letter" || mistake == "factor-outside-sum" || mistake == "shapes" || mistake == "transposed") {
        judgement_.mistake = diagnosis.mistake;
        judgement_.reason += " " + diagnosis.reason;
    }
}

// ---- claims

void LineJudge::claim() {
    if (line_.printed && (line_.members.size() == 1 || line_.steps > 0)) return printed();
    if (leaves_domain()) points_ = &judge_.positive_points();
    members();
}

/// Whether a logarithm or a root has no value at the points that there are: then others are drawn.
bool LineJudge::leaves_domain() {
    Target target(model_, *points_, line_.checked.members[0], line_.checked.free);
    for (std::size_t m = 1; m < line_.members.size(); ++m)
        if (const Outcome outcome = target.compare(line_.checked.members[m]); !outcome.decided && !outcome.kinked)
            return true;
    return false;
}

void LineJudge::members() {
    Target target(model_, *points_, line_.checked.members[0], line_.checked.free);
    bool decided = true;
    for (std::size_t m = 1; m < line_.members.size(); ++m) {
        const Expression& right = line_.checked.members[m];
        const Outcome outcome = target.compare(right);
        const bool zeros = outcome.all_zero && !is_number(line_.members[0], 0) && !is_number(line_.members[m], 0);
        if (!outcome.decided || zeros) {
            if (decided)
                undecided(m, zeros ? "Both sides are 0 at every point, so that nothing tells this formula from another "
                                     "one, or from a wrong sign: what can be claimed is that it is 0."
                             : outcome.kinked
                                 ? "Every point stands on a kink of relu, abs or max, where there is no derivative."
                                 : "The line has no value: a logarithm, a root or a division leaves its domain at "
                                   "every point that was tried.");
            decided = false;
            continue;
        }
        if (!outcome.equal && !holds_locally(target, right)) return depart(target, m, outcome);
    }
    if (!decided || departs_elsewhere(target.left()) || holds_at_one_size()) return;
    // What was taken wrongly above is set right here.
    judge_.wrong_lines_.set_right(line_.checked.members[0]);
    if (line_.printed) printed();
}

/// Points near and far out: many where several kinks, each of which has shown both sides, may have done so together
/// nowhere; elsewhere a few, where what is small at the others is not.
std::vector<Point>& LineJudge::near_and_far() {
    Sides sides(model_);
    watch_line(sides);
    return judge_.varied_.near_and_far(sides.shown().size() > 1);
}

std::vector<Point> LineJudge::points_at(const std::vector<Missing>& edges) {
    std::vector<Point*> points;
    for (std::vector<Point>* some : {points_, &near_and_far()})
        for (Point& point : *some) points.push_back(&point);
    return points_at_edges(model_, {}, edges, points);
}

/// Points at the edges of the line's kinks and brackets.
std::vector<Point>& LineJudge::at_edges() {
    if (!edges_) {
        Sides sides(model_);
        watch_line(sides);
        edges_ = points_at(sides.edges());
    }
    return *edges_;
}

/// Points at the edges of a repair that the line does not have.
std::vector<Point> LineJudge::at_edges_of(const Expression& repair) {
    Sides its(model_), lines(model_);
    its.watch(repair);
    watch_line(lines);
    std::vector<Missing> edges = its.edges();
    const std::vector<Missing> known = lines.edges();
    std::erase_if(edges, [&](const Missing& edge) {
        return std::ranges::any_of(known, [&](const Missing& one) { return same(*one.formula, *edge.formula); });
    });
    return points_at(edges);
}

/// Where a member clearly departs at these points.
std::optional<Outcome> LineJudge::departure_at(std::vector<Point>& points, const Expression& left,
                                               const Expression& right) {
    Target target(model_, points, left, line_.checked.free);
    std::optional<Outcome> outcome = target.departure(right);
    Expression local = right;
    std::vector<std::string> said;
    if (outcome && target.holds_locally(local, said)) return {};
    return outcome;
}

/// So that many lines that nothing mends leave something for those below.
double LineJudge::share_of_search() const {
    const auto lines = static_cast<double>(std::ranges::count_if(
        judge_.derivation_.lines, [&](const Line& other) { return other.number >= line_.number; }));
    const auto left = static_cast<double>(model_.budget->work_left());
    if (left <= 0) return share_of_a_search;
    const double kept = std::min(work_for_a_slip / left, 0.8 / lines);
    return kept + share_of_a_search * (1 - lines * kept);
}

/// Whether a line that holds departs at more points.
bool LineJudge::departs_elsewhere(const Expression& left) {
    std::optional<Outcome> outcome;
    std::size_t member = 0;
    const auto look = [&] {
        for (std::vector<Point>* points : {&near_and_far(), &at_edges()})
            for (member = 1; member < line_.checked.members.size(); ++member)
                if ((outcome = departure_at(*points, left, line_.checked.members[member]))) {
                    points_ = points;
                    return;
                }
    };
    try {
        const Budget::Part part(*model_.budget, share_of_search());
        look();
    } catch (const OverBudget&) {
        // What the points have shown stands.
    }
    if (!outcome) return false;
    Target target(model_, *points_, left, line_.checked.free);
    depart(target, member, *outcome);
    return true;
}

/// mean(i, w[i]^3) where the file does not say of how many: w[i]^2 is its derivative for three.
bool LineJudge::holds_at_one_size() {
    std::vector<int> ranges;
    try {
        const Budget::Part part(*model_.budget, share_of_search());
        ranges = judge_.elsewhere_.ranges_of_one_size(line_);
    } catch (const OverBudget&) {
        // What the points have shown stands.
    }
    if (ranges.empty()) return false;
    std::vector<std::string> sizes;
    for (const int range : ranges) {
        const auto letter = std::ranges::find_if(
            model_.letters, [&](const Letter& one) { return one.range == range && !one.is_of_array(); });
        sizes.push_back(fmt::format("size({}) = {}", letter->name, model_.range(range).size));
    }
    judgement_.verdict = Verdict::conditional;
    judgement_.condition = listed(sizes);
    judgement_.reason = fmt::format("It holds only where {}, which the file leaves open.", judgement_.condition);
    return true;
}

bool LineJudge::holds_locally(Target& target, const Expression& right) {
    Expression local = right;
    std::vector<std::string> said;
    if (!target.holds_locally(local, said)) return false;
    if (!said.empty()) judgement_.condition = listed(said);
    return true;
}

// ---- updates

void LineJudge::update() {
    if (line_.keeps_state) return update_of_state();
    if (!line_.states.empty()) return update_by_states();
    rate_ = rate_of(model_, *points_, line_);
    if (!is_step_on_another()) judge_step(true_step(model_, line_, rate_));
}

/// A line that names no loss, and is a step on another one than it is taken for.
bool LineJudge::is_step_on_another() {
    const Expression& right = line_.checked.members[1];
    const auto is_step = [&](const Line& line) {
        Target target(model_, *points_, true_step(model_, line, rate_of(model_, *points_, line)), line.checked.free);
        return target.holds(right);
    };
    if (!line_.has_usual_loss || is_step(line_)) return false;
    for (const int loss : possible_losses(model_, *line_.checked.members[0].symbol)) {
        Line other = line_;
        other.loss = loss;
        // Of a part of the loss it is wrong: a regulariser is missing.
        if (loss == line_.loss || depends_on(model_, *line_.loss, loss) || !is_step(other)) continue;
        const std::string &meant = model_.quantity(loss).name, &taken = model_.quantity(*line_.loss).name;
        judgement_.verdict = Verdict::conditional;
        judgement_.member = 1;
        judgement_.marks.push_back(line_.members[1].span);
        judgement_.condition = "on " + meant;
        judgement_.reason =
            fmt::format("It is a step on {0}: where no `on {0}` stands behind it the loss is {1} here.", meant, taken);
        return true;
    }
    return false;
}

/// What is added to a state is the true gradient, or its square, times constants.
void LineJudge::update_of_state() {
    if (line_.counts_steps) {
        judge_.counters_.push_back(*line_.checked.members[0].symbol);
        return;
    }
    points_ = &judge_.points_of_states();
    const JudgedState judged = judged_state(model_, *points_, line_);
    judge_.states_.push_back(judged.state);
    if (judged.state.is_right) return;
    if (judged.state.gradient.kind != Kind::derivative)
        return undecided(0, "The loss depends on nothing that has the shape of this state.");
    if (!judged.state.is_known)
        return undecided(
            1, "This update of a state is none that is known here: a m + b g, a m + b g^2, or max(a m, |g|).");
    std::optional<Judgement> first;
    for (const Expression& meant : judged.meant) {
        judge_step(meant);
        if (judgement_.verdict != Verdict::wrong || judgement_.repair || !judge_.looks_for_reasons_) return;
        if (!first) first = judgement_;
        judgement_ = {};
    }
    judgement_ = *first;
}

/// A parameter that takes its step by states, which are right themselves.
void LineJudge::update_by_states() {
    std::vector<StateUpdate> used;
    for (const StateUpdate& state : judge_.states_) {
        if (std::ranges::find(line_.states, state.symbol) == line_.states.end()) continue;
        std::erase_if(used, [&](const StateUpdate& above) { return above.symbol == state.symbol; });
        used.push_back(state);
    }
    points_ = &judge_.points_of_states();
    for (const StateUpdate& state : used)
        if (!state.is_known)
            return undecided(
                1, fmt::format("It takes its step by the state of line {}, whose update is none that is known here.",
                               state.line));
    for (const StateUpdate& state : used)
        if (!state.is_right) return update_by_wrong_state(std::move(used), state.line);
    const StepsByStates steps(model_, *points_, used, judge_.counters_);
    const JudgedStep judged = steps.judged(line_);
    if (judged.is_right) return;
    if (judged.climbs) return judge_step(judged.meant);
    if (slip_of_step(used, steps, judged.is_corrected)) return;
    if (!judged.is_corrected)
        return undecided(
            1,
            "With other constants it would be a step by these states: a running mean may be divided by 1 - b^n, where "
            "b is the rate at which it forgets, a mean of squares below the root, and nothing else is made "
            "of that rate.");
    const auto is_given_exponent = [&](const Expression& e) {
        if (e.kind != Kind::power || e.exponent().kind != Kind::entry) return false;
        const int n = *e.exponent().symbol;
        return model_.quantity(n).role == Role::given &&
               std::ranges::find(judge_.counters_, n) == judge_.counters_.end();
    };
    if (const Expression* power = first_part(line_.checked.members[1], is_given_exponent))
        return undecided(1,
                         fmt::format("The number of steps, {0}, is given here: it is a constant, or a counter that an "
                                     "update above raises by 1, {0} := {0} + 1.",
                                     power->exponent().name));
    undecided(
        1,
        "This step by states is none that is known here: p - c m, p - c (g + a m), p - c m/(sqrt(v) + e), or p - c "
        "m/(v + e) where v is the largest of the gradients.");
}

/// The line follows from the wrong state where it is a known step by it, as a state that gathers gradients or one that
/// gathers their squares.
void LineJudge::update_by_wrong_state(std::vector<StateUpdate> used, std::size_t because_of) {
    judgement_.member = 1;
    judgement_.marks.push_back(line_.members[1].span);
    judgement_.reason = fmt::format("It takes its step by the state of line {}, which is wrong.", because_of);
    std::vector<StateUpdate*> wrong;
    for (StateUpdate& state : used)
        if (!state.is_right) wrong.push_back(&state);
    constexpr std::size_t most = 2;  // no step that is known goes by more
    constexpr std::array kinds = {Gathers::gradients, Gathers::squares, Gathers::largest};
    const std::size_t choices = wrong.size() == 1 ? kinds.size() : kinds.size() * kinds.size();
    for (std::size_t choice = 0; wrong.size() <= most && choice < choices; ++choice) {
        for (std::size_t i = 0; i < wrong.size(); ++i) {
            wrong[i]->is_right = true;
            wrong[i]->gathers = kinds[(i == 0 ? choice : choice / kinds.size()) % kinds.size()];
        }
        if (!StepsByStates(model_, *points_, used, judge_.counters_).judged(line_).is_right) continue;
        judgement_.verdict = Verdict::follows;
        judgement_.because_of = because_of;
        return;
    }
    judgement_.verdict = Verdict::undecided;
    judgement_.reason += " Beside a right one this step is none that is known here.";
}

/// A step that is none, and would be one with a root more, or if a state gathered squares.
bool LineJudge::slip_of_step(const std::vector<StateUpdate>& used, const StepsByStates& steps, bool is_corrected) {
    const auto is_wrong = [&](const std::string& mistake, const std::string& reason, Span where) {
        judgement_.verdict = Verdict::wrong;
        judgement_.member = 1;
        judgement_.mistake = mistake;
        judgement_.reason = reason;
        judgement_.marks = {line_.members[1].span, where};
        return true;
    };
    for (const auto& new_value : line_.new_values)
        for (const StateUpdate& state : used) {
            const auto& name = new_value.first;
            // Not of a variance, which takes the square of the state away.
            const auto is_name = [&](const Expression& x) { return same(x, name); };
            const auto is_square = [&](const Expression& e) {
                return (e.kind == Kind::power && is_name(e.children[0])) ||
                       (e.kind == Kind::product && std::ranges::count_if(e.children, is_name) > 1);
            };
            const auto is_root_of_it = [&](const Expression& e) {
                return is_call(e, "sqrt") && any_part(e.argument(), is_name) && !any_part(e.argument(), is_square);
            };
            const Expression* root = first_part(line_.members[1], is_root_of_it);
            if (state.gathers != Gathers::gradients || model_.quantity(state.symbol).name != name.name ||
                root == nullptr)
                continue;
            return is_wrong("wrong-power",
                            fmt::format("{} gathers the gradient itself, which may be negative below a root: line {} "
                                        "should gather its square.",
                                        name.name, state.line),
                            first_part(*root, is_name)->span);
        }
    const Budget::Part part(*model_.budget, share_of_search());
    // Beside a rate of forgetting there may be any constant: only the number of steps is surely a slip there.
    std::vector<std::string_view> names = {"number-of-steps", "exchanged-rates"};
    if (is_corrected) names.insert(names.begin(), {"missing-root", "divided-for-times", "old-state", "sign"});
    const std::optional<Edit> edit = edit_of_step(model_, line_, names, [&](const Expression& right) {
        Line other = line_;
        other.checked.members[1] = right;
        return steps.judged(other).is_right;
    });
    if (!edit) return false;
    judgement_.repair = edit->member;
    return is_wrong(edit->mistake, to_text(edit->reason), edit->where);
}

void LineJudge::judge_step(const Expression& step) {
    const Expression& right = line_.checked.members[1];
    Target target(model_, *points_, step, line_.checked.free);
    if (target.holds(right) || holds_locally(target, right)) {
        // A right step says what the gradient is.
        if (!departs_elsewhere(step) && line_.states.empty() && !line_.keeps_state)
            judge_.wrong_lines_.set_right(gradient_of(model_, line_));
        return;
    }
    const Outcome outcome = target.compare(right);
    if (!outcome.decided || (outcome.all_zero && !outcome.equal))
        undecided(0, outcome.kinked ? "Every point stands on a kink, where there is no derivative."
                                    : "The line has no value at any point that was tried.");
    else if (!outcome.equal)
        depart(target, 1, outcome);
}

// ---- where a member departs

void LineJudge::depart(Target& target, std::size_t member, const Outcome& outcome) {
    const Expression right = line_.checked.members[member];
    judgement_.member = member;
    judgement_.expected = outcome.left;
    judgement_.got = outcome.right;
    write_worst_entry(outcome);
    judgement_.marks.push_back(line_.members[member].span);
    if (const auto wrong = judge_.wrong_lines_.that_implies(line_, judge_.varied_, *points_, target.left(), right)) {
        judgement_.verdict = Verdict::follows;
        judgement_.because_of = wrong;
        judgement_.reason =
            fmt::format("It follows from line {}, which is wrong: with what stands there this line is right.", *wrong);
        return;
    }
    const Departure departure{model_, line_, member, target.left(), right, *points_};
    const auto holds_only = [&](const Condition& condition) {
        judgement_.verdict = Verdict::conditional;
        judgement_.condition = condition.name;
        judgement_.reason = condition.sentence;
    };
    if (const auto condition = condition_of(departure, judge_.varied_)) {
        holds_only(*condition);
        if (!condition->is_of_sign || !judge_.looks_for_reasons_) return;
        // A forgotten [a > 0] or sign(a) holds where a is positive: what holds everywhere is said, too.
        const Budget::Part part(*model_.budget, share_of_search());
        judgement_.repair = diagnosis_of(target, member).repair;
        return;
    }
    judgement_.verdict = Verdict::wrong;
    judgement_.condition.clear();
    if (!judge_.looks_for_reasons_) return remember();
    const Budget::Part part(*model_.budget, share_of_search());
    const Diagnosis diagnosis = diagnosis_of(target, member);
    if (diagnosis.mistake == "unknown")
        if (const auto condition = strange_condition_of(departure, judge_.varied_)) return holds_only(*condition);
    if (!diagnosis.repair && (sums_another_letter(member) || blames_left_side(member))) return;
    judgement_.reason = diagnosis.reason;
    judgement_.mistake = diagnosis.mistake;
    judgement_.repair = diagnosis.repair;
    if (diagnosis.span.end > diagnosis.span.begin) judgement_.marks.push_back(diagnosis.span);
    remember();
}

/// Lines below may follow from a wrong one.
void LineJudge::remember() {
    const std::size_t member = judgement_.member.value_or(0);
    if (!line_.is_update && member > 0 && member < line_.checked.members.size())
        judge_.wrong_lines_.add(line_.number, line_.checked.members[0], line_.checked.members[member]);
}

/// A repair is shown where what is printed is read, and holds here and where the file has other numbers.
Diagnosis LineJudge::diagnosis_of(Target& target, std::size_t member) {
    const bool latex = is_latex(judge_.derivation_.source, line_, member);
    const auto left = [&](const Model& model, const Line& line) {
        return line.is_update ? true_step(model, line, rate_) : line.checked.members[0];
    };
    const bool by_states = line_.keeps_state || !line_.states.empty();
    return diagnose(model_, as_update(line_), member, target, [&](const Expression& repair) {
        const std::string text = latex ? to_latex(with_signs(model_, line_, repair)) : to_text(repair);
        if (!is_right(model_, line_, target, text)) return false;
        if (by_states) return true;
        const FreshLetters fresh(model_);
        const Expression checked = checked_member(model_, line_, read_back(model_, text));
        for (std::vector<Point>* points : {&near_and_far(), &at_edges()})
            if (departure_at(*points, target.left(), checked)) return false;
        std::vector<Point> edges = at_edges_of(checked);
        return !departure_at(edges, target.left(), checked) && judge_.elsewhere_.confirms(line_, left, text);
    });
}

/// Whether it can stand on the left of the member: every letter that is free there is free in it, too.
bool LineJudge::is_left_side(const std::string& text, std::size_t member) {
    const FreshLetters fresh(model_);
    try {
        std::size_t at = 0;
        check_line(model_, {read_back(model_, text), line_.members[member]}, at);
        return true;
    } catch (const Error&) {
        return false;
    }
}

/// sum(s, p[s,k]) = 1 for sum(k, p[s,k]) = 1, and means in the same way.
bool LineJudge::sums_another_letter(std::size_t member) {
    const Expression& left = line_.members[0];
    const bool is_sum = left.kind == Kind::reduce && (left.name == "sum" || left.name == "mean") &&
                        left.letters.size() == 1 && left.condition() == nullptr;
    if (!is_sum || line_.members.size() != 2 || line_.members[member].kind != Kind::number) return false;
    for (const int letter : line_.checked.free) {
        Expression other = left;
        other.letters = {{model_.letter(letter).name}};
        const std::string text = is_latex(judge_.derivation_.source, line_, 0) ? to_latex(other) : to_text(other);
        const FreshLetters fresh(model_);
        try {
            std::size_t at = 0;
            const Checked checked = check_line(model_, {read_back(model_, text), line_.members[member]}, at);
            Target target(model_, *points_, checked.members[0], checked.free);
            Target far(model_, near_and_far(), checked.members[0], checked.free);
            if (!target.holds(checked.members[1]) || far.departure(checked.members[1])) continue;
        } catch (const Error&) {
            continue;
        }
        judgement_.member = 0;
        std::swap(judgement_.expected, judgement_.got);
        judgement_.marks = {line_.members[0].span};
        judgement_.reason = fmt::format("The {} on the left runs over the wrong letter: over {} it is {}.", left.name,
                                        other.letters[0].name, to_text(line_.members[member]));
        judgement_.mistake = "wrong-axis";
        judgement_.repair = std::move(other);
        return true;
    }
    return false;
}

/// w - g = a, where a has a definition and what is right begins with w - H^-1 g: the first member is edited, and what
/// it should be equal to stands on the right.
bool LineJudge::blames_left_side(std::size_t member) {
    const auto is_composed = [](const Expression& e) {
        return e.kind == Kind::add || e.kind == Kind::product || e.kind == Kind::call || e.kind == Kind::reduce;
    };
    // Many formulas make a number, so that it says nothing about which was meant.
    const bool has_names = any_part(line_.members[member], [](const Expression& e) { return e.kind == Kind::entry; });
    if (line_.is_update || line_.fault || line_.members.size() != 2 || line_.printed || line_.steps > 0 ||
        !is_composed(line_.members[0]) || !has_names)
        return false;
    const auto right = [member](const Model&, const Line& line) { return line.checked.members[member]; };
    Target target(model_, *points_, line_.checked.members[member], line_.checked.free);
    Line turned = line_;
    std::swap(turned.members[0], turned.members[member]);
    std::swap(turned.checked.members[0], turned.checked.members[member]);
    const bool latex = is_latex(judge_.derivation_.source, line_, 0);
    const Diagnosis diagnosis = diagnose(model_, turned, member, target, [&](const Expression& repair) {
        const std::string text = latex ? to_latex(with_signs(model_, line_, repair)) : to_text(repair);
        return is_left_side(text, member) && is_right(model_, line_, target, text) &&
               judge_.elsewhere_.confirms(line_, right, text);
    });
    if (!diagnosis.repair) return false;
    judgement_.member = 0;
    std::swap(judgement_.expected, judgement_.got);
    judgement_.marks = {line_.members[0].span};
    if (diagnosis.span.end > diagnosis.span.begin) judgement_.marks.push_back(diagnosis.span);
    judgement_.reason = "The left side is at fault. " + diagnosis.reason;
    judgement_.mistake = diagnosis.mistake;
    judgement_.repair = diagnosis.repair;
    return true;
}

void LineJudge::write_worst_entry(const Outcome& outcome) {
    const auto is_used = [&](const std::string& name) {
        return std::ranges::find(judgement_.index, name, &std::pair<std::string, int>::first) != judgement_.index.end();
    };
    for (const int letter : line_.checked.free) {
        std::string name = model_.letter(letter).name;
        if (model_.letter(letter).is_of_array()) {
            // One of the range's letters that no other axis has, or j' beside j.
            std::string unused, first;
            for (const Letter& typed : model_.letters) {
                if (typed.range != model_.letter(letter).range || typed.is_of_array()) continue;
                if (first.empty()) first = typed.name;
                if (unused.empty() && !is_used(typed.name)) unused = typed.name;
            }
            while (is_used(first)) first += "'";
            name = unused.empty() ? first : unused;
        }
        judgement_.index.emplace_back(name, value_of(outcome.letters, letter) + model_.range_of(letter).first);
    }
}

}  // namespace derivation
