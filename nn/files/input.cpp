#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nn/files/input.hpp>
#include <nn/files/text.hpp>

namespace nn::files {

using autograd::FileError;

namespace {

constexpr std::size_t block_size = std::size_t{1} << 16;

gzFile as_gz(void* file) { return static_cast<gzFile>(file); }

std::string reason(int error) { return std::strerror(error); }

}  // namespace

std::size_t memory() {
    std::size_t bytes =
        static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        bytes = std::min(bytes, static_cast<std::size_t>(limit.rlim_cur));
    std::size_t of_container = 0;
    if (std::ifstream("/sys/fs/cgroup/memory.max") >> of_container) bytes = std::min(bytes, of_container);
    return bytes;
}

void Input::Close::operator()(void* file) const { gzclose(as_gz(file)); }

Input::Input(const std::string& path) : path_(printable(path)) {
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown))
        throw FileError(fmt::format("{}: this is a folder, not a file", path_));
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (file_ == nullptr) throw FileError(fmt::format("{}: the file cannot be opened ({})", path_, reason(errno)));
}

Input::Input(int descriptor, const std::string& name) : path_(name) {
    const int copy = dup(descriptor);
    if (copy >= 0) file_.reset(gzdopen(copy, "rb"));
    if (file_ == nullptr) throw FileError(fmt::format("{}: cannot be read ({})", path_, reason(errno)));
}

bool Input::fill() {
    block_.resize(block_size);
    position_ = 0;
    errno = 0;
    const int n = gzread(as_gz(file_.get()), block_.data(), static_cast<unsigned>(block_size));
    const int read_error = errno;
    block_.resize(static_cast<std::size_t>(std::max(n, 0)));
    int error = Z_OK;
    gzerror(as_gz(file_.get()), &error);
    if (error == Z_ERRNO) throw FileError(fmt::format("{}: cannot be read ({})", path_, reason(read_error)));
    if (n < 0 || (error != Z_OK && error != Z_STREAM_END))
        throw FileError(fmt::format("{}: the file is damaged or cut short", path_));
    return n > 0;
}

std::string Input::read(std::size_t n) {
    std::string bytes;
    while (bytes.size() < n && (position_ < block_.size() || fill())) {
        const std::size_t some = std::min(n - bytes.size(), block_.size() - position_);
        bytes.append(block_, position_, some);
        position_ += some;
    }
    return bytes;
}

}  // namespace nn::files
