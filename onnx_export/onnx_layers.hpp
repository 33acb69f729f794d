// The layers of nn as ONNX, as they evaluate: one function for each.
#pragma once

#include <nn/nn.hpp>
#include <onnx_export/onnx_graph.hpp>
#include <string>

namespace onnx_export {

std::string apply(Graph& graph, const nn::Dense<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Conv2d<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::MaxPool2d<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::AvgPool2d<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::GlobalAvgPool2d<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Flatten<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::BatchNorm<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::LayerNorm<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::RmsNorm<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Activation<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Gelu<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Silu<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::LeakyRelu<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Elu<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Softmax<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Dropout<float>& layer, const std::string& x);  ///< x

/// The words are of int64; one that is not among the layer's is an error of the run.
std::string apply(Graph& graph, const nn::Embedding<float>& layer, const std::string& words);

/// The arrays of `nn::RecurrentState`; no `cell` but for an `Lstm`.
struct State {
    std::string hidden, cell;
};
struct Recurrence {
    std::string output;
    State state;
};

/// From a state of zeros on, unless `start` has others. `lengths` (n,), of int64, are the sequences', unless it is
/// empty; one that is not from 0 to the number of steps is an error of the run.
Recurrence run(Graph& graph, const nn::Rnn<float>& layer, const std::string& x, const std::string& lengths = {},
               const State& start = {});
Recurrence run(Graph& graph, const nn::Gru<float>& layer, const std::string& x, const std::string& lengths = {},
               const State& start = {});
Recurrence run(Graph& graph, const nn::Lstm<float>& layer, const std::string& x, const std::string& lengths = {},
               const State& start = {});
std::string apply(Graph& graph, const nn::Rnn<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Gru<float>& layer, const std::string& x);
std::string apply(Graph& graph, const nn::Lstm<float>& layer, const std::string& x);

std::string apply(Graph& graph, const nn::MultiHeadAttention<float>& layer, const std::string& x);
/// `lengths` (n,), of int64, are those of the keys' sequences, unless it is empty; one that is not from 0 to the
/// number of their places is an error of the run.
std::string apply(Graph& graph, const nn::MultiHeadAttention<float>& layer, const std::string& query,
                  const std::string& key, const std::string& value, const std::string& lengths = {});

/// Its layers, which may be those above, a `Sequential`, an `Mlp`, or a function of `autograd` such as
/// `autograd::relu<float>`. Throws `std::invalid_argument` with the number and the name of another.
std::string apply(Graph& graph, const nn::Sequential<float>& network, const std::string& x);
/// Its layer number i alone.
std::string apply(Graph& graph, const nn::Sequential<float>& network, std::size_t i, const std::string& x);

/// A network as a file of ONNX. `row` is the shape of one row of its input `x`, where the length of an axis may be
/// `any`; the number of rows is free. `x` is of float32, and of int64 where an `Embedding` stands first; the output is
/// `y`, of float32. The network is run for its shape, with `any` from 64 to 970, and throws where it takes no such
/// rows.
std::string bytes_of(const nn::Sequential<float>& network, const Lengths& row);

/// Writes it, whole or not at all. Throws `autograd::FileError` where it cannot be written.
///
///     onnx_export::save("net.onnx", net, {1, 28, 28});
void save(const std::string& path, const nn::Sequential<float>& network, const Lengths& row);

}  // namespace onnx_export
