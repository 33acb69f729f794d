// A Hessian times a vector beside a gradient: time, and memory on a new tape.
#include <fmt/ranges.h>

#include <autograd/grad.hpp>
#include <autograd/operations.hpp>
#include <autograd/tape.hpp>
#include <bench/measurements.hpp>
#include <bench/steps/cases.hpp>

namespace {

class SecondOrder {
  public:
    explicit SecondOrder(const Case& c) : problem_(c) {
        for (const auto& parameter : problem_.network.parameters()) directions_.push_back(parameter.value());
    }

    void gradient() { benchmark::DoNotOptimize(tape_.backward(record())); }
    void product() {
        const auto loss = record();
        std::vector<autograd::Variable<float>> weights;
        for (const auto& parameter : problem_.network.parameters()) weights.push_back(tape_.watch(parameter));
        benchmark::DoNotOptimize(autograd::hvp(loss, weights, directions_));
    }

  private:
    autograd::Variable<float> record() {
        tape_.rewind();
        return softmax_cross_entropy(problem_.network(tape_.constant(problem_.x)), problem_.labels);
    }

    Problem<float> problem_;
    std::vector<autograd::Array<float>> directions_;
    autograd::Tape<float> tape_;
};

void measure(benchmark::State& state, const Case& c, void (SecondOrder::*run)()) {
    use_threads(1);
    SecondOrder side(c);
    const double before = bytes_in_use();
    for (int i = 0; i < 2; ++i) (side.*run)();
    state.counters["bytes"] = bytes_in_use() - before;
    for (auto _ : state) (side.*run)();
}

}  // namespace

void register_second_order() {
    constexpr auto tanh = nn::ActivationKind::tanh;
    for (const Case& c : {Case{{2, 3, 2}, 4, "", tanh}, Case{{64, 32, 10}, 32, "", tanh},
                          Case{{784, 128, 10}, 64, "", tanh}, Case{{784, 512, 512, 10}, 128, "", tanh}}) {
        const std::string name = fmt::format("hvp: {}, batch {}, tanh", fmt::join(c.widths, "-"), c.batch);
        benchmark::RegisterBenchmark((name + "/deltarule").c_str(),
                                     [c](benchmark::State& state) { measure(state, c, &SecondOrder::product); });
        benchmark::RegisterBenchmark((name + "/gradient").c_str(),
                                     [c](benchmark::State& state) { measure(state, c, &SecondOrder::gradient); });
    }
}
