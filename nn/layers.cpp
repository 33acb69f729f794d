#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cxxabi.h>
#include <algorithm>
#include <array>
#include <autograd/operations.hpp>
#include <cstdlib>
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

std::string readable_name(const std::type_info& type) {
    int status = 0;
    char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
    std::string name = status == 0 ? text : type.name();
    std::free(text);
    const std::string anonymous = "(anonymous namespace)::";
    for (std::size_t at; (at = name.find(anonymous)) != std::string::npos;) name.erase(at, anonymous.size());
    if (name.find_first_of("({*") != std::string::npos) return "function";
    name = name.substr(0, name.find('<'));
    return name.substr(name.rfind(':') + 1);
}

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
    TrainingSwitch mode{"dropout"};
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
    return state_->mode.training();
}

template <class T>
void Dropout<T>::train(bool on) {
    state_->mode.train(on);
}

template <class T>
Variable<T> Dropout<T>::operator()(const Variable<T>& x) const {
    State& state = *state_;
    if (!state.mode.trains(x.tape()) || state.rate == 0) return x;
    const T kept = static_cast<T>(1 / (1 - state.rate));
    state.mask.resize(x.shape());
    std::mt19937_64* given = ModeScope::engine_of(&x.tape());
    std::mt19937_64& engine = given == nullptr ? state.engine : *given;
    for (T& factor : state.mask.storage()) factor = uniform(engine) < state.rate ? T(0) : kept;
    return x * x.tape().constant(state.mask);
}

template <class T>
Variable<T> Sequential<T>::operator()(const Variable<T>& x) const {
    Variable<T> y = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const bool is_compared = layers_[i]->is_compared.load(std::memory_order_relaxed);
        const autograd::Tape<T>& tape = x.tape();
        const std::size_t before = autograd::Reel<T>::of(tape).watched().size();
        y = named(i, [&](Slot& layer) { return layer.call(y); });
        if (!is_compared) compare(i, tape, before);
    }
    return y;
}

template <class T>
Variable<T> Sequential<T>::trace(const Variable<T>& x, const Seen& seen, const std::string& prefix) const {
    Variable<T> y = x;
    for (std::size_t i = 0; i < layers_.size(); ++i)
        y = named(i, [&](Slot& layer) { return layer.trace(y, seen, prefix + std::to_string(i)); });
    return y;
}

template <class T>
template <class F>
Variable<T> Sequential<T>::named(std::size_t i, F f) const {
    Slot& layer = *layers_[i];
    const auto text = [&](const std::exception& error) {
        return fmt::format("{}, in layer {} ({})", error.what(), i, layer.name());
    };
    try {
        return f(layer);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(text(error));
    } catch (const std::out_of_range& error) {
        throw std::out_of_range(text(error));
    }
}

template <class T>
void Sequential<T>::compare(std::size_t layer, const autograd::Tape<T>& tape, std::size_t watched_before) const {
    const auto& reel = autograd::Reel<T>::of(tape);
    for (std::size_t i = watched_before; i < reel.watched().size(); ++i) {
        const Parameter<T>& watched = reel.watched()[i].parameter;
        if (std::find(parameters_.begin(), parameters_.end(), watched) == parameters_.end())
            throw std::invalid_argument(fmt::format(
                "[sequential] layer {} watches the parameter '{}', which its parameters() does not list: it would be "
                "neither trained nor saved",
                layer, watched.shown_name()));
    }
    layers_[layer]->is_compared.store(true, std::memory_order_relaxed);
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
