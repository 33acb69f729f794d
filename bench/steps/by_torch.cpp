// The same network with libtorch's C++ interface, as its documentation writes it.
#include <torch/torch.h>
#include <torch/version.h>

#include <bench/steps/cases.hpp>

namespace {

template <class T>
struct ByTorch : Side {
    explicit ByTorch(const Case& c) : problem(c), inference(c.optimizer == "none") {
        const auto type = sizeof(T) == 4 ? torch::kFloat32 : torch::kFloat64;
        for (std::size_t l = 0; l + 1 < c.widths.size(); ++l) {
            torch::nn::Linear layer(static_cast<std::int64_t>(c.widths[l]), static_cast<std::int64_t>(c.widths[l + 1]));
            layer->to(type);
            torch::NoGradGuard guard;
            for (std::size_t k : {0, 1}) {
                auto value = problem.network.parameters()[2 * l + k].value();
                torch::Tensor tensor = k == 0 ? layer->weight : layer->bias;
                tensor.copy_(torch::from_blob(value.data(), tensor.sizes(), type));
            }
            network->push_back(layer);
            if (l + 2 == c.widths.size()) break;
            if (c.activation == nn::ActivationKind::relu)
                network->push_back(torch::nn::ReLU());
            else
                network->push_back(torch::nn::Tanh());
        }
        x = torch::from_blob(problem.x.data(),
                             {static_cast<std::int64_t>(c.batch), static_cast<std::int64_t>(c.widths.front())}, type);
        labels = torch::from_blob(problem.labels.data(), {static_cast<std::int64_t>(c.batch)}, torch::kInt64);
        if (c.optimizer == "adam")
            optimizer =
                std::make_unique<torch::optim::Adam>(network->parameters(), torch::optim::AdamOptions(learning_rate));
        else
            optimizer = std::make_unique<torch::optim::SGD>(
                network->parameters(),
                torch::optim::SGDOptions(learning_rate).momentum(c.optimizer == "momentum" ? momentum : 0));
    }

    double step() override {
        if (inference) {
            torch::InferenceMode guard;
            return network->forward(x).template data_ptr<T>()[0];
        }
        optimizer->zero_grad();
        const auto loss = torch::nn::functional::cross_entropy(network->forward(x), labels);
        loss.backward();
        optimizer->step();
        return loss.template item<double>();
    }

    Problem<T> problem;
    bool inference;
    torch::nn::Sequential network;
    torch::Tensor x, labels;
    std::unique_ptr<torch::optim::Optimizer> optimizer;
};

}  // namespace

template <class T>
std::unique_ptr<Side> by_torch(const Case& c) {
    return std::make_unique<ByTorch<T>>(c);
}
template std::unique_ptr<Side> by_torch<float>(const Case&);
template std::unique_ptr<Side> by_torch<double>(const Case&);

void set_torch_threads(int threads) { at::set_num_threads(threads); }
std::string torch_version() { return TORCH_VERSION; }
