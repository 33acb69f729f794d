#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nn/optimizers.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::equal_shapes;
using autograd::Gradients;
using autograd::Parameter;

namespace {

void check_not_negative(const char* name, const char* option, double value) {
    if (!(value >= 0) || std::isinf(value))
        throw std::invalid_argument(fmt::format("[{}] the {} must be 0 or more, not {}", name, option, value));
}

void check_below_one(const char* name, const char* option, double value) {
    if (!(value >= 0 && value < 1))
        throw std::invalid_argument(fmt::format("[{}] {} must be at least 0 and below 1, not {}", name, option, value));
}

}  // namespace

template <class T>
Optimizer<T>::Optimizer(const char* name, std::vector<Parameter<T>> parameters, double rate)
    : name_(name), parameters_(std::move(parameters)) {
    std::erase_if(parameters_, [](const Parameter<T>& parameter) { return parameter.is_buffer(); });
    found_.resize(parameters_.size());
    if (parameters_.empty()) throw std::invalid_argument(fmt::format("[{}] there are no parameters", name));
    for (auto i = parameters_.begin(); i != parameters_.end(); ++i) {
        if (std::find(parameters_.begin(), i, *i) != i)
            throw std::invalid_argument(fmt::format("[{}] parameter '{}' is listed twice", name, i->name()));
        shapes_.push_back(i->shape());
    }
    set_rate(rate);
}

template <class T>
void Optimizer<T>::set_rate(double rate) {
    check_not_negative(name_, "rate", rate);
    rate_ = rate;
}

template <class T>
typename Optimizer<T>::Arrays Optimizer<T>::zeros() const {
    Arrays arrays;
    for (const auto& shape : shapes_) arrays.emplace_back(shape, T(0));
    return arrays;
}

template <class T>
void Optimizer<T>::step(const Gradients<T>& gradients) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        const Parameter<T>& parameter = parameters_[i];
        found_[i] = &gradients[parameter];
        if (!equal_shapes(parameter.shape(), shapes_[i]) || !equal_shapes(found_[i]->shape(), shapes_[i]))
            throw std::invalid_argument(
                fmt::format("[{}] parameter '{}' has shape {} and its gradient {}, but the optimizer was made for {}",
                            name_, parameter.name(), autograd::to_string(parameter.shape()),
                            autograd::to_string(found_[i]->shape()), autograd::to_string(shapes_[i])));
    }
    ++steps_;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        parameters_[i].edit([&](Array<T>& value) { update(i, value.data(), found_[i]->data(), value.size()); });
    }
}

template <class T>
Sgd<T>::Sgd(std::vector<Parameter<T>> parameters, SgdOptions options)
    : Optimizer<T>("sgd", std::move(parameters), options.rate), options_(options) {
    check_not_negative("sgd", "momentum", options.momentum);
    check_not_negative("sgd", "weight decay", options.weight_decay);
    if (options.nesterov && options.momentum == 0)
        throw std::invalid_argument("[sgd] nesterov needs a momentum above 0");
    if (options.momentum != 0) momenta_ = this->zeros();
}

template <class T>
void Sgd<T>::update(std::size_t i, T* __restrict parameter, const T* __restrict gradient, std::size_t n) {
    const T rate = static_cast<T>(this->rate());
    const T decay = static_cast<T>(options_.weight_decay);
    const T momentum = static_cast<T>(options_.momentum);
    if (momenta_.empty()) {
        for (std::size_t k = 0; k < n; ++k) parameter[k] -= rate * (gradient[k] + decay * parameter[k]);
        return;
    }
    T* __restrict buffer = momenta_[i].data();
    const bool nesterov = options_.nesterov;
    for (std::size_t k = 0; k < n; ++k) {
        const T g = gradient[k] + decay * parameter[k];
        const T b = momentum * buffer[k] + g;
        buffer[k] = b;
        parameter[k] -= rate * (nesterov ? g + momentum * b : b);
    }
}

template <class T>
Adam<T>::Adam(std::vector<Parameter<T>> parameters, AdamOptions options)
    : Adam("adam", std::move(parameters), options, false) {}

template <class T>
Adam<T>::Adam(const char* name, std::vector<Parameter<T>> parameters, AdamOptions options, bool decoupled)
    : Optimizer<T>(name, std::move(parameters), options.rate),
      options_(options),
      decoupled_(decoupled),
      first_(this->zeros()),
      second_(this->zeros()) {
    check_below_one(name, "beta1", options.beta1);
    check_below_one(name, "beta2", options.beta2);
    check_not_negative(name, "epsilon", options.epsilon);
    check_not_negative(name, "weight decay", options.weight_decay);
}

template <class T>
void Adam<T>::update(std::size_t i, T* __restrict parameter, const T* __restrict gradient, std::size_t n) {
    const double t = static_cast<double>(this->steps());
    const T size = static_cast<T>(this->rate() / (1 - std::pow(options_.beta1, t)));
    const T root = static_cast<T>(std::sqrt(1 - std::pow(options_.beta2, t)));
    const T beta2 = static_cast<T>(options_.beta2);
    // 1 - beta is taken in double: in float, 1 - 0.999f is off by 1e-5 of its value.
    const T rest1 = static_cast<T>(1 - options_.beta1);
    const T rest2 = static_cast<T>(1 - options_.beta2);
    const T epsilon = static_cast<T>(options_.epsilon);
    const T decay = decoupled_ ? T(0) : static_cast<T>(options_.weight_decay);
    const T shrink = decoupled_ ? static_cast<T>(1 - this->rate() * options_.weight_decay) : T(1);
    T* __restrict first = first_[i].data();
    T* __restrict second = second_[i].data();
    for (std::size_t k = 0; k < n; ++k) {
        const T p = parameter[k] * shrink;
        const T g = gradient[k] + decay * p;
        const T m = first[k] + rest1 * (g - first[k]);
        const T v = beta2 * second[k] + rest2 * g * g;
        first[k] = m;
        second[k] = v;
        parameter[k] = p - size * m / (std::sqrt(v) / root + epsilon);
    }
}

template <class T>
AdamW<T>::AdamW(std::vector<Parameter<T>> parameters, AdamWOptions options)
    : Adam<T>("adamw", std::move(parameters),
              {options.rate, options.beta1, options.beta2, options.epsilon, options.weight_decay}, true) {}

template <class T>
RMSprop<T>::RMSprop(std::vector<Parameter<T>> parameters, RMSpropOptions options)
    : Optimizer<T>("rmsprop", std::move(parameters), options.rate), options_(options), squares_(this->zeros()) {
    check_below_one("rmsprop", "alpha", options.alpha);
    check_not_negative("rmsprop", "epsilon", options.epsilon);
    check_not_negative("rmsprop", "weight decay", options.weight_decay);
    check_not_negative("rmsprop", "momentum", options.momentum);
    if (options.centered) means_ = this->zeros();
    if (options.momentum != 0) momenta_ = this->zeros();
}

template <class T>
void RMSprop<T>::update(std::size_t i, T* __restrict parameter, const T* __restrict gradient, std::size_t n) {
    const T rate = static_cast<T>(this->rate());
    const T alpha = static_cast<T>(options_.alpha);
    const T rest = static_cast<T>(1 - options_.alpha);
    const T epsilon = static_cast<T>(options_.epsilon);
    const T decay = static_cast<T>(options_.weight_decay);
    const T momentum = static_cast<T>(options_.momentum);
    T* squares = squares_[i].data();
    T* means = means_.empty() ? nullptr : means_[i].data();
    T* momenta = momenta_.empty() ? nullptr : momenta_[i].data();
    // One loop for each of the four forms, so that none of them branches inside.
    const auto run = [=](auto centered, auto with_momentum) {
        for (std::size_t k = 0; k < n; ++k) {
            const T g = gradient[k] + decay * parameter[k];
            T v = alpha * squares[k] + rest * g * g;
            squares[k] = v;
            if constexpr (centered) {
                const T a = means[k] + rest * (g - means[k]);
                means[k] = a;
                v = std::max(v - a * a, T(0));  // a variance: below 0 it is rounding
            }
            T direction = g / (std::sqrt(v) + epsilon);
            if constexpr (with_momentum) {
                direction += momentum * momenta[k];
                momenta[k] = direction;
            }
            parameter[k] -= rate * direction;
        }
    };
    if (means && momenta)
        run(std::true_type(), std::true_type());
    else if (means)
        run(std::true_type(), std::false_type());
    else if (momenta)
        run(std::false_type(), std::true_type());
    else
        run(std::false_type(), std::false_type());
}

template class Optimizer<float>;
template class Optimizer<double>;
template class Sgd<float>;
template class Sgd<double>;
template class Adam<float>;
template class Adam<double>;
template class AdamW<float>;
template class AdamW<double>;
template class RMSprop<float>;
template class RMSprop<double>;

}  // namespace nn
