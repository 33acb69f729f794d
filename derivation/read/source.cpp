#include <algorithm>
#include <array>
#include <derivation/formula/characters.hpp>
#include <derivation/read/source.hpp>
#include <optional>
#include <utility>

namespace derivation {

namespace {

constexpr std::size_t most_statements = 5000;
constexpr std::array<std::string_view, 8> keywords = {"index", "given", "constant", "function",
                                                      "let",   "claim", "update",   "at"};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

Span trimmed(std::string_view text, Span span) {
    while (span.begin < span.end && is_blank(text[span.begin])) ++span.begin;
    while (span.end > span.begin && is_blank(text[span.end - 1])) --span.end;
    return span;
}

std::string_view view(std::string_view text, Span span) { return text.substr(span.begin, span.end - span.begin); }

Span without_comment(std::string_view text, Span line) {
    for (std::size_t i = line.begin; i < line.end; ++i)
        if (((text[i] == '#' || text[i] == '%') && (i == line.begin || text[i - 1] != '\\')) ||
            text.substr(i, std::min<std::size_t>(2, line.end - i)) == "//")
            return {line.begin, i};
    return line;
}

std::string_view keyword_of(std::string_view line) {
    for (const std::string_view keyword : keywords)
        if (line.starts_with(keyword) &&
            (line.size() == keyword.size() || is_blank(line[keyword.size()]) || line[keyword.size()] == '(' ||
             line[keyword.size()] == '\\' || line[keyword.size()] == '$'))
            return keyword;
    return {};
}

/// A line that defines a macro: \newcommand{\pd}[2]{..}, \def\x{..}, \DeclareMathOperator{\tr}{tr}.
std::optional<Macro> macro_of(std::string_view line) {
    std::string_view head;
    for (const std::string_view one : {"\\newcommand", "\\renewcommand", "\\def", "\\DeclareMathOperator"})
        if (line.starts_with(one)) head = one;
    if (head.empty()) return {};
    std::size_t at = head.size();
    if (at < line.size() && line[at] == '*') ++at;
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto skip = [&](char c) {
        while (at < line.size() && line[at] == ' ') ++at;
        const bool stands = at < line.size() && line[at] == c;
        if (stands) ++at;
        return stands;
    };
    const bool brace = skip('{');
    if (!skip('\\')) return {};
    Macro macro;
    while (at < line.size() && is_letter(line[at])) macro.name += line[at++];
    if (macro.name.empty() || (brace && !skip('}'))) return {};
    if (skip('[')) {
        if (at >= line.size() || line[at] < '0' || line[at] > '9') return {};
        macro.arguments = static_cast<std::size_t>(line[at++] - '0');
        if (!skip(']')) return {};
    }
    while (at + 1 < line.size() && line[at] == '#') {
        ++macro.arguments;
        at += 2;
    }
    if (!skip('{')) return {};
    const std::size_t begin = at;
    for (int open = 1; at < line.size(); ++at) {
        open += line[at] == '{' ? 1 : line[at] == '}' ? -1 : 0;
        if (open == 0) break;
    }
    if (at == line.size()) return {};
    macro.body = std::string(line.substr(begin, at - begin));
    if (head == "\\DeclareMathOperator") macro.body = "\\operatorname{" + macro.body + "}";
    return macro;
}

/// Where `\begin{name}` or `\end{name}` of a display stands at i: its length, else 0. `cases` and matrices are no
/// displays.
std::size_t display_command(std::string_view text, std::size_t i) {
    for (const std::string_view command : {"\\begin{", "\\end{"})
        if (text.substr(i).starts_with(command)) {
            const std::size_t close = text.find('}', i);
            if (close == std::string_view::npos) return 0;
            const std::string_view name = text.substr(i + command.size(), close - i - command.size());
            for (const std::string_view display : {"align", "equation", "gather", "split", "eqnarray", "multline"})
                if (name.starts_with(display)) return close + 1 - i;
        }
    return 0;
}

/// Splits the rows of LaTeX displays: a row with a left side is a statement of its own.
void add_rows(std::string_view text, const Statement& statement, std::vector<Statement>& statements) {
    bool in_display = false;
    for (const Span piece : statement.pieces)
        for (std::size_t i = piece.begin; i < piece.end; ++i) in_display |= display_command(text, i) > 0;
    if (!in_display) {
        statements.push_back(statement);
        return;
    }

    std::vector<std::vector<Span>> rows(1);
    int cases = 0;
    for (const Span piece : statement.pieces) {
        std::size_t start = piece.begin;
        const auto cut = [&](std::size_t end, std::size_t next) {
            if (const Span part = trimmed(text, {start, end}); part.begin < part.end) rows.back().push_back(part);
            start = next;
        };
        for (std::size_t i = piece.begin; i < piece.end; ++i) {
            const std::string_view rest = text.substr(i, piece.end - i);
            if (rest.starts_with("\\begin{cases}")) ++cases;
            if (rest.starts_with("\\end{cases}")) --cases;
            if (const std::size_t length = display_command(text, i)) {
                cut(i, std::min(i + length, piece.end));
                i = start - 1;
            } else if (rest.starts_with("\\\\") && cases <= 0) {
                cut(i, i + 2);
                rows.emplace_back();
                ++i;
            } else if (rest.starts_with("\\nonumber")) {
                cut(i, i + 9);
                i += 8;
            }
        }
        cut(piece.end, piece.end);
    }
    bool first = true;
    for (const auto& row : rows) {
        if (row.empty()) continue;
        const std::string_view begin = view(text, row.front());
        const bool continues = begin.starts_with("=") ||
                               (begin.starts_with("&") && begin.find_first_not_of("& ") != std::string_view::npos &&
                                begin[begin.find_first_not_of("& ")] == '=');
        if (continues && !first) {
            statements.back().pieces.insert(statements.back().pieces.end(), row.begin(), row.end());
        } else {
            Statement next = statement;
            next.keyword_span = {row.front().begin, row.front().begin};
            next.pieces = row;
            statements.push_back(std::move(next));
        }
        first = false;
    }
}

}  // namespace

Source::Source(std::string content) : text(std::move(content)) {
    // Where it was printed, it would not be seen.
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '\n') line_begins.push_back(i + 1);
}

Position Source::position(std::size_t offset) const {
    offset = std::min(offset, text.size());
    const auto next = std::ranges::upper_bound(line_begins, offset);
    const auto line = static_cast<std::size_t>(next - line_begins.begin());
    Position position{line, 1};
    for (std::size_t i = line_begins[line - 1]; i < offset; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) ++position.column;
    return position;
}

std::string_view Source::line(std::size_t number) const {
    std::string_view result = std::string_view(text).substr(line_begins[number - 1]);
    result = result.substr(0, result.find('\n'));
    while (!result.empty() && result.back() == '\r') result.remove_suffix(1);
    return result;
}

std::string Source::text_of(const std::vector<Span>& pieces) const {
    std::string result;
    for (const Span piece : pieces) {
        if (!result.empty()) result += ' ';
        result += view(text, piece);
    }
    return result;
}

Source read_source(std::string content) {
    Source source(std::move(content));
    const std::string_view text = source.text;
    if (const std::size_t bad = first_bad_byte(text); bad < text.size())
        throw Error({bad, bad + 1}, "this byte is not valid UTF-8 text");

    const bool markdown = text.find("\n```deriv") != std::string_view::npos || text.starts_with("```deriv");
    bool in_block = !markdown;
    std::vector<Statement> raw;
    std::string prose;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const Span whole{begin, end};
        begin = end + 1;
        if (markdown && view(text, trimmed(text, whole)).starts_with("```")) {
            const bool opens = !in_block && view(text, trimmed(text, whole)).starts_with("```deriv");
            if (opens && !prose.empty()) source.prose.push_back({std::exchange(prose, {}), raw.size()});
            const bool fences_other_code = !opens && !in_block;
            in_block = opens;
            if (!fences_other_code) continue;
        }
        if (!in_block) {
            prose += std::string(view(text, whole)) + "\n";
            continue;
        }
        // The # of a macro is no comment.
        if (std::optional<Macro> macro = macro_of(view(text, trimmed(text, whole)))) {
            std::erase_if(source.macros, [&](const Macro& other) { return other.name == macro->name; });
            source.macros.push_back(std::move(*macro));
            continue;
        }
        const Span line = trimmed(text, without_comment(text, whole));
        if (line.begin == line.end) continue;
        const std::string_view words = view(text, line);
        if (const std::string_view keyword = keyword_of(words); !keyword.empty()) {
            const Span keyword_span{line.begin, line.begin + keyword.size()};
            const Span rest = trimmed(text, {keyword_span.end, line.end});
            raw.push_back({std::string(keyword), keyword_span, {}});
            if (rest.begin < rest.end) raw.back().pieces.push_back(rest);
        } else if (const std::size_t dollars = std::min(words.find_first_not_of('$'), words.size());
                   display_command(text, line.begin + dollars) > 0 && words.substr(dollars).starts_with("\\begin")) {
            raw.push_back({"claim", {line.begin, line.begin}, {line}});
        } else if (raw.empty()) {
            throw Error(line,
                        "a statement begins with index, given, constant, function, let, claim, update or at; in "
                        "Markdown, statements stand in blocks fenced as ```deriv");
        } else {
            raw.back().pieces.push_back(line);
        }
        if (raw.size() > most_statements) throw Error(line, "the file has more than 5000 statements");
    }
    if (!prose.empty()) source.prose.push_back({prose, raw.size()});
    for (const Statement& statement : raw) add_rows(text, statement, source.statements);
    return source;
}

}  // namespace derivation
