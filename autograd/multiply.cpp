// Large products go to BLAS. Small ones, for which it takes as long to prepare as to multiply, are made here.
#include <autograd/multiply.hpp>
#include <autograd/registers.hpp>
#include <autograd/transpose.hpp>
#include <xtensor-blas/xblas.hpp>

namespace autograd {

namespace {

/// Numbers of c that are summed side by side: `Height` rows of `Width` registers, the last of `count` numbers.
template <std::size_t Height, std::size_t Width>
struct Tile {
    std::size_t count;

    template <class T>
    [[gnu::always_inline]] Register<T> load(const T* x, std::size_t w) const {
        x += w * Register<T>::size;
        return w + 1 < Width ? load_some(x) : load_some(x, count);
    }

    /// Each number is the sum over l of a(i, l) * b(l, j), on top of `start`.
    template <class T>
    [[gnu::noinline]] void multiply(const T* a, std::size_t a_step, std::size_t l_step, const T* b, T* c, std::size_t k,
                                    std::size_t n, const T* start, std::size_t start_step) const {
        Register<T> sums[Height][Width];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < Height; ++i)
#pragma GCC unroll 2
            for (std::size_t w = 0; w < Width; ++w)
                sums[i][w] = start == nullptr ? Register<T>(0) : load(start + i * start_step, w);
        for (std::size_t l = 0; l < k; ++l, a += l_step, b += n) {
            Register<T> row[Width];
#pragma GCC unroll 2
            for (std::size_t w = 0; w < Width; ++w) row[w] = load(b, w);
#pragma GCC unroll 16
            for (std::size_t i = 0; i < Height; ++i)
#pragma GCC unroll 2
                for (std::size_t w = 0; w < Width; ++w)
                    sums[i][w] = xsimd::fma(Register<T>(a[i * a_step]), row[w], sums[i][w]);
        }
#pragma GCC unroll 16
        for (std::size_t i = 0; i < Height; ++i)
#pragma GCC unroll 2
            for (std::size_t w = 0; w < Width; ++w) {
                T* z = c + i * n + w * Register<T>::size;
                w + 1 < Width ? store_some(z, sums[i][w]) : store_some(z, sums[i][w], count);
            }
    }
};

/// The columns of c that a tile covers: m rows, as many tiles of this height as there is place for, the rest by halves.
template <std::size_t Height, std::size_t Width, class T>
void multiply_columns(std::size_t count, const T* a, std::size_t a_step, std::size_t l_step, const T* b, T* c,
                      std::size_t m, std::size_t k, std::size_t n, const T* start, std::size_t start_step) {
    for (; m >= Height; m -= Height) {
        Tile<Height, Width>{count}.multiply(a, a_step, l_step, b, c, k, n, start, start_step);
        a += Height * a_step;
        c += Height * n;
        if (start != nullptr) start += Height * start_step;
    }
    if constexpr (Height > 1)
        if (m > 0) multiply_columns<Height / 2, Width>(count, a, a_step, l_step, b, c, m, k, n, start, start_step);
}

constexpr std::size_t most_numbers = 4096;  // of b: it stays in the first cache

template <class T>
void multiply_small(const T* a, bool a_transposed, const T* b, bool b_transposed, T* c, std::size_t m, std::size_t k,
                    std::size_t n, const T* start, std::size_t start_step) {
    T rows[most_numbers];
    if (b_transposed) {
        transpose(b, k, n, k, rows, n, false);
        b = rows;
    }
    constexpr std::size_t width = Register<T>::size, height = sizeof(Register<T>) == 64 ? 8 : 4;
    const std::size_t a_step = a_transposed ? 1 : k, l_step = a_transposed ? m : 1;
    for (std::size_t j = 0; j < n; j += 2 * width) {
        const std::size_t count = std::min(n - j, 2 * width);
        const T* from = start == nullptr ? nullptr : start + j;
        if (count > width)
            multiply_columns<height, 2>(count - width, a, a_step, l_step, b + j, c + j, m, k, n, from, start_step);
        else
            multiply_columns<height, 1>(count, a, a_step, l_step, b + j, c + j, m, k, n, from, start_step);
    }
}

/// Each of m rows of c is the row x of n numbers.
template <class T>
void repeat_row(const T* x, T* c, std::size_t m, std::size_t n) {
    const auto column = [&](std::size_t j, auto... some) {
        const Register<T> numbers = load_some(x + j, some...);
        for (std::size_t i = 0; i < m; ++i) store_some(c + i * n + j, numbers, some...);
    };
    std::size_t j = 0;
    for (; j + Register<T>::size <= n; j += Register<T>::size) column(j);
    if (j < n) column(j, n - j);
}

/// Whether a product takes less time here than in BLAS, where a row or a column is a product with a vector.
template <class T>
bool is_small(std::size_t m, std::size_t k, std::size_t n) {
    constexpr std::size_t bytes = sizeof(Register<T>);
    return k * n <= most_numbers && m * k * n <= (m == 1 || n == 1 ? 128 : bytes * bytes * bytes);
}

}  // namespace

template <class T>
void multiply(const T* a, bool a_transposed, const T* b, bool b_transposed, T* c, std::size_t m, std::size_t k,
              std::size_t n, const T* start, std::size_t start_step) {
    if (is_small<T>(m, k, n)) return multiply_small(a, a_transposed, b, b_transposed, c, m, k, n, start, start_step);
    if (start != nullptr && start != c) repeat_row(start, c, m, n);
    using cxxblas::Transpose;
    const auto row_major = cxxblas::StorageOrder::RowMajor;
    const auto length = [](std::size_t value) { return static_cast<int>(value); };
    const T beta = start != nullptr ? T(1) : T(0);
    if (m == 1) {  // b^T a
        cxxblas::gemv<int>(row_major, b_transposed ? Transpose::NoTrans : Transpose::Trans,
                           length(b_transposed ? n : k), length(b_transposed ? k : n), T(1), b,
                           length(b_transposed ? k : n), a, 1, beta, c, 1);
    } else if (n == 1) {  // a b
        cxxblas::gemv<int>(row_major, a_transposed ? Transpose::Trans : Transpose::NoTrans,
                           length(a_transposed ? k : m), length(a_transposed ? m : k), T(1), a,
                           length(a_transposed ? m : k), b, 1, beta, c, 1);
    } else {
        cxxblas::gemm<int>(row_major, a_transposed ? Transpose::Trans : Transpose::NoTrans,
                           b_transposed ? Transpose::Trans : Transpose::NoTrans, length(m), length(n), length(k), T(1),
                           a, length(a_transposed ? m : k), b, length(b_transposed ? k : n), beta, c, length(n));
    }
}

template void multiply(const float*, bool, const float*, bool, float*, std::size_t, std::size_t, std::size_t,
                       const float*, std::size_t);
template void multiply(const double*, bool, const double*, bool, double*, std::size_t, std::size_t, std::size_t,
                       const double*, std::size_t);

}  // namespace autograd
