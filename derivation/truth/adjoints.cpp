#include <algorithm>
#include <autograd/backward.hpp>
#include <cmath>
#include <derivation/truth/adjoints.hpp>

namespace derivation {

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
    autograd::Contributions<double> growth(tape);
    std::vector<double> scales(y.index() + std::size_t{1}, 0);
    for (std::size_t i = scales.size(); i-- > 0;) {
        const auto node_index = static_cast<std::uint32_t>(i);
        if (!node_at(tape, node_index).requires_gradient) continue;
        const autograd::Array<double>& adjoint = gradients[variable_at(tape, node_index)];
        const double value = adjoint.size() == 1 ? adjoint(0) : 0;
        scales[i] = std::max(scales[i], std::abs(value));
        if (scales[i] == 0) continue;
        result.nodes.push_back(node_index);
        result.values.push_back(value);
        result.scales.push_back(scales[i]);
        // As large as the terms behind a node are, its own terms may be: the rule says how they grow on their way.
        growth.run(node_index, autograd::Array<double>(adjoint.shape(), scales[i]));
        for (std::uint32_t input : node_at(tape, node_index).inputs) {
            const autograd::Array<double>* grown = growth[input];
            if (grown == nullptr || grown->size() != 1) continue;
            const double term = std::abs((*grown)(0));
            scales[input] = std::max(scales[input], std::isfinite(term) ? term : scales[i]);
        }
    }
    std::ranges::reverse(result.nodes);
    std::ranges::reverse(result.values);
    std::ranges::reverse(result.scales);
    return result;
}

}  // namespace derivation
