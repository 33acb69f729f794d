// What the fuzz targets share. A target gets bytes that may be anything; whatever they are, a reader accepts them, and
// then what it read can be written and read again to the same, or refuses them with one sentence.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <autograd/array.hpp>
#include <autograd/error.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace fuzz {

/// Ends the program where a promise is not kept.
inline void require(bool kept, const std::string& promise) {
    if (kept) return;
    std::fprintf(stderr, "not kept: %s\n", promise.c_str());
    std::abort();
}

/// Whether a reader accepts what it was given; a refusal is a sentence on one line.
template <class F>
bool accepts(F read) {
    try {
        read();
        return true;
    } catch (const autograd::FileError& error) {
        const std::string sentence = error.what();
        require(sentence.size() > 10 && sentence.find('\n') == std::string::npos, "a refusal is a line: " + sentence);
        return false;
    }
}

/// A file in memory, for readers that take a path.
class MemoryFile {
  public:
    explicit MemoryFile(std::string_view bytes) : file_(memfd_create("fuzz", 0)) {
        for (std::size_t done = 0; file_ >= 0 && done < bytes.size();) {
            const ssize_t n = ::write(file_, bytes.data() + done, bytes.size() - done);
            require(n > 0, "memory can be written");
            done += static_cast<std::size_t>(n);
        }
        require(file_ >= 0, "a file in memory can be made");
    }
    ~MemoryFile() { close(file_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

  private:
    int file_;
};

/// A path in memory where a writer may put a file, and none of another process.
inline std::string writable_path() {
    static const std::string path = (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") +
                                    std::string("/deltarule-fuzz-written-") + std::to_string(getpid());
    return path;
}

inline std::string text_of(const unsigned char* data, std::size_t size) {
    return size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(data), size);
}

/// Whether two arrays have the same shape and the same bits; two NaN are the same, whatever their bits.
template <class T>
bool same(const autograd::Array<T>& a, const autograd::Array<T>& b) {
    if (a.shape() != b.shape()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::memcmp(a.data() + i, b.data() + i, sizeof(T)) != 0 && a.data()[i] == a.data()[i]) return false;
    return true;
}

}  // namespace fuzz
