// What a training shows of itself.
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <nn/fit.hpp>
#include <string>

namespace nn::train {

/// A bar that is drawn over itself on a terminal; elsewhere a line for each epoch.
class Progress {
  public:
    /// `done` is the share of the training that is done already. Without a file nothing is shown.
    Progress(std::FILE* file, std::size_t epochs, double done, std::function<std::string(const Measured&)> describe);

    /// After a step, and with the validation after an epoch. Throws `std::system_error` where it cannot be written.
    void show(const Epoch& epoch, bool is_whole);

    /// Leaves the bar's line.
    void finish();

  private:
    using Clock = std::chrono::steady_clock;
    void print(const std::string& text);

    std::FILE* file_;
    bool terminal_;
    std::size_t epochs_;
    double begun_;
    std::function<std::string(const Measured&)> describe_;
    Clock::time_point start_ = Clock::now(), drawn_ = {};
    bool is_open_ = false;  // a line
};

}  // namespace nn::train
