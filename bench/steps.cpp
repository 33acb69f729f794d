// bench_steps [--threads=N] [Google Benchmark's options]: training steps and inference, deltarule beside hand-written
// C++, libtorch and the matrix products alone. Repetitions of all sides are shuffled, so that noise hits all alike.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "../tests/allocations.hpp"
#include "cases.hpp"
#include "report.hpp"

std::string Case::name() const {
    return fmt::format("{}, batch {}, {}, {}", fmt::join(widths, "-"), batch,
                       optimizer == "none" ? "inference" : optimizer, nn::to_string(activation));
}

namespace {

std::vector<std::string> case_names;

using MakeSide = std::unique_ptr<Side> (*)(const Case&);

void add(const std::string& name, MakeSide make, const Case& c) {
    // One side for all repetitions: memory and caches are warm, as in training.
    std::shared_ptr<Side> side = make(c);
    side->step();
    benchmark::RegisterBenchmark(name.c_str(), [side](benchmark::State& state) {
        for (auto _ : state) benchmark::DoNotOptimize(side->step());
    });
}

std::size_t allocations_after_the_first_step(const Case& c) {
    const auto side = by_tape<float>(c);
    side->step();
    const std::size_t before = allocations;
    for (int i = 0; i < 100; ++i) side->step();
    return allocations - before;
}

/// Sides that disagree measure nothing.
void compare(const Case& c, MakeSide left, MakeSide right, double tolerance) {
    const auto a = left(c), b = right(c);
    for (int i = 0; i < 5; ++i) {
        const double x = a->step(), y = b->step();
        if (std::abs(x - y) > tolerance * (1 + std::abs(x))) {
            fmt::print(stderr, "{}: the sides give {} and {}\n", c.name(), x, y);
            std::exit(1);
        }
    }
}

template <class T>
void add_all(const Case& c) {
    const std::string name = c.name() + (sizeof(T) == 8 ? ", double" : "");
    case_names.push_back(name);
    compare(c, by_hand<T>, by_tape<T>, sizeof(T) == 8 ? 1e-10 : 1e-4);
    add(name + "/by hand", by_hand<T>, c);
    add(name + "/deltarule", by_tape<T>, c);
    add(name + "/products alone", products_alone<T>, c);
#ifdef DELTARULE_BENCH_TORCH
    compare(c, by_hand<T>, by_torch<T>, sizeof(T) == 8 ? 1e-10 : 1e-4);
    add(name + "/libtorch", by_torch<T>, c);
#endif
}

}  // namespace

int main(int argc, char** argv) {
    int threads = 1;
    std::string repetitions = "--benchmark_repetitions=15", least_time = "--benchmark_min_time=0.01",
                interleaving = "--benchmark_enable_random_interleaving=true";
    std::vector<char*> arguments = {argv[0], repetitions.data(), least_time.data(), interleaving.data()};
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], "--threads=", 10) == 0)
            threads = std::atoi(argv[i] + 10);
        else
            arguments.push_back(argv[i]);
    }
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;

    set_threads(threads);
#ifdef DELTARULE_BENCH_TORCH
    set_torch_threads(threads);
#endif
    const std::vector<std::size_t> tiny = {2, 3, 2}, small = {64, 32, 10}, middle = {784, 128, 10},
                                   large = {784, 512, 512, 10};
    for (const auto& [widths, batch] :
         {std::pair(tiny, 4), std::pair(small, 32), std::pair(middle, 64), std::pair(large, 128)}) {
        const auto rows = static_cast<std::size_t>(batch);
        for (const char* optimizer : {"sgd", "momentum", "adam"}) add_all<float>({widths, rows, optimizer});
        add_all<float>({widths, rows, "sgd", nn::ActivationKind::tanh});
        add_all<double>({widths, rows, "sgd"});
        for (std::size_t n : {1, 256}) add_all<float>({widths, n, "none"});
    }
    Report report({"by hand", "deltarule", "products alone",
#ifdef DELTARULE_BENCH_TORCH
                   "libtorch"
#endif
                  },
                  case_names);
    benchmark::RunSpecifiedBenchmarks(&report);
    fmt::print("{}\nAllocations in 100 steps after the first: {} (784-128-10, sgd), {} (784-128-10, adam).\n",
               report.markdown(), allocations_after_the_first_step({middle, 64, "sgd"}),
               allocations_after_the_first_step({middle, 64, "adam"}));
    return 0;
}
