// The value of a checked formula at a point, as plain numbers.
#pragma once

#include <derivation/truth/point.hpp>
#include <utility>
#include <vector>

namespace derivation {

class Evaluator {
  public:
    Evaluator(const Model& model, Point& point) : letters(model.letters.size(), 0), model_(model), point_(point) {}

    double operator()(const Expression& e);

    Letters letters;
    double scale = 0;     ///< the largest term added up so far
    bool kinked = false;  ///< whether relu, abs, max or a comparison stood at its edge

  private:
    double reduce(const Expression& e);
    double call(const Expression& e);
    double compare(const Expression& e);

    const Model& model_;
    Point& point_;
};

/// Calls body() for every combination of values of the letters, the last one fastest, until it returns false. The
/// letters have their former values afterwards: one that is bound here may be free outside.
template <class Body>
bool for_each_entry(const Model& model, const std::vector<int>& free, Letters& letters, Body body) {
    std::vector<int> before;
    for (const int letter : free) before.push_back(std::exchange(letters[static_cast<std::size_t>(letter)], 0));
    bool more = true;
    while (more && body()) {
        std::size_t i = free.size();
        for (; i > 0; --i) {
            int& value = letters[static_cast<std::size_t>(free[i - 1])];
            if (++value < model.range_of(free[i - 1]).size) break;
            value = 0;
        }
        more = i > 0;
    }
    for (std::size_t i = 0; i < free.size(); ++i) letters[static_cast<std::size_t>(free[i])] = before[i];
    return !more;
}

}  // namespace derivation
