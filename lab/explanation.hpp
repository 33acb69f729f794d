// A derivation as a recording, with the tape that it is of: what exports go through.
#pragma once

#include <derivation/derivation.hpp>
#include <lab/lowering.hpp>
#include <lab/recording_data.hpp>
#include <string>

namespace lab {

struct Explained {
    Recording recording;
    Lowering lowering;
};

/// As `explained`.
Explained explained_with_tape(const std::string& text, const derivation::Report& report);

}  // namespace lab
