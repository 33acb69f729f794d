// Gradient descent, or ascent, on the network of a derivation: what is learned, the loss and the gradients at each
// step.
#pragma once

#include <cstdint>
#include <derivation/derivation.hpp>
#include <lab/explained_derivation.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lab {

/// The text with some of its points, and with those that are held out. What has another size there has its numbers
/// there.
struct PartedText {
    std::string kept, held;
};

struct TrainOptions {
    std::size_t steps = 100;
    std::optional<double> rate;                       ///< none: the constant of the updates, else 0.1
    std::optional<std::vector<std::string>> learned;  ///< none: what the updates are about, else what the claims are
    std::optional<PartedText> parted;                 ///< none: it learns from all points
};

/// Before a step is taken: the loss there, and of each array that is learned its numbers and its gradient.
struct TrainedStep {
    double loss = 0;
    std::optional<double> held;  ///< the loss of what is held out
    std::vector<std::vector<double>> values, gradients;
};

struct Training {
    std::string loss;  ///< the let that the first update is about, else the last that is one number
    double rate = 0;
    std::vector<std::string> candidates;   ///< what can be learned: w[j,i]
    std::vector<std::string> learned;      ///< what was
    std::vector<std::vector<int>> shapes;  ///< of each
    std::vector<bool> ascends;             ///< of each: its update, or else the first one, climbs the loss
    Given given;                           ///< all numbers of the whole text at the first step
    std::vector<TrainedStep> steps;        ///< one more than were taken, or fewer where the loss is no number any more
};

/// Takes steps of gradient descent, or of ascent where the updates say so, from the numbers of `explained`. Throws
/// `std::runtime_error` as it does, where no let is one number, where a name is none of the candidates, and where the
/// parts of a text are no parts of its points.
Training trained(const std::string& text, const derivation::Report& report, const TrainOptions& options = {});

/// As docs/lab.md describes it.
std::string to_json(const Training& training);

/// What the network takes points of two numbers for.
struct Regions {
    /// A number that stands between a point and the output: a[n,2], over the plane.
    struct Unit {
        std::string name;
        std::vector<double> values;  ///< as the outputs lie
    };
    std::string input, output, targets;  ///< the batch, X[n,i] with two i, and the let that is read, p[n,k]
    std::vector<double> points;          ///< the batch itself, two numbers for each
    std::vector<int> classes;            ///< of its points, by the targets; none where they have none
    double low[2] = {0, 0}, high[2] = {0, 0};
    std::size_t across = 0;      ///< cells in a row, and rows
    std::size_t outputs = 0;     ///< numbers of a cell: one is between two classes
    std::vector<double> values;  ///< row by row from the low corner: the outputs of each cell
    std::vector<Unit> units;     ///< the first 24
};

/// The outputs over a rectangle of inputs around the batch's, at these numbers. Nothing where the network has no batch
/// of points with two numbers that is not learned, or where its output for a row depends on more than that row.
std::optional<Regions> regions(const std::string& text, const derivation::Report& report, const Given& given,
                               const std::vector<std::string>& learned, std::size_t across = 30);

std::string to_json(const Regions& regions);

}  // namespace lab
