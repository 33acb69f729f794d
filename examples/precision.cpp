// How many digits float leaves of log(sum(exp(x))), written as it stands and written properly.
#include <autograd/autograd.hpp>
#include <iostream>

int main() {
    const autograd::Array<double> x = {91.0, 93.5, 95.0};

    std::cout << "log(sum(exp(x)))\n"
              << to_string(autograd::precision_report([](const auto& v) { return log(sum(exp(v[0]))); }, {x}))
              << "\nm + log(sum(exp(x - m))), m being the maximum\n"
              << to_string(autograd::precision_report(
                     [](const auto& v) {
                         const auto m = amax(v[0]).detach();
                         return m + log(sum(exp(v[0] - m)));
                     },
                     {x}));
    // forward, exp loses most: 7.2 digits, in %1 = exp(%0)
    // ...
    // forward, no operation loses a digit
}
