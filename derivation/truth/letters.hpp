// The values that letters have, and the entries that arrays have for them.
#pragma once

#include <derivation/formula/model.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace derivation {

/// The values of all letters, counted from 0.
using Letters = std::vector<int>;

inline int& value_of(Letters& letters, int letter) { return letters[static_cast<std::size_t>(letter)]; }
inline int value_of(const Letters& letters, int letter) { return letters[static_cast<std::size_t>(letter)]; }

/// All letters at 0.
inline Letters first_letters(const Model& model) { return Letters(model.letters.size(), 0); }

/// The place of an entry in its array; none where an index is outside its range.
std::optional<std::size_t> place_of(const Model& model, const Expression& entry, const Letters& letters);

/// The letters of an array's definition at one of its entries.
Letters letters_of(const Model& model, const Quantity& quantity, std::size_t place);

/// The letters that a reduction runs over.
std::vector<int> bound_letters(const Expression& reduction);

/// The letters of a resolved formula that are not bound in it, nor among these.
std::vector<int> free_letters(const Expression& e, std::vector<int> bound = {});

/// The place of the entry that an inverse of n rows is taken at.
std::size_t place_in(const Expression& inverse, std::size_t n, const Letters& letters);

/// A letter as a number, as people count.
inline double number_of_letter(const Model& model, const Expression& e, const Letters& letters) {
    return value_of(letters, *e.letters[0].letter) + model.range_of(e.letters[0]).first;
}

/// Calls body() for every combination of values of the letters, the last one fastest, until it returns false. The
/// letters have their former values afterwards: one that is bound here may be free outside.
template <class Body>
bool for_each_entry(const Model& model, const std::vector<int>& free, Letters& letters, Body body) {
    std::vector<int> before;
    for (const int letter : free) before.push_back(std::exchange(value_of(letters, letter), 0));
    bool more = true;
    while (more && body()) {
        std::size_t i = free.size();
        for (; i > 0; --i) {
            int& value = value_of(letters, free[i - 1]);
            if (++value < model.range_of(free[i - 1]).size) break;
            value = 0;
        }
        more = i > 0;
    }
    for (std::size_t i = 0; i < free.size(); ++i) value_of(letters, free[i]) = before[i];
    return !more;
}

}  // namespace derivation
