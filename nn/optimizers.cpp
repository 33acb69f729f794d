#include <fmt/format.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nn/optimizers.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::equal_shapes;
using autograd::Gradients;
using autograd::Parameter;
using autograd::Shape;

namespace {

void check_not_negative(const char* name, const char* option, double value) {
    if (!(value >= 0) || std::isinf(value))
        throw std::invalid_argument(fmt::format("[{}] the {} must be 0 or more, not {}", name, option, value));
}

void check_below_one(const char* name, const char* option, double value) {
    if (!(value >= 0 && value < 1))
        throw std::invalid_argument(fmt::format("[{}] {} must be at least 0 and below 1, not {}", name, option, value));
}

// Options are checked before anything is made of them, or added.

SgdOptions checked(SgdOptions options) {
    check_not_negative("sgd", "momentum", options.momentum);
    check_not_negative("sgd", "weight decay", options.weight_decay);
    if (options.nesterov && options.momentum == 0)
        throw std::invalid_argument("[sgd] nesterov needs a momentum above 0");
    return options;
}

RMSpropOptions checked(RMSpropOptions options) {
    check_below_one("rmsprop", "alpha", options.alpha);
    check_not_negative("rmsprop", "epsilon", options.epsilon);
    check_not_negative("rmsprop", "weight decay", options.weight_decay);
    check_not_negative("rmsprop", "momentum", options.momentum);
    return options;
}

AdagradOptions checked(AdagradOptions options) {
    check_not_negative("adagrad", "rate decay", options.rate_decay);
    check_not_negative("adagrad", "weight decay", options.weight_decay);
    check_not_negative("adagrad", "initial value", options.initial);
    check_not_negative("adagrad", "epsilon", options.epsilon);
    return options;
}

/// Notes whether one of many numbers is infinite, in a loop that stays one of registers.
template <class T>
class Overflow {
  public:
    void look_at(T value) { found_ |= value > std::numeric_limits<T>::max() ? ~Bits{0} : Bits{0}; }
    explicit operator bool() const { return found_ != 0; }

  private:
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    Bits found_ = 0;
};

AdamOptions as_adam(AdamWOptions options) {
    return {options.rate, options.beta1, options.beta2, options.epsilon, options.weight_decay};
}

}  // namespace

template <class T>
Optimizer<T>::Optimizer(const char* name, std::vector<Parameter<T>> parameters, double rate) : name_(name) {
    add(std::move(parameters), rate);
}

template <class T>
void Optimizer<T>::add(std::vector<Parameter<T>> parameters, double rate) {
    std::erase_if(parameters, [](const Parameter<T>& parameter) { return parameter.is_buffer(); });
    if (parameters.empty()) throw std::invalid_argument(fmt::format("[{}] there are no parameters", name_));
    for (auto i = parameters.begin(); i != parameters.end(); ++i)
        if (std::find(parameters.begin(), i, *i) != i ||
            std::find(parameters_.begin(), parameters_.end(), *i) != parameters_.end())
            throw std::invalid_argument(fmt::format("[{}] parameter '{}' is listed twice", name_, i->name()));
    check_not_negative(name_, "rate", rate);
    for (Parameter<T>& parameter : parameters) {
        shapes_.push_back(parameter.shape());
        group_of_.push_back(groups_.size());
        parameters_.push_back(std::move(parameter));
    }
    found_.resize(parameters_.size());
    groups_.push_back({rate, steps_});
}

template <class T>
double Optimizer<T>::rate(std::size_t group) const {
    if (group >= groups_.size())
        throw std::out_of_range(fmt::format("[{}] there is no group {} of {}", name_, group, groups_.size()));
    return groups_[group].rate;
}

template <class T>
void Optimizer<T>::set_rate(double rate, std::size_t group) {
    check_not_negative(name_, "rate", rate);
    static_cast<void>(this->rate(group));  // throws where there is none
    groups_[group].rate = rate;
}

template <class T>
void Optimizer<T>::grow(Arrays& arrays, bool used, double value) const {
    for (std::size_t i = arrays.size(); i < shapes_.size(); ++i)
        arrays.emplace_back(used ? shapes_[i] : Shape{0}, static_cast<T>(value));
}

template <class T>
OptimizerState<T> Optimizer<T>::state() const {
    OptimizerState<T> state{{}, {{"steps", static_cast<double>(steps_)}}};
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        state.numbers[fmt::format("rate.{}", g)] = groups_[g].rate;
        state.numbers[fmt::format("begun.{}", g)] = static_cast<double>(groups_[g].begun);
    }
    // The arrays are only read.
    for (const auto& [name, arrays] : const_cast<Optimizer*>(this)->remembered())
        for (std::size_t i = 0; i < parameters_.size(); ++i)
            if ((*arrays)[i].size() > 0 &&
                !state.arrays.emplace(parameters_[i].name() + "." + name, (*arrays)[i]).second)
                throw std::invalid_argument(
                    fmt::format("[{}] two parameters have the name '{}', by which its state would tell them apart",
                                name_, parameters_[i].name()));
    return state;
}

template <class T>
void Optimizer<T>::check_state(const OptimizerState<T>& given) const {
    const std::map<std::string, double> numbers = state().numbers;
    const std::map<std::string, Shape> arrays = arrays_of(given);
    for (const auto& [name, shape] : arrays) {
        const auto found = given.arrays.find(name);
        if (found == given.arrays.end()) refuse_state(fmt::format("it has no '{}'", name));
        if (!equal_shapes(found->second.shape(), shape))
            refuse_state(fmt::format("its '{}' has shape {}, not {}", name, autograd::to_string(found->second.shape()),
                                     autograd::to_string(shape)));
    }
    for (const auto& [name, array] : given.arrays)
        if (!arrays.contains(name)) refuse_state(fmt::format("it has a '{}'", name));
    for (const auto& [name, number] : numbers)
        if (!given.numbers.contains(name)) refuse_state(fmt::format("it has no '{}'", name));
    for (const auto& [name, number] : given.numbers)
        if (!numbers.contains(name) || !(number >= 0) || std::isinf(number))
            refuse_state(fmt::format("its '{}' is {}", name, number));
    check_numbers(given);
}

template <class T>
void Optimizer<T>::check_numbers(const OptimizerState<T>& state) const {
    check_count("steps", state.numbers.at("steps"));
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const std::string name = fmt::format("begun.{}", g);
        const double begun = state.numbers.at(name);
        check_count(name, begun);
        if (begun > state.numbers.at("steps")) refuse_state(fmt::format("its '{}' is more than its 'steps'", name));
    }
}

template <class T>
void Optimizer<T>::refuse_state(const std::string& what) const {
    throw std::invalid_argument(fmt::format("[{}] the state is another optimizer's: {}", name_, what));
}

template <class T>
void Optimizer<T>::check_count(const std::string& name, double number) const {
    constexpr double most = 1ull << 53;  // up to which doubles count
    if (!(number <= most) || std::trunc(number) != number) refuse_state(fmt::format("its '{}' is {}", name, number));
}

template <class T>
std::map<std::string, Shape> Optimizer<T>::arrays_of(const OptimizerState<T>&) const {
    std::map<std::string, Shape> shapes;
    for (const auto& [name, array] : state().arrays) shapes.emplace(name, array.shape());
    return shapes;
}

template <class T>
void Optimizer<T>::set_state(const OptimizerState<T>& state) {
    check_state(state);
    steps_ = static_cast<std::uint64_t>(state.numbers.at("steps"));
    for (std::size_t g = 0; g < groups_.size(); ++g)
        groups_[g] = {state.numbers.at(fmt::format("rate.{}", g)),
                      static_cast<std::uint64_t>(state.numbers.at(fmt::format("begun.{}", g)))};
    for (const auto& [name, arrays] : remembered())
        for (std::size_t i = 0; i < parameters_.size(); ++i)
            if ((*arrays)[i].size() > 0) (*arrays)[i] = state.arrays.at(parameters_[i].name() + "." + name);
}

template <class T>
double Optimizer<T>::step(const Evaluate<T>& evaluate) {
    const LossAndGradients<T> here = evaluate();
    step(here.gradients);
    return here.loss;
}

template <class T>
void Optimizer<T>::step(const Gradients<T>& gradients) {
    if (asks_again())
        throw std::invalid_argument(
            fmt::format("[{}] a step needs gradients at more than one place: give it what evaluates them", name_));
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
void Optimizer<T>::refuse_overflow(std::size_t i) const {
    throw autograd::GradientError(
        fmt::format("[{}] the gradient of parameter '{}' is infinite, or its square is beyond what a {} holds: the "
                    "parameter would stand still",
                    name_, parameters_[i].name(), std::is_same_v<T, float> ? "float" : "double"));
}

template <class T>
Sgd<T>::Sgd(std::vector<Parameter<T>> parameters, SgdOptions options)
    : Optimizer<T>("sgd", std::move(parameters), checked(options).rate), options_{options} {
    this->grow(momenta_, options.momentum != 0);
}

template <class T>
void Sgd<T>::add_group(std::vector<Parameter<T>> parameters, SgdOptions options) {
    this->add(std::move(parameters), checked(options).rate);
    options_.push_back(options);
    this->grow(momenta_, options.momentum != 0);
}

// Without a gradient p goes to (1 - rate * decay) p; with momentum it stays as long as the roots of its recursion do.
template <class T>
bool Sgd<T>::decays_too_much() const {
    for (std::size_t g = 0; g < this->groups(); ++g) {
        const double m = options_[g].momentum, bound = 2 * (1 + m) / (options_[g].nesterov ? 1 + 2 * m : 1);
        if (this->rate(g) * options_[g].weight_decay > bound) return true;
    }
    return false;
}

template <class T>
std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> Sgd<T>::remembered() {
    return {{"momentum_buffer", &momenta_}};
}

template <class T>
void Sgd<T>::update(std::size_t i, T* __restrict parameter, const T* __restrict gradient, std::size_t n) {
    const SgdOptions& options = options_[this->group_of(i)];
    const T rate = static_cast<T>(this->rate_of(i));
    const T decay = static_cast<T>(options.weight_decay);
    const T momentum = static_cast<T>(options.momentum);
    if (options.momentum == 0) {
        for (std::size_t k = 0; k < n; ++k) parameter[k] -= rate * (gradient[k] + decay * parameter[k]);
        return;
    }
    T* __restrict buffer = momenta_[i].data();
    const bool nesterov = options.nesterov;
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
    : Optimizer<T>(name, std::move(parameters), checked(name, options).rate), options_{options}, decoupled_(decoupled) {
    this->grow(first_);
    this->grow(second_);
}

template <class T>
AdamOptions Adam<T>::checked(const char* name, AdamOptions options) {
    check_below_one(name, "beta1", options.beta1);
    check_below_one(name, "beta2", options.beta2);
    check_not_negative(name, "epsilon", options.epsilon);
    check_not_negative(name, "weight decay", options.weight_decay);
    return options;
}

template <class T>
void Adam<T>::add_group(std::vector<Parameter<T>> parameters, AdamOptions options) {
    this->add(std::move(parameters), checked(this->name_, options).rate);
    options_.push_back(options);
    this->grow(first_);
    this->grow(second_);
}

template <class T>
std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> Adam<T>::remembered() {
    return {{"exp_avg", &first_}, {"exp_avg_sq", &second_}};
}

template <class T>
void Adam<T>::update(std::size_t i, T* __restrict parameter, const T* __restrict gradient, std::size_t n) {
    const AdamOptions& options = options_[this->group_of(i)];
    const double t = static_cast<double>(this->steps_of(i)), rate = this->rate_of(i);
    const T size = static_cast<T>(rate / (1 - std::pow(options.beta1, t)));
    const T root = static_cast<T>(std::sqrt(1 - std::pow(options.beta2, t)));
    const T beta2 = static_cast<T>(options.beta2);
    // 1 - beta is taken in double: in float, 1 - 0.999f is off by 1e-5 of its value.
    const T rest1 = static_cast<T>(1 - options.beta1);
    const T rest2 = static_cast<T>(1 - options.beta2);
    const T epsilon = static_cast<T>(options.epsilon);
    const T decay = decoupled_ ? T(0) : static_cast<T>(options.weight_decay);
    const T shrink = decoupled_ ? static_cast<T>(1 - rate * options.weight_decay) : T(1);
    T* __restrict first = first_[i].data();
    T* __restrict second = second_[i].data();
    Overflow<T> overflow;
    for (std::size_t k = 0; k < n; ++k) {
        const T p = parameter[k] * shrink;
        const T g = gradient[k] + decay * p;
        const T m = first[k] + rest1 * (g - first[k]);
        const T v = beta2 * second[k] + rest2 * g * g;
        first[k] = m;
        second[k] = v;
        overflow.look_at(v);
        parameter[k] = p - size * m / (std::sqrt(v) / root + epsilon);
    }
    if (overflow) this->refuse_overflow(i);
}

template <class T>
AdamW<T>::AdamW(std::vector<Parameter<T>> parameters, AdamWOptions options)
    : Adam<T>("adamw", std::move(parameters), as_adam(options), true) {}

template <class T>
bool AdamW<T>::decays_too_much() const {
    for (std::size_t g = 0; g < this->groups(); ++g)
        if (this->rate(g) * this->options_[g].weight_decay > 2) return true;
    return false;
}

template <class T>
void AdamW<T>::add_group(std::vector<Parameter<T>> parameters, AdamWOptions options) {
    Adam<T>::add_group(std::move(parameters), as_adam(options));
}

template <class T>
RMSprop<T>::RMSprop(std::vector<Parameter<T>> parameters, RMSpropOptions options)
    : Optimizer<T>("rmsprop", std::move(parameters), checked(options).rate), options_{options} {
    grow_all();
}

template <class T>
void RMSprop<T>::add_group(std::vector<Parameter<T>> parameters, RMSpropOptions options) {
    this->add(std::move(parameters), checked(options).rate);
    options_.push_back(options);
    grow_all();
}

template <class T>
void RMSprop<T>::grow_all() {
    this->grow(squares_);
    this->grow(means_, options_.back().centered);
    this->grow(momenta_, options_.back().momentum != 0);
}

template <class T>
std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> RMSprop<T>::remembered() {
    return {{"square_avg", &squares_}, {"grad_avg", &means_}, {"momentum_buffer", &momenta_}};
}

template <class T>
void RMSprop<T>::update(std::size_t i, T* __restrict parameter, const T* __restrict gradient, std::size_t n) {
    const RMSpropOptions& options = options_[this->group_of(i)];
    const T rate = static_cast<T>(this->rate_of(i));
    const T alpha = static_cast<T>(options.alpha);
    const T rest = static_cast<T>(1 - options.alpha);
    const T epsilon = static_cast<T>(options.epsilon);
    const T decay = static_cast<T>(options.weight_decay);
    const T momentum = static_cast<T>(options.momentum);
    T* squares = squares_[i].data();
    T* means = !options.centered ? nullptr : means_[i].data();
    T* momenta = options.momentum == 0 ? nullptr : momenta_[i].data();
    // One loop for each of the four forms, so that none of them branches inside.
    const auto run = [=](auto centered, auto with_momentum) {
        Overflow<T> overflow;
        for (std::size_t k = 0; k < n; ++k) {
            const T g = gradient[k] + decay * parameter[k];
            T v = alpha * squares[k] + rest * g * g;
            squares[k] = v;
            overflow.look_at(v);
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
        return overflow;
    };
    const auto overflow = means && momenta ? run(std::true_type(), std::true_type())
                          : means          ? run(std::true_type(), std::false_type())
                          : momenta        ? run(std::false_type(), std::true_type())
                                           : run(std::false_type(), std::false_type());
    if (overflow) this->refuse_overflow(i);
}

template <class T>
Adagrad<T>::Adagrad(std::vector<Parameter<T>> parameters, AdagradOptions options)
    : Optimizer<T>("adagrad", std::move(parameters), checked(options).rate), options_{options} {
    this->grow(sums_, true, options.initial);
}

template <class T>
void Adagrad<T>::add_group(std::vector<Parameter<T>> parameters, AdagradOptions options) {
    this->add(std::move(parameters), checked(options).rate);
    options_.push_back(options);
    this->grow(sums_, true, options.initial);
}

template <class T>
std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> Adagrad<T>::remembered() {
    return {{"sum", &sums_}};
}

template <class T>
void Adagrad<T>::update(std::size_t i, T* __restrict parameter, const T* __restrict gradient, std::size_t n) {
    const AdagradOptions& options = options_[this->group_of(i)];
    const double before = static_cast<double>(this->steps_of(i) - 1);
    const T rate = static_cast<T>(this->rate_of(i) / (1 + before * options.rate_decay));
    const T decay = static_cast<T>(options.weight_decay);
    const T epsilon = static_cast<T>(options.epsilon);
    T* __restrict sums = sums_[i].data();
    Overflow<T> overflow;
    for (std::size_t k = 0; k < n; ++k) {
        const T g = gradient[k] + decay * parameter[k];
        const T s = sums[k] + g * g;
        sums[k] = s;
        overflow.look_at(s);
        parameter[k] -= rate * g / (std::sqrt(s) + epsilon);
    }
    if (overflow) this->refuse_overflow(i);
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
template class Adagrad<float>;
template class Adagrad<double>;

}  // namespace nn
