#include <fmt/format.h>

#include <algorithm>
#include <derivation/checker.hpp>
#include <derivation/local.hpp>
#include <optional>
#include <utility>

namespace derivation {

namespace {

constexpr double most_work = 1e6;

IllFormed ill_formed(Span span, const std::string& sentence, std::string mistake) {
    IllFormed error(span, sentence);
    error.mistake = std::move(mistake);
    return error;
}

bool contains(const std::vector<int>& all, int one) { return std::ranges::find(all, one) != all.end(); }

std::string ranges_of(const Model& model, const std::vector<int>& ranges) {
    std::vector<std::string> names;
    for (const int range : ranges) names.push_back(model.ranges[static_cast<std::size_t>(range)].name);
    return fmt::format("({})", fmt::join(names, ", "));
}

/// A formula over letters, with the letters that stand for the axes of an array.
struct Lowered {
    Expression body;
    std::vector<int> axes;
    bool row = false;
};

class Checker {
  public:
    explicit Checker(Model& model) : model_(model) {}

    bool arrays = false;
    std::vector<int> free;

    Expression resolve(Expression e) {
        switch (e.kind) {
            case Kind::number:
                return e;
            case Kind::letter:
                if (comparisons_ == 0)
                    throw ill_formed(e.span, fmt::format("the letter {} stands here as a number", e.name),
                                     "letter-as-number");
                e.letters[0].letter = letter(e.name, e.span);
                return e;
            case Kind::entry:
                return entry(std::move(e));
            case Kind::call:
                return call(std::move(e));
            case Kind::reduce:
                if (e.letters.empty())
                    throw ill_formed(e.span, fmt::format("{} names no letter: write {}(k, ...)", e.name, e.name),
                                     "missing-letter");
                bind(e, [&] { resolve_children(e); });
                return e;
            case Kind::derivative:
                return derivative(std::move(e));
            case Kind::iverson:
                ++comparisons_;
                resolve_children(e);
                --comparisons_;
                return e;
            case Kind::norm: {
                Expression square;
                square.kind = Kind::power;
                square.span = e.span;
                square.children = {resolve(std::move(e.children[0])), number_of(2)};
                return square;
            }
            default:
                resolve_children(e);
                return e;
        }
    }

    void resolve_children(Expression& e) {
        for (Expression& child : e.children) child = resolve(std::move(child));
    }

    Lowered lower(const Expression& e) {
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

    std::string shape_of(const Lowered& x) const {
        std::vector<int> ranges;
        for (const int axis : x.axes) ranges.push_back(model_.letters[static_cast<std::size_t>(axis)].range);
        return x.axes.empty() ? "()"
               : x.row        ? fmt::format("(1, {})", model_.ranges[static_cast<std::size_t>(ranges[0])].name)
                              : ranges_of(model_, ranges);
    }

    void rename(Expression& e, int from, int to) const {
        substitute(e, from, to, model_.letters[static_cast<std::size_t>(to)].name);
    }

  private:
    int letter(const std::string& name, Span span) {
        const int found = model_.letter(name);
        if (found < 0) {
            if (name.size() > 1 || model_.has(name))
                throw ill_formed(span, fmt::format("{} is no letter: an index is a declared letter or a number", name),
                                 "undeclared-letter");
            throw ill_formed(span, fmt::format("the letter {} was never declared", name), "undeclared-letter");
        }
        if (!contains(bound_, found) && !contains(free, found)) free.push_back(found);
        return found;
    }

    template <class Body>
    void bind(Expression& e, Body body) {
        const std::size_t before = bound_.size();
        for (IndexTerm& term : e.letters) {
            const int found = model_.letter(term.name);
            if (found < 0)
                throw ill_formed(e.span, fmt::format("the letter {} was never declared", term.name),
                                 "undeclared-letter");
            if (contains(bound_, found))
                throw ill_formed(e.span,
                                 fmt::format("the letter {} is bound here, inside a sum over {}", term.name, term.name),
                                 "bound-twice");
            term.letter = found;
            bound_.push_back(found);
        }
        body();
        bound_.resize(before);
    }

    Expression entry(Expression e) {
        if (e.name == "1") return number_of(1);
        if (e.name == "delta" && e.indices.size() == 2 && e.indices[0].is_letter() && e.indices[1].is_letter()) {
            const int a = model_.letter(e.indices[0].terms[0].name), b = model_.letter(e.indices[1].terms[0].name);
            if (a >= 0 && b >= 0 && same_range(a, b) && !declared(e, {range(a), range(b)})) {
                Expression kronecker;
                kronecker.kind = Kind::iverson;
                kronecker.name = "==";
                kronecker.span = e.span;
                for (const Index& index : e.indices) {
                    Expression side;
                    side.kind = Kind::letter;
                    side.name = index.terms[0].name;
                    side.span = e.span;
                    side.letters = {index.terms[0]};
                    side.letters[0].letter = letter(side.name, e.span);
                    kronecker.children.push_back(side);
                }
                return kronecker;
            }
        }
        for (Index& index : e.indices)
            for (IndexTerm& term : index.terms) term.letter = letter(term.name, index.span);
        e.symbol = find_quantity(model_, e);
        if (e.order == 1) return after_step(e);
        place(e);
        return e;
    }

    /// Makes the numbers of the indices count from 0.
    void place(Expression& e) const {
        const Quantity& quantity = model_.quantity(e.symbol);
        for (std::size_t axis = 0; axis < e.indices.size(); ++axis) {
            e.indices[axis].offset -= model_.ranges[static_cast<std::size_t>(quantity.ranges[axis])].first;
            for (const IndexTerm& term : e.indices[axis].terms)
                e.indices[axis].offset += term.sign * model_.range_of(term.letter).first;
        }
    }

    int range(int letter) const { return model_.letters[static_cast<std::size_t>(letter)].range; }
    bool same_range(int a, int b) const { return range(a) == range(b); }
    bool declared(const Expression& e, const std::vector<int>& ranges) const {
        return std::ranges::any_of(model_.quantities_named(e.name),
                                   [&](int q) { return model_.quantity(q).ranges == ranges; });
    }

    /// p - alpha * dL/dp.
    Expression after_step(Expression e) {
        e.order = 0;
        const int loss = default_loss(model_, e.symbol);
        if (loss < 0) throw ill_formed(e.span, fmt::format("no loss depends on {}", e.name), "undeclared");
        const std::vector<int> rates = possible_rates(model_, loss);
        if (rates.empty())
            throw ill_formed(e.span,
                             fmt::format("new({}) takes a step whose rate is a constant: declare one above, as in "
                                         "`constant alpha = 0.1`",
                                         e.name),
                             "undeclared");
        place(e);
        const auto scalar_entry = [&](int symbol) {
            Expression result = letter_entry(model_.quantity(symbol).name, {});
            result.symbol = symbol;
            result.span = e.span;
            return result;
        };
        Expression derivative;
        derivative.kind = Kind::derivative;
        derivative.order = 1;
        derivative.span = e.span;
        derivative.children = {scalar_entry(loss), e};
        return sum_of_terms({{e, Joint::plus}, {product_of({scalar_entry(rates[0]), derivative}), Joint::minus}});
    }

    Expression call(Expression e) {
        if (e.name == "size") {
            if (e.children.size() != 1 || e.children[0].kind != Kind::letter)
                throw ill_formed(e.span, "size takes a letter: size(k)", "undeclared-letter");
            const int found = model_.letter(e.children[0].name);
            Expression result = number_of(model_.range_of(found).size);
            result.span = e.span;
            return result;
        }
        if (e.name == "softmax") {
            if (e.children.size() != 1) throw ill_formed(e.span, "softmax takes one argument", "arguments");
            const std::vector<int> outer_free = std::exchange(free, {});
            const std::vector<int> outer_bound = std::exchange(bound_, {});
            Expression body = resolve(std::move(e.children[0]));
            const std::vector<int> inner = std::exchange(free, outer_free);
            bound_ = outer_bound;
            if (inner.empty()) throw ill_formed(e.span, "softmax needs a letter to run over", "missing-letter");
            for (const int one : inner)
                if (!contains(bound_, one) && !contains(free, one)) free.push_back(one);
            return softmax(body, inner.back(), e.span);
        }
        if (e.name == "diag" || e.name == "outer")
            throw ill_formed(e.span, fmt::format("{} makes a matrix, where a number should stand", e.name), "shapes");
        check_arguments(e);
        resolve_children(e);
        return e;
    }

    void check_arguments(Expression& e) {
        e.symbol = model_.function(e.name);
        const bool two = e.name == "max" || e.name == "min";
        if (two ? e.children.size() < 2 : e.children.size() != 1)
            throw ill_formed(
                e.span, fmt::format("{} takes {} argument{}", e.name, two ? "more than one" : "one", two ? "s" : ""),
                "arguments");
        if (two && e.order > 0)
            throw ill_formed(e.span, fmt::format("{} has no derivative of its own here", e.name), "arguments");
        if (e.order > 3) throw ill_formed(e.span, "derivatives of functions are read up to the third", "arguments");
    }

    Expression softmax(const Expression& body, int over, Span span) {
        const int other = model_.fresh_letter(range(over));
        Expression exponential;
        exponential.kind = Kind::call;
        exponential.name = "exp";
        exponential.span = span;
        exponential.children = {body};
        Expression copy = exponential;
        rename(copy, over, other);
        Expression e = quotient_of(exponential, reduced("sum", {other}, copy, span));
        e.span = span;
        return e;
    }

    Expression reduced(const std::string& name, const std::vector<int>& letters, Expression body, Span span) const {
        if (letters.empty()) return body;
        Expression e;
        e.kind = Kind::reduce;
        e.name = name;
        e.span = span;
        for (const int one : letters) e.letters.push_back({model_.letters[static_cast<std::size_t>(one)].name, 1, one});
        e.children.push_back(std::move(body));
        return e;
    }

    void check_denominator(const Expression& by) const {
        if (by.kind != Kind::entry || by.symbol < 0)
            throw ill_formed(by.span, "a derivative is taken by an entry of a name", "denominator");
        if (model_.quantity(by.symbol).role == Role::constant)
            throw ill_formed(by.span,
                             fmt::format("{} is a constant: a derivative is taken by a given or a let", by.name),
                             "denominator");
    }

    Expression derivative(Expression e) {
        const auto by_end = static_cast<std::size_t>(e.order) + 1;
        e.children[0] = resolve(std::move(e.children[0]));
        for (std::size_t i = 1; i < by_end; ++i) {
            e.children[i] = resolve(std::move(e.children[i]));
            check_denominator(e.children[i]);
        }
        for (std::size_t i = by_end; i < e.children.size(); ++i) held(e.children[i]);
        return e;
    }

    void held(Expression& e) {
        const std::vector<int> named = model_.quantities_named(e.name);
        if (named.empty()) throw ill_formed(e.span, fmt::format("{} was never declared", e.name), "undeclared");
        if (!e.indices.empty()) {
            std::vector<int> kept = free;
            for (Index& index : e.indices)
                for (IndexTerm& term : index.terms) term.letter = letter(term.name, index.span);
            free = kept;
            e.symbol = find_quantity(model_, e);
        } else {
            e.symbol = named[0];
        }
    }

    // ---- arrays

    Lowered whole(const Expression& e) {
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

    Expression after_step_of_array(const Expression& e) { return after_step(e); }

    /// Gives b the axes of a where their shapes fit; a number fits everything.
    void fit(Lowered& a, Lowered& b, bool adds, Span span) {
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

    Lowered multiply(Lowered a, Lowered b, Joint joint, Span span) {
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

    Lowered product(const Expression& e) {
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

    Lowered call_of_arrays(const Expression& e) {
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

    Lowered derivative_of_arrays(const Expression& e) {
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
        const bool fits = of.axes.empty()
                              ? e.order == 1 || arrays_below <= 1
                              : arrays_below == 0 || (of.axes.size() == 1 && arrays_below == 1 && e.order == 1);
        if (!fits)
            throw ill_formed(
                e.span, "this derivative of arrays needs letters: the shapes alone do not say which entry stands where",
                "shapes");
        all.body = std::move(result);
        return all;
    }

    Model& model_;
    std::vector<int> bound_;
    std::vector<std::pair<int, int>> renamed_;
    int comparisons_ = 0;
};

double work_of_one(const Model& model, const Expression& e) {
    double inner = 1;
    for (const Expression& child : e.children) inner += work_of_one(model, child);
    if (e.kind == Kind::reduce)
        for (const IndexTerm& term : e.letters) inner *= model.range_of(term.letter).size;
    return inner;
}

void limit_work(const Model& model, const Expression& e, const std::vector<int>& free) {
    if (work_of(model, e, free) > most_work)
        throw Error(e.span, "this formula has too many terms: smaller sizes of the ranges show the same mistakes");
}

/// The span of a use of the letter where it is not bound.
bool find_free_use(const Expression& e, const std::string& name, Span& span) {
    if (e.kind == Kind::reduce &&
        std::ranges::any_of(e.letters, [&](const IndexTerm& term) { return term.name == name; }))
        return false;
    const auto uses = [&](const Index& index) {
        return std::ranges::any_of(index.terms, [&](const IndexTerm& term) { return term.name == name; });
    };
    if ((e.kind == Kind::letter && e.name == name) || std::ranges::any_of(e.indices, uses)) {
        span = e.span;
        return true;
    }
    return std::ranges::any_of(e.children, [&](const Expression& child) { return find_free_use(child, name, span); });
}

bool binds(const Expression& e, const std::string& name) {
    return (e.kind == Kind::reduce &&
            std::ranges::any_of(e.letters, [&](const IndexTerm& term) { return term.name == name; })) ||
           std::ranges::any_of(e.children, [&](const Expression& child) { return binds(child, name); });
}

void check_letters(const Model& model, const Expression& member, const std::vector<int>& free,
                   const std::vector<int>& of_first) {
    for (const int letter : free) {
        if (contains(of_first, letter)) continue;
        const std::string& name = model.letters[static_cast<std::size_t>(letter)].name;
        Span span = member.span;
        find_free_use(member, name, span);
        if (binds(member, name))
            throw ill_formed(span,
                             fmt::format("The letter {0} is summed in one place, but stands here outside that sum, and "
                                         "it is not free on the left side.",
                                         name),
                             "factor-outside-sum");
        throw ill_formed(span,
                         fmt::format("The letter {} is free here, but not on the left side: a sum over it is missing, "
                                     "or another letter is meant.",
                                     name),
                         "free-letter");
    }
}

}  // namespace

double work_of(const Model& model, const Expression& e, const std::vector<int>& free) {
    double total = work_of_one(model, e);
    for (const int letter : free) total *= model.range_of(letter).size;
    return total;
}

bool is_of_arrays(const Model& model, const Expression& e) {
    if (e.kind == Kind::entry && e.indices.empty() && e.name != "1") {
        const std::vector<int> named = model.quantities_named(e.name);
        return !named.empty() && std::ranges::none_of(named, [&](int q) { return model.quantity(q).ranges.empty(); });
    }
    if (e.kind == Kind::entry && e.name == "1" && !e.indices.empty()) return true;
    if (e.kind == Kind::transpose && e.children[0].kind == Kind::entry && e.children[0].indices.size() >= 2)
        return true;
    if (e.kind == Kind::call && (e.name == "diag" || e.name == "outer")) return true;
    if (std::ranges::any_of(e.joints,
                            [](Joint joint) { return joint == Joint::matrix || joint == Joint::elementwise; }))
        return true;
    const std::size_t count = e.kind == Kind::derivative ? static_cast<std::size_t>(e.order) + 1 : e.children.size();
    for (std::size_t i = 0; i < count; ++i)
        if (is_of_arrays(model, e.children[i])) return true;
    return false;
}

int find_quantity(const Model& model, const Expression& entry) {
    const std::vector<int> named = model.quantities_named(entry.name);
    if (named.empty()) {
        if (model.function(entry.name) >= 0)
            throw ill_formed(entry.span, fmt::format("{} is a function: it takes something in brackets", entry.name),
                             "undeclared");
        IllFormed error = ill_formed(entry.span, fmt::format("{} was never declared", entry.name), "undeclared");
        error.undeclared = entry.name;
        throw error;
    }
    if (entry.indices.empty()) {
        for (const int q : named)
            if (model.quantity(q).ranges.empty()) return q;
        if (named.size() > 1) {
            std::vector<std::string> signatures;
            for (const int q : named) signatures.push_back(model.signature(model.quantity(q)));
            throw ill_formed(entry.span,
                             fmt::format("{} has several arrays, {}: letters choose one, as in {}", entry.name,
                                         listed(signatures), signatures[0]),
                             "wrong-range");
        }
        return named[0];
    }
    int best = -1, best_score = -1;
    bool ambiguous = false;
    for (const int q : named) {
        const Quantity& quantity = model.quantity(q);
        if (quantity.ranges.size() != entry.indices.size()) continue;
        int score = 0;
        bool fits = true;
        for (std::size_t axis = 0; axis < quantity.ranges.size() && fits; ++axis) {
            const Index& index = entry.indices[axis];
            const Range& range = model.ranges[static_cast<std::size_t>(quantity.ranges[axis])];
            if (index.is_number()) {
                fits = index.offset >= range.first && index.offset < range.first + range.size;
                score += 1;
            } else if (index.is_letter()) {
                fits = model.letters[static_cast<std::size_t>(index.terms[0].letter)].range == quantity.ranges[axis];
                score += 2;
            } else {
                for (const IndexTerm& term : index.terms)
                    if (model.letters[static_cast<std::size_t>(term.letter)].range == quantity.ranges[axis]) {
                        score += 2;
                        break;
                    }
            }
        }
        if (!fits || score < best_score) continue;
        ambiguous = score == best_score;
        best = q;
        best_score = score;
    }
    if (best < 0) {
        std::vector<std::string> signatures;
        for (const int q : named) signatures.push_back(model.signature(model.quantity(q)));
        std::vector<std::string> ranges;
        for (const Index& index : entry.indices)
            ranges.push_back(index.terms.empty() ? fmt::format("{}", index.offset)
                                                 : model.range_of(index.terms[0].letter).name);
        throw ill_formed(entry.span,
                         fmt::format("{} has no array over ({}); there {} {}", entry.name, fmt::join(ranges, ", "),
                                     signatures.size() == 1 ? "is" : "are", listed(signatures)),
                         "wrong-range");
    }
    if (ambiguous)
        throw ill_formed(entry.span,
                         fmt::format("{} with these indices may mean several arrays: letters choose one", entry.name),
                         "wrong-range");
    return best;
}

Checked check_line(Model& model, const std::vector<Expression>& members, std::size_t& at) {
    at = 0;
    Checked checked;
    checked.arrays = std::ranges::any_of(members, [&](const Expression& e) { return is_of_arrays(model, e); });
    Checker checker(model);
    checker.arrays = checked.arrays;
    if (checked.arrays) {
        Lowered first = checker.lower(members[0]);
        checked.members.push_back(first.body);
        checked.free = first.axes;
        checked.row = first.row;
    } else {
        checked.members.push_back(normalized(checker.resolve(members[0])));
        checked.free = checker.free;
    }
    limit_work(model, checked.members[0], checked.free);
    for (at = 1; at < members.size(); ++at) checked.members.push_back(check_member(model, checked, members[at]));
    return checked;
}

Expression check_member(Model& model, const Checked& line, const Expression& member) {
    Checker checker(model);
    checker.arrays = line.arrays;
    Expression result;
    if (!line.arrays) {
        result = normalized(checker.resolve(member));
        check_letters(model, member, checker.free, line.free);
    } else {
        Lowered lowered = checker.lower(member);
        const auto range = [&](int letter) { return model.letters[static_cast<std::size_t>(letter)].range; };
        const bool fits =
            std::ranges::equal(lowered.axes, line.free, [&](int a, int b) { return range(a) == range(b); });
        if (!lowered.axes.empty() && (!fits || lowered.row != line.row)) {
            const Lowered first{{}, line.free, line.row};
            throw ill_formed(member.span,
                             fmt::format("The shape is {} here, but {} on the left side.", checker.shape_of(lowered),
                                         checker.shape_of(first)),
                             lowered.axes.size() == line.free.size() ? "transposed" : "shapes");
        }
        for (std::size_t i = 0; i < lowered.axes.size(); ++i)
            checker.rename(lowered.body, lowered.axes[i], line.free[i]);
        result = std::move(lowered.body);
    }
    limit_work(model, result, line.free);
    return result;
}

Definition check_definition(Model& model, const Expression& body, const std::vector<int>& letters, bool may_be_array) {
    Checker checker(model);
    checker.arrays = is_of_arrays(model, body);
    Definition definition;
    if (!checker.arrays) {
        definition.body = normalized(checker.resolve(body));
        definition.letters = letters;
        for (const int letter : checker.free)
            if (!contains(letters, letter)) {
                const std::string& name = model.letters[static_cast<std::size_t>(letter)].name;
                Span span = body.span;
                find_free_use(body, name, span);
                throw ill_formed(span, fmt::format("the letter {} is free here, but not on the left side", name),
                                 "free-letter");
            }
    } else {
        Lowered lowered = checker.lower(body);
        definition.body = lowered.body;
        if (!letters.empty()) {
            const bool fits = std::ranges::equal(letters, lowered.axes, [&](int a, int b) {
                return model.letters[static_cast<std::size_t>(a)].range ==
                       model.letters[static_cast<std::size_t>(b)].range;
            });
            if (!fits && !lowered.axes.empty())
                throw ill_formed(body.span,
                                 fmt::format("the right side is an array over {}, not over these letters",
                                             checker.shape_of(lowered)),
                                 "shapes");
            for (std::size_t i = 0; i < lowered.axes.size(); ++i)
                checker.rename(definition.body, lowered.axes[i], letters[i]);
            definition.letters = letters;
        } else {
            if (!may_be_array && !lowered.axes.empty())
                throw ill_formed(body.span, "this is an array, where a number should stand", "shapes");
            definition.letters = lowered.axes;
        }
    }
    limit_work(model, definition.body, definition.letters);
    return definition;
}

}  // namespace derivation
