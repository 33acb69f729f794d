// A language model on a page: attention over characters, which learns how a text goes on.
// Each verse of the rhyme repeats the one before. The last is held out; its first two lines are new, the others follow.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <nn/nn.hpp>
#include <set>
#include <stdexcept>
#include <string>

namespace {

using autograd::Indices, autograd::Variable;

/// What a place sees of itself and the places before it is added to it, then what a small network makes of that.
struct Block {
    Block(std::size_t width, std::size_t heads, std::mt19937_64& engine)
        : before_attention({width}),
          before_network({width}),
          attention(width, heads, engine, {.causal = true}),
          up(width, 4 * width, engine),
          down(4 * width, width, engine) {}

    Variable<float> operator()(const Variable<float>& x) const {
        const auto y = x + attention(before_attention(x));
        return y + down(gelu(up(before_network(y))));
    }
    std::vector<autograd::Parameter<float>> parameters() const {
        return nn::parameters_of<float>("before_attention", before_attention, "before_network", before_network,
                                        "attention", attention, "up", up, "down", down);
    }

    nn::LayerNorm<float> before_attention, before_network;
    nn::MultiHeadAttention<float> attention;
    nn::Dense<float> up, down;
};

/// Characters as numbers, (n, places), to the scores of what may follow each, (n, places, characters).
struct Model {
    Model(std::size_t characters, std::size_t places, std::size_t width, std::mt19937_64& engine)
        : character(characters, width, engine),
          place(places, width, engine),
          norm({width}),
          scores(width, characters, engine) {
        for (int i = 0; i < 2; ++i) blocks.emplace_back(width, 4, engine);
    }

    Variable<float> operator()(autograd::Tape<float>& tape, const Indices& text) const {
        const Indices places = xt::arange<std::int64_t>(text.shape()[1]);
        auto x = character(tape, text) + place(tape, places);
        for (const Block& block : blocks) x = block(x);
        return scores(norm(x));
    }
    std::vector<autograd::Parameter<float>> parameters() const {
        return nn::parameters_of<float>("character", character, "place", place, "blocks", blocks, "norm", norm,
                                        "scores", scores);
    }

    nn::Embedding<float> character, place;
    std::vector<Block> blocks;
    nn::LayerNorm<float> norm;
    nn::Dense<float> scores;
};

/// The number of each character in the alphabet.
Indices encode(const std::string& text, const std::string& alphabet) {
    auto numbers = Indices::from_shape({text.size()});
    for (std::size_t i = 0; i < text.size(); ++i) numbers(i) = static_cast<std::int64_t>(alphabet.find(text[i]));
    return numbers;
}

int run(const char* path) {
    std::ifstream file(path);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::size_t places = 64, batch = 16, steps = 1500, last_verse = text.rfind("This is");
    if (last_verse == std::string::npos || last_verse <= places)
        throw std::runtime_error(std::string("no text whose last verse begins with \"This is\": ") + path);
    const std::string training = text.substr(0, last_verse);
    const std::set<char> characters(text.begin(), text.end());
    const std::string alphabet(characters.begin(), characters.end());

    std::mt19937_64 engine(1);
    const Model model(alphabet.size(), places, 48, engine);
    nn::Adam<float> optimizer(model.parameters(), {.rate = 3e-3});
    nn::Scheduler schedule(optimizer, nn::warm_up(20, 0.1, nn::cosine(steps - 20)));
    autograd::Tape<float> tape;
    const Indices numbers = encode(training, alphabet);
    auto x = Indices::from_shape({batch, places}), next = x;
    for (std::size_t step = 1; step <= steps; ++step) {
        for (std::size_t i = 0; i < batch; ++i) {
            const auto start = static_cast<std::size_t>(nn::uniform(engine) * (training.size() - places));
            for (std::size_t j = 0; j < places; ++j) {
                x(i, j) = numbers(start + j);
                next(i, j) = numbers(start + j + 1);
            }
        }
        tape.rewind();
        const auto loss = softmax_cross_entropy(model(tape, x), next);
        auto gradients = tape.backward(loss);
        nn::clip_gradient_norm(gradients, model.parameters(), 1);
        optimizer.step(gradients);
        schedule.step();
        if (step % 250 == 0) std::printf("step %zu: loss %.3f\n", step, static_cast<double>(loss.item()));
    }

    // The last verse from its first two lines on, the likeliest character each time.
    const std::size_t begin = text.find('\n', text.find('\n', last_verse) + 1) + 1;
    std::string written = text.substr(last_verse, begin - last_verse);
    const auto pause = tape.pause();
    while (written.size() < text.size() - last_verse) {
        tape.rewind();
        const std::string seen = written.substr(written.size() - std::min(places, written.size()));
        Indices one = encode(seen, alphabet);
        one.reshape({1, seen.size()});
        const auto scores = slice(model(tape, one), 1, -1);  // of what follows the last
        written += alphabet[std::ranges::max_element(scores.value()) - scores.value().begin()];
    }
    const bool is_right = written == text.substr(last_verse);
    std::printf("%s(%s)\n", written.c_str(), is_right ? "the last verse, letter for letter" : "not the last verse");
    return is_right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? argv[1] : DELTARULE_DATA_DIR "/rhyme.txt");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
