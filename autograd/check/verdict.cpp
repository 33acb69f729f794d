#include <autograd/check/kink.hpp>
#include <autograd/check/verdict.hpp>

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
        if (std::isfinite(g) && is_rounding()) return true;
        fail_at(result, subject, line, weights, tape, order, kink);
        return false;
    }

    /// The rules may be right, and what they are made of is rounding, as for (1 - cos(x)) / x^2 near 0.
    bool is_rounding() {
        const double expected = subject.slopes.difference(line, weights).first;
        const double noise = subject.slopes.noise_of_slope(line.direction(), weights);
        if (!(std::abs(g - expected) <= noise)) return false;
        const double unit = length * weights.weights[0];
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
        constexpr double agreement = 1e-9;
        const double expected = subject.slopes.difference(line, weights).first / length;
        const bool agrees = std::abs(g / length - expected) <= agreement * std::abs(expected);
        return (worst.power > order_of_wrong && agrees) || wrong(worst);
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

}  // namespace

template <class T>
bool judge(GradcheckResult& result, Subject<T>& subject, Line<T>& line, const Weights& weights,
           const TapeGradients& tape) {
    Element<T> element{result, subject, line, weights, tape};
    Slopes<T>& slopes = subject.slopes;
    if (!std::isfinite(element.g)) return slopes.unbounded(line, weights, element.g) || element.wrong({});
    const Order above = slopes.order(line, weights, tape, 1), below = slopes.order(line, weights, tape, -1);
    if (above.second() && below.second()) return true;
    const Order bend = slopes.bend(line, weights);
    const Order& worst = above.power < below.power ? above : below;
    if (worst.jumps()) return element.judge_jump(worst);
    const bool one_slope = bend.second() || bend.jumps();
    return one_slope ? element.judge_order(worst) : element.judge_kink(above, below, worst, bend);
}

template bool judge(GradcheckResult&, Subject<float>&, Line<float>&, const Weights&, const TapeGradients&);
template bool judge(GradcheckResult&, Subject<double>&, Line<double>&, const Weights&, const TapeGradients&);

}  // namespace autograd::taylor
