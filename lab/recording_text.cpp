#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lab/recording_text.hpp>

namespace lab {

std::string to_text(const Recording& recording) {
    std::string text;
    for (const RecordedNode& node : recording.nodes)
        text += fmt::format("{:<20} {} ({})\n", node.name, node.operation, fmt::join(node.value.shape, ", "));
    return text;
}

}  // namespace lab
