// The lets of a derivation as array operations on a tape: what is drawn, stepped through, trained and exported.
#pragma once

#include <autograd/tape.hpp>
#include <cstddef>
#include <derivation/read/reader.hpp>
#include <derivation/truth/point.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lab {

/// What the file knows of a node.
struct NodeFacts {
    std::vector<std::string> letters;  ///< of its axes, where they are known
    std::size_t line = 0;              ///< of the statement that it belongs to; 0: none
    std::string group;                 ///< the name of its let, "backward" for a derivative in a let, or nothing
};

/// The C++ that records a node: `matmul(w, x)`, where a place such as `\1l12\2` stands for node 12, left (`l`) or right
/// (`r`) of an operator or as an argument (`a`).
struct Code {
    std::string text;  ///< nothing where it is not known
    int level = 0;     ///< how close it binds: sums 1, products 2, signs 3, calls 4
};
using Codes = std::vector<Code>;

/// A number as C++ has it: 2.0, INFINITY.
std::string code_of(double number);

enum class Manner {
    whole,           ///< as operations on whole arrays
    step_by_step,    ///< a recurrence: an array for each of its steps
    entry_by_entry,  ///< a number for each entry
    left_out,        ///< as it was asked for
};

/// How a let was lowered.
struct LoweredLet {
    int quantity = 0;
    Manner manner = Manner::whole;
    std::string note;  ///< a sentence, where it is not whole
};

struct Lowering {
    using Variable = autograd::Variable<double>;

    std::unique_ptr<autograd::Tape<double>> tape;
    /// By the number of the quantity: its array; none of what is given and never used, and of what was left out.
    std::vector<std::optional<Variable>> arrays;
    /// Of a recurrence, the arrays of its steps: derivatives are taken by these.
    std::vector<std::vector<Variable>> steps;
    std::vector<NodeFacts> nodes;  ///< by the index of the node
    Codes codes;                   ///< likewise
    std::vector<LoweredLet> lets;
    std::optional<int> result;  ///< the last scalar let without a derivative: the loss
};

/// Records every let of a derivation at a point: w[k,j] * a[j] summed over j becomes `matmul(w, a)`, what has letters
/// becomes transposes and broadcasts, and exp(z[k]) / sum(n, exp(z[n])) `softmax`. Nodes have the names of the lets.
/// Throws `derivation::Error` where a let uses its own entries without end.
Lowering lowered(const derivation::Derivation& derivation, const derivation::Point& point,
                 const std::vector<int>& left_out = {});

/// The last scalar let without a derivative.
std::optional<int> last_scalar(const derivation::Model& model);

/// What people call a quantity: its name, with its letters where several have that name.
std::string name_of(const derivation::Model& model, int quantity);

}  // namespace lab
