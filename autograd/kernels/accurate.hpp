// Functions of registers of doubles that are right to a unit or two in the last place. There are no branches, so that a
// number's result does not depend on the others. Products and sums whose rounding matters are pairs, high + low.
#pragma once

#include <autograd/kernels/registers.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace autograd::kernels::accurate {

/// A register of doubles, as the compiler's own type: it has operators and `condition ? a : b` lane by lane.
using D = Vector<double>;
typedef std::uint64_t U __attribute__((vector_size(sizeof(D))));
typedef float Floats __attribute__((vector_size(sizeof(D) / 2)));  ///< as many

[[gnu::always_inline]] inline D all(double number) { return D{} + number; }
[[gnu::always_inline]] inline U bits(D x) { return reinterpret_cast<U>(x); }
[[gnu::always_inline]] inline D from_bits(U x) { return reinterpret_cast<D>(x); }
[[gnu::always_inline]] inline D magnitude(D x) { return from_bits(bits(x) & 0x7FFFFFFFFFFFFFFF); }

/// high + low, low being what high lost when it was rounded.
struct Pair {
    D high, low;
};

/// a * b, exactly.
[[gnu::always_inline]] inline Pair product(D a, D b) {
    const D high = a * b;
#if defined(__AVX512F__)  // (xsimd 8 rounds twice here)
    return {high, _mm512_fmsub_pd(a, b, high)};
#elif defined(__FMA__)
    return {high, _mm256_fmsub_pd(a, b, high)};
#else  // Dekker's halves
    const auto upper_half = [](D x) {
        const D shifted = x * 134217729.0;
        return shifted - (shifted - x);
    };
    const D a_high = upper_half(a), a_low = a - a_high, b_high = upper_half(b), b_low = b - b_high;
    return {high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low};
#endif
}

/// a + b where a is the larger one.
[[gnu::always_inline]] inline Pair sum(D a, D b) {
    const D high = a + b;
    return {high, b - (high - a)};
}

/// a + b, whichever is the larger one.
[[gnu::always_inline]] inline Pair exact_sum(D a, D b) {
    const D high = a + b, of_b = high - a;
    return {high, (a - (high - of_b)) + (b - of_b)};
}

inline constexpr double shifter = 0x1.8p52;  ///< added and taken away, it rounds to a whole number
[[gnu::always_inline]] inline D rounded(D x) { return (x + shifter) - shifter; }

/// log(2), and its two parts; the product of `log_of_2_high` with a whole number below 2048 is exact.
inline constexpr double log_of_2 = 0x1.62e42fefa39efp-1, log_of_2_high = 0x1.62e42fefa3800p-1,
                        log_of_2_low = 0x1.ef35793c76730p-45;

/// 2^k for a whole number k between -1022 and 1023.
[[gnu::always_inline]] inline D power_of_two(D k) {
    return from_bits((bits(k + shifter) << 52) + (std::uint64_t{1023} << 52));
}

/// c0 + c1 x + c2 x^2 + ...
template <std::size_t I = 0, std::size_t End = 0, std::size_t N>
[[gnu::always_inline]] inline D polynomial(const double (&c)[N], D x) {
    if constexpr (I + 1 == (End == 0 ? N : End))
        return all(c[I]);
    else
        return polynomial<I + 1, End>(c, x) * x + c[I];
}

/// exp(x.high + x.low).
[[gnu::always_inline]] inline D exp(Pair x) {
    constexpr double terms[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
    const double most = 760;  // beyond it is 0 or infinity
    const D h = x.high > most ? all(most) : x.high < -most ? all(-most) : x.high;
    const D l = h == x.high ? x.low : all(0);
    const D k = rounded(h * (1 / log_of_2));
    const Pair r = sum(h - k * log_of_2_high, l - k * log_of_2_low);  // x - k log(2)
    const D rest = polynomial(terms, r.high) * (r.high * r.high) + r.low;
    const D half = rounded(k * 0.5);  // 2^k itself may be no number
    return (1 + (r.high + rest)) * power_of_two(half) * power_of_two(k - half);
}

/// x = m * 2^k for a positive normal number.
struct Parts {
    D m, k;
};

/// m lies between the roots of 1/2 and of 2, so that near 1 nothing cancels in its logarithm.
[[gnu::always_inline]] inline Parts parts_of(D x) {
    constexpr std::uint64_t root = 0x3FE6A09E667F3BCD;
    const U shifted = bits(x) - root + (std::uint64_t{1023} << 52);
    return {from_bits((shifted & 0xFFFFFFFFFFFFF) + root),
            from_bits((shifted >> 52) | 0x4330000000000000) - (0x1p52 + 1023)};
}

/// log(x) for a positive normal number: of its mantissa m by 2 artanh(s), s = (m - 1) / (m + 1).
[[gnu::always_inline]] inline Pair log(D x) {
    const auto [m, k] = parts_of(x);
    constexpr double terms[] = {1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13, 1.0 / 15,
                                1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23, 1.0 / 25, 1.0 / 27};
    const D f = m - 1;
    const Pair below = sum(m > 1 ? m : all(1), m > 1 ? all(1) : m);
    const D s = f / below.high;
    const Pair back = product(s, below.high);
    const D s_low = ((f - back.high) - back.low - s * below.low) / below.high;
    const Pair square = product(s, s);
    const D square_low = square.low + 2 * s * s_low;
    // s^3 / 3, the first term whose rounding shows
    constexpr double third = 1.0 / 3, third_low = 0x1.5555555555555p-56;
    const Pair cube = product(square.high, s);
    const D cube_low = cube.low + square.high * s_low + square_low * s;
    const Pair part = product(cube.high, all(third));
    const D part_low = part.low + cube.high * third_low + cube_low * third;
    const D tail = polynomial(terms, square.high) * (square.high * cube.high);
    const Pair k_log = {k * log_of_2_high, k * log_of_2_low};
    const Pair first = sum(2 * s, 2 * part.high);
    const D first_low = first.low + 2 * (s_low + (part_low + tail));
    const D high = k_log.high + first.high;
    // k * log(2) is 0 or the larger one
    const D low = k == 0 ? first_low : (first.high - (high - k_log.high)) + (first_low + k_log.low);
    return sum(high, low);
}

/// z with the sign of x^y, z being |x|^y: below 0 there are whole powers only, and the odd ones are negative.
[[gnu::always_inline]] inline D with_sign_of_power(D z, D x, D y) {
    const D size = magnitude(y), half = size * 0.5;
    const D whole = size < 0x1p52 ? (size + 0x1p52) - 0x1p52 : size;
    const D whole_half = half < 0x1p52 ? (half + 0x1p52) - 0x1p52 : half;
    const D odd_or_even = whole_half == half ? z : -z;
    const D below = whole == size ? odd_or_even : all(std::numeric_limits<double>::quiet_NaN());
    return x < 0 ? below : z;
}

/// x^y for a finite y and an x that is neither 0 nor denormal, infinite or NaN.
[[gnu::always_inline]] inline D pow(D x, D y) {
    const Pair l = log(magnitude(x)), h = product(y, l.high);
    return with_sign_of_power(exp({h.high, h.low + y * l.low}), x, y);
}

/// exp(x) to the digits that a float has.
[[gnu::always_inline]] inline D roughly_exp(D x) {
    constexpr double terms[] = {1.0,       1.0,       1.0 / 2,    1.0 / 6,     1.0 / 24,
                                1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880};
    const D h = x > 200 ? all(200) : x < -200 ? all(-200) : x;
    const D k = rounded(h * (1 / log_of_2));
    return polynomial(terms, h - k * log_of_2) * power_of_two(k);
}

/// x^y, likewise.
[[gnu::always_inline]] inline D roughly_pow(D x, D y) {
    constexpr double artanh[] = {1.0, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17};
    const Parts parts = parts_of(magnitude(x));
    const D s = (parts.m - 1) / (parts.m + 1);
    const D logarithm = parts.k * log_of_2 + 2 * s * polynomial(artanh, s * s);
    return with_sign_of_power(roughly_exp(y * logarithm), x, y);
}

/// The sine of x and a number of quarter turns, where x is no larger than `most_angle`; to the digits of a float, or of
/// a double.
inline constexpr double most_angle = 1 << 20;
template <bool Roughly>
[[gnu::always_inline]] inline D sin(D x, std::uint64_t quarters) {
    // x = k * pi/2 + r; pi/2 in three parts, of which k times the first two are exact
    const D k = rounded(x * 0.63661977236758134);
    const Pair t = exact_sum(x - k * 0x1.921fb54400000p+0, k * -0x1.0b4611a600000p-34);
    const Pair r = sum(t.high, t.low - k * 0x1.3198a2e037073p-69);
    constexpr double of_sin[] = {-1.0 / 6,        1.0 / 120,        -1.0 / 5040,          1.0 / 362880,
                                 -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000};
    constexpr double of_cos[] = {1.0 / 24,        -1.0 / 720,         1.0 / 40320,          -1.0 / 3628800,
                                 1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000, -1.0 / 6402373705728000};
    constexpr std::size_t left_out = Roughly ? 3 : 0;
    const D z = r.high * r.high;
    const D s = r.high + (r.high * z * polynomial<0, 8 - left_out>(of_sin, z) + r.low * (1 - 0.5 * z));
    const Pair c = sum(all(1), -0.5 * z);
    const D of_z = c.high + (c.low + (z * z * polynomial<0, 8 - left_out>(of_cos, z) - r.high * r.low));
    const U quadrant = bits(k + shifter) + quarters;
    const D size = (quadrant & 1) == 0 ? s : of_z;
    const D with_sign = (quadrant & 2) == 0 ? size : -size;
    return quarters == 0 ? (x == 0 ? x : with_sign) : with_sign;  // -0 stays what it is
}

/// exp(u^2) erfc(u) for u >= 1/2: (1 + 2u) times it is a polynomial of (u - 4) / (u + 4), by interpolation at
/// Chebyshev's points.
[[gnu::always_inline]] inline D scaled_tail(D u) {
    constexpr double c[] = {
        1.23299511862555251,     -0.139621116840562486,     0.0153796521026198791,     0.068097054254688596,
        -0.101039066036312841,   0.0937328349985285171,     -0.0663303658120074934,    0.0371675155338984537,
        -0.0161977340605095399,  0.00503197001754952733,    -0.000757773267960640088,  -0.000199256959578986442,
        0.000150621578530736368, -0.0000243980792543655125, -0.0000112217427197322689, 5.70654557574095408e-6,
        2.93286567811154617e-7,  -8.19580783088670693e-7,   7.52030092628018502e-8,    1.03314110017557996e-7,
        -1.82579508600228326e-8, -9.67176432880172282e-9,   1.92435532175269527e-9};
    return polynomial(c, (u - 4) / (u + 4)) / (1 + 2 * u);
}

/// erf(x) / x for |x| <= 1/2, a polynomial of x^2.
[[gnu::always_inline]] inline D erf_over(D square) {
    constexpr double c[] = {1.12837916709551257,    -0.376126389031837505,     0.1128379167095487,
                            -0.0268661706450000743, 0.0052239776220242243,     -0.000854832651156656756,
                            0.00012055286259121393, -0.0000149230056268948475, 1.63712825977559762e-6,
                            -1.46213414910128427e-7};
    return polynomial(c, square);
}

/// erfc(u) = exp(-u^2) * that for u >= 1/2, where u^2 is known exactly.
[[gnu::always_inline]] inline D tail(D u, Pair square) {
    const D bounded = u < 0.5 ? all(0.5) : u > 28 ? all(28) : u;
    return scaled_tail(bounded) * exp({-square.high, -square.low});
}

[[gnu::always_inline]] inline D erf(D x) {
    const D u = magnitude(x) > 6 ? all(6) : magnitude(x);
    const D near = x * erf_over(u * u), far = 1 - tail(u, product(u, u));
    return magnitude(x) < 0.5 ? near : x < 0 ? -far : far;
}

/// The normal distribution's Phi(x) = erfc(-x / sqrt(2)) / 2.
[[gnu::always_inline]] inline D normal_cdf(D x) {
    const D v = magnitude(x) > 40 ? all(40) : magnitude(x), u = v * 0.70710678118654752;
    const Pair square = product(v, v);
    const D far = 0.5 * tail(u, {0.5 * square.high, 0.5 * square.low});
    const D near = 0.5 + 0.5 * (x * 0.70710678118654752) * erf_over(0.5 * square.high);
    return u < 0.5 ? near : x < 0 ? far : 1 - far;
}

}  // namespace autograd::kernels::accurate
