#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <nlohmann/json.hpp>
#include <nn/data.hpp>
#include <nn/mlp.hpp>
#include <nn/safetensors.hpp>

#include "commands.hpp"

namespace {

using autograd::FileError;
using nlohmann::json;

struct Model {
    nn::Mlp<float> network;
    std::vector<std::string> class_names;
};

/// Builds the network that the metadata describes, once the arrays are seen to be those of such a network.
Model load(const std::string& path) {
    const auto [arrays, metadata] = nn::read_safetensors<float>(path);
    std::vector<std::size_t> widths;
    std::vector<std::string> names;
    nn::ActivationKind activation{};
    try {
        widths = json::parse(metadata.at(widths_key)).get<std::vector<std::size_t>>();
        names = json::parse(metadata.at(classes_key)).get<std::vector<std::string>>();
        activation = nn::activation_from_name(metadata.at(activation_key));
    } catch (const std::exception&) {
        throw FileError(fmt::format("{}: the metadata do not describe a network", path));
    }
    const bool plausible =
        widths.size() >= 2 && arrays.size() == 2 * (widths.size() - 1) && names.size() == widths.back();
    for (std::size_t i = 0; plausible && i + 1 < widths.size(); ++i) {
        const auto weight = arrays.find(fmt::format("{}.weight", 2 * i));
        if (weight == arrays.end() || weight->second.shape() != autograd::Shape{widths[i + 1], widths[i]} ||
            weight->second.size() == 0)
            throw FileError(
                fmt::format("{}: layer {} does not have the widths {} and {}", path, i, widths[i], widths[i + 1]));
    }
    if (!plausible) throw FileError(fmt::format("{}: the arrays are not those of the network in the metadata", path));
    std::mt19937_64 engine;
    Model model{nn::Mlp<float>(widths, activation, engine), names};
    nn::load(path, model.network.parameters());
    return model;
}

}  // namespace

void predict(const PredictOptions& options) {
    const Model model = load(options.model);
    const auto features = nn::read_csv_features<float>(options.csv, options.label);
    if (features.shape()[1] != model.network.widths().front())
        throw FileError(fmt::format("{}: {} columns of numbers, but the network takes {} (--label leaves one out)",
                                    options.csv, features.shape()[1], model.network.widths().front()));
    autograd::Tape<float> tape;
    const auto pause = tape.pause();
    const auto probabilities = softmax(model.network(tape.constant(features)), -1);
    const std::size_t classes = model.class_names.size();
    std::string lines = "class,probability\n";
    for (std::size_t row = 0; row < features.shape()[0]; ++row) {
        const float* p = probabilities.value().data() + row * classes;
        const auto best = std::max_element(p, p + classes);
        lines += fmt::format("{},{:.6f}\n", model.class_names[static_cast<std::size_t>(best - p)], *best);
    }
    fmt::print("{}", lines);
}
