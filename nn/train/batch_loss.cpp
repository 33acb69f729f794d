#include <fmt/format.h>

#include <algorithm>
#include <autograd/edit_gradients.hpp>
#include <autograd/operations.hpp>
#include <cmath>
#include <nn/gradient_tools.hpp>
#include <nn/metrics.hpp>
#include <nn/mode.hpp>
#include <nn/train/batch_loss.hpp>
#include <stdexcept>

namespace nn::train {

using autograd::Array;
using autograd::Parameter;
using autograd::Shape;
using autograd::Variable;

namespace {

void require(bool good, std::string_view sentence) {
    if (!good) throw std::invalid_argument(fmt::format("[fit] {}", sentence));
}

/// The rows from `begin` to before `end`, whatever the shape of one.
template <class A>
void copy_rows(const A& from, std::size_t begin, std::size_t end, A& to) {
    Shape shape = from.shape();
    const std::size_t width = from.size() / shape[0];
    shape[0] = end - begin;
    to.resize(shape);
    std::copy_n(from.data() + begin * width, to.size(), to.data());
}

}  // namespace

void Sums::operator+=(const Sums& other) {
    loss += other.loss;
    metric += other.metric;
    rows += other.rows;
    weight += other.weight;
}

Measured Sums::mean(bool is_regression) const {
    return {loss / weight, is_regression ? std::sqrt(metric / rows) : metric / rows};
}

template <class T>
BatchLoss<T>::BatchLoss(const Net& net, const std::vector<Parameter<T>>& parameters, const Optimizer<T>& optimizer,
                        const FitOptions<T>& options, const RowFacts& facts, std::mt19937_64& engine,
                        std::function<bool()> ends)
    : net_(net),
      parameters_(parameters),
      optimizer_(optimizer),
      options_(options),
      facts_(facts),
      engine_(engine),
      ends_(std::move(ends)) {}

template <class T>
LossAndGradients<T> BatchLoss<T>::operator()(const Batch<T>& batch, Sums& sums) {
    if (options_.micro_batch == 0) {
        tape_.rewind();
        const auto [output, loss] = train(batch);
        const double value = value_of(*loss, batch);
        sums = sums_of(value, output.value(), batch, weight_of(batch));
        LossAndGradients<T> made{value, tape_.backward(*loss)};
        ends_();
        return made;
    }
    const std::size_t rows = batch.x.shape()[0];
    std::size_t end = 0;
    return in_parts(
        [&] {
            const std::size_t begin = end;
            end = std::min(rows, begin + options_.micro_batch);
            if (begin == rows) return false;
            copy_rows(batch.x, begin, end, part_.x);
            if (facts_.is_regression())
                copy_rows(batch.targets, begin, end, part_.targets);
            else
                copy_rows(batch.labels, begin, end, part_.labels);
            return true;
        },
        sums);
}

template <class T>
LossAndGradients<T> BatchLoss<T>::operator()(BatchSource<T>& rows, Sums& sums) {
    rows.begin(options_.micro_batch, nullptr);
    return in_parts([&] { return rows.next(part_); }, sums);
}

/// The mean over parts: `next` writes one into `part_`, or says that there is none.
template <class T>
template <class Next>
LossAndGradients<T> BatchLoss<T>::in_parts(const Next& next, Sums& sums) {
    std::optional<autograd::Gradients<T>> gradients;
    while (next()) {
        const double weight = weight_of(part_);
        tape_.rewind();
        const auto [output, loss] = train(part_, weight > 0);
        const double value = loss ? value_of(*loss, part_) : 0;
        sums += sums_of(value, output.value(), part_, weight);
        if (!loss) continue;
        // The weight of all is not known yet: a mean of what has been seen goes on with each part.
        const double share = weight / sums.weight;
        if (!gradients) {
            gradients.emplace(tape_.backward(*loss));
        } else {
            scale_gradients(*gradients, optimizer_.parameters(), 1 - share);
            add_gradients(*gradients, tape_.backward(*loss * static_cast<T>(share)), optimizer_.parameters());
        }
        if (ends_()) break;
    }
    require(gradients.has_value(), "the rows of a batch weigh nothing together");
    return {sums.loss / sums.weight, std::move(*gradients)};
}

template <class T>
Sums BatchLoss<T>::evaluated(const Batch<T>& batch) {
    tape_.rewind();
    const Evaluation<T> evaluation(tape_);
    const auto [output, loss] = forward(batch);
    return sums_of(static_cast<double>(loss->item()), output.value(), batch, weight_of(batch));
}

/// The loss; where that is not finite, whether the rows are is noted.
template <class T>
double BatchLoss<T>::value_of(const Variable<T>& loss, const Batch<T>& batch) {
    const auto is_finite = [](T number) { return std::isfinite(number); };
    const double value = static_cast<double>(loss.item());
    if (!std::isfinite(value) &&
        (!std::ranges::all_of(batch.x, is_finite) || !std::ranges::all_of(batch.targets, is_finite)))
        has_bad_rows_ = true;
    return value;
}

/// Output and loss in training. Of several processes none may change what the others do not: the engine, a buffer.
/// Nor may they change while a loss is evaluated again and again.
template <class T>
typename BatchLoss<T>::OutputAndLoss BatchLoss<T>::train(const Batch<T>& batch, bool with_loss) {
    const Training<T> training(tape_, engine_);
    const bool is_alone = options_.communicator == nullptr || options_.communicator->size() == 1;
    if (is_alone && !optimizer_.asks_again()) return forward(batch, with_loss);
    const auto versions = [&] {
        std::uint64_t all = 0;
        for (const Parameter<T>& parameter : parameters_) all += parameter.is_buffer() ? parameter.version() : 0;
        return all;
    };
    const std::mt19937_64 engine = engine_;
    const std::uint64_t before = versions();
    const auto made = forward(batch, with_loss);
    const bool asks_again = optimizer_.asks_again();
    require(engine == engine_,
            "a layer draws random numbers, as dropout does, and " +
                (asks_again ? fmt::format("{} needs a loss that is the same each time", optimizer_.name())
                            : "several processes would each draw others"));
    require(versions() == before,
            "a layer changes its buffers, as batch norm does, and " +
                (asks_again ? fmt::format("{} evaluates the loss where the network does not stay", optimizer_.name())
                            : "several processes would each have others"));
    return made;
}

template <class T>
typename BatchLoss<T>::OutputAndLoss BatchLoss<T>::forward(const Batch<T>& batch, bool with_loss) {
    const Variable<T> output = net_(tape_.constant(batch.x));
    if (!with_loss) return {output, {}};
    if (options_.loss) return {output, options_.loss(output, batch)};
    if (facts_.is_regression()) return {output, mean_squared_error(output, tape_.constant(batch.targets))};
    return {output, softmax_cross_entropy(output, batch.labels)};
}

template <class T>
double BatchLoss<T>::weight_of(const Batch<T>& batch) const {
    const double weight = options_.weight ? options_.weight(batch) : static_cast<double>(batch.x.shape()[0]);
    if (!(weight >= 0 && std::isfinite(weight))) require(false, fmt::format("a batch weighs {}", weight));
    return weight;
}

template <class T>
Sums BatchLoss<T>::sums_of(double loss, const Array<T>& output, const Batch<T>& batch, double weight) const {
    const double rows = static_cast<double>(batch.x.shape()[0]);
    Sums sums{loss * weight, NAN, rows, weight};
    if (facts_.is_regression()) {
        if (output.shape() != batch.targets.shape()) return sums;
        double squares = 0;
        for (std::size_t i = 0; i < output.size(); ++i)
            squares +=
                std::pow(static_cast<double>(output.data()[i]) - static_cast<double>(batch.targets.data()[i]), 2);
        sums.metric = squares / static_cast<double>(output.size() / output.shape()[0]);
    } else if (output.dimension() == 2 && output.shape()[0] == batch.labels.size() &&
               output.shape()[1] == facts_.classes) {
        sums.metric = accuracy(output, batch.labels) * rows;
    }
    return sums;
}

template class BatchLoss<float>;
template class BatchLoss<double>;

}  // namespace nn::train
