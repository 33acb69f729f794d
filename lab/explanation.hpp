// A derivation as a recording, with the tape that it is of: what exports go through.
#pragma once

#include <derivation/derivation.hpp>
#include <derivation/truth/variation.hpp>
#include <lab/explained_derivation.hpp>
#include <lab/lowering.hpp>

namespace lab {

struct Explained {
    Recording recording;
    Lowering lowering;
};

/// As `explained`.
Explained explained_with_tape(const std::string& text, const derivation::Report& report, const Given& given = {});

/// The numbers and the functions that a derivation is explained at.
struct Setting {
    derivation::Variation variation;
    std::vector<derivation::Curve> curves;
    std::vector<std::vector<double>> given;  ///< by the number of the quantity

    derivation::Point point(const derivation::Model& model) const { return {model, variation, given, curves}; }
};

Setting friendly_setting(const derivation::Model& model, const derivation::Report& report, const Given& given);

}  // namespace lab
