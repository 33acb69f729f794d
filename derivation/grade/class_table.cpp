#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <derivation/grade.hpp>
#include <derivation/mistakes/catalogue.hpp>
#include <derivation/report/json.hpp>
#include <derivation/report/plain_lines.hpp>

namespace derivation {

namespace {

constexpr std::size_t width = 80;

std::string points(double value) { return fmt::format("{:.6g}", value); }

std::string plural(std::size_t n, const char* one) { return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s"); }

/// A text that may hold anything, on one line.
std::string plain(std::string text) {
    make_plain(text);
    std::ranges::replace(text, '\n', ' ');
    return text;
}

std::string padded(const std::string& text, std::size_t width_of_cell, bool right = true) {
    const std::string blanks(width_of_cell - std::min(width_of_cell, columns(text)), ' ');
    return right ? blanks + text : text + blanks;
}

std::string indented(const std::string& text, std::size_t indent) {
    std::string result;
    for (const std::string& part : wrapped(text, width - indent)) result += std::string(indent, ' ') + part + "\n";
    return result;
}

std::string cell(const TaskGrade& task) {
    switch (task.outcome) {
        case TaskOutcome::missing:
            return "-";
        case TaskOutcome::undecided:
            return "?";
        case TaskOutcome::follows:
            return points(task.earned) + "*";
        default:
            return points(task.earned);
    }
}

std::string error_of(const Grade& grade) {
    if (grade.error->line == 0) return grade.error->sentence;
    return fmt::format("line {}: {}", grade.error->line, grade.error->sentence);
}

/// What is said of an answer besides its first wrong line.
std::vector<std::string> remarks_of(const Grade& grade) {
    std::vector<std::string> result = grade.remarks;
    if (grade.lines.empty() && !result.empty()) return result;  // an empty file has no label, either
    const LineReport* wrong = grade.first_wrong();
    for (const TaskGrade& task : grade.tasks) {
        const bool is_said = wrong != nullptr && task.line == wrong->line && task.outcome != TaskOutcome::other;
        if (!task.remark.empty() && !is_said) result.push_back(fmt::format("({}): {}", task.label, task.remark));
    }
    return result;
}

const char* verdict_of(const LineReport& line) { return verdict_names[static_cast<std::size_t>(line.verdict)]; }

std::string why(const LineReport& line) {
    if (line.reason.empty()) return line.condition;
    return line.reason;
}

std::string typed(const LineReport& line) {
    const std::string keyword = line.kind == "claim" ? "" : line.kind + " ";
    return keyword + (line.label.empty() ? "" : "(" + line.label + ") ") + line.text;
}

std::string repair_of(const LineReport& line) {
    return "It would hold with    " + plain(line.repair) + (line.member == 0 ? " on the left side" : "");
}

void add_details(std::string& out, const Grade& grade) {
    if (grade.error) {
        out += "\n" + plain(grade.file) + "\n" + indented(plain(error_of(grade)), 2);
        return;
    }
    const LineReport* wrong = grade.first_wrong();
    const std::vector<std::string> remarks = remarks_of(grade);
    if (wrong == nullptr && remarks.empty()) return;
    out += "\n" + plain(grade.file) + "\n";
    if (wrong != nullptr) {
        out += fmt::format("  line {} is {}: {}\n", wrong->line, verdict_of(*wrong), plain(typed(*wrong)));
        out += indented(plain(why(*wrong)), 4);
        if (!wrong->repair.empty()) out += indented(repair_of(*wrong), 4);
    }
    for (const std::string& remark : remarks) out += indented(plain(remark), 2);
}

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string result = "\"";
    for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
    return result + "\"";
}

/// A spreadsheet takes what begins so for a formula: the same file has another name that does not.
std::string csv_file(const std::string& file) {
    const std::string name = plain(file);
    return csv_cell(name != "-" && !name.empty() && std::string_view("=+-@").find(name[0]) != std::string_view::npos
                        ? "./" + name
                        : name);
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
    return fmt::format("{}", fmt::join(parts, between));
}

}  // namespace

std::string to_text(const Exercise& exercise, const std::vector<Grade>& grades) {
    std::string out = fmt::format("{}: {}, {}, {}\n\n", plain(exercise.file), plural(exercise.tasks.size(), "label"),
                                  points(exercise.points()) + (exercise.points() == 1 ? " point" : " points"),
                                  plural(grades.size(), "answer"));
    std::size_t name_width = 0;
    for (const Grade& grade : grades) name_width = std::max(name_width, columns(plain(grade.file)));
    const std::string sum = "of " + points(exercise.points());
    std::vector<std::size_t> widths;
    out += std::string(name_width, ' ');
    for (const Task& task : exercise.tasks) {
        widths.push_back(std::max(columns("(" + task.label + ")"), points(task.points).size() + 1) + 2);
        out += padded("(" + task.label + ")", widths.back());
    }
    out += "  " + sum + "\n";
    bool missing = false, undecided = false, follows = false;
    for (const Grade& grade : grades) {
        out += padded(plain(grade.file), name_width, false);
        if (grade.error) {
            out += "  cannot be graded\n";
            continue;
        }
        for (std::size_t i = 0; i < grade.tasks.size(); ++i) {
            const TaskOutcome outcome = grade.tasks[i].outcome;
            missing = missing || outcome == TaskOutcome::missing;
            undecided = undecided || outcome == TaskOutcome::undecided;
            follows = follows || outcome == TaskOutcome::follows;
            out += padded(cell(grade.tasks[i]), widths[i]);
        }
        out += padded(points(grade.earned()), sum.size() + 2) + "\n";
    }
    std::vector<std::string> signs;
    if (missing) signs.emplace_back("- no line has this label");
    if (undecided) signs.emplace_back("? could not be decided: look yourself");
    if (follows) signs.emplace_back("* right, but for a mistake that another label has paid for");
    if (!signs.empty()) out += "\n" + joined(signs, "\n") + "\n";
    for (const Grade& grade : grades) add_details(out, grade);
    return out;
}

std::string to_csv(const Exercise& exercise, const std::vector<Grade>& grades) {
    std::vector<std::string> head = {"answer"};
    for (const Task& task : exercise.tasks) head.push_back(csv_cell(plain("(" + task.label + ")")));
    for (const char* name : {"points", "of", "wrong line", "reason", "remarks"}) head.emplace_back(name);
    std::string out = joined(head, ",") + "\n";
    for (const Grade& grade : grades) {
        std::vector<std::string> row = {csv_file(grade.file)};
        for (std::size_t i = 0; i < exercise.tasks.size(); ++i)
            row.push_back(grade.error ? "" : points(grade.tasks[i].earned));
        row.push_back(grade.error ? "" : points(grade.earned()));
        row.push_back(points(exercise.points()));
        const LineReport* wrong = grade.error ? nullptr : grade.first_wrong();
        row.push_back(wrong != nullptr ? std::to_string(wrong->line) : "");
        row.push_back(wrong != nullptr ? csv_cell(plain(why(*wrong))) : "");
        row.push_back(csv_cell(plain(grade.error ? error_of(grade) : joined(remarks_of(grade), "; "))));
        out += joined(row, ",") + "\n";
    }
    return out;
}

std::string to_json(const Exercise& exercise, const std::vector<Grade>& grades) {
    using namespace json_text;
    std::vector<std::string> labels, answers;
    for (const Task& task : exercise.tasks)
        labels.push_back(
            object({{"label", quoted(task.label)}, {"derive", quoted(task.left)}, {"points", number(task.points)}}));
    for (const Grade& grade : grades) {
        std::vector<std::pair<std::string, std::string>> members = {{"file", quoted(grade.file)}};
        if (grade.error) {
            members.emplace_back("error", of_error(*grade.error));
            answers.push_back(object(members));
            continue;
        }
        std::vector<std::string> tasks, remarks;
        for (const TaskGrade& task : grade.tasks)
            tasks.push_back(object({{"label", quoted(task.label)},
                                    {"points", number(task.points)},
                                    {"earned", number(task.earned)},
                                    {"outcome", quoted(outcome_names[static_cast<std::size_t>(task.outcome)])},
                                    {"line", task.line == 0 ? "null" : number(task.line)},
                                    {"remark", quoted_or_null(task.remark)}}));
        for (const std::string& remark : grade.remarks) remarks.push_back(quoted(remark));
        const LineReport* wrong = grade.first_wrong();
        members.emplace_back("points", number(grade.points()));
        members.emplace_back("earned", number(grade.earned()));
        members.emplace_back("labels", enclosed('[', tasks, ']'));
        members.emplace_back("first_wrong", wrong != nullptr ? of_line(*wrong) : "null");
        members.emplace_back("remarks", enclosed('[', remarks, ']'));
        answers.push_back(object(members));
    }
    return object({{"exercise", quoted(exercise.file)},
                   {"points", number(exercise.points())},
                   {"labels", enclosed('[', labels, ']')},
                   {"answers", enclosed('[', answers, ']')}}) +
           "\n";
}

std::string to_hint(const Exercise& exercise, const Grade& grade, int step) {
    if (grade.error) return plain(grade.file) + " cannot be graded\n" + indented(plain(error_of(grade)), 2);
    std::string out =
        fmt::format("{}: {} of {} points\n", plain(grade.file), points(grade.earned()), points(exercise.points()));
    for (const std::string& remark : grade.remarks) out += indented(plain(remark), 2);
    if (const LineReport* wrong = grade.first_wrong()) {
        const std::string head = fmt::format("  line {} is {}: ", wrong->line, verdict_of(*wrong));
        const LineReport bare = [&] {
            LineReport one = *wrong;
            one.text.clear();
            return one;
        }();
        const std::string before = head + plain(typed(bare));
        const std::string text = plain(wrong->text);
        out += before + text + "\n";
        if (wrong->caret_end > wrong->caret_begin && wrong->caret_end <= text.size())
            out +=
                std::string(columns(before) + columns(std::string_view(text).substr(0, wrong->caret_begin)), ' ') +
                std::string(
                    columns(std::string_view(text).substr(wrong->caret_begin, wrong->caret_end - wrong->caret_begin)),
                    '^') +
                "\n";
        const Mistake* kind = find_mistake(wrong->mistake);
        const bool has_only_a_reason = wrong->verdict == Verdict::ill_formed || wrong->verdict == Verdict::undecided;
        if (step == 3 || (step == 2 && has_only_a_reason))
            out += indented(plain(why(*wrong)), 4);
        else if (step == 2)
            out += indented(kind != nullptr                          ? kind->sentence
                            : wrong->verdict == Verdict::conditional ? "It holds only under a condition."
                                                                     : "It is none of the mistakes that have a name.",
                            4);
        if (step == 3 && !wrong->repair.empty()) out += indented(repair_of(*wrong), 4);
        return out;
    }
    for (std::size_t i = 0; i < grade.tasks.size(); ++i) {
        const TaskGrade& task = grade.tasks[i];
        if (task.earned == task.points) continue;
        out += fmt::format("  ({}) earns nothing yet{}\n", plain(task.label),
                           task.line > 0 ? fmt::format(": line {}", task.line) : "");
        if (step >= 2) out += indented(plain(task.remark), 4);
        if (step == 3)
            out +=
                indented(plain(fmt::format(
                             "Its line begins {} ({}) {} and ends with an expression that is right without derivatives",
                             exercise.tasks[i].left.starts_with("update ") ? "update" : "claim", task.label,
                             exercise.tasks[i].left)),
                         4);
        return out;
    }
    return out + "  every label is derived\n";
}

}  // namespace derivation
