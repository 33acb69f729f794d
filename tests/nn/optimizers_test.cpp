// The optimizers against plain loops that follow the text of PyTorch's documentation.
#define BOOST_TEST_MODULE optimizers
#ifndef BOOST_TEST_DYN_LINK
#define BOOST_TEST_DYN_LINK
#endif
#include <autograd/operations.hpp>
#include <autograd/tape.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <nn/average.hpp>
#include <nn/lbfgs.hpp>
#include <nn/optimizers.hpp>
#include <nn/schedules.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_message.hpp"

namespace {

using autograd::Array;
using autograd::Parameter;
using autograd::Shape;
using autograd::Tape;

constexpr std::size_t length = 7;
using Numbers = std::vector<double>;

Array<double> to_array(const Numbers& numbers) {
    Array<double> array(Shape{numbers.size()});
    std::copy(numbers.begin(), numbers.end(), array.storage().begin());
    return array;
}

Numbers start() {
    Numbers numbers(length);
    for (std::size_t k = 0; k < length; ++k) numbers[k] = std::cos(1.7 * static_cast<double>(k)) + 0.1;
    return numbers;
}

double gradient_at(int t, std::size_t k, double p) {
    return std::sin(0.37 * t * (static_cast<double>(k) + 1)) + 0.2 * p;
}

// Runs 100 steps beside `reference(t, k, p, g)`, which returns the new value of the number p at place k in step t.
template <class Optimizer, class Options, class Reference>
void compare(Options options, Reference reference) {
    Parameter<double> parameter("p", to_array(start()));
    Optimizer optimizer({parameter}, options);
    Tape<double> tape;
    Numbers expected = start();
    for (int t = 1; t <= 100; ++t) {
        Numbers g(length);
        for (std::size_t k = 0; k < length; ++k) {
            g[k] = gradient_at(t, k, parameter.value()(k));
            expected[k] = reference(t, k, expected[k], gradient_at(t, k, expected[k]));
        }
        // The seed of a leaf's own adjoint is its gradient.
        tape.rewind();
        optimizer.step(tape.backward(tape.watch(parameter), to_array(g)));
        for (std::size_t k = 0; k < length; ++k) BOOST_REQUIRE_SMALL(parameter.value()(k) - expected[k], 1e-12);
    }
    BOOST_TEST(optimizer.steps() == 100u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(sgd) {
    compare<nn::Sgd<double>>(nn::SgdOptions{.rate = 0.1},
                             [](int, std::size_t, double p, double g) { return p - 0.1 * g; });

    for (bool nesterov : {false, true}) {
        Numbers buffer(length);
        compare<nn::Sgd<double>>(
            nn::SgdOptions{.rate = 0.05, .momentum = 0.9, .nesterov = nesterov, .weight_decay = 0.01},
            [&](int t, std::size_t k, double p, double g) {
                g += 0.01 * p;
                buffer[k] = t > 1 ? 0.9 * buffer[k] + g : g;
                return p - 0.05 * (nesterov ? g + 0.9 * buffer[k] : buffer[k]);
            });
    }
}

BOOST_AUTO_TEST_CASE(adam_and_adamw) {
    const auto reference = [](double rate, double decay, bool decoupled) {
        return [=, m = Numbers(length), v = Numbers(length)](int t, std::size_t k, double p, double g) mutable {
            if (decoupled)
                p -= rate * decay * p;
            else
                g += decay * p;
            m[k] = 0.9 * m[k] + 0.1 * g;
            v[k] = 0.999 * v[k] + 0.001 * g * g;
            const double corrected_m = m[k] / (1 - std::pow(0.9, t));
            const double corrected_v = v[k] / (1 - std::pow(0.999, t));
            return p - rate * corrected_m / (std::sqrt(corrected_v) + 1e-8);
        };
    };
    compare<nn::Adam<double>>(nn::AdamOptions{}, reference(1e-3, 0, false));
    compare<nn::Adam<double>>(nn::AdamOptions{.rate = 0.02, .weight_decay = 0.1}, reference(0.02, 0.1, false));
    compare<nn::AdamW<double>>(nn::AdamWOptions{}, reference(1e-3, 1e-2, true));
    nn::AdamWOptions options;
    options.rate = 0.02;
    options.weight_decay = 0.3;
    compare<nn::AdamW<double>>(options, reference(0.02, 0.3, true));
}

// The variance of 100 +- 0.001 is too small beside 100^2 for its sign to be right in float.
BOOST_AUTO_TEST_CASE(centered_rmsprop_takes_no_root_of_a_negative_number) {
    Parameter<float> parameter("p", Array<float>(Shape{4}, 1.0f));
    nn::RMSprop<float> optimizer({parameter}, {.rate = 1e-6, .centered = true});
    Tape<float> tape;
    bool finite = true;
    for (int t = 0; t < 3000; ++t) {
        tape.rewind();
        const Array<float> gradient(Shape{4}, t % 2 == 0 ? 100.001f : 99.999f);
        optimizer.step(tape.backward(tape.watch(parameter), gradient));
        for (const float p : parameter.value()) finite &= std::isfinite(p);
    }
    BOOST_TEST(finite);
}

BOOST_AUTO_TEST_CASE(rmsprop) {
    for (bool centered : {false, true}) {
        for (double momentum : {0.0, 0.9}) {
            Numbers v(length), a(length), b(length);
            compare<nn::RMSprop<double>>(
                nn::RMSpropOptions{.rate = 0.01, .weight_decay = 0.02, .momentum = momentum, .centered = centered},
                [&](int, std::size_t k, double p, double g) {
                    g += 0.02 * p;
                    v[k] = 0.99 * v[k] + 0.01 * g * g;
                    double under_root = v[k];
                    if (centered) {
                        a[k] = 0.99 * a[k] + 0.01 * g;
                        under_root -= a[k] * a[k];
                    }
                    b[k] = momentum * b[k] + g / (std::sqrt(under_root) + 1e-8);
                    return p - 0.01 * b[k];
                });
        }
    }
}

BOOST_AUTO_TEST_CASE(adagrad) {
    Numbers sums(length, 0.1);
    compare<nn::Adagrad<double>>(
        nn::AdagradOptions{.rate = 0.1, .rate_decay = 0.02, .weight_decay = 0.05, .initial = 0.1},
        [&](int t, std::size_t k, double p, double g) {
            g += 0.05 * p;
            sums[k] += g * g;
            return p - 0.1 / (1 + (t - 1) * 0.02) * g / (std::sqrt(sums[k]) + 1e-10);
        });
}

// Each group is as an optimizer of its own, also where it begins later.
BOOST_AUTO_TEST_CASE(groups) {
    const auto run = [](auto make_one, auto make_other) {
        const Parameter<double> a("a", to_array(start())), b("b", to_array(start()));
        Tape<double> tape;
        auto optimizer = make_one(a);
        std::vector<Array<double>> ends;
        for (int t = 1; t <= 20; ++t) {
            if (t == 6) make_other(optimizer, b);
            Numbers g(length), h(length);
            for (std::size_t k = 0; k < length; ++k) {
                g[k] = gradient_at(t, k, a.value()(k));
                h[k] = gradient_at(t, k, b.value()(k));
            }
            tape.rewind();
            const auto gradients = tape.backward({tape.watch(a), tape.watch(b)}, {to_array(g), to_array(h)});
            for (auto* each : optimizer) each->step(gradients);
        }
        return std::vector{a.value(), b.value()};
    };
    const nn::AdamOptions one{.rate = 0.01}, other{.rate = 0.1, .beta2 = 0.9, .weight_decay = 0.1};
    std::vector<std::unique_ptr<nn::Adam<double>>> kept;
    const auto adam = [&](const Parameter<double>& parameter, nn::AdamOptions options) {
        kept.push_back(std::make_unique<nn::Adam<double>>(std::vector{parameter}, options));
        return kept.back().get();
    };
    const auto together = run([&](const auto& a) { return std::vector{adam(a, one)}; },
                              [&](auto& optimizers, const auto& b) { optimizers[0]->add_group({b}, other); });
    const auto apart = run([&](const auto& a) { return std::vector{adam(a, one)}; },
                           [&](auto& optimizers, const auto& b) { optimizers.push_back(adam(b, other)); });
    BOOST_TEST((together == apart));

    nn::Adam<double>& grouped = *kept[0];
    BOOST_TEST(grouped.groups() == 2u);
    BOOST_TEST(grouped.rate(1) == 0.1);
    grouped.set_rate(0.5, 1);
    BOOST_TEST(grouped.rate() == 0.01);
    BOOST_CHECK_THROW(grouped.rate(2), std::out_of_range);
    check_message([&] { grouped.add_group({grouped.parameters()[0]}, {}); }, "'a' is listed twice");
    check_message([&] { grouped.add_group({}, {}); }, "no parameters");
    check_message([&] { grouped.add_group({Parameter<double>("c", to_array(start()))}, {.rate = -1}); }, "rate");
    BOOST_TEST(grouped.parameters().size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_optimizer_goes_on_from_a_state) {
    const auto check = [](auto make) {
        const Parameter<double> a("a", to_array(start())), b("b", to_array(start()));
        auto first = make(a), second = make(b), whole = make(Parameter<double>("a", to_array(start())));
        const auto steps = [](auto& optimizer, int from, int to) {
            for (int t = from; t <= to; ++t) {
                const auto& parameter = optimizer.parameters()[0];
                Numbers g(length);
                for (std::size_t k = 0; k < length; ++k) g[k] = gradient_at(t, k, parameter.value()(k));
                Tape<double> tape;
                optimizer.step(tape.backward(tape.watch(parameter), to_array(g)));
            }
        };
        first.set_rate(0.02);
        whole.set_rate(0.02);
        steps(first, 1, 10);
        steps(whole, 1, 20);
        auto state = first.state();
        check_message([&] { second.set_state(state); }, state.arrays.empty() ? "" : "another optimizer's");
        std::map<std::string, Array<double>> renamed;
        for (const auto& [name, array] : state.arrays) renamed["b" + name.substr(1)] = array;
        state.arrays = renamed;
        second.set_state(state);
        Parameter<double>(b).edit([&](Array<double>& value) { value = a.value(); });
        steps(second, 11, 20);
        BOOST_TEST((b.value() == whole.parameters()[0].value()));
        state.numbers.erase("steps");
        check_message([&] { second.set_state(state); }, "it has no 'steps'");
    };
    check([](auto p) { return nn::Sgd<double>({p}, {.rate = 0.1, .momentum = 0.9}); });
    check([](auto p) { return nn::AdamW<double>({p}, {.rate = 0.1}); });
    check([](auto p) { return nn::RMSprop<double>({p}, {.rate = 0.01, .momentum = 0.5, .centered = true}); });
    check([](auto p) { return nn::Adagrad<double>({p}, {.rate = 0.1, .rate_decay = 0.1}); });
    const nn::Sgd<double> sgd({Parameter<double>("a", to_array(start()))}, {.rate = 1});
    nn::Adam<double> adam({Parameter<double>("a", to_array(start()))});
    check_message([&] { adam.set_state(sgd.state()); },
                  "[adam] the state is another optimizer's: it has no 'a.exp_avg'");
    const nn::Adam<double> twins(
        {Parameter<double>("a", to_array(start())), Parameter<double>("a", to_array(start()))});
    check_message([&] { twins.state(); }, "[adam] two parameters have the name 'a'");
}

// Rosenbrock's valley, whose minimum is 0 at (1, 1).
BOOST_AUTO_TEST_CASE(lbfgs_finds_the_end_of_a_valley) {
    Parameter<double> p("p", to_array({-1.2, 1}));
    nn::Lbfgs<double> optimizer({p}, {.iterations = 100, .change_tolerance = 1e-15});
    Tape<double> tape;
    const auto valley = [&] {
        const auto x = tape.watch(p);
        const auto a = slice(x, 0, 0, 1), b = slice(x, 0, 1, 2);
        return sum(100.0 * (b - a * a) * (b - a * a) + (1.0 - a) * (1.0 - a));
    };
    BOOST_TEST(optimizer.step(tape, valley) == 24.2, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(p.value()(0) == 1.0, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(p.value()(1) == 1.0, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(optimizer.iterations() < 60u);

    const auto before = p.value();
    check_message([&] { optimizer.step(tape, [&] { return sum(log(tape.watch(p) - 5.0)); }); }, "[lbfgs] the loss");
    int calls = 0;
    const auto failing = [&]() -> autograd::Variable<double> {
        if (++calls == 2) throw std::runtime_error("no more");
        return sum(tape.watch(p) * tape.watch(p));
    };
    check_message([&] { optimizer.step(tape, failing); }, "no more");
    BOOST_TEST((p.value() == before));
}

// Below 0 the loss is 0, lower than anywhere else, and its gradient NaN: the root that was not chosen has it.
BOOST_AUTO_TEST_CASE(lbfgs_does_not_step_to_a_gradient_that_is_not_finite) {
    Parameter<double> p("p", to_array({3}));
    Tape<double> tape;
    const auto loss = [&] {
        const auto x = tape.watch(p), right = relu(x);
        return sum(right * right + 0.1 * where(x < 0.0, 0.0 * x, sqrt(x)));
    };
    nn::Lbfgs<double> searching({p}, {.rate = 10});
    BOOST_TEST(searching.step(tape, loss) == 9 + 0.1 * std::sqrt(3.0), boost::test_tools::tolerance(1e-12));
    BOOST_TEST(p.value()(0) > 0);
    BOOST_TEST(p.value()(0) < 0.5);

    // No length that is tried is short enough; or at an edge one is that ends a step.
    for (const double rate : {1e200, 1.0}) {
        p.edit([](auto& value) { value(0) = 3; });
        nn::Lbfgs<double> far({p}, {.rate = rate, .change_tolerance = 1e-6});
        const auto edge = [&] {
            const auto x = tape.watch(p);
            return sum(x * x) + (rate > 1 || p.value()(0) >= 3 ? 0.0 : std::numeric_limits<double>::infinity());
        };
        if (rate > 1)
            check_message([&] { far.step(tape, edge); }, "[lbfgs] the loss or its gradient is not finite wherever a");
        else
            far.step(tape, edge);
        BOOST_TEST(p.value()(0) == 3);
    }

    p.edit([](auto& value) { value(0) = 3; });
    nn::Lbfgs<double> going({p}, {.rate = 10, .strong_wolfe = false});
    check_message([&] { going.step(tape, loss); }, "[lbfgs] a step of 1.6");
    BOOST_TEST(p.value()(0) == 3);
}

namespace {

/// (p0 - 1)^2 + 3 (p1 + 2)^4 + p0 p1 / 5, and its gradients.
nn::LossAndGradients<double> bowl(Tape<double>& tape, const Parameter<double>& p) {
    tape.rewind();
    const auto x = tape.watch(p);
    const auto a = slice(x, 0, 0, 1), b = slice(x, 0, 1, 2);
    const auto loss = sum(pow(a - 1.0, 2) + 3.0 * pow(b + 2.0, 4) + a * b / 5.0);
    return {loss.item(), tape.backward(loss)};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_step_may_evaluate_its_loss) {
    Tape<double> tape;
    const Parameter<double> p("p", to_array({3, -1})), q("q", to_array({3, -1})), r("r", to_array({3, -1}));
    nn::Sgd<double> one({p}, {.rate = 0.01, .momentum = 0.5}), other({q}, {.rate = 0.01, .momentum = 0.5});
    nn::Lbfgs<double> lbfgs({r}, {.iterations = 3});
    nn::Optimizer<double>*first = &one, *second = &lbfgs;
    int asked = 0;
    for (int step = 0; step < 3; ++step) {
        const double loss = bowl(tape, p).loss;
        BOOST_TEST(first->step([&] { return ++asked, bowl(tape, p); }) == loss);
        other.step(bowl(tape, q).gradients);
        BOOST_TEST((p.value() == q.value()));
    }
    BOOST_TEST(asked == 3);
    BOOST_TEST(!first->asks_again());
    BOOST_TEST(second->asks_again());
    asked = 0;
    BOOST_TEST(second->step([&] { return ++asked, bowl(tape, r); }) == 4 + 3 - 0.6,
               boost::test_tools::tolerance(1e-12));
    BOOST_TEST(asked > 1);
    BOOST_TEST(lbfgs.evaluations() == static_cast<std::uint64_t>(asked));
    const Array<double> before = r.value();
    check_message([&] { second->step(bowl(tape, r).gradients); },
                  "[lbfgs] a step needs gradients at more than one place");
    second->set_rate(0);
    second->step([&] { return bowl(tape, r); });
    BOOST_TEST((r.value() == before));
    BOOST_TEST(second->steps() == 2u);
}

// With more pairs than it keeps, and with none.
BOOST_AUTO_TEST_CASE(lbfgs_goes_on_from_a_state) {
    Tape<double> tape;
    for (const bool searches : {false, true})
        for (int stop = 0; stop <= 6; ++stop) {
            const Parameter<double> p("p", to_array({3, -1})), q("q", to_array({3, -1}));
            const nn::LbfgsOptions options{.rate = searches ? 1 : 0.3,
                                           .iterations = 2,
                                           .gradient_tolerance = 0,
                                           .change_tolerance = 0,
                                           .history = 3,
                                           .strong_wolfe = searches};
            nn::Lbfgs<double> whole({p}, options);
            auto part = std::make_unique<nn::Lbfgs<double>>(std::vector{q}, options);
            for (int step = 0; step < 8; ++step) {
                whole.step([&] { return bowl(tape, p); });
                if (step == stop) {
                    auto next = std::make_unique<nn::Lbfgs<double>>(std::vector{q}, options);
                    next->set_state(part->state());
                    part = std::move(next);
                }
                part->step([&] { return bowl(tape, q); });
                BOOST_TEST((p.value() == q.value()), "step " << step << ", stopped before " << stop);
            }
            BOOST_TEST(part->iterations() == whole.iterations());
            BOOST_TEST(part->evaluations() == whole.evaluations());
            BOOST_TEST(part->steps() == 8u);
            auto state = part->state();
            BOOST_TEST((state.arrays.at("old_stps").shape() == Shape{3, 2}));
            nn::Lbfgs<double> forgetful({q}, {.history = 2});
            check_message([&] { forgetful.set_state(state); }, "[lbfgs] the state is another optimizer's: its 'old_");
            nn::Lbfgs<double> larger({Parameter<double>("p", to_array({3, -1, 0}))});
            check_message([&] { larger.set_state(state); }, "has shape (1, 2), not (1, 3)");
            state.arrays.erase("d");
            check_message([&] { part->set_state(state); }, "it has no 'd'");
            check_message([&] { part->set_state(nn::Sgd<double>({q}).state()); }, "it has no 'H_diag'");
            const auto refused = [&](const auto& change, const std::string& sentence) {
                auto damaged = part->state();
                change(damaged);
                check_message([&] { part->set_state(damaged); }, sentence);
            };
            refused([](auto& of) { of.numbers["n_iter"] = 0.5; }, "its 'n_iter' is 0.5");
            refused([](auto& of) { of.numbers["func_evals"] = 1e300; }, "its 'func_evals' is 1e+300");
            refused([](auto& of) { of.numbers["steps"] = 1e17; }, "its 'steps' is 1e+17");
            refused([](auto& of) { of.numbers["begun.0"] = 0.1; }, "its 'begun.0' is 0.1");
            refused([](auto& of) { of.numbers["begun.0"] = 9; }, "its 'begun.0' is more than its 'steps'");
            refused([](auto& of) { of.arrays["old_stps"](1, 0) = NAN; }, "the rows 1 of its 'old_stps' and 'old_dirs'");
            refused([](auto& of) { of.arrays["old_dirs"] *= -1.0; }, "the rows 0 of its 'old_stps' and 'old_dirs'");
        }
}

// At a kink no length is ever good enough.
BOOST_AUTO_TEST_CASE(a_line_search_ends) {
    const Parameter<double> p("p", to_array({3, -1}));
    Tape<double> tape;
    nn::Lbfgs<double> optimizer({p}, {.iterations = 5, .evaluations = 100000, .change_tolerance = 0});
    optimizer.step(tape, [&] { return sum(abs(tape.watch(p))) + 1.0; });
    BOOST_TEST(optimizer.evaluations() <= 1 + 5 * 26u);
}

// Another unit of the loss is the same valley: close to its minimum, too, changes of the gradient are learned from.
BOOST_AUTO_TEST_CASE(lbfgs_learns_from_small_losses) {
    Parameter<double> p("p", to_array({-1.2, 1}));
    nn::Lbfgs<double> optimizer({p}, {.iterations = 100, .gradient_tolerance = 0, .change_tolerance = 0});
    Tape<double> tape;
    optimizer.step(tape, [&] {
        const auto x = tape.watch(p);
        const auto a = slice(x, 0, 0, 1), b = slice(x, 0, 1, 2);
        return 1e-12 * sum(100.0 * (b - a * a) * (b - a * a) + (1.0 - a) * (1.0 - a));
    });
    BOOST_TEST(p.value()(0) == 1.0, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(p.value()(1) == 1.0, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(schedules_without_steps_are_refused) {
    check_message([] { nn::step_decay(0); }, "[step_decay] a schedule of 0 steps says nothing");
    check_message([] { nn::cosine(0); }, "[cosine] a schedule of 0 steps");
    check_message([] { nn::cosine(5, -1); }, "[cosine] no rate can be -1");
    check_message([] { nn::warm_up(0); }, "[warm_up] a schedule of 0 steps");
    check_message([] { nn::warm_up(5, 0); }, "[warm_up] it starts with a share");
    check_message([] { nn::one_cycle(1); }, "[one_cycle] a schedule of 1 steps");
    nn::Sgd<double> sgd({Parameter<double>("a", to_array(start()))}, {.rate = 1});
    check_message([&] { nn::Scheduler<double>(sgd, {}); }, "[scheduler] there is no schedule");
    check_message([&] { nn::Plateau<double>(sgd, {.factor = 1}); }, "[plateau] the factor");
    check_message(
        [&] {
            nn::Plateau<double>(sgd).set_state({{"best", 1}, {"bad", -1}, {"cooling", 0}});
        },
        "[plateau] the state's 'bad' is -1");
    check_message(
        [&] {
            nn::Plateau<double>(sgd).set_state({{"best", 1}, {"bad", 0}, {"cooling", 1e300}});
        },
        "[plateau] the state's 'cooling' is 1e+300");
    // A function of one's own, and the rates of groups, each its own.
    sgd.add_group({Parameter<double>("b", to_array(start()))}, {.rate = 10});
    nn::Scheduler<double> halved(sgd, [](double rate, std::uint64_t t) { return rate / static_cast<double>(t + 1); });
    halved.step();
    BOOST_TEST(sgd.rate(0) == 0.5);
    BOOST_TEST(sgd.rate(1) == 5.0);
    // A group that comes later has its own rate until the next step.
    sgd.add_group({Parameter<double>("c", to_array(start()))}, {.rate = 30});
    halved.step();
    BOOST_TEST(sgd.rate(0) == 1.0 / 3);
    BOOST_TEST(sgd.rate(2) == 10.0);
}

BOOST_AUTO_TEST_CASE(averages_stand_in_for_parameters) {
    Parameter<double> p("p", to_array({1}));
    nn::ParameterAverage<double> average({p}, 0.5);
    for (const double value : {2.0, 4.0}) {
        p.edit([&](Array<double>& array) { array(0) = value; });
        average.update();
    }
    average.swap();
    BOOST_TEST(p.value()(0) == 3.0);
    check_message([&] { average.update(); }, "swap them back");
    average.swap();
    BOOST_TEST(p.value()(0) == 4.0);
    check_message([&] { nn::ParameterAverage<double>({p}, 1.5); }, "the decay must be from 0 to 1");
    // Swapped twice there and twice back, p would keep the averages.
    check_message([&] { nn::ParameterAverage<double>({p, p}, 0.5); }, "is listed twice");
}

BOOST_AUTO_TEST_CASE(float_follows_double) {
    Parameter<float> parameter("p", Array<float>(Shape{3}, 1.0f));
    nn::Adam<float> optimizer({parameter});
    Tape<float> tape;
    optimizer.step(tape.backward(tape.watch(parameter), Array<float>(Shape{3}, 5.0f)));
    BOOST_TEST(parameter.value()(0) == 0.999f, boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(a_rate_can_change_between_steps) {
    Parameter<double> parameter("p", Array<double>(Shape{1}, 1.0));
    nn::Sgd<double> optimizer({parameter}, {.rate = 1});
    optimizer.set_rate(0.5);
    Tape<double> tape;
    optimizer.step(tape.backward(tape.watch(parameter), Array<double>(Shape{1}, 1.0)));
    BOOST_TEST(parameter.value()(0) == 0.5);
    check_message([&] { optimizer.set_rate(-1); }, "[sgd] the rate must be 0 or more");
    BOOST_TEST(optimizer.rate() == 0.5);
}

BOOST_AUTO_TEST_CASE(nothing_changes_when_a_check_fails) {
    Parameter<double> watched("watched", Array<double>(Shape{2}, 1.0));
    Parameter<double> missing("missing", Array<double>(Shape{2}, 1.0));
    nn::Adam<double> optimizer({watched, missing});
    Tape<double> tape;
    const auto gradients = tape.backward(tape.watch(watched), Array<double>(Shape{2}, 1.0));
    const auto version = watched.version();
    BOOST_CHECK_THROW(optimizer.step(gradients), autograd::GradientError);
    BOOST_TEST(watched.value()(0) == 1.0);
    BOOST_TEST(watched.version() == version);
    BOOST_TEST(optimizer.steps() == 0u);

    nn::Sgd<double> resized({watched});
    watched.edit([](auto& value) { value = Array<double>(Shape{3}, 1.0); });
    check_message([&] { resized.step(gradients); }, "'watched' has shape (3,) and its gradient (2,)");
    BOOST_TEST(watched.value()(0) == 1.0);
}

namespace {

template <class Optimizer, class T>
void check_overflow(Optimizer optimizer, Parameter<T> parameter, const std::string& type) {
    Tape<T> tape;
    Array<T> gradient(Shape{parameter.value().size()}, T(1));
    const T most = std::sqrt(std::numeric_limits<T>::max());
    gradient(40) = -most / 8;
    optimizer.step(tape.backward(tape.watch(parameter), gradient));
    BOOST_TEST(std::abs(parameter.value()(40) - 1) > 0);
    BOOST_TEST(std::isfinite(parameter.value()(40)));
    gradient(40) = -most * 40;
    tape.rewind();
    check_message([&] { optimizer.step(tape.backward(tape.watch(parameter), gradient)); },
                  std::string("[") + optimizer.name() +
                      "] the gradient of parameter 'p' is infinite, or its square is beyond what a " + type + " holds");
}

template <class T>
void check_overflows(const std::string& type) {
    const auto check = [&]<class Optimizer>(auto options, Optimizer*) {
        Parameter<T> parameter("p", Array<T>(Shape{43}, T(1)));
        check_overflow(Optimizer({parameter}, options), parameter, type);
    };
    check(nn::AdamOptions{}, static_cast<nn::Adam<T>*>(nullptr));
    check(nn::AdamWOptions{}, static_cast<nn::AdamW<T>*>(nullptr));
    check(nn::AdagradOptions{}, static_cast<nn::Adagrad<T>*>(nullptr));
    for (const bool centered : {false, true})
        for (const double momentum : {0.0, 0.9})
            check(nn::RMSpropOptions{.momentum = momentum, .centered = centered},
                  static_cast<nn::RMSprop<T>*>(nullptr));
}

}  // namespace

// It stood still from there on, and nothing was said.
BOOST_AUTO_TEST_CASE(a_gradient_whose_square_overflows_is_refused) {
    check_overflows<float>("float");
    check_overflows<double>("double");
    Parameter<float> parameter("p", Array<float>(Shape{2}, 1.f));
    nn::Lbfgs<float> lbfgs({parameter});
    Tape<float> tape;
    check_message([&] { lbfgs.step(tape, [&] { return sum(tape.watch(parameter) * 1e20f); }); },
                  "[lbfgs] the loss or its gradient is not finite, or the square of that");
    BOOST_TEST(parameter.value()(0) == 1.f);
}

// Where no gradient moves it, a parameter shrinks below the bound, and grows above.
BOOST_AUTO_TEST_CASE(a_weight_decay_may_be_too_much) {
    const auto check = [](auto&& make, double bound) {
        for (const bool above : {false, true}) {
            const Parameter<double> p("p", to_array({1}));
            auto optimizer = make(p, bound * (above ? 1.02 : 0.98));
            BOOST_TEST(optimizer.decays_too_much() == above);
            Tape<double> tape;
            for (int step = 0; step < 2000; ++step) {
                tape.rewind();
                optimizer.step(tape.backward(tape.watch(p), to_array({0})));
            }
            const double end = std::abs(p.value()(0));
            BOOST_TEST((above ? end > 1e3 : end < 1e-3), optimizer.name() << " " << bound << " " << end);
        }
    };
    using nn::Sgd, nn::AdamW;
    check([](auto p, double x) { return Sgd<double>({p}, {.rate = 0.1, .weight_decay = 10 * x}); }, 2);
    check([](auto p, double x) { return Sgd<double>({p}, {.rate = 0.1, .momentum = 0.5, .weight_decay = 10 * x}); }, 3);
    check(
        [](auto p, double x) {
            return Sgd<double>({p}, {.rate = 0.1, .momentum = 0.5, .nesterov = true, .weight_decay = 10 * x});
        },
        1.5);
    check([](auto p, double x) { return AdamW<double>({p}, {.rate = 0.1, .weight_decay = 10 * x}); }, 2);
    BOOST_TEST(!nn::Adam<double>({Parameter<double>("p", to_array({1}))}, {.weight_decay = 1e9}).decays_too_much());
}

BOOST_AUTO_TEST_CASE(bad_options) {
    const std::vector<Parameter<double>> one = {Parameter<double>("p", Array<double>(Shape{1}, 0.0))};
    check_message([] { nn::Sgd<double>({}); }, "no parameters");
    check_message([] { nn::Lbfgs<double>({}); }, "[lbfgs] there are no parameters");
    check_message([&] { nn::Lbfgs<double>({one[0], one[0]}); }, "[lbfgs] parameter 'p' is listed twice");
    check_message([&] { nn::Lbfgs<double>(one, {.rate = 0}); }, "[lbfgs] the rate must be above 0");
    check_message([&] { nn::Sgd<double>({one[0], one[0]}); }, "'p' is listed twice");
    check_message([&] { nn::Sgd<double>(one, {.nesterov = true}); }, "nesterov needs a momentum");
    check_message([&] { nn::Sgd<double>(one, {.rate = std::numeric_limits<double>::quiet_NaN()}); }, "rate");
    check_message([&] { nn::Adam<double>(one, {.beta1 = 1}); }, "beta1");
    check_message([&] { nn::Adam<double>(one, {.weight_decay = -1}); }, "weight decay");
    check_message([&] { nn::RMSprop<double>(one, {.alpha = -0.1}); }, "alpha");
    BOOST_CHECK_NO_THROW(nn::Adam<double>(one, {.beta1 = 0, .beta2 = 0}));
    BOOST_CHECK_NO_THROW(nn::RMSprop<double>(one, {.alpha = 0}));
}
