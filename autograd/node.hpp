// What is recorded, to be read: by prints, by checks, by whoever explains a recording.
#pragma once

#include <autograd/variable.hpp>
#include <span>

namespace autograd {

template <class T>
struct RuleTable;

/// One recorded operation, or a leaf.
template <class T>
struct Node {
    Array<T> storage;                          ///< the value's memory, used again after a rewind
    const Array<T>* value = nullptr;           ///< `storage`, or the parameter's array
    const char* operation = "";                ///< "mul"
    std::span<const std::uint32_t> inputs;     ///< the nodes that it was computed from
    std::string_view name;                     ///< given by the user
    const RuleTable<T>* rule_table = nullptr;  ///< null for a leaf and for what needs no gradient
    const void* rule = nullptr;
    bool requires_gradient = false;
    bool elementwise = false;  ///< each element of the value is made of the inputs' elements in its place
};

/// Node number `index` of a recording, in the order in which they were made, and its variable (defined in tape.hpp).
template <class T>
const Node<T>& node_at(const Tape<T>& tape, std::uint32_t index);
template <class T>
Variable<T> variable_at(const Tape<T>& tape, std::uint32_t index);

}  // namespace autograd
