#include <algorithm>
#include <cmath>
#include <derivation/truth/adjoints.hpp>

namespace derivation {

namespace {

/// About how much a node grows with one of its inputs.
double slope(const autograd::Tape<double>& tape, const autograd::Node<double>& node, std::size_t k) {
    const std::string_view operation = node.operation;
    const double z = std::abs((*node.value)(0)), x = std::abs((*node_at(tape, node.inputs[k]).value)(0));
    if (operation == "add" || operation == "sub" || operation == "neg") return 1;
    if (operation == "tanh") return 1 - z * z;
    if (operation == "sigmoid") return z * (1 - z);
    if (operation == "exp") return z;
    if (operation == "log") return 1 / x;
    const double slope = x > 0 ? z / x : 0;
    return std::isfinite(slope) ? slope : 1;
}

}  // namespace

double Adjoints::at(const autograd::Variable<double>& node, double& scale) const {
    const auto found = std::ranges::lower_bound(nodes, node.index());
    if (found == nodes.end() || *found != node.index()) return 0;
    const auto i = static_cast<std::size_t>(found - nodes.begin());
    scale = std::max(scale, scales[i]);
    return values[i];
}

Adjoints walk_back(autograd::Tape<double>& tape, const autograd::Variable<double>& y) {
    Adjoints result;
    if (!y.requires_gradient()) return result;
    const autograd::Gradients<double> gradients = tape.backward(y, autograd::Keep<double>::all());
    std::vector<double> scales(y.index() + std::size_t{1}, 0);
    for (std::size_t i = scales.size(); i-- > 0;) {
        const auto node_index = static_cast<std::uint32_t>(i);
        const autograd::Array<double>& adjoint = gradients[variable_at(tape, node_index)];
        const double value = adjoint.size() == 1 ? adjoint(0) : 0;
        scales[i] = std::max(scales[i], std::abs(value));
        if (scales[i] == 0) continue;
        result.nodes.push_back(node_index);
        result.values.push_back(value);
        result.scales.push_back(scales[i]);
        const autograd::Node<double>& node = node_at(tape, node_index);
        for (std::size_t k = 0; k < node.inputs.size(); ++k) {
            double& scale = scales[node.inputs[k]];
            scale = std::max(scale, scales[i] * slope(tape, node, k));
        }
    }
    std::ranges::reverse(result.nodes);
    std::ranges::reverse(result.values);
    std::ranges::reverse(result.scales);
    return result;
}

}  // namespace derivation
