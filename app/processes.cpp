#include "processes.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "commands.hpp"
#ifdef DELTARULE_HAS_MPI
#include <memory>
#include <mpi/world.hpp>
#endif

namespace {

/// How many processes mpirun, mpiexec or srun started: their variables say it before MPI does.
std::size_t started() {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"})
        if (const char* text = std::getenv(name)) return std::strtoul(text, nullptr, 10);
    return 1;
}

#ifdef DELTARULE_HAS_MPI
std::unique_ptr<mpi::World> world;

nn::Communicator& join(std::size_t count) {
    if (!world) {
        world = std::make_unique<mpi::World>();
        if (world->rank() > 0 && std::freopen("/dev/null", "w", stdout) == nullptr)
            throw std::runtime_error("[train] /dev/null cannot be opened");
    }
    if (world->size() != count)
        throw std::runtime_error(fmt::format(
            "[train] {} processes were started, and MPI knows {}: the MPI that the program was built with is "
            "not that which started it",
            count, world->size()));
    return *world;
}
#else
[[noreturn]] nn::Communicator& join(std::size_t count) {
    throw std::runtime_error(
        fmt::format("[train] {} processes were started, and each would train alone and write the same files: this "
                    "program was built without MPI (-DDELTARULE_MPI=ON)",
                    count));
}
#endif

}  // namespace

nn::Communicator& processes() {
    static nn::Communicator alone;
    const std::size_t count = started();
    return count > 1 ? join(count) : alone;
}

int end_in_error(const std::string& text, int exit_code) {
#ifdef DELTARULE_HAS_MPI
    if (world) world->end(text, exit_code);
#endif
    say_error(text);
    return exit_code;
}

void leave_processes() {
#ifdef DELTARULE_HAS_MPI
    world.reset();
#endif
}
