// How the lab's JSON has numbers.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace lab {

/// What is not finite is a string: "inf", "-inf", "nan".
inline nlohmann::json json_number(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return value;
}

inline nlohmann::json json_numbers(const std::vector<double>& values) {
    nlohmann::json result = nlohmann::json::array();
    for (const double value : values) result.push_back(json_number(value));
    return result;
}

}  // namespace lab
