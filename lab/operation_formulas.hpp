// What is known of an operation (autograd/operations/operation_facts.hpp), as formulas to read.
#pragma once

#include <lab/recording_data.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace lab {

/// `z = tanh(x)`; none for the user's own operation.
std::optional<Formula> formula_of(std::string_view operation);

/// For each input how its adjoint grows, `xbar += zbar * (1 - z^2)`; none where it does not.
std::vector<std::optional<Formula>> derivatives_of(std::string_view operation, std::size_t inputs);

}  // namespace lab
