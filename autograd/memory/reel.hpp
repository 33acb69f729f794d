// The machinery of a tape: where its nodes lie, and the steps by which a node becomes part of a recording.
#pragma once

#include <autograd/error.hpp>
#include <autograd/memory/arena.hpp>
#include <autograd/memory/pool.hpp>
#include <autograd/memory/recording.hpp>
#include <autograd/node.hpp>
#include <autograd/parameter.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace autograd {

template <class T>
struct ArrayWalk;

/// Looks for numbers that are not finite, and throws where one is (check/nonfinite.cpp).
template <class T>
struct Trap {
    void (*look_at_value)(const Tape<T>& tape, const Node<T>& node);
    void (*look_at_adjoints)(const ArrayWalk<T>& walk, std::uint32_t index);
};

/// What stands behind a tape, and all that others may reach of it and of a variable's insides.
template <class T>
class Reel {
  public:
    explicit Reel(Tape<T>& tape) : pool(new BufferPool<T>), tape_(tape), recording_(&Recording<T>::take(tape)) {}
    ~Reel() { recording_->give_back(); }
    Reel(const Reel&) = delete;
    Reel& operator=(const Reel&) = delete;

    static Reel& of(Tape<T>& tape) { return tape.reel_; }
    static const Reel& of(const Tape<T>& tape) { return tape.reel_; }
    /// Of the tape that the first input is recorded on. Throws `VariableError`, beginning with `[operation]`, where it
    /// is recorded no more, and `std::invalid_argument` where there is none.
    static Reel& of(const char* operation, std::span<const Variable<T>> inputs) {
        if (inputs.empty()) throw_no_inputs(operation);
        const Variable<T>& first = inputs.front();
        if (!first.is_recorded()) Variable<T>::throw_not_recorded(operation, first);
        return first.recording_->tape->reel_;
    }

    [[noreturn]] static void throw_no_inputs(const char* operation);

    Tape<T>& tape() const { return tape_; }
    std::size_t size() const { return size_; }
    Node<T>& node(std::uint32_t index) { return *nodes_[index]; }
    const Node<T>& node(std::uint32_t index) const { return *nodes_[index]; }
    /// All of them, where they lie until the next is recorded.
    Node<T>* const* nodes() const { return nodes_.data(); }
    Variable<T> at(std::uint32_t index) const { return {*recording_, index}; }

    /// What tells one recording from every other.
    struct Identity {
        const Recording<T>* recording;
        std::uint32_t number;
        bool holds(const Variable<T>& x) const { return x.recording_ == recording && x.number_ == number; }
        /// Of a node, as long as it is recorded.
        std::string name(std::uint32_t index) const {
            return recording->now() == number ? std::string(recording->nodes[index]->name) : "";
        }
    };
    Identity identity() const { return {recording_, recording_->now()}; }

    /// As long as one lives, arrays are walked, and nothing can be recorded.
    class Walk {
      public:
        explicit Walk(const Reel& reel) : reel_(reel) { ++reel_.walks_; }
        ~Walk() { --reel_.walks_; }
        Walk(const Walk&) = delete;
        Walk& operator=(const Walk&) = delete;

      private:
        const Reel& reel_;
    };

    /// Throws `VariableError`, beginning with `[operation]`, unless x belongs to what is recorded now.
    void check(const char* operation, const Variable<T>& x) const {
        if (!identity().holds(x)) throw_foreign(operation, x);
    }

    /// Throws `GradientError` where a parameter was changed since it was watched, and names the operation that needs
    /// it.
    void check_parameters(const char* operation) const;

    /// Checks the inputs, and says whether an operation on them is to have a rule.
    bool wants_rule(const char* operation, std::span<const Variable<T>> inputs) const {
        bool wants = false;
        for (const Variable<T>& input : inputs) {
            check(operation, input);
            wants |= node(input.index()).requires_gradient;
        }
        return wants && pauses == 0;
    }
    /// The next node, not yet part of the recording; and the steps that make it so.
    Node<T>& next();
    Variable<T> commit(Node<T>& node, const char* operation, std::span<const Variable<T>> inputs);
    Variable<T> commit_leaf(Node<T>& node, const char* kind, bool requires_gradient, std::string_view name);

    Variable<T> watch(const Parameter<T>& parameter);
    void rewind();

    void name(std::uint32_t index, std::string_view name);

    /// A variable in words: `%2 = mul(%0, %1)`; `variable "x" (%0)` of the recording before, whose names are kept for
    /// it.
    static std::string described(const Variable<T>& x);

    struct Watched {
        Parameter<T> parameter;
        std::uint64_t version;
        std::uint32_t index;
    };
    std::span<const Watched> watched() const { return {watched_.data(), watched_count_}; }

    Arena arena;
    std::unique_ptr<BufferPool<T>, RetirePool> pool;
    std::vector<std::uint32_t> leaves;  ///< that gradients are wanted for
    int pauses = 0;                     ///< guards that live: no rules are recorded meanwhile
    const Trap<T>* trap = nullptr;

  private:
    void add_chunk();
    std::string_view name_before(std::uint32_t index) const;
    [[noreturn]] static void throw_foreign(const char* operation, Variable<T> x);

    Tape<T>& tape_;
    Recording<T>* recording_;
    std::vector<std::unique_ptr<Node<T>[]>> chunks_;  // nodes never move: a rule may record while the tape is walked
    std::vector<Node<T>*> nodes_;
    std::size_t size_ = 0;
    mutable int walks_ = 0;
    struct Names {
        Arena letters;
        std::vector<std::pair<std::uint32_t, std::string_view>> of_nodes;
    };
    Names names_[2];  // what the user called leaves and results; and those of the recording before
    int names_now_ = 0;
    std::vector<Watched> watched_;  // behind the first `watched_count_`, what the recording before had in their places
    std::size_t watched_count_ = 0;
};

}  // namespace autograd
