// What is done to gradients, against plain loops; none of it allocates.
#define BOOST_TEST_MODULE gradient_tools
#ifndef BOOST_TEST_DYN_LINK
#define BOOST_TEST_DYN_LINK
#endif
#include <autograd/edit_gradients.hpp>
#include <autograd/operations.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <nn/fit.hpp>
#include <nn/gradient_tools.hpp>
#include <nn/optimizers.hpp>

#include "allocations.hpp"
#include "check_message.hpp"

namespace {

using autograd::Array;
using autograd::GradientError;
using autograd::Parameter;
using autograd::Shape;
using autograd::Tape;

const Parameter<double> x("x", Array<double>{3, -4}), y("y", Array<double>{0, 12});

/// Gradients of x and y: their own values.
auto gradients_of(Tape<double>& tape) {
    tape.rewind();
    const auto a = tape.watch(x), b = tape.watch(y);
    return tape.backward((sum(a * a) + sum(b * b)) / 2.0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(norms_and_clipping) {
    Tape<double> tape;
    auto gradients = gradients_of(tape);
    BOOST_TEST(nn::gradient_norm(gradients, {x, y}) == 13.0);
    BOOST_TEST(nn::gradient_norm(gradients, {x}) == 5.0);
    BOOST_TEST(nn::clip_gradient_norm(gradients, {x, y}, 20) == 13.0);
    BOOST_TEST(gradients[y](1) == 12.0);  // it was short enough
    BOOST_TEST(nn::clip_gradient_norm(gradients, {x, y}, 1) == 13.0);
    BOOST_TEST(gradients[x](1) == -4 / (13 + 1e-6), boost::test_tools::tolerance(1e-14));
    BOOST_TEST(gradients[y](1) == 12 / (13 + 1e-6), boost::test_tools::tolerance(1e-14));

    gradients = gradients_of(tape);
    nn::clip_gradient_value(gradients, {x, y}, 3.5);
    BOOST_TEST((gradients[x] == Array<double>{3, -3.5}));
    BOOST_TEST((gradients[y] == Array<double>{0, 3.5}));
    nn::scale_gradients(gradients, {y}, -2);
    BOOST_TEST((gradients[x] == Array<double>{3, -3.5}));
    BOOST_TEST((gradients[y] == Array<double>{0, -7}));
}

// Squares that overflow, or vanish, are no matter of the norm.
BOOST_AUTO_TEST_CASE(norms_of_huge_and_of_tiny_numbers) {
    for (const double size : {1e-310, 1e-200, 1.0, 1e200}) {
        Tape<double> tape;
        auto gradients = tape.backward(tape.watch(x), Array<double>{3 * size, -4 * size});
        BOOST_TEST(nn::gradient_norm(gradients, {x}) == 5 * size, boost::test_tools::tolerance(1e-12));
    }
    Parameter<float> single("single", Array<float>{1, 1});
    Tape<float> tape;
    auto gradients = tape.backward(tape.watch(single), Array<float>{3e30f, 4e30f});
    BOOST_TEST(nn::clip_gradient_norm(gradients, {single}, 5) == 5e30, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(gradients[single](0) == 3.0f, boost::test_tools::tolerance(1e-5f));
}

// In x + y one array is the gradient of both, until one of them is changed.
BOOST_AUTO_TEST_CASE(a_change_is_of_one_gradient_alone) {
    Tape<double> tape;
    auto gradients = tape.backward(sum(tape.watch(x) + tape.watch(y)));
    nn::scale_gradients(gradients, {x, y}, 3);
    BOOST_TEST((gradients[x] == Array<double>{3, 3}));
    BOOST_TEST((gradients[y] == Array<double>{3, 3}));
    nn::scale_gradients(gradients, {x}, 2);
    BOOST_TEST((gradients[x] == Array<double>{6, 6}));
    BOOST_TEST((gradients[y] == Array<double>{3, 3}));
}

BOOST_AUTO_TEST_CASE(micro_batches_add_up_to_the_whole_batch) {
    constexpr std::size_t rows = 10, columns = 3;
    Array<double> data(Shape{rows, columns}), targets(Shape{rows, 2});
    for (std::size_t i = 0; i < data.size(); ++i) data.data()[i] = std::sin(1.3 * static_cast<double>(i));
    for (std::size_t i = 0; i < targets.size(); ++i) targets.data()[i] = std::cos(0.7 * static_cast<double>(i));
    const Parameter<double> w("w", Array<double>{{0.1, -0.2, 0.3}, {0.4, 0.5, -0.6}}), b("b", Array<double>{0.1, 0.2});
    const std::vector<Parameter<double>> parameters = {w, b};
    Tape<double> tape;
    const auto loss = [&](std::size_t begin, std::size_t end) {
        Array<double> part(Shape{end - begin, columns}), wanted(Shape{end - begin, 2});
        std::copy(data.data() + begin * columns, data.data() + end * columns, part.data());
        std::copy(targets.data() + begin * 2, targets.data() + end * 2, wanted.data());
        tape.rewind();
        return mean_squared_error(tanh(linear(tape.constant(part), tape.watch(w), tape.watch(b))),
                                  tape.constant(wanted));
    };
    const auto whole = tape.backward(loss(0, rows));
    auto sum = tape.backward(loss(0, 4) * 0.4);
    nn::add_gradients(sum, tape.backward(loss(4, 7) * 0.3), parameters);
    nn::add_gradients(sum, tape.backward(loss(7, 10) * 0.3), parameters);
    for (const auto& parameter : parameters)
        for (std::size_t k = 0; k < parameter.value().size(); ++k)
            BOOST_TEST(std::abs(sum[parameter].data()[k] - whole[parameter].data()[k]) < 1e-16);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated) {
    Tape<double> tape;
    const Parameter<double> a = x.clone(), b = y.clone();
    const std::vector<Parameter<double>> parameters = {a, b};
    nn::Sgd<double> optimizer(parameters, {.rate = 0.1});
    std::size_t before = 0;
    for (int step = 0; step < 10; ++step) {
        if (step == 3) before = allocations;
        tape.rewind();
        auto gradients = tape.backward(sum(tape.watch(a) + tape.watch(b)));
        tape.rewind();
        nn::add_gradients(gradients, tape.backward(sum(tape.watch(a) + tape.watch(b))), parameters);
        nn::clip_gradient_norm(gradients, parameters, 1);
        nn::clip_gradient_value(gradients, parameters, 0.1);
        nn::scale_gradients(gradients, parameters, 0.5);
        optimizer.step(gradients);
    }
    BOOST_TEST(allocations == before);
}

// Batches of 8 rows, whole and in two parts; the history grows with each epoch.
BOOST_AUTO_TEST_CASE(fit_allocates_nothing_in_an_epoch) {
    nn::Dataset<double> data{Array<double>(Shape{96, 2}, 0.5), {}, {}};
    data.targets = Array<double>(Shape{96, 2}, 0.25);
    data.target_names = {"a", "b"};
    for (const std::size_t micro_batch : {0, 4}) {
        const Parameter<double> a = x.clone();
        nn::Sgd<double> optimizer({a}, {.rate = 0.01, .momentum = 0.5});
        std::size_t before = 0, after = 0;
        nn::FitOptions<double> options{.epochs = 1, .batch = 8, .micro_batch = micro_batch, .optimizer = &optimizer};
        options.clip_norm = 0.1;
        options.progress = nullptr;
        options.on_step = [&](const nn::Epoch& epoch) {
            if (epoch.seen == 16) before = allocations;
            after = allocations;
            return true;
        };
        nn::fit<double>([&](const auto& input) { return input * input.tape().watch(a); }, {a}, data, options);
        BOOST_TEST(after == before, micro_batch << ": " << after - before);
    }
}

BOOST_AUTO_TEST_CASE(nothing_changes_when_a_check_fails) {
    constexpr double NaN = std::numeric_limits<double>::quiet_NaN();
    Tape<double> tape;
    auto gradients = gradients_of(tape);
    const Parameter<double> other("other", Array<double>{1});
    check_message([&] { nn::scale_gradients(gradients, {x, other}, 2); }, "did not watch parameter 'other'");
    check_message([&] { nn::scale_gradients(gradients, {x, x}, 2); }, "'x' is listed twice");
    check_message([&] { nn::scale_gradients(gradients, {x}, NaN); }, "[scale_gradients] the factor");
    check_message([&] { nn::clip_gradient_norm(gradients, {x}, -1); }, "[clip_gradient_norm] the bound");
    BOOST_TEST((gradients[x] == Array<double>{3, -4}));
    BOOST_CHECK_THROW(autograd::own_gradient(gradients, other), GradientError);
    auto bad = tape.backward(tape.watch(x), Array<double>{NaN, 1});
    check_message([&] { nn::clip_gradient_norm(bad, {x}, 1); }, "the norm of the gradients is nan");
    check_message([&] { nn::clip_gradient_value(bad, {x}, 0.5); }, "the gradient of parameter 'x' has a NaN");
    BOOST_TEST(bad[x](1) == 1.0);
    const auto moved = std::move(gradients);
    check_message([&] { nn::scale_gradients(gradients, {x}, 2); }, "moved");  // NOLINT: it is what is tried
}

BOOST_AUTO_TEST_CASE(buffers_are_passed_over) {
    Tape<double> tape;
    auto gradients = gradients_of(tape);
    const auto buffer = Parameter<double>::buffer("running", Array<double>{1});
    nn::scale_gradients(gradients, {x, buffer}, 2);
    BOOST_TEST((gradients[x] == Array<double>{6, -8}));
}
