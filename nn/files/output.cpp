#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <autograd/error.hpp>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <optional>
#include <random>

namespace nn::files {

using autograd::FileError;

namespace {

// What a signal handler has to remove: the name is whole while `to_remove` is up. With several writers at once it is
// that of the first alone.
char unfinished[PATH_MAX];
std::atomic<bool> claimed = false, to_remove = false;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
    throw FileError(fmt::format("{}: the file cannot be written: {}", printable(path), why));
}

[[noreturn]] void fail(const std::string& path) { fail(path, std::strerror(errno)); }

/// Where the file will stand in the end: the path, or what a symbolic link leads to.
std::filesystem::path followed(const std::string& path) {
    std::filesystem::path place = path;
    std::error_code error;
    for (int links = 0; std::filesystem::is_symlink(place, error); ++links) {
        if (links == 40) fail(path, "its symbolic links lead in a circle");
        const auto target = std::filesystem::read_symlink(place, error);
        if (error) fail(path, error.message());
        place = place.parent_path() / target;
    }
    return place;
}

/// A new file beside `place`, with a name of its own, that is gone again unless it takes the place's name.
class Neighbour {
  public:
    explicit Neighbour(const std::string& path) : path_(path), place_(followed(path)) {
        if (path.empty()) fail("''", "its name is empty");
        struct stat there {};
        if (stat(place_.c_str(), &there) == 0) {
            if (S_ISDIR(there.st_mode)) fail(path, "a folder stands there");
            if (!S_ISREG(there.st_mode)) fail(path, "what stands there is no file");
            if (access(place_.c_str(), W_OK) != 0) fail(path);
            existing_ = there;
        } else if (errno != ENOENT) {
            fail(path);
        }
        const auto folder = place_.parent_path();
        if (place_.filename().empty() || (!folder.empty() && !std::filesystem::is_directory(folder)))
            fail(path, fmt::format("there is no folder {}", printable(folder.string())));
        std::random_device random;
        do {
            name_ = (folder / fmt::format(".deltarule-{:08x}{:08x}", random(), random())).string();
            if (name_.size() >= sizeof unfinished) fail(path, "its path is too long");
            announce();
            file_ = open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (file_ < 0) withdraw();
        } while (file_ < 0 && errno == EEXIST);
        if (file_ < 0) fail(path);
        if (existing_ && (there.st_uid != geteuid() || there.st_gid != getegid()) &&
            fchown(file_, there.st_uid, there.st_gid) != 0) {
            const int error = errno;
            give_up();
            fail(path, fmt::format("its owner could not be kept ({})", std::strerror(error)));
        }
        if (existing_ && fchmod(file_, there.st_mode & 07777) != 0) {
            const int error = errno;
            give_up();
            fail(path, std::strerror(error));
        }
    }
    ~Neighbour() { give_up(); }
    Neighbour(const Neighbour&) = delete;
    Neighbour& operator=(const Neighbour&) = delete;

    void write(std::string_view contents) {
        while (!contents.empty()) {
            const ssize_t n = ::write(file_, contents.data(), contents.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) fail(path_);
            contents.remove_prefix(static_cast<std::size_t>(n));
        }
        if (fsync(file_) != 0) fail(path_);
        const int closed = close(file_);
        file_ = -1;
        if (closed != 0 || std::rename(name_.c_str(), place_.c_str()) != 0) fail(path_);
        withdraw();
        name_.clear();
        const auto folder = place_.parent_path();
        const int directory = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        // Not every file system flushes folders, and a folder that may be written need not be readable.
        const bool flushed = directory < 0 || fsync(directory) == 0 || errno == EINVAL || errno == ENOTSUP;
        const int error = errno;
        if (directory >= 0) close(directory);
        if (!flushed) fail(path_, std::strerror(error));
    }

  private:
    void give_up() {
        if (file_ >= 0) close(file_);
        file_ = -1;
        if (!name_.empty()) unlink(name_.c_str());
        name_.clear();
        withdraw();
    }

    /// Tells the signal handler what to remove, before it is there; and that nothing is left to remove.
    void announce() {
        announced_ = !claimed.exchange(true);
        if (!announced_) return;
        std::memcpy(unfinished, name_.c_str(), name_.size() + 1);
        to_remove = true;
    }
    void withdraw() {
        if (!announced_) return;
        announced_ = false;
        to_remove = false;
        claimed = false;
    }

    std::string path_;
    std::filesystem::path place_;
    std::optional<struct stat> existing_;
    std::string name_;
    int file_ = -1;
    bool announced_ = false;
};

}  // namespace

void require_writable(const std::string& path, const std::vector<std::string>& inputs) {
    const Neighbour neighbour(path);
    std::error_code error;
    for (const std::string& input : inputs)
        if (std::filesystem::equivalent(path, input, error) && !error)
            fail(path, "it is one of the files that are read");
}

bool is_same_place(const std::string& one, const std::string& other) {
    const auto place = [](const std::string& path) {
        const std::filesystem::path end = followed(path), folder = end.parent_path();
        return std::filesystem::weakly_canonical(folder.empty() ? "." : folder) / end.filename();
    };
    return place(one) == place(other);
}

void write(const std::string& path, std::string_view contents) { Neighbour(path).write(contents); }

void remove_unfinished() noexcept {
    if (to_remove.exchange(false)) unlink(unfinished);
}

}  // namespace nn::files
