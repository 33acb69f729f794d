// One trained network, four threads that answer with it at once. A network is only read when it answers; what is
// computed stands on the tape, and each thread has its own.
#include <atomic>
#include <cstdio>
#include <exception>
#include <nn/nn.hpp>
#include <thread>

namespace {

using autograd::Array;

/// Takes questions until there are no more; a question is a row of features, its answer a row of probabilities.
void answer(nn::Sequential<float>& model, const Array<float>& questions, std::atomic<std::size_t>& next,
            Array<float>& answers) {
    autograd::Tape<float> tape;
    const nn::Evaluation evaluation(tape);  // Dropout does nothing, and no rule is recorded
    const std::size_t pixels = questions.shape()[1];
    auto question = Array<float>::from_shape({1, pixels});
    for (std::size_t i; (i = next++) < questions.shape()[0];) {
        std::copy_n(&questions(i, 0), pixels, question.begin());
        tape.rewind();  // the second answer needs no new memory
        const auto probabilities = softmax(model(tape.constant(question)));
        std::ranges::copy(probabilities.value(), &answers(i, 0));
    }
}

/// All answers, by some threads.
Array<float> serve(nn::Sequential<float>& model, const Array<float>& questions, std::size_t threads) {
    auto answers = Array<float>::from_shape({questions.shape()[0], 10});
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> workers;
    for (std::size_t i = 0; i < threads; ++i) workers.emplace_back([&] { answer(model, questions, next, answers); });
    for (std::thread& worker : workers) worker.join();
    return answers;
}

int run(const char* path) {
    std::mt19937_64 engine(1);
    auto data = nn::read_csv<float>(path);
    data.features /= 16.0f;  // pixels are 0 ... 16
    const auto [training, test] = nn::split(data, 0.2, engine);
    nn::Sequential<float> model(nn::Dense<float>(64, 64, engine), autograd::relu<float>,
                                nn::Dropout<float>(0.2, engine), nn::Dense<float>(64, 10, engine));
    nn::fit(model, training, {.epochs = 20, .progress = nullptr});

    const Array<float> alone = serve(model, test.features, 1);
    std::size_t differences = 0;
    for (int round = 0; round < 20; ++round) differences += serve(model, test.features, 4) != alone;
    const double accuracy = nn::accuracy(alone, test.labels);
    std::printf("%zu questions, %.2f %% answered rightly\n", test.size(), 100 * accuracy);
    std::printf("20 times by four threads: %zu times another answer than one thread's\n", differences);
    return differences == 0 && accuracy >= 0.95 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? argv[1] : DELTARULE_DATA_DIR "/digits.csv.gz");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
