#pragma once

#include <autograd/array.hpp>
#include <cstdint>
#include <string_view>

namespace autograd {

template <class T>
class Tape;
template <class T>
struct Node;

/// One recorded array: a small handle that is copied freely. Its operations stand in `operations.hpp`.
///
/// A handle from before `Tape::rewind` throws `VariableError` when it is used. It must not outlive its tape.
template <class T>
class Variable {
  public:
    using value_type = T;

    Variable() = default;
    Variable(const Node<T>& node, std::uint32_t index, std::uint32_t epoch)
        : node_(&node), index_(index), epoch_(epoch) {}

    const Array<T>& value() const;
    const Shape& shape() const { return value().shape(); }
    std::size_t dimension() const { return value().dimension(); }
    std::size_t size() const { return value().size(); }

    /// The value of an array of one element. Throws `std::invalid_argument` for any other.
    T item() const;

    /// The name given to a leaf or by `Tape::name`, or nothing.
    std::string_view name() const;

    /// The operation that made it: "mul"; "variable", "parameter" or "constant" for a leaf.
    const char* operation() const;

    /// Whether a variable or a parameter is among what it was computed from.
    bool requires_gradient() const;

    /// A constant of the same value: no gradient flows through it.
    Variable detach() const;

    /// The tape that it is recorded on. Throws `VariableError` where there is none.
    Tape<T>& tape() const;
    bool on(const Tape<T>& tape) const;

    /// Its node, which the tape may have used again since, its position in the recording, and the recording's number.
    const Node<T>& node() const { return *node_; }
    bool is_at(const Node<T>* place) const { return node_ == place; }
    std::uint32_t index() const { return index_; }
    std::uint32_t epoch() const { return epoch_; }

  private:
    [[noreturn]] static void throw_unrecorded();

    const Node<T>* node_ = nullptr;
    std::uint32_t index_ = 0;
    std::uint32_t epoch_ = 0;
};

}  // namespace autograd
