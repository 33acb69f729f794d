// A graph of ONNX, node by node.
#pragma once

#include <autograd/parameter.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace onnx_export {

/// What an array consists of, by ONNX's numbers.
enum class Element { float32 = 1, int32 = 6, int64 = 7, string = 8, float64 = 11 };

using Lengths = std::vector<std::int64_t>;

/// The length of an axis that each run of the graph chooses.
constexpr std::int64_t any = -1;

using Attribute = std::variant<int, double, Lengths, std::vector<std::string>, std::string>;
using Attributes = std::vector<std::pair<std::string, Attribute>>;

/// What a method gives is the name of an array, for the nodes that take it. Nothing is computed.
///
///     onnx_export::Graph graph(model.parameters());
///     const std::string x = graph.input("x", onnx_export::Element::float32, {4});
///     const std::string y = onnx_export::apply(graph, model.outer, graph.node("Tanh", {x}));
///     graph.output("y", graph.node("Add", {x, y}), onnx_export::Element::float32, {4});
class Graph {
  public:
    /// The file holds these parameters under their names, those that are used.
    explicit Graph(const std::vector<autograd::Parameter<float>>& parameters = {});
    ~Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    /// The shape is that of one row: there are as many rows as each run chooses.
    std::string input(const std::string& name, Element element, const Lengths& row);
    void output(const std::string& name, const std::string& value, Element element, const Lengths& row);
    /// Whether this is an input of int64.
    bool is_input_of_integers(const std::string& value) const;

    /// The first result of an operator, whose name is made up; "" in the place of an input that is left out.
    std::string node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes = {},
                     const std::string& domain = {});
    /// So many results.
    std::vector<std::string> nodes(const std::string& op, std::size_t results, const std::vector<std::string>& inputs,
                                   const Attributes& attributes = {});
    std::string cast(const std::string& x, Element to);

    /// Numbers in this shape; a scalar without one. A name that is taken gets a number behind it.
    std::string constant(const std::string& name, const std::vector<float>& numbers, const Lengths& shape);
    std::string constant(const std::string& name, const std::vector<double>& numbers, const Lengths& shape);
    std::string constant(const std::string& name, const std::vector<std::int64_t>& numbers, const Lengths& shape);
    std::string number(double value);           ///< a float
    std::string integer(std::int64_t value);    ///< an int64
    std::string integers(const Lengths& list);  ///< a list of int64

    /// A parameter, once, and the name that it has or gets.
    std::string parameter(const autograd::Parameter<float>& parameter);
    std::string name_of(const autograd::Parameter<float>& parameter) const;

    void metadata(const std::string& key, const std::string& text);

    /// The file. Throws `std::invalid_argument` where it would be larger than an ONNX file can be, 2 GB.
    std::string bytes() const;

  private:
    template <class T>
    std::string stored(const std::string& name, const T* numbers, std::size_t count, const Lengths& shape);
    std::string unique(const std::string& name);

    struct State;
    std::unique_ptr<State> state_;
    std::map<std::string, int> taken_;                                    // names, and how often they were asked for
    std::map<const void*, autograd::Parameter<float>> listed_, written_;  // under their names, by identity
};

}  // namespace onnx_export
