// Layers without weights, and the container that puts layers in a row.
#pragma once

#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <concepts>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nn {

enum class ActivationKind { relu, tanh, sigmoid, gelu, silu, softplus, identity };

/// The kind of this name. Throws `std::invalid_argument`, listing the names, for any other.
ActivationKind activation_from_name(std::string_view name);

/// "relu" for `ActivationKind::relu`.
std::string_view to_string(ActivationKind kind);

/// An elementwise function as a layer.
template <class T>
class Activation {
  public:
    explicit Activation(ActivationKind kind) : kind_(kind) {}

    ActivationKind kind() const { return kind_; }
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

  private:
    ActivationKind kind_;
};

/// While training, sets each element to zero with probability `rate` and divides the others by 1 - rate, so that the
/// expectation is kept; otherwise returns x.
///
/// It is a handle: copies share the switch and the random numbers, which one draw from `engine` seeds.
template <class T>
class Dropout {
  public:
    /// Throws `std::invalid_argument` unless 0 <= rate < 1.
    Dropout(double rate, std::mt19937_64& engine);

    double rate() const;
    bool training() const;
    void train(bool on);
    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

/// What can stand in a `Sequential`: it maps a variable to a variable. A lambda will do.
template <class L, class T>
concept Layer = std::copy_constructible<L> && requires(L& layer, const autograd::Variable<T>& x) {
    { layer(x) } -> std::convertible_to<autograd::Variable<T>>;
};

template <class T>
class Sequential;

/// What a `Sequential` is made of: one layer or more. One `Sequential` alone is copied instead.
template <class T, class... L>
concept Layers = sizeof...(L) > 0 && !(sizeof...(L) == 1 && (std::derived_from<L, Sequential<T>> && ...)) &&
                 (Layer<L, T> && ...);

/// Layers, each applied to the result of the one before. A layer may have `parameters()` and a switch `train(bool)`.
///
///     nn::Sequential<float> model(nn::Dense<float>(64, 32, engine), autograd::relu<float>,
///                                 nn::Dense<float>(32, 10, engine));
///
/// Copies share the layers.
template <class T>
class Sequential {
  public:
    Sequential() = default;

    template <class... L>
    requires Layers<T, L...>
    explicit Sequential(L... layers) { (add(std::move(layers)), ...); }

    /// Appends a layer. Its parameters are renamed as in PyTorch's state_dict: "0.weight" for the first layer's
    /// weight, where layers without parameters count too. One that an earlier layer has already keeps its name.
    template <class L>
    requires Layer<L, T>
    void add(L layer) {
        std::vector<autograd::Parameter<T>> parameters;
        if constexpr (requires { layer.parameters(); }) parameters = layer.parameters();
        append(std::make_shared<Held<L>>(std::move(layer)), std::move(parameters));
    }

    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

    /// The layers' parameters in their order, each once.
    const std::vector<autograd::Parameter<T>>& parameters() const { return parameters_; }

    /// Switches the layers that behave differently in training, such as `Dropout`.
    void train(bool on);

    /// The number of layers.
    std::size_t size() const { return layers_.size(); }

  private:
    struct Slot {
        virtual ~Slot() = default;
        virtual autograd::Variable<T> call(const autograd::Variable<T>& x) = 0;
        virtual void train(bool on) = 0;
    };

    template <class L>
    struct Held final : Slot {
        explicit Held(L held) : layer(std::move(held)) {}
        autograd::Variable<T> call(const autograd::Variable<T>& x) override { return layer(x); }
        void train([[maybe_unused]] bool on) override {
            if constexpr (requires { layer.train(on); }) layer.train(on);
        }
        L layer;
    };

    void append(std::shared_ptr<Slot> layer, std::vector<autograd::Parameter<T>> parameters);

    std::vector<std::shared_ptr<Slot>> layers_;
    std::vector<autograd::Parameter<T>> parameters_;
};

extern template class Activation<float>;
extern template class Activation<double>;
extern template class Dropout<float>;
extern template class Dropout<double>;
extern template class Sequential<float>;
extern template class Sequential<double>;

}  // namespace nn
