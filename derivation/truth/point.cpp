#include <fmt/format.h>

#include <algorithm>
#include <autograd/calculus.hpp>
#include <autograd/operations.hpp>
#include <derivation/resolve/checked.hpp>
#include <derivation/truth/adjoints.hpp>
#include <derivation/truth/evaluator.hpp>
#include <derivation/truth/formula_key.hpp>
#include <derivation/truth/point.hpp>
#include <limits>
#include <optional>
#include <random>
#include <unordered_map>
#include <utility>

namespace derivation {

namespace {

using Variable = autograd::Variable<double>;

constexpr double edge = 1e-9;
constexpr int most_recursions = 3000;
constexpr std::size_t most_nodes = 200000;

std::size_t as_size(int i) { return static_cast<std::size_t>(i); }

}  // namespace

std::ptrdiff_t place_of(const Model& model, const Expression& entry, const Letters& letters) {
    const Quantity& quantity = model.quantity(entry.symbol);
    std::ptrdiff_t place = 0;
    for (std::size_t axis = 0; axis < entry.indices.size(); ++axis) {
        const Index& index = entry.indices[axis];
        int at = index.offset;
        for (const IndexTerm& term : index.terms) at += term.sign * letters[as_size(term.letter)];
        const int size = model.ranges[as_size(quantity.ranges[axis])].size;
        if (at < 0 || at >= size) return -1;
        place = place * size + at;
    }
    return place;
}

const Curve& elementary_curve(const std::string& name) {
    static const std::map<std::string, Curve> curves = [] {
        std::map<std::string, Curve> all;
        for (const char* one :
             {"exp", "log", "sqrt", "tanh", "sin", "cos", "abs", "sigmoid", "relu", "softplus", "identity"})
            all[one].definition = one;
        return all;
    }();
    return curves.at(name);
}

/// The tape of one point.
class Point::Recording {
  public:
    Recording(const Model& model, const Variation& variation, std::vector<std::vector<double>> given,
              std::vector<Curve> curves)
        : model_(model), variation_(variation), given_(std::move(given)), curves_(std::move(curves)) {
        const std::size_t count = model_.quantities.size();
        base_.nodes.resize(count);
        values_.resize(count);
        scales_.resize(count);
        for (std::size_t q = 0; q < count; ++q) {
            const std::size_t size = model_.quantities[q].size(model_.ranges);
            base_.nodes[q].resize(size);
            values_[q].resize(size);
            scales_[q].resize(size);
        }
        for (std::size_t q = 0; q < count; ++q)
            for (std::size_t i = 0; i < base_.nodes[q].size() && finite; ++i) entry(base_, static_cast<int>(q), i);
    }

    double value(int quantity, std::size_t i) const { return values_[as_size(quantity)][i]; }
    double scale(int quantity, std::size_t i) const { return scales_[as_size(quantity)][i]; }
    const Curve& curve(int function) const { return curves_[as_size(function)]; }

    double derivative(const Expression& e, const Letters& letters, double& scale) {
        const Expression& of = e.children[0];
        const Expression& by = e.children[1];
        if (e.local && e.order == 1)
            if (const std::optional<double> local = local_derivative(of, by, letters)) {
                scale = std::max(scale, std::abs(*local));
                return *local;
            }
        Context& context = context_of(e);
        const std::ptrdiff_t place = place_of(model_, by, letters);
        if (place < 0) return 0;
        const Adjoints* adjoints = nullptr;
        if (e.order == 1) {
            adjoints = &adjoints_of(context, of, letters);
        } else {
            std::string key;
            write_key(e, letters, key);
            const auto [found, added] = higher_.try_emplace(key);
            if (added) {
                Variable gradient = recorded(context, of, letters);
                for (int i = 1; i < e.order; ++i)
                    gradient = gradient_by(context, gradient, e.children[as_size(i)], letters);
                found->second = walk_back(tape_, gradient);
            }
            adjoints = &found->second;
        }
        double total = 0;
        for (const Variable& node : nodes_by(context, e.order == 1 ? by : e.children[as_size(e.order)], letters)) {
            if (node.on(tape_)) total += adjoints->at(node, scale);
        }
        return total;
    }

    std::size_t nodes() const { return tape_.size(); }

    bool finite = true;
    bool kinked = false;
    std::map<const Expression*, int> sides;

  private:
    struct Context {
        std::vector<int> held;
        std::vector<std::vector<std::optional<Variable>>> nodes;
    };
    const Expression& definition(int quantity) const {
        const auto found = variation_.definitions.find(quantity);
        return found == variation_.definitions.end() ? model_.quantity(quantity).definition : found->second;
    }

    Variable number(double x) { return tape_.constant(x); }

    Variable entry(Context& context, int q, std::size_t i) {
        std::optional<Variable>& slot = context.nodes[as_size(q)][i];
        if (slot) return *slot;
        const Quantity& quantity = model_.quantity(q);
        const bool is_base = &context == &base_;
        if (quantity.role != Role::definition) {
            if (!is_base)
                return *(context.nodes[as_size(q)][i] =
                             is_held(context, q) ? number(value(q, i)) : *base_.nodes[as_size(q)][i]);
            const double x = given_[as_size(q)][i];
            values_[as_size(q)][i] = x;
            scales_[as_size(q)][i] = std::abs(x);
            finite = finite && std::isfinite(x);
            return *(slot = tape_.variable(x));
        }
        if (is_held(context, q)) return *(slot = number(value(q, i)));
        const auto key = std::pair(q, i);
        if (std::ranges::find(open_, key) != open_.end() || open_.size() > most_recursions)
            throw Error(quantity.span, fmt::format("{} depends on itself", quantity.name));
        open_.push_back(key);
        Letters letters = letters_of(q, i);
        const double scale_before = std::exchange(scale_, 0);
        Variable node;
        const auto assumption = std::ranges::find(
            variation_.assumptions, q, [](const Assumption& one) { return one.derivative.children[0].symbol; });
        if (is_base && assumption != variation_.assumptions.end())
            node = assumed(*assumption, i);
        else
            node = record(context, definition(q), letters);
        // Every entry has a node of its own, so that its adjoint is not mixed with that of another name.
        node = node.requires_gradient() ? node + 0.0 : tape_.variable(node.item());
        if (is_base) {
            values_[as_size(q)][i] = node.item();
            scales_[as_size(q)][i] = std::max(scale_, std::abs(node.item()));
            finite = finite && std::isfinite(node.item());
        }
        scale_ = scale_before;
        open_.pop_back();
        return *(context.nodes[as_size(q)][i] = node);
    }

    static bool is_held(const Context& context, int q) {
        return std::ranges::find(context.held, q) != context.held.end();
    }

    Variable lookup(Context& context, const Expression& e, const Letters& letters) {
        const std::ptrdiff_t place = place_of(model_, e, letters);
        if (place < 0) return number(0);
        const auto i = static_cast<std::size_t>(place);
        return entry(context, e.symbol, i);
    }

    void note(const Variable& x) { scale_ = std::max(scale_, std::abs(x.item())); }

    /// Remembers on which side of its kink a place was passed.
    void pass_kink(const Expression& e, double x) {
        kinked = kinked || std::abs(x) < edge;
        sides[&e] |= x > 0 ? 1 : 2;
    }

    Variable record(Context& context, const Expression& e, Letters& letters) {
        if (tape_.size() > most_nodes)
            throw Error(e.span,
                        "this derivation has too many terms: smaller sizes of the ranges show the same mistakes");
        switch (e.kind) {
            case Kind::number:
                return number(e.number);
            case Kind::letter:
                return number(letters[as_size(e.letters[0].letter)] + model_.range_of(e.letters[0].letter).first);
            case Kind::entry:
                return lookup(context, e, letters);
            case Kind::add: {
                std::optional<Variable> total;
                for (std::size_t i = 0; i < e.children.size(); ++i) {
                    const Variable term = record(context, e.children[i], letters);
                    note(term);
                    const bool minus = e.joints[i] == Joint::minus;
                    total = total ? (minus ? *total - term : *total + term) : minus ? -term : term;
                }
                return *total;
            }
            case Kind::product: {
                std::optional<Variable> total;
                for (std::size_t i = 0; i < e.children.size(); ++i) {
                    const Variable factor = record(context, e.children[i], letters);
                    total = !total ? factor : e.joints[i] == Joint::divided ? *total / factor : *total * factor;
                }
                return *total;
            }
            case Kind::power: {
                const Variable base = record(context, e.children[0], letters);
                const Variable exponent = record(context, e.children[1], letters);
                if (!exponent.requires_gradient()) return pow(base, exponent.item());
                return pow(base, exponent);
            }
            case Kind::call:
                return call(context, e, letters);
            case Kind::reduce:
                return reduce(context, e, letters);
            case Kind::derivative: {
                Context& inner = context_of(e);
                Variable gradient = record(inner, e.children[0], letters);
                for (int i = 1; i <= e.order; ++i)
                    gradient = gradient_by(inner, gradient, e.children[as_size(i)], letters);
                return gradient;
            }
            case Kind::iverson: {
                const double a = record(context, e.children[0], letters).item(),
                             b = record(context, e.children[1], letters).item();
                if (e.name != "==" && e.name != "!=" && e.children[0].kind != Kind::letter &&
                    e.children[1].kind != Kind::letter && a != b)
                    pass_kink(e, a - b);
                const bool holds = e.name == "=="   ? a == b
                                   : e.name == "!=" ? a != b
                                   : e.name == "<"  ? a < b
                                   : e.name == ">"  ? a > b
                                   : e.name == "<=" ? a <= b
                                                    : a >= b;
                return number(holds ? 1 : 0);
            }
            default:
                return number(std::numeric_limits<double>::quiet_NaN());
        }
    }

    Variable call(Context& context, const Expression& e, Letters& letters) {
        Variable x = record(context, e.children[0], letters);
        if (e.name == "max" || e.name == "min") {
            for (std::size_t i = 1; i < e.children.size(); ++i) {
                const Variable next = record(context, e.children[i], letters);
                pass_kink(e, x.item() - next.item());
                x = e.name == "max" ? maximum(x, next) : minimum(x, next);
            }
            return x;
        }
        const Curve& curve = e.symbol >= 0 ? curves_[as_size(e.symbol)] : elementary_curve(e.name);
        if (has_kink(curve.definition)) pass_kink(e, x.item());
        return apply(curve, e.order, x);
    }

    Variable reduce(Context& context, const Expression& e, Letters& letters) {
        std::vector<int> bound;
        for (const IndexTerm& term : e.letters) bound.push_back(term.letter);
        std::optional<Variable> total;
        double count = 0;
        for_each_entry(model_, bound, letters, [&] {
            if (e.children.size() > 1 && record(context, e.children[1], letters).item() == 0) return true;
            const Variable term = record(context, e.children[0], letters);
            ++count;
            if (e.name == "sum" || e.name == "mean") note(term);
            if (!total) {
                total = term;
            } else if (e.name == "prod") {
                total = *total * term;
            } else if (e.name == "max" || e.name == "min") {
                pass_kink(e, total->item() - term.item());
                total = e.name == "max" ? maximum(*total, term) : minimum(*total, term);
            } else {
                total = *total + term;
            }
            return true;
        });
        if (!total)
            return number(e.name == "prod" ? 1 : e.name == "sum" ? 0 : std::numeric_limits<double>::quiet_NaN());
        return e.name == "mean" ? *total / count : *total;
    }

    Context& context_of(const Expression& e) {
        std::vector<int> held;
        for (std::size_t i = as_size(e.order) + 1; i < e.children.size(); ++i) held.push_back(e.children[i].symbol);
        return context_holding(std::move(held));
    }

    Context& context_holding(std::vector<int> held) {
        if (held.empty()) return base_;
        std::ranges::sort(held);
        const auto [found, added] = held_.try_emplace(held);
        if (added) {
            found->second.held = held;
            for (const auto& nodes : base_.nodes) found->second.nodes.emplace_back(nodes.size());
        }
        return found->second;
    }

    Variable node_by(Context& context, const Expression& by, const Letters& letters) {
        const std::ptrdiff_t place = place_of(model_, by, letters);
        return place < 0 ? Variable() : entry(context, by.symbol, static_cast<std::size_t>(place));
    }

    Variable gradient_of(const Variable& y, const Variable& x) {
        if (!x.on(tape_) || !y.requires_gradient() || !x.requires_gradient()) return number(0);
        return grad(y, x);
    }

    Variable recorded(Context& context, const Expression& e, const Letters& letters) {
        Letters copy = letters;
        const double before = scale_;
        const Variable result = record(context, e, copy);
        scale_ = before;
        return result;
    }

    const Adjoints& adjoints_of(Context& context, const Expression& of, const Letters& letters) {
        if (of.kind == Kind::entry) {
            const std::ptrdiff_t place = place_of(model_, of, letters);
            if (place < 0) return nothing_;
            const Variable node = entry(context, of.symbol, static_cast<std::size_t>(place));
            const auto [found, added] = adjoints_.try_emplace(node.index());
            if (added) found->second = walk_back(tape_, node);
            return found->second;
        }
        std::string key;
        for (const int held : context.held) key += fmt::format("{}|", held);
        write_key(of, letters, key);
        const auto [found, added] = higher_.try_emplace(key);
        if (added) found->second = walk_back(tape_, recorded(context, of, letters));
        return found->second;
    }

    /// The derivative of an entry by one that stands in its own definition, the other names there held fixed.
    std::optional<double> local_derivative(const Expression& of, const Expression& by, const Letters& letters) {
        if (of.kind != Kind::entry || model_.quantity(of.symbol).role != Role::definition ||
            has_derivative(definition(of.symbol)))
            return {};
        const std::ptrdiff_t of_place = place_of(model_, of, letters), by_place = place_of(model_, by, letters);
        if (of_place < 0 || by_place < 0) return 0.0;
        std::vector<int> held;
        add_entries(definition(of.symbol), held);
        std::erase(held, by.symbol);
        std::ranges::sort(held);
        held.erase(std::unique(held.begin(), held.end()), held.end());
        Context& context = context_holding(held);
        const auto key = std::tuple(of.symbol, of_place, by.symbol);
        auto found = locals_.find(key);
        if (found == locals_.end()) {
            Letters inner = letters_of(of.symbol, static_cast<std::size_t>(of_place));
            found = locals_.emplace(key, walk_back(tape_, record(context, definition(of.symbol), inner))).first;
        }
        const Variable node = entry(context, by.symbol, static_cast<std::size_t>(by_place));
        double scale = 0;
        return found->second.at(node, scale);
    }

    /// The letters of a quantity's definition at one of its entries.
    Letters letters_of(int q, std::size_t i) const {
        const Quantity& quantity = model_.quantity(q);
        Letters letters(model_.letters.size(), 0);
        for (std::size_t axis = quantity.ranges.size(); axis-- > 0;) {
            const auto size = as_size(model_.ranges[as_size(quantity.ranges[axis])].size);
            letters[as_size(quantity.letters[axis])] = static_cast<int>(i % size);
            i /= size;
        }
        return letters;
    }

    /// Where dA/dB is assumed to be M: A without its paths through B, plus the sum of M times B's change. Its value is
    /// the true one; only its derivatives differ.
    Variable assumed(const Assumption& assumption, std::size_t i) {
        const Expression &of = assumption.derivative.children[0], &by = assumption.derivative.children[1];
        Letters inner = letters_of(of.symbol, i);
        Variable total = record(context_holding({by.symbol}), definition(of.symbol), inner) + 0.0;
        std::vector<int> free;
        for (const Expression* entry_of : {&of, &by})
            for (const Index& index : entry_of->indices)
                for (const IndexTerm& term : index.terms)
                    if (std::ranges::find(free, term.letter) == free.end()) free.push_back(term.letter);
        Letters letters(model_.letters.size(), 0);
        for_each_entry(model_, free, letters, [&] {
            const std::ptrdiff_t of_place = place_of(model_, of, letters), place = place_of(model_, by, letters);
            if (of_place != static_cast<std::ptrdiff_t>(i) || place < 0) return true;
            const double before = std::exchange(scale_, 0);
            double m = record(context_holding({untouched}), assumption.value, letters).item();
            if (std::abs(m) < 1e-9 * std::exchange(scale_, before)) m = 0;
            const Variable b = entry(base_, by.symbol, static_cast<std::size_t>(place));
            total = total + m * (b - b.item());
            return true;
        });
        return total;
    }

    /// The nodes by which a derivative by this entry is taken: under an assumption there is one more, beside its paths.
    std::vector<Variable> nodes_by(Context& context, const Expression& by, const Letters& letters) {
        const Variable node = node_by(context, by, letters);
        std::vector<Variable> nodes = {node};
        if (&context != &base_ || !node.on(tape_)) return nodes;
        for (const Assumption& assumption : variation_.assumptions) {
            const int held = assumption.derivative.children[1].symbol;
            if (by.symbol == held) continue;
            const Variable beside = node_by(context_holding({held}), by, letters);
            if (std::ranges::none_of(nodes, [&](const Variable& one) { return one.index() == beside.index(); }))
                nodes.push_back(beside);
        }
        return nodes;
    }

    Variable gradient_by(Context& context, const Variable& y, const Expression& by, const Letters& letters) {
        if (variation_.assumptions.empty()) return gradients_by(context, y, by, letters);
        std::optional<Variable> total;
        for (const Variable& node : nodes_by(context, by, letters)) {
            const Variable one = gradient_of(y, node);
            total = total ? *total + one : one;
        }
        return *total;
    }

    /// The same, recorded for all entries of the array at once: one walk back serves them all.
    Variable gradients_by(Context& context, const Variable& y, const Expression& by, const Letters& letters) {
        const std::ptrdiff_t place = place_of(model_, by, letters);
        if (place < 0 || !y.requires_gradient()) return number(0);
        const auto key = std::tuple(&context, y.index(), by.symbol);
        auto found = gradients_.find(key);
        if (found == gradients_.end()) {
            std::vector<Variable> nodes;
            for (std::size_t i = 0; i < context.nodes[as_size(by.symbol)].size(); ++i)
                nodes.push_back(entry(context, by.symbol, i));
            found = gradients_.emplace(key, grad(y, nodes)).first;
        }
        return found->second[static_cast<std::size_t>(place)];
    }

    static constexpr int untouched = -1;  ///< holds nothing: the definitions as they are

    const Model& model_;
    Variation variation_;
    std::vector<std::vector<double>> given_;
    std::vector<Curve> curves_;
    autograd::Tape<double> tape_;
    Context base_;
    std::map<std::vector<int>, Context> held_;
    std::vector<std::vector<double>> values_, scales_;
    std::vector<std::pair<int, std::size_t>> open_;
    double scale_ = 0;
    const Adjoints nothing_;
    std::map<std::tuple<const Context*, std::uint32_t, int>, std::vector<Variable>> gradients_;
    std::unordered_map<std::uint32_t, Adjoints> adjoints_;
    std::unordered_map<std::string, Adjoints> higher_;
    std::map<std::tuple<int, std::ptrdiff_t, int>, Adjoints> locals_;
};

Point::Point(const Model& model, const Variation& variation, std::vector<std::vector<double>> given,
             std::vector<Curve> curves)
    : recording_(std::make_unique<Recording>(model, variation, std::move(given), std::move(curves))) {}
Point::~Point() = default;
Point::Point(Point&&) noexcept = default;
Point& Point::operator=(Point&&) noexcept = default;

double Point::value(int quantity, std::size_t entry) const { return recording_->value(quantity, entry); }
double Point::scale(int quantity, std::size_t entry) const { return recording_->scale(quantity, entry); }
const Curve& Point::curve(int function) const { return recording_->curve(function); }
double Point::derivative(const Expression& e, const Letters& letters, double& scale) {
    return recording_->derivative(e, letters, scale);
}
std::size_t Point::nodes() const { return recording_->nodes(); }
bool Point::is_finite() const { return recording_->finite; }
bool Point::is_kinked() const { return recording_->kinked; }
const std::map<const Expression*, int>& Point::sides() const { return recording_->sides; }

}  // namespace derivation
