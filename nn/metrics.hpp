// How good predictions are. Scores are (n, classes), labels (n,); predictions and targets are (n, targets). All throw
// `std::invalid_argument` where shapes do not fit or there are no rows, `std::out_of_range` where a label is no class.
// A row with a score that is NaN is never right.
#pragma once

#include <autograd/array.hpp>
#include <vector>

namespace nn {

/// The share of rows whose largest entry stands at the label.
template <class T>
double accuracy(const autograd::Array<T>& scores, const autograd::Indices& labels);

/// The share of rows where fewer than k scores are above the label's, or equal to it and before it.
template <class T>
double top_k_accuracy(const autograd::Array<T>& scores, const autograd::Indices& labels, std::size_t k);

/// How many rows of class i (first axis) have their largest score at class k (second axis): (classes, classes).
/// Throws `std::invalid_argument` where a score is NaN, too.
template <class T>
autograd::Indices confusion_matrix(const autograd::Array<T>& scores, const autograd::Indices& labels);

/// Of one class; NaN where there is nothing to divide by.
struct ClassQuality {
    double precision;  ///< of the rows that were taken for the class, the share that is of it
    double recall;     ///< of the rows of the class, the share that was taken for it
    double f1;         ///< 2 * precision * recall / (precision + recall) = 2 right / (rows + taken)
};

/// For each class, from `confusion_matrix`.
std::vector<ClassQuality> class_qualities(const autograd::Indices& confusion);

/// The area under the ROC curve of two classes: how likely a row of class 1 has a larger score than one of class 0,
/// ties counting half. `scores` is (n,) or (n, 1), the higher the more it is class 1. NaN where one class has no row.
template <class T>
double area_under_curve(const autograd::Array<T>& scores, const autograd::Indices& labels);

/// How good predictions of numbers are, block of rows by block. The sums are `long double`, which holds the square of
/// every double where it is wider than that.
class NumberScores {
  public:
    /// Throws where the columns are not those of the blocks before, too.
    void add(const autograd::Array<double>& predictions, const autograd::Array<double>& targets);

    std::size_t rows() const { return rows_; }

    /// What the functions below give of all rows at once.
    std::vector<double> r_squared() const;
    std::vector<double> root_mean_squared_error() const;
    std::vector<double> mean_absolute_error() const;

  private:
    struct Sums {
        long double mean = 0, spread = 0;  // of the targets, and their squared distances from it
        long double squares = 0, distances = 0;
    };
    std::vector<Sums> sums_;  // for each column
    std::size_t rows_ = 0;
};

/// For each column, `1 - sum (prediction - target)^2 / sum (target - mean)^2`; NaN where all targets are the same.
std::vector<double> r_squared(const autograd::Array<double>& predictions, const autograd::Array<double>& targets);

/// For each column, `sqrt(mean((prediction - target)^2))`.
std::vector<double> root_mean_squared_error(const autograd::Array<double>& predictions,
                                            const autograd::Array<double>& targets);

/// For each column, `mean(|prediction - target|)`.
std::vector<double> mean_absolute_error(const autograd::Array<double>& predictions,
                                        const autograd::Array<double>& targets);

}  // namespace nn
