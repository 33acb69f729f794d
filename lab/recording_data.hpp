// A recording as plain data: nodes, values, adjoints, and what each step of the backward pass adds where. The text, the
// drawing and the page are made of it, and docs/lab.md says how it stands in JSON.
#pragma once

#include <autograd/precision.hpp>
#include <autograd/tape.hpp>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lab {

/// Of a larger array some numbers are kept.
inline constexpr std::size_t most_numbers = 4096;

/// An array. Where `sampled` holds anything, it holds for each axis the indices that were kept, and `values` are the
/// numbers at their crossings.
struct Numbers {
    std::vector<std::size_t> shape;
    std::vector<double> values;  ///< row-major
    std::vector<std::vector<std::size_t>> sampled;
    double least = NAN, largest = NAN;  ///< of all numbers of a sampled array, NaN left out
    double length = NAN;                ///< of a sampled array: the root of the sum of all its squares
};

/// As text, and as what stands within `<math>`.
struct Formula {
    std::string text, mathml;
};

struct RecordedNode {
    std::string name;       ///< the user's, a parameter's (`0.weight`), or made: `tanh#2` is the second tanh
    std::string operation;  ///< nothing for a leaf
    std::string kind;       ///< parameter, variable, constant or operation
    std::vector<std::uint32_t> inputs;
    std::string group;                                ///< its layer, or what else it belongs to
    std::vector<std::string> letters;                 ///< names of its axes, where they are known
    std::optional<std::size_t> line;                  ///< of the derivation
    std::optional<Formula> formula;                   ///< `z = tanh(x)`; none for a leaf or the user's own operation
    std::vector<std::optional<Formula>> derivatives;  ///< for each input what its adjoint grows by, where it does
    Numbers value;
    std::optional<Numbers> adjoint;  ///< none where no gradient is wanted, or none arrives
    std::optional<double> digits;    ///< decimal ones that are left of the value, where that is known
};

/// What a node's rule adds to the adjoint of `to`, which is its input number `input`. A node that is an input twice, as
/// in x * x, gets both parts at once, at the first that the rule adds to.
struct Contribution {
    std::uint32_t to = 0;
    std::size_t input = 0;
    Numbers value;
};

/// The rule of a node is run, and its adjoint's memory given back, unless it is a leaf's.
struct BackwardStep {
    std::uint32_t node = 0;
    std::vector<Contribution> contributions;
    std::size_t bytes = 0;  ///< that adjoints hold then; one that is handed on as it is counts for each holder
};

/// How many bytes of values the tape holds once a node is recorded; a parameter's stand outside of the tape.
struct Held {
    std::uint32_t after = 0;
    std::size_t bytes = 0;
};

/// A claim of a derivation, and the numbers of both sides where it is one about a node.
struct Claim {
    std::size_t line = 0;
    std::string text, verdict, reason, repair;
    std::optional<std::uint32_t> node;
    std::optional<Numbers> value, tape;
    std::vector<std::string> letters = {};  ///< of the tape's axes; empty for one that nobody named
};

struct Recording {
    std::string title;
    std::string precision;               ///< float or double
    std::uint32_t result = 0;            ///< the node whose adjoint is 1
    std::vector<RecordedNode> nodes;     ///< in the order in which they were recorded
    std::vector<BackwardStep> backward;  ///< in the order in which the rules are run
    std::vector<Held> memory;
    std::optional<std::vector<Claim>> claims;
    std::optional<std::string> source;  ///< the text of the derivation
    std::map<std::string, int> first;   ///< of letters that do not count from 0: what they count from
    std::vector<std::string> notes;     ///< what a reader should know of it, a sentence each
};

/// Nodes that belong together for another reason than their layer, from `begin` to before `end`: what `grad` recorded
/// is "backward".
struct Group {
    std::string name;
    std::uint32_t begin = 0, end = 0;
};

struct RecordOptions {
    std::string title = "recording";
    std::vector<Group> groups = {};
};

/// An array as plain data, sampled where it is large.
template <class T>
Numbers numbers_of(const autograd::Array<T>& array);

/// All that the tape holds, and the backward pass from y, which must have one element. A layer is the beginning of a
/// parameter's name: to `0` of `0.weight` belongs what is computed from its parameters, and what follows without
/// others, until it is one number. Throws as `Tape::backward` does.
template <class T>
Recording record_of(autograd::Tape<T>& tape, const autograd::Variable<T>& y, const RecordOptions& options = {});

/// How many digits are left of each value, from the comparison of the recording with one in the other precision. Throws
/// `std::invalid_argument` where the report is one of another number of nodes.
void add_digits(Recording& recording, const autograd::PrecisionReport& report);

}  // namespace lab
