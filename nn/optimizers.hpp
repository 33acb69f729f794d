// Optimizers: the formulas and the defaults of PyTorch's optimizers of the same names.
#pragma once

#include <autograd/gradients.hpp>
#include <autograd/parameter.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace nn {

/// What an optimizer remembers between steps, by name: "0.weight.exp_avg", with PyTorch's names behind the parameter's.
template <class T>
struct OptimizerState {
    std::map<std::string, autograd::Array<T>> arrays;
    std::map<std::string, double> numbers;
};

/// A loss where the parameters stand, and its gradients there.
template <class T>
struct LossAndGradients {
    double loss;
    autograd::Gradients<T> gradients;
};

template <class T>
using Evaluate = std::function<LossAndGradients<T>()>;

/// Changes parameters along their gradients. A step allocates nothing, but for that of `Lbfgs`.
///
/// Parameters with options of their own are further groups:
///
///     nn::Adam<float> optimizer(body.parameters(), {.rate = 1e-4});
///     optimizer.add_group(head.parameters(), {.rate = 1e-3});
template <class T>
class Optimizer {
  public:
    virtual ~Optimizer() = default;

    /// One step. All is checked before anything changes: throws `autograd::GradientError` where the recording did not
    /// watch one of the parameters, `std::invalid_argument` where a parameter's shape is no longer its gradient's or
    /// the one that the optimizer was made for. What divides by the roots of squares throws `autograd::GradientError`,
    /// too, where a square overflows; the step is half made then. `std::invalid_argument` where one `asks_again`.
    void step(const autograd::Gradients<T>& gradients);

    /// One step along a loss, which is evaluated where the parameters stand: once, or as often as the optimizer needs,
    /// which moves them meanwhile. Returns the loss from before the step.
    virtual double step(const Evaluate<T>& evaluate);

    /// Whether a step evaluates the loss more than once: it has to be one function then, in all steps.
    virtual bool asks_again() const { return false; }

    /// What it changes: the parameters of all groups, without buffers.
    const std::vector<autograd::Parameter<T>>& parameters() const { return parameters_; }

    /// The number of steps made.
    std::uint64_t steps() const { return steps_; }

    /// The number of groups.
    std::size_t groups() const { return groups_.size(); }

    /// The learning rate of a group, which a schedule may change between steps. Throws `std::invalid_argument` for a
    /// bad one, `std::out_of_range` for a group that is not there.
    double rate(std::size_t group = 0) const;
    void set_rate(double rate, std::size_t group = 0);

    /// "adam"
    const char* name() const { return name_; }

    /// Whether the weight decay, times the rate, is so large that parameters grow from step to step by themselves.
    virtual bool decays_too_much() const { return false; }

    /// What it remembers, rates and the number of steps included: for an optimizer made alike to go on from there.
    /// All throw `std::invalid_argument` where two parameters have one name, `set_state` where it is another's, and
    /// changes nothing then.
    virtual OptimizerState<T> state() const;
    virtual void set_state(const OptimizerState<T>& state);
    void check_state(const OptimizerState<T>& state) const;

  protected:
    using Arrays = std::vector<autograd::Array<T>>;

    /// Throws `std::invalid_argument` where there is no parameter, one is listed twice, or the rate is bad.
    Optimizer(const char* name, std::vector<autograd::Parameter<T>> parameters, double rate);
    Optimizer(const Optimizer&) = default;
    Optimizer& operator=(const Optimizer&) = default;
    // So that optimizers are copied instead: what was moved from would have its parameters, and none of their arrays.
    Optimizer(Optimizer&&) = delete;
    Optimizer& operator=(Optimizer&&) = delete;

    /// One more group; it throws as the constructor does, and adds nothing then.
    void add(std::vector<autograd::Parameter<T>> parameters, double rate);

    std::size_t group_of(std::size_t i) const { return group_of_[i]; }
    double rate_of(std::size_t i) const { return groups_[group_of_[i]].rate; }
    /// The number of steps that parameter number i has made.
    std::uint64_t steps_of(std::size_t i) const { return steps_ - groups_[group_of_[i]].begun; }

    /// For each parameter without one yet an array of its shape that holds `value`; or an empty one, where its group
    /// has no use for it.
    void grow(Arrays& arrays, bool used = true, double value = 0) const;

    /// The arrays that this state must have, if it is this optimizer's.
    virtual std::map<std::string, autograd::Shape> arrays_of(const OptimizerState<T>& state) const;

    /// What else a state must hold whose names and shapes are right, or `refuse_state`.
    virtual void check_numbers(const OptimizerState<T>& state) const;

    [[noreturn]] void refuse_state(const std::string& what) const;
    void check_count(const std::string& name, double number) const;

    void count_step() { ++steps_; }

    /// Throws `autograd::GradientError`: a square of parameter number i is infinite, and no step would move it again.
    [[noreturn]] void refuse_overflow(std::size_t i) const;

    /// Updates the n numbers of parameter number i.
    virtual void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) = 0;

    /// The arrays of its state, one for each parameter, under PyTorch's names.
    virtual std::vector<std::pair<const char*, Arrays*>> remembered() = 0;

    const char* name_;

  private:
    struct Group {
        double rate;
        std::uint64_t begun;  ///< the number of steps before it was added
    };
    std::vector<autograd::Parameter<T>> parameters_;
    std::vector<autograd::Shape> shapes_;
    std::vector<const autograd::Array<T>*> found_;
    std::vector<std::size_t> group_of_;
    std::vector<Group> groups_;
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
    void add_group(std::vector<autograd::Parameter<T>> parameters, SgdOptions options);

    bool decays_too_much() const override;

  private:
    void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) override;
    std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> remembered() override;

    std::vector<SgdOptions> options_;  // by group, as below
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
    void add_group(std::vector<autograd::Parameter<T>> parameters, AdamOptions options);

  protected:
    Adam(const char* name, std::vector<autograd::Parameter<T>> parameters, AdamOptions options, bool decoupled);
    static AdamOptions checked(const char* name, AdamOptions options);

    std::vector<AdamOptions> options_;  // by group

  private:
    void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) override;
    std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> remembered() override;

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
    void add_group(std::vector<autograd::Parameter<T>> parameters, AdamWOptions options);
    bool decays_too_much() const override;
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
    void add_group(std::vector<autograd::Parameter<T>> parameters, RMSpropOptions options);

  private:
    void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) override;
    std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> remembered() override;

    void grow_all();

    std::vector<RMSpropOptions> options_;
    typename Optimizer<T>::Arrays squares_;
    typename Optimizer<T>::Arrays means_;
    typename Optimizer<T>::Arrays momenta_;
};

struct AdagradOptions {
    double rate = 1e-2;
    double rate_decay = 0;
    double weight_decay = 0;
    double initial = 0;
    double epsilon = 1e-10;
};

/// g += weight_decay * p;  s += g^2;  p -= rate / (1 + (t - 1) * rate_decay) * g / (sqrt(s) + epsilon), where s begins
/// with `initial`.
template <class T>
class Adagrad final : public Optimizer<T> {
  public:
    explicit Adagrad(std::vector<autograd::Parameter<T>> parameters, AdagradOptions options = {});
    void add_group(std::vector<autograd::Parameter<T>> parameters, AdagradOptions options);

  private:
    void update(std::size_t i, T* parameter, const T* gradient, std::size_t n) override;
    std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> remembered() override;

    std::vector<AdagradOptions> options_;
    typename Optimizer<T>::Arrays sums_;
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
extern template class Adagrad<float>;
extern template class Adagrad<double>;

}  // namespace nn
