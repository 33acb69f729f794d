#include <autograd/evaluate.hpp>
#include <autograd/registers.hpp>
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

bool sums_leading_axes(ShapeView kept, ShapeView shape) {
    while (!kept.empty() && kept.front() == 1) kept = kept.subspan(1);
    return kept.size() <= shape.size() && equal_shapes(kept, shape.last(kept.size()));
}

template <class T>
T sum_of(const T* x, std::size_t n) {
    constexpr std::size_t block = 4096;
    if (n <= block) return fold(x, n, T(0), std::plus<>());
    const std::size_t half = (n / 2 + block - 1) / block * block;
    return sum_of(x, half) + sum_of(x + half, n - half);
}

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

template void add_rows(float*, const float*, std::size_t, std::size_t, bool);
template void add_rows(double*, const double*, std::size_t, std::size_t, bool);
template float sum_of(const float*, std::size_t);
template double sum_of(const double*, std::size_t);

}  // namespace autograd
