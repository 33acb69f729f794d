// A training that can be left alone. `examples/digits.cpp` has the loop that it stands for, written out.
#pragma once

#include <autograd/variable.hpp>
#include <cstdio>
#include <functional>
#include <nn/batches.hpp>
#include <nn/checkpoint.hpp>
#include <nn/communicator.hpp>
#include <nn/schedules.hpp>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace nn {

/// The mean loss of some rows, as `FitOptions::weight` weighs them, and their metric: the accuracy of classes, the root
/// mean squared error of numbers; NaN where the network's output has not their shape.
struct Measured {
    double loss = 0, metric = 0;
};

/// What is known of an epoch: so far after each step, and in the end.
struct Epoch {
    std::size_t number = 0;                ///< from 1
    std::size_t seen = 0, rows = 0;        ///< rows of the training
    Measured training;                     ///< over the rows seen, each with the parameters of its step
    std::optional<Measured> validation{};  ///< at the end
    double rate = 0;                       ///< of the optimizer's first group, in the last step
};

struct History {
    std::vector<Epoch> epochs;  ///< those that are whole
    std::size_t best = 0;       ///< the number of the one whose parameters the network has
    bool stopped = false;       ///< a callback ended it
    bool is_early = false;      ///< the validation's loss ended it
};

template <class T>
struct FitOptions {
    std::size_t epochs = 10;
    std::size_t batch = 32;
    std::size_t micro_batch = 0;                  ///< rows of a batch that are recorded at once; 0: all. See below.
    Optimizer<T>* optimizer = nullptr;            ///< none: Adam as it is
    std::mt19937_64 engine = std::mt19937_64(1);  ///< all random numbers come from a copy of it
    /// The mean loss of a batch. None: `softmax_cross_entropy` of classes, `mean_squared_error` of numbers.
    std::function<autograd::Variable<T>(const autograd::Variable<T>& output, const Batch<T>& batch)> loss = {};
    /// What a batch weighs in the mean loss of an epoch and of the validation: the sum of its rows' weights, where
    /// `loss` is the mean of weighted rows. None: the number of its rows. Of a micro-batch that weighs 0 the loss is
    /// not asked for.
    std::function<double(const Batch<T>& batch)> weight = {};
    double clip_value = 0;                       ///< `clip_gradient_value` before each step; 0: never
    double clip_norm = 0;                        ///< `clip_gradient_norm` before each step; 0: never
    Schedule schedule = {};                      ///< of the rate, step by step
    std::optional<PlateauOptions> plateau = {};  ///< by the validation's loss, or else by the training's
    /// The decay of a `ParameterAverage` over the steps: the validation measures the averages, and the network ends
    /// with them. 0: none.
    double average = 0;
    /// Rows that are not trained on, but measured after each epoch, or the share of the data that becomes them. The
    /// network ends with the parameters of the epoch whose loss on them was the lowest.
    const Dataset<T>* validation = nullptr;
    double validation_share = 0;
    BatchSource<T>* validation_source = nullptr;       ///< the same, of rows that need not be in memory
    std::size_t patience = 0;                          ///< epochs without a lower loss that are borne; 0: all
    std::string checkpoint = {};                       ///< a file to go on from; none: none
    double checkpoint_seconds = 1;                     ///< it is written that often, but in 1/20 of the time at most
    bool resume = false;                               ///< go on from the checkpoint
    std::map<std::string, std::string> settings = {};  ///< of one's own, which must be the same when it is resumed
    std::string history = {};                          ///< a CSV file with a row for each epoch
    std::string metric_name = {};                      ///< its column there; empty: accuracy or rmse
    double metric_unit = 1;        ///< what that column is multiplied by, as the spread of scaled targets
    std::FILE* progress = stdout;  ///< a bar on a terminal, elsewhere a line for each epoch
    std::function<std::string(const Measured&)> describe = {};  ///< what stands there behind the loss
    std::function<bool(const Epoch&)> on_step = {};             ///< after each; false ends the training
    std::function<bool(const Epoch&)> on_epoch = {};
    /// Between the evaluations of a step that has many, and their micro-batches; false ends the training as if the step
    /// had not begun.
    std::function<bool()> on_evaluation = {};
    /// The processes that train together; none: this one alone. See below.
    Communicator* communicator = nullptr;
};

/// `net` runs the network on a variable, `parameters` are its own.
template <class T>
History fit(const std::function<autograd::Variable<T>(const autograd::Variable<T>&)>& net,
            const std::vector<autograd::Parameter<T>>& parameters, const Dataset<T>& data,
            const FitOptions<T>& options);

/// The same of rows that come from anywhere. A `validation_share` cannot be taken from them.
template <class T>
History fit(const std::function<autograd::Variable<T>(const autograd::Variable<T>&)>& net,
            const std::vector<autograd::Parameter<T>>& parameters, BatchSource<T>& data, const FitOptions<T>& options);

/// Trains a network: for each epoch, for each batch, loss, gradients, step; and what the options ask for besides.
/// Layers train, and draw from the options' engine, whatever their switch says.
///
/// A training that is killed at any moment and resumed, with the same options and data, ends with the same bits as one
/// that was not, on the same build with one thread.
///
///     nn::Mlp<float> model({64, 32, 10}, nn::ActivationKind::relu, engine);
///     nn::fit(model, data, {.epochs = 20, .validation_share = 0.1, .patience = 3});
///
/// The data are a data set, or batches that need not be in memory (nn/batches.hpp).
///
/// With `micro_batch` a step needs memory for the recording of so many rows: the gradients of a batch are the mean of
/// those of its micro-batches, weighted by their rows or by `weight`, which is what the whole batch gives, but for
/// rounding. The loss has to be such a mean. What a layer computes over a batch (`BatchNorm`) it computes over each
/// micro-batch, as in PyTorch, and `Dropout` draws for one after the other.
///
/// `Lbfgs` takes all rows at once, in their own order: a `batch` holds them, and an epoch is one step, of many
/// evaluations, for each of which the rows are read anew where there are micro-batches. Clipping, `Dropout` and
/// `BatchNorm`, by which the loss would not be one function, are refused.
///
/// Several processes take each its part of every batch's rows, and sum the gradients, weighted by these: what one
/// process would do, but for rounding. Data, options and parameters are the same in all, or it throws. The loss has to
/// be a mean in which each row counts alike. The first process writes the files and shows the progress; a callback of
/// any of them ends the training of all. Each splits its own rows into micro-batches. What a layer computes over a
/// batch (`BatchNorm`) or draws (`Dropout`) is not shared, and refused. Where one of them throws, the others wait:
/// `mpi::World::end` ends them.
///
/// Throws `std::invalid_argument` where the options contradict each other or there are no rows, `std::runtime_error`
/// where the loss overflows, or that of the validation in the first epoch, `autograd::FileError` where a file cannot be
/// written, or the checkpoint is damaged or of another network, other data or other settings: these before anything has
/// changed.
template <class Net, class T>
History fit(Net& net, const Dataset<T>& data, const std::type_identity_t<FitOptions<T>>& options = {}) {
    return fit<T>([&net](const autograd::Variable<T>& x) { return net(x); }, net.parameters(), data, options);
}

template <class Net, class T>
History fit(Net& net, BatchSource<T>& data, const std::type_identity_t<FitOptions<T>>& options = {}) {
    return fit<T>([&net](const autograd::Variable<T>& x) { return net(x); }, net.parameters(), data, options);
}

}  // namespace nn
