#include <autograd/kernels/accurate.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/transcendental.hpp>
#include <cmath>
#include <cstring>
#include <limits>

namespace autograd::kernels {

namespace {

template <class F, class T>
[[gnu::noinline]] Register<T> one_by_one(const F& f, const Register<T>& x) {
    alignas(64) T numbers[Register<T>::size];
    x.store_aligned(numbers);
    for (T& number : numbers) number = f(number);
    return Register<T>::load_aligned(numbers);
}

// Where xsimd 8 is not to be trusted with z = f(x), each number is computed alone.

/// Where exp(x) is a denormal number, which xsimd takes for 0.
template <class T>
auto exp_is_denormal(const Register<T>& x) {
    constexpr bool is_float = std::is_same_v<T, float>;
    return (x < Register<T>(is_float ? T(-87) : T(-708))) & (x > Register<T>(is_float ? T(-104) : T(-746)));
}
/// exp is infinite a little too early.
template <class F, class T>
requires is_one_of<F, xt::math::exp_fun, xt::math::expm1_fun>
auto doubtful(const F&, const Register<T>& x, const Register<T>&) {
    const auto is_large = x > Register<T>(std::is_same_v<T, float> ? T(88) : T(709));
    if constexpr (std::is_same_v<F, xt::math::exp_fun>)
        return is_large | exp_is_denormal(x);
    else
        return is_large;
}
/// Functions that are exp in their left tail.
template <class F, class T>
requires is_one_of<F, functors::Sigmoid, functors::Softplus>
auto doubtful(const F&, const Register<T>& x, const Register<T>&) { return exp_is_denormal(x); }
template <class T>
requires std::is_same_v<T, float>
auto doubtful(const functors::Bell& bell, const Register<T>& x, const Register<T>&) {
    return exp_is_denormal(Register<T>(static_cast<T>(-bell.c)) * x * x);
}
/// log takes denormal numbers for other ones.
template <class T>
auto doubtful(const xt::math::log_fun&, const Register<T>& x, const Register<T>&) {
    return (x > Register<T>(0)) & (x < Register<T>(std::numeric_limits<T>::min()));
}
/// What is far from 0, or infinite.
template <class F, class T>
requires is_one_of<F, xt::math::sin_fun, xt::math::cos_fun>
auto doubtful(const F&, const Register<T>& x, const Register<T>&) {
    return xsimd::abs(x) > Register<T>(T(accurate::most_angle));
}

/// The function of each lane, in double precision.
template <class F, class... X>
[[gnu::always_inline]] inline Register<double> in_double(const F& f, const Register<double>& x, const X&... others) {
    return register_of<double>(f(vector_of(x), vector_of(others)...));
}
inline accurate::D half_of(const Register<float>& x, std::size_t first) {
    alignas(64) float lanes[Register<float>::size];
    x.store_aligned(lanes);
    accurate::Floats some;
    std::memcpy(&some, lanes + first, sizeof(some));
    return __builtin_convertvector(some, accurate::D);
}
template <class F, class... X>
[[gnu::always_inline]] inline Register<float> in_double(const F& f, const Register<float>& x, const X&... others) {
    alignas(64) float lanes[Register<float>::size];
    for (std::size_t first = 0; first < Register<float>::size; first += Register<double>::size) {
        const accurate::D result = f(half_of(x, first), half_of(others, first)...);
        const accurate::Floats some = __builtin_convertvector(result, accurate::Floats);
        std::memcpy(lanes + first, &some, sizeof(some));
    }
    return Register<float>::load_aligned(lanes);
}

/// What xsimd 8 is far from, or makes by a way that depends on the other lanes (sin and cos), in its stead.
template <class F, class T>
[[gnu::always_inline]] inline Register<T> value_of(const F& f, const Register<T>& x) {
    if constexpr (std::is_same_v<F, xt::math::erf_fun> && std::is_same_v<T, double>)
        return in_double([](accurate::D v) { return accurate::erf(v); }, x);
    else if constexpr (is_one_of<F, xt::math::sin_fun, xt::math::cos_fun>)
        return in_double(
            [](accurate::D v) {
                return accurate::sin<std::is_same_v<T, float>>(v, std::is_same_v<F, xt::math::cos_fun> ? 1 : 0);
            },
            x);
    else
        return f.simd_apply(x);
}

inline Register<float> value_of(const functors::NormalCdf&, const Register<float>& x) {
    return Register<float>(0.5f) * xsimd::erfc(x * Register<float>(-1 / std::numbers::sqrt2_v<float>));
}
inline Register<double> value_of(const functors::NormalCdf&, const Register<double>& x) {
    return in_double([](accurate::D v) { return accurate::normal_cdf(v); }, x);
}

inline Register<float> value_of(const functors::Bell& bell, const Register<float>& x) {
    const Register<float> size = xsimd::abs(x), most(1000.f), minus_c(static_cast<float>(-bell.c));
    const Register<float> bounded = xsimd::select(size > most, most, size), square = bounded * bounded;
#if defined(__AVX512F__)
    const Register<float> lost(_mm512_fmsub_ps(bounded.data, bounded.data, square.data));
#elif defined(__FMA__)
    const Register<float> lost(_mm256_fmsub_ps(bounded.data, bounded.data, square.data));
#else  // Dekker's halves
    const Register<float> shifted = bounded * 4097.f, upper = shifted - (shifted - bounded), lower = bounded - upper;
    const Register<float> lost = ((upper * upper - square) + 2.f * upper * lower) + lower * lower;
#endif
    return xsimd::exp(minus_c * square) * (minus_c * lost + 1.f);
}
inline Register<double> value_of(const functors::Bell& bell, const Register<double>& x) {
    return in_double(
        [c = bell.c](accurate::D v) {
            const accurate::D bounded = v > 40 ? accurate::all(40) : v < -40 ? accurate::all(-40) : v;
            const accurate::Pair square = accurate::product(bounded, bounded);
            return accurate::exp({-c * square.high, -c * square.low});
        },
        x);
}

template <class T>
[[gnu::always_inline]] inline Register<T> value_of(const functors::LogAddExp& f, const Register<T>& x,
                                                   const Register<T>& y) {
    return f.simd_apply(x, y);
}
template <class T>
[[gnu::always_inline]] inline Register<T> value_of(const functors::Pow&, const Register<T>& x, const Register<T>& y) {
    constexpr double least = std::numeric_limits<double>::min(), most = std::numeric_limits<double>::max();
    const auto ordinary = [](double v, double w) {
        return std::abs(v) >= least && std::abs(v) <= most && std::abs(w) <= most;
    };
    const Register<T> z = in_double(
        [](accurate::D v, accurate::D w) {
            if constexpr (std::is_same_v<T, float>)
                return accurate::roughly_pow(v, w);
            else
                return accurate::pow(v, w);
        },
        x, y);
    const Register<T> size = xsimd::abs(x), largest(std::numeric_limits<T>::max());
    const auto all_are =
        (size >= Register<T>(std::numeric_limits<T>::min())) & (size <= largest) & (xsimd::abs(y) <= largest);
    if (xsimd::all(all_are)) return z;
    alignas(64) T xs[Register<T>::size], ys[Register<T>::size], zs[Register<T>::size];
    x.store_aligned(xs);
    y.store_aligned(ys);
    z.store_aligned(zs);
    for (std::size_t i = 0; i < Register<T>::size; ++i)
        if (!ordinary(xs[i], ys[i])) zs[i] = std::pow(xs[i], ys[i]);
    return Register<T>::load_aligned(zs);
}

}  // namespace

template <class F, class T>
[[gnu::flatten]] void apply(const F& f, std::size_t n, T* z, const T* x) {
    each_register<T>(n, [&](std::size_t i, auto... some) {
        const Register<T> before = load_some(x + i, some...);
        Register<T> after = value_of(f, before);
        if constexpr (requires { doubtful(f, before, after); })
            if (const auto doubt = doubtful(f, before, after); xsimd::any(doubt)) [[unlikely]]
                after = xsimd::select(doubt, one_by_one(f, before), after);
        store_some(z + i, after, some...);
    });
}

template <class F, class T>
[[gnu::flatten]] void apply(const F& f, std::size_t n, T* z, const T* x, const T* y) {
    each_register<T>(n, [&](std::size_t i, auto... some) {
        store_some(z + i, value_of(f, load_some(x + i, some...), load_some(y + i, some...)), some...);
    });
}

#define INSTANTIATE(F)                                                \
    template void apply(const F&, std::size_t, float*, const float*); \
    template void apply(const F&, std::size_t, double*, const double*);
INSTANTIATE(xt::math::exp_fun)
INSTANTIATE(xt::math::expm1_fun)
INSTANTIATE(xt::math::log_fun)
INSTANTIATE(xt::math::log1p_fun)
INSTANTIATE(xt::math::sin_fun)
INSTANTIATE(xt::math::cos_fun)
INSTANTIATE(xt::math::tanh_fun)
INSTANTIATE(xt::math::erf_fun)
INSTANTIATE(functors::Sigmoid)
INSTANTIATE(functors::Softplus)
INSTANTIATE(functors::NormalCdf)
INSTANTIATE(functors::Bell)
#undef INSTANTIATE
#define INSTANTIATE(F)                                                              \
    template void apply(const F&, std::size_t, float*, const float*, const float*); \
    template void apply(const F&, std::size_t, double*, const double*, const double*);
INSTANTIATE(functors::LogAddExp)
INSTANTIATE(functors::Pow)

}  // namespace autograd::kernels
