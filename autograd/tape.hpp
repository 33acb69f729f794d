// The tape: a list of recorded operations in the order in which they were made, which is a topological order.
#pragma once

#include <autograd/array.hpp>
#include <autograd/error.hpp>
#include <autograd/gradients.hpp>
#include <autograd/memory/reel.hpp>
#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace autograd {

/// Which adjoints of inner nodes `backward` keeps, besides the leaves' gradients.
template <class T>
struct Keep {
    Keep() = default;
    Keep(std::initializer_list<Variable<T>> kept) : variables(kept) {}
    explicit Keep(std::vector<Variable<T>> kept) : variables(std::move(kept)) {}
    static Keep all() {
        Keep keep;
        keep.everything = true;
        return keep;
    }

    std::vector<Variable<T>> variables;
    bool everything = false;
};

/// Records operations on arrays, and walks back over them.
///
///     autograd::Tape<double> tape;
///     auto x = tape.variable({{0.1, 0.2}, {0.3, 0.4}}, "x");
///     auto grads = tape.backward(sum(tanh(x) * x));
///     grads[x];                                            // an Array<double> of shape (2, 2)
///
/// One thread may use a tape at a time; different tapes are independent.
template <class T>
class Tape {
  public:
    Tape() : reel_(*this) {}
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// A leaf that gradients are wanted for. The value is copied: an array, any xtensor expression, or a number.
    Variable<T> variable(const Array<T>& value, std::string_view name = {}) {
        return leaf("variable", true, value, name);
    }
    template <Arithmetic S>
    Variable<T> variable(S value, std::string_view name = {}) {
        return leaf("variable", true, static_cast<T>(value), name);
    }
    template <class E>
    Variable<T> variable(const xt::xexpression<E>& value, std::string_view name = {}) {
        return leaf("variable", true, value.derived_cast(), name);
    }
    Variable<T> variable(std::initializer_list<std::initializer_list<T>> rows, std::string_view name = {}) {
        return leaf("variable", true, matrix<T>(rows), name);
    }
    Variable<T> variable(std::initializer_list<std::initializer_list<std::initializer_list<T>>> values,
                         std::string_view name = {}) {
        return leaf("variable", true, matrices<T>(values), name);
    }

    /// A leaf without a gradient.
    Variable<T> constant(const Array<T>& value, std::string_view name = {}) {
        return leaf("constant", false, value, name);
    }
    template <Arithmetic S>
    Variable<T> constant(S value, std::string_view name = {}) {
        return leaf("constant", false, static_cast<T>(value), name);
    }
    template <class E>
    Variable<T> constant(const xt::xexpression<E>& value, std::string_view name = {}) {
        return leaf("constant", false, value.derived_cast(), name);
    }
    Variable<T> constant(std::initializer_list<std::initializer_list<T>> rows, std::string_view name = {}) {
        return leaf("constant", false, matrix<T>(rows), name);
    }
    Variable<T> constant(std::initializer_list<std::initializer_list<std::initializer_list<T>>> values,
                         std::string_view name = {}) {
        return leaf("constant", false, matrices<T>(values), name);
    }

    /// The leaf of a parameter: one per parameter and recording, so that the gradients of tied weights add up. The
    /// array is not copied; `Parameter::edit` before `backward` is found and reported.
    Variable<T> watch(const Parameter<T>& parameter) { return reel_.watch(parameter); }

    /// The derivative of y by every leaf. y must have one element, or a seed of y's shape must be given: the result is
    /// then the derivative of `sum(seed * y)`. Inner adjoints are recycled on the way unless they are to be kept.
    /// Throws `std::invalid_argument` for a bad shape, `GradientError` for a parameter changed since it was recorded,
    /// for a y that no gradient flows from (recorded under `pause`, detached, made of constants only), and for a
    /// constant that is to be kept.
    Gradients<T> backward(const Variable<T>& y, const Keep<T>& keep = {});
    Gradients<T> backward(const Variable<T>& y, const Array<T>& seed, const Keep<T>& keep = {});

    /// The same for several outputs at once: the derivative of the sum of every `sum(seeds[k] * ys[k])`.
    Gradients<T> backward(const std::vector<Variable<T>>& ys, const std::vector<Array<T>>& seeds,
                          const Keep<T>& keep = {});

    /// Forgets the recording and keeps its memory. Variables from before throw when they are used.
    void rewind() { reel_.rewind(); }

    /// While the returned guard lives, operations compute values and record no rules.
    class [[nodiscard]] Pause {
      public:
        explicit Pause(Tape& tape) : reel_(tape.reel_) { ++reel_.pauses; }
        ~Pause() { --reel_.pauses; }
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;

      private:
        Reel<T>& reel_;
    };
    Pause pause() { return Pause(*this); }
    bool records() const { return reel_.pauses == 0; }

    /// While on, the first operation that makes a number that is not finite, forward or backward, throws
    /// `NonfiniteError`: the operation, the index, the operands with their values there, and the likely reason. The
    /// operation does not become part of the recording, which stays as it was before.
    void trap_nonfinite(bool on);

    /// Gives a variable a name, for prints and messages, and returns it.
    Variable<T> name(const Variable<T>& x, std::string_view name);

    /// The number of nodes.
    std::size_t size() const { return reel_.size(); }

    /// For an operation of one's own: a copy that lives as long as the recording, so that a rule may capture it without
    /// owning memory; and room for n numbers, as long.
    template <class U>
    std::span<const U> store(std::span<const U> values) {
        const std::span<U> copy = allocate<U>(values.size());
        std::copy(values.begin(), values.end(), copy.begin());
        return copy;
    }
    template <class U>
    std::span<U> allocate(std::size_t n) {
        static_assert(std::is_trivially_copyable_v<U> && std::is_trivially_destructible_v<U>,
                      "objects here are neither made nor destroyed");
        return {static_cast<U*>(reel_.arena.allocate(n * sizeof(U), alignof(U))), n};
    }

  private:
    friend class Reel<T>;

    template <class E>
    Variable<T> leaf(const char* kind, bool requires_gradient, const E& value, std::string_view name) {
        Node<T>& node = reel_.next();
        if constexpr (std::is_same_v<E, T>) {
            resize(node.storage, Shape{});
            node.storage() = value;
        } else if constexpr (std::is_same_v<E, Array<T>>) {
            resize(node.storage, value.shape());
            std::copy_n(value.data(), value.size(), node.storage.data());
        } else {
            node.storage = value;
        }
        return reel_.commit_leaf(node, kind, requires_gradient, name);
    }

    Reel<T> reel_;
};

template <class T>
Tape<T>& Variable<T>::tape() const {
    if (!is_recorded()) throw_not_recorded("tape", *this);
    return *recording_->tape;
}

template <class T>
[[gnu::always_inline]] inline const Array<T>& Variable<T>::value() const {
    return *node().value;
}

template <class T>
const Node<T>& node_at(const Tape<T>& tape, std::uint32_t index) {
    return Reel<T>::of(tape).node(index);
}

template <class T>
Variable<T> variable_at(const Tape<T>& tape, std::uint32_t index) {
    return Reel<T>::of(tape).at(index);
}

extern template class Reel<float>;
extern template class Reel<double>;

}  // namespace autograd
