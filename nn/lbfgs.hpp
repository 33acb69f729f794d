// The quasi-Newton method for smooth losses over all data at once, where the loss does not change from step to step.
#pragma once

#include <autograd/tape.hpp>
#include <functional>
#include <nn/optimizers.hpp>
#include <vector>

namespace nn {

/// The options of PyTorch's `LBFGS`, but for `strong_wolfe`, which it leaves out unless it is asked for.
struct LbfgsOptions {
    double rate = 1;                   ///< the length t that a line search begins with, or goes without one
    std::size_t iterations = 20;       ///< at most, in a step
    std::size_t evaluations = 0;       ///< at most, in a step; 0: iterations * 5 / 4
    double gradient_tolerance = 1e-7;  ///< the step ends where no number of the gradient is larger
    double change_tolerance = 1e-9;    ///< and where the loss, or each parameter, changes less; 0 for small losses
    std::size_t history = 100;         ///< pairs (s, y) that are kept
    bool strong_wolfe = true;          ///< search along d, at 25 points at most; else go `rate` along it
};

/// L-BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4, 3.5 and 3.6): d = -H g, where H comes from the
/// last steps s and the changes y of the gradient; p += t * d with a t that meets the strong Wolfe conditions,
///
///     loss(p + t d) <= loss(p) + 1e-4 t g'd    and    |g(p + t d)'d| <= 0.9 |g'd|.
///
/// A pair counts unless y's is rounding. (PyTorch's 1e-10 leaves out all pairs where the loss is small.)
///
///     nn::Lbfgs<double> optimizer(model.parameters());
///     autograd::Tape<double> tape;
///     for (int i = 0; i < 10; ++i)
///         loss = optimizer.step(tape, [&] { return mean_squared_error(model(tape.constant(x)), tape.constant(y)); });
template <class T>
class Lbfgs final : public Optimizer<T> {
  public:
    /// Throws `std::invalid_argument` where there is no parameter, one is listed twice, or an option makes no sense.
    explicit Lbfgs(std::vector<autograd::Parameter<T>> parameters, LbfgsOptions options = {});

    /// Up to `iterations` along the loss. Returns the loss from before. Throws `autograd::GradientError` where that is
    /// not finite, or the sum of its gradient's squares is not, and then nothing has changed; what `evaluate` throws
    /// leaves the parameters where they stood before its call. Where a point on the way is not finite, the line search
    /// goes less far; it throws where that leads nowhere, and nothing has moved. Without one the parameters go back to
    /// before that point, and it throws. At a rate of 0 nothing moves.
    double step(const Evaluate<T>& evaluate) override;

    /// The same of a loss that is recorded anew each time: the tape is rewound before.
    double step(autograd::Tape<T>& tape, const std::function<autograd::Variable<T>()>& loss);

    bool asks_again() const override { return true; }

    /// With the pairs, as PyTorch names them: up to `history` times two numbers for each of the parameters'.
    OptimizerState<T> state() const override;
    void set_state(const OptimizerState<T>& state) override;

    /// How often the loss was asked for, and the directions that were taken.
    std::uint64_t evaluations() const { return evaluations_; }
    std::uint64_t iterations() const { return iterations_; }

  private:
    using Vector = std::vector<T>;  // all parameters in a row
    struct Point {
        double t, loss, slope;
        Vector gradient;
    };
    Point at(const Evaluate<T>& evaluate);
    Point along(const Evaluate<T>& evaluate, double t);
    struct Found {
        Point point;
        std::size_t tried;  // evaluations
        bool is_over;       // no point that was tried is finite, and no more may be
    };
    Found search(const Evaluate<T>& evaluate, const Point& start, double t, std::size_t most);
    void direct(const Vector& gradient);
    void move(const Vector& from, double t);
    Vector position() const;
    std::map<std::string, autograd::Shape> arrays_of(const OptimizerState<T>& state) const override;
    void check_numbers(const OptimizerState<T>& state) const override;
    void update(std::size_t, T*, const T*, std::size_t) override {}  // by gradients alone, which is refused
    std::vector<std::pair<const char*, typename Optimizer<T>::Arrays*>> remembered() override { return {}; }

    LbfgsOptions options_;
    std::size_t size_ = 0;
    std::uint64_t evaluations_ = 0, iterations_ = 0;
    std::vector<Vector> steps_, changes_;  // s and y
    std::vector<T> inverses_;              // 1 / s'y
    T scale_ = 1;                          // s'y / y'y of the last pair
    Vector direction_, last_gradient_;
    double last_t_ = 0;
};

extern template class Lbfgs<float>;
extern template class Lbfgs<double>;

}  // namespace nn
