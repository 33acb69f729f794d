#include <fmt/format.h>

#include <autograd/print.hpp>

namespace autograd {

template <class T>
std::string to_string(const Tape<T>& tape, std::uint32_t index) {
    const Node<T>& node = node_at(tape, index);
    std::vector<std::string> inputs;
    for (std::uint32_t input : node.inputs) inputs.push_back(fmt::format("%{}", input));
    std::string text = fmt::format("%{} = {}({})", index, node.operation, fmt::join(inputs, ", "));
    if (!node.name.empty()) text += fmt::format(" \"{}\"", node.name);
    return text;
}

template <class T>
std::string to_string(const Tape<T>& tape) {
    std::string text;
    for (std::uint32_t i = 0; i < tape.size(); ++i) {
        const Node<T>& node = node_at(tape, i);
        text += fmt::format("{:<40} {}", to_string(tape, i), to_string(node.value->shape()));
        if (node.value->size() == 1) text += fmt::format(" = {:.6g}", *node.value->data());
        text += '\n';
    }
    return text;
}

std::string index_of(std::size_t element, ShapeView shape) {
    return fmt::format("[{}]", fmt::join(xt::unravel_index(element, Shape(shape.begin(), shape.end())), ", "));
}

template std::string to_string(const Tape<float>&, std::uint32_t);
template std::string to_string(const Tape<double>&, std::uint32_t);
template std::string to_string(const Tape<float>&);
template std::string to_string(const Tape<double>&);

}  // namespace autograd
