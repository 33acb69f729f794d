#include <algorithm>
#include <autograd/kernels/multiplication.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/tiles.hpp>
#include <functional>
#include <xtensor-blas/xblas.hpp>

namespace autograd::kernels {

namespace {

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

// What takes less time here than in BLAS, which takes as long to prepare as a small product takes, but chooses its
// registers when it runs, and uses several threads.
template <class T, std::size_t Bytes = sizeof(Register<T>)>
constexpr std::size_t most_multiplications = Bytes == 64   ? 1 << 21
                                             : Bytes == 32 ? 1 << 18
                                                           : 1 << 12;
template <class T>
constexpr std::size_t most_of_a_vector = sizeof(Register<T>) >= 32 ? 1 << 17 : 1 << 12;

template <class T>
void multiply_by_blas(const Multiplication<T>& what) {
    const auto& [a, a_transposed, b, b_transposed, c, m, k, n, start, start_step] = what;
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

}  // namespace

template <class T>
void multiply(const Multiplication<T>& what) {
    const auto& [a, a_transposed, b, b_transposed, c, m, k, n, start, start_step] = what;
    if (m == 1 && b_transposed && k * n <= most_of_a_vector<T>) return multiply_rows(b, n, a, k, c, start, 1);
    if (n == 1 && !a_transposed && m * k <= most_of_a_vector<T>) return multiply_rows(a, m, b, k, c, start, start_step);
    const std::size_t most = m == 1 || n == 1 ? 128 : most_multiplications<T>;  // BLAS has products with vectors
    if (k * n <= most_numbers<T> && m * k * n <= most) return multiply_in_tiles(what);
    multiply_by_blas(what);
}

template void multiply(const Multiplication<float>&);
template void multiply(const Multiplication<double>&);

}  // namespace autograd::kernels
