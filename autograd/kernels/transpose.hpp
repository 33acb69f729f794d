// The transpose of a matrix, a square of registers at a time.
#pragma once

#include <cstddef>

namespace autograd::kernels {

/// z = x^T, or z += x^T, for a matrix x of `rows` rows that lie `x_step` apart; z's lie `z_step` apart. The plain form:
/// `z[j * z_step + i] = x[i * x_step + j]`.
template <class T>
void transpose(const T* x, std::size_t x_step, std::size_t rows, std::size_t columns, T* z, std::size_t z_step,
               bool accumulate);

}  // namespace autograd::kernels
