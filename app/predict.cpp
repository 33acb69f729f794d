#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <cmath>
#include <nn/csv.hpp>
#include <nn/files/text.hpp>
#include <stdexcept>

#include "commands.hpp"
#include "saved_network.hpp"

namespace {

using autograd::FileError;
using nn::files::printable;

constexpr std::size_t block = 1024;  // rows at a time, so that a table of any length fits

/// The next rows, (n, columns); none at the end.
autograd::Array<double> next_rows(nn::CsvReader& table) {
    std::vector<double> numbers, row;
    std::string label;
    std::size_t n = 0;
    for (; n < block && table.next(row, label); ++n) numbers.insert(numbers.end(), row.begin(), row.end());
    auto rows = autograd::Array<double>::from_shape({n, table.columns().size()});
    std::ranges::copy(numbers, rows.data());
    return rows;
}

}  // namespace

int predict(const PredictOptions& options) {
    const Model model = load(options.model);
    const auto label = options.label.empty() ? std::nullopt : std::optional(options.label);
    nn::CsvReader table(options.csv, {label, options.header, model.column_names});
    if (table.columns().size() != model.scaling.offset.size())
        throw FileError(fmt::format("{}: {} columns of numbers, but the network takes {} (--label leaves one out)",
                                    printable(options.csv), table.columns().size(), model.scaling.offset.size()));
    std::vector<std::string> class_fields;
    for (const std::string& name : model.class_names) class_fields.push_back(nn::csv_field(name));
    autograd::Tape<float> tape;
    const auto pause = tape.pause();
    std::size_t rows = 0;
    for (;;) {
        const autograd::Array<double> features = next_rows(table);
        const std::size_t n = features.shape()[0], classes = class_fields.size();
        if (n == 0) break;
        std::string lines = rows == 0 ? "class,probability\n" : "";
        tape.rewind();
        const auto probabilities = softmax(model.network(tape.constant(model.scaling(features))), -1);
        for (std::size_t row = 0; row < n; ++row) {
            const float* p = probabilities.value().data() + row * classes;
            const auto best = std::max_element(p, p + classes);
            if (!std::all_of(p, p + classes, [](float x) { return std::isfinite(x); }))
                throw std::runtime_error(fmt::format("{}: the network has no finite answer for row {}",
                                                     printable(options.csv), rows + row + 1));
            lines += fmt::format("{},{:.6f}\n", class_fields[static_cast<std::size_t>(best - p)], *best);
        }
        fmt::print("{}", lines);
        rows += n;
    }
    if (rows == 0) throw FileError(fmt::format("{}: there are no rows of data", printable(options.csv)));
    flush_output();
    fmt::print(stderr, "{} rows; {}\n", rows,
               table.has_header()
                   ? fmt::format("header: {}", printable(fmt::format("{}", fmt::join(table.columns(), ", "))))
                   : "no header");
    return 0;
}
