// Loops over numbers that lie together, a register at a time: what the hand-written sides are made of.
#pragma once

#include <algorithm>
#include <vector>
#include <xsimd/xsimd.hpp>

template <class T>
using Buffer = std::vector<T, xsimd::aligned_allocator<T, 64>>;

template <class T>
using Register = xsimd::batch<T>;

/// How much of a register is read or written: all of it, or its first lanes, where numbers end.
struct Whole {};
struct Part {
    std::size_t lanes;
};

template <class T>
Register<T> load(const T* x, Whole) {
    return Register<T>::load_unaligned(x);
}
template <class T>
void store(T* z, const Register<T>& value, Whole) {
    value.store_unaligned(z);
}

/// Lanes beyond the part are 0.
template <class T>
Register<T> load(const T* x, Part part) {
#ifdef __AVX512F__
    if constexpr (sizeof(T) == 4)
        return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << part.lanes) - 1), x);
    else
        return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << part.lanes) - 1), x);
#else
    alignas(64) T lanes[Register<T>::size] = {};
    std::copy_n(x, part.lanes, lanes);
    return Register<T>::load_aligned(lanes);
#endif
}
template <class T>
void store(T* z, const Register<T>& value, Part part) {
#ifdef __AVX512F__
    if constexpr (sizeof(T) == 4)
        _mm512_mask_storeu_ps(z, static_cast<__mmask16>((1u << part.lanes) - 1), value);
    else
        _mm512_mask_storeu_pd(z, static_cast<__mmask8>((1u << part.lanes) - 1), value);
#else
    alignas(64) T lanes[Register<T>::size];
    value.store_aligned(lanes);
    std::copy_n(lanes, part.lanes, z);
#endif
}

/// f(i, part) for each register of n numbers, i being the place of its first.
template <class T, class F>
void each(std::size_t n, F f) {
    constexpr std::size_t width = Register<T>::size;
    std::size_t i = 0;
    for (; i + width <= n; i += width) f(i, Whole());
    if (i < n) f(i, Part{n - i});
}

/// All lanes combined.
template <class T, class Combine>
T across(const Register<T>& x, Combine combine) {
    alignas(64) T lanes[Register<T>::size];
    x.store_aligned(lanes);
    for (std::size_t half = Register<T>::size / 2; half > 0; half /= 2)
        for (std::size_t k = 0; k < half; ++k) lanes[k] = combine(lanes[k], lanes[k + half]);
    return lanes[0];
}

/// combine over value(i, part) for each register of n numbers, in four registers, so that none waits for the one
/// before. `start` is combine's neutral number.
template <class T, class Combine, class Value>
T fold(std::size_t n, T start, Combine combine, Value value) {
    constexpr std::size_t width = Register<T>::size;
    Register<T> a(start), b = a, c = a, d = a;
    std::size_t i = 0;
    for (; i + 4 * width <= n; i += 4 * width) {
        a = combine(a, value(i, Whole()));
        b = combine(b, value(i + width, Whole()));
        c = combine(c, value(i + 2 * width, Whole()));
        d = combine(d, value(i + 3 * width, Whole()));
    }
    if (i + width <= n) a = combine(a, value(i, Whole())), i += width;
    if (i + width <= n) b = combine(b, value(i, Whole())), i += width;
    if (i + width <= n) c = combine(c, value(i, Whole())), i += width;
    if (i < n) {  // lanes beyond the end stay as they are
        alignas(64) T places[width];
        for (std::size_t k = 0; k < width; ++k) places[k] = static_cast<T>(k);
        const auto inside = Register<T>::load_aligned(places) < Register<T>(static_cast<T>(n - i));
        d = xsimd::select(inside, combine(d, value(i, Part{n - i})), d);
    }
    return across(combine(combine(a, b), combine(c, d)), combine);
}

inline constexpr auto plus = [](auto x, auto y) { return x + y; };
inline constexpr auto times = [](auto x, auto y) { return x * y; };
inline constexpr auto larger = [](auto x, auto y) {
    using std::max;
    return max(x, y);
};
inline constexpr auto smaller = [](auto x, auto y) {
    using std::min;
    return min(x, y);
};
