// What the program writes: whole files, an output that is not lost in silence, and what is left after a signal.
#define BOOST_TEST_MODULE written_program
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "program/program.hpp"

namespace {

std::size_t entries(const Folder& of) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(of / ""), {}));
}

/// Runs the program until it has printed the first epoch, and sends it a signal.
int run_until_signal(const std::string& arguments, int signal) {
    const std::string command =
        "exec " DELTARULE_PROGRAM " " + arguments + " > " + folder / "out" + " 2> " + folder / "error";
    folder.write("out", "");
    const pid_t child = fork();
    if (child == 0) {
        std::signal(signal, SIG_DFL);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    for (int i = 0; i < 600 && !has(bytes_of(folder / "out"), "epoch 1/"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    kill(child, signal);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int exit_of(const std::string& command) { return WEXITSTATUS(std::system(command.c_str())); }

const std::string deriv = folder.write("a.deriv", "given x\nlet y = x^2\nclaim dy/dx = 2 * x\n");

}  // namespace

BOOST_AUTO_TEST_CASE(a_signal_keeps_what_was_reached_beside_the_good_file) {
    for (const int signal : {SIGINT, SIGTERM}) {
        const Folder models;
        const std::string good = models.write("model", "good");
        BOOST_TEST(run_until_signal("train --epochs 1000000 --hidden 8 --csv " + iris + " --save " + good, signal) ==
                   128 + signal);
        BOOST_TEST(has(bytes_of(folder / "error"), "saved to " + good + ".interrupted"));
        BOOST_TEST(bytes_of(good) == "good");
        BOOST_TEST(entries(models) == 2u);
        BOOST_TEST(run("predict " + good + ".interrupted --csv " + iris).exit == 0);
    }
    BOOST_TEST(run_until_signal("train --epochs 1000000", SIGTERM) == 143);
}

BOOST_AUTO_TEST_CASE(a_bad_path_is_refused_before_the_work) {
    const auto refused = [](const std::string& path, const std::string& part) {
        const Result result = run("train --epochs 1000000 --save " + path);  // it would take hours
        BOOST_TEST(result.exit == 1);
        BOOST_TEST(has(result.error, part), result.error);
        const Result checked = run("check --html " + path + " " + deriv);
        BOOST_TEST(checked.exit == 2);
        BOOST_TEST(has(checked.error, part), checked.error);
        BOOST_TEST(checked.out.empty());
    };
    refused(folder / "", "a folder");
    refused("/dev/null", "no file");
    refused(folder / "no/file", "no folder");
    refused(folder / std::string(256, 'x'), "too long");
    const std::string copy = folder.write("copy.csv", bytes_of(iris));
    refuses("train --csv " + copy + " --save " + copy, "one of the files that are read");
    BOOST_TEST(bytes_of(copy) == bytes_of(iris));
    // A file of options is one that is read, too, whatever it is called.
    const std::string rows = "train --csv " + iris + " --epochs 1 ";
    const std::string ini = folder.write("options.ini", "[train]\nhidden = 4\n");
    BOOST_TEST(run(rows + "--config " + ini).exit == 0);
    std::filesystem::create_symlink(ini, folder / "link.ini");
    for (const char* written : {"--save ", "--checkpoint ", "--history ", "--report ", "--player "})
        for (const std::string& path : {ini, folder / "link.ini", folder / "./options.ini"})
            refuses(rows + "--config " + ini + " " + written + path, "one of the files that are read");
    const std::string later = folder.write("model.interrupted", bytes_of(ini));
    refuses(rows + "--config " + later + " --save " + folder / "model", "one of the files that are read");
    refuses("--config " + ini + " check --html " + ini + " " + deriv, "one of the files that are read");
    refuses("--config " + ini + " export " + iris + " --cpp " + ini, "one of the files that are read");
    refuses("--config " + ini + " explain " + iris + " " + iris + " --output " + ini, "one of the files that are read");
    BOOST_TEST(bytes_of(ini) == "[train]\nhidden = 4\n");
    const std::string before = bytes_of(deriv);
    BOOST_TEST(run("check --html " + deriv + " " + deriv).exit == 2);
    BOOST_TEST(bytes_of(deriv) == before);
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_leaves_what_was_there) {
    const Folder models;
    const std::string good = models.write("model", "good");
    BOOST_TEST(exit_of("(ulimit -f 1; " DELTARULE_PROGRAM " train --epochs 1 --hidden 500 --csv " + iris + " --save " +
                       good + " | cat > " + folder / "out" + "; exit 0) 2> " + folder / "error") == 0);
    BOOST_TEST(has(bytes_of(folder / "error"), "File too large"), bytes_of(folder / "error"));
    BOOST_TEST(bytes_of(good) == "good");
    BOOST_TEST(entries(models) == 1u);
}

BOOST_AUTO_TEST_CASE(output_that_cannot_be_written_is_an_error) {
    const std::string model = folder / "model.st";
    BOOST_TEST_REQUIRE(run("train --hidden 4 --epochs 2 --csv " + iris + " --save " + model).exit == 0);
    for (const std::string& arguments :
         {"train --epochs 1 --csv " + iris, "predict " + model + " --csv " + iris, "check " + deriv,
          "check --json " + deriv, std::string("--help"), std::string("--version"), std::string("train --help")}) {
        const std::string program = DELTARULE_PROGRAM " " + arguments;
        const std::string to_error = " 2> " + folder / "error";
        for (const char* closed : {" > /dev/full", " >&-"}) {
            BOOST_TEST(exit_of(program + closed + to_error) != 0, arguments << closed);
            BOOST_TEST(has(bytes_of(folder / "error"), "standard output cannot be written"), arguments << closed);
        }
        // A reader that goes away: in silence, whether the signal is ignored or not.
        BOOST_TEST(exit_of("{ sleep 0.2; " + program + to_error + "; echo $? > " + folder / "code" + "; } | true") ==
                   0);
        BOOST_TEST(bytes_of(folder / "code") == "141\n", arguments);
        BOOST_TEST(bytes_of(folder / "error").empty(), bytes_of(folder / "error"));
        exit_of("trap '' PIPE; { sleep 0.2; " + program + to_error + "; echo $? > " + folder / "code" + "; } | true");
        BOOST_TEST(bytes_of(folder / "code") == "141\n", arguments);
    }
    // No file that is opened may become the output.
    const std::string copy = folder.write("copy.csv", bytes_of(iris));
    exit_of(DELTARULE_PROGRAM " train --epochs 1 --csv " + copy + " --save " + folder / "m.st" + " >&- 2>&- <&-");
    BOOST_TEST(bytes_of(copy) == bytes_of(iris));
}

BOOST_AUTO_TEST_CASE(a_standard_error_that_cannot_be_written_changes_no_exit_code) {
    const std::string model = folder / "silent.st", bad = folder.write("bad.deriv", "given x\nlet y = x +\n");
    BOOST_TEST_REQUIRE(run("train --hidden 4 --epochs 2 --csv " + iris + " --save " + model).exit == 0);
    for (const std::string& arguments :
         {"predict " + model + " --csv " + iris, "train --csv " + folder / "nothing", std::string("train --rate x"),
          "check " + folder / "nothing", "check " + bad, "check " + bad + " " + deriv, "grade " + bad + " " + deriv,
          std::string("--frobnicate"), "info " + iris}) {
        const int wanted = run(arguments).exit;
        for (const char* closed : {" 2> /dev/full", " 2>&-"})
            BOOST_TEST(exit_of(DELTARULE_PROGRAM " " + arguments + " > " + folder / "out" + closed) == wanted,
                       arguments << closed);
    }
    BOOST_TEST(exit_of(DELTARULE_PROGRAM " --version <&- >&- 2>&-") == 2);
    BOOST_TEST(exit_of(DELTARULE_PROGRAM " train --epochs 1 --csv " + iris + " > /dev/full 2> /dev/full") == 1);
}

BOOST_AUTO_TEST_CASE(a_standard_input_that_cannot_be_read_is_named) {
    const Result of_folder = run("check - < /");
    BOOST_TEST(of_folder.exit == 2);
    BOOST_TEST(has(of_folder.error, "the standard input: cannot be read (Is a directory)"), of_folder.error);
    BOOST_TEST(run("check - <&-").exit == 2);
    BOOST_TEST(run("check /").exit == 2);
    BOOST_TEST(has(run("check /dev/zero").error, "longer than a derivation may be"));
}
