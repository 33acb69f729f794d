#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <nn/files/input.hpp>
#include <nn/files/text.hpp>

namespace nn::files {

using autograd::FileError;

namespace {

constexpr std::size_t block_size = std::size_t{1} << 16;

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

/// zlib's own reader of files drops in silence what stands behind a member and is none: half a table may be gone so.
class Input::Stream {
  public:
    Stream(int file, const std::string& path) : file_(file), path_(path), bytes_(block_size, '\0') {}
    ~Stream() {
        if (is_packed_) inflateEnd(&zlib_);
        close(file_);
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Writes up to `n` bytes, unpacked; 0 at the end alone.
    std::size_t read(char* to, std::size_t n) {
        if (!has_begun_) begin();
        if (is_packed_) return unpack(to, n);
        if (zlib_.avail_in == 0 && !load()) return 0;
        const std::size_t some = std::min<std::size_t>(n, zlib_.avail_in);
        std::memcpy(to, zlib_.next_in, some);
        skip(some);
        return some;
    }

  private:
    [[noreturn]] void fail(const std::string& what) const { throw FileError(fmt::format("{}: {}", path_, what)); }

    /// Takes more bytes of the file to those that are there; false at its end.
    bool load() {
        if (zlib_.avail_in == 0) zlib_.next_in = first();
        const auto end = static_cast<std::size_t>(zlib_.next_in - first()) + zlib_.avail_in;
        ssize_t n = 0;
        while (!has_ended_ && (n = ::read(file_, bytes_.data() + end, bytes_.size() - end)) < 0)
            if (errno != EINTR) fail(fmt::format("cannot be read ({})", reason(errno)));
        has_ended_ = n == 0;
        zlib_.avail_in += static_cast<uInt>(n);
        return n > 0;
    }

    void begin() {
        has_begun_ = true;
        while (zlib_.avail_in < 2 && load()) {
        }
        if (zlib_.avail_in < 2 || zlib_.next_in[0] != 0x1f || zlib_.next_in[1] != 0x8b) return;
        if (inflateInit2(&zlib_, 15 + 16) != Z_OK) throw std::bad_alloc();  // of gzip alone
        is_packed_ = in_member_ = true;
    }

    std::size_t unpack(char* to, std::size_t n) {
        zlib_.next_out = reinterpret_cast<Bytef*>(to);
        zlib_.avail_out = static_cast<uInt>(n);
        while (zlib_.avail_out > 0) {
            if (zlib_.avail_in == 0 && !load()) {
                if (in_member_) fail("the file is damaged or cut short");
                break;
            }
            if (!in_member_) {
                while (*zlib_.next_in == 0) {  // what fills the last block of a tape
                    skip(1);
                    is_padded_ = true;
                    if (zlib_.avail_in == 0 && !load()) return n - zlib_.avail_out;
                }
                if (*zlib_.next_in != 0x1f || is_padded_) fail("something else stands behind the packed data");
                inflateReset(&zlib_);
                in_member_ = true;
            }
            const int status = inflate(&zlib_, Z_NO_FLUSH);
            if (status == Z_MEM_ERROR) throw std::bad_alloc();
            if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
                fail("the file is damaged or cut short");
            in_member_ = status != Z_STREAM_END;
        }
        return n - zlib_.avail_out;
    }

    Bytef* first() { return reinterpret_cast<Bytef*>(bytes_.data()); }
    void skip(std::size_t n) {
        zlib_.next_in += n;
        zlib_.avail_in -= static_cast<uInt>(n);
    }

    int file_;
    std::string path_;
    std::string bytes_;  // of the file as it is: those from next_in on are still to be handed out
    z_stream zlib_{};
    bool has_begun_ = false, has_ended_ = false, is_packed_ = false, in_member_ = false, is_padded_ = false;
};

void Input::Close::operator()(Stream* stream) const { delete stream; }

Input::Input(const std::string& path) : path_(printable(path)) {
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown))
        throw FileError(fmt::format("{}: this is a folder, not a file", path_));
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw FileError(fmt::format("{}: the file cannot be opened ({})", path_, reason(errno)));
    stream_.reset(new Stream(file, path_));
}

Input::Input(int descriptor, const std::string& name) : path_(name) {
    const int copy = dup(descriptor);
    if (copy < 0) throw FileError(fmt::format("{}: cannot be read ({})", path_, reason(errno)));
    stream_.reset(new Stream(copy, path_));
}

bool Input::fill() {
    block_.resize(block_size);
    position_ = 0;
    std::size_t n = 0;
    try {
        n = stream_->read(block_.data(), block_size);
    } catch (...) {
        block_.clear();
        throw;
    }
    block_.resize(n);
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

SteadyFiles::SteadyFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {
    for (const std::string& path : paths_) versions_.push_back(version_of(path));
}

SteadyFiles::Version SteadyFiles::version_of(const std::string& path) {
    struct stat there {};
    const auto fail = [&](const std::string& what) { throw FileError(fmt::format("{}: {}", printable(path), what)); };
    if (stat(path.c_str(), &there) != 0) fail(fmt::format("the file cannot be opened ({})", reason(errno)));
    if (S_ISDIR(there.st_mode)) fail("this is a folder, not a file");
    if (!S_ISREG(there.st_mode)) fail("this is no regular file, and it has to be read more than once");
    return {there.st_dev, there.st_ino, static_cast<std::uint64_t>(there.st_size), there.st_mtim.tv_sec,
            there.st_mtim.tv_nsec};
}

void SteadyFiles::require_unchanged() const {
    for (std::size_t i = 0; i < paths_.size(); ++i)
        if (version_of(paths_[i]) != versions_[i])
            throw FileError(fmt::format("{}: it changed while it was read", printable(paths_[i])));
}

void SteadyFiles::fail(const std::string& what) const {
    throw FileError(fmt::format("{}: {}", printable(paths_.front()), what));
}

}  // namespace nn::files
