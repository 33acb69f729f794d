#include <algorithm>
#include <array>
#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/tiles.hpp>
#include <autograd/kernels/transpose.hpp>
#include <utility>

namespace autograd::kernels {

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
template <std::size_t Width, class T, std::size_t... I>
constexpr auto tiles_of_heights(std::index_sequence<I...>) {
    return std::array{multiply_tile<I + 1, Width, T>...};
}
template <std::size_t Width, class T>
constexpr auto tiles = tiles_of_heights<Width, T>(std::make_index_sequence<sizeof(Register<T>) == 64 ? 8 : 4>());

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

}  // namespace

template <class T>
void multiply_in_tiles(const Multiplication<T>& what) {
    what.b_transposed ? multiply_transposed(what) : multiply_small(what, what.b);
}

template void multiply_in_tiles(const Multiplication<float>&);
template void multiply_in_tiles(const Multiplication<double>&);

}  // namespace autograd::kernels
