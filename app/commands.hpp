// What the program can do, and the options of each. Errors are thrown.
#pragma once

#include <cstdint>
#include <nn/data.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct TrainOptions {
    std::string csv;  // none of the two: the digits that come with the program
    std::string idx;
    std::vector<std::string> labels;  // none: the last column
    std::vector<std::string> drop;
    nn::Header header = nn::Header::detect;
    nn::Task task = nn::Task::detect;
    nn::Missing missing = nn::Missing::refuse;
    std::string scale = "minmax";
    bool balanced = false;  // each class counts the same
    bool stratify = false;
    std::size_t folds = 0;  // none: one split
    bool stream = false;    // the rows need not fit into memory
    std::size_t shuffle_buffer = 65536;
    std::vector<std::size_t> hidden = {128};
    std::string activation = "relu";
    std::string layers;  // in the place of these two
    std::string optimizer = "adam";
    std::optional<double> rate;          // the optimizer's own
    std::optional<double> weight_decay;  // the same
    std::size_t epochs = 30;
    std::optional<std::size_t> batch;  // 32, or all rows with lbfgs
    std::size_t micro_batch = 0;       // all of the batch
    std::uint64_t seed = 1;
    double holdout = 0.2;
    double clip = 0;  // none
    double clip_value = 0;
    std::optional<std::string> loss;  // of a regression; the mean squared error
    double label_smoothing = 0;
    double average = 0;  // none
    std::string schedule = "none";
    double validation = 0;  // none
    std::size_t patience = 0;
    bool confusion = false;
    std::size_t top = 0;  // classes among which the right one counts; none
    bool quiet = false;   // the result alone
    bool json = false;
    std::string save;
    std::string checkpoint;
    std::string resume;
    std::string history;
    std::string report;
    std::string player;
};

struct PredictOptions {
    std::string model;
    std::string csv;
    std::vector<std::string> labels;
    std::vector<std::string> drop;
    nn::Header header = nn::Header::detect;
    bool probabilities = false;
    bool metric = false;
    std::size_t top = 0;
};

struct InfoOptions {
    std::string model;
    bool json = false;
};

struct ExportOptions {
    std::string model;       // or a derivation
    std::uint64_t seed = 1;  // for a derivation
    std::string cpp, onnx;   // one or both
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

struct ExplainOptions {
    std::string file;  // a network, or a derivation
    std::string csv;   // none for a derivation
    std::uint64_t row = 1;
    std::vector<std::string> labels;
    std::vector<std::string> drop;
    nn::Header header = nn::Header::detect;
    std::uint64_t seed = 1;
    std::string output;  // none: a table for the terminal
};

struct LabOptions {
    std::string file;  // none: the page as it begins
};

struct GradeOptions {
    std::string exercise;
    std::vector<std::string> answers;
    std::uint64_t seed = 1;
    int hint = 0;  // none
    bool csv = false;
    bool json = false;
};

// Each gives the exit code.
int train(const TrainOptions& options);
int predict(const PredictOptions& options);
int info(const InfoOptions& options);
int export_network(const ExportOptions& options);
int check(const CheckOptions& options);
/// The text of a derivation, or of the standard input for `-`, which is read once. One byte more than a derivation may
/// have is enough to see that it is too long: the rest is not read.
std::string derivation_in(const std::string& path);
int grade(const GradeOptions& options);
int explain(const ExplainOptions& options);
int open_lab(const LabOptions& options);

/// Writes to the standard error; where that cannot be written, nothing is said, and the exit code tells it.
void say_error(std::string_view text);

/// Throws `std::system_error` where what was printed cannot be written.
void flush_output();

inline const std::vector<std::string> scale_names = {"minmax", "standard", "none"};
inline const std::vector<std::string> loss_names = {"mse", "mae", "huber"};
inline const std::vector<std::string> optimizer_names = {"sgd",     "momentum", "adam", "adamw",
                                                         "rmsprop", "adagrad",  "lbfgs"};
inline const std::vector<std::string> schedule_names = {"none", "step", "cosine", "warm-up", "one-cycle", "plateau"};
