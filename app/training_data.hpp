// What a training reads.
#pragma once

#include <array>
#include <functional>
#include <nn/batches.hpp>
#include <nn/data.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "saved_network.hpp"

/// What is said beside the result.
void say(const TrainOptions& options, const std::string& text);

/// The files that are read: a table, or the images and labels of the training and of the test.
std::vector<std::string> inputs(const TrainOptions& options);

/// The shape of an example, (channels, height, width), where the source says that it is a picture; empty else.
autograd::Shape picture_shape(const TrainOptions& options);

/// What is trained on, and what is tested on; the second is empty where a table is still to be split.
std::pair<nn::Dataset<double>, std::optional<nn::Dataset<double>>> read(const TrainOptions& options);

/// What a network is made from: all that is known of the rows for training but these themselves.
struct KnownRows {
    nn::Dataset<double> outline;
    Statistics features, targets;
    std::vector<double> of_class = {};  // how many rows

    std::size_t size() const { return features.rows; }
    void add(const nn::Batch<double>& rows);
};

/// Reads a data set in memory, to which a reference is kept, block by block.
nn::ReadRows<double> read_rows(const nn::Dataset<double>& data);

KnownRows known(const nn::Dataset<double>& rows);

enum class Part { training, validation, test };

/// Rows that are read in blocks, as often as they are wanted. To which part one belongs follows from its number and the
/// seed.
class StreamedRows {
  public:
    /// Reads all twice: what they are, and what the columns hold.
    explicit StreamedRows(const TrainOptions& options);

    const KnownRows& known() const { return known_; }
    /// The features of those for the validation and the test.
    const Statistics& held_out() const { return held_out_; }
    std::size_t count(Part part) const { return counts_[static_cast<std::size_t>(part)]; }

    /// What begins to read a part.
    std::function<nn::ReadRows<double>()> open(Part part) const;

    /// Of all parts.
    std::string checksum() const;

  private:
    Part part_of(std::size_t row) const;

    const TrainOptions& options_;
    nn::RowStream rows_;
    std::optional<nn::RowStream> test_;  // in files of its own
    KnownRows known_;
    Statistics held_out_;
    std::array<std::size_t, 3> counts_{};
};
