// deltarule lab: which address a browser is given, and what stands in it. What the page makes of it is seen in a
// browser, by tests/lab/live_in_browser.js.
#define BOOST_TEST_MODULE lab_program
#include <sys/stat.h>
#include <zlib.h>

#include "program.hpp"

namespace {

/// The program as it is installed, in a folder whose name is not for addresses, with a page or none.
struct Installed {
    explicit Installed(bool has_page = true) {
        std::filesystem::create_directories(here / "a & b/bin");
        std::filesystem::copy_file(DELTARULE_PROGRAM, program(), std::filesystem::copy_options::overwrite_existing);
        std::filesystem::create_directories(here / "a & b/share/deltarule");
        if (has_page) here.write("a & b/share/deltarule/deltarule-lab.html", "<p>the page");
        std::filesystem::create_directories(here / "tmp");
        std::filesystem::create_directories(here / "path");
        script("browser", "printf '%s' \"$1\" > '" + here / "opened" + "'");
    }
    std::string program() const { return here / "a & b/bin/deltarule"; }
    std::string script(const std::string& name, const std::string& text) const {
        const std::string path = here.write(name, "#!/bin/sh\n" + text + "\n");
        chmod(path.c_str(), 0755);
        return path;
    }
    std::string opened() const { return bytes_of(here / "opened"); }
    Result run(const std::string& arguments, const std::string& browser, const std::string& input = "") const {
        std::filesystem::remove(here / "opened");
        const std::string command = "cd '" + here / "" + "' && TMPDIR='" + here / "tmp" + "' PATH='" + here / "path" +
                                    "' BROWSER='" + browser + "' '" + program() + "' lab " + arguments + " > '" +
                                    here / "out" + "' 2> '" + here / "error" + "' < '" + here.write("input", input) +
                                    "'";
        const int status = std::system(command.c_str());
        return {WEXITSTATUS(status), bytes_of(here / "out"), bytes_of(here / "error")};
    }
    Result run(const std::string& arguments) const { return run(arguments, here / "browser"); }

    Folder here;
};

std::string without_percent(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%')
            result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)), i += 2;
        else
            result += text[i];
    }
    return result;
}

std::string inflated(const std::string& letters) {
    const std::string all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string bits, packed, text(4000000, '\0');
    for (const char c : letters)
        for (int i = 5; i >= 0; --i) bits += static_cast<char>('0' + (all.find(c) >> i & 1));
    for (std::size_t i = 0; i + 8 <= bits.size(); i += 8)
        packed += static_cast<char>(std::stoi(bits.substr(i, 8), nullptr, 2));
    z_stream stream{};
    BOOST_REQUIRE(inflateInit2(&stream, -MAX_WBITS) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    BOOST_TEST(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    text.resize(stream.total_out);
    inflateEnd(&stream);
    return text;
}

/// Where the small page leads to that was opened: the live page's address, the name of the file, and its text.
struct Led {
    std::string page, name, text;
};
Led led(const Installed& installed) {
    const std::string begin = "file://", path = without_percent(installed.opened().substr(begin.size()));
    BOOST_TEST(path.starts_with(installed.here / "tmp/deltarule-lab-"));
    const auto others = std::filesystem::status(path).permissions() & std::filesystem::perms::others_all;
    BOOST_TEST((others == std::filesystem::perms::none));
    const std::string small = bytes_of(path), url = "url=", file = "#file=", text = "&text=";
    const std::size_t at = small.find(url) + url.size();
    const std::string address = small.substr(at, small.find('"', at) - at);
    const std::size_t name = address.find(file), letters = address.find(text);
    BOOST_REQUIRE((name != std::string::npos && letters != std::string::npos));
    return {address.substr(0, name), without_percent(address.substr(name + file.size(), letters - name - file.size())),
            inflated(address.substr(letters + text.size()))};
}

const std::string live = "/a%20%26%20b/share/deltarule/deltarule-lab.html";

}  // namespace

BOOST_AUTO_TEST_CASE(the_installed_page_is_opened) {
    const Installed installed;
    const Result result = installed.run("");
    BOOST_TEST(result.exit == 0, result.error);
    BOOST_TEST(installed.opened() == "file://" + installed.here / "" + live.substr(1));
    BOOST_TEST(result.out == installed.opened() + "\n");
    BOOST_TEST(std::filesystem::is_empty(installed.here / "tmp"));
}

BOOST_AUTO_TEST_CASE(a_file_comes_with_the_address) {
    const Installed installed;
    const std::string text = "given x  # ż, </script> & \"\nlet y = x^2\nclaim dy/dx = 2 * x\n";
    installed.here.write("my & \xC5\xBC\"<.deriv", text);
    const Result result = installed.run("'my & \xC5\xBC\"<.deriv'");
    BOOST_TEST(result.exit == 0, result.error);
    const Led one = led(installed);
    BOOST_TEST(one.page == "file://" + installed.here / "" + live.substr(1));
    BOOST_TEST(one.name == "my & \xC5\xBC\"<.deriv");
    BOOST_TEST(one.text == text);
    for (const char* example : {"derivations/coursework.deriv", "lessons/2_coursework.md"}) {
        const std::string path = std::string(DELTARULE_SOURCE_DIR "/examples/") + example;
        BOOST_TEST(installed.run(path).exit == 0);
        BOOST_TEST(led(installed).text == bytes_of(path));
    }
    BOOST_TEST(installed.run("-", installed.here / "browser", "given z\n").exit == 0);
    BOOST_TEST(led(installed).name == "derivation.deriv");
    BOOST_TEST(led(installed).text == "given z\n");
    installed.here.write("empty.deriv", "");
    BOOST_TEST(installed.run("empty.deriv").exit == 0);
    BOOST_TEST(led(installed).text == "");
}

BOOST_AUTO_TEST_CASE(the_page_of_the_builds_is_found_as_well) {
    const Installed installed(false);
    std::filesystem::create_directories(installed.here / "a & b/lab");
    installed.here.write("a & b/lab/deltarule-lab.html", "<p>the page");
    BOOST_TEST(installed.run("").exit == 0);
    BOOST_TEST(installed.opened().ends_with("/a%20%26%20b/lab/deltarule-lab.html"));
}

BOOST_AUTO_TEST_CASE(browsers_are_tried_in_their_order) {
    const Installed installed;
    const std::string browser = installed.here / "browser";
    BOOST_TEST(installed.run("", "no-such-browser:" + browser + " %s --more:no-other").exit == 0);
    BOOST_TEST(installed.opened().ends_with(".html"));
    // Without $BROWSER it is xdg-open's.
    installed.script("path/xdg-open", "printf 'by xdg-open %s' \"$1\" > '" + installed.here / "opened" + "'");
    BOOST_TEST(installed.run("", "").exit == 0);
    BOOST_TEST(installed.opened().starts_with("by xdg-open file:///"));
    BOOST_TEST(installed.run("").exit == 0);
    BOOST_TEST(installed.opened().starts_with("file:///"));
}

BOOST_AUTO_TEST_CASE(without_a_browser_the_address_is_said) {
    const Installed installed;
    Result result = installed.run("", "");
    BOOST_TEST(result.exit == 0, result.error);
    BOOST_TEST(has(result.out, "There is no browser"), result.out);
    BOOST_TEST(has(result.out, live), result.out);
    installed.script("path/xdg-open", "exit 3");
    result = installed.run("", "");
    BOOST_TEST(result.exit == 0, result.error);
    BOOST_TEST(has(result.out, live), result.out);
    // A browser that was named is a browser that is wanted.
    result = installed.run("", "no-such-browser 2>/dev/null");
    BOOST_TEST(result.exit == 1);
    BOOST_TEST(has(result.error, "deltarule: [lab] the command in $BROWSER"), result.error);
    BOOST_TEST(has(result.error, live), result.error);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_is_said_in_a_sentence) {
    const auto says = [](const Installed& installed, const std::string& arguments, const std::string& part) {
        const Result result = installed.run(arguments);
        BOOST_TEST(result.exit == 1);
        BOOST_TEST(has(result.error, part), result.error);
        BOOST_TEST(std::count(result.error.begin(), result.error.end(), '\n') == 1);
        BOOST_TEST(result.out.empty(), result.out);
        BOOST_TEST(installed.opened().empty(), installed.opened());
        BOOST_TEST(std::filesystem::is_empty(installed.here / "tmp"));
    };
    const Installed without(false), with;
    says(without, "", "the package deltarule-lab brings it, and scripts/lab.sh builds it");
    says(with, "missing.deriv", "missing.deriv");
    says(with, ".", "is a folder");
    with.here.write("bytes.deriv", "\xff\xfe");
    says(with, "bytes.deriv", "bytes.deriv: the file is not UTF-8 text");
    std::string noise;
    for (std::uint32_t i = 0, x = 1; i < 80000; ++i)
        x = x * 1664525 + 1013904223, noise += static_cast<char>('!' + x / 65536 % 90);
    with.here.write("long.deriv", noise);
    says(with, "long.deriv", "long.deriv: the text is too long for an address");
    with.here.write("longer.deriv", std::string((1 << 20) + 1, 'a'));
    says(with, "longer.deriv", "longer.deriv: the text is too long for an address");
    std::filesystem::remove_all(with.here / "tmp");
    BOOST_TEST(
        has(with.run(case_of("") + "../../../examples/derivations/coursework.deriv").error, "folder for temporary"));
}
