#include <algorithm>
#include <autograd/kernels/broadcast.hpp>
#include <autograd/kernels/halves.hpp>
#include <autograd/kernels/sums.hpp>
#include <functional>
#include <memory_resource>
#include <vector>

namespace autograd::kernels {

BroadcastWalk::BroadcastWalk(ShapeView shape, std::span<const ShapeView> operands)
    : operands_(operands.size()), offsets_(operands.size(), 0) {
    const auto length_of = [&](std::size_t operand, std::size_t from_last) {
        const ShapeView own = operands[operand];
        return from_last < own.size() ? own[own.size() - 1 - from_last] : std::size_t{1};
    };
    Steps steps(operands_, 1);  // what an operand's offset grows by along the axis, if it moves
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

namespace {

/// How the numbers of an expression come to their places. The first that fits is taken: the earlier, the less is to be
/// prepared.
enum class Way {
    one_row,          ///< nothing is broadcast and nothing summed: all numbers are one row
    row_and_numbers,  ///< the same, but that some arrays are single numbers, which repeat
    nothing,          ///< there are no elements: what is summed, if anything, is 0
    one_sum,          ///< nothing is broadcast, and all is summed to one number
    rows_added,       ///< nothing is broadcast, and leading axes are summed: whole rows are added up
    walk,             ///< what is left: row by row, each repeated or summed as the axes want it
};

Way way_of(ShapeView kept, ShapeView shape, std::span<const ShapeView> arrays) {
    const bool sums = !equal_shapes(kept, shape);
    bool all_whole = true, whole_or_numbers = true;
    for (const ShapeView own : arrays) {
        const bool whole = equal_shapes(own, shape);
        all_whole &= whole;
        whole_or_numbers &= whole || size_of(own) == 1;
    }
    if (!sums && all_whole) return Way::one_row;
    if (!sums && whole_or_numbers) return Way::row_and_numbers;
    if (size_of(shape) == 0) return Way::nothing;
    if (all_whole && size_of(kept) == 1) return Way::one_sum;
    if (all_whole && leading_rows(kept, shape) != 0) return Way::rows_added;
    return Way::walk;
}

/// As sum_each_row; many rows that are added to one number are added in halves.
template <class T>
void sum_rows_in_halves(T* z, const ExpressionRows<T>& expression, RowStarts<T> row, std::size_t n, const bool* along,
                        std::size_t rows, const Steps& steps) {
    if (steps.back() != 0 || rows <= few_rows) return sum_each_row(z, expression, row, n, along, rows, steps);
    const std::size_t half = rows / 2;
    T second = 0;
    sum_rows_in_halves(z, expression, row, n, along, half, steps);
    for (std::size_t k = 0; k < row.size(); ++k) row[k] += half * steps[k];
    sum_rows_in_halves(&second, expression, row, n, along, rows - half, steps);
    *z += second;
}

/// How the expression and what it is summed to are walked.
template <class T>
BroadcastWalk walk_of(ShapeView kept, ShapeView shape, const ExpressionRows<T>& expression) {
    expression.shapes.back() = kept;
    return {shape, expression.shapes};
}

/// z = values, or z += values, row by row.
template <class T>
void walk_rows(T* z, BroadcastWalk walk, const ExpressionRows<T>& expression, bool accumulate) {
    const std::size_t count = expression.data.size();
    const std::size_t n = walk.row_length();
    Steps steps(count + 1);
    xt::svector<bool, 8> moves(count);
    for (std::size_t k = 0; k <= count; ++k) steps[k] = walk.step(k);
    for (std::size_t k = 0; k < count; ++k) moves[k] = walk.moves(k);
    const bool* along = std::ranges::all_of(moves, std::identity()) ? nullptr : moves.data();
    RowStarts<T> row(count);
    for (std::size_t p = 0; p < walk.planes(); ++p, walk.next_plane()) {
        for (std::size_t k = 0; k < count; ++k) row[k] = expression.data[k] + walk.offset(k);
        T* to = z + walk.offset(count);
        if (walk.moves(count) && walk.step(count) == 0 && walk.rows() > 1)  // all rows are added to one
            add_each_row(to, expression, row, n, accumulate, along, walk.rows(), steps);
        else if (walk.moves(count))
            expression.write(expression.expression, to, row.data(), n, accumulate, along, walk.rows(), steps.data());
        else
            sum_rows_in_halves(to, expression, row, n, along, walk.rows(), steps);
    }
}

/// z += values, summed to the shape `kept`, where so many planes are added to the same numbers that halves of them are
/// made apart: those of the first axis that is summed.
template <class T>
void sum_planes(T* z, ShapeView kept, ShapeView shape, const ExpressionRows<T>& expression) {
    const std::size_t count = expression.data.size();
    const BroadcastWalk walk = walk_of(kept, shape, expression);
    const std::size_t of_a_plane =
        (walk.moves(count) ? walk.row_length() : 1) * (walk.step(count) != 0 ? walk.rows() : 1);
    if (walk.planes() * of_a_plane <= few_rows * size_of(kept)) return walk_rows(z, walk, expression, true);

    std::byte room[8192];  // enough for all but long results
    std::pmr::monotonic_buffer_resource memory(room, sizeof room);
    while (shape.front() == 1) shape = shape.subspan(1);
    const auto fits = [&](ShapeView own) { return own.last(std::min(own.size(), shape.size())); };
    const auto moves = [&](ShapeView own) { return own.size() == shape.size() && own.front() != 1; };
    // to += the part that is `length` long along the first axis, from `first` on
    const auto sum_part = [&](T* to, std::size_t first, std::size_t length) {
        std::byte room_for_part[2048];
        std::pmr::monotonic_buffer_resource memory_for_part(room_for_part, sizeof room_for_part);
        std::pmr::vector<const T*> data(expression.data.begin(), expression.data.end(), &memory_for_part);
        std::pmr::vector<Shape> shapes(count + 2, &memory_for_part);
        std::pmr::vector<ShapeView> views(count + 1, &memory_for_part);
        for (std::size_t k = 0; k <= count + 1; ++k) {
            const ShapeView own = k > count ? shape : fits(k == count ? kept : expression.shapes[k]);
            shapes[k].assign(own.begin(), own.end());
            if (!moves(own)) continue;
            if (k < count) data[k] += first * size_of(own.subspan(1));
            shapes[k].front() = length;
        }
        std::copy(shapes.begin(), shapes.end() - 1, views.begin());
        sum_planes(to, views[count], shapes[count + 1],
                   {expression.expression, data, views, expression.is_array, expression.write});
    };
    const std::size_t length = shape.front(), half = length / 2, results = size_of(kept);
    if (moves(fits(kept))) {
        for (std::size_t i = 0; i < length; ++i) sum_part(z + i * (results / length), i, 1);
        return;
    }
    std::pmr::vector<T> second(results, T(0), &memory);
    sum_part(z, 0, half);
    sum_part(second.data(), half, length - half);
    for (std::size_t i = 0; i < results; ++i) z[i] += second[i];
}

}  // namespace

template <class T>
void evaluate_rows(T* z, ShapeView kept, ShapeView shape, const ExpressionRows<T>& expression, bool accumulate) {
    const std::size_t count = expression.data.size(), size = size_of(shape), results = size_of(kept);
    const auto zeros_to_add_to = [&] {
        if (!accumulate) std::fill_n(z, results, T(0));
    };
    switch (way_of(kept, shape, expression.shapes.first(count))) {
        case Way::one_row:
            return expression.write_row(z, size, accumulate);
        case Way::row_and_numbers: {
            xt::svector<bool, 8> moves(count);
            for (std::size_t k = 0; k < count; ++k) moves[k] = equal_shapes(expression.shapes[k], shape);
            return expression.write_row(z, size, accumulate, moves.data());
        }
        case Way::nothing:
            return zeros_to_add_to();
        case Way::one_sum:
            zeros_to_add_to();
            return sum_each_row(z, expression, RowStarts<T>(expression.data.begin(), expression.data.end()), size,
                                nullptr, 1, Steps(count + 1, 0));
        case Way::rows_added:
            return add_rows(z, expression, results, leading_rows(kept, shape), accumulate);
        case Way::walk:
            if (equal_shapes(kept, shape))
                return walk_rows(z, walk_of(kept, shape, expression), expression, accumulate);
            zeros_to_add_to();
            return sum_planes(z, kept, shape, expression);
    }
}

template void evaluate_rows(float*, ShapeView, ShapeView, const ExpressionRows<float>&, bool);
template void evaluate_rows(double*, ShapeView, ShapeView, const ExpressionRows<double>&, bool);

}  // namespace autograd::kernels
