// Products of matrices, tile by tile: the sums of a tile stay in registers.
#pragma once

#include <autograd/kernels/multiplication.hpp>

namespace autograd::kernels {

template <class T>
constexpr std::size_t most_numbers = 32768 / sizeof(T);  ///< of b: it stays in the first cache

template <class T>
constexpr std::size_t numbers_nearby = (1 << 19) / sizeof(T);  ///< of b: it stays in the second cache

/// As `multiply`, for a b of at most `most_numbers`; one that is not transposed may have more.
template <class T>
void multiply_in_tiles(const Multiplication<T>& what);

/// As `multiply`, for matrices of any size: the way without BLAS. Blocks of b are multiplied one after the other.
template <class T>
void multiply_in_blocks(const Multiplication<T>& what);

}  // namespace autograd::kernels
