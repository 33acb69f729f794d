#include <algorithm>
#include <autograd/backward.hpp>
#include <cmath>
#include <derivation/truth/adjoints.hpp>

namespace derivation {

Rounded Adjoints::at(const autograd::Variable<double>& node) const {
    const auto found = std::ranges::lower_bound(nodes, node.index());
    if (found == nodes.end() || *found != node.index()) return {};
    const auto i = static_cast<std::size_t>(found - nodes.begin());
    return {values[i], scales[i]};
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

void add_scales(const autograd::Tape<double>& tape, std::vector<double>& scales) {
    autograd::Contributions<double> slopes(tape);
    for (std::size_t i = scales.size(); i < tape.size(); ++i) {
        const auto& node = node_at(tape, static_cast<std::uint32_t>(i));
        const double value = node.value->size() == 1 ? (*node.value)(0) : 0;
        double terms = 0;
        if (node.requires_gradient && !node.inputs.empty()) {
            slopes.run(static_cast<std::uint32_t>(i), autograd::Array<double>(node.value->shape(), 1));
            for (const std::uint32_t input : node.inputs)
                if (const autograd::Array<double>* slope = slopes[input]; slope != nullptr && slope->size() == 1)
                    terms = std::max(terms, std::abs((*slope)(0)) * scales[input]);
        }
        scales.push_back(Rounded(value, terms).scale);
    }
}

}  // namespace derivation
