#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <autograd/error.hpp>
#include <cerrno>
#include <cstdint>
#include <derivation/derivation.hpp>
#include <filesystem>
#include <nn/files/output.hpp>
#include <nn/files/text.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "commands.hpp"

namespace {

using nn::files::printable;

constexpr std::size_t longest_address = 60000;  // as what the page itself shares

/// The page beside the program where it is installed, or in the folder of builds.
std::string page() {
    const auto program = std::filesystem::canonical("/proc/self/exe").parent_path();
    for (const char* place : {DELTARULE_INSTALLED_DATA_DIR, "../lab"}) {
        const auto found = (program / place / "deltarule-lab.html").lexically_normal();
        if (std::filesystem::exists(found)) return found.string();
    }
    throw std::runtime_error(
        "[lab] the live page is not here: the package deltarule-lab brings it, and scripts/lab.sh builds it from the "
        "sources");
}

/// Letters and digits of ASCII stay, with what an address and a shell leave as it is; `also` may stay, too.
std::string in_percent(std::string_view text, std::string_view also = "") {
    std::string result;
    for (const unsigned char c : text) {
        const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._~").find(static_cast<char>(c)) != std::string_view::npos ||
                           also.find(static_cast<char>(c)) != std::string_view::npos;
        result += stays ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
    }
    return result;
}

std::string address_of(const std::string& path) { return "file://" + in_percent(path, "/"); }

/// Deflated, with no header.
std::string deflated(const std::string& text) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();
    std::string packed(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

/// Base64 in the letters that an address may hold.
std::string in_letters(std::string_view bytes) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string result;
    std::uint32_t held = 0;
    int bits = 0;
    for (const unsigned char c : bytes) {
        held = held << 8 | c;
        for (bits += 8; bits >= 6; bits -= 6) result += letters[held >> (bits - 6) & 63];
    }
    if (bits > 0) result += letters[held << (6 - bits) & 63];
    return result;
}

/// What the page writes into its address when it shares a text.
std::string fragment_of(const std::string& path) {
    const std::string text = derivation_in(path), from = path == "-" ? "the standard input" : printable(path);
    if (!nn::files::is_utf8(text)) throw autograd::FileError(fmt::format("{}: the file is not UTF-8 text", from));
    const std::string name =
        path == "-" ? "derivation.deriv" : printable(std::filesystem::path(path).filename().string());
    std::string fragment;
    if (text.size() <= derivation::longest_file)
        fragment = fmt::format("#file={}&text={}", in_percent(name), in_letters(deflated(text)));
    if (fragment.empty() || fragment.size() > longest_address)
        throw autograd::FileError(fmt::format(
            "{}: the text is too long for an address: open the file in the page, by its button Open", from));
    return fragment;
}

/// A page that leads to an address with a fragment, which what opens files on a desktop would cut off.
std::string page_that_leads_to(const std::string& address) {
    std::error_code error;
    std::string path = (std::filesystem::temp_directory_path(error) / "deltarule-lab-XXXXXX.html").string();
    const int made = error ? -1 : mkstemps(path.data(), 5);  // for this user's eyes alone
    if (made < 0) throw autograd::FileError("[lab] no file can be made in the folder for temporary ones");
    close(made);
    nn::files::write(path, fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={0}">
<title>deltarule lab</title>
<p><a href="{0}">To the live page</a></p>
)",
                                       address));
    return path;
}

/// Whether the command ends well.
bool runs(std::vector<std::string> command) {
    std::vector<char*> arguments;
    for (std::string& one : command) arguments.push_back(one.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) return false;
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// $BROWSER is a list of commands with `:` between them, in which %s may stand for the address.
bool is_opened_by(const std::string& browsers, const std::string& address) {
    std::stringstream all(browsers);
    for (std::string command; std::getline(all, command, ':');) {
        if (command.empty()) continue;
        const std::size_t place = command.find("%s");
        if (place == std::string::npos)
            command += " " + address;
        else
            command.replace(place, 2, address);
        if (runs({"/bin/sh", "-c", command})) return true;
    }
    return false;
}

}  // namespace

int open_lab(const LabOptions& options) {
    const std::string live = address_of(page());
    const std::string address =
        options.file.empty() ? live : address_of(page_that_leads_to(live + fragment_of(options.file)));
    const char* browsers = std::getenv("BROWSER");
    if (browsers != nullptr && *browsers != '\0') {
        if (!is_opened_by(browsers, address))
            throw std::runtime_error(
                fmt::format("[lab] the command in $BROWSER, '{}', does not open {}", browsers, address));
    } else if (!runs({"xdg-open", address})) {
        fmt::print("There is no browser that xdg-open or $BROWSER opens here. The live page is {}\n", address);
        return 0;
    }
    fmt::print("{}\n", address);
    return 0;
}
