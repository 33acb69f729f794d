#pragma once

#include <autograd/array.hpp>
#include <cstdint>
#include <string_view>

namespace autograd {

template <class T>
class Tape;

/// One recorded array: a small handle that is copied freely. Its operations stand in `operations.hpp`.
///
/// A handle from before `Tape::rewind` throws `VariableError` when it is used. It must not outlive its tape.
template <class T>
class Variable {
  public:
    using value_type = T;

    Variable() = default;
    Variable(Tape<T>& tape, std::uint32_t index, std::uint32_t epoch) : tape_(&tape), index_(index), epoch_(epoch) {}

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
    Tape<T>& tape() const {
        if (tape_ == nullptr) throw_unrecorded();
        return *tape_;
    }

    /// Its position in the recording, and the recording's number.
    std::uint32_t index() const { return index_; }
    std::uint32_t epoch() const { return epoch_; }
    bool on(const Tape<T>& tape) const { return tape_ == &tape; }

  private:
    [[noreturn]] static void throw_unrecorded();

    Tape<T>* tape_ = nullptr;
    std::uint32_t index_ = 0;
    std::uint32_t epoch_ = 0;
};

}  // namespace autograd
