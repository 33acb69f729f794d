// What tells one training from another.
#pragma once

#include <cstdint>
#include <nn/checkpoint.hpp>
#include <vector>

namespace nn::train {

/// CRC-32 of all that a checkpoint would hold.
template <class T>
std::uint32_t checkpoint_checksum(const TrainingPlace& place, const std::vector<autograd::Parameter<T>>& parameters,
                                  const Optimizer<T>& optimizer);

}  // namespace nn::train
