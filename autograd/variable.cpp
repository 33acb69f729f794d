#include <fmt/format.h>
#include <autograd/tape.hpp>
#include <stdexcept>

namespace autograd {

template <class T>
T Variable<T>::item() const {
    const Array<T>& array = value();
    if (array.size() != 1)
        throw std::invalid_argument(
            fmt::format("[item] an array of shape {} is not one number", to_string(array.shape())));
    return *array.data();
}

template <class T>
std::string_view Variable<T>::name() const {
    return node().name;
}

template <class T>
const char* Variable<T>::operation() const {
    return node().operation;
}

template <class T>
bool Variable<T>::requires_gradient() const {
    return node().requires_gradient;
}

template <class T>
Variable<T> Variable<T>::detach() const {
    return tape().constant(value(), name());
}

template <class T>
void Variable<T>::throw_not_recorded(const char* operation, Variable x) {
    if (x.recording_ == &none)
        throw VariableError(fmt::format("[{}] a variable was used that was never recorded", operation));
    const bool rewound = x.recording_->rewound.load(std::memory_order_relaxed) == x.number_;
    throw VariableError(fmt::format("[{}] {} is from before rewind(){}, and it no longer has a value; record it again",
                                    operation, Reel<T>::described(x), rewound ? "" : ", or its tape is gone"));
}

template class Variable<float>;
template class Variable<double>;

}  // namespace autograd
