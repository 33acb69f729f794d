// Trainings of the program that are killed, stopped, resumed, and watched.
#define BOOST_TEST_MODULE trainer_program
#include <fcntl.h>
#include <sys/wait.h>

#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <nn/numpy.hpp>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "program/program.hpp"

namespace {

/// Starts the program, which sees one thread.
pid_t start(const std::string& arguments) {
    const std::string command =
        "exec " DELTARULE_PROGRAM " " + arguments + " > " + folder / "out" + " 2> " + folder / "error";
    for (const char* name : {"out", "error"}) folder.write(name, "");
    const pid_t child = fork();
    if (child != 0) return child;
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
}

int ended(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// The last number of an epoch's row.
double rate_after(const std::string& rows, int epoch) {
    std::istringstream in(rows);
    std::string row;
    while (std::getline(in, row))
        if (row.starts_with(std::to_string(epoch) + ",")) return std::stod(row.substr(row.rfind(',') + 1));
    return -1;
}

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// A second and a half of training, with all that a checkpoint has to remember.
const std::string long_training = "train --csv " + iris +
                                  " --hidden 1500,100 --batch 8 --epochs 60 --optimizer rmsprop --rate 0.0001 --clip 2 "
                                  "--schedule one-cycle --validation 0.2";

}  // namespace

namespace {

void check_resumed(const std::string& training, const std::vector<int>& signals) {
    const Folder files;
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST_REQUIRE(ended(start(training + " --save " + files / "whole" + " --history " + files / "whole.csv")) ==
                       0);
    const auto duration =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    const std::string last = bytes_of(folder / "out");
    std::mt19937_64 engine(std::random_device{}());
    for (const int signal : signals) {
        const std::string checkpoint = files / "checkpoint" + std::to_string(signal);
        const std::string outputs = " --save " + files / "resumed" + " --history " + files / "resumed.csv";
        int killed = 0, exit = -1;
        for (int i = 0; exit != 0 && i < 50; ++i) {
            const bool resume = std::filesystem::exists(checkpoint);
            const pid_t child = start(training + outputs + (resume ? " --resume " : " --checkpoint ") + checkpoint);
            if (i < 4) {
                std::this_thread::sleep_for(duration * (engine() % 1000) / 1500);
                kill(child, signal);
            }
            exit = ended(child);
            BOOST_TEST((exit == 0 || exit == -signal || exit == 128 + SIGTERM),
                       exit << ": " << bytes_of(folder / "error"));
            killed += exit != 0;
            // Before it trains it ends without a word.
            const std::string said = bytes_of(folder / "error");
            if (exit == 128 + SIGTERM && !said.empty())
                BOOST_TEST(has(said, "interrupted; --resume " + checkpoint + " goes on\n"), said);
        }
        BOOST_TEST(killed > 0);
        BOOST_TEST((bytes_of(files / "resumed") == bytes_of(files / "whole")));
        BOOST_TEST(bytes_of(files / "resumed.csv") == bytes_of(files / "whole.csv"));
        const std::string again = bytes_of(folder / "out");
        BOOST_TEST(again.substr(again.rfind("the network of epoch")).substr(0, 40) ==
                   last.substr(last.rfind("the network of epoch")).substr(0, 40));
        // At its end it may be asked again, and go on for longer only where the schedule allows it.
        BOOST_TEST(run(training + " --resume " + checkpoint).exit == 0);
        refuses(training + " --epochs 61 --resume " + checkpoint, "--epochs");
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(of_two_that_begin_at_once_one_has_the_checkpoint) {
    for (int round = 0; round < 3; ++round) {
        const std::string training = "train --csv " + iris + " --hidden 500 --epochs 1000000 --checkpoint " +
                                     folder / "shared" + std::to_string(round);
        const pid_t children[] = {start(training), start(training + " --seed 2")};
        const pid_t refused = waitpid(0, nullptr, 0);
        const pid_t other = children[refused == children[0] ? 1 : 0];
        BOOST_TEST(has(bytes_of(folder / "error"), "another training writes its checkpoint to"));
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        BOOST_TEST(waitpid(other, nullptr, WNOHANG) == 0);
        kill(other, SIGKILL);
        ended(other);
    }
}

// What is not given is the same as its default.
BOOST_AUTO_TEST_CASE(defaults_may_be_spelled_out_when_it_goes_on) {
    const std::string path = folder / "defaults",
                      table = folder.write("line.csv", "x,y\n0.5,1.5\n1.5,2.5\n2,3\n4,5.5\n7,8\n");
    const std::string training = "train --task regression --hidden 2 --epochs 3 --csv " + table;
    BOOST_TEST_REQUIRE(run(training + " --checkpoint " + path).exit == 0);
    const Result there = run(training + " --loss mse --rate 0.001 --weight-decay 0 --average 0 --resume " + path);
    BOOST_TEST(there.exit == 0, there.error);
    refuses(training + " --loss mae --resume " + path, "made with ");
}

BOOST_AUTO_TEST_CASE(without_a_folder_for_temporary_files_there_is_no_lock) {
    const char* before = std::getenv("TMPDIR");
    const std::string kept = before != nullptr ? before : "";
    setenv("TMPDIR", (folder / "none").c_str(), 1);
    const Result trained = run("train --csv " + iris + " --epochs 2 --checkpoint " + folder / "unlocked");
    before != nullptr ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
    BOOST_TEST(trained.exit == 0, trained.error);
}

BOOST_AUTO_TEST_CASE(killed_and_resumed_it_saves_the_same_network) {
    check_resumed(long_training, {SIGKILL, SIGTERM});
    check_resumed(long_training + " --stream --shuffle-buffer 40", {SIGKILL});
}

// Where the buffer holds all rows, a stream is the data set.
BOOST_AUTO_TEST_CASE(images_in_blocks_give_the_network_of_those_in_memory) {
    const Folder files;
    const auto write = [&](const std::string& part, std::uint8_t rows) {
        std::string images = {0, 0, 8, 3, 0, 0, 0, static_cast<char>(rows), 0, 0, 0, 2, 0, 0, 0, 2};
        std::string labels = {0, 0, 8, 1, 0, 0, 0, static_cast<char>(rows)};
        for (int i = 0; i < rows; ++i) {
            for (int k = 0; k < 4; ++k) images += static_cast<char>((i * 37 + k * 5) % 91);
            labels += static_cast<char>(i * 37 % 91 / 31);
        }
        files.write(part + "-images-idx3-ubyte", images);
        files.write(part + "-labels-idx1-ubyte", labels);
    };
    write("train", 200);
    write("t10k", 50);
    const std::string training =
        "train --epochs 4 --hidden 9 --balanced --confusion --scale standard --idx " + files / "";
    const Result whole = run(training + " --save " + files / "whole"),
                 stream = run(training + " --stream --save " + files / "stream"),
                 small = run(training + " --stream --shuffle-buffer 20 --save " + files / "small");
    BOOST_TEST_REQUIRE(whole.exit == 0, whole.error);
    BOOST_TEST_REQUIRE(small.exit == 0, small.error);
    BOOST_TEST((bytes_of(files / "whole") == bytes_of(files / "stream")));
    BOOST_TEST((bytes_of(files / "whole") != bytes_of(files / "small")));
    BOOST_TEST(whole.last_line() == stream.last_line());
    BOOST_TEST(whole.out.find("confusion") == stream.out.find("confusion"));
}

BOOST_AUTO_TEST_CASE(scales_are_those_of_the_rows_for_training) {
    const Folder files;
    const auto write = [&](const std::string& part, const std::string& pixels) {
        const auto rows = static_cast<char>(pixels.size() / 2);
        std::string labels = {0, 0, 8, 1, 0, 0, 0, rows};
        for (char i = 0; i < rows; ++i) labels += static_cast<char>(i % 2);
        files.write(part + "-images-idx3-ubyte",
                    std::string{0, 0, 8, 3, 0, 0, 0, rows, 0, 0, 0, 1, 0, 0, 0, 2} + pixels);
        files.write(part + "-labels-idx1-ubyte", labels);
    };
    std::string pixels;  // 10 to 20, and 30 down to 10
    for (int i = 0; i <= 10; ++i) pixels += {static_cast<char>(10 + i), static_cast<char>(30 - 2 * i)};
    write("train", pixels);
    write("t10k", {0, 0, 120, 90});
    struct Scale {
        double offset, factor;
    };
    const std::pair<const char*, std::vector<Scale>> scales[] = {
        {"minmax", {{10, 0.1}, {10, 0.05}}},
        {"standard", {{15, 1 / std::sqrt(10.0)}, {20, 0.5 / std::sqrt(10.0)}}},
        {"none", {{0, 1}, {0, 1}}}};
    for (const auto& [name, expected] : scales)
        for (const char* stream : {"", " --stream"}) BOOST_TEST_CONTEXT(name << stream) {
                const Result result = run("train --epochs 1 --hidden 2 --idx " + files / "" + " --scale " + name +
                                          stream + " --save " + files / "model");
                BOOST_TEST_REQUIRE(result.exit == 0, result.error);
                const auto columns = nlohmann::json::parse(run("info --json " + files / "model").out).at("columns");
                for (std::size_t j = 0; j < 2; ++j) {
                    BOOST_TEST(std::abs(columns[j].at("offset").get<double>() - expected[j].offset) < 1e-13);
                    BOOST_TEST(std::abs(columns[j].at("factor").get<double>() - expected[j].factor) < 1e-15);
                }
            }
}

#ifndef __SANITIZE_ADDRESS__  // it takes more addresses than any limit leaves
BOOST_AUTO_TEST_CASE(a_table_that_memory_does_not_hold_is_read_in_blocks) {
    std::string table;
    for (int i = 0; i < 560000; ++i) {
        for (int k = 1; k <= 24; ++k) {
            table += static_cast<char>('0' + i * k % 7);
            table += ',';
        }
        table += i % 7 > 3 ? "a\n" : "b\n";
    }
    const std::string path = folder.write("large.csv", table);
    // OpenBLAS 0.3.29 takes more than 180 MB of addresses by itself, and waits for ever where it cannot have them.
    const auto limited = [&](const std::string& options) {
        const std::string command = "ulimit -v 400000; OPENBLAS_NUM_THREADS=1 " DELTARULE_PROGRAM
                                    " train --quiet --epochs 1 --hidden 4 --batch 500 --csv " +
                                    path + options + " > " + folder / "out" + " 2> " + folder / "error";
        return std::system(command.c_str());
    };
    BOOST_TEST(limited("") != 0);
    BOOST_TEST(has(bytes_of(folder / "error"), "the table is larger than a quarter of the memory that there is"));
    BOOST_TEST(limited(" --stream --shuffle-buffer 5000") == 0, bytes_of(folder / "error"));
    BOOST_TEST(bytes_of(folder / "out").starts_with("test accuracy: "));
    std::filesystem::remove(path);
}
#endif

BOOST_AUTO_TEST_CASE(a_table_in_blocks) {
    const std::string diabetes = "train --csv " DELTARULE_SOURCE_DIR
                                 "/examples/data/diabetes.csv --hidden 0 --scale standard "
                                 "--epochs 100 --rate 0.003 --stream --shuffle-buffer 100";
    const Result result = run(diabetes + " --save " + folder / "d.st" + " --validation 0.1 --patience 50");
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    std::size_t kept = 0, validated = 0, tested = 0;
    const std::size_t at = result.out.find("\n", result.out.find("regression of progression")) + 1;
    BOOST_TEST_REQUIRE(
        std::sscanf(result.out.c_str() + at, "%zu rows for training, %zu for the validation, %zu for the test", &kept,
                    &validated, &tested) == 3,
        result.out);
    BOOST_TEST(kept + validated + tested == 442u);
    BOOST_TEST((tested > 60 && tested < 120 && validated > 15 && validated < 60));
    double r2 = 0;
    BOOST_TEST_REQUIRE(std::sscanf(result.last_line().c_str(), "test R² %lf", &r2) == 1, result.out);
    BOOST_TEST((r2 > 0.3 && r2 < 0.65), r2);
    BOOST_TEST(run(diabetes).out == run(diabetes).out);
    BOOST_TEST(run(diabetes).out != run(diabetes + " --seed 2").out);
    // Words, what is missing, and a category that no row for training has.
    std::string words = "colour,size,kind\n";
    for (int i = 0; i < 300; ++i)
        words += std::string(i == 7       ? "once"
                             : i % 3 == 0 ? "red"
                             : i % 5 == 0 ? "NA"
                                          : "blue") +
                 "," + std::to_string(i % 10) + "," + (i % 3 == 0 ? "a" : "b") + "\n";
    const Result mean = run("train --missing mean --epochs 60 --rate 0.01 --stream --csv " +
                            folder.write("w.csv", words) + " --save " + folder / "w.st");
    BOOST_TEST(accuracy(mean) > 90.0, mean.out + mean.error);
    BOOST_TEST(has(mean.out, "columns of words: colour (3 categories)"), mean.out);
    const Result predicted = run("predict " + folder / "w.st" + " --csv " + folder / "w.csv");
    BOOST_TEST((predicted.exit == 0 || has(predicted.error, "none of the network's categories")), predicted.error);
    const Result json = run("train --json --missing drop --epochs 2 --stream --csv " + folder / "w.csv");
    const auto rows = nlohmann::json::parse(json.out).at("rows");
    BOOST_TEST(rows.at("training").get<int>() + rows.at("test").get<int>() == 260);
    const std::string save = " --save " + folder / "never";
    refuses("train --stream --folds 3", "excludes --stream");
    refuses("train --stream --stratify" + save, "excludes --stream");
    refuses("train --stream --report " + folder / "never", "excludes --report");
    refuses("train --shuffle-buffer 9" + save, "requires --stream");
    refuses("train --stream --shuffle-buffer 0" + save, "'0' is not a whole number from 1");
    refuses("train --stream --csv /dev/stdin" + save + " < /dev/null", "no regular file, and it has to be read more");
    refuses("train --stream --holdout 0.0001 --csv " + iris + save,
            "a share of 0.0001 of 150 rows leaves one side empty");
    refuses("train --stream --validation 1 --csv " + iris + save, "leaves one side empty");
    refuses("train --stream --csv " + folder.write("one.csv", "x,y\n1,a\n2,a\n3,a\n") + save, "only one class, 'a'");
    refuses("train --stream --task regression --csv " + folder.write("one.csv", "x,y\n1,5\n2,5\n3,5\n4,5\n5,5\n6,5\n") +
                " --holdout 0.5" + save,
            "'y', is always 5 in the rows for training");
    // A checkpoint is of this buffer, and of a stream.
    const std::string checkpoint = folder / "stream.c", training = "train --epochs 2 --hidden 4 --csv " + iris;
    BOOST_TEST(run(training + " --stream --checkpoint " + checkpoint).exit == 0);
    refuses(training + " --stream --shuffle-buffer 9 --resume " + checkpoint,
            "made with --shuffle-buffer 65536, not 9");
    refuses(training + " --resume " + checkpoint, "made with ");
    BOOST_TEST(run("train --epochs 3 --hidden 4 --stream --csv " + iris + " --resume " + checkpoint).exit == 0);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_something_else_is_refused_and_stays) {
    const Folder files;
    const std::string path = files / "c.st", simple = "train --epochs 3 --csv ";
    const std::string first = simple + iris + " --hidden 4 --checkpoint " + path;
    BOOST_TEST_REQUIRE(run(first).exit == 0);
    const std::string whole = bytes_of(path), other_width = " --resume " + path + " --save " + folder / "never",
                      resumed = " --hidden 4" + other_width;
    refuses(simple + iris + " --hidden 5" + other_width, "the training was made with --hidden 4, not 5");
    refuses(simple + iris + " --optimizer sgd" + resumed, "made with --optimizer adam, not sgd");
    refuses(simple + iris + " --seed 2" + resumed, "made with --seed 1, not 2");
    refuses(simple + iris + " --drop 0" + resumed,
            "made with training data: 120 rows of 4 columns, 3 classes, not 120 rows of 3");
    refuses("train --epochs 3" + resumed, "made with training data: 120 rows of 4 columns, 3 classes, not 14");
    refuses(simple + iris + " --patience 2" + resumed, "made with patience: 0, not 2");
    refuses("train --epochs 2 --csv " + iris + resumed, "has made 3 epochs already, and 2 are asked for");
    std::string other = bytes_of(iris);
    for (std::size_t at; (at = other.find("5.1,")) != std::string::npos;) other.replace(at, 3, "5.2");
    refuses(simple + files.write("other.csv", other) + resumed, "the training was of other data");
    other = bytes_of(iris);
    other.replace(other.find("sepal length"), 12, "petal breadth");
    refuses(simple + files.write("named.csv", other) + resumed, "the training was of other data");
    refuses(simple + iris + " --resume " + files.write("cut", whole.substr(0, whole.size() - 1)), "cut: ");
    std::string flipped = whole;
    flipped[flipped.size() - 5] ^= 4;
    refuses(simple + iris + " --hidden 4 --resume " + files.write("flipped", flipped),
            "the file is damaged: its checksum");
    refuses(simple + iris + " --resume " + iris, "one of the files that are read");
    refuses(simple + iris + " --resume " + files / "nothing", "cannot be opened");
    refuses(first + " --resume " + path, "--checkpoint excludes --resume");
    refuses(simple + iris + " --folds 3 --checkpoint " + path, "--folds excludes --checkpoint");
    refuses(simple + iris + " --history " + path + " --checkpoint " + path, "is to be written twice");
    // One place has many names.
    std::filesystem::create_symlink(files / "new", files / "link");
    const std::string fresh = simple + iris + " --hidden 4";
    refuses(fresh + " --checkpoint " + files / "new" + " --history " + files / "./new", "is to be written twice");
    refuses(fresh + " --save " + files / "link" + " --history " + files / "new", "is to be written twice");
    refuses(fresh + " --save " + files / "new" + " --checkpoint " + files / "new.interrupted", "to be written twice");
    refuses(fresh + " --resume " + path + " --save " + files / "./c.st", "is to be written twice");
    BOOST_TEST(!std::filesystem::exists(files / "new"));
    BOOST_TEST((bytes_of(path) == whole));
    // It has come to its end: it goes on for longer, and may be written over.
    const Result longer = run("train --epochs 5 --hidden 4 --csv " + iris + " --resume " + path);
    BOOST_TEST(has(longer.out, "epoch 4/5: "));
    BOOST_TEST(!has(longer.out, "epoch 3/5: "));
    BOOST_TEST(run(first).exit == 0);
}

BOOST_AUTO_TEST_CASE(a_training_that_is_not_at_its_end_is_not_written_over) {
    const Folder files;
    const std::string path = files / "c.st",
                      endless = "train --epochs 1000000 --hidden 300,300 --csv " + iris + " --checkpoint " + path;
    const pid_t child = start(endless);
    for (int i = 0; i < 600 && !has(bytes_of(folder / "out"), "epoch 3/"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    kill(child, SIGINT);
    BOOST_TEST(ended(child) == 128 + SIGINT);
    const std::string there = bytes_of(path);
    refuses(endless, "holds a training that is not at its end: --resume goes on with it, or remove the file");
    for (const char* option : {" --save ", " --history "})
        refuses("train --epochs 1 --csv " + iris + option + path, "holds a training that is not at its end");
    BOOST_TEST((bytes_of(path) == there));
    // That of a newer program may be one, too.
    std::string newer = there;
    newer.replace(newer.find("\"checkpoint\":\"1\""), 16, "\"checkpoint\":\"2\"");
    files.write("c.st", newer);
    refuses("train --epochs 1 --csv " + iris + " --checkpoint " + path, "its format is 2, but the newest");
    BOOST_TEST((bytes_of(path) == newer));
}

BOOST_AUTO_TEST_CASE(the_best_epoch_is_kept) {
    const Result result =
        run("train --csv " + iris + " --rate 0.02 --epochs 500 --batch 8 --patience 3 --history " + folder / "h.csv");
    BOOST_TEST(has(result.out, "108 rows for training, 12 for the validation, 30 for the test"), result.out);
    BOOST_TEST(has(result.out, "; validation loss "));
    const std::size_t at =
        result.out.find("3 epochs have not lowered the loss of the validation; the network of epoch ");
    BOOST_TEST_REQUIRE(at != std::string::npos, result.out);
    std::size_t best = 0;
    std::sscanf(result.out.c_str() + at,
                "3 epochs have not lowered the loss of the validation; the network of epoch %zu", &best);
    BOOST_TEST(lines(bytes_of(folder / "h.csv")) == best + 3 + 1);
    BOOST_TEST(accuracy(result) >= 90.0);
    const Result numbers =
        run("train --csv " DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv --epochs 3 --validation 0.2");
    BOOST_TEST(has(numbers.out, ", RMSE "), numbers.out);
}

BOOST_AUTO_TEST_CASE(optimizers_clipping_and_schedules) {
    for (const std::string schedule : {"none", "step", "cosine", "warm-up", "one-cycle", "plateau"})
        BOOST_TEST_CONTEXT(schedule) {
            const Result result =
                run("train --csv " + iris + " --epochs 60 --rate 0.02 --batch 8 --clip 1 --schedule " + schedule +
                    " --history " + folder / "h.csv");
            BOOST_TEST(accuracy(result) >= 90.0);
            const std::string rows = bytes_of(folder / "h.csv");
            const std::string said =
                run("train --csv " + iris + " --epochs 9 --rate 0.02 --json --schedule " + schedule).out;
            BOOST_TEST(has(said, "\"rate\": 0.02,"), said);  // as it was asked for
            BOOST_TEST(rows.starts_with("epoch,loss,accuracy,rate\n1,"));
            BOOST_TEST(lines(rows) == 61u);
            if (schedule == "step") BOOST_TEST(has(rows, ",0.0002\n"));
            if (schedule == "step") {  // 40 steps, which three does not divide
                run("train --csv " + iris + " --epochs 10 --rate 0.02 --schedule step --history " + folder / "h.csv");
                BOOST_TEST(bytes_of(folder / "h.csv").ends_with(",0.0002\n"), bytes_of(folder / "h.csv"));
            }
            if (schedule == "none") BOOST_TEST(rows.ends_with(",0.02\n"));
            // A tenth of the 60 epochs leads from a third of the rate to the rate.
            if (schedule == "warm-up")
                BOOST_TEST(rate_after(rows, 3) == 0.02 * 2 / 3, boost::test_tools::tolerance(0.02));
            if (schedule == "warm-up") BOOST_TEST(rate_after(rows, 7) == 0.02);
            if (schedule == "cosine") BOOST_TEST(rate_after(rows, 30) == 0.01, boost::test_tools::tolerance(0.01));
            if (schedule == "one-cycle") BOOST_TEST(rate_after(rows, 18) == 0.02, boost::test_tools::tolerance(0.01));
        }
    BOOST_TEST(accuracy(run("train --csv " + iris + " --epochs 60 --batch 8 --optimizer adagrad --rate 0.1")) >= 90.0);
    // A weight decay times the rate of 1 takes all but the gradient away.
    const auto largest = [&](const std::string& options) {
        const std::string model = folder / "decayed.npz";
        BOOST_TEST_REQUIRE(run("train --csv " + iris + " --epochs 9 --hidden 4 " + options + " --save " + model).exit ==
                           0);
        double most = 0;
        for (const auto& [name, array] : nn::read_npz<double>(model).arrays)
            for (const double number : array) most = std::max(most, std::abs(number));
        return most;
    };
    BOOST_TEST(largest("--optimizer sgd --rate 0.1 --weight-decay 10") < 0.2);
    BOOST_TEST(largest("--optimizer sgd --rate 0.1") > 0.5);
    BOOST_TEST(largest("--optimizer adamw --rate 0.001 --weight-decay 999") < 0.05);
    refuses("train --optimizer sgd --rate 0.1 --weight-decay 100 --save " + folder / "never",
            "the weight decay makes parameters grow, try a smaller one, or a rate below 0.1");
    refuses("train --micro-batch 33 --save " + folder / "never",
            "[train] --micro-batch 33 is more than the 32 rows of --batch");
    refuses("train --weight-decay -1 --save " + folder / "never", "weight decay");
    refuses("train --weight-decay x --save " + folder / "never", "--weight-decay: 'x' is not a number");
    refuses("train --clip 0 --save " + folder / "never", "'0' is not a number above 0");
    refuses("train --clip-value 0 --save " + folder / "never", "'0' is not a number above 0");
    for (const std::string option : {"--rate", "--clip", "--clip-value"})
        refuses("train " + option + " 1e-300 --save " + folder / "never",
                "'1e-300' is not a number above 0, as a float");
    refuses("train --average 1 --save " + folder / "never", "'1' is not a number from 0 to below 1");
    refuses("train --label-smoothing -0.1 --save " + folder / "never", "is not a number from 0 to below 1");
    refuses("train --loss mae --save " + folder / "never", "[train] --loss is for a regression, and these are classes");
    refuses("train --schedule luck --save " + folder / "never", "luck");
    refuses("train --validation 1 --save " + folder / "never", "leaves one side empty");
    refuses("train --epochs 1 --batch 10000 --schedule one-cycle --save " + folder / "never",
            "a schedule of 1 steps says nothing");
    refuses("train --history " + folder / "no/folder", "no folder");
    const Result confusion = run("train --csv " + iris + " --epochs 60 --rate 0.02 --confusion");
    BOOST_TEST(has(confusion.out, "precision    recall        F1\n     setosa    1.0000    1.0000    1.0000\n"),
               confusion.out);
}

// Of 40 targets four are 1000 and the others 0. The mean squared error leads to their mean, 100, the mean absolute
// error to their median, 0, and Huber's loss to 33, where 0.9 m is 0.1 deviations.
BOOST_AUTO_TEST_CASE(a_regression_minimises_the_loss_that_is_asked_for) {
    std::string table = "x,y\n";
    for (int i = 0; i < 40; ++i) table += i % 10 == 0 ? "1,1000\n" : "1,0.0\n";
    const auto csv = folder.write("outliers.csv", table);
    const auto answer = [&](const std::string& loss) {
        const std::string model = folder / "outliers.safetensors";
        const Result trained = run("train --csv " + csv + " --task regression --hidden 0 --epochs 400 --batch 32 " +
                                   "--rate 0.02 --schedule cosine --holdout 0.05 " + loss + " --save " + model);
        BOOST_TEST_REQUIRE(trained.exit == 0, trained.out);
        const std::string predicted = run("predict " + model + " --csv " + csv + " --label y").out;
        const std::size_t begin = predicted.find('\n') + 1;
        return std::stod(predicted.substr(begin));
    };
    BOOST_TEST(std::abs(answer("") - 100) < 20);
    BOOST_TEST(std::abs(answer("--loss mse") - 100) < 20);
    BOOST_TEST(std::abs(answer("--loss mae")) < 5);
    BOOST_TEST(std::abs(answer("--loss huber") - 33) < 15);
    BOOST_TEST(
        has(run("train --csv " + csv + " --task regression --epochs 1 --loss huber --clip 2 --clip-value 0.5 " +
                "--average 0.9 --micro-batch 8 --weight-decay 0.1")
                .out,
            ", adam at rate 0.001, weight decay 0.1, loss huber, gradients clipped to norm 2, numbers in gradients "
            "clipped to 0.5, weights averaged with decay 0.9, 8 rows at a time\n"));
    refuses("train --csv " + csv + " --task regression --label-smoothing 0.1", "--label-smoothing is for classes");
}

// y is a linear function of columns that are not scaled alike: five steps find it, whatever is in memory at a time.
BOOST_AUTO_TEST_CASE(lbfgs_solves_least_squares) {
    std::string table = "a,b,c,y\n";
    for (int i = 0; i < 60; ++i) {
        const double a = std::sin(1.3 * i), b = 100 * std::cos(0.7 * i), c = a + 0.1 * std::sin(2.9 * i);
        table += std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(c) + "," +
                 std::to_string(3 * a - 0.2 * b + 5 * c + 7) + "\n";
    }
    const std::string csv = " --csv " + folder.write("linear.csv", table) + " --hidden 0 --scale standard ";
    const auto error = [&](const std::string& options) {
        const Result result = run("train --quiet" + csv + options);
        BOOST_TEST_REQUIRE(result.exit == 0, result.error);
        return std::stod(result.out.substr(result.out.find("RMSE ") + 5));
    };
    const std::string lbfgs = "--epochs 5 --optimizer lbfgs ";
    BOOST_TEST(error(lbfgs) < 0.003);
    BOOST_TEST(error(lbfgs + "--micro-batch 7") < 0.003);
    BOOST_TEST(error(lbfgs + "--micro-batch 7 --stream") < 0.003);
    BOOST_TEST(error("--epochs 5") > 1);
    const std::string file = folder / "whole.npz", part = folder / "part.npz", checkpoint = folder / "lbfgs.st";
    error(lbfgs + "--save " + file);
    error("--epochs 2 --optimizer lbfgs --checkpoint " + checkpoint);
    error(lbfgs + "--resume " + checkpoint + " --save " + part);
    BOOST_TEST(bytes_of(part) == bytes_of(file));
    const auto refused = [&](const std::string& options, const std::string& sentence) {
        refuses("train" + csv + lbfgs + options + " --save " + folder / "never", sentence);
    };
    refused("--rate 1e30", "[lbfgs] the loss or its gradient is not finite wherever a step of ");
    refused("--batch 32", "[train] lbfgs takes all 48 rows for training at once, and --batch is 32");
    refused("--batch 60 --micro-batch 61", "[train] --micro-batch 61 is more than the 60 rows of --batch");
    refused("--clip 1", "[train] --clip is not for lbfgs");
    refused("--clip-value 1", "[train] --clip-value is not for lbfgs");
    refused("--weight-decay 1", "[train] --weight-decay is not for lbfgs");
    refused("--schedule cosine", "[train] --schedule is not for lbfgs");
    refused("--stream", "[train] lbfgs takes all rows at once: --stream needs --micro-batch");
    const std::string layers = "train --epochs 1 --optimizer lbfgs --save " + folder / "never" + " --layers ";
    refuses(layers + "'flatten, dropout 0.1, dense'", "[train] dropout is not for lbfgs");
    refuses(layers + "'flatten, batchnorm, dense'", "[train] batchnorm is not for lbfgs");
}

// The step would take many seconds.
BOOST_AUTO_TEST_CASE(a_signal_ends_a_step_of_lbfgs) {
    const Folder files;
    const std::string checkpoint = files / "checkpoint", history = files / "history.csv";
    const pid_t child = start("train --csv " + iris + " --hidden 3000,1000 --optimizer lbfgs --micro-batch 1 " +
                              "--epochs 1 --checkpoint " + checkpoint + " --history " + history);
    while (!std::filesystem::exists(checkpoint) && waitpid(child, nullptr, WNOHANG) == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    kill(child, SIGTERM);
    BOOST_TEST(ended(child) == 128 + SIGTERM);
    BOOST_TEST(bytes_of(folder / "error") == "deltarule: interrupted; --resume " + checkpoint + " goes on\n");
    BOOST_TEST(lines(bytes_of(history)) == 1u);  // the heading
}

// Smoothed by 0.3, a label has 0.8 of three classes and the others 0.1 each: no loss is below their entropy of 0.639.
BOOST_AUTO_TEST_CASE(labels_are_smoothed_and_weights_averaged) {
    const auto trained = [&](const std::string& options) {
        const Result result = run("train --csv " + iris + " --epochs 40 --rate 0.02 --batch 8 --history " +
                                  folder / "h" + " --save " + folder / "net.npz " + options);
        BOOST_TEST(accuracy(result) >= 90.0);
        const std::string rows = bytes_of(folder / "h");
        return std::pair(std::stod(rows.substr(rows.find("\n40,") + 4)), bytes_of(folder / "net.npz"));
    };
    const auto plain = trained(""), smoothed = trained("--label-smoothing 0.3"), averaged = trained("--average 0.9");
    BOOST_TEST(plain.first < 0.3);
    BOOST_TEST(smoothed.first > 0.639);
    BOOST_TEST(smoothed.first < 0.75);
    BOOST_TEST(averaged.first == plain.first);  // the way is the same
    BOOST_TEST(averaged.second != plain.second);
}

BOOST_AUTO_TEST_CASE(options_come_from_a_file_and_the_result_goes_to_programs) {
    const std::string file =
        folder.write("run.toml", "[train]\ncsv = \"" + iris + "\"\nhidden = [16, 8]\nepochs = 3\nbatch = 8\n");
    const Result there = run("train --csv " + iris + " --hidden 16,8 --epochs 3 --batch 8"),
                 here = run("train --config " + file);
    BOOST_TEST(here.exit == 0, here.error);
    BOOST_TEST(here.out == there.out);
    // The command line comes first.
    BOOST_TEST(run("train --config " + file + " --epochs 2").out ==
               run("train --csv " + iris + " --hidden 16,8 --epochs 2 --batch 8").out);
    const Result quiet = run("train --quiet --config " + file);
    BOOST_TEST(lines(quiet.out) == 1u);
    BOOST_TEST(here.out.ends_with(quiet.out));
    const auto report = nlohmann::json::parse(run("train --json --confusion --validation 0.1 --config " + file).out);
    BOOST_TEST(report.at("task").get<std::string>() == "classification");
    BOOST_TEST((report.at("widths") == nlohmann::json({4, 16, 8, 3})));
    BOOST_TEST((report.at("rows") == nlohmann::json({{"training", 108}, {"validation", 12}, {"test", 30}})));
    int right = 0, all = 0;
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t k = 0; k < 3; ++k) {
            all += report.at("confusion")[i][k].get<int>();
            right += i == k ? report.at("confusion")[i][k].get<int>() : 0;
        }
    BOOST_TEST(all == 30);
    BOOST_TEST(report.at("test").at("accuracy").get<double>() == right / 30.0, boost::test_tools::tolerance(1e-12));
    const auto folds =
        nlohmann::json::parse(
            run("train --json --folds 3 --epochs 2 --csv " DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv").out)
            .at("folds");
    BOOST_TEST(folds.size() == 3u);
    BOOST_TEST(folds[2][0].at("target").get<std::string>() == "progression");
    BOOST_TEST(folds[2][0].at("r_squared").get<double>() < 1);
    const auto early = nlohmann::json::parse(
        run("train --json --patience 1 --epochs 1000 --rate 0.3 --optimizer sgd --csv " + iris).out);
    BOOST_TEST(early.at("epochs").get<int>() < 1000);  // those that were made
    BOOST_TEST(early.at("kept_epoch").get<int>() < early.at("epochs").get<int>());
    refuses("train --quiet --json", "excludes");
    refuses("train --config " + folder / "never", "never");
    refuses("train --config /dev/zero", "/dev/zero is no file of options");
    // Cut at any byte it is other options or one sentence.
    const std::string whole =
        "[train]\ncsv = \"" + iris + "\"\nhidden = [3, 2]\nepochs = 1\nactivation = 'tanh' # so\n";
    for (std::size_t n = whole.find("hidden"); n <= whole.size(); ++n) {
        const Result cut = run("train --quiet --config " + folder.write("cut.toml", whole.substr(0, n)));
        BOOST_TEST(lines(cut.out) + lines(cut.error) == 1u, whole.substr(0, n) << cut.out << cut.error);
        BOOST_TEST((cut.exit == 0) == cut.error.empty());
    }
    refuses("train --config " + folder.write("run.toml", "[train]\nepochs = 2\nseed = 1\nepochs = 4\n"),
            "--config: train.epochs stands there twice");
    refuses("train --config " + folder.write("run.toml", "[train]\nepochz = 3\n"), "there is no option train.epochz");
    refuses("train --config " + folder.write("run.toml", "[train]\nepochs = -1\n"), "--epochs: '-1' is not a whole");
    BOOST_TEST(run("train --epochs -1").exit == 2);
}

// With a rate that changes nothing: the losses of small batches, in which a rare class weighs much, are those of a
// whole.
BOOST_AUTO_TEST_CASE(a_balanced_loss_is_the_mean_over_weights) {
    const Folder files;
    std::string table = "a,b,class\n";
    for (int i = 0; i < 200; ++i)
        table += std::to_string(std::sin(1.3 * i)) + "," + std::to_string(std::cos(0.7 * i)) +
                 (i % 17 == 0 ? ",rare\n" : ",often\n");
    files.write("table.csv", table);
    const auto losses = [&](const std::string& batch) {
        const Result result =
            run("train --hidden 3 --balanced --rate 1e-30 --optimizer sgd --epochs 1 --validation 0.3 --csv " +
                files / "table.csv" + " --history " + files / "history.csv" + batch);
        BOOST_TEST_REQUIRE(result.exit == 0, result.error);
        std::istringstream row(bytes_of(files / "history.csv"));
        std::string field;
        std::getline(row, field);
        std::vector<double> numbers;
        while (std::getline(row, field, ',')) numbers.push_back(std::stod(field));
        return std::pair(numbers.at(1), numbers.at(3));
    };
    const auto [small, small_validation] = losses(" --batch 3");
    const auto [whole, whole_validation] = losses(" --batch 1000");
    BOOST_TEST(std::abs(small - whole) < 1e-6);
    BOOST_TEST(small_validation == whole_validation);
    const auto [parts, parts_validation] = losses(" --batch 1000 --micro-batch 3");
    BOOST_TEST(std::abs(parts - whole) < 1e-6);
    BOOST_TEST(parts_validation == whole_validation);
}

BOOST_AUTO_TEST_CASE(the_history_of_a_regression_is_in_the_units_that_are_printed) {
    const std::string table = "train --csv " DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv --hidden 4 --epochs 3 ";
    const std::string path = folder / "units.csv";
    const Result result = run(table + "--validation 0.1 --history " + path);
    BOOST_TEST_REQUIRE(result.exit == 0, result.error);
    std::istringstream rows(bytes_of(path));
    std::string row;
    std::getline(rows, row);
    BOOST_TEST(row == "epoch,loss,rmse,validation_loss,validation_rmse,rate");
    std::size_t at = 0;  // in what was printed
    const auto next_printed = [&] {
        at = result.out.find("RMSE ", at + 1);
        BOOST_TEST_REQUIRE(at != std::string::npos, result.out);
        return std::stod(result.out.substr(at + 5));
    };
    int epochs = 0;
    for (; std::getline(rows, row); ++epochs) {
        double training = 0, validation = 0;
        BOOST_TEST_REQUIRE(std::sscanf(row.c_str(), "%*d,%*f,%lf,%*f,%lf,", &training, &validation) == 2);
        BOOST_TEST(std::abs(training - next_printed()) < 1e-3, row << result.out);
        BOOST_TEST(std::abs(validation - next_printed()) < 1e-3, row << result.out);
        BOOST_TEST(validation > 20);  // the target's deviation is 77
    }
    BOOST_TEST(epochs == 3);
    BOOST_TEST(run(table + "--label 8,9 --history " + path).exit == 0);  // of several targets there is no unit
    BOOST_TEST(bytes_of(path).starts_with("epoch,loss,rmse_deviations,rate\n"), bytes_of(path));
}

// What mpirun tells its processes: each alone would train the same and write the same file.
BOOST_AUTO_TEST_CASE(one_of_several_processes_does_not_train_alone) {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
        setenv(name, "4", 1);
        refuses("train --epochs 1 --save " + folder / "never", "4 processes were started");
        setenv(name, "1", 1);
        BOOST_TEST(run("train --epochs 1").exit == 0);
        unsetenv(name);
    }
}
