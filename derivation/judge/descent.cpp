#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/judge/descent.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/target.hpp>

namespace derivation {

namespace {

Expression scalar_entry(const Model& model, int quantity) {
    Expression entry = entry_of(model.quantity(quantity).name, {});
    entry.symbol = quantity;
    return entry;
}

/// The number that fits the entry with the largest gradient.
double fitting_number(const Model& model, Point& point, const Line& update) {
    const Expression &parameter = update.checked.members[0], &right = update.checked.members[1];
    Evaluator evaluator(model, point);
    const Expression step = true_step(model, update, {{}, 1});
    double largest = 0, number = 0;
    for_each_entry(model, update.checked.free, evaluator.letters, [&] {
        const double gradient = evaluator(parameter) - evaluator(step);
        if (std::abs(gradient) > std::abs(largest)) {
            largest = gradient;
            number = (evaluator(parameter) - evaluator(right)) / gradient;
        }
        return true;
    });
    return number;
}

}  // namespace

Expression gradient_of(const Model& model, const Line& update) {
    return derivative_of(scalar_entry(model, *update.loss), update.checked.members[0]);
}

Expression true_step(const Model& model, const Line& update, const Rate& rate) {
    const Expression &parameter = update.checked.members[0], gradient = gradient_of(model, update);
    const Expression alpha = rate.constant ? scalar_entry(model, *rate.constant) : number_of(rate.number);
    return sum_of(parameter, product_of({alpha, gradient}), update.ascends ? Joint::plus : Joint::minus);
}

Rate rate_of(const Model& model, std::vector<Point>& points, const Line& update) {
    const Expression& right = update.checked.members[1];
    const auto fits = [&](const Rate& rate) {
        Target target(model, points, true_step(model, update, rate), update.checked.free);
        return target.holds(right);
    };
    const std::vector<int> rates = possible_rates(model, *update.loss);
    std::vector<int> used;
    for (const int rate : rates)
        if (depends_on(model, right, rate)) used.push_back(rate);
    for (const int rate : used)
        if (fits({rate})) return {rate};
    const double number = fitting_number(model, points[0], update), typed = first_number(update.members[1]);
    // A number that was typed is the rate. (Where nothing stands before the gradient, a constant was forgotten.)
    // One that fits with the wrong sign is what was meant too: the update climbs.
    const bool is_typed = used.empty() && typed > 0 && typed != 1;
    if (is_typed && std::abs(std::abs(number) - typed) < 1e-9 * typed && fits({{}, std::copysign(typed, number)}))
        return {{}, typed};
    if (!rates.empty()) return {used.empty() ? rates[0] : used[0]};
    if (std::isfinite(number) && number != 0 && fits({{}, number})) return {{}, std::abs(number)};
    return {{}, typed > 0 ? typed : 0.1};
}

}  // namespace derivation
