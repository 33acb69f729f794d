#include <fmt/format.h>

#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/precision.hpp>
#include <autograd/print.hpp>
#include <cmath>
#include <string_view>

namespace autograd {

namespace {

const double all_digits = std::numeric_limits<float>::digits * std::log10(2.0);

double digits_of(double low, double high) {
    if (low == high || (std::isnan(low) && std::isnan(high))) return all_digits;
    const double error = std::abs(low - high) / std::abs(high);
    return std::isfinite(error) ? std::min(std::max(0.0, -std::log10(error)), all_digits) : 0.0;
}

double digits_of(const Array<float>& low, const Array<double>& high) {
    double digits = all_digits;
    for (std::size_t k = 0; k < low.size(); ++k) digits = std::min(digits, digits_of(low.data()[k], high.data()[k]));
    return digits;
}

void check_same(const Tape<float>& low, const Tape<double>& high) {
    const auto count = static_cast<std::uint32_t>(std::min(low.size(), high.size()));
    for (std::uint32_t i = 0; i < count; ++i)
        if (to_string(low, i) != to_string(high, i) ||
            node_at(low, i).value->shape() != node_at(high, i).value->shape())
            throw Error(
                fmt::format("[precision_report] the function records {} of shape {} in float, but {} of shape {} "
                            "in double",
                            to_string(low, i), to_string(node_at(low, i).value->shape()), to_string(high, i),
                            to_string(node_at(high, i).value->shape())));
    if (low.size() != high.size())
        throw Error(fmt::format("[precision_report] the function records {} nodes in float, but {} in double",
                                low.size(), high.size()));
}

void find_losses(const Tape<double>& tape, std::vector<NodePrecision>& nodes) {
    const auto count = static_cast<std::uint32_t>(nodes.size());
    // What counts of a node's digits is what arrives behind it. Where everything that is made of it has more digits
    // than it has, as a sum beside exp(0) has more than the exp(-100) in it, its own loss did no harm and counts as
    // none.
    std::vector<double> needed(count), left_of_uses(count, all_digits);
    std::vector<std::optional<std::uint32_t>> weakest_use(count);
    std::vector<double> known(count);  // to the rule: its adjoint, its result and its operands
    for (std::uint32_t i = count; i-- > 0;) {
        const bool used = weakest_use[i].has_value();
        needed[i] = used ? std::max(nodes[i].value_digits, left_of_uses[i]) : nodes[i].value_digits;
        known[i] = std::min(nodes[i].adjoint_digits.value_or(all_digits), nodes[i].value_digits);
        for (std::uint32_t input : node_at(tape, i).inputs) known[i] = std::min(known[i], nodes[input].value_digits);
        for (std::uint32_t input : node_at(tape, i).inputs) {
            left_of_uses[input] = std::min(left_of_uses[input], needed[i]);
            if (!weakest_use[input] || known[i] < known[*weakest_use[input]]) weakest_use[input] = i;
        }
        if (used && nodes[i].adjoint_digits) {
            double& loss = nodes[*weakest_use[i]].adjoint_loss;
            loss = std::max(loss, known[*weakest_use[i]] - *nodes[i].adjoint_digits);
        }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        double of_operands = all_digits;
        for (std::uint32_t input : node_at(tape, i).inputs) of_operands = std::min(of_operands, needed[input]);
        nodes[i].value_loss = std::max(of_operands - needed[i], 0.0);
    }
}

std::optional<std::size_t> worst(const std::vector<NodePrecision>& nodes, double NodePrecision::*loss) {
    const auto node = std::ranges::max_element(nodes, {}, loss);
    if (node == nodes.end() || (*node).*loss < 1) return {};
    return static_cast<std::size_t>(node - nodes.begin());
}

}  // namespace

template <class T>
std::vector<Variable<T>> record_rounded(Tape<T>& tape, const std::vector<Array<double>>& inputs) {
    std::vector<Variable<T>> xs;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        xs.push_back(tape.variable(Array<T>(xt::cast<float>(inputs[i])), fmt::format("input {}", i)));
    return xs;
}

PrecisionReport compare_recordings(const Variable<float>& low, const Variable<double>& high) {
    Tape<float>& low_tape = low.tape();
    Tape<double>& high_tape = high.tape();
    check_same(low_tape, high_tape);
    const auto adjoints = []<class T>(const Variable<T>& y) {
        const Array<T> seed(y.shape(), 1);
        return gradients_of<T>({&y, 1}, {&seed, 1}, Keep<T>::all());
    };
    const auto low_adjoints = adjoints(low);
    const auto high_adjoints = adjoints(high);

    PrecisionReport report;
    std::vector<NodePrecision>& nodes = report.nodes;
    for (std::uint32_t i = 0; i < high_tape.size(); ++i) {
        const Node<double>& node = node_at(high_tape, i);
        NodePrecision& own = nodes.emplace_back();
        own.text = to_string(high_tape, i);
        own.operation = node.operation;
        own.shape = node.value->shape();
        own.value_digits = digits_of(*node_at(low_tape, i).value, *node.value);
        if (node.requires_gradient)
            own.adjoint_digits =
                digits_of(low_adjoints[variable_at(low_tape, i)], high_adjoints[variable_at(high_tape, i)]);
    }
    find_losses(high_tape, nodes);
    report.worst_value = worst(report.nodes, &NodePrecision::value_loss);
    report.worst_adjoint = worst(report.nodes, &NodePrecision::adjoint_loss);
    return report;
}

std::string to_string(const PrecisionReport& report) {
    std::string text = fmt::format("{:<40} {:<12} {:>6} {:>8}   (digits on which float and double agree)\n", "",
                                   "shape", "value", "adjoint");
    for (const NodePrecision& node : report.nodes)
        text += fmt::format("{:<40} {:<12} {:>6.1f} {:>8}\n", node.text, to_string(node.shape), node.value_digits,
                            node.adjoint_digits ? fmt::format("{:.1f}", *node.adjoint_digits) : "-");
    const auto name = [&](const char* pass, std::optional<std::size_t> worst, double NodePrecision::*loss) {
        if (worst)
            text += fmt::format("{}, {} loses most: {:.1f} digits, in {}\n", pass, report.nodes[*worst].operation,
                                report.nodes[*worst].*loss, report.nodes[*worst].text);
        else
            text += fmt::format("{}, no operation loses a digit\n", pass);
    };
    name("forward", report.worst_value, &NodePrecision::value_loss);
    name("backward", report.worst_adjoint, &NodePrecision::adjoint_loss);
    return text;
}

template std::vector<Variable<float>> record_rounded(Tape<float>&, const std::vector<Array<double>>&);
template std::vector<Variable<double>> record_rounded(Tape<double>&, const std::vector<Array<double>>&);

}  // namespace autograd
