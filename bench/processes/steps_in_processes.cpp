// bench_processes: what a step of a training takes in the processes that mpirun started, and what a sum over them
// takes. Prints the least of many, as other programs of the machine only add to it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <mpi/world.hpp>
#include <nn/data.hpp>
#include <nn/fit.hpp>
#include <nn/mlp.hpp>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The first rows of the digits, or random ones of other widths.
nn::Dataset<float> rows_for(std::size_t inputs, std::size_t rows) {
    std::mt19937_64 engine(1);
    if (inputs == 64) {
        const auto digits = nn::read_csv<float>(DELTARULE_DATA_DIR "/digits.csv.gz");
        std::vector<std::size_t> first(rows);
        for (std::size_t i = 0; i < rows; ++i) first[i] = i;
        nn::Dataset<float> data = nn::rows_of(digits, first);
        data.features /= 16.0F;
        return data;
    }
    nn::Dataset<float> data{autograd::Array<float>(autograd::Shape{rows, inputs}),
                            autograd::Indices(autograd::Shape{rows}), std::vector<std::string>(10)};
    std::uniform_real_distribution<float> number(0, 1);
    for (float& x : data.features) x = number(engine);
    for (auto& label : data.labels) label = static_cast<std::int64_t>(engine() % 10);
    return data;
}

struct Case {
    std::vector<std::size_t> widths;
    std::size_t batch, rows, epochs;
};

double step(const Case& c, mpi::World& world) {
    std::mt19937_64 engine(1);
    const nn::Mlp<float> model(c.widths, nn::ActivationKind::relu, engine);
    nn::Sgd<float> optimizer(model.parameters(), {.rate = 0.01});
    double least = 1e9;
    auto before = Clock::now();
    const auto on_step = [&](const nn::Epoch&) {
        least = std::min(least, seconds_since(before));
        before = Clock::now();
        return true;
    };
    nn::fit(model, rows_for(c.widths[0], c.rows),
            {.epochs = c.epochs,
             .batch = c.batch,
             .optimizer = &optimizer,
             .progress = nullptr,
             .on_step = on_step,
             .communicator = &world});
    return least;
}

double sum(std::size_t bytes, mpi::World& world) {
    std::vector<float> numbers(bytes / sizeof(float), 1e-30F);
    double least = 1e9, none = 0;
    for (std::size_t k = 0; k < std::clamp<std::size_t>((std::size_t{1} << 28) / bytes, 50, 5000); ++k) {
        world.sum(std::span(&none, 1));  // so that all begin together
        const auto start = Clock::now();
        world.sum(std::span(numbers));
        least = std::min(least, seconds_since(start));
    }
    return least;
}

}  // namespace

int main() {
    mpi::World world;
    const auto say = [&](const std::string& line) {
        if (world.rank() == 0) fmt::print("{}\n", line);
    };
    const std::vector<std::size_t> small = {64, 128, 10}, large = {784, 512, 512, 10};
    for (const Case& c : std::vector<Case>{{small, 32, 1792, 100},
                                           {small, 128, 1792, 300},
                                           {small, 256, 1792, 500},
                                           {small, 896, 1792, 1000},
                                           {small, 1792, 1792, 2000},
                                           {large, 32, 2048, 20},
                                           {large, 64, 2048, 30},
                                           {large, 128, 2048, 40},
                                           {large, 256, 2048, 40}})
        say(fmt::format("step: {}, batch {}, {} processes: {:.1f} us", fmt::join(c.widths, "-"), c.batch, world.size(),
                        1e6 * step(c, world)));
    for (std::size_t bytes = 1 << 10; bytes <= std::size_t{1} << 24; bytes *= 4)
        say(fmt::format("sum: {} KiB, {} processes: {:.1f} us", bytes >> 10, world.size(), 1e6 * sum(bytes, world)));
}
