// Processes that train one network together: each takes its rows of every batch, and gradients are summed.
#pragma once

#include <cstddef>
#include <span>

namespace nn {

/// The processes of a training, each of which calls the same functions in the same order. This one stands for a process
/// that is alone; `mpi::World` (mpi/world.hpp) for those that mpirun started.
class Communicator {
  public:
    virtual ~Communicator() = default;

    /// Which of them this is, from 0.
    virtual std::size_t rank() const { return 0; }
    virtual std::size_t size() const { return 1; }

    /// Each number becomes the sum of those in its place in all processes, with the same bits in each. It waits for the
    /// others, and all have to give as many.
    virtual void sum(std::span<float>) {}
    virtual void sum(std::span<double>) {}
};

}  // namespace nn
