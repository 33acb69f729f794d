// Safetensors files.
#include <nn/safetensors.hpp>

#include "fuzz.hpp"

namespace {

template <class T>
void holds(const std::string& path) {
    nn::Tensors<T> first;
    if (!fuzz::accepts([&] { first = nn::read_safetensors<T>(path); })) return;
    std::vector<autograd::Parameter<T>> parameters;
    for (const auto& [name, array] : first.arrays) parameters.push_back({name, array});
    nn::save(fuzz::writable_path(), parameters, first.metadata);
    const nn::Tensors<T> second = nn::read_safetensors<T>(fuzz::writable_path());
    fuzz::require(second.metadata == first.metadata, "metadata come back");
    fuzz::require(second.arrays.size() == first.arrays.size(), "arrays come back");
    for (const auto& [name, array] : first.arrays)
        fuzz::require(second.arrays.contains(name) && fuzz::same(array, second.arrays.at(name)), "numbers come back");
    nn::Outline outline;
    fuzz::require(fuzz::accepts([&] { outline = nn::read_outline(path); }), "what is read has an outline");
    fuzz::require(outline.shapes.size() == first.arrays.size(), "the outline has each array");
    unlink(fuzz::writable_path().c_str());
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const fuzz::MemoryFile file(fuzz::text_of(data, size));
    holds<double>(file.path());
    holds<float>(file.path());
    fuzz::accepts([&] { nn::read_outline(file.path()); });
    return 0;
}
