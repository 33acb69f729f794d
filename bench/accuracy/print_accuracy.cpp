// print_accuracy [--points=FOLDER | --peers=FILE.json]: prints docs/accuracy.md: how far each elementwise formula of
// the tests' table of operations lies from 50 digits. With --points it writes what peers_at_points.py reads, instead.
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <set>
#include <tests/autograd/units.hpp>

namespace {

constexpr std::size_t points_of_each_kind = 3000;
constexpr double ordinary = 8;  ///< where |x| and |y| are no larger, networks work

/// What a formula gives at points, and what is right; three of each.
template <class T>
struct Measured {
    std::vector<std::vector<T>> given;
    std::vector<std::vector<std::array<double, 2>>> exact;
};

template <class T>
Measured<T> measured(const Variant& variant, const Points<T>& points) {
    const Given<T> g = given(variant.of, points.x, points.y);
    const GivenExactly e = given_exactly(variant.scalar, points.x, points.y);
    return {{g.value, g.by_x, g.by_y}, {e.value, e.by_x, e.by_y}};
}

/// Calls f(variant) for each formula of one operation; of several of the same text, for the first.
template <class F>
void each_formula(F f) {
    std::set<std::string> seen;
    for (const Operation& operation : operations())
        for (const Variant& variant : operation.variants)
            if (is_one_operation(variant) && seen.insert(variant.of.text).second) f(variant);
}

/// For each formula: x, y, and the value and the derivatives, each as the nearest double and what is left.
template <class T>
void write_points(const std::string& folder, const char* precision) {
    const auto points = points_of_range<T>(points_of_each_kind);
    nlohmann::json formulas;
    each_formula([&](const Variant& variant) {
        const std::string file = fmt::format("{}-{}.bin", precision, formulas.size());
        formulas.push_back({{"formula", variant.of.text}, {"of_two", variant.of.uses('y')}, {"file", file}});
        std::ofstream out(folder + "/" + file, std::ios::binary);
        const auto write = [&](const auto& numbers) {
            for (const double number : numbers) out.write(reinterpret_cast<const char*>(&number), sizeof(number));
        };
        write(points.x);
        write(points.y);
        for (const auto& exact : measured(variant, points).exact)
            for (const auto& number : exact) write(number);
    });
    std::ofstream(folder + "/" + precision + ".json") << formulas.dump(1) << '\n';
}

const char* const quantities[] = {"value", "by x", "by y"};

std::string text_of(double units) {
    if (units <= 0.5) return "0.5";
    return std::isinf(units) ? "inf" : units >= 1e3 ? fmt::format("{:.0e}", units) : fmt::format("{:.2g}", units);
}
std::string separator(const std::string& before, const char* text = " / ") { return before.empty() ? "" : text; }

/// A peer's figure; NaN where it has none.
double figure_of(const nlohmann::json& peers, std::initializer_list<const char*> keys) {
    const nlohmann::json* at = &peers;
    for (const char* key : keys) {
        if (!at->contains(key)) return NaN;
        at = &(*at)[key];
    }
    return *at == "inf" ? infinity : at->get<double>();
}

/// The rows of a precision, and a sentence for each figure beyond the aim.
template <class T>
void print(const char* precision, const nlohmann::json& peers) {
    const auto points = points_of_range<T>(points_of_each_kind);
    std::string exact_ones, missed;
    fmt::print("\n## {}\n\n| formula | | deltarule | PyTorch | JAX |\n| --- | --- | ---: | ---: | ---: |\n", precision);
    each_formula([&](const Variant& variant) {
        const Measured<T> m = measured(variant, points);
        bool all_rounded = true;
        std::string rows;
        for (std::size_t k = 0; k < (variant.of.uses('y') ? 3u : 2u); ++k) {
            std::string figures[3];
            for (const auto& [where, most] : {std::pair("near", ordinary), std::pair("all", infinity)}) {
                const Worst worst = worst_of(m.given[k], m.exact[k], points, most);
                double better = NaN;
                for (std::size_t p = 0; p < 2; ++p) {
                    const double figure = figure_of(
                        peers, {precision, variant.of.text, quantities[k], p == 0 ? "PyTorch" : "JAX", where});
                    better = std::fmin(better, figure);
                    if (!std::isnan(figure)) figures[p + 1] += separator(figures[p + 1]) + text_of(figure);
                }
                all_rounded &= worst.units <= 0.5;
                const bool is_missed = !(worst.units <= std::fmax(4, 2 * better));
                const std::string units = text_of(worst.units);
                figures[0] += separator(figures[0]) + (is_missed ? "**" + units + "**" : units);
                if (is_missed)
                    missed += fmt::format("- `{}`, {}: {} at x = {:.9g}{}\n", variant.of.text, quantities[k], units,
                                          worst.x, variant.of.uses('y') ? fmt::format(", y = {:.9g}", worst.y) : "");
            }
            rows += fmt::format("| `{}` | {} | {} | {} | {} |\n", variant.of.text, quantities[k], figures[0],
                                figures[1], figures[2]);
        }
        if (all_rounded)
            exact_ones += separator(exact_ones, ", ") + fmt::format("`{}`", variant.of.text);
        else
            std::cout << rows << std::flush;
    });
    fmt::print("\nRounded correctly, value and derivatives: {}.\n", exact_ones);
    if (!missed.empty()) fmt::print("\nBeyond the aim:\n\n{}", missed);
}

/// Sums of n random numbers between 0 and 1, in float: how far from sums of long doubles they are.
void print_sums() {
    using Numbers = std::vector<long double>;
    const auto total = [](const Numbers& x) { return std::accumulate(x.begin(), x.end(), 0.0L); };
    const auto exponentials = [](const Numbers& x) {
        long double sum = 0;
        for (const long double number : x) sum += std::exp(number);
        return std::log(sum);
    };
    const auto square_distances = [total](const Numbers& x) {
        const long double mean = total(x) / x.size();
        long double sum = 0;
        for (const long double number : x) sum += (number - mean) * (number - mean);
        return sum / x.size();
    };
    struct Row {
        Formula formula;
        std::size_t columns;
        std::function<long double(const Numbers&)> right;
    };
    const Row rows[] = {{OF(sum(x)), 1, total},
                        {OF(sum(x, {0})), 3, total},
                        {OF(variance(x, {0})), 1, square_distances},
                        {OF(variance(x, {0})), 3, square_distances},
                        {OF(logsumexp(x, {0})), 1, exponentials},
                        {OF(logsumexp(x, {0})), 3, exponentials}};
    const std::pair<const char*, std::size_t> lengths[] = {
        {"1e2", 100}, {"1e4", 10'000}, {"1e6", 1'000'000}, {"1e7", 10'000'000}};
    fmt::print("\n## Sums, in float\n\n| formula | columns |");
    for (const auto& [name, n] : lengths) fmt::print(" {} rows |", name);
    fmt::print("\n| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (const auto& [formula, columns, right] : rows) {
        fmt::print("| `{}` | {} |", formula.text, columns);
        for (const auto& [name, n] : lengths) {
            std::mt19937_64 engine(1);
            Array<float> x = Array<float>::from_shape({n, columns});
            for (float& number : x) number = static_cast<float>(engine() >> 40) * 0x1p-24f;
            Tape<float> tape;
            const Array<float> z = formula(Inputs<float>{tape.variable(x)}).value();
            double worst = 0;
            for (std::size_t k = 0; k < columns; ++k) {
                Numbers column(n);
                for (std::size_t i = 0; i < n; ++i) column[i] = x.data()[i * columns + k];
                const double expected = static_cast<double>(right(column));
                worst = std::max(worst, units(z.data()[k], {expected, 0}));
            }
            fmt::print(" {} |", text_of(worst));
        }
        fmt::print("\n");
    }
}

constexpr char introduction[] =
    R"(# Accuracy

How many units in the last place each elementwise operation is off at worst, value and first derivative by each input,
against 50-digit arithmetic. Printed by `bench/accuracy/print_accuracy.cpp` from the tests' table of operations; the points
are random bits, and dense samples of ordinary ranges, the same for all. In each cell stands first the worst case where |x|
and |y| are at most {}, then that of the whole range, denormal numbers among it. 0.5 means that every number was rounded
correctly; `inf` that one was infinite, or finite, and should not have been.

The aim is 4 units, or twice the better of PyTorch {} and JAX {}, in the same column; figures beyond it are in bold, with
the place. What is far off in all three is so for one of these reasons:

- The right number passes through 0, and what is rounded on the way there shows: `logaddexp`, the derivatives of `gelu`,
  `gelu_tanh` and `silu`, `binary_cross_entropy_with_logits` by x (`sigmoid(x) - y`), and its value where y is no probability.
- `tanh` has the derivative `1 - z * z`, of which nothing is left where z is nearly 1: its formula in all three.
- A factor is denormal, and the product is not: `silu`, `gelu` and `gelu_tanh` at the end of their left tails.
- The argument of an exponential is rounded first: `logaddexp` (`x - y`), `gelu_tanh` (its cubic), and `gelu` in float.
- `y * x^(y - 1)`: the power overflows, or y - 1 is rounded.

`accuracy_test` keeps the figures. To print them anew:

```sh
cmake --preset release -DDELTARULE_BENCH=ON && cmake --build --preset release --target print_accuracy
mkdir points && build/release/bench/print_accuracy --points=points  # for the peers, in an environment that has both
python bench/accuracy/peers_at_points.py points > bench/accuracy/peers.json
build/release/bench/print_accuracy --peers=bench/accuracy/peers.json > docs/accuracy.md
```
)";

}  // namespace

int main(int argc, char** argv) {
    const std::string option = argc == 2 ? argv[1] : "";
    if (option.starts_with("--points=")) {
        write_points<float>(option.substr(9), "float");
        write_points<double>(option.substr(9), "double");
        return 0;
    }
    nlohmann::json peers;
    if (option.starts_with("--peers=")) peers = nlohmann::json::parse(std::ifstream(option.substr(8)));
    const auto version = [&](const char* peer) {
        return peers.contains("versions") ? peers["versions"][peer].get<std::string>() : "";
    };
    fmt::print(introduction, ordinary, version("PyTorch"), version("JAX"));
    print<float>("float", peers);
    print<double>("double", peers);
    print_sums();
}
