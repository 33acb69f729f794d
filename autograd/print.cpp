#include <fmt/format.h>

#include <autograd/print.hpp>

namespace autograd {

template <class T>
std::string to_string(const Tape<T>& tape) {
    std::string text;
    for (std::uint32_t i = 0; i < tape.size(); ++i) {
        const Node<T>& node = tape.node(i);
        std::vector<std::string> inputs;
        for (std::uint32_t input : node.inputs) inputs.push_back(fmt::format("%{}", input));
        std::string line = fmt::format("%{} = {}({})", i, node.operation, fmt::join(inputs, ", "));
        if (!node.name.empty()) line += fmt::format(" \"{}\"", node.name);
        text += fmt::format("{:<40} {}", line, to_string(node.value->shape()));
        if (node.value->size() == 1) text += fmt::format(" = {:.6g}", *node.value->data());
        text += '\n';
    }
    return text;
}

template std::string to_string(const Tape<float>&);
template std::string to_string(const Tape<double>&);

}  // namespace autograd
