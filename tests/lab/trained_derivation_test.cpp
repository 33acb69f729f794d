// Training a derivation's network: against loops written by hand.
#define BOOST_TEST_MODULE trained_derivation
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <lab/trained_derivation.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "example_derivations.hpp"
#include "temporary_folder.hpp"

namespace {

using lab::Given, lab::Training, lab::TrainOptions;

const std::vector<double> xs = {0.5, -1, 2, 0.25}, ys = {1, 0, 3, 0.5};
const std::string line = R"(index n = 4
constant eta = 0.05
given x[n] = [0.5, -1, 2, 0.25]
given y[n] = [1, 0, 3, 0.5]
given w = 0.3
given b = -0.2
let o[n] = w * x[n] + b
let L = mean(n, (o[n] - y[n])^2)
let unused[n] = dL/do[n]
update w := w - eta * mean(n, 2 * (o[n] - y[n]) * x[n])
)";

derivation::Report report_of(const std::string& text) { return derivation::check(text); }

Training trained(const std::string& text, const TrainOptions& options = {}) {
    return lab::trained(text, report_of(text), options);
}

void near(double a, double b) { BOOST_TEST(std::abs(a - b) <= 1e-12 * std::max(1.0, std::abs(b)), a << " " << b); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_line_is_fitted_as_by_hand) {
    TrainOptions options;
    options.steps = 20;
    options.learned = {"w", "b"};
    options.rate = 0.1;
    const Training training = trained(line, options);
    BOOST_TEST(training.loss == "L");
    BOOST_TEST(training.steps.size() == 21u);
    double w = 0.3, b = -0.2;
    for (const lab::TrainedStep& step : training.steps) {
        double loss = 0, by_w = 0, by_b = 0;
        for (std::size_t n = 0; n < 4; ++n) {
            const double off = w * xs[n] + b - ys[n];
            loss += off * off / 4;
            by_w += 2 * off * xs[n] / 4;
            by_b += 2 * off / 4;
        }
        near(step.loss, loss);
        near(step.values[0][0], w);
        near(step.values[1][0], b);
        near(step.gradients[0][0], by_w);
        near(step.gradients[1][0], by_b);
        w -= 0.1 * by_w;
        b -= 0.1 * by_b;
    }
    BOOST_TEST(training.steps.back().loss < training.steps.front().loss);
}

BOOST_AUTO_TEST_CASE(some_points_are_held_out) {
    // The second and the last of the line's points; size(n) is that of the part.
    const auto of = [](const std::string& size, const std::string& x, const std::string& y) {
        return "index n = " + size + "\nconstant eta = 0.05\ngiven x[n] = [" + x + "]\ngiven y[n] = [" + y +
               "]\ngiven w, b\nlet L = sum(n, (w * x[n] + b - y[n])^2) / size(n)\nupdate w := w - eta * dL/dw\n";
    };
    const std::string text = of("4", "0.5, -1, 2, 0.25", "1, 0, 3, 0.5");
    TrainOptions options;
    options.steps = 10;
    options.learned = {"w", "b"};
    options.parted = lab::PartedText{of("2", "0.5, 2", "1, 3"), of("2", "-1, 0.25", "0, 0.5")};
    const Training training = trained(text, options);
    double w = training.given.at("w")[0], b = training.given.at("b")[0];
    BOOST_TEST(training.given.at("x") == xs, boost::test_tools::per_element());
    BOOST_TEST(training.given == trained(text).given);
    for (const lab::TrainedStep& step : training.steps) {
        double loss[2] = {0, 0}, by_w = 0, by_b = 0;
        for (std::size_t n = 0; n < 4; ++n) {
            const double off = w * xs[n] + b - ys[n];
            loss[n % 2] += off * off / 2;
            if (n % 2 == 0) by_w += off * xs[n], by_b += off;
        }
        near(step.loss, loss[0]);
        near(step.held.value(), loss[1]);
        near(step.values[0][0], w);
        near(step.gradients[0][0], by_w);
        near(step.gradients[1][0], by_b);
        w -= 0.05 * by_w;
        b -= 0.05 * by_b;
    }
    BOOST_TEST(training.steps.size() == 11u);
    BOOST_TEST(nlohmann::json::parse(lab::to_json(training))["steps"][3]["held"] == *training.steps[3].held);
    BOOST_TEST(!trained(text).steps[0].held.has_value());
    // What is of the points is not learned, and has its numbers in the text.
    options.learned = {"x"};
    BOOST_CHECK_EXCEPTION(trained(text, options), std::runtime_error, [](const std::runtime_error& error) {
        return std::string(error.what()) == "[train] x is of the points: it cannot be learned where some are held out";
    });
    options.learned = {"w"};
    options.parted->held =
        "index n = 2\nconstant eta = 0.05\ngiven x[n], y[n], w, b\n"
        "let L = sum(n, (w * x[n] + b - y[n])^2) / size(n)\n";
    BOOST_CHECK_EXCEPTION(trained(text, options), std::runtime_error, [](const std::runtime_error& error) {
        return std::string(error.what()) == "[train] x has no numbers in the text: none of its points can be held out";
    });
    options.parted->held = "given w\nlet L = w^2\n";
    BOOST_CHECK_EXCEPTION(trained(text, options), std::runtime_error, [](const std::runtime_error& error) {
        return std::string(error.what()) == "[train] a part of the points has other arrays than the text";
    });
}

BOOST_AUTO_TEST_CASE(the_text_says_what_is_learned_and_how_fast) {
    Training training = trained(line);
    BOOST_TEST(training.rate == 0.05);
    BOOST_TEST(training.learned == std::vector<std::string>{"w"}, boost::test_tools::per_element());
    BOOST_TEST(training.candidates == (std::vector<std::string>{"x", "y", "w", "b"}), boost::test_tools::per_element());
    BOOST_TEST(training.given.at("x") == xs, boost::test_tools::per_element());
    // Without an update it is what the claims are about.
    training = trained("given w = 1\ngiven x = 2\nlet L = (w * x)^2\nclaim dL/dw = 2 * w * x^2\n");
    BOOST_TEST(training.learned == std::vector<std::string>{"w"}, boost::test_tools::per_element());
    BOOST_TEST(training.rate == 0.1);
    // A rate may be typed as a number, and a state's rate of forgetting is none.
    const std::string parabola = "constant rho = 0.9, eta = 0.01\ngiven w = 1, m = 0\nlet L = w^2\n";
    BOOST_TEST(trained(parabola + "update w := w - 0.02 * 2 * w on L\n").rate == 0.02);
    BOOST_TEST(trained(parabola + "update m := rho * m + 2 * w on L\nupdate w := w - eta * new(m) on L\n").rate ==
               0.01);
    // Two arrays of one name.
    const std::string coursework = bytes_of(DELTARULE_SOURCE_DIR "/examples/derivations/coursework.deriv");
    training = trained(coursework);
    BOOST_TEST(training.learned == (std::vector<std::string>{"w[j,i]", "w[k,j]"}), boost::test_tools::per_element());
    BOOST_TEST(training.candidates.size() == 3u);  // y is one class
}

BOOST_AUTO_TEST_CASE(an_update_may_climb) {
    // J = 3 - (w - 2)^2 - 2 (v + 1)^2: its top is 3 at w = 2, v = -1.
    const std::string hill = "constant eta = 0.1\ngiven w = 0.5\ngiven v = 1\nlet J = 3 - (w - 2)^2 - 2 * (v + 1)^2\n";
    const std::string up = "update w := w - 2 * eta * (w - 2) ascent on J\n";
    TrainOptions options;
    options.steps = 100;
    Training training = trained(hill + up, options);
    BOOST_TEST(training.learned == std::vector<std::string>{"w"}, boost::test_tools::per_element());
    BOOST_TEST(training.ascends == std::vector<bool>{true}, boost::test_tools::per_element());
    double w = 0.5;
    for (const lab::TrainedStep& step : training.steps) {
        near(step.values[0][0], w);
        near(step.gradients[0][0], -2 * (w - 2));
        w += 0.1 * -2 * (w - 2);
    }
    near(training.steps.back().loss, 3 - 8);
    // What has no update of its own goes the way of the first.
    options.learned = {"v", "w"};
    training = trained(hill + up, options);
    near(training.steps.back().loss, 3);
    // Each goes its own way: w up, v down.
    options.learned.reset();
    options.steps = 3;
    training = trained(hill + up + "update v := v + 4 * eta * (v + 1) on J\n", options);
    BOOST_TEST(training.ascends == (std::vector<bool>{true, false}), boost::test_tools::per_element());
    near(training.steps[1].values[1][0], 1 + 4 * 0.1 * 2);
    // The loss is what the first update is about.
    training = trained(hill + "let cost = w^2 + v^2\n" + up, options);
    BOOST_TEST(training.loss == "J");
    BOOST_TEST(nlohmann::json::parse(lab::to_json(training))["ascends"] == nlohmann::json({true}));
    training = trained(hill + "let cost = w^2 + v^2\nupdate w := w - 2 * eta * w on cost\n" + up, options);
    BOOST_TEST(training.loss == "cost");
    BOOST_TEST(training.ascends == std::vector<bool>{false}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_step_is_explained_at_its_numbers) {
    const Training training = trained(line);
    Given given = training.given;
    given["w"] = training.steps[7].values[0];
    const lab::Recording recording = lab::explained(line, report_of(line), given);
    near(recording.nodes[recording.result].value.values[0], training.steps[7].loss);
    for (const lab::RecordedNode& node : recording.nodes)
        if (node.name == "w") near(node.adjoint->values[0], training.steps[7].gradients[0][0]);
    given["w"] = {1, 2};
    BOOST_CHECK_THROW(lab::explained(line, report_of(line), given), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(steps_that_leave_all_numbers_end) {
    TrainOptions options;
    options.rate = 1e200;
    const Training training = trained(line, options);
    BOOST_TEST(training.steps.size() < 5u);
    BOOST_TEST(training.steps.size() > 0u);
    for (const lab::TrainedStep& step : training.steps) BOOST_TEST(std::isfinite(step.loss));
    options.learned = {"nothing"};
    BOOST_CHECK_THROW(trained(line, options), std::runtime_error);
    BOOST_CHECK_THROW(trained("index n = 2\ngiven x[n]\nlet y[n] = x[n]^2\n"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(regions_of_a_logistic_unit) {
    const std::string text = R"(index n = 3
index i = 2
given X[n,i] = [[0, 0], [1, 2], [-1, 1]]
given t[n] = [0, 1, 1]
given w[i] = [2, -1]
given b = 0.5
let p[n] = sigmoid(sum(i, w[i] * X[n,i]) + b)
let L = -mean(n, t[n] * log(p[n]) + (1 - t[n]) * log(1 - p[n]))
)";
    const auto map = lab::regions(text, report_of(text), {{"b", {-0.5}}}, {"w", "b"}, 7);
    BOOST_REQUIRE(map.has_value());
    BOOST_TEST(map->input == "X");
    BOOST_TEST(map->output == "p");
    BOOST_TEST(map->targets == "t");
    BOOST_TEST(map->outputs == 1u);
    BOOST_TEST(map->classes == (std::vector<int>{0, 1, 1}), boost::test_tools::per_element());
    near(map->low[0], -1.4);
    near(map->high[1], 2.4);
    BOOST_REQUIRE(map->values.size() == 49u);
    for (std::size_t k = 0; k < 49; ++k) {
        const double x = -1.4 + (static_cast<double>(k % 7) + 0.5) / 7 * 2.8;
        const double y = -0.4 + (static_cast<double>(k / 7) + 0.5) / 7 * 2.8;
        near(map->values[k], 1 / (1 + std::exp(-(2 * x - y - 0.5))));
    }
    // Points that no plane holds, and a network that has no number there.
    const auto says = [](const char* part) {
        return [=](const std::exception& error) { return std::string(error.what()).find(part) != std::string::npos; };
    };
    const std::string far =
        "index n = 2\nindex i = 2\ngiven X[n,i] = [[-8e307, 1], [8e307, 2]]\ngiven w\n"
        "let p[n] = w * tanh(X[n,0] + X[n,1])\nlet L = mean(n, p[n]^2)\n";
    BOOST_CHECK_EXCEPTION(lab::regions(far, report_of(far), {}, {"w"}), std::runtime_error,
                          says("the points of X lie too far apart"));
    const std::string rooted =
        "index n = 2\nindex i = 2\ngiven X[n,i] = [[1, 1], [2, 2]]\ngiven w\n"
        "let p[n] = w * sqrt(X[n,0] - 0.9) + X[n,1]\nlet L = mean(n, p[n]^2)\n";
    BOOST_CHECK_EXCEPTION(lab::regions(rooted, report_of(rooted), {}, {"w"}), std::runtime_error,
                          says("p is NaN in a corner of it"));
    // A row that depends on the others has no place in the plane.
    const std::string mixed =
        "index n, m = 3\nindex i = 2\ngiven X[n,i]\ngiven w[i]\n"
        "let p[n] = sum(i, w[i] * (X[n,i] - mean(m, X[m,i])))\nlet L = mean(n, p[n]^2)\n";
    BOOST_TEST(!lab::regions(mixed, report_of(mixed), {}, {"w"}).has_value());
    BOOST_TEST(!lab::regions(line, report_of(line), {}, {"w"}).has_value());
}

// JSON has no infinity: as null it would be drawn as 0.
BOOST_AUTO_TEST_CASE(what_is_not_finite_is_written) {
    const Training training = trained("given t = 0\nlet L = sqrt(t)\nupdate t := t - 0.1 * dL/dt on L\n", {});
    const nlohmann::json json = nlohmann::json::parse(lab::to_json(training));
    BOOST_TEST(json["steps"][0]["loss"] == 0);
    BOOST_TEST(json["steps"][0]["gradients"][0][0] == "inf");
    lab::Regions map;
    map.values = {0.5, NAN};
    map.units = {{"a", {-INFINITY}}};
    const nlohmann::json written = nlohmann::json::parse(lab::to_json(map));
    BOOST_TEST(written["values"] == nlohmann::json::parse(R"([0.5, "nan"])"));
    BOOST_TEST(written["units"][0]["values"][0] == "-inf");
}

BOOST_AUTO_TEST_CASE(two_classes_are_parted) {
    const std::string text = bytes_of(DELTARULE_SOURCE_DIR "/examples/derivations/two_classes.deriv");
    TrainOptions options;
    options.steps = 100;
    const Training training = trained(text, options);
    BOOST_TEST(training.learned.size() == 4u);
    BOOST_TEST(training.steps.front().loss > 0.5);
    BOOST_TEST(training.steps.back().loss < 0.1);
    Given given = training.given;
    for (std::size_t k = 0; k < training.learned.size(); ++k)
        given[training.learned[k]] = training.steps.back().values[k];
    const auto map = lab::regions(text, report_of(text), given, training.learned);
    BOOST_REQUIRE(map.has_value());
    BOOST_TEST(map->outputs == 2u);
    BOOST_TEST(map->classes.size() == 20u);
    const nlohmann::json json = nlohmann::json::parse(lab::to_json(training));
    BOOST_TEST(json["steps"].size() == 101u);
    BOOST_TEST(json["shapes"] == nlohmann::json::parse("[[2,6],[2],[6,2],[6]]"));
    BOOST_TEST(json["steps"][0]["gradients"][0].size() == training.steps[0].gradients[0].size());
    const nlohmann::json map_json = nlohmann::json::parse(lab::to_json(*map));
    BOOST_TEST(map_json["values"].size() == 1800u);
    // The hidden units over the plane: z, its tanh a, and s, whose softmax is the output.
    BOOST_REQUIRE(map->units.size() == 14u);
    BOOST_TEST(map->units[1].name == "z[n,1]");
    BOOST_TEST(map->units[13].name == "s[n,1]");
    BOOST_TEST(map_json["units"][13]["values"].size() == 900u);
    const std::vector<double>&w = given["w"], &b = given["b"], &v = given["v"], &c = given["c"];
    for (const std::size_t k : {0u, 37u, 899u}) {
        const auto at = [&](std::size_t place, std::size_t axis) {
            return map->low[axis] + (static_cast<double>(place) + 0.5) / 30 * (map->high[axis] - map->low[axis]);
        };
        const double x = at(k % 30, 0), y = at(k / 30, 1);
        double s = c[1];
        for (std::size_t j = 0; j < 6; ++j) {
            const double z = w[2 * j] * x + w[2 * j + 1] * y + b[j];
            near(map->units[j].values[k], z);
            near(map->units[6 + j].values[k], std::tanh(z));
            s += v[6 + j] * std::tanh(z);
        }
        near(map->units[13].values[k], s);
    }
}
