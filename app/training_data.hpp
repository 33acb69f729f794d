// What a training reads.
#pragma once

#include <nn/data.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"

/// What is said beside the result.
void say(const TrainOptions& options, const std::string& text);

/// The files that are read: a table, or the images and labels of the training and of the test.
std::vector<std::string> inputs(const TrainOptions& options);

/// The shape of an example, (channels, height, width), where the source says that it is a picture; empty else.
autograd::Shape picture_shape(const TrainOptions& options);

/// What is trained on, and what is tested on; the second is empty where a table is still to be split.
std::pair<nn::Dataset<double>, std::optional<nn::Dataset<double>>> read(const TrainOptions& options);
