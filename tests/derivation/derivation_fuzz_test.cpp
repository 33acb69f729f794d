// Whatever stands in a file, the answer comes, before the tests' time ends, and it is a report or an error with a
// place. Files that are changed at random: fuzz/derivation_fuzz.cpp.
#define BOOST_TEST_MODULE derivation_fuzz
#include <fmt/format.h>
#include <chrono>
#include <cstdlib>
#include <map>
#include <random>

#include "judged.hpp"

namespace {

using Clock = std::chrono::steady_clock;

void survives(const std::string& text) {
    const derivation::Report report = derivation::check(text);
    derivation::to_text(report);
    derivation::to_json({report});
    derivation::to_html({report});
    if (report.error) BOOST_TEST(report.error->line >= 1u);
}

}  // namespace

namespace {

/// Claims with every construct of the language, put together at random. Most of them are wrong, so that every edit of
/// the catalogue is made of them.
class RandomClaims {
  public:
    explicit RandomClaims(std::uint64_t seed) : engine_(seed) {}

    std::string file() {
        std::string text = R"(
index i, j : n = 2
index k, l : m = 3
function f
constant alpha, lambda
given x[i], A[k,i], B[i,j], p[k], s
given y[k] onehot
given S[i,j] positive definite, G[i,j] invertible
constant rho, eps, rate = 0.1
given u[i], v[i], steps, o
let z[k] = sum(i, A[k,i] * x[i])
let a[k] = f(z[k])
let h[k] = max(0, z[k])
let q[k] = exp(z[k]) / sum(l, exp(z[l]))
let c = sum(k, sum(l != k, tanh(z[k] - z[l])))
let L = 1/2 * sum(k, (a[k] - p[k])^2) - sum(k, y[k] * log(q[k])) + lambda * sum(k, h[k]) + s * c
let g[k] = dL/dz[k]
let e = 1/2 * (tanh(o) - 0.3)^2 + 0.1 * o^2
at o = 0.7
update o := o - rate * de/do on e
)";
        // Of Markdown the fenced blocks count.
        const bool is_markdown = pick(5) == 0;
        if (is_markdown) text = "# Prose\n\n```deriv" + text + "```\n\nMore of it, `claim 1 = 2`.\n\n```deriv\n";
        for (int lines = 0; lines < 2; ++lines) text += line() + "\n";
        return is_markdown ? text + "```\n\n- an end\n" : text;
    }

  private:
    using Letters = std::vector<std::string>;

    std::size_t pick(std::size_t n) { return engine_() % n; }
    std::string one_of(const std::vector<std::string>& choices) { return choices[pick(choices.size())]; }
    /// A letter of the range, in scope most often.
    std::string letter(const Letters& scope, const Letters& range) {
        Letters both;
        for (const std::string& one : range)
            if (std::find(scope.begin(), scope.end(), one) != scope.end()) both.push_back(one);
        return both.empty() || pick(30) == 0 ? pick(4) == 0 ? "0" : one_of(range) : one_of(both);
    }
    std::string entry(const Letters& scope) {
        const std::string n = letter(scope, in), m = letter(scope, im), o = letter(scope, in);
        return one_of({"x[" + n + "]", "A[" + m + "," + n + "]", "B[" + n + "," + o + "]", "p[" + m + "]", "s",
                       "y[" + m + "]", "z[" + m + "]", "a[" + m + "]", "h[" + m + "]", "q[" + m + "]", "g[" + m + "]",
                       "c", "L", "alpha", "lambda"});
    }
    std::string derivative(const Letters& scope) {
        const std::string n = letter(scope, in), o = letter(scope, in), m = letter(scope, im), r = letter(scope, im);
        return one_of({"dL/dz[" + m + "]", "dL/dx[" + n + "]", "dL/dA[" + m + "," + n + "]",
                       "da[" + m + "]/dz[" + r + "]", "dq[" + m + "]/dz[" + r + "]", "dc/dz[" + m + "]",
                       "dh[" + m + "]/dz[" + m + "]", "dL/ds", "d2L/(dx[" + n + "] dx[" + o + "])",
                       "d2c/(dz[" + m + "] dz[" + r + "])", "dL/dh[" + m + "]|(c)"});
    }
    std::string formula(const Letters& scope, std::size_t depth) {
        if (depth == 0) return pick(6) == 0 ? one_of({"0", "1", "2", "1/2", "0.3"}) : entry(scope);
        const auto part = [&] { return formula(scope, depth - 1); };
        switch (pick(12)) {
            case 0:
                return part() + one_of({" + ", " - "}) + part();
            case 1:
            case 2:
                return "(" + part() + ") * " + part();
            case 3:
                return part() + " / (" + part() + ")";
            case 4:
                return one_of({"-", "2 * "}) + part();
            case 5:
                return "(" + part() + ")^" + one_of({"2", "3", "(1/2)"});
            case 6:
                return one_of({"f(", "f'(", "exp(", "tanh(", "relu(", "abs(", "log(", "sigmoid(", "sign(", "step(",
                               "np.tanh("}) +
                       part() + ")";
            case 7:
            case 8: {
                const std::string bound = one_of({"i", "j", "k", "l"});
                Letters inner = scope;
                inner.push_back(bound);
                const Letters& range = bound == "i" || bound == "j" ? in : im;
                const std::string condition =
                    pick(3) == 0 ? bound + one_of({" != ", " == ", " < "}) + letter(scope, range) : bound;
                return one_of({"sum(", "sum(", "mean(", "max(", "prod("}) + condition + ", " +
                       formula(inner, depth - 1) + ")";
            }
            case 9:
                return pick(2) == 0 ? "[" + letter(scope, im) + one_of({" == ", " != "}) + letter(scope, im) + "]"
                                    : "[" + part() + one_of({" > ", " < ", " >= "}) + part() + "]";
            case 10:
                return one_of({"max(", "min("}) + part() + ", " + part() + ")";
            default:
                return derivative(scope);
        }
    }
    std::string of_arrays(std::size_t depth) {
        if (depth == 0) return one_of({"A", "x", "B", "z", "a", "p", "dL/dz", "dL/dA", "diag(z)", "1_k", "q", "h"});
        return one_of({"", "2 * "}) + "(" + of_arrays(depth - 1) + ")" +
               one_of({" ", "^T ", " ⊙ ", " + ", " @ ", " - "}) + of_arrays(0);
    }
    std::string of_matrices(std::size_t depth) {
        if (depth == 0)
            return one_of({"S^{-1}", "G^{-1}", "G^{-T}", "B", "S", "I", "x x^T", "x", "tr(B S)", "det(G)", "logdet(S)",
                           "solve(S, x)", "A^T A", "(S + s I)", "2", "s"});
        const std::string part = of_matrices(depth - 1);
        return pick(6) == 0 ? one_of({"tr(", "logdet(", "det(", "-("}) + part + ")"
               : pick(6) == 0
                   ? "(" + part + ")" + one_of({"^{-1}", "^{-T}", "^T"})
                   : one_of({"", "", "-", "2 * "}) + part + one_of({" ", " ", " + ", " - ", " ⊙ "}) + of_matrices(0);
    }
    std::string step_by_states() {
        const std::string gradient = one_of({"dL/dx[i]", "dL/dx[i]", "sum(k, A[k,i] * g[k])", formula({"i"}, 1)});
        switch (pick(6)) {
            case 0:
                return "update u[i] := rho * u[i] " + one_of({"+ ", "- ", "+ (1 - rho) * "}) + gradient + " on L";
            case 1:
                return "update v[i] := rho * v[i] + " + one_of({"", "(1 - rho) * "}) + "(" + gradient + ")^2 on L";
            case 2:
                return "update steps := steps + " + one_of({"1", "1", "2", "s"});
            case 3:
                return "claim " + one_of({"new(u[i])", "new(v[i])", "new(x[i])"}) + " = " + formula({"i"}, 1 + pick(2));
            default:
                return "update u[i] := rho * u[i] + dL/dx[i] on L\nupdate v[i] := rho * v[i] + (1 - rho) * "
                       "dL/dx[i]^2 on L\nupdate steps := steps + 1\nupdate x[i] := x[i] " +
                       one_of({"- ", "- ", "+ "}) + "rate * " +
                       one_of({"new(u[i])", "u[i]", "(dL/dx[i] + rho * new(u[i]))", "new(u[i])/(1 - rho^new(steps))",
                               "new(u[i])/(1 - rho^steps)"}) +
                       one_of({"", "/(sqrt(new(v[i])) + eps)", "/sqrt(new(v[i]) + eps)", "/(new(v[i]) + eps)",
                               "/(sqrt(v[i]) + eps)", " * " + formula({"i"}, 1)}) +
                       " on L";
        }
    }
    std::string differential() {
        return "claim " +
               one_of({"d(logdet(S))", "d(det(G))", "d(G^{-1})", "d(x^T S^{-1} x)", "d(tr(B G^{-1} S))", "d(B G)", "dL",
                       "d(||A G||^2)"}) +
               " = " + one_of({"", "-", "2 * "}) +
               one_of({"tr(", "tr(", "det(G) * tr(", "x^T ", "(" + of_matrices(1) + ") ", "G^{-1} "}) +
               one_of({"G^{-1} dG", "S^{-1} dS", "G^{-1} dG G^{-1}", "B dG", "dx", "dB G + B dG", "dS S^{-1} x"}) +
               one_of({"", ")", ") + " + of_matrices(0)});
    }
    std::string printed() {
        return "claim " +
               one_of({"e", "de/do", "after 1 step o", "after 2 steps o", "after 2 steps e", "o^2", "tanh(o)", "L"}) +
               " ~ " + one_of({"0.1", "0.09", "0.7", "-0.3", "1.2e-1", "0.10", "0.604", "0.49", "[0.1, 0.2]"});
    }
    std::string line() {
        switch (pick(11)) {
            case 8:
                return step_by_states();
            case 9:
                return differential();
            case 10:
                return printed();
            case 0:
                return "claim " + one_of({"dL/dA", "dL/dx", "z", "dL/dz", "A^T A"}) + " = " + of_arrays(1 + pick(3));
            case 7:
                return "claim " +
                       one_of({"d(logdet(S))/dS", "d(det(G))/dG", "d(tr(B G^{-1} S))/dG", "d(x^T S^{-1} x)/dx",
                               "d(x^T G^{-1} x)/dG", "(B S)^{-1}", "tr(B S G)", "d(logdet(S + s G))/ds", "S^{-1} x",
                               "d(||A G||^2)/dG", "det(B S)"}) +
                       " = " + of_matrices(1 + pick(3));
            case 1: {
                const std::string parameter = one_of({"x[i]", "A[k,i]", "s"});
                return "update " + parameter + " := " + parameter + one_of({" - ", " + "}) + "alpha * " +
                       formula({"i", "k"}, 1 + pick(2));
            }
            default: {
                const Letters scope = {"i", "k", "l"};
                const std::string left = pick(3) == 0   ? formula(scope, 1)
                                         : pick(2) == 0 ? derivative(scope)
                                                        : entry(scope);
                // A later member has the letters of the first, so that most lines are well-formed.
                Letters free;
                for (const std::string letter : {"i", "j", "k", "l"})
                    if (left.find("[" + letter) != std::string::npos || left.find("," + letter) != std::string::npos)
                        free.push_back(letter);
                std::string text = "claim " + left;
                for (std::size_t members = 0, n = 1 + pick(2); members < n; ++members)
                    text +=
                        " = " + (pick(3) == 0 ? "(" + left + ") * " + formula(free, 1) : formula(free, 1 + pick(3)));
                return text;
            }
        }
    }

    std::mt19937_64 engine_;
    const Letters in = {"i", "j"}, im = {"k", "l"};
};

std::string with_other_sizes(std::string text) {
    text.replace(text.find("n = 2"), 5, "n = 4");
    text.replace(text.find("m = 3"), 5, "m = 2");
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_claims_are_diagnosed) {
    // Some files; with DELTARULE_FUZZ_SECONDS=3600, others for so long.
    const char* seconds = std::getenv("DELTARULE_FUZZ_SECONDS");
    const auto end = Clock::now() + std::chrono::seconds(seconds != nullptr ? std::atoi(seconds) : 0);
#ifdef __SANITIZE_ADDRESS__  // which takes ten times as long
    const std::size_t least = 15;
#else
    const std::size_t least = 30;
#endif
    std::map<std::string, std::size_t> verdicts;
    std::size_t mended = 0, files = 0;
    std::string broken;
    std::uint64_t seed = seconds != nullptr ? std::random_device()() : 1;
    for (; files < least || Clock::now() < end; ++seed, ++files) {
        std::string text = RandomClaims(seed).file();
        if (seed % 4 == 0) text = derivation::rewritten(text, derivation::Notation::latex);
        BOOST_TEST_INFO("seed " << seed);
        const derivation::Report report = derivation::check(text);
        BOOST_TEST(!report.error.has_value(), text << (report.error ? report.error->sentence : ""));
        derivation::to_text(report);
        derivation::to_json({report});
        derivation::to_html({report});
        for (const derivation::LineReport& line : report.lines) {
            ++verdicts[verdict_of(line)];
            if (line.verdict != derivation::Verdict::wrong || line.repair.empty() ||
                line.text.find(" = ") != line.text.rfind(" = "))
                continue;
            ++mended;
            // Here, and where the ranges have other sizes; a 1/2 in the line may be 1/n.
            const bool may_be_size =
                line.text.find("1/2") != std::string::npos || line.text.find("{2}") != std::string::npos;
            std::vector<std::string> files_with_sizes = {text};
            if (!may_be_size) files_with_sizes.push_back(with_other_sizes(text));
            for (const std::string& sizes : files_with_sizes)
                if (const derivation::LineReport again = repaired(sizes, line); verdict_of(again) != "holds")
                    broken += fmt::format("\n{}: {}   {}   is {}: {}", seed, line.text, line.repair, verdict_of(again),
                                          again.reason);
        }
    }
    std::size_t total = 0;
    for (const auto& [verdict, count] : verdicts) {
        BOOST_TEST_MESSAGE(count << " " << verdict);
        total += count;
    }
    BOOST_TEST_MESSAGE(mended << " repairs");
    BOOST_TEST(broken.empty(), "of " << mended << " repairs these do not hold:" << broken);
    BOOST_TEST(mended > 0u);
    BOOST_TEST(total >= files);
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
