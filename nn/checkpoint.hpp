// All that a training needs to go on, in one file. `nn::fit` writes and reads them; a loop of one's own may, too.
#pragma once

#include <autograd/parameter.hpp>
#include <cstdint>
#include <map>
#include <nn/optimizers.hpp>
#include <random>
#include <string>
#include <vector>

namespace nn {

/// Where a training stands, besides its parameters and its optimizer.
struct TrainingPlace {
    std::uint64_t epoch = 0;                     ///< passes over the data that are done
    std::uint64_t position = 0;                  ///< rows of the pass that is not
    std::mt19937_64 engine{};                    ///< as it is now
    std::mt19937_64 engine_of_epoch{};           ///< as it was when that pass began: its order follows from it
    std::map<std::string, double> numbers = {};  ///< whatever else has to be remembered
    std::map<std::string, std::string> texts = {};
};

/// Writes a safetensors file: the parameters under their names, so that `nn::load` and PyTorch read them from it, and
/// "optimizer." before the names of the optimizer's arrays. Its `__metadata__` have the format's number, the rest as
/// JSON, and a checksum. The file is whole or is not there. Throws as `nn::save` does.
template <class T>
void save_checkpoint(const std::string& path, const TrainingPlace& place,
                     const std::vector<autograd::Parameter<T>>& parameters, const Optimizer<T>& optimizer);

/// Gives parameters and optimizer what such a file holds, and returns the rest. Throws `autograd::FileError`, and then
/// nothing has changed, where the file is damaged or no checkpoint, of a newer format, of numbers of another type, of
/// another network or another optimizer; `std::invalid_argument` where two parameters share a name.
template <class T>
TrainingPlace load_checkpoint(const std::string& path, const std::vector<autograd::Parameter<T>>& parameters,
                              Optimizer<T>& optimizer);

/// Where the training of a checkpoint stands, without its arrays. Throws as `load_checkpoint` does.
TrainingPlace read_training_place(const std::string& path);

}  // namespace nn
