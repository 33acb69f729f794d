// What tables and images have in common where they are read in blocks.
#pragma once

#include <functional>
#include <nn/batches.hpp>
#include <nn/files/input.hpp>
#include <optional>
#include <string>

namespace nn {

struct RowStream::State {
    Dataset<double> outline;
    RowFacts facts;
    files::SteadyFiles files;
    std::function<ReadRows<double>()> open;
    std::optional<std::uint32_t> checksum = {};  // of the numbers, after the first whole pass
};

struct RowStreams {
    static RowStream make(RowStream::State state) {
        return RowStream(std::make_shared<RowStream::State>(std::move(state)));
    }
};

/// How many rows of so many numbers are read at once: 8 MiB of them, but no more than serve.
std::size_t rows_at_once(std::size_t columns);

/// Arrays of so many rows.
template <class T>
void resize(Batch<T>& batch, std::size_t rows, const RowFacts& facts);

}  // namespace nn
