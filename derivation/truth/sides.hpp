// On which sides of kinks and brackets the points stand: of every relu, abs, max and comparison of some formulas.
#pragma once

#include <derivation/truth/point.hpp>
#include <optional>
#include <vector>

namespace derivation {

/// What is judged together: the members of a claim.
using Formulas = std::vector<const Expression*>;

/// A side that one entry of a kink or a bracket has not shown.
struct Missing {
    const Expression* formula;
    Letters letters;  ///< of the entry
    int sides;        ///< those that it has shown
    std::size_t kink, entry;

    bool is_equation() const;
    /// What must change its sign, or for an equation be 0: the difference of what is compared. None where more than two
    /// numbers are.
    std::optional<double> gap(const Model& model, Point& point) const;
    bool is_shown_by(double gap) const;
    bool is_nearer(double gap, double than) const;
};

class Sides {
  public:
    explicit Sides(const Model& model) : model_(model) {}

    /// Looks at the kinks of this formula too; it must stay where it is.
    void watch(const Expression& formula);
    void watch_definitions();
    /// Looks at the definitions that these formulas use, directly or through other definitions.
    void watch_definitions_behind(const Formulas& formulas);
    void watch_with_definitions(const Formulas& formulas);

    /// What a point shows that none before it did: nothing, a side of one more entry, a side of a whole kink.
    enum class News { nothing, of_an_entry, of_a_kink };
    News add(Point& point);

    /// Whether both sides of every kink were shown, for each of its entries.
    bool are_all_shown() const;
    /// What is not: of kinks that have shown one side only first.
    std::vector<Missing> missing() const;
    bool is_shown(const Missing& missing) const;
    /// The first entry of each kink and bracket but for equations, as something that may change its side.
    std::vector<Missing> edges() const;
    /// The sides that some entry of each kink showed.
    std::vector<int> shown() const;
    /// The formulas with a kink of which no entry showed the other side.
    std::vector<const Expression*> one_sided() const;

  private:
    struct Kink {
        const Expression* formula;
        std::vector<int> letters;  ///< its entries are those of these
        std::vector<int> sides;    ///< of each entry

        int of_all() const {
            int all = 0;
            for (const int one : sides) all |= one;
            return all;
        }
    };

    const Model& model_;
    std::vector<Kink> kinks_;
};

}  // namespace derivation
