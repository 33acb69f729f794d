#pragma once

#include <lab/recording_data.hpp>
#include <string>
#include <vector>

namespace lab {

/// The recording as JSON, which docs/lab.md describes. Numbers read back as they are; what is not finite is a string:
/// "inf", "-inf", "nan".
std::string to_json(const Recording& recording);

/// The recordings of the steps of a training as one, in which those after the first have numbers alone. Throws
/// `std::invalid_argument` where there is none, and where one has other nodes or shapes than the first.
std::string to_json(const std::vector<Recording>& training);

}  // namespace lab
