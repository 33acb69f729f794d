// A table as a saved network takes it: `predict` reads it row by row, `explain` one row of it.
#pragma once

#include <autograd/array.hpp>
#include <map>
#include <nn/csv.hpp>
#include <string>
#include <vector>

#include "saved_network.hpp"

/// Rows of a table, and what was to be predicted in each.
struct TableRows {
    autograd::Array<double> features;  // (n, numbers), what is missing filled
    std::vector<std::vector<std::string>> labels;

    std::size_t count() const { return labels.size(); }
};

/// Where the network's columns stand in a table, and those to be predicted and to be left out.
nn::CsvOptions columns_of(const Model& model, nn::Header header, const std::vector<std::string>& labels,
                          const std::vector<std::string>& drop);

/// What the network learned to predict, as labels of its table. Throws `std::invalid_argument` beginning with
/// `[command]` where it has no name.
void add_target(const Model& model, nn::CsvOptions& columns, const char* command);

class TableOfModel {
  public:
    /// Throws `autograd::FileError` where it cannot be read, or its columns are not as many as the network's.
    TableOfModel(const Model& model, const std::string& path, const nn::CsvOptions& columns);

    const nn::CsvReader& reader() const { return table_; }
    /// Of rows that were read before the last ones.
    std::size_t before() const { return before_; }

    /// At most so many rows; none at the end. Throws `autograd::FileError`, naming the place, for what is no number or
    /// none of the network's categories.
    TableRows next(std::size_t most);

    /// The rows that were read last, scaled. Throws `std::invalid_argument` where a number is too far away, and says
    /// which.
    autograd::Array<float> scaled(const TableRows& rows) const;

    /// A number to be predicted in one of the last rows, and the number of a class. Throw `autograd::FileError` where
    /// it is none.
    double target(const TableRows& rows, std::size_t row, std::size_t j) const;
    std::size_t class_of(const TableRows& rows, std::size_t row) const;

  private:
    void append(std::vector<double>& numbers, std::size_t column, const std::string& field) const;

    const Model& model_;
    std::string path_;
    nn::CsvReader table_;
    std::map<std::string, std::size_t, nn::ClassOrder> classes_;
    std::vector<std::size_t> label_of_target_;  // where the targets' own names are among the labels
    std::size_t before_ = 0, last_ = 0;
};
