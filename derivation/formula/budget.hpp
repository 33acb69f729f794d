// What judging a file may cost.
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace derivation {

/// A line costs more than a file may: it is left undecided.
struct OverBudget : std::runtime_error {
    explicit OverBudget(const std::string& sentence) : std::runtime_error(sentence) {}
};

/// Work and memory, counted and not timed, so that every machine gives the same verdicts.
class Budget {
  public:
    /// A unit is about what one operation in a formula takes: some 10 ns.
    void work(std::size_t units) {
        work_ += units;
        if (work_ > most_work_) throw OverBudget("The file asks for more work than a check may take.");
    }
    void memory(std::size_t bytes) {
        memory_ += bytes;
        if (memory_ > most_memory_) throw OverBudget("The file asks for more memory than a check may take.");
    }
    void release(std::size_t bytes) { memory_ -= bytes; }

    std::size_t work_so_far() const { return work_; }
    std::size_t work_left() const { return most_work_ - std::min(work_, most_work_); }
    std::size_t memory_so_far() const { return memory_; }

    /// While it lives, a part of what is left may be used, so that one line leaves something for those below.
    class Part {
      public:
        Part(Budget& budget, double share)
            : budget_(budget), most_work_(budget.most_work_), most_memory_(budget.most_memory_) {
            budget.most_work_ = part_of(budget.work_, most_work_, share);
            budget.most_memory_ = part_of(budget.memory_, most_memory_, share);
        }
        ~Part() {
            budget_.most_work_ = most_work_;
            budget_.most_memory_ = most_memory_;
        }
        Part(const Part&) = delete;
        Part& operator=(const Part&) = delete;

      private:
        static std::size_t part_of(std::size_t used, std::size_t most, double share) {
            return used >= most ? most : used + static_cast<std::size_t>(share * static_cast<double>(most - used));
        }

        Budget& budget_;
        std::size_t most_work_, most_memory_;
    };

  private:
    std::size_t work_ = 0, memory_ = 0;
    std::size_t most_work_ = 700000000, most_memory_ = 300u << 20;
};

}  // namespace derivation
