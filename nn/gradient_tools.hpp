// What is done to gradients between `backward` and the optimizer's step. All of it works in place and allocates
// nothing.
//
//     auto gradients = tape.backward(loss);
//     nn::clip_gradient_norm(gradients, model.parameters(), 1.0);
//     optimizer.step(gradients);
//
// Buffers among the parameters are passed over. All throw `autograd::GradientError` where the recording did not watch
// one of the parameters, `std::invalid_argument` where one is listed twice, and change nothing then.
#pragma once

#include <autograd/gradients.hpp>
#include <autograd/parameter.hpp>
#include <vector>

namespace nn {

template <class T>
using Parameters = std::vector<autograd::Parameter<T>>;

/// sqrt(sum of g^2) over all gradients, summed in double.
template <class T>
double gradient_norm(const autograd::Gradients<T>& gradients, const Parameters<T>& parameters);

/// g *= factor.
template <class T>
void scale_gradients(autograd::Gradients<T>& gradients, const Parameters<T>& parameters, double factor);

/// g *= min(1, most / (norm + 1e-6)), as PyTorch's `clip_grad_norm_`; returns the norm from before. Throws
/// `autograd::GradientError` where the norm is not finite: no factor mends that.
template <class T>
double clip_gradient_norm(autograd::Gradients<T>& gradients, const Parameters<T>& parameters, double most);

/// Each number into -most ... most, as PyTorch's `clip_grad_value_`. Throws where one is NaN.
template <class T>
void clip_gradient_value(autograd::Gradients<T>& gradients, const Parameters<T>& parameters, double most);

/// sum += part, over micro-batches. With losses that are means, each is weighted by its share of the whole batch: of
/// its rows, or of the sum of their weights where these differ:
///
///     auto sum = tape.backward(loss(x1) * share1);
///     tape.rewind();
///     nn::add_gradients(sum, tape.backward(loss(x2) * share2), model.parameters());
///     optimizer.step(sum);
template <class T>
void add_gradients(autograd::Gradients<T>& sum, const autograd::Gradients<T>& part, const Parameters<T>& parameters);

}  // namespace nn
