// How far what formulas give lies from 50 digits, in units in the last place.
#pragma once

#include "operations_table.hpp"

/// How many units in the last place of `exact`, a sum of two doubles, `got` is off.
template <class T>
double units(T got, const std::array<double, 2>& exact);

/// What a formula of x, or of x and y, gives at points: its value, and its derivatives.
template <class T>
struct Given {
    std::vector<T> value, by_x, by_y;
};
template <class T>
Given<T> given(const Formula& formula, const std::vector<T>& x, const std::vector<T>& y);

/// The same in 50 digits, each as a sum of two doubles; NaN where there is none.
struct GivenExactly {
    std::vector<std::array<double, 2>> value, by_x, by_y;
};
template <class T>
GivenExactly given_exactly(const Scalar& element, const std::vector<T>& x, const std::vector<T>& y);

/// Points all over the range of T, the same at every call: `each` of random bits, and as many from each of several
/// ordinary ranges. Those of y have for some x a power x^y that is just a number.
template <class T>
struct Points {
    std::vector<T> x, y;
};
template <class T>
Points<T> points_of_range(std::size_t each);

struct Worst {
    double units = 0, x = 0, y = 0;
};
/// Of the points with |x| and |y| <= `most`.
template <class T>
Worst worst_of(const std::vector<T>& got, const std::vector<std::array<double, 2>>& exact, const Points<T>& points,
               double most = infinity);

/// Elementwise, and one operation, or two: of more, nobody is to blame for what cancels.
bool is_one_operation(const Variant& variant);
