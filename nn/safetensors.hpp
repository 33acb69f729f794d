// Parameters in files: the safetensors format (https://github.com/huggingface/safetensors), which Python reads as well,
// or NumPy's (nn/numpy.hpp):
//
//     from safetensors.torch import load_file
//     model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
//     model.load_state_dict(load_file("digits.safetensors"))
#pragma once

#include <autograd/parameter.hpp>
#include <map>
#include <string>
#include <vector>

namespace nn {

/// What a file says about itself, text by name.
using Metadata = std::map<std::string, std::string>;

/// The shapes of named arrays, and what the file says about itself.
struct Outline {
    std::map<std::string, autograd::Shape> shapes;
    Metadata metadata;
};

/// Named arrays, and what the file says about them.
template <class T>
struct Tensors {
    std::map<std::string, autograd::Array<T>> arrays;
    Metadata metadata;
};

/// Writes parameters under their names, in floats of 32 or 64 bits as T is: NumPy's .npz where the path ends so, else
/// safetensors. The file is whole or is not there. Throws `std::invalid_argument` where two parameters share a name or
/// one is called `__metadata__`, `autograd::FileError` where the file cannot be written.
template <class T>
void save(const std::string& path, const std::vector<autograd::Parameter<T>>& parameters,
          const Metadata& metadata = {});

/// Gives the parameters the values of a file of either format, told by what it begins with, which must hold each under
/// its name and in its shape, and returns the file's metadata. Other arrays in it are skipped. Throws
/// `std::invalid_argument` where two parameters share a name, `autograd::FileError` where the file is another; no
/// parameter has changed then.
template <class T>
Metadata load(const std::string& path, const std::vector<autograd::Parameter<T>>& parameters);

/// Reads a file: floats of 16, 32 and 64 bits, `BF16`, integers up to `I64` and `U64`, and `BOOL`. Throws
/// `autograd::FileError` where it is missing, truncated, of another element type, where a number is beyond T's range or
/// an integer has more digits than T, or where its header lies about the bytes that follow.
template <class T>
Tensors<T> read_safetensors(const std::string& path);

/// What a file of either format holds, without the numbers. Arrays of other element types are left out.
Outline read_outline(const std::string& path);

}  // namespace nn
