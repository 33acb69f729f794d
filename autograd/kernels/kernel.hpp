// What is computed when an operation is recorded or its rule run: an xtensor expression or a kernel, into an array.
#pragma once

#include <autograd/kernels/expressions.hpp>
#include <concepts>
#include <stdexcept>

namespace autograd {

/// A computation that is not elementwise, named but not done yet: it says its shape, and `evaluate_into` writes its
/// result to an array of that shape. Matrix products, sums and gathers are kernels.
template <class E, class T>
concept Kernel = requires(const E& e, Array<T>& array) {
    e.shape();
    e.evaluate_into(array);
};

/// A kernel that can also add its result to what stands in the array, where `accumulate` is true. The result of one
/// that cannot is evaluated apart and added then.
template <class E, class T>
concept AddingKernel = Kernel<E, T> && requires(const E& e, Array<T>& array, bool accumulate) {
    e.evaluate_into(array, accumulate);
};

/// Whether a kernel's result has this shape; some know it without making their own.
template <class E>
bool is_of_shape(const E& e, ShapeView shape) {
    if constexpr (requires { e.is_of_shape(shape); })
        return e.is_of_shape(shape);
    else
        return equal_shapes(e.shape(), shape);
}

/// Gives an array the shape that an operation's result has.
template <class T>
void resize_result(const char* operation, Array<T>& array, ShapeView shape) {
    if (equal_shapes(array.shape(), shape)) return;
    checked_size(operation, shape);
    reshape_storage(array, shape);
}

/// Writes an expression or the result of a kernel to `array`, which takes its shape. Throws `std::invalid_argument`
/// that begins with `[operation]` where shapes do not broadcast.
template <class T, class E>
void evaluate(const char* operation, Array<T>& array, const E& e) {
    if constexpr (Kernel<E, T>) {
        if (!is_of_shape(e, array.shape())) resize_result(operation, array, ShapeView(e.shape()));
        e.evaluate_into(array);
    } else if constexpr (kernels::Fused<E, T>) {
        kernels::Bound<T, E> bound(e);
        if (bound.flat()) {
            resize_result(operation, array, bound.shapes[0]);
            return bound.write(array.data(), array.size(), false);
        }
        resize_result(operation, array, broadcast_shapes(operation, bound.operands()));
        bound.write_rows(array.data(), array.shape(), array.shape(), false);
    } else {
        try {
            xt::noalias(array) = e;
        } catch (const xt::broadcast_error&) {
            throw std::invalid_argument(std::string("[") + operation + "] shapes do not broadcast");
        }
    }
}

}  // namespace autograd
