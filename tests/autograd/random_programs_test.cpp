// Programs composed at random, held against central differences at first and second order. One that fails is shrunk to
// its smallest form and printed as a test that can be pasted. `random_programs_test -- SEED COUNT` runs others.
#define BOOST_TEST_MODULE random_programs
#include <fmt/format.h>
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <regex>

using namespace autograd;
using A = Array<double>;
using V = Variable<double>;

namespace {

/// Where an operation has derivatives that differences can see: away from kinks, poles and jumps.
using Domain = bool (*)(const A& x, const A& y);

bool all(const A& x, bool (*holds)(double)) { return std::all_of(x.begin(), x.end(), holds); }
bool far_from_zero(double x) { return std::abs(x) > 0.05; }

bool anywhere(const A&, const A&) { return true; }
bool x_positive(const A& x, const A&) {
    return all(x, [](double v) { return v > 0.2; });
}
bool x_nonzero(const A& x, const A&) { return all(x, far_from_zero); }
bool y_nonzero(const A&, const A& y) {
    return all(y, [](double v) { return std::abs(v) > 0.2; });
}
bool apart(const A& x, const A& y) { return all(x - y, far_from_zero); }
bool x_inside(const A& x, const A&) { return all(x + 0.5, far_from_zero) && all(x - 0.75, far_from_zero); }
bool x_distinct(const A& x, const A&) {
    std::vector<double> sorted(x.begin(), x.end());
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 1; i < sorted.size(); ++i)
        if (sorted[i] - sorted[i - 1] < 0.05) return false;
    return true;
}

struct Operation {
    const char* text;  ///< of x and y
    V (*apply)(V x, V y);
    Domain domain = anywhere;
};

#define OF(...) #__VA_ARGS__, []([[maybe_unused]] V x, [[maybe_unused]] V y) -> V { return __VA_ARGS__; }

// clang-format off
const std::vector<Operation> operations = {
    {OF(x + y)}, {OF(x - y)}, {OF(x * y)}, {OF(x / y), y_nonzero}, {OF(x + 0.5)}, {OF(x * -1.5)}, {OF(x / 3.0)},
    {OF(2.0 - x)}, {OF(2.0 / x), x_nonzero}, {OF(-x)}, {OF(x * x)}, {OF(x + Array<double>{0.5})},
    {OF(exp(x))}, {OF(expm1(x))}, {OF(log(x)), x_positive}, {OF(log1p(x)), x_positive}, {OF(sqrt(x)), x_positive},
    {OF(abs(x)), x_nonzero}, {OF(sin(x))}, {OF(cos(x))}, {OF(tanh(x))}, {OF(erf(x))}, {OF(sigmoid(x))},
    {OF(relu(x)), x_nonzero}, {OF(softplus(x))}, {OF(gelu(x))}, {OF(gelu_tanh(x))}, {OF(silu(x))},
    {OF(pow(x, 2))}, {OF(pow(x, 3))}, {OF(pow(x, 1.5)), x_positive}, {OF(pow(x, -1)), x_nonzero},
    {OF(pow(x, y)), x_positive}, {OF(logaddexp(x, y))}, {OF(maximum(x, y)), apart}, {OF(minimum(x, y)), apart},
    {OF(clip(x, -0.5, 0.75)), x_inside}, {OF(where(relu(x), x * y, sin(y))), x_nonzero},
    {OF(sum(x))}, {OF(sum(x, {0}))}, {OF(sum(x, {-1}, true))}, {OF(sum(x, {0, -1}))}, {OF(mean(x))},
    {OF(mean(x, {1}))}, {OF(mean(x, {0}, true))}, {OF(variance(x, {0}))}, {OF(variance(x, {-1}, 1, true))},
    {OF(prod(x, {-1}))}, {OF(prod(x, {0, 2}))}, {OF(amax(x, {0})), x_distinct}, {OF(amax(x)), x_distinct},
    {OF(amin(x, {-1}, true)), x_distinct}, {OF(norm(x, {-1})), x_nonzero}, {OF(norm(x)), x_nonzero},
    {OF(logsumexp(x, {0}))}, {OF(logsumexp(x, {-1}, true))}, {OF(softmax(x))}, {OF(softmax(x, 0))},
    {OF(softmax(x, Array<double>{1})) }, {OF(log_softmax(x))}, {OF(log_softmax(x, 0))},
    {OF(reshape(x, {x.size()}))}, {OF(transpose(x))}, {OF(transpose(x, {1, 0, 2}))}, {OF(matrix_transpose(x))},
    {OF(broadcast_to(x, y.shape()))}, {OF(squeeze(x))}, {OF(expand_dims(x, 0))}, {OF(expand_dims(x, -1))},
    {OF(slice(x, 0, 1))}, {OF(slice(x, -1, -1, {}, -2))}, {OF(pad(x, 0, 1, 0))}, {OF(pad(x, -1, 0, 1))},
    {OF(take(x, Indices{0, 0, -1}))}, {OF(take(x, Indices{-1, 0}, -1))},
    {OF(take_along_axis(x, Indices(x.shape(), 0), -1))},
    {OF(concatenate<double>({x, y}))}, {OF(concatenate<double>({x, y, x}, -1))}, {OF(stack<double>({x, y}))},
    {OF(matmul(x, y))}, {OF(matmul(x, matrix_transpose(y)))}, {OF(linear(x, y))}, {OF(linear(x, y, sum(y, {-1})))},
    {OF(mean_squared_error(x, y))}, {OF(binary_cross_entropy_with_logits(x, y, Reduction::none))},
    {OF(softmax_cross_entropy(x, Array<double>(x.shape(), 0.5)))},
    {OF(softmax_cross_entropy(x, Indices{0, 1}, {.label_smoothing = 0.2}))},
};
// clang-format on

/// Value number i is leaf i, or the result of step i - leaves; the last is the program's.
struct Step {
    const Operation* operation;
    std::size_t x, y;
};
struct Program {
    std::vector<A> leaves;
    std::vector<Step> steps;
};

bool uses_y(const Operation& operation) {
    const std::string_view text = operation.text;
    const auto is_letter = [&](std::size_t i) {
        return i < text.size() && std::isalpha(static_cast<unsigned char>(text[i]));
    };
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == 'y' && !is_letter(i - 1) && !is_letter(i + 1)) return true;
    return false;
}

bool is_tame(const A& value) {
    return value.dimension() <= 3 && value.size() > 0 && value.size() <= 24 &&
           all(value, [](double v) { return std::abs(v) < 4; });
}

/// The step's result, or nothing where shapes do not fit, the point is no good for differences, or numbers grow.
std::optional<V> try_step(const Operation& operation, V x, V y) {
    try {
        if (operation.domain == apart)
            broadcast_shapes("apart", std::initializer_list<ShapeView>{x.shape(), y.shape()});
        if (!operation.domain(x.value(), y.value())) return {};
        const V z = operation.apply(x, y);
        return is_tame(z.value()) ? std::optional(z) : std::nullopt;
    } catch (const std::logic_error&) {  // std::invalid_argument, std::out_of_range
        return {};
    }
}

A random_array(const Shape& shape, std::mt19937_64& engine) {
    A array = A::from_shape(shape);
    std::uniform_real_distribution<double> uniform(-2, 2);
    for (double& x : array) x = uniform(engine);
    return array;
}

/// Without the steps and leaves that the last value does not depend on.
Program without_dead_code(const Program& program) {
    const std::size_t leaves = program.leaves.size(), count = leaves + program.steps.size();
    std::vector<bool> alive(count);
    alive[count - 1] = true;
    for (std::size_t i = count; i-- > leaves;)
        if (alive[i]) {
            const Step& step = program.steps[i - leaves];
            alive[step.x] = true;
            if (uses_y(*step.operation)) alive[step.y] = true;
        }
    Program result;
    std::vector<std::size_t> place(count);
    for (std::size_t i = 0; i < leaves; ++i)
        if (alive[i]) {
            place[i] = result.leaves.size();
            result.leaves.push_back(program.leaves[i]);
        }
    for (std::size_t i = leaves; i < count; ++i)
        if (alive[i]) {
            const Step& step = program.steps[i - leaves];
            place[i] = result.leaves.size() + result.steps.size();
            result.steps.push_back(
                {step.operation, place[step.x], uses_y(*step.operation) ? place[step.y] : place[step.x]});
        }
    return result;
}

Program random_program(const std::vector<Operation>& table, std::mt19937_64& engine) {
    const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine); };
    Program program;
    Tape<double> tape;
    std::vector<V> values;
    for (std::size_t leaves = 1 + below(3); leaves > 0; --leaves) {
        Shape shape(below(4));
        for (std::size_t& length : shape) length = std::array{1, 2, 2, 3}[below(4)];
        program.leaves.push_back(random_array(shape, engine));
        values.push_back(tape.variable(program.leaves.back()));
    }
    const std::size_t length = 1 + below(20);
    while (program.steps.size() < length) {
        const Operation& operation = table[below(table.size())];
        // Mostly the newest value, so that programs grow deep as well as wide.
        const std::size_t x = below(3) > 0 ? values.size() - 1 : below(values.size()), y = below(values.size());
        if (const auto z = try_step(operation, values[x], values[y])) {
            program.steps.push_back({&operation, x, y});
            values.push_back(*z);
        }
    }
    return without_dead_code(program);
}

/// Records the program; nothing where one of its steps is no good at these leaves.
std::optional<V> run(const Program& program, std::vector<V> values) {
    for (const Step& step : program.steps) {
        const auto z = try_step(*step.operation, values[step.x], values[step.y]);
        if (!z) return {};
        values.push_back(*z);
    }
    return values.back();
}

double inner_product(const A& x, const A& y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); }

/// The program's value and slope along `directions`, both weighted with the seed, at leaves + step * directions.
struct Slice {
    double value = 0, slope = 0;
};
std::optional<Slice> slice_at(const Program& program, const std::vector<A>& moves, double step,
                              const std::vector<A>& directions, const A& seed) {
    Tape<double> tape;
    std::vector<V> leaves;
    for (std::size_t i = 0; i < moves.size(); ++i)
        leaves.push_back(tape.variable(A(program.leaves[i] + step * moves[i])));
    const auto y = run(program, leaves);
    if (!y) return {};
    const auto gradients = tape.backward(*y, seed);
    Slice result{inner_product(y->value(), seed), 0};
    for (std::size_t i = 0; i < leaves.size(); ++i) result.slope += inner_product(gradients[leaves[i]], directions[i]);
    return result;
}

enum class Verdict { right, wrong, unclear };

/// Holds <gradient, u> and <Hessian u, w> against central differences along u. A derivative is right where one of the
/// steps confirms it; it is unclear where rounding leaves differences without enough digits.
struct Check {
    Verdict verdict = Verdict::right;
    std::string message = {};
};
Check check(const Program& program, unsigned seed_of_directions) {
    std::mt19937_64 engine(seed_of_directions);
    Tape<double> tape;
    std::vector<V> leaves;
    std::vector<A> us, ws;
    for (const A& leaf : program.leaves) {
        us.push_back(random_array(leaf.shape(), engine));
        ws.push_back(random_array(leaf.shape(), engine));
        leaves.push_back(tape.variable(leaf));
    }
    const auto y = run(program, leaves);
    if (!y) return {Verdict::unclear};
    const A seed = random_array(y->shape(), engine);
    const auto gradients = tape.backward(*y, seed);
    const auto products = hvp(sum(*y * tape.constant(seed)), leaves, us);
    double first = 0, second = 0, first_scale = 1, second_scale = 1;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        const A &gradient = gradients[leaves[i]], &product = products[i];
        first += inner_product(gradient, us[i]);
        second += inner_product(product, ws[i]);
        first_scale += inner_product(A(xt::abs(gradient)), A(xt::abs(us[i])));
        second_scale += inner_product(A(xt::abs(product)), A(xt::abs(ws[i])));
    }
    if (!(first_scale < 1e4 && second_scale < 1e5)) return {Verdict::unclear};
    bool seen = false, first_right = false, second_right = false;
    double first_seen = 0, second_seen = 0;
    for (const double step : {1e-5, 1e-4, 1e-6}) {
        const auto above = slice_at(program, us, step, ws, seed), below = slice_at(program, us, -step, ws, seed);
        if (!above || !below) continue;
        seen = true;
        first_seen = (above->value - below->value) / (2 * step);
        second_seen = (above->slope - below->slope) / (2 * step);
        first_right = first_right || std::abs(first_seen - first) <= 1e-6 * first_scale;
        second_right = second_right || std::abs(second_seen - second) <= 1e-6 * second_scale;
        if (first_right && second_right) return {};
    }
    if (!seen) return {Verdict::unclear};
    return {Verdict::wrong, fmt::format("the {} derivative is {:.10g}, but central differences give {:.10g}",
                                        first_right ? "second" : "first", first_right ? second : first,
                                        first_right ? second_seen : first_seen)};
}

bool fails(const Program& program) { return !program.steps.empty() && check(program, 1).verdict == Verdict::wrong; }

/// The programs that are a little smaller than this one.
std::vector<Program> smaller(const Program& program) {
    std::vector<Program> candidates;
    const std::size_t leaves = program.leaves.size();
    // An earlier end.
    for (std::size_t n = 1; n < program.steps.size(); ++n) {
        Program shorter = program;
        shorter.steps.resize(n);
        candidates.push_back(without_dead_code(shorter));
    }
    // A leaf in the place of a step, or its operand.
    Tape<double> tape;
    std::vector<V> values;
    for (const A& leaf : program.leaves) values.push_back(tape.variable(leaf));
    for (const Step& step : program.steps) values.push_back(step.operation->apply(values[step.x], values[step.y]));
    for (std::size_t k = 0; k + 1 < program.steps.size(); ++k) {
        Program frozen = program, bypassed = program;
        frozen.leaves.push_back(values[leaves + k].value());
        for (Step& step : frozen.steps)
            for (std::size_t* input : {&step.x, &step.y})
                *input = *input == leaves + k ? leaves : *input + (*input >= leaves);
        candidates.push_back(without_dead_code(frozen));
        for (Step& step : bypassed.steps)
            for (std::size_t* input : {&step.x, &step.y})
                if (*input == leaves + k) *input = program.steps[k].x;
        candidates.push_back(without_dead_code(bypassed));
    }
    for (std::size_t i = 0; i < leaves; ++i) {
        const A& leaf = program.leaves[i];
        // One leaf fewer.
        for (std::size_t other = 0; other < i; ++other) {
            Program merged = program;
            for (Step& step : merged.steps)
                for (std::size_t* input : {&step.x, &step.y})
                    if (*input == i) *input = other;
            candidates.push_back(without_dead_code(merged));
        }
        // Shorter axes, fewer axes.
        for (std::size_t axis = 0; axis < leaf.dimension(); ++axis) {
            Program narrow = program;
            const V whole = tape.constant(leaf);
            const auto along = static_cast<std::ptrdiff_t>(axis);
            narrow.leaves[i] =
                leaf.shape()[axis] > 1 ? slice(whole, along, 0, 1).value() : squeeze(whole, {along}).value();
            candidates.push_back(narrow);
        }
        // Rounder numbers.
        for (const double digits : {1.0, 10.0}) {
            Program rounder = program;
            rounder.leaves[i] = xt::round(leaf * digits) / digits;
            if (rounder.leaves[i] != leaf) candidates.push_back(rounder);
        }
    }
    return candidates;
}

/// The smallest failing program that leads from this one over failing programs.
Program shrink(Program program) {
    for (bool found = true; found;) {
        found = false;
        for (const Program& candidate : smaller(program))
            if (fails(candidate)) {
                program = candidate;
                found = true;
                break;
            }
    }
    return program;
}

/// A test that can be pasted.
std::string to_cpp(const Program& program) {
    const auto name = [&](std::size_t i) {
        return i < program.leaves.size() ? fmt::format("inputs[{}]", i) : fmt::format("v{}", i);
    };
    std::string text =
        "BOOST_AUTO_TEST_CASE(shrunk) {\n"
        "    const Function f = [](const std::vector<Variable<double>>& inputs) {\n";
    for (std::size_t k = 0; k < program.steps.size(); ++k) {
        const Step& step = program.steps[k];
        const std::string of_x = std::regex_replace(step.operation->text, std::regex("\\bx\\b"), name(step.x));
        const std::string of_both = std::regex_replace(of_x, std::regex("\\by\\b"), name(step.y));
        text += fmt::format("        const auto v{} = {};\n", program.leaves.size() + k, of_both);
    }
    text += fmt::format("        return v{};\n    }};\n    const std::vector<Array<double>> inputs = {{\n",
                        program.leaves.size() + program.steps.size() - 1);
    for (const A& leaf : program.leaves)
        text += fmt::format("        xt::adapt(std::vector<double>{{{}}}, Shape{{{}}}),\n", fmt::join(leaf, ", "),
                            fmt::join(leaf.shape(), ", "));
    return text +
           "    };\n"
           "    BOOST_TEST(gradcheck(f, inputs).passed);\n"
           "    BOOST_TEST(gradgradcheck(f, inputs).passed);\n"
           "}\n";
}

/// What a run of many programs has seen.
struct Tally {
    int programs = 0, unclear = 0;
    std::map<std::string, int> uses = {};
};

/// The first of `count` programs that fails.
std::optional<Program> find_failure(const std::vector<Operation>& table, std::mt19937_64& engine, int count,
                                    Tally& tally) {
    for (; tally.programs < count; ++tally.programs) {
        const Program program = random_program(table, engine);
        const Verdict verdict = check(program, 1).verdict;
        if (verdict == Verdict::wrong) return program;
        if (verdict == Verdict::unclear)
            ++tally.unclear;
        else
            for (const Step& step : program.steps) ++tally.uses[step.operation->text];
    }
    return {};
}

// ---- operations that are broken on purpose

V broken_product(V x, V y) {
    return record("broken_product", {x, y}, x.value() * y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar() * at(y) * 1.001;
        at.adjoint(y) += at.zbar() * at(x);
    });
}

// Right at first order; on variables its rule takes x for a constant.
V broken_square(V x) {
    const V c = x.detach();
    return record("broken_square", {x}, x.value() * x.value(),
                  [x, c](auto& at) { at.adjoint(x) += at.zbar() * at(c) * 2.0; });
}

std::string shrunk_failure(const Operation& broken) {
    std::vector<Operation> table = operations;
    table.push_back(broken);
    std::mt19937_64 engine(5);
    Tally tally;
    const auto failure = find_failure(table, engine, 2000, tally);
    BOOST_TEST_REQUIRE(failure.has_value());
    const Program program = shrink(*failure);
    BOOST_TEST(program.steps.size() == 1u);
    BOOST_TEST(program.leaves.size() == 1u);
    return to_cpp(program);
}

}  // namespace

BOOST_AUTO_TEST_CASE(programs_composed_at_random) {
    const auto& suite = boost::unit_test::framework::master_test_suite();
    std::mt19937_64 engine(suite.argc > 1 ? std::stoull(suite.argv[1]) : 1);
    const int count = suite.argc > 2 ? std::stoi(suite.argv[2]) : 10'000;
    Tally tally;
    if (const auto failure = find_failure(operations, engine, count, tally)) {
        const Program program = shrink(*failure);
        BOOST_FAIL(check(program, 1).message << "\n\n" << to_cpp(program));
    }
    BOOST_TEST_MESSAGE(tally.programs << " programs, " << tally.unclear << " of them too steep for differences");
    BOOST_TEST(tally.unclear < count / 20);
    for (const Operation& operation : operations) {
        BOOST_TEST_MESSAGE(operation.text << ": " << tally.uses[operation.text]);
        BOOST_TEST(tally.uses[operation.text] > count / 1000, operation.text << " is hardly used");
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_derivative_is_found_and_shrunk_to_a_line) {
    const std::string text = shrunk_failure({OF(broken_product(x, y))});
    BOOST_TEST(
        text.find("const auto v1 = broken_product(inputs[0], inputs[0]);\n        return v1;") != std::string::npos,
        text);
}

BOOST_AUTO_TEST_CASE(a_wrong_second_derivative_is_found_and_shrunk_to_a_line) {
    const std::string text = shrunk_failure({OF(broken_square(x))});
    BOOST_TEST(text.find("const auto v1 = broken_square(inputs[0]);\n        return v1;") != std::string::npos, text);
    BOOST_TEST(text.find("Shape{})") != std::string::npos, text);
}
