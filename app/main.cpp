#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <nn/csv.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "commands.hpp"
#include "described_network.hpp"
#include "processes.hpp"
#include "signals.hpp"

namespace {

using nn::files::printable;

/// A whole number; "-1", "1.5" and what a computer does not count to are refused. A transformation, as CLI11 would take
/// 010 for 8: it is handed on without zeros before it.
CLI::Validator whole(std::uint64_t least, std::uint64_t most = UINT64_MAX) {
    return {[=](std::string& text) {
                std::uint64_t value = 0;
                const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
                const bool good =
                    error == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
                if (!good) return fmt::format("'{}' is not a whole number from {} to {}", text, least, most);
                text = std::to_string(value);
                return std::string();
            },
            ""};
}

/// "128,64": CLI11's own delimiter takes "128," for the same as "128".
std::vector<std::size_t> widths_in(const std::vector<std::string>& texts) {
    const CLI::Validator is_width = whole(0, 1'000'000);
    std::vector<std::size_t> widths;
    std::stringstream all(fmt::format("{}", fmt::join(texts, ",")) + ",");
    for (std::string text; std::getline(all, text, ',');) {
        std::string copy = text;
        if (const std::string error = is_width(copy); !error.empty()) throw CLI::ValidationError("--hidden", error);
        widths.push_back(std::stoul(text));
    }
    if (widths.size() > 1 && std::ranges::count(widths, 0u) > 0)
        throw CLI::ValidationError(
            "--hidden",
            fmt::format("widths are each at least 1, and not {}: 0 alone is for none", fmt::join(widths, ",")));
    return widths;
}

const CLI::Validator a_number(
    [](const std::string& text) {
        const auto number = nn::csv_number(text);
        return number && std::isfinite(*number) ? "" : fmt::format("'{}' is not a number", text);
    },
    "");

const CLI::Validator above_zero(
    [](const std::string& text) {
        const auto number = nn::csv_number(text);
        const auto in_training = static_cast<float>(number.value_or(0));
        return in_training > 0 && std::isfinite(in_training)
                   ? ""
                   : fmt::format("'{}' is not a number above 0{}", text,
                                 number && *number > 0 ? ", as a float has it: from 1.5e-45 to 3.4e38" : "");
    },
    "");

const CLI::Validator a_share(
    [](const std::string& text) {
        const auto number = nn::csv_number(text);
        return number && *number >= 0 && *number < 1 ? "" : fmt::format("'{}' is not a number from 0 to below 1", text);
    },
    "");

/// The file of options, in which a key may stand once: the program would take the first one.
class OptionsFile : public CLI::ConfigTOML {
  public:
    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
        std::vector<CLI::ConfigItem> given = CLI::ConfigTOML::from_config(input);
        std::set<std::string> names;
        for (const CLI::ConfigItem& item : given)  // ("++" and "--" are where a section begins and ends)
            if (item.name != "++" && item.name != "--" && !names.insert(item.fullname()).second)
                throw CLI::ConfigError(fmt::format("--config: {} stands there twice", item.fullname()));
        return given;
    }
};

const CLI::Validator not_empty([](const std::string& text) { return text.empty() ? "the name is empty" : ""; }, "");

const CLI::Validator small_file(
    [](const std::string& path) {
        std::error_code error;
        const bool small = !std::filesystem::is_regular_file(path, error)
                               ? !std::filesystem::exists(path, error)
                               : std::filesystem::file_size(path, error) < 1e6;
        return small ? "" : fmt::format("{} is no file of options", path);
    },
    "");

CLI::Option* add_header(CLI::App* command, nn::Header& header) {
    return command
        ->add_option_function<std::string>(
            "--header", [&](const std::string& text) { header = text == "yes" ? nn::Header::yes : nn::Header::no; },
            "yes or no: whether the first line names the columns [it does where it holds words and no numbers]")
        ->check(CLI::IsMember({"yes", "no"}));
}

CLI::Option* add_drop(CLI::App* command, std::vector<std::string>& drop) {
    return command->add_option("--drop", drop, "A column to leave out, by name or number from 0; several: a,b")
        ->check(not_empty)
        ->allow_extra_args(false);
}

/// The closed ones of standard input, output and error are given away, so that no file that is opened gets their
/// number. Reading the one and writing the other fails as before. Returns whether the output is open.
bool keep_standard_streams() {
    bool output = true;
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(descriptor, F_GETFD) >= 0) continue;
        output = output && descriptor != STDOUT_FILENO;
        if (open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return false;
    }
    return output;
}

/// The exit code where what was printed cannot be written: a reader that went away gets no sentence.
int end_without_output(int reason, int exit_code) {
    if (reason == EPIPE) return end_in_error("", 128 + SIGPIPE);
    return end_in_error(fmt::format("deltarule: the standard output cannot be written ({})\n", std::strerror(reason)),
                        exit_code);
}

}  // namespace

void say_error(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stderr) != text.size()) std::clearerr(stderr);
}

void flush_output() {
    errno = 0;
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
        throw std::system_error(errno ? errno : EIO, std::generic_category());
}

static int run(int argc, char** argv) {
    if (!keep_standard_streams()) return end_without_output(EBADF, 2);
    end_at_signals();
    TrainOptions training;
    PredictOptions prediction;
    InfoOptions information;
    ExportOptions exporting;
    CheckOptions checking;
    GradeOptions grading;
    ExplainOptions explaining;
    LabOptions opening;

    CLI::App app("Trains small networks, lets them predict, explains them, and checks derivations made by hand.");
    app.set_version_flag("--version", "deltarule " DELTARULE_VERSION);
    app.require_subcommand(1);
    app.set_config("--config", "",
                   "Options from this file, such as epochs = 5 below [train]; those of the command line come first")
        ->check(not_empty & small_file);
    app.config_formatter(std::make_shared<OptionsFile>());
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.failure_message([](const CLI::App* parsed, const CLI::Error& error) {
        std::string sentence = error.what();
        if (const auto unknown = parsed->remaining(); parsed->get_subcommands().empty() && !unknown.empty())
            sentence = fmt::format("'{}' is no {}; --help lists them", unknown.front(),
                                   unknown.front().starts_with('-') ? "option" : "command");
        if (const std::string begin = "INI was not able to parse "; sentence.starts_with(begin))
            sentence = fmt::format("--config: there is no option {}", sentence.substr(begin.size()));
        return fmt::format("deltarule: {}\n", printable(sentence));
    });

    CLI::App* train_command =
        app.add_subcommand("train", "Train a network on a table or on images; without options, on handwritten digits");
    train_command->fallthrough();  // to --config
    // What is added next stands below this heading in --help.
    const auto heading = [&](const char* text) { train_command->option_defaults()->group(text); };
    heading("Data");
    CLI::Option* csv =
        train_command
            ->add_option("--csv", training.csv,
                         "A table: columns of numbers or words, and one with the class or the number to predict")
            ->check(not_empty);
    CLI::Option* idx =
        train_command->add_option("--idx", training.idx, "A folder with the four files of MNIST, plain or .gz")
            ->check(not_empty)
            ->excludes(csv);
    train_command
        ->add_option("--label", training.labels,
                     "The column to predict, by name or number from 0 [the last]; several, y1,y2, are numbers")
        ->check(not_empty)
        ->allow_extra_args(false)
        ->needs(csv);
    add_drop(train_command, training.drop)->needs(csv);
    add_header(train_command, training.header)->needs(csv);
    train_command
        ->add_option_function<std::string>(
            "--task",
            [&](const std::string& text) {
                training.task = text == "regression" ? nn::Task::regression : nn::Task::classification;
            },
            "classification or regression: what is learned [classes, or numbers where many differ]")
        ->check(CLI::IsMember({"classification", "regression"}))
        ->needs(csv);
    train_command
        ->add_option_function<std::string>(
            "--missing",
            [&](const std::string& text) {
                training.missing = text == "mean"   ? nn::Missing::mean
                                   : text == "drop" ? nn::Missing::drop
                                                    : nn::Missing::refuse;
            },
            "Cells without a value: refuse, mean (of the column) or drop (the row) [refuse]")
        ->check(CLI::IsMember({"refuse", "mean", "drop"}))
        ->needs(csv);
    train_command->add_option("--scale", training.scale, "How columns are scaled: minmax, standard or none")
        ->check(CLI::IsMember(scale_names))
        ->capture_default_str();
    heading("Network");
    CLI::Option* hidden =
        train_command
            ->add_option_function<std::vector<std::string>>(
                "--hidden", [&](const std::vector<std::string>& texts) { training.hidden = widths_in(texts); },
                "The widths of the hidden layers: 128,64; 0 for none")
            ->type_name("UINT")
            ->default_str("128");
    CLI::Option* activation =
        train_command
            ->add_option("--activation", training.activation, "relu, tanh, sigmoid, gelu, silu, softplus or identity")
            ->capture_default_str();
    train_command
        ->add_option(
            "--layers", training.layers,
            fmt::format("In the place of both, layer by layer: \"conv 16 3, relu, maxpool 2, flatten, dense\". "
                        "There are {}",
                        fmt::join(layer_usages(), "; ")))
        ->check(not_empty)
        ->excludes(hidden)
        ->excludes(activation);
    heading("Training");
    train_command
        ->add_option("--loss", training.loss,
                     "What a regression minimises: mse, mae or huber (mse up to an error of a deviation of the target, "
                     "mae beyond) [mse]")
        ->check(CLI::IsMember(loss_names));
    train_command
        ->add_option("--label-smoothing", training.label_smoothing,
                     "The share of every label that the cross-entropy spreads over all classes [0]")
        ->check(a_share);
    train_command->add_option("--optimizer", training.optimizer, fmt::format("{}", fmt::join(optimizer_names, ", ")))
        ->check(CLI::IsMember(optimizer_names))
        ->capture_default_str();
    train_command
        ->add_option("--rate", training.rate,
                     "The learning rate; for lbfgs the length that its line search tries first [the optimizer's own]")
        ->check(above_zero);
    train_command
        ->add_option(
            "--weight-decay", training.weight_decay,
            "The share of each weight that is added to its gradient, or by adamw taken from it [0; 0.01 for adamw]")
        ->check(a_number);
    train_command
        ->add_option(
            "--schedule", training.schedule,
            "How the rate changes: none, step (a tenth after each third), cosine (down to 0), warm-up (up to it "
            "in the first tenth), one-cycle (up, and down to 0) or plateau (a tenth after 6 epochs without a "
            "lower loss)")
        ->check(CLI::IsMember(schedule_names))
        ->capture_default_str();
    train_command
        ->add_option("--clip", training.clip, "The largest norm of the gradients; longer ones are scaled to it")
        ->check(above_zero);
    train_command
        ->add_option("--clip-value", training.clip_value,
                     "The largest number in the gradients, up or down; larger ones are cut to it")
        ->check(above_zero);
    train_command
        ->add_option("--average", training.average,
                     "Keep an exponential moving average of the weights with this decay, over some 1/(1 - decay) "
                     "steps, in the place of the last weights")
        ->check(a_share);
    train_command->add_option("--epochs", training.epochs, "How often every row is seen")
        ->transform(whole(1, 1'000'000))
        ->capture_default_str();
    train_command->add_option("--batch", training.batch, "The rows of a step [32; all for lbfgs]")
        ->transform(whole(1, 1'000'000));
    train_command
        ->add_option("--micro-batch", training.micro_batch,
                     "The rows of a batch that are in memory at a time, on their way through the network; the step is "
                     "that of the batch [all]")
        ->transform(whole(1, 1'000'000));
    train_command->add_flag("--balanced", training.balanced, "Each class counts the same, however many rows it has");
    train_command->add_option("--seed", training.seed, "The same seed gives the same network")
        ->transform(whole(0))
        ->capture_default_str();
    heading("Test");
    train_command->add_option("--holdout", training.holdout, "The share of a table that is kept for the test")
        ->check(a_number)
        ->excludes(idx)
        ->capture_default_str();
    train_command->add_flag("--stratify", training.stratify, "Keep the share of each class for the test")
        ->excludes(idx);
    CLI::Option* folds =
        train_command
            ->add_option("--folds", training.folds, "Train on all folds but one, test on that, for each of so many")
            ->transform(whole(2, 1'000'000))
            ->excludes(idx)
            ->excludes("--holdout")
            ->excludes("--stratify");
    heading("Data");
    CLI::Option* stream =
        train_command
            ->add_flag("--stream", training.stream,
                       "Read the rows in blocks, in every epoch anew, so that they need not fit into memory")
            ->excludes(folds)
            ->excludes("--stratify");
    train_command
        ->add_option("--shuffle-buffer", training.shuffle_buffer,
                     "With --stream: the rows that are in memory and shuffled at a time, four bytes for each number")
        ->transform(whole(1, 1'000'000'000))
        ->capture_default_str()
        ->needs(stream);
    heading("Training");
    train_command
        ->add_option("--validation", training.validation,
                     "The share of the rows for training that is measured after each epoch instead; the best epoch's "
                     "network is kept [0; 0.1 with --patience]")
        ->check(above_zero);
    train_command
        ->add_option("--patience", training.patience,
                     "End after so many epochs that do not lower the loss on the rows for validation")
        ->transform(whole(1, 1'000'000));
    heading("Test");
    train_command->add_flag("--confusion", training.confusion, "Print what was taken for what");
    train_command
        ->add_option("--top", training.top, "Say how often the right class is among so many of the likeliest, too")
        ->transform(whole(1, 1'000'000));
    heading("Results");
    CLI::Option* json = train_command->add_flag("--json", training.json,
                                                "Print what was trained and how good it is, alone and as JSON");
    train_command->add_flag("--quiet", training.quiet, "Print how good the network is, and nothing else")
        ->excludes(json);
    train_command
        ->add_option("--save", training.save,
                     "Write the network to this file, as NumPy's .npz or else as safetensors; to NAME.interrupted "
                     "where a signal "
                     "ends the training")
        ->check(not_empty)
        ->excludes(folds);
    CLI::Option* checkpoint =
        train_command
            ->add_option("--checkpoint", training.checkpoint,
                         "Write to this file, about once a second, all that the training needs to go on")
            ->check(not_empty)
            ->excludes(folds);
    train_command
        ->add_option("--resume", training.resume,
                     "Go on from the checkpoint in this file, and go on writing it; the other options as before")
        ->check(not_empty)
        ->excludes(folds)
        ->excludes(checkpoint);
    train_command->add_option("--history", training.history, "Write a row for each epoch to this file, as CSV")
        ->check(not_empty)
        ->excludes(folds);
    train_command
        ->add_option("--report", training.report,
                     "Write curves, how the test went and its worst rows to this file, as one page of HTML")
        ->check(not_empty)
        ->excludes(folds)
        ->excludes(stream);
    train_command
        ->add_option("--player", training.player,
                     "Write a page to this file that steps through the network, forward and backward, as it learns")
        ->check(not_empty)
        ->excludes(folds)
        ->excludes(stream);

    CLI::App* predict_command =
        app.add_subcommand("predict", "Write for every row of a table the class and its probability, or the numbers");
    predict_command->add_option("model", prediction.model, "A network that train --save wrote")
        ->required()
        ->check(not_empty);
    predict_command->add_option("--csv", prediction.csv, "The table")->required()->check(not_empty);
    predict_command
        ->add_option("--label", prediction.labels,
                     "The column that was to be predicted, by name or number from 0: it is left out")
        ->check(not_empty)
        ->allow_extra_args(false);
    add_drop(predict_command, prediction.drop);
    predict_command->add_flag("--probabilities", prediction.probabilities, "Write the probability of every class");
    CLI::Option* metric = predict_command->add_flag(
        "--metric", prediction.metric,
        "Say how good the predictions are, where the column that was to be predicted is there");
    predict_command
        ->add_option("--top", prediction.top, "Say how often the right class is among so many of the likeliest, too")
        ->transform(whole(1, 1'000'000))
        ->needs(metric);
    add_header(predict_command, prediction.header);

    CLI::App* info_command = app.add_subcommand("info", "Say what a file with a network holds");
    info_command->add_option("model", information.model, "Safetensors, or NumPy's .npz")->required()->check(not_empty);
    info_command->add_flag("--json", information.json, "Print it as JSON");

    CLI::App* export_command = app.add_subcommand(
        "export", "Write a network as a header of C++17 that needs nothing else, or as ONNX; a derivation as C++");
    export_command
        ->add_option(
            "model", exporting.model,
            "A network that train --save wrote, or a derivation, NAME.deriv or NAME.md; - is the standard input")
        ->required()
        ->check(not_empty);
    export_command
        ->add_option(
            "--cpp", exporting.cpp,
            "Write this header, from 20,000 numbers on with a file beside it, NAME.bin; of a derivation a program "
            "that builds its network with deltarule")
        ->check(not_empty);
    export_command->add_option("--seed", exporting.seed, "For a derivation: other numbers, where the file gives none")
        ->transform(whole(0))
        ->capture_default_str();
    export_command
        ->add_option("--onnx", exporting.onnx,
                     "Write this ONNX file, where the program was built with -DDELTARULE_ONNX=ON")
        ->check(not_empty);

    CLI::App* check_command =
        app.add_subcommand("check", "Say which lines of a derivation are right, which wrong, where, and why");
    check_command->add_option("file", checking.files, "Derivations, plain or Markdown; - is the standard input")
        ->required()
        ->check(not_empty);
    check_command->add_option("--seed", checking.seed, "Other random points")
        ->transform(whole(0))
        ->capture_default_str();
    check_command->add_option("--line", checking.line, "Judge this line alone")->transform(whole(1));
    check_command->add_flag("--json", checking.json, "Print the report as JSON");
    check_command->add_option("--html", checking.html, "Write the report to this file as one page")->check(not_empty);
    check_command->add_flag("--hint", checking.hint, "Keep back what would be right");
    check_command->add_flag("--latex", checking.as_latex, "Print the file back with its formulas in LaTeX");
    check_command->add_flag("--text", checking.as_text, "Print the file back with its formulas in plain text");

    CLI::App* grade_command =
        app.add_subcommand("grade", "Say what each answer to an exercise derives, and what that is worth");
    grade_command
        ->add_option("exercise", grading.exercise,
                     "Markdown: the declarations fenced as deriv, and fenced as points what must be derived")
        ->required()
        ->check(not_empty);
    grade_command
        ->add_option("answer", grading.answers, "The students' lines, plain or Markdown; - is the standard input")
        ->required()
        ->check(not_empty);
    grade_command->add_option("--seed", grading.seed, "Other random points")
        ->transform(whole(0))
        ->capture_default_str();
    grade_command
        ->add_option("--hint", grading.hint,
                     "For one answer, about its first mistake: 1 where it is, 2 of what kind too, 3 what is right too")
        ->transform(whole(1, 3));
    CLI::Option* as_json =
        grade_command->add_flag("--json", grading.json, "Print the grades as JSON")->excludes("--hint");
    grade_command->add_flag("--csv", grading.csv, "Print the table as CSV")->excludes(as_json)->excludes("--hint");

    CLI::App* explain_command = app.add_subcommand(
        "explain", "Show each step of a network for a row of a table, or of a derivation, forward and backward");
    explain_command
        ->add_option("file", explaining.file,
                     "A network that train --save wrote, or a derivation; - is the standard input")
        ->required()
        ->check(not_empty);
    CLI::Option* table =
        explain_command->add_option("table", explaining.csv, "The table, for a network")->check(not_empty);
    explain_command->add_option("--row", explaining.row, "Which of its rows, from 1")
        ->transform(whole(1))
        ->capture_default_str()
        ->needs(table);
    explain_command
        ->add_option("--label", explaining.labels,
                     "The column with the class or the number to predict, by name or number from 0 [the network's own]")
        ->check(not_empty)
        ->allow_extra_args(false)
        ->needs(table);
    add_drop(explain_command, explaining.drop)->needs(table);
    add_header(explain_command, explaining.header)->needs(table);
    explain_command->add_option("--seed", explaining.seed, "For a derivation: other numbers, where the file gives none")
        ->transform(whole(0))
        ->capture_default_str()
        ->excludes(table);
    explain_command
        ->add_option("-o,--output", explaining.output,
                     "Write this page; NAME.json is the data, NAME.dot a drawing for Graphviz [print a table]")
        ->check(not_empty);

    CLI::App* lab_command = app.add_subcommand("lab", "Open the live page, which judges a derivation as you type it");
    lab_command->add_option("file", opening.file, "A derivation to begin with; - is the standard input")
        ->check(not_empty);

    int exit_code = 1;
    try {
        try {
            app.parse(argc, argv);
            if (export_command->parsed() && exporting.cpp.empty() && exporting.onnx.empty())
                throw CLI::RequiredError("--cpp or --onnx");
            exit_code = check_command->parsed() || grade_command->parsed() ? 2 : 1;
            // What is read may not be written over: the file of options is known here alone.
            if (const CLI::Option* config = app.get_config_ptr(); config->count() > 0)
                for (const std::string& path :
                     {training.save, training.save.empty() ? "" : training.save + ".interrupted", training.checkpoint,
                      training.resume, training.history, training.report, training.player, exporting.cpp,
                      exporting.onnx, checking.html, explaining.output})
                    if (!path.empty()) nn::files::require_writable(path, {config->as<std::string>()});
            const int done = check_command->parsed()     ? check(checking)
                             : grade_command->parsed()   ? grade(grading)
                             : explain_command->parsed() ? explain(explaining)
                             : lab_command->parsed()     ? open_lab(opening)
                             : train_command->parsed()   ? train(training)
                             : info_command->parsed()    ? info(information)
                             : export_command->parsed()  ? export_network(exporting)
                                                         : predict(prediction);
            flush_output();
            return done;
        } catch (const CLI::ParseError& error) {
            if (train_command->parsed()) processes();  // of several, one says it
            std::ostringstream help, message;
            const int done = app.exit(error, help, message) == 0 ? 0 : 2;
            fmt::print("{}", help.str());
            flush_output();
            return message.str().empty() ? done : end_in_error(message.str(), done);
        }
    } catch (const std::exception& error) {
        const auto* failed = dynamic_cast<const std::system_error*>(&error);
        if (failed != nullptr && std::ferror(stdout)) return end_without_output(failed->code().value(), exit_code);
        std::fflush(stdout);
        const bool memory =
            dynamic_cast<const std::bad_alloc*>(&error) || dynamic_cast<const std::length_error*>(&error);
        return end_in_error(
            fmt::format("deltarule: {}\n", memory ? "there is not enough memory for this" : printable(error.what())),
            exit_code);
    }
}

int main(int argc, char** argv) {
    const int exit_code = run(argc, argv);
    leave_processes();
#ifndef __SANITIZE_ADDRESS__  // which looks for leaks at the end
    // All is written. OpenBLAS would wait for its threads now, for ever where they get no memory.
    std::_Exit(exit_code);
#endif
    return exit_code;
}
