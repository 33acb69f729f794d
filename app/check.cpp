#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <derivation/derivation.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "commands.hpp"

namespace {

std::string read(const std::string& path) {
    if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || file.bad()) throw std::runtime_error(fmt::format("{}: the file cannot be read", path));
    return text;
}

}  // namespace

int check(const CheckOptions& options) {
    std::vector<derivation::Report> reports;
    int exit_code = 0;
    for (const std::string& path : options.files) {
        const std::string text = read(path);
        derivation::Report report = derivation::check(text, {path, options.seed, options.line});
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
