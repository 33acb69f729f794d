#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace {

std::string in_units(double seconds) {
    const auto [factor, unit] = seconds < 1e-6   ? std::pair(1e9, "ns")
                                : seconds < 1e-3 ? std::pair(1e6, "µs")
                                                 : std::pair(1e3, "ms");
    return fmt::format("{:.3g} {}", seconds * factor, unit);
}

}  // namespace

void Report::ReportRuns(const std::vector<Run>& runs) {
    std::vector<double> seconds;
    for (const Run& run : runs)
        if (run.run_type == Run::RT_Iteration && !run.error_occurred)
            seconds.push_back(run.real_accumulated_time / static_cast<double>(run.iterations));
    if (seconds.empty()) return ConsoleReporter::ReportRuns(runs);
    std::ranges::sort(seconds);
    const std::string name = runs.front().run_name.function_name;
    const std::string c = name.substr(0, name.rfind('/')), side = name.substr(name.rfind('/') + 1);
    times_[c][side] = {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

std::string Report::markdown() const {
    std::string text = "| case |";
    for (const std::string& side : sides_) text += fmt::format(" {} |", side);
    text += "\n|---|";
    for (std::size_t i = 0; i < sides_.size(); ++i) text += "---:|";
    for (const std::string& c : cases_) {
        if (!times_.contains(c)) continue;
        text += fmt::format("\n| {} |", c);
        const auto& times = times_.at(c);
        const auto base = times.find(sides_.front());
        for (const std::string& side : sides_) {
            const auto found = times.find(side);
            if (found == times.end()) {
                text += " |";
            } else if (side == sides_.front() || base == times.end()) {
                text += fmt::format(" {} ± {:.0f} % |", in_units(found->second.median),
                                    50 * (found->second.most - found->second.least) / found->second.median);
            } else {
                text += fmt::format(" {} ({:.2f}) |", in_units(found->second.median),
                                    found->second.median / base->second.median);
            }
        }
    }
    return text + "\n";
}
