#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nn/schedules.hpp>
#include <numbers>
#include <stdexcept>

namespace nn {

namespace {

void require(bool good, const char* schedule, const std::string& what) {
    if (!good) throw std::invalid_argument(fmt::format("[{}] {}", schedule, what));
}

void require_steps(const char* schedule, std::uint64_t steps, std::uint64_t least = 1) {
    require(steps >= least, schedule, fmt::format("a schedule of {} steps says nothing", steps));
}

/// From `first` to `last` along half a cosine, as the share goes from 0 to 1.
double along_cosine(double first, double last, double share) {
    return last + (first - last) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

}  // namespace

Schedule step_decay(std::uint64_t every, double gamma) {
    require_steps("step_decay", every);
    require(gamma > 0 && std::isfinite(gamma), "step_decay", fmt::format("gamma must be above 0, not {}", gamma));
    return [=](double rate, std::uint64_t t) { return rate * std::pow(gamma, static_cast<double>(t / every)); };
}

Schedule cosine(std::uint64_t steps, double least) {
    require_steps("cosine", steps);
    require(least >= 0 && std::isfinite(least), "cosine", fmt::format("no rate can be {}", least));
    return [=](double rate, std::uint64_t t) {
        return along_cosine(rate, least, static_cast<double>(t) / static_cast<double>(steps));
    };
}

Schedule warm_up(std::uint64_t steps, double start, Schedule after) {
    require_steps("warm_up", steps);
    require(start > 0 && start <= 1, "warm_up", fmt::format("it starts with a share from above 0 to 1, not {}", start));
    return [=](double rate, std::uint64_t t) {
        if (t >= steps) return after ? after(rate, t - steps) : rate;
        return rate * (start + (1 - start) * static_cast<double>(t) / static_cast<double>(steps));
    };
}

Schedule one_cycle(std::uint64_t steps, OneCycleOptions options) {
    require_steps("one_cycle", steps, 2);
    const double warm = options.warm_share * static_cast<double>(steps) - 1, end = static_cast<double>(steps - 1);
    require(options.warm_share >= 0 && options.warm_share <= 1, "one_cycle",
            fmt::format("the warm share is from 0 to 1, not {}", options.warm_share));
    require(options.divisor > 0 && options.last_divisor > 0, "one_cycle", "the divisors must be above 0");
    return [=](double rate, std::uint64_t step) {
        const double t = std::min(static_cast<double>(step), end), first = rate / options.divisor;
        if (t <= warm) return along_cosine(first, rate, warm == 0 ? 1 : t / warm);
        return along_cosine(rate, first / options.last_divisor, end == warm ? 1 : (t - warm) / (end - warm));
    };
}

template <class T>
Scheduler<T>::Scheduler(Optimizer<T>& optimizer, Schedule schedule)
    : optimizer_(optimizer), schedule_(std::move(schedule)) {
    require(static_cast<bool>(schedule_), "scheduler", "there is no schedule");
    set(0);
}

template <class T>
void Scheduler<T>::set(std::uint64_t t) {
    while (rates_.size() < optimizer_.groups()) rates_.push_back(optimizer_.rate(rates_.size()));
    for (std::size_t g = 0; g < rates_.size(); ++g) optimizer_.set_rate(schedule_(rates_[g], t), g);
    steps_ = t;
}

template <class T>
Plateau<T>::Plateau(Optimizer<T>& optimizer, PlateauOptions options)
    : optimizer_(optimizer), options_(options), best_(std::numeric_limits<double>::infinity()) {
    require(options.factor > 0 && options.factor < 1, "plateau",
            fmt::format("the factor must be between 0 and 1, not {}", options.factor));
    require(options.threshold >= 0 && options.threshold < 1, "plateau",
            fmt::format("the threshold must be at least 0 and below 1, not {}", options.threshold));
    require(options.least >= 0, "plateau", fmt::format("no rate can be {}", options.least));
}

template <class T>
bool Plateau<T>::step(double measured) {
    if (measured < best_ * (1 - options_.threshold)) {
        best_ = measured;
        bad_ = 0;
    } else {
        ++bad_;
    }
    if (cooling_ > 0) {
        --cooling_;
        bad_ = 0;
    }
    if (bad_ <= options_.patience) return false;
    cooling_ = options_.cooldown;
    bad_ = 0;
    bool lowered = false;
    for (std::size_t g = 0; g < optimizer_.groups(); ++g) {
        const double rate = optimizer_.rate(g), lower = std::max(rate * options_.factor, options_.least);
        if (rate - lower <= 1e-8) continue;  // as PyTorch's eps
        optimizer_.set_rate(lower, g);
        lowered = true;
    }
    return lowered;
}

template <class T>
std::map<std::string, double> Plateau<T>::state() const {
    return {{"best", best_}, {"bad", static_cast<double>(bad_)}, {"cooling", static_cast<double>(cooling_)}};
}

template <class T>
void Plateau<T>::set_state(const std::map<std::string, double>& state) {
    for (const char* name : {"best", "bad", "cooling"})
        require(state.contains(name), "plateau", fmt::format("the state has no '{}'", name));
    constexpr double most = 1e15;  // of epochs: a count, and one that a double holds
    for (const char* name : {"bad", "cooling"})
        require(state.at(name) >= 0 && state.at(name) <= most, "plateau",
                fmt::format("the state's '{}' is {}", name, state.at(name)));
    best_ = state.at("best");
    bad_ = static_cast<std::uint64_t>(state.at("bad"));
    cooling_ = static_cast<std::uint64_t>(state.at("cooling"));
}

template class Scheduler<float>;
template class Scheduler<double>;
template class Plateau<float>;
template class Plateau<double>;

}  // namespace nn
