#pragma once

#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace autograd {

template <class T>
class BufferPool;
template <class T>
struct Shelf;

/// The adjoints of one backward pass by the number of their node; an empty place is one that was not kept.
template <class T>
struct AdjointTable {
    std::vector<Array<T>*> adjoints;
    std::vector<Shelf<T>*> shelves;  ///< where a node's adjoint was taken from the last time
    std::vector<Array<T>*> scratch;  ///< arrays that a rule evaluates on its way
    std::vector<std::pair<const void*, std::uint32_t>> parameters;
    std::vector<const Node<T>*> chunks;  ///< where the nodes are, or were: they are not looked at
};

/// What `Tape::backward` returns: the derivative of the output by each leaf, an array of the leaf's shape.
///
/// It stays valid after `rewind` and after the tape's end. Its buffers go back to the tape when it is destroyed: one
/// thread at a time may use a tape and what it gave.
template <class T>
class Gradients {
  public:
    Gradients(BufferPool<T>& pool, std::unique_ptr<AdjointTable<T>> table, std::uint32_t epoch);
    Gradients(Gradients&&) noexcept;
    Gradients& operator=(Gradients&&) noexcept;
    ~Gradients();

    /// The gradient of a leaf, zero where the output does not depend on it, or the adjoint of an inner node that was
    /// kept. Throws `GradientError` where it was not kept, `VariableError` for a variable of another recording.
    const Array<T>& operator[](const Variable<T>& x) const;

    /// The gradient of a parameter. Throws `GradientError` where the recording did not watch it.
    const Array<T>& operator[](const Parameter<T>& parameter) const;

    /// Whether the recording watched this parameter.
    bool contains(const Parameter<T>& parameter) const { return find(parameter) != nullptr; }

    /// For `Tape::backward`.
    AdjointTable<T>& table() { return *table_; }

  private:
    const Array<T>* find(const Parameter<T>& parameter) const;
    void release();

    BufferPool<T>* pool_;
    std::unique_ptr<AdjointTable<T>> table_;
    std::uint32_t epoch_;
};

}  // namespace autograd
