// Values, gradients, second derivatives and trajectories that PyTorch computed: tests/golden/make_golden.py wrote them.
#define BOOST_TEST_MODULE golden
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <nn/average.hpp>
#include <nn/fit.hpp>
#include <nn/gradient_tools.hpp>
#include <nn/lbfgs.hpp>
#include <nn/optimizers.hpp>
#include <nn/schedules.hpp>
#include <set>

#include "autograd/operations_table.hpp"

using Json = nlohmann::json;

namespace {

Json read(const std::string& topic) {
    std::ifstream file(DELTARULE_SOURCE_DIR "/tests/golden/" + topic + ".json");
    BOOST_TEST_REQUIRE(file.good(), "tests/golden/" << topic << ".json is missing");
    return Json::parse(file);
}

template <class T>
Array<T> array_of(const Json& stored) {
    const auto lengths = stored["shape"].get<std::vector<std::size_t>>();
    Array<T> array = Array<T>::from_shape(Shape(lengths.begin(), lengths.end()));
    BOOST_TEST_REQUIRE(stored["data"].size() == array.size());
    for (std::size_t i = 0; i < array.size(); ++i) {
        const Json& number = stored["data"][i];  // JSON has no infinity
        array.data()[i] =
            static_cast<T>(number.is_string() ? std::stod(number.get<std::string>()) : number.get<double>());
    }
    return array;
}

Indices indices_of(const Json& nested) {
    if (!nested[0].is_array()) {
        Indices indices(Shape{nested.size()}, 0);
        std::copy(nested.begin(), nested.end(), indices.begin());
        return indices;
    }
    Indices indices(Shape{nested.size(), nested[0].size()}, 0);
    for (std::size_t i = 0; i < nested.size(); ++i)
        for (std::size_t k = 0; k < nested[i].size(); ++k) indices(i, k) = nested[i][k];
    return indices;
}

Options options_of(const Json& stored) {
    Options o;
    for (const auto& [name, value] : stored.items()) {
        if (name == "axes")
            o.axes = value.get<Axes>();
        else if (name == "keepdims")
            o.keepdims = value;
        else if (name == "axis")
            o.axis = value;
        else if (name == "ddof")
            o.ddof = value;
        else if (name == "mask")
            o.mask = array_of<double>(value);
        else if (name == "indices" || name == "labels")
            o.indices = indices_of(value);
        else if (name == "probabilities")
            o.probabilities = array_of<double>(value);
        else if (name == "class_weights")
            o.cross_entropy.class_weights = value.get<std::vector<double>>();
        else if (name == "label_smoothing")
            o.cross_entropy.label_smoothing = value;
        else if (name == "ignored_label" && value.is_null())
            o.cross_entropy.ignored_label.reset();
        else if (name == "ignored_label")
            o.cross_entropy.ignored_label = value.get<std::int64_t>();
        else if (name == "reduction")
            o.reduction =
                std::map<std::string, Reduction>{
                    {"none", Reduction::none}, {"mean", Reduction::mean}, {"sum", Reduction::sum}}
                    .at(value);
        else
            BOOST_FAIL("no operation has the option " << name);
    }
    return o;
}

/// The row of that name, or the variant of that text.
template <class T>
Variable<T> call(const std::string& operation, const Inputs<T>& xs, const Json& options) {
    for (const Operation& row : operations()) {
        if (row.name == operation && options.empty()) return row.variants[0].of(xs);
        if (row.name == operation) {
            BOOST_TEST_REQUIRE((row.golden.in_double != nullptr), operation << " has no function of options");
            return row.golden(xs, options_of(options));
        }
        for (const Variant& variant : row.variants)
            if (variant.of.text == operation) return variant.of(xs);
    }
    throw std::invalid_argument("no row is named " + operation + ", and none has such a variant");
}

/// To rounding, measured against the largest finite number of the array; infinities and NaN exactly.
template <class T>
void check_same(const char* what, const Array<T>& got, const Json& stored, double tolerance) {
    const Array<T> expected = array_of<T>(stored);
    BOOST_TEST(to_string(got.shape()) == to_string(expected.shape()), what);
    if (got.shape() != expected.shape()) return;
    double scale = 0;
    for (const double x : expected)
        if (std::isfinite(x)) scale = std::max(scale, std::abs(x));
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double g = got.data()[i], e = expected.data()[i];
        const bool same = std::isfinite(e) ? std::abs(g - e) <= tolerance * scale : g == e || (g != g && e != e);
        BOOST_TEST(same, what << " at element " << i << ": " << g << " instead of " << e);
    }
}

template <class T>
void check_case(const Json& golden, double tolerance) {
    Tape<T> tape;
    Inputs<T> xs;
    for (const Json& input : golden["inputs"]) xs.push_back(tape.variable(array_of<T>(input)));
    const Variable<T> y = call(golden["operation"], xs, golden["options"]);
    check_same("the value", y.value(), golden["value"], tolerance);
    const Array<T> seed = array_of<T>(golden["seed"]);
    const Gradients<T> gradients = tape.backward(y, seed);
    for (std::size_t i = 0; i < xs.size(); ++i)
        check_same("the gradient", gradients[xs[i]], golden["gradients"][i], tolerance);
    if (!golden.contains("hvp")) return;
    std::vector<Array<T>> us;
    for (const Json& direction : golden["directions"]) us.push_back(array_of<T>(direction));
    const auto products = hvp(sum(y * tape.constant(seed)), xs, us);
    for (std::size_t i = 0; i < xs.size(); ++i)
        check_same("the second derivative", products[i], golden["hvp"][i], tolerance);
}

void check_topic(const std::string& topic) {
    const Json cases = read(topic);
    BOOST_TEST(cases.size() > 20u);
    for (const Json& golden : cases)
        BOOST_TEST_CONTEXT(golden["operation"] << " in " << golden["type"] << ", options " << golden["options"]) {
            golden["type"] == "float" ? check_case<float>(golden, 1e-5) : check_case<double>(golden, 1e-13);
        }
}

template <class T>
T with_decay_and_rate(const Json& o) {
    T options;
    options.rate = o["lr"];
    options.weight_decay = o.value("weight_decay", options.weight_decay);
    return options;
}

std::unique_ptr<nn::Optimizer<double>> optimizer_of(const std::string& name, const Json& o,
                                                    std::vector<Parameter<double>> parameters) {
    if (name == "sgd") {
        auto options = with_decay_and_rate<nn::SgdOptions>(o);
        options.momentum = o.value("momentum", options.momentum);
        options.nesterov = o.value("nesterov", options.nesterov);
        return std::make_unique<nn::Sgd<double>>(parameters, options);
    }
    if (name == "rmsprop") {
        auto options = with_decay_and_rate<nn::RMSpropOptions>(o);
        options.alpha = o.value("alpha", options.alpha);
        options.epsilon = o.value("eps", options.epsilon);
        options.momentum = o.value("momentum", options.momentum);
        options.centered = o.value("centered", options.centered);
        return std::make_unique<nn::RMSprop<double>>(parameters, options);
    }
    if (name == "adagrad") {
        auto options = with_decay_and_rate<nn::AdagradOptions>(o);
        options.rate_decay = o.value("lr_decay", options.rate_decay);
        options.initial = o.value("initial_accumulator_value", options.initial);
        options.epsilon = o.value("eps", options.epsilon);
        return std::make_unique<nn::Adagrad<double>>(parameters, options);
    }
    const auto moments = [&](auto options) {
        options.epsilon = o.value("eps", options.epsilon);
        if (o.contains("betas")) {
            options.beta1 = o["betas"][0];
            options.beta2 = o["betas"][1];
        }
        return options;
    };
    if (name == "adam")
        return std::make_unique<nn::Adam<double>>(parameters, moments(with_decay_and_rate<nn::AdamOptions>(o)));
    BOOST_TEST_REQUIRE(name == "adamw");
    return std::make_unique<nn::AdamW<double>>(parameters, moments(with_decay_and_rate<nn::AdamWOptions>(o)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(elementwise_operations_with_broadcasting) { check_topic("elementwise"); }
BOOST_AUTO_TEST_CASE(reductions_over_every_set_of_axes) { check_topic("reductions"); }
BOOST_AUTO_TEST_CASE(products_gathers_and_joins) { check_topic("shapes"); }
BOOST_AUTO_TEST_CASE(square_matrices) { check_topic("matrices"); }
BOOST_AUTO_TEST_CASE(losses_with_all_their_options) { check_topic("losses"); }
BOOST_AUTO_TEST_CASE(edges) { check_topic("edges"); }

BOOST_AUTO_TEST_CASE(rows_without_golden_cases_are_listed) {
    std::set<std::string> covered;
    for (const char* topic : {"elementwise", "reductions", "shapes", "matrices", "losses", "edges"})
        for (const Json& golden : read(topic)) covered.insert(golden["operation"]);
    std::size_t count = 0;
    for (const Operation& row : operations()) {
        bool has = covered.contains(row.name);
        for (const Variant& variant : row.variants) has = has || covered.contains(variant.of.text);
        count += has;
        if (!has) BOOST_TEST_MESSAGE(row.name << " is in no golden file");
    }
    BOOST_TEST(count > 40u);
}

// The numerical conventions: trajectories equal PyTorch's for the same start, data and options (SGD with momentum,
// Nesterov, weight decay; Adam, AdamW, RMSprop, Adagrad) to 1e-11 relative after 100 steps in double; clipping, groups,
// schedules, averages and L-BFGS to 1e-12
BOOST_AUTO_TEST_CASE(trajectories_of_100_steps) {
    for (const Json& golden : read("optimizers")) {
        BOOST_TEST_CONTEXT(golden["optimizer"] << " " << golden["options"]) {
            Parameter<double> w("w", array_of<double>(golden["start"][0])),
                b("b", array_of<double>(golden["start"][1]));
            const auto optimizer = optimizer_of(golden["optimizer"], golden["options"], {w, b});
            const Array<double> x = array_of<double>(golden["x"]), t = array_of<double>(golden["t"]);
            Tape<double> tape;
            for (std::size_t step = 1; step <= 100; ++step) {
                tape.rewind();
                const auto y = tanh(linear(tape.constant(x), tape.watch(w), tape.watch(b)));
                optimizer->step(tape.backward(mean_squared_error(y, tape.constant(t))));
                if (step % 10 != 0) continue;
                BOOST_TEST_CONTEXT("step " << step) {
                    check_same("the weight", w.value(), golden["points"][step / 10 - 1][0], 1e-11);
                    check_same("the bias", b.value(), golden["points"][step / 10 - 1][1], 1e-11);
                }
            }
        }
    }
}

namespace {

nn::Schedule schedule_of(const std::string& name) {
    if (name == "step_decay") return nn::step_decay(7, 0.5);
    if (name == "cosine") return nn::cosine(25, 0.01);
    if (name == "warm_up") return nn::warm_up(8);
    if (name == "warm_up, cosine") return nn::warm_up(6, 0.25, nn::cosine(30, 0.001));
    if (name == "one_cycle") return nn::one_cycle(40);
    BOOST_TEST_REQUIRE(name == "one_cycle, short");
    return nn::one_cycle(40, {.warm_share = 0.1, .divisor = 10, .last_divisor = 50});
}

}  // namespace

BOOST_AUTO_TEST_CASE(schedules) {
    for (const Json& golden : read("training")) {
        const std::string kind = golden["kind"];
        if (kind != "schedule" && kind != "plateau") continue;
        BOOST_TEST_CONTEXT(kind << " " << golden.value("schedule", "")) {
            nn::Sgd<double> optimizer({Parameter<double>("p", Array<double>(Shape{1}, 0.0))}, {.rate = 0.3});
            const std::vector<double> rates = golden["rates"];
            if (kind == "schedule") {
                nn::Scheduler<double> schedule(optimizer, schedule_of(golden["schedule"]));
                for (const double rate : rates) {
                    BOOST_TEST(optimizer.rate() == rate, boost::test_tools::tolerance(1e-12));
                    schedule.step();
                }
            } else {
                nn::Plateau<double> plateau(optimizer, {.factor = 0.4, .patience = 2, .cooldown = 3, .least = 0.02});
                for (std::size_t i = 0; i < rates.size(); ++i) {
                    plateau.step(golden["measured"][i]);
                    BOOST_TEST(optimizer.rate() == rates[i], boost::test_tools::tolerance(1e-12));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(clipping_groups_averages_and_lbfgs) {
    std::size_t count = 0;
    for (const Json& golden : read("training")) {
        const std::string kind = golden["kind"];
        if (!golden.contains("start")) continue;
        ++count;
        BOOST_TEST_CONTEXT(kind << " " << golden["options"]) {
            Parameter<double> w("w", array_of<double>(golden["start"][0])),
                b("b", array_of<double>(golden["start"][1]));
            const Array<double> x = array_of<double>(golden["x"]), t = array_of<double>(golden["t"]);
            Tape<double> tape;
            const auto loss = [&] {
                return mean_squared_error(tanh(linear(tape.constant(x), tape.watch(w), tape.watch(b))),
                                          tape.constant(t));
            };
            const Json o = golden["options"];
            if (kind == "lbfgs") {
                nn::LbfgsOptions options{.strong_wolfe = o.contains("line_search_fn")};
                options.rate = o.value("lr", options.rate);
                options.iterations = o.value("max_iter", options.iterations);
                options.history = o.value("history_size", options.history);
                nn::Lbfgs<double> optimizer({w, b}, options);
                for (const Json& point : golden["points"]) {
                    BOOST_TEST(optimizer.step(tape, loss) == double(point["loss"]),
                               boost::test_tools::tolerance(1e-12));
                    check_same("the weight", w.value(), point["w"], 1e-12);
                    check_same("the bias", b.value(), point["b"], 1e-12);
                }
                BOOST_TEST(optimizer.evaluations() == golden["evaluations"]);
                BOOST_TEST(optimizer.iterations() == golden["iterations"]);
                // The same steps by `fit`, from the start.
                Parameter<double>(w).edit([&](auto& value) { value = array_of<double>(golden["start"][0]); });
                Parameter<double>(b).edit([&](auto& value) { value = array_of<double>(golden["start"][1]); });
                nn::Dataset<double> data{x, {}, {}};
                data.targets = t;
                data.target_names.resize(t.shape()[1]);
                nn::Lbfgs<double> fitting({w, b}, options);
                nn::FitOptions<double> fit{
                    .epochs = golden["points"].size(), .batch = x.shape()[0], .optimizer = &fitting};
                fit.progress = nullptr;
                fit.on_epoch = [&](const nn::Epoch& epoch) {
                    const Json& point = golden["points"][epoch.number - 1];
                    BOOST_TEST(epoch.training.loss == double(point["loss"]), boost::test_tools::tolerance(1e-12));
                    check_same("the weight", w.value(), point["w"], 1e-12);
                    check_same("the bias", b.value(), point["b"], 1e-12);
                    return true;
                };
                nn::fit<double>(
                    [&](const auto& input) {
                        return tanh(linear(input, input.tape().watch(w), input.tape().watch(b)));
                    },
                    {w, b}, data, fit);
                BOOST_TEST(fitting.evaluations() == golden["evaluations"]);
                continue;
            }
            std::unique_ptr<nn::Optimizer<double>> optimizer;
            if (kind == "groups of sgd") {
                auto sgd = std::make_unique<nn::Sgd<double>>(std::vector{w}, nn::SgdOptions{.rate = 0.1});
                sgd->add_group({b}, {.rate = 0.2, .momentum = 0.9});
                optimizer = std::move(sgd);
            } else if (kind == "groups of adam") {
                auto adam = std::make_unique<nn::Adam<double>>(std::vector{w}, nn::AdamOptions{.rate = 0.05});
                adam->add_group({b}, {.rate = 0.02, .weight_decay = 0.1});
                optimizer = std::move(adam);
            } else {
                optimizer = std::make_unique<nn::Sgd<double>>(std::vector{w, b}, nn::SgdOptions{.rate = o["rate"]});
            }
            nn::ParameterAverage<double> average({w, b}, o.value("decay", 0.9));
            for (std::size_t step = 0; step < 50; ++step) {
                tape.rewind();
                auto gradients = tape.backward(loss());
                if (kind == "clip by norm")
                    BOOST_TEST(nn::clip_gradient_norm(gradients, {w, b}, o["most"]) == double(o["norms"][step]),
                               boost::test_tools::tolerance(1e-12));
                if (kind == "clip by value") nn::clip_gradient_value(gradients, {w, b}, o["most"]);
                optimizer->step(gradients);
                average.update();
            }
            check_same("the weight", w.value(), golden["end"][0], 1e-12);
            check_same("the bias", b.value(), golden["end"][1], 1e-12);
            if (kind != "average") continue;
            average.swap();
            check_same("the averaged weight", w.value(), golden["averages"][0], 1e-12);
            check_same("the averaged bias", b.value(), golden["averages"][1], 1e-12);
        }
    }
    BOOST_TEST(count == 8u);
}
