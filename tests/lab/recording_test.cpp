// A recording as plain data, against loops written by hand.
#define BOOST_TEST_MODULE recording
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <lab/recording_data.hpp>
#include <lab/recording_json.hpp>
#include <nlohmann/json.hpp>
#include <regex>

#include "autograd/operations_table.hpp"

namespace tt = boost::test_tools;

namespace {

/// What arrives at each node, contribution by contribution.
std::vector<std::vector<double>> arrived(const lab::Recording& recording) {
    std::vector<std::vector<double>> sums(recording.nodes.size());
    for (const auto& step : recording.backward)
        for (const auto& part : step.contributions) {
            std::vector<double>& sum = sums[part.to];
            sum.resize(part.value.values.size());
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part.value.values[i];
        }
    return sums;
}

/// The contributions that arrive at each node sum to its adjoint; the result's is 1.
void check_sums(const lab::Recording& recording) {
    const auto sums = arrived(recording);
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const auto& adjoint = recording.nodes[i].adjoint;
        if (i == recording.result) {
            BOOST_TEST(adjoint->values[0] == 1);
            continue;
        }
        BOOST_TEST(adjoint.has_value() == !sums[i].empty());
        if (!adjoint) continue;
        for (std::size_t k = 0; k < sums[i].size(); ++k)
            if (!std::isnan(sums[i][k]) || !std::isnan(adjoint->values[k]))
                BOOST_TEST(std::abs(sums[i][k] - adjoint->values[k]) <= 1e-12 * (1 + std::abs(sums[i][k])));
    }
}

/// Whatever gets a contribution has a derivative to show for it, and what is shown is of an input that may get one.
void check_formulas(const lab::Recording& recording) {
    for (const auto& step : recording.backward) {
        const lab::RecordedNode& node = recording.nodes[step.node];
        BOOST_TEST(node.formula.has_value(), node.name);
        for (const auto& part : step.contributions)
            BOOST_TEST(node.derivatives[part.input].has_value(), node.name << " by its input " << part.input);
    }
}

struct Shown {
    std::string formula, derivative;
};
/// What is shown of the node that was recorded last, and of its derivative by its last input.
template <class F>
Shown shown(const F& f) {
    autograd::Tape<double> tape;
    const auto x = tape.variable({{2., 3.}, {4., 5.}}, "x");
    const auto y = tape.variable({{1., 2.}, {3., 4.}}, "y");
    f(x, y);
    const auto last = static_cast<std::uint32_t>(tape.size() - 1);
    const lab::Recording recording = lab::record_of(tape, sum(variable_at(tape, last)));
    check_sums(recording);
    const lab::RecordedNode& node = recording.nodes[last];
    return {node.formula->text, node.derivatives.back() ? node.derivatives.back()->text : ""};
}

}  // namespace

// Every formula of the table of operations, and the recording of its derivative.
BOOST_AUTO_TEST_CASE(contributions_of_every_operation_sum_to_the_adjoints) {
    std::size_t count = 0;
    for (const Operation& operation : operations())
        for (const Variant& variant : operation.variants) BOOST_TEST_CONTEXT(operation.name) {
                autograd::Tape<double> tape;
                Inputs<double> inputs;
                for (const A& input : sample(variant, variant.samples.front(), 1))
                    inputs.push_back(tape.variable(input));
                const auto z = sum(variant.of(inputs));
                if (!z.requires_gradient()) continue;
                check_sums(lab::record_of(tape, z));
                check_formulas(lab::record_of(tape, z));
                auto total = z;
                for (const auto& gradient : grad(z, inputs)) total = total + sum(gradient * gradient);
                check_formulas(lab::record_of(tape, total));
                ++count;
            }
    BOOST_TEST(count > 100u);
}

// Several rules are recorded under one name.
BOOST_AUTO_TEST_CASE(the_formula_is_that_of_the_rule) {
    const auto is = [](const Shown& got, const std::string& formula, const std::string& derivative) {
        BOOST_TEST(got.formula == formula);
        BOOST_TEST(got.derivative == std::regex_replace(derivative, std::regex("bar"), "\xCC\x84"));
    };
    is(shown([](auto x, auto y) { return x - y; }), "z = x - y", "ybar += -zbar");
    is(shown([](auto x, auto) { return x + 2.0; }), "z = x + c", "xbar += zbar");
    is(shown([](auto x, auto) { return 2.0 - x; }), "z = c - x", "xbar += -zbar");
    is(shown([](auto x, auto) { return 2.0 * x; }), "z = x · c", "xbar += zbar · c");
    is(shown([](auto x, auto) { return x / 2.0; }), "z = x / c", "xbar += zbar / c");
    is(shown([](auto x, auto) { return 2.0 / x; }), "z = c / x", "xbar += -zbar · z / x");
    is(shown([](auto x, auto y) { return x / y; }), "z = x / y", "ybar += -zbar · z / y");
    is(shown([](auto x, auto) { return pow(x, 3.0); }), "z = x^c", "xbar += zbar · c · x^(c - 1)");
    is(shown([](auto x, auto y) { return pow(x, y); }), "z = x^y", "ybar += zbar · z · log(x)");
    is(shown([](auto x, auto y) { return matmul(x, y); }), "z = x @ y", "ybar += xᵀ @ zbar");
    is(shown([](auto x, auto y) { return times_transposed(x, y); }), "z = x @ yᵀ", "ybar += zbarᵀ @ x");
    is(shown([](auto x, auto y) { return transposed_times(x, y); }), "z = xᵀ @ y", "ybar += x @ zbar");
    is(shown([](auto x, auto y) { return linear(x, y); }), "z = x @ wᵀ", "wbar += zbarᵀ @ x");
    is(shown([](auto x, auto y) { return solve(x, y); }), "z = x⁻¹ @ y", "ybar += x^-T @ zbar");
    is(shown([](auto x, auto y) { return where(x, x, y); }), "z = mask ? x : y", "ybar += mask ? 0 : zbar");
    is(shown([](auto x, auto y) { return concatenate({x, y, x}, 0); }), "z = [x, y, ...]", "ybar += its part of zbar");
    is(shown([](auto x, auto y) { return binary_cross_entropy_with_logits(x, y, autograd::Reduction::none); }),
       "z = t · log(1 + exp(-x)) + (1 - t) · log(1 + exp(x))", "tbar += -zbar · x");
}

BOOST_AUTO_TEST_CASE(a_neuron_step_by_step) {
    autograd::Tape<double> tape;
    const auto x = tape.constant(0.5, "x");
    const auto w = tape.variable(2.0, "w");
    const auto y = tanh(w * x);
    const auto loss = y * y;
    const lab::Recording recording = lab::record_of(tape, loss, {.title = "neuron"});

    BOOST_TEST(recording.title == "neuron");
    BOOST_TEST(recording.precision == "double");
    BOOST_TEST(recording.result == 4u);
    std::vector<std::string> names, kinds;
    for (const auto& node : recording.nodes) {
        names.push_back(node.name);
        kinds.push_back(node.kind);
    }
    BOOST_TEST(names == (std::vector<std::string>{"x", "w", "mul#1", "tanh#1", "mul#2"}), tt::per_element());
    BOOST_TEST(kinds == (std::vector<std::string>{"constant", "variable", "operation", "operation", "operation"}),
               tt::per_element());

    const double a = std::tanh(1.0), slope = 2 * a * (1 - a * a);
    BOOST_TEST(recording.nodes[3].value.values.at(0) == a);
    BOOST_TEST(recording.nodes[4].adjoint->values.at(0) == 1.0);
    BOOST_TEST(recording.nodes[3].adjoint->values.at(0) == 2 * a, tt::tolerance(1e-15));
    BOOST_TEST(recording.nodes[1].adjoint->values.at(0) == slope * 0.5, tt::tolerance(1e-15));
    BOOST_TEST(!recording.nodes[0].adjoint);

    BOOST_TEST_REQUIRE(recording.backward.size() == 3u);
    BOOST_TEST(recording.backward[0].node == 4u);
    BOOST_TEST_REQUIRE(recording.backward[0].contributions.size() == 1u);  // y twice, at once
    BOOST_TEST(recording.backward[0].contributions[0].to == 3u);
    BOOST_TEST(recording.backward[0].contributions[0].value.values.at(0) == 2 * a, tt::tolerance(1e-15));
    BOOST_TEST_REQUIRE(recording.backward[2].contributions.size() == 1u);  // no gradient is wanted for x
    BOOST_TEST(recording.backward[2].contributions[0].to == 1u);
    BOOST_TEST(recording.backward[2].contributions[0].input == 0u);
    BOOST_TEST(recording.nodes[3].formula->text == "z = tanh(x)");
    BOOST_TEST(recording.nodes[3].derivatives.at(0)->text == "x\xCC\x84 += z\xCC\x84 · (1 - z²)");
    BOOST_TEST(recording.memory.back().bytes == 5 * sizeof(double));
}

// delta_j = f'(z_j) * sum_k w_kj * delta_k, on the very edges that it sums over: a node that two layers read.
BOOST_AUTO_TEST_CASE(a_network_with_a_fan_out_against_loops) {
    const autograd::Parameter<double> w("hidden.weight", {{0.5, -0.2}, {0.1, 0.7}, {-0.4, 0.3}}),
        v("out.weight", {{1., -2., 0.5}}), u("skip.weight", {{0.3, 0.2, -0.1}});
    autograd::Tape<double> tape;
    const auto x = tape.constant({{0.6, -1.1}}, "x");
    const auto a = tape.name(tanh(linear(x, tape.watch(w))), "a");
    const auto left = linear(a, tape.watch(v)), right = linear(a, tape.watch(u));
    const lab::Recording recording = lab::record_of(tape, sum(left * left + right));
    check_sums(recording);

    const double xs[2] = {0.6, -1.1};
    double as[3], l = 0;
    for (std::size_t j = 0; j < 3; ++j) {
        as[j] = std::tanh(w.value()(j, 0) * xs[0] + w.value()(j, 1) * xs[1]);
        l += v.value()(0, j) * as[j];
    }
    std::size_t edges = 0;
    for (const auto& step : recording.backward)
        for (const auto& part : step.contributions) {
            if (recording.nodes[part.to].name != "a") continue;
            ++edges;
            const bool is_left = step.node == left.index();
            for (std::size_t j = 0; j < 3; ++j)
                BOOST_TEST(part.value.values[j] == (is_left ? v.value()(0, j) * 2 * l : u.value()(0, j)),
                           tt::tolerance(1e-14));
        }
    BOOST_TEST(edges == 2u);
    for (const auto& node : recording.nodes)
        if (node.name == "hidden.weight")
            for (std::size_t j = 0; j < 3; ++j)
                for (std::size_t i = 0; i < 2; ++i) {
                    const double delta = (1 - as[j] * as[j]) * (v.value()(0, j) * 2 * l + u.value()(0, j));
                    BOOST_TEST(node.adjoint->values[2 * j + i] == delta * xs[i], tt::tolerance(1e-14));
                }
    std::map<std::string, std::string> groups;
    for (const auto& node : recording.nodes) groups[node.name] = node.group;
    BOOST_TEST(groups["a"] == "hidden");
    BOOST_TEST(groups["linear#2"] == "out");
    BOOST_TEST(groups["linear#3"] == "skip");
    BOOST_TEST(groups["add#1"] == "");
}

BOOST_AUTO_TEST_CASE(second_derivatives_are_one_longer_recording) {
    autograd::Tape<double> tape;
    const auto x = tape.variable(0.7, "x");
    const auto y = sin(x) * x;
    const auto before = static_cast<std::uint32_t>(tape.size());
    const auto slope = grad(y, x);
    const auto after = static_cast<std::uint32_t>(tape.size());
    const lab::Recording recording =
        lab::record_of(tape, slope * slope, {.title = "", .groups = {{"backward", before, after}}});
    BOOST_TEST(recording.nodes[before - 1].group == "");
    for (std::uint32_t i = before; i < after; ++i) BOOST_TEST(recording.nodes[i].group == "backward");
    const double first = std::cos(0.7) * 0.7 + std::sin(0.7), second = 2 * std::cos(0.7) - 0.7 * std::sin(0.7);
    BOOST_TEST(recording.nodes[0].adjoint->values[0] == 2 * first * second, tt::tolerance(1e-14));
    check_sums(recording);
}

BOOST_AUTO_TEST_CASE(large_arrays_are_sampled) {
    autograd::Array<float> large(autograd::Shape{1000, 300});
    for (std::size_t i = 0; i < large.size(); ++i) large.data()[i] = static_cast<float>(i);
    large(999, 299) = -7.5f;
    large(500, 1) = 1e9f;
    const lab::Numbers numbers = lab::numbers_of(large);
    BOOST_TEST(numbers.shape == (std::vector<std::size_t>{1000, 300}), tt::per_element());
    BOOST_TEST_REQUIRE(numbers.sampled.size() == 2u);
    const auto &rows = numbers.sampled[0], &columns = numbers.sampled[1];
    BOOST_TEST(numbers.values.size() == rows.size() * columns.size());
    BOOST_TEST(numbers.values.size() <= lab::most_numbers);
    BOOST_TEST(numbers.values.size() > lab::most_numbers / 4);
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = 0; j < columns.size(); ++j)
            BOOST_TEST(numbers.values[i * columns.size() + j] == large(rows[i], columns[j]));
    BOOST_TEST(numbers.least == -7.5);
    BOOST_TEST(numbers.largest == 1e9);
    double squares = 0;
    for (const float value : large) squares += double(value) * double(value);
    BOOST_TEST(numbers.length == std::sqrt(squares), tt::tolerance(1e-12));

    BOOST_TEST(lab::numbers_of(autograd::Array<float>(autograd::Shape{64, 64})).sampled.empty());
    BOOST_TEST(lab::numbers_of(autograd::Array<float>(autograd::Shape{0, 5})).values.empty());
    BOOST_TEST(lab::numbers_of(autograd::Array<float>(autograd::Shape{1, 1, 5000, 1})).sampled[2].size() <= 4096u);
}

BOOST_AUTO_TEST_CASE(numbers_read_back_from_json_as_they_were) {
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<float> values = {0.1f, 1.f / 3, 16777217.f, 1e-45f, 3.4028235e38f, -0.f, inf, -inf, NAN};
    autograd::Tape<float> tape;
    autograd::Array<float> array(autograd::Shape{values.size()});
    std::copy(values.begin(), values.end(), array.begin());
    const auto x = tape.variable(array, "x");
    const auto data = nlohmann::json::parse(lab::to_json(lab::record_of(tape, sum(x))));
    const auto& written = data.at("nodes")[0].at("value").at("values");
    for (std::size_t i = 0; i < 6; ++i) {
        BOOST_TEST(static_cast<float>(written[i].get<double>()) == values[i]);
        BOOST_TEST(written[i].dump().size() <= 15u, written[i].dump());
    }
    BOOST_TEST(std::signbit(written[5].get<double>()));
    BOOST_TEST(written[6] == "inf");
    BOOST_TEST(written[7] == "-inf");
    BOOST_TEST(written[8] == "nan");
    BOOST_TEST(data.at("nodes")[1].at("derivatives")[0].at("mathml").get<std::string>().starts_with("<math>"));
    BOOST_TEST(!data.contains("claims"));
}

namespace {

/// A line through points, after so many steps of descent by hand.
std::vector<lab::Recording> fitted(std::size_t steps) {
    std::vector<lab::Recording> training;
    double w = 0.5, b = 0;
    for (std::size_t step = 0; step <= steps; ++step) {
        autograd::Tape<double> tape;
        const auto x = tape.constant({1., 2., 4.}, "x");
        const auto slope = tape.variable(w, "w"), height = tape.variable(b, "b");
        const auto off = x * slope + height - tape.constant({1., 0., 3.}, "y");
        training.push_back(lab::record_of(tape, tape.name(mean(off * off), "loss"), {.title = "a line"}));
        w -= 0.05 * training.back().nodes[1].adjoint->values[0];
        b -= 0.05 * training.back().nodes[2].adjoint->values[0];
    }
    return training;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_steps_of_a_training_have_numbers_alone) {
    const std::vector<lab::Recording> training = fitted(5);
    const auto whole = nlohmann::json::parse(lab::to_json(training));
    // The first step is a recording as any other, and the later ones put into it are those that were recorded.
    auto now = whole;
    now.erase("training");
    BOOST_TEST(now == nlohmann::json::parse(lab::to_json(training[0])));
    BOOST_TEST_REQUIRE(whole.at("training").size() == 5u);
    for (std::size_t step = 1; step <= 5; ++step) {
        const auto& later = whole["training"][step - 1];
        for (const char* list : {"nodes", "backward"})
            for (std::size_t i = 0; i < now[list].size(); ++i) {
                auto& one = now[list][i];
                one.merge_patch(list == std::string("nodes") ? later[list][i] : nlohmann::json::object());
                for (std::size_t k = 0; one.contains("contributions") && k < one["contributions"].size(); ++k)
                    one["contributions"][k].merge_patch(later[list][i]["contributions"][k]);
            }
        BOOST_TEST(now == nlohmann::json::parse(lab::to_json(training[step])));
        BOOST_TEST(later["nodes"][0].empty());  // x stays
    }
    BOOST_TEST(training[5].nodes.back().value.values[0] < training[0].nodes.back().value.values[0]);
    BOOST_TEST(lab::to_json(std::vector{training[0]}) == lab::to_json(training[0]));
}

BOOST_AUTO_TEST_CASE(a_training_of_other_nodes_or_shapes_is_refused) {
    const auto refused = [](const std::vector<lab::Recording>& training, const std::string& sentence) {
        BOOST_CHECK_EXCEPTION(lab::to_json(training), std::invalid_argument, [&](const std::invalid_argument& error) {
            BOOST_TEST(std::string(error.what()).find(sentence) != std::string::npos, error.what());
            return true;
        });
    };
    refused({}, "[to_json] the training has no step");
    std::vector<lab::Recording> training = fitted(2);
    autograd::Tape<double> tape;
    training[2] = lab::record_of(tape, sum(tape.variable({1., 2.}, "x")));
    refused(training,
            "step 2 has a walk back in double from node 1 where step 0 has a walk back in double from node 8");
    training = fitted(2);
    training[1].nodes[0].value.shape = {2};
    refused(training, "step 1 has x, constant() of shape (2) where step 0 has x, constant() of shape (3)");
    training = fitted(2);
    training[1].nodes.back().adjoint.reset();
    refused(training, "of shape () where step 0 has loss, mean(7) of shape (), with an adjoint");
    training = fitted(2);
    training[2].claims = {lab::Claim{}};
    refused(training, "step 2 has the claim of line 0 with numbers of shapes none and none where step 0 has nothing");
}

BOOST_AUTO_TEST_CASE(what_has_no_gradient_is_an_error) {
    autograd::Tape<double> tape, other;
    const auto c = tape.constant(1.0);
    BOOST_CHECK_THROW(lab::record_of(tape, c * 2.0), autograd::GradientError);
    BOOST_CHECK_THROW(lab::record_of(tape, tape.variable({{1., 2.}})), std::invalid_argument);
    BOOST_CHECK_THROW(lab::record_of(other, c), autograd::VariableError);
    lab::Recording recording = lab::record_of(tape, tape.variable(1.0) * 2.0);
    BOOST_CHECK_THROW(lab::add_digits(recording, {}), std::invalid_argument);
}

// An adjoint's memory is taken when the first part of it arrives and given back when its rule was run; leaves keep
// theirs.
BOOST_AUTO_TEST_CASE(memory_forward_and_backward) {
    autograd::Tape<float> tape;
    const auto x = tape.variable(autograd::Array<float>(autograd::Shape{10}, 1), "x");  // 40 bytes
    const auto w = tape.watch(autograd::Parameter<float>("w", autograd::Array<float>(autograd::Shape{10}, 2)));
    const auto a = x * w;
    const auto y = sum(tanh(a) * a);
    const lab::Recording recording = lab::record_of(tape, y);
    std::vector<std::size_t> forward, backward;
    for (const auto& held : recording.memory) forward.push_back(held.bytes);
    for (const auto& step : recording.backward) backward.push_back(step.bytes);
    BOOST_TEST(forward == (std::vector<std::size_t>{40, 40, 80, 120, 160, 164}), tt::per_element());
    // sum: its own 4 go, 40 of the product come; the product's go, tanh's and a's come; tanh's go; a's go, x's and w's
    // come.
    BOOST_TEST(backward == (std::vector<std::size_t>{40, 80, 40, 80}), tt::per_element());
}
