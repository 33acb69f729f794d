#include <fmt/format.h>

#include <algorithm>
#include <autograd/grad.hpp>
#include <autograd/operations.hpp>
#include <cmath>
#include <derivation/truth/adjoints.hpp>
#include <derivation/truth/elimination.hpp>
#include <derivation/truth/formula_key.hpp>
#include <derivation/truth/kinks.hpp>
#include <derivation/truth/recorder.hpp>
#include <limits>
#include <utility>

namespace derivation {

namespace {

constexpr int most_recursions = 3000;
constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Version::Version(const Model& model, std::vector<int> held) : held_(std::move(held)) {
    for (const Quantity& quantity : model.quantities) nodes_.emplace_back(model.size(quantity));
}

bool Version::holds(int quantity) const { return std::ranges::find(held_, quantity) != held_.end(); }

Recorder::Recorder(const Model& model, const Variation& variation, std::vector<std::vector<double>> given,
                   std::vector<Curve> curves)
    : model_(model),
      variation_(variation),
      given_(std::move(given)),
      curves_(std::move(curves)),
      actual_(model, {}),
      without_assumptions_(model, {}) {
    for (const Quantity& quantity : model_.quantities) values_.emplace_back(model_.size(quantity));
    for (int q = 0; q < model_.count(); ++q)
        for (std::size_t place = 0; place < actual_.size(q) && finite; ++place) entry(actual_, q, place);
}

const Expression& Recorder::definition(int quantity) const {
    const auto found = variation_.definitions.find(quantity);
    return found == variation_.definitions.end() ? model_.quantity(quantity).definition : found->second;
}

Version& Recorder::holding(std::vector<int> held) {
    if (held.empty()) return actual_;
    std::ranges::sort(held);
    const auto found = holding_.find(held);
    return found != holding_.end() ? found->second : holding_.emplace(held, Version(model_, held)).first->second;
}

Version& Recorder::holding_as(const Expression& derivative) {
    std::vector<int> held;
    for (const Expression& one : derivative.held()) held.push_back(*one.symbol);
    return holding(std::move(held));
}

// ---- entries

Recorder::Variable Recorder::entry(Version& version, int quantity, std::size_t place) {
    std::optional<Variable>& slot = version.node(quantity, place);
    if (slot) return *slot;
    Variable node;
    if (version.holds(quantity))
        node = number(value(quantity, place));
    else if (model_.quantity(quantity).role == Role::definition)
        node = defined_entry(version, quantity, place);
    else
        node = &version == &actual_ ? given_entry(quantity, place) : entry(actual_, quantity, place);
    slot = node;
    return node;
}

Recorder::Variable Recorder::given_entry(int quantity, std::size_t place) {
    const double x = given_[static_cast<std::size_t>(quantity)][place];
    values_[static_cast<std::size_t>(quantity)][place] = x;
    finite = finite && std::isfinite(x);
    return tape_.variable(x);
}

Recorder::Variable Recorder::defined_entry(Version& version, int quantity, std::size_t place) {
    const std::pair key(quantity, place);
    if (std::ranges::find(open_, key) != open_.end() || open_.size() > most_recursions)
        throw Error(model_.quantity(quantity).span,
                    fmt::format("{} depends on itself", model_.quantity(quantity).name));
    open_.push_back(key);
    // Also where a line turns out to be beyond the budget: others come after it.
    struct Closing {
        Recorder& recorder;
        ~Closing() { recorder.open_.pop_back(); }
    } const closing{*this};
    const auto assumption = std::ranges::find(variation_.assumptions, quantity,
                                              [](const Assumption& one) { return *one.derivative.numerator().symbol; });
    Variable node;
    if (&version == &actual_ && assumption != variation_.assumptions.end()) {
        node = assumed(*assumption, place);
    } else {
        Letters letters = letters_of(model_, model_.quantity(quantity), place);
        node = record(version, definition(quantity), letters);
    }
    // Every entry has a node of its own, so that its adjoint is not mixed with that of another name.
    node = node.requires_gradient() ? node + 0.0 : tape_.variable(node.item());
    if (&version == &actual_) {
        values_[static_cast<std::size_t>(quantity)][place] = node.item();
        finite = finite && std::isfinite(node.item());
    }
    return node;
}

/// Where dA/dB is assumed to be M: A without its paths through B, plus the sum of M times B's change. Its value is
/// the true one; only its derivatives differ.
Recorder::Variable Recorder::assumed(const Assumption& assumption, std::size_t place) {
    const Expression &a = assumption.derivative.numerator(), &b = assumption.derivative.denominator();
    Letters at_place = letters_of(model_, model_.quantity(a), place);
    Variable total = record(holding({*b.symbol}), definition(*a.symbol), at_place) + 0.0;
    std::vector<int> free;
    for (const Expression* one : {&a, &b})
        for (const Index& index : one->indices)
            for (const IndexTerm& term : index.terms)
                if (std::ranges::find(free, *term.letter) == free.end()) free.push_back(*term.letter);
    Letters letters = first_letters(model_);
    for_each_entry(model_, free, letters, [&] {
        const std::optional<std::size_t> place_of_b = place_of(model_, b, letters);
        if (place_of(model_, a, letters) != place || !place_of_b) return true;
        // M may name what is assumed: it is meant as the file defines it.
        const Variable factor = record(without_assumptions_, assumption.value, letters);
        // What is left where terms cancel is 0.
        const double m = std::abs(factor.item()) < 1e-12 * scale_of(factor) ? 0 : factor.item();
        const Variable node = entry(actual_, *b.symbol, *place_of_b);
        total = total + m * (node - node.item());
        return true;
    });
    return total;
}

// ---- formulas

/// What was recorded since is paid for.
void Recorder::count_nodes() {
    const std::size_t more = tape_.size() - counted_;
    if (more == 0) return;
    constexpr double largest = 1e100;  // a derivative multiplies three of them
    for (; counted_ < tape_.size(); ++counted_) {
        const autograd::Array<double>& value = *node_at(tape_, static_cast<std::uint32_t>(counted_)).value;
        const double size = value.size() == 1 ? std::abs(value(0)) : 0;
        is_extreme = is_extreme || size > largest || (size > 0 && size < 1 / largest);
    }
    model_.budget->memory(more * bytes_of_a_node);
    model_.budget->work(more * work_of_a_node);
}

double Recorder::scale_of(const Variable& node) {
    if (scales_.size() <= node.index()) add_scales(tape_, scales_);
    return scales_[node.index()];
}

/// What is left where terms cancel is 0, and so is what it is a factor of. Its derivatives stay.
Recorder::Variable Recorder::without_rounding(const Variable& total, double largest_term) {
    constexpr double few = 1e-7;
    cancels = cancels || std::abs(total.item()) < few * largest_term;
    if (!(std::abs(total.item()) < rounding * largest_term)) return total;
    return total.requires_gradient() ? total - total.item() : number(0);
}

/// Whether this is 0 here, and its derivatives by all that is given are: two branches with this difference are one,
/// however they are chosen.
bool Recorder::vanishes(const Variable& x) {
    if (x.item() != 0) return false;
    constexpr std::size_t work_of_a_step_back = 20;
    model_.budget->work(work_of_a_step_back * (x.index() + 1));
    const Adjoints adjoints = walk_back(tape_, x);
    for (std::size_t i = 0; i < adjoints.nodes.size(); ++i)
        if (node_at(tape_, adjoints.nodes[i]).inputs.empty() &&
            !(std::abs(adjoints.values[i]) <= rounding * adjoints.scales[i]))
            return false;
    return true;
}

void Recorder::pass_kink(const Variable& x) {
    if (!(std::abs(x.item()) < edge)) return;
    if (!open_.empty() && vanishes(x))
        ties.insert(open_.back().first);
    else
        pass_kink(x.item());
}

/// Remembers whether the kink at 0 was hit.
void Recorder::pass_kink(double x) {
    if (!(std::abs(x) < edge)) return;
    if (open_.empty()) {
        kinked_in_formula = true;
        return;
    }
    kinks.insert(open_.back().first);
    kinked = kinked || !variation_.always_kinked.contains(open_.back().first);
}

Recorder::Variable Recorder::record(Version& version, const Expression& e, Letters& letters) {
    count_nodes();
    switch (e.kind) {
        case Kind::number:
            return number(e.number);
        case Kind::letter:
            return number(number_of_letter(model_, e, letters));
        case Kind::entry: {
            const std::optional<std::size_t> place = place_of(model_, e, letters);
            return place ? entry(version, *e.symbol, *place) : number(0);
        }
        case Kind::add:
            return sum(version, e, letters);
        case Kind::product:
            return product(version, e, letters);
        case Kind::power: {
            const Variable base = record(version, e.base(), letters);
            const Variable exponent = record(version, e.exponent(), letters);
            return exponent.requires_gradient() ? pow(base, exponent) : pow(base, exponent.item());
        }
        case Kind::call:
            return call(version, e, letters);
        case Kind::reduce:
            return reduce(version, e, letters);
        case Kind::derivative: {
            Version& inner = holding_as(e);
            Variable gradient = record(inner, e.numerator(), letters);
            for (const Expression& by : e.denominators()) gradient = gradient_by(inner, gradient, by, letters);
            return gradient;
        }
        case Kind::iverson:
            return comparison(version, e, letters);
        case Kind::of_matrix:
            return of_matrix(version, e, letters);
        default:
            return number(no_value);
    }
}

Recorder::Variable Recorder::sum(Version& version, const Expression& e, Letters& letters) {
    std::optional<Variable> total;
    double largest = 0;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
        const Variable term = record(version, e.children[i], letters);
        largest = std::max(largest, std::abs(term.item()));
        const bool minus = e.joints[i] == Joint::minus;
        total = total ? (minus ? *total - term : *total + term) : minus ? -term : term;
    }
    return without_rounding(*total, largest);
}

Recorder::Variable Recorder::product(Version& version, const Expression& e, Letters& letters) {
    std::optional<Variable> total;
    for (std::size_t i = 0; i < e.children.size(); ++i) {
        const Variable factor = record(version, e.children[i], letters);
        total = !total ? factor : e.joints[i] == Joint::divided ? *total / factor : *total * factor;
    }
    return *total;
}

Recorder::Variable Recorder::call(Version& version, const Expression& e, Letters& letters) {
    Variable x = record(version, e.argument(), letters);
    if (e.name == "max" || e.name == "min") {
        for (std::size_t i = 1; i < e.children.size(); ++i) {
            const Variable next = record(version, e.children[i], letters);
            if (std::abs(x.item() - next.item()) < edge) pass_kink(x - next);
            x = e.name == "max" ? maximum(x, next) : minimum(x, next);
        }
        return x;
    }
    const Curve f = e.symbol ? curve(*e.symbol) : Curve{find_elementary(e.name)};
    if (f.has_kink()) pass_kink(x);
    return derivative_at(f, e.order, x);
}

Recorder::Variable Recorder::reduce(Version& version, const Expression& e, Letters& letters) {
    std::optional<Variable> total;
    double count = 0, largest = 0;
    for_each_entry(model_, bound_letters(e), letters, [&] {
        if (const Expression* condition = e.condition())
            if (record(version, *condition, letters).item() == 0) return true;
        const Variable term = record(version, e.body(), letters);
        ++count;
        if (e.name == "sum" || e.name == "mean") largest = std::max(largest, std::abs(term.item()));
        if (!total) {
            total = term;
        } else if (e.name == "prod") {
            total = *total * term;
        } else if (e.name == "max" || e.name == "min") {
            if (std::abs(total->item() - term.item()) < edge) pass_kink(*total - term);
            total = e.name == "max" ? maximum(*total, term) : minimum(*total, term);
        } else {
            total = *total + term;
        }
        return true;
    });
    if (!total) return number(e.name == "prod" ? 1 : e.name == "sum" ? 0 : no_value);
    total = without_rounding(*total, largest);
    return e.name == "mean" ? *total / count : *total;
}

Recorder::Variable Recorder::comparison(Version& version, const Expression& e, Letters& letters) {
    const double a = record(version, e.left(), letters).item(), b = record(version, e.right(), letters).item();
    if (has_edge(e, a, b)) pass_kink(a - b);
    return number(holds(e, a, b) ? 1 : 0);
}

/// The entries of an inverse are recorded at once, by elimination; a determinant is the product of its pivots.
Recorder::Variable Recorder::of_matrix(Version& version, const Expression& e, Letters& letters) {
    const auto n = static_cast<std::size_t>(model_.range_of(e.letters[0]).size);
    const bool inverts = e.name == "inverse";
    const std::vector<int> bound = bound_letters(e);
    std::string key = fmt::format("{}{}", e.name, n);
    write_key(model_, e.argument(), letters, key, bound);
    auto found = matrices_.find(std::pair<const Version*, std::string>(&version, key));
    if (found == matrices_.end()) {
        std::vector<Variable> a, unit, result;
        std::vector<double> values;
        for_each_entry(model_, bound, letters, [&] {
            a.push_back(record(version, e.argument(), letters));
            values.push_back(a.back().item());
            return true;
        });
        for (std::size_t i = 0; i < n * n && inverts; ++i) unit.push_back(number(i % (n + 1) == 0 ? 1 : 0));
        if (!inverts) unit = a;
        std::optional<Elimination<Variable>> done = eliminated(std::move(a), n, std::move(unit), inverts);
        count_nodes();
        if (!done) {
            result.assign(inverts ? n * n : 1, number(no_value));
        } else if (inverts) {
            result = std::move(done->inverse);
        } else {
            Variable total = number(e.name == "det" ? done->sign : 0);
            for (const Variable& pivot : done->pivots)
                total = e.name == "det" ? total * pivot : total + log(pivot * (pivot.item() < 0 ? -1.0 : 1.0));
            result = {total};
        }
        double largest = e.name == "det" ? largest_product(values, n) : 0;
        for (const Variable& x : result) largest = std::max(largest, std::abs(x.item()));
        for (Variable& x : result) x = without_rounding(x, largest);
        found = matrices_.emplace(std::pair<const Version*, std::string>(&version, key), std::move(result)).first;
    }
    return found->second[inverts ? place_in(e, n, letters) : 0];
}

// ---- derivatives that are recorded

Recorder::Variable Recorder::node_by(Version& version, const Expression& by, const Letters& letters) {
    const std::optional<std::size_t> place = place_of(model_, by, letters);
    return place ? entry(version, *by.symbol, *place) : Variable();
}

std::vector<Recorder::Variable> Recorder::nodes_by(Version& version, const Expression& by, const Letters& letters) {
    const Variable node = node_by(version, by, letters);
    std::vector<Variable> nodes = {node};
    if (&version != &actual_ || !node.on(tape_)) return nodes;
    for (const Assumption& assumption : variation_.assumptions) {
        const int held = *assumption.derivative.denominator().symbol;
        if (by.symbol == held) continue;
        const Variable beside = node_by(holding({held}), by, letters);
        if (std::ranges::none_of(nodes, [&](const Variable& one) { return one.index() == beside.index(); }))
            nodes.push_back(beside);
    }
    return nodes;
}

Recorder::Variable Recorder::gradient_of(const Variable& y, const Variable& x) {
    if (!x.on(tape_) || !y.requires_gradient() || !x.requires_gradient()) return number(0);
    return grad(y, x);
}

Recorder::Variable Recorder::gradient_by(Version& version, const Variable& y, const Expression& by,
                                         const Letters& letters) {
    if (variation_.assumptions.empty()) return gradient_by_shared_walk(version, y, by, letters);
    std::optional<Variable> total;
    for (const Variable& node : nodes_by(version, by, letters)) {
        const Variable one = gradient_of(y, node);
        total = total ? *total + one : one;
    }
    return *total;
}

/// The same, from a walk back that is taken once for all entries of the array and kept.
Recorder::Variable Recorder::gradient_by_shared_walk(Version& version, const Variable& y, const Expression& by,
                                                     const Letters& letters) {
    const std::optional<std::size_t> place = place_of(model_, by, letters);
    if (!place || !y.requires_gradient()) return number(0);
    const std::tuple key(&version, y.index(), *by.symbol);
    auto found = gradients_.find(key);
    if (found == gradients_.end()) {
        std::vector<Variable> nodes;
        for (std::size_t i = 0; i < version.size(*by.symbol); ++i) nodes.push_back(entry(version, *by.symbol, i));
        found = gradients_.emplace(key, grad(y, nodes)).first;
    }
    return found->second[*place];
}

}  // namespace derivation
