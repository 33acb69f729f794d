// Formulas over letters.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <derivation/resolve/checker.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <optional>

namespace derivation {

IllFormed ill_formed(Span span, const std::string& sentence, std::string mistake) {
    IllFormed error(span, sentence);
    error.mistake = std::move(mistake);
    return error;
}

bool contains(const std::vector<int>& all, int one) { return std::ranges::find(all, one) != all.end(); }

Expression Checker::resolve(Expression e) {
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

void Checker::resolve_children(Expression& e) {
    for (Expression& child : e.children) child = resolve(std::move(child));
}

void Checker::rename(Expression& e, int from, int to) const {
    substitute(e, from, to, model_.letters[static_cast<std::size_t>(to)].name);
}

int Checker::letter(const std::string& name, Span span) {
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

Expression Checker::entry(Expression e) {
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

void Checker::place(Expression& e) const {
    const Quantity& quantity = model_.quantity(e.symbol);
    for (std::size_t axis = 0; axis < e.indices.size(); ++axis) {
        e.indices[axis].offset -= model_.ranges[static_cast<std::size_t>(quantity.ranges[axis])].first;
        for (const IndexTerm& term : e.indices[axis].terms)
            e.indices[axis].offset += term.sign * model_.range_of(term.letter).first;
    }
}

bool Checker::declared(const Expression& e, const std::vector<int>& ranges) const {
    return std::ranges::any_of(model_.quantities_named(e.name),
                               [&](int q) { return model_.quantity(q).ranges == ranges; });
}

Expression Checker::after_step(Expression e) {
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

Expression Checker::call(Expression e) {
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

void Checker::check_arguments(Expression& e) {
    e.symbol = model_.function(e.name);
    const bool two = e.name == "max" || e.name == "min";
    if (two ? e.children.size() < 2 : e.children.size() != 1)
        throw ill_formed(e.span,
                         fmt::format("{} takes {} argument{}", e.name, two ? "more than one" : "one", two ? "s" : ""),
                         "arguments");
    if (two && e.order > 0)
        throw ill_formed(e.span, fmt::format("{} has no derivative of its own here", e.name), "arguments");
    if (e.order > 3) throw ill_formed(e.span, "derivatives of functions are read up to the third", "arguments");
}

Expression Checker::softmax(const Expression& body, int over, Span span) {
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

Expression Checker::reduced(const std::string& name, const std::vector<int>& letters, Expression body,
                            Span span) const {
    if (letters.empty()) return body;
    Expression e;
    e.kind = Kind::reduce;
    e.name = name;
    e.span = span;
    for (const int one : letters) e.letters.push_back({model_.letters[static_cast<std::size_t>(one)].name, 1, one});
    e.children.push_back(std::move(body));
    return e;
}

void Checker::check_denominator(const Expression& by) const {
    if (by.kind != Kind::entry || by.symbol < 0)
        throw ill_formed(by.span, "a derivative is taken by an entry of a name", "denominator");
    if (model_.quantity(by.symbol).role == Role::constant)
        throw ill_formed(by.span, fmt::format("{} is a constant: a derivative is taken by a given or a let", by.name),
                         "denominator");
}

Expression Checker::derivative(Expression e) {
    const auto by_end = static_cast<std::size_t>(e.order) + 1;
    e.children[0] = resolve(std::move(e.children[0]));
    for (std::size_t i = 1; i < by_end; ++i) {
        e.children[i] = resolve(std::move(e.children[i]));
        check_denominator(e.children[i]);
    }
    for (std::size_t i = by_end; i < e.children.size(); ++i) held(e.children[i]);
    return e;
}

void Checker::held(Expression& e) {
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

}  // namespace derivation
