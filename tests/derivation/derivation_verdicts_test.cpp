// The six verdicts, and what the language says about each part of a file.
#define BOOST_TEST_MODULE derivation_verdicts
#include "judged.hpp"

using derivation::LineReport;
using derivation::Report;

namespace {

void refuses(const std::string& file, std::size_t line, std::size_t column, const std::string& part) {
    const Report report = derivation::check(file);
    BOOST_TEST_CONTEXT(file) {
        BOOST_REQUIRE(report.error.has_value());
        BOOST_TEST(report.exit_code() == 2);
        BOOST_TEST(report.error->line == line);
        BOOST_TEST(report.error->column == column);
        BOOST_TEST(report.error->sentence.find(part) != std::string::npos, report.error->sentence);
    }
}

/// A claim that cannot be read costs its own line.
void refuses_the_line(const std::string& file, std::size_t line, const std::string& part) {
    const Report report = check_file(file);
    BOOST_TEST_CONTEXT(file) {
        BOOST_TEST(report.exit_code() == 1);
        BOOST_REQUIRE(!report.lines.empty());
        const LineReport& last = report.lines.back();
        BOOST_TEST(last.line == line);
        BOOST_TEST(verdict_of(last) == "ill-formed");
        BOOST_TEST(last.caret_end > last.caret_begin);
        BOOST_TEST(last.reason.find(part) != std::string::npos, last.reason);
    }
}

const std::string normalisation = R"(
index s, t : batch = 5
constant eps
given x[s]
given y[s]
let mu = mean(s, x[s])
let var = mean(s, (x[s] - mu)^2)
let xhat[s] = (x[s] - mu) / sqrt(var + eps)
let L = sum(s, (xhat[s] - y[s])^2)
)";

}  // namespace

BOOST_AUTO_TEST_CASE(the_file_of_the_contract) {
    const Report report = check_file(network + R"(
claim (I)    dC/dz[k] = -(y[k] - yhat[k])
claim (II)   delta[j] = f'(z[j]) * sum(k, w[k,j] * delta[k])
claim        dz[n]/da[j] = sum(m, w[n,m])
claim        dC/dw[j,i] = sum(n, dC/dz[n] * dz[n]/da[j] * da[j]/dz[j] * dz[j]/dw[j,i])
                        = delta[j] * x[i]
update       w[j,i] := w[j,i] - alpha * delta[j] * x[i]
update       w[k,j] := w[k,j] - alpha * delta[k] * a[j]
)");
    BOOST_REQUIRE(report.lines.size() == 6u);
    for (std::size_t i = 0; i < 6; ++i) BOOST_TEST(verdict_of(report.lines[i]) == (i == 2 ? "wrong" : "holds"));
    BOOST_TEST(report.lines[0].label == "I");
    BOOST_TEST(report.lines[2].mistake == "extra-sum");
    BOOST_TEST(report.lines[2].repair == "w[n,j]");
    BOOST_TEST(report.lines[2].member.value() == 1u);
    BOOST_TEST(report.lines[2].index.size() == 2u);
    BOOST_TEST(report.exit_code() == 1);
    const std::string text = derivation::to_text(report);
    BOOST_TEST(text.find("5 lines hold, 1 is wrong") != std::string::npos);
    BOOST_TEST(text.find("^^^^^^^^^^^^^^") != std::string::npos);
    BOOST_TEST(text.find("It would hold as    dz[n]/da[j] = w[n,j]") != std::string::npos);
    BOOST_TEST(derivation::to_text(report, {false, true}).find("w[n,j]\n") == std::string::npos);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        BOOST_TEST(end - begin <= 80u, text.substr(begin, end - begin));
        begin = end + 1;
    }
}

BOOST_AUTO_TEST_CASE(the_coursework) {
    const auto line = [](const std::string& statement, const std::string& verdict) {
        return expect(network + statement + "\n", verdict);
    };
    line("claim \\delta_n = \\frac{\\partial C}{\\partial z_n} = -(y_n - \\hat{y}_n)", "holds");
    line("update w_{ji} = w_{ji} - \\alpha \\delta_j x_i", "holds");
    line("update w_{kj} := w_{kj} - \\alpha \\delta_k a_j", "holds");
    line("claim \\delta_j = f'(z_j) \\sum_n w_{nj} \\delta_n", "holds");
    line(
        "claim \\frac{\\partial C}{\\partial w_{ji}} = \\sum_n \\frac{\\partial C}{\\partial z_n} \\frac{\\partial "
        "z_n}{\\partial a_j} "
        "\\frac{\\partial a_j}{\\partial z_j} \\frac{\\partial z_j}{\\partial w_{ji}}",
        "holds");
    LineReport wrong = line("claim \\frac{\\partial z_n}{\\partial a_j} = \\sum_k w_{nk}", "ill-formed");
    BOOST_TEST(wrong.reason.find("w[j,i] and w[k,j]") != std::string::npos);
    line("claim \\frac{\\partial z_n}{\\partial a_j} = \\sum_m w_{nm}", "wrong");
    line("claim \\frac{\\partial a_j}{\\partial z_j} = f'(z_j)", "holds");
    BOOST_TEST(line("claim \\frac{\\partial z_j}{\\partial w_{ji}} = \\sum_i x_i", "wrong").repair == "x_{i}");
    wrong = line("claim dC/dw[j,i] = delta[j] * sum(n, w[n,j] * delta[n]) * sum(i, x[i])", "wrong");
    BOOST_TEST(wrong.repair == "delta[j] * x[i]");
    wrong = line("claim dC/dw[j,i] = delta[u] * sum(j, w[u,j] * f'(z[j])) * x[i]", "ill-formed");
    BOOST_TEST(wrong.repair == "sum(u, delta[u] * w[u,j] * f'(z[j]) * x[i])");
    wrong = line("claim delta[j] = delta[u] * sum(k, w[k,j] * f'(z[j]))", "ill-formed");
    BOOST_TEST(wrong.mistake == "factor-outside-sum");
    BOOST_TEST(wrong.repair == "sum(k, w[k,j] * f'(z[j]) * delta[k])");
    wrong = line("update w[j,i] := w[j,i] - alpha * delta[u] * sum(k, w[k,j] * f'(z[j]))", "ill-formed");
    BOOST_TEST(wrong.repair == "w[j,i] - alpha * sum(k, w[k,j] * f'(z[j]) * delta[k]) * x[i]");
    line("update w_{ji} = w_{ji} - \\alpha f'(z_j) \\sum_u \\delta_u w_{uj} x_i^T", "holds");
    line("update w_{ji} \\leftarrow w_{ji} - \\alpha (f'(z_j) \\odot w_{uj}^T \\delta_u) x_i^T", "holds");
}

BOOST_AUTO_TEST_CASE(conditions_are_named) {
    std::string real = network;
    real.replace(real.find(" onehot"), 7, "");
    expect(real + "claim dC/dz[k] = yhat[k] - y[k]\n", "conditional", "y sums to 1");
    expect(network + "claim da[j]/dz[j] = 1 - a[j]^2\n", "conditional", "f = tanh");
    expect(network + "claim da[j]/dz[j] = a[j] * (1 - a[j])\n", "conditional", "f = sigmoid");
    expect(network + "claim da[j]/dz[j] = [z[j] > 0]\n", "conditional", "f = relu");
    expect(network + "claim da[j]/dz[j] = 1\n", "wrong");
    expect(normalisation + "claim dxhat[s]/dx[s] = 1/sqrt(var + eps)\n", "conditional", "at fixed mu and var");
    expect(
        "index i, j : n = 3\ngiven A[i,j]\ngiven x[i]\nlet q = sum(i, j, x[i] * A[i,j] * x[j])\nclaim dq/dx[i] = 2 * "
        "sum(j, A[i,j] * x[j])\n",
        "conditional", "A is symmetric");
    expect("given x\nlet y = x^2\nclaim sqrt(y) = x\n", "conditional", "x is positive");
    // In brackets a letter is a letter, and an equation no end of the left side.
    const LineReport bracket =
        judged("index i, j = 3\ngiven a[i]\nlet b[i] = 2 * a[i]\nclaim [i == j] * a[i] = [i == j] * b[j]\n");
    Report report;
    report.lines = {bracket};
    BOOST_TEST(derivation::to_text(report).find("It would hold as    [i == j] * a[i]") != std::string::npos,
               derivation::to_text(report));
    // A transposition repairs it: symmetry is no excuse.
    expect(
        "index i, j : n = 3\ngiven A[i,j]\ngiven x[j]\nlet y[i] = sum(j, A[i,j] * x[j])\nclaim dy[i]/dx[j] = A[j,i]\n",
        "wrong");
}

BOOST_AUTO_TEST_CASE(a_condition_shows_both_sides_of_every_kink) {
    // With a t that sums to 1 no point would leave the hinge.
    expect(
        "index n : N = 5\ngiven x[n]\ngiven t[n]\ngiven w\nlet S = sum(n, max(0, 1 - t[n] * w * x[n]))\n"
        "claim dS/dw = -sum(n, t[n] * x[n])\n",
        "wrong");
    expect("given x\nlet y = abs(x)\nclaim dy/dx = 1\n", "conditional", "x is positive");
}

BOOST_AUTO_TEST_CASE(a_line_says_nothing_about_entries_that_do_not_exist) {
    const std::string file = "index t : time = 5\ngiven x[t]\ngiven w\nlet h[t] = tanh(w * h[t-1] + x[t])\n";
    expect(file + "claim dh[t]/dh[t-1] = w * (1 - h[t]^2)\n", "holds");
    expect(file + "claim h[t+1] = tanh(w * h[t] + x[t+1])\n", "holds");
    expect(file + "claim dh[t]/dh[t-1] = w\n", "wrong");
}

BOOST_AUTO_TEST_CASE(chain_rules_of_local_factors_hold) {
    const LineReport line = expect(
        normalisation + "claim dL/dx[s] = dL/dxhat[s] * dxhat[s]/dx[s] + dL/dvar * dvar/dx[s] + dL/dmu * dmu/dx[s]\n",
        "holds");
    BOOST_TEST(line.condition.find("at fixed mu and var") != std::string::npos);
    expect(normalisation + "claim dL/dx[s] = dL/dxhat[s] * dxhat[s]/dx[s] + dL/dvar * dvar/dx[s]\n", "wrong");
    expect(normalisation + "claim dvar/dmu = 0\n", "holds");
    expect(
        "index t : time = 5\ngiven x[t]\ngiven w\ngiven y[t]\nlet h[t] = tanh(w * h[t-1] + x[t])\nlet L = sum(t, (h[t] "
        "- y[t])^2)\n"
        "claim dL/dw = sum(t, dL/dh[t] * dh[t]/dw)\n",
        "holds");
}

BOOST_AUTO_TEST_CASE(one_mistake_is_explained_once) {
    const Report report = check_file(network + R"(
claim delta[k] = y[k] - yhat[k]
claim dC/dw[k,j] = (y[k] - yhat[k]) * a[j]
claim delta[k] = yhat[k] - y[k]
claim dC/dw[k,j] = (y[k] - yhat[k]) * a[j]
)");
    BOOST_TEST(verdict_of(report.lines[0]) == "wrong");
    BOOST_TEST(verdict_of(report.lines[1]) == "follows");
    BOOST_TEST(report.lines[1].because_of.value() == report.lines[0].line);
    BOOST_TEST(verdict_of(report.lines[2]) == "holds");
    BOOST_TEST(verdict_of(report.lines[3]) == "wrong");  // set right in between
    expect("given x\nlet s = x^2\nlet L = sin(s)\nclaim ds/dx = x\nclaim dL/dx = cos(s) * x\n", "follows");
    // A wrong line between them that says nothing of a derivative.
    expect("given x\nlet s = x^2\nlet L = sin(s)\nclaim ds/dx = x\nclaim x + x = 3 * x\nclaim dL/dx = cos(s) * x\n",
           "follows");
    // By another name.
    expect(network + "claim dC/dz[k] = 2 * (yhat[k] - y[k])\nclaim delta[k] = 2 * (yhat[k] - y[k])\n", "follows");
    // A right step says what the gradient is.
    const std::string descent = "given w\nlet E = w^3\nclaim dE/dw = 3 * w\n";
    expect(descent + "claim dE/dw = 3 * w\n", "follows");
    expect(descent + "update w := w - 0.1 * 3 * w^2\nclaim dE/dw = 3 * w\n", "wrong");
    // Not of nothing: with a left side that is taken for 0 everything would follow.
    expect(network + "claim delta[j] = 0 * z[j]\nclaim dC/dw[j,i] = 2 * delta[j] * x[i]\n", "wrong");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_decided_is_said) {
    expect("given x\nclaim x - x = 2 * x - 2 * x\n", "undecided");
    expect("given x\nclaim x - x = 0\n", "holds");
    expect("given x\nclaim log(-x^2) = 1\n", "undecided");
    expect("index s\ngiven x[s]\nclaim prod(s, x[s]) = exp(sum(s, log(x[s])))\n", "holds");
    expect("index s\ngiven x[s]\nclaim prod(s, x[s]) = exp(2 * sum(s, log(x[s])))\n", "wrong");
    expect("given x\nlet y = log(-x^2)\nclaim y = y\n", "undecided");
    expect("given x = 0\nlet y = relu(x)\nclaim dy/dx = 1\n", "undecided");
}

BOOST_AUTO_TEST_CASE(a_definition_that_always_stands_on_a_kink_costs_only_what_differentiates_it) {
    const auto judged_with = [](const std::string& h, const char* verdict) {
        verdicts_are("given x, y\ngiven t = 0\nlet h = " + h +
                         "\nlet g = abs(y)\nlet L = g^2 + x^3\nlet M = h + L\nlet d = dM/dx\n",
                     {{"dL/dx = 3*x^2", "holds"},
                      {"dL/dx = 3*x", "wrong"},
                      {"dg/dy = sign(y)", "holds"},
                      {"dg/dy = 1", "conditional"},
                      {"dg/dy = -1", "wrong"},
                      {"h = 0", "holds"},
                      {"M = L", "holds"},
                      {"dh/dx = 0", verdict},
                      {"dM/dx = 3*x^2", verdict},
                      {"d = 3*x^2", verdict},
                      {"dM/dL = 1", "undecided"}},
                     8);
    };
    judged_with("relu(t)", "undecided");
    judged_with("relu(x - x)", "holds");  // 0 for every x
}

BOOST_AUTO_TEST_CASE(letters_make_a_line_ill_formed) {
    const auto reason = [](const std::string& claim, const std::string& part) {
        const LineReport line = expect(network + claim + "\n", "ill-formed");
        BOOST_TEST(line.reason.find(part) != std::string::npos, line.reason);
        BOOST_TEST(line.caret_end > line.caret_begin);
    };
    reason("claim delta[j] = f'(z[j]) * delta[k]", "letter k is free here");
    reason("claim delta[j] = delta[k] * sum(k, w[k,j])", "letter k is summed in one place");
    reason("claim delta[j] = sum(q, w[q,j])", "q was never declared");
    reason("claim delta[j] = foo[j]", "foo was never declared");
    reason("claim delta[j] = w[j,k]", "there are w[j,i] and w[k,j]");
    reason("claim delta[j] = sum(k, sum(k, w[k,j]) * delta[k])", "bound here, inside a sum over k");
    reason("claim sum(k, delta[k]) = delta[n]", "letter n is free here");
    reason("claim dC/dalpha = 0", "constant");
    reason("claim z[k,j] = w[k,j]", "z has no array");
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read_say_where) {
    refuses_the_line("claim x = = 1\n", 1, "a formula should stand here");
    refuses("given x\nlet y = x + q\n", 2, 13, "q was never declared");
    refuses_the_line("given x\nclaim x = (x\n", 2, "closing )");
    refuses("hello\n", 1, 1, "a statement begins with");
    refuses("# Notes\n\nNo block yet.\n", 3, 1, "in Markdown, statements stand in blocks fenced as ```deriv");
    refuses("given x\ngiven x\n", 2, 7, "declared already");
    refuses("index k = 3\ngiven k\n", 2, 7, "is a letter");
    refuses("given sum\n", 1, 7, "no name");
    refuses("given y onehot\n", 1, 9, "needs a letter");
    refuses("index i : n = 2\ngiven x[i] = [1, 2, 3]\n", 2, 14, "shape");
    refuses("index i = 0\n", 1, 11, "size of a range");
    refuses_the_line("given x\nclaim x ? 1\n", 2, "no meaning");
    refuses_the_line("given x\nclaim x\n", 2, "something = something");
    refuses("given x\nlet y = y + x\n", 2, 9, "never declared");
    refuses("index t : n = 3\ngiven x[t]\nlet h[t] = h[t] + x[t]\nclaim h[t] = x[t]\n", 3, 5, "depends on itself");
    refuses(std::string("given \xff\n"), 1, 7, "UTF-8");
    refuses_the_line("claim x = " + std::string(500, '(') + "\n", 1, "nested");
}

BOOST_AUTO_TEST_CASE(a_number_says_which_of_two_arrays_is_meant_where_one_has_no_such_entry) {
    const std::string file =
        "index i : input = 3\nindex k : output = 4\ngiven w[i]\ngiven w[k]\nlet L = sum(i, w[i]^2) + 3 * w[3]\n";
    expect(file + "claim dL/dw[k] = 3 * [k = 3]\n", "holds");
    expect(file + "claim dL/dw[3] = 3\n", "holds");
}

BOOST_AUTO_TEST_CASE(a_number_is_not_one_hot) {
    const std::string file = "given y, w\nlet p = sigmoid(w)\nlet L = -y * log(p) - (1 - y) * log(1 - p)\n";
    BOOST_TEST(expect(file + "claim dL/dw = p - y^2\n", "wrong").repair == "p - y");
}

BOOST_AUTO_TEST_CASE(who_means_relu_writes_an_inequality) {
    const std::string file = "index j, k = 3\nfunction f\ngiven z[j]\nlet a[j] = f(z[j])\n";
    BOOST_TEST(expect(file + "claim da[j]/dz[k] = [j = k] * [z[j] > 0]\n", "conditional").condition == "f = relu");
    expect(file + "claim [j = k] * f(z[j]) * f(-z[j]) = 0\n", "wrong");
}

BOOST_AUTO_TEST_CASE(a_regulariser_of_arrays_is_named_with_its_factor) {
    const std::string file =
        "index i = 3\nindex k = 2\nconstant lambda\ngiven x[i], t[k], W[k,i]\nlet p[k] = sum(i, W[k,i] * x[i])\n"
        "let E = sum(k, (p[k] - t[k])^2) / 2\nlet L = E + lambda * sum(k, sum(i, W[k,i]^2))\n"
        "let M = E + lambda / 2 * sum(k, sum(i, W[k,i]^2))\n";
    BOOST_TEST(expect(file + "claim dL/dW = (p - t) x^T\n", "wrong").repair == "(p - t) x^T + 2 * lambda * W");
    BOOST_TEST(expect(file + "claim dM/dW = (p - t) x^T\n", "wrong").repair == "(p - t) x^T + lambda * W");
}

BOOST_AUTO_TEST_CASE(arrays_of_what_a_sum_runs_over) {
    const std::string file =
        "index s = 4\nindex k = 3\nindex i = 2\ngiven d[s,k], x[s,i], W[k,i]\n"
        "let L = sum(s, sum(k, d[s,k] * sum(i, W[k,i] * x[s,i])))\n";
    expect(file + "claim dL/dW = sum(s, outer(d[s,k], x[s,i]))\n", "holds");
    expect(file + "claim dL/dW = sum(s, d[s,k] x[s,i]^T)\n", "holds");
    expect(file + "claim dL/dW = sum(s, d[s,k] x[1,i]^T)\n", "wrong");
}

BOOST_AUTO_TEST_CASE(the_repair_of_a_number_keeps_its_sign) {
    const derivation::Report report = check_file("given x\nat x = 3\nclaim 2 * x ~ 7.0\nclaim 2 * x ≈ 7.0\n");
    const std::string text = derivation::to_text(report), page = derivation::to_html({report});
    BOOST_TEST(text.find("It would hold as    2 * x ~ 6.0") != std::string::npos, text);
    BOOST_TEST(text.find("It would hold as    2 * x ≈ 6.0") != std::string::npos, text);
    BOOST_TEST(page.find("<code>2 * x ~ 6.0</code>") != std::string::npos, page);
    BOOST_TEST(page.find("<code>6.0</code>") == std::string::npos, page);
    BOOST_TEST(page.find("<math") == std::string::npos, page);  // that of the left side alone said nothing
}

BOOST_AUTO_TEST_CASE(no_repair_leaves_an_array_for_good) {
    // t[s-2] is 0 where s has two values, and the number 0 in the last line keeps these.
    const derivation::Report report = check_file(
        "index s = 2\ngiven v, w, t[s]\nat v = 1, w = 2, t = [0.5, 1]\nlet u[s] = v * sin(w * t[s])\n"
        "let U = sum(s, u[s])\nlet V[s] = dU/dt[s]\nlet P = sum(s, V[s])\nlet A[s] = dP/dt[s]\n"
        "claim du[s]/dt[s] = v * w * cos(t[s])\nclaim A[0] ~ -3.37\n");
    BOOST_TEST(report.lines[0].repair == "v * w * cos(w * t[s])");
    BOOST_TEST(verdict_of(report.lines[1]) == "holds");
}

BOOST_AUTO_TEST_CASE(one_letter_too_many_in_a_sum_over_several) {
    const std::string file = "index s = 4\nindex k = 3\ngiven x[s,k], c[k]\nlet L = sum(s, k, (x[s,k] + c[k])^2)\n";
    for (const std::string sum : {"sum(s, k, dL/dx[s,k])", "sum(k, s, dL/dx[s,k])"}) {
        const derivation::LineReport line = expect(file + "claim dL/dc[k] = " + sum + "\n", "wrong");
        BOOST_TEST(line.mistake == "extra-sum");
        BOOST_TEST(line.reason.starts_with("A sum over k that should not be there"), line.reason);
        BOOST_TEST(line.repair == "sum(s, dL/dx[s,k])");
    }
}

BOOST_AUTO_TEST_CASE(the_reason_for_a_factor_is_the_quantitys_own) {
    const std::string file =
        "index s = 6\nconstant N = 6\ngiven x[s], y[s], w, b\nlet p[s] = w * x[s] + b\n"
        "let A = sum(s, (p[s] - y[s])^2) / N\nlet B = N * sum(s, (p[s] - y[s])^2)\nlet C = sum(s, (p[s] - y[s])^2)\n";
    const auto reason = [&](const std::string& claim) {
        return expect(file + "claim " + claim + "\n", "wrong").reason;
    };
    BOOST_TEST(reason("dA/dw = sum(s, 2 * (p[s] - y[s]) * x[s])") ==
               "The 1/N of the mean is missing: the error grows with the number of terms.");
    BOOST_TEST(reason("dB/dw = sum(s, 2 * (p[s] - y[s]) * x[s])") ==
               "The factor N is missing: every term of the sum adds the same.");
    BOOST_TEST(reason("dC/dw = sum(s, 2 * (p[s] - y[s]) * x[s]) / N") ==
               "A 1/N that should not be there: the loss is a sum, not a mean.");
    BOOST_TEST(reason("dC/dw = mean(s, dC/dp[s] * x[s])") ==
               "A 1/N that should not be there: the loss is a sum, not a mean.");
    BOOST_TEST(reason("dA/dw = mean(s, dA/dp[s] * x[s])") ==
               "The 1/N stands here twice: what is summed holds it already.");
    const std::string bias = file + "given u[s], v\nlet D = sum(s, u[s] * p[s])\n";
    BOOST_TEST(expect(bias + "claim dD/db = sum(s, u[s] * x[s])\n", "wrong").reason ==
               "The input of a bias is 1: the factor x[s] should not be there.");
    BOOST_TEST(expect(bias + "claim dD/dw = sum(s, u[s] * x[s] * v)\n", "wrong").reason ==
               "The factor v should not be there.");
}

BOOST_AUTO_TEST_CASE(a_letter_says_more_of_an_array_than_a_shifted_one) {
    expect(
        "index i : input = 5\nindex p : output = 3\ngiven x[i]\ngiven x[p]\n"
        "let L = sum(p, [p > 0] * x[p-1]^2)\nclaim dL/dx[i] = 0\n",
        "holds");
}

BOOST_AUTO_TEST_CASE(a_reason_names_no_way_that_there_is_not) {
    const LineReport line = expect(
        "index j : m = 2\ngiven z[j]\ngiven t[j]\nlet L = sum(j, z[j]*t[j])\nclaim dL/dz[j] = sum(j, t[j])\n", "wrong");
    BOOST_TEST(line.reason == "A sum over j that should not be there: t[j] alone belongs here.");
}

BOOST_AUTO_TEST_CASE(what_holds_nowhere_is_no_repair) {
    // No point can be shown, at which anything would do.
    const auto line = expect("given x\nlet y = log(-x^2 - 1)\nclaim dy/dx = 2*x[i] / (x^2 + 1)\n", "ill-formed");
    BOOST_TEST(line.repair == "");
}

BOOST_AUTO_TEST_CASE(numbers_are_judged_to_their_last_digit) {
    const std::string file =
        "given w\ngiven x\nlet L = (w * x - 1)^2\nupdate w := w - 0.1 * dL/dw\nat w = 0.5\nat x = 3\n";
    expect(file + "claim L ~ 0.25\n", "holds");
    expect(file + "claim L ~ 0.3\n", "holds");
    expect(file + "claim L ~ (0.25)\n", "holds");
    expect(file + "claim L ~ (0.26)\n", "wrong");
    expect(file + "claim L ~ [0.25, 0.25]\n", "ill-formed");
    expect("given x = (3)\nclaim x^2 = 9\n", "holds");
    expect(file + "claim L ~ 0.26\n", "wrong");
    expect(file + "claim dL/dw = 2 * (w*x - 1) * x ~ 3.0\n", "holds");
    expect(file + "claim dL/dw = 3 * (w*x - 1) * x ~ 3.0\n", "wrong");
    expect(file + "claim after 1 step w ~ 0.2\n", "holds");
    expect(file + "claim after 2 steps w ~ 0.44\n", "holds");
    expect(file + "claim after 2 steps L ~ 1.02e-1\n", "holds");
    expect(file + "claim after 2 steps L ~ 1.03e-1\n", "wrong");
    expect(file + "claim 1234 * x / x ~ 1200\n", "wrong");
    BOOST_TEST(expect("given w\ngiven x\nat w = 1\nclaim w * x ~ 3\n", "ill-formed").reason.find("x has no number") !=
               std::string::npos);
    expect("index i : n = 2\ngiven x[i] = [1, 2]\nclaim 2 * x[i] ~ [2.0, 4.0]\n", "holds");
    expect("index i : n = 2\ngiven x[i] = [1, 2]\nclaim 2 * x[i] ~ [2.0, 4.1]\n", "wrong");
}

BOOST_AUTO_TEST_CASE(arrays_as_wholes) {
    const std::string file = R"(
index i : input = 3
index j, m : hidden = 4
index s : batch = 5
function f
given W[j,i]
given b[j]
given x[i]
given t[j]
given X[s,i]
given A[j,m]
let z = W x + b
let a = f(z)
let L = 1/2 ||a - t||^2
let Z = X @ W^T + b
let M = sum(f(Z))
)";
    for (const char* claim :
         {"claim dL/dW = ((a - t) ⊙ f'(z)) x^T", "claim dL/dW = outer((a - t) ⊙ f'(z), x)",
          "claim dL/db = (a - t) * f'(z)", "claim dL/dx = W^T ((a - t) ⊙ f'(z))", "claim dL/dx = ((a - t) * f'(z)) @ W",
          "claim da/dz = diag(f'(z))", "claim dz/dx = W", "claim da/dx = diag(f'(z)) W", "claim dM/dW = f'(Z)^T X",
          "claim dM/dX = f'(Z) W", "claim dM/db = f'(Z)^T 1_s", "claim x^T x = ||x||^2", "claim (W x)^T = x^T W^T",
          "claim dL/da = a - t", "claim d(x^T x)/dx = 2 x", "claim dL/dW_{ji} = ((a - t) \\odot f'(z)) x^\\top",
          "claim f'(z) \\odot W x = W x \\odot f'(z)"})
        expect(file + claim + "\n", "holds");
    for (const char* claim :
         {"claim dL/dx = ((a - t) ⊙ f'(z)) W", "claim dL/dx = W ((a - t) ⊙ f'(z))",
          "claim dL/dW = x ((a - t) ⊙ f'(z))^T", "claim x + z = z", "claim x x = z", "claim dL/db = W"})
        expect(file + claim + "\n", "ill-formed");
    BOOST_TEST(expect(file + "claim dL/dx = W ((a - t) ⊙ f'(z))\n", "ill-formed").repair == "W^T ((a - t) ⊙ f'(z))");
    BOOST_TEST(expect(file + "claim dL/db = a - t\n", "wrong").repair.find("f'(z)") != std::string::npos);
    // A Hessian with letters; that of a quadratic form as a whole.
    expect(file + "let q = b^T A b\nclaim dq/db = A b + A^T b\n", "holds");
    expect(file + "let q = b^T A b\nclaim dq/db = 2 A b\n", "conditional", "A is symmetric");
    // A shape is ranges, not sizes.
    expect("index i : one = 4\nindex j : two = 4\ngiven u[i]\ngiven v[j]\nclaim u = v\n", "ill-formed");
}

BOOST_AUTO_TEST_CASE(index_arithmetic_second_derivatives_and_brackets) {
    const std::string file =
        "index t, r : time = 6\nindex s : kernel = 3\ngiven x[t]\ngiven w[s]\ngiven y[t]\nlet c[t] = sum(s, w[s] * "
        "x[t+s])\nlet L = sum(t, (c[t] - y[t])^2)\n";
    expect(file + "claim dL/dw[s] = sum(t, dL/dc[t] * x[t+s])\n", "holds");
    expect(file + "claim dL/dx[t] = sum(s, dL/dc[t-s] * w[s])\n", "holds");
    expect(file + "claim dL/dx[t] = sum(s, dL/dc[t+s] * w[s])\n", "wrong");
    expect(file + "claim dc[t]/dc[r] = [t == r]\n", "holds");
    expect("index i from 1\ngiven x[i]\nlet y = x[1]\nclaim dy/dx[i] = [i == 1]\n", "holds");
    const std::string softmax =
        "index k, n, m : c = 4\ngiven z[k]\nlet p[k] = softmax(z[k])\nlet l = log(sum(k, exp(z[k])))\n";
    expect(softmax + "claim dp[k]/dz[n] = p[k] * (\\delta_{kn} - p[n])\n", "holds");
    expect(softmax + "claim d2l/(dz[k] dz[n]) = p[k] * ([k == n] - p[n])\n", "holds");
    expect(softmax + "claim d2l/dz[k]^2 = p[k] * (1 - p[k])\n", "holds");
    expect(softmax + "claim dp[k]/dz[k] = p[k] * (1 - p[k])\n", "holds");
    expect(softmax + "claim sum(k, p[k]) = 1\n", "holds");
    expect(softmax + "claim sum(k, dp[k]/dz[n]) = 0\n", "holds");
    expect("function f\ngiven x\nlet y = f(x)\nclaim d2y/dx^2 = f''(x)\n", "holds");
    expect("function f\ngiven x\nlet y = f(x)\nclaim dy/dx = f''(x)\n", "wrong");
    expect("function f = tanh\ngiven x\nlet y = f(x)\nclaim dy/dx = 1 - y^2\n", "holds");
}

BOOST_AUTO_TEST_CASE(arrays_may_use_each_other) {
    const std::string recurrent =
        "index t : time = 4\nindex j, k : state = 3\ngiven W[j,k]\ngiven x[t,j]\n"
        "let a[t,j] = sum(k, W[j,k] * h[t-1,k]) + x[t,j]\nlet h[t,j] = tanh(a[t,j])\nlet L = sum(t, j, h[t,j]^2)\n";
    expect(recurrent + "claim dL/da[t,j] = (1 - h[t,j]^2) * (2*h[t,j] + sum(k, W[k,j] * dL/da[t+1,k]))\n", "holds");
    expect(recurrent + "claim dL/da[t,j] = (1 - h[t,j]^2) * (2*h[t,j] + sum(k, W[j,k] * dL/da[t+1,k]))\n", "wrong");
    expect(recurrent + "claim dL/dW[j,k] = sum(t, dL/da[t,j] * h[t-1,k])\n", "holds");
    refuses("index t\nlet a[t] = b[t]\nlet b[t] = a[t]\n", 3, 5, "depends on itself");
    refuses("index t\nlet a[t] = b[t] + u\nlet b[t] = 1\ngiven u\n", 2, 19, "declared only below, in line 4");
    refuses("let a = b\nlet b = 1\n", 1, 9, "declared only below, in line 2");
}

BOOST_AUTO_TEST_CASE(the_flat_side_of_relu_is_no_kink) {
    const std::string file = "index i\ngiven z[i]\nlet h[i] = relu(z[i])\n";
    expect(file + "claim dh[i]/dz[i] = [h[i] > 0]\n", "holds");
    expect(file + "claim dh[i]/dz[i] = relu'(h[i])\n", "holds");
    expect(file + "claim dh[i]/dz[i] = [h[i] >= 0]\n", "conditional", "z is positive");
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_no_text) {
    expect("\xEF\xBB\xBFgiven x\r\nlet\ty = x^2\r\nclaim\tdy/dx = 2 * x\r\n", "holds");
    const derivation::Report report = derivation::check("\xEF\xBB\xBFgivn x\n");
    BOOST_REQUIRE(report.error.has_value());
    BOOST_TEST(report.error->column == 1u);
    BOOST_TEST(derivation::to_text(report).find("\xEF\xBB\xBF") == std::string::npos);
    expect("\xEF\xBB\xBF```deriv\ngiven x\nlet y = x^2\nclaim dy/dx = 2 * x\n```\n", "holds");
}

BOOST_AUTO_TEST_CASE(a_scalar_that_looks_indexed_is_noted_once) {
    const Report report = check_file("given x_i\nlet y = x_i^2\nclaim dy/dx_i = 2 x_i\nclaim y = x_i^2\n");
    BOOST_REQUIRE(report.lines.size() == 2u);
    BOOST_REQUIRE(report.lines[0].notes.size() == 1u);
    BOOST_TEST(report.lines[0].notes[0].find("`index i`") != std::string::npos);
    BOOST_TEST(report.lines[1].notes.empty());
    BOOST_TEST(judged("index i\ngiven x_i\nlet y_i = x_i^2\nclaim dy_i/dx_i = 2 x_i\n").notes.empty());
}

BOOST_AUTO_TEST_CASE(the_report_is_80_columns_wide) {
    const std::string file =
        "index k, n : class = 4\ngiven z[k]\ngiven w\nlet p = softmax(z)\nlet L = 1/2 w^2\nclaim dp/dz = diag(p)\n"
        "claim \\frac{\\partial p_k}{\\partial z_n} = p_k (1 - p_n) + \\frac{1}{2} (p_k - p_n) (1 - p_n) - w^2 + w^3\n"
        "update w := w + 0.1 w\n";
    derivation::Options options;
    options.file = "a/file/with/a/name/that/is/long.deriv";
    const std::string text = derivation::to_text(derivation::check(file, options));
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
        BOOST_TEST(text.find('\n', begin) - begin <= 80u, text.substr(begin, text.find('\n', begin) - begin));
    BOOST_TEST(text.find("w := w - 0.1 * w") != std::string::npos, text);
    BOOST_TEST(text.find("At k=") != std::string::npos, text);
    BOOST_TEST(text.find(" _") == std::string::npos, text);

    const Report wide = derivation::check("given x\nlet y = " + std::string(500, ' ') + "(x + \x1b u)\n");
    const std::string refusal = derivation::to_text(wide);
    BOOST_TEST(refusal.find('\x1b') == std::string::npos);
    for (std::size_t begin = 0; begin < refusal.size(); begin = refusal.find('\n', begin) + 1)
        BOOST_TEST(refusal.find('\n', begin) - begin <= 80u, refusal);
}

BOOST_AUTO_TEST_CASE(two_zeros_say_what_can_be_claimed) {
    const std::string file = "index s\ngiven x[s]\nlet mu = mean(s, x[s])\nlet var = mean(s, (x[s] - mu)^2)\n";
    const LineReport line = expect(file + "claim dvar/dmu = -2 * mean(s, x[s] - mu)\n", "undecided");
    BOOST_TEST(line.reason.find("claimed is that it is 0") != std::string::npos);
    expect(file + "claim dvar/dmu = 0\n", "holds");
}

BOOST_AUTO_TEST_CASE(a_one_before_a_brace_with_a_condition_is_an_indicator) {
    const std::string file = "index i\ngiven z_i\nlet h_i = \\max(0, z_i)\n";
    for (const char* indicator :
         {"1\\{z_i > 0\\}", "\\mathbf{1}\\{z_i > 0\\}", "\\mathbb{1}\\left\\{z_i > 0\\right\\}"})
        expect(file + "claim \\frac{\\partial h_i}{\\partial z_i} = " + indicator + "\n", "holds");
    expect("given a\ngiven b\nlet y = 1\\{a + b\\}\nclaim dy/da = 1\n", "holds");
}

BOOST_AUTO_TEST_CASE(markdown_keeps_its_prose) {
    const Report report = check_file(
        "# Notes\n\nA square.\n\n```deriv\ngiven x\nlet y = x^2\nclaim dy/dx = 2 * x\n```\n\nAnd a "
        "mistake.\n\n```deriv\nclaim dy/dx = x\n```\n");
    BOOST_REQUIRE(report.lines.size() == 2u);
    BOOST_TEST(report.lines[0].line == 8u);
    BOOST_TEST(verdict_of(report.lines[1]) == "wrong");
    BOOST_TEST(report.prose.size() == 2u);
    BOOST_TEST(derivation::to_text(report).find("And a mistake.") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(markdown_on_the_page_is_html) {
    const auto page_of = [](const std::string& prose) {
        const std::string page = derivation::to_html({check_file(prose + "\n\n```deriv\ngiven x\n```\n")});
        const std::string before = "<p></p>\n";  // no line, and so no count of verdicts
        const std::size_t begin = page.find(before) + before.size();
        const std::string behind = "<ul class=\"declared\">\n<li><code>given x</code></li>\n</ul>\n";
        return page.substr(begin, page.find(behind) - begin);
    };
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"# A *short* title\nText of\ntwo lines.\n\nMore.",
         "<h2>A <em>short</em> title</h2>\n<p>Text of\ntwo lines.</p>\n<p>More.</p>\n"},
        {"- one\n- two,\n  longer\n\n2. first\n3) second",
         "<ul>\n<li>one</li>\n<li>two,\nlonger</li>\n</ul>\n<ol>\n<li>first</li>\n<li>second</li>\n</ol>\n"},
        {"**bold _both_** and `a*b*c`, [a page](https://example.org/?a=1&b), \\*none\\*",
         "<p><strong>bold <em>both</em></strong> and <code>a*b*c</code>, <a href=\"https://example.org/?a=1&amp;b\">a "
         "page</a>, "
         "*none*</p>\n"},
        // What is mathematics, or no Markdown, stands as it is.
        {"2 * 3 * 4, w_ij x_ij, $a_1 *b* c_1$, **open, a ` tick, <b>&",
         "<p>2 * 3 * 4, w_ij x_ij, $a_1 *b* c_1$, **open, a ` tick, &lt;b&gt;&amp;</p>\n"},
        {"[a step](lesson.html#step=12&predict) [there](#x) [two](//e.org/x) [data](data:text/html,x) "
         "[x](java&#58;script)",
         "<p><a href=\"lesson.html#step=12&amp;predict\">a step</a> <a href=\"#x\">there</a> [two](//e.org/x) "
         "[data](data:text/html,x) <a href=\"java&amp;#58;script\">x</a></p>\n"},
        {"[script](javascript:alert(1)) [quote](https://e.org/\"x)",
         "<p>[script](javascript:alert(1)) <a href=\"https://e.org/&quot;x\">quote</a></p>\n"},
        {"| a | b |\n|---|:-:|\n| 1 | `2` |\n---\n> said\n> so",
         "<table>\n<tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td><code>2</code></td></tr>\n</table>\n<hr>\n"
         "<blockquote>said\n so</blockquote>\n"},
        {"```python\nx = '# < *'\n```", "<pre><code>x = '# &lt; *'\n</code></pre>\n"},
    };
    for (const auto& [prose, html] : cases) BOOST_TEST(page_of(prose) == html);
}

BOOST_AUTO_TEST_CASE(what_is_flat_at_its_kink_has_a_value_there) {
    // max(0, 0) is 0, and where z is negative it stands there at every point: no line holds because of that.
    const std::string file =
        "index k = 3\ngiven x[k]\nlet z[k] = x[k]^3 - 1\nlet a[k] = tanh(z[k])\nlet h[k] = max(0, z[k])\n";
    for (const std::string factor : {"max(0, [z[k] > 0])", "max([z[k] > 0], 0)", "relu([z[k] > 0])", "[h[k] > 0]",
                                     "sign(h[k])", "relu'(h[k])", "max(m, [m != k] * [z[k] > 0])"}) {
        expect(file + "index m : n = 1\nclaim da[k]/dz[k] = da[k]/dz[k] * " + factor + "\n", "wrong");
        BOOST_TEST(expect(file + "index m : n = 1\nclaim a[k] = a[k] * " + factor + "\n", "wrong").reason ==
                   "The factor " + factor + " should not be there.");
    }
    for (const std::string right : {"max(h[k], 0) = h[k]", "h[k] = abs(h[k])", "a[k] = a[k] * [h[k] >= 0]",
                                    "relu(z[k]) + relu(-z[k]) = abs(z[k])", "dh[k]/dx[k] = 3 * x[k]^2 * [h[k] > 0]"})
        expect(file + "claim " + right + "\n", "holds");
    // A bracket of a repair that shows one side only is no repair: L is at least 1.
    const auto one_sided = expect(
        "index k, l : m = 3\ngiven y[k], p[k]\ngiven x\nlet L = sum(k, exp(p[k])) + 3\nclaim y[k] * 2 = y[k] * 2 * "
        "[x > p[k]]\n",
        "wrong");
    BOOST_TEST(one_sided.repair.find("[L > p[k]]") == std::string::npos, one_sided.repair);
}

BOOST_AUTO_TEST_CASE(the_page_marks_the_factor_and_stands_alone) {
    const std::string page =
        derivation::to_html({check_file("index i = 3\ngiven x[i], y\nlet L = sum(i, x[i]^2)\nclaim dL/dx[i] = 2 * x[i] "
                                        "* y\nclaim dL/dx[i] = 2 x[i]\n")});
    const auto has = [&](const std::string& part) { BOOST_TEST(page.find(part) != page.npos, part << "\n" << page); };
    has("<li><code>given x[i], y</code></li>\n<li><code>let L = sum(i, x[i]^2)</code><math displaystyle=\"true\">"
        "<mrow><mi>L</mi><mo>=</mo>");
    has("<mo>&#x2062;</mo><mrow class=\"departs\"><mi>y</mi></mrow></mrow></math>");
    has("<code>dL/dx[i] = 2 * x[i] * <mark>y</mark></code>");
    has("<tr><th>i</th><th>the tape</th><th>this line</th></tr>");
    has("<code>dL/dx[i] = 2 x[i]</code>");  // it holds: nothing is marked
    // A name is no mark, and what stands between two lines comes once, between them.
    const std::string other = derivation::to_html(
        {check_file("given departs\nlet u = departs^2\nclaim du/ddeparts = departs\ngiven later\nclaim u = u\n")});
    BOOST_TEST(other.find("<mrow class=\"departs\">") != other.npos, other);
    const std::size_t later = other.find("given later");
    BOOST_TEST((other.find("line 3") < later && later < other.find("line 5")));
    BOOST_TEST(other.find("given later", later + 1) == other.npos);
}

BOOST_AUTO_TEST_CASE(a_number_beyond_a_double_is_no_value) {
    const std::string file = "given x\nat x = 2\nlet E = x^2\n";
    for (const std::string number : {"1e400", "-1e400", "1e308"})
        BOOST_TEST(expect(file + "claim E ~ " + number + "\n", "wrong").repair.starts_with("4"), number);
    expect(file + "claim E ~ 4\n", "holds");
    // Of a chain, too, a printed number is mended as one.
    const auto chain = check_file(file + "claim dE/dx = 2 * x ~ 6\n");
    BOOST_TEST(derivation::to_text(chain).find("dE/dx ~ 4") != std::string::npos, derivation::to_text(chain));
}

BOOST_AUTO_TEST_CASE(json_has_every_key) {
    const std::string json = derivation::to_json({check_file(network + "claim (A) dz[n]/da[j] = sum(m, w[n,m])\n")});
    for (const char* key :
         {"file",      "counts",     "holds",    "conditional", "wrong",          "follows",      "ill-formed",
          "undecided", "lines",      "line",     "kind",        "label",          "text",         "verdict",
          "member",    "index",      "expected", "got",         "reason",         "mistake",      "repair",
          "condition", "because_of", "notes",    "caret",       "members_mathml", "repair_mathml"})
        BOOST_TEST(json.find("\"" + std::string(key) + "\"") != std::string::npos, key);
    BOOST_TEST(derivation::to_json({check_file("given x\n"), check_file("given x\n")}).starts_with("["));
    // The part at fault is counted in bytes: an α has two.
    const std::string marked = derivation::to_json({check_file("given α, y\nlet L = α^2\nclaim dL/dα = 2 α * y\n")});
    BOOST_TEST(marked.find("\"caret\": [16, 17]") != std::string::npos, marked);
    BOOST_TEST(marked.find("<mrow class=\\\"departs\\\"><mi>y</mi></mrow>") != std::string::npos, marked);
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_report) {
    const std::string file = network + "claim dz[n]/da[j] = sum(m, w[n,m])\n";
    BOOST_TEST(derivation::to_json({derivation::check(file)}) == derivation::to_json({derivation::check(file)}));
    derivation::Options options;
    options.seed = 2;
    BOOST_TEST(derivation::to_json({derivation::check(file)}) !=
               derivation::to_json({derivation::check(file, options)}));
}

BOOST_AUTO_TEST_CASE(an_edit_puts_nothing_where_a_condition_stands) {
    // The edits of this line replace every part of it, also the condition of the sum.
    const LineReport line = expect(
        "index a, b = 4\ngiven s[a]\nlet l = sum(a, sum(b != a, exp(s[a] - s[b])))\nclaim dl/ds[a] = sum(b != a, "
        "s[b])\n",
        "wrong");
    BOOST_TEST(!line.reason.empty());
}

// Arrays that stand side by side are a product of matrices.
BOOST_AUTO_TEST_CASE(a_product_of_elements_is_shown_as_one) {
    const std::string file =
        "index i : input = 3\nindex j : hidden = 4\nfunction f\ngiven r\ngiven a[j]\ngiven t[j]\ngiven W[j,i]\n"
        "given x[i]\nlet z = W x\nlet L = 1/2 ||f(z) - t||^2\n";
    const LineReport line = expect(file + "claim r * a * t * 2 = 2 * r * t * a\n", "holds");
    BOOST_TEST(line.members_latex == (std::vector<std::string>{"r \\, a \\odot t \\, 2", "2 \\, r \\, t \\odot a"}),
               boost::test_tools::per_element());
    BOOST_TEST(line.members_mathml[1].find("<mi>t</mi><mo>⊙</mo><mi>a</mi>") != std::string::npos,
               line.members_mathml[1]);
    BOOST_TEST(derivation::to_html({check_file(file + "claim a * t = t * a\n")}).find("<mo>⊙</mo>") !=
               std::string::npos);
    // Of numbers with letters a product is one; what is ill-formed is shown as any other line; a repair too.
    BOOST_TEST(expect(file + "claim a[j] * t[j] = t[j] * a[j]\n", "holds").members_latex[0] == "a_{j} \\, t_{j}");
    BOOST_TEST(expect(file + "claim a * t = x * x\n", "ill-formed").members_latex[1] == "x \\odot x");
    const LineReport wrong = expect(file + "claim dL/dz = (t - f(z)) * f'(z)\n", "wrong");
    BOOST_TEST(wrong.repair == "-(t - f(z)) * f'(z)");
    BOOST_TEST(wrong.repair_latex.find("\\odot") != std::string::npos, wrong.repair_latex);
    BOOST_TEST(wrong.repair_mathml.find("<mo>⊙</mo>") != std::string::npos, wrong.repair_mathml);
}

BOOST_AUTO_TEST_CASE(one_line_that_cannot_be_read_costs_one_line) {
    const Report report = check_file(
        "given x\ngiven w\nlet y = w * x\nlet E = 1/2 * y^2\nclaim dE/dy = y\nclaim \\nabla E = y\nclaim dE/dw = y * "
        "x\nupdate w := \n");
    BOOST_REQUIRE(report.lines.size() == 4u);
    BOOST_TEST(verdict_of(report.lines[0]) == "holds");
    BOOST_TEST(verdict_of(report.lines[1]) == "ill-formed");
    BOOST_TEST(report.lines[1].mistake == "unreadable");
    BOOST_TEST(report.lines[1].reason.find("\\nabla_W C") != std::string::npos, report.lines[1].reason);
    BOOST_TEST(verdict_of(report.lines[2]) == "holds");
    BOOST_TEST(verdict_of(report.lines[3]) == "ill-formed");
    BOOST_TEST(report.exit_code() == 1);
    BOOST_TEST(derivation::rewritten("given x\nclaim x = (\n", derivation::Notation::text) == "given x\nclaim x = (\n");
    refuses_the_line("given x\nlet y = x^2\nclaim y = (x).astype(int)^2\n", 3, "type int could change a number");
    refuses_the_line("given x\nlet y = x^2\nclaim y = (x).astype(float, 3)^2\n", 3, "type should end here");
    // A declaration that cannot be read is an error of the file: what is below depends on it.
    BOOST_TEST(derivation::check("given x\nlet y = (x\nclaim x = x\n").exit_code() == 2);
}

BOOST_AUTO_TEST_CASE(a_repair_is_more_than_0_where_the_left_side_is) {
    // (x - 1)^989 is 0 for x in (0, 2), as x^989 nearly is, and infinite at most other points.
    const LineReport line = judged("given x\nlet y = x^990\nclaim dy/dx = 989 * x^989\n");
    BOOST_TEST(verdict_of(line) == "wrong");
    BOOST_TEST(line.repair.find("x - 1") == std::string::npos, line.repair);
}

namespace {

void expect_at_seeds(const std::string& file, const std::vector<std::string>& verdicts) {
#ifdef __SANITIZE_ADDRESS__  // which takes ten times as long
    constexpr std::uint64_t most = 3;
#else
    constexpr std::uint64_t most = 12;
#endif
    for (std::uint64_t seed = 1; seed <= most; ++seed) {
        const Report report = derivation::check(file, {"-", seed});
        BOOST_TEST_CONTEXT("seed " << seed) {
            BOOST_REQUIRE(report.lines.size() == verdicts.size());
            for (std::size_t i = 0; i < verdicts.size(); ++i)
                BOOST_TEST(verdict_of(report.lines[i]) == verdicts[i], report.lines[i].text
                                                                           << ": " << verdict_of(report.lines[i]) << " "
                                                                           << report.lines[i].reason);
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(both_sides_of_every_kink_and_bracket_are_shown_at_every_seed) {
    expect_at_seeds(R"(
index i = 4
index n = 3
given x[n,i], w[i], y[n], b
given t
given f
constant C
let m[n] = 1 - y[n] * (sum(i, w[i] * x[n,i]) + b)
let L = 1/2 * sum(i, w[i]^2) + C * sum(n, max(0, m[n]))
let H = max(0, 1 - t * f)
let V = max(0, abs(f - t) - 0.1)
claim dL/db = -C * sum(n, y[n])
claim dL/db = -C * sum(n, [m[n] > 0] * y[n])
claim dH/df = -t
claim dH/df = -t * [1 - t * f > 0]
claim dV/df = [f > t] - [f < t]
claim [t * f > 0] = 0
)",
                    {"wrong", "holds", "wrong", "holds", "wrong", "wrong"});
    // Far out, and in claims alone.
    expect_at_seeds(
        "given u\ngiven v positive\nclaim d(max(0, u))/du = [u > 0]\nclaim [v > 20] = 0\nclaim relu(u) = u\n",
        {"holds", "wrong", "conditional"});
    // Very narrow ones, and equations.
    expect_at_seeds(
        "index i, j = 3\ngiven u, v\ngiven a[i]\nclaim [abs(u - 0.5) < 0.001] = 0\n"
        "claim relu(0.001 - abs(u*v - 0.3)) = 0\nclaim [u == v] = 0\nclaim [u*v == 0] = 0\n"
        "claim [a[i] == a[j]] = [i == j]\nclaim [u != v] = 1\n",
        {"wrong", "wrong", "wrong", "wrong", "wrong", "wrong"});
    // Where a step out of the domain leads nowhere.
    expect_at_seeds("given u positive\ngiven v positive\nclaim relu(0.001 - abs(u*v - 0.3)) = 0\n", {"wrong"});
    // A side is shown by points that have numbers, and not by those where the logarithm has none.
    expect_at_seeds("given x, y\nlet L = max(0, x - 2.5) + log(y)\nclaim dL/dx = log(y) - log(y)\n", {"wrong"});
    const LineReport equation = judged("given u, v, x, y\nclaim [u + v == x * y] = 0\n");
    BOOST_REQUIRE(equation.notes.size() == 1u);
    BOOST_TEST(equation.notes[0] == "Only one side of [u + v == x * y] could be shown.");
    const LineReport no_number = judged("given x\nlet L = log(x - 1)\nclaim dL/dx = 1/(x - 1) + [x == 0.5]\n");
    BOOST_REQUIRE(no_number.notes.size() == 1u);
    BOOST_TEST(no_number.notes[0] == "Only one side of [x == 0.5] could be shown.");
    const LineReport one_sided = judged("given u\nclaim relu(exp(u)) = exp(u)\n");
    BOOST_TEST(verdict_of(one_sided) == "holds");
    BOOST_REQUIRE(one_sided.notes.size() == 1u);
    BOOST_TEST(one_sided.notes[0] == "Only one side of relu(exp(u)) could be shown.");
}

BOOST_AUTO_TEST_CASE(a_condition_is_one_with_it_and_without) {
    // It holds where all of x are negative too, and not where u is positive but far out.
    expect("index i, k = 3\ngiven x[i]\nclaim abs(x[i] * x[k]) = x[i] * x[k]\n", "wrong");
    expect("given u, v\nclaim abs(u*v) = u*v\n", "wrong");
    expect("given u\ngiven v positive\nclaim relu(30 * v - u) = 30 * v - u\n", "wrong");
    expect("given u\nclaim abs(u) = u\n", "conditional", "u is positive");
    expect("index i = 3\ngiven x[i]\nclaim sqrt(x[i]^2) = x[i]\n", "conditional", "x is positive");
}

BOOST_AUTO_TEST_CASE(a_repair_is_no_accident_of_sizes_and_constants) {
    const std::string file = R"(
index i, j = 3
index k, l = 4
constant p = 1.5
constant c = 2
constant N = 4
given mu positive
given x[i], y[k], q[k]
let M = mu^p
let F = mu^(2-p)/(2-p) - mu^(1-p)/(1-p)
let A = mean(i, x[i]^2)
let B = 1/N * sum(k, (y[k] - q[k])^2)
let S = sum(k, tanh(y[k]))
)";
    // With p = 1.5, c = 2 and ranges of 3 and 4, much else would do.
    const auto repair = [&](const std::string& claim) { return expect(file + claim + "\n", "wrong").repair; };
    BOOST_TEST(repair("claim dM/dmu = p * mu^p") == "p * mu^(p - 1)");
    BOOST_TEST(repair("claim dA/dx[i] = x[i]") == "2 * x[i]/size(i)");
    BOOST_TEST(repair("claim dB/dy[k] = 2 * (y[k] - q[k])") == "2 * (y[k] - q[k])/N");
    BOOST_TEST(repair("claim dA/dx[i] = c * x[i]").find("c") == std::string::npos);
    // What is 0 is said to be 0, and not by a formula.
    const std::string zero = "index k, l = 3\ngiven z[k], s\nlet c = sum(k, sum(l, z[k] - z[l]))\n";
    BOOST_TEST(expect(zero + "claim c = s\n", "wrong").repair == "0");
    BOOST_TEST(expect(zero + "claim dc/dz[k] = s * c + 1\n", "wrong").repair == "0");
    // Nothing is divided by it, and by what is 0 at some points only.
    BOOST_TEST(expect("given u, v\nclaim [u * v == 0] = 0\n", "wrong").repair == "");
}

BOOST_AUTO_TEST_CASE(the_caret_stands_below_a_use_of_the_letter_that_is_free) {
    const auto marked = [](const std::string& file) {
        const LineReport line = judged(file);
        BOOST_TEST(verdict_of(line) == "ill-formed");
        return line.text.substr(line.caret_begin, line.caret_end - line.caret_begin);
    };
    const std::string file = "index i = 3\nindex k, l = 4\ngiven x[i], w[k,i], y[k]\n";
    BOOST_TEST(marked(file + "claim x[i] = sum(k, w[k,i]) * y[k]\n") == "y[k]");
    BOOST_TEST(marked(file + "claim x[i] = x[i] + w[k,i] * y[k]\n") == "w[k,i]");
    BOOST_TEST(marked(file + "claim x[i] = sum(k, y[k]) * [k == l] * y[l]\n") == "k");
    BOOST_TEST(marked(file + "claim y[k] = sum(l, y[l] * x[i]) + y[k]\n") == "x[i]");
}

BOOST_AUTO_TEST_CASE(what_holds_for_positive_numbers_alone_is_mended_too) {
    const std::string file = R"(
index j = 4
constant lam
given a[j], t[j], w[j]
let h[j] = relu(a[j])
let L = 1/2 * sum(j, (h[j] - t[j])^2) + lam * sum(j, abs(w[j]))
)";
    BOOST_TEST(expect(file + "claim dL/da[j] = h[j] - t[j]\n", "conditional").repair == "(h[j] - t[j]) * [a[j] > 0]");
    BOOST_TEST(expect(file + "claim dL/dw[j] = lam\n", "conditional").repair == "lam * sign(w[j])");
}

// Lines that no small change sets right, in arrays: a backward pass over the definitions does.
// Every row of 0 and one 1 showed the same class.
BOOST_AUTO_TEST_CASE(one_hot_rows_show_every_class_and_differ) {
    verdicts_are(R"(
index k = 4
index j = 6
given z[k], y[k] onehot, t[k] onehot, v[k] onehot, w[j] onehot, u unit
let p[k] = softmax(z[k])
let L = -sum(k, (u * y[k] + (1 - u) * t[k]) * log(p[k]))
)",
                 {{"dL/dz[k] = p[k] - u * y[k] - (1 - u) * t[k]", "holds"},
                  {"dL/dz[k] = p[k] - y[k]", "wrong"},
                  {"dL/dz[k] = p[k] - t[k]", "wrong"},
                  {"dL/dz[k] = p[k] - u * t[k] - (1 - u) * y[k]", "wrong"},
                  {"sum(k, y[k] * t[k]) = 1", "wrong"},
                  {"sum(k, y[k] * t[k]) = 0", "wrong"},
                  {"sum(k, v[k] * t[k]) = 0", "wrong"},
                  {"y[0] + y[1] + y[2] = 1", "wrong"},
                  {"y[3] = 0", "wrong"},
                  {"y[0] * y[1] = 0", "holds"},
                  {"y[0] + y[1] + y[2] + y[3] = 1", "holds"},
                  {"w[5] = 0", "wrong"},
                  {"y[0] = w[0]", "wrong"}},
                 4);
    verdicts_are(R"(
index n = 3
index k = 4
index c = 2
given Y[n,k] onehot, B[n,c] onehot
)",
                 {{"Y[0,3] = 0", "wrong"},
                  {"Y[2,3] = 0", "wrong"},
                  {"Y[0,k] = Y[1,k]", "wrong"},
                  {"Y[1,k] = Y[2,k]", "wrong"},
                  {"sum(k, Y[0,k] * Y[2,k]) = 0", "wrong"},
                  {"B[0,0] = B[1,0]", "wrong"},
                  {"B[1,0] = B[2,0]", "wrong"},
                  {"B[0,0] = B[2,0]", "wrong"},
                  {"B[0,0] = B[1,1]", "wrong"},
                  {"B[n,0] = 1 - B[n,1]", "holds"},
                  {"sum(k, Y[n,k]) = 1", "holds"}},
                 4);
}

BOOST_AUTO_TEST_CASE(one_hot_entries_are_shown_at_every_choice_that_a_claim_names) {
    for (const char* classes : {"2", "3", "20"}) {
        const std::string file = std::string("index n = 3\nindex k = ") + classes + "\ngiven Y[n,k] onehot, u\n";
        verdicts_are(file,
                     {{"Y[0,0] * Y[1,0] = 0", "wrong"},
                      {"Y[0,0] * Y[1,1] = 0", "wrong"},
                      {"Y[0,1] * Y[2,0] = 0", "wrong"},
                      {"Y[0,0] * Y[1,0] = Y[0,0]", "wrong"},
                      {"Y[0,0] * Y[1,0] * Y[2,0] = 0", "wrong"},
                      {"Y[0,0] * Y[1,1] * Y[2,0] * u = 0", "wrong"},
                      {"(1 - Y[0,0]) * (1 - Y[1,0]) * (1 - Y[2,0]) = 0", "wrong"},
                      {"Y[0,0] = Y[1,0]", "wrong"},
                      {"sum(n, Y[n,0]) = 1", "wrong"},
                      {"prod(n, Y[n,1]) = 0", "wrong"},
                      {"Y[0,0] * Y[0,1] = 0", "holds"},
                      {"sum(k, Y[0,k]) = 1", "holds"},
                      {"Y[0,0]^2 * Y[1,0] = Y[0,0] * Y[1,0]", "holds"},
                      {"Y[0,0] + Y[0,1] = 1", classes[0] == '2' && classes[1] == '\0' ? "holds" : "wrong"}},
                     4);
        // Through a definition.
        verdicts_are(file + "let a = Y[0,0] * Y[1,0]\n", {{"a = 0", "wrong"}, {"a^2 = a", "holds"}}, 4);
    }
    verdicts_are("index n = 3\nindex k = 30\ngiven Y[n,k] onehot\n",
                 {{"Y[0,29] = 0", "wrong"},
                  {"Y[n,29] = 0", "wrong"},
                  {"Y[2,17] * Y[0,23] = 0", "wrong"},
                  {"Y[0,3] * Y[0,29] = 0", "holds"}},
                 4);
}

BOOST_AUTO_TEST_CASE(small_slips_come_before_strange_domains) {
    const std::string file = R"(
index i, l = 4
given x[i], w[i], t
constant s
let u = sum(i, w[i] * x[i])
let E = 1/2 * (u - t)^2
let Q = x[0]^2/2 + x[1]^2/2 + x[2]^2/2 + x[3]^2/2
)";
    BOOST_TEST(expect(file + "claim dE/dw[i] = (u - t) * x[i]^2\n", "wrong").repair == "(u - t) * x[i]");
    BOOST_TEST(expect(file + "claim dQ/dx[i] = x[i]^2\n", "wrong").repair == "x[i]");
    BOOST_TEST(expect(file + "claim dE/dw[i] = (u - t) * x[i] * sum(l, x[l])\n", "wrong").repair == "(u - t) * x[i]");
}

BOOST_AUTO_TEST_CASE(a_line_beyond_the_budget_is_undecided_and_the_others_are_not) {
    // A second derivative of a thousand variables, and one more line.
    const std::string file =
        "index i, j, k : n = 40\ngiven W[i,j], x[j], t[i]\nlet z[i] = sum(j, W[i,j] * x[j])\nlet a[i] = tanh(z[i])\n"
        "let L = 1/2 * sum(i, (a[i] - t[i])^2)\n";
    const Report report =
        check_file(file + "claim dL/da[i] = a[i] - t[i]\nclaim sum(i, j, k, d2L/(dW[i,j] dW[k,j])) = 1\n");
    BOOST_REQUIRE(report.lines.size() == 2u);
    BOOST_TEST(verdict_of(report.lines[0]) == "holds");
    BOOST_TEST(verdict_of(report.lines[1]) == "undecided");
    BOOST_TEST(report.lines[1].reason.find("than a check may take") != std::string::npos, report.lines[1].reason);
    BOOST_TEST(report.exit_code() == 1);
    const LineReport large = judged("index i, j, k, l : n = 64\ngiven x[i]\nclaim sum(i, j, k, l, x[i]) = 1\n");
    BOOST_TEST(verdict_of(large) == "undecided");
    BOOST_TEST(large.reason.find("too many terms") != std::string::npos, large.reason);
}

BOOST_AUTO_TEST_CASE(a_dot_between_two_columns_is_their_inner_product_and_nothing_else) {
    const std::string file = "index i = 3\nindex k = 2\ngiven x[i], y[i], A[i,k], p[k]\n";
    expect(file + "claim x \\cdot y = sum(x * y)\n", "holds");
    expect(file + "claim x \\cdot p^T = outer(x, p)\n", "holds");
    expect(file + "claim x^T \\cdot y = sum(x * y)\n", "holds");
    const LineReport columns = expect(file + "claim A^T x = A^T (x p)\n", "ill-formed");
    BOOST_TEST(columns.reason.find("of two columns one must be transposed") != std::string::npos, columns.reason);
    const LineReport matrix = expect(file + "claim p = x \\cdot A\n", "ill-formed");
    BOOST_TEST(matrix.reason.find("of two columns") == std::string::npos, matrix.reason);
}

BOOST_AUTO_TEST_CASE(what_is_held_fixed_is_a_quantity_and_no_function) {
    const LineReport line = expect(
        "function f\ngiven x\nlet u = x^2\nlet v = u^2\nlet y = f(u) * v\nclaim dy/dx = (dy/du + dy/dv * dv/du) * "
        "du/dx\n",
        "holds");
    BOOST_TEST(line.condition.find("dy/du at fixed v") != std::string::npos, line.condition);
    BOOST_TEST(line.condition.find("dy/dv at fixed u") != std::string::npos, line.condition);
    BOOST_TEST(line.condition.find("f") == line.condition.find("fixed"), line.condition);
}

BOOST_AUTO_TEST_CASE(a_left_side_is_at_fault) {
    const std::string file =
        "index s = 5\nindex i = 3\nconstant lam\ngiven X[s,i], y[s], w[i]\nlet L = 1/2 ||X w - y||^2 + lam/2 ||w||^2\n"
        "let g = X^T (X w - y) + lam w\nlet H = X^T X + lam I\nlet a = H^{-1} X^T y\n";
    expect(file + "claim w - H^{-1} g = a\n", "holds");
    for (const char* left : {"w - g", "w - H g", "w + H^{-1} g"}) {
        const derivation::LineReport one = expect(file + "claim " + left + " = a\n", "wrong");
        BOOST_TEST(one.repair == "w - H^-1 g", left << ": " << one.repair);
        BOOST_TEST((one.member == 0u), left);
        BOOST_TEST(one.reason.starts_with("The left side is at fault."), one.reason);
        const derivation::Report report = derivation::check(file + "claim " + left + " = a\n");
        BOOST_TEST(derivation::to_text(report).find("It would hold as    w - H^-1 g = a") != std::string::npos);
    }
    // Many sums are 1: none is offered.
    const std::string targets = "index k = 4\ngiven y[k] onehot, t[k] onehot\n";
    BOOST_TEST(expect(targets + "claim sum(k, y[k] * t[k]) = 1\n", "wrong").repair.empty());
}

BOOST_AUTO_TEST_CASE(a_repair_is_written_as_a_teacher_would) {
    const auto repair = [](const std::string& text) { return expect(text, "wrong").repair; };
    // A partial derivative on the right would be half of what is asked for.
    BOOST_TEST(repair("index i = 4\nindex f = 3\ngiven x[i], v[i,f]\nlet q[f] = sum(i, v[i,f] * x[i])\n"
                      "let y = 1/2 * sum(f, q[f]^2 - sum(i, v[i,f]^2 * x[i]^2))\nclaim dy/dv[i,f] = x[i] * q[f]\n") ==
               "x[i] * q[f] - x[i]^2 * v[i,f]");
    // A product's rule, where the range has one letter: no sum is left.
    BOOST_TEST(!repair("index j = 4\ngiven a[j], t[j]\nlet s[j] = sigmoid(a[j])\nlet h[j] = a[j] * s[j]\n"
                       "let L = 1/2 * sum(j, (h[j] - t[j])^2)\nclaim dL/da[j] = (h[j] - t[j]) * s[j] * (1 - s[j])\n")
                    .empty());
    BOOST_TEST(repair("given x\nlet y = max(0, 1 - x)^2\nclaim dy/dx = -2 * [x < 1]\n") == "-2 * [x < 1] * (1 - x)");
    BOOST_TEST(repair("index i = 3\nconstant b, lam\ngiven x[i], v[i], t[i]\n"
                      "let E = 1/2 * sum(i, x[i]^2 * t[i]) + lam/2 * sum(i, x[i]^2)\n"
                      "let g[i] = t[i] * x[i] + lam * x[i]\n"
                      "update v[i] := b * v[i] + (1 - b) * (t[i] * x[i])^2 on E\n") == "b * v[i] + (1 - b) * g[i]^2");
    // A cross-entropy behind a softmax, where there is no second letter.
    BOOST_TEST(repair("index k = 4\ngiven z[k], y[k] onehot, t[k] onehot, u unit\nlet p[k] = softmax(z[k])\n"
                      "let L = -sum(k, (u * y[k] + (1 - u) * t[k]) * log(p[k]))\nclaim dL/dz[k] = p[k] - y[k]\n") ==
               "p[k] - (u * y[k] + (1 - u) * t[k])");
    // No sum over a letter that is fixed.
    BOOST_TEST(repair("index i = 3\nindex k, l = 4\nindex n = 5\ngiven X[n,i], W[i,k], y[n,k]\n"
                      "let z[n,k] = sum(i, X[n,i] * W[i,k])\nlet L = sum(n, k, sin(z[n,k]) * y[n,k])\n"
                      "claim dL/dW[i,k] = sum(n, X[n,i]^3 * W[i,k] - 7)\n")
                   .find("==") == std::string::npos);
    const std::string arrays =
        "index t, u = 4\nindex c = 3\ngiven Q[t,c], K[t,c], B[t,u], s, A[t,u], x[t], y[t]\n"
        "let L = sum(Q ⊙ (B K)) / sqrt(size(c))\nlet M = s * x^T A y\n";
    BOOST_TEST(repair(arrays + "claim dL/dQ = B K / size(c)\n") == "B K/sqrt(size(c))");
    BOOST_TEST(repair(arrays + "claim dM/dA = s y x^T\n") == "s x y^T");
}

BOOST_AUTO_TEST_CASE(one_hot_rows_that_are_too_many_to_be_shown_together_are_said) {
    const std::string file = "index n = 8\nindex k = 2\ngiven Y[n,k] onehot\n";
    const auto product = [](int rows) {
        std::string text = "1";
        for (int row = 0; row < rows; ++row) text += fmt::format(" * (Y[{0},0] + Y[{0},1])", row);
        return text;
    };
    BOOST_TEST(expect(file + "claim " + product(3) + " = 1\n", "holds").notes.empty());
    const LineReport many = expect(file + "claim " + product(8) + " = 1\n", "holds");
    BOOST_REQUIRE(many.notes.size() == 1u);
    BOOST_TEST(many.notes[0] == "Not all that these one-hot entries may be together could be shown.");
}

// exp(z)/sum(exp(z)) over which letter: the last of the let's name, or of an array's indices, and never the one that is
// typed last.
BOOST_AUTO_TEST_CASE(a_softmax_runs_over_the_last_letter_of_a_name) {
    const std::string head =
        "index s = 3\nindex k = 4\nindex i = 2\ngiven X[s,i], B[k,i], z[s,k], b[k]\n"
        "let p[s,k] = softmax(sum(i, B[k,i] * X[s,i]))\nlet q[s,k] = softmax(sum(i, X[s,i] * B[k,i]))\n";
    verdicts_are(head, {{"sum(k, p[s,k]) = 1", "holds"},
                        {"sum(k, q[s,k]) = 1", "holds"},
                        {"sum(s, p[s,k]) = 1", "wrong"},
                        {"sum(k, softmax(z[s,k]/2 + b[k])) = 1", "holds"},
                        {"sum(k, softmax(sum(i, X[s,i] * B[k,i]) + b[k])) = 1", "ill-formed"}});
    const derivation::Report report = derivation::check(head + "given u[k,s]\nlet r[s,k] = softmax(u[k,s])\n");
    BOOST_TEST_REQUIRE(report.error.has_value());
    BOOST_TEST(report.error->sentence ==
               "softmax may run over k or over s here: with `let p[k,s] = softmax(...)` it is s, the last letter of a "
               "name, and with p[s,k] it is k");
}

// 3/3 is 1.
BOOST_AUTO_TEST_CASE(what_needs_a_size_that_the_file_leaves_open_is_told_so) {
    const std::string file = "index i\nindex k = 4\ngiven w[i], v[k]\nlet H = mean(i, w[i]^3) + mean(k, v[k]^4)\n";
    expect(file + "claim dH/dw[i] = w[i]^2\n", "conditional", "size(i) = 3");
    expect(file + "claim dH/dw[i] = 3*w[i]^2/size(i)\n", "holds");
    expect(file + "claim dH/dv[k] = v[k]^3\n", "holds");
    expect(file + "constant N = 3\nclaim dH/dw[i] = 3*w[i]^2/N\n", "holds");
}

BOOST_AUTO_TEST_CASE(a_step_on_another_loss_is_told_to_name_it) {
    const std::string file = "constant alpha\ngiven w, x, t\nlet y = w * x\nlet L = 1/2 * (y - t)^2\nlet e = y - t\n";
    expect(file + "update w := w - alpha * e * x\n", "conditional", "on L");
    expect(file + "update w := w - alpha * e * x on L\n", "holds");
    expect(file + "update w := w - alpha * x\n", "holds");
    expect(file + "update w := w - alpha * e\n", "wrong");
}

// A function that nobody defined may have to be a probability.
BOOST_AUTO_TEST_CASE(an_open_function_is_drawn_where_its_logarithms_have_values) {
    verdicts_are(
        "index s = 5\nindex i = 3\ngiven X[s,i], w[i], t\nfunction F\nlet E = t^2\nlet z[s] = sum(i, X[s,i]*w[i])\n"
        "let l = sum(s, log(F(z[s])) + log(1 - F(z[s])))\n",
        {{"dE/dt = 2*t", "holds"},
         {"dl/dw[i] = sum(s, F'(z[s]) * (1/F(z[s]) - 1/(1 - F(z[s]))) * X[s,i])", "holds"},
         {"dl/dw[i] = sum(s, F'(z[s]) * (1/F(z[s]) + 1/(1 - F(z[s]))) * X[s,i])", "wrong"}},
        20);
}
