// Files as they are read: a piece at a time, so that no reader holds more than it was promised.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nn::files {

/// The bytes of memory that this process may have: what the machine or the container has, or less where a
/// limit is set (`ulimit -v`).
std::size_t memory();

/// The bytes of a file, unpacked where it is gzipped: of all members, behind which there may be zeros alone. Throws
/// `autograd::FileError` where it is missing, a folder, damaged, or cut short; the message says why.
class Input {
  public:
    explicit Input(const std::string& path);

    /// What stands behind an open descriptor, which stays open; `name` is what errors call it.
    Input(int descriptor, const std::string& name);

    /// The next `n` bytes; fewer only at the end of the file.
    std::string read(std::size_t n);

    /// The next byte, or -1 at the end; `peek` leaves it there.
    int get() { return position_ < block_.size() || fill() ? static_cast<unsigned char>(block_[position_++]) : -1; }
    int peek() { return position_ < block_.size() || fill() ? static_cast<unsigned char>(block_[position_]) : -1; }

    const std::string& path() const { return path_; }

  private:
    bool fill();

    class Stream;
    struct Close {
        void operator()(Stream* stream) const;
    };
    std::string path_;
    std::unique_ptr<Stream, Close> stream_;
    std::string block_;
    std::size_t position_ = 0;
};

/// Files that are read more than once, and must stay as they are.
class SteadyFiles {
  public:
    /// Throws `autograd::FileError` where one is missing or no regular file: a pipe can be read only once.
    explicit SteadyFiles(std::vector<std::string> paths);

    /// Throws `autograd::FileError` where one is another file now, has another size, or was written since.
    void require_unchanged() const;

    /// Throws it, naming the first one.
    [[noreturn]] void fail(const std::string& what) const;

  private:
    struct Version {
        std::uint64_t device, file, size;
        std::int64_t seconds, nanoseconds;
        bool operator==(const Version&) const = default;
    };
    static Version version_of(const std::string& path);

    std::vector<std::string> paths_;
    std::vector<Version> versions_;
};

}  // namespace nn::files
