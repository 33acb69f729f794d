#include <algorithm>
#include <autograd/kernels/halves.hpp>
#include <autograd/kernels/multiplication.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/tiles.hpp>
#include <functional>
#include <limits>
#ifdef DELTARULE_BLAS
#include <cblas.h>

#include <cstdlib>
// Null in another BLAS.
extern "C" [[gnu::weak]] int openblas_get_num_threads();
#endif

namespace autograd::kernels {

namespace {

constexpr std::size_t long_row = 1 << 14;

template <class T>
T multiply_long_row(const T* row, const T* x, std::size_t k);

/// z = the products of x with each of some rows, on top of `start`, whose numbers lie `start_step` apart.
template <class T>
[[gnu::noinline]] void multiply_rows(const T* row, std::size_t rows, const T* x, std::size_t k, T* z, const T* start,
                                     std::size_t start_step) {
    for (std::size_t i = 0; i < rows; ++i, row += k) {
        const auto product = [&](std::size_t l, auto... some) {
            return load_some(row + l, some...) * load_some(x + l, some...);
        };
        z[i] = (start == nullptr ? T(0) : start[i * start_step]) +
               (k > long_row ? multiply_long_row(row, x, k) : fold(k, T(0), std::plus<>(), product));
    }
}

/// By halves: the error grows as the logarithm of the length.
template <class T>
[[gnu::noinline]] T multiply_long_row(const T* row, const T* x, std::size_t k) {
    T first, second;
    multiply_rows(row, 1, x, k / 2, &first, static_cast<const T*>(nullptr), 1);
    multiply_rows(row + k / 2, 1, x + k / 2, k - k / 2, &second, static_cast<const T*>(nullptr), 1);
    return first + second;
}

#ifdef DELTARULE_BLAS

// What takes less time here than in BLAS, which takes as long to prepare as a small product takes, but chooses its
// registers when it runs, and uses several threads.
template <class T, std::size_t Bytes = sizeof(Register<T>)>
constexpr std::size_t most_multiplications = Bytes == 64   ? 1 << 21
                                             : Bytes == 32 ? 1 << 18
                                                           : 1 << 12;
template <class T>
constexpr std::size_t most_of_a_vector = sizeof(Register<T>) >= 32 ? 1 << 17 : 1 << 12;

/// Of how many rows BLAS takes longer, as it copies all of b for few of them. With threads it takes less.
template <class T>
std::size_t rows_for_blocks() {
    if (sizeof(Register<T>) < 64) return 0;
    return openblas_get_num_threads != nullptr && openblas_get_num_threads() == 1 ? 128 : 32;
}
constexpr std::size_t bytes_of_blocks = 1 << 22;  ///< of b

CBLAS_TRANSPOSE transposed(bool is) { return is ? CblasTrans : CblasNoTrans; }

/// c = op(a) @ b + beta * c for a matrix a of `rows` rows and a vector b, both as they lie in memory.
void matrix_by_vector(bool transpose, int rows, int columns, const float* a, const float* b, float beta, float* c) {
    cblas_sgemv(CblasRowMajor, transposed(transpose), rows, columns, 1, a, columns, b, 1, beta, c, 1);
}
void matrix_by_vector(bool transpose, int rows, int columns, const double* a, const double* b, double beta, double* c) {
    cblas_dgemv(CblasRowMajor, transposed(transpose), rows, columns, 1, a, columns, b, 1, beta, c, 1);
}
void matrix_by_matrix(const Multiplication<float>& of, int m, int k, int n, float beta) {
    cblas_sgemm(CblasRowMajor, transposed(of.a_transposed), transposed(of.b_transposed), m, n, k, 1, of.a,
                of.a_transposed ? m : k, of.b, of.b_transposed ? k : n, beta, of.c, n);
}
void matrix_by_matrix(const Multiplication<double>& of, int m, int k, int n, double beta) {
    cblas_dgemm(CblasRowMajor, transposed(of.a_transposed), transposed(of.b_transposed), m, n, k, 1, of.a,
                of.a_transposed ? m : k, of.b, of.b_transposed ? k : n, beta, of.c, n);
}

/// Whether OpenBLAS will get the memory that each of its threads takes at its first product: where it gets none, it
/// tries for ever. Asked once in each thread.
bool blas_has_memory() {
    thread_local const bool has = [] {
        if (openblas_get_num_threads == nullptr) return true;
        constexpr std::size_t bytes_of_a_thread = 129 << 20;
        // (volatile, as a compiler may leave out memory that nobody uses)
        void* volatile memory = std::malloc(bytes_of_a_thread * static_cast<std::size_t>(openblas_get_num_threads()));
        const bool got = memory != nullptr;
        std::free(memory);
        return got;
    }();
    return has;
}

template <class T>
void multiply_by_blas(const Multiplication<T>& of) {
    if (of.start != nullptr && of.start != of.c)
        for (std::size_t i = 0; i < of.m; ++i) std::copy_n(of.start + i * of.start_step, of.n, of.c + i * of.n);
    const T beta = of.start != nullptr ? T(1) : T(0);
    const auto m = static_cast<int>(of.m), k = static_cast<int>(of.k), n = static_cast<int>(of.n);
    if (m == 1)  // b^T a
        matrix_by_vector(!of.b_transposed, of.b_transposed ? n : k, of.b_transposed ? k : n, of.b, of.a, beta, of.c);
    else if (n == 1)  // a b
        matrix_by_vector(of.a_transposed, of.a_transposed ? k : m, of.a_transposed ? m : k, of.a, of.b, beta, of.c);
    else
        matrix_by_matrix(of, m, k, n, beta);
}

template <class T>
void multiply_large(const Multiplication<T>& of) {
    // A BLAS counts in int.
    if (std::max({of.m, of.k, of.n}) > std::numeric_limits<int>::max() || !blas_has_memory())
        return multiply_in_blocks(of);
    // Of a matrix and a long vector a BLAS adds all products in one go, some to what is there already: by halves less
    // is rounded away.
    const bool is_by_vector = (of.m == 1 && !of.b_transposed) || (of.n == 1 && of.a_transposed);
    constexpr std::size_t few = 1 << 12;
    if (!is_by_vector || of.k <= few) return multiply_by_blas(of);
    add_many_in_halves(of.c, of.m * of.n, of.k, few, false, [&](T* c, std::size_t first, std::size_t count, bool) {
        Multiplication<T> some = of;
        some.a = of.a + first * of.m;
        some.b = of.b + first * of.n;
        some.c = c;
        some.k = count;
        if (first != 0) some.start = nullptr;
        multiply_by_blas(some);
    });
}

#else

template <class T>
std::size_t rows_for_blocks() {
    return 0;
}
constexpr std::size_t bytes_of_blocks = 0;
template <class T>
constexpr std::size_t most_multiplications = std::numeric_limits<std::size_t>::max();
template <class T>
constexpr std::size_t most_of_a_vector = std::numeric_limits<std::size_t>::max();

template <class T>
void multiply_large(const Multiplication<T>& of) {
    multiply_in_blocks(of);
}

#endif

}  // namespace

template <class T>
void multiply(const Multiplication<T>& what) {
    const auto& [a, a_transposed, b, b_transposed, c, m, k, n, start, start_step] = what;
    if (m == 1 && n == 1) return multiply_rows(b, 1, a, k, c, start, 1);
    // A BLAS may add the products of long rows one by one.
    if (m == 1 && b_transposed && (k * n <= most_of_a_vector<T> || k > long_row))
        return multiply_rows(b, n, a, k, c, start, 1);
    if (n == 1 && !a_transposed && (m * k <= most_of_a_vector<T> || k > long_row))
        return multiply_rows(a, m, b, k, c, start, start_step);
    const std::size_t most = m == 1 || n == 1 ? 128 : most_multiplications<T>;  // BLAS has products with vectors
    if (k * n <= most_numbers<T> && m * k * n <= most) return multiply_in_tiles(what);
    if (m > 1 && n > 1 && k * n * sizeof(T) <= bytes_of_blocks && m <= rows_for_blocks<T>())
        return !b_transposed && k * n <= numbers_nearby<T> ? multiply_in_tiles(what) : multiply_in_blocks(what);
    multiply_large(what);
}

template void multiply(const Multiplication<float>&);
template void multiply(const Multiplication<double>&);

}  // namespace autograd::kernels
