#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mpi/world.hpp>

namespace mpi {

struct World::State {
    int rank = 0, size = 1;
    int* failures = nullptr;  // the first process counts those that fail
    MPI_Win window = MPI_WIN_NULL;
};

World::World() : state_(std::make_unique<State>()) {
    MPI_Init(nullptr, nullptr);
    MPI_Comm_rank(MPI_COMM_WORLD, &state_->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &state_->size);
    MPI_Win_allocate(sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &state_->failures, &state_->window);
    *state_->failures = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, state_->window);
}

World::~World() {
    if (std::uncaught_exceptions() > 0) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Win_unlock_all(state_->window);
    MPI_Win_free(&state_->window);
    MPI_Finalize();
}

std::size_t World::rank() const { return static_cast<std::size_t>(state_->rank); }
std::size_t World::size() const { return static_cast<std::size_t>(state_->size); }

namespace {

/// MPI counts by int.
template <class T>
void sum_in_parts(std::span<T> numbers, MPI_Datatype type) {
    constexpr std::size_t most = std::size_t{1} << 30;
    for (; !numbers.empty(); numbers = numbers.subspan(std::min(most, numbers.size())))
        MPI_Allreduce(MPI_IN_PLACE, numbers.data(), static_cast<int>(std::min(most, numbers.size())), type, MPI_SUM,
                      MPI_COMM_WORLD);
}

}  // namespace

void World::sum(std::span<float> numbers) { sum_in_parts(numbers, MPI_FLOAT); }
void World::sum(std::span<double> numbers) { sum_in_parts(numbers, MPI_DOUBLE); }

void World::end(const std::string& sentence, int exit_code) {
    const int one = 1;
    int before = 0;
    MPI_Fetch_and_op(&one, &before, MPI_INT, 0, 0, MPI_SUM, state_->window);
    MPI_Win_flush(0, state_->window);
    // Who was not the first to fail waits to be ended: nothing is ever sent to it.
    if (before > 0) MPI_Recv(&before, 1, MPI_INT, 0, 0, MPI_COMM_SELF, MPI_STATUS_IGNORE);
    if (!sentence.empty()) std::fprintf(stderr, "%s%s", sentence.c_str(), sentence.ends_with('\n') ? "" : "\n");
    std::fflush(stderr);
    if (state_->size == 1) std::_Exit(exit_code);  // without what mpirun has to say about the others
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::abort();
}

}  // namespace mpi
