// The elementary functions and their derivatives, each written once, for numbers and for variables of a tape alike.
#pragma once

#include <cmath>
#include <string>

namespace derivation {

/// A function of one number. Without a definition it is a mixture that satisfies no identity of its own:
/// a sin(w x + p) + b tanh(v x + q) + c x^2 + d x.
struct Curve {
    std::string definition;
    double a = 0, w = 0, p = 0, b = 0, v = 0, q = 0, c = 0, d = 0;
};

namespace on_numbers {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
inline double relu(double x) { return x > 0 ? x : 0; }
inline double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }
inline double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
inline double pow(double x, double y) { return std::pow(x, y); }

}  // namespace on_numbers

/// The derivative of this order (0 to 3) at x.
template <class T>
T apply(const Curve& f, int order, T x) {
    using on_numbers::pow, on_numbers::relu, on_numbers::sigmoid, on_numbers::sign, on_numbers::softplus;
    using std::abs, std::cos, std::exp, std::log, std::sin, std::sqrt, std::tanh;
    // The derivative of order n of the sine and of tanh.
    const auto sine = [&](int n, T u) { return n == 0 ? sin(u) : n == 1 ? cos(u) : n == 2 ? -sin(u) : -cos(u); };
    const auto hyperbolic = [&](int n, T u) {
        const T t = tanh(u);
        if (n == 0) return t;
        const T s = 1.0 - t * t;
        return n == 1 ? s : n == 2 ? -2.0 * t * s : -2.0 * s * (1.0 - 3.0 * (t * t));
    };
    const auto logistic = [&](int n, T u) {
        const T s = sigmoid(u);
        if (n == 0) return s;
        const T g = s * (1.0 - s);
        return n == 1 ? g : n == 2 ? g * (1.0 - 2.0 * s) : g * (1.0 - 6.0 * s + 6.0 * (s * s));
    };
    const std::string& name = f.definition;
    if (name == "exp") return exp(x);
    if (name == "sigmoid") return logistic(order, x);
    if (name == "tanh") return hyperbolic(order, x);
    if (name == "sin") return sine(order, x);
    if (name == "cos") return order == 0 ? cos(x) : order == 1 ? -sin(x) : order == 2 ? -cos(x) : sin(x);
    if (name == "log")
        return order == 0 ? log(x) : order == 1 ? 1.0 / x : order == 2 ? -1.0 / (x * x) : 2.0 / (x * x * x);
    if (name == "sqrt")
        return order == 0   ? sqrt(x)
               : order == 1 ? 0.5 / sqrt(x)
               : order == 2 ? -0.25 / (x * sqrt(x))
                            : 0.375 / (x * x * sqrt(x));
    if (name == "relu") return order == 0 ? relu(x) : order == 1 ? 0.5 * (sign(x) + 1.0) : 0.0 * x;
    if (name == "abs") return order == 0 ? abs(x) : order == 1 ? sign(x) : 0.0 * x;
    if (name == "softplus") return order == 0 ? softplus(x) : logistic(order - 1, x);
    if (name == "identity") return order == 0 ? x + 0.0 : order == 1 ? 0.0 * x + 1.0 : 0.0 * x;
    const T smooth = f.a * std::pow(f.w, order) * sine(order, f.w * x + f.p) +
                     f.b * std::pow(f.v, order) * hyperbolic(order, f.v * x + f.q);
    return order == 0   ? smooth + f.c * (x * x) + f.d * x
           : order == 1 ? smooth + 2 * f.c * x + f.d
           : order == 2 ? smooth + 2 * f.c
                        : smooth;
}

/// Whether the function has a kink at 0.
inline bool has_kink(const std::string& name) { return name == "relu" || name == "abs"; }

}  // namespace derivation
