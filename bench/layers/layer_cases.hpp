// What is measured: layers and whole networks at some sizes, each side given the same numbers.
#pragma once

#include <autograd/array.hpp>
#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

struct LayerCase {
    std::string layer;  ///< its row in the table of each side
    std::string size;   ///< "16x14x14, kernel 3, batch 32"
    autograd::Shape x;  ///< of the input
    /// What else there is to say: a convolution's outputs and kernel, an embedding's width, the hidden units of a
    /// recurrent layer, the heads of an attention.
    std::vector<std::size_t> sizes = {};
    std::size_t words = 0;    ///< above 0: the input are as many words
    std::size_t classes = 0;  ///< above 0: it is a network, and learns to tell as many
    bool is_loss = false;     ///< it is a network whose result is its loss already

    bool is_network() const { return classes > 0 || is_loss; }
};

/// A layer or a network.
struct Model {
    std::function<autograd::Variable<float>(const autograd::Variable<float>& x, const autograd::Indices& words)> f;
    std::vector<autograd::Parameter<float>> parameters = {};  ///< PyTorch's, in its order
};

/// The model of a case, as a user of deltarule writes it.
Model model_of_case(const LayerCase& what, std::mt19937_64& engine);

/// What a side begins with: the same numbers each time it is made.
struct LayerProblem {
    explicit LayerProblem(const LayerCase& what);

    LayerCase what;
    Model model;
    autograd::Array<float> x;
    autograd::Indices words, labels;
    autograd::Array<float> seed;  ///< the adjoint of a layer's result
};

/// One way to do it.
struct LayerSide {
    virtual ~LayerSide() = default;
    /// The inference of a network.
    virtual void forward() = 0;
    /// Every gradient of a layer; a step of a network, with `Sgd` and the cross-entropy or a loss of its own.
    virtual void forward_and_backward() = 0;
    /// What the last run gave: the result, and behind it the gradients by x and by the parameters, or the parameters
    /// of a network.
    virtual std::vector<std::span<const float>> results() const = 0;
};

inline constexpr double rate_of_networks = 1e-2;

std::unique_ptr<LayerSide> layer_by_tape(const LayerCase& what);
/// Where libtorch was found.
std::unique_ptr<LayerSide> layer_by_torch(const LayerCase& what);
