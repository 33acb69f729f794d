#include "onnx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <onnx_export/onnx_layers.hpp>

namespace {

using onnx_export::Element;
using onnx_export::Graph;
using onnx_export::Lengths;

/// The numbers that go into the network, in the order in which the graph makes them: first the columns of numbers, then
/// those of words. What the training never had is left out: its number is always 0.
struct Inputs {
    std::vector<std::string> parts;    // what is to be concatenated
    std::vector<std::size_t> numbers;  // of the network
};

Inputs inputs_of(Graph& graph, const Model& model) {
    const bool fills = !model.fill.empty();
    Inputs inputs;
    std::vector<double> fill;
    std::size_t at = 0;
    for (const nn::Column& column : model.columns) {
        if (column.categories.empty()) {
            inputs.numbers.push_back(at);
            if (fills) fill.push_back(model.fill[at]);
        }
        at += column.width();
    }
    if (const auto n = static_cast<std::int64_t>(inputs.numbers.size()); n > 0) {
        std::string numbers = graph.input("numbers", Element::float64, {n});
        if (fills)
            numbers =
                graph.node("Where", {graph.node("IsNaN", {numbers}), graph.constant("missing", fill, {n}), numbers});
        inputs.parts.push_back(numbers);
    }
    at = 0;
    for (std::size_t j = 0; j < model.columns.size(); at += model.columns[j++].width()) {
        const auto& categories = model.columns[j].categories;
        if (categories.empty()) continue;
        std::vector<std::string> words;
        std::vector<double> means;
        for (std::size_t k = 0; k < categories.size(); ++k) {
            if (model.scaling.offset[at + k] == 0 && model.scaling.factor[at + k] == 0) continue;
            words.push_back(categories[k]);
            inputs.numbers.push_back(at + k);
            if (fills) means.push_back(model.fill[at + k]);
        }
        const std::string column = graph.input(fmt::format("words_{}", j), Element::string, {});
        const std::size_t n = words.size();
        if (fills) words.push_back("");
        std::string encoded =
            graph.node("OneHotEncoder", {column}, {{"cats_strings", words}, {"zeros", 0}}, "ai.onnx.ml");
        encoded = graph.cast(encoded, Element::float64);
        if (fills) {  // the last number says that the cell is missing, and the means are in its row
            std::vector<double> rows((n + 1) * n, 0.0);
            for (std::size_t k = 0; k < n; ++k) rows[k * n + k] = 1;
            std::ranges::copy(means, rows.begin() + static_cast<std::ptrdiff_t>(n * n));
            const auto size = static_cast<std::int64_t>(n);
            encoded =
                graph.node("MatMul", {encoded, graph.constant(fmt::format("missing_{}", j), rows, {size + 1, size})});
        }
        inputs.parts.push_back(encoded);
    }
    return inputs;
}

/// The numbers in the network's order, those that the graph leaves out as 0.
std::string in_order(Graph& graph, const std::string& x, const std::vector<std::size_t>& numbers, std::size_t count) {
    if (numbers.size() == count && std::ranges::is_sorted(numbers)) return x;
    std::vector<std::int64_t> at(count, 0);
    std::vector<float> there(count, 0);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        at[numbers[i]] = static_cast<std::int64_t>(i);
        there[numbers[i]] = 1;
    }
    const auto size = static_cast<std::int64_t>(count);
    const std::string gathered = graph.node("Gather", {x, graph.constant("order", at, {size})}, {{"axis", 1}});
    return graph.node("Mul", {gathered, graph.constant("there", there, {size})});
}

/// As many rows as there are, each of this shape.
std::string reshaped(Graph& graph, const std::string& x, const autograd::Shape& shape) {
    Lengths to{0};
    to.insert(to.end(), shape.begin(), shape.end());
    return graph.node("Reshape", {x, graph.integers(to)});
}

std::string applied(Graph& graph, const Network& network, std::string x) {
    if (network.input().size() != 1) x = reshaped(graph, x, network.input());
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
        const DescribedLayer& layer = network.layers()[i];
        x = layer.kind == LayerKind::unflatten ? reshaped(graph, x, layer.out)
                                               : onnx_export::apply(graph, network.sequential(), i, x);
    }
    return x;
}

}  // namespace

std::string onnx_bytes(const Model& model) {
    Graph graph(model.network.parameters());
    for (const auto& [key, text] : metadata_of(model)) graph.metadata(key, text);
    const Inputs inputs = inputs_of(graph, model);
    const auto taken = [&](const std::vector<double>& numbers) {
        std::vector<double> chosen;
        for (const std::size_t i : inputs.numbers) chosen.push_back(numbers[i]);
        return chosen;
    };
    const auto columns = static_cast<std::int64_t>(inputs.numbers.size());
    std::string x = inputs.parts[0];
    if (inputs.parts.size() > 1) x = graph.node("Concat", inputs.parts, {{"axis", 1}});
    x = graph.node("Sub", {x, graph.constant("offset", taken(model.scaling.offset), {columns})});
    x = graph.node("Mul", {x, graph.constant("factor", taken(model.scaling.factor), {columns})});
    x = graph.cast(x, Element::float32);
    // 0, or NaN in a row with a number that is not finite: a relu might lose it on its way.
    const std::string poison = graph.node("ReduceSum", {graph.node("Sub", {x, x}), graph.integers({1})});

    x = in_order(graph, x, inputs.numbers, autograd::size_of(model.network.input()));
    x = graph.node("Add", {applied(graph, model.network, x), poison});
    const auto n = static_cast<std::int64_t>(model.outputs());
    if (model.is_regression()) {
        x = graph.node("Div", {graph.cast(x, Element::float64),
                               graph.constant("target_factor", model.target_scaling.factor, {n})});
        x = graph.node("Add", {x, graph.constant("target_offset", model.target_scaling.offset, {n})});
        graph.output("targets", x, Element::float64, {n});
    } else {
        graph.output("probabilities", graph.node("Softmax", {x}, {{"axis", 1}}), Element::float32, {n});
    }
    return graph.bytes();
}
