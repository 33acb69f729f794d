// Whether a line that holds derives what a task asks for.
#pragma once

#include <derivation/grade.hpp>
#include <derivation/read/reader.hpp>
#include <string>

namespace derivation {

/// An exercise and an answer, read as one file: the lines of the tasks stand first.
struct Together {
    const Exercise& exercise;
    const Derivation& derivation;
    int quantities, functions;  ///< how many the exercise declares: the others are the answer's

    const Line& line_of(std::size_t task) const { return derivation.lines[task]; }
};

/// Whether one of the line's sides is what the task asks for; letters of the same range may have changed places.
bool is_about(const Together& together, std::size_t task, const Line& line);

/// Why the line, which is about the task, does not give it, as the end of a sentence that begins with its number;
/// nothing where it does.
std::string what_is_left(const Together& together, std::size_t task, const Line& line);

/// Whether a derivative stands in a resolved formula, or in a definition that it uses.
bool hides_derivative(const Model& model, const Expression& e);

/// Whether the side that gives the task is a number: it may be right by any mistake above it.
bool is_only_a_number(const Together& together, std::size_t task, const Line& line);

}  // namespace derivation
