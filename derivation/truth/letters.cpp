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

std::vector<int> bound_letters(const Expression& reduction) {
    std::vector<int> bound;
    for (const IndexTerm& term : reduction.letters) bound.push_back(*term.letter);
    return bound;
}

}  // namespace derivation
