#include <algorithm>
#include <array>
#include <autograd/kernels/halves.hpp>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/tiles.hpp>
#include <autograd/kernels/transpose.hpp>
#include <utility>

namespace autograd::kernels {

namespace {

/// c = a @ b for an (m, k) matrix a and a contiguous (k, n) matrix b. Each number of c is the sum over l of
/// a(i, l) * b(l, j), on top of start(i, j) where there is one.
template <class T>
struct Small {
    const T* a;
    std::size_t a_step, l_step;  // from a(i, l) to a(i + 1, l), and to a(i, l + 1)
    const T* b;
    T* c;
    std::size_t c_step;  // from c(i, j) to c(i + 1, j)
    std::size_t m, k, n;
    const T* start;
    std::size_t start_step;
};

/// A tile of c: `Height` rows from i on, of `Width` registers from column j on, the last of which has `count` numbers.
/// Its sums stay in registers.
template <std::size_t Height, std::size_t Width, class T>
void multiply_tile(const Small<T>& small, std::size_t i, std::size_t j, std::size_t count) {
    constexpr std::size_t width = Register<T>::size;
    const auto load = [count](const T* x, std::size_t w) {
        return w + 1 < Width ? load_some(x + w * width) : load_some(x + w * width, count);
    };
    const T *start = small.start, *a = small.a + i * small.a_step, *b = small.b + j;
    T* c = small.c + i * small.c_step + j;
    Register<T> sums[Height][Width];
    if (start != nullptr) start += i * small.start_step + j;
#pragma GCC unroll 16
    for (std::size_t h = 0; h < Height; ++h) {
#pragma GCC unroll 2
        for (std::size_t w = 0; w < Width; ++w) sums[h][w] = start == nullptr ? Register<T>(0) : load(start, w);
        if (start != nullptr) start += small.start_step;
    }
    for (std::size_t l = 0; l < small.k; ++l, a += small.l_step, b += small.n) {
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
    for (std::size_t h = 0; h < Height; ++h, c += small.c_step)
#pragma GCC unroll 2
        for (std::size_t w = 0; w < Width; ++w)
            w + 1 < Width ? store_some(c + w * width, sums[h][w]) : store_some(c + w * width, sums[h][w], count);
}

/// The tiles of 1, 2, ... rows: as high as there are registers for their sums.
template <std::size_t Width, class T, std::size_t... I>
constexpr auto tiles_of_heights(std::index_sequence<I...>) {
    return std::array{multiply_tile<I + 1, Width, T>...};
}
template <std::size_t Width, class T>
constexpr auto tiles = tiles_of_heights<Width, T>(std::make_index_sequence<sizeof(Register<T>) == 64 ? 8 : 4>());

template <class T>
void multiply_small(const Small<T>& small) {
    const std::size_t m = small.m, n = small.n;
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
Small<T> small_of(const Multiplication<T>& what, const T* b) {
    return {what.a,
            what.a_transposed ? 1 : what.k,
            what.a_transposed ? what.m : 1,
            b,
            what.c,
            what.n,
            what.m,
            what.k,
            what.n,
            what.start,
            what.start_step};
}

template <class T>
[[gnu::noinline]] void multiply_transposed(const Multiplication<T>& what) {
    T b[most_numbers<T>];
    transpose(what.b, what.k, what.n, what.k, b, what.n, false);
    multiply_small(small_of(what, b));
}

constexpr std::size_t block_depth = 128;

/// c = the sums over l from `begin` to `end`, block by block, on top of `start`.
template <class T>
void multiply_terms(const Multiplication<T>& what, std::size_t begin, std::size_t end) {
    constexpr std::size_t height = 128, width = most_numbers<T> / block_depth;  // a's block fits the second cache
    alignas(64) T b[most_numbers<T>];
    const auto& [a, a_transposed, whole_b, b_transposed, c, m, k, n, start, start_step] = what;
    const std::size_t a_step = a_transposed ? 1 : k, l_step = a_transposed ? m : 1;
    for (std::size_t j = 0; j < n; j += width)
        for (std::size_t l = begin; l == begin || l < end; l += block_depth) {
            const std::size_t columns = std::min(width, n - j), terms = std::min(block_depth, end - l);
            if (b_transposed)
                transpose(whole_b + j * k + l, k, columns, terms, b, columns, false);
            else
                for (std::size_t row = 0; row < terms; ++row)
                    std::copy_n(whole_b + (l + row) * n + j, columns, b + row * columns);
            for (std::size_t i = 0; i < m; i += height) {
                T* block = c + i * n + j;
                const T* before = l != begin ? block : start != nullptr ? start + i * start_step + j : nullptr;
                multiply_small(Small<T>{a + i * a_step + l * l_step, a_step, l_step, b, block, n,
                                        std::min(height, m - i), terms, columns, before, l != begin ? n : start_step});
            }
        }
}

}  // namespace

template <class T>
void multiply_in_tiles(const Multiplication<T>& what) {
    what.b_transposed ? multiply_transposed(what) : multiply_small(small_of(what, what.b));
}

template <class T>
void multiply_in_blocks(const Multiplication<T>& what) {
    add_many_in_halves(what.c, what.m * what.n, what.k, 4 * block_depth, false,
                       [&](T* c, std::size_t first, std::size_t count, bool) {
                           Multiplication<T> some = what;
                           some.c = c;
                           if (first != 0) some.start = nullptr;
                           multiply_terms(some, first, first + count);
                       });
}

template void multiply_in_tiles(const Multiplication<float>&);
template void multiply_in_tiles(const Multiplication<double>&);
template void multiply_in_blocks(const Multiplication<float>&);
template void multiply_in_blocks(const Multiplication<double>&);

}  // namespace autograd::kernels
