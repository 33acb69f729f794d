// The tables of layers and networks once more, with libtorch's functions.
#include <bench/layers/layer_cases.hpp>
#include <bench/torch_tensors.hpp>
#include <cmath>
#include <map>

namespace {

using torch::Tensor;
using Tensors = std::vector<Tensor>;

/// What stands in a network reads its parameters one after the other.
struct Given {
    const LayerCase& what;
    const Tensors& parameters;
    std::size_t position = 0;

    const Tensor& next() { return parameters[position++]; }
};

/// Weight and bias are given to f in their order, whatever the compiler's for arguments.
template <class F>
Tensor with_weight_and_bias(Given& given, F f) {
    const Tensor &weight = given.next(), &bias = given.next();
    return f(weight, bias);
}

Tensor linear(const Tensor& x, Given& given) {
    return with_weight_and_bias(given, [&](auto& w, auto& b) { return torch::linear(x, w, b); });
}

Tensor convolution(const Tensor& x, Given& given, std::int64_t padding) {
    return with_weight_and_bias(given, [&](auto& w, auto& b) { return torch::conv2d(x, w, b, 1, padding); });
}

Tensor layer_norm(const Tensor& x, Given& given) {
    return with_weight_and_bias(given, [&](auto& w, auto& b) { return torch::layer_norm(x, {x.size(-1)}, w, b); });
}

Tensor attention(const Tensor& x, Given& given, std::int64_t heads, bool causal) {
    const auto n = x.size(0), places = x.size(1), width = x.size(2);
    const Tensors parts = linear(x, given).view({n, places, 3, heads, width / heads}).permute({2, 0, 3, 1, 4}).unbind();
    const Tensor seen = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], {}, 0, causal);
    return linear(seen.transpose(1, 2).reshape({n, places, width}), given);
}

template <class F>
Tensor recurrent(const Tensor& x, const Given& given, F f) {
    const auto layers = static_cast<std::int64_t>(given.parameters.size() / 4);
    const Tensor start = torch::zeros({layers, x.size(0), given.parameters[1].size(1)});
    const Tensors parameters(given.parameters.begin(), given.parameters.begin() + 4 * layers);
    return f(start, parameters, layers);
}

Tensor gru(const Tensor& x, Given& given) {
    return recurrent(x, given, [&](auto& start, auto& parameters, auto layers) {
        given.position = parameters.size();
        return std::get<0>(torch::gru(x, start, parameters, true, layers, 0, true, false, true));
    });
}

/// As it stands in layers_by_tape.cpp.
Tensor loss_of_heat(const Tensor& x, Given& given) {
    const auto u = [&](const Tensor& z) {
        given.position = 0;
        const Tensor hidden = torch::tanh(linear(torch::tanh(linear(z, given)), given));
        return linear(hidden, given);
    };
    const auto column = [](const Tensor& z, std::int64_t k) { return z.narrow(1, k, 1); };
    const Tensor points = x.clone().requires_grad_();
    const auto gradient = [&](const Tensor& y) {
        return torch::autograd::grad({y.sum()}, {points}, {}, true, true)[0];
    };
    const Tensor first = gradient(u(points)), second = gradient(column(first, 1));

    const Tensor some = x.narrow(0, 0, 64), only_t = torch::tensor({1.f, 0.f}), only_x = torch::tensor({0.f, 1.f});
    const Tensor zero = some * only_t;
    const Tensor start = torch::mse_loss(u(some * only_x), torch::sin(M_PI * column(some, 1)));
    const Tensor ends = u(zero).pow(2).mean() + u(zero + only_x).pow(2).mean();
    return (column(first, 0) - column(second, 1) / 10).pow(2).mean() + start + ends;
}

std::int64_t size(const Given& given, std::size_t k) { return static_cast<std::int64_t>(given.what.sizes[k]); }

using Function = Tensor (*)(const Tensor& x, Given& given);

const std::map<std::string, Function>& functions() {
    static const std::map<std::string, Function> table = {
        {"conv2d", [](const Tensor& x, Given& given) { return convolution(x, given, size(given, 1) / 2); }},
        {"max_pool2d", [](const Tensor& x, Given&) { return torch::max_pool2d(x, 2); }},
        {"avg_pool2d", [](const Tensor& x, Given&) { return torch::avg_pool2d(x, 2); }},
        {"global_avg_pool2d",
         [](const Tensor& x, Given&) {
             return torch::mean(x, {2, 3});
         }},
        {"dense", linear},
        {"leaky_relu", [](const Tensor& x, Given&) { return torch::leaky_relu(x); }},
        {"elu", [](const Tensor& x, Given&) { return torch::elu(x); }},
        {"batch_norm",
         [](const Tensor& x, Given& given) {
             const Tensors& p = given.parameters;
             return torch::batch_norm(x, p[0], p[1], p[2], p[3], true, 0.1, 1e-5, false);
         }},
        {"layer_norm", layer_norm},
        {"rms_norm", [](const Tensor& x, Given& given) { return torch::rms_norm(x, {x.size(-1)}, given.next()); }},
        {"embedding", [](const Tensor& x, Given& given) { return torch::embedding(given.next(), x); }},
        {"rnn",
         [](const Tensor& x, Given& given) {
             return recurrent(x, given, [&](auto& start, auto& parameters, auto layers) {
                 return std::get<0>(torch::rnn_tanh(x, start, parameters, true, layers, 0, true, false, true));
             });
         }},
        {"gru", gru},
        {"lstm",
         [](const Tensor& x, Given& given) {
             return recurrent(x, given, [&](auto& start, auto& parameters, auto layers) {
                 return std::get<0>(torch::lstm(x, {start, start}, parameters, true, layers, 0, true, false, true));
             });
         }},
        {"multi_head_attention",
         [](const Tensor& x, Given& given) { return attention(x, given, size(given, 0), false); }},
        {"lenet-5",
         [](const Tensor& x, Given& given) {
             Tensor z = torch::avg_pool2d(torch::tanh(convolution(x, given, 2)), 2);
             z = torch::avg_pool2d(torch::tanh(convolution(z, given, 0)), 2);
             z = torch::tanh(linear(z.flatten(1), given));
             return linear(torch::tanh(linear(z, given)), given);
         }},
        {"six convolutions",
         [](const Tensor& x, Given& given) {
             Tensor z = x;
             for (int i = 0; i < 6; ++i) {
                 z = torch::relu(convolution(z, given, 1));
                 if (i % 2 == 1) z = torch::max_pool2d(z, 2);
             }
             return linear(z.flatten(1), given);
         }},
        {"two-layer gru", [](const Tensor& x, Given& given) { return linear(gru(x, given).select(1, -1), given); }},
        {"two-block transformer",
         [](const Tensor& x, Given& given) {
             Tensor z = torch::embedding(given.next(), x);
             z = z + given.next();
             for (int i = 0; i < 2; ++i) {
                 z = z + attention(layer_norm(z, given), given, 4, true);
                 const Tensor y = layer_norm(z, given);
                 z = z + linear(torch::gelu(linear(y, given)), given);
             }
             return linear(layer_norm(z, given), given).flatten(0, 1);
         }},
        {"equation of heat", loss_of_heat},
    };
    return table;
}

class ByTorch : public LayerSide {
  public:
    explicit ByTorch(const LayerCase& what)
        : problem_(what),
          function_(functions().at(what.layer)),
          x_(what.words > 0 ? tensor_of(problem_.words) : tensor_of(problem_.x)),
          labels_(tensor_of(problem_.labels)),
          seed_(tensor_of(problem_.seed)) {
        for (const auto& parameter : problem_.model.parameters) {
            parameters_.push_back(tensor_of(parameter.value()).clone());
            if (!parameter.is_buffer()) wanted_.push_back(parameters_.back().requires_grad_());
        }
        if (what.is_network()) {
            optimizer_ = std::make_unique<torch::optim::SGD>(wanted_, rate_of_networks);
        } else if (what.words == 0) {
            wanted_.insert(wanted_.begin(), x_.requires_grad_());
        }
    }
    void forward() override {
        torch::InferenceMode guard;
        z_ = call();
    }
    void forward_and_backward() override {
        z_ = call();
        if (optimizer_ == nullptr) {
            gradients_ = torch::autograd::grad({z_}, wanted_, {seed_});
            for (Tensor& gradient : gradients_) gradient = gradient.contiguous();
            return;
        }
        optimizer_->zero_grad();
        if (!problem_.what.is_loss) z_ = torch::nn::functional::cross_entropy(z_, labels_);
        z_.backward();
        optimizer_->step();
    }
    std::vector<std::span<const float>> results() const override {
        std::vector<std::span<const float>> all = {numbers_of(z_)};
        for (const Tensor& result : gradients_.empty() ? parameters_ : gradients_) all.push_back(numbers_of(result));
        return all;
    }

  private:
    Tensor call() {
        Given given{problem_.what, parameters_};
        return function_(x_, given).contiguous();  // that of a recurrent layer is a view
    }

    LayerProblem problem_;
    Function function_;
    Tensor x_, labels_, seed_, z_;
    Tensors parameters_, wanted_, gradients_;
    std::unique_ptr<torch::optim::SGD> optimizer_;
};

}  // namespace

std::unique_ptr<LayerSide> layer_by_torch(const LayerCase& what) { return std::make_unique<ByTorch>(what); }
