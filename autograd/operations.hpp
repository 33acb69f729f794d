// All operations on variables. They broadcast as NumPy does, and throw `std::invalid_argument` or `std::out_of_range`
// with a message that begins with `[operation]` where shapes, axes or indices do not fit.
#pragma once

#include <autograd/kernels/functors.hpp>
#include <autograd/operations/choices.hpp>
#include <autograd/tape.hpp>
#include <autograd/window.hpp>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <span>

namespace autograd {

// ---- elementwise ---------------------------------------------------------------------------------------------------

template <class T>
Variable<T> operator+(Variable<T> x, Variable<T> y);
template <class T>
Variable<T> operator-(Variable<T> x, Variable<T> y);
template <class T>
Variable<T> operator*(Variable<T> x, Variable<T> y);
template <class T>
Variable<T> operator/(Variable<T> x, Variable<T> y);
template <class T>
Variable<T> operator+(Variable<T> x, std::type_identity_t<T> c);
template <class T>
Variable<T> operator*(Variable<T> x, std::type_identity_t<T> c);
template <class T>
Variable<T> operator-(std::type_identity_t<T> c, Variable<T> x);
template <class T>
Variable<T> operator/(std::type_identity_t<T> c, Variable<T> x);
template <class T>
Variable<T> operator-(Variable<T> x);
template <class T>
Variable<T> operator-(Variable<T> x, std::type_identity_t<T> c) {
    return x + (-c);
}
template <class T>
Variable<T> operator/(Variable<T> x, std::type_identity_t<T> c);
template <class T>
Variable<T> operator+(std::type_identity_t<T> c, Variable<T> x) {
    return x + c;
}
template <class T>
Variable<T> operator*(std::type_identity_t<T> c, Variable<T> x) {
    return x * c;
}

// An array or any xtensor expression beside a variable is a constant.
template <class T, Expression E>
Variable<T> operator+(Variable<T> x, E&& e) {
    return x + x.tape().constant(e);
}
template <class T, Expression E>
Variable<T> operator-(Variable<T> x, E&& e) {
    return x - x.tape().constant(e);
}
template <class T, Expression E>
Variable<T> operator*(Variable<T> x, E&& e) {
    return x * x.tape().constant(e);
}
template <class T, Expression E>
Variable<T> operator/(Variable<T> x, E&& e) {
    return x / x.tape().constant(e);
}
template <class T, Expression E>
Variable<T> operator+(E&& e, Variable<T> x) {
    return x.tape().constant(e) + x;
}
template <class T, Expression E>
Variable<T> operator-(E&& e, Variable<T> x) {
    return x.tape().constant(e) - x;
}
template <class T, Expression E>
Variable<T> operator*(E&& e, Variable<T> x) {
    return x.tape().constant(e) * x;
}
template <class T, Expression E>
Variable<T> operator/(E&& e, Variable<T> x) {
    return x.tape().constant(e) / x;
}

template <class T>
Variable<T> exp(Variable<T> x);
template <class T>
Variable<T> expm1(Variable<T> x);
template <class T>
Variable<T> log(Variable<T> x);
template <class T>
Variable<T> log1p(Variable<T> x);
/// Its derivative at 0 is +inf.
template <class T>
Variable<T> sqrt(Variable<T> x);
/// Its derivative at 0 is 0.
template <class T>
Variable<T> abs(Variable<T> x);
/// -1, 0 or 1; its derivative is 0.
template <class T>
Variable<T> sign(Variable<T> x);
template <class T>
Variable<T> sin(Variable<T> x);
template <class T>
Variable<T> cos(Variable<T> x);
template <class T>
Variable<T> tanh(Variable<T> x);
template <class T>
Variable<T> erf(Variable<T> x);
/// 1 / (1 + exp(-x)).
template <class T>
Variable<T> sigmoid(Variable<T> x);
/// max(x, 0); its derivative at 0 is 0.
template <class T>
Variable<T> relu(Variable<T> x);
/// log(1 + exp(x)).
template <class T>
Variable<T> softplus(Variable<T> x);
/// x * Phi(x) with the normal distribution's Phi(x) = (1 + erf(x / sqrt(2))) / 2 (Hendrycks and Gimpel, 2016).
template <class T>
Variable<T> gelu(Variable<T> x);
/// gelu's approximation x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2.
template <class T>
Variable<T> gelu_tanh(Variable<T> x);
/// x * sigmoid(x).
template <class T>
Variable<T> silu(Variable<T> x);
/// x where x > 0, else slope * x, whose derivative holds at 0 too. The slope is finite.
template <class T>
Variable<T> leaky_relu(Variable<T> x, std::type_identity_t<T> slope = T(0.01));
/// x where x > 0, else alpha * (exp(x) - 1), whose derivative holds at 0 too.
template <class T>
Variable<T> elu(Variable<T> x, std::type_identity_t<T> alpha = T(1));
/// The constant exponent never touches log, so that negative bases work.
template <class T>
Variable<T> pow(Variable<T> x, std::type_identity_t<T> exponent);
/// The gradient by x is 0 where y is 0; the gradient by y is 0 where x is 0, NaN if y < 0 there.
template <class T>
Variable<T> pow(Variable<T> x, Variable<T> y);
/// log(exp(x) + exp(y)), without overflow; two of -inf give -inf with a gradient of 0.
template <class T>
Variable<T> logaddexp(Variable<T> x, Variable<T> y);
/// Where both are equal each gets half of the gradient.
template <class T>
Variable<T> maximum(Variable<T> x, Variable<T> y);
template <class T>
Variable<T> minimum(Variable<T> x, Variable<T> y);
/// x held between low and high; the gradient passes on the closed interval.
template <class T>
Variable<T> clip(Variable<T> x, std::type_identity_t<T> low, std::type_identity_t<T> high);
/// A condition as numbers: 1 where it holds, else 0. An array of numbers stays as it is.
template <class T, Expression E>
decltype(auto) as_numbers(const E& condition) {
    if constexpr (std::is_same_v<E, Array<T>>)
        return (condition);
    else
        return xt::cast<T>(condition);
}

/// x where the condition is not 0, else y. The branch that is not taken gets a gradient of exactly 0.
template <class T>
Variable<T> where(Variable<T> condition, Variable<T> x, Variable<T> y);
template <class T, Expression E>
Variable<T> where(E&& condition, Variable<T> x, Variable<T> y) {
    return where(x.tape().constant(as_numbers<T>(condition)), x, y);
}

/// 1 where x > y, else 0; no gradient flows through it. `x > y`, `x < 0` and their like are the same.
template <class T>
Variable<T> greater(Variable<T> x, Variable<T> y);
/// 1 where x >= y, else 0.
template <class T>
Variable<T> greater_equal(Variable<T> x, Variable<T> y);

// ---- reductions: over all axes, or over the axes named; with `keepdims` these stay, of length 1 ------------------

/// One axis, as `sum(x, 1)` names it.
template <class I>
concept Axis = std::integral<I> && !std::same_as<I, bool>;

template <class T>
Variable<T> sum(Variable<T> x);
template <class T>
Variable<T> sum(Variable<T> x, const Axes& axes, bool keepdims = false);
template <class T, Axis I>
Variable<T> sum(Variable<T> x, I axis, bool keepdims = false) {
    return sum(x, Axes{static_cast<std::ptrdiff_t>(axis)}, keepdims);
}
/// The mean of no elements is NaN.
template <class T>
Variable<T> mean(Variable<T> x);
template <class T>
Variable<T> mean(Variable<T> x, const Axes& axes, bool keepdims = false);
template <class T, Axis I>
Variable<T> mean(Variable<T> x, I axis, bool keepdims = false) {
    return mean(x, Axes{static_cast<std::ptrdiff_t>(axis)}, keepdims);
}
/// The mean of (x - mean)^2, divided by n - ddof instead of n; NaN where ddof is larger than n. A negative ddof is
/// refused.
template <class T>
Variable<T> variance(Variable<T> x);
template <class T>
Variable<T> variance(Variable<T> x, const Axes& axes, std::ptrdiff_t ddof = 0, bool keepdims = false);
template <class T, Axis I>
Variable<T> variance(Variable<T> x, I axis, std::ptrdiff_t ddof = 0, bool keepdims = false) {
    return variance(x, Axes{static_cast<std::ptrdiff_t>(axis)}, ddof, keepdims);
}
// `ddof` stands before `keepdims`: `variance(x, {0}, true)` would divide by n - 1.
template <class T, std::same_as<bool> B>
Variable<T> variance(Variable<T> x, const Axes& axes, B, bool = false) = delete;
template <class T, Axis I, std::same_as<bool> B>
Variable<T> variance(Variable<T> x, I axis, B, bool = false) = delete;
/// `(x - m) * r * weight + bias` with m the mean of each row and r = 1 / sqrt(variance + epsilon). Weight and bias have
/// the shape of x's last axes, which are a row. Throws `std::invalid_argument` where they have not, and
/// `std::overflow_error` where the variance of finite numbers is infinite.
template <class T>
Variable<T> layer_norm(Variable<T> x, Variable<T> weight, Variable<T> bias, double epsilon = 1e-5);
/// Exact where x has zeros: its gradient is made of exclusive products. No step overflows where the product does not.
template <class T>
Variable<T> prod(Variable<T> x);
template <class T>
Variable<T> prod(Variable<T> x, const Axes& axes, bool keepdims = false);
template <class T, Axis I>
Variable<T> prod(Variable<T> x, I axis, bool keepdims = false) {
    return prod(x, Axes{static_cast<std::ptrdiff_t>(axis)}, keepdims);
}
/// Tied elements share the gradient evenly. Throws for an array of no elements.
template <class T>
Variable<T> amax(Variable<T> x);
template <class T>
Variable<T> amax(Variable<T> x, const Axes& axes, bool keepdims = false);
template <class T, Axis I>
Variable<T> amax(Variable<T> x, I axis, bool keepdims = false) {
    return amax(x, Axes{static_cast<std::ptrdiff_t>(axis)}, keepdims);
}
template <class T>
Variable<T> amin(Variable<T> x);
template <class T>
Variable<T> amin(Variable<T> x, const Axes& axes, bool keepdims = false);
template <class T, Axis I>
Variable<T> amin(Variable<T> x, I axis, bool keepdims = false) {
    return amin(x, Axes{static_cast<std::ptrdiff_t>(axis)}, keepdims);
}
/// sqrt(sum(x^2)); its derivative at 0 is 0.
template <class T>
Variable<T> norm(Variable<T> x);
template <class T>
Variable<T> norm(Variable<T> x, const Axes& axes, bool keepdims = false);
template <class T, Axis I>
Variable<T> norm(Variable<T> x, I axis, bool keepdims = false) {
    return norm(x, Axes{static_cast<std::ptrdiff_t>(axis)}, keepdims);
}
/// log(sum(exp(x))), without overflow.
template <class T>
Variable<T> logsumexp(Variable<T> x, const Axes& axes, bool keepdims = false);
template <class T, Axis I>
Variable<T> logsumexp(Variable<T> x, I axis, bool keepdims = false) {
    return logsumexp(x, Axes{static_cast<std::ptrdiff_t>(axis)}, keepdims);
}
/// exp(x) / sum(exp(x)) along an axis.
template <class T>
Variable<T> softmax(Variable<T> x, std::ptrdiff_t axis = -1);
/// The same over the elements where the mask, which broadcasts to x, is not 0: the others get 0 and a gradient of 0,
/// and so does a row that is masked altogether.
template <class T>
Variable<T> softmax(Variable<T> x, Variable<T> mask, std::ptrdiff_t axis = -1);
template <class T, Expression E>
Variable<T> softmax(Variable<T> x, E&& mask, std::ptrdiff_t axis = -1) {
    return softmax(x, x.tape().constant(as_numbers<T>(mask)), axis);
}
/// log(softmax(x)), without overflow.
template <class T>
Variable<T> log_softmax(Variable<T> x, std::ptrdiff_t axis = -1);

// ---- shapes --------------------------------------------------------------------------------------------------------

/// A length that is wanted, or -1 for what is left.
struct Length {
    template <std::integral I>
    constexpr Length(I given) : value(static_cast<std::ptrdiff_t>(given)) {}
    std::ptrdiff_t value;
};
/// The shape that is wanted for an array of `size` elements. Throws `std::invalid_argument` where a length is negative,
/// or -1 stands for no number.
Shape shape_of(std::initializer_list<Length> lengths, std::size_t size);

template <class T>
Variable<T> reshape(Variable<T> x, const Shape& shape);
/// `reshape(x, {-1, 3})`
template <class T>
Variable<T> reshape(Variable<T> x, std::initializer_list<Length> lengths) {
    return reshape(x, shape_of(lengths, x.size()));
}
/// An array or an expression whose numbers need not be whole.
template <class E>
concept Fractions = Expression<E> && std::floating_point<typename E::value_type>;

/// Axis i of the result is axis `axes[i]` of x; without axes their order is reversed.
template <class T>
Variable<T> transpose(Variable<T> x, const Axes& axes = {});
/// The last two axes exchanged.
template <class T>
Variable<T> matrix_transpose(Variable<T> x);
template <class T>
Variable<T> broadcast_to(Variable<T> x, const Shape& shape);
/// Without the axes of length 1 that are named, or without all of them.
template <class T>
Variable<T> squeeze(Variable<T> x, const Axes& axes = {});
template <class T, Axis I>
Variable<T> squeeze(Variable<T> x, I axis) {
    return squeeze(x, Axes{static_cast<std::ptrdiff_t>(axis)});
}
template <class T>
Variable<T> expand_dims(Variable<T> x, std::ptrdiff_t axis);
/// `x[start:stop:step]` on one axis, with Python's meaning of negative and of too large numbers.
template <class T>
Variable<T> slice(Variable<T> x, std::ptrdiff_t axis, std::ptrdiff_t start, std::optional<std::ptrdiff_t> stop = {},
                  std::ptrdiff_t step = 1);
/// Zeros before and after on one axis; negative amounts are refused.
template <class T>
Variable<T> pad(Variable<T> x, std::ptrdiff_t axis, std::ptrdiff_t before, std::ptrdiff_t after);
/// `x[..., indices, ...]`: the indices' shape stands in the axis' place; negative ones count from the end.
template <class T>
Variable<T> take(Variable<T> x, const Indices& indices, std::ptrdiff_t axis = 0);
/// One element per index; `indices` has x's shape but for the axis.
template <class T>
Variable<T> take_along_axis(Variable<T> x, const Indices& indices, std::ptrdiff_t axis);
// An index of 1.9 would become 1: what is no integer is cast by who knows that it is whole.
template <class T, Fractions E>
Variable<T> take(Variable<T> x, const E& indices, std::ptrdiff_t axis = 0) = delete;
template <class T, Fractions E>
Variable<T> take_along_axis(Variable<T> x, const E& indices, std::ptrdiff_t axis) = delete;
template <class T>
Variable<T> concatenate(const std::vector<Variable<T>>& parts, std::ptrdiff_t axis = 0);
template <class T>
Variable<T> concatenate(std::initializer_list<Variable<T>> parts, std::ptrdiff_t axis = 0) {
    return concatenate(std::vector<Variable<T>>(parts), axis);
}
template <class T>
Variable<T> concatenate(std::span<const Variable<T>> parts, std::ptrdiff_t axis = 0);
/// Arrays of one shape along a new axis.
template <class T>
Variable<T> stack(const std::vector<Variable<T>>& parts, std::ptrdiff_t axis = 0);
template <class T>
Variable<T> stack(std::initializer_list<Variable<T>> parts, std::ptrdiff_t axis = 0) {
    return stack(std::vector<Variable<T>>(parts), axis);
}

// ---- products ------------------------------------------------------------------------------------------------------

/// `a @ b` as NumPy defines it: matrices (m, k) x (k, n), stacks of them, and vectors on either side.
template <class T>
Variable<T> matmul(Variable<T> a, Variable<T> b);
/// `x @ transpose(weight) + bias`: x (..., in), one axis or more, weight (out, in), bias (out,).
template <class T>
Variable<T> linear(Variable<T> x, Variable<T> weight);
template <class T>
Variable<T> linear(Variable<T> x, Variable<T> weight, Variable<T> bias);

// ---- square matrices (n, n)
// ------------------------------------------------------------------------------------------

// Each throws where its matrix is not square, and where the result does not exist: a matrix is singular where a pivot
// of its elimination is no larger than rounding makes it. A number that is not finite in it makes every result NaN.

/// `sum_i x_ii`
template <class T>
Variable<T> trace(Variable<T> x);
/// The determinant, with derivatives of every order where the matrix is singular, too: its derivative are the
/// cofactors, its second one takes n times the time of the first.
template <class T>
Variable<T> det(Variable<T> x);
/// `log(det(x))` without forming the determinant; throws where that is not positive.
template <class T>
Variable<T> logdet(Variable<T> x);
/// The z of `x @ z = I`; throws where x is singular.
template <class T>
Variable<T> inverse(Variable<T> x);
/// The z of `a @ z = b`, b being a vector (n,) or a matrix (n, m); throws where a is singular.
template <class T>
Variable<T> solve(Variable<T> a, Variable<T> b);
/// The lower triangular z, positive on its diagonal, of `z @ z^T = (x + x^T) / 2`, which is x where x is symmetric;
/// throws where that is not positive definite.
template <class T>
Variable<T> cholesky(Variable<T> x);

// ---- images: (n, channels, height, width) --------------------------------------------------------------------------

/// What a window sees at each of its places, a column for each: (n, channels * kernel height * kernel width, places),
/// the places row by row.
template <class T>
Variable<T> unfold(Variable<T> x, const Window& window);
/// The partner of `unfold`: images of this height and width, to whose pixels the columns are added where a window
/// there would see them.
template <class T>
Variable<T> fold(Variable<T> columns, Extent size, const Window& window);
/// `z[n, o, i, j] = sum_{c, k, l} weight[o, c, k, l] * x[n, c, i * stride + k * dilation - padding, ...] + bias[o]`, x
/// being 0 outside: the product of the weight and `unfold(x)`. The weight is (out, channels / groups, kernel height,
/// kernel width), the bias (out,).
template <class T>
Variable<T> conv2d(Variable<T> x, Variable<T> weight, const Conv2dOptions& options = {});
template <class T>
Variable<T> conv2d(Variable<T> x, Variable<T> weight, Variable<T> bias, const Conv2dOptions& options = {});
/// The largest number that a window sees at each place; the gradient goes to the first of tied ones. A NaN is the
/// largest. At most half of the kernel may be padding.
template <class T>
Variable<T> max_pool2d(Variable<T> x, const Window& window);
/// The mean of what a window sees at each place, the padding's zeros included.
template <class T>
Variable<T> avg_pool2d(Variable<T> x, const Window& window);

// ---- losses --------------------------------------------------------------------------------------------------------

enum class Reduction { none, mean, sum };

struct CrossEntropyOptions {
    Reduction reduction = Reduction::mean;
    std::vector<double> class_weights = {};          ///< one per class, finite and not negative; none: all 1
    double label_smoothing = 0;                      ///< the share of every label that is spread over all classes
    std::optional<std::int64_t> ignored_label = {};  ///< rows with this label do not count
};

/// `-sum_k t_k log(softmax(logits)_k)` for each row: logits (..., classes), labels (...). The mean divides by the
/// summed weight of the rows that count. Derivative: `(p - t)`, scaled.
template <class T>
Variable<T> softmax_cross_entropy(Variable<T> logits, const Indices& labels, const CrossEntropyOptions& options = {});
/// The same for rows of probabilities, of the logits' shape: none is negative.
template <class T>
Variable<T> softmax_cross_entropy(Variable<T> logits, const std::type_identity_t<Array<T>>& probabilities,
                                  const CrossEntropyOptions& options = {});

/// `-t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x))` for targets between 0 and 1 of the logits' shape.
template <class T>
Variable<T> binary_cross_entropy_with_logits(Variable<T> logits, Variable<T> targets,
                                             Reduction reduction = Reduction::mean);
/// `(prediction - target)^2`; the shapes must be equal.
template <class T>
Variable<T> mean_squared_error(Variable<T> prediction, Variable<T> target, Reduction reduction = Reduction::mean);
/// `|prediction - target|`; the shapes must be equal.
template <class T>
Variable<T> mean_absolute_error(Variable<T> prediction, Variable<T> target, Reduction reduction = Reduction::mean);
/// `e^2 / 2` where the error e is at most delta, else `delta * (|e| - delta / 2)`; the shapes must be equal.
template <class T>
Variable<T> huber_loss(Variable<T> prediction, Variable<T> target, Reduction reduction = Reduction::mean,
                       std::type_identity_t<T> delta = T(1));
/// `max(0, margin - target * score)` for targets of -1 and 1, of the scores' shape.
template <class T>
Variable<T> hinge_loss(Variable<T> scores, Variable<T> targets, Reduction reduction = Reduction::mean,
                       std::type_identity_t<T> margin = T(1));
/// For each row `sum_k max(0, margin - score_label + score_k) / classes` over the other classes k: scores (...,
/// classes), labels (...).
template <class T>
Variable<T> hinge_loss(Variable<T> scores, const Indices& labels, Reduction reduction = Reduction::mean,
                       std::type_identity_t<T> margin = T(1));
/// `-log_probability[label]` for each row: (..., classes), labels (...). What the options say of class weights and of
/// an ignored label holds as for `softmax_cross_entropy`; labels cannot be smoothed.
template <class T>
Variable<T> negative_log_likelihood(Variable<T> log_probabilities, const Indices& labels,
                                    const CrossEntropyOptions& options = {});
template <class T, Fractions E>
Variable<T> negative_log_likelihood(Variable<T> log_probabilities, const E& labels,
                                    const CrossEntropyOptions& options = {}) = delete;
/// `sum_k p_k * (log(p_k) - log_q_k)` for each row of log probabilities and of the probabilities p that they should be,
/// 0 log 0 being 0. The mean is over rows.
template <class T>
Variable<T> kl_divergence(Variable<T> log_probabilities, Variable<T> probabilities,
                          Reduction reduction = Reduction::mean);

}  // namespace autograd

// The same with arrays and numbers beside variables.
#include <autograd/constants.hpp>
