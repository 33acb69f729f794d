// What is known of an operation (autograd/operations/operation_facts.hpp), as formulas to read.
#pragma once

#include <lab/recording_data.hpp>
#include <optional>
#include <vector>

namespace lab {

struct OperationFormulas {
    std::optional<Formula> formula;  ///< `z = tanh(x)`; none for the user's own operation
    std::vector<std::optional<Formula>>
        derivatives;  ///< for each input, `x̄ += z̄ · (1 - z²)`; none where it gets nothing
};

/// Of a node, by its `operation` and the number of its inputs.
OperationFormulas formulas_of(const char* operation, std::size_t inputs);

}  // namespace lab
