// Kernels over the rows of an array: the elements along the axes that are reduced, which stand side by side.
#pragma once

#include <autograd/kernels/sums.hpp>

namespace autograd {

namespace kernels {

/// The largest number of each row, or the smallest; of a row with a NaN, NaN.
template <class T>
struct Extremum : Reduced {
    const Array<T>& x;
    bool maximum;
    void evaluate_into(Array<T>& z) const;
};

/// `zbar / ties` where x is its row's extremum z, which `ties` elements are; else 0. NaN where z is.
template <class T>
struct TiesShared {
    const Array<T>&x, &z, &zbar;
    Shape kept;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate = false) const;
};

/// The product of each row.
template <class T>
struct RowProduct : Reduced {
    const Array<T>& x;
    void evaluate_into(Array<T>& z) const;
};

/// For each element the product of all others of its row.
template <class T>
struct ExclusiveProduct {
    const Array<T>& x;
    Shape kept;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& z) const;
};

/// `sqrt(sum x^2)` of each row.
template <class T>
struct Norm : Reduced {
    const Array<T>& x;
    void evaluate_into(Array<T>& z) const;
};

/// `zbar * x / z`, z being the row's norm; 0 where it is 0. Of an infinite one, its only infinite number has all of
/// zbar, and several have NaN.
template <class T>
struct NormGradient {
    const Array<T>&x, &z, &zbar;
    Shape kept;
    const Shape& shape() const { return x.shape(); }
    void evaluate_into(Array<T>& xbar, bool accumulate = false) const;
};

}  // namespace kernels

// The names by which rules call them on arrays.
template <class T>
kernels::ExclusiveProduct<T> exclusive_product(const Array<T>& x, const Shape& kept) {
    return {x, kept};
}
template <class T>
kernels::NormGradient<T> norm_gradient(const Array<T>& x, const Array<T>& z, const Array<T>& zbar, const Shape& kept) {
    return {x, z, zbar, kept};
}
template <class T>
kernels::TiesShared<T> share_ties(const Array<T>& x, const Array<T>& z, const Array<T>& zbar, const Shape& kept) {
    return {x, z, zbar, kept};
}

}  // namespace autograd
