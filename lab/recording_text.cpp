#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <lab/recording_text.hpp>
#include <map>
#include <nn/files/text.hpp>
#include <set>

namespace lab {

using nn::files::printable;

namespace {

std::string shape_of(const Numbers& numbers) {
    return fmt::format("({}{})", fmt::join(numbers.shape, ", "), numbers.shape.size() == 1 ? "," : "");
}

std::string shown(const Numbers& numbers) {
    constexpr std::size_t most = 6;
    const std::vector<double>& values = numbers.values;
    if (numbers.shape.empty() && values.size() == 1) return fmt::format("{:.6g}", values[0]);
    std::vector<std::string> all;
    for (std::size_t i = 0; i < values.size() && i <= most; ++i) all.push_back(fmt::format("{:.6g}", values[i]));
    if (values.size() <= most) return fmt::format("[{}]", fmt::join(all, ", "));
    double least = numbers.least, largest = numbers.largest;
    std::size_t nans = 0;
    if (numbers.sampled.empty())
        for (const double value : values) {
            least = std::fmin(least, value);
            largest = std::fmax(largest, value);
            nans += std::isnan(value);
        }
    const std::string range =
        least == largest ? fmt::format("all {:.6g}", least) : fmt::format("{:.6g} to {:.6g}", least, largest);
    return fmt::format("{}{}", range, nans > 0 ? fmt::format(", {} NaN", nans) : "");
}

/// The label of a box: its lines, as a string of Graphviz.
std::string quoted(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        if (!text.empty()) text += "\\n";
        for (const char c : printable(line)) text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return "\"" + text + "\"";
}

/// Which nodes are drawn as one.
struct Box {
    std::vector<std::size_t> nodes;
    std::string group;
};

/// The boxes of a drawing, and the box of each node.
struct Boxes {
    std::vector<Box> boxes;
    std::vector<std::size_t> of_node;
};

Boxes boxes_of(const Recording& recording, std::size_t most) {
    Boxes result;
    std::map<std::string, std::size_t> of_group;
    std::size_t loose = 0;  // nodes without a group
    for (const RecordedNode& node : recording.nodes) {
        of_group.emplace(node.group, 0);
        loose += node.group.empty();
    }
    const bool folds = recording.nodes.size() > most, has_groups = of_group.size() <= most;
    if (!has_groups) loose = recording.nodes.size();
    const std::size_t longest = folds ? std::max<std::size_t>(1, loose / std::max<std::size_t>(1, most) + 1) : 1;
    of_group.clear();
    std::optional<std::size_t> run;  // the box of the neighbour before
    for (std::size_t i = 0; i < recording.nodes.size(); ++i) {
        const std::string group = has_groups ? recording.nodes[i].group : "";
        std::size_t box = result.boxes.size();
        if (folds && !group.empty())
            box = of_group.emplace(group, box).first->second;
        else if (folds && run && result.boxes[*run].nodes.size() < longest)
            box = *run;
        if (box == result.boxes.size()) result.boxes.push_back({{}, group});
        result.boxes[box].nodes.push_back(i);
        result.of_node.push_back(box);
        run.reset();
        if (group.empty()) run = box;
    }
    return result;
}

std::string drawn(const Recording& recording, const Box& box, std::size_t number) {
    const std::size_t first = box.nodes.front();
    const RecordedNode& node = recording.nodes[first];
    if (box.nodes.size() > 1) {
        const std::string which = box.group.empty() ? fmt::format("%{} to %{}", first, box.nodes.back()) : box.group;
        return fmt::format("n{} [shape=box3d, label={}];\n", number,
                           quoted({which, fmt::format("{} nodes", box.nodes.size())}));
    }
    return fmt::format("n{} [shape={}, label={}{}];\n", number,
                       node.kind == "operation"   ? "box"
                       : node.kind == "constant"  ? "plaintext"
                       : node.kind == "parameter" ? "ellipse, style=filled"
                                                  : "ellipse",
                       quoted({node.name, shape_of(node.value)}), first == recording.result ? ", peripheries=2" : "");
}

}  // namespace

std::string to_text(const Recording& recording) {
    struct Line {
        std::string group;
        std::array<std::string, 5> cells;
    };
    std::vector<Line> lines = {{"", {"node", "made of", "shape", "value", "adjoint"}}};
    for (const RecordedNode& node : recording.nodes) {
        std::vector<std::string> inputs;
        for (const std::uint32_t input : node.inputs) inputs.push_back(printable(recording.nodes[input].name));
        lines.push_back({node.group,
                         {printable(node.name),
                          inputs.empty() ? node.kind : fmt::format("{}({})", node.operation, fmt::join(inputs, ", ")),
                          shape_of(node.value), shown(node.value), node.adjoint ? shown(*node.adjoint) : "-"}});
    }
    std::array<std::size_t, 4> widths = {};
    for (const Line& line : lines)
        for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], line.cells[i].size());
    std::string text, group;
    for (const Line& line : lines) {
        if (line.group != group) text += fmt::format("{}\n", line.group.empty() ? "" : printable(line.group) + ":");
        group = line.group;
        for (std::size_t i = 0; i < widths.size(); ++i) text += fmt::format("{:<{}}  ", line.cells[i], widths[i]);
        text += line.cells.back() + "\n";
    }
    return text;
}

std::string to_dot(const Recording& recording, std::size_t most) {
    const Boxes drawing = boxes_of(recording, most);
    std::string text = fmt::format("digraph {} {{\nnode [fontname=\"sans-serif\"];\n", quoted({recording.title}));
    std::map<std::string, std::string> frames;
    for (std::size_t i = 0; i < drawing.boxes.size(); ++i)
        frames[drawing.boxes[i].nodes.size() > 1 ? "" : drawing.boxes[i].group] +=
            drawn(recording, drawing.boxes[i], i);
    for (const auto& [group, nodes] : frames)
        text += group.empty() ? nodes
                              : fmt::format("subgraph {} {{\nlabel={};\n{}}}\n", quoted({"cluster_" + group}),
                                            quoted({group}), nodes);
    std::set<std::pair<std::size_t, std::size_t>> edges;
    for (std::size_t i = 0; i < recording.nodes.size(); ++i)
        for (const std::uint32_t input : recording.nodes[i].inputs)
            if (drawing.of_node[input] != drawing.of_node[i]) edges.emplace(drawing.of_node[input], drawing.of_node[i]);
    for (const auto& [from, to] : edges) text += fmt::format("n{} -> n{};\n", from, to);
    return text + "}\n";
}

}  // namespace lab
