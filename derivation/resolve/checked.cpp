#include <fmt/format.h>

#include <derivation/resolve/checked.hpp>
#include <derivation/resolve/checker.hpp>
#include <derivation/resolve/lookup.hpp>
#include <utility>

namespace derivation {

namespace {

constexpr double most_work = 1e6;

double work_of_one(const Model& model, const Expression& e) {
    double inner = 1;
    for (const Expression& child : e.children) inner += work_of_one(model, child);
    if (e.kind == Kind::reduce)
        for (const IndexTerm& term : e.letters) inner *= model.range_of(term).size;
    // All entries of an inverse are found at once.
    if (e.kind == Kind::of_matrix) inner += model.range_of(e.letters[0]).size;
    return inner;
}

void limit_work(const Model& model, const Expression& e, const std::vector<int>& free) {
    if (work_of(model, e, free) > most_work)
        throw TooLarge(e.span, "this formula has too many terms: smaller sizes of the ranges show the same mistakes");
}

bool is_among(const std::vector<int>& letters, int one) { return std::ranges::find(letters, one) != letters.end(); }

bool have_same_ranges(const Model& model, const std::vector<int>& a, const std::vector<int>& b) {
    return std::ranges::equal(a, b, [&](int x, int y) { return model.letter(x).range == model.letter(y).range; });
}

/// The span of a use of the letter where it is not bound; else that of the whole.
Span span_of_free_use(const Expression& e, const std::string& letter) {
    const auto find = [&](auto& self, const Expression& x) -> std::optional<Span> {
        if (x.kind == Kind::reduce && std::ranges::find(x.letters, letter, &IndexTerm::name) != x.letters.end())
            return {};
        const auto uses = [&](const Index& index) {
            return std::ranges::find(index.terms, letter, &IndexTerm::name) != index.terms.end();
        };
        if ((x.kind == Kind::letter && x.name == letter) || std::ranges::any_of(x.indices, uses)) return x.span;
        for (const Expression& child : x.children)
            if (const std::optional<Span> found = self(self, child)) return found;
        return {};
    };
    return find(find, e).value_or(e.span);
}

void check_letters(const Model& model, const Expression& member, const std::vector<int>& free,
                   const std::vector<int>& of_first) {
    for (const int letter : free) {
        if (is_among(of_first, letter)) continue;
        const std::string& name = model.letter(letter).name;
        const Span span = span_of_free_use(member, name);
        if (binds_letter(member, name))
            throw IllFormed(span,
                            fmt::format("The letter {0} is summed in one place, but stands here outside that sum, and "
                                        "it is not free on the left side.",
                                        name),
                            "factor-outside-sum");
        throw IllFormed(span,
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

Checked check_line(Model& model, const std::vector<Expression>& members, std::size_t& at) {
    at = 0;
    Checked checked;
    checked.arrays = std::ranges::any_of(members, [&](const Expression& e) { return is_of_arrays(model, e); });
    Checker checker(model);
    if (checked.arrays) {
        Lowered first = checker.lower(members[0]);
        checker.check_size(first, members[0].span);
        checked.members.push_back(first.body);
        checked.free = first.axes;
        checked.row = first.row;
        checked.kept = first.kept;
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
    Expression result;
    // A number may be made of arrays whatever stood there before.
    const bool arrays = line.arrays || (line.free.empty() && is_of_arrays(model, member));
    if (!arrays) {
        result = normalized(checker.resolve(member));
        check_letters(model, member, checker.free, line.free);
    } else {
        Lowered lowered = checker.lower(member);
        checker.give_size(lowered, Lowered{{}, line.free});
        checker.check_size(lowered, member.span);
        const bool fits = have_same_ranges(model, lowered.axes, line.free);
        const bool is_turned = lowered.row != line.row && !lowered.kept && !line.kept;
        if (!lowered.axes.empty() && (!fits || is_turned)) {
            const Lowered first{{}, line.free, line.row};
            throw IllFormed(member.span,
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
    Checker checker(model, letters);
    Definition definition;
    if (!is_of_arrays(model, body)) {
        definition.body = normalized(checker.resolve(body));
        definition.letters = letters;
        for (const int letter : checker.free)
            if (!is_among(letters, letter)) {
                const std::string& name = model.letter(letter).name;
                throw IllFormed(span_of_free_use(body, name),
                                fmt::format("the letter {} is free here, but not on the left side", name),
                                "free-letter");
            }
    } else {
        Lowered lowered = checker.lower(body);
        checker.give_size(lowered, Lowered{{}, letters});
        checker.check_size(lowered, body.span);
        definition.body = lowered.body;
        if (!letters.empty()) {
            const bool fits = have_same_ranges(model, letters, lowered.axes);
            if (!fits && !lowered.axes.empty())
                throw IllFormed(body.span,
                                fmt::format("the right side is an array over {}, not over these letters",
                                            checker.shape_of(lowered)),
                                "shapes");
            for (std::size_t i = 0; i < lowered.axes.size(); ++i)
                checker.rename(definition.body, lowered.axes[i], letters[i]);
            definition.letters = letters;
        } else {
            if (!may_be_array && !lowered.axes.empty())
                throw IllFormed(body.span, "this is an array, where a number should stand", "shapes");
            definition.letters = lowered.axes;
            definition.keeps_axis = lowered.kept;
            definition.is_row = lowered.kept && lowered.row;
        }
    }
    limit_work(model, definition.body, definition.letters);
    return definition;
}

}  // namespace derivation
