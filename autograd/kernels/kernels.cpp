#include <fmt/format.h>
#include <algorithm>
#include <autograd/kernels/kernels.hpp>
#include <autograd/kernels/tiles.hpp>
#include <autograd/kernels/transpose.hpp>
#include <cmath>
#include <limits>

namespace autograd {

namespace {

Shape with_length(Shape shape, std::size_t axis, std::size_t length) {
    shape[axis] = length;
    return shape;
}

std::ptrdiff_t signed_of(std::size_t number) { return static_cast<std::ptrdiff_t>(number); }

/// z = x or z += x for n numbers that lie together.
template <class T>
void move(const T* x, T* z, std::size_t n, bool accumulate) {
    if (!accumulate && n > 512) return void(std::copy_n(x, n, z));  // the C library's copy takes a while to begin
    if (accumulate)
        each_register<T>(n, [&](std::size_t i, auto... some) {
            store_some(z + i, load_some(z + i, some...) + load_some(x + i, some...), some...);
        });
    else
        each_register<T>(n,
                         [&](std::size_t i, auto... some) { store_some(z + i, load_some(x + i, some...), some...); });
}

}  // namespace

template <class T>
void SumTo<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (result.size() == 1)
        return void(*result.data() = sum_of(x.data(), x.size()) + (accumulate ? *result.data() : T(0)));
    if (!sum_leading_axes(result.data(), kept, x, accumulate))
        expressions::Bound<T, Array<T>>(x).write_rows(result.data(), kept, x.shape(), accumulate);
}

template <class T>
void Mean<T>::evaluate_into(Array<T>& result, bool) const {
    SumTo<T>{x, kept, shape_}.evaluate_into(result, false);
    std::for_each_n(result.data(), result.size(), [&](T& sum) { sum /= n; });
}

template <class T>
void Spread<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (const std::size_t rows = x.size() > 1 ? leading_rows(kept, shape_) : 0) {
        for (std::size_t r = 0, n = x.size(); r < rows; ++r) move(x.data(), result.data() + r * n, n, accumulate);
        return;
    }
    expressions::Bound<T, Array<T>> bound(x);
    bound.shapes[0] = kept;
    bound.write_rows(result.data(), shape_, shape_, accumulate);
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
    // The result's axes, innermost first: how long, and how far apart in x. Those that stay neighbours are one.
    Shape lengths, strides;
    for (std::size_t i = axes.size(); i-- > 0;) {
        std::size_t length = x.shape()[axes[i]], stride = 1;
        if (length == 1) continue;
        for (std::size_t k = axes[i] + 1; k < x.dimension(); ++k) stride *= x.shape()[k];
        if (!lengths.empty() && stride == strides.back() * lengths.back()) {
            lengths.back() *= length;
        } else {
            lengths.push_back(length);
            strides.push_back(stride);
        }
    }
    if (lengths.size() < 2) return move(x.data(), result.data(), result.size(), accumulate);

    // Planes of the innermost axis and of the one along which x lies together.
    std::size_t together = 0;
    while (strides[together] != 1) ++together;
    const bool rows = together == 0;
    if (rows) together = 1;
    const std::size_t columns = lengths[0], column_stride = strides[0];
    const std::size_t lines = lengths[together], line_stride = strides[together];
    std::size_t line_step = 1;
    for (std::size_t i = 0; i < together; ++i) line_step *= lengths[i];
    const auto plane = [&](const T* from, T* to) {
        if (!rows) return transpose(from, column_stride, columns, lines, to, line_step, accumulate);
        for (std::size_t l = 0; l < lines; ++l) move(from + l * line_stride, to + l * line_step, columns, accumulate);
    };
    Shape position(lengths.size(), 0);
    for (std::size_t from = 0;;) {
        std::size_t to = 0, step = 1, i = 1;
        for (std::size_t k = 0; k < lengths.size(); ++k) {
            to += position[k] * step;
            step *= lengths[k];
        }
        plane(x.data() + from, result.data() + to);
        for (; i < lengths.size(); ++i) {
            if (i == together) continue;
            from += strides[i];
            if (++position[i] < lengths[i]) break;
            from -= strides[i] * lengths[i];
            position[i] = 0;
        }
        if (i == lengths.size()) return;
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
    for (std::size_t o = 0; o < view.outer; ++o) {
        const T* xs = x.data() + (static_cast<std::ptrdiff_t>(o * view.length) + start) * signed_of(view.inner);
        if (step == 1) {
            move(xs, z, count * view.inner, accumulate);
            z += count * view.inner;
            continue;
        }
        for (std::size_t i = 0; i < count; ++i, xs += step * signed_of(view.inner), z += view.inner)
            move(xs, z, view.inner, accumulate);
    }
}

template <class T>
Shape Padded<T>::shape() const {
    return with_length(x.shape(), axis, length);
}

template <class T>
void Padded<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate && x.size() != result.size()) result.fill(T(0));
    const AxisView view(x.shape(), axis);
    const T* xs = x.data();
    for (std::size_t o = 0; o < view.outer; ++o) {
        T* z = result.data() + (static_cast<std::ptrdiff_t>(o * length) + start) * signed_of(view.inner);
        if (step == 1) {
            move(xs, z, view.length * view.inner, accumulate);
            xs += view.length * view.inner;
            continue;
        }
        for (std::size_t i = 0; i < view.length; ++i, z += step * signed_of(view.inner), xs += view.inner)
            move(xs, z, view.inner, accumulate);
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
    for (std::size_t o = 0; o < view.outer; ++o) {
        const T* xs = x.data() + o * view.length * view.inner;
        for (std::int32_t index : indices.values) {
            move(xs + static_cast<std::size_t>(index) * view.inner, z, view.inner, accumulate);
            z += view.inner;
        }
    }
}

template <class T>
void ScatterAdded<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    if (!accumulate) result.fill(T(0));
    const AxisView view(shape_, axis);
    const T* xs = x.data();
    for (std::size_t o = 0; o < view.outer; ++o) {
        T* z = result.data() + o * view.length * view.inner;
        for (std::int32_t index : indices.values) {
            move(xs, z + static_cast<std::size_t>(index) * view.inner, view.inner, true);
            xs += view.inner;
        }
    }
}

namespace {

/// Calls f(row of x, row of indices, distance of an axis' neighbours) where these run along an axis; x's rows are
/// `length` long.
template <class F>
void each_row_along(const AxisView& indices, std::size_t length, F f) {
    if (indices.inner == 1) {
        for (std::size_t o = 0; o < indices.outer; ++o)
            f(o * length, o * indices.length, std::integral_constant<std::size_t, 1>());
        return;
    }
    for (std::size_t o = 0; o < indices.outer; ++o)
        for (std::size_t n = 0; n < indices.inner; ++n)
            f(o * length * indices.inner + n, o * indices.length * indices.inner + n, indices.inner);
}

}  // namespace

template <class T>
void TakenAlong<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView to(indices.shape, axis);
    each_row_along(to, x.shape()[axis], [&](std::size_t from, std::size_t row, auto inner) {
        const T* xs = x.data() + from;
        const std::int32_t* places = indices.values.data() + row;
        T* z = result.data() + row;
        if (accumulate) {
            for (std::size_t i = 0; i < to.length; ++i) z[i * inner] += xs[signed_of(inner) * places[i * inner]];
        } else {
            for (std::size_t i = 0; i < to.length; ++i) z[i * inner] = xs[signed_of(inner) * places[i * inner]];
        }
    });
}

template <class T>
void ScatterAddedAlong<T>::evaluate_into(Array<T>& result, bool accumulate) const {
    const AxisView from(indices.shape, axis);
    each_row_along(from, shape_[axis], [&](std::size_t to, std::size_t row, auto inner) {
        const T* xs = x.data() + row;
        const std::int32_t* places = indices.values.data() + row;
        T* z = result.data() + to;
        if (!accumulate)
            for (std::size_t i = 0; i < shape_[axis]; ++i) z[i * inner] = T(0);
        for (std::size_t i = 0; i < from.length; ++i) z[signed_of(inner) * places[i * inner]] += xs[i * inner];
    });
}

template <class T>
Shape Concatenated<T>::shape() const {
    std::size_t length = 0;
    for (const Array<T>* part : parts) length += part->shape()[axis];
    return with_length(parts.front()->shape(), axis, length);
}

template <class T>
void Concatenated<T>::evaluate_into(Array<T>& result, bool) const {
    const AxisView view(result.shape(), axis);
    T* z = result.data();
    for (std::size_t o = 0; o < view.outer; ++o)
        for (const Array<T>* part : parts) {
            const std::size_t n = part->shape()[axis] * view.inner;
            z = std::copy_n(part->data() + o * n, n, z);
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

}  // namespace

template <class T>
Shape Product<T>::shape() const {
    if (columns(a) != rows(b))
        throw std::invalid_argument(
            fmt::format("[matmul] inner sizes differ: {} x {}", to_string(shape_of(a)), to_string(shape_of(b))));
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
    const Shape batch(result.shape().begin(), result.shape().end() - 2);
    const auto offsets = [&](const Matrix<T>& matrix) {
        const Shape own = leading(matrix);
        const ShapeView shape = own;
        std::vector<std::size_t> numbers;
        for (BroadcastWalk walk(batch, {&shape, 1}); numbers.size() < size_of(batch); walk.next_plane())
            for (std::size_t r = 0; r < walk.rows(); ++r)
                for (std::size_t i = 0; i < walk.row_length(); ++i)
                    numbers.push_back(walk.offset(0) + r * walk.step(0) + (walk.moves(0) ? i : 0));
        return numbers;
    };
    const std::vector<std::size_t> left = offsets(a), right = offsets(b);
    for (std::size_t i = 0; i < left.size(); ++i) {
        T* c = result.data() + i * m * n;
        multiply<T>({a.x.data() + left[i] * m * k, a.transposed, b.x.data() + right[i] * k * n, b.transposed, c, m, k,
                     n, accumulate ? c : nullptr, n});
    }
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
void Affine<T>::evaluate_into(Array<T>& result, bool) const {
    const std::size_t rows = size_of(ShapeView(x.shape()).first(x.dimension() - 1));
    const std::size_t in = weight.shape()[1], out = weight.shape()[0];
    multiply<T>({x.data(), false, weight.data(), true, result.data(), rows, in, out, bias ? bias->data() : nullptr, 0});
}

#define INSTANTIATE(T)                    \
    template struct SumTo<T>;             \
    template struct Mean<T>;              \
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
    template struct Affine<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autograd
