// bench [--threads=N] [--network=64-32-10,32]... [Google Benchmark's options]: deltarule beside hand-written C++,
// libtorch, and the matrix products alone. Repetitions of all benchmarks are shuffled, so that noise hits all sides
// alike. A network is its widths and the batch that it is trained on; given ones take the place of the usual four.
#include <malloc.h>

#include <autograd/config.hpp>
#include <bench/measurements.hpp>
#include <bench/steps/cases.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <tests/allocations.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace {

bool failed = false;

/// "64-32-10,32". Throws `std::invalid_argument` for anything else.
Network network_from(const std::string& text) {
    Network network;
    std::istringstream in(text);
    long number = 0;
    for (char separator = '-'; separator == '-' && in >> number && number > 0;) {
        network.widths.push_back(static_cast<std::size_t>(number));
        in >> separator;
        if (separator != ',' || network.widths.size() < 2 || !(in >> number && number > 0 && in.eof())) continue;
        network.batch = static_cast<std::size_t>(number);
        return network;
    }
    throw std::invalid_argument("--network=" + text + " is not two or more widths and a batch, as in 64-32-10,32");
}

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

std::size_t allocations_so_far() { return allocations; }

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
    std::vector<Network> networks;
    // The options that come last count.
    std::string defaults[] = {"--benchmark_repetitions=15", "--benchmark_min_time=0.01",
                              "--benchmark_enable_random_interleaving=true",
                              "--benchmark_display_aggregates_only=true"};
    std::vector<char*> arguments = {argv[0]};
    for (std::string& option : defaults) arguments.push_back(option.data());
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument.starts_with("--threads=")) {
            threads = std::atoi(argv[i] + 10);
        } else if (argument.starts_with("--network=")) {
            try {
                networks.push_back(network_from(argv[i] + 10));
            } catch (const std::invalid_argument& error) {
                std::cerr << error.what() << '\n';
                return 1;
            }
        } else {
            arguments.push_back(argv[i]);
        }
    }
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;

    benchmark::AddCustomContext("compiler", DELTARULE_BENCH_COMPILER);
    benchmark::AddCustomContext("simd", DELTARULE_SIMD);
    benchmark::AddCustomContext("blas", blas_version());
#ifdef DELTARULE_BENCH_TORCH
    benchmark::AddCustomContext("libtorch", torch_version());
#endif
    register_steps(std::move(networks), threads);
    register_operations();
    register_layers();
    register_growth();
    register_second_order();
    benchmark::RunSpecifiedBenchmarks();
    return failed ? 1 : 0;
}
