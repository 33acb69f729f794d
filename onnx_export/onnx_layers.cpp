#include <fmt/format.h>

#include <algorithm>
#include <autograd/operations.hpp>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nn/files/output.hpp>
#include <onnx_export/onnx_layers.hpp>
#include <optional>
#include <stdexcept>

namespace onnx_export {

namespace {

using autograd::Shape;
using autograd::Variable;

Attributes window_of(const autograd::Window& window) {
    const auto& [kernel, stride, padding, dilation] = window;
    return {{"kernel_shape", Lengths{kernel.height, kernel.width}},
            {"strides", Lengths{stride.height, stride.width}},
            {"pads", Lengths{padding.height, padding.width, padding.height, padding.width}},
            {"dilations", Lengths{dilation.height, dilation.width}}};
}

/// The mean over the last axes, which stay as 1. (ONNX's own LayerNormalization permits the difference of two squares.)
std::string mean(Graph& graph, const std::string& x, std::size_t axes) {
    Lengths last;
    for (std::size_t i = axes; i > 0; --i) last.push_back(-static_cast<std::int64_t>(i));
    return graph.node("ReduceMean", {x}, {{"axes", last}});
}

/// sqrt(square + epsilon), and NaN where that is infinite: divided by it, each number would be 0.
std::string root(Graph& graph, const std::string& square, double epsilon) {
    const std::string root = graph.node("Sqrt", {graph.node("Add", {square, graph.number(epsilon)})});
    return graph.node("Add", {root, graph.node("Sub", {root, root})});
}

/// x @ transpose(weight) + bias; no bias where it is "".
std::string linear(Graph& graph, const std::string& x, const std::string& weight, const std::string& bias) {
    const std::string z = graph.node("MatMul", {x, graph.node("Transpose", {weight}, {{"perm", Lengths{1, 0}}})});
    return bias.empty() ? z : graph.node("Add", {z, bias});
}

std::string transpose(Graph& graph, const std::string& x, const Lengths& axes) {
    return graph.node("Transpose", {x}, {{"perm", axes}});
}

/// 0 is a length that stays.
std::string reshape(Graph& graph, const std::string& x, const Lengths& shape) {
    return graph.node("Reshape", {x, graph.integers(shape)});
}

/// Rows of a table, `count` of them. Gather counts numbers below 0 from the end: such a one becomes the first that is
/// too large, which is an error.
std::string taken(Graph& graph, const std::string& table, const std::string& numbers, const std::string& count) {
    const std::string is_below = graph.node("Less", {numbers, graph.integer(0)});
    return graph.node("Gather", {table, graph.node("Where", {is_below, count, numbers})}, {{"axis", 0}});
}

std::string gelu(Graph& graph, const std::string& x) {  // x (1 + erf(x / sqrt(2))) / 2
    const std::string e = graph.node("Erf", {graph.node("Mul", {x, graph.number(std::sqrt(0.5))})});
    return graph.node("Mul", {graph.node("Mul", {x, graph.number(0.5)}), graph.node("Add", {e, graph.number(1)})});
}

std::string silu(Graph& graph, const std::string& x) { return graph.node("Mul", {x, graph.node("Sigmoid", {x})}); }

/// The rows of a matrix, or a list, in blocks of `size`, block number k of the result being number order[k].
std::vector<float> reordered(const autograd::Array<float>& value, const std::vector<std::size_t>& order,
                             std::size_t size) {
    const std::size_t block = size * (value.dimension() == 2 ? value.shape()[1] : 1);
    std::vector<float> numbers;
    for (const std::size_t k : order)
        numbers.insert(numbers.end(), value.data() + k * block, value.data() + (k + 1) * block);
    return numbers;
}

/// `order` are the layer's gates in the order of ONNX's operator.
Recurrence recurrence(Graph& graph, const nn::Recurrent<float>& layer, const std::string& op,
                      const std::vector<std::size_t>& order, Attributes attributes, const std::string& x,
                      const std::string& lengths, const State& start) {
    const nn::RecurrentOptions& options = layer.options();
    const auto parameters = layer.parameters();
    const std::size_t directions = options.bidirectional ? 2 : 1, each = options.bias ? 4 : 2, hidden = layer.hidden();
    const bool has_cell = op == "LSTM", has_start = !start.hidden.empty();
    if (!start.cell.empty() != (has_cell && has_start))
        throw std::invalid_argument(fmt::format("[onnx] the state at the start of {} has {} cell", op,
                                                has_cell ? "a hidden part and a" : "no"));
    const auto d = static_cast<std::int64_t>(directions), h = static_cast<std::int64_t>(hidden),
               rows = static_cast<std::int64_t>(order.size()) * h;
    attributes.emplace_back("hidden_size", static_cast<int>(hidden));
    attributes.emplace_back("direction", std::string(options.bidirectional ? "bidirectional" : "forward"));
    const std::string within = lengths.empty() ? "" : graph.cast(lengths, Element::int32);
    std::string is_empty;
    if (!lengths.empty() && has_start)
        is_empty = reshape(graph, graph.node("Equal", {lengths, graph.integer(0)}), {-1, 1});
    std::string y = transpose(graph, x, {1, 0, 2});  // (steps, n, features)
    std::vector<std::string> ends[2];
    for (std::size_t k = 0; k < options.layers; ++k) {
        const auto first = parameters.begin() + static_cast<std::ptrdiff_t>(k * directions * each);
        // Number i and i + 2 of the parameters of each direction.
        const auto together = [&](std::size_t i, bool is_bias, const Lengths& shape) {
            std::vector<float> numbers;
            for (std::size_t side = 0; side < directions; ++side)
                for (std::size_t j = i; j <= (is_bias ? i + 1 : i); ++j) {
                    const auto& value = first[static_cast<std::ptrdiff_t>(side * each + j)].value();
                    const std::vector<float> part = reordered(value, order, hidden);
                    numbers.insert(numbers.end(), part.begin(), part.end());
                }
            return graph.constant(graph.name_of(first[static_cast<std::ptrdiff_t>(i)]) + ".gates", numbers, shape);
        };
        const auto columns = static_cast<std::int64_t>(first->shape()[1]);
        const std::string w = together(0, false, {d, rows, columns}), r = together(1, false, {d, rows, h}),
                          b = options.bias ? together(2, true, {d, 2 * rows}) : "";
        // The states of this layer, among those of all.
        const auto own = [&](const std::string& states) {
            const auto at = static_cast<std::int64_t>(k) * d;
            return states.empty() ? "" : graph.node("Slice", {states, graph.integers({at}), graph.integers({at + d})});
        };
        const std::vector<std::string> before{own(start.hidden), own(start.cell)};
        std::vector<std::string> inputs{y, w, r, b, within};
        inputs.insert(inputs.end(), before.begin(), before.begin() + (has_cell ? 2 : 1));
        const auto made = graph.nodes(op, has_cell ? 3 : 2, inputs, attributes);
        // (steps, directions, n, hidden) to (steps, n, directions * hidden)
        y = reshape(graph, transpose(graph, made[0], {0, 2, 1, 3}), {0, 0, d * h});
        for (std::size_t i = 0; i + 1 < made.size(); ++i)  // ONNX Runtime ends an empty sequence with 0
            ends[i].push_back(is_empty.empty() ? made[i + 1] : graph.node("Where", {is_empty, before[i], made[i + 1]}));
    }
    const auto all = [&](const std::vector<std::string>& parts) {
        return parts.size() < 2 ? (parts.empty() ? "" : parts[0]) : graph.node("Concat", parts, {{"axis", 0}});
    };
    return {transpose(graph, y, {1, 0, 2}), {all(ends[0]), all(ends[1])}};
}

/// A function of `autograd` as it stands in a `Sequential`.
using Function = Variable<float> (*)(Variable<float>);

std::optional<std::string> applied(Graph& graph, Function f, const std::string& x) {
    if (f == autograd::gelu<float>) return gelu(graph, x);
    if (f == autograd::silu<float>) return silu(graph, x);
    const std::pair<Function, const char*> all[] = {
        {autograd::relu<float>, "Relu"},         {autograd::tanh<float>, "Tanh"}, {autograd::sigmoid<float>, "Sigmoid"},
        {autograd::softplus<float>, "Softplus"}, {autograd::exp<float>, "Exp"},   {autograd::log<float>, "Log"},
        {autograd::sqrt<float>, "Sqrt"},         {autograd::abs<float>, "Abs"},   {autograd::sin<float>, "Sin"},
        {autograd::cos<float>, "Cos"},           {autograd::erf<float>, "Erf"}};
    for (const auto& [function, op] : all)
        if (function == f) return graph.node(op, {x});
    return {};
}

std::string apply_all(Graph& graph, const nn::Sequential<float>& network, std::string x, const std::string& prefix);

/// What layer number i makes of x, where it is an L or one of the others; else nothing.
template <class L, class... Others>
std::optional<std::string> applied_as(Graph& graph, const nn::Sequential<float>& network, std::size_t i,
                                      const std::string& x) {
    if (const L* layer = network.get_if<L>(i)) return apply(graph, *layer, x);
    if constexpr (sizeof...(Others) > 0)
        return applied_as<Others...>(graph, network, i, x);
    else
        return {};
}

std::string apply_one(Graph& graph, const nn::Sequential<float>& network, std::size_t i, const std::string& x,
                      const std::string& prefix) {
    const std::string number = prefix + std::to_string(i);
    if (const auto* inner = network.get_if<nn::Sequential<float>>(i)) return apply_all(graph, *inner, x, number + ".");
    if (const auto* inner = network.get_if<nn::Mlp<float>>(i)) return apply_all(graph, *inner, x, number + ".");
    if (const auto* embedding = network.get_if<nn::Embedding<float>>(i)) {
        if (!graph.is_input_of_integers(x))
            throw std::invalid_argument(fmt::format(
                "[onnx] layer {} (Embedding) cannot be written: words are whole numbers, so it must stand first",
                number));
        return apply(graph, *embedding, x);
    }
    std::optional<std::string> y;
    if (const Function* function = network.get_if<Function>(i))
        y = applied(graph, *function, x);
    else
        y = applied_as<nn::Dense<float>, nn::Conv2d<float>, nn::MaxPool2d<float>, nn::AvgPool2d<float>,
                       nn::GlobalAvgPool2d<float>, nn::Flatten<float>, nn::BatchNorm<float>, nn::LayerNorm<float>,
                       nn::RmsNorm<float>, nn::Activation<float>, nn::Gelu<float>, nn::Silu<float>,
                       nn::LeakyRelu<float>, nn::Elu<float>, nn::Softmax<float>, nn::Dropout<float>, nn::Rnn<float>,
                       nn::Gru<float>, nn::Lstm<float>, nn::MultiHeadAttention<float>>(graph, network, i, x);
    if (!y)
        throw std::invalid_argument(
            fmt::format("[onnx] layer {} ({}) cannot be written: it is none of nn's", number, network.name(i)));
    return *y;
}

std::string apply_all(Graph& graph, const nn::Sequential<float>& network, std::string x, const std::string& prefix) {
    for (std::size_t i = 0; i < network.size(); ++i) x = apply_one(graph, network, i, x, prefix);
    return x;
}

/// Whether an `Embedding` stands first.
bool takes_words(const nn::Sequential<float>& network) {
    if (network.size() == 0) return false;
    const auto* inner = network.get_if<nn::Sequential<float>>(0);
    return inner != nullptr ? takes_words(*inner) : network.get_if<nn::Embedding<float>>(0) != nullptr;
}

/// The shape of what comes out for so many rows of zeros.
Shape shape_for(const nn::Sequential<float>& network, const Lengths& row, std::size_t rows, std::size_t free) {
    Shape shape{rows};
    for (const std::int64_t length : row) {
        if (length < 1 && length != any)
            throw std::invalid_argument(fmt::format("[onnx] a row has no axis of length {}", length));
        shape.push_back(length == any ? free : static_cast<std::size_t>(length));
    }
    autograd::Tape<float> tape;
    const nn::Evaluation<float> evaluation(tape);
    const auto y = network(tape.constant(autograd::Array<float>(shape, 0.0f)));
    return Shape(y.shape().begin(), y.shape().end());
}

/// The shape of a row of the output, `any` where it depends on the lengths, which are tried with 1, 2, 3 rows.
Lengths row_of_output(const nn::Sequential<float>& network, const Lengths& row,
                      std::initializer_list<std::size_t> lengths) {
    Lengths made;
    for (std::size_t rows = 1; const std::size_t length : lengths) {
        const Shape shape = shape_for(network, row, rows, length);
        if (shape.empty() || shape[0] != rows || (rows > 1 && shape.size() != made.size() + 1))
            throw std::invalid_argument(
                fmt::format("[onnx] for {} rows the network makes an array of shape {}: it should have a row for each",
                            rows, autograd::to_string(shape)));
        for (std::size_t i = 1; i < shape.size(); ++i) {
            const auto here = static_cast<std::int64_t>(shape[i]);
            if (rows == 1)
                made.push_back(here);
            else if (made[i - 1] != here)
                made[i - 1] = any;
        }
        ++rows;
    }
    return made;
}

Lengths row_of_output(const nn::Sequential<float>& network, const Lengths& row) {
    if (std::ranges::find(row, any) == row.end()) return row_of_output(network, row, {1, 1});
    // The longest one tells lengths apart that strides make one. Large kernels need the other ones to be longer, too.
    try {
        return row_of_output(network, row, {640, 97, 64});
    } catch (const std::invalid_argument&) {
        return row_of_output(network, row, {970, 640});
    }
}

}  // namespace

std::string apply(Graph& graph, const nn::Dense<float>& layer, const std::string& x) {
    return linear(graph, x, graph.parameter(layer.weight), layer.has_bias() ? graph.parameter(layer.bias) : "");
}

std::string apply(Graph& graph, const nn::Conv2d<float>& layer, const std::string& x) {
    const autograd::Conv2dOptions& options = layer.options();
    const Shape& w = layer.weight.shape();
    Attributes attributes = window_of({{w[2], w[3]}, options.stride, options.padding, options.dilation});
    attributes.emplace_back("group", static_cast<int>(options.groups));
    std::vector<std::string> inputs{x, graph.parameter(layer.weight)};
    if (layer.has_bias()) inputs.push_back(graph.parameter(layer.bias));
    return graph.node("Conv", inputs, attributes);
}

std::string apply(Graph& graph, const nn::MaxPool2d<float>& layer, const std::string& x) {
    return graph.node("MaxPool", {x}, window_of(layer.window()));
}

std::string apply(Graph& graph, const nn::AvgPool2d<float>& layer, const std::string& x) {
    const auto& [kernel, stride, padding, dilation] = layer.window();
    if (padding.height >= kernel.height || padding.width >= kernel.width)
        throw std::invalid_argument("[onnx] avg_pool2d cannot be written: its padding is as large as its window");
    Attributes attributes = window_of(layer.window());
    attributes.back() = {"count_include_pad", 1};  // it knows no dilation
    return graph.node("AveragePool", {x}, attributes);
}

std::string apply(Graph& graph, const nn::GlobalAvgPool2d<float>&, const std::string& x) {
    return apply(graph, nn::Flatten<float>(), graph.node("GlobalAveragePool", {x}));
}

std::string apply(Graph& graph, const nn::Flatten<float>&, const std::string& x) {
    return graph.node("Flatten", {x}, {{"axis", 1}});
}

std::string apply(Graph& graph, const nn::BatchNorm<float>& layer, const std::string& x) {
    const std::size_t features = layer.running_mean.value().size();
    const auto learned = [&](const autograd::Parameter<float>& parameter, float start) {
        return layer.options().affine ? graph.parameter(parameter)
                                      : graph.constant(parameter.name(), std::vector<float>(features, start),
                                                       {static_cast<std::int64_t>(features)});
    };
    return graph.node("BatchNormalization",
                      {x, learned(layer.weight, 1), learned(layer.bias, 0), graph.parameter(layer.running_mean),
                       graph.parameter(layer.running_var)},
                      {{"epsilon", layer.options().epsilon}});
}

std::string apply(Graph& graph, const nn::LayerNorm<float>& layer, const std::string& x) {
    const std::size_t axes = layer.weight.shape().size();
    const std::string d = graph.node("Sub", {x, mean(graph, x, axes)}),
                      deviation = root(graph, mean(graph, graph.node("Mul", {d, d}), axes), layer.epsilon()),
                      z = graph.node("Mul", {graph.node("Div", {d, deviation}), graph.parameter(layer.weight)});
    return layer.has_bias() ? graph.node("Add", {z, graph.parameter(layer.bias)}) : z;
}

std::string apply(Graph& graph, const nn::RmsNorm<float>& layer, const std::string& x) {
    const std::string square = mean(graph, graph.node("Mul", {x, x}), layer.weight.shape().size());
    return graph.node("Mul",
                      {graph.node("Div", {x, root(graph, square, layer.epsilon())}), graph.parameter(layer.weight)});
}

std::string apply(Graph& graph, const nn::Activation<float>& layer, const std::string& x) {
    switch (layer.kind()) {
        case nn::ActivationKind::relu:
            return graph.node("Relu", {x});
        case nn::ActivationKind::tanh:
            return graph.node("Tanh", {x});
        case nn::ActivationKind::sigmoid:
            return graph.node("Sigmoid", {x});
        case nn::ActivationKind::gelu:
            return gelu(graph, x);
        case nn::ActivationKind::silu:
            return silu(graph, x);
        case nn::ActivationKind::softplus:
            return graph.node("Softplus", {x});
        case nn::ActivationKind::identity:
            break;
    }
    return x;
}

std::string apply(Graph& graph, const nn::Gelu<float>&, const std::string& x) { return gelu(graph, x); }

std::string apply(Graph& graph, const nn::Silu<float>&, const std::string& x) { return silu(graph, x); }

std::string apply(Graph& graph, const nn::LeakyRelu<float>& layer, const std::string& x) {
    return graph.node("LeakyRelu", {x}, {{"alpha", static_cast<double>(layer.slope)}});
}

std::string apply(Graph& graph, const nn::Elu<float>& layer, const std::string& x) {
    return graph.node("Elu", {x}, {{"alpha", static_cast<double>(layer.alpha)}});
}

std::string apply(Graph& graph, const nn::Softmax<float>& layer, const std::string& x) {
    return graph.node("Softmax", {x}, {{"axis", static_cast<int>(layer.axis)}});
}

std::string apply(Graph&, const nn::Dropout<float>&, const std::string& x) { return x; }

std::string apply(Graph& graph, const nn::Embedding<float>& layer, const std::string& words) {
    const std::string count = graph.integer(static_cast<std::int64_t>(layer.weight.shape()[0]));
    return taken(graph, graph.parameter(layer.weight), words, count);
}

Recurrence run(Graph& graph, const nn::Rnn<float>& layer, const std::string& x, const std::string& lengths,
               const State& start) {
    return recurrence(graph, layer, "RNN", {0}, {}, x, lengths, start);
}

Recurrence run(Graph& graph, const nn::Gru<float>& layer, const std::string& x, const std::string& lengths,
               const State& start) {
    // r, z, n to z, r, n; r is multiplied with w_hn h + b_hn, not with h.
    return recurrence(graph, layer, "GRU", {1, 0, 2}, {{"linear_before_reset", 1}}, x, lengths, start);
}

Recurrence run(Graph& graph, const nn::Lstm<float>& layer, const std::string& x, const std::string& lengths,
               const State& start) {
    return recurrence(graph, layer, "LSTM", {0, 3, 1, 2}, {}, x, lengths, start);  // i, f, g, o to i, o, f, g
}

std::string apply(Graph& graph, const nn::Rnn<float>& layer, const std::string& x) {
    return run(graph, layer, x).output;
}

std::string apply(Graph& graph, const nn::Gru<float>& layer, const std::string& x) {
    return run(graph, layer, x).output;
}

std::string apply(Graph& graph, const nn::Lstm<float>& layer, const std::string& x) {
    return run(graph, layer, x).output;
}

std::string apply(Graph& graph, const nn::MultiHeadAttention<float>& layer, const std::string& x) {
    return apply(graph, layer, x, x, x);
}

std::string apply(Graph& graph, const nn::MultiHeadAttention<float>& layer, const std::string& query,
                  const std::string& key, const std::string& value, const std::string& lengths) {
    const nn::AttentionOptions& options = layer.options();
    const auto width = static_cast<std::int64_t>(layer.in_proj_weight.shape()[1]),
               heads = static_cast<std::int64_t>(layer.heads()), each = width / heads;
    const auto thirds = [&](const autograd::Parameter<float>& parameter) {
        return graph.nodes("Split", 3, {graph.parameter(parameter)}, {{"axis", 0}});
    };
    const auto weights = thirds(layer.in_proj_weight);
    const auto biases = options.bias ? thirds(layer.in_proj_bias) : std::vector<std::string>(3);
    // Part number k of the projection, a matrix for each head.
    const auto heads_of = [&](const std::string& x, std::size_t k, const Lengths& axes) {
        return transpose(graph, reshape(graph, linear(graph, x, weights[k], biases[k]), {0, 0, heads, each}), axes);
    };
    const std::string q =
        graph.node("Mul", {heads_of(query, 0, {0, 2, 1, 3}), graph.number(1 / std::sqrt(static_cast<double>(each)))});
    std::string scores = graph.node("MatMul", {q, heads_of(key, 1, {0, 2, 3, 1})});
    // What each place sees, to be broadcast to (n, heads, places, keys).
    const auto places = [&](const std::string& x) {
        return graph.node("Gather", {graph.node("Shape", {x}), graph.integer(1)}, {{"axis", 0}});
    };
    const auto up_to = [&](const std::string& count) {
        return graph.node("Range", {graph.integer(0), count, graph.integer(1)});
    };
    const std::string keys = options.causal || !lengths.empty() ? up_to(places(key)) : "";
    std::string sees;
    if (options.causal) sees = graph.node("LessOrEqual", {keys, reshape(graph, up_to(places(query)), {-1, 1})});
    if (!lengths.empty()) {
        const std::string end = graph.node("Add", {places(key), graph.integer(1)}),
                          known = taken(graph, up_to(end), lengths, end),
                          within = graph.node("Less", {keys, reshape(graph, known, {-1, 1, 1, 1})});
        sees = sees.empty() ? within : graph.node("And", {sees, within});
    }
    if (!sees.empty()) scores = graph.node("Where", {sees, scores, graph.number(std::numeric_limits<float>::lowest())});
    std::string shares = graph.node("Softmax", {scores}, {{"axis", -1}});
    if (!lengths.empty()) shares = graph.node("Where", {sees, shares, graph.number(0)});  // who sees nothing
    const std::string seen =
        transpose(graph, graph.node("MatMul", {shares, heads_of(value, 2, {0, 2, 1, 3})}), {0, 2, 1, 3});
    return apply(graph, layer.out_proj, reshape(graph, seen, {0, 0, width}));
}

std::string apply(Graph& graph, const nn::Sequential<float>& network, const std::string& x) {
    return apply_all(graph, network, x, "");
}

std::string apply(Graph& graph, const nn::Sequential<float>& network, std::size_t i, const std::string& x) {
    return apply_one(graph, network, i, x, "");
}

std::string bytes_of(const nn::Sequential<float>& network, const Lengths& row) {
    Graph graph(network.parameters());
    const std::string x = graph.input("x", takes_words(network) ? Element::int64 : Element::float32, row);
    const std::string y = apply(graph, network, x);
    graph.output("y", y, Element::float32, row_of_output(network, row));
    return graph.bytes();
}

void save(const std::string& path, const nn::Sequential<float>& network, const Lengths& row) {
    nn::files::write(path, bytes_of(network, row));
}

}  // namespace onnx_export
