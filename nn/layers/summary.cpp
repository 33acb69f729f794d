#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <autograd/node.hpp>
#include <nn/summary.hpp>
#include <ostream>
#include <string_view>

namespace nn {

using autograd::Array;
using autograd::Node;
using autograd::Parameter;
using autograd::Shape;
using autograd::Tape;
using autograd::to_string;
using autograd::Variable;

namespace {

/// How many products of two numbers a recorded operation adds up.
template <class T>
std::size_t multiply_adds(const Tape<T>& tape, const Node<T>& node) {
    const std::string_view name = node.operation;
    const auto input = [&](std::size_t i) -> const Shape& { return node_at(tape, node.inputs[i]).value->shape(); };
    if (name == "linear") return node.value->size() * input(0).back();
    if (name == "conv2d") return node.value->size() * autograd::size_of(autograd::ShapeView(input(1)).subspan(1));
    if (name == "matmul" && node.value->dimension() >= 2) {  // a is (m, k), or its transpose
        const Shape& a = input(0);
        const std::size_t m = node.value->shape()[node.value->dimension() - 2];
        return m == 0 ? 0 : node.value->size() * (a[a.size() - 1] * a[a.size() - 2] / m);
    }
    return 0;
}

void add(SummaryRow& total, const SummaryRow& row) {
    total.parameters += row.parameters;
    total.buffers += row.buffers;
    total.multiply_adds += row.multiply_adds;
    total.bytes += row.bytes;
}

std::string grouped(std::size_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
    return digits;
}

}  // namespace

template <class T>
Summary summarized(const Array<T>& input, const std::vector<Parameter<T>>& parameters,
                   const std::function<void(const Variable<T>&, const typename Sequential<T>::Seen&)>& call) {
    Tape<T> tape;
    const Evaluation<T> evaluation(tape);
    Summary summary;
    summary.input = input.shape();
    const Variable<T> x = tape.constant(input);
    std::size_t told = tape.size();
    call(x, [&](const std::string& number, const std::string& layer, const Variable<T>& y) {
        SummaryRow row;
        row.number = number;
        row.layer = layer;
        row.shape = y.shape();
        for (; told < tape.size(); ++told) {
            const Node<T>& node = node_at(tape, static_cast<std::uint32_t>(told));
            row.multiply_adds += multiply_adds(tape, node);
            if (node.value == &node.storage) row.bytes += node.value->size() * sizeof(T);
        }
        for (const Parameter<T>& parameter : parameters) {
            if (!number.empty() && !parameter.name().starts_with(number + ".")) continue;
            (parameter.is_buffer() ? row.buffers : row.parameters) += parameter.value().size();
            row.bytes += parameter.value().size() * sizeof(T);
        }
        add(summary.total, row);
        summary.total.shape = row.shape;
        summary.rows.push_back(std::move(row));
    });
    summary.total.layer = "total";
    return summary;
}

std::ostream& operator<<(std::ostream& out, const Summary& summary) {
    std::vector<std::array<std::string, 6>> lines{{"", "layer", "shape", "parameters", "multiply-adds", "bytes"},
                                                  {"", "input", to_string(summary.input), "", "", ""}};
    const auto line = [&](const SummaryRow& row) {
        std::string parameters = grouped(row.parameters);
        if (row.buffers != 0) parameters += fmt::format(" + {}", grouped(row.buffers));
        lines.push_back(
            {row.number, row.layer, to_string(row.shape), parameters, grouped(row.multiply_adds), grouped(row.bytes)});
    };
    for (const SummaryRow& row : summary.rows) line(row);
    line(summary.total);
    std::array<std::size_t, 6> widths{};
    for (const auto& cells : lines)
        for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
    for (const auto& cells : lines) {
        std::string text;
        for (std::size_t i = 0; i < cells.size(); ++i)
            text += i < 3 ? fmt::format("{:<{}}  ", cells[i], widths[i]) : fmt::format("{:>{}}  ", cells[i], widths[i]);
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << '\n';
    }
    return out;
}

#define INSTANTIATE(T)                                                             \
    template Summary summarized(const Array<T>&, const std::vector<Parameter<T>>&, \
                                const std::function<void(const Variable<T>&, const Sequential<T>::Seen&)>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
