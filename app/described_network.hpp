// Networks that a line describes: "conv 16 3, relu, maxpool 2, flatten, dense 64, relu, dense".
#pragma once

#include <autograd/window.hpp>
#include <nn/layers.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

enum class LayerKind {
    dense,
    conv,
    maxpool,
    avgpool,
    globalavgpool,
    flatten,
    unflatten,
    batchnorm,
    layernorm,
    rmsnorm,
    dropout,
    leakyrelu,
    elu,
    activation
};

/// A layer as the line has it.
struct DescribedLayer {
    std::string text;  // "conv 16 3 stride 2"
    LayerKind kind{};
    autograd::Shape in, out;  // of one example: (numbers,), or (channels, height, width) of a picture

    std::size_t outputs = 0;     // of dense and conv
    autograd::Window window{1};  // of conv and the pools
    std::size_t groups = 1;      // of conv
    double number = 0;           // dropout's rate, leakyrelu's slope, elu's alpha
    nn::ActivationKind activation = nn::ActivationKind::identity;
};

/// The words of a line and what may stand behind each: "conv OUTPUTS KERNEL [stride S] ...".
std::vector<std::string> layer_usages();

/// What a line describes, for examples of the shape `input` and so many numbers that go out; a last `dense` without a
/// number makes them. Throws `std::invalid_argument`, with the layer's number from 0, its text and the shapes, where a
/// word is unknown, a number is none or cannot be, or a layer does not fit what comes before it.
std::vector<DescribedLayer> read_layers(std::string_view line, const autograd::Shape& input, std::size_t outputs);

/// The line of a multilayer perceptron: "dense 16, relu, dense".
std::string perceptron_line(const std::vector<std::size_t>& hidden, nn::ActivationKind activation);

/// Names, as PyTorch's state_dict has them, and shapes of what the layers hold.
std::vector<std::pair<std::string, autograd::Shape>> arrays_of(const std::vector<DescribedLayer>& layers);

/// A network and what describes it. It evaluates, unless a scope says that it trains.
template <class T>
class DescribedNetwork {
  public:
    /// `layers` are those of `read_layers` for this input.
    DescribedNetwork(std::vector<DescribedLayer> layers, autograd::Shape input, std::mt19937_64& engine);

    /// x holds an example in each row, (n, numbers).
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

    const std::vector<autograd::Parameter<T>>& parameters() const { return network_.parameters(); }
    const nn::Sequential<T>& sequential() const { return network_; }
    const std::vector<DescribedLayer>& layers() const { return layers_; }
    const autograd::Shape& input() const { return input_; }

    /// "conv 16 3, relu, ..., dense 10".
    std::string line() const;

    /// Its widths, where it is a multilayer perceptron: dense layers with one activation between them.
    std::optional<std::vector<std::size_t>> widths() const;
    /// What stands between these; identity where nothing does.
    nn::ActivationKind activation() const;

    /// What it is called: "a network of 4-16-3", or of its line.
    std::string name() const;

    /// So many rows at once take some tens of megabytes in each layer, and 1024 at most.
    std::size_t rows_at_once() const;

  private:
    std::vector<DescribedLayer> layers_;
    autograd::Shape input_;
    nn::Sequential<T> network_;
};

using Network = DescribedNetwork<float>;

/// The same for a network that is not made yet.
std::string network_name(const std::vector<DescribedLayer>& layers);

/// How many numbers a shape has, however many.
double number_of(const autograd::Shape& shape);
