// Points are moved to the side of a kink or a bracket that none drawn at random shows: it may be very narrow.
#pragma once

#include <cstdint>
#include <derivation/truth/sides.hpp>
#include <vector>

namespace derivation {

/// Adds points that show what the others do not, as long as `points` has fewer than `most`. What no small move, and no
/// equating of two numbers, leads to is not shown.
void add_moved_points(const Model& model, const Variation& variation, std::uint64_t seed, Sides& sides,
                      std::vector<Point>& points, std::size_t most);

/// Points just before and just behind these edges of kinks and brackets, the first dozen, where some of `points` stand
/// on either side: of two thresholds that lie close together no other point may tell which is right.
std::vector<Point> points_at_edges(const Model& model, const Variation& variation, const std::vector<Missing>& edges,
                                   const std::vector<Point*>& points);

}  // namespace derivation
