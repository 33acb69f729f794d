// Walks over single numbers: back, for adjoints, and forwards, for the size of what may have cancelled in a value.
#pragma once

#include <autograd/tape.hpp>
#include <cstdint>
#include <derivation/truth/rounded.hpp>
#include <vector>

namespace derivation {

/// What is not 0 of a backward pass, by the number of its node.
struct Adjoints {
    std::vector<std::uint32_t> nodes;
    std::vector<double> values, scales;
    bool kinked = false;  ///< whether what was differentiated stood on a kink

    /// The adjoint of a node.
    Rounded at(const autograd::Variable<double>& node) const;
};

Adjoints walk_back(autograd::Tape<double>& tape, const autograd::Variable<double>& y);

/// How large the terms are that the values of a tape were made of (`Rounded`), by the number of their node: for the
/// nodes behind those that are known already.
void add_scales(const autograd::Tape<double>& tape, std::vector<double>& scales);

}  // namespace derivation
