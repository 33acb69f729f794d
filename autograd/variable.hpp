#pragma once

#include <autograd/array.hpp>
#include <autograd/memory/recording.hpp>
#include <string_view>

namespace autograd {

template <class T>
struct Node;
template <class T>
class Reel;

/// One recorded array: a small handle that is copied freely. Its operations stand in `operations.hpp`.
///
/// A handle from before `Tape::rewind`, or whose tape is gone, throws `VariableError` when it is used.
template <class T>
class Variable {
  public:
    using value_type = T;

    Variable() = default;

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

    /// Whether it belongs to what is recorded on this tape now.
    bool on(const Tape<T>& tape) const { return is_recorded() && recording_->tape == &tape; }

    /// Its position in the recording, from 0: 3 for `%3`.
    std::uint32_t index() const { return index_; }

  private:
    friend class Reel<T>;
    Variable(Recording<T>& recording, std::uint32_t index)
        : recording_(&recording), index_(index), number_(recording.now()) {}

    bool is_recorded() const { return number_ == recording_->now(); }
    /// Its node. Throws `VariableError` where it is not recorded any more.
    const Node<T>& node() const {
        if (!is_recorded()) throw_not_recorded("value", *this);
        return *recording_->nodes[index_];
    }
    // By value, so that a variable can stay in registers.
    [[noreturn]] static void throw_not_recorded(const char* operation, Variable x);

    static inline Recording<T> none;  // whose number none has
    Recording<T>* recording_ = &none;
    std::uint32_t index_ = 0;
    std::uint32_t number_ = 0;
};

/// Its value.
template <class T>
std::ostream& operator<<(std::ostream& out, const Variable<T>& x);

}  // namespace autograd
