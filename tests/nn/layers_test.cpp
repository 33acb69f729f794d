// Layers, their containers and the values that they start from.
#define BOOST_TEST_MODULE layers
#ifndef BOOST_TEST_DYN_LINK
#define BOOST_TEST_DYN_LINK
#endif
#include <autograd/operations.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nn/dense.hpp>
#include <nn/layers.hpp>
#include <nn/mlp.hpp>
#include <nn/optimizers.hpp>
#include <nn/safetensors.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_message.hpp"

namespace {

using autograd::Array;
using autograd::Parameter;
using autograd::Shape;
using autograd::Tape;
using autograd::Variable;
using Strings = std::vector<std::string>;

Strings names_of(const std::vector<Parameter<double>>& parameters) {
    Strings names;
    for (const auto& parameter : parameters) names.push_back(parameter.name());
    return names;
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_numbers_are_fixed_by_the_seed) {
    // The C++ standard fixes the 10,000th number of the engine; the rest is arithmetic that is exact.
    std::mt19937_64 engine;
    engine.discard(9999);
    BOOST_TEST(nn::uniform(engine) == static_cast<double>(9981545732273789042ull >> 11) / 9007199254740992.0);

    double sum = 0, squares = 0;
    constexpr int n = 100000;
    for (int i = 0; i < n; ++i) {
        const double x = nn::normal(engine);
        sum += x;
        squares += x * x;
    }
    BOOST_TEST(std::abs(sum / n) < 0.02);
    BOOST_TEST(std::abs(squares / n - 1) < 0.02);
}

BOOST_AUTO_TEST_CASE(initializers) {
    const Shape shape = {200, 100};
    std::mt19937_64 engine(1);
    const auto moments = [](const Array<double>& w) {
        double largest = 0, squares = 0;
        for (double x : w.storage()) {
            largest = std::max(largest, std::abs(x));
            squares += x * x;
        }
        return std::pair(largest, squares / static_cast<double>(w.size()));
    };
    const auto [glorot_bound, glorot_variance] = moments(nn::glorot_uniform<double>(shape, engine));
    BOOST_TEST(glorot_bound <= std::sqrt(6.0 / 300));
    BOOST_TEST(glorot_bound > 0.99 * std::sqrt(6.0 / 300));
    BOOST_TEST(glorot_variance == 2.0 / 300, boost::test_tools::tolerance(0.05));
    const auto [he_bound, he_variance] = moments(nn::he_uniform<double>(shape, engine));
    BOOST_TEST(he_bound <= std::sqrt(6.0 / 100));
    BOOST_TEST(he_variance == 2.0 / 100, boost::test_tools::tolerance(0.05));
    BOOST_TEST(moments(nn::glorot_normal<double>(shape, engine)).second == 2.0 / 300,
               boost::test_tools::tolerance(0.05));
    BOOST_TEST(moments(nn::he_normal<double>(shape, engine)).second == 2.0 / 100, boost::test_tools::tolerance(0.05));

    check_message([&] { nn::glorot_uniform<double>({3, 0}, engine); }, "(out, in), both at least 1, not (3, 0)");
    check_message([&] { nn::he_normal<float>({3}, engine); }, "not (3,)");
}

BOOST_AUTO_TEST_CASE(dense) {
    std::mt19937_64 engine(1);
    nn::Dense<double> layer(3, 2, engine);
    BOOST_TEST(autograd::to_string(layer.weight.shape()) == "(2, 3)");
    BOOST_TEST(autograd::to_string(layer.bias.shape()) == "(2,)");
    BOOST_TEST(names_of(layer.parameters()) == (Strings{"weight", "bias"}), boost::test_tools::per_element());
    layer.weight.edit([](auto& value) { value = {{1, 2, 3}, {4, 5, 6}}; });
    layer.bias.edit([](auto& value) { value = {10, 20}; });

    Tape<double> tape;
    const auto x = tape.constant(Array<double>{{1, 0, 2}});
    const auto y = layer(x);
    BOOST_TEST(autograd::to_string(y.shape()) == "(1, 2)");
    BOOST_TEST(y.value()(0, 0) == 17);
    BOOST_TEST(y.value()(0, 1) == 36);
    const auto gradients = tape.backward(sum(y));
    BOOST_TEST(gradients[layer.weight](1, 2) == 2);
    BOOST_TEST(gradients[layer.bias](1) == 1);

    nn::Dense<double> unbiased(3, 2, engine, false, nn::he_normal<double>);
    BOOST_TEST(unbiased.parameters().size() == 1u);
    BOOST_TEST(autograd::to_string(unbiased(x).shape()) == "(1, 2)");

    const auto wide = tape.constant(Array<double>{{1, 2, 3, 4}});
    check_message([&] { layer(wide); },
                  "[dense] the input has shape (1, 4), but a weight of shape (2, 3) needs (..., n, 3)");
    const auto flat = tape.constant(Array<double>{1, 2, 3});
    check_message([&] { layer(flat); }, "(3,)");
    Tape<double> other;
    BOOST_CHECK_THROW(layer(other.constant(wide.value())), std::invalid_argument);
    BOOST_TEST(other.size() == 1u);  // the constant alone: nothing is half recorded
    const auto stack = tape.constant(Array<double>(autograd::Shape{4, 2, 3}, 1.0));
    BOOST_TEST(autograd::to_string(layer(stack).shape()) == "(4, 2, 2)");
    BOOST_CHECK_THROW(nn::Dense<double>(0, 2, engine), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(activations) {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{-1.5, 0.0, 2.0});
    for (const char* name : {"relu", "tanh", "sigmoid", "gelu", "silu", "softplus", "identity"})
        BOOST_TEST(nn::to_string(nn::activation_from_name(name)) == name);
    const auto at_two = [&](const char* name) {
        return nn::Activation<double>(nn::activation_from_name(name))(x).value()(2);
    };
    const auto tolerance = boost::test_tools::tolerance(1e-7);
    BOOST_TEST(at_two("relu") == 2.0);
    BOOST_TEST(at_two("tanh") == std::tanh(2.0), tolerance);
    BOOST_TEST(at_two("sigmoid") == 1 / (1 + std::exp(-2.0)), tolerance);
    BOOST_TEST(at_two("silu") == 2 / (1 + std::exp(-2.0)), tolerance);
    BOOST_TEST(at_two("softplus") == std::log1p(std::exp(2.0)), tolerance);
    BOOST_TEST(at_two("gelu") == 1 + std::erf(std::sqrt(2.0)), boost::test_tools::tolerance(1e-3));
    BOOST_TEST(at_two("identity") == 2.0);
    check_message([] { nn::activation_from_name("Relu"); }, "no activation 'Relu'; there are relu, tanh");
}

BOOST_AUTO_TEST_CASE(dropout) {
    std::mt19937_64 engine(3);
    nn::Dropout<double> layer(0.25, engine);
    layer.train(true);
    Tape<double> tape;
    const auto x = tape.variable(Array<double>(Shape{100, 100}, 3.0));
    const auto y = layer(x);
    std::size_t zeros = 0;
    for (double value : y.value().storage()) {
        if (value == 0)
            ++zeros;
        else
            BOOST_REQUIRE_SMALL(value - 4.0, 1e-12);
    }
    BOOST_TEST(std::abs(static_cast<double>(zeros) / 1e4 - 0.25) < 0.02);
    // The gradient passes where the value passed.
    const Array<double> gradient = tape.backward(sum(y))[x];
    BOOST_TEST((gradient.storage()[7] == 0) == (y.value().storage()[7] == 0));
    BOOST_TEST((layer(x).value().storage() != y.value().storage()));

    nn::Sequential<double> model(layer);
    model.train(false);
    BOOST_TEST(!layer.training());
    BOOST_TEST((model(x).value().storage() == x.value().storage()));

    std::mt19937_64 again(3);
    nn::Dropout<double> same(0.25, again);
    same.train(true);
    BOOST_TEST((same(x).value().storage() == y.value().storage()));
    check_message([&] { nn::Dropout<double>(1, engine); }, "at least 0 and below 1, not 1");
}

BOOST_AUTO_TEST_CASE(sequential) {
    std::mt19937_64 engine(1);
    const nn::Dense<double> first(3, 4, engine), last(4, 2, engine, false);
    int calls = 0;
    nn::Sequential<double> model(first, nn::Activation<double>(nn::ActivationKind::tanh), [&calls](Variable<double> x) {
        ++calls;
        return x;
    });
    model.add(last);
    BOOST_TEST(model.size() == 4u);
    BOOST_TEST(names_of(model.parameters()) == (Strings{"0.weight", "0.bias", "3.weight"}),
               boost::test_tools::per_element());
    BOOST_TEST((model.parameters()[0] == first.weight));

    Tape<double> tape;
    const auto x = tape.constant(Array<double>{{1, 0, 2}, {0, 1, 1}});
    BOOST_TEST((model(x).value().storage() == last(tanh(first(x))).value().storage()));
    BOOST_TEST(calls == 1);

    nn::Sequential<double> outer;
    outer.add(model);
    BOOST_TEST(outer.parameters()[2].name() == "0.3.weight");

    // A tied layer is listed once, and keeps its name.
    nn::Dense<double> tied(2, 2, engine);
    nn::Sequential<double> twice(tied, tied);
    BOOST_TEST(names_of(twice.parameters()) == (Strings{"0.weight", "0.bias"}), boost::test_tools::per_element());

    const auto empty = nn::Sequential<double>()(x);
    BOOST_TEST(empty.index() == x.index());
}

BOOST_AUTO_TEST_CASE(mlp) {
    std::mt19937_64 engine(5), again(5), other(6);
    const nn::Mlp<double> model({3, 5, 4, 2}, nn::ActivationKind::relu, engine);
    BOOST_TEST(
        names_of(model.parameters()) == (Strings{"0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"}),
        boost::test_tools::per_element());
    BOOST_TEST(model.widths().size() == 4u);
    BOOST_TEST(autograd::to_string(model.parameters()[4].shape()) == "(2, 4)");
    Tape<double> tape;
    const auto x = tape.constant(Array<double>(Shape{7, 3}, 0.5));
    const auto y = model(x);
    BOOST_TEST(autograd::to_string(y.shape()) == "(7, 2)");

    const nn::Mlp<double> same({3, 5, 4, 2}, nn::ActivationKind::relu, again);
    BOOST_TEST((same(x).value().storage() == y.value().storage()));
    const nn::Mlp<double> different({3, 5, 4, 2}, nn::ActivationKind::relu, other);
    BOOST_TEST((different.parameters()[0].value().storage() != model.parameters()[0].value().storage()));

    // Rectifiers start within He's bound, sqrt(6/in), the others within Glorot's, sqrt(6/(in + out)).
    using enum nn::ActivationKind;
    for (const nn::ActivationKind kind : {relu, gelu, silu, tanh, sigmoid}) {
        std::mt19937_64 fresh(5);
        const nn::Mlp<double> network({3, 50, 2}, kind, fresh);
        double largest = 0;
        for (const double weight : network.parameters()[0].value()) largest = std::max(largest, std::abs(weight));
        const bool rectifies = kind == relu || kind == gelu || kind == silu;
        BOOST_TEST(largest < (rectifies ? std::sqrt(6.0 / 3) : std::sqrt(6.0 / 53)));
        BOOST_TEST(largest > 0.9 * (rectifies ? std::sqrt(6.0 / 3) : std::sqrt(6.0 / 53)));
    }

    check_message([&] { nn::Mlp<double>({3}, nn::ActivationKind::relu, engine); }, "[mlp] needs two or more widths");
    check_message([&] { nn::Mlp<double>({3, 0, 2}, nn::ActivationKind::relu, engine); }, "not {3, 0, 2}");
}

namespace {

struct Residual {
    explicit Residual(std::mt19937_64& engine) : inner(2, 2, engine), outer(2, 2, engine, false) {}
    Variable<double> operator()(const Variable<double>& x) const {
        return x + outer(tanh(inner(x))) * x.tape().watch(scale);
    }
    std::vector<Parameter<double>> parameters() const {
        return nn::parameters_of<double>("inner", inner, "outer", outer, "scale", scale);
    }
    nn::Dense<double> inner, outer;
    Parameter<double> scale{"", Array<double>{1, 2}};
};

struct Nested {
    explicit Nested(std::mt19937_64& engine) : inner(engine), blocks{Residual(engine), Residual(engine)} {}
    Variable<double> operator()(const Variable<double>& x) const { return blocks[1](blocks[0](inner(x))); }
    std::vector<Parameter<double>> parameters() const {
        return nn::parameters_of<double>("inner", inner, "blocks", blocks);
    }
    Residual inner;
    std::vector<Residual> blocks;
};

/// Lists too few, or two under one name.
struct Careless : Residual {
    using Residual::Residual;
    std::vector<Parameter<double>> parameters() const { return {inner.weight, inner.bias, scale}; }
};
struct TwoOfOneName : Residual {
    using Residual::Residual;
    std::vector<Parameter<double>> parameters() const { return {inner.weight, outer.weight}; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(nested_layers_have_pytorchs_names) {
    std::mt19937_64 engine(1);
    const Residual block(engine);
    const Nested nested(engine);
    const nn::Sequential<double> model(nn::Dense<double>(2, 2, engine), block, nested);
    const Strings names = names_of(model.parameters());
    BOOST_TEST(
        Strings(names.begin(), names.begin() + 7) == (Strings{"0.weight", "0.bias", "1.inner.weight", "1.inner.bias",
                                                              "1.outer.weight", "1.scale", "2.inner.inner.weight"}),
        boost::test_tools::per_element());
    BOOST_TEST(names.back() == "2.blocks.1.scale");
    // The names are the list's: a layer goes on listing its own.
    const Strings own = names_of(block.parameters());
    BOOST_TEST(own == (Strings{"inner.weight", "inner.bias", "outer.weight", "scale"}),
               boost::test_tools::per_element());
    BOOST_TEST((model.parameters()[2] == block.inner.weight));
    Tape<double> tape;
    const auto x = tape.constant(Array<double>{{1, 2}});
    nn::AdamW<double> optimizer(model.parameters(), {.rate = 0.1});
    optimizer.step(tape.backward(sum(model(x))));

    const std::string path = "nested_layers.safetensors";
    nn::save(path, model.parameters());
    BOOST_TEST(nn::read_safetensors<double>(path).arrays.at("2.blocks.0.inner.weight")(0, 1) ==
               nested.blocks[0].inner.weight.value()(0, 1));
    std::remove(path.c_str());
    check_message([&] { nn::save(path, std::vector{Parameter<double>("__metadata__", Array<double>{1})}); },
                  "[save] no parameter can have the name '__metadata__'");

    // A layer is looked at by its type.
    const auto* dense = model.get_if<nn::Dense<double>>(0);
    BOOST_REQUIRE(dense != nullptr);
    BOOST_TEST((dense->weight == model.parameters()[0]));
    BOOST_TEST(model.get_if<nn::Dense<double>>(1) == nullptr);
    BOOST_TEST((model.get_if<Residual>(1)->scale == block.scale));
    BOOST_TEST(model.name(1) == "Residual");
    BOOST_CHECK_THROW(model.get_if<Residual>(3), std::out_of_range);

    // One array under two names of a list is listed once.
    BOOST_TEST(nn::parameters_of<double>("a", block.scale, "b", block.scale).size() == 1u);
    std::vector<Parameter<double>> kept = nn::Mlp<double>({2, 1}, nn::ActivationKind::relu, engine).parameters();
    BOOST_TEST(names_of(kept) == (Strings{"0.weight", "0.bias"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_layer_lists_what_it_watches) {
    std::mt19937_64 engine(1);
    Tape<double> tape;
    const nn::Dense<double> hidden(2, 2, engine);
    const nn::Sequential<double> careless(nn::Dense<double>(2, 2, engine), Careless(engine)),
        lambda([&hidden](const Variable<double>&y) { return hidden(y); });
    for (int call = 0; call < 2; ++call) {
        tape.rewind();
        const auto again = tape.constant(Array<double>{{1, 2}});
        check_message([&] { careless(again); },
                      "[sequential] layer 1 watches the parameter 'weight', which its parameters() does not list");
        check_message([&] { lambda(again); }, "[sequential] layer 0 watches the parameter '");
    }
    check_message([&] { nn::Sequential<double>(nn::Dense<double>(2, 2, engine), TwoOfOneName(engine)); },
                  "[sequential] layer 1 lists two parameters under the name 'weight'");
    // A tied weight is listed by the layer before.
    tape.rewind();
    const nn::Sequential<double> tied(
        hidden, [&hidden](const Variable<double>& y) { return matmul(y, y.tape().watch(hidden.weight)); });
    tied(tape.constant(Array<double>{{1, 2}}));
}
