#include "class_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nn/metrics.hpp>
#include <stdexcept>

void ClassScores::add(const autograd::Array<float>& scores, const autograd::Indices& labels) {
    const auto n = static_cast<double>(labels.size());
    rows_ += n;
    right_ += std::round(nn::accuracy(scores, labels) * n);
    if (top_ > 0) right_in_top_ += std::round(nn::top_k_accuracy(scores, labels, top_) * n);
    if (scores.shape()[1] != 2) return;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        differences_.push_back(scores(i, 1) - scores(i, 0));
        labels_.push_back(labels(i));
    }
}

double ClassScores::area_under_curve() const {
    auto scores = autograd::Array<float>::from_shape({differences_.size()});
    auto labels = autograd::Indices::from_shape({labels_.size()});
    std::ranges::copy(differences_, scores.data());
    std::ranges::copy(labels_, labels.data());
    return nn::area_under_curve(scores, labels);
}

std::string ClassScores::more() const {
    std::string text;
    if (!differences_.empty()) {
        const double area = area_under_curve();
        text += std::isnan(area) ? ", AUC undefined (all rows are of one class)" : fmt::format(", AUC {:.4f}", area);
    }
    if (top_ > 0) text += fmt::format(", top-{} accuracy {:.2f} %", top_, 100 * right_in_top_ / rows_);
    return text;
}

std::vector<double> ClassScores::numbers() const {
    std::vector<double> numbers = {accuracy()};
    if (!differences_.empty()) numbers.push_back(area_under_curve());
    if (top_ > 0) numbers.push_back(100 * right_in_top_ / rows_);
    return numbers;
}

nlohmann::json ClassScores::as_json() const {
    nlohmann::json report = {{"accuracy", right_ / rows_}};
    if (!differences_.empty()) report["area_under_curve"] = area_under_curve();
    if (top_ > 0) report[fmt::format("top_{}_accuracy", top_)] = right_in_top_ / rows_;
    return report;
}

void require_top(const char* command, std::size_t top, std::size_t classes) {
    if (top == 0) return;
    if (classes == 0)
        throw std::invalid_argument(fmt::format("[{}] --top is for classes, and this is a regression", command));
    if (top > classes)
        throw std::invalid_argument(fmt::format("[{}] --top {}: there are {} classes", command, top, classes));
}
