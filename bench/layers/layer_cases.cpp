// Times each layer and network: the tape, and libtorch.
#include <fmt/format.h>

#include <algorithm>
#include <autograd/tape.hpp>
#include <bench/layers/layer_cases.hpp>
#include <bench/measurements.hpp>
#include <cmath>
#include <nn/initializers.hpp>
#include <optional>

LayerProblem::LayerProblem(const LayerCase& c) : what(c) {
    std::mt19937_64 engine(1);
    const auto fill = [&](auto& array, double scale) {
        for (float& value : array) value += static_cast<float>(scale * nn::normal(engine));
    };
    const auto choose = [&](const autograd::Shape& shape, std::size_t count) {
        autograd::Indices indices(shape);
        for (auto& index : indices) index = static_cast<std::int64_t>(engine() % count);
        return indices;
    };
    model = model_of_case(what, engine);
    for (auto parameter : model.parameters)  // so that biases are not all 0
        if (!parameter.is_buffer()) parameter.edit([&](autograd::Array<float>& value) { fill(value, 0.01); });
    x = autograd::Array<float>(what.x, 0.f);
    fill(x, 1);
    if (what.words > 0) words = choose(what.x, what.words);
    autograd::Tape<float> tape;
    seed = autograd::Array<float>(model.f(tape.constant(x), words).shape(), 0.f);
    fill(seed, 1);
    if (what.classes > 0) labels = choose({seed.shape()[0]}, what.classes);
}

namespace {

using MakeSide = std::unique_ptr<LayerSide> (*)(const LayerCase&);

/// Nothing where the sides agree.
std::string compare(const LayerCase& what) {
#ifdef DELTARULE_BENCH_TORCH
    const auto ours = layer_by_tape(what), theirs = layer_by_torch(what);
    for (bool backward : {false, true}) {
        if (what.is_loss && !backward) continue;  // it has derivatives in it
        for (const auto& side : {ours.get(), theirs.get()})
            for (int i = 0; i < (backward ? 3 : 1); ++i) backward ? side->forward_and_backward() : side->forward();
        const auto left = ours->results(), right = theirs->results();
        if (left.size() != right.size()) return "the sides give other numbers of results";
        for (std::size_t k = 0; k < left.size(); ++k) {
            if (left[k].size() != right[k].size()) return fmt::format("the sides' results {} differ in size", k);
            float most = 0;
            for (float number : left[k]) most = std::max(most, std::abs(number));
            for (std::size_t i = 0; i < left[k].size(); ++i)
                if (!(std::abs(left[k][i] - right[k][i]) <= 1e-4f * most))
                    return fmt::format("the sides give {} and {} for number {} of result {}", left[k][i], right[k][i],
                                       i, k);
        }
    }
#endif
    return {};
}

void add(const LayerCase& what) {
    static constexpr std::pair<const char*, MakeSide> sides[] = {
        {"deltarule", layer_by_tape},
#ifdef DELTARULE_BENCH_TORCH
        {"libtorch", layer_by_torch},
#endif
    };
    const auto complaint = std::make_shared<std::optional<std::string>>();
    const bool infers = what.is_network() && what.x[0] == 1;
    for (bool backward : {false, true}) {
        if (what.is_network() && backward == infers) continue;
        const std::string pass = what.is_network() ? infers ? "inference" : "step"
                                 : backward        ? "forward and backward"
                                                   : "forward";
        for (const auto& [name, make] : sides)
            benchmark::RegisterBenchmark(
                fmt::format("{}: {} {}, {}/{}", what.is_network() ? "network" : "layer", what.layer, what.size, pass,
                            name)
                    .c_str(),
                [=, make = make](benchmark::State& state) {
                    use_threads(1);
                    if (!*complaint) *complaint = compare(what);
                    if (!(*complaint)->empty()) return fail(state, **complaint);
                    const auto side = make(what);
                    const auto run = [&] { backward ? side->forward_and_backward() : side->forward(); };
                    for (int i = 0; i < 3; ++i) run();  // memory is there
                    const std::size_t before = allocations_so_far();
                    for (auto _ : state) run();
                    state.counters["allocations"] = benchmark::Counter(
                        static_cast<double>(allocations_so_far() - before), benchmark::Counter::kAvgIterations);
                });
    }
}

}  // namespace

void register_layers() {
    using autograd::Shape;
    struct Images {
        const char* name;
        std::size_t channels, side, outputs;
    };
    constexpr Images images[] = {{"1x28x28", 1, 28, 16}, {"16x14x14", 16, 14, 16}, {"32x32x32", 32, 32, 32}};
    for (const auto& [name, channels, side, outputs] : images)
        for (std::size_t kernel : {1, 3, 5})
            for (std::size_t batch : {1, 32, 256})
                add({"conv2d",
                     fmt::format("{}, kernel {}, batch {}", name, kernel, batch),
                     Shape{batch, channels, side, side},
                     {outputs, kernel}});
    for (const char* layer : {"max_pool2d", "avg_pool2d", "global_avg_pool2d", "batch_norm"})
        for (const auto& [name, channels, side, outputs] : images)
            add({layer, fmt::format("{}, batch 32", name), Shape{32, channels, side, side}});
    for (const char* layer : {"dense", "leaky_relu", "elu", "layer_norm", "rms_norm"})
        for (const auto& [rows, width] : {std::pair(32, 64), std::pair(512, 128), std::pair(4096, 512)})
            add({layer, fmt::format("{}x{}", rows, width),
                 Shape{static_cast<std::size_t>(rows), static_cast<std::size_t>(width)}});
    struct Sequences {
        std::size_t batch, steps, width;
    };
    constexpr Sequences sequences[] = {{1, 16, 32}, {16, 64, 128}, {32, 128, 256}};
    for (const auto& [batch, steps, width] : sequences) {
        const std::string size = fmt::format("{}x{}x{}", batch, steps, width);
        const Shape shape{batch, steps, width};
        add({"embedding", size + " of 1000 words", {batch, steps}, {width}, 1000});
        for (const char* layer : {"rnn", "gru", "lstm"}) add({layer, size, shape, {width}});
        add({"multi_head_attention", size + ", 4 heads", shape, {4}});
    }
    for (std::size_t batch : {32, 1}) {
        const std::string size = fmt::format("batch {}", batch);
        add({.layer = "lenet-5", .size = size, .x = {batch, 1, 28, 28}, .classes = 10});
        add({.layer = "six convolutions", .size = size, .x = {batch, 3, 32, 32}, .classes = 10});
        add({.layer = "two-layer gru", .size = size, .x = {batch, 50, 128}, .classes = 10});
        add({.layer = "two-block transformer", .size = size, .x = {batch, 64}, .words = 64, .classes = 64});
    }
    add({.layer = "equation of heat", .size = "256 points", .x = {256, 2}, .is_loss = true});
}
