#include <derivation/truth/letters.hpp>

namespace derivation {

std::optional<std::size_t> place_of(const Model& model, const Expression& entry, const Letters& letters) {
    const Quantity& quantity = model.quantity(entry);
    std::size_t place = 0;
    for (std::size_t axis = 0; axis < entry.indices.size(); ++axis) {
        const Index& index = entry.indices[axis];
        int at = index.offset;
        for (const IndexTerm& term : index.terms) at += term.sign * value_of(letters, *term.letter);
        const int size = model.range(quantity.ranges[axis]).size;
        if (at < 0 || at >= size) return {};
        place = place * static_cast<std::size_t>(size) + static_cast<std::size_t>(at);
    }
    return place;
}

Letters letters_of(const Model& model, const Quantity& quantity, std::size_t place) {
    Letters letters = first_letters(model);
    for (std::size_t axis = quantity.ranges.size(); axis-- > 0;) {
        const auto size = static_cast<std::size_t>(model.range(quantity.ranges[axis]).size);
        value_of(letters, quantity.letters[axis]) = static_cast<int>(place % size);
        place /= size;
    }
    return letters;
}

namespace {

void add_free_letters(const Expression& e, std::vector<int>& bound, std::vector<int>& free) {
    const std::size_t before = bound.size();
    if (e.kind == Kind::reduce || e.kind == Kind::of_matrix)
        for (const IndexTerm& term : e.letters) bound.push_back(*term.letter);
    const auto add = [&](const IndexTerm& term) {
        if (std::ranges::find(bound, *term.letter) == bound.end() &&
            std::ranges::find(free, *term.letter) == free.end())
            free.push_back(*term.letter);
    };
    for (const Index& index : e.indices) std::ranges::for_each(index.terms, add);
    if (e.kind == Kind::letter) std::ranges::for_each(e.letters, add);
    for (const Expression& child : e.children) add_free_letters(child, bound, free);
    bound.resize(before);
}

}  // namespace

std::vector<int> free_letters(const Expression& e, std::vector<int> bound) {
    std::vector<int> free;
    add_free_letters(e, bound, free);
    return free;
}

std::size_t place_in(const Expression& inverse, std::size_t n, const Letters& letters) {
    const auto at = [&](const Index& index) {
        int value = index.offset;
        for (const IndexTerm& term : index.terms) value += term.sign * value_of(letters, *term.letter);
        return static_cast<std::size_t>(value);
    };
    return at(inverse.indices[0]) * n + at(inverse.indices[1]);
}

std::vector<int> bound_letters(const Expression& reduction) {
    std::vector<int> bound;
    for (const IndexTerm& term : reduction.letters) bound.push_back(*term.letter);
    return bound;
}

}  // namespace derivation
