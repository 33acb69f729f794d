// A network that is trained, and tested.
#pragma once

#include <autograd/operations.hpp>
#include <lab/recording_data.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <nn/batches.hpp>
#include <nn/fit.hpp>
#include <nn/optimizers.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "commands.hpp"
#include "saved_network.hpp"
#include "training_data.hpp"
#include "training_report.hpp"

/// How good a network is.
struct Tested {
    std::vector<double> scores = {};  // accuracy, AUC, top-k accuracy, or R², RMSE and MAE of each target
    std::string text = {};
    autograd::Indices confusion = {};
    nlohmann::json classes = {};               // of classes: the accuracy, and what else there is
    std::vector<ClassAnswer> answers = {};     // for the report
    autograd::Array<double> predictions = {};  // of a regression, for the report
};

/// A network that is trained on these rows, or as far as a signal let it.
class Training {
  public:
    Training(const TrainOptions& options, nn::Dataset<double> rows, std::mt19937_64& engine);

    /// The rows are read while it lives.
    Training(const TrainOptions& options, const StreamedRows& rows, std::mt19937_64& engine);

    /// Throws where a number of rows that are held out is too far from those for training, which would be for nothing.
    void require_scalable(const Statistics& features) const;

    std::string description(std::size_t tested) const;

    /// Says at the end which epoch's network it is, where there was a validation.
    void run(bool quiet);

    /// Whether a signal ended it, to this process or another one.
    bool is_stopped() const { return history_.stopped; }

    /// The same as `description`, for programs.
    nlohmann::json as_json(std::size_t tested) const;

    nlohmann::json as_json(const Tested& tested) const;
    Tested test(const nn::Dataset<double>& rows) const;
    Tested test(const nn::ReadRows<double>& read) const;

    const Model& model() const { return model_; }

    /// The network at the first rows, before the training and after up to 40 of its epochs; none without --player.
    const std::vector<lab::Recording>& recordings() const { return recordings_; }

    /// The page about it all.
    std::string page(const nn::Dataset<double>& test, const Tested& tested, nlohmann::json facts) const;

  private:
    void prepare();
    autograd::Variable<float> loss(const autograd::Variable<float>& scores, const nn::Batch<float>& rows) const;
    void record();
    /// Calls f(scores, the rows as they were read) for blocks of rows: not all scores, nor what stands between, fit at
    /// once.
    template <class F>
    void in_blocks(const nn::ReadRows<double>& read, const F& f) const;
    Tested test_classes(const nn::ReadRows<double>& read) const;
    Tested test_numbers(const nn::ReadRows<double>& read) const;
    autograd::Array<float> scaled(autograd::Array<double> features) const;
    nn::Batch<float> scaled(nn::Batch<double> rows) const;
    nn::Dataset<float> scaled(const nn::Dataset<double>& rows) const;
    std::unique_ptr<nn::BatchSource<float>> streamed(const StreamedRows& rows, Part part) const;
    std::size_t rows() const { return known_.size(); }
    std::string metrics(const nn::Measured& measured) const;
    std::size_t batch() const;
    std::size_t steps() const;
    std::map<std::string, std::string> settings() const;

    const TrainOptions& options_;
    std::optional<nn::Dataset<double>> validation_read_;  // until they are scaled
    KnownRows known_;
    Model model_;
    nn::Dataset<float> rows_, validation_rows_;  // where they are in memory
    std::unique_ptr<nn::BatchSource<float>> training_, validation_;
    std::mt19937_64& engine_;
    autograd::CrossEntropyOptions cross_entropy_;
    std::unique_ptr<nn::Optimizer<float>> optimizer_;
    double rate_ = 0;  // before a schedule changes it
    nn::History history_;
    std::vector<lab::Recording> recordings_;
};
