#pragma once

#include <lab/recording_data.hpp>
#include <string>

namespace lab {

/// A table with a line for each node: what was recorded, its shape, its value and its adjoint.
std::string to_text(const Recording& recording);

}  // namespace lab
