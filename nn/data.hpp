// Data sets: reading, splitting, and batches in a shuffled order.
#pragma once

#include <autograd/array.hpp>
#include <nn/csv.hpp>
#include <nn/metrics.hpp>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nn {

/// A column of a table. Words become a number for each category, 1 where it is that one and 0 elsewhere.
struct Column {
    std::string name;                     ///< empty where the table has no names
    std::vector<std::string> categories;  ///< none: the column holds numbers
    std::size_t width() const { return categories.empty() ? 1 : categories.size(); }
    bool operator==(const Column&) const = default;
};

/// Rows of numbers, each with the number of its class, or with the numbers that are to be predicted. A row is all that
/// stands behind the first axis, as the (channels, height, width) of a picture.
///
/// Whatever takes one throws `std::invalid_argument` where there are not as many features as labels or targets, and
/// `std::out_of_range` where a label is none of the `class_names`, if there are any.
template <class T>
struct Dataset {
    autograd::Array<T> features;                 ///< (n, columns), or of any other rank
    autograd::Indices labels;                    ///< (n,), from 0
    std::vector<std::string> class_names;        ///< by label
    std::vector<std::string> column_names = {};  ///< of the features; none where the source has no names
    std::string label_name = {};                 ///< of the column with the class: its name, or its number
    autograd::Array<T> targets{};                ///< (n, targets): numbers to be predicted; there are no labels then
    std::vector<std::string> target_names = {};  ///< of their columns; none where there are classes
    std::vector<Column> columns = {};            ///< that the features came from; none: each from its own
    std::size_t dropped = 0;                     ///< rows that were left out, for a missing cell
    bool is_regression() const { return !target_names.empty(); }
    std::size_t size() const { return is_regression() ? targets.shape()[0] : labels.size(); }
    std::size_t classes() const { return class_names.size(); }
};

/// Reads a table (`CsvReader`) whole: numbers, and in one column the class, a number or a word. `label` is the name of
/// the class' column, or its number from 0; empty, it is the last. Classes are numbered in sorted order, numbers before
/// words; 1, 1.0 and 1e0 are one class.
///
/// Throws `autograd::FileError`, naming the file and the line, where the file is missing, truncated or empty, and where
/// `CsvReader` does.
template <class T>
Dataset<T> read_csv(const std::string& path, const std::string& label = {}, Header header = Header::detect);

/// What is learned: a class, or numbers. `detect`: several targets are numbers, and so is a target of numbers of which
/// many differ: more than 20 among less than 20 times as many rows, more than 10 where not all are whole, or where more
/// than half of the rows differ, if they are more than 10 or not whole.
enum class Task { detect, classification, regression };

/// What is done with a cell that is empty or holds a mark such as ? and NA. `mean`: it becomes NaN, for the mean to be
/// put there; not in a target. `drop`: the row is left out, also where a target is missing.
enum class Missing { refuse, mean, drop };

struct TableOptions {
    std::vector<std::string> labels = {""};  ///< the columns to be predicted, as `CsvOptions` has them
    Header header = Header::detect;
    Task task = Task::detect;
    std::vector<std::string> drop = {};  ///< columns that are left out
    Missing missing = Missing::refuse;
};

/// Reads a table as `read_csv` does, with classes or with targets, and with columns of words. Throws
/// `autograd::FileError` there, naming file, line and column where a cell is missing, where a number to be predicted is
/// none, where a column holds words and numbers, or too many words; so does a target, unless it is to be classes.
Dataset<double> read_table(const std::string& path, const TableOptions& options = {});

/// The numbers of such a file, (n, columns), without the column `label`; empty, the file has no column of classes.
template <class T>
autograd::Array<T> read_csv_features(const std::string& path, const std::string& label = {},
                                     Header header = Header::detect);

/// Reads a pair of IDX files as MNIST has them, plain or gzipped: images (n, ...), flattened to (n, columns) and not
/// scaled, and for the class of each one byte or a 32-bit integer; of QMNIST's eight integers for each it is the first.
/// Format: http://yann.lecun.com/exdb/mnist.
///
/// Throws `autograd::FileError`, naming the file, where one is missing or truncated, where a header lies about what
/// follows, where there are not as many images as labels, and where a label is negative or beyond 65535.
template <class T>
Dataset<T> read_idx(const std::string& images, const std::string& labels);

/// A shuffled order of 0 ... n - 1, the same on every standard library.
std::vector<std::size_t> shuffled(std::size_t n, std::mt19937_64& engine);

/// The rows of these numbers. Throws `std::out_of_range` where one is not there.
template <class T>
Dataset<T> rows_of(const Dataset<T>& data, const std::vector<std::size_t>& rows);

/// Splits at random into the share that is held out (second) and the rest (first). Throws `std::invalid_argument`
/// unless both have rows.
template <class T>
std::pair<Dataset<T>, Dataset<T>> split(const Dataset<T>& data, double holdout, std::mt19937_64& engine);

/// The same, each class split for itself. Throws `std::invalid_argument` where there are no classes, too.
template <class T>
std::pair<Dataset<T>, Dataset<T>> stratified_split(const Dataset<T>& data, double holdout, std::mt19937_64& engine);

/// The rows of each of `count` folds, at random, whose sizes differ by one at most; so do the rows of a class in each.
/// Throws `std::invalid_argument` unless there are two folds or more, each with a row.
template <class T>
std::vector<std::vector<std::size_t>> folds(const Dataset<T>& data, std::size_t count, std::mt19937_64& engine);

/// Goes through a data set in batches, in a new order each time.
///
///     nn::Batches<float> batches(data, 64, engine);
///     while (batches.next(x, labels)) ...      // one pass; the last batch may be smaller
template <class T>
class Batches {
  public:
    /// Keeps a reference to data and engine.
    Batches(const Dataset<T>& data, std::size_t batch, std::mt19937_64& engine);

    /// Writes the next batch, (batch, columns) and (batch,) where the features are (n, columns), and returns true; or
    /// returns false at the end of a pass.
    bool next(autograd::Array<T>& x, autograd::Indices& labels);

    /// The same where numbers are to be predicted: targets (batch, targets).
    bool next(autograd::Array<T>& x, autograd::Array<T>& targets);

    /// Leaves out the next rows of the pass. Throws `std::out_of_range` where it has not as many.
    void skip(std::size_t rows);

  private:
    std::span<const std::size_t> next_rows();

    const Dataset<T>& data_;
    std::size_t batch_;
    std::mt19937_64& engine_;
    std::vector<std::size_t> order_;
    std::size_t position_ = 0;
};

}  // namespace nn
