// Optimizers: the formulas and the defaults of PyTorch's optimizers of the same names.
#pragma once

#include <autograd/gradients.hpp>
#include <autograd/parameter.hpp>
#include <cstdint>
#include <vector>

namespace nn {

/// Changes parameters along their gradients. A step allocates nothing.
template <class T>
class Optimizer {
  public:
    virtual ~Optimizer() = default;

    /// One step. All is checked before anything changes: throws `autograd::GradientError` where the recording did not
    /// watch one of the parameters, `std::invalid_argument` where a parameter's shape is no longer its gradient's or
    /// the one that the optimizer was made for.
    void step(const autograd::Gradients<T>& gradients);

    /// What it changes: the parameters that it was made for, without buffers.
    const std::vector<autograd::Parameter<T>>& parameters() const { return parameters_; }

    /// The number of steps made.
    std::uint64_t steps() const { return steps_; }

    /// The learning rate, which a schedule may change between steps. Throws `std::invalid_argument` for a bad one.
    double rate() const { return rate_; }
    void set_rate(double rate);

  protected:
    using Arrays = std::vector<autograd::Array<T>>;

    /// Throws `std::invalid_argument` where there is no parameter, one is listed twice, or the rate is bad.
    Optimizer(const char* name, std::vector<autograd::Parameter<T>> parameters, double rate);
    Optimizer(const Optimizer&) = default;
    Optimizer& operator=(const Optimizer&) = default;

    /// Zeros in the parameters' shapes.
    Arrays zeros() const;

    /// Updates the n numbers of parameter number i.
    virtual void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) = 0;

    const char* name_;

  private:
    std::vector<autograd::Parameter<T>> parameters_;
    std::vector<autograd::Shape> shapes_;
    std::vector<const autograd::Array<T>*> found_;
    double rate_;
    std::uint64_t steps_ = 0;
};

struct SgdOptions {
    double rate = 1e-3;
    double momentum = 0;
    bool nesterov = false;
    double weight_decay = 0;
};

/// g += weight_decay * p;  b = momentum * b + g;  p -= rate * b, or with nesterov p -= rate * (g + momentum * b).
template <class T>
class Sgd final : public Optimizer<T> {
  public:
    explicit Sgd(std::vector<autograd::Parameter<T>> parameters, SgdOptions options = {});

  private:
    void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) override;

    SgdOptions options_;
    typename Optimizer<T>::Arrays momenta_;
};

struct AdamOptions {
    double rate = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0;
};

/// g += weight_decay * p;  m += (1 - beta1) * (g - m);  v = beta2 * v + (1 - beta2) * g^2;
/// p -= rate / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon).
template <class T>
class Adam : public Optimizer<T> {
  public:
    explicit Adam(std::vector<autograd::Parameter<T>> parameters, AdamOptions options = {});

  protected:
    Adam(const char* name, std::vector<autograd::Parameter<T>> parameters, AdamOptions options, bool decoupled);

  private:
    void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) override;

    AdamOptions options_;
    bool decoupled_;
    typename Optimizer<T>::Arrays first_;
    typename Optimizer<T>::Arrays second_;
};

struct AdamWOptions {
    double rate = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 1e-2;
};

/// Adam whose weight decay is kept out of the moments: p *= 1 - rate * weight_decay before the step.
template <class T>
class AdamW final : public Adam<T> {
  public:
    explicit AdamW(std::vector<autograd::Parameter<T>> parameters, AdamWOptions options = {});
};

struct RMSpropOptions {
    double rate = 1e-2;
    double alpha = 0.99;
    double epsilon = 1e-8;
    double weight_decay = 0;
    double momentum = 0;
    bool centered = false;
};

/// g += weight_decay * p;  v = alpha * v + (1 - alpha) * g^2;  b = momentum * b + g / (sqrt(v) + epsilon);
/// p -= rate * b. Centered: a += (1 - alpha) * (g - a), and v - a^2 in v's place under the root.
template <class T>
class RMSprop final : public Optimizer<T> {
  public:
    explicit RMSprop(std::vector<autograd::Parameter<T>> parameters, RMSpropOptions options = {});

  private:
    void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) override;

    RMSpropOptions options_;
    typename Optimizer<T>::Arrays squares_;
    typename Optimizer<T>::Arrays means_;
    typename Optimizer<T>::Arrays momenta_;
};

extern template class Optimizer<float>;
extern template class Optimizer<double>;
extern template class Sgd<float>;
extern template class Sgd<double>;
extern template class Adam<float>;
extern template class Adam<double>;
extern template class AdamW<float>;
extern template class AdamW<double>;
extern template class RMSprop<float>;
extern template class RMSprop<double>;

}  // namespace nn
