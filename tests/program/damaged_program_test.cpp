// The program is killed at random moments, races another one, and reads networks that were damaged: what was saved is
// whole, and what is damaged is refused or is as good as any other network. With DELTARULE_KILLS=300, as often as that.
#define BOOST_TEST_MODULE damaged_program
#include <fcntl.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "program/program.hpp"

namespace {

using Clock = std::chrono::steady_clock;

std::size_t kills() {
    const char* asked = std::getenv("DELTARULE_KILLS");
    return asked != nullptr ? static_cast<std::size_t>(std::atoi(asked)) : 9;
}

/// Starts a training that saves some hundred kilobytes and takes a part of a second.
pid_t start(const std::string& model, const std::string& seed) {
    const pid_t child = fork();
    if (child != 0) return child;
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execl(DELTARULE_PROGRAM, "deltarule", "train", "--csv", iris.c_str(), "--hidden", "20000", "--epochs", "1",
          "--batch", "120", "--seed", seed.c_str(), "--save", model.c_str(), nullptr);
    _exit(127);
}

int status_of(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

/// What a training saves that is left alone, and how long it takes.
std::pair<std::string, std::chrono::microseconds> saved(const std::string& seed) {
    const Folder models;
    const auto begin = Clock::now();
    const int status = status_of(start(models / "model", seed));
    BOOST_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return {bytes_of(models / "model"), std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin)};
}

}  // namespace

BOOST_AUTO_TEST_CASE(whenever_it_ends_the_file_is_the_old_one_or_the_new_one) {
    const auto [trained, duration] = saved("1");
    std::mt19937_64 engine(std::random_device{}());
    std::size_t old_ones = 0, new_ones = 0, interrupted = 0;
    for (std::size_t i = 0; i < kills(); ++i) {
        const int signal = std::array{SIGKILL, SIGTERM, SIGINT}[i % 3];
        const Folder models;
        const std::string model = models.write("model", "old");
        const pid_t child = start(model, "1");
        std::this_thread::sleep_for(duration * (engine() % 1100) / 1000);
        kill(child, signal);
        const int status = status_of(child);
        const std::string there = bytes_of(model);
        BOOST_TEST((there == "old" || there == trained), "the file has " << there.size() << " bytes");
        (there == "old" ? old_ones : new_ones) += 1;
        if (signal == SIGKILL) continue;
        // Before the program minds signals, one ends it; afterwards it says so, or is done.
        BOOST_TEST((WIFSIGNALED(status) || WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 128 + signal));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) BOOST_TEST((there == trained));
        for (const auto& entry : std::filesystem::directory_iterator(models / "")) {
            const std::string name = entry.path().filename();
            BOOST_TEST((name == "model" || name == "model.interrupted"), name << " is left behind");
            if (name != "model.interrupted") continue;
            ++interrupted;
            BOOST_TEST(run("predict " + entry.path().string() + " --csv " + iris).exit == 0);
        }
    }
    BOOST_TEST_MESSAGE(old_ones << " old, " << new_ones << " new, " << interrupted << " interrupted");
}

BOOST_AUTO_TEST_CASE(of_two_trainings_that_save_to_one_path_one_wins) {
    const std::string one = saved("1").first, two = saved("2").first;
    BOOST_TEST((one != two));
    for (std::size_t i = 0; i < 1 + kills() / 10; ++i) {
        const Folder models;
        const pid_t first = start(models / "model", "1"), second = start(models / "model", "2");
        for (const pid_t child : {first, second}) {
            const int status = status_of(child);
            BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
        }
        const std::string there = bytes_of(models / "model");
        BOOST_TEST((there == one || there == two), "the file has " << there.size() << " bytes");
        BOOST_TEST(std::distance(std::filesystem::directory_iterator(models / ""), {}) == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_network_that_was_damaged_is_refused_or_answers_for_each_row) {
    const std::string whole = bytes_of(DELTARULE_SOURCE_DIR "/tests/fuzz/seeds/network/iris.safetensors");
    const std::string path = folder.write("damaged", whole), command = "predict " + path + " --csv " + iris;
    const std::string lines = run(command).out;
    BOOST_TEST(std::count(lines.begin(), lines.end(), '\n') == 151);
    const auto judge = [&](const std::string& what) {
        const Result result = run(command);
        BOOST_TEST_CONTEXT(what << "\n" << result.error) {
            if (result.exit == 0) {
                BOOST_TEST(std::count(result.out.begin(), result.out.end(), '\n') == 151);
                return;
            }
            BOOST_TEST(result.exit == 1);
            BOOST_TEST(result.error.starts_with("deltarule: "));
            BOOST_TEST(std::count(result.error.begin(), result.error.end(), '\n') == 1);
        }
    };
    // All bits in memory: fuzz/network_fuzz.cpp.
    const std::size_t step = kills() < 100 ? 23 : 1;
    for (std::size_t i = 0; i < whole.size(); i += step) {
        std::string bytes = whole;
        bytes[i] = static_cast<char>(bytes[i] ^ (1 << i % 8));
        folder.write("damaged", bytes);
        judge("byte " + std::to_string(i));
        folder.write("damaged", whole.substr(0, i));
        judge("cut to " + std::to_string(i));
    }
}
