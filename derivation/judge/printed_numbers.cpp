// Lines with printed numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/judge/judge.hpp>
#include <derivation/mistakes/diagnosis.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <set>
#include <utility>

namespace derivation {

bool Judge::needs_a_number(const Expression& e, std::string& name) const {
    for (std::size_t q = 0; q < derivation_.model.quantities.size(); ++q) {
        const Quantity& quantity = derivation_.model.quantities[q];
        if (quantity.role == Role::definition || !quantity.worked.empty() || !quantity.values.empty()) continue;
        if (depends_on(derivation_.model, e, static_cast<int>(q))) {
            name = derivation_.model.signature(quantity);
            return true;
        }
    }
    for (std::size_t f = 0; f < derivation_.model.functions.size(); ++f) {
        if (!derivation_.model.functions[f].definition.empty()) continue;
        std::set<int> seen;
        const auto calls = [&](auto& self, const Expression& x) -> bool {
            if (x.kind == Kind::call && x.symbol == static_cast<int>(f)) return true;
            if (x.kind == Kind::entry && x.symbol >= 0 && seen.insert(x.symbol).second &&
                self(self, derivation_.model.quantity(x.symbol).definition))
                return true;
            return std::ranges::any_of(x.children, [&](const Expression& child) { return self(self, child); });
        };
        if (calls(calls, e)) {
            name = derivation_.model.functions[f].name;
            return true;
        }
    }
    return false;
}

/// Takes true steps of all parameters that have an update, together, from the numbers of the worked example.
void Judge::after_steps(Model& model, int steps) {
    struct Step {
        int parameter;
        Expression next;
        std::vector<int> free;
    };
    std::vector<Step> all;
    for (const Line& line : derivation_.lines) {
        if (!line.is_update || line.fault) continue;
        all.push_back({line.checked.members[0].symbol, true_step(line, rate_of(line)), line.checked.free});
    }
    for (int i = 0; i < steps; ++i) {
        Point point = worked_point(model, seed_);
        std::vector<std::pair<int, std::vector<double>>> next;
        for (const Step& step : all) {
            const Quantity& quantity = model.quantity(step.parameter);
            std::vector<double> values = quantity.worked.empty() ? quantity.values : quantity.worked;
            if (values.empty()) continue;
            Evaluator evaluator(model, point);
            const Expression& entry = step.next.children[0];
            for_each_entry(model, step.free, evaluator.letters, [&] {
                const std::ptrdiff_t place = place_of(model, entry, evaluator.letters);
                if (place >= 0) values[static_cast<std::size_t>(place)] = evaluator(step.next);
                return true;
            });
            next.emplace_back(step.parameter, std::move(values));
        }
        for (auto& [parameter, values] : next)
            model.quantities[static_cast<std::size_t>(parameter)].worked = std::move(values);
    }
}

void Judge::judge_printed(Line& line, LineReport& report) {
    const std::size_t member = line.members.size();
    const Expression& left = line.checked.members[0];
    std::string missing;
    if (needs_a_number(left, missing)) {
        report.verdict = Verdict::ill_formed;
        report.member = member;
        report.mistake = "missing-number";
        report.reason = fmt::format("{} has no number: `at {} = ...` gives it one.", missing, missing);
        caret(report, line, line.printed->span);
        return;
    }
    Model stepped;
    const Model* model = &derivation_.model;
    if (line.steps > 0) {
        stepped = derivation_.model;
        after_steps(stepped, line.steps);
        model = &stepped;
    }
    Point point = worked_point(*model, seed_);
    Evaluator evaluator(*model, point);
    std::size_t entry = 0;
    double worst = 1;
    bool finite = true;
    for_each_entry(*model, line.checked.free, evaluator.letters, [&] {
        const double value = evaluator(left);
        const std::size_t i = line.printed->values.size() == 1 ? 0 : entry;
        ++entry;
        finite = finite && std::isfinite(value);
        // A little more than half a unit: the last digit may have been rounded either way.
        const double error = std::abs(value - line.printed->values[i]) /
                             (line.printed->tolerances[i] * (1 + 1e-6) + 1e-12 * std::abs(value));
        if (error > worst) {
            worst = error;
            report.verdict = Verdict::wrong;
            report.member = member;
            report.expected = value;
            report.got = line.printed->values[i];
            report.index.clear();
            for (const int letter : line.checked.free)
                report.index.emplace_back(
                    model->letters[static_cast<std::size_t>(letter)].name,
                    evaluator.letters[static_cast<std::size_t>(letter)] + model->range_of(letter).first);
        }
        return true;
    });
    if (!finite) {
        report.verdict = Verdict::undecided;
        report.reason = "The left side has no value at the numbers of this example.";
        return;
    }
    if (report.verdict != Verdict::wrong) return;
    report.mistake = "wrong-number";
    report.reason = "The number is another one, to the digits that are printed.";
    caret(report, line, line.printed->span);
    // The same number of digits as was printed.
    if (line.printed->values.size() == 1) {
        const int decimals =
            std::clamp(static_cast<int>(std::lround(-std::log10(2 * line.printed->tolerances[0]))), 0, 15);
        report.repair = fmt::format("{:.{}f}", *report.expected, decimals);
    }
}

}  // namespace derivation
