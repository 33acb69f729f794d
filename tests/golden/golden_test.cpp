// Values, gradients, second derivatives and trajectories that PyTorch computed: tests/golden/make_golden.py wrote them.
#define BOOST_TEST_MODULE golden
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <nn/optimizers.hpp>

using namespace autograd;
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

Reduction reduction_of(const Json& options) {
    return std::map<std::string, Reduction>{
        {"none", Reduction::none}, {"mean", Reduction::mean}, {"sum", Reduction::sum}}
        .at(options["reduction"]);
}

template <class T>
Variable<T> cross_entropy(Variable<T> logits, const Json& o) {
    CrossEntropyOptions options{reduction_of(o), o["class_weights"], o["label_smoothing"], {}};
    if (o.contains("probabilities")) return softmax_cross_entropy(logits, array_of<T>(o["probabilities"]), options);
    if (o.contains("ignored_label") && !o["ignored_label"].is_null())
        options.ignored_label = o["ignored_label"].get<std::int64_t>();
    return softmax_cross_entropy(logits, indices_of(o["labels"]), options);
}

template <class T>
using Operation = Variable<T> (*)(const std::vector<Variable<T>>& x, const Json& options);

template <class T>
const std::map<std::string, Operation<T>>& operations() {
    using V = Variable<T>;
    using X = const std::vector<V>&;
    using O = const Json&;
    static const std::map<std::string, Operation<T>> table = {
        {"neg", [](X x, O) -> V { return -x[0]; }},
        {"exp", [](X x, O) -> V { return exp(x[0]); }},
        {"expm1", [](X x, O) -> V { return expm1(x[0]); }},
        {"log", [](X x, O) -> V { return log(x[0]); }},
        {"log1p", [](X x, O) -> V { return log1p(x[0]); }},
        {"sqrt", [](X x, O) -> V { return sqrt(x[0]); }},
        {"abs", [](X x, O) -> V { return abs(x[0]); }},
        {"sin", [](X x, O) -> V { return sin(x[0]); }},
        {"cos", [](X x, O) -> V { return cos(x[0]); }},
        {"tanh", [](X x, O) -> V { return tanh(x[0]); }},
        {"erf", [](X x, O) -> V { return erf(x[0]); }},
        {"sigmoid", [](X x, O) -> V { return sigmoid(x[0]); }},
        {"relu", [](X x, O) -> V { return relu(x[0]); }},
        {"softplus", [](X x, O) -> V { return softplus(x[0]); }},
        {"gelu", [](X x, O) -> V { return gelu(x[0]); }},
        {"gelu_tanh", [](X x, O) -> V { return gelu_tanh(x[0]); }},
        {"silu", [](X x, O) -> V { return silu(x[0]); }},
        {"square", [](X x, O) -> V { return pow(x[0], 2); }},
        {"cube", [](X x, O) -> V { return pow(x[0], 3); }},
        {"pow_2.5", [](X x, O) -> V { return pow(x[0], T(2.5)); }},
        {"pow_-1.5", [](X x, O) -> V { return pow(x[0], T(-1.5)); }},
        {"reciprocal", [](X x, O) -> V { return T(1) / x[0]; }},
        {"clip", [](X x, O) -> V { return clip(x[0], T(-0.5), T(0.75)); }},
        {"add", [](X x, O) -> V { return x[0] + x[1]; }},
        {"sub", [](X x, O) -> V { return x[0] - x[1]; }},
        {"mul", [](X x, O) -> V { return x[0] * x[1]; }},
        {"div", [](X x, O) -> V { return x[0] / x[1]; }},
        {"pow", [](X x, O) -> V { return pow(x[0], x[1]); }},
        {"maximum", [](X x, O) -> V { return maximum(x[0], x[1]); }},
        {"minimum", [](X x, O) -> V { return minimum(x[0], x[1]); }},
        {"logaddexp", [](X x, O) -> V { return logaddexp(x[0], x[1]); }},
        {"where", [](X x, O o) -> V { return where(array_of<T>(o["mask"]), x[0], x[1]); }},
        {"sum", [](X x, O o) -> V { return sum(x[0], o["axes"].get<Axes>(), o["keepdims"]); }},
        {"mean", [](X x, O o) -> V { return mean(x[0], o["axes"].get<Axes>(), o["keepdims"]); }},
        {"prod", [](X x, O o) -> V { return prod(x[0], o["axes"].get<Axes>(), o["keepdims"]); }},
        {"amax", [](X x, O o) -> V { return amax(x[0], o["axes"].get<Axes>(), o["keepdims"]); }},
        {"amin", [](X x, O o) -> V { return amin(x[0], o["axes"].get<Axes>(), o["keepdims"]); }},
        {"norm", [](X x, O o) -> V { return norm(x[0], o["axes"].get<Axes>(), o["keepdims"]); }},
        {"logsumexp", [](X x, O o) -> V { return logsumexp(x[0], o["axes"].get<Axes>(), o["keepdims"]); }},
        {"variance_0", [](X x, O o) -> V { return variance(x[0], o["axes"].get<Axes>(), 0, o["keepdims"]); }},
        {"variance_1", [](X x, O o) -> V { return variance(x[0], o["axes"].get<Axes>(), 1, o["keepdims"]); }},
        {"softmax", [](X x, O o) -> V { return softmax(x[0], o["axis"].get<std::ptrdiff_t>()); }},
        {"log_softmax", [](X x, O o) -> V { return log_softmax(x[0], o["axis"].get<std::ptrdiff_t>()); }},
        {"matmul", [](X x, O) -> V { return matmul(x[0], x[1]); }},
        {"linear", [](X x, O) -> V { return linear(x[0], x[1], x[2]); }},
        {"take", [](X x, O o) -> V { return pow(take(x[0], indices_of(o["indices"]), o["axis"]), 2); }},
        {"take_along_axis",
         [](X x, O o) -> V { return pow(take_along_axis(x[0], indices_of(o["indices"]), o["axis"]), 2); }},
        {"concatenate",
         [](X x, O o) -> V {
             return pow(concatenate<T>({x[0], x[1], x[0]}, o["axis"]), 2);
         }},
        {"stack",
         [](X x, O o) -> V {
             return pow(stack<T>({x[0], x[1], x[0]}, o["axis"]), 2);
         }},
        {"softmax_cross_entropy", [](X x, O o) -> V { return cross_entropy(x[0], o); }},
        {"binary_cross_entropy_with_logits",
         [](X x, O o) -> V { return binary_cross_entropy_with_logits(x[0], x[1], reduction_of(o)); }},
        {"mean_squared_error", [](X x, O o) -> V { return mean_squared_error(x[0], x[1], reduction_of(o)); }},
    };
    return table;
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
    std::vector<Variable<T>> xs;
    for (const Json& input : golden["inputs"]) xs.push_back(tape.variable(array_of<T>(input)));
    const Variable<T> y = operations<T>().at(golden["operation"])(xs, golden["options"]);
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

template <class Options>
Options with_decay_and_rate(const Json& o) {
    Options options;
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
BOOST_AUTO_TEST_CASE(losses_with_all_their_options) { check_topic("losses"); }
BOOST_AUTO_TEST_CASE(edges) { check_topic("edges"); }

// The numerical conventions: trajectories equal PyTorch's for the same start, data and options (SGD with momentum,
// Nesterov, weight decay; Adam, AdamW, RMSprop) to 1e-6 relative after 100 steps in double
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
                    check_same("the weight", w.value(), golden["points"][step / 10 - 1][0], 1e-6);
                    check_same("the bias", b.value(), golden["points"][step / 10 - 1][1], 1e-6);
                }
            }
        }
    }
}
