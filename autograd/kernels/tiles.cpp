// Large products go to BLAS. Small ones, for which it takes as long to prepare as to multiply, are made here.
#include <algorithm>
#include <array>
#include <autograd/kernels/tiles.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/transpose.hpp>
#include <functional>
#include <utility>
#include <xtensor-blas/xblas.hpp>

namespace autograd {

namespace {

/// A small multiplication, with a b that is not transposed. Each number of c is the sum over l of a(i, l) * b(l, j).
template <class T>
struct Small {
    const Multiplication<T>& of;
    const T* b;
    std::size_t a_step, l_step;  // from a(i, l) to a(i + 1, l), and to a(i, l + 1)
};

/// A tile of c: `Height` rows from i on, of `Width` registers from column j on, the last of which has `count` numbers.
/// Its sums stay in registers.
template <std::size_t Height, std::size_t Width, class T>
void multiply_tile(const Small<T>& small, std::size_t i, std::size_t j, std::size_t count) {
    constexpr std::size_t width = Register<T>::size;
    const auto load = [count](const T* x, std::size_t w) {
        return w + 1 < Width ? load_some(x + w * width) : load_some(x + w * width, count);
    };
    const Multiplication<T>& of = small.of;
    const T *start = of.start, *a = of.a + i * small.a_step, *b = small.b + j;
    T* c = of.c + i * of.n + j;
    Register<T> sums[Height][Width];
    if (start != nullptr) start += i * of.start_step + j;
#pragma GCC unroll 16
    for (std::size_t h = 0; h < Height; ++h) {
#pragma GCC unroll 2
        for (std::size_t w = 0; w < Width; ++w) sums[h][w] = start == nullptr ? Register<T>(0) : load(start, w);
        if (start != nullptr) start += of.start_step;
    }
    for (std::size_t l = 0; l < of.k; ++l, a += small.l_step, b += of.n) {
        Register<T> row[Width];
#pragma GCC unroll 2
        for (std::size_t w = 0; w < Width; ++w) row[w] = load(b, w);
#pragma GCC unroll 16
        for (std::size_t h = 0; h < Height; ++h)
#pragma GCC unroll 2
            for (std::size_t w = 0; w < Width; ++w)
                sums[h][w] = xsimd::fma(Register<T>(a[h * small.a_step]), row[w], sums[h][w]);
    }
#pragma GCC unroll 16
    for (std::size_t h = 0; h < Height; ++h, c += of.n)
#pragma GCC unroll 2
        for (std::size_t w = 0; w < Width; ++w)
            w + 1 < Width ? store_some(c + w * width, sums[h][w]) : store_some(c + w * width, sums[h][w], count);
}

/// The tiles of 1, 2, ... rows: as high as there are registers for their sums.
template <std::size_t Width, class T>
constexpr auto tiles = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array{multiply_tile<I + 1, Width, T>...};
}
(std::make_index_sequence<sizeof(Register<T>) == 64 ? 8 : 4>());

template <class T>
constexpr std::size_t most_numbers = 32768 / sizeof(T);  // of b: it stays in the first cache

template <class T>
void multiply_small(const Multiplication<T>& what, const T* b) {
    const std::size_t m = what.m, n = what.n;
    const Small<T> small{what, b, what.a_transposed ? 1 : what.k, what.a_transposed ? m : 1};
    constexpr std::size_t width = Register<T>::size, height = tiles<1, T>.size();
    for (std::size_t j = 0; j < n; j += 2 * width)
        for (std::size_t i = 0; i < m; i += height) {
            const std::size_t rows = std::min(height, m - i) - 1, columns = std::min(2 * width, n - j);
            if (columns > width)
                tiles<2, T>[rows](small, i, j, columns - width);
            else
                tiles<1, T>[rows](small, i, j, columns);
        }
}

template <class T>
[[gnu::noinline]] void multiply_transposed(const Multiplication<T>& what) {
    T b[most_numbers<T>];
    transpose(what.b, what.k, what.n, what.k, b, what.n, false);
    multiply_small(what, b);
}

/// z = the products of x with each of some rows, on top of `start`, whose numbers lie `start_step` apart.
template <class T>
[[gnu::noinline]] void multiply_rows(const T* row, std::size_t rows, const T* x, std::size_t k, T* z, const T* start,
                                     std::size_t start_step) {
    for (std::size_t i = 0; i < rows; ++i, row += k) {
        const auto product = [&](std::size_t l, auto... some) {
            return load_some(row + l, some...) * load_some(x + l, some...);
        };
        z[i] = (start == nullptr ? T(0) : start[i * start_step]) + fold(k, T(0), std::plus<>(), product);
    }
}

// What takes less time here than in BLAS, which chooses its registers when it runs, and uses several threads.
template <class T, std::size_t Bytes = sizeof(Register<T>)>
constexpr std::size_t most_multiplications = Bytes == 64   ? 1 << 21
                                             : Bytes == 32 ? 1 << 18
                                                           : 1 << 12;
template <class T>
constexpr std::size_t most_of_a_vector = sizeof(Register<T>) >= 32 ? 1 << 17 : 1 << 12;

}  // namespace

template <class T>
void multiply(const Multiplication<T>& what) {
    const auto& [a, a_transposed, b, b_transposed, c, m, k, n, start, start_step] = what;
    if (m == 1 && b_transposed && k * n <= most_of_a_vector<T>) return multiply_rows(b, n, a, k, c, start, 1);
    if (n == 1 && !a_transposed && m * k <= most_of_a_vector<T>) return multiply_rows(a, m, b, k, c, start, start_step);
    const std::size_t most = m == 1 || n == 1 ? 128 : most_multiplications<T>;  // BLAS has products with vectors
    if (k * n <= most_numbers<T> && m * k * n <= most)
        return b_transposed ? multiply_transposed(what) : multiply_small(what, b);
    if (start != nullptr && start != c)
        for (std::size_t i = 0; i < m; ++i) std::copy_n(start + i * start_step, n, c + i * n);
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

template void multiply(const Multiplication<float>&);
template void multiply(const Multiplication<double>&);

}  // namespace autograd
