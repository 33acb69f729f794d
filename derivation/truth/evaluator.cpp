#include <algorithm>
#include <cmath>
#include <derivation/truth/evaluator.hpp>
#include <limits>

namespace derivation {

namespace {

constexpr double edge = 1e-9;

}  // namespace

double Evaluator::operator()(const Expression& e) {
    switch (e.kind) {
        case Kind::number:
            return e.number;
        case Kind::letter:
            return letters[static_cast<std::size_t>(e.letters[0].letter)] + model_.range_of(e.letters[0].letter).first;
        case Kind::entry: {
            const std::ptrdiff_t place = place_of(model_, e, letters);
            if (place < 0) return 0;
            scale = std::max(scale, point_.scale(e.symbol, static_cast<std::size_t>(place)));
            return point_.value(e.symbol, static_cast<std::size_t>(place));
        }
        case Kind::add: {
            double total = 0;
            for (std::size_t i = 0; i < e.children.size(); ++i) {
                const double term = (*this)(e.children[i]);
                scale = std::max(scale, std::abs(term));
                total += e.joints[i] == Joint::minus ? -term : term;
            }
            return total;
        }
        case Kind::product: {
            double total = 1;
            for (std::size_t i = 0; i < e.children.size(); ++i) {
                const double factor = (*this)(e.children[i]);
                total = e.joints[i] == Joint::divided ? total / factor : total * factor;
            }
            return total;
        }
        case Kind::power:
            return std::pow((*this)(e.children[0]), (*this)(e.children[1]));
        case Kind::call:
            return call(e);
        case Kind::reduce:
            return reduce(e);
        case Kind::derivative:
            return point_.derivative(e, letters, scale);
        case Kind::iverson:
            return compare(e);
        default:
            return std::numeric_limits<double>::quiet_NaN();
    }
}

double Evaluator::reduce(const Expression& e) {
    std::vector<int> bound;
    for (const IndexTerm& term : e.letters) bound.push_back(term.letter);
    const bool product = e.name == "prod", maximum = e.name == "max", minimum = e.name == "min";
    double total = product   ? 1
                   : maximum ? -std::numeric_limits<double>::infinity()
                   : minimum ? std::numeric_limits<double>::infinity()
                             : 0;
    double count = 0;
    for_each_entry(model_, bound, letters, [&] {
        if (e.children.size() > 1 && (*this)(e.children[1]) == 0) return true;
        const double term = (*this)(e.children[0]);
        ++count;
        if (product) {
            total *= term;
        } else if (maximum || minimum) {
            kinked = kinked || std::abs(total - term) < edge;
            total = std::isnan(term) ? term : maximum ? std::max(total, term) : std::min(total, term);
        } else {
            scale = std::max(scale, std::abs(term));
            total += term;
        }
        return true;
    });
    return e.name == "mean" ? total / count : total;
}

double Evaluator::call(const Expression& e) {
    const double x = (*this)(e.children[0]);
    if (e.name == "max" || e.name == "min") {
        double best = x;
        for (std::size_t i = 1; i < e.children.size(); ++i) {
            const double next = (*this)(e.children[i]);
            kinked = kinked || std::abs(next - best) < edge;
            best = e.name == "max" ? std::max(best, next) : std::min(best, next);
        }
        return best;
    }
    const Curve& curve = e.symbol >= 0 ? point_.curve(e.symbol) : elementary_curve(e.name);
    // relu'(a) where a = relu(z) is exactly 0: the 0 that is meant.
    if (curve.definition == "relu" && e.order > 0 && x == 0) return 0;
    kinked = kinked || (has_kink(curve.definition) && std::abs(x) < edge);
    return apply(curve, e.order, x);
}

double Evaluator::compare(const Expression& e) {
    const double a = (*this)(e.children[0]), b = (*this)(e.children[1]);
    if (e.name == "==") return a == b;
    if (e.name == "!=") return a != b;
    // Equal to the last bit is no accident: [a > 0] where a = relu(z) is 0 by its definition.
    kinked = kinked || (a != b && std::abs(a - b) < edge && e.children[0].kind != Kind::letter &&
                        e.children[1].kind != Kind::letter);
    if (e.name == "<") return a < b;
    if (e.name == ">") return a > b;
    if (e.name == "<=") return a <= b;
    return a >= b;
}

}  // namespace derivation
