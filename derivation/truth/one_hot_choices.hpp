// What rows of 0 and one 1 may be together: a formula that names some of their entries is judged at every choice of
// them.
#pragma once

#include <derivation/truth/point.hpp>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace derivation {

/// A row of a quantity.
using OneHotRow = std::pair<int, std::size_t>;
/// Where the 1 stands in some rows.
using OneHotChoice = std::map<OneHotRow, std::size_t>;

class Choices {
  public:
    /// Of the entries with a number as their class that stand in these formulas or in definitions behind them. Where
    /// the row is a number too, all that its entries and those of other such rows may be together; else that all rows
    /// are of the class, or of another one.
    Choices(const Model& model, const Variation& variation, const std::vector<const Expression*>& formulas);

    /// Those that no point shows; where there are very many, of the first of them.
    std::vector<OneHotChoice> missing(const std::vector<Point>& points) const;
    /// Whether the points show all, however many there are.
    bool are_all_shown(const std::vector<Point>& points) const;

  private:
    struct Row {
        std::vector<std::size_t> named;  ///< classes
        std::size_t classes;

        /// A class that is not named, where there is one.
        std::optional<std::size_t> other() const;
    };

    void look_for_rows(const Variation& variation, const Expression& e);
    bool is_shown(const OneHotChoice& choice, const Point& point) const;
    std::vector<OneHotChoice> together() const;
    bool are_very_many() const;

    const Model& model_;
    std::map<OneHotRow, Row> rows_;
    std::map<int, Row> all_rows_;  ///< of a quantity, where the row is a letter
};

}  // namespace derivation
