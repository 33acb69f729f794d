#include <fmt/format.h>

#include <autograd/operations.hpp>
#include <cmath>
#include <nn/embedding.hpp>
#include <nn/initializers.hpp>
#include <stdexcept>

namespace nn {

using autograd::Array;
using autograd::Indices;
using autograd::Shape;
using autograd::Variable;

namespace {

template <class T>
Array<T> start(std::size_t words, std::size_t width, std::mt19937_64& engine) {
    if (words == 0 || width == 0)
        throw std::invalid_argument(fmt::format("[embedding] {} words of width {}: both are at least 1", words, width));
    const Shape shape{words, width};
    autograd::checked_size("embedding", shape);
    Array<T> weight(shape);
    for (T& value : weight) value = static_cast<T>(normal(engine));
    return weight;
}

}  // namespace

template <class T>
Embedding<T>::Embedding(std::size_t words, std::size_t width, std::mt19937_64& engine)
    : weight("weight", start<T>(words, width, engine)) {}

template <class T>
Variable<T> Embedding<T>::operator()(autograd::Tape<T>& tape, const Indices& words) const {
    const auto count = static_cast<std::int64_t>(weight.shape()[0]);
    for (const std::int64_t word : words)
        if (word < 0 || word >= count)
            throw std::out_of_range(fmt::format("[embedding] {} is not one of {} words", word, count));
    return take(tape.watch(weight), words, 0);
}

template <class T>
Variable<T> Embedding<T>::operator()(const Variable<T>& words) const {
    thread_local Indices indices;
    indices.resize(words.shape());
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const T word = words.value().data()[i];
        if (!(std::abs(word) < T(1e15)) || word != std::floor(word))
            throw std::invalid_argument(fmt::format("[embedding] {} is the number of no word", word));
        indices.data()[i] = static_cast<std::int64_t>(word);
    }
    return (*this)(words.tape(), indices);
}

template class Embedding<float>;
template class Embedding<double>;

}  // namespace nn
