// Whatever stands in a file, the answer comes soon, and it is a report or an error with a place.
#define BOOST_TEST_MODULE derivation_fuzz
#include <chrono>
#include <filesystem>
#include <random>

#include "judged.hpp"
#include "temporary_folder.hpp"

namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> seeds() {
    std::vector<std::string> paths, texts;
    for (const auto& entry : std::filesystem::directory_iterator(DELTARULE_SOURCE_DIR "/examples/derivations"))
        if (entry.path().extension() == ".deriv") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) texts.push_back(bytes_of(path));
    texts.push_back(network);
    return texts;
}

void survives(const std::string& text) {
    const auto start = Clock::now();
    const derivation::Report report = derivation::check(text);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    derivation::to_text(report);
    derivation::to_json({report});
    derivation::to_html({report});
    BOOST_TEST(seconds < 20, text << " takes " << seconds << " s");
    if (report.error) BOOST_TEST(report.error->line >= 1u);
}

/// The time that a run may take: more of it finds more.
constexpr std::chrono::seconds budget(6);

}  // namespace

BOOST_AUTO_TEST_CASE(changed_examples) {
    const std::vector<std::string> texts = seeds();
    std::mt19937_64 engine(11);
    const std::vector<std::string> pieces = {"(",
                                             ")",
                                             "[",
                                             "]",
                                             "{",
                                             "}",
                                             "=",
                                             "\\frac",
                                             "\\sum_k",
                                             "^",
                                             "_",
                                             "'",
                                             "|",
                                             "d",
                                             "∂",
                                             "sum(",
                                             "\n",
                                             " ",
                                             "k",
                                             "1e300",
                                             "-",
                                             "/",
                                             "\\begin{align}",
                                             "\\\\",
                                             "~",
                                             "at ",
                                             "let ",
                                             "index ",
                                             "claim ",
                                             "after 1000 steps ",
                                             "^T",
                                             "@",
                                             "\xCC\x82",
                                             "size(k)",
                                             "new(",
                                             ":=",
                                             "0",
                                             "\\begin{cases}",
                                             "&"};
    const auto end = Clock::now() + budget;
    std::size_t runs = 0;
    while (Clock::now() < end) {
        std::string text = texts[engine() % texts.size()];
        // A part of a file, so that a run is short.
        const std::size_t cut = text.find('\n', engine() % text.size());
        if (cut != std::string::npos && engine() % 2 == 0) text.resize(cut + 1);
        for (std::size_t i = 0, n = 1 + engine() % 4; i < n && !text.empty(); ++i) {
            const std::size_t at = engine() % text.size();
            switch (engine() % 5) {
                case 0:
                    text.erase(at, 1 + engine() % 5);
                    break;
                case 1:
                    text[at] = static_cast<char>(engine() % 256);
                    break;
                case 2:
                    text.insert(at, pieces[engine() % pieces.size()]);
                    break;
                case 3:
                    text.insert(at, text.substr(engine() % text.size(), engine() % 30));
                    break;
                default:
                    std::swap(text[at], text[engine() % text.size()]);
            }
        }
        survives(text);
        ++runs;
    }
    BOOST_TEST_MESSAGE(runs << " files");
    BOOST_TEST(runs > 10u);
}

BOOST_AUTO_TEST_CASE(what_is_made_to_be_slow) {
    const auto repeated = [](const std::string& piece, std::size_t n) {
        std::string text;
        for (std::size_t i = 0; i < n; ++i) text += piece;
        return text;
    };
    survives("claim x = " + repeated("(", 100000));
    survives("claim x = " + repeated("{", 100000));
    survives("claim x = " + repeated("-", 100000));
    survives("claim x = " + repeated("\\frac{1}{", 10000));
    survives("given x\nclaim x = " + repeated("x^", 3000) + "x\n");
    survives("given d\nclaim d = " + repeated("d/d", 3000) + "\n");
    survives("given x\nclaim x = " + repeated("dx/", 3000) + "x\n");
    survives("given x\nclaim x = " + repeated("x+", 3000) + "x\n");
    survives("index i : a = 64\nindex j : b = 63\nindex k : c = 62\ngiven x[i,j,k]\n");
    survives("index i : a = 64\nindex j : b = 63\nindex k : c = 62\ngiven x[i]\nclaim sum(i, j, k, x[i]) = 1\n");
    survives("index i : a = 60\ngiven x[i]\nlet y[i] = x[i] + y[i+1]\nlet L = sum(i, y[i]^2)\nclaim dL/dx[i] = y[i]\n");
    std::string chain = "given x0\n";
    for (int i = 1; i < 390; ++i) chain += "let x" + std::to_string(i) + " = x" + std::to_string(i - 1) + " + 1\n";
    survives(chain + "claim dx389/dx0 = 1\nclaim dx389/dx0 = 2\n");
    survives(repeated("index i\n", 3000));
    survives(repeated("claim 1 = 2\n", 3000));
    survives(repeated("\\begin{align}\n", 3000));
    survives("given w\nlet L = w^2\nupdate w := w - 0.1 * dL/dw\nat w = 1\n" +
             repeated("claim after 1000 steps w ~ 0\n", 20));
    survives(
        "index i, j : a = 60\nindex k : b = 59\ngiven x[i,j]\ngiven u[i,k]\nlet y[i,j] = x[i,j]^2\nlet z[i,j] = "
        "sin(y[i,j]) + cos(x[j,i])\n"
        "let v[i,k] = tanh(sum(j, z[i,j] * u[j,k]))\nlet L = sum(i, k, v[i,k])\nclaim dL/du[j,k] = 1\n");
    survives(
        "index i, j : a = 30\ngiven x[i,j]\nlet y[i,j] = x[i,j]^2\nlet L = sum(i, j, y[i,j]^2)\nclaim dL/dx[i,j] = 3 * "
        "x[i,j]^3\n"
        "claim sum(i, j, dL/dx[i,j] * x[i,j]) = 3 * L\n");
    survives("index i : a = 30\ngiven x[i]\nlet y = prod(i, x[i])\nclaim d4y/(dx[0] dx[1] dx[2] dx[3]) = 0\n");
}
