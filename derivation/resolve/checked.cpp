#include <fmt/format.h>

#include <algorithm>
#include <derivation/resolve/checked.hpp>
#include <derivation/resolve/checker.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <optional>
#include <utility>

namespace derivation {

namespace {

constexpr double most_work = 1e6;

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
