// Comparisons: constant almost everywhere, so that they are recorded without a rule.
#include <autograd/operations.hpp>
#include <autograd/operations/operation_facts.hpp>

namespace autograd {

namespace {

template <class T, class Compare>
Variable<T> compared(const char* operation, const Variable<T>& x, const Variable<T>& y, Compare compare) {
    const Reel<T>& reel = Reel<T>::of(operation, {&x, 1});
    reel.check(operation, y);
    const ShapeView shapes[] = {x.shape(), y.shape()};
    broadcast_shapes(operation, shapes);
    return x.tape().constant(Array<T>(xt::cast<T>(compare(x.value(), y.value()))));
}

}  // namespace

template <class T>
Variable<T> greater(Variable<T> x, Variable<T> y) {
    return compared("greater", x, y, [](const auto& a, const auto& b) { return a > b; });
}
BINARY(greater);

template <class T>
Variable<T> greater_equal(Variable<T> x, Variable<T> y) {
    return compared("greater_equal", x, y, [](const auto& a, const auto& b) { return a >= b; });
}
BINARY(greater_equal);

}  // namespace autograd
