#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/transcendental.hpp>
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

/// exp is infinite a little too early.
template <class F, class T>
requires is_one_of<F, xt::math::exp_fun, xt::math::expm1_fun>
auto doubtful(const F&, const Register<T>& x, const Register<T>&) {
    return x > Register<T>(std::is_same_v<T, float> ? T(88) : T(709));
}
/// log takes denormal numbers in double precision for larger ones.
inline auto doubtful(const xt::math::log_fun&, const Register<double>& x, const Register<double>&) {
    return (x > Register<double>(0)) & (x < Register<double>(std::numeric_limits<double>::min()));
}
/// erf overflows on its way to 1.
template <class T>
auto doubtful(const xt::math::erf_fun&, const Register<T>&, const Register<T>& z) {
    return xsimd::isnan(z);
}

}  // namespace

template <class F, class T>
[[gnu::flatten]] void apply(const F& f, std::size_t n, T* z, const T* x) {
    each_register<T>(n, [&](std::size_t i, auto... some) {
        const Register<T> before = load_some(x + i, some...);
        Register<T> after = f.simd_apply(before);
        if constexpr (requires { doubtful(f, before, after); })
            if (const auto doubt = doubtful(f, before, after); xsimd::any(doubt)) [[unlikely]]
                after = xsimd::select(doubt, one_by_one(f, before), after);
        store_some(z + i, after, some...);
    });
}

template <class F, class T>
[[gnu::flatten]] void apply(const F& f, std::size_t n, T* z, const T* x, const T* y) {
    each_register<T>(n, [&](std::size_t i, auto... some) {
        store_some(z + i, f.simd_apply(load_some(x + i, some...), load_some(y + i, some...)), some...);
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
#undef INSTANTIATE
#define INSTANTIATE(F)                                                              \
    template void apply(const F&, std::size_t, float*, const float*, const float*); \
    template void apply(const F&, std::size_t, double*, const double*, const double*);
INSTANTIATE(functors::LogAddExp)
INSTANTIATE(functors::Pow)

}  // namespace autograd::kernels
