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

void train(const TrainOptions& options);
void predict(const PredictOptions& options);

inline const std::vector<std::string> optimizer_names = {"sgd", "momentum", "adam", "adamw", "rmsprop"};

// The names of the metadata in a saved network.
inline constexpr const char* widths_key = "widths";
inline constexpr const char* activation_key = "activation";
inline constexpr const char* classes_key = "classes";
