// Softmax and what is made of it: kernels over the rows along an axis, with xsimd's exp, and the plain formulas that
// they stand for, which a second derivative records instead.
#pragma once

#include <autograd/kernels/kernels.hpp>
#include <autograd/operations.hpp>

namespace autograd {

/// `exp(x - max x) / sum exp(x - max x)`, or its logarithm.
template <class T>
struct Softmax {
    const Array<T>& x;
    std::size_t axis;
    bool logarithm = false;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& z, bool) const;
};

/// `m + log(sum exp(x - m))` of each row, m being its maximum, or 0 where that is not finite.
template <class T>
struct LogSumExp {
    const Array<T>& x;
    Shape kept, shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& z, bool) const;
};

/// `z * (zbar - sum zbar z)`; of the logarithm, `zbar - exp(z) * sum zbar`.
template <class T>
struct SoftmaxGradient {
    const Array<T>&z, &zbar;
    std::size_t axis;
    bool logarithm = false;
    const Shape& shape() const { return z.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate) const;
};

template <class T>
SoftmaxGradient<T> softmax_gradient(const Array<T>& z, const Array<T>& zbar, std::size_t axis) {
    return {z, zbar, axis};
}
template <class T>
Variable<T> softmax_gradient(Variable<T> z, Variable<T> zbar, std::size_t axis) {
    Shape kept = z.shape();
    kept[axis] = 1;
    return z * (zbar - sum_to(zbar * z, kept, kept));
}
template <class T>
SoftmaxGradient<T> log_softmax_gradient(const Array<T>& z, const Array<T>& zbar, std::size_t axis) {
    return {z, zbar, axis, true};
}
template <class T>
Variable<T> log_softmax_gradient(Variable<T> z, Variable<T> zbar, std::size_t axis) {
    Shape kept = z.shape();
    kept[axis] = 1;
    return zbar - exp(z) * sum_to(zbar, kept, kept);
}

// z = exp(x) / sum exp(x)   xbar += z * (zbar - sum zbar z)
template <class T>
auto softmax_rule(Variable<T> x, std::size_t axis) {
    return [x, axis](auto& at) { at.adjoint(x) += softmax_gradient(at.z(), at.zbar(), axis); };
}

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

/// p = softmax of the last axis, and on the way the loss of each row, `-sum u log(p)`.
template <class T>
struct SoftmaxWithLosses {
    const Array<T>& x;
    const Targets<T>& targets;
    std::span<T> losses;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& p, bool) const;
};

/// `scale * losses` for each row, or their sum.
template <class T>
struct Losses {
    std::span<const T> losses;
    T scale;
    const Shape& shape_;
    const Shape& shape() const { return shape_; }
    void evaluate_into(Array<T>& z, bool) const;
};

/// `zbar * scale * (p * sum(u) - u)`, zbar being a number or one for each row.
template <class T>
struct Residual {
    const Array<T>&p, &zbar;
    const Targets<T>& targets;
    T scale;
    const Shape& shape() const { return p.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate) const;
};

template <class T>
Residual<T> residual(const Array<T>& p, const Targets<T>& targets, const Array<T>& zbar, T scale) {
    return {p, zbar, targets, scale};
}
template <class T>
Variable<T> residual(Variable<T> p, const Targets<T>& targets, Variable<T> zbar, T scale);

}  // namespace autograd
