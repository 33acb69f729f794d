// Files of NumPy: .npz, and what its members are, .npy.
#include <nn/numpy.hpp>

#include "fuzz.hpp"

namespace {

template <class T>
void holds(const std::string& path) {
    autograd::Array<T> array;
    if (fuzz::accepts([&] { array = nn::read_npy<T>(path); })) {
        nn::save_npy(fuzz::writable_path(), array);
        fuzz::require(fuzz::same(array, nn::read_npy<T>(fuzz::writable_path())), "an array comes back");
    }
    nn::Tensors<T> first;
    if (fuzz::accepts([&] { first = nn::read_npz<T>(path); })) {
        std::vector<autograd::Parameter<T>> parameters;
        for (const auto& [name, value] : first.arrays) parameters.push_back({name, value});
        nn::save_npz(fuzz::writable_path(), parameters, first.metadata);
        const nn::Tensors<T> second = nn::read_npz<T>(fuzz::writable_path());
        fuzz::require(second.metadata == first.metadata, "metadata come back");
        fuzz::require(second.arrays.size() == first.arrays.size(), "arrays come back");
        for (const auto& [name, value] : first.arrays)
            fuzz::require(second.arrays.contains(name) && fuzz::same(value, second.arrays.at(name)),
                          "numbers come back");
    }
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
