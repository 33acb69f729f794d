// Steps of gradient descent, and those that go by states.
#define BOOST_TEST_MODULE derivation_updates
#include "judged.hpp"

using derivation::LineReport;

BOOST_AUTO_TEST_CASE(updates_are_one_step_of_descent) {
    const std::string file =
        "constant eta\nconstant lambda\ngiven w\ngiven b\ngiven x\ngiven y\nlet p = w * x + b\nlet E = (p - y)^2\nlet "
        "L = E + lambda * w^2\n";
    expect(file + "update w := w - eta * (2 * (p - y) * x + 2 * lambda * w)\n", "holds");
    expect(file + "update w <- (1 - 2 * eta * lambda) * w - eta * 2 * (p - y) * x\n", "holds");
    expect(file + "update w := w - eta * 2 * (p - y) * x on E\n", "holds");
    BOOST_TEST(expect(file + "update w := w - eta * 2 * (p - y) * x\n", "wrong").mistake == "missing-regulariser");
    BOOST_TEST(expect(file + "update w := w + eta * dL/dw\n", "wrong").mistake == "update-climbs");
    BOOST_TEST(expect(file + "update w := w - dL/dw\n", "wrong").mistake == "missing-rate");
    expect(file + "update b := b - lambda * dL/db\n", "wrong");
    BOOST_TEST(expect(file + "update b := b - eta * 2 * (new(w) * x + b - y)\n", "wrong").mistake == "updated-weights");
    expect("given w\nlet L = w^2\nupdate w := w - 0.1 * 2 * w\n", "holds");
    expect("given w\nlet L = w^2\nupdate w := w + 0.1 * 2 * w\n", "wrong");
    expect("given w\nlet L = w^2\nupdate L := L - w\n", "ill-formed");
    // The rate stands nowhere as a number: 1/8, and 3/8.
    expect("given w\ngiven x\nlet L = (w - x)^2 / 2\nupdate w := w - (w - x) / 8\n", "holds");
    expect("given w\ngiven x\nlet L = (w - x)^2 / 2\nupdate w := w - 3 * (w - x) / 8\n", "holds");
    // The rate is 0.25, and not the 2 of the gradient.
    expect(
        "given w\ngiven x\nlet L = (w - x)^2\nupdate w := w - 0.25 * 2 * (w - x)\nat w = 3\nat x = 1\nclaim after 1 "
        "step w ~ 2.0\n",
        "holds");
}

BOOST_AUTO_TEST_CASE(a_repair_of_an_update_keeps_its_rate) {
    BOOST_TEST(expect("given w, x\nlet L = (w - x)^2 / 2\nupdate w := w - 0.3 * (w - x)^2\n", "wrong").repair ==
               "w - 0.3 * (w - x)");
}

BOOST_AUTO_TEST_CASE(the_rate_is_the_one_that_was_typed) {
    const std::string file =
        "index s = 5\nconstant N = size(s)\ngiven x[s], w\nlet E = 1/2 * sum(s, (w * x[s] - 1)^2)\n";
    const std::string gradient = "sum(s, (w * x[s] - 1) * x[s])\n";
    expect(file + "update w := w - 0.1 * " + gradient, "holds");
    expect(file + "update w := w - N * " + gradient, "holds");
    BOOST_TEST(expect(file + "update w := w - " + gradient, "wrong").reason.find("rate") != std::string::npos);
    // With two constants nobody knows which one new(w) takes.
    expect(file + "constant eta\nclaim new(w) = w - eta * " + gradient, "ill-formed");
}

BOOST_AUTO_TEST_CASE(a_new_value_is_that_of_the_update_above) {
    const std::string head =
        "constant eta = 0.1, rate = 0.5\ngiven x, m\nlet E = (x - 1)^2\nlet J = x\nat x = 0.6, m = 1\n";
    const std::string climbs = head + "update x := x + eta * 2 * (x - 1) ascent on E\n";
    expect(climbs + "claim new(x) = x + eta * 2 * (x - 1)\n", "holds");
    expect(climbs + "claim new(x) = x - eta * 2 * (x - 1)\n", "wrong");
    expect(climbs + "claim new(x) ~ 0.52\n", "holds");
    expect(climbs + "claim after 1 step x ~ 0.52\n", "holds");
    // The loss and the rate are the update's own.
    expect(head + "update x := x - rate * 2 * (x - 1) on E\nclaim new(x) = x - rate * 2 * (x - 1)\n", "holds");
    expect(head + "update x := x - rate * 2 * (x - 1) on E\nclaim new(x) = x - eta\n", "wrong");
    // A wrong update makes no other step right.
    expect(head + "update x := x - rate * (x - 1) on E\nclaim new(x) = x - rate * (x - 1)\n", "wrong");
    // What cannot be named is not guessed.
    for (const std::string update : {"update x := x - 0.1 * 2 * (x - 1) on E\n",
                                     "update m := 0.5 * m + 2 * (x - 1) on E\nupdate x := x - eta * new(m) on E\n",
                                     "update x := x - eta * 2 * (x - 1) on E\nupdate x := x - eta on J\n"})
        expect(head + update + "claim new(x) = x - eta * 2 * (x - 1)\n", "ill-formed");
    // The new value of a state is what its update says, in claims too.
    const std::string state = head + "update m := 0.5 * m + 2 * (x - 1) on E\n";
    expect(state + "claim new(m) = m/2 + 2 * x - 2\n", "holds");
    expect(state + "claim new(m) ~ -0.3\n", "holds");
    BOOST_TEST(expect(state + "claim new(m) = m/2 + 2 * x\n", "wrong").reason != "");
    // An update below that takes another step than a line above has taken for granted.
    const std::string assumed = "constant eta\ngiven x\nlet E = (x - 1)^2\nclaim new(x) = x - eta * 2 * (x - 1)\n";
    expect(assumed + "update x := x - eta * 2 * (x - 1)\n", "holds");
    expect(assumed + "update x := x + eta * 2 * (x - 1) ascent\n", "ill-formed");
}

BOOST_AUTO_TEST_CASE(squares_are_gathered_and_a_variance_is_no_mistake) {
    const std::string file = "constant b, eta, e\ngiven x, v, m\nlet E = x^2\n";
    expect(file + "update v := b * v + (1 - b) * (2 * x)^2 on E\n", "holds");
    expect(file + "update v := b * v - (1 - b) * (2 * x)^2 on E\n", "wrong");
    for (const std::string square : {"new(m)^2", "new(m) * new(m)"})
        expect(file +
                   "update v := b * v + (1 - b) * (2 * x)^2 on E\nupdate m := b * m + (1 - b) * 2 * x on E\n"
                   "update x := x - eta * new(m) / sqrt(new(v) - " +
                   square + " + e) on E\n",
               "undecided");
}

BOOST_AUTO_TEST_CASE(updates_with_states) {
    const std::string file =
        "index i = 3\nconstant eta, rho, beta, eps\ngiven x[i], m[i], v[i], t\nlet E = sum(i, (x[i] - t)^4)\n"
        "let J = sum(i, x[i]^2)\n";
    const std::string momentum = file + "update m[i] := rho * m[i] + 4 * (x[i] - t)^3 on E\n",
                      velocity = file + "update m[i] := rho * m[i] - eta * 4 * (x[i] - t)^3 on E\n",
                      adam = file +
                             "update m[i] := rho * m[i] + (1 - rho) * 4 * (x[i] - t)^3 on E\n"
                             "update v[i] := beta * v[i] + (1 - beta) * (4 * (x[i] - t)^3)^2 on E\n";
    expect(momentum, "holds");
    expect(velocity, "holds");
    for (const LineReport& line : check_file(adam).lines) BOOST_TEST(verdict_of(line) == "holds", line.text);
    expect(file + "update m[i] := rho * m[i] + dE/dx[i] on E\n", "holds");
    expect(file + "update m := rho m + 2 x on J\n", "holds");
    expect(file + "update m[i] := rho * m[i] + 3 * (x[i] - t)^3 on E\n", "wrong");
    expect(file + "update m[i] := rho * m[i] + 4 * (x[i] - t)^2 on E\n", "wrong");
    expect(file + "update m[i] := rho * v[i] + 4 * (x[i] - t)^3 on E\n", "wrong");
    expect(file + "update m[i] := rho * m[i] + 4 * (x[i] - t)^3\n", "ill-formed");
    // A step by them.
    expect(momentum + "update x[i] := x[i] - eta * new(m[i]) on E\n", "holds");
    expect(momentum + "update x[i] -= eta * new(m[i]) on E\n", "holds");
    expect(momentum + "update x[i] := x[i] + eta * new(m[i]) on E\n", "wrong");
    expect(velocity + "update x[i] := x[i] + new(m[i]) on E\n", "holds");
    expect(velocity + "update x[i] := x[i] - new(m[i]) on E\n", "wrong");
    expect(momentum + "update x[i] := x[i] - eta * (4 * (x[i] - t)^3 + rho * new(m[i])) on E\n", "holds");
    expect(adam + "update x[i] := x[i] - eta * new(m[i]) / (sqrt(new(v[i])) + eps) on E\n", "holds");
    expect(adam + "update x[i] := x[i] - eta * new(m[i]) / sqrt(new(v[i]) + eps) on E\n", "holds");
    // A forgotten root, and a forgotten square.
    const LineReport rootless =
        expect(adam + "update x[i] := x[i] - eta * new(m[i]) / (new(v[i]) + eps) on E\n", "wrong");
    BOOST_TEST(rootless.repair == "x[i] - eta * new(m[i])/(sqrt(new(v[i])) + eps)");
    expect(adam + "update x[i] := x[i] - eta * new(m[i]) / new(v[i]) on E\n", "wrong");
    expect(adam + "update x[i] := x[i] - eta * new(m[i]) * (sqrt(new(v[i])) + eps) on E\n", "wrong");
    expect(adam + "update x[i] := x[i] - eta * new(m[i]) / (new(v[i])^3 + eps) on E\n", "undecided");
    const LineReport squareless =
        expect(file +
                   "update v[i] := beta * v[i] + (1 - beta) * 4 * (x[i] - t)^3 on E\n"
                   "update x[i] := x[i] - eta * 4 * (x[i] - t)^3 / (sqrt(new(v[i])) + eps) on E\n",
               "wrong");
    BOOST_TEST(squareless.reason.find("line 6 should gather its square") != std::string::npos, squareless.reason);
    // What is printed in one notation is the same line.
    for (const derivation::Notation notation : {derivation::Notation::text, derivation::Notation::latex})
        expect(derivation::rewritten(adam + "update x[i] := x[i] - eta * new(m[i]) / (sqrt(new(v[i])) + eps) on E\n",
                                     notation),
               "holds");
    const LineReport follows = expect(file +
                                          "update m[i] := rho * m[i] + 4 * (x[i] - t)^2 on E\n"
                                          "update x[i] := x[i] - eta * new(m[i]) on E\n",
                                      "follows");
    BOOST_TEST(follows.because_of.value() == 6u);
    // The numbers after two steps are those of the states too: m is 2, then 0.5 * 2 + 1.6, and x 0.8, then 0.54.
    expect(
        "given x, m\nlet E = x^2\nupdate m := 0.5 * m + 2 * x on E\nupdate x := x - 0.1 * new(m) on E\n"
        "at x = 1, m = 0\nclaim after 2 steps x ~ 0.54\n",
        "holds");
}

// However the constants of a step are written; of the running means nothing else is made of their own rates.
BOOST_AUTO_TEST_CASE(a_step_by_states_is_judged_by_its_constants) {
    const std::string file =
        "index i = 3\nconstant eta, b1, b2, eps, t\nconstant tiny = 1e-8\nconstant small = 0.001\n"
        "given x[i], m[i], v[i], s\nlet E = sum(i, (x[i] - 1)^4)\n"
        "update m[i] := b1 * m[i] + (1 - b1) * 4 * (x[i] - 1)^3 on E\n"
        "update v[i] := b2 * v[i] + (1 - b2) * (4 * (x[i] - 1)^3)^2 on E\n";
    const auto is = [&](const std::string& step, const std::string& verdict) {
        for (const derivation::Notation notation : {derivation::Notation::text, derivation::Notation::latex})
            expect(derivation::rewritten(file + "update x[i] := " + step + " on E\n", notation), verdict);
    };
    is("x[i] - eta * new(m[i]) / ((1-b1) * (sqrt(new(v[i])/(1-b2)) + eps))", "holds");
    is("x[i] - eta * (new(m[i])/(1-b1)) / (sqrt(new(v[i])/(1-b2)) + eps)", "holds");
    is("x[i] - eta * (new(m[i])/(1-b1^t)) / (sqrt(new(v[i])/(1-b2^t)) + eps)", "holds");
    is("x[i] - eta * sqrt(1-b2^t)/(1-b1^t) * new(m[i]) / (sqrt(new(v[i])) + eps)", "holds");
    is("x[i] - eta * new(m[i]) / (2 * (sqrt(new(v[i])) + eps))", "holds");
    is("x[i] - eta/(1-b1) * new(m[i]) / (sqrt(new(v[i])) + eps)", "holds");
    is("x[i] - eta * new(m[i]) / (sqrt(new(v[i]))/sqrt(1-b2) + eps)", "holds");
    is("x[i] - eta * new(m[i]) / (sqrt(new(v[i]))/sqrt(1-b2))", "holds");
    is("(x[i] * (sqrt(new(v[i])) + eps) - eta * new(m[i])) / (sqrt(new(v[i])) + eps)", "holds");
    is("x[i] - eta * dE/dx[i] / (2 * sqrt(new(v[i]) + eps))", "holds");
    is("x[i] - small * new(m[i]) / (sqrt(new(v[i])) + tiny)", "holds");
    is("x[i] + eta * new(m[i]) / ((1-b1) * (sqrt(new(v[i])/(1-b2)) + eps))", "wrong");
    // Wrong powers of what a mean is divided by, a mean that is multiplied, a small number that is taken away, and
    // what is no constant.
    is("x[i] - eta * new(m[i]) / (sqrt(new(v[i]))/(1-b2) + eps)", "undecided");
    is("x[i] - eta * new(m[i]) / (sqrt(new(v[i])/(1-b2)^2) + eps)", "undecided");
    is("x[i] - eta * (1-b1) * new(m[i]) / (sqrt(new(v[i])) + eps)", "undecided");
    is("x[i] - eta * new(m[i]) / (sqrt((1-b2) * new(v[i])) + eps)", "undecided");
    is("x[i] - eta * (new(m[i])/(1-b2)) / (sqrt(new(v[i])/(1-b1)) + eps)", "undecided");
    is("x[i] - eta * new(m[i]) / (sqrt(new(v[i])) - eps)", "wrong");
    is("x[i] - small * new(m[i]) / (sqrt(new(v[i])) - tiny)", "wrong");
    is("x[i] - eta * s * new(m[i]) / (sqrt(new(v[i])) + eps)", "undecided");
    is("x[i] - eta * new(m[i]) / (sqrt(new(v[i])) + eps * x[i])", "undecided");
    is("x[i] - eta * new(m[i]) / (sqrt(new(v[i])) + eps)^2", "wrong");
    is("x[i] - eta * new(m[i]) / (sqrt(v[i]) + eps)", "wrong");
    is("x[i] - eta * m[i] / (sqrt(new(v[i])) + eps)", "wrong");
    is("x[i] - eta * new(m[i]) / ((1-b1) * (new(v[i])/(1-b2) + eps))", "wrong");
    // With the numbers that everybody takes, as constants and as they are.
    const std::string numbers =
        "index i = 3\nconstant b1 = 0.9, b2 = 0.999, eta = 0.001, eps = 1e-8\ngiven x[i], m[i], v[i]\n"
        "let E = sum(i, (x[i] - 1)^4)\nupdate m[i] := b1 * m[i] + (1 - b1) * 4 * (x[i] - 1)^3 on E\n"
        "update v[i] := b2 * v[i] + (1 - b2) * (4 * (x[i] - 1)^3)^2 on E\n";
    for (const char* step : {"eta * (new(m[i])/(1-b1)) / (sqrt(new(v[i])/(1-b2)) + eps)",
                             "eta * (new(m[i])/0.1) / (sqrt(new(v[i])/0.001) + eps)",
                             "0.001 * new(m[i]) / ((1-b1) * (sqrt(new(v[i])/(1-b2)) + 1e-8))",
                             "eta * (new(m[i])/(1-b1^3)) / (sqrt(new(v[i])/(1-b2^3)) + eps)"})
        expect(numbers + "update x[i] := x[i] - " + step + " on E\n", "holds");
    for (const char* step : {"eta * (new(m[i])/(1-b1)) / (sqrt(new(v[i]))/(1-b2) + eps)",
                             "eta * (new(m[i])/(1-b2)) / (sqrt(new(v[i])/(1-b1)) + eps)",
                             "eta * new(m[i]) * (1-b1) / (sqrt(new(v[i])/(1-b2)) + eps)"})
        expect(numbers + "update x[i] := x[i] - " + step + " on E\n", "undecided");
    // Where b is 1 - b.
    const std::string halves =
        "constant b1 = 0.5, b2 = 0.9, eta = 0.1, eps = 1e-6\ngiven x, m, v\nlet E = (x - 1)^4\n"
        "update m := b1 * m + (1 - b1) * 4 * (x - 1)^3 on E\n"
        "update v := b2 * v + (1 - b2) * (4 * (x - 1)^3)^2 on E\nupdate x := x - eta * (new(m)/(1-b1^7))";
    expect(halves + " / (sqrt(new(v)/(1-b2^7)) + eps) on E\n", "holds");
    expect(halves + " / (sqrt(new(v))/(1-b2^7) + eps) on E\n", "undecided");
    // An entry that hardly moves says nothing of the constants.
    const std::string still =
        "index i = 3\nconstant b2 = 0.999, eta = 0.001, eps = 1e-5\ngiven x[i] = [1.001, 2, 3], v[i]\n"
        "let E = sum(i, (x[i] - 1)^4)\nupdate v[i] := b2 * v[i] + (1 - b2) * (4 * (x[i] - 1)^3)^2 on E\n"
        "update x[i] := x[i] - eta * 4 * (x[i] - 1)^3 / (sqrt(new(v[i]))";
    expect(still + " + eps) on E\n", "holds");
    expect(still + " - eps) on E\n", "wrong");
    // Momentum that turns around.
    const std::string velocity =
        "constant rho, eta\ngiven x, m\nlet E = x^4\nupdate m := rho * m - eta * 4 * x^3 on E\n";
    expect(velocity + "update x := x + rho * new(m) - eta * 4 * x^3 on E\n", "holds");
    expect(velocity + "update x := x - eta * (4 * x^3 + rho * new(m)) on E\n", "wrong");
    // A gradient with a kink, of which a point shows one side.
    const std::string kink =
        "constant b, eta, eps\ngiven x, v, t\nlet E = 3 * relu(x - t)\nupdate v := b * v + (1 - b) * (dE/dx)^2 on E\n";
    expect(kink + "update x := x - eta * 3 * [x > t] / (sqrt(new(v)) + eps) on E\n", "holds");
    expect(kink + "update x := x - eta * 3 / (sqrt(new(v)) + eps) on E\n", "undecided");
}

BOOST_AUTO_TEST_CASE(the_caret_stands_below_the_state_in_the_root) {
    const std::string step = "update x := x - eta * new(m) / (sqrt(new(m)) + eps)";
    const derivation::Report report = check_file(
        "constant b, eta, eps\ngiven x, m\nlet E = x^4\n"
        "update m := b * m + (1 - b) * 4 * x^3 on E\n" +
        step + " on E\n");
    const LineReport& line = report.lines.back();
    BOOST_TEST(verdict_of(line) == "wrong");
    BOOST_TEST(line.caret_begin == step.find("sqrt") + 5 - step.find("x :="));
}

BOOST_AUTO_TEST_CASE(new_values_of_two_arrays_of_one_name) {
    const std::string file =
        "index i = 2\nindex j = 3\nindex k = 4\nconstant alpha, eta\ngiven w[k,j], w[j,i], x[i]\n"
        "let z[j] = sum(i, w[j,i]*x[i])\nlet a[k] = sum(j, w[k,j]*z[j])\nlet E = sum(k, a[k]^2)\n";
    const std::string gradient = "sum(k, 2*a[k]*w[k,j])*x[i]\n";
    expect(file +
               "update w[k,j] := w[k,j] - eta*2*a[k]*z[j]\nclaim new(w[k,j]) = w[k,j] - eta*2*a[k]*z[j]\n"
               "update w[j,i] := w[j,i] - alpha*" +
               gradient,
           "holds");
}

BOOST_AUTO_TEST_CASE(a_step_by_a_wrong_state_follows_only_if_it_is_one) {
    const std::string file =
        "constant beta, eta, e\ngiven u, v, m\nlet E = u^4\nupdate v := beta*v + (3*u^3)^2 + 1 on E\n";
    expect(file + "update u := u - eta*4*u^3/(sqrt(new(v)) + e) on E\n", "follows");
    expect(file + "update u := u + eta*7*u/sqrt(new(v)) on E\n", "undecided");
    expect(file + "update u := u - eta*4*u^3*(sqrt(new(v)) + e) on E\n", "undecided");
    // What counts is the last update of a state.
    expect(file + "update v := beta*v + (1 - beta)*(4*u^3)^2 on E\nupdate u := u - eta*4*u^3/(sqrt(new(v)) + e) on E\n",
           "holds");
}

BOOST_AUTO_TEST_CASE(the_new_value_of_a_state_may_be_written_out) {
    const std::string file = "constant rho, eta\ngiven u, v\nlet E = u^4\nupdate v := rho*v + 4*u^3 on E\n";
    expect(file + "update u := u - eta*(rho*v + 4*u^3) on E\n", "holds");
    expect(file + "update u := u - eta*new(v) on E\n", "holds");
    expect(file + "update u := u + eta*(rho*v + 4*u^3) on E\n", "wrong");
    BOOST_TEST(
        expect("given u\nlet E = u^4\nupdate u := u - 0.1*4*u^3 ascent\n", "wrong").reason.find("ascent adds it") !=
        std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_step_that_climbs_by_a_number_is_said_to_climb_beside_other_constants) {
    const std::string file =
        "index s = 4\nconstant eps\nconstant clip = 0.2\ngiven x[s], w[s], y\nlet p = sum(s, w[s]*x[s])\n"
        "let E = 1/2*(y - p)^2\n";
    expect(file + "update w[s] := w[s] + 0.1*(y - p)*x[s] on E\n", "holds");
    LineReport line = expect(file + "update w[s] := w[s] - 0.1*(y - p)*x[s] on E\n", "wrong");
    BOOST_TEST(line.mistake == "update-climbs");
    BOOST_TEST(line.repair == "w[s] + 0.1 * (y - p) * x[s]");
    line = expect(file + "update w[s] := w[s] - 0.1*dE/dw[s] ascent on E\n", "wrong");
    BOOST_TEST(line.mistake == "update-climbs");
    BOOST_TEST(line.repair == "w[s] + 0.1 * dE/dw[s]");
}

BOOST_AUTO_TEST_CASE(steps_may_be_counted) {
    const std::string file =
        "index i = 3\nconstant eta, b1, b2, e\ngiven x[i], m[i], v[i], t, s\nlet E = sum(i, (x[i] - 1)^4)\n";
    for (const char* count : {"t + 1", "1 + t", "t + 1 on E"})
        expect(file + "update t := " + std::string(count) + "\n", "holds");
    expect(file + "update t += 1\nclaim new(t) = t + 1\n", "holds");
    expect(file + "update t := t + 1\nclaim new(t) = t + 2\n", "wrong");
    expect(file + "update t := t - 1 on E\n", "undecided");
    expect(file + "update t := t + 1\nat t = 0, s = 0\nclaim after 3 steps t ~ 3\n", "holds");
    const std::string adam = file +
                             "update t := t + 1\nupdate s := s + 1\n"
                             "update m[i] := b1*m[i] + (1 - b1)*dE/dx[i] on E\n"
                             "update v[i] := b2*v[i] + (1 - b2)*(dE/dx[i])^2 on E\n"
                             "update x[i] := x[i] - eta*(new(m[i])/(1 - b1^new(t)))";
    expect(adam + "/(sqrt(new(v[i])/(1 - b2^new(t))) + e) on E\n", "holds");
    expect(adam + "/(sqrt(new(v[i])/(1 - b2^t)) + e) on E\n", "wrong");
    expect(adam + "/(sqrt(new(v[i])/(1 - b2^new(s))) + e) on E\n", "wrong");
    expect(adam + "*(sqrt(new(v[i])/(1 - b2^new(t))) + e) on E\n", "wrong");
}
