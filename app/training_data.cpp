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
        throw std::invalid_argument(fmt::format("[train] {}: there is only one class, '{}'", printable(path),
                                                printable(data.class_names[static_cast<std::size_t>(first)])));
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
        text += fmt::format("{} classes in {}{}", data.classes(), names ? "" : "column ", all);
        if (detected && nn::csv_number(data.class_names[0])) text += " (--task regression learns their numbers)";
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
    // The header has four bytes each for the count and what is behind it: height and width, or channels before these.
    const std::string header = nn::files::Input(inputs(options)[0]).read(20);
    const std::size_t axes = header.size() < 4 ? 0 : static_cast<unsigned char>(header[3]);
    if ((axes != 3 && axes != 4) || header.size() < 4 * (axes + 1)) return {};
    const auto length = [&](std::size_t at) {
        std::size_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(header[at + i]);
        return value;
    };
    if (axes == 3) return {1, length(8), length(12)};
    return {length(8), length(12), length(16)};
}

std::pair<nn::Dataset<double>, std::optional<nn::Dataset<double>>> read(const TrainOptions& options) {
    const std::vector<std::string> files = inputs(options);
    if (options.idx.empty()) {
        const auto labels = options.labels.empty() ? std::vector<std::string>{""} : options.labels;
        auto data = nn::read_table(files[0], {labels, options.header, options.task, options.drop, options.missing});
        if (!options.csv.empty()) say(options, described(data, options.task));
        if (data.dropped > 0) say(options, fmt::format("{} rows with a missing cell are left out\n", data.dropped));
        require_different(data, files[0]);
        return {std::move(data), std::nullopt};
    }
    auto training = nn::read_idx<double>(files[0], files[1]), test = nn::read_idx<double>(files[2], files[3]);
    require_different(training, files[1]);
    if (training.features.shape()[1] != test.features.shape()[1] || test.classes() > training.classes())
        throw autograd::FileError(
            fmt::format("{}: the test set's images or classes are not those of the training set", options.idx));
    return {std::move(training), std::move(test)};
}
