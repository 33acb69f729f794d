// The processes that mpirun started, as `nn::fit` takes them. Of MPI it is the interface for C.
#pragma once

#include <memory>
#include <nn/communicator.hpp>
#include <string>

namespace mpi {

/// All processes, from `MPI_Init` to `MPI_Finalize`: a program makes one, once.
///
///     mpi::World world;
///     try {
///         nn::fit(model, data, {.communicator = &world});
///     } catch (const std::exception& error) {
///         world.end(error.what());
///     }
///
/// Where an exception leaves its block, it ends all processes by `MPI_Abort`: they would wait for this one.
class World final : public nn::Communicator {
  public:
    World();
    ~World() override;
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    std::size_t rank() const override;
    std::size_t size() const override;
    void sum(std::span<float> numbers) override;
    void sum(std::span<double> numbers) override;

    /// Ends all processes with this exit code, and says the sentence, if it is not empty, on the standard error;
    /// unless another process has failed first and said its own.
    [[noreturn]] void end(const std::string& sentence, int exit_code = 1);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mpi
