// What the program can do, and the options of each. Errors are thrown.
#pragma once

#include <cstdint>
#include <nn/csv.hpp>
#include <optional>
#include <string>
#include <vector>

struct TrainOptions {
    std::string csv;  // none of the two: the digits that come with the program
    std::string idx;
    std::string label;
    nn::Header header = nn::Header::detect;
    bool classification = false;  // whatever the target looks like
    std::vector<std::size_t> hidden = {128};
    std::string activation = "relu";
    std::string optimizer = "adam";
    std::optional<double> rate;  // the optimizer's own
    std::size_t epochs = 30;
    std::size_t batch = 32;
    std::uint64_t seed = 1;
    double holdout = 0.2;
    bool confusion = false;
    std::string save;
};

struct PredictOptions {
    std::string model;
    std::string csv;
    std::string label;
    nn::Header header = nn::Header::detect;
};

struct CheckOptions {
    std::vector<std::string> files;
    std::uint64_t seed = 1;
    std::size_t line = 0;  // all
    bool json = false;
    std::string html;
    bool hint = false;
    bool as_latex = false;
    bool as_text = false;
};

// Each gives the exit code.
int train(const TrainOptions& options);
int predict(const PredictOptions& options);
int check(const CheckOptions& options);

/// Throws `std::system_error` where what was printed cannot be written.
void flush_output();

inline const std::vector<std::string> optimizer_names = {"sgd", "momentum", "adam", "adamw", "rmsprop"};
