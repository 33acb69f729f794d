// Lines that describe layers: a changed line is refused, or its network makes the shapes that were told from the line.
#include <app/described_network.hpp>
#include <autograd/tape.hpp>
#include <nn/mode.hpp>
#include <stdexcept>

#include "fuzz.hpp"

namespace {

constexpr double most = 1e6;  // numbers and products, of networks that are made here
constexpr std::size_t outputs = 3;
const autograd::Shape input{1, 8, 7};

bool is_small(const std::vector<DescribedLayer>& layers) {
    double numbers = 0;
    for (const auto& [name, shape] : arrays_of(layers)) numbers += number_of(shape);
    for (const DescribedLayer& layer : layers)
        numbers += number_of(layer.out) * static_cast<double>(layer.window.kernel.height) *
                   static_cast<double>(layer.window.kernel.width);
    return numbers < most;
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::vector<DescribedLayer> layers;
    try {
        layers = read_layers(fuzz::text_of(data, size), input, outputs);
    } catch (const std::invalid_argument& error) {
        fuzz::require(std::string(error.what()).starts_with("[layers] "), "a refusal says what it is about");
        return 0;
    }
    if (!is_small(layers)) return 0;
    std::mt19937_64 engine(1);
    const Network network(layers, input, engine);
    const auto arrays = arrays_of(layers);
    fuzz::require(arrays.size() == network.parameters().size(), "all arrays are told");
    for (std::size_t i = 0; i < arrays.size(); ++i)
        fuzz::require(
            arrays[i].first == network.parameters()[i].name() && arrays[i].second == network.parameters()[i].shape(),
            "arrays have their names and shapes");
    autograd::Tape<float> tape;
    const nn::Evaluation<float> evaluation(tape);
    autograd::Shape two{2};
    two.insert(two.end(), input.begin(), input.end());
    std::size_t i = 0;
    network.sequential().trace(tape.constant(autograd::Array<float>(two, 0.5f)),
                               [&](const std::string&, const std::string&, const autograd::Variable<float>& y) {
                                   autograd::Shape told{2};
                                   told.insert(told.end(), layers[i].out.begin(), layers[i].out.end());
                                   fuzz::require(autograd::equal_shapes(y.shape(), told), "a layer makes what is told");
                                   ++i;
                               });
    fuzz::require(i == layers.size(), "each layer is called");
    const auto again = read_layers(network.line(), input, outputs);
    const Network second(again, input, engine);
    fuzz::require(second.line() == network.line(), "a line comes back");
    return 0;
}
