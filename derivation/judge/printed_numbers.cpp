// Lines with printed numbers: a worked example, before and after steps of descent.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/judge/line_judge.hpp>
#include <derivation/resolve/dependence.hpp>
#include <limits>
#include <utility>

namespace derivation {

/// Whether the formula depends on something that has no number in the example.
bool LineJudge::needs_a_number(const Expression& e, std::string& name) const {
    for (int q = 0; q < model_.count(); ++q) {
        const Quantity& quantity = model_.quantity(q);
        if (quantity.role == Role::definition || !quantity.worked.empty() || !quantity.values.empty() ||
            !depends_on(model_, e, q))
            continue;
        name = model_.signature(quantity);
        return true;
    }
    for (int f = 0; f < static_cast<int>(model_.functions.size()); ++f) {
        if (!model_.function(f).definition.empty() || !calls(model_, e, f)) continue;
        name = model_.function(f).name;
        return true;
    }
    return false;
}

/// Takes true steps of all parameters that have an update, together, from the numbers of the worked example.
void LineJudge::take_steps(Model& model) const {
    struct Step {
        Expression entry, next;
        std::vector<int> free;
    };
    std::vector<Step> all;
    for (const Line& line : judge_.derivation_.lines)
        if (line.is_update && !line.fault)
            // States, and what goes by them, are taken as they stand.
            all.push_back({line.checked.members[0],
                           line.keeps_state || !line.states.empty()
                               ? line.checked.members[1]
                               : true_step(model_, line, rate_of(model_, *points_, line)),
                           line.checked.free});
    for (int i = 0; i < line_.steps; ++i) {
        Point point = worked_point(model, judge_.seed_);
        std::vector<std::pair<int, std::vector<double>>> next;
        for (const Step& step : all) {
            const Quantity& quantity = model.quantity(step.entry);
            std::vector<double> values = quantity.worked.empty() ? quantity.values : quantity.worked;
            if (values.empty()) continue;
            Evaluator evaluator(model, point);
            for_each_entry(model, step.free, evaluator.letters, [&] {
                if (const auto place = place_of(model, step.entry, evaluator.letters))
                    values[*place] = evaluator(step.next);
                return true;
            });
            next.emplace_back(*step.entry.symbol, std::move(values));
        }
        for (auto& [parameter, values] : next) model.quantity(parameter).worked = std::move(values);
    }
}

void LineJudge::printed() {
    const std::size_t member = line_.members.size();
    const Expression& left = line_.checked.members[0];
    const Parser::Numbers& numbers = *line_.printed;
    std::string missing;
    if (needs_a_number(left, missing)) {
        judgement_.verdict = Verdict::ill_formed;
        judgement_.member = member;
        judgement_.mistake = "missing-number";
        judgement_.reason = fmt::format("{} has no number: `at {} = ...` gives it one.", missing, missing);
        judgement_.marks.push_back(numbers.span);
        return;
    }
    Model model = model_;
    if (line_.steps > 0) take_steps(model);
    Point point = worked_point(model, judge_.seed_);
    Evaluator evaluator(model, point);
    std::size_t entry = 0;
    double worst = 1;
    bool finite = true;
    for_each_entry(model, line_.checked.free, evaluator.letters, [&] {
        const double value = evaluator(left);
        const std::size_t i = numbers.values.size() == 1 ? 0 : entry;
        ++entry;
        finite = finite && std::isfinite(value);
        // A little more than half a unit: the last digit may have been rounded either way.
        const double error =
            std::abs(value - numbers.values[i]) / (numbers.tolerances[i] * (1 + 1e-6) + 1e-12 * std::abs(value));
        if (error <= worst) return true;
        worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;  // of a number beyond a double's
        judgement_.verdict = Verdict::wrong;
        judgement_.member = member;
        judgement_.expected = value;
        judgement_.got = numbers.values[i];
        judgement_.index.clear();
        for (const int letter : line_.checked.free)
            judgement_.index.emplace_back(model.letter(letter).name,
                                          value_of(evaluator.letters, letter) + model.range_of(letter).first);
        return true;
    });
    if (!finite) return undecided(0, "The left side has no value at the numbers of this example.");
    if (judgement_.verdict != Verdict::wrong) return;
    judgement_.mistake = "wrong-number";
    judgement_.reason = "The number is another one, to the digits that are printed.";
    judgement_.marks.push_back(numbers.span);
    // The same number of digits as was printed.
    if (numbers.values.size() == 1) {
        const auto decimals = std::lround(std::clamp(-std::log10(2 * numbers.tolerances[0]), 0., 15.));
        judgement_.repaired_number = fmt::format("{:.{}f}", *judgement_.expected, decimals);
    }
}

}  // namespace derivation
