// Every layer: PyTorch's values and gradients (tests/golden/layers.json), derivatives of the second order, and a file.
#define BOOST_TEST_MODULE layer_families
#include <autograd/grad.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/operations.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <nn/nn.hpp>
#include <set>

#include "temporary_folder.hpp"

namespace {

using namespace autograd;
using A = Array<double>;
using V = Variable<double>;
using Inputs = std::vector<V>;
using Json = nlohmann::json;

const Folder folder;

/// Numbers between -1 and 1 that make_golden.py makes as well.
A wave(const Shape& shape, int k) {
    A values(shape);
    for (std::size_t i = 0; i < values.size(); ++i) values.data()[i] = std::sin(0.9 * static_cast<double>(i) + 1.7 * k);
    return values;
}

/// A layer as a function of variables, and its parameters.
struct Case {
    std::vector<A> inputs;
    std::function<V(Tape<double>& tape, const Inputs& xs)> call;
    std::vector<Parameter<double>> parameters = {};
    bool is_smooth = true;  ///< differences see its derivatives at these inputs
};

template <class L>
Case layer(L made, std::vector<Shape> shapes) {
    Case c;
    for (std::size_t k = 0; k < shapes.size(); ++k) c.inputs.push_back(wave(shapes[k], 50 + static_cast<int>(k)));
    if constexpr (requires { made.parameters(); }) c.parameters = made.parameters();
    c.call = [made](Tape<double>&, const Inputs& xs) { return made(xs[0]); };
    return c;
}

template <class L>
Case in_mode(L made, bool training, std::vector<Shape> shapes) {
    made.train(training);
    return layer(std::move(made), std::move(shapes));
}

V flat(const std::vector<V>& parts) {
    std::vector<V> rows;
    for (const V& part : parts) rows.push_back(reshape(part, {-1}));
    return concatenate(rows);
}

template <class L>
Case recurrent(L made, std::vector<Shape> shapes, const std::optional<Indices>& lengths = {}) {
    Case c = layer(made, std::move(shapes));
    c.call = [made, lengths](Tape<double>&, const Inputs& xs) {
        std::optional<nn::RecurrentState<double>> start;
        if (xs.size() > 1) start = {xs[1], xs.size() > 2 ? xs[2] : V()};
        const auto [output, state] = made.run(xs[0], lengths, start);
        std::vector<V> results{output, state.hidden};
        if constexpr (std::is_same_v<L, nn::Lstm<double>>) results.push_back(state.cell);
        return flat(results);
    };
    return c;
}

/// By the names of the golden file; from a seed, so that two of one name start apart.
std::map<std::string, Case> cases(unsigned seed) {
    std::mt19937_64 engine(seed);
    std::map<std::string, Case> all;
    all["conv2d"] = layer(nn::Conv2d<double>(2, 3, {3, 2}, engine), {{2, 2, 5, 4}});
    all["conv2d in groups"] =
        layer(nn::Conv2d<double>(4, 4, 3, engine,
                                 {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2}, false),
              {{1, 4, 5, 5}});
    all["conv2d of a pixel"] = layer(nn::Conv2d<double>(3, 2, 1, engine), {{2, 3, 2, 3}});
    all["max_pool2d"] = layer(nn::MaxPool2d<double>(3, 2, 1), {{1, 2, 5, 5}});
    all["max_pool2d dilated"] = layer(nn::MaxPool2d<double>({2, 3}, 1, {1, 0}, {1, 2}), {{1, 1, 4, 6}});
    Case& ties = all["max_pool2d of ties"] = layer(nn::MaxPool2d<double>(2), {{1, 1, 6, 6}});
    for (double& x : ties.inputs[0]) x = std::nearbyint(x);
    ties.is_smooth = false;
    all["avg_pool2d"] = layer(nn::AvgPool2d<double>(2, Extent{2, 1}, 1), {{1, 2, 4, 3}});
    all["global_avg_pool2d"] = layer(nn::GlobalAvgPool2d<double>(), {{2, 3, 2, 3}});
    all["flatten"] = layer(nn::Flatten<double>(), {{2, 3, 2}});
    all["gelu"] = layer(nn::Gelu<double>(), {{2, 5}});
    all["silu"] = layer(nn::Silu<double>(), {{2, 5}});
    all["leaky_relu"] = layer(nn::LeakyRelu<double>{0.1}, {{2, 5}});
    all["elu"] = layer(nn::Elu<double>{0.7}, {{2, 5}});
    all["softmax"] = layer(nn::Softmax<double>{1}, {{2, 5, 2}});
    for (const bool training : {true, false}) {
        const std::string mode = training ? " in training" : " in evaluation";
        using Norm = nn::BatchNorm<double>;
        all["batch_norm of rows" + mode] = in_mode(Norm(3), training, {{5, 3}});
        all["batch_norm of lengths" + mode] = in_mode(Norm(3, {.momentum = 0.3}), training, {{2, 3, 4}});
        all["batch_norm of images" + mode] = in_mode(Norm(2, {.epsilon = 1e-3}), training, {{3, 2, 2, 3}});
        all["batch_norm without weights" + mode] = in_mode(Norm(2, {.affine = false}), training, {{2, 2, 2, 2}});
    }
    all["layer_norm"] = layer(nn::LayerNorm<double>({3}), {{2, 4, 3}});
    all["layer_norm of two axes"] = layer(nn::LayerNorm<double>({2, 3}, 1e-3, false), {{4, 2, 3}});
    all["rms_norm"] = layer(nn::RmsNorm<double>({4}), {{3, 4}});
    const nn::Embedding<double> embedding(5, 3, engine);
    all["embedding"] = {{},
                        [embedding](Tape<double>& tape, const Inputs&) {
                            return embedding(tape, Indices{{4, 0, 4}, {1, 2, 0}});
                        },
                        embedding.parameters()};
    const nn::RecurrentOptions both{.layers = 2, .bidirectional = true};
    const Indices lengths{2, 4, 1};
    const Shape x{2, 4, 2}, state{1, 2, 3}, sequences{3, 4, 2};
    all["rnn"] = recurrent(nn::Rnn<double>(2, 3, engine), {x, state});
    all["gru"] = recurrent(nn::Gru<double>(2, 3, engine), {x, state});
    all["lstm"] = recurrent(nn::Lstm<double>(2, 3, engine), {x, state, state});
    all["rnn of different lengths"] = recurrent(nn::Rnn<double>(2, 2, engine, both), {sequences}, lengths);
    all["gru of different lengths"] = recurrent(nn::Gru<double>(2, 2, engine, both), {sequences}, lengths);
    all["lstm of different lengths"] = recurrent(nn::Lstm<double>(2, 2, engine, both), {sequences}, lengths);
    all["attention"] = layer(nn::MultiHeadAttention<double>(4, 2, engine), {{2, 3, 4}});
    all["attention, causal"] =
        layer(nn::MultiHeadAttention<double>(4, 2, engine, {.causal = true, .bias = false}), {{2, 3, 4}});
    const nn::MultiHeadAttention<double> others(4, 2, engine);
    all["attention to others"] = layer(others, {{2, 3, 4}, {2, 5, 4}});
    all["attention to others"].call = [others](Tape<double>&, const Inputs& xs) {
        return others(xs[0], xs[1], xs[1], Indices{2, 5});
    };
    return all;
}

/// The parameters that are learned, and the buffers.
std::vector<Parameter<double>> learned(const Case& c) {
    std::vector<Parameter<double>> some = c.parameters;
    std::erase_if(some, [](const auto& parameter) { return parameter.is_buffer(); });
    return some;
}

void set_to_waves(const Case& c) {
    for (std::size_t k = 0; k < c.parameters.size(); ++k) {
        Parameter<double> parameter = c.parameters[k];
        const bool positive = parameter.name().ends_with("var");
        const A values = wave(parameter.shape(), static_cast<int>(k) + 1) / 2;
        parameter.edit([&](A& value) { value = positive ? A(xt::abs(values) + 0.5) : values; });
    }
}

Inputs variables(Tape<double>& tape, const std::vector<A>& inputs) {
    Inputs xs;
    for (const A& input : inputs) xs.push_back(tape.variable(input));
    return xs;
}

/// To 1e-12 of the largest number.
void check_same(const A& got, const Json& stored, const std::string& what) {
    BOOST_TEST_REQUIRE(got.size() == stored["data"].size(), what);
    double largest = 1;
    for (const Json& number : stored["data"]) largest = std::max(largest, std::abs(number.get<double>()));
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double expected = stored["data"][i];
        BOOST_TEST(std::abs(got.data()[i] - expected) <= 1e-12 * largest,
                   what << " at " << i << ": " << got.data()[i] << " instead of " << expected);
    }
}

const Json& golden() {
    static const Json stored = Json::parse(std::ifstream(DELTARULE_SOURCE_DIR "/tests/golden/layers.json"));
    return stored;
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_and_gradients_are_pytorchs) {
    auto all = cases(1);
    for (const Json& stored : golden()) BOOST_TEST_CONTEXT(stored["layer"]) {
            BOOST_TEST_REQUIRE(all.contains(stored["layer"]));
            const Case& c = all[stored["layer"]];
            set_to_waves(c);
            BOOST_TEST_REQUIRE(stored["names"].size() == c.parameters.size());
            for (std::size_t k = 0; k < c.parameters.size(); ++k) {
                BOOST_TEST(c.parameters[k].name() == stored["names"][k].get<std::string>());
                const auto lengths = stored["shapes"][k].get<std::vector<std::size_t>>();
                BOOST_TEST(to_string(c.parameters[k].shape()) == to_string(Shape(lengths.begin(), lengths.end())));
            }
            Tape<double> tape;
            const Inputs xs = variables(tape, c.inputs);
            const V y = c.call(tape, xs);
            check_same(y.value(), stored["value"], "the value");
            const auto gradients = tape.backward(sum(y * wave(y.shape(), 99)));
            std::size_t k = 0;
            for (const V& x : xs) check_same(gradients[x], stored["gradients"][k++], "the gradient by an input");
            for (const auto& parameter : learned(c))
                check_same(gradients[parameter], stored["gradients"][k++], parameter.name());
            k = 0;
            for (const auto& parameter : c.parameters)
                if (parameter.is_buffer()) check_same(parameter.value(), stored["buffers"][k++], parameter.name());
        }
    BOOST_TEST(golden().size() == all.size());
}

BOOST_AUTO_TEST_CASE(inputs_have_derivatives_of_the_second_order) {
    for (const auto& [name, c] : cases(2)) BOOST_TEST_CONTEXT(name) {
            if (!c.is_smooth || c.inputs.empty()) continue;
            const bool trains = name.ends_with("training");
            const auto f = [&one = c, trains](const Inputs& xs) {
                const std::optional<nn::Training<double>> training =
                    trains ? std::optional<nn::Training<double>>(std::in_place, xs[0].tape()) : std::nullopt;
                return one.call(xs[0].tape(), xs);
            };
            const auto first = gradcheck(f, c.inputs);
            BOOST_TEST(first.passed, first.message);
            const auto second = gradgradcheck(f, c.inputs);
            BOOST_TEST(second.passed, second.message);
        }
}

// The Hessian times a direction in inputs and parameters alike, against central differences of gradients.
BOOST_AUTO_TEST_CASE(parameters_have_derivatives_of_the_second_order) {
    for (const auto& [name, c] : cases(3)) BOOST_TEST_CONTEXT(name) {
            if (!c.is_smooth) continue;
            const auto parameters = learned(c);
            std::vector<A> directions;
            const auto direction = [&](const Shape& shape) {
                directions.push_back(wave(shape, 70 + static_cast<int>(directions.size())));
            };
            for (const A& input : c.inputs) direction(input.shape());
            for (const auto& parameter : parameters) direction(parameter.shape());

            Tape<double> tape;
            Inputs leaves = variables(tape, c.inputs);
            const V y = c.call(tape, leaves), total = sum(y * y * wave(y.shape(), 99));
            for (const auto& parameter : parameters) leaves.push_back(tape.watch(parameter));
            V slope = tape.constant(0.0);
            const auto gradients = grad(total, leaves);
            for (std::size_t k = 0; k < leaves.size(); ++k) slope = slope + sum(gradients[k] * directions[k]);
            const auto products = tape.backward(slope);

            const double step = 1e-5;
            const auto gradients_at = [&](double way) {
                std::vector<A> inputs = c.inputs;
                for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k] += way * directions[k];
                for (std::size_t k = 0; k < parameters.size(); ++k)
                    Parameter<double>(parameters[k]).edit([&](A& value) {
                        value += way * directions[inputs.size() + k];
                    });
                Tape<double> other;
                Inputs xs = variables(other, inputs);
                const V z = c.call(other, xs);
                const auto found = other.backward(sum(z * z * wave(z.shape(), 99)));
                std::vector<A> arrays;
                for (const V& x : xs) arrays.push_back(found[x]);
                for (const auto& parameter : parameters) arrays.push_back(found[parameter]);
                for (std::size_t k = 0; k < parameters.size(); ++k)
                    Parameter<double>(parameters[k]).edit([&](A& value) {
                        value -= way * directions[inputs.size() + k];
                    });
                return arrays;
            };
            std::vector<A> exact;
            for (const V& leaf : leaves) exact.push_back(products[leaf]);
            const auto after = gradients_at(step), before = gradients_at(-step);
            for (std::size_t k = 0; k < exact.size(); ++k) {
                double largest = 1;
                for (const double value : exact[k]) largest = std::max(largest, std::abs(value));
                for (std::size_t i = 0; i < exact[k].size(); ++i) {
                    const double difference = (after[k].data()[i] - before[k].data()[i]) / (2 * step);
                    BOOST_TEST(std::abs(difference - exact[k].data()[i]) <= 1e-7 * largest,
                               "leaf " << k << " at " << i << ": " << exact[k].data()[i] << " and " << difference);
                }
            }
        }
}

BOOST_AUTO_TEST_CASE(a_file_holds_all_of_a_layer) {
    auto saved = cases(4), loaded = cases(5);
    for (auto& [name, c] : saved) BOOST_TEST_CONTEXT(name) {
            if (c.parameters.empty()) continue;
            set_to_waves(c);
            nn::save(folder / "layer", c.parameters);
            nn::load(folder / "layer", loaded[name].parameters);
            Tape<double> tape;
            const Inputs xs = variables(tape, c.inputs);
            BOOST_TEST((c.call(tape, xs).value() == loaded[name].call(tape, xs).value()));
        }
}
