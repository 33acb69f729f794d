// What the program can do, and the options of each. Errors are thrown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct TrainOptions {
    std::string csv;  // none of the two: the digits that come with the program
    std::string idx;
    std::string label;
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

void train(const TrainOptions& options);
void predict(const PredictOptions& options);
int check(const CheckOptions& options);  // the exit code

inline const std::vector<std::string> optimizer_names = {"sgd", "momentum", "adam", "adamw", "rmsprop"};

// The names of the metadata in a saved network.
inline constexpr const char* widths_key = "widths";
inline constexpr const char* activation_key = "activation";
inline constexpr const char* classes_key = "classes";
