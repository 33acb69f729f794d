// What a rule sees when it is run on arrays: `at(y)` is an array, and `at.adjoint(x) += e` evaluates an xtensor
// expression or a kernel straight into the array of x's adjoint.
#pragma once

#include <autograd/kernels/kernel.hpp>
#include <autograd/tape.hpp>

namespace autograd {

[[noreturn]] void throw_rule_error(const char* operation, ShapeView gradient, ShapeView input);

/// adjoint = values, or adjoint += values, summed to its shape where they broadcast it.
template <class T, class E>
void add_expression(const char* operation, Array<T>& adjoint, kernels::Bound<T, E> bound, bool accumulate) {
    const Shape& to = adjoint.shape();
    ShapeView from = bound.shapes[0];
    Shape whole;
    if (!bound.flat())
        from = whole = broadcast_shapes(operation, bound.operands());
    else if (equal_shapes(from, to))
        return bound.write(adjoint.data(), adjoint.size(), accumulate);
    if (!sums_to(from, to)) throw_rule_error(operation, from, to);
    bound.write_rows(adjoint.data(), to, from, accumulate);
}
template <class T>
void add_array(const char* operation, Array<T>& adjoint, const Array<T>& values, bool accumulate);

/// What `Tape::backward` gives, and exact zeros where no output needs a gradient: for derivatives that may be zero, as
/// the Hessian of a linear function is.
template <class T>
Gradients<T> gradients_of(std::span<const Variable<T>> ys, std::span<const Array<T>> seeds, const Keep<T>& keep);

/// The adjoints during a backward pass over arrays. As long as it lives, nothing can be recorded.
template <class T>
struct ArrayWalk {
    const Reel<T>& reel;
    BufferPool<T>& pool;
    AdjointTable<T>& table;
    const Array<T>* zbar;  ///< the adjoint of the node whose rule is run
    typename Reel<T>::Walk walk{reel};
};

/// What a rule sees when it is run on arrays.
template <class T>
class OnArrays {
  public:
    OnArrays(ArrayWalk<T>& walk, std::uint32_t index)
        : walk_(walk), nodes_(walk.reel.nodes()), node_(*nodes_[index]), index_(index) {}
    ~OnArrays() {
        for (Array<T>* array : walk_.table.scratch) walk_.pool.give_back(array);
        walk_.table.scratch.clear();
    }
    OnArrays(const OnArrays&) = delete;
    OnArrays& operator=(const OnArrays&) = delete;

    const Array<T>& operator()(const Variable<T>& x) const { return *nodes_[x.index()]->value; }
    const Array<T>& z() const { return *node_.value; }
    const Array<T>& zbar() const { return *walk_.zbar; }

    /// Whether anyone asks for x's adjoint. `adjoint(x) +=` looks by itself; on variables, where the right-hand side is
    /// recorded before it is added, a rule may ask first.
    bool wants(const Variable<T>& x) const { return nodes_[x.index()]->requires_gradient; }

    /// The expression's value, where a rule needs it whole.
    const Array<T>& evaluate(const Array<T>& e) { return e; }
    template <class E>
    const Array<T>& evaluate(const E& e) {
        const auto& shape = e.shape();
        walk_.table.scratch.push_back(walk_.pool.take(Shape(shape.begin(), shape.end())));
        autograd::evaluate(node_.operation, *walk_.table.scratch.back(), e);
        return *walk_.table.scratch.back();
    }

    /// `at.adjoint(x) += e` is the only place that skips constants, sums a broadcast gradient back to x's shape, checks
    /// the shape, and accumulates: the first contribution by assignment, the later ones by addition.
    class Adjoint {
      public:
        Adjoint(OnArrays& at, const Variable<T>& x) : at_(at), node_(*at.nodes_[x.index()]), index_(x.index()) {}

        template <class E>
        void operator+=(const E& e) const {
            if (!node_.requires_gradient) return;
            if constexpr (std::is_same_v<E, Array<T>>)
                if (&e == walk().zbar && at_.share_with(node_, index_)) return;
            const auto [adjoint, accumulate] = walk().pool.place(walk().table, index_, node_.value->shape());
            if constexpr (AddingKernel<E, T>) {
                if (is_of_shape(e, adjoint.shape())) return e.evaluate_into(adjoint, accumulate);
            } else if constexpr (Kernel<E, T>) {
                if (!accumulate && is_of_shape(e, adjoint.shape())) return e.evaluate_into(adjoint);
            }
            if constexpr (kernels::Fused<E, T> && !std::is_same_v<E, Array<T>>)
                add_expression(at_.node_.operation, adjoint, kernels::Bound<T, E>(e), accumulate);
            else
                add_array(at_.node_.operation, adjoint, at_.evaluate(e), accumulate);
        }

      private:
        ArrayWalk<T>& walk() const { return at_.walk_; }

        OnArrays& at_;
        const Node<T>& node_;
        std::uint32_t index_;
    };
    Adjoint adjoint(const Variable<T>& x) { return {*this, x}; }

  private:
    /// Where zbar itself is the first contribution to an input of its shape, both share one array instead of a copy.
    /// The user's seed is not the pool's to be shared: it is copied first.
    bool share_with(const Node<T>& x, std::uint32_t index) {
        Array<T>*& shared = walk_.table.adjoints[index];
        if (shared != nullptr || !equal_shapes(zbar().shape(), x.value->shape())) return false;
        if (walk_.table.adjoints[index_] == nullptr) {
            Array<T>& copy = walk_.pool.place(walk_.table, index_, zbar().shape()).array;
            std::copy_n(zbar().data(), zbar().size(), copy.data());
        }
        shared = walk_.table.adjoints[index_];
        walk_.pool.share(shared);
        return true;
    }

    ArrayWalk<T>& walk_;
    Node<T>* const* nodes_;
    const Node<T>& node_;
    std::uint32_t index_;
};

/// What single operations add to the adjoints of their inputs: for whoever explains a recording, edge by edge. It knows
/// what is recorded when it is made, and throws `VariableError` for what is recorded later or after a rewind.
template <class T>
class Contributions {
  public:
    explicit Contributions(const Tape<T>& tape);
    ~Contributions();
    Contributions(const Contributions&) = delete;
    Contributions& operator=(const Contributions&) = delete;

    /// Runs the rule of node `index` alone, for this adjoint of its result. None for a node without a rule. Throws
    /// `std::invalid_argument` where the adjoint does not have the result's shape.
    void run(std::uint32_t index, const Array<T>& zbar);

    /// What the last run gave to a node; null where it gave nothing, or where no gradient is wanted.
    const Array<T>* operator[](std::uint32_t input) const { return table_->adjoints[input]; }

  private:
    const Reel<T>& reel_;
    typename Reel<T>::Identity recording_;
    std::unique_ptr<AdjointTable<T>> table_;
    std::span<const std::uint32_t> inputs_;  // of the node that was run last
};

}  // namespace autograd
