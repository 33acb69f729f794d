#include <fmt/format.h>

#include <algorithm>
#include <autograd/grad.hpp>
#include <autograd/operations.hpp>
#include <autograd/operations/partners.hpp>
#include <cmath>
#include <derivation/formula/building.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/truth/kinks.hpp>
#include <derivation/truth/letters.hpp>
#include <lab/lowering.hpp>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

namespace lab {

namespace {

using autograd::Array;
using autograd::Axes;
using autograd::Indices;
using autograd::Shape;
using derivation::Expression;
using derivation::Index;
using derivation::IndexTerm;
using derivation::Joint;
using derivation::Kind;
using derivation::Model;
using derivation::Quantity;
using derivation::Role;
using Variable = autograd::Variable<double>;
using Letters = std::vector<int>;

constexpr std::size_t most_open = 1000;

bool is_among(const Letters& letters, int one) { return std::ranges::find(letters, one) != letters.end(); }

Letters without(Letters letters, const Letters& others) {
    std::erase_if(letters, [&](int one) { return is_among(others, one); });
    return letters;
}

/// An array on the tape with a letter for each of its axes, or a number that is none yet.
struct Value {
    std::optional<Variable> node;
    double number = 0;
    Letters axes;

    bool is_number() const { return !node; }
};

Value number(double x) { return {{}, x, {}}; }

/// z = w x of a matrix and a column as one node, where `autograd::matmul` makes a matrix of the column first.
// wbar += zbar x^T     xbar += w^T zbar
Variable times_column(const Variable& w, const Variable& x) {
    using autograd::reshape, autograd::sum;
    const std::size_t rows = w.shape()[0], columns = w.shape()[1];
    const Shape column = {rows, 1};
    Array<double> z = Array<double>::from_shape({rows});
    for (std::size_t k = 0; k < rows; ++k)
        z(k) = std::inner_product(x.value().begin(), x.value().end(), w.value().begin() + k * columns, 0.0);
    return autograd::record("matmul", {w, x}, z, [w, x, column](auto& at) {
        at.adjoint(w) += reshape(at.zbar(), column) * at(x);
        if (at.wants(x)) at.adjoint(x) += sum(at.evaluate(reshape(at.zbar(), column) * at(w)), {0});
    });
}

/// z = x w of a row and a matrix likewise.
// xbar += w zbar       wbar += x^T zbar
Variable row_times(const Variable& x, const Variable& w) {
    using autograd::reshape, autograd::sum;
    const std::size_t rows = w.shape()[0], columns = w.shape()[1];
    const Shape column = {rows, 1};
    Array<double> z = Array<double>::from_shape({columns});
    std::ranges::fill(z, 0);
    for (std::size_t i = 0; i < w.size(); ++i) z(i % columns) += x.value()(i / columns) * w.value().data()[i];
    return autograd::record("matmul", {x, w}, z, [x, w, column](auto& at) {
        if (at.wants(x)) at.adjoint(x) += sum(at.evaluate(at(w) * at.zbar()), {1});
        at.adjoint(w) += reshape(at(x), column) * at.zbar();
    });
}

/// What a definition refers to within its circle of definitions that use each other.
struct Recurrence {
    std::set<int> ranges;         ///< along which it goes
    bool entry_by_entry = false;  ///< where a sum runs over earlier entries
};

/// The nodes where some quantities are held fixed, as derivatives ask for it; most often none are.
struct Version {
    Letters held;
    std::map<int, Variable> arrays;
    std::map<std::pair<int, Letters>, Variable> steps;
};

class Lowerer {
  public:
    Lowerer(const derivation::Derivation& derivation, const derivation::Point& point)
        : derivation_(derivation), model_(derivation.model), point_(point), fixed_(model_.letters.size(), -1) {
        result_.tape = std::make_unique<autograd::Tape<double>>();
        version_ = &versions_[{}];
        for (int q = 0; q < model_.count(); ++q)
            if (model_.quantity(q).role == Role::definition && depends_on(model_, model_.quantity(q).definition, q))
                recurrences_[q] = recurrence_of(q);
    }

    Lowering run(const std::vector<int>& left_out) {
        Letters lets;
        for (int q = 0; q < model_.count(); ++q)
            if (model_.quantity(q).role == Role::definition) lets.push_back(q);
        std::ranges::stable_sort(lets, {}, [&](int q) { return model_.quantity(q).span.begin; });
        for (const int q : lets) {
            LoweredLet let{q, Manner::whole, {}};
            if (std::ranges::find(left_out, q) != left_out.end()) {
                let.manner = Manner::left_out;
            } else {
                array(q);
                describe(let);
            }
            result_.lets.push_back(std::move(let));
        }
        result_.arrays.resize(model_.quantities.size());
        result_.steps.resize(model_.quantities.size());
        for (const auto& [q, node] : version_->arrays) result_.arrays[static_cast<std::size_t>(q)] = node;
        for (const auto& [key, node] : version_->steps)
            result_.steps[static_cast<std::size_t>(key.first)].push_back(node);
        result_.nodes.resize(tape().size());
        result_.result = last_scalar(model_);
        return std::move(result_);
    }

  private:
    autograd::Tape<double>& tape() { return *result_.tape; }
    std::size_t size_of(int letter) const { return static_cast<std::size_t>(model_.range_of(letter).size); }
    Shape shape_of(const Letters& axes) const {
        Shape shape;
        for (const int one : axes) shape.push_back(size_of(one));
        return shape;
    }

    // ---- what is known of nodes

    std::size_t line_of(int q) const { return derivation_.source.position(model_.quantity(q).span.begin).line; }

    /// Of whole arrays, the letters that their ranges were declared with.
    std::vector<std::string> names_of(const Letters& axes) const {
        std::vector<std::string> names;
        for (const int axis : axes) {
            std::string name = model_.letter(axis).name;
            if (model_.letter(axis).is_of_array()) {
                name.clear();
                for (const derivation::Letter& one : model_.letters)
                    if (one.range == model_.letter(axis).range && !one.is_of_array()) {
                        if (name.empty()) name = one.name + "'";
                        if (std::ranges::find(names, one.name) != names.end()) continue;
                        name = one.name;
                        break;
                    }
            }
            names.push_back(name);
        }
        return names;
    }

    Value noted(const Variable& node, Letters axes) {
        result_.nodes.resize(tape().size());
        std::vector<std::string>& letters = result_.nodes[node.index()].letters;
        if (letters.empty()) letters = names_of(axes);
        return {node, 0, std::move(axes)};
    }
    /// The same where the nodes from this one on are elementwise: those of its shape have its letters.
    Value noted_since(std::size_t from, const Variable& node, const Letters& axes) {
        const Shape shape = shape_of(axes);
        for (std::size_t i = from; i < tape().size(); ++i) {
            const Variable one = variable_at(tape(), static_cast<std::uint32_t>(i));
            if (std::ranges::equal(one.shape(), shape)) noted(one, axes);
        }
        return noted(node, axes);
    }

    /// The nodes from this one on belong to this quantity, where they do to none yet.
    void belongs(std::size_t from, int q) {
        result_.nodes.resize(tape().size());
        for (std::size_t i = from; i < tape().size(); ++i) {
            NodeFacts& facts = result_.nodes[i];
            if (facts.line != 0) continue;
            facts.line = line_of(q);
            if (facts.group.empty() && model_.quantity(q).role == Role::definition) facts.group = name_of(model_, q);
        }
    }
    /// The nodes from this one on are a walk back that is recorded.
    void is_backward(std::size_t from) {
        result_.nodes.resize(tape().size());
        for (std::size_t i = from; i < tape().size(); ++i) result_.nodes[i].group = "backward";
    }

    // ---- names

    /// The array of a quantity.
    Variable array(int q) {
        const auto known = version_->arrays.find(q);
        if (known != version_->arrays.end()) return known->second;
        const Quantity& quantity = model_.quantity(q);
        const std::size_t from = tape().size();
        Variable node;
        if (is_among(version_->held, q)) {
            node = tape().constant(numbers_of(q), name_of(model_, q));
        } else if (quantity.role != Role::definition) {
            if (!version_->held.empty()) {
                Version& outer = *std::exchange(version_, &versions_[{}]);
                node = array(q);
                version_ = &outer;
            } else if (quantity.role == Role::constant && !is_differentiated_by(q)) {
                node = tape().constant(numbers_of(q), name_of(model_, q));
            } else {
                node = tape().variable(numbers_of(q), name_of(model_, q));
            }
        } else if (recurrences_.contains(q)) {
            node = array_of_steps(q);
        } else {
            node = definition(q, quantity.letters, name_of(model_, q));
        }
        noted(node, quantity.letters);
        belongs(from, q);
        version_->arrays.emplace(q, node);
        return node;
    }

    /// Whether some line or definition takes a derivative by it.
    bool is_differentiated_by(int q) const {
        const auto takes = [&](const Expression& e) {
            return any_part(e, [&](const Expression& x) {
                return x.kind == Kind::derivative &&
                       std::ranges::any_of(x.denominators(), [&](const Expression& by) { return by.symbol == q; });
            });
        };
        return std::ranges::any_of(model_.quantities, takes, &Quantity::definition) ||
               std::ranges::any_of(derivation_.lines, [&](const derivation::Line& line) {
                   return std::ranges::any_of(line.checked.members, takes);
               });
    }

    Array<double> numbers_of(int q) const {
        const Quantity& quantity = model_.quantity(q);
        Array<double> result = Array<double>::from_shape(shape_of(quantity.letters));
        for (std::size_t place = 0; place < result.size(); ++place) result.data()[place] = point_.value(q, place);
        return result;
    }

    /// A definition where its other letters are fixed.
    Variable definition(int q, const Letters& letters, const std::string& name) {
        if (++open_ > most_open)
            throw derivation::Error(model_.quantity(q).span,
                                    fmt::format("{} depends on itself", model_.quantity(q).name));
        const Letters outer = std::exchange(order_, letters);
        const std::size_t from = tape().size();
        Value value = spread(record(model_.quantity(q).definition), letters);
        // Every name has a node of its own, so that its adjoint is not mixed with that of another.
        Variable node = as_node(value);
        if (!node.requires_gradient())
            node = tape().variable(Array<double>(node.value()), name);
        else if (node.index() < from || !node.name().empty())
            node = node + 0.0;
        tape().name(node, name);
        noted(node, letters);
        order_ = outer;
        --open_;
        return node;
    }

    // ---- recurrences: h[t] by h[t-1]

    Recurrence recurrence_of(int q) const {
        Recurrence result;
        for (int other = 0; other < model_.count(); ++other) {
            if (!depends_on(model_, q, other) || !depends_on(model_, other, q)) continue;
            const Quantity& of = model_.quantity(other);
            const auto look = [&](const auto& self, const Expression& e) -> void {
                for (const Expression& child : e.children) self(self, child);
                if (e.kind != Kind::entry || !e.symbol || !depends_on(model_, *e.symbol, q) ||
                    !depends_on(model_, q, *e.symbol))
                    return;
                for (std::size_t axis = 0; axis < e.indices.size(); ++axis) {
                    const Index& index = e.indices[axis];
                    if (index.is_letter() && is_among(of.letters, *index.terms[0].letter)) continue;
                    // A sum over an axis along which the recurrence does not go is one over a whole array.
                    const bool arithmetic = !index.is_letter();
                    if (arithmetic) result.ranges.insert(model_.quantity(e).ranges[axis]);
                }
            };
            look(look, of.definition);
        }
        const bool nowhere = result.ranges.empty();
        for (int other = 0; other < model_.count(); ++other) {
            if (!depends_on(model_, q, other) || !depends_on(model_, other, q)) continue;
            const Quantity& of = model_.quantity(other);
            result.entry_by_entry =
                result.entry_by_entry || nowhere || any_part(of.definition, [&](const Expression& e) {
                    if (e.kind != Kind::entry || !e.symbol || !depends_on(model_, *e.symbol, q) ||
                        !depends_on(model_, q, *e.symbol))
                        return false;
                    for (std::size_t axis = 0; axis < e.indices.size(); ++axis) {
                        if (!result.ranges.contains(model_.quantity(e).ranges[axis])) continue;
                        for (const IndexTerm& term : e.indices[axis].terms)
                            if (!is_among(of.letters, *term.letter)) return true;
                    }
                    return false;
                });
        }
        return result;
    }

    bool is_step(int q, std::size_t axis) const {
        const Recurrence& recurrence = recurrences_.at(q);
        return recurrence.entry_by_entry || recurrence.ranges.contains(model_.quantity(q).ranges[axis]);
    }

    /// The letters of the axes along which a recurrence goes, and those of the rest.
    std::pair<Letters, Letters> split(int q) const {
        std::pair<Letters, Letters> result;
        const Quantity& quantity = model_.quantity(q);
        for (std::size_t axis = 0; axis < quantity.letters.size(); ++axis)
            (is_step(q, axis) ? result.first : result.second).push_back(quantity.letters[axis]);
        return result;
    }

    Variable step(int q, const Letters& values) {
        const std::pair key(q, values);
        const auto known = version_->steps.find(key);
        if (known != version_->steps.end()) return known->second;
        const auto [along, rest] = split(q);
        const Letters outer = std::exchange(fixed_, Letters(model_.letters.size(), -1));
        std::string places;
        for (std::size_t i = 0; i < along.size(); ++i) {
            value_of(fixed_, along[i]) = values[i];
            places += fmt::format("{}{}", i > 0 ? "," : "", values[i] + model_.range_of(along[i]).first);
        }
        const bool before = std::exchange(expands_, recurrences_.at(q).entry_by_entry);
        const std::size_t from = tape().size();
        const Variable node = definition(q, rest, fmt::format("{}[{}]", model_.quantity(q).name, places));
        belongs(from, q);
        expands_ = before;
        fixed_ = outer;
        version_->steps.emplace(key, node);
        return node;
    }

    Variable array_of_steps(int q) {
        const auto [along, rest] = split(q);
        const Letters outer = std::exchange(fixed_, Letters(model_.letters.size(), -1));
        const Value all = over(along, [&, &along = along, &rest = rest] {
            Letters values;
            for (const int letter : along) values.push_back(value_of(fixed_, letter));
            return Value{step(q, values), 0, rest};
        });
        fixed_ = outer;
        const Variable node = as_node(arranged(all, model_.quantity(q).letters));
        if (node.name().empty()) tape().name(node, name_of(model_, q));
        return node;
    }

    static int& value_of(Letters& letters, int letter) { return letters[static_cast<std::size_t>(letter)]; }
    static int value_of(const Letters& letters, int letter) { return letters[static_cast<std::size_t>(letter)]; }
    bool is_fixed(int letter) const { return value_of(fixed_, letter) >= 0; }

    /// Calls body() with the letters at each of their values, the last fastest.
    template <class Body>
    void each(const Letters& letters, Body body) {
        const Letters before = fixed_;
        std::size_t count = 1;
        for (const int one : letters) count *= size_of(one);
        for (std::size_t i = 0; i < count; ++i) {
            std::size_t rest = i;
            for (std::size_t k = letters.size(); k-- > 0;) {
                value_of(fixed_, letters[k]) = static_cast<int>(rest % size_of(letters[k]));
                rest /= size_of(letters[k]);
            }
            body();
        }
        fixed_ = before;
    }

    /// What body() gives at each of the letters' values, as one array.
    template <class Body>
    Value over(const Letters& letters, Body body) {
        if (letters.empty()) return body();
        std::vector<Value> parts;
        each(letters, [&] { parts.push_back(body()); });
        Letters inner;
        for (const Value& part : parts)
            for (const int axis : part.axes)
                if (!is_among(inner, axis)) inner.push_back(axis);
        std::vector<Variable> nodes;
        for (Value& part : parts) nodes.push_back(as_node(spread(std::move(part), inner)));
        Letters axes = letters;
        axes.insert(axes.end(), inner.begin(), inner.end());
        Variable all = stack(nodes);
        if (letters.size() > 1) all = reshape(all, shape_of(axes));
        return noted(all, axes);
    }

    // ---- arrays and their axes

    Variable as_node(const Value& value) { return value.node ? *value.node : tape().constant(value.number); }

    /// The same with its axes in this order.
    Value arranged(const Value& value, const Letters& axes) {
        if (value.is_number() || value.axes == axes) return value;
        Axes order;
        for (const int axis : axes) order.push_back(std::ranges::find(value.axes, axis) - value.axes.begin());
        const bool reversed = axes.size() == 2;
        return noted(reversed ? transpose(*value.node) : transpose(*value.node, order), axes);
    }

    static Letters those_of(const Letters& order, const Letters& axes) {
        Letters result;
        for (const int one : order)
            if (is_among(axes, one)) result.push_back(one);
        return result;
    }

    /// The node with its axes in this order, and 1 in the place of those that it lacks behind its first.
    Variable aligned(const Value& value, const Letters& axes) {
        if (value.is_number()) return as_node(value);
        const Value in_order = arranged(value, those_of(axes, value.axes));
        const auto first = std::ranges::find_if(axes, [&](int axis) { return is_among(value.axes, axis); });
        if (static_cast<std::size_t>(axes.end() - first) == value.axes.size()) return *in_order.node;
        Shape shape;
        for (auto axis = first; axis != axes.end(); ++axis)
            shape.push_back(is_among(value.axes, *axis) ? size_of(*axis) : 1);
        return reshape(*in_order.node, shape);
    }

    /// The same with exactly these axes.
    Value spread(Value value, const Letters& axes) {
        if (value.axes.size() == axes.size()) return arranged(value, axes);
        return noted(broadcast_to(aligned(value, axes), shape_of(axes)), axes);
    }

    /// The axes of both, in the order that needs the fewest moves.
    Letters joined(const Letters& a, const Letters& b) const {
        if (without(b, a).empty()) return a;
        if (without(a, b).empty()) return b;
        Letters all = a;
        for (const int axis : without(b, a)) all.push_back(axis);
        std::ranges::stable_sort(all, {}, [&](int axis) { return rank(axis); });
        return all;
    }
    /// Where a letter stands on the left side.
    std::size_t rank(int axis) const {
        return static_cast<std::size_t>(std::ranges::find(order_, axis) - order_.begin());
    }

    template <class Operation>
    Value together(const Value& a, const Value& b, Operation operation) {
        const Letters axes = joined(a.axes, b.axes);
        const std::size_t from = tape().size();
        const Variable x = aligned(a, axes), y = aligned(b, axes);
        return noted_since(from, operation(x, y), axes);
    }
    template <class Operation>
    Value alone(const Value& a, Operation operation) {
        const std::size_t from = tape().size();
        return noted_since(from, operation(*a.node), a.axes);
    }

    Value plus(const Value& a, const Value& b, bool minus) {
        const double sign = minus ? -1 : 1;
        if (a.is_number() && b.is_number()) return number(a.number + sign * b.number);
        if (b.is_number()) return b.number == 0 ? a : alone(a, [&](auto& x) { return x + sign * b.number; });
        if (a.is_number() && a.number == 0) return minus ? negative(b) : b;
        if (a.is_number()) return alone(b, [&](auto& y) { return minus ? a.number - y : y + a.number; });
        return together(a, b, [&](auto& x, auto& y) { return minus ? x - y : x + y; });
    }
    Value negative(const Value& a) {
        return a.is_number() ? number(-a.number) : alone(a, [](auto& x) { return -x; });
    }
    Value times(const Value& a, const Value& b) {
        if (a.is_number() && b.is_number()) return number(a.number * b.number);
        if (a.is_number()) return times(b, a);
        if (b.is_number())
            return b.number == 1 ? a : b.number == -1 ? negative(a) : alone(a, [&](auto& x) { return x * b.number; });
        return together(a, b, [](auto& x, auto& y) { return x * y; });
    }
    Value over(const Value& a, const Value& b) {
        if (a.is_number() && b.is_number()) return number(a.number / b.number);
        if (b.is_number()) return b.number == 1 ? a : alone(a, [&](auto& x) { return x / b.number; });
        if (a.is_number()) return alone(b, [&](auto& y) { return a.number / y; });
        return together(a, b, [](auto& x, auto& y) { return x / y; });
    }

    // ---- formulas

    /// The letters of a formula that are bound neither in it nor fixed.
    Letters free_of(const Expression& e) const {
        Letters free = derivation::free_letters(e);
        std::erase_if(free, [&](int letter) { return is_fixed(letter); });
        return free;
    }

    Value record(const Expression& e) {
        if (is_of_letters(e)) return of_letters(e);
        switch (e.kind) {
            case Kind::entry:
                return entry(e);
            case Kind::add: {
                Value total = record(e.children[0]);
                if (e.joints[0] == Joint::minus) total = negative(total);
                for (std::size_t i = 1; i < e.children.size(); ++i)
                    total = plus(total, record(e.children[i]), e.joints[i] == Joint::minus);
                return total;
            }
            case Kind::product: {
                std::vector<Factor> factors;
                add_factors(e, false, factors);
                return product(factors);
            }
            case Kind::power:
                return power(e);
            case Kind::call:
                return call(e);
            case Kind::reduce:
                return expands_ ? expanded(e) : reduce(e);
            case Kind::derivative:
                return derivative(e);
            case Kind::iverson:
                return comparison(e);
            case Kind::of_matrix:
                return of_matrix(e);
            default:
                throw derivation::Error(e.span, "this is not recorded as arrays");
        }
    }

    /// Whether it has the same numbers at every point: it is made of letters and numbers.
    static bool is_of_letters(const Expression& e) {
        return !any_part(e, [](const Expression& x) {
            return x.kind != Kind::number && x.kind != Kind::letter && x.kind != Kind::iverson && x.kind != Kind::add &&
                   x.kind != Kind::product && x.kind != Kind::power;
        });
    }
    double number_of_letters(const Expression& e) const {
        const auto at = [&](std::size_t i) { return number_of_letters(e.children[i]); };
        double total = e.kind == Kind::product ? 1 : 0;
        switch (e.kind) {
            case Kind::number:
                return e.number;
            case Kind::letter:
                return derivation::number_of_letter(model_, e, fixed_);
            case Kind::iverson:
                return derivation::holds(e, at(0), at(1)) ? 1 : 0;
            case Kind::power:
                return std::pow(at(0), at(1));
            case Kind::product:
                for (std::size_t i = 0; i < e.children.size(); ++i)
                    total = e.joints[i] == Joint::divided ? total / at(i) : total * at(i);
                return total;
            default:
                for (std::size_t i = 0; i < e.children.size(); ++i)
                    total += e.joints[i] == Joint::minus ? -at(i) : at(i);
                return total;
        }
    }
    Value of_letters(const Expression& e) {
        const Letters free = free_of(e);
        if (free.empty()) return number(number_of_letters(e));
        std::vector<double> values;
        each(free, [&] { values.push_back(number_of_letters(e)); });
        Array<double> numbers = Array<double>::from_shape(shape_of(free));
        std::ranges::copy(values, numbers.data());
        const bool is_identity = e.kind == Kind::iverson && e.name == "==" && free.size() == 2 &&
                                 e.left().kind == Kind::letter && e.right().kind == Kind::letter;
        const bool is_typed =
            std::ranges::none_of(free, [&](int letter) { return model_.letter(letter).is_of_array(); });
        const std::string name = is_identity ? "I" : is_typed ? to_text(e) : "";
        return noted(tape().constant(numbers, name), free);
    }

    Value entry(const Expression& e) {
        const int q = *e.symbol;
        const Quantity& quantity = model_.quantity(q);
        // Of a recurrence a single step is taken by itself.
        if (recurrences_.contains(q) && !is_among(version_->held, q)) {
            Letters values;
            std::vector<Index> rest;
            Letters rest_ranges;
            bool whole = false;
            for (std::size_t axis = 0; axis < e.indices.size(); ++axis) {
                if (!is_step(q, axis)) {
                    rest.push_back(e.indices[axis]);
                    rest_ranges.push_back(quantity.ranges[axis]);
                    continue;
                }
                const std::optional<int> at = number_of(e.indices[axis]);
                if (at && (*at < 0 || *at >= model_.range(quantity.ranges[axis]).size)) return number(0);
                whole = whole || !at;
                values.push_back(at.value_or(0));
            }
            if (!whole) return indexed(step(q, values), rest_ranges, rest);
        }
        return indexed(array(q), quantity.ranges, e.indices);
    }

    /// The place that an index means, where all of its letters are fixed.
    std::optional<int> number_of(const Index& index) const {
        int at = index.offset;
        for (const IndexTerm& term : index.terms) {
            if (!is_fixed(*term.letter)) return {};
            at += term.sign * value_of(fixed_, *term.letter);
        }
        return at;
    }

    /// The entries of an array where its indices say, 0 where they leave it.
    Value indexed(Variable x, const Letters& ranges, const std::vector<Index>& indices) {
        Letters axes;
        bool is_simple = true;
        for (std::size_t axis = 0; axis < indices.size(); ++axis) {
            const std::optional<int> at = number_of(indices[axis]);
            if (at && (*at < 0 || *at >= model_.range(ranges[axis]).size)) return number(0);
            if (at) continue;
            for (const IndexTerm& term : indices[axis].terms) {
                if (is_fixed(*term.letter)) continue;
                is_simple = is_simple && indices[axis].is_letter() && !is_among(axes, *term.letter);
                if (!is_among(axes, *term.letter)) axes.push_back(*term.letter);
            }
        }
        if (is_simple) {
            for (std::size_t axis = indices.size(); axis-- > 0;) {
                const std::optional<int> at = number_of(indices[axis]);
                if (!at) continue;
                Indices one = Indices::from_shape(Shape{});
                one() = *at;
                x = take(x, one, static_cast<std::ptrdiff_t>(axis));
            }
            return noted(x, axes);
        }
        // x[t+r], or a diagonal: the places of all entries, one after the other.
        const std::size_t size = x.size();
        std::vector<std::int64_t> places;
        bool leaves = false;
        each(axes, [&] {
            std::size_t place = 0;
            bool inside = true;
            for (std::size_t axis = 0; axis < indices.size(); ++axis) {
                const int at = *number_of(indices[axis]), length = model_.range(ranges[axis]).size;
                inside = inside && at >= 0 && at < length;
                place = place * static_cast<std::size_t>(length) + static_cast<std::size_t>(inside ? at : 0);
            }
            leaves = leaves || !inside;
            places.push_back(static_cast<std::int64_t>(inside ? place : size));
        });
        Indices all = Indices::from_shape(shape_of(axes));
        std::ranges::copy(places, all.data());
        Variable flat = x.dimension() == 1 ? x : reshape(x, Shape{size});
        if (leaves) flat = pad(flat, 0, 0, 1);
        return noted(take(flat, all), axes);
    }

    // ---- products and sums

    struct Factor {
        const Expression* e;
        bool divides;
    };

    void add_factors(const Expression& e, bool divides, std::vector<Factor>& factors) const {
        if (e.kind != Kind::product || (divides && e.children.size() > 1) || softmax_of(e, factors_of_one(e))) {
            factors.push_back({&e, divides});
            return;
        }
        for (std::size_t i = 0; i < e.children.size(); ++i)
            add_factors(e.children[i], divides || e.joints[i] == Joint::divided, factors);
    }
    static std::vector<Factor> factors_of_one(const Expression& e) {
        std::vector<Factor> factors;
        for (std::size_t i = 0; e.kind == Kind::product && i < e.children.size(); ++i)
            factors.push_back({&e.children[i], e.joints[i] == Joint::divided});
        return factors;
    }

    /// Of exp(z[k]) / sum(n, exp(z[n])) the letter k, where these are all factors.
    std::optional<int> softmax_of(const Expression&, const std::vector<Factor>& factors) const {
        if (factors.size() != 2 || factors[0].divides || !factors[1].divides) return {};
        return softmax_letter(*factors[0].e, *factors[1].e);
    }
    std::optional<int> softmax_letter(const Expression& above, const Expression& below) const {
        const auto is_exponential = [](const Expression& e) {
            return is_call(e, "exp") && !e.symbol && e.order == 0 && e.children.size() == 1;
        };
        if (!is_exponential(above) || below.kind != Kind::reduce || below.name != "sum" ||
            below.condition() != nullptr || below.letters.size() != 1 || !is_exponential(below.body()))
            return {};
        const int summed = *below.letters[0].letter;
        for (const int letter : free_of(above.argument())) {
            if (model_.letter(letter).range != model_.letter(summed).range) continue;
            Expression inner = below.body().argument();
            substitute(inner, summed, letter, model_.letter(letter).name);
            if (same(inner, above.argument())) return letter;
        }
        return {};
    }

    Value product(std::vector<Factor> factors) {
        std::optional<Value> total;
        const auto multiply = [&](const Value& value, bool divides) {
            total = !total    ? (divides ? over(number(1), value) : value)
                    : divides ? over(*total, value)
                              : times(*total, value);
        };
        for (std::size_t i = 0; i < factors.size(); ++i) {
            const auto [e, divides] = factors[i];
            if (e == nullptr) continue;
            if (e->kind == Kind::product) {
                std::vector<Factor> inner = factors_of_one(*e);
                if (!divides || inner.size() > 1) {
                    multiply(product(std::move(inner)), divides);
                    continue;
                }
            }
            std::optional<int> letter;
            for (std::size_t k = 0; k < factors.size() && !divides && !expands_ && !letter; ++k) {
                if (factors[k].e == nullptr || !factors[k].divides) continue;
                letter = softmax_letter(*e, *factors[k].e);
                if (letter) factors[k].e = nullptr;
            }
            if (!letter) {
                multiply(record(*e), divides);
                continue;
            }
            const Value x = record(e->argument());
            const std::ptrdiff_t axis = std::ranges::find(x.axes, *letter) - x.axes.begin();
            multiply(alone(x,
                           [&](auto& z) {
                               return softmax(z, axis + 1 == static_cast<std::ptrdiff_t>(x.axes.size()) ? -1 : axis);
                           }),
                     false);
        }
        return total.value_or(number(1));
    }

    /// A sum of products over letters, by products of matrices where it is one.
    Value sum_of_products(const Expression& body, const Letters& letters) {
        std::vector<Factor> factors;
        add_factors(body, false, factors);
        std::vector<Factor> outside, inside;
        bool divides = false;
        for (const Factor& factor : factors) {
            const bool is_inside = !without(letters, without(letters, free_of(*factor.e))).empty();
            (is_inside ? inside : outside).push_back(factor);
            divides = divides || (is_inside && factor.divides);
        }
        std::vector<Value> values;
        if (divides)
            values.push_back(product(inside));
        else
            for (const Factor& factor : inside) {
                values.push_back(record(*factor.e));
                if (values.back().is_number() && values.back().number == 0) return number(0);  // h[t-1] at the first t
            }
        Letters left = letters;
        double count = 1;
        for (const int letter : letters)
            if (std::ranges::none_of(values, [&](const Value& one) { return is_among(one.axes, letter); })) {
                count *= static_cast<double>(size_of(letter));
                std::erase(left, letter);
            }
        while (!left.empty()) sum_out(values, left);
        Value total = number(count);
        for (const Value& value : values) total = times(total, value);
        if (outside.empty()) return total;
        // A number before the sum stands before it on the tape, too.
        const bool divides_all = std::ranges::all_of(outside, &Factor::divides);
        if (divides_all) {
            for (const Factor& factor : outside) total = over(total, record(*factor.e));
            return total;
        }
        return times(product(outside), total);
    }

    /// Takes one letter, or several at once, out of a product.
    void sum_out(std::vector<Value>& values, Letters& left) {
        const auto count = [&](int letter) {
            return std::ranges::count_if(values, [&](const Value& one) { return is_among(one.axes, letter); });
        };
        // First what stands in fewest factors, and of these the innermost.
        const int letter =
            *std::ranges::min_element(left.rbegin(), left.rend(), [&](int a, int b) { return count(a) < count(b); });
        std::vector<Value> with, rest;
        for (Value& value : values) (is_among(value.axes, letter) ? with : rest).push_back(std::move(value));
        while (with.size() > 2) {
            // First what has the same letters, which a product of matrices can still follow; else the smallest.
            std::ranges::stable_sort(with, {}, [](const Value& one) { return one.axes.size(); });
            std::size_t one = 0, other = 1;
            for (std::size_t i = 0; i < with.size(); ++i)
                for (std::size_t k = i + 1; k < with.size(); ++k)
                    if (with[i].axes.size() == with[k].axes.size() && without(with[i].axes, with[k].axes).empty())
                        std::tie(one, other) = std::pair(i, k);
            with[one] = times(with[one], with[other]);
            with.erase(with.begin() + static_cast<std::ptrdiff_t>(other));
        }
        std::optional<Value> result;
        if (with.size() == 2) result = matrix_product(with[0], with[1], letter);
        Letters gone = {letter};
        if (!result) {
            const Value whole = with.size() == 2 ? times(with[0], with[1]) : with[0];
            for (const int other : left)
                if (other != letter && is_among(whole.axes, other) &&
                    std::ranges::none_of(rest, [&](const Value& one) { return is_among(one.axes, other); }))
                    gone.push_back(other);
            result = reduced(whole, gone, [](const Variable& x, const Axes& axes) {
                return axes.size() == x.dimension() ? sum(x) : sum(x, axes);
            });
        }
        left = without(left, gone);
        rest.push_back(*result);
        values = std::move(rest);
    }

    template <class Reduction>
    Value reduced(const Value& x, const Letters& letters, Reduction reduction) {
        Axes axes;
        for (std::size_t axis = 0; axis < x.axes.size(); ++axis)
            if (is_among(letters, x.axes[axis])) axes.push_back(static_cast<std::ptrdiff_t>(axis));
        return noted(reduction(*x.node, axes), without(x.axes, letters));
    }

    /// The sum over a letter of a product of two, where it is one of vectors, matrices or stacks of them.
    std::optional<Value> matrix_product(const Value& a, const Value& b, int letter) {
        if (a.is_number() || b.is_number()) return {};
        const Letters of_a = without(a.axes, {letter}), of_b = without(b.axes, {letter});
        const Letters both = without(of_a, without(of_a, of_b));
        const Letters only_a = without(of_a, both), only_b = without(of_b, both);
        if (of_a.empty() && of_b.empty()) return {};
        const auto product = [&](const Value& x, const Letters& x_axes, const Value& y, const Letters& y_axes,
                                 const Letters& axes) {
            const Variable left = *arranged(x, x_axes).node, right = *arranged(y, y_axes).node;
            const bool is_column = left.dimension() == 2 && right.dimension() == 1;
            const bool is_row = left.dimension() == 1 && right.dimension() == 2;
            return noted(is_column ? times_column(left, right)
                         : is_row  ? row_times(left, right)
                                   : matmul(left, right),
                         axes);
        };
        const auto chain = [](std::initializer_list<Letters> parts) {
            Letters all;
            for (const Letters& part : parts) all.insert(all.end(), part.begin(), part.end());
            return all;
        };
        const Letters summed = {letter};
        if (!both.empty()) {
            if (only_a.size() != 1 || only_b.size() != 1) return {};
            return product(a, chain({both, only_a, summed}), b, chain({both, summed, only_b}),
                           chain({both, only_a, only_b}));
        }
        if (of_a.size() > 1 && of_b.size() > 1) return {};
        if (of_a.empty() || of_b.empty()) {
            // As it was typed: p V, W x, and W^T x for w[k,j] * x[k].
            if (of_b.empty() && !of_a.empty()) return product(a, chain({of_a, summed}), b, summed, of_a);
            if (of_a.empty() && b.axes.front() != letter) return product(b, chain({of_b, summed}), a, summed, of_b);
            if (of_b.size() > 1) return product(b, chain({of_b, summed}), a, summed, of_b);
            return product(a, summed, b, chain({summed, of_b}), of_b);
        }
        const auto first = [&](const Letters& axes) {
            return std::ranges::min(axes, {}, [&](int axis) { return rank(axis); });
        };
        const bool swapped = of_a.size() == of_b.size() ? rank(first(of_b)) < rank(first(of_a)) : of_b.size() > 1;
        const Value &x = swapped ? b : a, &y = swapped ? a : b;
        const Letters &of_x = swapped ? of_b : of_a, &of_y = swapped ? of_a : of_b;
        return product(x, chain({of_x, summed}), y, chain({summed, of_y}), chain({of_x, of_y}));
    }

    Value reduce(const Expression& e) {
        const Letters letters = derivation::bound_letters(e);
        double count = 1;
        for (const int letter : letters) count *= static_cast<double>(size_of(letter));
        const bool is_mean = e.name == "mean", is_sum = e.name == "sum" || is_mean;
        if (e.condition() == nullptr && is_sum) {
            const bool is_product = e.body().kind == Kind::product;
            if (!is_mean || is_product) {
                const Value total = sum_of_products(e.body(), letters);
                return is_mean ? over(total, number(count)) : total;
            }
        }
        Value body = record(e.body());
        std::optional<Value> condition;
        if (e.condition() != nullptr) condition = record(*e.condition());
        Letters axes = joined(condition ? condition->axes : Letters(), body.axes);
        for (const int letter : letters)
            if (!is_among(axes, letter)) axes.push_back(letter);
        body = spread(body, axes);
        std::optional<Value> counted;
        if (condition) {
            const double neutral = is_sum ? 0 : e.name == "prod" ? 1 : e.name == "max" ? -INFINITY : INFINITY;
            const Variable mask = aligned(*condition, axes);
            body = noted(where(mask, *body.node, tape().constant(neutral)), axes);
            if (is_mean) {
                const Array<double> all = broadcast_to(mask, shape_of(axes)).value();
                counted = reduced(noted(tape().constant(all), axes), letters,
                                  [](const Variable& x, const Axes& which) { return sum(x, which); });
            }
        }
        const Value result = reduced(body, letters, [&](const Variable& x, const Axes& which) {
            const bool all = which.size() == x.dimension();
            if (e.name == "max") return all ? amax(x) : amax(x, which);
            if (e.name == "min") return all ? amin(x) : amin(x, which);
            if (e.name == "prod") return all ? prod(x) : prod(x, which);
            if (is_mean && !counted) return all ? mean(x) : mean(x, which);
            return all ? sum(x) : sum(x, which);
        });
        return counted ? over(result, *counted) : result;
    }

    /// The same one term after the other.
    Value expanded(const Expression& e) {
        std::optional<Value> total;
        double count = 0;
        const auto combined = [&](const Value& a, const Value& b) {
            if (e.name == "prod") return times(a, b);
            if (e.name == "max") return together(a, b, [](auto& x, auto& y) { return maximum(x, y); });
            if (e.name == "min") return together(a, b, [](auto& x, auto& y) { return minimum(x, y); });
            return plus(a, b, false);
        };
        each(derivation::bound_letters(e), [&] {
            if (e.condition() != nullptr) {
                const Value condition = record(*e.condition());
                if ((condition.is_number() ? condition.number : condition.node->item()) == 0) return;
            }
            const Value term = record(e.body());
            ++count;
            total = total ? combined(*total, term) : term;
        });
        if (!total) return number(e.name == "prod" ? 1 : 0);
        return e.name == "mean" ? over(*total, number(count)) : *total;
    }

    // ---- functions

    Value power(const Expression& e) {
        const Value base = record(e.base()), exponent = record(e.exponent());
        if (base.is_number() && exponent.is_number()) return number(std::pow(base.number, exponent.number));
        const bool is_fixed_number =
            exponent.is_number() || (!exponent.node->requires_gradient() && exponent.axes.empty());
        if (!is_fixed_number || base.is_number())
            return together(base, exponent, [](auto& x, auto& y) { return pow(x, y); });
        const double n = exponent.is_number() ? exponent.number : exponent.node->item();
        return n == 1 ? base : alone(base, [&](auto& x) { return pow(x, n); });
    }

    Value call(const Expression& e) {
        if (e.name == "max" || e.name == "min") {
            Value x = record(e.argument());
            for (std::size_t i = 1; i < e.children.size(); ++i)
                x = together(x, record(e.children[i]),
                             [&](auto& a, auto& b) { return e.name == "max" ? maximum(a, b) : minimum(a, b); });
            return x;
        }
        const derivation::Curve f =
            e.symbol ? point_.curve(*e.symbol) : derivation::Curve{derivation::find_elementary(e.name)};
        const Expression& argument = e.argument();
        const bool is_logarithm = f.elementary != nullptr && f.elementary->name == "log" && e.order == 0;
        if (is_logarithm && !expands_ && argument.kind == Kind::reduce && argument.name == "sum" &&
            argument.condition() == nullptr && is_call(argument.body(), "exp") && !argument.body().symbol &&
            argument.body().order == 0) {
            const Value x = record(argument.body().argument());
            const Letters letters = derivation::bound_letters(argument);
            if (without(letters, x.axes).empty() && !x.is_number())
                return reduced(x, letters, [](const Variable& z, const Axes& axes) { return logsumexp(z, axes); });
        }
        const Value x = record(argument);
        if (x.is_number()) return number(derivative_at(f, e.order, x.number));
        if (f.elementary != nullptr && f.elementary->name == "identity" && e.order == 0) return x;
        return alone(x, [&](auto& z) { return derivative_at(f, e.order, z); });
    }

    Value comparison(const Expression& e) {
        const Value a = record(e.left()), b = record(e.right());
        const Letters axes = joined(a.axes, b.axes);
        const Array<double> left = as_node(spread(a, axes)).value();
        const Array<double> right = as_node(spread(b, axes)).value();
        Array<double> result = left;
        for (std::size_t i = 0; i < result.size(); ++i)
            result.data()[i] = derivation::holds(e, left.data()[i], right.data()[i]) ? 1 : 0;
        return noted(tape().constant(result, to_text(e)), axes);
    }

    Value of_matrix(const Expression& e) {
        const Letters inner = derivation::bound_letters(e);
        const Letters outer = without(free_of(e.argument()), inner);
        const Value result = over(outer, [&] {
            const Variable x = as_node(spread(record(e.argument()), inner));
            if (e.name == "inverse") return noted(inverse(x), inner);
            if (e.name == "det") return noted(det(x), {});
            try {
                return noted(logdet(x), {});
            } catch (const std::invalid_argument&) {  // where det(x) < 0 it is that of its absolute value
                return noted(log(abs(det(x))), {});
            }
        });
        if (e.name != "inverse") return result;
        Letters ranges;
        std::vector<Index> indices;
        for (const int letter : outer) {
            ranges.push_back(model_.letter(letter).range);
            indices.push_back({{{model_.letter(letter).name, 1, letter}}, 0, e.span});
        }
        for (std::size_t i = 0; i < 2; ++i) {
            ranges.push_back(model_.letter(inner[i]).range);
            indices.push_back(e.indices[i]);
        }
        return indexed(*result.node, ranges, indices);
    }

    // ---- derivatives within lets: what the backward pass gives, recorded

    Value derivative(const Expression& e) {
        Letters held;
        for (const Expression& one : e.held()) held.push_back(*one.symbol);
        std::ranges::sort(held);
        Version* const outer = std::exchange(version_, &version_holding(held));
        const auto by = e.denominators();
        Letters one_by_one = free_of(e.numerator());
        for (const Expression& one : by.first(by.size() - 1))
            for (const int letter : without(free_of(one), one_by_one)) one_by_one.push_back(letter);
        const Value result = over(one_by_one, [&] {
            Value y = record(e.numerator());
            for (const Expression& one : by) y = gradient(y, one);
            return y;
        });
        version_ = outer;
        return result;
    }

    Version& version_holding(const Letters& held) {
        Version& version = versions_[held];
        version.held = held;
        return version;
    }

    Value gradient(const Value& y, const Expression& by) {
        const int q = *by.symbol;
        if (y.is_number() || !y.node->requires_gradient()) return number(0);
        const std::tuple key(version_, y.node->index(), q);
        auto known = gradients_.find(key);
        if (known == gradients_.end()) known = gradients_.emplace(key, gradient_by_array(*y.node, q)).first;
        return known->second ? indexed(*known->second, model_.quantity(q).ranges, by.indices) : number(0);
    }

    std::optional<Variable> gradient_by_array(const Variable& y, int q) {
        const Variable x = array(q);
        if (!recurrences_.contains(q) || is_among(version_->held, q)) {
            if (!x.requires_gradient()) return {};
            const std::size_t walk = tape().size();
            const Variable result = grad(y, x);
            noted(result, model_.quantity(q).letters);
            is_backward(walk);
            return result;
        }
        const auto [along, rest] = split(q);
        std::vector<Variable> steps;
        const Letters outer = std::exchange(fixed_, Letters(model_.letters.size(), -1));
        each(along, [&, &along = along] {
            Letters values;
            for (const int letter : along) values.push_back(value_of(fixed_, letter));
            steps.push_back(step(q, values));
        });
        const std::size_t walk = tape().size();
        const std::vector<Variable> gradients = grad(y, steps);
        is_backward(walk);
        std::size_t i = 0;
        const Value all = over(along, [&, &rest = rest] { return Value{gradients[i++], 0, rest}; });
        fixed_ = outer;
        return *arranged(all, model_.quantity(q).letters).node;
    }

    void describe(LoweredLet& let) const {
        const auto found = recurrences_.find(let.quantity);
        if (found == recurrences_.end()) return;
        const std::string name = name_of(model_, let.quantity);
        if (found->second.entry_by_entry) {
            let.manner = Manner::entry_by_entry;
            let.note = fmt::format("{} is recorded entry by entry: it uses entries of its own in a sum.", name);
            return;
        }
        let.manner = Manner::step_by_step;
        let.note = fmt::format("{} is recorded step by step over {}: it uses entries of its own.", name,
                               fmt::join(names_of(split(let.quantity).first), " and "));
    }

    const derivation::Derivation& derivation_;
    const Model& model_;
    const derivation::Point& point_;
    Letters fixed_;  ///< the values of letters that have one, else -1
    Letters order_;  ///< the letters of the left side
    bool expands_ = false;
    std::size_t open_ = 0;
    std::map<Letters, Version> versions_;
    Version* version_;
    std::map<int, Recurrence> recurrences_;
    std::map<std::tuple<Version*, std::uint32_t, int>, std::optional<Variable>> gradients_;
    Lowering result_;
};

}  // namespace

Lowering lowered(const derivation::Derivation& derivation, const derivation::Point& point,
                 const std::vector<int>& left_out) {
    return Lowerer(derivation, point).run(left_out);
}

std::optional<int> last_scalar(const derivation::Model& model) {
    for (int q = model.count(); q-- > 0;) {
        const Quantity& quantity = model.quantity(q);
        if (quantity.role == Role::definition && quantity.ranges.empty() && !has_derivative(quantity.definition))
            return q;
    }
    return {};
}

std::string name_of(const derivation::Model& model, int quantity) {
    const Quantity& one = model.quantity(quantity);
    return model.quantities_named(one.name).size() > 1 ? model.signature(one) : one.name;
}

}  // namespace lab
