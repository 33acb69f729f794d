// On which sides of kinks and brackets the points stand: of every relu, abs, max and comparison of some formulas.
#pragma once

#include <derivation/truth/point.hpp>
#include <string>
#include <vector>

namespace derivation {

class Sides {
  public:
    explicit Sides(const Model& model) : model_(model) {}

    /// Looks at the kinks of this formula too; it must stay where it is.
    void watch(const Expression& formula);
    void watch_definitions();

    /// What a point shows that none before it did: nothing, a side of one more entry, a side of a whole kink.
    enum class News { nothing, of_an_entry, of_a_kink };
    News add(Point& point);

    /// Whether both sides of every kink were shown, for each of its entries.
    bool are_all_shown() const;
    /// The sides that some entry of each kink showed.
    std::vector<int> shown() const;
    /// The formulas with a kink of which no entry showed the other side.
    std::vector<const Expression*> one_sided() const;

  private:
    struct Kink {
        const Expression* formula;
        std::vector<int> letters;  ///< its entries are those of these
        std::vector<int> sides;    ///< of each entry
    };

    const Model& model_;
    std::vector<Kink> kinks_;
};

}  // namespace derivation
