// deltarule, as a user writes it: recorded anew at every step.
#include <autograd/operations.hpp>
#include <bench/steps/cases.hpp>
#include <nn/optimizers.hpp>

namespace {

template <class T>
struct ByTape : Side {
    explicit ByTape(const Case& c) : problem(c), inference(c.optimizer == "none") {
        const auto& parameters = problem.network.parameters();
        if (c.optimizer == "adam")
            optimizer = std::make_unique<nn::Adam<T>>(parameters, nn::AdamOptions{.rate = learning_rate});
        else
            optimizer = std::make_unique<nn::Sgd<T>>(
                parameters,
                nn::SgdOptions{.rate = learning_rate, .momentum = c.optimizer == "momentum" ? momentum : 0});
    }

    double step() override {
        tape.rewind();
        if (inference) {
            const auto pause = tape.pause();
            return static_cast<double>(*problem.network(tape.constant(problem.x)).value().data());
        }
        const auto loss = softmax_cross_entropy(problem.network(tape.constant(problem.x)), problem.labels);
        optimizer->step(tape.backward(loss));
        return static_cast<double>(loss.item());
    }

    Problem<T> problem;
    bool inference;
    autograd::Tape<T> tape;
    std::unique_ptr<nn::Optimizer<T>> optimizer;
};

}  // namespace

template <class T>
std::unique_ptr<Side> by_tape(const Case& c) {
    return std::make_unique<ByTape<T>>(c);
}
template std::unique_ptr<Side> by_tape<float>(const Case&);
template std::unique_ptr<Side> by_tape<double>(const Case&);
