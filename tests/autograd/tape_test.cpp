#define BOOST_TEST_MODULE tape
#include <autograd/autograd.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>

#include "allocations.hpp"

using namespace autograd;

BOOST_AUTO_TEST_CASE(backward_twice_gives_the_same_answer) {
    Tape<double> tape;
    const auto x = tape.variable({1.0, 2.0}), unused = tape.variable({3.0});
    const auto y = sum(x * x);
    for (int i = 0; i < 2; ++i) {
        const auto gradients = tape.backward(y);
        BOOST_TEST(gradients[x](1) == 4);
        BOOST_TEST(gradients[unused](0) == 0);
    }
}

BOOST_AUTO_TEST_CASE(stale_and_foreign_variables_throw) {
    Tape<double> tape, other;
    const auto x = tape.variable(2.0), y = other.variable(3.0);
    BOOST_CHECK_THROW(x * y, VariableError);
    const auto gradients = tape.backward(x * x);
    tape.rewind();
    BOOST_CHECK_THROW(x.value(), VariableError);
    BOOST_CHECK_THROW(x * x, VariableError);
    BOOST_CHECK_THROW(gradients[tape.variable(1.0)], VariableError);
    BOOST_CHECK_THROW(Variable<double>().value(), VariableError);
}

BOOST_AUTO_TEST_CASE(gradients_stay_when_their_tape_is_gone) {
    std::vector<Gradients<double>> kept;
    std::vector<Variable<double>> xs;
    const Parameter<double> w("w", {1, 2});
    {
        Tape<double> tape;
        for (int step = 1; step <= 2; ++step) {
            tape.rewind();
            for (int i = 0; i < 20; ++i) tape.constant(i);
            xs.push_back(tape.variable(3.0));
            kept.push_back(tape.backward(sum(tape.watch(w) * xs.back() * double(step))));
        }
        BOOST_CHECK_THROW(kept.back()[tape.variable(1.0)], VariableError);
    }
    BOOST_TEST(kept.front()[xs.front()]() == 3);
    BOOST_CHECK_THROW(kept.front()[xs.back()], VariableError);
    BOOST_CHECK_THROW(kept.front()[Variable<double>()], VariableError);
    Gradients<double> moved = std::move(kept.front());
    moved = std::move(kept.back());
    BOOST_TEST(moved[w](1) == 6);
    BOOST_TEST(moved[xs.back()]() == 6);
    Tape<double> living, other;
    const auto alike = living.variable(1.0), foreign = other.variable(1.0);  // of one number in both recordings
    const auto gradients = living.backward(alike);
    BOOST_CHECK_THROW(gradients[foreign], VariableError);
    BOOST_TEST(gradients[alike]() == 1);
}

// Nothing of a variable whose tape is gone is read, and no other tape takes it for its own: not even one that lies where
// the first one lay and has recorded as often.
BOOST_AUTO_TEST_CASE(variables_that_outlive_their_tape_throw) {
    auto tape = std::make_unique<Tape<double>>();
    const auto x = tape->variable(2.0), y = x * x;
    tape.reset();
    Tape<double> next;
    const auto z = next.variable(5.0);
    const auto throws = [](const auto& use) {
        BOOST_CHECK_EXCEPTION(use(), VariableError, [](const VariableError& error) {
            return std::string(error.what()).find("its tape is gone") != std::string::npos;
        });
    };
    throws([&] { return x.value(); });
    throws([&] { return y * y; });
    throws([&] { return z * x; });
    throws([&] { return x.tape().size(); });
    throws([&] { return next.backward(y)[z]; });
    throws([&] { return grad(y, x); });
    BOOST_TEST(!x.on(next));
    BOOST_TEST(z.item() == 5);
    for (int i = 0; i < 100; ++i) {
        Tape<double> other;
        const auto own = other.variable(1.0);
        BOOST_TEST_REQUIRE(!x.on(other));
        BOOST_CHECK_THROW(own + x, VariableError);
    }
}

BOOST_AUTO_TEST_CASE(gradients_that_were_moved_from_throw) {
    Tape<double> tape;
    const auto x = tape.variable(2.0);
    auto gradients = tape.backward(x * x);
    const auto moved = std::move(gradients);
    BOOST_CHECK_THROW(gradients[x], GradientError);
    BOOST_TEST(moved[x]() == 4);
}

BOOST_AUTO_TEST_CASE(inner_adjoints_are_kept_where_asked) {
    Tape<double> tape;
    const auto x = tape.variable(3.0), z = x * x, y = z * 2.0;
    BOOST_CHECK_THROW(tape.backward(y)[z], GradientError);
    BOOST_TEST(tape.backward(y, {z})[z]() == 2);
    BOOST_TEST(tape.backward(y, Keep<double>::all())[y]() == 1);
}

BOOST_AUTO_TEST_CASE(adjoints_that_share_an_array_stay_apart) {
    // a + b hands its adjoint on as it is; what comes to a later must change neither b's nor the sum's.
    Tape<double> tape;
    const auto a = tape.variable({1.0, 2.0}), b = tape.variable({3.0, 4.0});
    const auto other = a * a, c = a + b;
    const auto gradients = tape.backward(sum(c * c + other), Keep<double>::all());
    for (std::size_t i = 0; i < 2; ++i) {
        const double twice = 2 * (a.value()(i) + b.value()(i));
        BOOST_TEST(gradients[c](i) == twice);
        BOOST_TEST(gradients[b](i) == twice);
        BOOST_TEST(gradients[a](i) == twice + 2 * a.value()(i));
        BOOST_TEST(gradients[other](i) == 1);
    }
}

BOOST_AUTO_TEST_CASE(output_must_be_one_element_or_have_a_seed) {
    Tape<double> tape;
    const auto x = tape.variable({1.0, 2.0});
    BOOST_CHECK_THROW(tape.backward(x * x), std::invalid_argument);
    BOOST_CHECK_THROW(tape.backward(x * x, Array<double>{1, 2, 3}), std::invalid_argument);
    BOOST_TEST(tape.backward(x * x, Array<double>{1, 10})[x](1) == 40);
}

BOOST_AUTO_TEST_CASE(pause_and_detach_stop_the_gradient) {
    Tape<double> tape;
    const auto x = tape.variable(3.0);
    BOOST_TEST(!tape.constant(3).requires_gradient());
    BOOST_TEST(!x.detach().requires_gradient());
    BOOST_TEST(tape.backward(x * x.detach())[x]() == 3);
    const auto pause = tape.pause();
    BOOST_TEST(!(x * x).requires_gradient());
}

BOOST_AUTO_TEST_CASE(tied_parameters_add_up_and_changes_are_reported) {
    Tape<double> tape;
    Parameter<double> w("w", Array<double>(2.0));
    const auto y = tape.watch(w) * tape.watch(w);
    BOOST_TEST(tape.backward(y)[w]() == 4);
    w.edit([](auto& value) { value() = 5; });
    BOOST_CHECK_THROW(tape.backward(y), GradientError);
    tape.rewind();
    BOOST_TEST(tape.watch(w).item() == 5);
    BOOST_CHECK_THROW(tape.backward(tape.watch(w))[Parameter<double>()], GradientError);
}

BOOST_AUTO_TEST_CASE(several_outputs_at_once) {
    Tape<double> tape;
    const auto x = tape.variable({1.0, 2.0, 3.0});
    const auto square = x * x, cube = square * x, total = sum(x);
    const Array<double> u = {1.0, -1.0, 2.0}, v = {0.5, 3.0, -1.0};
    const auto gradients =
        tape.backward({cube, square, total, x, cube}, {u, v, Array<double>(Shape{}, 10.0), u, v}, Keep<double>{square});
    for (std::size_t i = 0; i < 3; ++i) {
        const double t = x.value()(i);
        BOOST_TEST(gradients[x](i) == (u(i) + v(i)) * 3 * t * t + v(i) * 2 * t + 10 + u(i));
        BOOST_TEST(gradients[square](i) == (u(i) + v(i)) * t + v(i));
    }
    BOOST_CHECK_THROW(tape.backward({cube, square}, {u}), std::invalid_argument);
    BOOST_CHECK_THROW(tape.backward({cube, total}, {u, v}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(derivatives_record_no_product_that_nobody_wants) {
    Tape<double> tape;
    const auto x = tape.constant(xt::ones<double>({2, 3})), w = tape.variable(xt::ones<double>({4, 3}));
    const auto y = sum(linear(x, w));
    const auto before = tape.size();
    BOOST_TEST(grad(y, w).value()(0, 0) == 2);
    std::size_t products = 0;
    for (auto i = before; i < tape.size(); ++i)
        products += node_at(tape, static_cast<std::uint32_t>(i)).operation == std::string("matmul");
    BOOST_TEST(products == 1u);
}

BOOST_AUTO_TEST_CASE(a_chain_of_a_million_nodes) {
    Tape<double> tape;
    const auto x = tape.variable(1.0);
    auto y = x;
    for (int i = 0; i < 1'000'000; ++i) y = y + 1e-6;
    BOOST_TEST(std::abs(y.item() - 2) < 1e-9);
    BOOST_TEST(tape.backward(y)[x]() == 1);
}

BOOST_AUTO_TEST_CASE(a_gradient_of_a_hundred_thousand_nodes_is_differentiated) {
    Tape<double> tape;
    const auto x = tape.variable(1.0);
    auto y = x;
    const int steps = 35'000;
    for (int i = 0; i < steps; ++i) y = y + sin(y) * (1.0 / steps);
    BOOST_TEST(tape.size() > 100'000u);
    // Euler's method for y' = sin(y): in the limit dy/dx = sin(y) / sin(x).
    const auto slope = grad(y, x);
    BOOST_TEST(std::abs(slope.item() - std::sin(y.item()) / std::sin(1.0)) < 1e-4);
    const double bend = (std::cos(y.item()) - std::cos(1.0)) * slope.item() / std::sin(1.0);
    BOOST_TEST(std::abs(tape.backward(slope)[x]() - bend) < 1e-4);
}

BOOST_AUTO_TEST_CASE(a_training_loop_allocates_nothing_from_the_second_step_on) {
    Tape<float> tape;
    Parameter<float> w1("w1", Array<float>(xt::ones<float>({5, 4}) * 0.1f)),
        b1("b1", Array<float>(xt::zeros<float>({5}))), w2("w2", Array<float>(xt::ones<float>({3, 5}) * 0.2f));
    const Array<float> x(xt::ones<float>({6, 4}));
    const Indices labels{0, 1, 2, 0, 1, 2};
    const auto step = [&] {
        tape.rewind();
        const auto loss = softmax_cross_entropy(
            linear(tanh(linear(tape.constant(x), tape.watch(w1), tape.watch(b1))), tape.watch(w2)), labels);
        const auto gradients = tape.backward(loss);
        for (auto* w : {&w1, &b1, &w2}) w->edit([&](auto& value) { xt::noalias(value) -= 0.1f * gradients[*w]; });
    };
    step();
    const std::size_t before = allocations;
    for (int i = 0; i < 10; ++i) step();
    BOOST_TEST(allocations - before == 0u);
}

BOOST_AUTO_TEST_CASE(higher_orders) {
    Tape<double> tape;
    const double s = 0.7, t = std::tanh(s), u = 1 - t * t;
    const auto x = tape.variable(s);
    const auto y = grad(grad(grad(tanh(x) * sin(x), x), x), x);
    // (fg)''' = f'''g + 3f''g' + 3f'g'' + fg'''  for f = tanh, g = sin
    const double expected = (-2 * u * u + 4 * t * t * u) * std::sin(s) + 3 * (-2 * t * u) * std::cos(s) -
                            3 * u * std::sin(s) - t * std::cos(s);
    BOOST_TEST(std::abs(y.item() - expected) < 1e-12);
    const auto v = tape.variable({1.0, 2.0});
    const auto h = hessian(sum(v * v * v) + prod(v), v);
    BOOST_TEST(h(0, 0) == 6);
    BOOST_TEST(h(0, 1) == 1);
    const auto first_only =
        record("mine", {x}, x.value() * 2.0, [x](OnArrays<double>& at) { at.adjoint(x) += at.zbar() * 2.0; });
    BOOST_TEST(tape.backward(first_only)[x]() == 2);
    BOOST_CHECK_THROW(grad(first_only, x), GradientError);
}
