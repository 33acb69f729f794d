#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "commands.hpp"

int main(int argc, char** argv) {
    TrainOptions training;
    PredictOptions prediction;
    CheckOptions checking;

    CLI::App app("Trains small networks, lets them predict, and checks derivations made by hand.");
    app.set_version_flag("--version", "deltarule " DELTARULE_VERSION);
    app.require_subcommand(1);
    app.failure_message(
        [](const CLI::App*, const CLI::Error& error) { return fmt::format("deltarule: {}\n", error.what()); });

    CLI::App* train_command =
        app.add_subcommand("train", "Train a network on a table or on images; without options, on handwritten digits");
    CLI::Option* csv =
        train_command->add_option("--csv", training.csv, "A table: numbers, and one column with the class");
    CLI::Option* idx =
        train_command->add_option("--idx", training.idx, "A folder with the four files of MNIST, plain or .gz")
            ->excludes(csv);
    train_command
        ->add_option("--label", training.label, "The column with the class, by name or number from 0 [the last]")
        ->needs(csv);
    train_command->add_option("--hidden", training.hidden, "The widths of the hidden layers: 128,64; 0 for none")
        ->delimiter(',')
        ->capture_default_str();
    train_command
        ->add_option("--activation", training.activation, "relu, tanh, sigmoid, gelu, silu, softplus or identity")
        ->capture_default_str();
    train_command->add_option("--optimizer", training.optimizer, fmt::format("{}", fmt::join(optimizer_names, ", ")))
        ->check(CLI::IsMember(optimizer_names))
        ->capture_default_str();
    train_command->add_option("--rate", training.rate, "The learning rate [the optimizer's own]");
    train_command->add_option("--epochs", training.epochs, "How often every row is seen")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    train_command->add_option("--batch", training.batch, "The rows of a step")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    train_command->add_option("--seed", training.seed, "The same seed gives the same network")->capture_default_str();
    train_command->add_option("--holdout", training.holdout, "The share of a table that is kept for the test")
        ->excludes(idx)
        ->capture_default_str();
    train_command->add_flag("--confusion", training.confusion, "Print what was taken for what");
    train_command->add_option("--save", training.save, "Write the network to this file, as safetensors");

    CLI::App* predict_command =
        app.add_subcommand("predict", "Write the class and its probability for every row of a table");
    predict_command->add_option("model", prediction.model, "A network that train --save wrote")->required();
    predict_command->add_option("--csv", prediction.csv, "The table")->required();
    predict_command->add_option("--label", prediction.label, "A column to leave out, by name or number from 0");

    CLI::App* check_command =
        app.add_subcommand("check", "Say which lines of a derivation are right, which wrong, where, and why");
    check_command->add_option("file", checking.files, "Derivations, plain or Markdown; - is the standard input")
        ->required();
    check_command->add_option("--seed", checking.seed, "Other random points")->capture_default_str();
    check_command->add_option("--line", checking.line, "Judge this line alone");
    check_command->add_flag("--json", checking.json, "Print the report as JSON");
    check_command->add_option("--html", checking.html, "Write the report to this file as one page");
    check_command->add_flag("--hint", checking.hint, "Keep back what would be right");
    check_command->add_flag("--latex", checking.as_latex, "Print the file back with its formulas in LaTeX");
    check_command->add_flag("--text", checking.as_text, "Print the file back with its formulas in plain text");

    CLI11_PARSE(app, argc, argv);
    try {
        if (check_command->parsed()) return check(checking);
        train_command->parsed() ? train(training) : predict(prediction);
        return 0;
    } catch (const std::exception& error) {
        std::fflush(stdout);
        fmt::print(stderr, "deltarule: {}\n", error.what());
        return check_command->parsed() ? 2 : 1;
    }
}
