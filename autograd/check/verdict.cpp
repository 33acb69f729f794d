#include <algorithm>
#include <autograd/check/kink.hpp>
#include <autograd/check/verdict.hpp>
#include <cmath>
#include <numeric>

namespace autograd::taylor {

namespace {

template <class T>
struct Element {
    GradcheckResult& result;
    Subject<T>& subject;
    Line<T>& line;
    const Weights& weights;
    const TapeGradients& tape;

    double g = tape.along(line.direction());
    double length = line.direction().lengths[0];

    bool wrong(const Order& order, const std::string& kink = "") {
        return is_rounding() || wrong_for_sure(order, kink);
    }
    bool wrong_for_sure(const Order& order, const std::string& kink = "") {
        fail_at(result, subject, line, weights, tape, order, kink);
        return false;
    }

    /// The rules may be right, and what they are made of is rounding, as for (1 - cos(x)) / x^2 near 0.
    bool is_rounding() {
        const double expected = subject.slopes.difference(line, weights, tape.rounding).value;
        const double noise = subject.slopes.noise_of_slope(line.direction(), weights);
        if (!(std::abs(g - expected) <= noise)) return false;
        const double unit = length * weights.weights[0];
        result.rounding = true;
        if (result.message.empty())
            result.message = fmt::format(
                "[{}] {} is rounding: {:.6g} on the tape and {:.6g} by differences, where nearby inputs change it by "
                "{:.2g}",
                subject.name, subject.place(line.direction(), weights), g / unit, expected / unit,
                std::abs(noise / unit));
        return true;
    }

    /// The first kink is kept: one sentence is enough.
    bool passes_on_kink(const std::string& what) {
        result.kink = true;
        if (result.message.empty())
            result.message = fmt::format("[{}] {} {}", subject.name, subject.place(line.direction(), weights), what);
        return true;
    }

    /// Where the kink is, in words, if it is found.
    std::string kink_at(std::size_t step, bool jump) {
        const Kink kink = find_kink(subject.slopes.tape(), line, step, jump);
        if (kink.words.empty()) return "";
        result.operation = kink.operation;
        return (jump ? ", at " : " of ") + kink.words;
    }

    /// The function jumps. A first derivative that does belongs to a function with a kink, which has no second one
    /// there.
    bool judge_jump(const Order& worst) {
        const std::string where = kink_at(line.step_of(worst.last.step), true);
        if (!subject.is_derivative) return wrong(worst, fmt::format(" The function jumps here{}.", where));
        return passes_on_kink(
            fmt::format("does not exist: the function has a kink here, and its first derivative jumps{}", where));
    }

    /// There is one slope, and the error does not fall with t^2. It may be right all the same: x^1.2 at 0 has an error
    /// of order 1.2. A wrong slope has one of order 1, and differs from the difference quotient.
    bool judge_order(const Order& worst) {
        constexpr double order_of_wrong = 1.05;
        for (int side : {1, -1})
            if (subject.slopes.has_infinite_slope(line, weights, side))
                return wrong_for_sure(worst, " The slope is infinite here.");
        // By an error of the least such order the quotients come nearer by a sixteenth of what is left at each step.
        constexpr double left = 16;
        Difference difference = subject.slopes.difference(line, weights, tape);
        difference.error *= left;
        return (worst.power > order_of_wrong && tape.agrees(difference, line.direction())) || wrong(worst);
    }

    /// The error falls with t^2, as far as rounding shows it: the differences have the last word.
    bool judge_difference() {
        const Difference difference = subject.slopes.difference(line, weights, tape);
        if (!tape.agrees(difference, line.direction()))
            return wrong({}, fmt::format(" They are off by {:.2g} at most.",
                                         std::abs(difference.error / (length * weights.weights[0]))));
        note_rounding(result, subject, line.direction(), weights, tape, difference);
        return true;
    }

    /// A slope that is not finite is right where the quotients grow without bound towards it. NaN may be the infinite
    /// slope of another output times its incoming adjoint, 0: it does no harm where this one does not change at all.
    bool judge_infinite() {
        Slopes<T>& slopes = subject.slopes;
        if (slopes.unbounded(line, weights, g)) return true;
        if (!std::isnan(g)) return wrong_for_sure({});
        for (std::size_t step = 0; step < line.steps(); ++step)
            for (int side : {1, -1})
                if (const double change = weights.change(slopes.value(), line.at(step, side).value);
                    change != 0 && !std::isnan(change))
                    return wrong_for_sure({});
        const std::size_t outputs = slopes.value().size();
        Weights all{std::vector<std::size_t>(outputs), std::vector<double>(outputs, 1)};
        std::iota(all.outputs.begin(), all.outputs.end(), std::size_t{0});
        if (!slopes.unbounded(line, all, slopes.differentiate(all).along(line.direction()))) return wrong_for_sure({});
        if (result.message.empty())
            result.message =
                fmt::format("[{}] {} is 0, and NaN on the tape: 0 * inf, as another output's slope is infinite there",
                            subject.name, subject.place(line.direction(), weights));
        return true;
    }

    /// The slopes on both sides differ: any value between them passes.
    bool judge_kink(const Order& above, const Order& below, const Order& worst, const Order& bend) {
        const std::size_t step = line.step_of(bend.last.step);
        const double high = subject.slopes.remainder(line, weights, tape, step, 1),
                     low = subject.slopes.remainder(line, weights, tape, step, -1);
        const double t = line.at(step, 1).t, unit = length * weights.weights[0];
        double slope_above = (g + high / t) / unit + 0.0, slope_below = (g - low / t) / unit + 0.0;  // no -0
        if (length < 0) std::swap(slope_above, slope_below);
        const std::string where = kink_at(step, false);
        const std::string slopes = fmt::format("the slope is {:.6g} below and {:.6g} above", slope_below, slope_above);
        // f lies above the tape's line on both sides, or below it on both: then the line's slope is between theirs.
        const bool between = high * low > 0;
        if (above.second() || below.second() || between)
            return passes_on_kink(
                fmt::format("is on a kink{}: {}, and {:.6g} on the tape", where, slopes, g / unit + 0.0));
        result.kink = true;
        return wrong(worst, fmt::format(" It is on a kink{}, but not between the slopes: {}.", where, slopes));
    }
};

/// The largest slope that the tape gives for these outputs; 1 where there is none.
double steepest(const TapeGradients& tape) {
    double most = 0;
    for (const auto& gradient : tape.gradients)
        for (const double slope : gradient)
            if (std::isfinite(slope)) most = std::max(most, std::abs(slope));
    return most == 0 ? 1 : most;
}

}  // namespace

template <class T>
void note_rounding(GradcheckResult& result, const Subject<T>& subject, const Direction& direction,
                   const Weights& weights, const TapeGradients& tape, const Difference& difference) {
    constexpr double seen = std::is_same_v<T, double> ? 1e-3 : 1e-2;
    for (std::size_t i = 0; i < direction.elements.size() && !result.rounding; ++i) {
        const std::size_t k = direction.elements[i];
        const double unit = direction.lengths[i] * (weights.weights.size() == 1 ? weights.weights[0] : 1);
        const double g = tape.gradients[direction.input][k] * direction.lengths[i];
        // A slope of 0 has no digits: there f has to change by more than its rounding, or not at all where the steepest
        // slope would be seen.
        const double change = g == 0 ? difference.quotient : std::abs(g);
        const double size = change == 0 ? steepest(tape) * std::abs(direction.lengths[i]) : change;
        if (difference.rounding <= seen * size) continue;
        result.rounding = true;
        if (result.message.empty())
            result.message = fmt::format(
                "[{}] rounding hides {}: it is {:.6g} on the tape, and differences tell it up to {:.2g} only",
                subject.name, subject.place({direction.input, {k}, {1}}, weights), g / unit,
                std::abs(difference.rounding / unit));
    }
}

template <class T>
bool judge(GradcheckResult& result, Subject<T>& subject, Line<T>& line, const Weights& weights,
           const TapeGradients& tape) {
    Element<T> element{result, subject, line, weights, tape};
    Slopes<T>& slopes = subject.slopes;
    if (!std::isfinite(element.g)) return element.judge_infinite();
    const Order above = slopes.order(line, weights, tape, 1), below = slopes.order(line, weights, tape, -1);
    if (above.second() && below.second()) return element.judge_difference();
    const Order bend = slopes.bend(line, weights);
    const Order& worst = above.power < below.power ? above : below;
    if (worst.jumps()) return element.judge_jump(worst);
    const bool one_slope = bend.second() || bend.jumps();
    return one_slope ? element.judge_order(worst) : element.judge_kink(above, below, worst, bend);
}

template void note_rounding(GradcheckResult&, const Subject<float>&, const Direction&, const Weights&,
                            const TapeGradients&, const Difference&);
template void note_rounding(GradcheckResult&, const Subject<double>&, const Direction&, const Weights&,
                            const TapeGradients&, const Difference&);
template bool judge(GradcheckResult&, Subject<float>&, Line<float>&, const Weights&, const TapeGradients&);
template bool judge(GradcheckResult&, Subject<double>&, Line<double>&, const Weights&, const TapeGradients&);

}  // namespace autograd::taylor
