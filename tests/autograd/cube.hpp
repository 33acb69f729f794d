// What the tests of gradcheck share.
#pragma once

#include <autograd/autograd.hpp>
#include <vector>

using namespace autograd;
using Xs = std::vector<Variable<double>>;
using Inputs = std::vector<Array<double>>;

inline const Array<double> points = {{0.5, 1.5, -1.0}, {2.0, 1.25, -0.75}};

/// z = x^3 with a rule of one's own.
template <class Rule>
Function cube(Rule rule) {
    return [rule](const Xs& xs) {
        const auto x = xs[0];
        return record("cube", {x}, x.value() * x.value() * x.value(), [x, rule](auto& at) { rule(at, x); });
    };
}
