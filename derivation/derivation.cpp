#include <algorithm>
#include <derivation/derivation.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/judge/judge.hpp>
#include <derivation/report/rendering.hpp>
#include <exception>
#include <new>

namespace derivation {

namespace {

bool is_judged(const Statement& statement) { return statement.keyword == "claim" || statement.keyword == "update"; }

/// The prose of a file, each with the number of lines that are reported before it.
std::vector<ProseReport> prose_of(const Source& source) {
    std::vector<ProseReport> result;
    for (const Prose& prose : source.prose) {
        const auto before = source.statements.begin() +
                            static_cast<std::ptrdiff_t>(std::min(prose.before_statement, source.statements.size()));
        result.push_back({prose.text,
                          static_cast<std::size_t>(std::count_if(source.statements.begin(), before, is_judged)),
                          prose.before_statement});
    }
    return result;
}

std::vector<DeclarationReport> declarations_of(const Derivation& derivation) {
    std::vector<DeclarationReport> result;
    const Source& source = derivation.source;
    std::size_t lines = 0;
    for (std::size_t i = 0; i < source.statements.size(); ++i) {
        const Statement& statement = source.statements[i];
        if (is_judged(statement)) {
            ++lines;
            continue;
        }
        DeclarationReport declaration{statement.keyword + " " + source.text_of(statement.pieces), {}, lines, i};
        for (const Quantity& quantity : derivation.model.quantities) {
            const auto holds = [&](Span piece) {
                return piece.begin <= quantity.span.begin && quantity.span.end <= piece.end;
            };
            if (statement.keyword != "let" || std::ranges::none_of(statement.pieces, holds)) continue;
            std::vector<std::string> letters;
            for (const int letter : quantity.letters)
                if (const Letter& one = derivation.model.letter(letter); !one.is_of_array())
                    letters.push_back(one.name);
            declaration.mathml =
                to_mathml(entry_of(quantity.name, letters)) + "<mo>=</mo>" + to_mathml(quantity.written);
        }
        result.push_back(std::move(declaration));
    }
    return result;
}

Derivation read(std::string text) {
    if (text.size() > longest_file) throw Error({0, 0}, "the file is longer than a derivation may be (1 MiB)");
    return read_derivation(std::move(text));
}

ReadError read_error(const std::string& text, const Error& error) {
    const Source source(text);
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
        Derivation derivation = read(std::move(text));
        Judge judge(derivation, options.seed);
        for (Line& line : derivation.lines) {
            // Earlier lines are judged as well: a line may follow from them.
            if (options.line != 0 && line.number > options.line) break;
            const Judgement judgement = judge.judge(line);
            if (options.line == 0 || line.number == options.line)
                report.lines.push_back(rendered(derivation, line, judgement));
        }
        report.prose = prose_of(derivation.source);
        report.declarations = declarations_of(derivation);
    } catch (const Error& error) {
        report.error = read_error(copy, error);
        report.lines.clear();
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        report.error = ReadError{1, 1, error.what(), {}, 1};
        report.lines.clear();
    }
    return report;
}

std::string rewritten(std::string text, Notation notation) {
    const Derivation derivation = read(std::move(text));
    const auto typed = [&](Span span) { return derivation.source.text.substr(span.begin, span.end - span.begin); };
    std::string result;
    for (const Macro& macro : derivation.source.macros)
        result += "\\newcommand{\\" + macro.name + "}" +
                  (macro.arguments > 0 ? "[" + std::to_string(macro.arguments) + "]" : "") + "{" + macro.body + "}\n";
    std::size_t line = 0;
    for (const Statement& statement : derivation.source.statements) {
        if (!is_judged(statement)) {
            result += statement.keyword + " " + derivation.source.text_of(statement.pieces) + "\n";
            continue;
        }
        const Line& one = derivation.lines[line++];
        result += statement.keyword + " " + (one.label.empty() ? "" : "(" + one.label + ") ");
        if (one.members.empty()) result += derivation.source.text_of(one.pieces);  // it cannot be read
        if (one.steps > 0) result += "after " + std::to_string(one.steps) + (one.steps == 1 ? " step " : " steps ");
        for (std::size_t i = 0; i < one.members.size(); ++i) {
            if (i > 0) result += one.is_update ? " := " : " = ";
            result += notation == Notation::latex ? to_latex(with_signs(derivation.model, one, one.members[i]))
                                                  : to_text(one.members[i]);
        }
        if (one.printed) result += " ~ " + typed(one.printed->span);
        if (one.ascends) result += " ascent";
        if (one.loss_name) result += " on " + typed(*one.loss_name);
        result += "\n";
    }
    return result;
}

std::optional<std::string> mathml_of(const std::string& formula) {
    try {
        const std::vector<Token> tokens = tokens_of(formula, {{0, formula.size()}});
        Model model;
        for (std::size_t i = 0; i < tokens.size(); ++i)
            if (tokens[i].kind == TokenKind::word && !tokens[i + 1].is("("))
                model.quantities.emplace_back().name = tokens[i].text;
        Parser parser(model, tokens);
        const Expression e = parser.expression();
        parser.expect_end();
        return to_mathml(e);
    } catch (const Error&) {
        return {};
    }
}

}  // namespace derivation
