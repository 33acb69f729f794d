#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <derivation/derivation.hpp>
#include <nn/files/input.hpp>
#include <nn/files/output.hpp>
#include <stdexcept>
#include <utility>

#include "commands.hpp"

std::string derivation_in(const std::string& path) {
    static bool standard_input_was_read = false;
    if (path != "-") return nn::files::Input(path).read(derivation::longest_file + 1);
    if (std::exchange(standard_input_was_read, true))
        throw std::runtime_error("the standard input is read once: - stands for one file");
    return nn::files::Input(STDIN_FILENO, "the standard input").read(derivation::longest_file + 1);
}

int check(const CheckOptions& options) {
    if (!options.html.empty()) nn::files::require_writable(options.html, options.files);
    std::vector<derivation::Report> reports;
    int exit_code = 0;
    for (const std::string& path : options.files) {
        const std::string text = derivation_in(path);
        derivation::Report report = derivation::check(text, {path, options.seed, options.line});
        if (options.line != 0 && !report.error && report.lines.empty())
            throw std::runtime_error(fmt::format("{}: no claim or update begins in line {}", path, options.line));
        exit_code = std::max(exit_code, report.exit_code());
        if (!report.error && (options.as_text || options.as_latex))
            fmt::print("{}", derivation::rewritten(
                                 text, options.as_latex ? derivation::Notation::latex : derivation::Notation::text));
        else if (!options.json && report.error)
            say_error(derivation::to_text(report));
        else if (!options.json)
            fmt::print("{}", derivation::to_text(report, {isatty(STDOUT_FILENO) != 0, options.hint}));
        reports.push_back(std::move(report));
    }
    if (options.json) fmt::print("{}", derivation::to_json(reports));
    if (!options.html.empty()) nn::files::write(options.html, derivation::to_html(reports, options.hint));
    return exit_code;
}
