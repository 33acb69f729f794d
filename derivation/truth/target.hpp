// Whether two formulas are equal at every point.
#pragma once

#include <derivation/truth/evaluator.hpp>
#include <optional>
#include <string>
#include <vector>

namespace derivation {

struct Outcome {
    bool equal = false;
    bool decided = false;  ///< at some point both sides have values, and not only where a kink was hit
    bool all_zero = false;
    bool kinked = false;
    bool has_gaps = false;  ///< at some point the left side has a value, and the right one has none
    // The worst entry.
    double left = 0, right = 0;
    Letters letters;
};

/// A left side with its values at all points, against which many right sides are held.
class Target {
  public:
    Target(const Model& model, std::vector<Point>& points, Expression left, std::vector<int> free);

    Outcome compare(const Expression& right);
    /// The same answer, and nothing else.
    bool holds(const Expression& right);
    /// Where they are not equal by more than rounding may leave of numbers far out.
    std::optional<Outcome> departure(const Expression& right);
    /// The same answer as `compare` for local factors of a chain rule, which are marked (`make_local`); says what is
    /// held fixed.
    bool holds_locally(Expression& right, std::vector<std::string>& said);
    bool is_zero() const;
    /// In which part of the points where both sides have values, and are not both 0, they are equal; none where there
    /// is no such point.
    std::optional<double> share_of_equal_points(const Expression& right);

    const Expression& left() const { return left_; }
    const std::vector<int>& free() const { return free_; }
    std::vector<Point>& points() { return points_; }

  private:
    struct Side {
        std::vector<double> values;
        double scale = 0;
        bool usable = true;
        bool kinked = false;
    };
    bool is_void(const Letters& letters) const;
    Side evaluate(const Expression& e, Point& point, const Side* other);

    const Model& model_;
    std::vector<Point>& points_;
    Expression left_;
    std::vector<int> free_;
    std::vector<Side> sides_;
};

}  // namespace derivation
