#include "onnx.hpp"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <stdexcept>

namespace {

// What IR and operators are: the versions that Debian 12's ONNX has, which later runtimes read.
constexpr int ir_version = 8, opset = 13, ml_opset = 1;

using Shape = std::vector<std::int64_t>;

template <class T>
constexpr onnx::TensorProto::DataType element = std::is_same_v<T, float>    ? onnx::TensorProto::FLOAT
                                                : std::is_same_v<T, double> ? onnx::TensorProto::DOUBLE
                                                                            : onnx::TensorProto::INT64;

/// A graph, node by node: each method gives the name of what it computes.
class Graph {
  public:
    explicit Graph(onnx::GraphProto& graph) : graph_(graph) {}

    std::string input(const std::string& name, onnx::TensorProto::DataType type, const Shape& behind_rows) {
        describe(*graph_.add_input(), name, type, behind_rows);
        return name;
    }
    void output(const std::string& name, onnx::TensorProto::DataType type, std::size_t columns) {
        describe(*graph_.add_output(), name, type, {static_cast<std::int64_t>(columns)});
    }

    template <class T>
    std::string constant(const std::string& name, const std::vector<T>& numbers, const Shape& shape) {
        onnx::TensorProto& tensor = *graph_.add_initializer();
        tensor.set_name(name);
        tensor.set_data_type(element<T>);
        for (const std::int64_t n : shape) tensor.add_dims(n);
        tensor.set_raw_data(numbers.data(), numbers.size() * sizeof(T));
        return name;
    }

    /// `name` is that of the result, made up where it is empty.
    std::string node(const std::string& operation, const std::vector<std::string>& inputs,
                     const std::string& name = "") {
        last_ = graph_.add_node();
        last_->set_op_type(operation);
        for (const std::string& input : inputs) last_->add_input(input);
        last_->add_output(name.empty() ? fmt::format("{}_{}", operation, graph_.node_size()) : name);
        last_->set_name(last_->output(0));
        return last_->output(0);
    }
    /// Attributes of the last node.
    void attribute(const std::string& name, int value) {
        onnx::AttributeProto& attribute = *last_->add_attribute();
        attribute.set_name(name);
        attribute.set_type(onnx::AttributeProto::INT);
        attribute.set_i(value);
    }
    void attribute(const std::string& name, double value) {
        onnx::AttributeProto& attribute = *last_->add_attribute();
        attribute.set_name(name);
        attribute.set_type(onnx::AttributeProto::FLOAT);
        attribute.set_f(static_cast<float>(value));
    }
    void attribute(const std::string& name, const Shape& values) {
        onnx::AttributeProto& attribute = *last_->add_attribute();
        attribute.set_name(name);
        attribute.set_type(onnx::AttributeProto::INTS);
        for (const std::int64_t value : values) attribute.add_ints(value);
    }
    void attribute(const std::string& name, const std::vector<std::string>& words) {
        onnx::AttributeProto& attribute = *last_->add_attribute();
        attribute.set_name(name);
        attribute.set_type(onnx::AttributeProto::STRINGS);
        for (const std::string& word : words) attribute.add_strings(word);
    }
    void domain(const std::string& name) { last_->set_domain(name); }

    std::string cast(const std::string& x, onnx::TensorProto::DataType type) {
        const std::string result = node("Cast", {x});
        attribute("to", type);
        return result;
    }

  private:
    static void describe(onnx::ValueInfoProto& value, const std::string& name, onnx::TensorProto::DataType type,
                         const Shape& behind_rows) {
        value.set_name(name);
        auto& tensor = *value.mutable_type()->mutable_tensor_type();
        tensor.set_elem_type(type);
        tensor.mutable_shape()->add_dim()->set_dim_param("rows");
        for (const std::int64_t n : behind_rows) tensor.mutable_shape()->add_dim()->set_dim_value(n);
    }

    onnx::GraphProto& graph_;
    onnx::NodeProto* last_ = nullptr;
};

std::string activated(Graph& graph, nn::ActivationKind kind, const std::string& z) {
    switch (kind) {
        case nn::ActivationKind::relu:
            return graph.node("Relu", {z});
        case nn::ActivationKind::tanh:
            return graph.node("Tanh", {z});
        case nn::ActivationKind::sigmoid:
            return graph.node("Sigmoid", {z});
        case nn::ActivationKind::softplus:
            return graph.node("Softplus", {z});
        case nn::ActivationKind::identity:
            return z;
        case nn::ActivationKind::silu:
            return graph.node("Mul", {z, graph.node("Sigmoid", {z})});
        case nn::ActivationKind::gelu:  // z (1 + erf(z / sqrt(2))) / 2
            return graph.node("Mul",
                              {graph.node("Mul", {z, "half"}),
                               graph.node("Add", {graph.node("Erf", {graph.node("Mul", {z, "sqrt_half"})}), "one"})});
    }
    throw std::invalid_argument(fmt::format("[export] {} cannot be written as ONNX", nn::to_string(kind)));
}

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
        std::string numbers = graph.input("numbers", onnx::TensorProto::DOUBLE, {n});
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
        const std::string column = graph.input(fmt::format("words_{}", j), onnx::TensorProto::STRING, {});
        const std::size_t n = words.size();
        if (fills) words.push_back("");
        std::string encoded = graph.node("OneHotEncoder", {column});
        graph.domain("ai.onnx.ml");
        graph.attribute("cats_strings", words);
        graph.attribute("zeros", 0);
        encoded = graph.cast(encoded, onnx::TensorProto::DOUBLE);
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

/// The layers one after the other.
class Layers {
  public:
    Layers(Graph& graph, const Network& network) : graph_(graph), network_(network) {}

    /// What they make of x, whose columns are these numbers of the network's.
    std::string of(std::string x, const std::vector<std::size_t>& numbers) {
        const bool takes_rows = network_.input().size() == 1 && network_.layers()[0].kind == LayerKind::dense;
        if (!takes_rows) x = in_order(x, numbers);
        if (network_.input().size() != 1) x = reshaped(x, "input", network_.input());
        for (std::size_t i = 0; i < network_.layers().size(); ++i)
            x = layer(i, x, takes_rows && i == 0 ? &numbers : nullptr);
        return x;
    }

  private:
    /// The numbers in the network's order, those that the graph leaves out as 0.
    std::string in_order(const std::string& x, const std::vector<std::size_t>& numbers) {
        const std::size_t n = autograd::size_of(network_.input());
        std::vector<std::int64_t> at(n, 0);
        std::vector<float> there(n, 0);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            at[numbers[i]] = static_cast<std::int64_t>(i);
            there[numbers[i]] = 1;
        }
        const auto size = static_cast<std::int64_t>(n);
        const std::string gathered = graph_.node("Gather", {x, graph_.constant("order", at, {size})});
        graph_.attribute("axis", 1);
        return graph_.node("Mul", {gathered, graph_.constant("there", there, {size})});
    }

    std::string reshaped(const std::string& x, const std::string& name, const autograd::Shape& shape) {
        std::vector<std::int64_t> to{0};  // as many rows as there are
        to.insert(to.end(), shape.begin(), shape.end());
        return graph_.node("Reshape",
                           {x, graph_.constant(name + ".shape", to, {static_cast<std::int64_t>(to.size())})});
    }

    /// A parameter or a statistic as a constant under its name.
    std::string array(std::size_t i, const std::string& name) {
        const autograd::Array<float>& value = parameter(i, name);
        return graph_.constant(fmt::format("{}.{}", i, name), std::vector<float>(value.begin(), value.end()),
                               Shape(value.shape().begin(), value.shape().end()));
    }
    const autograd::Array<float>& parameter(std::size_t i, const std::string& name) const {
        return std::ranges::find(network_.parameters(), fmt::format("{}.{}", i, name),
                                 &autograd::Parameter<float>::name)
            ->value();
    }
    std::string number(std::size_t i, const std::string& name, double value) {
        return graph_.constant<float>(fmt::format("{}.{}", i, name), {static_cast<float>(value)}, {});
    }

    void window(const DescribedLayer& layer) {
        const auto& [kernel, stride, padding, dilation] = layer.window;
        graph_.attribute("kernel_shape", Shape{kernel.height, kernel.width});
        graph_.attribute("strides", Shape{stride.height, stride.width});
        graph_.attribute("pads", Shape{padding.height, padding.width, padding.height, padding.width});
        if (layer.kind != LayerKind::avgpool) graph_.attribute("dilations", Shape{dilation.height, dilation.width});
    }

    std::string flat(const std::string& x) {
        const std::string y = graph_.node("Flatten", {x});
        graph_.attribute("axis", 1);
        return y;
    }

    /// The mean over all axes but that of the rows.
    std::string mean(const DescribedLayer& layer, const std::string& x) {
        const std::string y = graph_.node("ReduceMean", {x});
        Shape axes;
        for (std::size_t k = 1; k <= layer.in.size(); ++k) axes.push_back(static_cast<std::int64_t>(k));
        graph_.attribute("axes", axes);
        return y;
    }

    std::string root(std::size_t i, const std::string& square, double epsilon) {
        return graph_.node("Sqrt", {graph_.node("Add", {square, number(i, "epsilon", epsilon)})});
    }

    /// `numbers` are the columns of x, where a first dense layer takes them as they come.
    std::string dense(std::size_t i, const std::string& x, const std::vector<std::size_t>* numbers) {
        const autograd::Array<float>& weight = parameter(i, "weight");
        const std::size_t outputs = weight.shape()[0], inputs = weight.shape()[1];
        std::vector<float> taken;
        for (std::size_t j = 0; j < outputs; ++j) {
            const float* row = weight.data() + j * inputs;
            if (numbers == nullptr)
                taken.insert(taken.end(), row, row + inputs);
            else
                for (const std::size_t k : *numbers) taken.push_back(row[k]);
        }
        const auto n = static_cast<std::int64_t>(outputs), m = static_cast<std::int64_t>(taken.size() / outputs);
        const std::string y =
            graph_.node("Gemm", {x, graph_.constant(fmt::format("{}.weight", i), taken, {n, m}), array(i, "bias")});
        graph_.attribute("transB", 1);
        return y;
    }

    std::string layer(std::size_t i, const std::string& x, const std::vector<std::size_t>* numbers) {
        const DescribedLayer& layer = network_.layers()[i];
        switch (layer.kind) {
            case LayerKind::dense:
                return dense(i, x, numbers);
            case LayerKind::conv: {
                const std::string y = graph_.node("Conv", {x, array(i, "weight"), array(i, "bias")});
                window(layer);
                graph_.attribute("group", static_cast<int>(layer.groups));
                return y;
            }
            case LayerKind::maxpool: {
                const std::string y = graph_.node("MaxPool", {x});
                window(layer);
                return y;
            }
            case LayerKind::avgpool: {
                const std::string y = graph_.node("AveragePool", {x});
                window(layer);
                graph_.attribute("count_include_pad", 1);
                return y;
            }
            case LayerKind::globalavgpool:
                return flat(graph_.node("GlobalAveragePool", {x}));
            case LayerKind::flatten:
                return flat(x);
            case LayerKind::unflatten:
                return reshaped(x, std::to_string(i), layer.out);
            case LayerKind::batchnorm: {
                const std::string y = graph_.node(
                    "BatchNormalization",
                    {x, array(i, "weight"), array(i, "bias"), array(i, "running_mean"), array(i, "running_var")});
                graph_.attribute("epsilon", 1e-5);
                return y;
            }
            case LayerKind::layernorm: {
                const std::string d = graph_.node("Sub", {x, mean(layer, x)});
                const std::string deviation = root(i, mean(layer, graph_.node("Mul", {d, d})), 1e-5);
                return graph_.node("Add", {graph_.node("Mul", {graph_.node("Div", {d, deviation}), array(i, "weight")}),
                                           array(i, "bias")});
            }
            case LayerKind::rmsnorm: {
                const std::string size = root(i, mean(layer, graph_.node("Mul", {x, x})), 1.1920929e-7);
                return graph_.node("Mul", {graph_.node("Div", {x, size}), array(i, "weight")});
            }
            case LayerKind::leakyrelu:
            case LayerKind::elu: {
                const std::string y = graph_.node(layer.kind == LayerKind::elu ? "Elu" : "LeakyRelu", {x});
                graph_.attribute("alpha", layer.number);
                return y;
            }
            case LayerKind::activation:
                return activated(graph_, layer.activation, x);
            case LayerKind::dropout:
                return x;
        }
        throw std::invalid_argument(fmt::format("[export] layer {}, '{}', cannot be written as ONNX", i, layer.text));
    }

    Graph& graph_;
    const Network& network_;
};

}  // namespace

std::string onnx_bytes(const Model& model) {
    onnx::ModelProto file;
    file.set_ir_version(ir_version);
    file.set_producer_name("deltarule");
    file.set_producer_version(DELTARULE_VERSION);
    file.add_opset_import()->set_version(opset);
    onnx::OperatorSetIdProto& ml = *file.add_opset_import();
    ml.set_domain("ai.onnx.ml");
    ml.set_version(ml_opset);
    for (const auto& [key, text] : metadata_of(model)) {
        onnx::StringStringEntryProto& entry = *file.add_metadata_props();
        entry.set_key(key);
        entry.set_value(text);
    }
    file.mutable_graph()->set_name("network");
    Graph graph(*file.mutable_graph());
    graph.constant<float>("half", {0.5f}, {});
    graph.constant<float>("one", {1.0f}, {});
    graph.constant<float>("sqrt_half", {0.70710678f}, {});
    graph.constant<std::int64_t>("axis", {1}, {1});

    const Inputs inputs = inputs_of(graph, model);
    const auto taken = [&](const std::vector<double>& numbers) {
        std::vector<double> chosen;
        for (const std::size_t i : inputs.numbers) chosen.push_back(numbers[i]);
        return chosen;
    };
    const auto columns = static_cast<std::int64_t>(inputs.numbers.size());
    std::string x = inputs.parts[0];
    if (inputs.parts.size() > 1) {
        x = graph.node("Concat", inputs.parts);
        graph.attribute("axis", 1);
    }
    x = graph.node("Sub", {x, graph.constant("offset", taken(model.scaling.offset), {columns})});
    x = graph.node("Mul", {x, graph.constant("factor", taken(model.scaling.factor), {columns})});
    x = graph.cast(x, onnx::TensorProto::FLOAT);
    // 0, or NaN in a row with a number that is not finite: a relu might lose it on its way.
    const std::string poison = graph.node("ReduceSum", {graph.node("Sub", {x, x}), "axis"});

    x = Layers(graph, model.network).of(x, inputs.numbers);
    x = graph.node("Add", {x, poison});
    if (model.is_regression()) {
        const auto n = static_cast<std::int64_t>(model.outputs());
        x = graph.cast(x, onnx::TensorProto::DOUBLE);
        x = graph.node("Div", {x, graph.constant("target_factor", model.target_scaling.factor, {n})});
        graph.node("Add", {x, graph.constant("target_offset", model.target_scaling.offset, {n})}, "targets");
        graph.output("targets", onnx::TensorProto::DOUBLE, model.outputs());
    } else {
        graph.node("Softmax", {x}, "probabilities");
        graph.attribute("axis", 1);
        graph.output("probabilities", onnx::TensorProto::FLOAT, model.outputs());
    }
    std::string bytes;
    if (!file.SerializeToString(&bytes))
        throw std::invalid_argument("[export] the network does not fit into an ONNX file, which has room for 2 GB");
    return bytes;
}
