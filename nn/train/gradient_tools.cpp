#include <fmt/format.h>

#include <algorithm>
#include <autograd/edit_gradients.hpp>
#include <autograd/error.hpp>
#include <cmath>
#include <nn/gradient_tools.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::GradientError;
using autograd::Gradients;
using autograd::Parameter;

namespace {

/// What a change needs is checked before the first of them.
template <class T>
void check(const char* operation, const Gradients<T>& gradients, const Parameters<T>& parameters) {
    for (auto i = parameters.begin(); i != parameters.end(); ++i) {
        if (i->is_buffer()) continue;
        static_cast<void>(gradients[*i]);  // throws where there is none
        if (std::find(parameters.begin(), i, *i) != i)
            throw std::invalid_argument(fmt::format("[{}] parameter '{}' is listed twice", operation, i->name()));
    }
}

/// Calls f(the gradient's numbers, their count, the parameter) for each.
template <class T, class F>
void for_each(const Gradients<T>& gradients, const Parameters<T>& parameters, F f) {
    for (const Parameter<T>& parameter : parameters)
        if (!parameter.is_buffer()) f(gradients[parameter].data(), gradients[parameter].size(), parameter);
}
template <class T, class F>
void change_each(Gradients<T>& gradients, const Parameters<T>& parameters, F f) {
    for (const Parameter<T>& parameter : parameters) {
        if (parameter.is_buffer()) continue;
        Array<T>& gradient = autograd::own_gradient(gradients, parameter);
        f(gradient.data(), gradient.size(), parameter);
    }
}

void check_bound(const char* operation, double most) {
    if (!(most >= 0) || std::isinf(most))
        throw std::invalid_argument(fmt::format("[{}] the bound must be 0 or more, not {}", operation, most));
}

template <class T>
double norm(const Gradients<T>& gradients, const Parameters<T>& parameters) {
    double squares = 0, largest = 0;
    for_each(gradients, parameters, [&](const T* g, std::size_t n, const Parameter<T>&) {
        double part = 0;
        for (std::size_t k = 0; k < n; ++k) part += static_cast<double>(g[k]) * static_cast<double>(g[k]);
        squares += part;
    });
    if (squares > 1e-280 && std::isfinite(squares)) return std::sqrt(squares);
    // The squares overflow or vanish, the norm need not: it is taken from shares of the largest number.
    bool is_nan = false;
    for_each(gradients, parameters, [&](const T* g, std::size_t n, const Parameter<T>&) {
        for (std::size_t k = 0; k < n; ++k) {
            largest = std::max(largest, static_cast<double>(std::abs(g[k])));
            is_nan = is_nan || std::isnan(g[k]);
        }
    });
    if (is_nan) return NAN;
    if (largest == 0 || std::isinf(largest)) return largest;
    squares = 0;
    for_each(gradients, parameters, [&](const T* g, std::size_t n, const Parameter<T>&) {
        for (std::size_t k = 0; k < n; ++k) squares += std::pow(static_cast<double>(g[k]) / largest, 2);
    });
    return largest * std::sqrt(squares);
}

template <class T>
void scale(Gradients<T>& gradients, const Parameters<T>& parameters, double factor) {
    change_each(gradients, parameters, [&](T* g, std::size_t n, const Parameter<T>&) {
        for (std::size_t k = 0; k < n; ++k) g[k] *= static_cast<T>(factor);
    });
}

}  // namespace

template <class T>
double gradient_norm(const Gradients<T>& gradients, const Parameters<T>& parameters) {
    check("gradient_norm", gradients, parameters);
    return norm(gradients, parameters);
}

template <class T>
void scale_gradients(Gradients<T>& gradients, const Parameters<T>& parameters, double factor) {
    check("scale_gradients", gradients, parameters);
    if (!std::isfinite(factor))
        throw std::invalid_argument(fmt::format("[scale_gradients] the factor must be finite, not {}", factor));
    scale(gradients, parameters, factor);
}

template <class T>
double clip_gradient_norm(Gradients<T>& gradients, const Parameters<T>& parameters, double most) {
    check_bound("clip_gradient_norm", most);
    check("clip_gradient_norm", gradients, parameters);
    const double before = norm(gradients, parameters);
    if (!std::isfinite(before))
        throw GradientError(fmt::format("[clip_gradient_norm] the norm of the gradients is {}", before));
    if (const double factor = most / (before + 1e-6); factor < 1) scale(gradients, parameters, factor);
    return before;
}

template <class T>
void clip_gradient_value(Gradients<T>& gradients, const Parameters<T>& parameters, double most) {
    check_bound("clip_gradient_value", most);
    check("clip_gradient_value", gradients, parameters);
    for_each(gradients, parameters, [&](const T* g, std::size_t n, const Parameter<T>& parameter) {
        if (std::any_of(g, g + n, [](T number) { return std::isnan(number); }))
            throw GradientError(
                fmt::format("[clip_gradient_value] the gradient of parameter '{}' has a NaN", parameter.name()));
    });
    const T bound = static_cast<T>(most);
    change_each(gradients, parameters, [&](T* g, std::size_t n, const Parameter<T>&) {
        for (std::size_t k = 0; k < n; ++k) g[k] = std::clamp(g[k], -bound, bound);
    });
}

template <class T>
void add_gradients(Gradients<T>& sum, const Gradients<T>& part, const Parameters<T>& parameters) {
    check("add_gradients", sum, parameters);
    check("add_gradients", part, parameters);
    for_each(part, parameters, [&](const T*, std::size_t, const Parameter<T>& parameter) {
        if (!autograd::equal_shapes(sum[parameter].shape(), part[parameter].shape()))
            throw std::invalid_argument(
                fmt::format("[add_gradients] the gradients of parameter '{}' have shapes {} and {}", parameter.name(),
                            autograd::to_string(sum[parameter].shape()), autograd::to_string(part[parameter].shape())));
    });
    change_each(sum, parameters, [&](T* g, std::size_t n, const Parameter<T>& parameter) {
        const T* other = part[parameter].data();
        for (std::size_t k = 0; k < n; ++k) g[k] += other[k];
    });
}

#define INSTANTIATE(T)                                                               \
    template double gradient_norm(const Gradients<T>&, const Parameters<T>&);        \
    template void scale_gradients(Gradients<T>&, const Parameters<T>&, double);      \
    template double clip_gradient_norm(Gradients<T>&, const Parameters<T>&, double); \
    template void clip_gradient_value(Gradients<T>&, const Parameters<T>&, double);  \
    template void add_gradients(Gradients<T>&, const Gradients<T>&, const Parameters<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
