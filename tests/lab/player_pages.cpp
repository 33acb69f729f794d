// player_pages FOLDER: writes the pages that the browser steps through.
#include <fmt/format.h>
#include <autograd/autograd.hpp>
#include <iostream>
#include <lab/explained_derivation.hpp>
#include <lab/player.hpp>
#include <nn/nn.hpp>
#include <random>

using autograd::Array, autograd::Indices, autograd::Parameter, autograd::Tape;
using lab::Recording;

namespace {

const std::string markup = "<script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 1\">";

/// The coursework: one hidden layer of sigmoids, softmax and cross-entropy, a batch of three.
template <class T>
Recording coursework(const std::string& name = "") {
    std::mt19937_64 engine(4);
    const nn::Dense<T> hidden(3, 4, engine), output(4, 5, engine);
    const Parameter<T> w1(name + "0.weight", hidden.weight.value()), b1("0.bias", Array<T>({0.1, -0.2, 0.3, 0.4})),
        w2("2.weight", output.weight.value()), b2("2.bias", Array<T>({0.5, 0.0, -0.5, 0.2, 0.1}));
    Tape<T> tape;
    const auto x = tape.constant({{0.5, -1.2, 0.3}, {1.5, 0.7, -0.4}, {-0.8, 0.1, 2.0}}, name + "x");
    const auto a = sigmoid(linear(x, tape.watch(w1), tape.watch(b1)));
    const auto loss = softmax_cross_entropy(linear(a, tape.watch(w2), tape.watch(b2)), Indices{2, 0, 4});
    Recording recording = lab::record_of(tape, loss, {.title = name + "coursework"});
    recording.source = "index i : input = 3\n" + name + "claim delta[j] = sum(k, w[k,j] * delta[k])\n";
    // A wrong claim about the hidden layer: the slope is forgotten.
    lab::Claim claim{2,
                     name + "delta[j] = sum(k, w[k,j] * delta[k])",
                     "wrong",
                     name + "the slope is missing",
                     "delta[j] = f'(z[j]) * sum(k, w[k,j] * delta[k])",
                     0,
                     {},
                     {}};
    for (std::uint32_t id = 0; id < recording.nodes.size(); ++id)
        if (recording.nodes[id].operation == "sigmoid") {
            claim.node = recording.nodes[id].inputs[0];
            claim.value = recording.nodes[id].adjoint;
            claim.tape = recording.nodes[*claim.node].adjoint;
        }
    recording.claims = {claim};
    for (std::size_t id = 0; id < recording.nodes.size(); ++id) recording.nodes[id].digits = 2.5 + 0.4 * double(id);
    return recording;
}

Recording with_markup() {
    Recording recording = coursework<double>(markup);
    recording.nodes[0].group = markup;
    for (auto& node : recording.nodes)
        if (node.formula) {
            node.formula->mathml = "<mi onclick=\"window.hacked = 1\">z</mi><script>window.hacked = 1</script>";
            node.formula->text = markup;
        }
    return recording;
}

/// One value used three times, factors that are repeated, and a matrix that is transposed.
Recording fan_out() {
    Tape<double> tape;
    const auto x = tape.variable({{0.3, -0.7, 1.1, 0.4}, {-1.3, 0.2, 0.9, -0.5}, {0.8, 0.6, -0.1, 1.7}}, "x");
    const auto s = tape.variable({0.5, -1.5, 2.0, 0.25}, "s"), c = tape.variable(0.5, "c");
    const auto w = tape.variable({{0.3, 0.9, -0.2, 0.5}, {1.2, -0.6, 0.7, 0.1}}, "w");
    const auto a = tanh(x);
    const auto u = a * (a * s) + exp(a) / s;
    const auto d = matmul(u, transpose(w)) - c;
    return lab::record_of(tape, sum(d * d), {.title = "fan-out"});
}

/// A neuron in numbers, with x * x.
Recording neuron() {
    Tape<float> tape;
    const auto w = tape.variable(0.8f, "w"), v = tape.variable(-0.3f, "v");
    const auto a = tanh(w * 0.5f + v * -1.2f);
    return lab::record_of(tape, a * a + a, {.title = "neuron"});
}

/// The derivative of a derivative: the way back is recorded, and walked back itself.
Recording second() {
    Tape<double> tape;
    const auto x = tape.variable({0.5, -1.0}, "x");
    const auto y = sum(x * tanh(x));
    const auto begin = static_cast<std::uint32_t>(tape.size());
    const auto slope = grad(y, x);
    const auto end = static_cast<std::uint32_t>(tape.size());
    return lab::record_of(tape, sum(slope), {.title = "second", .groups = {{"backward", begin, end}}});
}

Recording edges() {
    Tape<double> tape;
    const auto x = tape.variable({-1.0, 0.0, 1e300, std::numeric_limits<double>::infinity()}, "x");
    return lab::record_of(tape, sum(exp(x) * 1e-12), {.title = "not finite"});
}

Recording long_chain() {
    Tape<double> tape;
    const auto x = tape.variable({{0.1, 0.2}, {0.3, 0.4}}, "x");
    auto y = x;
    while (tape.size() < 9999) y = tanh(y) + x;
    return lab::record_of(tape, sum(y), {.title = "ten thousand nodes"});
}

Recording large() {
    Tape<float> tape;
    Array<float> values = Array<float>::from_shape({1000, 1000});
    for (std::size_t k = 0; k < values.size(); ++k) values.data()[k] = float(std::sin(double(k) * 1e-3));
    return lab::record_of(tape, sum(tanh(tape.variable(values, "x"))), {.title = "a million numbers"});
}

/// A network that learns exclusive or, at 41 steps of descent.
std::vector<Recording> training(std::size_t hidden, std::size_t steps) {
    std::mt19937_64 engine(7);
    const nn::Dense<double> first(2, hidden, engine), second(hidden, 2, engine);
    const Parameter<double> w1("0.weight", first.weight.value()), b1("0.bias", Array<double>(first.bias.value())),
        w2("2.weight", second.weight.value()), b2("2.bias", Array<double>(second.bias.value()));
    nn::Sgd<double> optimizer({w1, b1, w2, b2}, {.rate = 1.5});
    std::vector<Recording> all;
    for (std::size_t step = 0; step <= steps; ++step) {
        Tape<double> tape;
        const auto x = tape.constant({{0., 0.}, {0., 1.}, {1., 0.}, {1., 1.}}, "x");
        const auto scores = linear(tanh(linear(x, tape.watch(w1), tape.watch(b1))), tape.watch(w2), tape.watch(b2));
        const auto loss = tape.name(softmax_cross_entropy(scores, Indices{0, 1, 1, 0}), "loss");
        all.push_back(lab::record_of(tape, loss, {.title = "exclusive or"}));
        optimizer.step(tape.backward(loss));
    }
    return all;
}

/// Claims about a node and about none, and notes, one of them with markup.
Recording derivation_of_a_layer() {
    const std::string text = R"(
index j, m = 3
index k = 2
function f
given x[j], V[k,j]
let a[j] = f(x[j])  # <b>
let L = sum(k, sum(j, V[k,j] * a[j])^2)
let delta[j] = dL/da[j]
claim delta[j] = sum(k, sum(m, V[k,m] * a[m]) * V[k,j])
claim da[j]/dx[m] = [j == m] * (1 - a[j]^2)
claim L = 1
)";
    return lab::explained(text, derivation::check(text, {"layer.deriv", 1, 0}));
}

/// Inputs that are counted from 1, units from 0.
Recording counted_from_one() {
    const std::string text = R"(
index j : input = 3 from 1
index k : unit = 2
given x[j] = [1, 2, 3], w[k,j] = [[1, 0, 2], [3, 1, 1]]
let z[k] = sum(j, w[k,j] * x[j])
let L = sum(k, z[k]^2) / 2
claim dL/dw[k,j] = z[k] * x[j]
claim dL/dx[j] = sum(k, w[k,j] * z[k])
)";
    return lab::explained(text, derivation::check(text, {"from_one.deriv", 1, 0}));
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::cerr << "player_pages FOLDER\n";
        return 2;
    }
    const auto write = [&](const std::string& name, const auto& recording) {
        lab::write_page(recording, fmt::format("{}/{}.html", arguments[1], name));
    };
    write("coursework", coursework<double>());
    write("float", coursework<float>());
    write("markup", with_markup());
    write("fan_out", fan_out());
    write("neuron", neuron());
    write("second", second());
    write("edges", edges());
    write("derivation", derivation_of_a_layer());
    write("from_one", counted_from_one());
    write("training", training(4, 40));
    write("training_large", training(3000, 10));
    write("chain", long_chain());
    write("large", large());
}
