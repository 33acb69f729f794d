// Names, numbers, functions and matrices in a formula.
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/truth/kinks.hpp>
#include <lab/lowering/lowerer.hpp>
#include <stdexcept>

namespace lab::lowering {

Letters Lowerer::free_of(const Expression& e) const {
    Letters free = derivation::free_letters(e);
    std::erase_if(free, [&](int letter) { return is_fixed(letter); });
    return free;
}

Value Lowerer::record(const Expression& e) {
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

bool Lowerer::is_of_letters(const Expression& e) {
    return !any_part(e, [](const Expression& x) {
        return x.kind != Kind::number && x.kind != Kind::letter && x.kind != Kind::iverson && x.kind != Kind::add &&
               x.kind != Kind::product && x.kind != Kind::power;
    });
}

double Lowerer::number_of_letters(const Expression& e) const {
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
            for (std::size_t i = 0; i < e.children.size(); ++i) total += e.joints[i] == Joint::minus ? -at(i) : at(i);
            return total;
    }
}

Value Lowerer::of_letters(const Expression& e) {
    const Letters free = free_of(e);
    if (free.empty()) return number(number_of_letters(e));
    std::vector<double> values;
    each(free, [&] { values.push_back(number_of_letters(e)); });
    Array<double> numbers = Array<double>::from_shape(shape_of(free));
    std::ranges::copy(values, numbers.data());
    const bool is_identity = e.kind == Kind::iverson && e.name == "==" && free.size() == 2 &&
                             e.left().kind == Kind::letter && e.right().kind == Kind::letter;
    const bool is_typed = std::ranges::none_of(free, [&](int letter) { return model_.letter(letter).is_of_array(); });
    const std::string name = is_identity ? "I" : is_typed ? to_text(e) : "";
    return noted(constant(numbers, name), free);
}

Value Lowerer::entry(const Expression& e) {
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

std::optional<int> Lowerer::number_of(const Index& index) const {
    int at = index.offset;
    for (const IndexTerm& term : index.terms) {
        if (!is_fixed(*term.letter)) return {};
        at += term.sign * value_of(fixed_, *term.letter);
    }
    return at;
}

Value Lowerer::indexed(Variable x, const Letters& ranges, const std::vector<Index>& indices) {
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

Value Lowerer::power(const Expression& e) {
    const Value base = record(e.base()), exponent = record(e.exponent());
    if (base.is_number() && exponent.is_number()) return number(std::pow(base.number, exponent.number));
    const bool compares = any_part(e.exponent(), [](const Expression& x) { return x.kind == Kind::iverson; });
    const bool is_fixed_number =
        exponent.is_number() || (!exponent.node->requires_gradient() && exponent.axes.empty() && !compares);
    if (!is_fixed_number || base.is_number())
        return together(base, exponent, [](auto& x, auto& y) { return pow(x, y); });
    const double n = exponent.is_number() ? exponent.number : exponent.node->item();
    return n == 1 ? base : alone(base, [&](auto& x) { return pow(x, n); });
}

Value Lowerer::call(const Expression& e) {
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

Value Lowerer::comparison(const Expression& e) {
    const Value a = record(e.left()), b = record(e.right());
    const Letters axes = joined(a.axes, b.axes);
    const Variable left = as_node(spread(a, axes)), right = as_node(spread(b, axes));
    return noted(bracket(e, left, right), axes);
}

Value Lowerer::of_matrix(const Expression& e) {
    const Letters inner = derivation::bound_letters(e);
    const Letters outer = without(free_of(e.argument()), inner);
    const Value result = stacked(outer, [&] {
        const Variable x = as_node(spread(record(e.argument()), inner));
        if (e.name == "inverse") {
            auto known = inverses_.find(x.index());
            if (known == inverses_.end()) known = inverses_.emplace(x.index(), inverse(x)).first;
            return noted(known->second, inner);
        }
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

}  // namespace lab::lowering
