#pragma once

#include <autograd/memory/reel.hpp>
#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <memory>

namespace autograd {

/// What `Tape::backward` returns: the derivative of the output by each leaf, an array of the leaf's shape.
///
/// It stays valid after `rewind` and after the tape's end. Its buffers go back to the tape when it is destroyed: one
/// thread at a time may use a tape and what it gave.
template <class T>
class Gradients {
  public:
    Gradients(Gradients&&) noexcept;
    Gradients& operator=(Gradients&&) noexcept;
    ~Gradients();

    /// The gradient of a leaf, zero where the output does not depend on it, or the adjoint of an inner node that was
    /// kept. Throws `GradientError` where it was not kept, `VariableError` for a variable of another recording.
    const Array<T>& operator[](const Variable<T>& x) const&;

    /// The gradient of a parameter. Throws `GradientError` where the recording did not watch it.
    const Array<T>& operator[](const Parameter<T>& parameter) const&;

    /// Copies, where the gradients themselves end with the statement: `tape.backward(y)[x]`.
    Array<T> operator[](const Variable<T>& x) const&& { return (*this)[x]; }
    Array<T> operator[](const Parameter<T>& parameter) const&& { return (*this)[parameter]; }

    /// Whether the recording watched this parameter.
    bool contains(const Parameter<T>& parameter) const { return find(parameter) != nullptr; }

  private:
    /// The gradients and the adjoints that were kept, each behind its node's number.
    template <class U>
    friend std::ostream& operator<<(std::ostream& out, const Gradients<U>& gradients);
    template <class>
    friend class BackwardPass;
    explicit Gradients(const Reel<T>& reel);
    const AdjointTable<T>& table() const;
    const Array<T>* find(const Parameter<T>& parameter) const;
    void release();

    BufferPool<T>* pool_;
    typename Reel<T>::Identity recording_;
    std::unique_ptr<AdjointTable<T>> table_;
};

template <class T>
std::ostream& operator<<(std::ostream& out, const Gradients<T>& gradients);

}  // namespace autograd
