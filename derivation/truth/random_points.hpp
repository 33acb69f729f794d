// Points drawn at random, on both sides of every kink, and the point of a worked example.
#pragma once

#include <cstdint>
#include <derivation/truth/sides.hpp>
#include <vector>

namespace derivation {

/// Random points: at least `count`, and more, further apart, until they show both sides of every kink and bracket of
/// the `claims` and of the definitions behind them (none: of all), or no new point does, and what the one-hot entries
/// of a claim may be together. None where the definitions have no value anywhere. `all_positive` keeps to the positive
/// ones among them, where logarithms and roots have values.
std::vector<Point> draw_points(const Model& model, const Variation& variation, std::uint64_t seed, std::size_t count,
                               bool all_positive = false, const std::vector<Formulas>& claims = {});

/// Up to so many points near 0 and far out, whatever they show.
std::vector<Point> scattered_points(const Model& model, const Variation& variation, std::uint64_t seed,
                                    std::size_t count);

/// The point of a worked example; what has no number there is drawn.
Point worked_point(const Model& model, std::uint64_t seed);

/// What is given there, by the number of the quantity.
std::vector<std::vector<double>> worked_numbers(const Model& model, std::uint64_t seed, bool all_positive = false);

}  // namespace derivation
