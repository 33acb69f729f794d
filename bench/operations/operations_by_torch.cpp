// The table of operations once more, as libtorch's users write them.
#include <bench/operations/measured_operations.hpp>
#include <bench/torch_tensors.hpp>

namespace {

using torch::Tensor;

/// What operations need besides their inputs.
struct Given {
    Tensor mask, row_indices, column_indices;
    std::int64_t rows;
};

using Tensors = std::vector<Tensor>;
using Function = Tensor (*)(const Tensors& x, const Given& given);

const std::map<std::string, Function>& functions() {
    static const std::map<std::string, Function> table = {
        {"add", [](const Tensors& x, const Given&) { return x[0] + x[1]; }},
        {"sub", [](const Tensors& x, const Given&) { return x[0] - x[1]; }},
        {"mul", [](const Tensors& x, const Given&) { return x[0] * x[1]; }},
        {"div", [](const Tensors& x, const Given&) { return x[0] / x[1]; }},
        {"neg", [](const Tensors& x, const Given&) { return -x[0]; }},
        {"add scalar", [](const Tensors& x, const Given&) { return x[0] + 3.f; }},
        {"mul scalar", [](const Tensors& x, const Given&) { return x[0] * 3.f; }},
        {"div scalar", [](const Tensors& x, const Given&) { return x[0] / 3.f; }},
        {"scalar div", [](const Tensors& x, const Given&) { return 3.f / x[0]; }},
        {"exp", [](const Tensors& x, const Given&) { return torch::exp(x[0]); }},
        {"expm1", [](const Tensors& x, const Given&) { return torch::expm1(x[0]); }},
        {"log", [](const Tensors& x, const Given&) { return torch::log(x[0]); }},
        {"log1p", [](const Tensors& x, const Given&) { return torch::log1p(x[0]); }},
        {"sqrt", [](const Tensors& x, const Given&) { return torch::sqrt(x[0]); }},
        {"abs", [](const Tensors& x, const Given&) { return torch::abs(x[0]); }},
        {"sin", [](const Tensors& x, const Given&) { return torch::sin(x[0]); }},
        {"cos", [](const Tensors& x, const Given&) { return torch::cos(x[0]); }},
        {"tanh", [](const Tensors& x, const Given&) { return torch::tanh(x[0]); }},
        {"erf", [](const Tensors& x, const Given&) { return torch::erf(x[0]); }},
        {"sigmoid", [](const Tensors& x, const Given&) { return torch::sigmoid(x[0]); }},
        {"relu", [](const Tensors& x, const Given&) { return torch::relu(x[0]); }},
        {"softplus", [](const Tensors& x, const Given&) { return torch::softplus(x[0]); }},
        {"gelu", [](const Tensors& x, const Given&) { return torch::gelu(x[0]); }},
        {"silu", [](const Tensors& x, const Given&) { return torch::silu(x[0]); }},
        {"pow scalar", [](const Tensors& x, const Given&) { return torch::pow(x[0], 3); }},
        {"pow 2.5", [](const Tensors& x, const Given&) { return torch::pow(x[0], 2.5); }},
        {"pow", [](const Tensors& x, const Given&) { return torch::pow(x[0], x[1]); }},
        {"maximum", [](const Tensors& x, const Given&) { return torch::maximum(x[0], x[1]); }},
        {"minimum", [](const Tensors& x, const Given&) { return torch::minimum(x[0], x[1]); }},
        {"clip", [](const Tensors& x, const Given&) { return torch::clamp(x[0], -1, 1); }},
        {"where", [](const Tensors& x, const Given& given) { return torch::where(given.mask, x[0], x[1]); }},
        {"add row", [](const Tensors& x, const Given&) { return x[0] + x[1]; }},
        {"mul column", [](const Tensors& x, const Given&) { return x[0] * x[1]; }},
        {"sum", [](const Tensors& x, const Given&) { return x[0].sum(); }},
        {"mean", [](const Tensors& x, const Given&) { return x[0].mean(); }},
        {"sum axis 0", [](const Tensors& x, const Given&) { return x[0].sum(0); }},
        {"sum axis 1", [](const Tensors& x, const Given&) { return x[0].sum(1); }},
        {"prod", [](const Tensors& x, const Given&) { return x[0].prod(1); }},
        {"amax", [](const Tensors& x, const Given&) { return x[0].amax(1); }},
        {"amin", [](const Tensors& x, const Given&) { return x[0].amin(1); }},
        {"norm", [](const Tensors& x, const Given&) { return torch::linalg_vector_norm(x[0], 2, {1}); }},
        {"variance", [](const Tensors& x, const Given&) { return x[0].var(1, /*unbiased=*/false); }},
        {"logsumexp", [](const Tensors& x, const Given&) { return torch::logsumexp(x[0], 1); }},
        {"softmax", [](const Tensors& x, const Given&) { return torch::softmax(x[0], 1); }},
        {"log_softmax", [](const Tensors& x, const Given&) { return torch::log_softmax(x[0], 1); }},
        // A transposed tensor is a view: contiguous() makes what the others make.
        {"transpose", [](const Tensors& x, const Given&) { return x[0].t().contiguous(); }},
        {"concatenate", [](const Tensors& x, const Given&) { return torch::cat(x, 1); }},
        {"slice",
         [](const Tensors& x, const Given&) { return x[0].slice(1, columns / 4, columns * 3 / 4).contiguous(); }},
        {"take rows",
         [](const Tensors& x, const Given& given) { return torch::index_select(x[0], 0, given.row_indices); }},
        {"take_along_axis",
         [](const Tensors& x, const Given& given) { return torch::gather(x[0], 1, given.column_indices); }},
        {"broadcast_to",
         [](const Tensors& x, const Given& given) {
             return x[0].expand({given.rows, columns}).contiguous();
         }},
    };
    return table;
}

class ByTorch : public OperationSide {
  public:
    ByTorch(const std::string& name, std::span<const autograd::Parameter<float>> inputs, Data& data)
        : function_(functions().at(name)) {
        given_ = {tensor_of(data.mask).to(torch::kBool), tensor_of(data.row_indices), tensor_of(data.column_indices),
                  static_cast<std::int64_t>(data.rows)};
        for (const auto& input : inputs) x_.push_back(tensor_of(input.value()).requires_grad_());
        forward();
        seed_ = tensor_of(data.seed(autograd::Shape(z_.sizes().begin(), z_.sizes().end())));
    }
    void forward() override {
        torch::InferenceMode guard;
        z_ = function_(x_, given_);
    }
    void forward_and_backward() override {
        z_ = function_(x_, given_);
        gradients_ = torch::autograd::grad({z_}, x_, {seed_});
        // That of a sum is a view of one number: contiguous() makes an array, as the others do.
        for (Tensor& gradient : gradients_) gradient = gradient.contiguous();
    }
    std::vector<std::span<const float>> results() const override {
        std::vector<std::span<const float>> all = {numbers_of(z_)};
        for (const Tensor& gradient : gradients_) all.push_back(numbers_of(gradient));
        return all;
    }

  private:
    Function function_;
    Given given_;
    Tensors x_, gradients_;
    Tensor z_, seed_;
};

}  // namespace

std::unique_ptr<OperationSide> operation_by_torch(const std::string& name,
                                                  std::span<const autograd::Parameter<float>> inputs, Data& data) {
    return std::make_unique<ByTorch>(name, inputs, data);
}
