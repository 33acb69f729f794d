#include <algorithm>
#include <cmath>
#include <derivation/truth/elimination.hpp>
#include <derivation/truth/evaluator.hpp>
#include <derivation/truth/kinks.hpp>
#include <limits>

namespace derivation {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

const Rounded& best(bool greatest, const Rounded& a, const Rounded& b) {
    return (greatest ? a.value < b.value : b.value < a.value) ? b : a;
}

}  // namespace

Rounded Evaluator::at(const Expression& e) {
    model_.budget->work(1);
    switch (e.kind) {
        case Kind::number:
            return e.number;
        case Kind::letter:
            return number_of_letter(model_, e, letters);
        case Kind::entry: {
            const std::optional<std::size_t> place = place_of(model_, e, letters);
            return place ? Rounded(point_.value(*e.symbol, *place), point_.scale(*e.symbol, *place)) : Rounded();
        }
        case Kind::add: {
            Rounded total;
            for (std::size_t i = 0; i < e.children.size(); ++i) {
                const Rounded term = at(e.children[i]);
                total = total + (e.joints[i] == Joint::minus ? -term : term);
            }
            return total;
        }
        case Kind::product: {
            Rounded total = 1;
            for (std::size_t i = 0; i < e.children.size(); ++i)
                total = e.joints[i] == Joint::divided ? total / divisor(e.children[i]) : total * at(e.children[i]);
            return total;
        }
        case Kind::power:
            return pow(at(e.base()), at(e.exponent()), e.exponent().kind == Kind::number);
        case Kind::call:
            return call(e);
        case Kind::reduce:
            return reduce(e);
        case Kind::derivative:
            return point_.derivative(e, letters, kinked);
        case Kind::iverson:
            return comparison(e);
        case Kind::of_matrix:
            return of_matrix(e);
        default:
            return no_value;
    }
}

/// What is 0 but for rounding divides nothing.
Rounded Evaluator::divisor(const Expression& e) {
    const Rounded x = at(e);
    return std::abs(x.value) < rounding * x.scale ? Rounded(no_value) : x;
}

Rounded Evaluator::reduce(const Expression& e) {
    const bool product = e.name == "prod", maximum = e.name == "max", minimum = e.name == "min";
    Rounded total = product ? 1 : maximum ? -infinity : minimum ? infinity : 0;
    double count = 0;
    for_each_entry(model_, bound_letters(e), letters, [&] {
        if (e.condition() != nullptr && (*this)(*e.condition()) == 0) return true;
        const Rounded term = at(e.body());
        ++count;
        if (product)
            total = total * term;
        else if (maximum || minimum)
            total = std::isnan(term.value) ? term : best(maximum, total, term);
        else
            total = total + term;
        return true;
    });
    return e.name == "mean" ? total / count : total;
}

Rounded Evaluator::call(const Expression& e) {
    const Rounded argument = at(e.argument());
    if (e.name == "max" || e.name == "min") {
        Rounded total = argument;
        for (std::size_t i = 1; i < e.children.size(); ++i) total = best(e.name == "max", total, at(e.children[i]));
        return total;
    }
    const double x = argument.value;
    const Curve f = e.symbol ? point_.curve(*e.symbol) : Curve{find_elementary(e.name)};
    // relu'(a) where a = relu(z) is exactly 0: the 0 that is meant.
    if (f.elementary != nullptr && f.elementary->name == "relu" && e.order > 0 && x == 0) return 0;
    kinked = kinked || (e.order > 0 && f.has_kink() && std::abs(x) < edge);
    constexpr int highest_order = 3;
    return rounded_call(derivative_at(f, e.order, x), derivative_at(f, std::min(e.order + 1, highest_order), x),
                        argument);
}

Rounded Evaluator::of_matrix(const Expression& e) {
    const auto n = static_cast<std::size_t>(model_.range_of(e.letters[0]).size);
    auto [known, is_new] = matrices_.try_emplace(&e);
    if (is_new) known->second.free = free_letters(e.argument(), bound_letters(e));
    std::vector<int> of_letters;
    for (const int letter : known->second.free) of_letters.push_back(value_of(letters, letter));
    auto found = known->second.found.find(of_letters);
    const bool inverts = e.name == "inverse";
    if (found == known->second.found.end()) {
        std::vector<Rounded> a, unit(n * n);
        std::vector<double> values;
        for_each_entry(model_, bound_letters(e), letters, [&] {
            a.push_back(at(e.argument()));
            values.push_back(a.back().value);
            return true;
        });
        for (std::size_t i = 0; i < n; ++i) unit[i * n + i] = 1;
        model_.budget->work(n * n * n);
        const double terms = largest_product(values, n);
        const std::optional<Elimination<Rounded>> done = eliminated(std::move(a), n, std::move(unit), inverts);
        std::vector<Rounded> result;
        if (inverts) {
            result = done ? done->inverse : std::vector<Rounded>(n * n, no_value);
        } else if (!done) {
            result = {e.name == "det" && std::isfinite(terms) ? Rounded(0, terms) : Rounded(no_value)};
        } else {
            Rounded total = e.name == "det" ? done->sign : 0;
            for (const Rounded& pivot : done->pivots)
                total = e.name == "det" ? total * pivot
                                        : total + rounded_call(std::log(std::abs(pivot.value)), 1 / pivot.value, pivot);
            result = {total};
        }
        found = known->second.found.emplace(of_letters, std::move(result)).first;
    }
    return found->second[inverts ? place_in(e, n, letters) : 0];
}

double Evaluator::comparison(const Expression& e) {
    const double a = (*this)(e.left()), b = (*this)(e.right());
    kinked = kinked || (has_edge(e, a, b) && std::abs(a - b) < edge);
    return holds(e, a, b) ? 1 : 0;
}

}  // namespace derivation
