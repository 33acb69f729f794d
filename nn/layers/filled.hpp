// Constants that a layer makes at every call, as masks are.
#pragma once

#include <autograd/tape.hpp>

namespace nn {

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
