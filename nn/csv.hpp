// Tables in text files, row by row: for files of any length. `read_csv` (nn/data.hpp) reads one whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

/// Whether the first line of a table names its columns. `detect`: it does where it holds names, that is words and no
/// numbers, or where it holds a name that was asked for. A line that could be either is an error.
enum class Header { detect, yes, no };

struct CsvOptions {
    std::optional<std::string> label;  ///< the column with the class: its name, its number from 0, or "" for the last
    Header header = Header::detect;
    /// The columns of numbers that a network takes, in this order, by name where there is a header; there none of them
    /// may be among the following.
    std::vector<std::string> columns = {};
    /// Several columns to be predicted, instead of `label`; "y1,y2" are two where no column has that name.
    std::vector<std::string> labels = {};
    std::vector<std::string> drop = {};  ///< columns that are left out, named as `labels` are
    bool empty_is_name = false;          ///< "" among the labels is the column whose name is empty, not the last
};

/// Reads a table as RFC 4180 has it, plain or gzipped, in UTF-8, its fields separated by commas, semicolons or tabs:
/// numbers, and in one column the class. Blanks around a field do not count.
///
/// Throws `autograd::FileError`, naming the file and the line, where rows differ in length, where a number is missing
/// or not finite or has a decimal comma, where a class is missing, where a quote is not closed, and where the file is
/// no such text.
class CsvReader {
  public:
    explicit CsvReader(const std::string& path, CsvOptions options = {});
    CsvReader(const CsvReader&) = default;  // a move is a copy, which reads on where this one stands
    CsvReader& operator=(const CsvReader&) = default;

    std::string path() const;
    bool has_header() const;
    char separator() const;

    /// The columns of numbers in the order in which `next` gives them: their names, or "0", "1", ... without a header.
    const std::vector<std::string>& columns() const;

    /// The name of the class' column, or its number; empty where the options name none.
    const std::string& label() const;

    /// The same for all columns that are to be predicted.
    const std::vector<std::string>& labels() const;

    /// Whether the first line is a header that holds this name, once or more often.
    bool holds(const std::string& name) const;

    /// Reads the numbers of the next row, and its class; false at the end of the file.
    bool next(std::vector<double>& numbers, std::string& label);

    /// Reads the numbers of the next row, and its text in each of the `labels`; false at the end of the file.
    bool next(std::vector<double>& numbers, std::vector<std::string>& labels);

    /// Reads the text of the next row in each of the `columns` and of the `labels`, whatever it is.
    bool next_fields(std::vector<std::string>& fields, std::vector<std::string>& labels);

    /// "FILE:LINE: 'text' in column NAME", of the row that was read last and the column's place in `columns`.
    std::string place(std::size_t column, const std::string& text) const;

    /// The line on which the row stands that was read last, from 1.
    std::size_t line() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

/// The number that a field is, infinite where it is beyond the range of a double; nothing where it is no number.
std::optional<double> csv_number(std::string_view text);

/// Whether the field stands for a value that is not there: nothing, or a mark such as ? and NA.
bool csv_missing(std::string_view text);

/// Whether the field is a number but for a comma in the place of its decimal point, as in 3,14.
bool has_decimal_comma(std::string_view text);

/// Why nothing is learned from a field whose `csv_number` this is, in words that go behind it: it is none, is infinite,
/// or is an integer that a double does not hold, so that others are the same number; null where it may be.
const char* fault_of_number(std::string_view text, std::optional<double> number);

/// The order of classes: numbers by their value, so that 1, 1.0 and 1e0 are one, before words in alphabetical order.
/// Integers that a double does not hold, from 2^53 on, are told apart by their letters as words are.
struct ClassOrder {
    bool operator()(const std::string& left, const std::string& right) const;
};

/// A field as it stands in such a file: between quotes where it needs them.
std::string csv_field(const std::string& text);

}  // namespace nn
