// Formulas over letters.
#include <derivation/formula/elementary.hpp>
#include <derivation/resolve/checker.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/lookup.hpp>

namespace derivation {

Expression Checker::resolve(Expression e) {
    switch (e.kind) {
        case Kind::number:
            return e;
        case Kind::letter:
            if (comparisons_ == 0)
                throw IllFormed(e.span, fmt::format("the letter {} stands here as a number", e.name),
                                "letter-as-number");
            e.letters[0].letter = letter(e.name, e.span);
            return e;
        case Kind::entry:
            return entry(std::move(e));
        case Kind::call:
            return call(std::move(e));
        case Kind::reduce:
            if (e.letters.empty())
                throw IllFormed(e.span, fmt::format("{} names no letter: write {}(k, ...)", e.name, e.name),
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
            Expression square = power_of(resolve(std::move(e.argument())), number_of(2));
            square.span = e.span;
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

void Checker::rename(Expression& e, int from, int to) const { substitute(e, from, to, model_.letter(to).name); }

void Checker::add_free(int letter) {
    if (!is_bound(letter) && std::ranges::find(free, letter) == free.end()) free.push_back(letter);
}

int Checker::letter(const std::string& name, Span span) {
    const std::optional<int> found = model_.find_letter(name);
    if (!found && (name.size() > 1 || model_.has(name)))
        throw IllFormed(span, fmt::format("{} is no letter: an index is a declared letter or a number", name),
                        "undeclared-letter");
    if (!found) throw IllFormed(span, fmt::format("the letter {} was never declared", name), "undeclared-letter");
    add_free(*found);
    return *found;
}

Expression Checker::entry(Expression e) {
    if (e.name == "1") return number_of(1);
    if ((e.name == "delta" || e.name == "I") && e.indices.size() == 2 && e.indices[0].is_letter() &&
        e.indices[1].is_letter()) {
        const std::optional<int> a = model_.find_letter(e.indices[0].terms[0].name),
                                 b = model_.find_letter(e.indices[1].terms[0].name);
        if (a && b && same_range(*a, *b) && !declared(e, {range(*a), range(*b)})) {
            Expression delta = kronecker(e.indices[0].terms[0].name, e.indices[1].terms[0].name);
            delta.span = e.span;
            for (Expression& side : delta.children) {
                side.span = e.span;
                side.letters[0].letter = letter(side.name, e.span);
            }
            return delta;
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
    const Quantity& quantity = model_.quantity(e);
    for (std::size_t axis = 0; axis < e.indices.size(); ++axis) {
        e.indices[axis].offset -= model_.range(quantity.ranges[axis]).first;
        for (const IndexTerm& term : e.indices[axis].terms)
            e.indices[axis].offset += term.sign * model_.range_of(term).first;
    }
}

bool Checker::declared(const Expression& e, const std::vector<int>& ranges) const {
    return std::ranges::any_of(model_.quantities_named(e.name),
                               [&](int q) { return model_.quantity(q).ranges == ranges; });
}

/// What new(NAME) comes to: the true step of the update above, or where there is none the step of descent that is
/// usual.
Expression Checker::after_step(Expression e) {
    e.order = 0;
    const auto refused = [&](const std::string& why) {
        return IllFormed(e.span, fmt::format("new({}) {}: write the step instead", e.name, why), "undeclared");
    };
    const std::optional<StepAbove> step =
        model_.quantity(e).step ? model_.quantity(e).step : usual_step(model_, *e.symbol);
    if (!step)
        throw IllFormed(
            e.span,
            fmt::format("no loss depends on {}, and of a state new({}) stands below its update, with its letters",
                        e.name, e.name),
            "undeclared");
    if (step->line == 0) model_.quantity(*e.symbol).takes_usual_step = true;
    if (step->differs_from)
        throw refused(fmt::format("may be the step of line {} or that of line {}", *step->differs_from, step->line));
    if (step->by_states) throw refused(fmt::format("is the step of line {}, which goes by states", step->line));
    const std::vector<int>& rates = step->rates;
    if (rates.empty() && step->line > 0)
        throw refused(fmt::format("is the step of line {}, whose rate has no name", step->line));
    if (rates.empty())
        throw IllFormed(e.span,
                        fmt::format("new({}) takes a step whose rate is a constant: declare one above, as in "
                                    "`constant alpha = 0.1`",
                                    e.name),
                        "undeclared");
    if (rates.size() > 1)
        throw refused(fmt::format("takes a step whose rate is a constant, and {} and {} could be it",
                                  model_.quantity(rates[0]).name, model_.quantity(rates[1]).name));
    place(e);
    const auto scalar_entry = [&](int symbol) {
        Expression result = entry_of(model_.quantity(symbol).name, {});
        result.symbol = symbol;
        result.span = e.span;
        return result;
    };
    Expression derivative = derivative_of(scalar_entry(step->loss), e);
    derivative.span = e.span;
    return sum_of_terms(
        {{e, Joint::plus},
         {product_of({scalar_entry(rates[0]), derivative}), step->ascends ? Joint::plus : Joint::minus}});
}

Expression Checker::call(Expression e) {
    if (is_entry_of_array(e)) return entry_of_array(e, true);
    if (is_differential(e) || is_of_matrix(model_, e) ||
        (e.name == "log" && e.children.size() == 1 && is_of_matrix(model_, e.argument()) && !model_.is_function("log")))
        if (Lowered x = lower(e); x.axes.empty()) return x.body;
    if (e.name == "size") {
        if (e.children.size() != 1 || e.argument().kind != Kind::letter)
            throw IllFormed(e.span, "size takes a letter: size(k)", "undeclared-letter");
        const std::string& letter = e.argument().name;
        Expression result = number_of(model_.range_of(*model_.find_letter(letter)).size);
        result.name = "size(" + letter + ")";
        result.span = e.span;
        return result;
    }
    if (e.name == "softmax") {
        if (e.children.size() != 1) throw IllFormed(e.span, "softmax takes one argument", "arguments");
        const std::vector<int> outer_free = std::exchange(free, {});
        const std::vector<int> outer_bound = std::exchange(bound_, {});
        Expression body = resolve(std::move(e.argument()));
        const std::vector<int> inner = std::exchange(free, outer_free);
        bound_ = outer_bound;
        if (inner.empty()) throw IllFormed(e.span, "softmax needs a letter to run over", "missing-letter");
        for (const int one : inner) add_free(one);
        return softmax(body, letter_of_softmax(body, inner, e.span), e.span);
    }
    check_arguments(e);
    resolve_children(e);
    return e;
}

void Checker::check_arguments(Expression& e) {
    e.symbol = model_.find_function(e.name);
    const bool two = e.name == "max" || e.name == "min";
    if (two ? e.children.size() < 2 : e.children.size() != 1)
        throw IllFormed(e.span,
                        fmt::format("{} takes {} argument{}", e.name, two ? "more than one" : "one", two ? "s" : ""),
                        "arguments");
    if (two && e.order > 0)
        throw IllFormed(e.span, fmt::format("{} has no derivative of its own here", e.name), "arguments");
    if (e.order > 3) throw IllFormed(e.span, "derivatives of functions are read up to the third", "arguments");
}

/// Of several letters the last of the let's name, or of an array's indices, as of the rows of z[s,k]; where these are
/// two it is not known which is meant.
int Checker::letter_of_softmax(const Expression& body, const std::vector<int>& letters, Span span) const {
    if (letters.size() == 1) return letters[0];
    const auto is_among = [&](int letter) { return std::ranges::find(letters, letter) != letters.end(); };
    std::vector<int> meant;
    const auto look = [&](auto& self, const Expression& e) -> void {
        std::vector<int> indices;
        for (const Index& index : e.indices)
            for (const IndexTerm& term : index.terms)
                if (is_among(*term.letter)) indices.push_back(*term.letter);
        if (indices.size() > 1) meant.push_back(indices.back());
        for (const Expression& child : e.children) self(self, child);
    };
    look(look, body);
    const auto of_let = std::ranges::find_if(of_let_.rbegin(), of_let_.rend(), is_among);
    if (of_let != of_let_.rend()) meant.push_back(*of_let);
    if (!meant.empty() && std::ranges::all_of(meant, [&](int letter) { return letter == meant[0]; })) return meant[0];
    const std::string &one = model_.letter(letters[0]).name, &other = model_.letter(letters[1]).name;
    throw IllFormed(span,
                    fmt::format("softmax may run over {0} or over {1} here: with `let p[{0},{1}] = softmax(...)` it is "
                                "{1}, the last letter of a name, and with p[{1},{0}] it is {0}",
                                one, other),
                    "missing-letter");
}

Expression Checker::softmax(const Expression& body, int over, Span span) {
    const int other = model_.fresh_letter(range(over));
    Expression exponential = call_of("exp", 0, body);
    exponential.span = span;
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
    for (const int one : letters) e.letters.push_back({model_.letter(one).name, 1, one});
    e.children.push_back(std::move(body));
    return e;
}

void Checker::check_denominator(const Expression& by) const {
    if (by.kind != Kind::entry || !by.symbol)
        throw IllFormed(by.span, "a derivative is taken by an entry of a name", "denominator");
    if (model_.quantity(by).role == Role::constant)
        throw IllFormed(by.span, fmt::format("{} is a constant: a derivative is taken by a given or a let", by.name),
                        "denominator");
}

Expression Checker::derivative(Expression e) {
    e.numerator() = resolve(std::move(e.numerator()));
    for (Expression& by : e.denominators()) {
        by = resolve(std::move(by));
        check_denominator(by);
    }
    for (Expression& one : e.held()) held(one);
    return e;
}

void Checker::held(Expression& e) {
    const std::vector<int> named = model_.quantities_named(e.name);
    if (named.empty()) throw IllFormed(e.span, fmt::format("{} was never declared", e.name), "undeclared");
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
