#include <algorithm>
#include <cmath>
#include <derivation/formula/elementary.hpp>
#include <derivation/mistakes/array_formulas.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/lookup.hpp>
#include <utility>

namespace derivation {

bool ArrayFormulas::varies(const Expression& e) const {
    return any_part(e, [&](const Expression& x) {
        if (x.kind != Kind::entry) return false;
        return std::ranges::any_of(model.quantities_named(x.name),
                                   [&](int q) { return q == by_ || depends_on(model, q, by_); });
    });
}

bool ArrayFormulas::is_array(const Expression& e) const {
    if (e.kind == Kind::norm || is_of_whole(e, "sum") || is_of_whole(e, "mean") || !is_of_arrays(model, e))
        return false;
    if (e.kind == Kind::product && std::ranges::any_of(e.joints, is_of_matrices))
        if (const std::optional<Axes> axes = axes_of_product(e); axes && axes->count() == 0) return false;
    return e.children.empty() ||
           std::ranges::any_of(e.children, [&](const Expression& child) { return is_array(child); });
}

bool ArrayFormulas::is_by(const Expression& e) const {
    return e.kind == Kind::entry && e.indices.empty() && model.quantities_named(e.name) == std::vector<int>{by_};
}

const Quantity* ArrayFormulas::definition(const Expression& e) const {
    if (e.kind != Kind::entry || !e.indices.empty()) return nullptr;
    const std::vector<int> named = model.quantities_named(e.name);
    if (named.size() != 1 || named[0] == by_ || model.quantity(named[0]).role != Role::definition ||
        has_derivative(model.quantity(named[0]).definition))
        return nullptr;
    return &model.quantity(named[0]);
}

std::optional<Expression> ArrayFormulas::slope_at(const Quantity& quantity) const {
    if (!is_of_each_entry(model, quantity.written)) return {};
    for (const Activation& one : activations_)
        if (&model.quantity(one.quantity) == &quantity && same(one.call, quantity.written)) return one.derivative;
    return {};
}

Expression ArrayFormulas::by_entries(Expression e) const {
    for (Expression& child : e.children) child = by_entries(std::move(child));
    for (std::size_t i = 1; i < e.children.size() && e.kind == Kind::product; ++i)
        if (e.joints[i] == Joint::times && is_array(e.children[i - 1]) && is_array(e.children[i]))
            e.joints[i] = Joint::elementwise;
    return e;
}

std::optional<ArrayFormulas::Axes> ArrayFormulas::axes_of(const Expression& e) const {
    if (!is_array(e)) return Axes{};
    if (e.kind == Kind::entry) {
        const std::vector<int> named = model.quantities_named(e.name);
        if (named.size() != 1 || !e.indices.empty()) return {};
        Axes axes;
        for (const int range : model.quantity(named[0]).ranges) {
            const Names letters = editing_.letters_of_range(range);
            if (letters.empty()) return {};
            (axes.rows.empty() ? axes.rows : axes.columns).push_back(letters[0]);
        }
        return axes;
    }
    if (e.kind == Kind::transpose) {
        std::optional<Axes> axes = axes_of(e.argument());
        if (axes) std::swap(axes->rows, axes->columns);
        return axes;
    }
    if (e.kind == Kind::power) return axes_of(e.base());
    const bool is_row_of_matrices = e.kind == Kind::product && std::ranges::any_of(e.joints, is_of_matrices);
    if (is_row_of_matrices) return axes_of_product(e);
    if (e.kind != Kind::add && e.kind != Kind::product && !is_call(e, "softmax") && !is_of_each_entry(model, e))
        return {};
    // Entry by entry: of its widest part.
    Axes widest;
    for (const Expression& part : e.children) {
        const std::optional<Axes> axes = axes_of(part);
        if (!axes) return {};
        if (axes->count() > widest.count()) widest = *axes;
    }
    return widest;
}

std::optional<ArrayFormulas::Axes> ArrayFormulas::axes_of_product(const Expression& e) const {
    std::optional<Axes> product;
    for (const Expression& factor : e.children) {
        const std::optional<Axes> axes = axes_of(factor);
        if (!axes) return {};
        if (axes->count() == 0) continue;
        product = product ? Axes{product->rows, axes->columns} : *axes;
    }
    return product.value_or(Axes{});
}

std::optional<Expression> ArrayFormulas::count_of(const Expression& e) const {
    const std::optional<Axes> axes = axes_of(e);
    if (!axes || axes->count() == 0) return {};
    std::vector<Expression> sizes;
    for (const Names* letters : {&axes->rows, &axes->columns})
        for (const std::string& letter : *letters) sizes.push_back(call_of("size", 0, letter_of(letter)));
    return product_of(std::move(sizes));
}

Expression ArrayFormulas::without_letter(const Expression& reduction) const {
    if (reduction.kind != Kind::reduce || (reduction.name != "sum" && reduction.name != "mean") ||
        reduction.letters.size() != 1 || reduction.condition() != nullptr)
        return reduction;
    std::optional<Expression> body = stripped(reduction.body(), reduction.letters[0].name);
    if (!body || !is_array(*body)) return reduction;
    Expression result = reduction;
    result.letters.clear();
    result.children = {std::move(*body)};
    return result;
}

/// The same of whole vectors, where nothing else stands in it than they, at this letter, and numbers.
std::optional<Expression> ArrayFormulas::stripped(const Expression& e, const std::string& letter) const {
    Expression result = e;
    if (e.kind == Kind::entry) {
        if (e.indices.empty()) return is_array(e) ? std::nullopt : std::optional(e);
        if (e.indices.size() != 1 || !e.indices[0].is_letter() || e.indices[0].terms[0].name != letter) return {};
        result.indices.clear();
        return result;
    }
    const bool is_known = e.kind == Kind::number || e.kind == Kind::add || e.kind == Kind::product ||
                          e.kind == Kind::power || is_of_each_entry(model, e);
    if (!is_known) return {};
    for (Expression& child : result.children) {
        std::optional<Expression> part = stripped(child, letter);
        if (!part) return {};
        child = std::move(*part);
    }
    if (e.kind != Kind::product) return result;
    Parts numbers, arrays;
    for (Part part : factors_of(result)) {
        const bool is_one = is_array(part.expression);
        if (part.joint != Joint::divided) part.joint = is_one && !arrays.empty() ? Joint::elementwise : Joint::times;
        (is_one ? arrays : numbers).push_back(std::move(part));
    }
    if (!arrays.empty() && arrays[0].joint == Joint::divided) return {};
    return product_of_factors(joined(numbers, arrays));
}

Expression inverted(const Expression& e) { return is_inverse(e) ? e.base() : power_of(e, negated(number_of(1))); }

Expression power(const Expression& base, double n) {
    if (n == 1) return base;
    return n < 0 ? quotient_of(number_of(1), power(base, -n)) : power_of(base, number_of(n));
}

Expression slope_of_call(const Model& model, const Expression& call) {
    return model.is_function(call.name) ? call_of(call.name, call.order + 1, call.argument()) : slope_of(call);
}

bool is_of_each_entry(const Model& model, const Expression& e) {
    return e.kind == Kind::call && e.children.size() == 1 &&
           (model.is_function(e.name) || find_elementary(e.name) != nullptr);
}

bool is_of_whole(const Expression& e, std::string_view name) {
    return e.kind == Kind::reduce && e.name == name && e.letters.empty() && e.order == 0;
}

Parts joined(Parts a, const Parts& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Expression product_of_matrices(const std::vector<Expression>& factors) {
    Parts parts;
    for (const Expression& factor : factors)
        parts.push_back({factor, parts.empty() ? Joint::times : Joint::juxtaposed});
    return product_of_factors(std::move(parts));
}

Gathered::Gathered(const Parts& numbers) {
    for (const Part& part : numbers) multiply(part.expression, part.joint == Joint::divided ? -1 : 1);
    // A root's square is what stands below it.
    for (std::size_t i = 0; i < powers_.size(); ++i)
        if (const auto [root, times] = powers_[i]; is_call(root, "sqrt") && times % 2 == 0) {
            powers_.erase(powers_.begin() + static_cast<std::ptrdiff_t>(i--));
            multiply(root.argument(), times / 2);
        }
}

void Gathered::multiply(const Expression& e, int times) {
    constexpr int highest = 8;
    if (e.kind == Kind::number) {
        factor_ *= std::pow(e.number, times);
    } else if (e.kind == Kind::product && std::ranges::none_of(e.joints, is_of_matrices)) {
        for (const Part& part : factors_of(e)) multiply(part.expression, part.joint == Joint::divided ? -times : times);
    } else if (e.kind == Kind::power && e.exponent().kind == Kind::number && std::abs(e.exponent().number) <= highest &&
               e.exponent().number == std::round(e.exponent().number)) {
        multiply(e.base(), times * static_cast<int>(e.exponent().number));
    } else if (e.kind == Kind::add && e.children.size() == 1) {
        if (e.joints[0] == Joint::minus && times % 2 != 0) factor_ = -factor_;
        multiply(e.children[0], times);
    } else {
        const auto known = std::ranges::find_if(powers_, [&](const auto& one) { return same(one.first, e); });
        if (known != powers_.end())
            known->second += times;
        else
            powers_.emplace_back(e, times);
    }
}

Parts Gathered::parts() const {
    Parts parts;
    const double size = std::abs(factor_), below = 1 / size;
    if (size < 1 && std::abs(below - std::round(below)) < 1e-9)
        parts.push_back({quotient_of(number_of(1), number_of(std::round(below))), Joint::times});
    else if (size != 1)
        parts.push_back({number_of(size), Joint::times});
    for (const auto& [e, times] : powers_)
        if (times > 0) parts.push_back({power(e, times), Joint::times});
    for (const auto& [e, times] : powers_)
        if (times < 0) {
            if (parts.empty()) parts.push_back({number_of(1), Joint::times});
            parts.push_back({power(e, -times), Joint::divided});
        }
    return parts;
}

}  // namespace derivation
