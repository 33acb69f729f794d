// The activation functions of networks. Each operation stands with its rule: z is the result, zbar its adjoint.
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <numbers>

namespace autograd {

FACTS("sigmoid", "1 / (1 + exp(-x))", "xbar += zbar * z * (1 - z)");
template <class T>
Variable<T> sigmoid(Variable<T> x) {
    return record("sigmoid", {x}, sigmoid(x.value()),
                  [x](auto& at) { at.adjoint(x) += at.zbar() * at.z() * sigmoid(-at(x)); });
}
UNARY(sigmoid);

FACTS("relu", "max(x, 0)", "xbar += zbar * [x > 0]");
template <class T>
Variable<T> relu(Variable<T> x) {
    return record("relu", {x}, gate(x.value(), x.value()), [x](auto& at) { at.adjoint(x) += gate(at.zbar(), at(x)); });
}
UNARY(relu);

FACTS("softplus", "log(1 + exp(x))", "xbar += zbar * sigmoid(x)");
template <class T>
Variable<T> softplus(Variable<T> x) {
    return record("softplus", {x}, softplus(x.value()), [x](auto& at) { at.adjoint(x) += at.zbar() * sigmoid(at(x)); });
}
UNARY(softplus);

FACTS("gelu", "x * (1 + erf(x / sqrt(2))) / 2",
      "xbar += zbar * ((1 + erf(x / sqrt(2))) / 2 + x * exp(-x^2 / 2) / sqrt(2 * pi))");
template <class T>
Variable<T> gelu(Variable<T> x) {
    const T r = T(1) / std::numbers::sqrt2_v<T>, c = r * std::numbers::inv_sqrtpi_v<T>;
    return record("gelu", {x}, x.value() * (T(0.5) * (T(1) + erf(x.value() * r))), [x, r, c](auto& at) {
        at.adjoint(x) += at.zbar() * (T(0.5) * (T(1) + erf(at(x) * r)) + c * at(x) * exp(T(-0.5) * at(x) * at(x)));
    });
}
UNARY(gelu);

FACTS("gelu_tanh", "x * sigmoid(u), u = 2 * sqrt(2 / pi) * (x + 0.044715 * x^3)",
      "xbar += zbar * sigmoid(u) * (1 + x * sigmoid(-u) * du/dx)");
template <class T>
Variable<T> gelu_tanh(Variable<T> x) {
    const T c = std::numbers::sqrt2_v<T> * 2 * std::numbers::inv_sqrtpi_v<T>, a = T(0.044715);
    const auto u = [c, a](const auto& v) { return v * c * (T(1) + a * v * v); };
    return record("gelu_tanh", {x}, x.value() * sigmoid(u(x.value())), [x, u, c, a](auto& at) {
        at.adjoint(x) += at.zbar() * sigmoid(u(at(x))) *
                         (T(1) + at(x) * sigmoid(-u(at(x))) * (c * (T(1) + T(3) * a * at(x) * at(x))));
    });
}
UNARY(gelu_tanh);

FACTS("silu", "x * sigmoid(x)", "xbar += zbar * sigmoid(x) * (1 + x * sigmoid(-x))");
template <class T>
Variable<T> silu(Variable<T> x) {
    return record("silu", {x}, x.value() * sigmoid(x.value()),
                  [x](auto& at) { at.adjoint(x) += at.zbar() * sigmoid(at(x)) * (T(1) + at(x) * sigmoid(-at(x))); });
}
UNARY(silu);

FACTS_OF_THIS_FILE(facts_of_activations)

}  // namespace autograd
