// Formulas over whole arrays.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <derivation/resolve/checker.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <optional>

namespace derivation {

namespace {

std::string ranges_of(const Model& model, const std::vector<int>& ranges) {
    std::vector<std::string> names;
    for (const int range : ranges) names.push_back(model.ranges[static_cast<std::size_t>(range)].name);
    return fmt::format("({})", fmt::join(names, ", "));
}

}  // namespace

Lowered Checker::lower(const Expression& e) {
    switch (e.kind) {
        case Kind::number:
            return {e, {}};
        case Kind::letter:
            return {resolve(e), {}};
        case Kind::entry:
            return whole(e);
        case Kind::add: {
            Lowered sum = lower(e.children[0]);
            std::vector<Part> parts = {{sum.body, e.joints[0]}};
            for (std::size_t i = 1; i < e.children.size(); ++i) {
                Lowered next = lower(e.children[i]);
                fit(sum, next, true, e.span);
                parts.push_back({next.body, e.joints[i]});
                parts[0].expression = i == 1 ? sum.body : parts[0].expression;
                if (i > 1 && !renamed_.empty())
                    for (const auto& [from, to] : renamed_)
                        for (std::size_t k = 0; k < i; ++k) rename(parts[k].expression, from, to);
                renamed_.clear();
            }
            sum.body = sum_of_terms(parts);
            sum.body.span = e.span;
            return sum;
        }
        case Kind::product:
            return product(e);
        case Kind::power: {
            Lowered base = lower(e.children[0]);
            Lowered exponent = lower(e.children[1]);
            if (!exponent.axes.empty())
                throw ill_formed(e.children[1].span, "an exponent is a number, not an array", "shapes");
            if (base.axes.size() == 2 && e.children[1].kind == Kind::add && exponent.body.children.size() == 1)
                throw Error(
                    e.span,
                    "inverses of matrices are not read: name the solution and state the equation that it solves");
            Expression body = e;
            body.children = {base.body, exponent.body};
            return {body, base.axes, base.row};
        }
        case Kind::transpose: {
            Lowered x = lower(e.children[0]);
            if (x.axes.size() == 1) x.row = !x.row;
            if (x.axes.size() == 2) std::swap(x.axes[0], x.axes[1]);
            if (x.axes.size() > 2) throw ill_formed(e.span, "only matrices and vectors are transposed", "shapes");
            return x;
        }
        case Kind::call:
            return call_of_arrays(e);
        case Kind::reduce: {
            Expression result = e;
            if (!e.letters.empty()) {
                Lowered body;
                bind(result, [&] {
                    body = lower(e.children[0]);
                    result.children[0] = body.body;
                    if (e.children.size() > 1) result.children[1] = resolve(e.children[1]);
                });
                body.body = std::move(result);
                return body;
            }
            Lowered body = lower(e.children[0]);
            return {reduced(e.name, body.axes, body.body, e.span), {}};
        }
        case Kind::norm: {
            Lowered x = lower(e.children[0]);
            Expression square;
            square.kind = Kind::power;
            square.span = e.span;
            square.children = {x.body, number_of(2)};
            return {reduced("sum", x.axes, std::move(square), e.span), {}};
        }
        case Kind::iverson: {
            ++comparisons_;
            Lowered a = lower(e.children[0]);
            Lowered b = lower(e.children[1]);
            --comparisons_;
            fit(a, b, false, e.span);
            renamed_.clear();
            Expression body = e;
            body.children = {a.body, b.body};
            return {body, a.axes, a.row};
        }
        case Kind::derivative:
            return derivative_of_arrays(e);
    }
    return {e, {}};
}

std::string Checker::shape_of(const Lowered& x) const {
    std::vector<int> ranges;
    for (const int axis : x.axes) ranges.push_back(model_.letters[static_cast<std::size_t>(axis)].range);
    return x.axes.empty() ? "()"
           : x.row        ? fmt::format("(1, {})", model_.ranges[static_cast<std::size_t>(ranges[0])].name)
                          : ranges_of(model_, ranges);
}

Lowered Checker::whole(const Expression& e) {
    if (e.name == "1") {
        if (e.indices.empty()) return {number_of(1), {}};
        if (!e.indices[0].is_letter())
            throw ill_formed(e.span, "1_n names the letter of its length", "undeclared-letter");
        const int found = model_.letter(e.indices[0].terms[0].name);
        if (found < 0)
            throw ill_formed(e.span, fmt::format("the letter {} was never declared", e.indices[0].terms[0].name),
                             "undeclared-letter");
        return {number_of(1), {model_.fresh_letter(range(found))}};
    }
    Expression entry = e;
    bool indexed = false;
    for (Index& index : entry.indices)
        for (IndexTerm& term : index.terms) {
            term.letter = model_.letter(term.name);
            if (term.letter < 0)
                throw ill_formed(index.span, fmt::format("the letter {} was never declared", term.name),
                                 "undeclared-letter");
            indexed = indexed || contains(bound_, term.letter);
        }
    for (const Index& index : entry.indices) indexed = indexed || index.is_number() || !index.is_letter();
    entry.symbol = find_quantity(model_, entry);
    const Quantity& quantity = model_.quantity(entry.symbol);
    Lowered result;
    if (entry.indices.empty())
        for (std::size_t axis = 0; axis < quantity.ranges.size(); ++axis) entry.indices.push_back({});
    else if (indexed)
        place(entry);
    for (std::size_t axis = 0; axis < entry.indices.size(); ++axis) {
        Index& index = entry.indices[axis];
        const bool chooses =
            index.terms.empty() ? e.indices.empty() : index.is_letter() && !contains(bound_, index.terms[0].letter);
        if (!chooses) continue;
        const int fresh = model_.fresh_letter(quantity.ranges[axis]);
        index = {{{model_.letters[static_cast<std::size_t>(fresh)].name, 1, fresh}}, 0, e.span};
        result.axes.push_back(fresh);
    }
    if (entry.order == 1) {
        entry = after_step_of_array(entry);
    }
    result.body = std::move(entry);
    return result;
}

void Checker::fit(Lowered& a, Lowered& b, bool adds, Span span) {
    if (b.axes.empty()) return;
    if (a.axes.empty()) {
        a.axes = b.axes;
        a.row = b.row;
        return;
    }
    const auto align = [&](Lowered& x, const std::vector<int>& from, const std::vector<int>& to, bool later) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            rename(x.body, from[i], to[i]);
            if (later) renamed_.emplace_back(from[i], to[i]);
        }
    };
    const auto ranges_equal = [&](const std::vector<int>& x, const std::vector<int>& y) {
        return std::ranges::equal(x, y, [&](int p, int q) { return same_range(p, q); });
    };
    if (ranges_equal(a.axes, b.axes) && a.row == b.row) return align(b, b.axes, a.axes, false);
    if (adds && a.axes.size() == 2 && b.axes.size() == 1 && same_range(a.axes[1], b.axes[0]))
        return align(b, b.axes, {a.axes[1]}, false);
    if (adds && a.axes.size() == 1 && b.axes.size() == 2 && same_range(a.axes[0], b.axes[1])) {
        align(a, a.axes, {b.axes[1]}, true);
        a.axes = b.axes;
        a.row = false;
        return;
    }
    throw ill_formed(span, fmt::format("the shapes {} and {} do not fit", shape_of(a), shape_of(b)), "shapes");
}

Lowered Checker::multiply(Lowered a, Lowered b, Joint joint, Span span) {
    const bool number = a.axes.empty() || b.axes.empty();
    const auto product = [&](Expression x, Expression y, Joint how) {
        Expression e = product_of_factors({{std::move(x), Joint::times}, {std::move(y), how}});
        e.span = span;
        return e;
    };
    if (joint == Joint::divided && !b.axes.empty() && a.axes.empty())
        return {product(a.body, b.body, joint), b.axes, b.row};
    if (number) {
        if (joint == Joint::matrix && a.axes.size() + b.axes.size() > 0)
            throw ill_formed(span, "a number beside @: it multiplies arrays", "shapes");
        return {product(a.body, b.body, joint == Joint::divided ? joint : Joint::times),
                a.axes.empty() ? b.axes : a.axes, a.axes.empty() ? b.row : a.row};
    }
    if (joint == Joint::times || joint == Joint::divided || joint == Joint::elementwise) {
        fit(a, b, false, span);
        renamed_.clear();
        return {product(a.body, b.body, joint == Joint::divided ? joint : Joint::times), a.axes, a.row};
    }
    if (a.axes.size() > 2 || b.axes.size() > 2)
        throw ill_formed(span, "only matrices and vectors are multiplied like this", "shapes");
    const bool numpy = joint == Joint::matrix;
    const bool both_columns = a.axes.size() == 1 && b.axes.size() == 1 && !a.row && !b.row;
    const bool a_row = a.axes.size() == 1 && (a.row || numpy || (joint == Joint::dot && both_columns));
    const bool b_row = b.axes.size() == 1 && b.row && !numpy;
    const bool a_has_inner = a.axes.size() == 2 || a_row;
    const bool b_has_inner = !b_row;
    if (!a_has_inner && !b_has_inner) return {product(a.body, b.body, Joint::times), {a.axes[0], b.axes[0]}, false};
    if (!a_has_inner || !b_has_inner || !same_range(a.axes.back(), b.axes.front()))
        throw ill_formed(span,
                         fmt::format("the shapes {} and {} do not fit in a product{}", shape_of(a), shape_of(b),
                                     both_columns ? ": of two columns one must be transposed" : ""),
                         "shapes");
    rename(b.body, b.axes.front(), a.axes.back());
    Lowered result;
    result.body = reduced("sum", {a.axes.back()}, product(a.body, b.body, Joint::times), span);
    result.axes.assign(a.axes.begin(), a.axes.end() - 1);
    result.axes.insert(result.axes.end(), b.axes.begin() + 1, b.axes.end());
    result.row = a_row && !numpy && result.axes.size() == 1;
    return result;
}

Lowered Checker::product(const Expression& e) {
    std::vector<Lowered> factors;
    for (const Expression& child : e.children) factors.push_back(lower(child));
    const auto span_of = [&](std::size_t a, std::size_t b) { return join(e.children[a].span, e.children[b].span); };
    try {
        Lowered result = factors[0];
        for (std::size_t i = 1; i < factors.size(); ++i)
            result = multiply(result, factors[i], e.joints[i], span_of(0, i));
        return result;
    } catch (const IllFormed&) {
        // f'(z) ⊙ W^T δ: matrices that stand side by side are multiplied first where that fits.
        const auto tight = [](Joint joint) {
            return joint == Joint::juxtaposed || joint == Joint::dot || joint == Joint::matrix;
        };
        std::optional<Lowered> result;
        Joint pending = Joint::times;
        try {
            for (std::size_t i = 0; i < factors.size();) {
                const Joint joint = e.joints[i];
                Lowered run = factors[i++];
                // Products of matrices are associative, so that a b c may be taken from the right: u (v^T w).
                for (; i < factors.size() && tight(e.joints[i]); ++i)
                    run = multiply(run, factors[i], e.joints[i], span_of(0, i));
                pending = joint;
                result = result ? multiply(*result, run, pending, e.span) : run;
            }
        } catch (const IllFormed&) {
            result.reset();
        }
        if (!result) throw;
        return *result;
    }
}

Lowered Checker::call_of_arrays(const Expression& e) {
    Expression result = e;
    if (e.name == "size") return {resolve(e), {}};
    if (e.name == "diag" || e.name == "outer") {
        if (e.children.size() != (e.name == "diag" ? 1u : 2u))
            throw ill_formed(e.span, e.name == "diag" ? "diag takes one vector" : "outer takes two vectors",
                             "arguments");
        Lowered u = lower(e.children[0]);
        Lowered v = e.name == "diag" ? u : lower(e.children[1]);
        if (u.axes.size() != 1 || v.axes.size() != 1)
            throw ill_formed(e.span, fmt::format("{} takes vectors", e.name), "shapes");
        if (e.name == "outer") return {product_of({u.body, v.body}), {u.axes[0], v.axes[0]}};
        const int other = model_.fresh_letter(range(u.axes[0]));
        Expression kronecker;
        kronecker.kind = Kind::iverson;
        kronecker.name = "==";
        kronecker.span = e.span;
        for (const int one : {u.axes[0], other}) {
            Expression side;
            side.kind = Kind::letter;
            side.letters = {{model_.letters[static_cast<std::size_t>(one)].name, 1, one}};
            kronecker.children.push_back(side);
        }
        return {product_of({u.body, kronecker}), {u.axes[0], other}};
    }
    if (e.name == "softmax") {
        if (e.children.size() != 1) throw ill_formed(e.span, "softmax takes one argument", "arguments");
        Lowered x = lower(e.children[0]);
        if (x.axes.empty()) throw ill_formed(e.span, "softmax takes a vector or the rows of a matrix", "shapes");
        x.body = softmax(x.body, x.axes.back(), e.span);
        return x;
    }
    check_arguments(result);
    Lowered first = lower(e.children[0]);
    result.children = {first.body};
    for (std::size_t i = 1; i < e.children.size(); ++i) {
        Lowered next = lower(e.children[i]);
        fit(first, next, false, e.span);
        renamed_.clear();
        result.children.push_back(next.body);
    }
    first.body = std::move(result);
    return first;
}

Lowered Checker::derivative_of_arrays(const Expression& e) {
    Expression result = e;
    const auto by_end = static_cast<std::size_t>(e.order) + 1;
    Lowered of = lower(e.children[0]);
    result.children[0] = of.body;
    Lowered all{{}, of.axes, false};
    std::size_t arrays_below = 0;
    for (std::size_t i = 1; i < by_end; ++i) {
        Lowered by = whole(e.children[i]);
        check_denominator(by.body);
        result.children[i] = by.body;
        arrays_below = std::max(arrays_below, by.axes.size());
        all.axes.insert(all.axes.end(), by.axes.begin(), by.axes.end());
    }
    for (std::size_t i = by_end; i < e.children.size(); ++i) held(result.children[i]);
    const bool fits = of.axes.empty() ? e.order == 1 || arrays_below <= 1
                                      : arrays_below == 0 || (of.axes.size() == 1 && arrays_below == 1 && e.order == 1);
    if (!fits)
        throw ill_formed(
            e.span, "this derivative of arrays needs letters: the shapes alone do not say which entry stands where",
            "shapes");
    all.body = std::move(result);
    return all;
}

}  // namespace derivation
