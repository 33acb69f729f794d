// The activation functions of networks. Each operation stands with its rule: z is the result, zbar its adjoint.
#include <autograd/operations/operation_facts.hpp>
#include <autograd/operations/partners.hpp>
#include <limits>
#include <numbers>
#include <stdexcept>

namespace autograd {

template <class T>
using limits = std::numeric_limits<T>;

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

// Far out, where the tails of these functions are 0, the factor x is held where it is: 0 * infinity has no value.

FACTS("gelu", "x * (1 + erf(x / sqrt(2))) / 2",
      "xbar += zbar * ((1 + erf(x / sqrt(2))) / 2 + x * exp(-x^2 / 2) / sqrt(2 * pi))");
template <class T>
Variable<T> gelu(Variable<T> x) {
    const T c = std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>, far = 40, infinity = limits<T>::infinity();
    return record("gelu", {x}, clip(x.value(), -far, infinity) * normal_cdf(x.value()), [x, c, far](auto& at) {
        const auto& v = at.evaluate(clip(at(x), -far, far));
        at.adjoint(x) += at.zbar() * (normal_cdf(at(x)) + c * v * bell(v, 0.5));
    });
}
UNARY(gelu);

FACTS("normal_cdf", "(1 + erf(x / sqrt(2))) / 2", "xbar += zbar * exp(-x^2 / 2) / sqrt(2 * pi)");
template <class T>
Variable<T> normal_cdf(Variable<T> x) {
    const T c = std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
    return record("normal_cdf", {x}, normal_cdf(x.value()),
                  [x, c](auto& at) { at.adjoint(x) += at.zbar() * c * bell(at(x), 0.5); });
}
UNARY(normal_cdf);

FACTS("gelu_tanh", "x * sigmoid(u), u = 2 * sqrt(2 / pi) * (x + 0.044715 * x^3)",
      "xbar += zbar * sigmoid(u) * (1 + x * sigmoid(-u) * du/dx)");
template <class T>
Variable<T> gelu_tanh(Variable<T> x) {
    const T c = std::numbers::sqrt2_v<T> * 2 * std::numbers::inv_sqrtpi_v<T>, a = T(0.044715), far = 30,
            infinity = limits<T>::infinity();
    const auto u = [c, a](const auto& v) { return v * c * (T(1) + a * v * v); };
    const auto value = clip(x.value(), -far, infinity) * sigmoid(u(x.value()));
    return record("gelu_tanh", {x}, value, [x, u, c, a, far](auto& at) {
        const auto& v = at.evaluate(clip(at(x), -far, far));
        at.adjoint(x) += at.zbar() * sigmoid(u(v)) * (T(1) + v * sigmoid(-u(v)) * (c * (T(1) + T(3) * a * v * v)));
    });
}
UNARY(gelu_tanh);

FACTS("silu", "x * sigmoid(x)", "xbar += zbar * sigmoid(x) * (1 + x * sigmoid(-x))");
template <class T>
Variable<T> silu(Variable<T> x) {
    const T far = 1000, infinity = limits<T>::infinity();
    return record("silu", {x}, clip(x.value(), -far, infinity) * sigmoid(x.value()), [x, far](auto& at) {
        at.adjoint(x) += at.zbar() * sigmoid(at(x)) * (T(1) + clip(at(x), -far, far) * sigmoid(-at(x)));
    });
}
UNARY(silu);

FACTS("leaky_relu", "x > 0 ? x : slope * x", "xbar += x > 0 ? zbar : slope * zbar");
template <class T>
Variable<T> leaky_relu(Variable<T> x, std::type_identity_t<T> slope) {
    if (!std::isfinite(slope)) throw std::invalid_argument("[leaky_relu] the slope is not finite");
    if (slope == T(0)) return relu(x);
    const T infinity = limits<T>::infinity();
    const auto bent = [slope, infinity](const auto& u, const auto& v) {
        return gate(u, v) + slope * between(u, v, -infinity, T(0));
    };
    return record("leaky_relu", {x}, bent(x.value(), x.value()),
                  [x, bent](auto& at) { at.adjoint(x) += bent(at.zbar(), at(x)); });
}

FACTS("elu", "x > 0 ? x : alpha * (exp(x) - 1)", "xbar += x > 0 ? zbar : zbar * alpha * exp(x)");
template <class T>
Variable<T> elu(Variable<T> x, std::type_identity_t<T> alpha) {
    if (!std::isfinite(alpha)) throw std::invalid_argument("[elu] alpha is not finite");
    const T infinity = limits<T>::infinity();
    const Array<T>& v = x.value();
    return record("elu", {x}, gate(v, v) + alpha * expm1(clip(v, -infinity, T(0))), [x, alpha, infinity](auto& at) {
        at.adjoint(x) += gate(at.zbar(), at(x)) +
                         alpha * between(at.zbar(), at(x), -infinity, T(0)) * exp(clip(at(x), -infinity, T(0)));
    });
}

template Variable<float> leaky_relu(Variable<float>, float);
template Variable<double> leaky_relu(Variable<double>, double);
template Variable<float> elu(Variable<float>, float);
template Variable<double> elu(Variable<double>, double);

FACTS_OF_THIS_FILE(facts_of_activations)

}  // namespace autograd
