// A recording as text: a table for a terminal, and a drawing for Graphviz.
#pragma once

#include <lab/recording_data.hpp>
#include <string>

namespace lab {

/// A table with a line for each node: its name, what it is made of, its shape, its value and its adjoint. Arrays of
/// more than six numbers are told by the least and the largest. What belongs to one layer has a heading.
std::string to_text(const Recording& recording);

/// A graph for Graphviz (`dot -Tsvg`), with a frame for each layer. A recording of more nodes than `most` is folded:
/// each layer is one box, and so are as many neighbours elsewhere as it takes.
std::string to_dot(const Recording& recording, std::size_t most = 200);

}  // namespace lab
