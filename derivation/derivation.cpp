#include <derivation/derivation.hpp>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/judge/judge.hpp>
#include <exception>

namespace derivation {

namespace {

/// A statement without its keyword and its label, on one line.
std::string text_of(const Source& source, const Statement& statement) {
    std::string text;
    for (const Span piece : statement.pieces) {
        if (!text.empty()) text += ' ';
        text += source.text.substr(piece.begin, piece.end - piece.begin);
    }
    return text;
}

ReadError read_error(const std::string& text, const Error& error) {
    Source source;
    source.text = text;
    const Position position = source.position(error.span.begin);
    ReadError result{position.line, position.column, error.what(), std::string(source.line(position.line)), 1};
    const Position end = source.position(std::max(error.span.end, error.span.begin + 1));
    if (end.line == position.line && end.column > position.column) result.length = end.column - position.column;
    return result;
}

}  // namespace

std::size_t Report::count(Verdict verdict) const {
    return static_cast<std::size_t>(std::ranges::count(lines, verdict, &LineReport::verdict));
}

int Report::exit_code() const { return error ? 2 : count(Verdict::holds) == lines.size() ? 0 : 1; }

Report check(std::string text, const Options& options) {
    Report report;
    report.file = options.file;
    report.seed = options.seed;
    const std::string copy = text;
    try {
        Derivation derivation = read_derivation(std::move(text));
        Judge judge(derivation, options.seed);
        std::vector<std::string> texts;
        for (const Statement& statement : derivation.source.statements)
            if (statement.keyword == "claim" || statement.keyword == "update")
                texts.push_back(text_of(derivation.source, statement));
        std::vector<std::size_t> lines_before(derivation.source.statements.size() + 1, 0);
        for (std::size_t i = 0; i < derivation.source.statements.size(); ++i) {
            const std::string& keyword = derivation.source.statements[i].keyword;
            lines_before[i + 1] = lines_before[i] + (keyword == "claim" || keyword == "update" ? 1 : 0);
        }
        for (std::size_t i = 0; i < derivation.lines.size(); ++i) {
            // Earlier lines are judged as well: a line may follow from them.
            if (options.line != 0 && derivation.lines[i].number > options.line) break;
            LineReport line = judge.judge(derivation.lines[i]);
            line.text = texts[i];
            // The label is no part of the formula, and places were counted without it.
            if (!line.label.empty() && line.text.starts_with("(" + line.label + ")")) {
                const std::size_t skip =
                    std::min(line.text.find_first_not_of(" \t", line.label.size() + 2), line.text.size());
                line.text.erase(0, skip);
                line.caret_begin -= std::min(line.caret_begin, skip);
                line.caret_end -= std::min(line.caret_end, skip);
            }
            if (options.line == 0 || line.line == options.line) report.lines.push_back(std::move(line));
        }
        for (const Prose& prose : derivation.source.prose)
            report.prose.push_back(
                {prose.text, lines_before[std::min(prose.before_statement, derivation.source.statements.size())]});
    } catch (const Error& error) {
        report.error = read_error(copy, error);
        report.lines.clear();
    } catch (const std::exception& error) {
        report.error = ReadError{1, 1, error.what(), {}, 1};
        report.lines.clear();
    }
    return report;
}

std::string rewritten(std::string text, Notation notation) {
    const Derivation derivation = read_derivation(std::move(text));
    std::string result;
    std::size_t line = 0;
    for (const Statement& statement : derivation.source.statements) {
        if (statement.keyword != "claim" && statement.keyword != "update") {
            result += statement.keyword + " " + text_of(derivation.source, statement) + "\n";
            continue;
        }
        const Line& one = derivation.lines[line++];
        result += statement.keyword + " " + (one.label.empty() ? "" : "(" + one.label + ") ");
        if (one.steps > 0) result += "after " + std::to_string(one.steps) + (one.steps == 1 ? " step " : " steps ");
        for (std::size_t i = 0; i < one.members.size(); ++i) {
            if (i > 0) result += one.is_update ? " := " : " = ";
            result += notation == Notation::latex ? to_latex(one.members[i]) : to_text(one.members[i]);
        }
        if (one.printed)
            result += " ~ " + derivation.source.text.substr(one.printed->span.begin,
                                                            one.printed->span.end - one.printed->span.begin);
        result += "\n";
    }
    return result;
}

}  // namespace derivation
