// What is measured: a training step of a multilayer perceptron, and its inference, each side given the same weights.
#pragma once

#include <autograd/array.hpp>
#include <autograd/parameter.hpp>
#include <memory>
#include <nn/mlp.hpp>
#include <random>
#include <string>
#include <vector>

struct Case {
    std::vector<std::size_t> widths;
    std::size_t batch = 1;
    std::string optimizer = "sgd";  // sgd, momentum, adam; none: inference
    nn::ActivationKind activation = nn::ActivationKind::relu;

    std::string name() const;
};

/// A network with the batch that it is trained on.
struct Network {
    std::vector<std::size_t> widths;
    std::size_t batch = 1;
};

/// Rows, labels and weights, the same for every side.
template <class T>
struct Problem {
    explicit Problem(const Case& c)
        : engine(1),
          network(c.widths, c.activation, engine),
          x(autograd::Array<T>::from_shape({c.batch, c.widths.front()})),
          labels(autograd::Indices::from_shape({c.batch})) {
        for (T& value : x) value = static_cast<T>(engine() >> 40) / static_cast<T>(1 << 24);
        for (auto& label : labels) label = static_cast<std::int64_t>(engine() % c.widths.back());
    }
    std::mt19937_64 engine;
    nn::Mlp<T> network;
    autograd::Array<T> x;
    autograd::Indices labels;
};

/// One way to do it. A step returns the loss; inference returns the first logit.
struct Side {
    virtual ~Side() = default;
    virtual double step() = 0;
};

inline constexpr double learning_rate = 1e-3, momentum = 0.9, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

template <class T>
std::unique_ptr<Side> by_hand(const Case& c);
template <class T>
std::unique_ptr<Side> by_tape(const Case& c);
/// Only the matrix products of a step.
template <class T>
std::unique_ptr<Side> products_alone(const Case& c);
/// Where libtorch was found.
template <class T>
std::unique_ptr<Side> by_torch(const Case& c);

/// OpenBLAS' and libtorch's threads.
void set_threads(int threads);
void set_torch_threads(int threads);
/// OpenBLAS with the processor that it takes this one for, which decides its kernels.
std::string blas_version();
std::string torch_version();
