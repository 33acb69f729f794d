#include <fmt/format.h>
#include <algorithm>
#include <autograd/kernels/broadcast.hpp>
#include <autograd/kernels/matrices.hpp>
#include <autograd/kernels/moves.hpp>
#include <autograd/kernels/multiplication.hpp>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace autograd::kernels {

namespace {

template <class T>
std::size_t rows(const Matrix<T>& m) {
    return m.x.shape()[m.x.dimension() - (m.transposed ? 1 : 2)];
}

template <class T>
std::size_t columns(const Matrix<T>& m) {
    return m.x.shape()[m.x.dimension() - (m.transposed ? 2 : 1)];
}

template <class T>
Shape leading(const Matrix<T>& m) {
    return Shape(m.x.shape().begin(), m.x.shape().end() - 2);
}

/// A permutation of x's axes, of which there are at least two.
template <class T>
Permuted<T> permuted(const Matrix<T>& m) {
    if (m.x.dimension() < 2)
        throw std::invalid_argument(
            fmt::format("[matrix_transpose] an array of shape {} is no matrix", to_string(m.x.shape())));
    Shape axes(m.x.dimension());
    std::iota(axes.begin(), axes.end(), std::size_t{0});
    if (m.transposed) std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
    return {m.x, axes};
}

}  // namespace

template <class T>
Shape Matrix<T>::shape() const {
    return permuted(*this).shape();
}

template <class T>
void Matrix<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    permuted(*this).evaluate_into(result, accumulate);
}

template <class T>
Shape Product<T>::shape() const {
    if (a.x.dimension() < 2 || b.x.dimension() < 2)
        throw std::invalid_argument(fmt::format("[matmul] a kernel multiplies matrices: {} x {}",
                                                to_string(a.x.shape()), to_string(b.x.shape())));
    if (columns(a) != rows(b))
        throw std::invalid_argument(
            fmt::format("[matmul] inner sizes differ: {} x {}", to_string(a.shape()), to_string(b.shape())));
    if (a.x.dimension() == 2 && b.x.dimension() == 2) return {rows(a), columns(b)};
    const Shape left = leading(a), right = leading(b);
    Shape shape = broadcast_shapes("matmul", std::array<ShapeView, 2>{left, right});
    shape.push_back(rows(a));
    shape.push_back(columns(b));
    return shape;
}

template <class T>
bool Product<T>::is_of_shape(ShapeView other) const {
    if (a.x.dimension() != 2 || b.x.dimension() != 2 || columns(a) != rows(b)) return equal_shapes(shape(), other);
    return other.size() == 2 && other[0] == rows(a) && other[1] == columns(b);
}

template <class T>
void Product<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const std::size_t m = rows(a), k = columns(a), n = columns(b);
    if (result.dimension() == 2)
        return multiply<T>({a.x.data(), a.transposed, b.x.data(), b.transposed, result.data(), m, k, n,
                            accumulate ? result.data() : nullptr, n});
    if (result.size() == 0) return;
    if (b.x.dimension() == 2 && !a.transposed)  // one matrix for all: the rows of a are those of one matrix
        return multiply<T>({a.x.data(), false, b.x.data(), b.transposed, result.data(), result.size() / n, k, n,
                            accumulate ? result.data() : nullptr, n});
    const ShapeView batch = ShapeView(result.shape()).first(result.dimension() - 2);
    const Shape left = leading(a), right = leading(b);
    const ShapeView shapes[] = {left, right};
    T* c = result.data();
    for (BroadcastWalk walk(batch, shapes); c != result.data() + result.size(); walk.next_plane())
        for (std::size_t r = 0; r < walk.rows(); ++r)
            for (std::size_t i = 0; i < walk.row_length(); ++i, c += m * n) {
                const auto place = [&](std::size_t operand) {
                    return walk.offset(operand) + r * walk.step(operand) + (walk.moves(operand) ? i : 0);
                };
                multiply<T>({a.x.data() + place(0) * m * k, a.transposed, b.x.data() + place(1) * k * n, b.transposed,
                             c, m, k, n, accumulate ? c : nullptr, n});
            }
}

template <class T>
void ProductOfRows<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const std::size_t m = a.shape().back(), n = b.shape().back();
    if (result.size() == 0) return;
    multiply<T>(
        {a.data(), true, b.data(), false, result.data(), m, a.size() / m, n, accumulate ? result.data() : nullptr, n});
}

template <class T>
Shape Affine<T>::shape() const {
    Shape shape = x.shape();
    shape.back() = weight.shape()[0];
    return shape;
}

template <class T>
bool Affine<T>::is_of_shape(ShapeView other) const {
    const ShapeView rows = ShapeView(x.shape()).first(x.dimension() - 1);
    return other.size() == x.dimension() && other.back() == weight.shape()[0] &&
           equal_shapes(other.first(rows.size()), rows);
}

template <class T>
void Affine<T>::evaluate_into(Array<T>& result) const {
    const std::size_t rows = size_of(ShapeView(x.shape()).first(x.dimension() - 1));
    const std::size_t in = weight.shape()[1], out = weight.shape()[0];
    multiply<T>({x.data(), false, weight.data(), true, result.data(), rows, in, out, bias ? bias->data() : nullptr, 0});
}

#define INSTANTIATE(T)                \
    template struct Matrix<T>;        \
    template struct Product<T>;       \
    template struct ProductOfRows<T>; \
    template struct Affine<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd::kernels
