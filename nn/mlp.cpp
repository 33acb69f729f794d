#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nn/dense.hpp>
#include <nn/mlp.hpp>
#include <stdexcept>

namespace nn {

namespace {

bool is_rectifier(ActivationKind kind) {
    return kind == ActivationKind::relu || kind == ActivationKind::gelu || kind == ActivationKind::silu;
}

}  // namespace

template <class T>
Mlp<T>::Mlp(std::vector<std::size_t> widths, ActivationKind activation, std::mt19937_64& engine)
    : widths_(std::move(widths)), activation_(activation) {
    if (widths_.size() < 2 || std::find(widths_.begin(), widths_.end(), 0u) != widths_.end())
        throw std::invalid_argument(
            fmt::format("[mlp] needs two or more widths, each at least 1, not {{{}}}", fmt::join(widths_, ", ")));
    const Initializer<T> hidden = is_rectifier(activation) ? he_uniform<T> : glorot_uniform<T>;
    const std::size_t last = widths_.size() - 2;
    for (std::size_t i = 0; i < last; ++i) {
        this->add(Dense<T>(widths_[i], widths_[i + 1], engine, true, hidden));
        this->add(Activation<T>(activation));
    }
    this->add(Dense<T>(widths_[last], widths_[last + 1], engine));
}

template class Mlp<float>;
template class Mlp<double>;

}  // namespace nn
