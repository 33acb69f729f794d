// Trainings of the program in several processes.
#define BOOST_TEST_MODULE processes_program
#include <sys/wait.h>

#include <cmath>
#include <csignal>
#include <nn/checkpoint.hpp>
#include <nn/safetensors.hpp>
#include <thread>

#include "program/program.hpp"

namespace {

std::string command(int processes, const std::string& arguments) {
    return "exec mpirun --oversubscribe -n " + std::to_string(processes) + " " + arguments + " > " + folder / "out" +
           " 2> " + folder / "error";
}

Result run(int processes, const std::string& arguments) {
    const int status = std::system(command(processes, arguments).c_str());
    return {WEXITSTATUS(status), bytes_of(folder / "out"), bytes_of(folder / "error")};
}

Result train(int processes, const std::string& options) {
    return run(processes, DELTARULE_PROGRAM " train " + options);
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t times = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
    return times;
}

/// How far the arrays of two files are apart, as a share of the second one's norm.
double distance(const std::string& left, const std::string& right) {
    const auto a = nn::read_safetensors<float>(left).arrays, b = nn::read_safetensors<float>(right).arrays;
    double difference = 0, norm = 0;
    for (const auto& [name, array] : b)
        for (std::size_t i = 0; i < array.size(); ++i) {
            difference += std::pow(static_cast<double>(a.at(name).data()[i] - array.data()[i]), 2);
            norm += std::pow(static_cast<double>(array.data()[i]), 2);
        }
    return std::sqrt(difference / norm);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_speaks_and_writes) {
    const double alone = accuracy(::run("train --epochs 8"));
    for (const int processes : {1, 2, 3}) {
        const Result result = train(processes, "--epochs 8 --patience 8 --save " + folder / "model" + " --history " +
                                                   folder / "history" + " --report " + folder / "report");
        BOOST_TEST(result.exit == 0);
        BOOST_TEST(result.error == "");
        BOOST_TEST(count(result.out, "test accuracy") == 1);
        BOOST_TEST(count(result.out, "rows for training") == 1);
        BOOST_TEST(std::abs(accuracy(result) - alone) < 1.5);
        for (const char* name : {"model", "history", "report"}) BOOST_TEST(std::filesystem::remove(folder / name));
    }
    const Result json = train(2, "--epochs 1 --json");
    BOOST_TEST(json.out.front() == '{');
    BOOST_TEST(count(json.out, "\"test\"") == 2);  // the rows for it, and how it went
}

BOOST_AUTO_TEST_CASE(killed_and_resumed_by_others) {
    const std::string options = "--optimizer sgd --hidden 1024 --epochs 200 --batch 500 --save ";
    const std::string run_file = folder / "run.safetensors";
    BOOST_TEST(accuracy(::run("train " + options + folder / "whole")) > 80);
    const pid_t child = fork();
    if (child == 0) {
        const std::string line =
            command(2, DELTARULE_PROGRAM " train " + options + folder / "resumed" + " --checkpoint " + run_file);
        execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
        _exit(127);
    }
    nn::TrainingPlace place;
    while (place.epoch == 0 && waitpid(child, nullptr, WNOHANG) == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (std::filesystem::exists(run_file)) place = nn::read_training_place(run_file);
    }
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    BOOST_REQUIRE(WIFSIGNALED(status));
    BOOST_TEST(place.epoch > 0);
    const Result result = train(4, options + folder / "resumed" + " --resume " + run_file);
    BOOST_TEST(result.exit == 0, result.out + result.error);
    BOOST_TEST_MESSAGE("resumed in epoch " << place.epoch << ", off by "
                                           << distance(folder / "resumed", folder / "whole"));
    BOOST_TEST(distance(folder / "resumed", folder / "whole") <= 1e-6);
}

BOOST_AUTO_TEST_CASE(a_signal_to_one_ends_all) {
    const std::string run_file = folder / "signalled.safetensors";
    const Result result = run(2, "sh -c 'exec timeout -s TERM $((103 - 100 * OMPI_COMM_WORLD_RANK)) " DELTARULE_PROGRAM
                                 " train --epochs 100000 --quiet --checkpoint " +
                                     run_file + "'");
    BOOST_TEST(result.exit != 0);
    BOOST_TEST(count(result.error, "deltarule: interrupted; --resume") == 1, result.error);
    BOOST_TEST(std::filesystem::exists(run_file));
}

BOOST_AUTO_TEST_CASE(one_sentence_of_all) {
    folder.write("cells.csv", "a,b,y\n1,2,x\n3,nothing,y\n4,5,x\n");
    for (const auto& [options, part] :
         {std::pair<std::string, std::string>{"--layers 'flatten, dense 8, batchnorm, dense'",
                                              "batchnorm is for one process"},
          {"--layers 'flatten, dense 8, dropout 0.1, dense'", "dropout is for one process"},
          {"--stream", "--stream is for one process, and there are 3"},
          {"--folds 3", "--folds is for one process"},
          {"--balanced", "--balanced is for one process"},
          {"--epochs 0", "--epochs"},
          {"--csv " + folder / "nowhere.csv", "nowhere.csv"},
          {"--csv " + folder / "cells.csv", "nothing"},
          {"--rate 1e30 --optimizer sgd", "the loss overflows"},
          {"--save /nowhere/model", "/nowhere/model"}}) {
        const Result result = train(3, options);
        BOOST_TEST_CONTEXT(options << "\n" << result.out << result.error) {
            BOOST_TEST(result.exit != 0);
            BOOST_TEST(count(result.error, "deltarule: ") == 1);
            BOOST_TEST(has(result.error, part));
        }
    }
}

BOOST_AUTO_TEST_CASE(who_fails_ends_the_others) {
    for (const char* failing : {"0", "2", "-1"}) {
        const Result result = run(3, DELTARULE_FIT_OVER_PROCESSES " " + std::string(failing));
        BOOST_TEST_CONTEXT(failing << "\n" << result.out << result.error) {
            BOOST_TEST(result.exit == 3);
            BOOST_TEST(count(result.error, "it fails in") == 1);
        }
    }
}
