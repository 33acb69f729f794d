// A table of ratios: one row for each case, one column for each side, every side measured against the first.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

/// Benchmarks are named "case/side"; a side's time is the median of its repetitions.
class Report : public benchmark::ConsoleReporter {
  public:
    Report(std::vector<std::string> sides, std::vector<std::string> cases)
        : sides_(std::move(sides)), cases_(std::move(cases)) {}

    void ReportRuns(const std::vector<Run>& runs) override;

    /// "| 2-3-2, ... | 0.78 us | 0.95 us (1.22) |".
    std::string markdown() const;

  private:
    struct Time {
        double median = 0, least = 0, most = 0;  ///< seconds
    };
    std::vector<std::string> sides_, cases_;
    std::map<std::string, std::map<std::string, Time>> times_;  ///< by case and side
};
