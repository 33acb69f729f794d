// What a recording holds on to: values that must not change under it, and memory.
#define BOOST_TEST_MODULE recordings
#include <autograd/autograd.hpp>
#include <autograd/edit_gradients.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "allocations.hpp"

using namespace autograd;

namespace {

// Recorded values can be read only.
template <class X>
concept Changes = requires(X x) {
    x.value()(0) = 1.0;
}
|| requires(X x) { x.value().fill(1.0); };
template <class G, class X>
concept GradientChanges = requires(G gradients, X x) {
    gradients[x](0) = 1.0;
};
template <class N>
concept NodeChanges = requires(N& node) {
    (*node.value)(0) = 1.0;
}
|| requires(N& node) { node.storage(0) = 1.0; };
static_assert(!Changes<Variable<double>>);
static_assert(!Changes<Parameter<double>>);
static_assert(!GradientChanges<Gradients<double>, Variable<double>>);
static_assert(!GradientChanges<Gradients<double>, Parameter<double>>);
static_assert(!NodeChanges<decltype(node_at(std::declval<Tape<double>&>(), 0))>);

struct Changeable {
    Array<double>& value();
};
static_assert(Changes<Changeable>);

// A bool is no ddof, and what need not be whole is no index.
template <class X>
concept VarianceOfBool = requires(X x, Axes axes) {
    variance(x, axes, true);
}
|| requires(X x) { variance(x, 0, true, true); };
static_assert(!VarianceOfBool<Variable<double>>);
template <class X, class I>
concept Taken = requires(X x, I indices) {
    take(x, indices);
}
|| requires(X x, I indices) { take_along_axis(x, indices, 0); }
|| requires(X x, I indices) { negative_log_likelihood(x, indices); };
static_assert(!Taken<Variable<double>, Array<double>>);
static_assert(!Taken<Variable<float>, xt::xarray<double>>);
static_assert(Taken<Variable<double>, Indices>);
static_assert(Taken<Variable<double>, xt::xarray<int>>);

template <class Run>
std::string message_of(Run run) {
    try {
        run();
    } catch (const GradientError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

/// A network of one hidden layer on a tape of its own.
struct Network {
    Tape<double> tape;
    std::vector<Parameter<double>> parameters;
    Array<double> data;
    Indices labels = Indices::from_shape({32});

    Network() {
        auto filled = [n = 0](const Shape& shape) mutable {
            Array<double> array = Array<double>::from_shape(shape);
            for (double& value : array) value = 0.01 * (++n * 37 % 61 - 30);
            return array;
        };
        for (const Shape& shape : {Shape{48, 64}, Shape{48}, Shape{10, 48}, Shape{10}})
            parameters.emplace_back("w", filled(shape));
        data = filled({32, 64});
        for (std::size_t i = 0; i < labels.size(); ++i) labels(i) = static_cast<std::int64_t>(i % 10);
    }

    /// Records the loss anew and returns it with the parameters' variables.
    std::pair<Variable<double>, std::vector<Variable<double>>> loss() {
        tape.rewind();
        std::vector<Variable<double>> w;
        for (const auto& parameter : parameters) w.push_back(tape.watch(parameter));
        const auto hidden = tanh(linear(tape.constant(data), w[0], w[1]));
        return {softmax_cross_entropy(linear(hidden, w[2], w[3]), labels), w};
    }

    /// All that stands in memory: the parameters, the recorded values and the rules.
    std::size_t bytes() {
        std::size_t bytes = Reel<double>::of(tape).arena.bytes();
        for (const auto& parameter : parameters) bytes += parameter.value().size() * sizeof(double);
        for (std::uint32_t i = 0; i < tape.size(); ++i) bytes += node_at(tape, i).storage.size() * sizeof(double);
        return bytes;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(arrays_are_copied_when_they_are_recorded) {
    Tape<double> tape;
    Array<double> a = {1, 2}, seed = {1, 1};
    Indices indices = {1, 1};
    const auto x = tape.variable(a), c = tape.constant(a);
    const auto y = take(x * c, indices);
    a.fill(100);
    indices.fill(0);
    const auto gradients = tape.backward(y, seed);
    BOOST_TEST(gradients[x](0) == 0);
    BOOST_TEST(gradients[x](1) == 4);
}

BOOST_AUTO_TEST_CASE(a_parameter_that_changed_is_reported_with_the_operation_that_needs_it) {
    Tape<double> tape;
    Parameter<double> v("v", Array<double>{1, 2}), w("w", Array<double>{3, 4});
    const auto record_product = [&] {
        tape.rewind();
        const auto first = exp(tape.watch(v));
        return sum(first * tape.watch(w));
    };
    const auto y = record_product();
    w.edit([](auto& value) { value(0) = 5; });
    const std::string needs = "parameter 'w' was changed after it was recorded, and mul (%3) needs the old value";
    const auto check = [&](const std::string& operation, const auto& run) {
        const std::string message = message_of(run);
        BOOST_TEST(message.find("[" + operation + "] " + needs) == 0u, message);
    };
    check("backward", [&] { tape.backward(y); });
    check("backward", [&] { jacobian(y, variable_at(tape, 0)); });
    check("grad", [&] { grad(y, variable_at(tape, 0)); });
    check("grad", [&] { hvp(y, {variable_at(tape, 0)}, {variable_at(tape, 0).value()}); });
    check("watch", [&] { tape.watch(w); });
    const auto again = record_product();
    BOOST_TEST(tape.backward(again)[w](0) == std::exp(1.0), boost::test_tools::tolerance(1e-15));
    BOOST_TEST(tape.backward(again)[v](0) == 5 * std::exp(1.0), boost::test_tools::tolerance(1e-15));

    const auto unused = record_product();
    v.edit([](auto& value) { value(0) = 2; });
    const std::string message = message_of([&] { tape.backward(unused); });
    BOOST_TEST(message.find("[backward] parameter 'v' was changed") == 0u, message);
    BOOST_TEST(message.find("exp (%1)") != std::string::npos, message);

    auto watched_meanwhile = y;
    w.edit([&](auto& value) {
        watched_meanwhile = record_product();
        value(0) = 7;
    });
    check("backward", [&] { tape.backward(watched_meanwhile); });
}

// z = 2 prod(x), whose gradient comes in two parts that are made by a kernel which writes and can't add.
BOOST_AUTO_TEST_CASE(a_kernel_that_only_writes_is_added_to_an_adjoint_all_the_same) {
    static_assert(Kernel<kernels::ExclusiveProduct<double>, double>);
    static_assert(!AddingKernel<kernels::ExclusiveProduct<double>, double>);
    static_assert(AddingKernel<kernels::Product<double>, double>);
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{2, 3, 5});
    const auto z = record("twice the product", {x}, prod(x).value() * 2.0, [x](OnArrays<double>& at) {
        at.adjoint(x) += exclusive_product(at(x), {1});
        at.adjoint(x) += exclusive_product(at(x), {1});
    });
    BOOST_TEST(tape.backward(z)[x] == (Array<double>{30, 20, 12}));
}

BOOST_AUTO_TEST_CASE(an_operation_without_inputs_is_refused) {
    const std::initializer_list<Variable<double>> none;
    BOOST_CHECK_THROW(record("mine", none, Array<double>{1, 2}, [](auto&) {}), std::invalid_argument);
}

// It would write into the recording that is walked.
BOOST_AUTO_TEST_CASE(a_rule_that_records_during_backward_is_named) {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{0.5, 2});
    auto y = x;
    for (int i = 0; i < 200; ++i)
        y = record("mine", {y}, xt::sin(y.value()),
                   [y](OnArrays<double>& at) { at.adjoint(y) += at.zbar() * cos(y).value(); });
    BOOST_CHECK_EXCEPTION(tape.backward(sum(y)), VariableError, [](const VariableError& error) {
        return std::string(error.what()).find("a rule records on it") != std::string::npos;
    });
    // Nothing is left behind: the tape goes on.
    const auto z = sum(sin(x));
    BOOST_TEST(tape.backward(z)[x](0) == std::cos(0.5));
}

BOOST_AUTO_TEST_CASE(ten_thousand_rewinds_allocate_nothing) {
    Tape<double> tape;
    Parameter<double> w("w", Array<double>(xt::ones<double>({4, 3}) * 0.1));
    const Array<double> data(xt::ones<double>({5, 4}));
    const Indices indices = {0, 2, 2};
    const Axes first = {0};
    std::vector<Variable<double>> parts;
    const auto step = [&] {
        tape.rewind();
        const auto h = softmax(matmul(tape.constant(data), tape.watch(w)));
        parts.assign({h, take(h, indices)});
        const auto y = sum(logsumexp(concatenate(parts), first) * sum(h * h, first) + amax(h, first));
        const auto gradients = tape.backward(y);
        return gradients[w](0, 0);
    };
    const double value = step();
    step();
    const std::size_t before = allocations;
    bool same = true;
    for (int i = 0; i < 10'000; ++i) same &= step() == value;
    BOOST_TEST(allocations - before == 0u);
    BOOST_TEST(same);
}

BOOST_AUTO_TEST_CASE(recorded_derivatives_allocate_nothing_from_the_second_time_on) {
    Tape<double> tape;
    Parameter<double> w("w", Array<double>{0.1, 0.2, 0.3});
    const auto step = [&] {
        tape.rewind();
        const auto x = tape.watch(w);
        const auto slope = grad(sum(tanh(x) * x), x);
        const auto gradients = tape.backward(sum(slope * slope));
        return gradients[w](0);
    };
    step();
    const std::size_t nodes = tape.size(), arena = Reel<double>::of(tape).arena.bytes(), living = live_allocations;
    const std::size_t before = allocations;
    for (int i = 0; i < 10'000; ++i) step();
    BOOST_TEST(allocations - before == 0u);
    BOOST_TEST(tape.size() == nodes);
    BOOST_TEST(Reel<double>::of(tape).arena.bytes() == arena);
    BOOST_TEST(live_allocations == living);
}

BOOST_AUTO_TEST_CASE(a_hessian_times_a_vector_records_no_more_than_a_gradient) {
    Network network;
    const auto gradient_of = [&] {
        const auto [y, w] = network.loss();
        grad(y, w);
    };
    const auto product_of = [&] {
        const auto [y, w] = network.loss();
        std::vector<Array<double>> directions;
        for (const auto& parameter : network.parameters) directions.push_back(parameter.value());
        hvp(y, w, directions);
    };
    const auto cost_of = [&](const auto& run) {
        run();
        run();
        const std::size_t before = allocations;
        run();
        return std::array{network.tape.size(), network.bytes(), std::size_t{allocations - before}};
    };
    const auto gradient = cost_of(gradient_of), product = cost_of(product_of);
    const char* names[] = {"nodes", "bytes", "allocations"};
    const std::size_t allowed[] = {1, 1, 4};
    for (std::size_t i = 0; i < 3; ++i)
        BOOST_TEST(product[i] <= allowed[i] * gradient[i],
                   names[i] << ": " << product[i] << " against " << gradient[i]);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_was_given_another_shape_harms_no_other) {
    Tape<double> tape;
    const Parameter<double> w("w", Array<double>{1, 2, 3});
    for (int i = 0; i < 3; ++i) {
        tape.rewind();
        auto gradients = tape.backward(sum(tape.watch(w) * 2.0));
        BOOST_TEST(to_string(gradients[w].shape()) == "(3,)");
        BOOST_TEST(gradients[w](2) == 2);
        own_gradient(gradients, w) += Array<double>(Shape{2, 3}, 1.0);  // which xtensor resizes
    }
}
