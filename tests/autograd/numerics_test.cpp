// The numerical conventions: the promises below, and what every operation does at its edges. docs/numerics.md is
// printed from both (`numerics_test -- --write`).
#define BOOST_TEST_MODULE numerics
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <autograd/operations/operation_facts.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nn/nn.hpp>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "operations_table.hpp"
#include "temporary_folder.hpp"

namespace {

struct Promise {
    const char* where;
    const char* promise;
    std::vector<const char*> rows;   ///< the operations whose edges keep it
    void (*check)() = nullptr;       ///< what is no edge of an operation
    const char* cited_in = nullptr;  ///< the test's source, where it is another
};

void exp_in_float() {
    Tape<float> tape;
    const auto z = exp(tape.variable(Array<float>{88.7f, 88.73f}));
    BOOST_TEST(z.value()(0) == 3.32598698e38f, boost::test_tools::tolerance(1e-5f));
    BOOST_TEST(z.value()(1) == std::numeric_limits<float>::infinity());
}

void same_seed_same_training() {
    const auto weights = [] {
        std::mt19937_64 engine(3);
        std::normal_distribution<float> normal;
        Parameter<float> w1("w1", Array<float>(Shape{16, 8})), w2("w2", Array<float>(Shape{3, 16}));
        Array<float> x(Shape{32, 8});
        for (auto* w : {&w1, &w2})
            w->edit([&](auto& values) {
                for (float& value : values) value = normal(engine);
            });
        for (float& value : x) value = normal(engine);
        const Indices labels(Shape{32}, 1);
        nn::Adam<float> optimizer({w1, w2});
        Tape<float> tape;
        for (int i = 0; i < 20; ++i) {
            tape.rewind();
            const auto hidden = tanh(linear(tape.constant(x), tape.watch(w1)));
            optimizer.step(tape.backward(softmax_cross_entropy(linear(hidden, tape.watch(w2)), labels)));
        }
        return std::pair(w1.value(), w2.value());
    };
    BOOST_TEST((weights() == weights()));
}

const std::vector<Promise> promises = {
    {"`relu`, `abs`, `clip` at the kink",
     "derivative 0 at 0 for `relu` and `abs`; `clip` passes the gradient on the closed interval",
     {"relu", "abs", "clip"}},
    {"`maximum`, `minimum`, `amax`, `amin` at ties",
     "the gradient is split evenly among the tied elements, in both forms alike",
     {"maximum", "minimum", "amax", "amin"}},
    {"`max_pool2d` at ties",
     "the gradient goes to the first maximum of a window, PyTorch's convention, as many are tied at 0 after `relu`",
     {"max_pool2d"}},
    {"`leaky_relu`, `elu` at 0", "the derivative is that from the left, PyTorch's convention", {"leaky_relu", "elu"}},
    {"`sqrt` at 0",
     "+inf; `norm` at 0: subgradient 0, second derivative NaN; the only infinite number has the slope 1",
     {"sqrt", "norm"}},
    {"`pow(x, y)`",
     "gradient by x is 0 where y is 0; gradient by y uses a guarded log where x is 0; a constant exponent never "
     "touches log (negative bases work)",
     {"pow"}},
    {"`x / y`", "gradient by y is `-(zbar * z) / y`: y squared is never formed", {"div"}},
    {"`prod` with zeros", "exact: exclusive products, no division", {"prod"}},
    {"`logsumexp`",
     "the maximum is subtracted, or 0 where it is not finite; all -inf gives -inf with gradient 0",
     {"logsumexp"}},
    {"`log_softmax`", "`(x - m) - log(sum(exp(x - m)))`, in that order", {"log_softmax"}},
    {"`softmax`",
     "a row of -inf only is NaN, as is one with several inf; a single inf has all of it, the limit; "
     "`softmax(x, mask)` gives 0 with gradient 0 for a fully masked row",
     {"softmax"}},
    {"`softmax_cross_entropy(logits, labels)`",
     "fused and stable for logits of +-1e4; backward is `(p - t) * scale` directly; labels may be class indices or "
     "rows of probabilities (0 log 0 is 0); options: reduction none, mean, sum; class weights; label smoothing; an "
     "ignored label. The mean divides by the summed weight of the rows that count; all rows ignored is an error",
     {"softmax_cross_entropy"}},
    {"`binary_cross_entropy_with_logits`",
     "one primitive; value and derivative right at 0 and at +-1e4",
     {"binary_cross_entropy_with_logits"}},
    {"`sigmoid`", "two branches; `1 - sigmoid(x)` is `sigmoid(-x)`", {"sigmoid"}},
    {"`softplus`, `logaddexp`, `log1p`, `expm1`",
     "primitives with stable tails; derivative of `logaddexp` is a sigmoid",
     {"softplus", "logaddexp", "log1p", "expm1"}},
    {"inf and NaN in an input, where no row here says more",
     "value and gradient are the mathematical limit where there is one (`logaddexp(inf, 0)`: 1 and 0), else NaN; never "
     "a finite number that no limit has; a NaN condition of `where` is true, as for NumPy",
     {"pow",      "logaddexp", "where", "maximum",   "minimum", "clip", "exp",      "expm1", "log",
      "log1p",    "sqrt",      "abs",   "sin",       "cos",     "tanh", "erf",      "relu",  "sigmoid",
      "softplus", "gelu",      "silu",  "gelu_tanh", "amax",    "amin", "variance", "norm",  "logsumexp"}},
    {"a derivative that does not depend on the input",
     "is what it is beside NaN too: 1 for `add`, 0 for `sign`, 0 the second time for `relu`, `abs`, `clip`, `maximum`",
     {"add", "sign", "relu", "abs", "clip", "maximum"}},
    {"outside the domain",
     "where a function is not defined (`log`, `log1p`, `sqrt`, a power that is not whole, of a negative number) its "
     "derivatives are NaN; `log` and `log1p` hand on an adjoint of 0 as 0, so that the branch of `where` that is not "
     "taken "
     "gets none; -0 counts as 0",
     {"log", "log1p", "sqrt", "pow"}},
    {"the same number everywhere",
     "an elementwise value or derivative has the same bits whatever the array's length, the position, the neighbours, "
     "the broadcasting",
     {},
     nullptr,
     "autograd/neighbours_test.cpp"},
    {"accuracy",
     "within 4 ulp, or within twice the better of PyTorch and JAX, over the whole range; sums add pairwise or in "
     "blocks, along every axis",
     {},
     nullptr,
     "autograd/accuracy_test.cpp"},
    {"`tanh`",
     "derivative `1 - z * z`; `gelu` is exact (erf), `gelu_tanh` is the approximation",
     {"tanh", "gelu", "gelu_tanh"}},
    {"`where`", "the cotangent is selected, not multiplied; the inactive branch gets exact zeros", {"where"}},
    {"`take`, `take_along_axis`", "repeated indices add up", {"take", "take_along_axis"}},
    {"`variance`", "two passes; `ddof` is explicit; NaN where it is larger than the count", {"variance"}},
    {"`mean` of no elements, sizes 0, rank 0",
     "every operation accepts zero-size and rank-0 arrays where NumPy does; `mean` of none is NaN, `amax` of none "
     "is an error",
     {"sum", "mean", "prod", "norm", "logsumexp", "amax", "amin", "matmul", "softmax", "take"}},
    {"losses",
     "predictions and targets must have equal shapes: (n, 1) against (n) is an error, never a broadcast",
     {"mean_squared_error", "binary_cross_entropy_with_logits", "softmax_cross_entropy", "mean_absolute_error",
      "huber_loss", "hinge_loss", "kl_divergence"}},
    {"NaN", "is handed on by what compares, too", {"relu", "clip", "maximum", "minimum", "amax", "amin"}},
    {"`exp`", "overflows to +inf beyond 709.78 in double and 88.72 in float", {"exp"}, exp_in_float},
    {"optimizers",
     "trajectories equal PyTorch's for the same start, data and options (SGD with momentum, Nesterov, weight "
     "decay; Adam, AdamW, RMSprop, Adagrad) to 1e-11 relative after 100 steps in double; clipping, groups, schedules, "
     "averages "
     "and L-BFGS to 1e-12",
     {},
     nullptr,
     "golden/golden_test.cpp"},
    {"random numbers",
     "one explicit engine passed in; the same seed gives the same training run, bit for bit, on the same build "
     "with one thread",
     {},
     same_seed_same_training},
};

// ---- the documentation

std::string listed(const Promise& promise) {
    std::string text = fmt::format("\n### {}\n\n{}.\n", promise.where, promise.promise);
    std::string keepers;
    for (const char* row : promise.rows) keepers += fmt::format("{}[`{}`](#{})", keepers.empty() ? "" : ", ", row, row);
    if (!keepers.empty()) text += fmt::format("\nKept at the edges of {}.\n", keepers);
    if (promise.check != nullptr) text += "\nKept by a function beside the promise.\n";
    if (promise.cited_in != nullptr) text += fmt::format("\nKept by `tests/{}`.\n", promise.cited_in);
    return text;
}

std::string second_text_of(const Point& point) {
    std::vector<std::string> parts;
    std::size_t k = 0;
    for (std::size_t i = 0; i < point.at.size() && k < point.second.size(); ++i)
        for (std::size_t j = i; j < point.at.size() && k < point.second.size(); ++j)
            parts.push_back(fmt::format("by {}{}: {}", "xyw"[i], "xyw"[j], text_of(point.second[k++])));
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string listed(const Operation& operation) {
    std::string text = fmt::format("\n### {}\n\n", operation.name);
    if (const Facts* facts = facts_of(operation.name))
        text += fmt::format("`{}`, with the derivative `{}`.\n\n", facts->formula, facts->derivative);
    text += fmt::format("{}.\n", operation.note);
    text += "\n| expression | at | value | derivative | second derivative |\n|---|---|---|---|---|\n";
    for (const Point& point : operation.edges) {
        text += fmt::format("| `{}` | {} | ", point.of.text, text_of(point.at));
        if (point.error != nullptr) {
            text += fmt::format("error: `{}` | | |\n", point.error);
            continue;
        }
        text += fmt::format("{} | {}", text_of(point.value), text_of(point.derivatives, "bar"));
        if (point.seed) text += fmt::format("; for zbar: {}", text_of(*point.seed));
        text += fmt::format(" | {} |\n", second_text_of(point));
    }
    return text;
}

std::string documentation() {
    std::string text =
        "# Numerical conventions\n\n"
        "Printed from the promises in `tests/autograd/numerics_test.cpp` and the table of operations\n"
        "(`tests/autograd/operations_table.hpp`), whose tests hold every line against the engine\n"
        "(`numerics_test -- --write` prints it anew). Where peers disagree, the choice here is stated.\n\n"
        "## Promises\n";
    for (const Promise& promise : promises) text += listed(promise);
    text +=
        "\n## Every operation\n\n"
        "Its formula, its derivative (x and y are its inputs, z is its result, `zbar` the result's adjoint), and what "
        "it\n"
        "does at its edges.\n"
        "The derivatives are those of the sum of the value, or along the adjoint `zbar` where one is given; `A` is\n"
        "`autograd::Array<double>`, `T` the type of the numbers. A second derivative is the matrix of the elements of "
        "one\n"
        "input by those of the other, or for a function of single numbers its diagonal.\n";
    for (const Operation& operation : operations()) text += listed(operation);
    return text;
}

std::string with_single_spaces(std::string text) {
    text = std::regex_replace(text, std::regex("\n\\s*//+"), " ");
    return std::regex_replace(text, std::regex("\\s+"), " ");
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_promise_is_kept) {
    std::set<std::string> rows;
    for (const Operation& operation : operations())
        if (!operation.edges.empty()) rows.insert(operation.name);
    for (const Promise& promise : promises) BOOST_TEST_CONTEXT(promise.where << ": " << promise.promise) {
            BOOST_TEST((!promise.rows.empty() || promise.check || promise.cited_in));
            for (const char* row : promise.rows) BOOST_TEST(rows.contains(row), row << " has no edges");
            if (promise.check != nullptr) promise.check();
            if (promise.cited_in != nullptr) {
                const std::string path = std::string(DELTARULE_SOURCE_DIR "/tests/") + promise.cited_in;
                BOOST_TEST(with_single_spaces(bytes_of(path)).find(promise.promise) != std::string::npos);
            }
        }
}

// Whoever declares an operation gives it a row, under its name, which says what it does at its edges.
BOOST_AUTO_TEST_CASE(every_declared_operation_has_a_row) {
    std::map<std::string, std::string> edges;
    for (const Operation& operation : operations()) {
        std::string& all = edges[operation.name];
        BOOST_TEST(all.empty(), operation.name << " has two rows");
        for (const Point& point : operation.edges) all += std::string(point.of.text) + " ";
    }
    std::istringstream header(bytes_of(DELTARULE_SOURCE_DIR "/autograd/operations.hpp"));
    const std::regex declaration("^Variable<T> ([a-z_0-9]+)\\(");
    std::size_t count = 0;
    bool for_rules = false;
    for (std::string line; std::getline(header, line);) {
        if (line.starts_with("// ----")) for_rules = false;
        if (line.starts_with("// The names that rules share") || line.starts_with("// The partners that rules call"))
            for_rules = true;
        std::smatch match;
        // `sign` stands among the names that rules share, but users may call it.
        if (!std::regex_search(line, match, declaration) || (for_rules && match[1] != "sign")) continue;
        ++count;
        BOOST_TEST(std::regex_search(edges[match[1]], std::regex("\\b" + match[1].str() + "(<T>)?\\(")),
                   match[1].str() << " has no row whose edges name it");
    }
    BOOST_TEST(count > 60u);
}

// ... and what it does, to the second derivative, where one of its inputs is inf, -inf or NaN.
BOOST_AUTO_TEST_CASE(every_row_says_what_is_not_finite_in_each_input) {
    const std::pair<const char*, bool (*)(double)> odd[] = {
        {"inf", [](double x) { return x == infinity; }},
        {"-inf", [](double x) { return x == -infinity; }},
        {"NaN", [](double x) { return std::isnan(x); }},
    };
    for (const Operation& operation : operations()) {
        std::size_t inputs = 0;
        for (const Point& point : operation.edges)
            if (point.error == nullptr) inputs = std::max(inputs, point.at.size());
        for (std::size_t i = 0; i < inputs; ++i)
            for (const auto& [name, is_odd] : odd) {
                const auto says = [&, is = is_odd](const Point& point) {
                    return !point.second.empty() && i < point.at.size() &&
                           std::any_of(point.at[i].begin(), point.at[i].end(), is);
                };
                BOOST_TEST(std::any_of(operation.edges.begin(), operation.edges.end(), says),
                           operation.name << " has no edge with second derivatives where "
                                          << "xyw"[i] << " is " << name);
            }
    }
}

BOOST_AUTO_TEST_CASE(the_documentation_is_printed_from_the_table) {
    const std::string path = DELTARULE_SOURCE_DIR "/docs/numerics.md";
    const auto& suite = boost::unit_test::framework::master_test_suite();
    if (suite.argc > 1 && std::string_view(suite.argv[1]) == "--write") std::ofstream(path) << documentation();
    BOOST_TEST((bytes_of(path) == documentation()), "docs/numerics.md is not what numerics_test -- --write writes");
}
