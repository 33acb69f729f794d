// Arrays, xtensor expressions and numbers beside variables: they count as constants.
#pragma once

#include <autograd/operations.hpp>

namespace autograd {

/// What may stand beside a variable.
template <class C>
concept Constant = Expression<C> || std::is_arithmetic_v<std::remove_cvref_t<C>>;

template <class X>
inline constexpr bool is_variable = false;
template <class T>
inline constexpr bool is_variable<Variable<T>> = true;

/// Variables and constants, at least one of each.
template <class... X>
concept Mixed = (Constant<X> || ...) && (is_variable<std::remove_cvref_t<X>> || ...) &&
                ((Constant<X> || is_variable<std::remove_cvref_t<X>>)&&...);

template <class T>
Variable<T> beside(const Variable<T>&, const Variable<T>& y) {
    return y;
}
/// The constant on x's tape.
template <class T, Constant C>
Variable<T> beside(const Variable<T>& x, const C& c) {
    if constexpr (Expression<C>)
        return x.tape().constant(as_numbers<T>(c));
    else
        return x.tape().constant(c);
}

/// Calls f with variables alone.
template <class F, class... X>
auto with_constants(F f, const X&... xs) {
    const auto first = [](const auto& self, const auto& x, const auto&... others) {
        if constexpr (is_variable<std::remove_cvref_t<decltype(x)>>)
            return x;
        else
            return self(self, others...);
    };
    const auto x = first(first, xs...);
    return f(beside(x, xs)...);
}

template <class T, Constant C>
Variable<T> maximum(Variable<T> x, C&& c) {
    return maximum(x, beside(x, c));
}
template <class T, Constant C>
Variable<T> maximum(C&& c, Variable<T> x) {
    return maximum(beside(x, c), x);
}
template <class T, Constant C>
Variable<T> minimum(Variable<T> x, C&& c) {
    return minimum(x, beside(x, c));
}
template <class T, Constant C>
Variable<T> minimum(C&& c, Variable<T> x) {
    return minimum(beside(x, c), x);
}
template <class T, Expression E>
Variable<T> pow(Variable<T> x, E&& exponents) {
    return pow(x, beside(x, exponents));
}
template <class T, Constant C>
Variable<T> pow(C&& base, Variable<T> x) {
    return pow(beside(x, base), x);
}
template <class X, class Y>
requires Mixed<X, Y>
auto logaddexp(X&& x, Y&& y) {
    return with_constants([](auto... v) { return logaddexp(v...); }, x, y);
}
template <class A, class B>
requires Mixed<A, B>
auto matmul(A&& a, B&& b) {
    return with_constants([](auto... v) { return matmul(v...); }, a, b);
}
template <class A, class B>
requires Mixed<A, B>
auto solve(A&& a, B&& b) {
    return with_constants([](auto... v) { return solve(v...); }, a, b);
}
template <class X, class W>
requires Mixed<X, W>
auto linear(X&& x, W&& weight) {
    return with_constants([](auto... v) { return linear(v...); }, x, weight);
}
template <class X, class W, class B>
requires Mixed<X, W, B>
auto linear(X&& x, W&& weight, B&& bias) {
    return with_constants([](auto... v) { return linear(v...); }, x, weight, bias);
}
template <class X, class W, class B>
requires Mixed<X, W, B>
auto layer_norm(X&& x, W&& weight, B&& bias, double epsilon = 1e-5) {
    return with_constants([=](auto... v) { return layer_norm(v..., epsilon); }, x, weight, bias);
}
template <class X, class Y>
requires Mixed<X, Y>
auto mean_squared_error(X&& prediction, Y&& target, Reduction reduction = Reduction::mean) {
    return with_constants([=](auto... v) { return mean_squared_error(v..., reduction); }, prediction, target);
}
template <class X, class Y>
requires Mixed<X, Y>
auto binary_cross_entropy_with_logits(X&& logits, Y&& targets, Reduction reduction = Reduction::mean) {
    return with_constants([=](auto... v) { return binary_cross_entropy_with_logits(v..., reduction); }, logits,
                          targets);
}
template <class X, class Y>
requires Mixed<X, Y>
auto mean_absolute_error(X&& prediction, Y&& target, Reduction reduction = Reduction::mean) {
    return with_constants([=](auto... v) { return mean_absolute_error(v..., reduction); }, prediction, target);
}
template <class X, class Y>
requires Mixed<X, Y>
auto huber_loss(X&& prediction, Y&& target, Reduction reduction = Reduction::mean, double delta = 1) {
    return with_constants(
        [=]<class T>(Variable<T> x, Variable<T> y) { return huber_loss(x, y, reduction, static_cast<T>(delta)); },
        prediction, target);
}
template <class X, class Y>
requires(Mixed<X, Y> && !std::same_as<std::remove_cvref_t<Y>, Indices>) auto hinge_loss(
    X&& scores, Y&& targets, Reduction reduction = Reduction::mean, double margin = 1) {
    return with_constants(
        [=]<class T>(Variable<T> x, Variable<T> y) { return hinge_loss(x, y, reduction, static_cast<T>(margin)); },
        scores, targets);
}
template <class X, class Y>
requires Mixed<X, Y>
auto kl_divergence(X&& log_probabilities, Y&& probabilities, Reduction reduction = Reduction::mean) {
    return with_constants([=](auto... v) { return kl_divergence(v..., reduction); }, log_probabilities, probabilities);
}

// Each names a variable, so that it is closer than xtensor's own `where`.
template <class T, Constant C>
Variable<T> where(Variable<T> condition, Variable<T> x, C&& y) {
    return where(condition, x, beside(condition, y));
}
template <class T, Constant C>
Variable<T> where(Variable<T> condition, C&& x, Variable<T> y) {
    return where(condition, beside(condition, x), y);
}
template <class T, Constant C, Constant D>
Variable<T> where(Variable<T> condition, C&& x, D&& y) {
    return where(condition, beside(condition, x), beside(condition, y));
}
template <class T, Expression E, Constant C>
Variable<T> where(E&& condition, Variable<T> x, C&& y) {
    return where(beside(x, condition), x, beside(x, y));
}
template <class T, Expression E, Constant C>
Variable<T> where(E&& condition, C&& x, Variable<T> y) {
    return where(beside(y, condition), beside(y, x), y);
}

// Comparisons: 1 where they hold, else 0, as `where` and masks take them. No gradient flows through them.
template <class T>
Variable<T> operator>(Variable<T> x, Variable<T> y) {
    return greater(x, y);
}
template <class T>
Variable<T> operator<(Variable<T> x, Variable<T> y) {
    return greater(y, x);
}
template <class T>
Variable<T> operator>=(Variable<T> x, Variable<T> y) {
    return greater_equal(x, y);
}
template <class T>
Variable<T> operator<=(Variable<T> x, Variable<T> y) {
    return greater_equal(y, x);
}
template <class T, Constant C>
Variable<T> operator>(Variable<T> x, C&& c) {
    return greater(x, beside(x, c));
}
template <class T, Constant C>
Variable<T> operator<(Variable<T> x, C&& c) {
    return greater(beside(x, c), x);
}
template <class T, Constant C>
Variable<T> operator>=(Variable<T> x, C&& c) {
    return greater_equal(x, beside(x, c));
}
template <class T, Constant C>
Variable<T> operator<=(Variable<T> x, C&& c) {
    return greater_equal(beside(x, c), x);
}
template <class T, Constant C>
Variable<T> operator>(C&& c, Variable<T> x) {
    return greater(beside(x, c), x);
}
template <class T, Constant C>
Variable<T> operator<(C&& c, Variable<T> x) {
    return greater(x, beside(x, c));
}
template <class T, Constant C>
Variable<T> operator>=(C&& c, Variable<T> x) {
    return greater_equal(beside(x, c), x);
}
template <class T, Constant C>
Variable<T> operator<=(C&& c, Variable<T> x) {
    return greater_equal(x, beside(x, c));
}

}  // namespace autograd
