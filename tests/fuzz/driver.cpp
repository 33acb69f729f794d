// Runs a fuzz target where there is no libFuzzer: on each file that is named, and then on changed ones.
//
//     csv_fuzz [--inputs=N] [--seconds=S] [--seed=K] [--every-bit] [--words=FILE] [FILE or FOLDER ...]
//
// Without --inputs and --seconds it changes nothing, so that a file that failed can be run again. The input that is
// running stands in a file whose name is printed first and which is gone where the run ends well.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "fuzz.hpp"

namespace {

constexpr std::size_t longest = 1 << 14;  // bytes of an input that is changed
constexpr std::size_t longest_for_bits = 1 << 10;
constexpr unsigned longest_run = 300;  // seconds for one input, after which the run has failed

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs one input after the other, each written down before.
class Runs {
  public:
    explicit Runs(const std::string& name)
        : path_("/tmp/deltarule-fuzz-" + name + "-" + std::to_string(getpid())),
          file_(open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
        fuzz::require(file_ >= 0, path_ + " can be written");
        std::printf("%s: the input that is running stands in %s\n", name.c_str(), path_.c_str());
        std::fflush(stdout);
    }
    void run(const std::string& input) {
        // The size is set last and first, as a run may end at any time.
        fuzz::require(pwrite(file_, input.data(), input.size(), 0) == static_cast<ssize_t>(input.size()) &&
                          ftruncate(file_, static_cast<off_t>(input.size())) == 0,
                      path_ + " can be written");
        alarm(longest_run);
        // A copy of exactly this size, so that a sanitizer sees what reads beyond it.
        const std::vector<unsigned char> copy(input.begin(), input.end());
        LLVMFuzzerTestOneInput(copy.data(), copy.size());
        ++count_;
    }
    std::size_t count() const { return count_; }
    void end() {
        std::printf("%zu inputs\n", count_);
        unlink(path_.c_str());
    }

  private:
    std::string path_;
    int file_;
    std::size_t count_ = 0;
};

/// The words of a file in libFuzzer's form: "..." on each line, \xAB for a byte.
std::vector<std::string> words_of(const std::string& path) {
    std::vector<std::string> words;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.size() < 2 || line.front() != '"') continue;
        std::string word;
        for (std::size_t i = 1; i + 1 < line.size(); ++i) {
            if (line[i] == '\\' && line[i + 1] == 'x') {
                word += static_cast<char>(std::stoi(line.substr(i + 2, 2), nullptr, 16));
                i += 3;
            } else {
                i += line[i] == '\\';
                word += line[i];
            }
        }
        words.push_back(word);
    }
    return words;
}

/// Makes an input of the files: cuts, changes, repeats, joins them and puts words in.
class Changes {
  public:
    Changes(std::vector<std::string> files, std::vector<std::string> words, std::uint64_t seed)
        : files_(std::move(files)), words_(std::move(words)), engine_(seed) {}

    std::string next() {
        std::string input = file();
        if (below(3) == 0) input.resize(below(input.size() + 1));
        for (std::size_t i = 0, n = 1 + below(5); i < n; ++i) change(input);
        input.resize(std::min(input.size(), longest));
        return input;
    }

  private:
    std::size_t below(std::size_t n) { return engine_() % n; }
    /// A file, or the part of a long one that begins it.
    std::string file() {
        std::string whole = files_.empty() ? "" : files_[below(files_.size())];
        whole.resize(std::min(whole.size(), longest));
        return whole;
    }
    void change(std::string& input) {
        const std::size_t at = below(input.size() + 1);
        switch (below(input.empty() ? 3 : 9)) {
            case 0:
                if (!words_.empty()) input.insert(at, words_[below(words_.size())]);
                break;
            case 1:
                input.insert(at, 1, static_cast<char>(below(256)));
                break;
            case 2: {
                const std::string other = file();
                const std::size_t begin = below(other.size() + 1);
                input.insert(at, other, begin, below(120));
                break;
            }
            case 3:
                input[at % input.size()] = static_cast<char>(below(256));
                break;
            case 4:
                input[at % input.size()] = static_cast<char>(input[at % input.size()] ^ (1 << below(8)));
                break;
            case 5:
                input.erase(at % input.size(), 1 + below(8));
                break;
            case 6:
                input.insert(at, input.substr(below(input.size()), 1 + below(60)));
                break;
            case 7:
                std::swap(input[at % input.size()], input[below(input.size())]);
                break;
            default:
                if (!words_.empty()) input.replace(at % input.size(), 1 + below(6), words_[below(words_.size())]);
        }
    }

    std::vector<std::string> files_, words_;
    std::mt19937_64 engine_;
};

}  // namespace

int main(int argc, char** argv) {
    std::size_t inputs = 0, seconds = 0, seed = 1;
    bool every_bit = false;
    std::vector<std::string> words;
    std::vector<std::filesystem::path> paths;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i], value = argument.substr(argument.find('=') + 1);
        if (argument.starts_with("--inputs="))
            inputs = std::stoul(value);
        else if (argument.starts_with("--seconds="))
            seconds = std::stoul(value);
        else if (argument.starts_with("--seed="))
            seed = std::stoul(value);
        else if (argument.starts_with("--words="))
            words = words_of(value);
        else if (argument == "--every-bit")
            every_bit = true;
        else if (std::filesystem::is_directory(argument))
            for (const auto& entry : std::filesystem::recursive_directory_iterator(argument)) {
                if (!entry.is_directory()) paths.push_back(entry.path());
            }
        else
            paths.emplace_back(argument);
    }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> files;
    for (const auto& path : paths) {
        fuzz::require(std::filesystem::is_regular_file(path), path.string() + " is a file");
        files.push_back(bytes_of(path));
    }

    Runs runs(program_invocation_short_name);
    for (const std::string& file : files) runs.run(file);
    if (every_bit)
        for (const std::string& file : files) {
            if (file.size() > longest_for_bits) continue;
            for (std::size_t size = 0; size < file.size(); ++size) runs.run(file.substr(0, size));
            for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
                std::string changed = file;
                changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
                runs.run(changed);
            }
        }
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(seconds);
    Changes changes(files, words, seed);
    for (std::size_t i = 0; i < inputs || Clock::now() < end; ++i) runs.run(changes.next());
    runs.end();
}
