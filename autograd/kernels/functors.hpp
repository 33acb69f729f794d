// Elementwise functions of arrays that xtensor does not have, for values and rules; each is a lazy, vectorised
// expression.
#pragma once

#include <array>
#include <autograd/array.hpp>
#include <cmath>
#include <concepts>
#include <limits>
#include <numbers>

namespace autograd {

namespace kernels {

/// z = f(x), or z = f(x, y), for n numbers; z may be where x is.
template <class F, class T>
void apply(const F& f, std::size_t n, T* z, const T* x);
template <class F, class T>
void apply(const F& f, std::size_t n, T* z, const T* x, const T* y);

}  // namespace kernels

template <class E>
concept Expression = xt::is_xexpression<std::decay_t<E>>::value;

namespace functors {

/// f of registers of any size, by the library's own loop over their numbers (kernels::apply).
template <class F, class B, class... Same>
B by_numbers(const F& f, const B& x, const Same&... y) {
    using T = typename B::value_type;
    alignas(64) T z[B::size];
    const auto stored = [](const B& lanes) {
        alignas(64) std::array<T, B::size> numbers;
        lanes.store_aligned(numbers.data());
        return numbers;
    };
    kernels::apply(f, B::size, z, stored(x).data(), stored(y).data()...);
    return B::load_aligned(z);
}
template <class B>
concept FloatingRegister = std::floating_point<typename B::value_type>;

struct Sigmoid {
    template <class T>
    T operator()(const T& x) const {
        const T e = std::exp(-std::abs(x));
        return (x >= 0 ? T(1) : e) / (T(1) + e);
    }
    template <class B>
    B simd_apply(const B& x) const {
        const B one(typename B::value_type(1)), e = xsimd::exp(-xsimd::abs(x));
        return xsimd::select(x >= B(typename B::value_type(0)), one, e) / (one + e);
    }
};

struct Sign {
    template <class T>
    T operator()(const T& x) const {
        return x > 0 ? T(1) : x < 0 ? T(-1) : x;
    }
    template <class B>
    B simd_apply(const B& x) const {
        const B zero(typename B::value_type(0)), one(typename B::value_type(1));
        return xsimd::select(x > zero, one, xsimd::select(x < zero, -one, x));
    }
};

struct Softplus {
    template <class T>
    T operator()(const T& x) const {
        return (x > 0 ? x : (x != x ? x : T(0))) + std::log1p(std::exp(-std::abs(x)));
    }
    template <class B>
    B simd_apply(const B& x) const {
        return xsimd::max(x, B(typename B::value_type(0))) + xsimd::log1p(xsimd::exp(-xsimd::abs(x)));
    }
};

struct LogAddExp {
    template <class T>
    T operator()(const T& x, const T& y) const {
        // Equal infinities have no difference.
        return std::max(x, y) + std::log1p(x == y ? T(1) : std::exp(-std::abs(x - y)));
    }
    template <class B>
    B simd_apply(const B& x, const B& y) const {
        const B one(typename B::value_type(1));
        return xsimd::max(x, y) + xsimd::log1p(xsimd::select(x == y, one, xsimd::exp(-xsimd::abs(x - y))));
    }
};

struct Gate {
    template <class T>
    T operator()(const T& u, const T& x) const {
        return x > 0 ? u : x <= 0 ? T(0) : x;
    }
    template <class B>
    B simd_apply(const B& u, const B& x) const {
        const B zero(typename B::value_type(0));
        return xsimd::select(x > zero, u, xsimd::select(x <= zero, zero, x));
    }
};

// A NaN on either side is the result.
struct Maximum {
    template <class T>
    T operator()(const T& x, const T& y) const {
        return x > y || x != x ? x : y;
    }
    template <class B>
    B simd_apply(const B& x, const B& y) const {
        return xsimd::select((x > y) | xsimd::isnan(x), x, y);
    }
};

struct Minimum {
    template <class T>
    T operator()(const T& x, const T& y) const {
        return x < y || x != x ? x : y;
    }
    template <class B>
    B simd_apply(const B& x, const B& y) const {
        return xsimd::select((x < y) | xsimd::isnan(x), x, y);
    }
};

struct Winner {
    template <class T>
    T operator()(const T& u, const T& x, const T& y) const {
        return x > y ? u : x == y ? u / 2 : x < y ? T(0) : x + y;
    }
    template <class B>
    B simd_apply(const B& u, const B& x, const B& y) const {
        const B zero(typename B::value_type(0)), half(typename B::value_type(0.5));
        return xsimd::select(x > y, u, xsimd::select(x == y, u * half, xsimd::select(x < y, zero, x + y)));
    }
};

struct Between {
    template <class T>
    T operator()(const T& u, const T& x, const T& low, const T& high) const {
        return x >= low && x <= high ? u : x == x ? T(0) : x;
    }
    template <class B>
    B simd_apply(const B& u, const B& x, const B& low, const B& high) const {
        const B zero(typename B::value_type(0));
        return xsimd::select((x >= low) & (x <= high), u, xsimd::select(x == x, zero, x));
    }
};

struct Choose {
    template <class T>
    T operator()(const T& mask, const T& x, const T& y) const {
        return mask != 0 ? x : y;
    }
    template <class B>
    B simd_apply(const B& mask, const B& x, const B& y) const {
        return xsimd::select(mask == B(typename B::value_type(0)), y, x);  // `!=` of xsimd 8 is false for NaN
    }
};

/// x^y. A number's result does not depend on its neighbours: each lane is computed alone.
struct Pow {
    template <class T>
    T operator()(const T& x, const T& y) const {
        return std::pow(x, y);
    }
    template <FloatingRegister B>
    B simd_apply(const B& x, const B& y) const {
        return by_numbers(*this, x, y);
    }
};

/// The normal distribution's Phi(x) = erfc(-x / sqrt(2)) / 2.
struct NormalCdf {
    template <class T>
    T operator()(const T& x) const {
        return std::erfc(-x / std::numbers::sqrt2_v<T>) / 2;
    }
    template <FloatingRegister B>
    B simd_apply(const B& x) const {
        return by_numbers(*this, x);
    }
};

/// exp(-c x^2), c being 1 or 1/2. What is lost of x^2 by rounding would show: it is accounted for.
struct Bell {
    double c;
    template <class T>
    T operator()(const T& x) const {
        const T size = std::abs(x) > 1000 ? T(1000) : std::abs(x), square = size * size, c_ = static_cast<T>(c);
        return std::exp(-c_ * square) * (1 - c_ * std::fma(size, size, -square));
    }
    template <FloatingRegister B>
    B simd_apply(const B& x) const {
        return by_numbers(*this, x);
    }
};

/// x^c. The powers that people write take no logarithm.
template <class T>
struct Power {
    T c;
    T operator()(const T& x) const { return std::pow(x, c); }
    template <class B>
    B simd_apply(const B& x) const {
        if (c == T(2)) return x * x;
        if (c == T(3)) return x * x * x;
        if (c == T(1)) return x;
        // (of -0 it is 0, and of -inf infinity)
        if (c == T(0.5)) {
            const B most(std::numeric_limits<T>::infinity());
            return xsimd::select(x == -most, most, xsimd::sqrt(x + B(T(0))));
        }
        if (c == T(-1)) return B(T(1)) / x;
        return Pow().simd_apply(x, B(c));
    }
};

struct OverNonzero {
    template <class T>
    T operator()(const T& u, const T& z) const {
        return u / (z == 0 ? std::numeric_limits<T>::infinity() : z);
    }
    template <class B>
    B simd_apply(const B& u, const B& z) const {
        using T = typename B::value_type;
        return u / xsimd::select(z == B(T(0)), B(std::numeric_limits<T>::infinity()), z);
    }
};

}  // namespace functors

/// 1 / (1 + exp(-x)), in two branches, so that neither tail overflows.
template <Expression E>
auto sigmoid(E&& x) {
    return xt::detail::make_xfunction<functors::Sigmoid>(std::forward<E>(x));
}

/// -1, 0 or 1.
template <Expression E>
auto sign(E&& x) {
    return xt::detail::make_xfunction<functors::Sign>(std::forward<E>(x));
}

/// The normal distribution's Phi(x) = erfc(-x / sqrt(2)) / 2.
template <Expression E>
auto normal_cdf(E&& x) {
    return xt::detail::make_xfunction<functors::NormalCdf>(std::forward<E>(x));
}

/// exp(-c x^2), c being 1 or 1/2.
template <Expression E>
auto bell(E&& x, double c) {
    using F = typename xt::detail::xfunction_type<functors::Bell, E>::type;
    return F(functors::Bell{c}, std::forward<E>(x));
}

/// log(1 + exp(x)).
template <Expression E>
auto softplus(E&& x) {
    return xt::detail::make_xfunction<functors::Softplus>(std::forward<E>(x));
}

/// log(exp(x) + exp(y)), without overflow.
template <Expression E, Expression F>
auto logaddexp(E&& x, F&& y) {
    return xt::detail::make_xfunction<functors::LogAddExp>(std::forward<E>(x), std::forward<F>(y));
}

/// x^c for a number c.
template <Expression E, class C>
requires std::is_arithmetic_v<std::decay_t<C>>
auto pow(E&& x, C&& c) {
    using T = typename std::decay_t<E>::value_type;
    using F = typename xt::detail::xfunction_type<functors::Power<T>, E>::type;
    return F(functors::Power<T>{static_cast<T>(c)}, std::forward<E>(x));
}

/// x^y.
template <Expression E, Expression F>
auto pow(E&& x, F&& y) {
    return xt::detail::make_xfunction<functors::Pow>(std::forward<E>(x), std::forward<F>(y));
}

/// The larger of x and y, or NaN where one of them is.
template <Expression E, Expression F>
auto maximum(E&& x, F&& y) {
    return xt::detail::make_xfunction<functors::Maximum>(std::forward<E>(x), std::forward<F>(y));
}

/// The smaller of x and y, or NaN where one of them is.
template <Expression E, Expression F>
auto minimum(E&& x, F&& y) {
    return xt::detail::make_xfunction<functors::Minimum>(std::forward<E>(x), std::forward<F>(y));
}

/// u / z, 0 where z is 0.
template <Expression E, Expression F>
auto over_nonzero(E&& u, F&& z) {
    return xt::detail::make_xfunction<functors::OverNonzero>(std::forward<E>(u), std::forward<F>(z));
}

/// 0 where x <= 0, else u; NaN where x is.
template <class U, Expression E>
auto gate(U&& u, E&& x) {
    return xt::detail::make_xfunction<functors::Gate>(std::forward<U>(u), std::forward<E>(x));
}

/// u where x > y, half of it where they tie, else 0; NaN where x or y is.
template <class U, Expression E, Expression F>
auto winner(U&& u, E&& x, F&& y) {
    return xt::detail::make_xfunction<functors::Winner>(std::forward<U>(u), std::forward<E>(x), std::forward<F>(y));
}

/// u where low <= x <= high, else 0; NaN where x is.
template <class U, Expression E, class T>
auto between(U&& u, E&& x, T low, T high) {
    return xt::detail::make_xfunction<functors::Between>(std::forward<U>(u), std::forward<E>(x), std::move(low),
                                                         std::move(high));
}

/// x where mask is not 0, else y.
template <Expression M, class E, class F>
auto choose(M&& mask, E&& x, F&& y) {
    return xt::detail::make_xfunction<functors::Choose>(std::forward<M>(mask), std::forward<E>(x), std::forward<F>(y));
}

}  // namespace autograd
