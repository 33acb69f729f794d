// How good scores of classes are, block by block.
#pragma once

#include <autograd/array.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

class ClassScores {
  public:
    /// With `top` above 0, also the share of rows whose class is among so many of the largest scores.
    explicit ClassScores(std::size_t top) : top_(top) {}

    /// Scores (n, classes), labels (n,).
    void add(const autograd::Array<float>& scores, const autograd::Indices& labels);

    std::size_t rows() const { return static_cast<std::size_t>(rows_); }

    /// In per cent.
    double accuracy() const { return 100 * right_ / rows_; }

    /// What there is to say behind the accuracy: ", AUC 0.9871" of two classes, ", top-5 accuracy 99.00 %".
    std::string more() const;

    /// The accuracy, and what `more` says besides, as numbers.
    std::vector<double> numbers() const;

    /// The same for programs.
    nlohmann::json as_json() const;

  private:
    double area_under_curve() const;

    std::size_t top_;
    double rows_ = 0, right_ = 0, right_in_top_ = 0;
    std::vector<float> differences_;  // of two classes: how much larger the second one's score is
    std::vector<std::int64_t> labels_;
};

/// Throws `std::invalid_argument` where --top asks for more classes than there are, or there are none.
void require_top(const char* command, std::size_t top, std::size_t classes);
