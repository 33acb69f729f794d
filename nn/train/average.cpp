#include <fmt/format.h>

#include <algorithm>
#include <nn/average.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Parameter;

template <class T>
ParameterAverage<T>::ParameterAverage(std::vector<Parameter<T>> parameters, double decay)
    : parameters_(std::move(parameters)), decay_(decay) {
    std::erase_if(parameters_, [](const Parameter<T>& parameter) { return parameter.is_buffer(); });
    if (parameters_.empty()) throw std::invalid_argument("[parameter_average] there are no parameters");
    if (!(decay >= 0 && decay <= 1))
        throw std::invalid_argument(fmt::format("[parameter_average] the decay must be from 0 to 1, not {}", decay));
    for (auto i = parameters_.begin(); i != parameters_.end(); ++i) {
        if (std::find(parameters_.begin(), i, *i) != i)
            throw std::invalid_argument(fmt::format("[parameter_average] parameter '{}' is listed twice", i->name()));
        averages_.push_back(i->clone());
    }
}

template <class T>
void ParameterAverage<T>::update() {
    if (swapped_)
        throw std::invalid_argument("[parameter_average] the averages stand in the parameters' places: swap them back");
    const auto share = static_cast<T>(1 - decay_);
    for (std::size_t i = 0; i < parameters_.size(); ++i)
        if (!autograd::equal_shapes(parameters_[i].shape(), averages_[i].shape()))
            throw std::invalid_argument(fmt::format("[parameter_average] parameter '{}' had shape {} and has {}",
                                                    parameters_[i].name(), autograd::to_string(averages_[i].shape()),
                                                    autograd::to_string(parameters_[i].shape())));
    for (std::size_t i = 0; i < parameters_.size(); ++i)
        averages_[i].edit([&](Array<T>& average) {
            const T* p = parameters_[i].value().data();
            if (!begun_) std::copy_n(p, average.size(), average.data());
            for (std::size_t k = 0; k < average.size(); ++k) average.data()[k] += share * (p[k] - average.data()[k]);
        });
    begun_ = true;
}

template <class T>
void ParameterAverage<T>::swap() {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
        parameters_[i].edit(
            [&](Array<T>& value) { averages_[i].edit([&](Array<T>& average) { std::swap(value, average); }); });
    swapped_ = !swapped_;
}

template class ParameterAverage<float>;
template class ParameterAverage<double>;

}  // namespace nn
