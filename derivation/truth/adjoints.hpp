// A backward pass over single numbers, kept with the size of what may have cancelled in it.
#pragma once

#include <autograd/tape.hpp>
#include <cstdint>
#include <vector>

namespace derivation {

/// What is not 0 of a backward pass, by the number of its node.
struct Adjoints {
    std::vector<std::uint32_t> nodes;
    std::vector<double> values, scales;

    /// The adjoint of a node. `scale` grows to the largest of the terms that make it up, and those behind it: sums that
    /// cancel are judged by these.
    double at(const autograd::Variable<double>& node, double& scale) const;
};

Adjoints walk_back(autograd::Tape<double>& tape, const autograd::Variable<double>& y);

}  // namespace derivation
