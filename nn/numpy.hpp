// Arrays in NumPy's formats: a file .npy holds one, a file .npz several by name, as numpy.savez and
// numpy.savez_compressed write them. `nn::save` writes a network to an .npz file where the path ends so, and `nn::load`
// reads it:
//
//     arrays = numpy.load("network.npz")
//     arrays["0.weight"], json.loads(arrays["__metadata__"].item())
#pragma once

#include <nn/safetensors.hpp>

namespace nn {

/// Reads an array: floats of 16, 32 and 64 bits, integers and bool, little- and big-endian, in C's and in Fortran's
/// order. Throws `autograd::FileError` where the file is missing, damaged, of another element type, larger than a
/// quarter of the memory, or where a number is beyond T's range or an integer has more digits than T. Pickled objects
/// are never read.
template <class T>
autograd::Array<T> read_npy(const std::string& path);

/// Writes an array, byte for byte as numpy.save does. The file is whole or is not there. Throws `autograd::FileError`.
template <class T>
void save_npy(const std::string& path, const autograd::Array<T>& array);

/// Reads arrays by name, each as `read_npy` does, and the metadata, a JSON object of texts that stands as a text under
/// the name `__metadata__`.
template <class T>
Tensors<T> read_npz(const std::string& path);

/// What `save` does for a path that ends in .npz, whatever this one's ending is.
template <class T>
void save_npz(const std::string& path, const std::vector<autograd::Parameter<T>>& parameters,
              const Metadata& metadata = {});

}  // namespace nn
