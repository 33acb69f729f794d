// How a learning rate changes while a network is trained: the formulas of PyTorch's schedulers.
//
//     nn::Scheduler schedule(optimizer, nn::cosine(steps));
//     ...
//     optimizer.step(tape.backward(loss));
//     schedule.step();
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nn/optimizers.hpp>
#include <string>
#include <vector>

namespace nn {

/// The rate of step t, from 0, where the optimizer's own is `rate`. A function of one's own will do. Those below throw
/// `std::invalid_argument` where there are no steps, or a number makes no sense.
using Schedule = std::function<double(double rate, std::uint64_t t)>;

/// rate * gamma^floor(t / every)   (StepLR)
Schedule step_decay(std::uint64_t every, double gamma = 0.1);

/// least + (rate - least) * (1 + cos(pi * t / steps)) / 2   (CosineAnnealingLR)
Schedule cosine(std::uint64_t steps, double least = 0);

/// rate * (start + (1 - start) * t / steps) for the first steps, then `after`, whose t begins with 0 there; without it
/// the rate stays.   (LinearLR, and SequentialLR)
Schedule warm_up(std::uint64_t steps, double start = 1.0 / 3, Schedule after = {});

struct OneCycleOptions {
    double warm_share = 0.3;    ///< of the steps: the rate rises
    double divisor = 25;        ///< it begins with rate / divisor
    double last_divisor = 1e4;  ///< and ends with rate / divisor / last_divisor
};

/// Along half a cosine up to `rate`, and along another one down; it stays there after `steps`.   (OneCycleLR with
/// cycle_momentum=False)
Schedule one_cycle(std::uint64_t steps, OneCycleOptions options = {});

/// Sets the rates of an optimizer, each group's from its own; a group that is added later has its own until the next
/// step. Keeps a reference to the optimizer.
template <class T>
class Scheduler {
  public:
    /// Takes the optimizer's rates for its own, and sets those of step 0.
    Scheduler(Optimizer<T>& optimizer, Schedule schedule);

    /// After each step of the optimizer, or after each epoch, as the schedule counts.
    void step() { set(steps_ + 1); }

    std::uint64_t steps() const { return steps_; }

    /// Goes to step t.
    void set(std::uint64_t t);

  private:
    Optimizer<T>& optimizer_;
    Schedule schedule_;
    std::vector<double> rates_;
    std::uint64_t steps_ = 0;
};

struct PlateauOptions {
    double factor = 0.1;
    std::uint64_t patience = 10;  ///< epochs without progress that are borne
    double threshold = 1e-4;      ///< below this share of the best it is no progress
    std::uint64_t cooldown = 0;   ///< epochs after a change that do not count
    double least = 0;             ///< no rate falls below it
};

/// Lowers the rates where what is measured, such as the loss of a validation, has not fallen for some
/// epochs.   (ReduceLROnPlateau)
template <class T>
class Plateau {
  public:
    explicit Plateau(Optimizer<T>& optimizer, PlateauOptions options = {});

    /// After each epoch; true where the rates were lowered.
    bool step(double measured);

    /// For a checkpoint. Throws `std::invalid_argument` where something is missing, or is no number of epochs.
    std::map<std::string, double> state() const;
    void set_state(const std::map<std::string, double>& state);

  private:
    Optimizer<T>& optimizer_;
    PlateauOptions options_;
    double best_;
    std::uint64_t bad_ = 0, cooling_ = 0;
};

extern template class Scheduler<float>;
extern template class Scheduler<double>;
extern template class Plateau<float>;
extern template class Plateau<double>;

}  // namespace nn
