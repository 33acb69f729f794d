#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/characters.hpp>
#include <derivation/grade/earning.hpp>
#include <derivation/grade/reading.hpp>
#include <derivation/judge/judge.hpp>
#include <derivation/report/rendering.hpp>
#include <new>
#include <set>

namespace derivation {

namespace {

constexpr int most_left_out = 100;
constexpr std::size_t work_for_reasons = 5'000'000;  // some 50 ms: a class has many answers

bool is_judged(const Statement& statement) { return statement.keyword == "claim" || statement.keyword == "update"; }

Span span_of(const Statement& statement) {
    return statement.pieces.empty() ? statement.keyword_span : join(statement.keyword_span, statement.pieces.back());
}

/// Puts blanks in a part's place, so that all others keep theirs.
void blank(std::string& text, Span span) {
    for (std::size_t i = span.begin; i < span.end; ++i)
        if (text[i] != '\n') text[i] = ' ';
}

/// The tokens of a statement with its keyword, by which a copy of it is known.
std::string copy_of(const Source& source, const Statement& statement) {
    std::string result = statement.keyword;
    try {
        for (const Token& token : tokens_of(source.text, statement.pieces, source.macros)) result += ' ' + token.text;
    } catch (const Error&) {
        result += source.text_of(statement.pieces);
    }
    return result;
}

bool uses_command(std::string_view text, const std::string& name) {
    const std::string command = "\\" + name;
    for (std::size_t at = text.find(command); at != std::string_view::npos; at = text.find(command, at + 1)) {
        const std::size_t end = at + command.size();
        const char next = end < text.size() ? text[end] : ' ';
        if (!((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'))) return true;
    }
    return false;
}

class Grader {
  public:
    Grader(const Exercise& exercise, const Options& options)
        : exercise_(exercise), options_(options), above_(lines_above(exercise)), asked_(read_derivation(above_)) {
        grade_.file = options.file;
        for (const Task& task : exercise.tasks) {
            TaskGrade& one = grade_.tasks.emplace_back();
            one.label = task.label;
            one.points = task.points;
            one.remark = "no line has this label";
        }
    }

    Grade run(std::string answer) {
        typed_ = answer;
        try {
            read(std::move(answer));
            if (!derivation_) return std::move(grade_);
            judge();
            count();
        } catch (const Error& error) {
            fail(error);
        }
        return std::move(grade_);
    }

  private:
    /// Says why the answer cannot be graded; the place is one in its own lines.
    void fail(const Error& error, std::size_t lines_before = 0) {
        const Source source(text_);
        Position position = source.position(error.span.begin);
        position.line = std::max<std::size_t>(position.line, 1 + lines_before) - lines_before;
        const Source typed(typed_);
        ReadError& result = grade_.error.emplace();
        result.line = position.line;
        result.column = position.column;
        result.sentence = error.what();
        if (position.line <= typed.line_begins.size()) result.text = typed.line(position.line);
    }

    void read(std::string answer) {
        if (answer.size() > longest_file) throw Error({0, 0}, "the file is longer than an answer may be (1 MiB)");
        if (answer.starts_with("\xEF\xBB\xBF")) answer.replace(0, 3, "   ");
        text_ = answer;
        if (const std::size_t bad = first_bad_byte(answer); bad < answer.size())
            throw Error({bad, bad + 1}, "this byte is not valid UTF-8 text");
        if (answer.find_first_not_of(" \t\r\n") == std::string::npos) {
            grade_.remarks.emplace_back("the file is empty");
            return;
        }
        // Places in `text_` are those of the file, but for the lines that are left out.
        if (const auto blocks = blocks_fenced_as("deriv", answer)) text_ = *blocks;
        leave_out_macros();
        leave_out_copies();
        for (int i = 0; i < most_left_out; ++i) {
            try {
                derivation_ = read_derivation(above_ + text_, above_.size());
                if (derivation_->lines.size() == asked_.lines.size() && left_out_.empty())
                    grade_.remarks.emplace_back("the file has no claim");
                return;
            } catch (const Error& error) {
                if (!leave_out(error)) return;
            }
        }
        throw Error({0, 0}, "more than 100 declarations cannot be read");
    }

    /// A macro that the exercise uses means there what it means without the answer.
    void leave_out_macros() {
        std::size_t begin = 0, number = 0;
        while (begin < text_.size()) {
            ++number;
            const std::size_t end = std::min(text_.find('\n', begin), text_.size());
            const std::string line = text_.substr(begin, end - begin);
            const std::size_t first = line.find_first_not_of(" \t");
            if (first != std::string::npos && line[first] == '\\') {
                try {
                    for (const Macro& macro : read_source(line).macros) {
                        if (!uses_command(above_, macro.name)) continue;
                        const bool is_copy = std::ranges::any_of(asked_.source.macros, [&](const Macro& other) {
                            return other.name == macro.name && other.body == macro.body &&
                                   other.arguments == macro.arguments;
                        });
                        if (!is_copy)
                            grade_.remarks.push_back(
                                fmt::format("line {} defines \\{} anew, which the exercise uses: it is left out",
                                            number, macro.name));
                        blank(text_, {begin, end});
                    }
                } catch (const Error&) {  // no macro
                }
            }
            begin = end + 1;
        }
    }

    /// Declarations of the exercise that the answer repeats, as they are or otherwise: those of the exercise count.
    void leave_out_copies() {
        std::set<std::string> known;
        for (const Statement& statement : asked_.source.statements) known.insert(copy_of(asked_.source, statement));
        const Source source = read_source(text_);
        for (const Statement& statement : source.statements) {
            if (is_judged(statement) || statement.keyword == "at") continue;
            if (known.contains(copy_of(source, statement)))
                blank(text_, span_of(statement));
            else if (statement.keyword != "let" && is_of_exercise(source, statement))
                leave_out_changed(source, statement);
        }
    }

    bool is_of_exercise(const Source& source, const Statement& statement) const {
        const std::string name = declared_name(asked_.model, source, statement);
        return !name.empty() && (asked_.model.has(name) || asked_.model.is_letter(name));
    }

    void leave_out_changed(const Source& source, const Statement& statement) {
        grade_.remarks.push_back(fmt::format(
            "line {} changes what the exercise declares, which counts as it stands there: {} {}",
            source.position(statement.keyword_span.begin).line, statement.keyword, source.text_of(statement.pieces)));
        blank(text_, span_of(statement));
    }

    /// The declaration of the answer that cannot be read costs itself alone. Returns whether there is one.
    bool leave_out(const Error& error) {
        const Source source = read_source(text_);
        const std::size_t at = error.span.begin < above_.size() ? 0 : error.span.begin - above_.size();
        const auto found = std::ranges::find_if(source.statements, [&](const Statement& one) {
            const Span span = span_of(one);
            return !is_judged(one) && span.begin <= at && at <= span.end;
        });
        if (error.span.begin < above_.size() || found == source.statements.end()) {
            fail(Error({at, at}, error.what()));
            return false;
        }
        if (is_of_exercise(source, *found)) {
            leave_out_changed(source, *found);
            return true;
        }
        LineReport& line = left_out_.emplace_back();
        line.line = source.position(found->keyword_span.begin).line;
        line.kind = found->keyword;
        line.text = source.text_of(found->pieces);
        line.verdict = Verdict::ill_formed;
        line.mistake = "unreadable";
        line.reason = error.what();
        blank(text_, span_of(*found));
        return true;
    }

    void judge() {
        const std::size_t lines = number_of_lines(above_);
        Judge judge(*derivation_, options_.seed);
        for (std::size_t i = exercise_.tasks.size(); i < derivation_->lines.size(); ++i) {
            Line& line = derivation_->lines[i];
            LineReport report = rendered(*derivation_, line, judge.judge(line));
            if (report.verdict == Verdict::wrong && report.reason.empty()) report.reason = "It is wrong.";
            // The first wrong line is told why, and others where that is quick.
            if (report.verdict == Verdict::wrong && derivation_->model.budget->work_so_far() > work_for_reasons)
                judge.stop_looking_for_reasons();
            report.line -= lines;
            if (report.because_of) *report.because_of -= lines;
            grade_.lines.push_back(std::move(report));
        }
    }

    /// The line that counts for a task: the last with its label.
    std::optional<std::size_t> line_of(std::size_t task) const {
        for (std::size_t i = grade_.lines.size(); i-- > 0;)
            if (grade_.lines[i].label == exercise_.tasks[task].label) return i;
        return {};
    }

    bool is_label(const std::string& text) const {
        return std::ranges::find(exercise_.tasks, text, &Task::label) != exercise_.tasks.end();
    }

    void count() {
        const Together together{exercise_, *derivation_, asked_.model.count(),
                                static_cast<int>(asked_.model.functions.size())};
        const auto typed = [&](std::size_t i) -> const Line& { return derivation_->lines[exercise_.tasks.size() + i]; };
        std::vector<std::pair<std::size_t, std::size_t>> in_order;  // the line and the task
        for (std::size_t task = 0; task < exercise_.tasks.size(); ++task) {
            TaskGrade& one = grade_.tasks[task];
            if (const auto line = line_of(task)) {
                in_order.emplace_back(*line, task);
                one.line = grade_.lines[*line].line;
                one.remark.clear();
                continue;
            }
            for (std::size_t i = 0; i < grade_.lines.size(); ++i)
                if (!is_label(grade_.lines[i].label) && is_about(together, task, typed(i)))
                    one.remark = fmt::format("no line has this label; line {} is about {}", grade_.lines[i].line,
                                             exercise_.tasks[task].left);
        }
        std::ranges::sort(in_order);
        std::set<std::size_t> paid;  // wrong lines that have cost a label its points
        for (const auto& [i, task] : in_order) {
            const LineReport& line = grade_.lines[i];
            TaskGrade& one = grade_.tasks[task];
            const auto is = [&](TaskOutcome outcome, std::string remark) {
                one.outcome = outcome;
                one.remark = std::move(remark);
            };
            if (typed(i).members.empty() || line.verdict == Verdict::ill_formed) {
                is(TaskOutcome::wrong, line.reason);
            } else if (!is_about(together, task, typed(i))) {
                is(TaskOutcome::other, fmt::format("line {} is not about {}", line.line, exercise_.tasks[task].left));
            } else if (line.verdict == Verdict::undecided) {
                is(TaskOutcome::undecided, line.reason);
            } else if (line.verdict != Verdict::holds && line.verdict != Verdict::follows) {
                is(TaskOutcome::wrong, line.reason.empty() ? line.condition : line.reason);
                paid.insert(line.line);
            } else if (const std::string fault = what_is_left(together, task, typed(i)); !fault.empty()) {
                is(TaskOutcome::unfinished, fmt::format("line {} earns nothing: {}", line.line, fault));
            } else if (line.verdict == Verdict::holds) {
                is(TaskOutcome::derived, {});
                one.earned = one.points;
            } else if (!line.because_of || is_only_a_number(together, task, typed(i))) {
                is(TaskOutcome::wrong, line.reason);
            } else if (!paid.insert(*line.because_of).second) {
                is(TaskOutcome::follows,
                   fmt::format("right, but for the mistake in line {}, which counts there", *line.because_of));
                one.earned = one.points;
            } else {
                is(TaskOutcome::wrong, fmt::format("the mistake in line {} counts here", *line.because_of));
            }
        }
        grade_.lines.insert(grade_.lines.end(), left_out_.begin(), left_out_.end());
        std::ranges::stable_sort(grade_.lines, {}, &LineReport::line);
    }

    const Exercise& exercise_;
    const Options& options_;
    std::string above_;
    Derivation asked_;  ///< the exercise alone
    std::string typed_, text_;
    std::optional<Derivation> derivation_;
    std::vector<LineReport> left_out_;
    Grade grade_;
};

}  // namespace

double Grade::earned() const {
    double total = 0;
    for (const TaskGrade& task : tasks) total += task.earned;
    return total;
}

double Grade::points() const {
    double total = 0;
    for (const TaskGrade& task : tasks) total += task.points;
    return total;
}

const LineReport* Grade::first_wrong() const {
    const auto found = std::ranges::find_if(
        lines, [](const LineReport& one) { return one.verdict != Verdict::holds && one.verdict != Verdict::follows; });
    return found == lines.end() ? nullptr : &*found;
}

int Grade::exit_code() const {
    if (error) return 2;
    return std::ranges::all_of(tasks, [](const TaskGrade& task) { return task.earned == task.points; }) ? 0 : 1;
}

Grade grade(const Exercise& exercise, std::string answer, const Options& options) {
    Grade result;
    result.file = options.file;
    if (exercise.error) {
        result.error = exercise.error;
        return result;
    }
    try {
        return Grader(exercise, options).run(std::move(answer));
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        result.error = ReadError{1, 1, error.what(), {}, 1};
    }
    return result;
}

}  // namespace derivation
