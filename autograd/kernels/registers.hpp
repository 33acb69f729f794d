// Loops over numbers that lie together, a register at a time.
#pragma once

#include <algorithm>
#include <autograd/array.hpp>
#include <bit>
#include <functional>
#include <limits>
#include <utility>

// The sources of a program may be compiled for different instruction sets, the library among them: what is made of
// registers has their size in its name, so that the linker never takes one source's loop for another's.
#if defined(__AVX512F__)
#define DELTARULE_REGISTERS registers_of_64_bytes
#elif defined(__AVX__)
#define DELTARULE_REGISTERS registers_of_32_bytes
#else
#define DELTARULE_REGISTERS registers_of_16_bytes
#endif

namespace autograd::kernels::inline DELTARULE_REGISTERS {

template <class T>
using Register = xsimd::batch<T>;

/// The numbers of a register in the compiler's own type, which has operators and subscripts. (Of WebAssembly's
/// registers xsimd has one type, whatever they hold.)
template <class T>
using Vector [[gnu::vector_size(sizeof(Register<T>))]] = T;
template <class T>
[[gnu::always_inline]] inline Vector<T> vector_of(const Register<T>& x) {
    return std::bit_cast<Vector<T>>(x.data);
}
template <class T>
[[gnu::always_inline]] inline Register<T> register_of(Vector<T> x) {
    return Register<T>(std::bit_cast<typename Register<T>::register_type>(x));
}

/// A register of numbers in memory.
template <class T>
Register<T> load_some(const T* x) {
    return Register<T>::load_unaligned(x);
}
template <class T>
void store_some(T* z, const Register<T>& value) {
    value.store_unaligned(z);
}

#if defined(__AVX__) && !defined(__AVX512F__)
/// A mask of the first n lanes.
template <class T>
__m256i first_lanes(std::size_t n) {
    constexpr std::size_t words = sizeof(T) / 4;
    static constexpr std::int32_t ones_then_zeros[] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ones_then_zeros + 8 - n * words));
}
#endif

/// The first n numbers of a register, the others being 0. (Masks say what the plain form below does.)
template <class T>
Register<T> load_some(const T* x, std::size_t n) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
        return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), x);
    else
        return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), x);
#elif defined(__AVX__)
    if constexpr (sizeof(T) == 4)
        return _mm256_maskload_ps(x, first_lanes<T>(n));
    else
        return _mm256_maskload_pd(x, first_lanes<T>(n));
#else
    alignas(64) T lanes[Register<T>::size] = {};
    std::copy_n(x, n, lanes);
    return Register<T>::load_aligned(lanes);
#endif
}

template <class T>
void store_some(T* z, const Register<T>& value, std::size_t n) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
        _mm512_mask_storeu_ps(z, static_cast<__mmask16>((1u << n) - 1), value);
    else
        _mm512_mask_storeu_pd(z, static_cast<__mmask8>((1u << n) - 1), value);
#elif defined(__AVX__)
    if constexpr (sizeof(T) == 4)
        _mm256_maskstore_ps(z, first_lanes<T>(n), value);
    else
        _mm256_maskstore_pd(z, first_lanes<T>(n), value);
#else
    alignas(64) T lanes[Register<T>::size];
    value.store_aligned(lanes);
    std::copy_n(lanes, n, z);
#endif
}

// Keeps a branch a branch. Of `if (b) x += y` for registers GCC 12 makes an addition under a mask that holds for the
// first lane only (seen at -O3 with AVX-512).
#define DELTARULE_BRANCH __asm__ volatile("")

/// z = value, or z += value, for a register of numbers, or with `n...` for the first n of them.
template <class T, class... N>
[[gnu::always_inline]] inline void store_or_add(T* z, Register<T> value, bool accumulate, N... n) {
    if (accumulate) {
        value += load_some(z, n...);
        DELTARULE_BRANCH;
    }
    store_some(z, value, n...);
}

/// The same for one number.
template <class T>
void store_or_add(T& z, T value, bool accumulate) {
    z = accumulate ? z + value : value;
}

/// at(i) for each register of n numbers, i being the place of its first, and at(i, count) for a last one of `count`.
template <class T, class At>
[[gnu::always_inline]] inline void each_register(std::size_t n, const At& at) {
    std::size_t i = 0;
    for (; i + Register<T>::size <= n; i += Register<T>::size) at(i);
    if (i < n) at(i, n - i);
}

/// z = x, or z += x, for n numbers that lie together.
template <class T>
void copy_or_add(const T* x, T* z, std::size_t n, bool accumulate) {
    if (!accumulate && n > 512) return void(std::copy_n(x, n, z));  // the C library's copy takes a while to begin
    if (accumulate)
        each_register<T>(n, [&](std::size_t i, auto... some) {
            store_some(z + i, load_some(z + i, some...) + load_some(x + i, some...), some...);
        });
    else
        // The last register begins before the end of the one before it, where there is one: a part is slower.
        each_register<T>(n, [&](std::size_t i, auto... some) {
            if constexpr (sizeof...(some) > 0)
                if (i > 0) return load_some(x + n - Register<T>::size).store_unaligned(z + n - Register<T>::size);
            store_some(z + i, load_some(x + i, some...), some...);
        });
}

/// Asks for what lies 4 KB behind a short row of n numbers, where all rows, of `count` numbers, are more than a cache
/// holds: the processor itself looks less far ahead.
template <class T>
void prefetch_behind(const T* row, std::size_t n, std::size_t count) {
    constexpr std::size_t ahead = 4096 / sizeof(T), many = (std::size_t{8} << 20) / sizeof(T);
    if (n > ahead || count < many) return;
    for (std::size_t i = 0; i < n; i += 64 / sizeof(T)) __builtin_prefetch(row + ahead + i);
}

/// Which lanes are among the first n.
template <class T>
xsimd::batch_bool<T> inside(std::size_t n) {
#ifdef __AVX512F__
    return xsimd::batch_bool<T>(static_cast<typename xsimd::batch_bool<T>::register_type>((1u << n) - 1));
#else
    alignas(64) T lanes[Register<T>::size];
    for (std::size_t k = 0; k < Register<T>::size; ++k) lanes[k] = static_cast<T>(k);
    return Register<T>::load_aligned(lanes) < Register<T>(static_cast<T>(n));
#endif
}

/// Lanes combined with those that are `Distance` away, and so on with half the distance: then each has f's result for
/// all.
template <std::size_t Distance, class T, class F, std::size_t... Lane>
[[gnu::always_inline]] inline T across(const Register<T>& x, F f, std::index_sequence<Lane...> lanes) {
    const Vector<T> data = vector_of(x);
    const Register<T> result = f(x, register_of<T>(__builtin_shufflevector(data, data, (Lane ^ Distance)...)));
    if constexpr (Distance > 1)
        return across<Distance / 2>(result, f, lanes);
    else
        return vector_of(result)[0];
}

/// All lanes of a register combined, or the first of them, whose number is a power of 2.
template <class T, class F, std::size_t Lanes = Register<T>::size>
T across(const Register<T>& x, F f, std::integral_constant<std::size_t, Lanes> = {}) {
    return across<Lanes / 2>(x, f, std::make_index_sequence<Register<T>::size>());
}

/// `f(... f(f(start, x0), x1) ..., x(n - 1))` in another order: four registers, so that none waits for the one before.
/// `value(i)` is the register of the numbers from i on, `value(i, count)` has the first `count` of them and zeros;
/// `start` is f's neutral number.
template <class T, class F, class Value>
T fold(std::size_t n, T start, F f, Value value) {
    constexpr std::size_t width = Register<T>::size;
    Register<T> a(start), b = a, c = a, d = a;
    std::size_t i = 0;
    for (; n - i >= 4 * width; i += 4 * width) {
        a = f(a, value(i));
        b = f(b, value(i + width));
        c = f(c, value(i + 2 * width));
        d = f(d, value(i + 3 * width));
    }
    for (; n - i >= width; i += width) a = f(a, value(i));
    if (i < n) {
        if constexpr (std::is_same_v<F, std::plus<>>) {
            d = d + value(i, n - i);
        } else {  // lanes beyond the end stay as they are
            d = xsimd::select(inside<T>(n - i), f(d, value(i, n - i)), d);
        }
    }
    return across(f(f(a, b), f(c, d)), f);
}

/// The same for numbers in memory; fewer than a register four at a time.
template <class T, class F>
T fold(const T* x, std::size_t n, T start, F f) {
    if (n < Register<T>::size) {
        T a = start, b = start, c = start, d = start;
        std::size_t i = 0;
        for (; i + 4 <= n; i += 4) {
            a = f(a, x[i]);
            b = f(b, x[i + 1]);
            c = f(c, x[i + 2]);
            d = f(d, x[i + 3]);
        }
        for (; i < n; ++i) a = f(a, x[i]);
        return f(f(a, b), f(c, d));
    }
    return fold(n, start, f, [x](std::size_t i, auto... count) {
        if constexpr (sizeof...(count) == 0)
            return Register<T>::load_unaligned(x + i);
        else
            return load_some(x + i, count...);
    });
}

inline constexpr auto larger = [](auto a, auto b) {
    using std::max, xsimd::max;
    return max(a, b);
};
inline constexpr auto smaller = [](auto a, auto b) {
    using std::min, xsimd::min;
    return min(a, b);
};

/// The largest number; of a row with a NaN among it, any of its numbers.
template <class T>
T largest(const T* x, std::size_t n) {
    return fold(x, n, -std::numeric_limits<T>::infinity(), larger);
}

}  // namespace autograd::kernels::inline DELTARULE_REGISTERS
