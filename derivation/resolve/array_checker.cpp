// Formulas over whole arrays.
#include <fmt/ranges.h>

#include <derivation/formula/notations.hpp>
#include <derivation/resolve/checker.hpp>
#include <derivation/resolve/lookup.hpp>
#include <optional>
#include <utility>

namespace derivation {

namespace {

std::string ranges_of(const Model& model, const std::vector<int>& ranges) {
    std::vector<std::string> names;
    for (const int range : ranges) names.push_back(model.range(range).name);
    return fmt::format("({})", fmt::join(names, ", "));
}

/// The axes as NumPy sees them; nothing where there is one of length 1.
std::vector<std::optional<int>> sides_of(const Lowered& x) {
    std::vector<std::optional<int>> sides(x.axes.begin(), x.axes.end());
    if (x.axes.size() == 1 && x.row) sides.insert(sides.begin(), std::nullopt);
    if (x.axes.size() == 1 && x.kept && !x.row) sides.emplace_back();
    return sides;
}

/// Whether it is a number below 0, or has the sign of one: -p, p (-2).
bool has_minus(const Expression& e) {
    if (e.kind == Kind::number) return e.number < 0;
    if (e.kind == Kind::add && e.children.size() == 1) return (e.joints[0] == Joint::minus) != has_minus(e.children[0]);
    return e.kind == Kind::product && std::ranges::count_if(e.children, has_minus) % 2 == 1;
}

/// The number that an exponent is at every point, if it is one, and whether only numbers and constants make it: of
/// other names more may be said than their number, as a derivative by them.
std::pair<std::optional<double>, bool> value_of_exponent(const Model& model, const Expression& exponent) {
    bool is_constant = true;
    const ValueOfEntry value_of_entry = [&](const Expression& entry) -> std::optional<double> {
        const Quantity& quantity = model.quantity(entry);
        is_constant = is_constant && quantity.role == Role::constant;
        if (!quantity.ranges.empty()) return {};
        if (quantity.role == Role::definition) return value_of_numbers(quantity.definition, value_of_entry);
        if (quantity.values.size() == 1) return quantity.values[0];
        return {};
    };
    const std::optional<double> value = value_of_numbers(exponent, value_of_entry);
    return {value, is_constant};
}

}  // namespace

Lowered Checker::lower(const Expression& e) {
    switch (e.kind) {
        case Kind::number:
            return {e, {}};
        case Kind::letter: {
            Expression letter = resolve(e);
            if (!is_bound(*letter.letters[0].letter)) throw mixed(e.span, e.name);
            return {letter, {}};
        }
        case Kind::entry:
            return whole(e);
        case Kind::add: {
            Lowered sum = lower(e.children[0]);
            Parts parts = {{sum.body, e.joints[0]}};
            for (std::size_t i = 1; i < e.children.size(); ++i) {
                Lowered next = lower(e.children[i]);
                fit(sum, next, e.span);
                parts.push_back({next.body, e.joints[i]});
                if (i == 1) parts[0].expression = sum.body;
            }
            sum.body = sum_of_terms(parts);
            sum.body.span = e.span;
            return sum;
        }
        case Kind::product:
            return product(e);
        case Kind::power: {
            Lowered base = lower(e.base());
            Lowered exponent = lower(e.exponent());
            if (!exponent.axes.empty())
                throw IllFormed(e.exponent().span, "an exponent is a number, not an array", "shapes");
            if (base.axes.size() == 2) {
                const auto [value, is_constant] = value_of_exponent(model_, exponent.body);
                if (value == -1.0 && is_constant) return of_matrix("inverse", std::move(base), e.span);
                if (value ? !(*value >= 0) : has_minus(exponent.body))
                    throw Error(e.span, "of a matrix A only the power A^{-1} is read: write A^{-1} A^{-1}");
            }
            if (base.identity) return base;
            Expression body = e;
            body.children = {base.body, exponent.body};
            base.body = std::move(body);
            return base;
        }
        case Kind::transpose: {
            if (e.argument().kind == Kind::number)
                throw IllFormed(e.span,
                                "a number has no transpose: a vector of ones is 1_n, with the letter of its length",
                                "shapes");
            Lowered x = lower(e.argument());
            if (x.identity) return x;
            if (x.axes.size() == 1) x.row = !x.row;
            if (x.axes.size() == 2) std::swap(x.axes[0], x.axes[1]);
            if (x.axes.size() > 2) throw IllFormed(e.span, "only matrices and vectors are transposed", "shapes");
            return x;
        }
        case Kind::call:
            return call_of_arrays(e);
        case Kind::reduce: {
            Expression result = e;
            if (!e.letters.empty()) {
                Lowered body;
                bind(result, [&] {
                    body = lower(e.body());
                    result.body() = body.body;
                    if (const Expression* condition = e.condition()) result.children[1] = resolve(*condition);
                });
                body.body = std::move(result);
                return body;
            }
            Lowered body = lower(e.body());
            if (e.order == 0) return {reduced(e.name, body.axes, body.body, e.span), {}};
            // Over one axis, counted from 1, or from behind.
            const std::vector<std::optional<int>> sides =
                body.kept ? sides_of(body) : std::vector<std::optional<int>>(body.axes.begin(), body.axes.end());
            const auto rank = static_cast<int>(sides.size());
            const int axis = e.order > 0 ? e.order - 1 : rank + e.order;
            if (axis < 0 || axis >= rank)
                throw IllFormed(e.span, fmt::format("there is no such axis: the shape is {}", shape_of(body)),
                                "shapes");
            const std::optional<int> over = sides[static_cast<std::size_t>(axis)];
            if (!over) return {body.body, body.axes};
            Lowered rest{reduced(e.name, {*over}, body.body, e.span), body.axes};
            std::erase(rest.axes, *over);
            return rest;
        }
        case Kind::norm: {
            Lowered x = lower(e.argument());
            Expression square = power_of(x.body, number_of(2));
            square.span = e.span;
            return {reduced("sum", x.axes, std::move(square), e.span), {}};
        }
        case Kind::iverson: {
            ++comparisons_;
            Lowered a = lower(e.left());
            Lowered b = lower(e.right());
            --comparisons_;
            fit(a, b, e.span);
            Expression body = e;
            body.children = {a.body, b.body};
            a.body = std::move(body);
            return a;
        }
        case Kind::derivative:
            return derivative_of_arrays(e);
        case Kind::of_matrix:
            break;  // resolved already
    }
    return {e, {}};
}

std::string Checker::shape_of(const Lowered& x) const {
    std::vector<int> ranges;
    for (const int axis : x.axes) ranges.push_back(model_.letter(axis).range);
    return x.axes.empty() ? "()"
           : x.row        ? fmt::format("(1, {})", model_.range(ranges[0]).name)
           : x.kept       ? fmt::format("({}, 1)", model_.range(ranges[0]).name)
                          : ranges_of(model_, ranges);
}

/// Beside whole arrays a letter that is summed nowhere is the axis at its place: where another place could be meant,
/// all is to be written with letters.
IllFormed Checker::mixed(Span span, const std::string& what) const {
    return IllFormed(
        span,
        fmt::format("whole arrays stand beside {}, and do not say which axis each letter is: write all of the "
                    "line with letters, or nothing",
                    what),
        "shapes");
}

void Checker::check_letters_in_order(const Expression& e, const std::vector<int>& typed,
                                     const std::vector<int>& declared) const {
    if (typed == declared) return;
    for (std::size_t i = 1; i < typed.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (same_range(typed[k], typed[i]) && typed[k] >= typed[i]) throw mixed(e.span, to_text(e));
}

Lowered Checker::whole(const Expression& e) {
    if (is_identity(model_, e)) {
        Lowered identity{number_of(1), {}, false, true};
        if (e.indices.empty()) return identity;
        const std::optional<int> found =
            e.indices[0].is_letter() ? model_.find_letter(e.indices[0].terms[0].name) : std::nullopt;
        if (!found) throw IllFormed(e.span, "I_n names the letter of its size", "undeclared-letter");
        const int row = model_.fresh_letter(range(*found)), column = model_.fresh_letter(range(*found));
        give_size(identity, {{}, {row, column}});
        return identity;
    }
    if (e.name == "1") {
        if (e.indices.empty()) return {number_of(1), {}};
        if (!e.indices[0].is_letter())
            throw IllFormed(e.span, "1_n names the letter of its length", "undeclared-letter");
        const std::optional<int> found = model_.find_letter(e.indices[0].terms[0].name);
        if (!found)
            throw IllFormed(e.span, fmt::format("the letter {} was never declared", e.indices[0].terms[0].name),
                            "undeclared-letter");
        return {number_of(1), {model_.fresh_letter(range(*found))}};
    }
    Expression entry = e;
    bool indexed = false;
    for (Index& index : entry.indices)
        for (IndexTerm& term : index.terms) {
            term.letter = model_.find_letter(term.name);
            if (!term.letter)
                throw IllFormed(index.span, fmt::format("the letter {} was never declared", term.name),
                                "undeclared-letter");
            indexed = indexed || is_bound(*term.letter);
        }
    for (const Index& index : entry.indices) indexed = indexed || index.is_number() || !index.is_letter();
    entry.symbol = find_quantity(model_, entry);
    const Quantity& quantity = model_.quantity(entry);
    Lowered result;
    std::vector<int> typed;
    if (entry.indices.empty())
        for (std::size_t axis = 0; axis < quantity.ranges.size(); ++axis) entry.indices.push_back({});
    else if (indexed)
        place(entry);
    for (std::size_t axis = 0; axis < entry.indices.size(); ++axis) {
        Index& index = entry.indices[axis];
        const bool chooses =
            index.terms.empty() ? e.indices.empty() : index.is_letter() && !is_bound(*index.terms[0].letter);
        if (!chooses) continue;
        if (!index.terms.empty()) typed.push_back(*index.terms[0].letter);
        const int fresh = model_.fresh_letter(quantity.ranges[axis]);
        index = {{{model_.letter(fresh).name, 1, fresh}}, 0, e.span};
        result.axes.push_back(fresh);
    }
    check_letters_in_order(e, typed, quantity.letters);
    result.kept = quantity.keeps_axis && e.indices.empty();
    result.row = result.kept && quantity.is_row;
    if (entry.order == 1) entry = after_step(entry);
    result.body = std::move(entry);
    return result;
}

void Checker::fit(Lowered& a, Lowered& b, Span span) {
    give_size(a, b);
    give_size(b, a);
    const auto refuse = [&](const std::string& advice) {
        throw IllFormed(span, fmt::format("the shapes {} and {} do not fit{}", shape_of(a), shape_of(b), advice),
                        "shapes");
    };
    const auto is_vector = [](const Lowered& x) { return x.axes.size() == 1 && !x.row && !x.kept; };
    std::vector<std::optional<int>> of_a = sides_of(a), of_b = sides_of(b);
    const bool is_same_range = a.axes.size() == 1 && b.axes.size() == 1 && same_range(a.axes[0], b.axes[0]);
    // A vector is a column on paper, and of no direction for NumPy.
    if (is_same_range && ((is_vector(a) && b.row && !b.kept) || (is_vector(b) && a.row && !a.kept))) refuse("");
    if (is_same_range && ((is_vector(a) && b.kept && !b.row) || (is_vector(b) && a.kept && !a.row)))
        refuse(": NumPy makes a matrix of them, and on paper both are columns; write x[None, :] or x[:, None] of both");
    const std::size_t rank = std::max(of_a.size(), of_b.size());
    of_a.insert(of_a.begin(), rank - of_a.size(), std::nullopt);
    of_b.insert(of_b.begin(), rank - of_b.size(), std::nullopt);
    Lowered result{{}, {}, false, false, a.kept || b.kept};
    for (std::size_t i = 0; i < rank; ++i) {
        if (of_a[i] && of_b[i] && !same_range(*of_a[i], *of_b[i])) {
            const Lowered& of_rows = a.axes.size() == 2 ? a : b;
            const Lowered& vector = a.axes.size() == 2 ? b : a;
            const bool is_side =
                is_vector(vector) && of_rows.axes.size() == 2 && same_range(vector.axes[0], of_rows.axes[0]);
            refuse(is_side ? ": a number for each row is x[:, None], or has keepdims=True" : "");
        }
        if (of_a[i] && of_b[i]) rename(b.body, *of_b[i], *of_a[i]);
        if (of_a[i] || of_b[i]) result.axes.push_back(of_a[i] ? *of_a[i] : *of_b[i]);
    }
    result.kept = result.kept && result.axes.size() == 1;
    result.row = result.axes.size() == 1 && rank > 1 && (of_a[1] || of_b[1]);
    a.axes = result.axes;
    a.row = result.row;
    a.kept = result.kept;
}

void Checker::check_sides(const Lowered& a, const Lowered& b, Span span) const {
    const Lowered& matrix = a.axes.size() == 2 ? a : b;
    const Lowered& vector = a.axes.size() == 2 ? b : a;
    if (matrix.axes.size() != 2 || vector.axes.size() != 1 || vector.row || vector.kept ||
        !same_range(matrix.axes[0], matrix.axes[1]) || !same_range(matrix.axes[0], vector.axes[0]))
        return;
    throw IllFormed(
        span,
        "a vector beside a square matrix may be meant for its rows or for its columns: write x[None, :] for "
        "a number for each column, x[:, None] for each row, or A x for the product",
        "shapes");
}

/// x[:, None] and x[None, :], and what keeps the axis that it reduces.
Lowered Checker::with_new_axis(const Expression& e) {
    Lowered x = lower(e.argument());
    const bool is_reduced =
        any_part(e.argument(), [](const Expression& part) { return part.kind == Kind::reduce && part.order != 0; });
    if (x.axes.empty() && is_reduced) return x;  // of a vector, a number
    if (x.axes.size() != 1 || x.row || x.kept)
        throw IllFormed(e.span, fmt::format("a new axis is given to vectors, and the shape is {} here", shape_of(x)),
                        "shapes");
    x.row = e.name == new_row;
    x.kept = true;
    return x;
}

void Checker::check_size(const Lowered& x, Span span) {
    if (x.identity)
        throw IllFormed(span, "nothing beside I says its size here: I_n, with a letter n, is the identity over it",
                        "shapes");
}

/// I is [i == j].
void Checker::give_size(Lowered& identity, const Lowered& other) {
    if (!identity.identity || other.axes.size() != 2 || !same_range(other.axes[0], other.axes[1])) return;
    Expression delta = kronecker(model_.letter(other.axes[0]).name, model_.letter(other.axes[1]).name);
    delta.span = identity.body.span;
    delta.children[0].letters[0].letter = other.axes[0];
    delta.children[1].letters[0].letter = other.axes[1];
    if (!is_number(identity.body, 1)) delta = product_of({identity.body, delta});
    identity = {std::move(delta), other.axes};
}

/// The inverse of a square matrix, or its det or logdet, with letters of its own for its rows and columns.
Lowered Checker::of_matrix(std::string name, Lowered x, Span span) {
    if (x.axes.size() != 2 || !same_range(x.axes[0], x.axes[1]))
        throw IllFormed(span,
                        fmt::format("{} takes a square matrix, and the shape is {} here",
                                    name == "inverse" ? "an inverse" : name, shape_of(x)),
                        "shapes");
    constexpr int most_rows = 24;
    if (model_.range_of(x.axes[0]).size > most_rows)
        throw TooLarge(span, fmt::format("a matrix of more than {} rows is not inverted here: smaller sizes of the "
                                         "ranges show the same mistakes",
                                         most_rows));
    Expression e;
    e.kind = Kind::of_matrix;
    e.name = std::move(name);
    e.span = span;
    Lowered result;
    for (const int axis : x.axes) {
        e.letters.push_back({model_.letter(axis).name, 1, axis});
        if (e.name != "inverse") continue;
        const int fresh = model_.fresh_letter(range(axis));
        e.indices.push_back({{{model_.letter(fresh).name, 1, fresh}}, 0, span});
        result.axes.push_back(fresh);
    }
    e.children.push_back(std::move(x.body));
    result.body = std::move(e);
    return result;
}

/// The letters stand for the axes; in a line of whole arrays they must be those of a sum.
Expression Checker::entry_of_array(const Expression& e, bool of_letters) {
    const auto has_letters = [&](const Expression& part) {
        return part.kind == Kind::entry && part.name != "1" && !is_identity(model_, part) &&
               std::ranges::any_of(part.indices, [](const Index& index) { return !index.is_number(); });
    };
    if (const Expression* part = first_part(e.argument(), has_letters)) throw mixed(part->span, to_text(*part));
    Lowered x = lower(e.argument());
    check_size(x, e.argument().span);
    if (x.axes.size() + 1 != e.children.size() || x.kept)
        throw IllFormed(e.span,
                        fmt::format("{} letter{} here at what has the shape {}", e.children.size() - 1,
                                    e.children.size() == 2 ? " stands" : "s stand", shape_of(x)),
                        "shapes");
    for (std::size_t axis = 0; axis < x.axes.size(); ++axis) {
        const Expression& at = e.children[axis + 1];
        if (at.kind != Kind::letter) throw IllFormed(at.span, "a letter should stand here", "undeclared-letter");
        const int number = letter(at.name, at.span);
        if (!of_letters && !is_bound(number))
            throw IllFormed(at.span,
                            fmt::format("the letter {} stands beside whole arrays: give them letters, too", at.name),
                            "free-letter");
        if (!same_range(number, x.axes[axis]))
            throw IllFormed(at.span, fmt::format("{} is no letter of this range", at.name), "wrong-range");
        rename(x.body, x.axes[axis], number);
    }
    return std::move(x.body);
}

/// The sum of the products of entries that stand at the same place.
Lowered Checker::inner_product_of(const Expression& e) {
    if (e.children.size() != 2) throw IllFormed(e.span, "an inner product has two factors: <x, y>", "arguments");
    Lowered a = lower(e.children[0]), b = lower(e.children[1]);
    give_size(a, b);
    give_size(b, a);
    check_size(a, e.children[0].span);
    check_size(b, e.children[1].span);
    const bool is_same = std::ranges::equal(a.axes, b.axes, [&](int p, int q) { return same_range(p, q); });
    if (!is_same || a.axes.empty())
        throw IllFormed(e.span,
                        fmt::format("an inner product takes two arrays of one shape, and the shapes are {} and {} here",
                                    shape_of(a), shape_of(b)),
                        "shapes");
    if (e.name == "inner" && a.axes.size() > 1)
        throw IllFormed(
            e.span,
            "NumPy's inner of matrices is A @ B.T, on paper it is the sum of A ⊙ B: write one of them, or <A, "
            "B> for the sum",
            "shapes");
    for (std::size_t axis = 0; axis < a.axes.size(); ++axis) rename(b.body, b.axes[axis], a.axes[axis]);
    return {reduced("sum", a.axes, product_of({a.body, b.body}), e.span), {}};
}

/// Axes with one letter are one; those whose letter does not stand behind the arrow are summed.
Lowered Checker::einsum_of(const Expression& e) {
    const std::string letters = e.name.substr(einsum.size());
    const std::size_t arrow = letters.find("->");
    const std::string output = letters.substr(arrow + 2);
    if (static_cast<std::size_t>(std::ranges::count(letters, ',')) + 1 != e.children.size())
        throw IllFormed(e.span, "einsum takes an array for each group of its letters", "arguments");
    std::vector<std::pair<char, int>> axes;
    const auto axis_of = [&](char letter) { return std::ranges::find(axes, letter, &std::pair<char, int>::first); };
    std::vector<Expression> factors;
    std::size_t at = 0;
    for (const Expression& child : e.children) {
        const std::size_t end = std::min(letters.find(',', at), arrow);
        const std::string its = letters.substr(at, end - at);
        at = end + 1;
        Lowered x = lower(child);
        check_size(x, child.span);
        if (x.axes.size() != its.size() || x.kept)
            throw IllFormed(child.span,
                            fmt::format("einsum has the letters \"{}\" for what has the shape {}", its, shape_of(x)),
                            "shapes");
        for (std::size_t axis = 0; axis < its.size(); ++axis) {
            const auto known = axis_of(its[axis]);
            if (known == axes.end()) {
                axes.emplace_back(its[axis], x.axes[axis]);
            } else if (!same_range(known->second, x.axes[axis])) {
                throw IllFormed(child.span,
                                fmt::format("the letter {} of einsum stands for the ranges {} and {}", its[axis],
                                            model_.range_of(known->second).name, model_.range_of(x.axes[axis]).name),
                                "shapes");
            } else {
                rename(x.body, x.axes[axis], known->second);
            }
        }
        factors.push_back(std::move(x.body));
    }
    Lowered result;
    for (const char letter : output) result.axes.push_back(axis_of(letter)->second);
    std::vector<int> summed;
    for (const auto& [letter, axis] : axes)
        if (output.find(letter) == std::string::npos) summed.push_back(axis);
    Expression body = factors.size() == 1 ? std::move(factors[0]) : product_of(std::move(factors));
    body.span = e.span;
    result.body = reduced("sum", summed, std::move(body), e.span);
    return result;
}

/// Of A where X is varied: the sum over X's entries of dA/dX times dX.
Lowered Checker::differential(const Expression& e) {
    Lowered of = lower(e.argument());
    check_size(of, e.argument().span);
    Parts terms;
    for (std::size_t i = 1; i < e.children.size(); ++i) {
        const Lowered by = whole(e.children[i]);
        check_denominator(by.body);
        Expression direction = by.body;
        direction.name = "d" + direction.name;
        direction.symbol = find_quantity(model_, direction);
        Expression term = product_of({derivative_of(of.body, by.body), std::move(direction)});
        term.span = e.span;
        terms.push_back({reduced("sum", by.axes, std::move(term), e.span), Joint::plus});
    }
    of.body = sum_of_terms(terms);
    return of;
}

Lowered Checker::function_of_matrix(const Expression& e) {
    if (e.order > 0 || e.children.size() != (e.name == "solve" ? 2u : 1u))
        throw IllFormed(
            e.span,
            fmt::format("{} takes {}", e.name, e.name == "solve" ? "a matrix and a right side" : "one square matrix"),
            "arguments");
    Lowered x = lower(e.argument());
    check_size(x, e.argument().span);
    if (e.name == "solve")
        return multiply(of_matrix("inverse", std::move(x), e.span), lower(e.children[1]), Joint::juxtaposed, e.span);
    if (e.name != "tr") return of_matrix(e.name, std::move(x), e.span);
    if (x.axes.empty()) return x;  // the trace of a number
    if (x.axes.size() != 2 || !same_range(x.axes[0], x.axes[1]))
        throw IllFormed(e.span, fmt::format("tr takes a square matrix, and the shape is {} here", shape_of(x)),
                        "shapes");
    rename(x.body, x.axes[1], x.axes[0]);
    return {reduced("sum", {x.axes[0]}, std::move(x.body), e.span), {}};
}

Lowered Checker::multiply(Lowered a, Lowered b, Joint joint, Span span) {
    if (a.identity || b.identity) {
        if (!is_of_matrices(joint) || (a.axes.empty() && b.axes.empty())) {
            give_size(a, b);
            give_size(b, a);
        }
        const bool still = a.identity || b.identity;
        if (still) {
            Expression body =
                product_of_factors({{a.body, Joint::times}, {b.body, joint == Joint::divided ? joint : Joint::times}});
            body.span = span;
            return {body, a.identity ? b.axes : a.axes, a.identity ? b.row : a.row, a.axes.empty() && b.axes.empty()};
        }
    }
    const bool number = a.axes.empty() || b.axes.empty();
    const auto with_body = [](Lowered x, Expression body) {
        x.body = std::move(body);
        return x;
    };
    const auto product = [&](Expression x, Expression y, Joint how) {
        Expression e = product_of_factors({{std::move(x), Joint::times}, {std::move(y), how}});
        e.span = span;
        return e;
    };
    if (joint == Joint::divided && !b.axes.empty() && a.axes.empty())
        return with_body(b, product(a.body, b.body, joint));
    if (number) {
        if (joint == Joint::matrix && a.axes.size() + b.axes.size() > 0)
            throw IllFormed(span, "a number beside @: it multiplies arrays", "shapes");
        return with_body(a.axes.empty() ? b : a,
                         product(a.body, b.body, joint == Joint::divided ? joint : Joint::times));
    }
    if (joint == Joint::times || joint == Joint::divided || joint == Joint::elementwise) {
        check_sides(a, b, span);
        fit(a, b, span);
        return with_body(a, product(a.body, b.body, joint == Joint::divided ? joint : Joint::times));
    }
    if (a.axes.size() > 2 || b.axes.size() > 2)
        throw IllFormed(span, "only matrices and vectors are multiplied like this", "shapes");
    const bool numpy = joint == Joint::matrix;
    const bool both_columns = a.axes.size() == 1 && b.axes.size() == 1 && !a.row && !b.row;
    const bool a_row = a.axes.size() == 1 && (a.row || (!a.kept && (numpy || (joint == Joint::dot && both_columns))));
    const bool b_row = b.axes.size() == 1 && b.row && (!numpy || b.kept);
    const bool a_has_inner = a.axes.size() == 2 || a_row;
    const bool b_has_inner = !b_row;
    if (!a_has_inner && !b_has_inner) return {product(a.body, b.body, Joint::times), {a.axes[0], b.axes[0]}, false};
    if (!a_has_inner || !b_has_inner || !same_range(a.axes.back(), b.axes.front()))
        throw IllFormed(span,
                        fmt::format("the shapes {} and {} do not fit in a product{}", shape_of(a), shape_of(b),
                                    both_columns ? ": of two columns one must be transposed" : ""),
                        "shapes");
    rename(b.body, b.axes.front(), a.axes.back());
    Lowered result;
    result.body = reduced("sum", {a.axes.back()}, product(a.body, b.body, Joint::times), span);
    result.axes.assign(a.axes.begin(), a.axes.end() - 1);
    result.axes.insert(result.axes.end(), b.axes.begin() + 1, b.axes.end());
    if (result.axes.size() == 1) {
        result.row = a_row && (!numpy || a.kept);
        result.kept = (a_row && a.kept) || (b.kept && !b_row);
    }
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
        std::optional<Lowered> result;
        Joint pending = Joint::times;
        try {
            for (std::size_t i = 0; i < factors.size();) {
                const Joint joint = e.joints[i];
                Lowered run = factors[i++];
                // Products of matrices are associative, so that a b c may be taken from the right: u (v^T w).
                for (; i < factors.size() && is_of_matrices(e.joints[i]); ++i)
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
    if (is_differential(e)) return differential(e);
    if (is_entry_of_array(e)) return {entry_of_array(e, false), {}};
    if (has_new_axis(e)) return with_new_axis(e);
    if (e.name.starts_with(einsum)) return einsum_of(e);
    if (e.name == angle_brackets || (e.name == "inner" && !model_.is_function("inner"))) return inner_product_of(e);
    if (is_of_matrix(model_, e)) return function_of_matrix(e);
    if (e.name == "log" && e.order == 0 && e.children.size() == 1 && is_call(e.argument(), "det") &&
        is_of_matrix(model_, e.argument()) && !model_.is_function("log")) {
        Expression logarithm = e.argument();
        logarithm.name = "logdet";
        return function_of_matrix(logarithm);
    }
    if (e.name == "size") return {resolve(e), {}};
    if (e.name == "diag" || e.name == "outer") {
        if (e.children.size() != (e.name == "diag" ? 1u : 2u))
            throw IllFormed(e.span, e.name == "diag" ? "diag takes one vector" : "outer takes two vectors",
                            "arguments");
        Lowered u = lower(e.children[0]);
        if (e.name == "diag" && u.axes.size() == 2 && same_range(u.axes[0], u.axes[1])) {
            rename(u.body, u.axes[1], u.axes[0]);
            return {u.body, {u.axes[0]}};
        }
        Lowered v = e.name == "diag" ? u : lower(e.children[1]);
        if (u.axes.size() != 1 || v.axes.size() != 1)
            throw IllFormed(
                e.span,
                fmt::format("{} takes vectors{}", e.name,
                            e.name == "outer" ? ": a Kronecker product of matrices is written with letters" : ""),
                "shapes");
        if (e.name == "outer") return {product_of({u.body, v.body}), {u.axes[0], v.axes[0]}};
        const int other = model_.fresh_letter(range(u.axes[0]));
        Expression delta = kronecker(model_.letter(u.axes[0]).name, model_.letter(other).name);
        delta.span = e.span;
        delta.children[0].letters[0].letter = u.axes[0];
        delta.children[1].letters[0].letter = other;
        return {product_of({u.body, delta}), {u.axes[0], other}};
    }
    if (e.name == "softmax") {
        if (e.children.size() != 1) throw IllFormed(e.span, "softmax takes one argument", "arguments");
        Lowered x = lower(e.children[0]);
        if (x.axes.empty() || (x.kept && !x.row))
            throw IllFormed(e.span, "softmax takes a vector or the rows of a matrix", "shapes");
        x.body = softmax(x.body, x.axes.back(), e.span);
        return x;
    }
    check_arguments(result);
    Lowered first = lower(e.children[0]);
    result.children = {first.body};
    for (std::size_t i = 1; i < e.children.size(); ++i) {
        Lowered next = lower(e.children[i]);
        fit(first, next, e.span);
        result.children.push_back(next.body);
    }
    first.body = std::move(result);
    return first;
}

Lowered Checker::derivative_of_arrays(const Expression& e) {
    Expression result = e;
    Lowered of = lower(e.numerator());
    result.numerator() = of.body;
    Lowered all{{}, of.axes, false};
    std::size_t arrays_below = 0;
    std::vector<int> typed;
    for (const Expression& one : e.denominators())
        for (const Index& index : one.indices)
            if (index.is_letter() && e.order > 1)
                if (const auto found = model_.find_letter(index.terms[0].name); found && !is_bound(*found))
                    typed.push_back(*found);
    check_letters_in_order(e, typed, {});
    for (Expression& one : result.denominators()) {
        Lowered by = whole(one);
        check_denominator(by.body);
        one = by.body;
        arrays_below = std::max(arrays_below, by.axes.size());
        all.axes.insert(all.axes.end(), by.axes.begin(), by.axes.end());
        if (e.order == 1 && of.axes.empty()) all.row = by.row, all.kept = by.kept;
    }
    for (Expression& one : result.held()) held(one);
    const bool fits = of.axes.empty() ? e.order == 1 || arrays_below <= 1
                                      : arrays_below == 0 || (of.axes.size() == 1 && arrays_below == 1 && e.order == 1);
    if (!fits)
        throw IllFormed(e.span,
                        "this derivative of arrays needs letters: the shapes alone do not say which entry stands where",
                        "shapes");
    all.body = std::move(result);
    return all;
}

}  // namespace derivation
