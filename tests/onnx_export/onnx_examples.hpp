// Networks with every layer of nn, as ONNX, and what they answer.
#pragma once

#include <autograd/operations.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <nn/nn.hpp>
#include <onnx_export/onnx_layers.hpp>
#include <string>
#include <vector>

namespace examples {

using autograd::Array, autograd::Indices, autograd::Parameter, autograd::Shape, autograd::Tape, autograd::Variable;
using onnx_export::any, onnx_export::Element, onnx_export::Graph, onnx_export::Lengths;

struct Network {
    std::string onnx;                                                        // the file
    std::function<std::vector<Parameter<float>>(std::size_t rows)> answers;  // inputs and outputs, by name
};

inline Array<float> wave(const Shape& shape, int k) {
    Array<float> values(shape);
    for (std::size_t i = 0; i < values.size(); ++i)
        values.data()[i] = std::sin(0.9f * static_cast<float>(i) + 1.7f * static_cast<float>(k));
    return values;
}

/// Whole numbers from 0 on, all below `count`.
inline Indices numbers(const Shape& shape, std::int64_t count) {
    Indices values = Indices::from_shape(shape);
    for (std::size_t i = 0; i < values.size(); ++i) values.data()[i] = static_cast<std::int64_t>(i * 5 + i / 3) % count;
    return values;
}

inline Parameter<float> named(const std::string& name, const Indices& values) {
    Array<float> floats(values.shape());
    for (std::size_t i = 0; i < values.size(); ++i) floats.data()[i] = static_cast<float>(values.data()[i]);
    return {name, floats};
}

/// Biases and statistics that are not 0 and 1.
inline void set_to_waves(const std::vector<Parameter<float>>& parameters) {
    for (std::size_t k = 0; k < parameters.size(); ++k) {
        Parameter<float> parameter = parameters[k];
        const Array<float> values = wave(parameter.shape(), static_cast<int>(k) + 1) / 2.0f;
        const bool is_positive = parameter.name().ends_with("var");
        parameter.edit(
            [&](Array<float>& value) { value = is_positive ? Array<float>(xt::abs(values) + 0.5f) : values; });
    }
}

/// `words` are how many there are, where these go in.
inline Network sequential(const nn::Sequential<float>& net, const Lengths& row, std::int64_t words = 0) {
    set_to_waves(net.parameters());
    return {onnx_export::bytes_of(net, row), [=](std::size_t rows) {
                Shape shape{rows};
                for (const std::int64_t length : row)
                    shape.push_back(length == any ? rows + 2 : static_cast<std::size_t>(length));
                const Parameter<float> x =
                    words > 0 ? named("x", numbers(shape, words)) : Parameter<float>("x", wave(shape, 50));
                Tape<float> tape;
                const nn::Evaluation<float> evaluation(tape);
                return std::vector{x, Parameter<float>("y", net(tape.constant(x.value())).value())};
            }};
}

/// Sequences of different lengths, some of them empty, from a state on, and the states at their ends.
template <class L>
Network of_lengths(const L& layer) {
    constexpr bool has_cell = std::is_same_v<L, nn::Lstm<float>>;
    set_to_waves(layer.parameters());
    const nn::RecurrentOptions& options = layer.options();
    const std::size_t sides = options.bidirectional ? 2 : 1, count = options.layers * sides, hidden = layer.hidden();
    const auto width = static_cast<std::int64_t>(sides * hidden);
    const Lengths state{static_cast<std::int64_t>(count), static_cast<std::int64_t>(hidden)};
    Graph graph(layer.parameters());
    // A state's second axis has the rows.
    const auto turned = [&](const std::string& x) {
        return graph.node("Transpose", {x}, {{"perm", Lengths{1, 0, 2}}});
    };
    const auto start = [&](const std::string& name) { return turned(graph.input(name, Element::float32, state)); };
    const std::string x = graph.input("x", Element::float32, {6, 3}),
                      lengths = graph.input("lengths", Element::int64, {});
    const auto [y, end] = onnx_export::run(graph, layer, x, lengths, {start("h"), has_cell ? start("c") : ""});
    graph.output("y", y, Element::float32, {6, width});
    graph.output("hidden", turned(end.hidden), Element::float32, state);
    if (has_cell) graph.output("cell", turned(end.cell), Element::float32, state);
    return {
        graph.bytes(), [=](std::size_t rows) {
            const Array<float> given = wave({rows, 6, 3}, 50), h = wave({rows, count, hidden}, 51),
                               c = wave({rows, count, hidden}, 52);
            const Indices ends = numbers({rows}, 7);
            Tape<float> tape;
            const auto state_of = [&](const Array<float>& array) { return transpose(tape.constant(array), {1, 0, 2}); };
            const nn::RecurrentState<float> first{state_of(h), has_cell ? state_of(c) : Variable<float>()};
            const auto [output, last] = layer.run(tape.constant(given), ends, first);
            std::vector<Parameter<float>> arrays{{"x", given}, named("lengths", ends), {"h", h}, {"y", output.value()}};
            arrays.emplace_back("hidden", transpose(last.hidden, {1, 0, 2}).value());
            if (has_cell) {
                arrays.emplace_back("c", c);
                arrays.emplace_back("cell", transpose(last.cell, {1, 0, 2}).value());
            }
            return arrays;
        }};
}

/// Of places to those of another sequence, some of which are empty.
inline Network attention_to_others(const nn::MultiHeadAttention<float>& layer) {
    set_to_waves(layer.parameters());
    Graph graph(layer.parameters());
    const std::string query = graph.input("query", Element::float32, {any, 4}),
                      key = graph.input("key", Element::float32, {5, 4}),
                      value = graph.input("value", Element::float32, {5, 4}),
                      lengths = graph.input("lengths", Element::int64, {});
    graph.output("y", onnx_export::apply(graph, layer, query, key, value, lengths), Element::float32, {any, 4});
    return {graph.bytes(), [=](std::size_t rows) {
                const Array<float> q = wave({rows, rows + 1, 4}, 50), k = wave({rows, 5, 4}, 51),
                                   v = wave({rows, 5, 4}, 52);
                const Indices ends = numbers({rows}, 6);
                Tape<float> tape;
                const auto y = layer(tape.constant(q), tape.constant(k), tape.constant(v), ends);
                return std::vector<Parameter<float>>{
                    {"query", q}, {"key", k}, {"value", v}, named("lengths", ends), {"y", y.value()}};
            }};
}

/// A layer of one's own in a row of others: x + outer(tanh(norm(x))).
struct Block {
    Block(std::size_t width, std::mt19937_64& engine) : norm({width}), outer(width, width, engine) {}
    Variable<float> operator()(const Variable<float>& x) const { return x + outer(tanh(norm(x))); }
    std::vector<Parameter<float>> parameters() const { return nn::parameters_of<float>("norm", norm, "outer", outer); }
    nn::LayerNorm<float> norm;
    nn::Dense<float> outer;
};

inline Network with_a_block(const nn::Sequential<float>& net, const Lengths& row) {
    Network network = sequential(nn::Sequential<float>(), row);
    set_to_waves(net.parameters());
    Graph graph(net.parameters());
    const std::string given = graph.input("x", Element::float32, row);
    std::string x = given;
    for (std::size_t i = 0; i < net.size(); ++i) {
        if (const Block* block = net.get_if<Block>(i)) {
            const std::string z = graph.node("Tanh", {onnx_export::apply(graph, block->norm, x)});
            x = graph.node("Add", {x, onnx_export::apply(graph, block->outer, z)});
        } else {
            x = onnx_export::apply(graph, net, i, x);
        }
    }
    graph.output("y", x, Element::float32, row);
    return {graph.bytes(), [net, inputs = network.answers](std::size_t rows) {
                const Parameter<float> at = inputs(rows)[0];
                Tape<float> tape;
                return std::vector{at, Parameter<float>("y", net(tape.constant(at.value())).value())};
            }};
}

inline std::map<std::string, Network> all() {
    using Net = nn::Sequential<float>;
    std::mt19937_64 engine(1);
    const nn::RecurrentOptions both{.layers = 2, .bidirectional = true}, bare{.layers = 2, .bias = false};
    const nn::AttentionOptions causal{.causal = true, .bias = false};
    std::map<std::string, Network> all;
    all["dense"] = sequential(Net(nn::Dense<float>(6, 5, engine), nn::Dense<float>(5, 3, engine, false)), {6});
    all["dense of places"] = sequential(Net(nn::Dense<float>(6, 5, engine)), {any, 6});
    all["mlp"] = sequential(nn::Mlp<float>({4, 8, 3}, nn::ActivationKind::gelu, engine), {4});
    all["nothing"] = sequential(Net(), {4});
    const nn::Conv2d<float> in_groups(4, 6, {3, 2}, engine, {{2, 1}, {1, 2}, {1, 2}, 2}, false);
    all["images"] = sequential(
        Net(nn::Conv2d<float>(2, 4, 3, engine, {.padding = 1}), nn::BatchNorm<float>(4), in_groups,
            nn::MaxPool2d<float>({2, 3}, 1, {1, 0}, {1, 2}), nn::AvgPool2d<float>(2, autograd::Extent{1, 2}, 1),
            nn::Dropout<float>(0.5, engine), nn::Flatten<float>()),
        {2, 9, 8});
    all["images of any size"] = sequential(
        Net(nn::Conv2d<float>(2, 3, 3, engine, {.padding = 1}), autograd::relu<float>, nn::GlobalAvgPool2d<float>()),
        {2, any, any});
    all["batch_norm of rows"] = sequential(Net(nn::BatchNorm<float>(5)), {5});
    all["batch_norm of lengths"] =
        sequential(Net(nn::BatchNorm<float>(3, {.epsilon = 1e-2, .affine = false})), {3, any});
    all["norms"] = sequential(
        Net(nn::LayerNorm<float>({4}), nn::LayerNorm<float>({3, 4}, 1e-2, false), nn::RmsNorm<float>({3, 4})),
        {2, 3, 4});
    for (const auto kind :
         {nn::ActivationKind::relu, nn::ActivationKind::tanh, nn::ActivationKind::sigmoid, nn::ActivationKind::gelu,
          nn::ActivationKind::silu, nn::ActivationKind::softplus, nn::ActivationKind::identity})
        all["activation " + std::string(nn::to_string(kind))] = sequential(Net(nn::Activation<float>(kind)), {3});
    all["functions"] =
        sequential(Net(autograd::sigmoid<float>, autograd::tanh<float>, autograd::exp<float>, autograd::log<float>,
                       autograd::abs<float>, autograd::sqrt<float>, autograd::sin<float>, autograd::cos<float>,
                       autograd::erf<float>, autograd::softplus<float>, autograd::gelu<float>, autograd::silu<float>),
                   {7});
    all["nonlinearities"] =
        sequential(Net(nn::Gelu<float>(), nn::Silu<float>(), nn::LeakyRelu<float>{0.1f}, nn::Elu<float>{0.7f}), {7});
    all["softmax"] = sequential(Net(nn::Softmax<float>{1}, nn::Softmax<float>()), {3, 4});
    all["embedding"] = sequential(Net(nn::Embedding<float>(7, 4, engine)), {any}, 7);
    all["rnn"] = sequential(Net(nn::Rnn<float>(3, 4, engine)), {any, 3});
    all["gru"] = sequential(Net(nn::Gru<float>(3, 4, engine)), {any, 3});
    all["lstm"] = sequential(Net(nn::Lstm<float>(3, 4, engine)), {any, 3});
    all["rnn, both ways"] = sequential(Net(nn::Rnn<float>(3, 4, engine, both)), {5, 3});
    all["gru, both ways"] = sequential(Net(nn::Gru<float>(3, 4, engine, both)), {5, 3});
    all["lstm, both ways"] = sequential(Net(nn::Lstm<float>(3, 4, engine, both)), {5, 3});
    all["rnn without a bias"] = sequential(Net(nn::Rnn<float>(3, 4, engine, bare)), {5, 3});
    all["gru without a bias"] = sequential(Net(nn::Gru<float>(3, 4, engine, bare)), {5, 3});
    all["lstm without a bias"] = sequential(Net(nn::Lstm<float>(3, 4, engine, bare)), {5, 3});
    all["rnn of different lengths"] = of_lengths(nn::Rnn<float>(3, 4, engine, both));
    all["gru of different lengths"] = of_lengths(nn::Gru<float>(3, 4, engine, both));
    all["lstm of different lengths"] = of_lengths(nn::Lstm<float>(3, 4, engine, both));
    all["attention"] = sequential(Net(nn::MultiHeadAttention<float>(6, 2, engine)), {any, 6});
    all["attention, causal"] = sequential(Net(nn::MultiHeadAttention<float>(6, 3, engine, causal)), {any, 6});
    all["attention to others"] = attention_to_others(nn::MultiHeadAttention<float>(4, 2, engine));
    all["attention to others, causal"] = attention_to_others(nn::MultiHeadAttention<float>(4, 2, engine, causal));
    all["blocks"] = with_a_block(Net(nn::Dense<float>(4, 4, engine), Block(4, engine), Block(4, engine)), {any, 4});
    const Net inside(nn::Embedding<float>(9, 6, engine), nn::LayerNorm<float>({6}));
    const nn::MultiHeadAttention<float> attention(6, 2, engine);
    all["text"] = sequential(Net(inside, attention, attention, nn::Gru<float>(6, 5, engine), nn::Flatten<float>(),
                                 nn::Mlp<float>({40, 8, 3}, nn::ActivationKind::tanh, engine), nn::Softmax<float>()),
                             {8}, 9);
    return all;
}

}  // namespace examples
