// A saved network as ONNX, in a build that has it (DELTARULE_ONNX).
#pragma once

#include <string>

#include "saved_network.hpp"

/// The bytes of a model with the scaling inside and any number of rows. Its inputs are `numbers`, float64 (rows,
/// columns of numbers), where there are any, and for each column of words `words_J`, strings (rows,), J being the
/// column's number; a missing cell is NaN or "". Its output is `probabilities` (rows, classes) or `targets` (rows,
/// targets), NaN in a row with a number that `predict` refuses; a word that it refuses is an error. The metadata are
/// those of a model file.
std::string onnx_bytes(const Model& model);
