#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <filesystem>
#include <nn/csv.hpp>
#include <nn/files/input.hpp>
#include <nn/files/text.hpp>
#include <stdexcept>

#include "training_data.hpp"

using nn::files::printable;

namespace {

/// The digits beside the program where it is installed, or in the source tree.
std::string digits() {
    const auto program = std::filesystem::canonical("/proc/self/exe").parent_path();
    const auto installed = program / DELTARULE_INSTALLED_DATA_DIR / "digits.csv.gz";
    return std::filesystem::exists(installed) ? installed.string() : DELTARULE_DATA_DIR "/digits.csv.gz";
}

std::string plain_or_packed(const std::string& folder, const std::string& name) {
    const auto plain = std::filesystem::path(folder) / name;
    return std::filesystem::exists(plain) ? plain.string() : plain.string() + ".gz";
}

/// Of the images in an IDX file: the header has four bytes each for their count and for what is behind it, height and
/// width, or channels before these where there are several.
autograd::Shape shape_of_a_row(const std::string& path) {
    nn::files::Input file(path);
    const std::string magic = file.read(4);
    const std::string lengths = file.read(magic.size() < 4 ? 0 : 4 * std::size_t{static_cast<unsigned char>(magic[3])});
    autograd::Shape shape;
    for (std::size_t axis = 1; 4 * (axis + 1) <= lengths.size(); ++axis) {
        std::size_t length = 0;
        for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(lengths[4 * axis + i]);
        shape.push_back(length);
    }
    if (shape.size() == 3 && shape[0] == 1) shape.erase(shape.begin());
    return shape;
}

std::invalid_argument only_one_class(const std::string& path, const std::string& name) {
    return std::invalid_argument(
        fmt::format("[train] {}: there is only one class, '{}'", printable(path), printable(name)));
}

/// Throws where there is only one class, or only one number.
void require_different(const nn::Dataset<double>& data, const std::string& path) {
    if (data.is_regression()) {
        for (std::size_t j = 0; j < data.target_names.size(); ++j) {
            bool same = true;
            for (std::size_t i = 0; i < data.size(); ++i) same = same && data.targets(i, j) == data.targets(0, j);
            if (same)
                throw std::invalid_argument(fmt::format("[train] {}: the target, column '{}', is always {}",
                                                        printable(path), printable(data.target_names[j]),
                                                        data.targets(0, j)));
        }
        return;
    }
    const auto first = data.labels(0);
    if (std::all_of(data.labels.begin(), data.labels.end(), [&](auto label) { return label == first; }))
        throw only_one_class(path, data.class_names[static_cast<std::size_t>(first)]);
}

/// What was decided about a table, in two lines.
std::string described(const nn::Dataset<double>& data, nn::Task task) {
    const bool names = !data.column_names.empty(), detected = task == nn::Task::detect;
    std::vector<std::string> targets = data.is_regression() ? data.target_names : std::vector{data.label_name};
    for (std::string& name : targets) name = printable(name);
    const auto all = fmt::format("{}", fmt::join(targets, ", "));
    std::vector<std::string> columns, words;
    for (const nn::Column& column : data.columns) {
        columns.push_back(column.name);
        if (!column.categories.empty())
            words.push_back(fmt::format("{} ({} categories)",
                                        names ? column.name : std::to_string(&column - data.columns.data()),
                                        column.categories.size()));
    }
    std::string text =
        names ? fmt::format("header: {}, {}; ", printable(fmt::format("{}", fmt::join(columns, ", "))), all)
              : "no header; ";
    const char* what = data.is_regression() ? "target" : "class";
    if (targets.size() > 1)
        text += names ? "the targets are the last of these\n" : fmt::format("the targets are in columns {}\n", all);
    else
        text += fmt::format("the {} is in {}\n", what, names ? "'" + all + "'" : "column " + all);
    if (!data.is_regression()) {
        text += fmt::format("{} {} in {}{}", data.classes(), data.classes() == 1 ? "class" : "classes",
                            names ? "" : "column ", all);
        if (detected &&
            std::ranges::all_of(data.class_names, [](const auto& name) { return nn::csv_number(name).has_value(); }))
            text += " (--task regression learns their numbers)";
    } else if (targets.size() > 1) {
        text += fmt::format("{} targets: {}", targets.size(), all);
    } else {
        text += fmt::format("regression of {}{}", names ? "" : "column ", all);
        if (detected) text += " (--task classification takes each number for a class)";
    }
    if (!words.empty())
        text += fmt::format("\ncolumns of words: {}", printable(fmt::format("{}", fmt::join(words, ", "))));
    return text + "\n";
}

}  // namespace

void say(const TrainOptions& options, const std::string& text) {
    if (!options.quiet && !options.json) fmt::print("{}", text);
}

std::vector<std::string> inputs(const TrainOptions& options) {
    if (options.idx.empty()) return {options.csv.empty() ? digits() : options.csv};
    std::vector<std::string> files;
    for (const char* part : {"train", "t10k"})
        for (const char* kind : {"-images-idx3-ubyte", "-labels-idx1-ubyte"})
            files.push_back(plain_or_packed(options.idx, std::string(part) + kind));
    return files;
}

autograd::Shape picture_shape(const TrainOptions& options) {
    if (!options.csv.empty()) return {};
    if (options.idx.empty()) return {1, 8, 8};
    const autograd::Shape row = shape_of_a_row(inputs(options)[0]);
    if (row.size() == 2) return {1, row[0], row[1]};
    return row.size() == 3 ? row : autograd::Shape();
}

namespace {

nn::TableOptions table_options(const TrainOptions& options) {
    const auto labels = options.labels.empty() ? std::vector<std::string>{""} : options.labels;
    return {labels, options.header, options.task, options.drop, options.missing};
}

void describe(const TrainOptions& options, const nn::Dataset<double>& data) {
    if (!options.csv.empty()) say(options, described(data, options.task));
    if (data.dropped > 0)
        say(options, fmt::format("{} with a missing cell {} left out\n",
                                 data.dropped == 1 ? "1 row" : fmt::format("{} rows", data.dropped),
                                 data.dropped == 1 ? "is" : "are"));
}

void require_fitting_test(const TrainOptions& options, const nn::RowFacts& training, const nn::RowFacts& test) {
    const auto files = inputs(options);
    if (training.columns != test.columns || test.classes > training.classes ||
        shape_of_a_row(files[0]) != shape_of_a_row(files[2]))
        throw autograd::FileError(
            fmt::format("{}: the test set's images or classes are not those of the training set", options.idx));
}

/// The same bits in another order (Steele, Lea and Flood's SplitMix64).
std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/// The rows of a block whose place is among these.
nn::Batch<double> chosen(const nn::Batch<double>& block, const std::vector<std::size_t>& rows, bool is_regression) {
    nn::Batch<double> part;
    const auto copy = [&](const autograd::Array<double>& from, autograd::Array<double>& to) {
        const std::size_t columns = from.shape()[1];
        to.resize({rows.size(), columns});
        for (std::size_t i = 0; i < rows.size(); ++i)
            std::copy_n(from.data() + rows[i] * columns, columns, to.data() + i * columns);
    };
    copy(block.x, part.x);
    if (is_regression) {
        copy(block.targets, part.targets);
    } else {
        part.labels.resize({rows.size()});
        for (std::size_t i = 0; i < rows.size(); ++i) part.labels(i) = block.labels(rows[i]);
    }
    return part;
}

nn::RowStream stream_of(const TrainOptions& options) {
    const auto files = inputs(options);
    if (options.idx.empty()) return nn::RowStream::of_table(files[0], table_options(options));
    return nn::RowStream::of_idx(files[0], files[1]);
}

std::optional<nn::RowStream> test_stream_of(const TrainOptions& options) {
    if (options.idx.empty()) return {};
    const auto files = inputs(options);
    return nn::RowStream::of_idx(files[2], files[3]);
}

}  // namespace

std::pair<nn::Dataset<double>, std::optional<nn::Dataset<double>>> read(const TrainOptions& options) {
    const std::vector<std::string> files = inputs(options);
    if (options.idx.empty()) {
        auto data = nn::read_table(files[0], table_options(options));
        describe(options, data);
        require_different(data, files[0]);
        return {std::move(data), std::nullopt};
    }
    auto training = nn::read_idx<double>(files[0], files[1]), test = nn::read_idx<double>(files[2], files[3]);
    require_different(training, files[1]);
    require_fitting_test(options, nn::DatasetBatches(training).facts(), nn::DatasetBatches(test).facts());
    return {std::move(training), std::move(test)};
}

void KnownRows::add(const nn::Batch<double>& rows) {
    features.add(rows.x);
    if (outline.is_regression()) {
        targets.add(rows.targets);
        return;
    }
    of_class.resize(outline.classes());
    for (const auto label : rows.labels) ++of_class[static_cast<std::size_t>(label)];
}

nn::ReadRows<double> read_rows(const nn::Dataset<double>& data) {
    nn::DatasetBatches<double> rows(data);
    rows.begin(1024, nullptr);
    return [rows](nn::Batch<double>& block) mutable { return rows.next(block); };
}

KnownRows known(const nn::Dataset<double>& rows) {
    KnownRows known;
    known.outline = nn::rows_of(rows, {});
    nn::Batch<double> block;
    for (const nn::ReadRows<double> read = read_rows(rows); read(block);) known.add(block);
    return known;
}

StreamedRows::StreamedRows(const TrainOptions& options)
    : options_(options), rows_(stream_of(options)), test_(test_stream_of(options)) {
    const nn::RowFacts facts = rows_.facts();
    known_.outline = rows_.outline();
    describe(options, known_.outline);
    if (test_) require_fitting_test(options, facts, test_->facts());
    const double share = static_cast<double>(std::min(facts.rows, options.shuffle_buffer)) *
                         static_cast<double>(facts.columns + facts.targets + 1) * sizeof(float);
    if (share > static_cast<double>(nn::files::memory()) / 4)
        throw std::invalid_argument(
            fmt::format("[train] a --shuffle-buffer of {} rows needs {:.0f} MiB, more than a quarter of the memory "
                        "that there is: choose a smaller one",
                        options.shuffle_buffer, share / (1 << 20)));
    std::vector<bool> classes(facts.classes);
    nn::Batch<double> block;
    std::size_t row = 0;
    for (const nn::ReadRows<double> read = rows_.open(); read(block);) {
        std::vector<std::size_t> training, others;
        for (std::size_t i = 0; i < block.x.shape()[0]; ++i, ++row) {
            if (facts.classes > 0) classes[static_cast<std::size_t>(block.labels(i))] = true;
            const Part part = part_of(row);
            ++counts_[static_cast<std::size_t>(part)];
            (part == Part::training ? training : others).push_back(i);
        }
        known_.add(chosen(block, training, facts.is_regression()));
        held_out_.add(chosen(block, others, facts.is_regression()).x);
    }
    // What is wrong with files of their own is said before the training, too.
    if (test_)
        for (const nn::ReadRows<double> read = test_->open(); read(block);) held_out_.add(block.x);
    if (facts.classes > 0 && std::ranges::count(classes, true) == 1)
        throw only_one_class(
            inputs(options)[options.idx.empty() ? 0 : 1],
            known_.outline.class_names[static_cast<std::size_t>(std::ranges::find(classes, true) - classes.begin())]);
    const auto require_rows = [&](double wanted, Part part) {
        if (!(wanted > 0 && wanted < 1) || count(part) == 0 || count(Part::training) == 0)
            throw std::invalid_argument(
                fmt::format("[split] a share of {} of {} rows leaves one side empty", wanted, facts.rows));
    };
    if (test_)
        counts_[static_cast<std::size_t>(Part::test)] = test_->facts().rows;
    else
        require_rows(options.holdout, Part::test);
    if (options.validation > 0) require_rows(options.validation, Part::validation);
}

Part StreamedRows::part_of(std::size_t row) const {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    const std::uint64_t bits = mixed(mixed(options_.seed + golden) + (row + 1) * golden);
    const double drawn = static_cast<double>(bits >> 11) * 0x1p-53, test = test_ ? 0 : options_.holdout;
    if (drawn < test) return Part::test;
    return drawn < test + (1 - test) * options_.validation ? Part::validation : Part::training;
}

std::function<nn::ReadRows<double>()> StreamedRows::open(Part part) const {
    if (part == Part::test && test_) return [this] { return test_->open(); };
    return [this, part]() -> nn::ReadRows<double> {
        return [this, part, read = rows_.open(), row = std::size_t{0}](nn::Batch<double>& rows) mutable {
            nn::Batch<double> block;
            if (!read(block)) return false;
            std::vector<std::size_t> wanted;
            for (std::size_t i = 0; i < block.x.shape()[0]; ++i)
                if (part_of(row++) == part) wanted.push_back(i);
            rows = chosen(block, wanted, known_.outline.is_regression());
            return true;
        };
    };
}

std::string StreamedRows::checksum() const { return rows_.checksum(); }
