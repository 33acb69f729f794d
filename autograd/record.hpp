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

#include <autograd/backward.hpp>
#include <autograd/grad.hpp>
#include <autograd/kernels/matrices.hpp>
#include <autograd/kernels/moves.hpp>
#include <autograd/kernels/sums.hpp>
#include <concepts>
#include <type_traits>

namespace autograd {

/// How a recorded rule is run: on arrays by `Tape::backward`, on variables by `grad`.
template <class T>
struct RuleTable {
    void (*on_arrays)(const void* rule, OnArrays<T>& at);
    void (*on_variables)(const void* rule, OnVariables<T>& at);  ///< null: the rule is written for arrays only
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
/// A rule may capture the inputs, numbers and shapes by value, never another variable, an expression or a reference to
/// an array. Written with `auto& at` it has derivatives of any order; written with `autograd::OnArrays<T>& at` it has
/// the first only.
/// Inside a rule it is `at(x)`, never `x.value()`: on variables the latter is a constant, and the second derivative is
/// lost (`gradgradcheck` says so).
///
/// Throws `VariableError` where an input is stale or of another tape, `std::invalid_argument` where there is no input
/// or the value's shapes do not broadcast; nothing is recorded then.
template <class T, class E, class Rule>
Variable<T> record(const char* operation, std::span<const Variable<T>> inputs, const E& value, Rule&& rule) {
    Reel<T>& reel = Reel<T>::of(operation, inputs);
    const bool with_rule = reel.wants_rule(operation, inputs);
    Node<T>& node = reel.next();
    evaluate(operation, node.storage, value);
    node.elementwise = !Kernel<E, T>;
    if (with_rule) {
        node.rule = reel.arena.make(std::forward<Rule>(rule));
        node.rule_table = &rule_table<T, std::decay_t<Rule>>;
    }
    return reel.commit(node, operation, inputs);
}

template <class T, class E, class Rule>
Variable<T> record(const char* operation, std::initializer_list<Variable<T>> inputs, const E& value, Rule&& rule) {
    return record(operation, std::span<const Variable<T>>(inputs.begin(), inputs.size()), value,
                  std::forward<Rule>(rule));
}

}  // namespace autograd
