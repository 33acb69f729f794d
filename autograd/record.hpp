// How an operation is recorded together with its derivative rule. A rule is a generic lambda that reads as mathematics:
//
//     // z = x * y          xbar += zbar * y        ybar += zbar * x
//     return record("mul", {x, y}, x.value() * y.value(), [x, y](auto& at) {
//         at.adjoint(x) += at.zbar() * at(y);
//         at.adjoint(y) += at.zbar() * at(x);
//     });
//
// Run on arrays (`Tape::backward`), `at(y)` is an array and the right-hand side an xtensor expression that `+=`
// evaluates into the adjoint's buffer. Run on variables (`grad`), `at(y)` is y itself, and the same text records new
// operations.
#pragma once

#include <autograd/kernels/expressions.hpp>
#include <autograd/tape.hpp>
#include <concepts>
#include <type_traits>

namespace autograd {

/// A computation that is not elementwise, named but not done yet: `evaluate_into` writes its result to an array of its
/// shape, or adds it there. Matrix products, sums and gathers are kernels (kernels.hpp).
template <class E, class T>
concept Kernel = requires(const E& e, Array<T>& array) {
    e.evaluate_into(array, true);
    e.shape();
};

/// Whether a kernel's result has this shape; some know it without making their own.
template <class E>
bool is_of_shape(const E& e, ShapeView shape) {
    if constexpr (requires { e.is_of_shape(shape); })
        return e.is_of_shape(shape);
    else
        return equal_shapes(e.shape(), shape);
}

[[noreturn]] void throw_rule_error(const char* operation, ShapeView gradient, ShapeView input);

/// Writes an expression or the result of a kernel to `array`, which takes its shape. Throws `std::invalid_argument`
/// that begins with `[operation]` where shapes do not broadcast.
template <class T, class E>
void evaluate(const char* operation, Array<T>& array, const E& e) {
    if constexpr (Kernel<E, T>) {
        if (!is_of_shape(e, array.shape())) reshape_storage(array, e.shape());
        e.evaluate_into(array, false);
    } else if constexpr (expressions::Fused<E, T>) {
        expressions::Bound<T, E> bound(e);
        if (bound.flat()) {
            resize(array, bound.shapes[0]);
            return bound.write(array.data(), array.size(), false);
        }
        resize(array, broadcast_shapes(operation, bound.operands()));
        bound.write_rows(array.data(), array.shape(), array.shape(), false);
    } else {
        try {
            xt::noalias(array) = e;
        } catch (const xt::broadcast_error&) {
            throw std::invalid_argument(std::string("[") + operation + "] shapes do not broadcast");
        }
    }
}

/// Whether an array of shape `to` broadcasts to `from`, so that a gradient of shape `from` can be summed to `to`.
bool sums_to(ShapeView from, ShapeView to);

/// adjoint = values, or adjoint += values, summed to its shape where they broadcast it.
template <class T, class E>
void add_expression(const char* operation, Array<T>& adjoint, expressions::Bound<T, E> bound, bool accumulate) {
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

/// The adjoints during a backward pass over arrays.
template <class T>
struct ArrayWalk {
    const Tape<T>& tape;
    BufferPool<T>& pool;
    AdjointTable<T>& table;
    const Array<T>* zbar;  ///< the adjoint of the node whose rule is run
};

/// What a rule sees when it is run on arrays.
template <class T>
class OnArrays {
  public:
    OnArrays(ArrayWalk<T>& walk, std::uint32_t index) : walk_(walk), node_(walk.tape.node(index)), index_(index) {}
    ~OnArrays() {
        for (Array<T>* array : walk_.table.scratch) walk_.pool.give_back(array);
        walk_.table.scratch.clear();
    }
    OnArrays(const OnArrays&) = delete;
    OnArrays& operator=(const OnArrays&) = delete;

    const Array<T>& operator()(const Variable<T>& x) const { return *x.node().value; }
    const Array<T>& z() const { return *node_.value; }
    const Array<T>& zbar() const { return *walk_.zbar; }

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
        Adjoint(OnArrays& at, const Variable<T>& x) : at_(at), node_(x.node()), index_(x.index()) {}

        template <class E>
        void operator+=(const E& e) const {
            if (!node_.requires_gradient) return;
            if constexpr (std::is_same_v<E, Array<T>>)
                if (&e == walk().zbar && at_.share_with(node_, index_)) return;
            const auto [adjoint, accumulate] = walk().pool.place(walk().table, index_, node_.value->shape());
            if constexpr (Kernel<E, T>)
                if (is_of_shape(e, adjoint.shape())) return e.evaluate_into(adjoint, accumulate);
            if constexpr (expressions::Fused<E, T> && !std::is_same_v<E, Array<T>>)
                add_expression(at_.node_.operation, adjoint, expressions::Bound<T, E>(e), accumulate);
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
    /// zbar itself is the first contribution to an input of its shape: its array is shared instead of copied; a seed's
    /// copy is.
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
    const Node<T>& node_;
    std::uint32_t index_;
};

/// The adjoints during a backward pass that is itself recorded.
template <class T>
struct VariableWalk {
    Tape<T>& tape;
    std::vector<Variable<T>> adjoints;  ///< by node; `index` 0 of no tape: none yet
    std::vector<char> wanted;           ///< whether it is one of the nodes that lead from the variables asked for
};

/// What a rule sees when it is run on variables.
template <class T>
class OnVariables {
  public:
    OnVariables(VariableWalk<T>& walk, std::uint32_t index) : walk_(walk), index_(index) {}

    const Variable<T>& operator()(const Variable<T>& x) const { return x; }
    Variable<T> z() const { return walk_.tape.at(index_); }
    const Variable<T>& zbar() const { return walk_.adjoints[index_]; }
    Variable<T> evaluate(const Variable<T>& e) const { return e; }

    class Adjoint {
      public:
        Adjoint(OnVariables& at, std::uint32_t input) : at_(at), input_(input) {}

        /// `e` is a variable, or becomes one where its value is wanted.
        template <class E>
        void operator+=(const E& e) const {
            if (input_ < at_.walk_.wanted.size() && at_.walk_.wanted[input_]) add(e);
        }

      private:
        void add(const Variable<T>& e) const;

        OnVariables& at_;
        std::uint32_t input_;
    };
    Adjoint adjoint(const Variable<T>& x) { return {*this, x.index()}; }

  private:
    VariableWalk<T>& walk_;
    std::uint32_t index_;
};

template <class T, class Rule>
inline constexpr RuleTable<T> rule_table = {
    [](const void* rule, OnArrays<T>& at) { (*static_cast<const Rule*>(rule))(at); },
    [] {
        void (*on_variables)(const void*, OnVariables<T>&) = nullptr;
        if constexpr (std::is_invocable_v<const Rule&, OnVariables<T>&>)
            on_variables = [](const void* rule, OnVariables<T>& at) { (*static_cast<const Rule*>(rule))(at); };
        return on_variables;
    }(),
};

/// Records `z = operation(inputs)`. `value` is an xtensor expression or a kernel, evaluated at once into the node's own
/// memory; `rule` says how z's adjoint flows to the inputs' and is called as `rule(at)`.
///
/// A rule may capture variables, numbers and shapes by value, never an expression or a reference to an array. Written
/// with `auto& at` it has derivatives of any order; written with `autograd::OnArrays<T>& at` it has the first only.
///
/// Throws `VariableError` where an input is stale or of another tape, `std::invalid_argument` where the value's shapes
/// do not broadcast; nothing is recorded then.
template <class T, class E, class Rule>
Variable<T> record(const char* operation, std::span<const Variable<T>> inputs, const E& value, Rule&& rule) {
    Tape<T>& tape = inputs.front().tape();
    const bool with_rule = tape.wants_rule(operation, inputs);
    Node<T>& node = tape.next();
    evaluate(operation, node.storage, value);
    if (with_rule) {
        node.rule = tape.arena().make(std::forward<Rule>(rule));
        node.rule_table = &rule_table<T, std::decay_t<Rule>>;
    }
    return tape.commit(node, operation, inputs);
}

template <class T, class E, class Rule>
Variable<T> record(const char* operation, std::initializer_list<Variable<T>> inputs, const E& value, Rule&& rule) {
    return record(operation, std::span<const Variable<T>>(inputs.begin(), inputs.size()), value,
                  std::forward<Rule>(rule));
}

}  // namespace autograd
