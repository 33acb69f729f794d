// The lines that were found wrong: what stands below one may follow from it.
#pragma once

#include <derivation/judge/varied_points.hpp>
#include <derivation/read/reader.hpp>
#include <optional>
#include <vector>

namespace derivation {

class WrongLines {
  public:
    explicit WrongLines(const Model& model) : model_(model) {}

    /// A line took its left side for this member.
    void add(std::size_t line, const Expression& left, const Expression& member);
    /// A right line says what the left side is: nothing follows from a wrong one about it any more.
    void set_right(const Expression& left);

    /// The last wrong line with which this line would be right.
    std::optional<std::size_t> that_implies(const Line& line, VariedPoints& varied, std::vector<Point>& plain,
                                            const Expression& left, const Expression& right) const;

  private:
    struct Mistaken {
        std::size_t line;
        Expression left, member;
    };
    Variation assuming(const Mistaken& mistaken) const;

    const Model& model_;
    std::vector<Mistaken> mistaken_;
};

}  // namespace derivation
