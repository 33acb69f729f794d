// Layers without weights, and the container that puts layers in a row.
#pragma once

#include <algorithm>
#include <atomic>
#include <autograd/parameter.hpp>
#include <autograd/variable.hpp>
#include <concepts>
#include <functional>
#include <memory>
#include <nn/mode.hpp>
#include <random>
#include <string>
#include <string_view>
#include <typeinfo>
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
/// expectation is kept; otherwise returns x. Which of the two it is must be said: `TrainingSwitch`.
///
/// It is a handle: copies share the switch and the random numbers, which one draw from `engine` seeds; under a
/// `Training` scope with an engine they come from that one.
template <class T>
class Dropout {
  public:
    /// Throws `std::invalid_argument` unless 0 <= rate < 1.
    Dropout(double rate, std::mt19937_64& engine);
    Dropout(const Dropout&) = default;  // a move is a copy, as below
    Dropout& operator=(const Dropout&) = default;

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

/// A parameter is listed under its name; a layer's stand behind the layer's name, those of a vector's elements behind
/// their numbers.
template <class T>
void list_parameters(std::vector<autograd::Parameter<T>>& listed, const std::string& name,
                     const autograd::Parameter<T>& parameter) {
    if (std::find(listed.begin(), listed.end(), parameter) == listed.end()) listed.push_back(parameter.named(name));
}
template <class T, class L>
requires requires(const L& layer) { layer.parameters(); }
void list_parameters(std::vector<autograd::Parameter<T>>& listed, const std::string& name, const L& layer) {
    for (const autograd::Parameter<T>& parameter : layer.parameters())
        list_parameters(listed, name + "." + parameter.name(), parameter);
}
template <class T, class Part>
void list_parameters(std::vector<autograd::Parameter<T>>& listed, const std::string& name,
                     const std::vector<Part>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) list_parameters(listed, name + "." + std::to_string(i), parts[i]);
}

/// The parameters of what a struct is made of, under PyTorch's names: "inner.weight" is the weight of the layer
/// `inner`, and "blocks.0.weight" that of the first of a `std::vector` of layers. One that two parts share is listed
/// once.
///
///     std::vector<autograd::Parameter<float>> parameters() const {
///         return nn::parameters_of<float>("inner", inner, "outer", outer);  // layers, parameters, vectors of them
///     }
template <class T>
std::vector<autograd::Parameter<T>> parameters_of() {
    return {};
}
template <class T, class Part, class... Others>
std::vector<autograd::Parameter<T>> parameters_of(const std::string& name, const Part& part, const Others&... others) {
    std::vector<autograd::Parameter<T>> listed;
    list_parameters(listed, name, part);
    for (const autograd::Parameter<T>& parameter : parameters_of<T>(others...))
        list_parameters(listed, parameter.name(), parameter);
    return listed;
}

/// The name of a type as a reader knows it: "Dense" for `nn::Dense<float>`, "function" for a lambda.
std::string readable_name(const std::type_info& type);

template <class T>
class Sequential;

/// What a `Sequential` is made of: one layer or more. One `Sequential` alone is copied instead.
template <class T, class... L>
concept Layers = sizeof...(L) > 0 && !(sizeof...(L) == 1 && (std::derived_from<L, Sequential<T>> && ...)) &&
                 (Layer<L, T> && ...);

/// Layers, each applied to the result of the one before. A layer may have a switch `train(bool)`, and must have
/// `parameters()` where it watches any: the first call compares, and throws `std::invalid_argument` with the layer's
/// number and the name of a parameter that is not listed, as nobody would train or save it. (What should not be trained
/// is `tape.constant(w.value())`.) What a layer throws because of a shape or an index names the layer, too.
///
///     nn::Sequential<float> model{nn::Dense<float>(64, 32, engine), autograd::relu<float>,
///                                 nn::Dense<float>(32, 10, engine)};
///
/// In braces the layers draw from the engine in their order. In parentheses each compiler chooses one, and weights
/// differ from another's.
///
/// Copies share the layers. Threads may call it at once, each on a tape of its own, while it evaluates and nobody
/// changes a parameter or a switch.
template <class T>
class Sequential {
  public:
    Sequential() = default;
    // A move is a copy: without its layers, what was moved from would return x.
    Sequential(const Sequential&) = default;
    Sequential& operator=(const Sequential&) = default;

    template <class... L>
    requires Layers<T, L...>
    explicit Sequential(L... layers) { (add(std::move(layers)), ...); }

    /// Appends a layer. Its parameters are renamed as in PyTorch's state_dict: "0.weight" for the first layer's
    /// weight, where layers without parameters count too. One that an earlier layer has already keeps its name. Throws
    /// `std::invalid_argument` where the layer lists two under one name, which no file could hold: `parameters_of`
    /// names them.
    template <class L>
    requires Layer<L, T>
    void add(L layer) {
        std::vector<autograd::Parameter<T>> parameters;
        if constexpr (requires { layer.parameters(); }) parameters = layer.parameters();
        append(std::make_shared<Held<L>>(std::move(layer)), std::move(parameters));
    }

    autograd::Variable<T> operator()(const autograd::Variable<T>& x) const;

    /// The layers' parameters in their order, each once.
    const std::vector<autograd::Parameter<T>>& parameters() const& { return parameters_; }
    std::vector<autograd::Parameter<T>> parameters() && { return std::move(parameters_); }

    /// Switches the layers that behave differently in training, such as `Dropout`.
    void train(bool on);

    /// The number of layers.
    std::size_t size() const { return layers_.size(); }

    /// Layer number i where it is an L, else null; and what it is called, "Dense". Throws `std::out_of_range` unless i
    /// < size().
    template <class L>
    const L* get_if(std::size_t i) const {
        const auto* held = dynamic_cast<const Held<L>*>(layers_.at(i).get());
        return held == nullptr ? nullptr : &held->layer;
    }
    std::string name(std::size_t i) const { return layers_.at(i)->name(); }

    /// What `trace` tells: "2.0", "Dense", and the layer's result.
    using Seen = std::function<void(const std::string& number, const std::string& layer, const autograd::Variable<T>&)>;

    /// Calls the layers as `operator()` does, and after each `seen`; those of a `Sequential` inside one by one.
    autograd::Variable<T> trace(const autograd::Variable<T>& x, const Seen& seen, const std::string& prefix = {}) const;

  private:
    struct Slot {
        virtual ~Slot() = default;
        virtual autograd::Variable<T> call(const autograd::Variable<T>& x) = 0;
        virtual void train(bool on) = 0;
        virtual std::string name() const = 0;
        /// What `Sequential::trace` says of the layer number `prefix`.
        virtual autograd::Variable<T> trace(const autograd::Variable<T>& x, const Seen& seen,
                                            const std::string& number) = 0;
        std::atomic<bool> is_compared = false;  ///< what it watches with what it lists; threads may share a network
    };

    template <class L>
    struct Held final : Slot {
        explicit Held(L held) : layer(std::move(held)) {}
        autograd::Variable<T> call(const autograd::Variable<T>& x) override { return layer(x); }
        void train([[maybe_unused]] bool on) override {
            if constexpr (requires { layer.train(on); }) layer.train(on);
        }
        std::string name() const override {
            if constexpr (requires { to_string(layer.kind()); })
                return std::string(to_string(layer.kind()));
            else
                return readable_name(typeid(L));
        }
        autograd::Variable<T> trace(const autograd::Variable<T>& x, const Seen& seen,
                                    const std::string& number) override {
            if constexpr (requires { layer.trace(x, seen, number); }) {
                return layer.trace(x, seen, number + ".");
            } else {
                const autograd::Variable<T> y = layer(x);
                seen(number, name(), y);
                return y;
            }
        }
        L layer;
    };

    void append(std::shared_ptr<Slot> layer, std::vector<autograd::Parameter<T>> parameters);
    /// f(layer number i), whose errors name it.
    template <class F>
    autograd::Variable<T> named(std::size_t i, F f) const;
    void compare(std::size_t layer, const autograd::Tape<T>& tape, std::size_t watched_before) const;

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
