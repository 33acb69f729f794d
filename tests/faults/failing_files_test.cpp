// Each call of the system that files are written and read with fails in turn: a file is the old one or the new one,
// nothing is left beside it, and what cannot be read is refused.
#define BOOST_TEST_MODULE failing_files
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <autograd/error.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdarg>
#include <nn/data.hpp>
#include <nn/files/input.hpp>
#include <nn/files/output.hpp>
#include <nn/numpy.hpp>
#include <utility>

#include "temporary_folder.hpp"

namespace {

/// The call that fails: `until` counts down to it. With error 0 it does less than it was asked for.
struct Fault {
    const char* call = "";
    std::size_t until = 0;
    int error = 0;
} fault;

bool strikes(const std::string& call) {
    if (fault.until == 0 || call != fault.call || --fault.until > 0) return false;
    errno = fault.error;
    return true;
}

}  // namespace

// These stand before the C library's. Of the calls below, those for standard input, output and error never fail.
extern "C" {
ssize_t write(int file, const void* bytes, size_t size) {
    if (file > 2 && size > 1 && strikes("write")) {
        if (fault.error != 0) return -1;
        size = 1;
    }
    return syscall(SYS_write, file, bytes, size);
}
ssize_t read(int file, void* bytes, size_t size) {
    if (file > 2 && size > 1 && strikes("read")) {
        if (fault.error != 0) return -1;
        size = 1;
    }
    return syscall(SYS_read, file, bytes, size);
}
int fsync(int file) { return strikes("fsync") ? -1 : static_cast<int>(syscall(SYS_fsync, file)); }
int fchmod(int file, mode_t mode) noexcept {
    return strikes("fchmod") ? -1 : static_cast<int>(syscall(SYS_fchmod, file, mode));
}
int rename(const char* from, const char* to) noexcept {
    return strikes("rename") ? -1 : static_cast<int>(syscall(SYS_rename, from, to));
}
int close(int file) {
    const int closed = static_cast<int>(syscall(SYS_close, file));
    return strikes("close") ? -1 : closed;
}
int open(const char* path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return strikes("open") ? -1 : static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
}

namespace {

const autograd::Array<float> numbers(autograd::Shape{5000}, 1.5f);

/// Lets each call of this name fail in turn while `operation` runs, and calls `holds(done)` after each.
template <class Operation, class Holds>
void each_fails(const char* call, int error, std::size_t least, Operation operation, Holds holds) {
    std::size_t k = 1;
    for (;; ++k) {
        fault = {call, k, error};
        bool done = false;
        std::string sentence;
        try {
            operation();
            done = true;
        } catch (const autograd::FileError& refusal) {
            sentence = refusal.what();
        }
        const bool none_failed = fault.until > 0;
        fault = {};
        BOOST_TEST_CONTEXT(call << " " << k << " fails with " << error << ": " << sentence) {
            if (!done) BOOST_TEST(sentence.size() > 10u);
            holds(done);
        }
        if (none_failed) {
            BOOST_TEST(done);
            break;
        }
    }
    BOOST_TEST(k > least, call << " was called " << k - 1 << " times");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_file_is_the_old_or_the_new_whatever_fails) {
    const Folder folder;
    nn::save<float>(folder / "new", {{"w", numbers}});
    const std::string after = bytes_of(folder / "new");
    std::filesystem::remove(folder / "new");
    const auto saves = [&] {
        const Fault kept = std::exchange(fault, Fault{});
        folder.write("file", "old");
        fault = kept;
        nn::save<float>(folder / "file", {{"w", numbers}});
    };
    const auto holds = [&](bool done) {
        const std::string there = bytes_of(folder / "file");
        BOOST_TEST((there == after || (!done && there == "old")), "there are " << there.size() << " bytes");
        BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder / ""), {}) == 1);
    };
    for (const char* call : {"write", "fsync", "rename", "open", "close", "fchmod"})
        for (const int error : {ENOSPC, EIO}) each_fails(call, error, 1, saves, holds);
    // Interrupted, or done in part, a call is made again.
    for (const int error : {EINTR, 0}) each_fails("write", error, 1, saves, [&](bool) { holds(true); });
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_refused) {
    const Folder folder;
    std::string table;
    for (int i = 0; i < 20'000; ++i) table += std::to_string(i) + ",2,x\n";
    const std::string csv = folder.write("table", table + "1,2,y\n");
    nn::save<float>(folder / "model", {{"w", numbers}});
    const auto read_table = [&] { BOOST_TEST(nn::read_csv<float>(csv).size() == 20'001u); };
    const auto read_model = [&] {
        BOOST_TEST((nn::read_safetensors<float>(folder / "model").arrays.at("w") == numbers));
    };
    nn::save<float>(folder / "model.npz", {{"w", numbers}});
    const auto read_npz = [&] { BOOST_TEST((nn::read_npz<float>(folder / "model.npz").arrays.at("w") == numbers)); };
    for (const int error : {EIO, EISDIR, 0}) {
        each_fails("read", error, 2, read_table, [&](bool done) { BOOST_TEST((done || error != 0)); });
        each_fails("read", error, 1, read_model, [&](bool done) { BOOST_TEST((done || error != 0)); });
        each_fails("read", error, 1, read_npz, [&](bool done) { BOOST_TEST((done || error != 0)); });
    }
    each_fails("open", EACCES, 1, read_model, [](bool) {});
}
