// A derivation as a recording: its lets at one point, and its claims with their verdicts and the numbers of both sides.
#pragma once

#include <derivation/derivation.hpp>
#include <lab/recording_data.hpp>
#include <map>
#include <string>
#include <vector>

namespace lab {

/// Numbers of what is given, by its name: of w, or of w[j,i] where several have that name.
using Given = std::map<std::string, std::vector<double>>;

/// The lets are recorded as operations on arrays, where the file gives numbers (`given x = ...`, `at x = ...`) at
/// these, else at numbers of two digits drawn by the report's seed; a `function f` that the file leaves open is a
/// certain one, which the notes say. Walked back is from the last let that is one number. `report` is what
/// `derivation::check` says of the same text. Throws `std::runtime_error` where the text cannot be read, where it has
/// no let, and where the lets have no finite values at any point that was tried. What is in `given` has its numbers
/// from there.
Recording explained(const std::string& text, const derivation::Report& report, const Given& given = {});

}  // namespace lab
