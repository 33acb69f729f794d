// Kernels over rows of exponentials: softmax and what is made of it, with the maximum subtracted first.
#pragma once

#include <autograd/kernels/sums.hpp>

namespace autograd {

/// What each row of logits should be: a label, or weights for all classes, u, whose sum need not be 1. Lives as long as
/// the recording.
template <class T>
struct Targets {
    std::span<const std::int64_t> labels;  ///< where all weights are those of one class
    std::span<const T> weights;            ///< u, row by row, otherwise
    std::size_t classes;

    bool one_hot() const { return weights.empty(); }
    std::size_t rows() const { return one_hot() ? labels.size() : weights.size() / classes; }
    const T* row(std::size_t i) const { return weights.data() + i * classes; }
    std::size_t label(std::size_t i) const { return static_cast<std::size_t>(labels[i]); }
};

namespace kernels {

/// `exp(x - m) / sum exp(x - m)` of each row, m being its maximum.
template <class T>
struct Softmax {
    const Array<T>& x;
    std::size_t axis;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& z) const;
};

/// The same over the axes of which `kept` has a 1. Where m is -inf it is 0; a single inf has the
/// share 1, several have NaN.
template <class T>
struct ShareOfExponentials {
    const Array<T>& x;
    Shape kept;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& z) const;
};

/// `(x - m) - log(sum exp(x - m))`.
template <class T>
struct LogSoftmax {
    const Array<T>& x;
    std::size_t axis;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& z) const;
};

/// `m + log(sum exp(x - m))` of each row, m being its maximum, or 0 where that is not finite.
template <class T>
struct LogSumExp : Reduced {
    const Array<T>& x;
    void evaluate_into(Array<T>& z) const;
};

/// `z * (zbar - sum zbar z)`.
template <class T>
struct SoftmaxGradient {
    const Array<T>&z, &zbar;
    std::size_t axis;
    const Shape& shape() const { return z.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate = false) const;
};

/// `zbar - exp(z) * sum zbar`.
template <class T>
struct LogSoftmaxGradient {
    const Array<T>&z, &zbar;
    std::size_t axis;
    const Shape& shape() const { return z.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate = false) const;
};

/// p = softmax of the last axis. What the logarithm of p needs, each row's maximum and the sum of its exponentials, is
/// at hand only while p is made; so each row's loss, `-sum u log(p)`, is written to `losses` then, from where the next
/// node takes it.
template <class T>
struct SoftmaxWithLosses {
    const Array<T>& x;
    const Targets<T>& targets;
    std::span<T> losses;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& p) const;
};

/// `scale * losses` for each row, or their sum where the shape is a scalar's.
template <class T>
struct Losses {
    std::span<const T> losses;
    T scale;
    const Shape& shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& z) const;
};

/// `zbar * scale * (p * sum(u) - u)`, zbar being a number or one for each row.
template <class T>
struct Residual {
    const Array<T>&p, &zbar;
    const Targets<T>& targets;
    T scale;
    const Shape& shape() const { return p.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate = false) const;
};

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::ShareOfExponentials<T> share_of_exponentials(const Array<T>& x, const Shape& kept) {
    return {x, kept};
}
template <class T>
kernels::SoftmaxGradient<T> softmax_gradient(const Array<T>& z, const Array<T>& zbar, std::size_t axis) {
    return {z, zbar, axis};
}
template <class T>
kernels::LogSoftmaxGradient<T> log_softmax_gradient(const Array<T>& z, const Array<T>& zbar, std::size_t axis) {
    return {z, zbar, axis};
}
template <class T>
kernels::Residual<T> residual(const Array<T>& p, const Targets<T>& targets, const Array<T>& zbar, T scale) {
    return {p, zbar, targets, scale};
}

}  // namespace autograd
