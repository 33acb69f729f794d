// For tests of derivations.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <derivation/derivation.hpp>
#include <string>
#include <utility>
#include <vector>

/// The beginning of most derivations here: a network with one hidden layer, softmax and cross-entropy.
inline const std::string network = R"(
index i : input = 3
index j, m : hidden = 4
index k, n, u : output = 5
function f
constant alpha = 0.1
given x[i]
given y[k] onehot
given w[j,i]
given w[k,j]
let z[j] = sum(i, w[j,i] * x[i])
let a[j] = f(z[j])
let z[k] = sum(j, w[k,j] * a[j])
let yhat[k] = exp(z[k]) / sum(n, exp(z[n]))
let C = -sum(k, y[k] * log(yhat[k]))
let delta[k] = dC/dz[k]
let delta[j] = dC/dz[j]
)";

inline derivation::Report check_file(const std::string& text) {
    derivation::Report report = derivation::check(text);
    if (report.error)
        BOOST_ERROR(text << "\n"
                         << report.error->line << ":" << report.error->column << ": " << report.error->sentence);
    return report;
}

/// The last line of a file.
inline derivation::LineReport judged(const std::string& text) {
    const derivation::Report report = check_file(text);
    return report.lines.empty() ? derivation::LineReport{} : report.lines.back();
}

inline std::string verdict_of(const derivation::LineReport& line) {
    return derivation::verdict_names[static_cast<std::size_t>(line.verdict)];
}

/// The last line of a file, whose verdict and condition are these.
inline derivation::LineReport expect(const std::string& file, const std::string& verdict,
                                     const std::string& condition = {}) {
    const derivation::LineReport line = judged(file);
    BOOST_TEST_CONTEXT(line.text) {
        BOOST_TEST(verdict_of(line) == verdict,
                   verdict_of(line) << " instead of " << verdict << ": " << line.reason << " " << line.repair);
        if (!condition.empty()) BOOST_TEST(line.condition == condition);
    }
    return line;
}

/// Holds the verdict of each line, alone behind the file, against the one beside it, at the seeds 1 to `last_seed`.
inline void verdicts_are(const std::string& file, const std::vector<std::pair<const char*, const char*>>& lines,
                         std::uint64_t last_seed = 1) {
    for (std::uint64_t seed = 1; seed <= last_seed; ++seed)
        for (const auto& [line, verdict] : lines) {
            const derivation::Report report = derivation::check(file + "claim " + line + "\n", {"-", seed});
            BOOST_REQUIRE(report.lines.size() == 1u);
            const derivation::LineReport& one = report.lines[0];
            BOOST_TEST(verdict_of(one) == verdict, line << " at seed " << seed << ": " << one.reason);
        }
}

inline std::string left_side_of(const derivation::LineReport& line) {
    int open = 0;
    for (std::size_t i = 0; i < line.text.size(); ++i) {
        if (std::string("([{").find(line.text[i]) != std::string::npos) ++open;
        if (std::string(")]}").find(line.text[i]) != std::string::npos) --open;
        if (open == 0 && (line.text[i] == '=' || line.text[i] == '~' || line.text.compare(i, 2, ":=") == 0 ||
                          line.text.compare(i, 2, "<-") == 0 || line.text.compare(i, 10, "\\leftarrow") == 0 ||
                          line.text.compare(i, 3, "←") == 0))
            return line.text.substr(0, i);
    }
    return line.text;
}

/// Puts the repair in its place, below everything that stands above the line, and judges it.
inline derivation::LineReport repaired(const std::string& text, const derivation::LineReport& line) {
    std::size_t begin = 0;
    for (std::size_t i = 1; i < line.line; ++i) begin = text.find('\n', begin) + 1;
    // Claims above cost time and say nothing here; steps above say what a new value is.
    const bool has_new_values =
        (line.text + line.repair).find("new") != std::string::npos || line.text.find("after ") != std::string::npos;
    std::string above;
    bool skips = false;
    for (std::size_t at = 0; at < begin;) {
        const std::size_t end = std::min(text.find('\n', at), begin);
        const std::string one = text.substr(at, end - at);
        const bool blank = one.empty() || one[0] == ' ' || one[0] == '&';
        skips = one.starts_with("claim") || (one.starts_with("update") && !has_new_values) || (skips && blank);
        if (!skips) above += one + "\n";
        at = end + 1;
    }
    std::string left = left_side_of(line);
    std::erase(left, '&');
    const bool is_printed = line.text.substr(left_side_of(line).size()).starts_with("~");
    const std::string statement =
        line.member == 0u
            ? line.kind + " " + line.repair + " " + line.text.substr(left_side_of(line).size()) + "\n"
            : line.kind + " " + left +
                  (line.kind == "update" ? ":= "
                   : is_printed          ? "~ "
                                         : "= ") +
                  line.repair +
                  (line.text.find(" on ") != std::string::npos ? line.text.substr(line.text.find(" on ")) : "") + "\n";
    const std::string fence = above.find("```deriv") != std::string::npos ? "\n```\n" : "\n";
    derivation::Report report = derivation::check(above + statement + fence);
    if (report.error || report.lines.empty()) {
        derivation::LineReport failed;
        failed.verdict = derivation::Verdict::ill_formed;
        failed.reason = report.error ? report.error->sentence : "no line";
        return failed;
    }
    return report.lines.back();
}

/// A claim below declarations, its verdict, and a part of the sentence.
struct Said {
    std::string line, verdict, says = {};
};

inline void lines_are(const std::string& declarations, const std::vector<Said>& lines) {
    for (const Said& one : lines) {
        const derivation::LineReport line = expect(declarations + "claim " + one.line + "\n", one.verdict);
        BOOST_TEST((line.reason.find(one.says) != std::string::npos), one.line << ": " << line.reason);
    }
}
