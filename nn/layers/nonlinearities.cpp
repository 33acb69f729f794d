#include <autograd/operations.hpp>
#include <nn/nonlinearities.hpp>

namespace nn {

using autograd::Variable;

template <class T>
Variable<T> Gelu<T>::operator()(const Variable<T>& x) const {
    return gelu(x);
}

template <class T>
Variable<T> Silu<T>::operator()(const Variable<T>& x) const {
    return silu(x);
}

template <class T>
Variable<T> LeakyRelu<T>::operator()(const Variable<T>& x) const {
    return leaky_relu(x, slope);
}

template <class T>
Variable<T> Elu<T>::operator()(const Variable<T>& x) const {
    return elu(x, alpha);
}

template <class T>
Variable<T> Softmax<T>::operator()(const Variable<T>& x) const {
    return softmax(x, axis);
}

#define INSTANTIATE(T)            \
    template struct Gelu<T>;      \
    template struct Silu<T>;      \
    template struct LeakyRelu<T>; \
    template struct Elu<T>;       \
    template struct Softmax<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
