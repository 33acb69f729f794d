#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <onnx_export/onnx_graph.hpp>
#include <stdexcept>
#include <type_traits>

namespace onnx_export {

namespace {

// What IR and operators are: the versions that Debian 12's ONNX has, which later runtimes read.
constexpr int ir_version = 8, opset = 13, ml_opset = 1;

static_assert(static_cast<int>(Element::float32) == onnx::TensorProto::FLOAT &&
              static_cast<int>(Element::int32) == onnx::TensorProto::INT32 &&
              static_cast<int>(Element::int64) == onnx::TensorProto::INT64 &&
              static_cast<int>(Element::string) == onnx::TensorProto::STRING &&
              static_cast<int>(Element::float64) == onnx::TensorProto::DOUBLE);

template <class T>
constexpr Element element_of = std::is_same_v<T, float>    ? Element::float32
                               : std::is_same_v<T, double> ? Element::float64
                                                           : Element::int64;

void describe(onnx::ValueInfoProto& value, const std::string& name, Element element, const Lengths& row) {
    value.set_name(name);
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(static_cast<int>(element));
    auto& shape = *tensor.mutable_shape();
    shape.add_dim()->set_dim_param("rows");
    for (const std::int64_t length : row)
        if (length == any)
            shape.add_dim()->set_dim_param(fmt::format("{}_{}", name, shape.dim_size() - 1));
        else
            shape.add_dim()->set_dim_value(length);
}

void set(onnx::AttributeProto& to, int value) {
    to.set_type(onnx::AttributeProto::INT);
    to.set_i(value);
}
void set(onnx::AttributeProto& to, double value) {
    to.set_type(onnx::AttributeProto::FLOAT);
    to.set_f(static_cast<float>(value));
}
void set(onnx::AttributeProto& to, const Lengths& values) {
    to.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) to.add_ints(value);
}
void set(onnx::AttributeProto& to, const std::vector<std::string>& words) {
    to.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& word : words) to.add_strings(word);
}
void set(onnx::AttributeProto& to, const std::string& word) {
    to.set_type(onnx::AttributeProto::STRING);
    to.set_s(word);
}

}  // namespace

struct Graph::State {
    onnx::ModelProto file;
    onnx::GraphProto& graph = *file.mutable_graph();

    onnx::NodeProto& add(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes) {
        onnx::NodeProto& node = *graph.add_node();
        node.set_op_type(op);
        for (const std::string& input : inputs) node.add_input(input);
        for (const auto& [name, value] : attributes) {
            onnx::AttributeProto& attribute = *node.add_attribute();
            attribute.set_name(name);
            std::visit([&](const auto& held) { set(attribute, held); }, value);
        }
        return node;
    }
};

Graph::Graph(const std::vector<autograd::Parameter<float>>& parameters) : state_(std::make_unique<State>()) {
    onnx::ModelProto& file = state_->file;
    file.set_ir_version(ir_version);
    file.set_producer_name("deltarule");
    file.set_producer_version(DELTARULE_VERSION);
    file.add_opset_import()->set_version(opset);
    state_->graph.set_name("network");
    for (const auto& parameter : parameters) listed_.emplace(parameter.identity(), parameter);
}

Graph::~Graph() = default;

std::string Graph::unique(const std::string& name) {
    const int times = ++taken_[name];
    return times == 1 ? name : unique(fmt::format("{}_{}", name, times));
}

std::string Graph::input(const std::string& name, Element element, const Lengths& row) {
    const std::string own = unique(name);
    describe(*state_->graph.add_input(), own, element, row);
    return own;
}

void Graph::output(const std::string& name, const std::string& value, Element element, const Lengths& row) {
    onnx::NodeProto& node = state_->add("Identity", {value}, {});
    node.set_name(unique(name));
    node.add_output(node.name());
    describe(*state_->graph.add_output(), node.name(), element, row);
}

bool Graph::is_input_of_integers(const std::string& value) const {
    return std::ranges::any_of(state_->graph.input(), [&](const onnx::ValueInfoProto& input) {
        return input.name() == value && input.type().tensor_type().elem_type() == onnx::TensorProto::INT64;
    });
}

std::vector<std::string> Graph::nodes(const std::string& op, std::size_t results,
                                      const std::vector<std::string>& inputs, const Attributes& attributes) {
    onnx::NodeProto& node = state_->add(op, inputs, attributes);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < results; ++i) {
        names.push_back(unique(fmt::format("{}_{}", op, state_->graph.node_size())));
        node.add_output(names.back());
    }
    node.set_name(names[0]);
    return names;
}

std::string Graph::node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes,
                        const std::string& domain) {
    const std::string name = nodes(op, 1, inputs, attributes)[0];
    if (!domain.empty()) {
        state_->graph.mutable_node(state_->graph.node_size() - 1)->set_domain(domain);
        if (state_->file.opset_import_size() == 1) {
            onnx::OperatorSetIdProto& ml = *state_->file.add_opset_import();
            ml.set_domain("ai.onnx.ml");
            ml.set_version(ml_opset);
        }
    }
    return name;
}

std::string Graph::cast(const std::string& x, Element to) { return node("Cast", {x}, {{"to", static_cast<int>(to)}}); }

template <class T>
std::string Graph::stored(const std::string& name, const T* numbers, std::size_t count, const Lengths& shape) {
    onnx::TensorProto& tensor = *state_->graph.add_initializer();
    tensor.set_name(unique(name));
    tensor.set_data_type(static_cast<int>(element_of<T>));
    for (const std::int64_t length : shape) tensor.add_dims(length);
    tensor.set_raw_data(numbers, count * sizeof(T));
    return tensor.name();
}

std::string Graph::constant(const std::string& name, const std::vector<float>& numbers, const Lengths& shape) {
    return stored(name, numbers.data(), numbers.size(), shape);
}
std::string Graph::constant(const std::string& name, const std::vector<double>& numbers, const Lengths& shape) {
    return stored(name, numbers.data(), numbers.size(), shape);
}
std::string Graph::constant(const std::string& name, const std::vector<std::int64_t>& numbers, const Lengths& shape) {
    return stored(name, numbers.data(), numbers.size(), shape);
}
std::string Graph::number(double value) {
    return constant("number", std::vector<float>{static_cast<float>(value)}, {});
}
std::string Graph::integer(std::int64_t value) { return constant("integer", Lengths{value}, {}); }
std::string Graph::integers(const Lengths& list) {
    return constant("integers", list, {static_cast<std::int64_t>(list.size())});
}

std::string Graph::name_of(const autograd::Parameter<float>& parameter) const {
    const auto found = listed_.find(parameter.identity());
    return found == listed_.end() ? parameter.name() : found->second.name();
}

std::string Graph::parameter(const autograd::Parameter<float>& parameter) {
    const auto found = written_.find(parameter.identity());
    if (found != written_.end()) return found->second.name();
    const autograd::Shape& shape = parameter.shape();
    const std::string name = stored(name_of(parameter), parameter.value().data(), parameter.value().size(),
                                    Lengths(shape.begin(), shape.end()));
    written_.emplace(parameter.identity(), parameter.named(name));
    return name;
}

void Graph::metadata(const std::string& key, const std::string& text) {
    onnx::StringStringEntryProto& entry = *state_->file.add_metadata_props();
    entry.set_key(key);
    entry.set_value(text);
}

std::string Graph::bytes() const {
    std::string bytes;
    if (!state_->file.SerializeToString(&bytes))
        throw std::invalid_argument("[onnx] the network does not fit into an ONNX file, which has room for 2 GB");
    return bytes;
}

}  // namespace onnx_export
