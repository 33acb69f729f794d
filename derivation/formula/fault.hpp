// What is wrong with a file, and where.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>

namespace derivation {

/// Bytes `begin` to `end` of the file.
struct Span {
    std::size_t begin = 0, end = 0;
};

inline Span join(Span a, Span b) { return {std::min(a.begin, b.begin), std::max(a.end, b.end)}; }

/// A file that cannot be read: one sentence, and where.
struct Error : std::runtime_error {
    Error(Span where, const std::string& sentence) : std::runtime_error(sentence), span(where) {}
    Span span;
};

/// A formula that has too many terms to be evaluated. Of a claim or an update it leaves the line undecided.
struct TooLarge : Error {
    using Error::Error;
};

/// A mistake in the letters or the shapes. In a claim or an update it is a verdict, elsewhere an error of the file.
struct IllFormed : Error {
    IllFormed(Span where, const std::string& sentence, std::string name = "ill-formed")
        : Error(where, sentence), mistake(std::move(name)) {}
    std::string mistake;     ///< its short name
    std::string undeclared;  ///< the name, where it is one that has no declaration
};

}  // namespace derivation
