// What rules must keep to, whatever the function is.
#pragma once

#include <autograd/variable.hpp>
#include <string>

namespace autograd::taylor {

/// Names a rule that changes a recorded number, or that gives another gradient when it is called again; or nothing.
template <class T>
std::string find_unsteady_rule(const Variable<T>& y, const Array<T>& seed);

/// Names a rule that makes a constant of one of its arrays when it runs on variables; or nothing.
template <class T>
std::string find_rule_with_constant(Tape<T>& tape);

}  // namespace autograd::taylor
