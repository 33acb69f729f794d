// Statement by statement, the text becomes a model and the lines that are to be judged.
#pragma once

#include <derivation/read/parser.hpp>
#include <derivation/read/source.hpp>
#include <derivation/resolve/checked.hpp>
#include <optional>
#include <string>
#include <vector>

namespace derivation {

/// A claim or an update. An update has two members: the parameter and its new value.
struct Line {
    bool is_update = false;
    std::string label;
    Span span;
    std::vector<Span> pieces;  ///< of its text, without the keyword and the label
    std::size_t number = 0;    ///< the line of its keyword
    std::vector<Expression> members;
    std::optional<Parser::Numbers> printed;  ///< the last member, where it is numbers behind a `~`
    int steps = 0;                           ///< of `after N steps`
    std::optional<int> loss = {};            ///< of an update: the number of its quantity
    bool ascends = false;                    ///< the update climbs, on purpose
    bool keeps_state = false;                ///< what is updated is a state, on which the loss does not depend
    bool counts_steps = false;               ///< t := t + 1: a state that the steps of others may go by
    std::vector<int> states = {};            ///< those whose new values stand in the update
    std::vector<std::pair<Expression, Expression>> new_values = {};  ///< new(m[i]), and what the update of m says
    std::optional<Span> loss_name = {};                              ///< of an update that names it
    bool has_usual_loss = false;                                     ///< of one that does not
    Checked checked;
    std::optional<IllFormed> fault;
    std::size_t fault_member = 0;
    std::string too_large = {};  ///< why it is left undecided, or nothing
};

struct Derivation {
    Source source;
    Model model;
    std::vector<Line> lines;
    std::size_t losses_end = std::string::npos;
};

/// Throws `Error` where the file cannot be read. What an update takes for its loss where it names none stands before
/// `losses_end`: what a student defines below an exercise is none.
Derivation read_derivation(std::string text, std::size_t losses_end = std::string::npos);

/// The same file where its ranges have other sizes, its constants other numbers, and what is given with numbers is
/// drawn: what holds in both is no accident of the numbers that were typed. Names, letters and lines have the same
/// places. Without other constants, the constants keep theirs.
Derivation read_with_other_numbers(const Derivation& known, std::vector<int> sizes, bool has_other_constants = true);
/// Other sizes of its ranges, but where the definitions or the line count on them: `x[2]`, or 1/3 beside a sum over 3.
std::vector<int> other_sizes(const Derivation& known, const Line& line);
/// `other_sizes` of the ranges whose size the file leaves open; the other ranges keep theirs.
std::vector<int> open_sizes(const Derivation& known, const Line& line);

/// Whether the line is written in LaTeX up to this member.
bool is_latex(const Source& source, const Line& line, std::size_t member);

/// A formula in the place of a later member of the line, resolved, with the new values of its states put in. Throws
/// `Error`.
Expression checked_member(Model& model, const Line& line, Expression member);

/// A member of the line, or what may take its place, as LaTeX and MathML show it: they have no sign for `*`, and arrays
/// that stand side by side are a product of matrices, so that between two of them it becomes ⊙.
Expression with_signs(const Model& model, const Line& line, const Expression& member);

}  // namespace derivation
