// The truth: definitions recorded on the tape at random points, derivatives by walking back over it.
#pragma once

#include <derivation/truth/curve.hpp>
#include <derivation/truth/letters.hpp>
#include <derivation/truth/rounded.hpp>
#include <derivation/truth/variation.hpp>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace derivation {

/// One point: a value for everything that is given, and the recording of everything that is defined.
class Point {
  public:
    Point(const Model& model, const Variation& variation, std::vector<std::vector<double>> given,
          std::vector<Curve> curves);
    ~Point();
    Point(Point&&) noexcept;
    Point& operator=(Point&&) noexcept;

    double value(int quantity, std::size_t place) const;
    /// As large as the terms are that the value was made of (`Rounded`).
    double scale(int quantity, std::size_t place) const;
    const Curve& curve(int function) const;

    /// The derivative that e names, where the letters have these values; `kinked` is set where its formula stands on a
    /// kink.
    Rounded derivative(const Expression& e, const Letters& letters, bool& kinked);

    /// How much is recorded.
    std::size_t nodes() const;

    /// Whether every value is finite; whether a definition stands on a kink of relu, abs or max, and not always.
    bool is_finite() const;
    bool is_kinked() const;
    /// Whether terms cancel so much that derivatives have few digits: 1 - p where p is nearly 1.
    bool cancels() const;
    /// Whether a number is so large or small that a derivative's products leave the range of numbers: e^300, e^-300.
    bool is_extreme() const;
    /// The definitions in which one was hit.
    const std::set<int>& kinks() const;
    /// The definitions whose branches are one here, as those of min(x, max(0, x)): a kink for derivatives by lets
    /// alone.
    const std::set<int>& ties() const;

  private:
    struct Recording;
    std::unique_ptr<Recording> recording_;
};

}  // namespace derivation
