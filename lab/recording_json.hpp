#pragma once

#include <lab/recording_data.hpp>
#include <string>

namespace lab {

/// The recording as JSON, which docs/lab.md describes. Numbers read back as they are; what is not finite is a string:
/// "inf", "-inf", "nan".
std::string to_json(const Recording& recording);

}  // namespace lab
