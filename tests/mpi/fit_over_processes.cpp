// fit_over_processes [FAILING]: 100 steps in the processes of MPI end with the parameters of one process, to 1e-12, and
// with the same bits in all. With a number that process fails meanwhile, with -1 all of them.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <mpi/world.hpp>
#include <nn/fit.hpp>
#include <nn/mlp.hpp>
#include <stdexcept>

namespace {

/// y = sin(x0) - x1 x2
nn::Dataset<double> numbers(std::size_t rows) {
    nn::Dataset<double> data{autograd::Array<double>(autograd::Shape{rows, 3}), {}, {}};
    data.target_names = {"y"};
    data.targets = autograd::Array<double>(autograd::Shape{rows, 1});
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < 3; ++j)
            data.features(i, j) = std::cos((1.7 + static_cast<double>(j)) * static_cast<double>(i));
        data.targets(i, 0) = std::sin(data.features(i, 0)) - data.features(i, 1) * data.features(i, 2);
    }
    return data;
}

nn::Mlp<double> trained(nn::Communicator* communicator, const std::function<bool(const nn::Epoch&)>& on_step = {}) {
    std::mt19937_64 engine(3);
    nn::Mlp<double> model({3, 20, 20, 1}, nn::ActivationKind::tanh, engine);
    nn::Sgd<double> optimizer(model.parameters(), {.rate = 0.1});
    // Batches of 25 and, at the end of each epoch, of 2: of four processes two have no row of these.
    nn::fit(model, numbers(102),
            {.epochs = 20,
             .batch = 25,
             .optimizer = &optimizer,
             .progress = nullptr,
             .on_step = on_step,
             .communicator = communicator});
    if (optimizer.steps() != 100) throw std::runtime_error("there were not 100 steps");
    return model;
}

void check(mpi::World& world) {
    const auto all = trained(&world).parameters(), one = trained(nullptr).parameters();
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::vector<double> mean(all[i].value().begin(), all[i].value().end());
        for (double& number : mean) number /= static_cast<double>(world.size());
        world.sum(std::span(mean));  // of the same bits, and 1, 2 or 4 of them, it is exact
        for (std::size_t k = 0; k < mean.size(); ++k) {
            const double here = all[i].value().data()[k], there = one[i].value().data()[k];
            if (mean[k] != here) throw std::runtime_error("the processes have not the same parameters");
            difference += (here - there) * (here - there);
            norm += there * there;
        }
    }
    if (world.rank() == 0)
        std::printf("%zu processes: off by %.2g of the parameters' norm\n", world.size(), std::sqrt(difference / norm));
    if (!(std::sqrt(difference / norm) <= 1e-12))
        throw std::runtime_error("the parameters are not those of one process");
}

}  // namespace

int main(int argc, char** argv) {
    mpi::World world;
    try {
        if (argc == 1) {
            check(world);
            return 0;
        }
        const int failing = std::atoi(argv[1]);
        trained(&world, [&](const nn::Epoch& epoch) {
            if (epoch.number == 3 && (failing < 0 || world.rank() == static_cast<std::size_t>(failing)))
                throw std::runtime_error("it fails in " + std::to_string(world.rank()));
            return true;
        });
    } catch (const std::exception& error) {
        world.end(error.what(), 3);
    }
}
