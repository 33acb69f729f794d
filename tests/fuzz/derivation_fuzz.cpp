// Derivations, whatever their notation: read, judged within the budget, reported, and written in both notations.
#include <algorithm>
#include <derivation/derivation.hpp>
#include <nlohmann/json.hpp>
#include <nn/files/text.hpp>

#include "fuzz.hpp"

namespace {

using derivation::LineReport;
using derivation::Notation;
using derivation::Report;

void require_sense(const Report& report, const std::string& text) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    fuzz::require(report.exit_code() == (report.error                                                      ? 2
                                         : report.count(derivation::Verdict::holds) == report.lines.size() ? 0
                                                                                                           : 1),
                  "the exit code is that of the verdicts");
    if (report.error) {
        fuzz::require(report.lines.empty(), "a file that cannot be read has no verdicts");
        fuzz::require(report.error->line >= 1 && report.error->line <= lines, "an error has a place");
        fuzz::require(!report.error->sentence.empty() && report.error->sentence.find('\n') == std::string::npos,
                      "an error is a line: " + report.error->sentence);
    }
    std::size_t before = 0;
    for (const LineReport& line : report.lines) {
        fuzz::require(line.line >= std::max<std::size_t>(before, 1) && line.line <= lines, "lines have their numbers");
        before = line.line;
        fuzz::require(line.caret_begin <= line.caret_end && line.caret_end <= line.text.size(),
                      "what is at fault stands in the line");
        fuzz::require(line.verdict == derivation::Verdict::holds || !line.reason.empty() || !line.condition.empty(),
                      "what does not hold has a reason: " + line.text);
    }
}

void require_reports(const Report& report) {
    derivation::to_text(report, {true, false});
    derivation::to_html({report});
    const std::string plain = derivation::to_text(report);
    fuzz::require(nn::files::is_plain(plain), "what is shown is plain: " + nn::files::printable(plain));
    const auto parsed = nlohmann::json::parse(derivation::to_json({report}));
    fuzz::require(parsed.is_object(), "the report in JSON is an object");
}

/// What is written in a notation is read, right lines are right there, and no wrong one is.
void require_notation(const Report& report, const std::string& text, Notation notation) {
    using derivation::Verdict;
    const std::string written = derivation::rewritten(text, notation);
    const Report again = derivation::check(written);
    fuzz::require(!again.error, "a notation is read back: " + written);
    fuzz::require(again.lines.size() == report.lines.size(), "each line is written: " + written);
    for (std::size_t i = 0; i < report.lines.size(); ++i) {
        const LineReport &one = report.lines[i], &other = again.lines[i];
        const bool right = one.verdict == Verdict::holds, right_there = other.verdict == Verdict::holds;
        fuzz::require(right ? right_there : !(right_there && one.verdict == Verdict::wrong),
                      "a line keeps its verdict: " + one.text + "   " + other.text);
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string text = fuzz::text_of(data, size);
    const Report report = derivation::check(text);
    require_sense(report, text);
    require_reports(report);
    if (report.error) return 0;
    // A long one is judged once more, a short one twice.
    if (size % 2 == 0 || size < 400) require_notation(report, text, Notation::text);
    if (size % 2 == 1 || size < 400) require_notation(report, text, Notation::latex);
    return 0;
}
