// Layers and networks with deltarule, as a user writes them.
#include <autograd/grad.hpp>
#include <autograd/operations.hpp>
#include <bench/layers/layer_cases.hpp>
#include <functional>
#include <map>
#include <nn/nn.hpp>
#include <numbers>
#include <optional>

namespace {

using autograd::Indices;
using autograd::Parameter;
using autograd::Variable;

template <class L>
Model model_of(L layer) {
    nn::train_parts(true, layer);
    Model model{[layer](const Variable<float>& x, const Indices&) { return layer(x); }};
    if constexpr (requires { layer.parameters(); }) model.parameters = layer.parameters();
    return model;
}

/// x + attention, x + two dense layers, each of what was normalised before.
struct Block {
    Block(std::size_t width, std::size_t heads, std::mt19937_64& engine)
        : norm1({width}),
          norm2({width}),
          attention(width, heads, engine, {.causal = true}),
          inner(width, 4 * width, engine),
          outer(4 * width, width, engine) {}
    Variable<float> operator()(const Variable<float>& x) const {
        const Variable<float> y = x + attention(norm1(x));
        return y + outer(gelu(inner(norm2(y))));
    }
    std::vector<Parameter<float>> parameters() const {
        return nn::parameters_of<float>("norm1", norm1, "attention", attention, "norm2", norm2, "inner", inner, "outer",
                                        outer);
    }
    nn::LayerNorm<float> norm1, norm2;
    nn::MultiHeadAttention<float> attention;
    nn::Dense<float> inner, outer;
};

/// Each token's next.
struct Transformer {
    Transformer(std::size_t words, std::size_t width, std::size_t places, std::mt19937_64& engine)
        : tokens(words, width, engine), positions(places, width, engine), norm({width}), out(width, words, engine) {
        for (int i = 0; i < 2; ++i) blocks.emplace_back(width, 4, engine);
    }
    Variable<float> operator()(autograd::Tape<float>& tape, const Indices& words) const {
        Variable<float> z = tokens(tape, words) + tape.watch(positions.weight);
        for (const Block& block : blocks) z = block(z);
        const Variable<float> logits = out(norm(z));
        return reshape(logits, autograd::Shape{words.size(), logits.shape()[2]});
    }
    std::vector<Parameter<float>> parameters() const {
        return nn::parameters_of<float>("tokens", tokens, "positions", positions, "blocks", blocks, "norm", norm, "out",
                                        out);
    }
    nn::Embedding<float> tokens, positions;
    std::vector<Block> blocks;
    nn::LayerNorm<float> norm;
    nn::Dense<float> out;
};

/// What is left of u_t = u_xx / 10 at points (t, x), and of the values at the start and the ends of a rod, as in
/// examples/physics.cpp.
Variable<float> loss_of_heat(const nn::Mlp<float>& u, const Variable<float>& given) {
    static const autograd::Array<float> only_t = {1, 0}, only_x = {0, 1};
    const auto points = given.tape().variable(given.value());
    const auto column = [](const Variable<float>& z, std::ptrdiff_t k) { return slice(z, 1, k, k + 1); };
    const auto first = grad(sum(u(points)), points);
    const auto second = grad(sum(column(first, 1)), points);

    const auto some = slice(given, 0, 0, 64), zero = some * only_t;
    const auto start = mean_squared_error(u(some * only_x), sin(std::numbers::pi_v<float> * column(some, 1)));
    const auto ends = mean(pow(u(zero), 2)) + mean(pow(u(zero + only_x), 2));
    return mean(pow(column(first, 0) - column(second, 1) / 10, 2)) + start + ends;
}

nn::Conv2d<float> same(std::size_t in, std::size_t out, std::size_t kernel, std::mt19937_64& engine) {
    const auto size = static_cast<std::ptrdiff_t>(kernel);
    return {in, out, size, engine, {.padding = size / 2}};
}

const std::map<std::string, Model (*)(const LayerCase&, std::mt19937_64&)>& models() {
    using Engine = std::mt19937_64;
    static const std::map<std::string, Model (*)(const LayerCase&, Engine&)> table = {
        {"conv2d",
         [](const LayerCase& c, Engine& engine) { return model_of(same(c.x[1], c.sizes[0], c.sizes[1], engine)); }},
        {"max_pool2d", [](const LayerCase&, Engine&) { return model_of(nn::MaxPool2d<float>(2)); }},
        {"avg_pool2d", [](const LayerCase&, Engine&) { return model_of(nn::AvgPool2d<float>(2)); }},
        {"global_avg_pool2d", [](const LayerCase&, Engine&) { return model_of(nn::GlobalAvgPool2d<float>()); }},
        {"dense",
         [](const LayerCase& c, Engine& engine) { return model_of(nn::Dense<float>(c.x.back(), c.x.back(), engine)); }},
        {"leaky_relu", [](const LayerCase&, Engine&) { return model_of(nn::LeakyRelu<float>()); }},
        {"elu", [](const LayerCase&, Engine&) { return model_of(nn::Elu<float>()); }},
        {"batch_norm", [](const LayerCase& c, Engine&) { return model_of(nn::BatchNorm<float>(c.x[1])); }},
        {"layer_norm", [](const LayerCase& c, Engine&) { return model_of(nn::LayerNorm<float>({c.x.back()})); }},
        {"rms_norm", [](const LayerCase& c, Engine&) { return model_of(nn::RmsNorm<float>({c.x.back()})); }},
        {"embedding",
         [](const LayerCase& c, Engine& engine) {
             const nn::Embedding<float> layer(c.words, c.sizes[0], engine);
             return Model{[layer](const Variable<float>& x, const Indices& words) { return layer(x.tape(), words); },
                          layer.parameters()};
         }},
        {"rnn",
         [](const LayerCase& c, Engine& engine) { return model_of(nn::Rnn<float>(c.x[2], c.sizes[0], engine)); }},
        {"gru",
         [](const LayerCase& c, Engine& engine) { return model_of(nn::Gru<float>(c.x[2], c.sizes[0], engine)); }},
        {"lstm",
         [](const LayerCase& c, Engine& engine) { return model_of(nn::Lstm<float>(c.x[2], c.sizes[0], engine)); }},
        {"multi_head_attention",
         [](const LayerCase& c, Engine& engine) {
             return model_of(nn::MultiHeadAttention<float>(c.x[2], c.sizes[0], engine));
         }},
        {"lenet-5",
         [](const LayerCase& c, Engine& engine) {
             return model_of(nn::Sequential<float>(
                 same(1, 6, 5, engine), autograd::tanh<float>, nn::AvgPool2d<float>(2),
                 nn::Conv2d<float>(6, 16, 5, engine), autograd::tanh<float>, nn::AvgPool2d<float>(2),
                 nn::Flatten<float>(), nn::Dense<float>(400, 120, engine), autograd::tanh<float>,
                 nn::Dense<float>(120, 84, engine), autograd::tanh<float>, nn::Dense<float>(84, c.classes, engine)));
         }},
        {"six convolutions",
         [](const LayerCase& c, Engine& engine) {
             nn::Sequential<float> network;
             for (std::size_t in = c.x[1], out = 32; out <= 128; in = out, out *= 2) {
                 network.add(same(in, out, 3, engine));
                 network.add(autograd::relu<float>);
                 network.add(same(out, out, 3, engine));
                 network.add(autograd::relu<float>);
                 network.add(nn::MaxPool2d<float>(2));
             }
             network.add(nn::Flatten<float>());
             network.add(nn::Dense<float>(128 * 4 * 4, c.classes, engine));
             return model_of(network);
         }},
        {"two-layer gru",
         [](const LayerCase& c, Engine& engine) {
             const nn::Gru<float> gru(c.x[2], 128, engine, {.layers = 2});
             const nn::Dense<float> out(128, c.classes, engine);
             return Model{
                 [gru, out](const Variable<float>& x, const Indices&) {
                     const auto steps = static_cast<std::ptrdiff_t>(x.shape()[1]);
                     return out(reshape(slice(gru(x), 1, steps - 1, steps), autograd::Shape{x.shape()[0], 128}));
                 },
                 nn::parameters_of<float>("gru", gru, "out", out)};
         }},
        {"two-block transformer",
         [](const LayerCase& c, Engine& engine) {
             const Transformer network(c.words, 128, c.x[1], engine);
             return Model{
                 [network](const Variable<float>& x, const Indices& words) { return network(x.tape(), words); },
                 network.parameters()};
         }},
        {"equation of heat",
         [](const LayerCase&, Engine& engine) {
             const nn::Mlp<float> model({2, 24, 24, 1}, nn::ActivationKind::tanh, engine);
             return Model{[model](const Variable<float>& x, const Indices&) { return loss_of_heat(model, x); },
                          model.parameters()};
         }},
    };
    return table;
}

class ByTape : public LayerSide {
  public:
    explicit ByTape(const LayerCase& what) : problem_(what) {
        if (what.is_network()) optimizer_.emplace(problem_.model.parameters, nn::SgdOptions{.rate = rate_of_networks});
    }
    void forward() override {
        tape_.rewind();
        if (!problem_.what.is_network()) return record();
        const auto pause = tape_.pause();
        record();
    }
    void forward_and_backward() override {
        tape_.rewind();
        record();
        gradients_.reset();  // its buffers are the next ones
        if (optimizer_) {
            if (!problem_.what.is_loss) z_ = softmax_cross_entropy(z_, problem_.labels);
            optimizer_->step(tape_.backward(z_));
        } else {
            gradients_.emplace(tape_.backward(z_, problem_.seed));
        }
    }
    std::vector<std::span<const float>> results() const override {
        const auto numbers = [](const autograd::Array<float>& array) { return std::span(array.data(), array.size()); };
        std::vector<std::span<const float>> all = {numbers(z_.value())};
        if (gradients_ && problem_.what.words == 0) all.push_back(numbers((*gradients_)[x_]));
        for (const auto& parameter : problem_.model.parameters)
            if (!gradients_)
                all.push_back(numbers(parameter.value()));
            else if (!parameter.is_buffer())
                all.push_back(numbers((*gradients_)[parameter]));
        return all;
    }

  private:
    void record() {
        const bool wants_gradient = !problem_.what.is_network() && problem_.what.words == 0;
        x_ = wants_gradient ? tape_.watch(given_) : tape_.constant(problem_.x);
        z_ = problem_.model.f(x_, problem_.words);
    }

    LayerProblem problem_;
    Parameter<float> given_{"x", problem_.x};
    autograd::Tape<float> tape_;
    Variable<float> x_, z_;
    std::optional<nn::Sgd<float>> optimizer_;
    std::optional<autograd::Gradients<float>> gradients_;
};

}  // namespace

Model model_of_case(const LayerCase& what, std::mt19937_64& engine) { return models().at(what.layer)(what, engine); }

std::unique_ptr<LayerSide> layer_by_tape(const LayerCase& what) { return std::make_unique<ByTape>(what); }
