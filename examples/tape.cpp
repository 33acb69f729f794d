// What a recording looks like: a line for each node, in the order in which they were made.
#include <autograd/autograd.hpp>
#include <iostream>

int main() {
    autograd::Tape<double> tape;
    const auto x = tape.variable({0.5, -1.0}, "x");
    const auto w = tape.variable({{0.1, 0.4}, {-0.3, 0.2}, {0.6, -0.5}}, "w");
    const auto y = tape.name(sum(tanh(matmul(w, x))), "y");
    std::cout << to_string(tape) << '\n';
    // %0 = variable "x"                        (2,)
    // %1 = variable "w"                        (3, 2)
    // ...

    // The walk back can be recorded as well: the gradient is the last of its nodes.
    const auto before = tape.size();
    tape.name(grad(y, x), "dy/dx");
    std::cout << "grad records " << tape.size() - before << " nodes more. Both together:\n" << to_string(tape);
}
