// Training steps and inference.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bench/measurements.hpp>
#include <bench/steps/cases.hpp>
#include <cmath>

std::string Case::name() const {
    return fmt::format("{}, batch {}, {}, {}", fmt::join(widths, "-"), batch,
                       optimizer == "none" ? "inference" : optimizer, nn::to_string(activation));
}

namespace {

using MakeSide = std::unique_ptr<Side> (*)(const Case&);

/// What the first steps give: the losses, or the first logit.
std::vector<double> first_steps(MakeSide make, const Case& c) {
    const auto side = make(c);
    std::vector<double> results(5);
    for (double& result : results) result = side->step();
    return results;
}

/// One side of a case. It is made when it is first needed and stays for all repetitions: memory and caches are warm, as
/// in training.
class Contender {
  public:
    Contender(const Case& c, MakeSide make, MakeSide reference, double tolerance)
        : case_(c), make_(make), reference_(reference), tolerance_(tolerance) {}

    void run(benchmark::State& state, int threads) {
        use_threads(threads);
        if (side_ == nullptr) {
            if (reference_ != nullptr && !agrees()) return fail(state, "the sides disagree");
            side_ = make_(case_);
            side_->step();
        }
        side_->step();  // brings back what the others pushed out of the caches
        const std::size_t before = allocations_so_far();
        for (auto _ : state) benchmark::DoNotOptimize(side_->step());
        state.counters["allocations"] =
            benchmark::Counter(static_cast<double>(allocations_so_far() - before), benchmark::Counter::kAvgIterations);
    }

  private:
    bool agrees() const {
        const auto left = first_steps(reference_, case_), right = first_steps(make_, case_);
        for (std::size_t i = 0; i < left.size(); ++i)
            if (!(std::abs(left[i] - right[i]) <= tolerance_ * (1 + std::abs(left[i])))) return false;
        return true;
    }

    Case case_;
    MakeSide make_, reference_;
    double tolerance_;
    std::unique_ptr<Side> side_;
};

template <class T>
void register_case(const Case& c, std::span<const int> threads) {
    const double tolerance = sizeof(T) == 8 ? 1e-10 : 1e-4;
    const auto add = [&](const char* name, MakeSide make, MakeSide reference) {
        const auto contender = std::make_shared<Contender>(c, make, reference, tolerance);
        for (int n : threads)
            benchmark::RegisterBenchmark(
                fmt::format("step: {}, {}, {}/{}", c.name(), sizeof(T) == 8 ? "double" : "float",
                            n == 1 ? "1 thread" : fmt::format("{} threads", n), name)
                    .c_str(),
                [contender, n](benchmark::State& state) { contender->run(state, n); });
    };
    add("by hand", by_hand<T>, nullptr);
    add("deltarule", by_tape<T>, by_hand<T>);
    add("products alone", products_alone<T>, nullptr);
#ifdef DELTARULE_BENCH_TORCH
    add("libtorch", by_torch<T>, by_hand<T>);
#endif
}

}  // namespace

void register_steps(std::vector<Network> networks, int threads) {
    if (networks.empty())
        networks = {{{2, 3, 2}, 4}, {{64, 32, 10}, 32}, {{784, 128, 10}, 64}, {{784, 512, 512, 10}, 128}};
    const std::vector<int> both = {1, threads};
    for (const auto& [widths, batch] : networks) {
        // Small products are not worth two threads.
        const bool divides = threads > 1 && widths[0] * widths[1] * batch >= 1 << 22;
        const auto on = std::span(both).first(divides ? 2 : 1);
        for (const char* optimizer : {"sgd", "momentum", "adam"}) register_case<float>({widths, batch, optimizer}, on);
        register_case<float>({widths, batch, "sgd", nn::ActivationKind::tanh}, on);
        register_case<double>({widths, batch, "sgd"}, on);
        for (std::size_t n : {1, 256}) register_case<float>({widths, n, "none"}, on);
    }
}
