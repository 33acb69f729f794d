// The functions of functors.hpp that choose: here on variables, so that a rule that calls them on arrays has
// derivatives of any order. Linear in u; in x and y constant almost everywhere.
#pragma once

#include <autograd/tape.hpp>

namespace autograd {

/// 0 where x <= 0, else u; NaN where x is.
template <class T>
Variable<T> gate(Variable<T> u, Variable<T> x);
/// u where x > y, half of it where they tie, else 0; NaN where x or y is.
template <class T>
Variable<T> winner(Variable<T> u, Variable<T> x, Variable<T> y);
/// u where low <= x <= high, else 0; NaN where x is.
template <class T>
Variable<T> between(Variable<T> u, Variable<T> x, std::type_identity_t<T> low, std::type_identity_t<T> high);
/// x where mask is not 0, else y.
template <class T>
Variable<T> choose(Variable<T> mask, Variable<T> x, std::type_identity_t<T> y);
template <class T>
Variable<T> choose(Variable<T> mask, std::type_identity_t<T> x, Variable<T> y);

}  // namespace autograd
