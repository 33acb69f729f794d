#include <xtensor-blas/xblas.hpp>

#include <fmt/format.h>
#include <autograd/kernels.hpp>
#include <cmath>
#include <limits>

namespace autograd {

namespace {

Shape with_length(Shape shape, std::size_t axis, std::size_t length) {
    shape[axis] = length;
    return shape;
}

}  // namespace

template <class T>
void SumTo<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    expressions::evaluate(result.data(), kept, x.shape(), expressions::Bound<T, Array<T>>(x), accumulate);
}

template <class T>
void Spread<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    expressions::Bound<T, Array<T>> bound(x);
    bound.shapes[0] = kept;
    expressions::evaluate(result.data(), shape_, shape_, bound, accumulate);
}

template <class T>
Shape Permuted<T>::shape() const {
    Shape shape(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) shape[i] = x.shape()[axes[i]];
    return shape;
}

template <class T>
void Permuted<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (result.size() == 0) return;
    const Shape lengths = shape();
    const std::size_t dimension = lengths.size();
    Shape strides(dimension), position(dimension, 0);
    for (std::size_t i = 0; i < dimension; ++i) {
        strides[i] = 1;
        for (std::size_t k = axes[i] + 1; k < dimension; ++k) strides[i] *= x.shape()[k];
    }
    std::size_t from = 0;
    for (std::size_t to = 0; to < result.size(); ++to) {
        result.data()[to] = accumulate ? result.data()[to] + x.data()[from] : x.data()[from];
        for (std::size_t i = dimension; i-- > 0;) {
            from += strides[i];
            if (++position[i] < lengths[i]) break;
            from -= strides[i] * lengths[i];
            position[i] = 0;
        }
    }
}

template <class T>
Shape Sliced<T>::shape() const {
    return with_length(x.shape(), axis, count);
}

template <class T>
void Sliced<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView view(x.shape(), axis);
    T* z = result.data();
    for (std::size_t o = 0; o < view.outer; ++o)
        for (std::size_t i = 0; i < count; ++i) {
            const auto place = static_cast<std::size_t>(start + static_cast<std::ptrdiff_t>(i) * step);
            const T* row = x.data() + (o * view.length + place) * view.inner;
            for (std::size_t n = 0; n < view.inner; ++n, ++z) *z = accumulate ? *z + row[n] : row[n];
        }
}

template <class T>
Shape Padded<T>::shape() const {
    return with_length(x.shape(), axis, length);
}

template <class T>
void Padded<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    const AxisView view(x.shape(), axis);
    const T* from = x.data();
    for (std::size_t o = 0; o < view.outer; ++o)
        for (std::size_t i = 0; i < view.length; ++i) {
            const auto place = static_cast<std::size_t>(start + static_cast<std::ptrdiff_t>(i) * step);
            T* row = result.data() + (o * length + place) * view.inner;
            for (std::size_t n = 0; n < view.inner; ++n, ++from) row[n] += *from;
        }
}

template <class T>
Shape Taken<T>::shape() const {
    Shape shape(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(axis));
    for (std::size_t length : indices.shape) shape.push_back(length);
    for (std::size_t i = axis + 1; i < x.dimension(); ++i) shape.push_back(x.shape()[i]);
    return shape;
}

template <class T>
void Taken<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView view(x.shape(), axis);
    T* z = result.data();
    for (std::size_t o = 0; o < view.outer; ++o)
        for (std::int64_t index : indices.values) {
            const T* row = x.data() + (o * view.length + static_cast<std::size_t>(index)) * view.inner;
            for (std::size_t n = 0; n < view.inner; ++n, ++z) *z = accumulate ? *z + row[n] : row[n];
        }
}

template <class T>
void ScatterAdded<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    const AxisView view(shape_, axis);
    const T* from = x.data();
    for (std::size_t o = 0; o < view.outer; ++o)
        for (std::int64_t index : indices.values) {
            T* row = result.data() + (o * view.length + static_cast<std::size_t>(index)) * view.inner;
            for (std::size_t n = 0; n < view.inner; ++n, ++from) row[n] += *from;
        }
}

template <class T>
void TakenAlong<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView from(x.shape(), axis), to(indices.shape, axis);
    std::size_t k = 0;
    for (std::size_t o = 0; o < to.outer; ++o)
        for (std::size_t i = 0; i < to.length; ++i)
            for (std::size_t n = 0; n < to.inner; ++n, ++k) {
                const T value =
                    x.data()[(o * from.length + static_cast<std::size_t>(indices.values[k])) * from.inner + n];
                result.data()[k] = accumulate ? result.data()[k] + value : value;
            }
}

template <class T>
void ScatterAddedAlong<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    const AxisView from(indices.shape, axis), to(shape_, axis);
    std::size_t k = 0;
    for (std::size_t o = 0; o < from.outer; ++o)
        for (std::size_t i = 0; i < from.length; ++i)
            for (std::size_t n = 0; n < from.inner; ++n, ++k)
                result.data()[(o * to.length + static_cast<std::size_t>(indices.values[k])) * to.inner + n] +=
                    x.data()[k];
}

template <class T>
Shape Concatenated<T>::shape() const {
    std::size_t length = 0;
    for (const Array<T>* part : parts) length += part->shape()[axis];
    return with_length(parts.front()->shape(), axis, length);
}

template <class T>
void Concatenated<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    std::size_t offset = 0;
    for (const Array<T>* part : parts) {
        Padded<T>{*part, axis, static_cast<std::ptrdiff_t>(offset), 1, result.shape()[axis]}.evaluate_into(result,
                                                                                                           true);
        offset += part->shape()[axis];
    }
}

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

template <class T>
Shape shape_of(const Matrix<T>& m) {
    Shape shape = leading(m);
    shape.push_back(rows(m));
    shape.push_back(columns(m));
    return shape;
}

/// c = a @ b, or c += a @ b, for contiguous matrices: a is (m, k) and b (k, n) after the transpositions.
template <class T>
void multiply(const T* a, bool a_transposed, const T* b, bool b_transposed, T* c, std::size_t m, std::size_t k,
              std::size_t n, bool accumulate) {
    if (m * k * n <= 128) {  // the product takes less time than a call of BLAS
        const std::size_t a_row = a_transposed ? 1 : k, a_column = a_transposed ? m : 1;
        const std::size_t b_row = b_transposed ? 1 : n, b_column = b_transposed ? k : 1;
        for (std::size_t i = 0; i < m; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                T sum = accumulate ? c[i * n + j] : T(0);
                for (std::size_t l = 0; l < k; ++l) sum += a[i * a_row + l * a_column] * b[l * b_row + j * b_column];
                c[i * n + j] = sum;
            }
        return;
    }
    using cxxblas::Transpose;
    const auto row_major = cxxblas::StorageOrder::RowMajor;
    const auto length = [](std::size_t value) { return static_cast<int>(value); };
    const T beta = accumulate ? T(1) : T(0);
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
Shape Product<T>::shape() const {
    if (columns(a) != rows(b))
        throw std::invalid_argument(
            fmt::format("[matmul] inner sizes differ: {} x {}", to_string(shape_of(a)), to_string(shape_of(b))));
    const Shape left = leading(a), right = leading(b);
    Shape shape = broadcast_shapes("matmul", std::array<ShapeView, 2>{left, right});
    shape.push_back(rows(a));
    shape.push_back(columns(b));
    return shape;
}

template <class T>
void Product<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const std::size_t m = rows(a), k = columns(a), n = columns(b);
    if (result.dimension() == 2)
        return multiply(a.x.data(), a.transposed, b.x.data(), b.transposed, result.data(), m, k, n, accumulate);
    if (result.size() == 0) return;
    const Shape batch(result.shape().begin(), result.shape().end() - 2);
    const auto offsets = [&](const Matrix<T>& matrix) {
        const Shape own = leading(matrix);
        const ShapeView shape = own;
        std::vector<std::size_t> numbers;
        for (BroadcastWalk walk(batch, {&shape, 1}); numbers.size() < size_of(batch); walk.next_row())
            for (std::size_t i = 0; i < walk.row_length(); ++i)
                numbers.push_back(walk.offset(0) + (walk.moves(0) ? i : 0));
        return numbers;
    };
    const std::vector<std::size_t> left = offsets(a), right = offsets(b);
    for (std::size_t i = 0; i < left.size(); ++i)
        multiply(a.x.data() + left[i] * m * k, a.transposed, b.x.data() + right[i] * k * n, b.transposed,
                 result.data() + i * m * n, m, k, n, accumulate);
}

template <class T>
Shape Affine<T>::shape() const {
    Shape shape = x.shape();
    shape.back() = weight.shape()[0];
    return shape;
}

template <class T>
void Affine<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const std::size_t in = weight.shape()[1], out = weight.shape()[0],
                      rows = result.size() / std::max<std::size_t>(out, 1);
    multiply(x.data(), false, weight.data(), true, result.data(), rows, in, out, accumulate);
    if (bias == nullptr) return;
    const T* b = bias->data();
    for (std::size_t i = 0; i < rows; ++i) {
        T* z = result.data() + i * out;
        for (std::size_t j = 0; j < out; ++j) z[j] += b[j];
    }
}

namespace {

/// One computation along n elements of x that lie `inner` apart; writes one element, or n of them.
template <class T>
void reduce_row(Along what, const T* x, std::size_t n, std::size_t inner, T* z) {
    const T infinity = std::numeric_limits<T>::infinity();
    const auto largest = [&] {
        T m = -infinity;
        for (std::size_t i = 0; i < n; ++i)
            if (x[i * inner] > m || std::isnan(x[i * inner])) m = x[i * inner];
        return m;
    };
    const auto sum_of_exp = [&](T m) {
        T sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += std::exp(x[i * inner] - m);
        return sum;
    };
    switch (what) {
        case Along::maximum:
            *z = largest();
            break;
        case Along::minimum: {
            T m = infinity;
            for (std::size_t i = 0; i < n; ++i)
                if (x[i * inner] < m || std::isnan(x[i * inner])) m = x[i * inner];
            *z = m;
            break;
        }
        case Along::product: {
            T product = 1;
            for (std::size_t i = 0; i < n; ++i) product *= x[i * inner];
            *z = product;
            break;
        }
        case Along::logsumexp: {
            const T m = std::isfinite(largest()) ? largest() : T(0);
            *z = m + std::log(sum_of_exp(m));
            break;
        }
        case Along::exclusive_product: {
            T product = 1;
            for (std::size_t i = 0; i < n; ++i) {
                z[i * inner] = product;
                product *= x[i * inner];
            }
            product = 1;
            for (std::size_t i = n; i-- > 0;) {
                z[i * inner] *= product;
                product *= x[i * inner];
            }
            break;
        }
    }
}

}  // namespace

template <class T>
void Reduced<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    // One contiguous run of reduced axes is walked in place; scattered ones are first brought together.
    const std::size_t dimension = x.dimension();
    const bool whole = what == Along::exclusive_product;
    std::size_t first = 0, last = dimension, outer = 1, length = 1, inner = 1;
    const auto reduced = [&](std::size_t i) { return kept[i] == 1 && x.shape()[i] != 1; };
    while (first < dimension && !reduced(first)) outer *= x.shape()[first++];
    while (last > first && !reduced(last - 1)) inner *= x.shape()[--last];
    bool together = true;
    for (std::size_t i = first; i < last; ++i) {
        together = together && (reduced(i) || x.shape()[i] == 1);
        length *= x.shape()[i];
    }
    if (!together) {
        Shape order, inverse(dimension);
        for (std::size_t i = 0; i < dimension; ++i)
            if (!reduced(i)) order.push_back(i);
        for (std::size_t i = 0; i < dimension; ++i)
            if (reduced(i)) order.push_back(i);
        for (std::size_t i = 0; i < dimension; ++i) inverse[order[i]] = i;
        const Permuted<T> permuted{x, order};
        Array<T> moved, computed;
        evaluate("reduction", moved, permuted);
        Shape moved_kept(dimension);
        for (std::size_t i = 0; i < dimension; ++i) moved_kept[i] = kept[order[i]];
        evaluate("reduction", computed, Reduced{what, moved, moved_kept, whole ? moved.shape() : moved_kept});
        if (whole) return Permuted<T>{computed, inverse}.evaluate_into(result, accumulate);
        for (std::size_t i = 0; i < result.size(); ++i)
            result.data()[i] = accumulate ? result.data()[i] + computed.data()[i] : computed.data()[i];
        return;
    }
    Array<T> scratch;
    if (accumulate) resize(scratch, result.shape());
    T* z = accumulate ? scratch.data() : result.data();
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t n = 0; n < inner; ++n)
            reduce_row(what, x.data() + o * length * inner + n, length, inner,
                       z + (whole ? o * length * inner + n : o * inner + n));
    if (accumulate) xt::noalias(result) += scratch;
}

#define INSTANTIATE(T)                    \
    template struct SumTo<T>;             \
    template struct Spread<T>;            \
    template struct Permuted<T>;          \
    template struct Sliced<T>;            \
    template struct Padded<T>;            \
    template struct Taken<T>;             \
    template struct ScatterAdded<T>;      \
    template struct TakenAlong<T>;        \
    template struct ScatterAddedAlong<T>; \
    template struct Concatenated<T>;      \
    template struct Product<T>;           \
    template struct Affine<T>;            \
    template struct Reduced<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
