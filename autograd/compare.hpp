// A gradient derived by hand held against the right one: equal, or what the wrong one looks like.
#pragma once

#include <autograd/array.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace autograd {

/// What `compare` found.
struct Comparison {
    /// The stable name of a row of the table at the end of compare.cpp, as "equal", "constant-factor" or "transposed";
    /// "none" where no simple relation is found.
    std::string relation = "none";
    double factor = 1;                    ///< besides, the gradient is this many times what it should be
    std::vector<std::size_t> index = {};  ///< the one element that is wrong
    std::string sentence = "there is no simple relation between the gradient and the right one";
    bool equal() const { return relation == "equal"; }
};

/// What is known of the operation that the gradient belongs to; each part lets more mistakes be recognised.
struct CompareContext {
    std::optional<Array<double>> adjoint = {};   ///< the incoming adjoint, of the value's shape
    std::optional<Array<double>> jacobian = {};  ///< of the value by the input: (value's axes..., input's axes...)
    /// What the local derivative is made of, by name: the inputs and the value.
    std::vector<std::pair<std::string, Array<double>>> locals = {};
    std::vector<std::pair<std::string, Array<double>>> others = {};  ///< the right gradients of other inputs, by name
    double tolerance = 1e-6;  ///< relative, for each element; inf equals inf of its sign only, and NaN equals NaN
    /// Where small elements are differences of large numbers: this share of the largest element is added to each size
    /// that the tolerance is relative to.
    double floor = 0;
};

/// How the gradient `hand` departs from `right`, the tape's. The shapes may differ; nothing is thrown.
Comparison compare(const Array<double>& hand, const Array<double>& right, const CompareContext& context = {});

}  // namespace autograd
