#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <derivation/derivation.hpp>
#include <fstream>
#include <stdexcept>

#include "commands.hpp"

namespace {

/// One byte more than a derivation may have is enough to see that it is too long: the rest is not read.
std::string read(const std::string& path) {
    const bool is_standard_input = path == "-";
    const auto fail = [&] {
        throw std::runtime_error(fmt::format("{}: {} cannot be read: {}", path,
                                             is_standard_input ? "the standard input" : "the file",
                                             std::strerror(errno)));
    };
    std::FILE* file = is_standard_input ? stdin : std::fopen(path.c_str(), "rb");
    if (file == nullptr) fail();
    std::string text(derivation::longest_file + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    if (std::ferror(file) != 0) fail();
    if (!is_standard_input) std::fclose(file);
    return text;
}

}  // namespace

int check(const CheckOptions& options) {
    std::vector<derivation::Report> reports;
    int exit_code = 0;
    for (const std::string& path : options.files) {
        const std::string text = read(path);
        derivation::Report report = derivation::check(text, {path, options.seed, options.line});
        if (options.line != 0 && !report.error && report.lines.empty())
            throw std::runtime_error(fmt::format("{}: no claim or update begins in line {}", path, options.line));
        exit_code = std::max(exit_code, report.exit_code());
        if (!report.error && (options.as_text || options.as_latex))
            fmt::print("{}", derivation::rewritten(
                                 text, options.as_latex ? derivation::Notation::latex : derivation::Notation::text));
        else if (!options.json)
            fmt::print(report.error ? stderr : stdout, "{}",
                       derivation::to_text(report, {isatty(STDOUT_FILENO) != 0, options.hint}));
        reports.push_back(std::move(report));
    }
    if (options.json) fmt::print("{}", derivation::to_json(reports));
    if (!options.html.empty()) {
        std::ofstream file(options.html, std::ios::binary);
        file << derivation::to_html(reports, options.hint);
        if (!file.flush()) throw std::runtime_error(fmt::format("{}: the file cannot be written", options.html));
    }
    return exit_code;
}
