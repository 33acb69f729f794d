// What became of a training, as one page for a browser.
#pragma once

#include <nlohmann/json.hpp>
#include <nn/data.hpp>
#include <nn/fit.hpp>
#include <string>
#include <vector>

/// How big a picture is that stands in a row; 0 where there is none.
struct PictureSize {
    std::size_t height = 0, width = 0;
};

/// What the network said of a row of a class.
struct ClassAnswer {
    std::size_t row, predicted;  // of the test; the number of the class
    double log_right;            // the logarithm of the probability that it gave the row's own class
    double probability;          // of the class that it predicted
};

struct TrainingReport {
    std::string data;                    // the file or folder that was read
    nlohmann::json facts;                // what was trained, and how good it is
    nn::History history;                 // its epochs, and which one was kept
    std::string metric;                  // what it is called, and its unit
    double metric_factor = 1;            // from the history's numbers to this unit
    const nn::Dataset<double>& test;     // as it was read
    std::vector<std::string> classes;    // the network's; the test may have fewer
    PictureSize picture;                 // of its rows
    autograd::Indices confusion;         // of classes; empty where there are too many
    std::vector<ClassAnswer> answers;    // of classes
    autograd::Array<double> prediction;  // of numbers, (n, targets)
};

constexpr std::size_t most_classes_on_page = 50;

/// One page of HTML that needs nothing else: facts, curves, and how the test went, with its worst rows.
std::string page_of(const TrainingReport& report);
