#include <fmt/format.h>
#include <autograd/kernels/kernels.hpp>
#include <autograd/operations.hpp>

namespace autograd {

namespace {

/// What `Matrix` is to an array (kernels.hpp): a variable, or the transpose of its last two axes without a copy.
template <class T>
struct VariableMatrix {
    Variable<T> x;
    bool transposed = false;
};
template <class T>
Matrix<T> transposed(const Array<T>& x, bool really = true) {
    return {x, really};
}
template <class T>
VariableMatrix<T> transposed(const Variable<T>& x, bool really = true) {
    return {x, really};
}

/// What `Product` is to arrays: recorded only where it is asked for, as a gradient that nobody wants is not.
template <class T>
struct VariableProduct {
    VariableMatrix<T> a, b;
    operator Variable<T>() const;
};

template <class T>
Product<T> product(Matrix<T> a, Matrix<T> b) {
    return {a, b};
}
template <class T>
VariableProduct<T> product(VariableMatrix<T> a, VariableMatrix<T> b) {
    return {a, b};
}
template <class X>
auto product(const X& a, const X& b) {
    return product(transposed(a, false), transposed(b, false));
}
template <class M, class X>
auto product(const M& a, const X& b) {
    return product(a, transposed(b, false));
}

// z = a @ b            abar += zbar @ b^T          bbar += a^T @ zbar
// z = a^T @ b          abar += b @ zbar^T          bbar += a @ zbar        and likewise for b^T
template <class T>
VariableProduct<T>::operator Variable<T>() const {
    return record("matmul", {a.x, b.x},
                  product(transposed(a.x.value(), a.transposed), transposed(b.x.value(), b.transposed)),
                  [a = a, b = b](auto& at) {
                      const bool i = a.transposed, k = b.transposed;
                      const auto &x = at(a.x), &y = at(b.x), &zbar = at.zbar();
                      at.adjoint(a.x) += i ? product(transposed(y, k), transposed(zbar))
                                           : product(transposed(zbar, false), transposed(y, !k));
                      at.adjoint(b.x) += k ? product(transposed(zbar), transposed(x, i))
                                           : product(transposed(x, !i), transposed(zbar, false));
                  });
}

}  // namespace

template <class T>
Variable<T> matmul(Variable<T> a, Variable<T> b) {
    if (a.dimension() == 0 || b.dimension() == 0)
        throw std::invalid_argument(fmt::format("[matmul] a scalar has no matrix product: {} x {}",
                                                to_string(a.shape()), to_string(b.shape())));
    if (a.dimension() == 1) {
        const Variable<T> z = matmul(expand_dims(a, 0), b);
        return b.dimension() == 1 ? reshape(z, Shape{}) : squeeze(z, {-2});
    }
    if (b.dimension() == 1) return squeeze(matmul(a, expand_dims(b, 1)), {-1});
    return product(a, b);
}

namespace {

template <class T>
Affine<T> affine(const Array<T>& x, const Array<T>& weight, const Array<T>* bias) {
    if (weight.dimension() != 2 || x.dimension() < 2 || x.shape().back() != weight.shape()[1])
        throw std::invalid_argument(
            fmt::format("[linear] an input of shape {} does not fit a weight of shape {} (out, in)",
                        to_string(x.shape()), to_string(weight.shape())));
    if (bias != nullptr && (bias->dimension() != 1 || bias->shape()[0] != weight.shape()[0]))
        throw std::invalid_argument(
            fmt::format("[linear] a bias of shape {} does not fit a weight of shape {} (out, in)",
                        to_string(bias->shape()), to_string(weight.shape())));
    return {x, weight, bias};
}

}  // namespace

// z = x @ w^T          xbar += zbar @ w            wbar += zbar^T @ x
template <class T>
Variable<T> linear(Variable<T> x, Variable<T> w) {
    return record("linear", {x, w}, affine<T>(x.value(), w.value(), nullptr), [x, w](auto& at) {
        at.adjoint(x) += product(at.zbar(), at(w));
        at.adjoint(w) += product(transposed(at.zbar()), at(x));
    });
}

// z = x @ w^T + b      xbar += zbar @ w            wbar += zbar^T @ x          bbar += zbar
template <class T>
Variable<T> linear(Variable<T> x, Variable<T> w, Variable<T> b) {
    return record("linear", {x, w, b}, affine(x.value(), w.value(), &b.value()), [x, w, b](auto& at) {
        at.adjoint(x) += product(at.zbar(), at(w));
        at.adjoint(w) += product(transposed(at.zbar()), at(x));
        at.adjoint(b) += at.zbar();
    });
}

#define INSTANTIATE(T)                                     \
    template Variable<T> matmul(Variable<T>, Variable<T>); \
    template Variable<T> linear(Variable<T>, Variable<T>); \
    template Variable<T> linear(Variable<T>, Variable<T>, Variable<T>);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
