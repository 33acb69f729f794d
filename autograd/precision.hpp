// How many digits are left: one function recorded in float and in double, compared node by node.
#pragma once

#include <autograd/tape.hpp>
#include <optional>
#include <string>
#include <vector>

namespace autograd {

/// One node of both recordings. Digits are decimal, of the element on which float and double agree least; 7.2 is all
/// that float has, 0 is none.
struct NodePrecision {
    std::string text;  ///< `%2 = mul(%0, %1)`
    std::string operation;
    Shape shape;
    double value_digits;  ///< of its value
    /// How many fewer than its operands have. A loss is left out where everything that is made of the value has its
    /// digits again, as exp(-100) in a sum beside exp(0).
    double value_loss = 0;
    std::optional<double> adjoint_digits;  ///< of the output's derivative by it, where a gradient flows
    double adjoint_loss = 0;               ///< how many fewer an operand's adjoint has than what it is made of
};

struct PrecisionReport {
    std::vector<NodePrecision> nodes;          ///< in the order of recording
    std::optional<std::size_t> worst_value;    ///< the node whose operation lost most, where one lost a digit or more
    std::optional<std::size_t> worst_adjoint;  ///< the same in the backward pass
};

/// A line for each node, then the operations that lost most.
std::string to_string(const PrecisionReport& report);

/// For `precision_report`: variables of the inputs rounded to float, on either tape, and the comparison of both tapes.
template <class T>
std::vector<Variable<T>> record_rounded(Tape<T>& tape, const std::vector<Array<double>>& inputs);
PrecisionReport compare_recordings(const Variable<float>& low, const Variable<double>& high);

/// How far f's recording in float agrees with that in double, forward and backward. f takes a vector of variables of
/// either type: `[](const auto& x) { return log(sum(exp(x[0]))); }`. Inputs are rounded to float first, so that all
/// differences arise in f. An output of several elements is differentiated as its sum. Throws `Error` where f records
/// other operations in float than in double.
template <class F>
PrecisionReport precision_report(F&& f, const std::vector<Array<double>>& inputs) {
    Tape<float> low;
    Tape<double> high;
    return compare_recordings(f(record_rounded(low, inputs)), f(record_rounded(high, inputs)));
}

}  // namespace autograd
