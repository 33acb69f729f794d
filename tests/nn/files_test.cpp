// Files are written whole or not at all, and leave nothing behind.
#define BOOST_TEST_MODULE files
#include <sys/stat.h>

#include <autograd/error.hpp>
#include <boost/test/unit_test.hpp>
#include <nn/files/input.hpp>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <thread>

#include "temporary_folder.hpp"

namespace {

using nn::files::require_writable;

std::size_t entries(const Folder& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder / ""), {}));
}

void refuses(const std::string& path, const std::string& part, const std::vector<std::string>& inputs = {}) {
    BOOST_CHECK_EXCEPTION(require_writable(path, inputs), autograd::FileError, [&](const autograd::FileError& error) {
        BOOST_TEST_MESSAGE(error.what());
        return std::string(error.what()).find(part) != std::string::npos;
    });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_new_file_has_the_mode_of_any_other) {
    const Folder folder;
    nn::files::write(folder / "new", "text");
    BOOST_TEST(bytes_of(folder / "new") == "text");
    folder.write("other", "");
    struct stat there {
    }, other{};
    stat((folder / "new").c_str(), &there);
    stat((folder / "other").c_str(), &other);
    BOOST_TEST(there.st_mode == other.st_mode);
    BOOST_TEST(entries(folder) == 2u);
}

BOOST_AUTO_TEST_CASE(mode_and_owner_of_an_existing_file_are_kept) {
    const Folder folder;
    const std::string path = folder.write("old", "before");
    chmod(path.c_str(), 0640);
    const bool given = chown(path.c_str(), 12345, 12345) == 0;  // root alone may
    nn::files::write(path, "after");
    struct stat there {};
    stat(path.c_str(), &there);
    BOOST_TEST((there.st_mode & 07777) == 0640u);
    if (given) BOOST_TEST(there.st_uid == 12345u);
    BOOST_TEST(bytes_of(path) == "after");
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_is_followed) {
    const Folder folder;
    folder.write("file", "before");
    std::filesystem::create_symlink("file", folder / "link");
    std::filesystem::create_symlink("not yet", folder / "dangling");
    nn::files::write(folder / "link", "after");
    nn::files::write(folder / "dangling", "new");
    BOOST_TEST(bytes_of(folder / "file") == "after");
    BOOST_TEST(bytes_of(folder / "not yet") == "new");
    BOOST_TEST(std::filesystem::is_symlink(folder / "link"));
    std::filesystem::create_symlink("round", folder / "round");
    refuses(folder / "round", "circle");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_refused_before_the_work) {
    const Folder folder;
    const std::string input = folder.write("input", "data");
    mkfifo((folder / "fifo").c_str(), 0600);
    std::filesystem::create_symlink("input", folder / "alias");
    refuses("", "its name is empty");
    refuses("/dev/null", "no file");
    refuses(folder / "fifo", "no file");
    refuses(folder / "", "folder");
    refuses(folder / "none/file", "there is no folder");
    refuses(folder / "input/file", "Not a directory");
    refuses(folder / std::string(256, 'x'), "too long");
    refuses(input, "one of the files that are read", {input});
    refuses(folder / "alias", "one of the files that are read", {input});
    require_writable(folder / std::string(255, 'x'), {input});
    BOOST_TEST(entries(folder) == 3u);  // nothing is left of the trials
    BOOST_TEST(bytes_of(input) == "data");
}

BOOST_AUTO_TEST_CASE(of_two_writers_one_wins) {
    const Folder folder;
    const std::string a(100'000, 'a'), b(200'000, 'b');
    const auto writes = [&](const std::string& text) {
        for (int i = 0; i < 20; ++i) nn::files::write(folder / "file", text);
    };
    std::thread first(writes, a), second(writes, b);
    first.join();
    second.join();
    const std::string there = bytes_of(folder / "file");
    BOOST_TEST((there == a || there == b));
    BOOST_TEST(entries(folder) == 1u);
}

BOOST_AUTO_TEST_CASE(text_is_shown_without_what_a_terminal_would_obey) {
    using nn::files::is_plain, nn::files::printable;
    BOOST_TEST(printable("naïve \xe2\x88\x91") == "naïve \xe2\x88\x91");
    BOOST_TEST(printable(std::string("a\0\x1b[31m\n\x7f", 9)) == "a\\x00\\x1b[31m\\x0a\\x7f");
    BOOST_TEST(printable("\xc2\x9b") == "\\xc2\\x9b");
    BOOST_TEST(printable("\xe9t\xc3") == "\\xe9t\\xc3");
    BOOST_TEST(is_plain("two\nlines, \"quoted\" \xc3\xa9"));
    for (const char* text : {"\x1b[0m", "\xe9", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x80\xae"})
        BOOST_TEST(!is_plain(text), printable(text));
}
