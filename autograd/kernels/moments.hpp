// Kernels over the mean and the variance of rows, and what is brought to mean 0 and variance 1 by them.
#pragma once

#include <autograd/kernels/sums.hpp>

namespace autograd {

namespace kernels {

/// `sum((x - m)^2) / c` of each row of n elements, m being their mean.
template <class T>
struct Variance : Reduced {
    const Array<T>& x;
    T n, c;
    void evaluate_into(Array<T>& z) const;
};

/// `1 / sqrt(variance + epsilon)` of each row. Throws `std::overflow_error` where the variance of finite numbers is
/// infinite: multiplied by 0, each would become 0.
template <class T>
struct InverseDeviation {
    const Array<T>& x;
    Shape kept;
    T epsilon;
    const Shape& shape() const { return kept; }
    void evaluate_into(Array<T>& z) const;
};

/// `(x - m) / sqrt(variance + epsilon) * w + b` for each row, which have the shape of w and b. Throws as above.
template <class T>
struct LayerNorm {
    const Array<T>&x, &w, &b;
    T epsilon;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& z) const;
};

/// `(g - mean(g) - u * mean(g * u)) * r` for each row, with g = zbar * w and u = (x - m) * r.
template <class T>
struct LayerNormGradient {
    const Array<T>&x, &m, &r, &w, &zbar;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate = false) const;
};

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::InverseDeviation<T> inverse_deviation(const Array<T>& x, const Shape& kept, T epsilon) {
    return {x, kept, epsilon};
}
template <class T>
kernels::LayerNormGradient<T> layer_norm_gradient(const Array<T>& x, const Array<T>& m, const Array<T>& r,
                                                  const Array<T>& w, const Array<T>& zbar) {
    return {x, m, r, w, zbar};
}

}  // namespace autograd
