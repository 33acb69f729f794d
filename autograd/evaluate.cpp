#include <autograd/evaluate.hpp>

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
    if (lengths_.empty()) {
        lengths_.push_back(1);
        strides_.assign(operands_, 1);
    }
    position_.assign(lengths_.size(), 0);
    for (std::size_t a = 1; a < lengths_.size(); ++a) rows_ *= lengths_[a];
}

void BroadcastWalk::next_row() {
    for (std::size_t a = 1; a < lengths_.size(); ++a) {
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

namespace {

template <class T>
T sum_of_block(const T* x, std::size_t n) {
    using Batch = xsimd::batch<T>;
    constexpr std::size_t width = Batch::size;
    Batch sums[4] = {Batch(T(0)), Batch(T(0)), Batch(T(0)), Batch(T(0))};
    std::size_t i = 0;
    for (; i + 4 * width <= n; i += 4 * width)
        for (std::size_t k = 0; k < 4; ++k) sums[k] += Batch::load_unaligned(x + i + k * width);
    for (; i + width <= n; i += width) sums[0] += Batch::load_unaligned(x + i);
    T total = n < width ? T(0) : xsimd::hadd((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < n; ++i) total += x[i];
    return total;
}

}  // namespace

template <class T>
T sum_of(const T* x, std::size_t n) {
    constexpr std::size_t block = 4096;
    if (n <= block) return sum_of_block(x, n);
    const std::size_t half = (n / 2 + block - 1) / block * block;
    return sum_of(x, half) + sum_of(x + half, n - half);
}

template float sum_of(const float*, std::size_t);
template double sum_of(const double*, std::size_t);

}  // namespace autograd
