#include <fmt/format.h>

#include <autograd/operations.hpp>
#include <nn/dense.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Parameter;
using autograd::Shape;
using autograd::Variable;

template <class T>
Dense<T>::Dense(std::size_t in, std::size_t out, std::mt19937_64& engine, bool with_bias, Initializer<T> initializer)
    : weight("weight", initializer(Shape{out, in}, engine)), bias("bias", Array<T>(Shape{with_bias ? out : 0}, T(0))) {}

template <class T>
Variable<T> Dense<T>::operator()(const Variable<T>& x) const {
    // linear says the same, but not before the parameters are recorded.
    const Shape& shape = x.shape();
    if (shape.size() < 2 || shape.back() != weight.shape()[1])
        throw std::invalid_argument(
            fmt::format("[dense] the input has shape {}, but a weight of shape {} needs (..., n, {})",
                        autograd::to_string(shape), autograd::to_string(weight.shape()), weight.shape()[1]));
    autograd::Tape<T>& tape = x.tape();
    return has_bias() ? linear(x, tape.watch(weight), tape.watch(bias)) : linear(x, tape.watch(weight));
}

template <class T>
std::vector<Parameter<T>> Dense<T>::parameters() const {
    if (has_bias()) return {weight, bias};
    return {weight};
}

template class Dense<float>;
template class Dense<double>;

}  // namespace nn
