// Checkpoints: a changed one is refused and changes nothing, or is what a training goes on from. Its checksum would
// find nearly every change, so that each is tried with the right one, too.
#include <fmt/format.h>
#include <zlib.h>

#include <autograd/operations.hpp>
#include <nn/checkpoint.hpp>
#include <nn/dense.hpp>
#include <nn/lbfgs.hpp>
#include <nn/safetensors.hpp>
#include <stdexcept>

#include "fuzz.hpp"

namespace {

template <class Optimizer>
struct Training {
    std::mt19937_64 engine{1};
    nn::Dense<double> layer{3, 2, engine};
    Optimizer optimizer{layer.parameters()};
};

/// A step of what was read: whatever the numbers are, it ends.
template <class Optimizer>
void step(Training<Optimizer>& training) {
    autograd::Tape<double> tape;
    nn::Optimizer<double>& optimizer = training.optimizer;
    try {
        optimizer.step([&]() -> nn::LossAndGradients<double> {
            tape.rewind();
            const auto y = training.layer(tape.constant(autograd::Array<double>({2, 3}, 0.5)));
            const auto loss = sum(y * y);
            return {loss.item(), tape.backward(loss)};
        });
    } catch (const autograd::GradientError&) {  // a loss that overflows there
    }
}

template <class Optimizer>
void load_by(const std::string& path) {
    Training<Optimizer> first;
    const Training<Optimizer> untouched;
    nn::TrainingPlace place;
    if (!fuzz::accepts([&] { place = nn::load_checkpoint(path, first.layer.parameters(), first.optimizer); })) {
        for (std::size_t i = 0; i < 2; ++i)
            fuzz::require(fuzz::same(first.layer.parameters()[i].value(), untouched.layer.parameters()[i].value()),
                          "a refused checkpoint changes nothing");
        return;
    }
    nn::save_checkpoint(fuzz::writable_path(), place, first.layer.parameters(), first.optimizer);
    Training<Optimizer> second;
    const auto again = nn::load_checkpoint(fuzz::writable_path(), second.layer.parameters(), second.optimizer);
    unlink(fuzz::writable_path().c_str());
    for (std::size_t i = 0; i < 2; ++i)
        fuzz::require(fuzz::same(first.layer.parameters()[i].value(), second.layer.parameters()[i].value()),
                      "parameters come back");
    fuzz::require(again.epoch == place.epoch && again.position == place.position && again.engine == place.engine &&
                      again.engine_of_epoch == place.engine_of_epoch && again.texts == place.texts &&
                      again.numbers.size() == place.numbers.size(),
                  "the place comes back");
    const auto state = first.optimizer.state(), there = second.optimizer.state();
    fuzz::require(state.numbers == there.numbers && state.arrays.size() == there.arrays.size(), "the state comes back");
    for (const auto& [name, array] : state.arrays)
        fuzz::require(fuzz::same(array, there.arrays.at(name)), "its arrays come back");
    step(first);
}

void load(const std::string& path) {
    load_by<nn::Adam<double>>(path);
    load_by<nn::Lbfgs<double>>(path);
}

/// The same file with the checksum that it should have.
void load_with_its_checksum(const std::string& path) {
    nn::Tensors<double> read;
    if (!fuzz::accepts([&] { read = nn::read_safetensors<double>(path); })) return;
    if (!read.metadata.contains("training")) return;
    const auto add = [](unsigned long sum, const void* bytes, std::size_t n) {
        return n == 0 ? sum : crc32_z(sum, static_cast<const unsigned char*>(bytes), n);
    };
    const std::string& said = read.metadata.at("training");
    unsigned long sum = add(crc32(0, nullptr, 0), said.data(), said.size());
    std::vector<autograd::Parameter<double>> parameters;
    for (const auto& [name, array] : read.arrays) {
        sum = add(add(sum, name.data(), name.size()), array.data(), array.size() * sizeof(double));
        parameters.push_back({name, array});
    }
    read.metadata["checksum"] = fmt::format("{:08x}", sum);
    const std::string mended = fuzz::writable_path() + "-mended";
    nn::save(mended, parameters, read.metadata);
    load(mended);
    unlink(mended.c_str());
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const fuzz::MemoryFile file(fuzz::text_of(data, size));
    load(file.path());
    load_with_its_checksum(file.path());
    fuzz::accepts([&] { nn::read_training_place(file.path()); });
    return 0;
}
