// What a training goes through, batch by batch: a data set in memory, or rows that are read anew in each pass, so that
// there may be more of them than fit into memory.
#pragma once

#include <autograd/array.hpp>
#include <functional>
#include <memory>
#include <nn/data.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace nn {

/// Some rows of a data set: features, and labels or targets.
template <class T>
struct Batch {
    autograd::Array<T> x;
    autograd::Indices labels;
    autograd::Array<T> targets;
};

/// What is known of rows before they are read.
struct RowFacts {
    std::size_t rows = 0, columns = 0;     ///< columns: the numbers in a row
    std::size_t classes = 0, targets = 0;  ///< one of them is 0: there are classes, or numbers to be predicted
    bool is_regression() const { return targets > 0; }
};

/// Rows that come in batches, pass by pass.
template <class T>
class BatchSource {
  public:
    virtual ~BatchSource() = default;

    virtual RowFacts facts() const = 0;

    /// Tells the rows from others: of names and numbers.
    virtual std::string checksum() const = 0;

    /// Begins a pass in batches of so many rows, in an order that is drawn from the engine; without one in their own.
    virtual void begin(std::size_t batch, std::mt19937_64* engine) = 0;

    /// Writes the next batch, the last of which may be smaller; false at the end of the pass.
    virtual bool next(Batch<T>& batch) = 0;

    /// The same, of whose rows only those from `begin` to before `end` are wanted: one process among several needs no
    /// others.
    virtual bool next_rows(Batch<T>& batch, std::size_t begin, std::size_t end);
};

/// A data set in memory, to which a reference is kept. The order of each pass is that of the first one of `Batches`.
/// Throws as `Batches` does where its parts do not fit.
template <class T>
class DatasetBatches : public BatchSource<T> {
  public:
    explicit DatasetBatches(const Dataset<T>& data);
    RowFacts facts() const override;
    std::string checksum() const override;
    void begin(std::size_t batch, std::mt19937_64* engine) override;
    bool next(Batch<T>& batch) override { return next_rows(batch, 0, batch_); }
    bool next_rows(Batch<T>& batch, std::size_t begin, std::size_t end) override;

  private:
    const Dataset<T>& data_;
    std::vector<std::size_t> order_;
    std::size_t batch_ = 0, position_ = 0;
};

/// Reads the next rows of a pass, as many as it likes, also none; false at the end.
template <class T>
using ReadRows = std::function<bool(Batch<T>&)>;

/// Rows that are read anew in each pass. They are shuffled in a buffer of so many: each row that is handed out is drawn
/// from those in it, and the next one that is read takes its place. Where all fit into it, the order is that of
/// `DatasetBatches`. Holds the buffer and what was read last, and no more.
///
/// `next` throws `std::runtime_error` where a pass has more or fewer rows than `facts` says, `std::invalid_argument`
/// where theirs are not its columns, labels or targets, and what `open` and its reader throw. `std::invalid_argument`
/// for a buffer without rows, too.
template <class T>
class StreamedBatches : public BatchSource<T> {
  public:
    /// `open` begins a pass.
    StreamedBatches(RowFacts facts, std::string checksum, std::function<ReadRows<T>()> open, std::size_t buffer);
    RowFacts facts() const override { return facts_; }
    std::string checksum() const override { return checksum_; }
    void begin(std::size_t batch, std::mt19937_64* engine) override;
    bool next(Batch<T>& batch) override;

  private:
    void take(Batch<T>& to, std::size_t row);

    RowFacts facts_;
    std::string checksum_;
    std::function<ReadRows<T>()> open_;
    std::size_t most_;  // rows in the buffer
    ReadRows<T> read_;
    Batch<T> block_, buffer_;              // what was read last; what is shuffled
    std::vector<std::size_t> order_ = {};  // of the buffer's last rows
    std::mt19937_64 engine_{};
    bool is_shuffled_ = false;
    std::size_t batch_ = 0, in_block_ = 0, held_ = 0, taken_ = 0, handed_ = 0;
};

/// The rows of files, as they stand there: read from the beginning as often as they are wanted, in blocks of some MiB.
class RowStream {
  public:
    RowStream(const RowStream&) = default;  // a move is a copy, so that what was moved from is no empty handle
    RowStream& operator=(const RowStream&) = default;

    /// A table, read once to decide what `read_table` decides. Throws as that does; where the file is none that can be
    /// read again, as a pipe; and where there are more than 65536 classes. More different numbers than that are no
    /// classes, unless the task says so.
    static RowStream of_table(const std::string& path, const TableOptions& options = {});

    /// Images and labels, as `read_idx` has them; the labels are read once.
    static RowStream of_idx(const std::string& images, const std::string& labels);

    /// All that there is to know, without the rows.
    const Dataset<double>& outline() const;
    RowFacts facts() const;

    /// Begins a pass. It throws `autograd::FileError` where the files are no longer those that were read first.
    ReadRows<double> open() const;

    /// Of names and numbers, known after the first whole pass; before that it makes one.
    std::string checksum() const;

  private:
    struct State;
    explicit RowStream(std::shared_ptr<State> state) : state_(std::move(state)) {}
    friend struct RowStreams;
    std::shared_ptr<State> state_;
};

}  // namespace nn
