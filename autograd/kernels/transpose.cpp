#include <autograd/kernels/registers.hpp>
#include <autograd/kernels/transpose.hpp>
#include <utility>

namespace autograd::kernels {

namespace {

template <class T>
constexpr std::size_t width = Register<T>::size;

/// Of each square of 2 D x 2 D numbers in two rows that lie D apart, the right half of the upper row changes places
/// with the left half of the lower one.
template <std::size_t D, class T, std::size_t... Lane>
[[gnu::always_inline]] inline void exchange(Register<T>& upper, Register<T>& lower, std::index_sequence<Lane...>) {
    constexpr std::size_t n = sizeof...(Lane);
    const Vector<T> a = vector_of(upper), b = vector_of(lower);
    upper = register_of<T>(__builtin_shufflevector(a, b, ((Lane & D) == 0 ? Lane : n + Lane - D)...));
    lower = register_of<T>(__builtin_shufflevector(a, b, ((Lane & D) == 0 ? Lane + D : n + Lane)...));
}

/// Single numbers change places, then squares of 2 x 2, of 4 x 4, ...
template <std::size_t D, class T>
[[gnu::always_inline]] inline void transpose(Register<T> (&rows)[width<T>]) {
    if constexpr (D < width<T>) {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < width<T>; ++i)
            if ((i & D) == 0) exchange<D>(rows[i], rows[i + D], std::make_index_sequence<width<T>>());
        transpose<2 * D>(rows);
    }
}

/// A matrix of at most as many rows and columns as a register has numbers.
template <class T>
void transpose_square(const T* x, std::size_t x_step, std::size_t rows, std::size_t columns, T* z, std::size_t z_step,
                      bool accumulate) {
    Register<T> square[width<T>];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < width<T>; ++i)
        square[i] = i < rows ? load_some(x + i * x_step, columns) : Register<T>(0);
    transpose<1>(square);
#pragma GCC unroll 16
    for (std::size_t j = 0; j < width<T>; ++j) {
        if (j == columns) return;
        store_or_add(z + j * z_step, square[j], accumulate, rows);
    }
}

}  // namespace

template <class T>
void transpose(const T* x, std::size_t x_step, std::size_t rows, std::size_t columns, T* z, std::size_t z_step,
               bool accumulate) {
    if (rows < 4 || columns < 4) {
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < columns; ++j) store_or_add(z[j * z_step + i], x[i * x_step + j], accumulate);
        return;
    }
    for (std::size_t i = 0; i < rows; i += width<T>)
        for (std::size_t j = 0; j < columns; j += width<T>)
            transpose_square(x + i * x_step + j, x_step, std::min(width<T>, rows - i), std::min(width<T>, columns - j),
                             z + j * z_step + i, z_step, accumulate);
}

template void transpose(const float*, std::size_t, std::size_t, std::size_t, float*, std::size_t, bool);
template void transpose(const double*, std::size_t, std::size_t, std::size_t, double*, std::size_t, bool);

}  // namespace autograd::kernels
