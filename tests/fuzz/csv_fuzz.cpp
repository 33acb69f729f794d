// Tables: what is read from one and written as the program writes is read again to the same.
#include <fmt/format.h>

#include <cmath>
#include <nn/batches.hpp>
#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/files/text.hpp>
#include <optional>

#include "fuzz.hpp"

namespace {

struct Table {
    bool header = false, label = false, plain = true;
    std::vector<std::string> columns;
    std::string label_name;
    std::vector<std::vector<double>> rows;
    std::vector<std::string> classes;
};

Table read(const std::string& path, const nn::CsvOptions& options) {
    nn::CsvReader reader(path, options);
    Table table;
    table.header = reader.has_header();
    table.label = options.label.has_value();
    table.columns = reader.columns();
    table.label_name = reader.label();
    std::vector<double> row;
    std::string name;
    std::size_t line = 0;
    while (reader.next(row, name)) {
        fuzz::require(row.size() == table.columns.size(), "each row has a number for each column");
        for (const double x : row) fuzz::require(std::isfinite(x), "numbers are finite");
        fuzz::require(reader.line() > line, "rows stand below each other");
        line = reader.line();
        table.rows.push_back(row);
        if (table.label) table.classes.push_back(name);
        table.plain = table.plain && nn::files::is_plain(name);
    }
    for (const std::string& column : table.columns) table.plain = table.plain && nn::files::is_plain(column);
    table.plain = table.plain && nn::files::is_plain(table.label_name);
    return table;
}

std::string written(const Table& table) {
    std::string text;
    const auto add_line = [&](const auto& fields, const std::string& label) {
        for (std::size_t i = 0; i < fields.size(); ++i) text += (i == 0 ? "" : ",") + fields[i];
        if (table.label) text.append(",").append(nn::csv_field(label));
        text += '\n';
    };
    std::vector<std::string> fields;
    if (table.header) {
        for (const std::string& column : table.columns) fields.push_back(nn::csv_field(column));
        add_line(fields, table.label_name);
    }
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        fields.clear();
        for (const double x : table.rows[i]) fields.push_back(fmt::format("{}", x));
        add_line(fields, table.label ? table.classes[i] : "");
    }
    return text;
}

void holds(const std::string& path, const nn::CsvOptions& options) {
    Table first;
    if (!fuzz::accepts([&] { first = read(path, options); })) return;
    if (!first.plain || first.rows.empty() || first.columns.empty()) return;
    const fuzz::MemoryFile again(written(first));
    nn::CsvOptions known;
    known.header = first.header ? nn::Header::yes : nn::Header::no;
    if (first.label) known.label = "";
    Table second;
    fuzz::require(fuzz::accepts([&] { second = read(again.path(), known); }), "what was written is read");
    fuzz::require(second.rows == first.rows, "numbers come back");
    fuzz::require(second.classes == first.classes, "classes come back");
    if (first.header)
        fuzz::require(second.columns == first.columns && second.label_name == first.label_name, "names come back");
}

void holds_whole(const std::string& path, const std::string& label, nn::Header header) {
    nn::Dataset<double> data;
    if (!fuzz::accepts([&] { data = nn::read_csv<double>(path, label, header); })) return;
    fuzz::require(data.size() > 0 && data.features.shape()[0] == data.size(), "there are rows, each with a class");
    std::vector<bool> seen(data.classes());
    for (const std::int64_t one : data.labels) {
        fuzz::require(one >= 0 && one < static_cast<std::int64_t>(data.classes()), "each row has a class");
        seen[static_cast<std::size_t>(one)] = true;
    }
    for (const bool one : seen) fuzz::require(one, "each class has a row");
}

/// Read in blocks, a table is the one that is read whole, or is refused as that is.
void holds_in_blocks(const std::string& path, const nn::TableOptions& options) {
    nn::Dataset<double> whole;
    std::optional<nn::RowStream> stream;
    const bool good = fuzz::accepts([&] { whole = nn::read_table(path, options); });
    fuzz::require(fuzz::accepts([&] { stream = nn::RowStream::of_table(path, options); }) == good,
                  "both are read, or both are refused");
    if (!good) return;
    const nn::Dataset<double>& about = stream->outline();
    fuzz::require(about.columns == whole.columns && about.class_names == whole.class_names &&
                      about.target_names == whole.target_names && about.dropped == whole.dropped,
                  "columns and classes are the same");
    const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
    std::size_t row = 0;
    nn::Batch<double> block;
    for (const auto read = stream->open(); read(block);)
        for (std::size_t i = 0; i < block.x.shape()[0]; ++i, ++row) {
            for (std::size_t j = 0; j < block.x.shape()[1]; ++j)
                fuzz::require(same(block.x(i, j), whole.features(row, j)), "the numbers are the same");
            if (whole.is_regression())
                for (std::size_t j = 0; j < whole.target_names.size(); ++j)
                    fuzz::require(block.targets(i, j) == whole.targets(row, j), "the targets are the same");
            else
                fuzz::require(block.labels(i) == whole.labels(row), "the classes are the same");
        }
    fuzz::require(row == whole.size(), "all rows come");
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const fuzz::MemoryFile file(fuzz::text_of(data, size));
    for (const nn::Header header : {nn::Header::detect, nn::Header::yes, nn::Header::no}) {
        holds(file.path(), {{}, header, {}});
        holds(file.path(), {"", header, {}});
        holds_whole(file.path(), "", header);
    }
    holds_in_blocks(file.path(), {});
    holds_in_blocks(file.path(), {.header = nn::Header::no, .missing = nn::Missing::mean});
    holds_in_blocks(file.path(), {.labels = {"0,1"}, .missing = nn::Missing::drop});
    holds(file.path(), {"1", nn::Header::detect, {}});
    holds(file.path(), {"species", nn::Header::detect, {"petal_width", "sepal_length"}});
    return 0;
}
