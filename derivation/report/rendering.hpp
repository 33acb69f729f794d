// What was found out about a line is written down: formulas in its notation, in LaTeX and in MathML.
#pragma once

#include <derivation/derivation.hpp>
#include <derivation/judge/judgement.hpp>
#include <derivation/read/reader.hpp>

namespace derivation {

LineReport rendered(const Derivation& derivation, const Line& line, const Judgement& judgement);

}  // namespace derivation
