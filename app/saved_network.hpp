// A network as it is saved, with all that it needs to answer for a row of a table.
#pragma once

#include <autograd/array.hpp>
#include <functional>
#include <limits>
#include <nn/data.hpp>
#include <nn/metrics.hpp>
#include <nn/safetensors.hpp>
#include <string>
#include <vector>

#include "described_network.hpp"

/// What stands in each column of numbers, block of rows by block; NaN is a missing one. Means and squared distances
/// from them are Welford's, in `long double`, which holds the square of every double where it is wider than that.
struct Statistics {
    struct Column {
        double least = std::numeric_limits<double>::infinity(), most = -least;
        long double mean = 0, spread = 0;  // the sum of squared distances from the mean
        std::size_t count = 0;             // of those that are there
    };
    std::vector<Column> columns = {};
    std::size_t rows = 0;

    void add(const autograd::Array<double>& numbers);

    /// The mean of each column. Throws `std::invalid_argument` where there is nothing in it.
    std::vector<double> means(const std::vector<std::string>& column_names) const;
};

/// Maps each column of numbers in double: x -> (x - offset) * factor; one that never changed in the training to 0.
struct Scaling {
    std::vector<double> offset, factor;

    /// Does nothing.
    static Scaling none(std::size_t columns);

    /// To 0 ... 1, from the least and the largest number of each column. Throws `std::invalid_argument`, naming the
    /// column, where their difference, or one divided by it, is not finite.
    static Scaling of(const Statistics& features, const std::vector<std::string>& column_names);

    /// To a mean of 0 and a standard deviation of 1, the mean standing for what is missing. Throws as `of` does.
    static Scaling standard(const Statistics& features, const std::vector<std::string>& column_names);

    /// What an error calls a number, by its row and its place there.
    using Place = std::function<std::string(std::size_t row, std::size_t number)>;

    /// Throws `std::invalid_argument` where a number is so far away that a float does not hold it; `place` says which.
    autograd::Array<float> operator()(const autograd::Array<double>& features, const Place& place) const;

    /// Undoes the same: z -> z / factor + offset.
    autograd::Array<double> undone(const autograd::Array<float>& scaled) const;
};

struct Model {
    Network network;
    std::vector<std::string> class_names;
    std::vector<nn::Column> columns;  // of the table
    std::string target_name;
    Scaling scaling;
    std::vector<std::string> target_names = {};  // of the numbers that it predicts; none where it has classes
    Scaling target_scaling = {};                 // of these numbers
    std::vector<double> fill = {};               // for each number that is missing; none: it is refused

    bool is_regression() const { return !target_names.empty(); }
    /// None where the table had no header; else one of them may be empty.
    std::vector<std::string> column_names() const;
    std::size_t outputs() const { return is_regression() ? target_names.size() : class_names.size(); }
};

/// The R² and the root mean squared error of each target, in its units.
std::string fit_of(const Model& model, const nn::NumberScores& scores);

/// Puts numbers in the place of what is missing.
void put(const std::vector<double>& fill, autograd::Array<double>& features);

/// Whether each number of the network is finite.
bool is_finite(const Network& network);

/// Throws `autograd::FileError` where the model could not be saved for what it is called.
void require_names_that_can_be_saved(const Model& model);

/// What a file says about the model: docs/files.md lists the keys.
nn::Metadata metadata_of(const Model& model);

/// Throws `autograd::FileError` where the file cannot be written, or a number of the network is not finite.
void save(const std::string& path, const Model& model);

/// Throws `autograd::FileError` where the file does not hold such a model.
Model load(const std::string& path);
