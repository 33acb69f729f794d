// What layers of sequences of different lengths share: the check of the lengths, and constants made at every call.
#pragma once

#include <fmt/format.h>

#include <autograd/tape.hpp>
#include <stdexcept>

namespace nn {

/// Throws unless each sequence of x, (n, steps, ...), has a length from 0 to the number of steps.
inline void check_lengths(const char* layer, const autograd::Indices& lengths, const autograd::Shape& x) {
    if (lengths.dimension() != 1 || lengths.size() != x[0])
        throw std::invalid_argument(fmt::format("[{}] lengths of shape {} do not fit an input of shape {}", layer,
                                                autograd::to_string(lengths.shape()), autograd::to_string(x)));
    for (const std::int64_t length : lengths)
        if (length < 0 || length > static_cast<std::int64_t>(x[1]))
            throw std::out_of_range(
                fmt::format("[{}] a length of {} is not from 0 to the {} steps", layer, length, x[1]));
}

/// A constant of this shape, written by `fill(array)`, in memory that the tape has for its next recording, too.
template <class T, class Fill>
autograd::Variable<T> filled(autograd::Tape<T>& tape, const autograd::Shape& shape, Fill fill) {
    auto& pool = *autograd::Reel<T>::of(tape).pool;
    autograd::Array<T>* array = pool.take(shape);
    fill(*array);
    const autograd::Variable<T> constant = tape.constant(*array);
    pool.give_back(array);
    return constant;
}

}  // namespace nn
