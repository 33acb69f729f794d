// The tape: a list of recorded operations in the order in which they were made, which is a topological order.
#pragma once

#include <autograd/array.hpp>
#include <autograd/error.hpp>
#include <autograd/gradients.hpp>
#include <autograd/parameter.hpp>
#include <autograd/memory/pool.hpp>
#include <autograd/variable.hpp>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace autograd {

template <class T>
class OnArrays;
template <class T>
class OnVariables;

/// How a recorded rule is run: on arrays by `Tape::backward`, on variables by `grad`.
template <class T>
struct RuleTable {
    void (*on_arrays)(const void* rule, OnArrays<T>& at);
    void (*on_variables)(const void* rule, OnVariables<T>& at);  ///< null: the rule is written for arrays only
};

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
    Tape<T>* tape = nullptr;  ///< that it belongs to
};

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
    Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// A leaf that gradients are wanted for. The value is copied: an array, any xtensor expression, or a number.
    Variable<T> variable(const Array<T>& value, std::string_view name = {}) {
        return leaf("variable", true, value, name);
    }
    template <class S>
    requires std::is_arithmetic_v<S> Variable<T> variable(S value, std::string_view name = {}) {
        return leaf("variable", true, static_cast<T>(value), name);
    }
    template <class E>
    Variable<T> variable(const xt::xexpression<E>& value, std::string_view name = {}) {
        return leaf("variable", true, value.derived_cast(), name);
    }

    /// A leaf without a gradient.
    Variable<T> constant(const Array<T>& value, std::string_view name = {}) {
        return leaf("constant", false, value, name);
    }
    template <class S>
    requires std::is_arithmetic_v<S> Variable<T> constant(S value, std::string_view name = {}) {
        return leaf("constant", false, static_cast<T>(value), name);
    }
    template <class E>
    Variable<T> constant(const xt::xexpression<E>& value, std::string_view name = {}) {
        return leaf("constant", false, value.derived_cast(), name);
    }

    /// The leaf of a parameter: one per parameter and recording, so that the gradients of tied weights add up. The
    /// array is not copied; `Parameter::edit` before `backward` is found and reported.
    Variable<T> watch(const Parameter<T>& parameter);

    /// The derivative of y by every leaf. y must have one element, or a seed of y's shape must be given: the result is
    /// then the derivative of `sum(seed * y)`. Inner adjoints are recycled on the way unless they are to be kept.
    /// Throws `std::invalid_argument` for a bad shape, `GradientError` for a parameter changed since it was recorded.
    Gradients<T> backward(const Variable<T>& y, const Keep<T>& keep = {});
    Gradients<T> backward(const Variable<T>& y, const Array<T>& seed, const Keep<T>& keep = {});

    /// The same for several outputs at once: the derivative of the sum of every `sum(seeds[k] * ys[k])`.
    Gradients<T> backward(const std::vector<Variable<T>>& ys, const std::vector<Array<T>>& seeds,
                          const Keep<T>& keep = {});

    /// Forgets the recording and keeps its memory. Variables from before throw when they are used.
    void rewind();

    /// While the returned guard lives, operations compute values and record no rules.
    class [[nodiscard]] Pause {
      public:
        explicit Pause(Tape& tape) : tape_(tape) { ++tape_.pauses_; }
        ~Pause() { --tape_.pauses_; }
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;

      private:
        Tape& tape_;
    };
    Pause pause() { return Pause(*this); }
    bool records() const { return pauses_ == 0; }

    /// While on, the first operation that makes a number that is not finite, forward or backward, throws
    /// `NonfiniteError`: the operation, the index, the operands with their values there, and the likely reason. The
    /// operation does not become part of the recording, which stays as it was before.
    void trap_nonfinite(bool on) { traps_nonfinite_ = on; }

    /// Gives a variable a name, for prints and messages, and returns it.
    Variable<T> name(const Variable<T>& x, std::string_view name);

    /// The number of nodes, and node number `index` in the order of recording.
    std::size_t size() const { return size_; }
    const Node<T>& node(std::uint32_t index) const { return chunks_[index / chunk_size][index % chunk_size]; }
    Variable<T> at(std::uint32_t index) const { return {node(index), index, epoch_}; }
    std::uint32_t epoch() const { return epoch_; }

    /// Throws `VariableError`, beginning with `[operation]`, unless x belongs to the current recording of this tape.
    void check(const char* operation, const Variable<T>& x) const {
        if (!x.on(*this) || x.epoch() != epoch_) throw_foreign(operation, x);
    }

    /// Throws `GradientError` where a parameter was changed since it was watched, and names the operation that needs
    /// it.
    void check_parameters(const char* operation) const;

    /// A copy that lives as long as the recording, so that a rule may capture it without owning memory.
    template <class U>
    std::span<const U> store(std::span<const U> values) {
        auto* copy = static_cast<U*>(arena_.allocate(values.size() * sizeof(U), alignof(U)));
        std::copy(values.begin(), values.end(), copy);
        return {copy, values.size()};
    }
    std::string_view store(std::string_view text);

    /// Room for n numbers, as long.
    template <class U>
    std::span<U> allocate(std::size_t n) {
        return {static_cast<U*>(arena_.allocate(n * sizeof(U), alignof(U))), n};
    }

    /// For `record` (record.hpp): whether an operation on these inputs, which are checked, is to have a rule; the next
    /// node, not yet part of the recording; and the step that makes it so.
    bool wants_rule(const char* operation, std::span<const Variable<T>> inputs) const {
        bool wants = false;
        for (const Variable<T>& input : inputs) {
            check(operation, input);
            wants |= input.node().requires_gradient;
        }
        return wants && records();
    }
    Node<T>& next();
    Variable<T> commit(Node<T>& node, const char* operation, std::span<const Variable<T>> inputs);
    Arena& arena() { return arena_; }
    BufferPool<T>& pool() { return *pool_; }

    static constexpr std::size_t chunk_size = 16;  ///< nodes lie together by so many

  private:
    template <class E>
    Variable<T> leaf(const char* kind, bool requires_gradient, const E& value, std::string_view name) {
        Node<T>& node = next();
        if constexpr (std::is_same_v<E, T>) {
            resize(node.storage, Shape{});
            node.storage() = value;
        } else if constexpr (std::is_same_v<E, Array<T>>) {
            resize(node.storage, value.shape());
            std::copy_n(value.data(), value.size(), node.storage.data());
        } else {
            node.storage = value;
        }
        return commit_leaf(kind, requires_gradient, node, name);
    }
    Variable<T> commit_leaf(const char* kind, bool requires_gradient, Node<T>& node, std::string_view name);
    Gradients<T> walk(std::span<const Variable<T>> ys, std::span<const Array<T>> seeds, const Keep<T>& keep);
    void add_chunk();
    [[noreturn]] void throw_foreign(const char* operation, const Variable<T>& x) const;

    struct Watched {
        Parameter<T> parameter;
        std::uint64_t version;
        std::uint32_t index;
    };

    std::vector<std::unique_ptr<Node<T>[]>> chunks_;  // nodes never move: a rule may record while the tape is walked
    std::size_t size_ = 0;
    std::uint32_t epoch_ = 1;
    int pauses_ = 0;
    bool traps_nonfinite_ = false;
    Arena arena_;
    std::vector<std::uint32_t> leaves_;
    std::span<const Watched> watched() const { return {watched_.data(), watched_count_}; }

    std::vector<Watched> watched_;  // behind the first `watched_count_`, what the recording before had in their places
    std::size_t watched_count_ = 0;
    std::unique_ptr<BufferPool<T>, RetirePool> pool_;
};

template <class T>
inline Tape<T>& Variable<T>::tape() const {
    if (node_ == nullptr) throw_unrecorded();
    return *node_->tape;
}

template <class T>
inline bool Variable<T>::on(const Tape<T>& tape) const {
    return node_ != nullptr && node_->tape == &tape;
}

template <class T>
[[gnu::always_inline]] inline const Array<T>& Variable<T>::value() const {
    tape().check("value", *this);
    return *node_->value;
}

extern template class Tape<float>;
extern template class Tape<double>;

}  // namespace autograd
