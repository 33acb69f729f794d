// The true step of an update: what w := w - alpha dL/dw comes to.
#pragma once

#include <derivation/read/reader.hpp>
#include <derivation/truth/point.hpp>
#include <optional>
#include <vector>

namespace derivation {

/// The rate of an update: the number of a constant, or itself a number.
struct Rate {
    std::optional<int> constant;
    double number = 0;
};

/// dL/dw
Expression gradient_of(const Model& model, const Line& update);

Expression true_step(const Model& model, const Line& update, const Rate& rate);

/// The rate that makes the update a step of descent, or where none does the one that is meant.
Rate rate_of(const Model& model, std::vector<Point>& points, const Line& update);

}  // namespace derivation
