// From the text of a file to its statements: comments are gone, continued lines are joined, places stay known.
#pragma once

#include <derivation/formula/fault.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace derivation {

/// A place in a file, both from 1; the column counts characters, not bytes.
struct Position {
    std::size_t line = 1, column = 1;
};

/// One statement: its keyword, and the pieces of the text that follow it.
struct Statement {
    std::string keyword;
    Span keyword_span;
    std::vector<Span> pieces;
};

/// Text between the fenced blocks of a Markdown file, and the statement that follows it.
struct Prose {
    std::string text;
    std::size_t before_statement = 0;
};

/// What `\newcommand{\pd}[2]{...}` defines, without the backslash.
struct Macro {
    std::string name;
    std::size_t arguments = 0;
    std::string body;
};

struct Source {
    explicit Source(std::string content = {});

    std::string text;
    std::vector<std::size_t> line_begins = {0};
    std::vector<Statement> statements;
    std::vector<Prose> prose;
    std::vector<Macro> macros;

    Position position(std::size_t offset) const;
    std::string_view line(std::size_t number) const;
    /// The pieces of a statement on one line, with blanks between them.
    std::string text_of(const std::vector<Span>& pieces) const;
};

/// Throws `Error` where the text is not UTF-8, or begins with something that is no keyword.
Source read_source(std::string text);

}  // namespace derivation
