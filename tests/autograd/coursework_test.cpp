// The formulas of the hand derivation as plain loops over indices, held against the tape.
#define BOOST_TEST_MODULE coursework
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

using namespace autograd;
using Matrix_ = std::vector<std::vector<double>>;

namespace {

struct Activation {
    const char* name;
    double (*f)(double);
    double (*derivative)(double);
    Variable<double> (*on_tape)(Variable<double>);
};
double logistic(double z) { return 1 / (1 + std::exp(-z)); }
const std::vector<Activation> activations = {
    {"sigmoid", logistic, [](double z) { return logistic(z) * (1 - logistic(z)); },
     [](Variable<double> x) { return sigmoid(x); }},
    {"tanh", [](double z) { return std::tanh(z); }, [](double z) { return 1 - std::tanh(z) * std::tanh(z); },
     [](Variable<double> x) { return tanh(x); }},
    {"relu", [](double z) { return z > 0 ? z : 0; }, [](double z) { return z > 0 ? 1.0 : 0.0; },
     [](Variable<double> x) { return relu(x); }},
};

Array<double> random_array(const Shape& shape, std::mt19937_64& engine) {
    std::normal_distribution<double> normal;
    Array<double> array = Array<double>::from_shape(shape);
    for (double& x : array) x = normal(engine);
    return array;
}

void close(double got, double expected) {
    BOOST_TEST(std::abs(got - expected) <= 1e-12 * std::max(1.0, std::abs(expected)), got << " is not " << expected);
}

}  // namespace

BOOST_AUTO_TEST_CASE(delta_rule_through_any_depth_and_batch) {
    std::mt19937_64 engine(7);
    const std::vector<std::vector<std::size_t>> networks = {{3, 4, 5}, {2, 3, 2}, {4, 6, 5, 3}, {3, 4, 4, 5, 2}};
    for (const Activation& activation : activations)
        for (const auto& widths : networks)
            for (std::size_t batch : {1, 6}) {
                const std::size_t layers = widths.size() - 1;
                const double alpha = 0.1;
                const Array<double> x = random_array({batch, widths[0]}, engine);
                Indices labels = Indices::from_shape({batch});
                for (std::size_t n = 0; n < batch; ++n) labels(n) = static_cast<std::int64_t>(n % widths.back());

                Tape<double> tape;
                std::vector<Parameter<double>> weights;
                std::vector<Variable<double>> z;
                auto a = tape.constant(x);
                for (std::size_t l = 0; l < layers; ++l) {
                    weights.emplace_back("w", random_array({widths[l + 1], widths[l]}, engine));
                    z.push_back(linear(a, tape.watch(weights[l])));
                    a = activation.on_tape(z.back());
                }
                const auto loss = softmax_cross_entropy(z.back(), labels, {.reduction = Reduction::sum});
                const auto grads = tape.backward(loss, Keep<double>(z));

                // By hand, one example after the other; gradients of a batch add up.
                std::vector<Array<double>> expected;
                for (const auto& w : weights) expected.push_back(Array<double>(xt::zeros<double>(w.shape())));
                for (std::size_t n = 0; n < batch; ++n) {
                    Matrix_ hand_z, hand_a = {{}};
                    for (std::size_t i = 0; i < widths[0]; ++i) hand_a[0].push_back(x(n, i));
                    for (std::size_t l = 0; l < layers; ++l) {
                        hand_z.emplace_back();
                        hand_a.emplace_back();
                        for (std::size_t j = 0; j < widths[l + 1]; ++j) {
                            double z_j = 0;
                            for (std::size_t i = 0; i < widths[l]; ++i) z_j += weights[l].value()(j, i) * hand_a[l][i];
                            hand_z[l].push_back(z_j);
                            hand_a[l + 1].push_back(activation.f(z_j));
                        }
                    }
                    double normaliser = 0;
                    for (double z_k : hand_z.back()) normaliser += std::exp(z_k);
                    // delta_k = -(y_k - yhat_k)
                    Matrix_ delta(layers);
                    for (std::size_t k = 0; k < widths.back(); ++k) {
                        const double y_k = static_cast<std::size_t>(labels(n)) == k,
                                     yhat_k = std::exp(hand_z.back()[k]) / normaliser;
                        delta.back().push_back(-(y_k - yhat_k));
                    }
                    // delta_j = f'(z_j) * sum_k w_kj * delta_k
                    for (std::size_t l = layers - 1; l-- > 0;)
                        for (std::size_t j = 0; j < widths[l + 1]; ++j) {
                            double sum = 0;
                            for (std::size_t k = 0; k < widths[l + 2]; ++k)
                                sum += weights[l + 1].value()(k, j) * delta[l + 1][k];
                            delta[l].push_back(activation.derivative(hand_z[l][j]) * sum);
                        }
                    for (std::size_t l = 0; l < layers; ++l)
                        for (std::size_t j = 0; j < widths[l + 1]; ++j) {
                            close(grads[z[l]](n, j), delta[l][j]);
                            // dC/dw_ji = delta_j * x_i
                            for (std::size_t i = 0; i < widths[l]; ++i) expected[l](j, i) += delta[l][j] * hand_a[l][i];
                        }
                }
                // W := W - alpha * delta^T a, for all layers together, from the old weights
                for (std::size_t l = 0; l < layers; ++l)
                    for (std::size_t j = 0; j < widths[l + 1]; ++j)
                        for (std::size_t i = 0; i < widths[l]; ++i) {
                            close(grads[weights[l]](j, i), expected[l](j, i));
                            close(weights[l].value()(j, i) - alpha * grads[weights[l]](j, i),
                                  weights[l].value()(j, i) - alpha * expected[l](j, i));
                        }
            }
}

// The worked example that M. Mazur published in 2015 ("A step by step backpropagation example"), to all its digits.
BOOST_AUTO_TEST_CASE(published_worked_example) {
    Tape<double> tape;
    Parameter<double> w1("w1", Array<double>{{0.15, 0.20}, {0.25, 0.30}}),
        w2("w2", Array<double>{{0.40, 0.45}, {0.50, 0.55}});
    const auto x = tape.constant({{0.05, 0.10}});
    const auto hidden = sigmoid(linear(x, tape.watch(w1), tape.constant({0.35, 0.35})));
    const auto output = sigmoid(linear(hidden, tape.watch(w2), tape.constant({0.60, 0.60})));
    const auto error = 0.5 * mean_squared_error(output, tape.constant({{0.01, 0.99}}), Reduction::sum);
    BOOST_TEST(std::abs(error.item() - 0.298371109) < 5e-10);
    const auto grads = tape.backward(error);
    const Array<double> new1 = w1.value() - 0.5 * grads[w1], new2 = w2.value() - 0.5 * grads[w2];
    BOOST_TEST(std::abs(new1(0, 0) - 0.149780716) < 5e-10);
    BOOST_TEST(std::abs(new1(0, 1) - 0.19956143) < 5e-9);
    BOOST_TEST(std::abs(new1(1, 0) - 0.24975114) < 5e-9);
    BOOST_TEST(std::abs(new1(1, 1) - 0.29950229) < 5e-9);
    BOOST_TEST(std::abs(new2(0, 0) - 0.35891648) < 5e-9);
    BOOST_TEST(std::abs(new2(0, 1) - 0.408666186) < 5e-10);
    BOOST_TEST(std::abs(new2(1, 0) - 0.511301270) < 5e-10);
    BOOST_TEST(std::abs(new2(1, 1) - 0.561370121) < 5e-10);
}
