// Networks as ONNX, as ONNX's own library reads them.
#define BOOST_TEST_MODULE onnx_export
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <tuple>

#include "check_message.hpp"
#include "onnx_export/onnx_examples.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace examples;
using Net = nn::Sequential<float>;

onnx::ModelProto read(const std::string& bytes) {
    onnx::ModelProto model;
    BOOST_TEST_REQUIRE(model.ParseFromString(bytes));
    return model;
}

std::string shape_of(const onnx::ValueInfoProto& value) {
    std::string text;
    for (const auto& dim : value.type().tensor_type().shape().dim())
        text += (text.empty() ? "" : " ") + (dim.has_dim_value() ? std::to_string(dim.dim_value()) : dim.dim_param());
    return text;
}

const onnx::NodeProto& node_of(const onnx::ModelProto& model, const std::string& op) {
    for (const auto& node : model.graph().node())
        if (node.op_type() == op) return node;
    throw std::runtime_error("there is no " + op);
}

const onnx::AttributeProto& attribute_of(const onnx::NodeProto& node, const std::string& name) {
    for (const auto& attribute : node.attribute())
        if (attribute.name() == name) return attribute;
    throw std::runtime_error("there is no " + name);
}

const onnx::TensorProto& constant_of(const onnx::ModelProto& model, const std::string& name) {
    for (const auto& tensor : model.graph().initializer())
        if (tensor.name() == name) return tensor;
    throw std::runtime_error("there is no " + name);
}

std::vector<float> floats_of(const onnx::TensorProto& tensor) {
    const std::string& bytes = tensor.raw_data();
    std::vector<float> numbers(bytes.size() / sizeof(float));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
}

}  // namespace

BOOST_AUTO_TEST_CASE(onnx_accepts_each_for_any_number_of_rows) {
    for (const auto& [name, network] : all()) BOOST_TEST_CONTEXT(name) {
            onnx::ModelProto model = read(network.onnx);
            onnx::checker::check_model(model);
            // Types and shapes that do not fit throw, those of the outputs among them.
            onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), {true, 1, true});
            for (const auto& input : model.graph().input()) BOOST_TEST(shape_of(input).starts_with("rows"));
            for (const auto& output : model.graph().output()) BOOST_TEST(shape_of(output).starts_with("rows"));
        }
}

BOOST_AUTO_TEST_CASE(inputs_and_outputs_have_shapes) {
    std::mt19937_64 engine(1);
    const auto shapes = [](const Net& net, const Lengths& row) {
        const onnx::ModelProto model = read(onnx_export::bytes_of(net, row));
        return shape_of(model.graph().input(0)) + " to " + shape_of(model.graph().output(0));
    };
    BOOST_TEST(shapes(Net(nn::Dense<float>(4, 2, engine)), {4}) == "rows 4 to rows 2");
    BOOST_TEST(shapes(Net(nn::Lstm<float>(4, 2, engine)), {any, 4}) == "rows x_1 4 to rows y_1 2");
    BOOST_TEST(shapes(Net(nn::Conv2d<float>(1, 2, 3, engine)), {1, 8, any}) == "rows 1 8 x_3 to rows 2 6 y_3");
    BOOST_TEST(shapes(Net(nn::Embedding<float>(5, 3, engine)), {}) == "rows to rows 3");
    // Kernels and strides that few pixels are not enough for.
    const nn::Conv2d<float> wide(1, 1, 7, engine, {.stride = 2});
    const Net net(wide, nn::MaxPool2d<float>(2), nn::MaxPool2d<float>(2), nn::MaxPool2d<float>(2));
    BOOST_TEST(shapes(net, {1, any, any}) == "rows 1 x_2 x_3 to rows 1 y_2 y_3");
    const nn::MaxPool2d<float> pool(3, 3);
    BOOST_TEST(shapes(Net(pool, pool, pool, pool), {1, any, any}) == "rows 1 x_2 x_3 to rows 1 y_2 y_3");
    BOOST_TEST(shapes(Net(nn::Conv2d<float>(1, 2, {70, 1}, engine)), {1, any, 3}) == "rows 1 x_2 3 to rows 2 y_2 3");
    const auto element = [&](const Net& net, const Lengths& row) {
        return read(onnx_export::bytes_of(net, row)).graph().input(0).type().tensor_type().elem_type();
    };
    BOOST_TEST(element(Net(nn::Dense<float>(4, 2, engine)), {4}) == onnx::TensorProto::FLOAT);
    BOOST_TEST(element(Net(Net(nn::Embedding<float>(5, 3, engine))), {7}) == onnx::TensorProto::INT64);
}

BOOST_AUTO_TEST_CASE(parameters_have_their_names_and_stand_there_once) {
    std::mt19937_64 engine(1);
    const nn::Dense<float> tied(4, 4, engine);
    const Net net(tied, nn::RmsNorm<float>({4}), tied, nn::MultiHeadAttention<float>(4, 2, engine));
    const onnx::ModelProto model = read(onnx_export::bytes_of(net, {any, 4}));
    for (const auto& parameter : net.parameters()) {
        const onnx::TensorProto& tensor = constant_of(model, parameter.name());
        BOOST_TEST(std::vector<std::int64_t>(tensor.dims().begin(), tensor.dims().end()) ==
                       Lengths(parameter.shape().begin(), parameter.shape().end()),
                   boost::test_tools::per_element());
        BOOST_TEST(floats_of(tensor) == std::vector<float>(parameter.value().begin(), parameter.value().end()),
                   boost::test_tools::per_element());
    }
    std::size_t bytes = 0, expected = 0;
    for (const auto& tensor : model.graph().initializer()) bytes += tensor.raw_data().size();
    for (const auto& parameter : net.parameters()) expected += parameter.value().size() * sizeof(float);
    BOOST_TEST(bytes < expected + 150);  // a few numbers besides
}

// PyTorch's gates are r, z, n and i, f, g, o; ONNX's z, r, n and i, o, f, g.
BOOST_AUTO_TEST_CASE(gates_stand_in_onnxs_order) {
    std::mt19937_64 engine(1);
    const auto orders = [](const auto& layer, const std::string& op) {
        // Each number of the weights and biases says which gate it belongs to.
        for (Parameter<float> parameter : layer.parameters())
            parameter.edit([&](Array<float>& value) {
                const std::size_t block = value.size() / (parameter.shape()[0] / layer.hidden());
                for (std::size_t i = 0; i < value.size(); ++i) value.data()[i] = static_cast<float>(i / block);
            });
        const onnx::ModelProto model = read(onnx_export::bytes_of(Net(layer), {any, 2}));
        const onnx::NodeProto& node = node_of(model, op);
        std::string text;
        for (const int input : {1, 2, 3}) {
            const std::vector<float> numbers = floats_of(constant_of(model, node.input(input)));
            for (std::size_t i = 0; i < numbers.size(); ++i)
                if (i == 0 || numbers[i] != numbers[i - 1]) text += std::to_string(static_cast<int>(numbers[i]));
            text += ' ';
        }
        return text;
    };
    const nn::Gru<float> gru(2, 3, engine, {.bidirectional = true});
    BOOST_TEST(orders(gru, "GRU") == "102102 102102 102102102102 ");
    BOOST_TEST(orders(nn::Lstm<float>(2, 3, engine), "LSTM") == "0312 0312 03120312 ");
    const onnx::ModelProto model = read(onnx_export::bytes_of(Net(gru), {any, 2}));
    const onnx::NodeProto& node = node_of(model, "GRU");
    BOOST_TEST(attribute_of(node, "linear_before_reset").i() == 1);
    BOOST_TEST(attribute_of(node, "hidden_size").i() == 3);
    BOOST_TEST(attribute_of(node, "direction").s() == "bidirectional");
    BOOST_TEST(node.input(4).empty());  // no lengths
    BOOST_TEST(node.input(5).empty());  // no state
}

BOOST_AUTO_TEST_CASE(what_nobody_sees_is_masked) {
    const auto counts = [networks = all()](const std::string& name, const std::string& op) {
        const onnx::ModelProto model = read(networks.at(name).onnx);
        return std::ranges::count_if(model.graph().node(), [&](const auto& node) { return node.op_type() == op; });
    };
    for (const auto& [name, after, within, masks] : {std::tuple("attention", 0, 0, 0),
                                                     {"attention, causal", 1, 0, 1},
                                                     {"attention to others", 0, 1, 2},
                                                     {"attention to others, causal", 1, 1, 2}})
        BOOST_TEST_CONTEXT(name) {
            const bool has_lengths = within == 1;
            BOOST_TEST(counts(name, "LessOrEqual") == after);  // itself and those before it
            BOOST_TEST(counts(name, "Less") == (has_lengths ? 2 : 0));
            BOOST_TEST(counts(name, "Where") == (has_lengths ? masks + 1 : masks));  // one is of the lengths
        }
    // Words and lengths below 0, which Gather would count from the end, become the first that is too large.
    const onnx::ModelProto model = read(all().at("embedding").onnx);
    const onnx::NodeProto& where = node_of(model, "Where");
    BOOST_TEST(where.input(2) == "x");
    std::int64_t count = 0;
    std::memcpy(&count, constant_of(model, where.input(1)).raw_data().data(), sizeof count);
    BOOST_TEST(count == 7);
    BOOST_TEST(node_of(model, "Gather").input(1) == where.output(0));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_refused_by_name) {
    std::mt19937_64 engine(1);
    const nn::Dense<float> dense(4, 4, engine);
    const auto refuses = [](const Net& net, const std::string& part) {
        check_message([&] { onnx_export::bytes_of(net, {4}); }, part);
    };
    refuses(Net(dense, Block(4, engine)), "[onnx] layer 1 (Block) cannot be written: it is none of nn's");
    refuses(Net(dense, Net(dense, [](const Variable<float>& x) { return x * 2.0f; })), "layer 1.1 (function) cannot");
    refuses(Net(autograd::log1p<float>), "layer 0 (function) cannot");
    refuses(Net(dense, nn::Embedding<float>(4, 2, engine)), "layer 1 (Embedding) cannot be written: words are whole");
    Graph graph;
    check_message(
        [&] {
            onnx_export::run(graph, nn::Gru<float>(4, 2, engine), "x", "", {"h", "c"});
        },
        "[onnx] the state at the start of GRU has no cell");
    check_message(
        [&] {
            onnx_export::run(graph, nn::Lstm<float>(4, 2, engine), "x", "", {"h", ""});
        },
        "[onnx] the state at the start of LSTM has a hidden part and a cell");
    // What the network itself refuses.
    check_message([&] { onnx_export::bytes_of(Net(dense), {5}); }, "[dense] ");
    check_message([&] { onnx_export::bytes_of(Net(nn::Gru<float>(4, 2, engine)), {4}); }, "in layer 0 (Gru)");
    check_message([&] { onnx_export::bytes_of(Net(nn::LayerNorm<float>({2, 4})), {4}); }, "[layer_norm] ");
    check_message([&] { onnx_export::bytes_of(Net(nn::AvgPool2d<float>(2, 1, 2)), {1, 8, 8}); }, "[onnx] avg_pool2d");
    check_message([&] { onnx_export::bytes_of(Net(dense), {0}); }, "[onnx] a row has no axis of length 0");
    check_message([&] { onnx_export::save("/dev/null/net.onnx", Net(dense), {4}); }, "/dev/null/net.onnx");
}

BOOST_AUTO_TEST_CASE(a_file_holds_what_it_says) {
    std::mt19937_64 engine(1);
    const Folder folder;
    const Net net(nn::Dense<float>(4, 2, engine));
    onnx_export::save(folder / "net.onnx", net, {4});
    BOOST_TEST(bytes_of(folder / "net.onnx") == onnx_export::bytes_of(net, {4}));
    const onnx::ModelProto model = read(bytes_of(folder / "net.onnx"));
    BOOST_TEST(model.producer_name() == "deltarule");
    BOOST_TEST(model.opset_import_size() == 1);  // none but ONNX's own
}
