#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <nn/files/contents.hpp>
#include <nn/files/text.hpp>
#include <nn/summary.hpp>
#include <sstream>

#include "commands.hpp"
#include "saved_network.hpp"

namespace {

using nlohmann::json;
using nn::files::printable;

constexpr std::size_t most_shown = 20;  // of a list; --json shows all

std::string format_of(const nn::files::Contents& contents) {
    return contents.format == nn::files::Format::npz   ? "NumPy's .npz"
           : contents.format == nn::files::Format::npy ? "NumPy's .npy"
                                                       : "safetensors";
}

std::string counted(std::size_t n, const std::string& what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::size_t parameters_of(const nn::files::Contents& contents) {
    std::size_t parameters = 0;
    for (const auto& entry : contents.entries) {
        std::size_t n = 1;
        for (const std::size_t extent : entry.shape) n *= extent;
        parameters += n;
    }
    return parameters;
}

/// The first names of a list, and how many more there are.
std::string shown(const std::vector<std::string>& names) {
    std::vector<std::string> first;
    for (std::size_t i = 0; i < names.size() && i < most_shown; ++i) first.push_back(printable(names[i]));
    std::string text = fmt::format("{}", fmt::join(first, ", "));
    if (names.size() > most_shown) text += fmt::format(" and {} more", names.size() - most_shown);
    return text;
}

std::string arrays(const nn::files::Contents& contents) {
    std::string text;
    for (const auto& entry : contents.entries)
        text +=
            fmt::format("  {} {} {}\n", printable(entry.name), autograd::to_string(entry.shape), printable(entry.type));
    return text;
}

std::string columns(const Model& model) {
    std::string text;
    std::size_t at = 0;
    for (std::size_t j = 0; j < model.columns.size() && j < most_shown; at += model.columns[j++].width()) {
        const nn::Column& column = model.columns[j];
        text += fmt::format("  {}: ", column.name.empty() ? std::to_string(j) : printable(column.name));
        if (column.categories.empty()) {
            text += model.scaling.factor[at] == 0
                        ? "0, as it never changed in the training"
                        : fmt::format("(x - {}) * {}", model.scaling.offset[at], model.scaling.factor[at]);
            if (!model.fill.empty()) text += fmt::format("; {} where it is missing", model.fill[at]);
        } else {
            text += fmt::format("{}: {}", column.width() == 1 ? "1 word" : counted(column.width(), "word"),
                                shown(column.categories));
            if (!model.fill.empty()) text += "; the mean where it is missing";
        }
        text += '\n';
    }
    if (model.columns.size() > most_shown) text += fmt::format("  and {} more\n", model.columns.size() - most_shown);
    return text;
}

/// What the network makes of one example.
nn::Summary summary_of(const Model& model) {
    autograd::Shape one{1};
    one.insert(one.end(), model.network.input().begin(), model.network.input().end());
    return nn::summary(model.network.sequential(), autograd::Array<float>(one, 0));
}

std::string described(const Model& model, const nn::files::Contents& contents) {
    const auto format = contents.metadata.find("format");
    std::string text =
        fmt::format("{}, {}\n", format_of(contents),
                    format == contents.metadata.end() ? "from before format 1" : "format " + format->second);
    const std::string in = model.column_names().empty() ? "in column" : "in";
    if (!model.is_regression())
        text += fmt::format("{} classes{}: {}\n", model.class_names.size(),
                            model.target_name.empty() ? "" : fmt::format(" {} {}", in, printable(model.target_name)),
                            shown(model.class_names));
    else
        text += fmt::format("regression of {}\n", shown(model.target_names));
    text += fmt::format("{}, which give {}:\n{}", counted(model.columns.size(), "column"),
                        counted(model.scaling.offset.size(), "number"), columns(model));
    std::ostringstream layers;
    layers << summary_of(model);
    text += fmt::format("{}: {}\n{}{}:\n{}", counted(model.network.layers().size(), "layer"), model.network.line(),
                        layers.str(), counted(contents.entries.size(), "array"), arrays(contents));
    return text;
}

}  // namespace

int info(const InfoOptions& options) {
    const nn::files::Contents contents(options.model);
    // Without widths or layers it is no network of ours, but arrays that may be one; with them it must be whole.
    const bool is_model = contents.metadata.contains("widths") || contents.metadata.contains("layers");
    std::optional<Model> model;
    if (is_model) model.emplace(load(options.model));
    std::size_t bytes = 0;
    for (const auto& entry : contents.entries) bytes += entry.bytes.size();
    if (!options.json) {
        if (model)
            fmt::print("{}", described(*model, contents));
        else
            fmt::print("{}; its metadata do not describe a network for predict\n{}:\n{}", format_of(contents),
                       counted(contents.entries.size(), "array"), arrays(contents));
        for (const auto& [name, text] : contents.metadata)
            if (!model) fmt::print("{} = {}\n", printable(name), printable(text));
        fmt::print("{} in {}\n", counted(parameters_of(contents), "number"), counted(bytes, "byte"));
        return 0;
    }
    json report;
    report["container"] = contents.format == nn::files::Format::npz   ? "npz"
                          : contents.format == nn::files::Format::npy ? "npy"
                                                                      : "safetensors";
    if (model) {
        const nn::Metadata metadata = metadata_of(*model);
        report["format"] = contents.metadata.contains("format") ? json::parse(contents.metadata.at("format")) : json();
        report["task"] = model->is_regression() ? "regression" : "classification";
        report["target"] = json::parse(metadata.at("target"));
        report["columns"] = json::parse(metadata.at("features"));
        if (const auto widths = model->network.widths()) {
            report["widths"] = *widths;
            report["activation"] = metadata.at("activation");
        }
        report["input"] = model->network.input();
        for (const nn::SummaryRow& row : summary_of(*model).rows) {
            const DescribedLayer& layer = model->network.layers()[report["layers"].size()];
            report["layers"].push_back({{"layer", layer.text},
                                        {"shape", layer.out},
                                        {"parameters", row.parameters},
                                        {"buffers", row.buffers},
                                        {"multiply_adds", row.multiply_adds}});
        }
    } else {
        report["metadata"] = contents.metadata;
    }
    report["arrays"] = json::array();
    for (const auto& entry : contents.entries)
        report["arrays"].push_back({{"name", entry.name},
                                    {"shape", std::vector<std::size_t>(entry.shape.begin(), entry.shape.end())},
                                    {"type", entry.type}});
    report["parameters"] = parameters_of(contents);
    report["bytes"] = bytes;
    fmt::print("{}\n", report.dump(2, ' ', false, json::error_handler_t::replace));
    return 0;
}
