// An exponential moving average of what is learned, which often predicts better than where the last step led.
#pragma once

#include <autograd/parameter.hpp>
#include <vector>

namespace nn {

/// a = p at first;  a += (1 - decay) * (p - a) after each step   (PyTorch's `AveragedModel` with
/// `get_ema_multi_avg_fn`). Buffers are not averaged.
///
///     nn::ParameterAverage average(model.parameters(), 0.999);
///     ... optimizer.step(gradients); average.update(); ...
///     average.swap();                                            // the model predicts with the averages
///     average.swap();                                            // and goes on training
template <class T>
class ParameterAverage {
  public:
    /// Throws `std::invalid_argument` where there is no parameter, one is listed twice, or the decay is not from 0
    /// to 1.
    explicit ParameterAverage(std::vector<autograd::Parameter<T>> parameters, double decay = 0.999);
    ParameterAverage(const ParameterAverage&) = delete;  // two would swap the same parameters
    ParameterAverage& operator=(const ParameterAverage&) = delete;

    /// Throws `std::invalid_argument` while the averages stand in the parameters' places, or where a shape has changed.
    void update();

    /// The parameters take the averages' places, and the other way round.
    void swap();

    /// The averages, under the parameters' names: to be saved, or to be loaded, and then `go_on`.
    const std::vector<autograd::Parameter<T>>& averages() const { return averages_; }

    /// The next update goes on from the averages as they are, though it is the first.
    void go_on() { begun_ = true; }

  private:
    std::vector<autograd::Parameter<T>> parameters_, averages_;
    double decay_;
    bool begun_ = false, swapped_ = false;
};

extern template class ParameterAverage<float>;
extern template class ParameterAverage<double>;

}  // namespace nn
