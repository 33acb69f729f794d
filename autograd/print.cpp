#include <fmt/format.h>
#include <fmt/ranges.h>

#include <autograd/print.hpp>
#include <ostream>

namespace autograd {

namespace {

/// What stands between two elements of an axis: a comma, and lines for each axis inside.
std::string separator(std::size_t axes_inside, std::size_t indent) {
    return axes_inside == 0 ? ", " : fmt::format(",{:\n<{}}{:{}}", "", axes_inside, "", indent);
}

template <class T>
void print_axis(std::ostream& out, const T*& element, ShapeView shape, std::size_t axis, bool whole) {
    if (axis == shape.size()) {
        out << +*element++;
        return;
    }
    constexpr std::size_t edge = 3;
    const std::size_t inside = size_of(shape.subspan(axis + 1));
    out << '[';
    for (std::size_t i = 0; i < shape[axis]; ++i) {
        if (i > 0) out << separator(shape.size() - axis - 1, axis + 1);
        if (!whole && shape[axis] > 2 * edge && i == edge) {
            out << "..." << separator(shape.size() - axis - 1, axis + 1);
            element += (shape[axis] - 2 * edge) * inside;
            i = shape[axis] - edge;
        }
        print_axis(out, element, shape, axis + 1, whole);
    }
    out << ']';
}

template <class T>
void print(std::ostream& out, const Array<T>& array) {
    constexpr std::size_t most = 1000;
    const T* element = array.data();
    print_axis(out, element, array.shape(), 0, array.size() <= most);
}

}  // namespace

template <class T>
std::ostream& operator<<(std::ostream& out, const Variable<T>& x) {
    print(out, x.value());
    return out;
}

template <class T>
std::ostream& operator<<(std::ostream& out, const Gradients<T>& gradients) {
    const auto& adjoints = gradients.table().adjoints;
    for (std::size_t i = 0; i < adjoints.size(); ++i) {
        if (adjoints[i] == nullptr) continue;
        out << '%' << i << ' ' << to_string(adjoints[i]->shape()) << '\n';
        print(out, *adjoints[i]);
        out << '\n';
    }
    return out;
}

template <class T>
std::string to_string(const Tape<T>& tape, std::uint32_t index) {
    const Node<T>& node = node_at(tape, index);
    std::vector<std::string> inputs;
    for (std::uint32_t input : node.inputs) inputs.push_back(fmt::format("%{}", input));
    std::string text = fmt::format("%{} = {}", index, node.operation);
    if (!inputs.empty()) text += fmt::format("({})", fmt::join(inputs, ", "));  // a leaf has none
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
template std::ostream& operator<<(std::ostream&, const Variable<float>&);
template std::ostream& operator<<(std::ostream&, const Variable<double>&);
template std::ostream& operator<<(std::ostream&, const Gradients<float>&);
template std::ostream& operator<<(std::ostream&, const Gradients<double>&);

}  // namespace autograd

namespace xt {

template <class T>
requires std::is_arithmetic_v<T> std::ostream& operator<<(std::ostream& out, const autograd::Array<T>& array) {
    autograd::print(out, array);
    return out;
}

template std::ostream& operator<<(std::ostream&, const autograd::Array<float>&);
template std::ostream& operator<<(std::ostream&, const autograd::Array<double>&);
template std::ostream& operator<<(std::ostream&, const autograd::Array<std::int64_t>&);
template std::ostream& operator<<(std::ostream&, const autograd::Array<int>&);
template std::ostream& operator<<(std::ostream&, const autograd::Array<bool>&);

}  // namespace xt
