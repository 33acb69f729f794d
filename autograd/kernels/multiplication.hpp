// The product of two matrices: small ones in tiles, large ones by BLAS where it is used.
#pragma once

#include <cstddef>

namespace autograd::kernels {

/// c = a @ b for contiguous matrices: a is (m, k) and b (k, n) after the transpositions. What is there already may
/// stand in `start`, a matrix whose rows lie `start_step` apart: c itself, or one row for all (0 apart), or null.
template <class T>
struct Multiplication {
    const T* a;
    bool a_transposed;
    const T* b;
    bool b_transposed;
    T* c;
    std::size_t m, k, n;
    const T* start;
    std::size_t start_step;
};

template <class T>
void multiply(const Multiplication<T>& what);

}  // namespace autograd::kernels
