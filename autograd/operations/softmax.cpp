// Softmax and its kin: each with its rule, and, on variables, with the formulas that its kernels stand for.
#include <fmt/format.h>
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <limits>
#include <stdexcept>

namespace autograd {

FACTS("logsumexp", "log(sum(exp(x)))", "xbar += zbar * exp(x) / sum(exp(x))",
      {{AT(z < 0 && std::isinf(z)), "a row of -inf only"}});
template <class T>
Variable<T> logsumexp(Variable<T> x, const Axes& axes, bool keepdims) {
    kernels::Reduced shapes = reduced("logsumexp", x.shape(), axes, keepdims);
    bring_together(x, shapes.kept);
    return record("logsumexp", {x}, kernels::LogSumExp<T>{shapes, x.value()}, [x, kept = shapes.kept](auto& at) {
        at.adjoint(x) += reshape(at.zbar(), kept) * at.evaluate(share_of_exponentials(at(x), kept));
    });
}

template <class T>
Variable<T> share_of_exponentials(Variable<T> x, const Shape& kept) {
    return record("softmax", {x}, share_of_exponentials(x.value(), kept), [x, kept](auto& at) {
        const auto& sums = at.evaluate(sum_to(at.evaluate(at.zbar() * at.z()), kept, kept));
        at.adjoint(x) += at.z() * (at.zbar() - sums);
    });
}
UNARY(logsumexp, const Axes&, bool);
UNARY(share_of_exponentials, const Shape&);

FACTS("softmax", "exp(x) / sum(exp(x))", "xbar += z * (zbar - sum(zbar * z))",
      {{AT(x < 0 && std::isinf(x)), "a row of -inf only"}, {AT(true), "a row that holds inf or NaN"}});
template <class T>
Variable<T> softmax(Variable<T> x, std::ptrdiff_t along) {
    const std::size_t axis = axis_of("softmax", along, x.dimension());
    return record("softmax", {x}, kernels::Softmax<T>{x.value(), axis},
                  [x, axis](auto& at) { at.adjoint(x) += softmax_gradient(at.z(), at.zbar(), axis); });
}
UNARY(softmax, std::ptrdiff_t);

// What is masked is -inf for the softmax; of its NaN in a row without any other, neither value nor gradient gets out.
template <class T>
Variable<T> softmax(Variable<T> x, Variable<T> mask, std::ptrdiff_t along) {
    const std::size_t axis = axis_of("softmax", along, x.dimension());
    const Shape both = broadcast_shapes("softmax", std::initializer_list<ShapeView>{x.shape(), mask.shape()});
    if (both != x.shape())
        throw std::invalid_argument(fmt::format("[softmax] a mask of shape {} does not broadcast to {}",
                                                to_string(mask.shape()), to_string(x.shape())));
    const Variable<T> kept = choose(mask, x, -std::numeric_limits<T>::infinity());
    return choose(mask, softmax(kept, static_cast<std::ptrdiff_t>(axis)), T(0));
}
BINARY(softmax, std::ptrdiff_t);

FACTS("log_softmax", "x - log(sum(exp(x)))", "xbar += zbar - exp(z) * sum(zbar)",
      {{AT(x < 0 && std::isinf(x) && std::isnan(z)), "a row of -inf only"},
       {AT(std::isnan(z)), "a row that holds inf or NaN"}});
template <class T>
Variable<T> log_softmax(Variable<T> x, std::ptrdiff_t along) {
    const std::size_t axis = axis_of("log_softmax", along, x.dimension());
    return record("log_softmax", {x}, kernels::LogSoftmax<T>{x.value(), axis},
                  [x, axis](auto& at) { at.adjoint(x) += log_softmax_gradient(at.z(), at.zbar(), axis); });
}
UNARY(log_softmax, std::ptrdiff_t);

template <class T>
Variable<T> softmax_gradient(Variable<T> z, Variable<T> zbar, std::size_t axis) {
    Shape kept = z.shape();
    kept[axis] = 1;
    return z * (zbar - sum_to(zbar * z, kept, kept));
}
BINARY(softmax_gradient, std::size_t);

template <class T>
Variable<T> log_softmax_gradient(Variable<T> z, Variable<T> zbar, std::size_t axis) {
    Shape kept = z.shape();
    kept[axis] = 1;
    return zbar - exp(z) * sum_to(zbar, kept, kept);
}
BINARY(log_softmax_gradient, std::size_t);

FACTS_OF_THIS_FILE(facts_of_softmax)

}  // namespace autograd
