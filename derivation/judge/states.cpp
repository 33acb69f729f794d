#include <algorithm>
#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/judge/states.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/random_points.hpp>
#include <derivation/truth/target.hpp>
#include <map>
#include <memory>

namespace derivation {

namespace {

bool is_constant(const Model& model, const Expression& e) {
    return !any_part(e, [&](const Expression& x) {
        return x.kind == Kind::letter || x.kind == Kind::reduce || x.kind == Kind::derivative ||
               (x.kind == Kind::entry && model.quantity(x).role != Role::constant);
    });
}

void add_once(std::vector<Expression>& all, const Expression& e) {
    constexpr std::size_t most = 10;
    if (all.size() < most && std::ranges::none_of(all, [&](const Expression& one) { return same(one, e); }))
        all.push_back(e);
}

/// The factors of a formula that are made of constants, alone and together.
void add_constants(const Model& model, const Expression& e, std::vector<Expression>& all) {
    if (is_constant(model, e)) {
        if (e.kind == Kind::add && e.children.size() == 1) return add_constants(model, e.children[0], all);
        return add_once(all, e);
    }
    if (e.kind == Kind::product) {
        Parts together;
        for (const Part& part : factors_of(e))
            if (is_constant(model, part.expression)) together.push_back(part);
        if (!together.empty()) add_once(all, product_of_factors(together));
    }
    for (const Expression& child : e.children) add_constants(model, child, all);
}

/// 1 as well.
std::vector<Expression> constants_of(const Model& model, const Expression& e) {
    std::vector<Expression> all = {number_of(1)};
    add_constants(model, e, all);
    return all;
}

/// The gradients of the loss by everything given that has the ranges of this entry.
std::vector<Expression> gradients(const Model& model, const Line& update) {
    const Expression& entry = update.checked.members[0];
    std::vector<Expression> found;
    for (int q = 0; q < model.count(); ++q) {
        const Quantity& quantity = model.quantity(q);
        if (quantity.role != Role::given || quantity.ranges != model.quantity(entry).ranges || q == entry.symbol ||
            !depends_on(model, *update.loss, q))
            continue;
        Expression by = entry;
        by.name = quantity.name;
        by.symbol = q;
        Expression loss = entry_of(model.quantity(*update.loss).name, {});
        loss.symbol = update.loss;
        found.push_back(derivative_of(std::move(loss), std::move(by)));
    }
    return found;
}

Expression sum(const Expression& a, const Expression& b, Joint joint) {
    return sum_of_terms({{a, Joint::plus}, {b, joint}});
}

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

}  // namespace

JudgedState judged_state(const Model& model, std::vector<Point>& points, const Line& update) {
    const Expression &m = update.checked.members[0], &right = update.checked.members[1];
    JudgedState judged;
    StateUpdate& state = judged.state;
    state.symbol = *m.symbol;
    state.line = update.number;
    state.next = right;
    for (const Index& index : m.indices)
        if (!index.terms.empty()) state.letters.push_back(*index.terms[0].letter);
    const std::vector<Expression> constants = constants_of(model, right), all = gradients(model, update);
    for (const Expression& gradient : all)
        for (const int power : {1, 2})
            for (const Expression& a : constants)
                for (const Expression& b : constants)
                    for (const Joint joint : {Joint::plus, Joint::minus}) {
                        if (power == 2 && joint == Joint::minus) continue;  // squares are gathered, not taken away
                        const Expression g = power == 1 ? gradient : power_of(gradient, number_of(2));
                        const Expression next = sum(product_of({a, m}), product_of({b, g}), joint);
                        if (!state.is_right && Target(model, points, next, update.checked.free).holds(right)) {
                            state.is_right = true;
                            state.power = power;
                            state.decay = a;
                            state.gradient = gradient;
                            state.sign = joint == Joint::plus ? 1 : -1;
                        }
                    }
    if (state.is_right || all.empty()) return judged;
    // a m + g, with the first constant that has a name.
    Expression a = number_of(1);
    for (const Expression& one : constants)
        if (one.kind == Kind::entry) {
            a = one;
            break;
        }
    // Of a running mean 1 - a.
    Expression b = number_of(1);
    for (const Expression& one : constants)
        if (one.kind == Kind::add && one.children.size() == 2 && is_number(one.children[0], 1)) {
            b = one;
            break;
        }
    judged.meant = sum(product_of({a, m}), product_of({b, all[0]}), Joint::plus);
    judged.meant_squared = sum(product_of({a, m}), product_of({b, power_of(all[0], number_of(2))}), Joint::plus);
    state.gradient = all[0];
    return judged;
}

namespace {

using Sample = StepsByStates::Sample;

/// The constants are those of a point, or what stands for them in `others`.
std::unique_ptr<Sample> sample_of(const Model& model, const Point& constants, const std::vector<StateUpdate>& states,
                                  const std::map<int, double>& others = {}) {
    constexpr std::uint64_t seed = 71;
    constexpr std::size_t count = 5;
    auto sample = std::make_unique<Sample>(Sample{model, {}});
    for (int q = 0; q < model.count(); ++q)
        if (model.quantity(q).role == Role::constant)
            sample->model.quantity(q).values = {others.contains(q) ? others.at(q) : constants.value(q, 0)};
    Variation variation;
    for (const StateUpdate& state : states) variation.domains[state.symbol] = Domain::positive;
    sample->points = draw_points(sample->model, variation, seed, count);
    return sample;
}

/// The values of a formula for these letters, at one point after the other.
std::vector<double> values_of(Sample& sample, const Expression& e, const std::vector<int>& free) {
    std::vector<double> values;
    for (Point& point : sample.points) {
        Evaluator evaluator(sample.model, point);
        for_each_entry(sample.model, free, evaluator.letters, [&] {
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

/// One kind of step, p - (a m + b g), p - n/(a sqrt(v) + b) or p - n/sqrt(a v + b), in which a and b are the same
/// wherever the constants are.
struct Form {
    enum { sum, root, root_of_sum } kind;
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

    /// Whether beside a rate of forgetting nothing is made of it but a mean: what it gathers is divided by nothing, or
    /// by the sum of the weights. 1/a is as large as the mean of the gradients, and as the root of that of their
    /// squares.
    bool is_corrected(const Form& form) const {
        Sample& before = *samples_[0];
        const Point& constants = before.points[0];
        std::map<int, double> others;
        for (const std::vector<const StateUpdate*>& states : {form.first, form.second})
            for (const StateUpdate* state : states)
                any_part(state->decay, [&](const Expression& e) {
                    // Nearer to 1, each in its own way.
                    if (e.kind == Kind::entry && !others.contains(*e.symbol))
                        others[*e.symbol] =
                            1 - (1 - constants.value(*e.symbol, 0)) / (1.7 + 0.6 * static_cast<double>(others.size()));
                    return false;
                });
        if (others.empty() || form.kind == Form::sum) return true;
        const std::unique_ptr<Sample> after = sample_of(model_, constants, states_, others);
        const double a = fitted(form, before).a, changed = fitted(form, *after).a;
        constexpr double tolerance = 1e-6;
        for (const double first : changes(form.first, before, *after))
            for (const double second : changes(form.second, before, *after))
                if (std::abs(changed / a / (first / std::sqrt(second)) - 1) < tolerance) return true;
        return false;
    }

  private:
    struct Fit {
        int direction = 0;
        double a = 0;
    };

    Fit fitted(const Form& form, Sample& sample) const {
        const std::vector<double> p = values_of(sample, p_, free_), right = values_of(sample, right_, free_),
                                  n = values_of(sample, form.n, free_), other = values_of(sample, form.other, free_);
        std::vector<Row> rows;
        double sign = form.sign;
        for (std::size_t i = 0; i < p.size(); ++i) {
            const double d = p[i] - right[i], v = other[i];
            constexpr double rounding = 1e-15;
            const double noise = rounding * std::abs(p[i] / d) * (form.kind == Form::sum ? 1 : std::max(1.0, v));
            Row row{n[i], v, d, noise};
            if (form.kind == Form::root) row = {std::sqrt(v) * d, d, n[i], noise};
            if (form.kind == Form::root_of_sum) row = {v * d * d, d * d, n[i] * n[i], noise};
            if (!std::isfinite(row.x) || !std::isfinite(row.z) || !std::isfinite(row.y) || d == 0) continue;
            if (form.kind == Form::root_of_sum) sign = n[i] * d > 0 ? form.sign : -form.sign;
            rows.push_back(row);
        }
        const std::optional<Solution> solution = solved(rows);
        constexpr double most_noise = 1e-3;
        if (!solution || solution->noise > most_noise) return {};
        auto [a, b, noise] = *solution;
        if (std::abs(b) <= noise * std::abs(a)) b = 0;
        const double along = a * (form.kind == Form::root_of_sum ? 1 : sign),
                     beside = b * (form.kind == Form::root ? sign : 1);
        int direction = along > 0 && beside >= 0 ? 1 : along < 0 && beside <= 0 ? -1 : 0;
        if (form.kind == Form::root_of_sum) direction = direction == 1 ? (sign > 0 ? 1 : -1) : 0;
        if (direction == 0) return {};
        Expression step;
        const Expression first = product_of({number_of(a), form.kind == Form::root  ? call_of("sqrt", 0, form.other)
                                                           : form.kind == Form::sum ? form.n
                                                                                    : form.other});
        if (form.kind == Form::sum)
            step = sum(first, product_of({number_of(b), form.other}), Joint::plus);
        else if (form.kind == Form::root)
            step = quotient_of(form.n, sum(first, number_of(b), Joint::plus));
        else
            step = quotient_of(product_of({number_of(sign * form.sign), form.n}),
                               call_of("sqrt", 0, sum(first, number_of(b), Joint::plus)));
        Target target(sample.model, sample.points, sum(p_, step, Joint::minus), free_);
        if (!target.holds(right_)) return {};
        return {direction, form.kind == Form::root_of_sum ? std::sqrt(a) : a};
    }

    /// How the sums of the weights change: 1 where the mean is not divided, after all steps, and after as many as stand
    /// in the line.
    std::vector<double> changes(const std::vector<const StateUpdate*>& states, Sample& before, Sample& after) const {
        std::vector<double> all = {1};
        for (const StateUpdate* state : states) {
            std::vector<Expression> counts = {number_of(1)};
            any_part(right_, [&](const Expression& e) {
                if (e.kind == Kind::power && is_constant(model_, e)) add_once(counts, e.exponent());
                return false;
            });
            const Solution mean = mean_of(*state, before), changed = mean_of(*state, after);
            const auto sum_of_weights = [&](Sample& sample, const Solution& of, const Expression* count) {
                Evaluator evaluator(sample.model, sample.points[0]);
                return of.b * (count ? 1 - std::pow(of.a, evaluator(*count)) : 1) / (1 - of.a);
            };
            all.push_back(sum_of_weights(after, changed, nullptr) / sum_of_weights(before, mean, nullptr));
            for (const Expression& count : counts)
                all.push_back(sum_of_weights(after, changed, &count) / sum_of_weights(before, mean, &count));
        }
        return all;
    }

    /// The numbers of a m + b g^n, which may have been written in several ways.
    Solution mean_of(const StateUpdate& state, Sample& sample) const {
        Expression old = p_;
        old.name = model_.quantity(state.symbol).name;
        old.symbol = state.symbol;
        const std::vector<double> before = values_of(sample, old, free_),
                                  g = values_of(sample, at_entry(model_, state.gradient, state, p_), free_),
                                  next = values_of(sample, at_entry(model_, state.next, state, p_), free_);
        std::vector<Row> rows;
        for (std::size_t i = 0; i < g.size(); ++i)
            rows.push_back({before[i], state.power == 1 ? g[i] : g[i] * g[i], next[i], 0});
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

StepsByStates::StepsByStates(const Model& model, const std::vector<Point>& points, std::vector<StateUpdate> states)
    : model_(model), states_(std::move(states)) {
    for (const Point& point : points) {
        samples_.push_back(sample_of(model, point, states_));
        if (samples_.back()->points.empty()) samples_.pop_back();
    }
}

JudgedStep StepsByStates::judged(const Line& update) const {
    const Expression &p = update.checked.members[0], &right = update.checked.members[1];
    std::vector<Form> forms;
    for (const StateUpdate& first : states_)
        if (first.power == 1)
            forms.push_back({Form::sum,
                             at_entry(model_, first.next, first, p),
                             at_entry(model_, first.gradient, first, p),
                             first.sign,
                             {&first},
                             {}});
    for (const StateUpdate& second : states_) {
        if (second.power != 2) continue;
        const Expression v = at_entry(model_, second.next, second, p);
        for (const auto kind : {Form::root, Form::root_of_sum}) {
            forms.push_back({kind, at_entry(model_, second.gradient, second, p), v, 1, {}, {&second}});
            for (const StateUpdate& first : states_)
                if (first.power == 1)
                    forms.push_back({kind, at_entry(model_, first.next, first, p), v, first.sign, {&first}, {&second}});
        }
    }
    JudgedStep judged;
    const OneStep step(model_, update, states_, samples_);
    for (const Form& form : forms) {
        const int direction = step.direction(form);
        if (direction == 0) continue;
        judged.is_corrected = step.is_corrected(form);
        if (!judged.is_corrected) return judged;
        judged.is_right = (direction > 0) != update.ascends;
        judged.climbs = !judged.is_right;
        judged.meant = sum(p, product_of({number_of(1), sum(right, p, Joint::minus)}), Joint::minus);
        return judged;
    }
    return judged;
}

}  // namespace derivation
