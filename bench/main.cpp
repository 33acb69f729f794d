// bench [--threads=N] [Google Benchmark's options]: deltarule beside hand-written C++, libtorch, and the matrix
// products alone. Repetitions of all benchmarks are shuffled, so that noise hits all sides alike.
#include <malloc.h>

#include <autograd/config.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "measurements.hpp"

namespace {

bool failed = false;

}  // namespace

void use_threads(int threads) {
    static int last = 1;
    // Threads that wait for work spin before they sleep, OpenBLAS' for some 20 ms.
    if (last > 1) std::this_thread::sleep_for(std::chrono::milliseconds(30));
    last = threads;
    set_threads(threads);
#ifdef DELTARULE_BENCH_TORCH
    set_torch_threads(threads);
#endif
}

double bytes_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
}

void fail(benchmark::State& state, const std::string& message) {
    failed = true;
    state.SkipWithError(message.c_str());
}

int main(int argc, char** argv) {
    int threads = 1;
    // The options that come last count.
    std::string defaults[] = {"--benchmark_repetitions=15", "--benchmark_min_time=0.01",
                              "--benchmark_enable_random_interleaving=true",
                              "--benchmark_display_aggregates_only=true"};
    std::vector<char*> arguments = {argv[0]};
    for (std::string& option : defaults) arguments.push_back(option.data());
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], "--threads=", 10) == 0)
            threads = std::atoi(argv[i] + 10);
        else
            arguments.push_back(argv[i]);
    }
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;

    benchmark::AddCustomContext("compiler", DELTARULE_BENCH_COMPILER);
    benchmark::AddCustomContext("simd", DELTARULE_SIMD_NAME);
    benchmark::AddCustomContext("blas", blas_version());
#ifdef DELTARULE_BENCH_TORCH
    benchmark::AddCustomContext("libtorch", torch_version());
#endif
    register_steps(threads);
    register_operations();
    register_growth();
    register_second_order();
    benchmark::RunSpecifiedBenchmarks();
    return failed ? 1 : 0;
}
