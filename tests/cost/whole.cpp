// The whole public API in one file that trains a network: what a user waits for.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <nn/nn.hpp>
int main() {
    std::mt19937_64 engine(1);
    const auto [training, test] = nn::split(nn::read_csv<float>("digits.csv.gz"), 0.2, engine);
    nn::Mlp<float> model({64, 64, 10}, nn::ActivationKind::relu, engine);
    nn::Adam<float> optimizer(model.parameters(), {.rate = 3e-3});
    nn::Batches<float> batches(training, 32, engine);
    autograd::Tape<float> tape;
    autograd::Array<float> x;
    autograd::Indices labels;
    for (int epoch = 1; epoch <= 20; ++epoch)
        while (batches.next(x, labels)) {
            tape.rewind();
            optimizer.step(tape.backward(softmax_cross_entropy(model(tape.constant(x)), labels)));
        }
}
