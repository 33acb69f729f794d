#include <algorithm>
#include <cmath>
#include <derivation/truth/elimination.hpp>
#include <derivation/truth/evaluator.hpp>
#include <derivation/truth/kinks.hpp>
#include <limits>
#include <utility>

namespace derivation {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double Evaluator::operator()(const Expression& e) {
    model_.budget->work(1);
    switch (e.kind) {
        case Kind::number:
            return e.number;
        case Kind::letter:
            return number_of_letter(model_, e, letters);
        case Kind::entry: {
            const std::optional<std::size_t> place = place_of(model_, e, letters);
            if (!place) return 0;
            scale = std::max(scale, point_.scale(*e.symbol, *place));
            return point_.value(*e.symbol, *place);
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
                if (e.joints[i] == Joint::divided) {
                    total /= divisor(e.children[i]);
                } else {
                    total *= (*this)(e.children[i]);
                }
            }
            return total;
        }
        case Kind::power:
            return std::pow((*this)(e.base()), (*this)(e.exponent()));
        case Kind::call:
            return call(e);
        case Kind::reduce:
            return reduce(e);
        case Kind::derivative:
            return point_.derivative(e, letters, scale);
        case Kind::iverson:
            return comparison(e);
        case Kind::of_matrix:
            return of_matrix(e);
        default:
            return std::numeric_limits<double>::quiet_NaN();
    }
}

/// What is 0 but for rounding divides nothing.
double Evaluator::divisor(const Expression& e) {
    constexpr double rounding = 1e-13;
    const double scale_before = std::exchange(scale, 0);
    const double value = (*this)(e);
    const bool is_rounding = std::abs(value) < rounding * scale;
    scale = std::max(scale, scale_before);
    return is_rounding ? std::numeric_limits<double>::quiet_NaN() : value;
}

double Evaluator::reduce(const Expression& e) {
    const bool product = e.name == "prod", maximum = e.name == "max", minimum = e.name == "min";
    double total = product ? 1 : maximum ? -infinity : minimum ? infinity : 0;
    double count = 0;
    for_each_entry(model_, bound_letters(e), letters, [&] {
        if (e.condition() != nullptr && (*this)(*e.condition()) == 0) return true;
        const double term = (*this)(e.body());
        ++count;
        if (product) {
            total *= term;
        } else if (maximum || minimum) {
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
    const double x = (*this)(e.argument());
    if (e.name == "max" || e.name == "min") {
        double best = x;
        for (std::size_t i = 1; i < e.children.size(); ++i) {
            const double next = (*this)(e.children[i]);
            best = e.name == "max" ? std::max(best, next) : std::min(best, next);
        }
        return best;
    }
    const Curve f = e.symbol ? point_.curve(*e.symbol) : Curve{find_elementary(e.name)};
    // relu'(a) where a = relu(z) is exactly 0: the 0 that is meant.
    if (f.elementary != nullptr && f.elementary->name == "relu" && e.order > 0 && x == 0) return 0;
    kinked = kinked || (e.order > 0 && f.has_kink() && std::abs(x) < edge);
    return derivative_at(f, e.order, x);
}

double Evaluator::of_matrix(const Expression& e) {
    const auto n = static_cast<std::size_t>(model_.range_of(e.letters[0]).size);
    auto [known, is_new] = matrices_.try_emplace(&e);
    if (is_new) known->second.free = free_letters(e.argument(), bound_letters(e));
    std::vector<int> at;
    for (const int letter : known->second.free) at.push_back(value_of(letters, letter));
    const auto found = known->second.found.find(at);
    const bool inverts = e.name == "inverse";
    if (found == known->second.found.end()) {
        std::vector<double> a, unit(n * n, 0);
        for_each_entry(model_, bound_letters(e), letters, [&] {
            a.push_back((*this)(e.argument()));
            return true;
        });
        for (std::size_t i = 0; i < n; ++i) unit[i * n + i] = 1;
        model_.budget->work(n * n * n);
        const double terms = largest_product(a, n);
        const std::optional<Elimination<double>> done = eliminated(std::move(a), n, std::move(unit), inverts);
        std::vector<double> result;
        if (!done) {
            result.assign(inverts ? n * n : 1, e.name == "det" && std::isfinite(terms) ? 0 : no_value);
        } else if (inverts) {
            result = done->inverse;
        } else if (e.name == "det") {
            result = {done->sign};
            for (const double pivot : done->pivots) result[0] *= pivot;
        } else {
            result = {0};
            for (const double pivot : done->pivots) result[0] += std::log(std::abs(pivot));
        }
        for (const double x : result) scale = std::max(scale, std::abs(x));
        if (e.name == "det") scale = std::max(scale, terms);
        return (known->second.found[at] = std::move(result))[inverts ? place_in(e, n, letters) : 0];
    }
    for (const double x : found->second) scale = std::max(scale, std::abs(x));
    return found->second[inverts ? place_in(e, n, letters) : 0];
}

double Evaluator::comparison(const Expression& e) {
    const double a = (*this)(e.left()), b = (*this)(e.right());
    kinked = kinked || (has_edge(e, a, b) && std::abs(a - b) < edge);
    return holds(e, a, b) ? 1 : 0;
}

}  // namespace derivation
