#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <autograd/operations.hpp>
#include <nn/initializers.hpp>
#include <nn/layers.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Parameter;
using autograd::Variable;

namespace {

// In the order of ActivationKind.
constexpr std::array<std::string_view, 7> names = {"relu", "tanh", "sigmoid", "gelu", "silu", "softplus", "identity"};

}  // namespace

ActivationKind activation_from_name(std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
        throw std::invalid_argument(
            fmt::format("there is no activation '{}'; there are {}", name, fmt::join(names, ", ")));
    return static_cast<ActivationKind>(found - names.begin());
}

std::string_view to_string(ActivationKind kind) { return names.at(static_cast<std::size_t>(kind)); }

template <class T>
Variable<T> Activation<T>::operator()(const Variable<T>& x) const {
    switch (kind_) {
        case ActivationKind::relu:
            return relu(x);
        case ActivationKind::tanh:
            return tanh(x);
        case ActivationKind::sigmoid:
            return sigmoid(x);
        case ActivationKind::gelu:
            return gelu(x);
        case ActivationKind::silu:
            return silu(x);
        case ActivationKind::softplus:
            return softplus(x);
        case ActivationKind::identity:
            break;
    }
    return x;
}

template <class T>
struct Dropout<T>::State {
    double rate;
    std::mt19937_64 engine;
    bool training = true;
    Array<T> mask = {};
};

template <class T>
Dropout<T>::Dropout(double rate, std::mt19937_64& engine) {
    if (!(rate >= 0 && rate < 1))
        throw std::invalid_argument(fmt::format("[dropout] the rate must be at least 0 and below 1, not {}", rate));
    state_ = std::make_shared<State>(State{rate, std::mt19937_64(engine())});
}

template <class T>
double Dropout<T>::rate() const {
    return state_->rate;
}

template <class T>
bool Dropout<T>::training() const {
    return state_->training;
}

template <class T>
void Dropout<T>::train(bool on) {
    state_->training = on;
}

template <class T>
Variable<T> Dropout<T>::operator()(const Variable<T>& x) const {
    State& state = *state_;
    if (!state.training || state.rate == 0) return x;
    const T kept = static_cast<T>(1 / (1 - state.rate));
    state.mask.resize(x.shape());
    for (T& factor : state.mask.storage()) factor = uniform(state.engine) < state.rate ? T(0) : kept;
    return x * x.tape().constant(state.mask);
}

template <class T>
Variable<T> Sequential<T>::operator()(const Variable<T>& x) const {
    Variable<T> y = x;
    for (std::size_t i = 0; i < layers_.size(); ++i)
        y = layers_[i]->is_compared.load(std::memory_order_relaxed) ? layers_[i]->call(y) : call_and_compare(i, y);
    return y;
}

template <class T>
Variable<T> Sequential<T>::call_and_compare(std::size_t layer, const Variable<T>& x) const {
    const auto& reel = autograd::Reel<T>::of(x.tape());
    const std::size_t before = reel.watched().size();
    const Variable<T> y = layers_[layer]->call(x);
    for (std::size_t i = before; i < reel.watched().size(); ++i) {
        const Parameter<T>& watched = reel.watched()[i].parameter;
        if (std::find(parameters_.begin(), parameters_.end(), watched) == parameters_.end())
            throw std::invalid_argument(fmt::format(
                "[sequential] layer {} watches the parameter '{}', which its parameters() does not list: it would be "
                "neither trained nor saved",
                layer, watched.shown_name()));
    }
    layers_[layer]->is_compared.store(true, std::memory_order_relaxed);
    return y;
}

template <class T>
void Sequential<T>::train(bool on) {
    for (const auto& layer : layers_) layer->train(on);
}

template <class T>
void Sequential<T>::append(std::shared_ptr<Slot> layer, std::vector<Parameter<T>> parameters) {
    for (auto parameter = parameters.begin(); parameter != parameters.end(); ++parameter)
        for (auto other = parameters.begin(); other != parameter; ++other)
            if (other->name() == parameter->name() && *other != *parameter)
                throw std::invalid_argument(fmt::format(
                    "[sequential] layer {} lists two parameters under the name '{}': name them by the layers "
                    "that they belong to, with nn::parameters_of",
                    layers_.size(), parameter->name()));
    const std::string prefix = std::to_string(layers_.size()) + ".";
    layers_.push_back(std::move(layer));
    for (Parameter<T>& parameter : parameters) {
        if (std::find(parameters_.begin(), parameters_.end(), parameter) != parameters_.end()) continue;
        parameter.rename(prefix + parameter.name());
        parameters_.push_back(std::move(parameter));
    }
}

template class Activation<float>;
template class Activation<double>;
template class Dropout<float>;
template class Dropout<double>;
template class Sequential<float>;
template class Sequential<double>;

}  // namespace nn
