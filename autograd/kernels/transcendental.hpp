// Functions of numbers that are too long to stand in every expression that calls them: exp, log, tanh and their kin.
// Each has one loop, `apply`, over numbers that lie together.
#pragma once

#include <autograd/array.hpp>
#include <autograd/kernels/functors.hpp>
#include <type_traits>

namespace autograd::kernels {

template <class F, class... Others>
inline constexpr bool is_one_of = (std::is_same_v<F, Others> || ...);

template <class F>
inline constexpr bool is_transcendental =
    is_one_of<F, xt::math::exp_fun, xt::math::expm1_fun, xt::math::log_fun, xt::math::log1p_fun, xt::math::sin_fun,
              xt::math::cos_fun, xt::math::tanh_fun, xt::math::erf_fun, functors::Sigmoid, functors::Softplus,
              functors::NormalCdf, functors::Bell, functors::LogAddExp, functors::Pow>;

}  // namespace autograd::kernels
