#include <algorithm>
#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/judge/steps_by_states.hpp>
#include <derivation/truth/random_points.hpp>
#include <derivation/truth/target.hpp>
#include <limits>
#include <map>
#include <memory>
#include <utility>

namespace derivation {

namespace {

using Sample = StepsByStates::Sample;

/// The formula of a state at the letters of another entry.
Expression at_entry(const Model& model, Expression e, const StateUpdate& state, const Expression& entry) {
    std::vector<Substitution> all;
    for (std::size_t i = 0; i < state.letters.size() && i < entry.indices.size(); ++i)
        if (entry.indices[i].is_letter() || !entry.indices[i].terms.empty()) {
            const int to = *entry.indices[i].terms[0].letter;
            all.push_back({state.letters[i], to, model.letter(to).name});
        }
    substitute(e, all);
    return e;
}

bool divides(const StateUpdate& state) { return state.gathers != Gathers::gradients; }

/// The constants are those of a point, or what stands for them in `others`.
std::unique_ptr<Sample> sample_of(const Model& model, const Point& constants, const std::vector<StateUpdate>& states,
                                  const std::map<int, double>& others = {}) {
    constexpr std::uint64_t seed = 71;
    constexpr std::size_t count = 5;
    auto sample = std::make_unique<Sample>(Sample{model, {}, {}});
    for (int q = 0; q < model.count(); ++q)
        if (model.quantity(q).role == Role::constant)
            sample->model.quantity(q).values = {others.contains(q) ? others.at(q) : constants.value(q, 0)};
    Variation variation;
    for (const StateUpdate& state : states) variation.domains[state.symbol] = Domain::positive;
    sample->points = draw_points(sample->model, variation, seed, count);
    constexpr double largest = 1e40;
    for (const StateUpdate& state : states)
        if (divides(state)) {
            Quantity& v = sample->model.quantity(state.symbol);
            v.values.assign(model.size(v), largest);
            variation.domains.erase(state.symbol);
        }
    sample->far = draw_points(sample->model, variation, seed, count);
    for (const StateUpdate& state : states)
        if (divides(state)) sample->model.quantity(state.symbol).values = model.quantity(state.symbol).values;
    return sample;
}

/// The values of a formula for these letters, at one point after the other.
std::vector<double> values_of(const Model& model, std::vector<Point>& points, const Expression& e,
                              const std::vector<int>& free) {
    std::vector<double> values;
    for (Point& point : points) {
        Evaluator evaluator(model, point);
        for_each_entry(model, free, evaluator.letters, [&] {
            values.push_back(evaluator(e));
            return true;
        });
    }
    return values;
}

/// a x + b z = y, where so much of it is rounding.
struct Row {
    double x, z, y, noise;
};
struct Solution {
    double a, b, noise;
};

/// By the two rows that tell most; none where all say the same.
std::optional<Solution> solved(const std::vector<Row>& rows) {
    const auto determinant = [](const Row& p, const Row& q) { return p.x * q.z - p.z * q.x; };
    const auto largest = [&](auto size) {
        return std::ranges::max_element(rows, {}, [&](const Row& row) { return std::abs(size(row)); });
    };
    if (rows.empty()) return {};
    const Row first = *largest([](const Row& row) { return row.x; });
    const Row second = *largest([&](const Row& row) { return determinant(first, row); });
    const double d = determinant(first, second);
    // Rows that are nearly alike make it larger.
    const double lost = (std::abs(first.x * second.z) + std::abs(first.z * second.x)) / std::abs(d);
    constexpr double most_lost = 1e9;
    if (!(lost < most_lost)) return {};
    return Solution{(first.y * second.z - first.z * second.y) / d, (first.x * second.y - first.y * second.x) / d,
                    lost * std::max(first.noise, second.noise)};
}

/// One kind of step, p - (a m + b g), k p - n/(a sqrt(v) + b), k p - n/sqrt(a v + b) or k p - n/(a v + b), in which a,
/// b and k are the same wherever the constants are.
struct Form {
    enum { of_sum, root, root_of_sum, plain } kind;
    Expression n, other;                            ///< m and g, or n and v
    double sign;                                    ///< with which n gathers the gradient
    std::vector<const StateUpdate*> first, second;  ///< what n and v are, where n is no gradient
};

class OneStep {
  public:
    OneStep(const Model& model, const Line& update, const std::vector<StateUpdate>& states,
            const std::vector<std::unique_ptr<Sample>>& samples)
        : model_(model),
          samples_(samples),
          p_(update.checked.members[0]),
          right_(update.checked.members[1]),
          free_(update.checked.free),
          states_(states) {}

    /// 1 where the line is this step downhill, -1 where it is uphill; 0 where it is none.
    int direction(const Form& form) const {
        int found = 0;
        for (const std::unique_ptr<Sample>& sample : samples_) {
            const int one = fitted(form, *sample).direction;
            if (one == 0 || (found != 0 && one != found)) return 0;
            found = one;
        }
        return found;
    }

    /// Whether the parameter itself is kept where the constants are small, and as much of it at any rate of forgetting.
    bool starts_from_parameter(const Form& form) const {
        if (form.kind == Form::of_sum || fitted(form, *samples_[0]).kept == 1) return true;
        std::map<int, double> small;
        for (int q = 0; q < model_.count(); ++q) {
            constexpr double part = 1e-9;
            if (model_.quantity(q).role == Role::constant) small[q] = part * samples_[0]->points[0].value(q, 0);
        }
        const std::map<int, double> others = rates_nearer_to_1(form);
        for (const auto& [rate, value] : others) small.erase(rate);
        constexpr double least = 0.5, rounding = 1e-13;
        return kept(*sample_with(small)) > least &&
               std::abs(kept(*sample_with(others)) - kept(*samples_[0])) < rounding;
    }

    /// Whether beside a rate of forgetting nothing is made of it but a mean: what it gathers is divided by nothing, or
    /// by the sum of the weights of one number of steps. 1/a is as large as the mean of the gradients, and as the root
    /// of that of their squares.
    bool is_corrected(const Form& form) const {
        if (form.kind == Form::of_sum) return true;
        Sample& before = *samples_[0];
        if (!counts_agree(form, before) || !weights_stand_right(form, right_, false)) return false;
        const std::map<int, double> others = rates_nearer_to_1(form);
        if (others.empty()) return true;
        const std::unique_ptr<Sample> after = sample_with(others);
        const double a = fitted(form, before).a, changed = fitted(form, *after).a;
        constexpr double tolerance = 1e-6;
        for (const Change& first : changes(form.first, before, *after))
            for (const Change& second : changes(form.second, before, *after)) {
                const double mean = form.kind == Form::plain ? second.ratio : std::sqrt(second.ratio);
                const bool after_as_many = !first.steps || !second.steps || *first.steps == *second.steps;
                if (after_as_many && std::abs(changed / a / (first.ratio / mean) - 1) < tolerance) return true;
            }
        return false;
    }

  private:
    struct Fit {
        int direction = 0;
        double a = 0, kept = 1;
    };

    std::unique_ptr<Sample> sample_with(const std::map<int, double>& others) const {
        return sample_of(model_, samples_[0]->points[0], states_, others);
    }

    /// The rates of forgetting, each nearer to 1 in its own way.
    std::map<int, double> rates_nearer_to_1(const Form& form) const {
        std::map<int, double> others;
        for (const std::vector<const StateUpdate*>& states : {form.first, form.second})
            for (const StateUpdate* state : states)
                any_part(state->decay, [&](const Expression& e) {
                    if (e.kind != Kind::entry || others.contains(*e.symbol)) return false;
                    const double rate = samples_[0]->points[0].value(*e.symbol, 0);
                    others[*e.symbol] = 1 - (1 - rate) / (1.7 + 0.6 * static_cast<double>(others.size()));
                    return false;
                });
        return others;
    }

    /// k: what is left of p where the rest of the step is divided by something large.
    double kept(Sample& sample) const {
        const std::vector<double> p = values_of(sample.model, sample.far, p_, free_),
                                  right = values_of(sample.model, sample.far, right_, free_);
        constexpr double none = std::numeric_limits<double>::quiet_NaN(), rounding = 1e-14;
        double found = none;
        for (std::size_t i = 0; i < p.size(); ++i) {
            const double one = right[i] / p[i];
            if (!std::isfinite(one)) continue;
            if (std::isfinite(found) && std::abs(one - found) > rounding) return none;
            found = one;
        }
        return std::abs(found - 1) < rounding ? 1 : found;
    }

    Fit fitted(const Form& form, Sample& sample) const {
        const auto at_points = [&](const Expression& e) { return values_of(sample.model, sample.points, e, free_); };
        const std::vector<double> p = at_points(p_), right = at_points(right_), n = at_points(form.n),
                                  other = at_points(form.other);
        const double k = form.kind == Form::of_sum ? 1 : kept(sample);
        if (!(k > 0 && k <= 1)) return {};
        std::vector<Row> rows;
        double sign = form.sign;
        for (std::size_t i = 0; i < p.size(); ++i) {
            const double d = k * p[i] - right[i], v = other[i];
            // Of a sum as of m and g, whose parts may cancel, more is rounded away.
            constexpr double rounding = 1e-15, rounding_of_sum = 1e-14;
            const double noise =
                std::abs(p[i] / d) * (form.kind == Form::of_sum ? rounding_of_sum : rounding * std::max(1.0, v));
            Row row{n[i], v, d, noise};
            if (form.kind == Form::root) row = {std::sqrt(v) * d, d, n[i], noise};
            if (form.kind == Form::plain) row = {v * d, d, n[i], noise};
            if (form.kind == Form::root_of_sum) row = {v * d * d, d * d, n[i] * n[i], noise};
            if (!std::isfinite(row.x) || !std::isfinite(row.z) || !std::isfinite(row.y) || d == 0) continue;
            if (form.kind == Form::root_of_sum) sign = n[i] * d > 0 ? form.sign : -form.sign;
            rows.push_back(row);
        }
        const std::optional<Solution> solution = solved(rows);
        constexpr double most_noise = 1e-3;
        if (!solution || solution->noise > most_noise) return {};
        auto [a, b, noise] = *solution;
        const double along = a * (form.kind == Form::root_of_sum ? 1 : sign);
        double beside = b * (form.kind == Form::root || form.kind == Form::plain ? sign : 1);
        // Rounding may have the wrong sign.
        if (along * beside < 0 && std::abs(b) <= noise * std::abs(a)) b = beside = 0;
        int direction = along > 0 && beside >= 0 ? 1 : along < 0 && beside <= 0 ? -1 : 0;
        if (form.kind == Form::root_of_sum) direction = direction == 1 ? (sign > 0 ? 1 : -1) : 0;
        if (direction == 0) return {};
        Expression step;
        const Expression first = product_of({number_of(a), form.kind == Form::root     ? call_of("sqrt", 0, form.other)
                                                           : form.kind == Form::of_sum ? form.n
                                                                                       : form.other});
        if (form.kind == Form::of_sum)
            step = sum_of(first, product_of({number_of(b), form.other}), Joint::plus);
        else if (form.kind != Form::root_of_sum)
            step = quotient_of(form.n, sum_of(first, number_of(b), Joint::plus));
        else
            step = quotient_of(product_of({number_of(sign * form.sign), form.n}),
                               call_of("sqrt", 0, sum_of(first, number_of(b), Joint::plus)));
        const Expression before = k == 1 ? p_ : product_of({number_of(k), p_});
        Target target(sample.model, sample.points, sum_of(before, step, Joint::minus), free_);
        if (!target.holds(right_)) return {};
        return {direction, form.kind == Form::root_of_sum ? std::sqrt(a) : a, k};
    }

    /// Whether everything that is divided by 1 - b^n, of a rate of forgetting b, has the same n.
    bool counts_agree(const Form& form, Sample& sample) const {
        Evaluator evaluator(sample.model, sample.points[0]);
        std::optional<double> count;
        return !any_part(right_, [&](const Expression& e) {
            const auto is_decay = [&](const StateUpdate* state) {
                return e.kind == Kind::power && same(e.base(), state->decay) && is_constant(model_, e);
            };
            if (std::ranges::none_of(form.first, is_decay) && std::ranges::none_of(form.second, is_decay)) return false;
            const double steps = evaluator(e.exponent());
            return std::exchange(count, steps).value_or(steps) != steps;
        });
    }

    /// Whether 1 - b^n, of a rate b that is a number and cannot be varied, divides the mean of gradients and, below the
    /// root, that of squares. `divides`: the formula is a divisor.
    bool weights_stand_right(const Form& form, const Expression& e, bool divides) const {
        const auto is_of = [&](const std::vector<const StateUpdate*>& states) {
            const bool is_weight = e.kind == Kind::add && e.children.size() == 2 && is_number(e.children[0], 1) &&
                                   e.joints[1] == Joint::minus && e.children[1].kind == Kind::power;
            return is_weight && std::ranges::any_of(states, [&](const StateUpdate* state) {
                       return state->decay.kind == Kind::number && same(e.children[1].base(), state->decay);
                   });
        };
        const bool first = is_of(form.first), second = is_of(form.second);
        if (first != second && divides != first) return false;
        for (std::size_t i = 0; i < e.children.size(); ++i) {
            const bool is_divisor = e.kind == Kind::product && e.joints[i] == Joint::divided;
            if (!weights_stand_right(form, e.children[i], divides != is_divisor)) return false;
        }
        return true;
    }

    /// How a sum of weights changes where its rate of forgetting does; after so many steps, or after all.
    struct Change {
        double ratio;
        std::optional<double> steps;
    };

    /// 1 where the mean is not divided, after all steps, and after as many as stand in the line.
    std::vector<Change> changes(const std::vector<const StateUpdate*>& states, Sample& before, Sample& after) const {
        std::vector<Change> all = {{1, {}}};
        for (const StateUpdate* state : states) {
            if (state->gathers == Gathers::largest) continue;  // not divided
            std::vector<Expression> counts = {number_of(1)};
            any_part(right_, [&](const Expression& e) {
                const auto is_it = [&](const Expression& count) { return same(count, e.exponent()); };
                if (e.kind == Kind::power && is_constant(model_, e) && std::ranges::none_of(counts, is_it))
                    counts.push_back(e.exponent());
                return false;
            });
            const Solution mean = mean_of(*state, before), changed = mean_of(*state, after);
            const auto sum_of_weights = [&](const Solution& of, std::optional<double> steps) {
                return of.b * (steps ? 1 - std::pow(of.a, *steps) : 1) / (1 - of.a);
            };
            const auto add = [&](std::optional<double> steps) {
                all.push_back({sum_of_weights(changed, steps) / sum_of_weights(mean, steps), steps});
            };
            add({});
            Evaluator evaluator(before.model, before.points[0]);
            for (const Expression& count : counts) add(evaluator(count));
        }
        return all;
    }

    /// The numbers of a m + b g^n, which may have been written in several ways.
    Solution mean_of(const StateUpdate& state, Sample& sample) const {
        Expression old = p_;
        old.name = model_.quantity(state.symbol).name;
        old.symbol = state.symbol;
        const auto at_points = [&](const Expression& e) { return values_of(sample.model, sample.points, e, free_); };
        const std::vector<double> before = at_points(old), g = at_points(at_entry(model_, state.gradient, state, p_)),
                                  next = at_points(at_entry(model_, state.next, state, p_));
        std::vector<Row> rows;
        for (std::size_t i = 0; i < g.size(); ++i)
            rows.push_back({before[i], state.gathers == Gathers::gradients ? g[i] : g[i] * g[i], next[i], 0});
        std::erase_if(rows, [](const Row& row) { return !std::isfinite(row.x + row.y + row.z); });
        return solved(rows).value_or(Solution{0, 1, 0});
    }

    const Model& model_;
    const std::vector<std::unique_ptr<Sample>>& samples_;
    const Expression &p_, &right_;
    const std::vector<int>& free_;
    const std::vector<StateUpdate>& states_;
};

}  // namespace

StepsByStates::StepsByStates(const Model& model, const std::vector<Point>& points, std::vector<StateUpdate> states,
                             const std::vector<int>& counters)
    : model_(model), states_(std::move(states)) {
    for (const int counter : counters) model_.quantity(counter).role = Role::constant;
    for (const Point& point : points) {
        samples_.push_back(sample_of(model_, point, states_));
        if (samples_.back()->points.empty() || samples_.back()->far.empty()) samples_.pop_back();
    }
}

JudgedStep StepsByStates::judged(const Line& update) const {
    const Expression &p = update.checked.members[0], &right = update.checked.members[1];
    std::vector<Form> forms;
    for (const StateUpdate& first : states_)
        if (!divides(first))
            forms.push_back({Form::of_sum,
                             at_entry(model_, first.next, first, p),
                             at_entry(model_, first.gradient, first, p),
                             first.sign,
                             {&first},
                             {}});
    for (const StateUpdate& second : states_) {
        if (!divides(second)) continue;
        const Expression v = at_entry(model_, second.next, second, p);
        for (const auto kind : {Form::root, Form::root_of_sum, Form::plain}) {
            if ((kind == Form::plain) != (second.gathers == Gathers::largest)) continue;
            forms.push_back({kind, at_entry(model_, second.gradient, second, p), v, 1, {}, {&second}});
            for (const StateUpdate& first : states_)
                if (!divides(first))
                    forms.push_back({kind, at_entry(model_, first.next, first, p), v, first.sign, {&first}, {&second}});
        }
    }
    JudgedStep judged;
    const OneStep step(model_, update, states_, samples_);
    for (const Form& form : forms) {
        const int direction = step.direction(form);
        if (direction == 0 || !step.starts_from_parameter(form)) continue;
        judged.is_corrected = step.is_corrected(form);
        if (!judged.is_corrected) return judged;
        judged.is_right = (direction > 0) != update.ascends;
        judged.climbs = !judged.is_right;
        judged.meant = sum_of(p, product_of({number_of(1), sum_of(right, p, Joint::minus)}), Joint::minus);
        return judged;
    }
    return judged;
}

}  // namespace derivation
