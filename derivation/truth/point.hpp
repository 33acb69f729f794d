// The truth: definitions recorded on the tape at random points, derivatives by walking back over it.
#pragma once

#include <cstdint>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/model.hpp>
#include <map>
#include <memory>
#include <vector>

namespace derivation {

/// A derivative that is taken to be something else: what an earlier, wrong line says.
struct Assumption {
    Expression derivative;  ///< resolved, of entries with letters
    Expression value;
};

/// What differs from the model as it was declared.
struct Variation {
    std::map<int, std::string> functions;  ///< their definitions
    std::map<int, Domain> domains;
    std::map<int, Expression> definitions;
    std::vector<Assumption> assumptions;

    bool empty() const { return functions.empty() && domains.empty() && definitions.empty() && assumptions.empty(); }
};

/// The values of all letters, counted from 0.
using Letters = std::vector<int>;

/// One point: a value for everything that is given, and the recording of everything that is defined.
class Point {
  public:
    Point(const Model& model, const Variation& variation, std::vector<std::vector<double>> given,
          std::vector<Curve> curves);
    ~Point();
    Point(Point&&) noexcept;
    Point& operator=(Point&&) noexcept;

    double value(int quantity, std::size_t entry) const;
    /// The largest term that was added up on the way to the value.
    double scale(int quantity, std::size_t entry) const;
    const Curve& curve(int function) const;

    /// The derivative that e names, where the letters have these values. `scale` grows to the largest term in it.
    double derivative(const Expression& e, const Letters& letters, double& scale);

    /// How much is recorded.
    std::size_t nodes() const;

    /// Whether a value is not finite; whether a kink of relu, abs or max was hit.
    bool is_finite() const;
    bool is_kinked() const;
    /// Which sides of kinks it shows: for every place in the definitions 1, 2, or 3 for both.
    const std::map<const Expression*, int>& sides() const;

  private:
    class Recording;
    std::unique_ptr<Recording> recording_;
};

/// Random points: at least `count`, and more where these do not show every class and both sides of every kink. None
/// where the definitions have no value anywhere.
/// `all_positive` keeps to the positive ones among them, where logarithms and roots have values.
std::vector<Point> draw_points(const Model& model, const Variation& variation, std::uint64_t seed, std::size_t count,
                               bool all_positive = false);

/// The point of a worked example; what has no number there is drawn.
Point worked_point(const Model& model, std::uint64_t seed);

/// The place of an entry in its array, or -1 where an index is outside its range.
std::ptrdiff_t place_of(const Model& model, const Expression& entry, const Letters& letters);

/// The curve of a function that the language defines.
const Curve& elementary_curve(const std::string& name);

}  // namespace derivation
