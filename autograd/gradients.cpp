#include <fmt/format.h>
#include <autograd/gradients.hpp>

namespace autograd {

template <class T>
Gradients<T>::Gradients(const Reel<T>& reel)
    : pool_(reel.pool.get()), recording_(reel.identity()), table_(pool_->take_table(reel.size())) {}

template <class T>
Gradients<T>::Gradients(Gradients&& other) noexcept = default;

template <class T>
Gradients<T>& Gradients<T>::operator=(Gradients&& other) noexcept {
    release();
    pool_ = other.pool_;
    recording_ = other.recording_;
    table_ = std::move(other.table_);
    return *this;
}

template <class T>
Gradients<T>::~Gradients() {
    release();
}

template <class T>
void Gradients<T>::release() {
    if (table_ != nullptr) pool_->give_back(std::move(table_));
}

template <class T>
const AdjointTable<T>& Gradients<T>::table() const {
    if (table_ == nullptr) throw GradientError("[gradients] these gradients were moved to another place");
    return *table_;
}

template <class T>
const Array<T>& Gradients<T>::operator[](const Variable<T>& x) const& {
    if (!recording_.holds(x) || x.index() >= table().adjoints.size())
        throw VariableError(
            fmt::format("[gradients] {} belongs to another recording than these gradients, or was recorded after them",
                        Reel<T>::described(x)));
    const Array<T>* adjoint = table().adjoints[x.index()];
    if (adjoint == nullptr)
        throw GradientError(
            "[gradients] the adjoint of an inner variable was not kept: call backward(y, {x}) to keep it, or "
            "backward(y, "
            "Keep<T>::all()) to keep every one; a constant has none");
    return *adjoint;
}

template <class T>
const Array<T>* Gradients<T>::find(const Parameter<T>& parameter) const {
    for (const auto& [identity, index] : table().parameters)
        if (identity == parameter.identity()) return table().adjoints[index];
    return nullptr;
}

template <class T>
const Array<T>& Gradients<T>::operator[](const Parameter<T>& parameter) const& {
    if (const Array<T>* gradient = find(parameter)) return *gradient;
    std::string watched;
    for (const auto& [identity, index] : table().parameters) {
        const std::string name = recording_.name(index);
        watched += fmt::format("{}{}{}", watched.empty() ? "" : ", ", name.empty() ? "" : "'" + name + "' ",
                               to_string(table().adjoints[index]->shape()));
    }
    throw GradientError(fmt::format("[gradients] the recording did not watch parameter '{}' of shape {}; it watched {}",
                                    parameter.shown_name(), to_string(parameter.shape()),
                                    watched.empty() ? "none" : watched));
}

template class Gradients<float>;
template class Gradients<double>;

}  // namespace autograd
