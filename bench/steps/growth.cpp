// What a tape costs by its length: time and bytes per node, and the memory of a training step.
#include <fmt/format.h>

#include <autograd/operations.hpp>
#include <autograd/tape.hpp>
#include <bench/measurements.hpp>
#include <bench/steps/cases.hpp>

namespace {

using autograd::Array;

/// A chain: each node needs the one before.
class Chain {
  public:
    Chain(std::size_t nodes, std::size_t elements)
        : nodes_(nodes),
          factor_("factor", constant(elements, 1)),
          step_("step", constant(elements, 1e-3f)),
          seed_(constant(elements, 1)) {}

    void record() {
        tape_.rewind();
        const auto factor = tape_.watch(factor_), step = tape_.watch(step_);
        z_ = factor;
        for (std::size_t i = 2; i < nodes_; ++i) z_ = i % 2 == 0 ? z_ * factor : z_ + step;
    }
    autograd::Gradients<float> backward() { return tape_.backward(z_, seed_); }

  private:
    static Array<float> constant(std::size_t elements, float value) {
        Array<float> array = Array<float>::from_shape({elements});
        array.fill(value);
        return array;
    }

    std::size_t nodes_;
    autograd::Parameter<float> factor_, step_;
    Array<float> seed_;
    autograd::Tape<float> tape_;
    autograd::Variable<float> z_;
};

/// The bytes of one node on a new tape, beside the numbers of its value.
double bytes_per_node(std::size_t nodes, std::size_t elements, bool and_backward) {
    Chain chain(nodes, elements);
    const double before = bytes_in_use();
    chain.record();
    if (and_backward) chain.backward();
    const double numbers = static_cast<double>((nodes - 2) * elements * sizeof(float));
    return (bytes_in_use() - before - numbers) / static_cast<double>(nodes);
}

void time_chain(benchmark::State& state, std::size_t nodes, std::size_t elements, bool backward) {
    use_threads(1);
    const double bytes = bytes_per_node(nodes, elements, backward);
    Chain chain(nodes, elements);
    chain.record();
    chain.backward();
    for (auto _ : state) {
        if (backward)
            benchmark::DoNotOptimize(chain.backward());
        else
            chain.record();
    }
    state.counters["bytes per node"] = bytes;
}

/// The memory that a training step holds, beside the rows and the labels that it is given.
void measure_step(benchmark::State& state) {
    const Case c{{784, 512, 512, 10}, 128, "sgd"};
    use_threads(1);
    const double given = static_cast<double>(c.batch * (c.widths.front() * sizeof(float) + sizeof(std::int64_t)));
    const double before = bytes_in_use();
    const auto side = by_tape<float>(c);
    for (int i = 0; i < 3; ++i) side->step();
    // From the second step on nothing is allocated or freed: what is held now is the peak.
    const double held = bytes_in_use() - before - given;
    for (auto _ : state) side->step();

    // By hand: the parameters, their gradients, each layer's result, and two layers' deltas at a time.
    std::size_t parameters = 0, results = 0, widest = 0;
    for (std::size_t l = 1; l < c.widths.size(); ++l) {
        parameters += (c.widths[l - 1] + 1) * c.widths[l];
        results += c.batch * c.widths[l];
        widest = std::max(widest, c.batch * c.widths[l]);
    }
    state.counters["bytes"] = held;
    state.counters["bytes by hand"] = static_cast<double>((2 * parameters + results + 2 * widest) * sizeof(float));
}

}  // namespace

void register_growth() {
    for (const auto& [nodes, length] : {std::pair(100, "1e2"), std::pair(1'000, "1e3"), std::pair(10'000, "1e4"),
                                        std::pair(100'000, "1e5"), std::pair(1'000'000, "1e6")})
        for (std::size_t elements : {1, 100})
            for (bool backward : {false, true})
                benchmark::RegisterBenchmark(
                    fmt::format("growth: {} nodes of {}, {}/deltarule", length,
                                elements == 1 ? "1 element" : "100 elements", backward ? "backward" : "forward")
                        .c_str(),
                    [nodes = static_cast<std::size_t>(nodes), elements, backward](benchmark::State& state) {
                        time_chain(state, nodes, elements, backward);
                    });
    benchmark::RegisterBenchmark("growth: memory of a step of 784-512-512-10, batch 128/deltarule", measure_step);
}
