// Products of matrices. Their three rules close a circle: the gradients of each are products of the three kinds.
#include <fmt/format.h>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <stdexcept>

namespace autograd {

FACTS("matmul", "x @ y", "xbar += zbar @ y^T; ybar += x^T @ zbar");
template <class T>
Variable<T> times(Variable<T> a, Variable<T> b) {
    return record("matmul", {a, b}, times(a.value(), b.value()), [a, b](auto& at) {
        if (at.wants(a)) at.adjoint(a) += times_transposed(at.zbar(), at(b));
        if (at.wants(b)) at.adjoint(b) += transposed_times(at(a), at.zbar());
    });
}
BINARY(times);

constexpr char with_transposed_right[] = "matmul\0with_transposed_right",
               with_transposed_left[] = "matmul\0with_transposed_left", linear_alone[] = "linear\0linear_alone";

FACTS(with_transposed_right, "x @ y^T", "xbar += zbar @ y; ybar += zbar^T @ x");
template <class T>
Variable<T> times_transposed(Variable<T> a, Variable<T> b) {
    return record(with_transposed_right, {a, b}, times_transposed(a.value(), b.value()), [a, b](auto& at) {
        if (at.wants(a)) at.adjoint(a) += times(at.zbar(), at(b));
        if (at.wants(b)) at.adjoint(b) += transposed_times(at.zbar(), at(a));
    });
}
BINARY(times_transposed);

FACTS(with_transposed_left, "x^T @ y", "xbar += y @ zbar^T; ybar += x @ zbar");
template <class T>
Variable<T> transposed_times(Variable<T> a, Variable<T> b) {
    return record(with_transposed_left, {a, b}, transposed_times(a.value(), b.value()), [a, b](auto& at) {
        if (at.wants(a)) at.adjoint(a) += times_transposed(at(b), at.zbar());
        if (at.wants(b)) at.adjoint(b) += times(at(a), at.zbar());
    });
}
BINARY(transposed_times);

template <class T>
Variable<T> transposed_rows_times(Variable<T> a, Variable<T> b) {
    const auto rows = [](Variable<T> v) {
        const ShapeView shape = v.shape();
        return reshape(v, Shape{size_of(shape.first(shape.size() - 1)), shape.back()});
    };
    return transposed_times(rows(a), rows(b));
}
BINARY(transposed_rows_times);

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
    return times(a, b);
}
BINARY(matmul);

namespace {

template <class T>
kernels::Affine<T> affine(const Array<T>& x, const Array<T>& weight, const Array<T>* bias) {
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

FACTS("linear", "x @ w^T + b", "xbar += zbar @ w; wbar += zbar^T @ x; bbar += zbar, summed over the rows", {}, {},
      "x w b");
FACTS(linear_alone, "x @ w^T", "xbar += zbar @ w; wbar += zbar^T @ x", {}, {}, "x w");
template <class T>
Variable<T> linear(Variable<T> x, Variable<T> w) {
    if (x.dimension() == 1) return squeeze(linear(expand_dims(x, 0), w), {0});
    return record(linear_alone, {x, w}, affine<T>(x.value(), w.value(), nullptr), [x, w](auto& at) {
        if (at.wants(x)) at.adjoint(x) += times(at.zbar(), at(w));
        if (at.wants(w)) at.adjoint(w) += transposed_rows_times(at.zbar(), at(x));
    });
}
BINARY(linear);

// z = x @ w^T + b
template <class T>
Variable<T> linear(Variable<T> x, Variable<T> w, Variable<T> b) {
    const Array<T>& rows = x.value();
    if (rows.dimension() == 1) return squeeze(linear(expand_dims(x, 0), w, b), {0});
    return record("linear", {x, w, b}, affine(rows, w.value(), &b.value()), [x, w, b](auto& at) {
        if (at.wants(x)) at.adjoint(x) += times(at.zbar(), at(w));
        if (at.wants(w)) at.adjoint(w) += transposed_rows_times(at.zbar(), at(x));
        at.adjoint(b) += at.zbar();
    });
}

template Variable<float> linear(Variable<float>, Variable<float>, Variable<float>);
template Variable<double> linear(Variable<double>, Variable<double>, Variable<double>);

FACTS_OF_THIS_FILE(facts_of_products)

}  // namespace autograd
