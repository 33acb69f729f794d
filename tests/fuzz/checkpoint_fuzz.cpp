// Checkpoints: a changed one is refused and changes nothing, or is what a training goes on from. Its checksum would
// find nearly every change, so that each is tried with the right one, too.
#include <fmt/format.h>
#include <zlib.h>

#include <nn/checkpoint.hpp>
#include <nn/dense.hpp>
#include <nn/safetensors.hpp>
#include <stdexcept>

#include "fuzz.hpp"

namespace {

struct Training {
    std::mt19937_64 engine{1};
    nn::Dense<double> layer{3, 2, engine};
    nn::Adam<double> optimizer{layer.parameters()};
};

void load(const std::string& path) {
    Training first;
    const Training untouched;
    nn::TrainingPlace place;
    if (!fuzz::accepts([&] { place = nn::load_checkpoint(path, first.layer.parameters(), first.optimizer); })) {
        for (std::size_t i = 0; i < 2; ++i)
            fuzz::require(fuzz::same(first.layer.parameters()[i].value(), untouched.layer.parameters()[i].value()),
                          "a refused checkpoint changes nothing");
        return;
    }
    nn::save_checkpoint(fuzz::writable_path(), place, first.layer.parameters(), first.optimizer);
    Training second;
    const auto again = nn::load_checkpoint(fuzz::writable_path(), second.layer.parameters(), second.optimizer);
    unlink(fuzz::writable_path().c_str());
    for (std::size_t i = 0; i < 2; ++i)
        fuzz::require(fuzz::same(first.layer.parameters()[i].value(), second.layer.parameters()[i].value()),
                      "parameters come back");
    fuzz::require(again.epoch == place.epoch && again.position == place.position && again.engine == place.engine &&
                      again.engine_of_epoch == place.engine_of_epoch && again.texts == place.texts &&
                      again.numbers.size() == place.numbers.size(),
                  "the place comes back");
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
