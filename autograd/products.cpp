#include <fmt/format.h>
#include <autograd/kernels.hpp>
#include <autograd/operations.hpp>

namespace autograd {

// z = a @ b            abar += zbar @ b^T          bbar += a^T @ zbar
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
    return record("matmul", {a, b}, matmul(a.value(), b.value()), [a, b](auto& at) {
        at.adjoint(a) += matmul(at.zbar(), matrix_transpose(at(b)));
        at.adjoint(b) += matmul(matrix_transpose(at(a)), at.zbar());
    });
}

namespace {

void check_linear(const Shape& x, const Shape& weight) {
    if (weight.size() != 2 || x.size() < 2 || x.back() != weight.back())
        throw std::invalid_argument(
            fmt::format("[linear] an input of shape {} does not fit a weight of shape {} (out, in)", to_string(x),
                        to_string(weight)));
}

void check_linear(const Shape& x, const Shape& weight, const Shape& bias) {
    check_linear(x, weight);
    if (bias.size() != 1 || bias.front() != weight.front())
        throw std::invalid_argument(
            fmt::format("[linear] a bias of shape {} does not fit a weight of shape {} (out, in)", to_string(bias),
                        to_string(weight)));
}

}  // namespace

// z = x @ w^T          xbar += zbar @ w            wbar += zbar^T @ x
template <class T>
Variable<T> linear(Variable<T> x, Variable<T> w) {
    check_linear(x.shape(), w.shape());
    return record("linear", {x, w}, Affine<T>{x.value(), w.value(), nullptr}, [x, w](auto& at) {
        at.adjoint(x) += matmul(at.zbar(), at(w));
        at.adjoint(w) += matmul(matrix_transpose(at.zbar()), at(x));
    });
}

// z = x @ w^T + b      xbar += zbar @ w            wbar += zbar^T @ x          bbar += zbar
template <class T>
Variable<T> linear(Variable<T> x, Variable<T> w, Variable<T> b) {
    check_linear(x.shape(), w.shape(), b.shape());
    return record("linear", {x, w, b}, Affine<T>{x.value(), w.value(), &b.value()}, [x, w, b](auto& at) {
        at.adjoint(x) += matmul(at.zbar(), at(w));
        at.adjoint(w) += matmul(matrix_transpose(at.zbar()), at(x));
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
