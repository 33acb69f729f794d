// The loss of a batch and its gradients: recorded at once, or one micro-batch after the other.
#pragma once

#include <autograd/tape.hpp>
#include <functional>
#include <nn/batches.hpp>
#include <nn/fit.hpp>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace nn::train {

/// Sums over rows, from which the means are taken; of the loss over their weights.
struct Sums {
    double loss = 0, metric = 0, rows = 0, weight = 0;
    void operator+=(const Sums& other);
    Measured mean(bool is_regression) const;
};

/// The loss of a network at some rows, as `fit` was asked for it. References are kept to all that it is made of.
template <class T>
class BatchLoss {
  public:
    using Net = std::function<autograd::Variable<T>(const autograd::Variable<T>&)>;

    /// `ends` is asked after each recording that has gradients.
    BatchLoss(const Net& net, const std::vector<autograd::Parameter<T>>& parameters, const Optimizer<T>& optimizer,
              const FitOptions<T>& options, const RowFacts& facts, std::mt19937_64& engine, std::function<bool()> ends);

    /// The mean loss of the batch, its gradients, and the sums over its rows. Where `ends` says so, the rest of its
    /// micro-batches is left out.
    LossAndGradients<T> operator()(const Batch<T>& batch, Sums& sums);

    /// The same of all rows, which are read in micro-batches.
    LossAndGradients<T> operator()(BatchSource<T>& rows, Sums& sums);

    /// The sums over rows in evaluation.
    Sums evaluated(const Batch<T>& batch);

    /// Whether rows were not finite where the loss was not.
    bool has_bad_rows() const { return has_bad_rows_; }

  private:
    using OutputAndLoss = std::pair<autograd::Variable<T>, std::optional<autograd::Variable<T>>>;
    template <class Next>
    LossAndGradients<T> in_parts(const Next& next, Sums& sums);
    OutputAndLoss train(const Batch<T>& batch, bool with_loss = true);
    OutputAndLoss forward(const Batch<T>& batch, bool with_loss = true);
    double value_of(const autograd::Variable<T>& loss, const Batch<T>& batch);
    double weight_of(const Batch<T>& batch) const;
    Sums sums_of(double loss, const autograd::Array<T>& output, const Batch<T>& batch, double weight) const;

    const Net& net_;
    const std::vector<autograd::Parameter<T>>& parameters_;
    const Optimizer<T>& optimizer_;
    const FitOptions<T>& options_;
    const RowFacts& facts_;
    std::mt19937_64& engine_;
    const std::function<bool()> ends_;
    autograd::Tape<T> tape_;
    Batch<T> part_;  // the rows of a micro-batch
    bool has_bad_rows_ = false;
};

extern template class BatchLoss<float>;
extern template class BatchLoss<double>;

}  // namespace nn::train
