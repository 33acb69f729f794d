// Adam and its relatives: AdaMax, AdamW, and the slips that people make in them.
#define BOOST_TEST_MODULE derivation_adam
#include "judged.hpp"

using derivation::LineReport;

namespace {

const std::string head =
    "index i = 3\nconstant eta, b1, b2, eps, t, s, lambda\ngiven x[i], m[i], v[i], u[i]\n"
    "let E = sum(i, (x[i] - 1)^4)\nlet g[i] = dE/dx[i]\n"
    "update m[i] := b1 * m[i] + (1 - b1) * g[i] on E\n";
const std::string adam = head + "update v[i] := b2 * v[i] + (1 - b2) * g[i]^2 on E\n";
const std::string adamax = head + "update v[i] := max(b2 * v[i], abs(g[i])) on E\n";

LineReport step(const std::string& file, const std::string& right, const std::string& verdict) {
    return expect(file + "update x[i] := " + right + " on E\n", verdict);
}

}  // namespace

BOOST_AUTO_TEST_CASE(both_means_are_divided_as_after_one_number_of_steps) {
    step(adam, "x[i] - eta * new(m[i])/(1-b1^t) / (sqrt(new(v[i])/(1-b2^t)) + eps)", "holds");
    step(adam, "x[i] - eta * new(m[i])/(1-b1^(t+1)) / (sqrt(new(v[i])/(1-b2^(t+1))) + eps)", "holds");
    step(adam, "x[i] - eta * sqrt(1-b2^t)/(1-b1^t) * new(m[i]) / (sqrt(new(v[i])) + eps)", "holds");
    for (const char* right : {"x[i] - eta * new(m[i])/(1-b1^t) / (sqrt(new(v[i])/(1-b2^s)) + eps)",
                              "x[i] - eta * new(m[i])/(1-b1^t) / (sqrt(new(v[i])/(1-b2^(t+1))) + eps)",
                              "x[i] - eta * new(m[i])/(1-b1) / (sqrt(new(v[i])/(1-b2^2)) + eps)",
                              "x[i] - eta * sqrt(1-b2^t)/(1-b1^s) * new(m[i]) / (sqrt(new(v[i])) + eps)"}) {
        const LineReport line = step(adam, right, "wrong");
        BOOST_TEST(line.mistake == "number-of-steps");
        step(adam, line.repair, "holds");
    }
    for (const char* right : {"x[i] - eta * new(m[i])/(1-b2^t) / (sqrt(new(v[i])/(1-b1^t)) + eps)",
                              "x[i] - eta * sqrt(1-b1^t)/(1-b2^t) * new(m[i]) / (sqrt(new(v[i])) + eps)"}) {
        const LineReport line = step(adam, right, "wrong");
        BOOST_TEST(line.mistake == "exchanged-rates");
        step(adam, line.repair, "holds");
    }
    const LineReport given_count = expect(
        "given n\n" + adam + "update x[i] := x[i] - eta * new(m[i])/(1-b1^n) / (sqrt(new(v[i])/(1-b2^n)) + eps) on E\n",
        "undecided");
    BOOST_TEST(given_count.reason.starts_with("The number of steps, n, is given here"), given_count.reason);
    const std::string numbers =
        "given x, m, v\nlet E = (x - 1)^4\nupdate m := 0.9 * m + 0.1 * dE/dx on E\n"
        "update v := 0.99 * v + 0.01 * (dE/dx)^2 on E\nupdate x := x - 0.1 * new(m)/(1 - 0.9^3)";
    expect(numbers + " / (sqrt(new(v)/(1 - 0.99^3)) + 1e-6) on E\n", "holds");
    expect(numbers + " / (sqrt(new(v)/(1 - 0.99^4)) + 1e-6) on E\n", "wrong");
    expect(numbers + " / (sqrt(new(v)*(1 - 0.99^3)) + 1e-6) on E\n", "undecided");
    expect(numbers + " * (1 - 0.9^3)^2 / (sqrt(new(v)/(1 - 0.99^3)) + 1e-6) on E\n", "undecided");
}

BOOST_AUTO_TEST_CASE(the_new_states_are_used) {
    const LineReport line = step(adam, "x[i] - eta * new(m[i]) / (sqrt(v[i]) + eps)", "wrong");
    BOOST_TEST(line.mistake == "old-state");
    BOOST_TEST(line.repair == "x[i] - eta * new(m[i])/(sqrt(new(v[i])) + eps)");
}

BOOST_AUTO_TEST_CASE(adamax_gathers_the_largest_gradient) {
    for (const char* next : {"max(b2 * v[i], abs(g[i]))", "max(abs(g[i]), b2 * v[i])",
                             "max(b2 * v[i], abs(g[i]) + eps)", "max(b2 * v[i], 4 * abs(x[i] - 1)^3)"})
        expect(head + "update v[i] := " + next + " on E\n", "holds");
    for (const char* next : {"max(b2 * v[i], g[i])", "max(b2 * v[i], g[i]^2)", "max(b2 * v[i], abs(x[i]))",
                             "max(b2 * u[i], abs(g[i]))", "max(b2 * v[i], 2 * abs(g[i]))"})
        expect(head + "update v[i] := " + next + " on E\n", "wrong");
    // AMSGrad, and clipped gradients.
    for (const char* next : {"max(v[i], new(m[i]))", "max(v[i], b2 * u[i] + (1 - b2) * g[i]^2)",
                             "b2 * v[i] + (1 - b2) * max(min(g[i], 1), -1)", "min(b2 * v[i], abs(g[i]))"})
        expect(head + "update v[i] := " + next + " on E\n", "undecided");
    step(adam + "update u[i] := max(u[i], new(v[i])) on E\n", "x[i] - eta * new(m[i]) / (sqrt(new(u[i])) + eps)",
         "undecided");
    for (const char* right :
         {"x[i] - eta/(1-b1^t) * new(m[i]) / new(v[i])", "x[i] - eta/(1-b1^t) * new(m[i]) / (new(v[i]) + eps)",
          "(1 - eta * lambda) * x[i] - eta/(1-b1^t) * new(m[i]) / new(v[i])"})
        step(adamax, right, "holds");
    step(adamax, "x[i] + eta/(1-b1^t) * new(m[i]) / new(v[i])", "wrong");
    step(adamax, "x[i] - eta/(1-b1^t) * m[i] / new(v[i])", "wrong");
    step(adamax, "x[i] - eta/(1-b1^t) * new(m[i]) / (new(v[i])/(1-b2^t))", "undecided");
    step(adamax, "x[i] - eta/(1-b1^t) * new(m[i]) / sqrt(new(v[i]))", "undecided");
}

BOOST_AUTO_TEST_CASE(a_gradient_may_have_a_maximum_in_it) {
    const std::string hinge = "constant a\ngiven x, m\nlet E = max(x, 0)^2\n";
    expect(hinge + "update m := a * m + (1 - a) * 2 * max(x, 0) on E\n", "holds");
    expect(hinge + "update m := a * m + (1 - a) * 4 * max(x, 0)^2 on E\n", "holds");
    expect(hinge + "update m := max(a * m, abs(2 * max(x, 0))) on E\n", "holds");
}

BOOST_AUTO_TEST_CASE(a_new_state_may_be_written_out) {
    const std::string file =
        "constant eta, rho, mu, b1, b2, e, t, lambda\ngiven x, m, v, w, u, a, s, d\nlet E = (x-1)^4 + x^2\n"
        "update m := rho*m + dE/dx on E\nupdate x := x - eta*(rho*m + dE/dx) on E\n";
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
        BOOST_TEST(verdict_of(derivation::check(file, {"-", seed}).lines.back()) == "holds", "at seed " << seed);
}

BOOST_AUTO_TEST_CASE(a_tiny_number_stands_beside_the_root) {
    const std::string file =
        "index i = 3\nconstant b1, b2, eps, t\nconstant tiny = 1e-8\nconstant small = 0.001\ngiven x[i], m[i], v[i]\n"
        "let E = sum(i, (x[i]-1)^4)\nupdate m[i] := b1*m[i] + (1-b1)*dE/dx[i] on E\n"
        "update v[i] := b2*v[i] + (1-b2)*(dE/dx[i])^2 on E\n"
        "update x[i] := x[i] - small*new(m[i])/(sqrt(new(v[i])) + tiny) on E\n";
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
        BOOST_TEST(verdict_of(derivation::check(file, {"-", seed}).lines.back()) == "holds", "at seed " << seed);
}

BOOST_AUTO_TEST_CASE(decay_stands_beside_the_step) {
    for (const char* mean : {"(new(m[i])/(1-b1^t)) / (sqrt(new(v[i])/(1-b2^t)) + eps)",
                             "(new(m[i])/(1-b1^t)) / sqrt(new(v[i])/(1-b2^t) + eps)"}) {
        const std::string one = mean;
        step(adam, "x[i] - eta * (" + one + " + lambda * x[i])", "holds");
        step(adam, "(1 - eta * lambda) * x[i] - eta * " + one, "holds");
        step(adam, "x[i] - eta * " + one + " - lambda * x[i]", "holds");
        const LineReport line = step(adam, "x[i] - eta * (" + one + " - lambda * x[i])", "wrong");
        BOOST_TEST(line.reason == "The sign of lambda * x[i] is the wrong one.");
        step(adam, "x[i] + eta * (" + one + " + lambda * x[i])", "wrong");
        // That the parameter is multiplied by a rate is no decay.
        step(adam, "eta * x[i] - eta * " + one, "undecided");
        step(adam, "b1 * x[i] - eta * " + one, "undecided");
        step(adam, "x[i] - eta * " + one + " - lambda * u[i]", "undecided");
    }
    // A decay that is a part of the loss belongs into its gradient.
    step(adam, "x[i] - eta * (new(m[i]) + lambda * x[i]) / (sqrt(new(v[i])) + eps)", "undecided");
    expect(head + "update x[i] := x[i] - eta * (4 * (x[i] - 1)^3 + lambda * x[i]) on E\n", "wrong");
}
