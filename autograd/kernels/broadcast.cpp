#include <autograd/kernels/expressions.hpp>
#include <autograd/kernels/registers.hpp>
#include <functional>

namespace autograd {

BroadcastWalk::BroadcastWalk(ShapeView shape, std::span<const ShapeView> operands)
    : operands_(operands.size()), offsets_(operands.size(), 0) {
    const auto length_of = [&](std::size_t operand, std::size_t from_last) {
        const ShapeView own = operands[operand];
        return from_last < own.size() ? own[own.size() - 1 - from_last] : std::size_t{1};
    };
    Numbers steps(operands_, 1);  // what an operand's offset grows by along the axis, if it moves
    for (std::size_t a = 0; a < shape.size(); ++a) {
        const std::size_t length = shape[shape.size() - 1 - a];
        if (length == 1) continue;
        const std::size_t last = strides_.size() - operands_;
        bool merges = !lengths_.empty();
        for (std::size_t k = 0; merges && k < operands_; ++k)
            merges = (length_of(k, a) != 1) == (strides_[last + k] != 0);
        if (merges) {
            lengths_.back() *= length;
        } else {
            lengths_.push_back(length);
            for (std::size_t k = 0; k < operands_; ++k) strides_.push_back(length_of(k, a) != 1 ? steps[k] : 0);
        }
        for (std::size_t k = 0; k < operands_; ++k) steps[k] *= length_of(k, a);
    }
    while (lengths_.size() < 2) {
        const std::size_t stride = lengths_.empty() ? 1 : 0;
        lengths_.push_back(1);
        for (std::size_t k = 0; k < operands_; ++k) strides_.push_back(stride);
    }
    position_.assign(lengths_.size(), 0);
    for (std::size_t a = 2; a < lengths_.size(); ++a) planes_ *= lengths_[a];
}

void BroadcastWalk::next_plane() {
    for (std::size_t a = 2; a < lengths_.size(); ++a) {
        const std::size_t* strides = strides_.data() + a * operands_;
        if (++position_[a] < lengths_[a]) {
            for (std::size_t k = 0; k < operands_; ++k) offsets_[k] += strides[k];
            return;
        }
        position_[a] = 0;
        for (std::size_t k = 0; k < operands_; ++k) offsets_[k] -= strides[k] * (lengths_[a] - 1);
    }
}

std::size_t leading_rows(ShapeView kept, ShapeView shape) {
    while (!kept.empty() && kept.front() == 1) kept = kept.subspan(1);
    if (kept.size() > shape.size()) return 0;
    return equal_shapes(kept, shape.last(kept.size())) ? size_of(shape.first(shape.size() - kept.size())) : 0;
}

template <class T>
T sum_of(const T* x, std::size_t n) {
    constexpr std::size_t block = 4096;
    if (n <= block) return fold(x, n, T(0), std::plus<>());
    const std::size_t half = (n / 2 + block - 1) / block * block;
    return sum_of(x, half) + sum_of(x + half, n - half);
}

namespace {

template <class T>
void add_rows(T* z, const T* x, std::size_t n, std::size_t rows, bool accumulate) {
    constexpr std::size_t width = Register<T>::size;
    if (n < width) {
        // What a register holds beyond a row is not stored.
        Register<T> sum = load_some(z, accumulate ? n : 0);
        for (std::size_t r = 0; r < rows; ++r, x += n) {
            const std::size_t left = (rows - r) * n;
            sum += left >= width ? Register<T>::load_unaligned(x) : load_some(x, left);
        }
        return store_some(z, sum, n);
    }
    for (std::size_t count = 0; rows > 0 || !accumulate; rows -= count, x += count * n, accumulate = true) {
        count = std::min(rows, std::size_t{32});  // these stay in the first cache
        const auto add = [&](std::size_t j, auto... some) {
            Register<T> even(0), odd(0);
            std::size_t r = 0;
            for (; r + 2 <= count; r += 2) {
                even += load_some(x + r * n + j, some...);
                odd += load_some(x + (r + 1) * n + j, some...);
            }
            if (r < count) {
                even += load_some(x + r * n + j, some...);
                DELTARULE_BRANCH;
            }
            Register<T> sum = even + odd;
            if (accumulate) {
                sum += load_some(z + j, some...);
                DELTARULE_BRANCH;
            }
            store_some(z + j, sum, some...);
        };
        std::size_t j = 0;
        for (; j + width <= n; j += width) add(j);
        if (j < n) add(j, n - j);
    }
}

template <class T>
using Row = xt::svector<const T*, 8>;

/// z += the sums of rows of n numbers, z's being `steps.back()` apart. Several short rows are evaluated at a time;
/// halves of long ones are added, so that the error grows with log n.
template <class T>
void sum_each_row(T* z, const ExpressionRows<T>& expression, Row<T> row, std::size_t n, const bool* along,
                  std::size_t rows, const xt::svector<std::size_t, 8>& steps) {
    constexpr std::size_t block = 512;
    const std::size_t count = row.size(), half = (n / 2 + block - 1) / block * block;
    const auto advance = [&](Row<T>& by_rows, std::size_t times) {
        for (std::size_t k = 0; k < count; ++k) by_rows[k] += times * steps[k];
    };
    if (expression.is_array) {
        for (std::size_t r = 0; r < rows; ++r) z[r * steps[count]] += sum_of(row[0] + r * steps[0], n);
        return;
    }
    if (n > block) {
        for (std::size_t r = 0; r < rows; ++r, z += steps[count], advance(row, 1)) {
            Row<T> right = row;
            for (std::size_t k = 0; k < count; ++k)
                if (!along || along[k]) right[k] += half;
            T halves[2] = {0, 0};
            sum_each_row(halves, expression, row, half, along, 1, steps);
            sum_each_row(halves + 1, expression, right, n - half, along, 1, steps);
            *z += halves[0] + halves[1];
        }
        return;
    }
    T values[block];
    xt::svector<std::size_t, 8> to_values = steps;
    to_values[count] = n;
    const std::size_t together = block / n;
    for (std::size_t r = 0; r < rows; r += together, advance(row, together)) {
        const std::size_t some = std::min(together, rows - r);
        expression.write(expression.expression, values, row.data(), n, false, along, some, to_values.data());
        for (std::size_t i = 0; i < some; ++i, z += steps[count]) *z += sum_of(values + i * n, n);
    }
}

/// z = the sum of rows of n elements, or z += it, where no array repeats.
template <class T>
void sum_rows(T* z, const ExpressionRows<T>& expression, std::size_t n, std::size_t rows, bool accumulate) {
    if (expression.is_array) return add_rows(z, expression.data[0], n, rows, accumulate);
    Row<T> row(expression.data.begin(), expression.data.end());
    xt::svector<std::size_t, 8> steps(row.size() + 1, n);
    steps.back() = 0;
    if (!accumulate) {
        expression.write(expression.expression, z, row.data(), n, false, nullptr, 1, nullptr);
        for (const T*& x : row) x += n;
        if (--rows == 0) return;
    }
    expression.write(expression.expression, z, row.data(), n, true, nullptr, rows, steps.data());
}

}  // namespace

template <class T>
void evaluate_rows(T* z, ShapeView kept, ShapeView shape, const ExpressionRows<T>& expression, bool accumulate) {
    const std::size_t count = expression.data.size(), size = size_of(shape), targets = size_of(kept);
    const bool sums = !equal_shapes(kept, shape);
    bool flat = true, one_row = !sums;  // where both are so, the least is to be prepared
    for (const ShapeView own : expression.shapes.first(count)) {
        const bool moves = equal_shapes(own, shape);
        flat &= moves;
        one_row &= moves || size_of(own) == 1;
    }
    if (one_row && flat)
        return expression.write(expression.expression, z, expression.data.data(), size, accumulate, nullptr, 1,
                                nullptr);
    xt::svector<bool, 8> moves(count);
    for (std::size_t k = 0; k < count; ++k) moves[k] = equal_shapes(expression.shapes[k], shape);
    if (one_row)
        return expression.write(expression.expression, z, expression.data.data(), size, accumulate, moves.data(), 1,
                                nullptr);
    if (size != 0 && targets > 1 && sums && flat)
        if (const std::size_t rows = leading_rows(kept, shape))
            return sum_rows(z, expression, targets, rows, accumulate);
    if (sums && !accumulate) std::fill_n(z, targets, T(0));
    if (size == 0) return;
    Row<T> row(expression.data.begin(), expression.data.end());
    xt::svector<std::size_t, 8> steps(count + 1, 0);
    if (flat && targets == 1) return sum_each_row(z, expression, row, size, nullptr, 1, steps);
    expression.shapes[count] = kept;
    BroadcastWalk walk(shape, expression.shapes);
    const std::size_t n = walk.row_length();
    for (std::size_t k = 0; k <= count; ++k) steps[k] = walk.step(k);
    for (std::size_t k = 0; k < count; ++k) moves[k] = walk.moves(k);
    const bool* along = std::ranges::all_of(moves, std::identity()) ? nullptr : moves.data();
    for (std::size_t p = 0; p < walk.planes(); ++p, walk.next_plane()) {
        for (std::size_t k = 0; k < count; ++k) row[k] = expression.data[k] + walk.offset(k);
        T* to = z + walk.offset(count);
        if (walk.moves(count)) {
            expression.write(expression.expression, to, row.data(), n, accumulate || sums, along, walk.rows(),
                             steps.data());
            continue;
        }
        sum_each_row(to, expression, row, n, along, walk.rows(), steps);
    }
}

template <class T>
bool sum_leading_axes(T* z, ShapeView kept, const Array<T>& x, bool accumulate) {
    const std::size_t n = size_of(kept);
    const std::size_t rows = n > 1 && kept.size() <= x.dimension() ? leading_rows(kept, x.shape()) : 0;
    if (rows != 0) add_rows(z, x.data(), n, rows, accumulate);
    return rows != 0;
}

template void evaluate_rows(float*, ShapeView, ShapeView, const ExpressionRows<float>&, bool);
template void evaluate_rows(double*, ShapeView, ShapeView, const ExpressionRows<double>&, bool);
template bool sum_leading_axes(float*, ShapeView, const Array<float>&, bool);
template bool sum_leading_axes(double*, ShapeView, const Array<double>&, bool);
template float sum_of(const float*, std::size_t);
template double sum_of(const double*, std::size_t);

}  // namespace autograd
