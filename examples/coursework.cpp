// The generalised delta rule, computed by hand beside the tape's numbers:
//     i: input, j: hidden, k: output;  z_j = sum_i w_ji x_i,  a_j = f(z_j),  z_k = sum_j w_kj a_j,  yhat = softmax(z)
#include <algorithm>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>

namespace {

double largest_difference = 0;

void print(const char* formula, double by_hand, double on_tape) {
    std::printf("  %-46s %12.8f %12.8f\n", formula, by_hand, on_tape);
    largest_difference = std::max(largest_difference, std::abs(by_hand - on_tape));
}

}  // namespace

int main() {
    using autograd::Array;
    const Array<double> x = {{0.5, -1.0}}, w_ji = {{0.1, 0.4}, {-0.3, 0.2}, {0.6, -0.5}},
                        w_kj = {{0.2, -0.4, 0.1}, {0.5, 0.3, -0.2}};
    const std::size_t label = 1;

    autograd::Tape<double> tape;
    auto w1 = tape.variable(w_ji), w2 = tape.variable(w_kj);
    auto z_j = linear(tape.constant(x), w1), a_j = tanh(z_j), z_k = linear(a_j, w2);
    auto loss = softmax_cross_entropy(z_k, autograd::Indices{static_cast<std::int64_t>(label)});
    auto grads = tape.backward(loss, {z_j, z_k});

    std::printf("  %-46s %12s %12s\n", "formula", "by hand", "tape");
    double z[3], a[3], delta_k[2], yhat[2], total = 0;
    for (std::size_t j = 0; j < 3; ++j) {
        z[j] = w_ji(j, 0) * x(0, 0) + w_ji(j, 1) * x(0, 1);
        a[j] = std::tanh(z[j]);
    }
    for (std::size_t k = 0; k < 2; ++k) {
        yhat[k] = std::exp(w_kj(k, 0) * a[0] + w_kj(k, 1) * a[1] + w_kj(k, 2) * a[2]);
        total += yhat[k];
    }
    for (std::size_t k = 0; k < 2; ++k) {
        yhat[k] /= total;
        delta_k[k] = -((k == label ? 1.0 : 0.0) - yhat[k]);
        print("delta_k = -(y_k - yhat_k)", delta_k[k], grads[z_k](0, k));
    }
    for (std::size_t j = 0; j < 3; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < 2; ++k) sum += w_kj(k, j) * delta_k[k];
        const double delta_j = (1 - a[j] * a[j]) * sum;
        print("delta_j = f'(z_j) * sum_k w_kj * delta_k", delta_j, grads[z_j](0, j));
        for (std::size_t i = 0; i < 2; ++i) print("dC/dw_ji = delta_j * x_i", delta_j * x(0, i), grads[w1](j, i));
        for (std::size_t k = 0; k < 2; ++k) print("dC/dw_kj = delta_k * a_j", delta_k[k] * a[j], grads[w2](k, j));
    }
    std::printf("  largest difference: %.1e\n", largest_difference);
    return largest_difference < 1e-12 ? 0 : 1;
}
