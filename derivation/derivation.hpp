// Checks a derivation that was made by hand: which lines are right, which wrong, where, why, and what would be right.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace derivation {

enum class Verdict { holds, conditional, wrong, follows, ill_formed, undecided };
inline constexpr std::array<const char*, 6> verdict_names = {"holds",   "conditional", "wrong",
                                                             "follows", "ill-formed",  "undecided"};

/// What is said about one claim or update.
struct LineReport {
    std::size_t line = 0;  ///< of its keyword, from 1
    std::string kind;      ///< "claim" or "update"
    std::string label;     ///< what stands in brackets behind the keyword, or nothing
    std::string text;      ///< as it was typed, on one line
    Verdict verdict = Verdict::holds;

    // Where it does not hold.
    std::optional<std::size_t> member;  ///< the first that departs; 0 is the left side, where that is repaired
    std::vector<std::pair<std::string, int>> index;  ///< the worst entry
    std::optional<double> expected;                  ///< the tape's value there
    std::optional<double> got;                       ///< the line's
    std::string reason;                              ///< a sentence
    std::string mistake;                             ///< its short name in the catalogue
    std::string repair;                              ///< what can stand in the member's place
    std::string condition;                           ///< under which it holds, or what was held fixed
    std::optional<std::size_t> because_of;           ///< the line that it follows from
    std::vector<std::string> notes;
    std::size_t caret_begin = 0, caret_end = 0;  ///< the part that is at fault, in bytes of `text`
    std::vector<std::string> members_latex, members_mathml;
    std::string repair_latex, repair_mathml;
};

/// Why a file cannot be read.
struct ReadError {
    std::size_t line = 1, column = 1;
    std::string sentence;
    std::string text;  ///< the line
    std::size_t length = 1;
};

struct ProseReport {
    std::string text;
    std::size_t before_line = 0;  ///< the number of lines that are reported before it
    std::size_t statement = 0;    ///< the number of statements before it
};

/// What is declared: an index, something given, a let.
struct DeclarationReport {
    std::string text;    ///< as it was typed, on one line
    std::string mathml;  ///< of a let
    std::size_t before_line = 0, statement = 0;
};

struct Report {
    std::string file;
    std::uint64_t seed = 1;
    std::optional<ReadError> error;
    std::vector<LineReport> lines;
    std::vector<ProseReport> prose;
    std::vector<DeclarationReport> declarations;

    std::size_t count(Verdict verdict) const;
    /// 0 where every line holds, 1 where one does not, 2 where the file cannot be read.
    int exit_code() const;
};

/// A text may have this many bytes: 1 MiB.
inline constexpr std::size_t longest_file = 1 << 20;

struct Options {
    std::string file = "-";
    std::uint64_t seed = 1;
    std::size_t line = 0;  ///< judge this line alone; 0: all
};

/// Never throws for what stands in the text; `std::bad_alloc` where there is no memory.
Report check(std::string text, const Options& options = {});

/// The report for a terminal of 80 columns.
struct TextStyle {
    bool colour = false;
    bool hint = false;  ///< keep the repairs back
};
std::string to_text(const Report& report, const TextStyle& style = {});

/// An object for one report, an array for several.
std::string to_json(const std::vector<Report>& reports);

/// One page that needs no other file.
std::string to_html(const std::vector<Report>& reports, bool hint = false);

/// The statements of a file in one notation.
enum class Notation { text, latex };
std::string rewritten(std::string text, Notation notation);

/// A formula alone, such as `1 / (1 + exp(-x))`, in MathML: what stands within `<math>`. A word without an argument
/// is a name. None where it is no formula of the language.
std::optional<std::string> mathml_of(const std::string& formula);

}  // namespace derivation
