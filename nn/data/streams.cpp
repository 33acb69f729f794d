#include "streams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <nn/data/checksum.hpp>
#include <stdexcept>

namespace nn {

namespace {

template <class T>
std::size_t rows_in(const Batch<T>& batch) {
    return batch.x.dimension() == 2 ? batch.x.shape()[0] : 0;
}

/// Throws where a block is not of the rows that were promised.
template <class T>
void require_fitting(const Batch<T>& block, const RowFacts& facts) {
    using autograd::Shape, autograd::to_string;
    const std::size_t n = block.x.dimension() == 0 ? 0 : block.x.shape()[0];
    if (n == 0) return;
    const Shape x{n, facts.columns}, y = facts.is_regression() ? Shape{n, facts.targets} : Shape{n};
    const Shape& there = facts.is_regression() ? block.targets.shape() : block.labels.shape();
    if (block.x.shape() != x || there != y)
        throw std::invalid_argument(fmt::format(
            "[batches] a block has features of shape {} and {} of shape {}, not {} and {}", to_string(block.x.shape()),
            facts.is_regression() ? "targets" : "labels", to_string(there), to_string(x), to_string(y)));
}

template <class T>
void copy_row(const Batch<T>& from, std::size_t row, Batch<T>& to, std::size_t place, const RowFacts& facts) {
    std::copy_n(from.x.data() + row * facts.columns, facts.columns, to.x.data() + place * facts.columns);
    if (facts.is_regression())
        std::copy_n(from.targets.data() + row * facts.targets, facts.targets,
                    to.targets.data() + place * facts.targets);
    else
        to.labels(place) = from.labels(row);
}

}  // namespace

std::size_t rows_at_once(std::size_t columns) {
    return std::clamp<std::size_t>((std::size_t{1} << 20) / std::max<std::size_t>(columns, 1), 1, 1024);
}

template <class T>
void resize(Batch<T>& batch, std::size_t rows, const RowFacts& facts) {
    batch.x.resize({rows, facts.columns});
    if (facts.is_regression())
        batch.targets.resize({rows, facts.targets});
    else
        batch.labels.resize({rows});
}

template <class T>
StreamedBatches<T>::StreamedBatches(RowFacts facts, std::string checksum, std::function<ReadRows<T>()> open,
                                    std::size_t buffer)
    : facts_(facts), checksum_(std::move(checksum)), open_(std::move(open)), most_(buffer) {
    if (buffer == 0) throw std::invalid_argument("[batches] a shuffle buffer has no rows");
}

template <class T>
void StreamedBatches<T>::begin(std::size_t batch, std::mt19937_64* engine) {
    if (batch == 0) throw std::invalid_argument("[batches] a batch has no rows");
    batch_ = batch;
    in_block_ = taken_ = handed_ = 0;
    block_ = {};
    order_.clear();
    read_ = open_();
    is_shuffled_ = engine != nullptr;
    if (!is_shuffled_) return;
    held_ = std::min(most_, facts_.rows);
    resize(buffer_, held_, facts_);
    for (std::size_t k = 0; k < held_; ++k) take(buffer_, k);
    if (held_ == facts_.rows)
        order_ = shuffled(held_, *engine);
    else
        engine_ = std::mt19937_64((*engine)());
}

/// Reads a row to this place. Behind the last one the end must come: it says whether the pass was as it should be.
template <class T>
void StreamedBatches<T>::take(Batch<T>& to, std::size_t row) {
    const auto fill = [&] {
        while (in_block_ == rows_in(block_)) {
            in_block_ = 0;
            if (!read_(block_)) return false;
            require_fitting(block_, facts_);
        }
        return true;
    };
    if (!fill()) throw std::runtime_error(fmt::format("[batches] a pass has {} rows, not {}", taken_, facts_.rows));
    copy_row(block_, in_block_++, to, row, facts_);
    if (++taken_ < facts_.rows) return;
    if (fill()) throw std::runtime_error(fmt::format("[batches] a pass has more than {} rows", facts_.rows));
    read_ = {};
    block_ = {};
}

template <class T>
bool StreamedBatches<T>::next(Batch<T>& batch) {
    const std::size_t n = std::min(batch_, facts_.rows - handed_);
    if (n == 0) return false;
    resize(batch, n, facts_);
    for (std::size_t i = 0; i < n; ++i, ++handed_) {
        if (!is_shuffled_) {
            take(batch, i);
        } else if (taken_ < facts_.rows) {
            const std::size_t k = engine_() % held_;
            copy_row(buffer_, k, batch, i, facts_);
            take(buffer_, k);
        } else {
            if (order_.empty()) order_ = shuffled(held_, engine_);
            copy_row(buffer_, order_[handed_ + held_ - facts_.rows], batch, i, facts_);
        }
    }
    return true;
}

const Dataset<double>& RowStream::outline() const { return state_->outline; }
RowFacts RowStream::facts() const { return state_->facts; }

ReadRows<double> RowStream::open() const {
    state_->files.require_unchanged();
    return
        [state = state_, read = state_->open(), rows = std::size_t{0}, sum = Checksum()](Batch<double>& batch) mutable {
            const auto changed = [&] { state->files.fail("it changed while it was read"); };
            if (read(batch)) {
                state->files.require_unchanged();
                rows += rows_in(batch);
                if (rows > state->facts.rows) changed();
                sum.add(batch.x);
                if (state->facts.is_regression())
                    sum.add(batch.targets);
                else
                    sum.add(batch.labels);
                return true;
            }
            state->files.require_unchanged();
            if (rows != state->facts.rows || state->checksum.value_or(sum.value()) != sum.value()) changed();
            state->checksum = sum.value();
            return false;
        };
}

std::string RowStream::checksum() const {
    Batch<double> batch;
    if (!state_->checksum)
        for (const ReadRows<double> read = open(); read(batch);) {
        }
    Checksum sum;
    sum.add_names(state_->outline);
    return fmt::format("{:08x}{}", *state_->checksum, sum.text());
}

template void resize(Batch<double>&, std::size_t, const RowFacts&);
template class StreamedBatches<float>;
template class StreamedBatches<double>;

}  // namespace nn
