// Gradients that are changed between `backward` and what uses them.
#pragma once

#include <autograd/gradients.hpp>

namespace autograd {

/// The gradient of a parameter, to be changed in place: no other gradient changes with it. Throws as
/// `gradients[parameter]` does.
template <class T>
Array<T>& own_gradient(Gradients<T>& gradients, const Parameter<T>& parameter);

}  // namespace autograd
