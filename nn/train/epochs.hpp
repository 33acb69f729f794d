// The epochs of a training as a checkpoint and a file of the history hold them.
#pragma once

#include <autograd/array.hpp>
#include <nn/fit.hpp>
#include <string>
#include <vector>

namespace nn::train {

constexpr std::size_t epoch_columns = 5;  ///< loss, metric, rate, the validation's loss and metric

/// A row for each epoch: (epochs, epoch_columns).
template <class T>
autograd::Array<T> array_of(const std::vector<Epoch>& epochs);

/// What `array_of` made an array of, for a training of so many rows.
template <class T>
std::vector<Epoch> epochs_of(const autograd::Array<T>& array, std::size_t rows, bool has_validation);

/// A line of names and one for each epoch, in which the metric has this name and is multiplied by its unit.
template <class T>
std::string csv_of(const std::vector<Epoch>& epochs, const std::string& metric, double unit, bool has_validation);

}  // namespace nn::train
