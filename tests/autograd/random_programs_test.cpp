// Programs composed at random, held against central differences at first and second order. One that fails is shrunk to
// its smallest form and printed as a test that can be pasted. `random_programs_test -- SEED COUNT` runs others.
#define BOOST_TEST_MODULE random_programs
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <regex>

#include "operations_table.hpp"

using V = Variable<double>;

namespace {

/// Value number i is leaf i, or the result of step i - leaves; the last is the program's.
struct Step {
    const Variant* variant;
    std::size_t x, y;
};
struct Program {
    std::vector<A> leaves;
    std::vector<Step> steps;
};

bool is_tame(const A& value) {
    return value.dimension() <= 3 && value.size() > 0 && value.size() <= 24 &&
           std::all_of(value.begin(), value.end(), [](double v) { return std::abs(v) < 4; });
}

/// The step's result, or nothing where shapes do not fit, the point is no good for differences, or numbers grow.
std::optional<V> try_step(const Variant& variant, V x, V y) {
    try {
        const V z = variant.of(Inputs<double>{x, y});
        // Asked behind the step, which throws where the shapes do not fit.
        if (variant.domain.holds != nullptr && !variant.domain.holds(x.value(), y.value())) return {};
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
            if (step.variant->of.uses('y')) alive[step.y] = true;
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
                {step.variant, place[step.x], step.variant->of.uses('y') ? place[step.y] : place[step.x]});
        }
    return result;
}

/// What steps are drawn from.
using Choice = std::vector<const Variant*>;

std::uint64_t scrambled(std::uint64_t x) {  // SplitMix64
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/// The variant with the highest score, which comes from its text and the number alone: one more in the choice changes
/// the programs that draw it, and no others.
const Variant& draw(const Choice& choice, std::uint64_t number) {
    const auto score = [&](const Variant* variant) {
        std::uint64_t key = number;
        for (const char* c = variant->of.text; *c != 0; ++c) key = scrambled(key + static_cast<unsigned char>(*c));
        return key;
    };
    return **std::max_element(choice.begin(), choice.end(),
                              [&](auto* left, auto* right) { return score(left) < score(right); });
}

Program random_program(const Choice& choice, std::mt19937_64& engine) {
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
        const Variant& variant = draw(choice, engine());
        // Mostly the newest value, so that programs grow deep as well as wide.
        const std::size_t x = below(3) > 0 ? values.size() - 1 : below(values.size()), y = below(values.size());
        if (const auto z = try_step(variant, values[x], values[y])) {
            program.steps.push_back({&variant, x, y});
            values.push_back(*z);
        }
    }
    return without_dead_code(program);
}

/// Records the program; nothing where one of its steps is no good at these leaves.
std::optional<V> run(const Program& program, std::vector<V> values) {
    for (const Step& step : program.steps) {
        const auto z = try_step(*step.variant, values[step.x], values[step.y]);
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
    for (const Step& step : program.steps)
        values.push_back(step.variant->of(Inputs<double>{values[step.x], values[step.y]}));
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
        const std::string of_x = std::regex_replace(step.variant->of.text, std::regex("\\bx\\b"), name(step.x));
        const std::string of_both = std::regex_replace(of_x, std::regex("\\by\\b"), name(step.y));
        const std::string with_type = std::regex_replace(of_both, std::regex("\\bT\\b"), "double");
        const std::string full = std::regex_replace(with_type, std::regex("\\bA\\b"), "Array<double>");
        text += fmt::format("        const auto v{} = {};\n", program.leaves.size() + k, full);
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

/// The first of `count` programs that fails. Each has a seed of its own, so that a change of one leaves the others.
std::optional<Program> find_failure(const Choice& choice, std::uint64_t seed, int count, Tally& tally) {
    for (; tally.programs < count; ++tally.programs) {
        std::mt19937_64 engine(scrambled(seed + static_cast<std::uint64_t>(tally.programs)));
        const Program program = random_program(choice, engine);
        const Verdict verdict = check(program, 1).verdict;
        if (verdict == Verdict::wrong) return program;
        if (verdict == Verdict::unclear)
            ++tally.unclear;
        else
            for (const Step& step : program.steps) ++tally.uses[step.variant->of.text];
    }
    return {};
}

// ---- operations that are broken on purpose

template <class T>
Variable<T> broken_product(Variable<T> x, Variable<T> y) {
    return record("broken_product", {x, y}, x.value() * y.value(), [x, y](auto& at) {
        at.adjoint(x) += at.zbar() * at(y) * T(1.001);
        at.adjoint(y) += at.zbar() * at(x);
    });
}

// Right at first order; on variables its rule takes x for a constant.
template <class T>
Variable<T> broken_square(Variable<T> x) {
    const auto c = x.detach();
    return record("broken_square", {x}, x.value() * x.value(),
                  [x, c](auto& at) { at.adjoint(x) += at.zbar() * at(c) * T(2); });
}

std::string shrunk_failure(const Variant& broken) {
    static const Variant others[] = {
        {OF(x + y), nullptr},        {OF(x * y), nullptr},        {OF(x * -1.5), nullptr},
        {OF(sin(x)), nullptr},       {OF(sigmoid(x)), nullptr},   {OF(sum(x)), nullptr},
        {OF(mean(x, {1})), nullptr}, {OF(transpose(x)), nullptr}, {OF(expand_dims(x, 0)), nullptr},
        {OF(matmul(x, y)), nullptr},
    };
    Choice choice{&broken};
    for (const Variant& other : others) choice.push_back(&other);
    Tally tally;
    const auto failure = find_failure(choice, 5, 2000, tally);
    BOOST_TEST_REQUIRE(failure.has_value());
    const Program program = shrink(*failure);
    BOOST_TEST(program.steps.size() == 1u);
    BOOST_TEST(program.leaves.size() == 1u);
    return to_cpp(program);
}

}  // namespace

BOOST_AUTO_TEST_CASE(programs_composed_at_random) {
    const auto& suite = boost::unit_test::framework::master_test_suite();
    const std::uint64_t seed = suite.argc > 1 ? std::stoull(suite.argv[1]) : 1;
    const int count = suite.argc > 2 ? std::stoi(suite.argv[2]) : 10'000;
    Choice choice;
    for (const Operation& operation : operations())
        for (const Variant& variant : operation.variants)
            if (variant.is_step) choice.push_back(&variant);
    Tally tally;
    if (const auto failure = find_failure(choice, seed, count, tally)) {
        const Program program = shrink(*failure);
        BOOST_FAIL(check(program, 1).message << "\n\n" << to_cpp(program));
    }
    BOOST_TEST_MESSAGE(tally.programs << " programs, " << tally.unclear << " of them too steep for differences");
    BOOST_TEST(tally.unclear < count / 20);
    int steps = 0;
    for (const auto& [text, uses] : tally.uses) steps += uses;
    // An even share falls with the number of operations; what few values fit is drawn less.
    const int share = steps / static_cast<int>(choice.size());
    for (const Variant* variant : choice) {
        const char* text = variant->of.text;
        BOOST_TEST_MESSAGE(text << ": " << tally.uses[text]);
        BOOST_TEST(tally.uses[text] > share / 30, text << " is hardly used: where few shapes fit it, it is no step");
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_derivative_is_found_and_shrunk_to_a_line) {
    const std::string text = shrunk_failure({OF(broken_product(x, y)), nullptr});
    BOOST_TEST(
        text.find("const auto v1 = broken_product(inputs[0], inputs[0]);\n        return v1;") != std::string::npos,
        text);
}

BOOST_AUTO_TEST_CASE(a_wrong_second_derivative_is_found_and_shrunk_to_a_line) {
    const std::string text = shrunk_failure({OF(broken_square(x)), nullptr});
    BOOST_TEST(text.find("const auto v1 = broken_square(inputs[0]);\n        return v1;") != std::string::npos, text);
    BOOST_TEST(text.find("Shape{})") != std::string::npos, text);
}
