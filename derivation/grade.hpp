// Grades a whole class: what each answer derives of what an exercise asks for, and what that is worth.
#pragma once

#include <derivation/derivation.hpp>
#include <optional>
#include <string>
#include <vector>

namespace derivation {

/// A label that must be derived.
struct Task {
    std::string label;
    std::string left;  ///< the derivative that it is about, or `update w[i]`, as it was typed
    double points = 0;
    std::vector<std::string> with;     ///< what may stand in it though it holds a derivative: names, and labels as (a)
    std::vector<std::string> without;  ///< names that may not
    std::size_t line = 0;
};

/// A Markdown file with the declarations in blocks fenced as `deriv`, and in one fenced as `points` lines such as
/// `(a) dE/dw[i]: 2`.
struct Exercise {
    std::string file;
    std::optional<ReadError> error;  ///< why it is none
    std::vector<Task> tasks;
    std::string declarations;  ///< each in its line of the file

    double points() const;
};

/// Never throws for what stands in the text; `std::bad_alloc` where there is no memory. So do all below.
Exercise read_exercise(std::string text, const std::string& file = "-");

/// derived: its derivative is given by an expression without derivatives, without forbidden names, and without a `let`
/// that hides either. follows: it would be, but for a mistake that another label has paid for; it counts too.
/// unfinished: it holds, and gives no such expression.
enum class TaskOutcome { derived, follows, unfinished, wrong, undecided, other, missing };
inline constexpr std::array<const char*, 7> outcome_names = {"derived",   "follows", "unfinished", "wrong",
                                                             "undecided", "other",   "missing"};

struct TaskGrade {
    std::string label;
    double points = 0, earned = 0;
    TaskOutcome outcome = TaskOutcome::missing;
    std::size_t line = 0;  ///< the last that has the label: it is the one that counts; 0 where none has
    std::string remark;    ///< why it earns nothing, or from which line it follows
};

struct Grade {
    std::string file;
    std::optional<ReadError> error;  ///< why it cannot be graded; its line is 0 where the file cannot be opened
    std::vector<TaskGrade> tasks;
    std::vector<LineReport> lines;     ///< declarations that cannot be read stand among them
    std::vector<std::string> remarks;  ///< a declaration that is another one than the exercise's, an empty file

    double earned() const;
    double points() const;
    /// Where the first mistake is: a line that follows from another is none.
    const LineReport* first_wrong() const;
    /// 0 where every point is earned, 1 where not, 2 where the answer cannot be read.
    int exit_code() const;
};

/// An answer holds lines of the student's own; the exercise's declarations stand above them. Of `options` the file and
/// the seed are used. Several threads may grade at once.
Grade grade(const Exercise& exercise, std::string answer, const Options& options = {});

/// Who derived what, and below it for each answer its first wrong line and the reason.
std::string to_text(const Exercise& exercise, const std::vector<Grade>& grades);
/// A row for each answer, as RFC 4180 has it, under a row of names.
std::string to_csv(const Exercise& exercise, const std::vector<Grade>& grades);
std::string to_json(const Exercise& exercise, const std::vector<Grade>& grades);

/// For the student, about the first thing that is wrong: where it is (step 1), of what kind too (2), what it would be
/// too (3).
std::string to_hint(const Exercise& exercise, const Grade& grade, int step);

}  // namespace derivation
