// What an answer to an exercise earns, and what it does not get by tricks.
#define BOOST_TEST_MODULE derivation_grade
#include <boost/test/unit_test.hpp>
#include <derivation/grade.hpp>
#include <nlohmann/json.hpp>
#include <thread>

namespace {

using derivation::Exercise;
using derivation::Grade;

const std::string declarations = R"(# An exercise

```deriv
index i, j : input = 3
constant alpha = 0.1
given x[i], w[i], t
let z = sum(i, w[i] * x[i])
let y = tanh(z)
let E = 1/2 * (y - t)^2
let g = dE/dy
```

)";

Exercise exercise_of(const std::string& points) {
    Exercise exercise = derivation::read_exercise(declarations + "```points\n" + points + "```\n", "exercise.md");
    BOOST_TEST(!exercise.error, points << (exercise.error ? exercise.error->sentence : ""));
    return exercise;
}

Grade graded(const std::string& points, const std::string& answer) {
    const Exercise exercise = exercise_of(points);
    return derivation::grade(exercise, answer, {"answer.deriv", 1, 0});
}

/// The outcomes of all labels, in their order.
std::string outcomes(const std::string& points, const std::string& answer) {
    const Grade grade = graded(points, answer);
    if (grade.error) return "error: " + grade.error->sentence;
    std::string result;
    for (const auto& task : grade.tasks)
        result += (result.empty() ? "" : " ") +
                  std::string(derivation::outcome_names[static_cast<std::size_t>(task.outcome)]);
    return result;
}

std::string refusal(const std::string& text, std::size_t line) {
    const Exercise exercise = derivation::read_exercise(text);
    BOOST_REQUIRE_MESSAGE(exercise.error, text);
    BOOST_TEST(exercise.error->line == line, exercise.error->sentence);
    return exercise.error->sentence;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string by_z = "(a) dE/dz: 2\n", by_w = "(a) dE/dw[i]: 2\n";
const std::string right = "claim (a) dE/dz = (y - t) * (1 - y^2)\n";

}  // namespace

BOOST_AUTO_TEST_CASE(every_right_form_counts) {
    for (const char* side :
         {"(y - t) * (1 - y^2)", "dE/dy * dy/dz = (y - t) * (1 - tanh(z)^2)", "(tanh(z) - t) * sech(z)^2"})
        BOOST_TEST(outcomes(by_z, "claim (a) dE/dz = " + std::string(side) + "\n") == "derived", side);
    // Letters of the same range, whole arrays, LaTeX, a name for the left side, and the sides in any order.
    for (const char* line :
         {"claim (a) dE/dw[j] = (y - t) * (1 - y^2) * x[j]", "claim (a) dE/dw = (y - t) * (1 - y^2) x",
          "claim (a) \\frac{\\partial E}{\\partial w_i} = (y - t)(1 - y^2) x_i",
          "let d[j] = dE/dw[j]\nclaim (a) d[i] = (y - t) * (1 - y^2) * x[i]",
          "claim (a) (y - t) * (1 - y^2) * x[i] = dE/dw[i]",
          "let e = y - t\nlet d = e * (1 - y^2)\nclaim (a) dE/dw[i] = d * x[i]"})
        BOOST_TEST(outcomes(by_w, line) == "derived", line);
    BOOST_TEST(outcomes("(a) \\frac{\\partial E}{\\partial z}: 1\n", right) == "derived");
    BOOST_TEST(outcomes("(a) $dE/dz$: 1 point\n", right) == "derived");
    // The last line with the label counts.
    BOOST_TEST(outcomes(by_z, "claim (a) dE/dz = y\n" + right) == "derived");
    BOOST_TEST(outcomes(by_z, right + "claim (a) dE/dz = y\n") == "wrong");
    BOOST_TEST(graded("(a) dE/dz: 0.5\n", right).earned() == 0.5);
    BOOST_TEST(graded("(a) dE/dz: 0.5\n", right).exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(what_holds_and_derives_nothing_earns_nothing) {
    for (const char* answer :
         {"claim (a) dE/dz = dE/dz", "claim (a) dE/dz = dE/dy * (1 - y^2)", "claim (a) dE/dz = g * (1 - y^2)",
          "let d = dE/dz\nclaim (a) dE/dz = d", "let d = dE/dz\nlet e = 2 * d\nclaim (a) dE/dz = e / 2",
          "let d = dE/dz\nclaim (a) d = dE/dz", "let d[i] = dE/dw[i]\nclaim (a) dE/dz = d[0] / x[0]",
          "claim (a) dE/dz = (w[0] - new(w[0])) / (alpha * x[0])", "claim (a) dE/dz = -(y - t) * (y^2 - 1) + 0 * dE/dy",
          "\\newcommand{\\one}{dE/dz}\nclaim (a) dE/dz = \\one"}) {
        const Grade grade = graded(by_z, answer);
        BOOST_TEST(outcomes(by_z, answer) == "unfinished", answer << ": " << grade.tasks[0].remark);
        BOOST_TEST(grade.earned() == 0);
        BOOST_TEST(grade.first_wrong() == nullptr);
    }
    BOOST_TEST(outcomes(by_z, "at x = [1, 2, 3], w = [0, 0, 0], t = 1\nclaim (a) dE/dz ~ -1.00") == "unfinished");
    BOOST_TEST(outcomes(by_z, "claim (a) dE/dy = y - t") == "other");
    BOOST_TEST(outcomes(by_z, "claim (a) y = tanh(z)") == "other");
    BOOST_TEST(outcomes(by_z, "claim dE/dz = (y - t) * (1 - y^2)") == "missing");
    for (const char* label : {"", "(A) ", "(1) "}) {
        const std::string line = "claim " + std::string(label) + "dE/dz = (y - t) * (1 - y^2)";
        BOOST_TEST(has(graded(by_z, line).tasks[0].remark, "line 1 is about dE/dz"), line);
    }
}

BOOST_AUTO_TEST_CASE(names_may_be_forbidden_and_allowed) {
    const std::string without = "(a) dE/dz: 2 without tanh, sech\n";
    BOOST_TEST(outcomes(without, right) == "derived");  // y is the exercise's
    for (const char* answer :
         {"claim (a) dE/dz = (tanh(z) - t) * (1 - y^2)", "let a = tanh(z)\nclaim (a) dE/dz = (a - t) * (1 - y^2)",
          "let a = tanh(z)\nlet b = a\nclaim (a) dE/dz = (b - t) * (1 - y^2)",
          "function h = tanh\nclaim (a) dE/dz = (h(z) - t) * (1 - y^2)", "claim (a) dE/dz = (y - t) * sech(z)^2"})
        BOOST_TEST(outcomes(without, answer) == "unfinished", answer);
    BOOST_TEST(outcomes("without y\n(a) dE/dz: 2\n", right) == "unfinished");
    BOOST_TEST(outcomes("(a) dE/dz: 2 without sum\n", "claim (a) dE/dz = (tanh(sum(i, w[i]*x[i])) - t) * (1 - y^2)") ==
               "unfinished");
    const std::string use_g = "claim (a) dE/dz = g * (1 - y^2)\n";
    BOOST_TEST(outcomes("(a) dE/dz: 2 with g\n", use_g) == "derived");
    BOOST_TEST(outcomes("(a) dE/dz: 2 with g\n", "claim (a) dE/dz = dE/dy * (1 - y^2)\n") == "unfinished");
    // What an earlier label asks for may be typed in any form.
    const std::string chain = "(a) dE/dy: 1\n(b) dE/dz: 2 with (a)\n", first = "claim (a) dE/dy = y - t\n";
    BOOST_TEST(outcomes(chain, first + "claim (b) dE/dz = dE/dy * (1 - y^2)") == "derived derived");
    BOOST_TEST(outcomes(chain, first + "claim (b) dE/dz = g * (1 - y^2)") == "derived derived");
    BOOST_TEST(outcomes(chain, first + "let d = dE/dy\nclaim (b) dE/dz = d * (1 - y^2)") == "derived derived");
    BOOST_TEST(outcomes(chain, first + "claim (b) dE/dz = dE/dz") == "derived unfinished");
    BOOST_TEST(outcomes(chain, first + "claim (b) dE/dz = dE/dy * dy/dz") == "derived unfinished");
    BOOST_TEST(outcomes(chain, "claim (a) dE/dy = g\n") == "unfinished missing");
    // At any entry of it.
    const Exercise recurrent = derivation::read_exercise(
        "```deriv\nindex t = 4\ngiven x[t], w\nlet h[t] = tanh(w * h[t-1] + x[t])\nlet L = sum(t, h[t]^2)\n```\n"
        "```points\n(a) dL/dh[t]: 1\n(b) dL/dx[t]: 1 with (a)\n(c) dL/dw: 1 with (a)\n```\n");
    const Grade grade =
        derivation::grade(recurrent,
                          "claim (b) dL/dx[t] = (2 * h[t] + dL/dh[t+1] * (1 - h[t+1]^2) * w) * (1 - h[t]^2)\n"
                          "claim (c) dL/dw = sum(t, dL/dh[t] * (1 - h[t]^2) * h[t-1])\n");
    BOOST_TEST(grade.earned() == 2);
}

BOOST_AUTO_TEST_CASE(a_mistake_is_counted_once) {
    const std::string all = "(a) dE/dy: 1\n(b) dE/dz: 2\n(c) dE/dw[i]: 3\n";
    const std::string rest = "claim (b) dE/dz = (y + t) * (1 - y^2)\nclaim (c) dE/dw[i] = (y + t) * (1 - y^2) * x[i]\n";
    BOOST_TEST(outcomes(all, "claim (a) dE/dy = y + t\n" + rest) == "wrong follows follows");
    const Grade grade = graded(all, "claim (a) dE/dy = y + t\n" + rest);
    BOOST_TEST(grade.earned() == 5);
    BOOST_TEST(grade.first_wrong()->line == 1u);
    BOOST_TEST(has(grade.tasks[2].remark, "line 1"));
    // Where it stands in a line that no label pays for, the first that follows does.
    BOOST_TEST(outcomes(all, "claim dE/dy = y + t\nclaim (a) dE/dy = y - t\n") == "derived missing missing");
    BOOST_TEST(outcomes(all, "claim dE/dy = y + t\n" + rest) == "missing wrong follows");
    // And a number follows from anything.
    BOOST_TEST(outcomes(all, "claim (a) dE/dy = 0\nclaim (b) dE/dz = 0\nclaim (c) dE/dw[i] = 0\n") ==
               "wrong wrong wrong");
    // A line that is wrong by itself as well is not excused.
    BOOST_TEST(outcomes(all, "claim (a) dE/dy = y + t\nclaim (b) dE/dz = (y + t) * (1 - y)\n") ==
               "wrong wrong missing");
    BOOST_TEST(outcomes(by_z, "claim (a) dE/dz = abs(y - t)\n") == "wrong");
}

BOOST_AUTO_TEST_CASE(the_first_mistake_is_explained_and_others_where_that_is_quick) {
    const std::string all = "(a) dE/dy: 1\n(b) dE/dz: 2\n(c) dE/dw[i]: 3\n";
    const std::string rest = "claim (a) dE/dy = y + t\nclaim (b) dE/dz = (y + t) * (1 - y^2)\n";
    const Grade quick = graded(all, "claim (c) dE/dw[i] = (y - t) * (1 - y^2) * w[i]\n" + rest);
    BOOST_TEST(has(quick.tasks[2].remark, "x[i]"));
    BOOST_TEST(quick.tasks[0].remark != "It is wrong.");
    std::string hopeless;
    for (int i = 1; i < 6; ++i)
        hopeless += "claim dE/dw[i] = sum(j, exp(w[j]) * cos(x[i] + " + std::to_string(i) + ")) - log(3 + sin(z))^2\n";
    const Grade long_one = graded(all, hopeless + rest);
    BOOST_TEST(long_one.first_wrong()->line == 1u);
    BOOST_TEST(has(long_one.first_wrong()->reason, "No simple change"));
    BOOST_TEST(long_one.tasks[0].remark == "It is wrong.");
    BOOST_TEST(long_one.tasks[1].earned == 2);  // for it follows from line 6
}

BOOST_AUTO_TEST_CASE(updates_are_on_a_loss_of_the_exercise) {
    const std::string points = "(a) update w[i]: 1\n";
    BOOST_TEST(outcomes(points, "update (a) w[i] := w[i] - alpha * (y - t) * (1 - y^2) * x[i]") == "derived");
    BOOST_TEST(outcomes(points, "update (a) w[j] -= alpha * (y - t) * (1 - y^2) * x[j] on E") == "derived");
    BOOST_TEST(outcomes(points, "update (a) w[i] := w[i] - alpha * dE/dw[i]") == "unfinished");
    BOOST_TEST(outcomes(points, "update (a) w[i] := new(w[i])") == "unfinished");
    BOOST_TEST(outcomes(points, "update (a) w[i] := w[i] + alpha * (y - t) * (1 - y^2) * x[i]") == "wrong");
    BOOST_TEST(outcomes(points, "let J = sum(i, w[i])\nupdate (a) w[i] := w[i] - alpha") == "wrong");
    BOOST_TEST(outcomes(points, "let e = y - t\nupdate (a) w[i] := w[i] - alpha * e * (1 - y^2) * x[i]") == "derived");
    BOOST_TEST(outcomes(points, "claim (a) dE/dw[i] = (y - t) * (1 - y^2) * x[i]") == "other");
    BOOST_TEST(outcomes("(a) update x[i]: 1\n", "update (a) w[i] := w[i] - alpha * (y - t) * (1 - y^2) * x[i]") ==
               "other");
}

BOOST_AUTO_TEST_CASE(the_exercises_declarations_count) {
    const auto remark = [](const std::string& answer) {
        const Grade grade = graded(by_z, answer);
        BOOST_TEST(!grade.error, answer);
        return grade.remarks.empty() ? std::string() : grade.remarks[0];
    };
    // Copies of them change nothing, and are not mentioned.
    BOOST_TEST(outcomes(by_z, "given  x[i], w[i], t  # as above\nlet y = \\tanh(z)\n" + right) == "derived");
    BOOST_TEST(remark("given x[i], w[i], t\nlet E = 1/2*(y - t)^2\n" + right).empty());
    for (const char* line : {"let E = (y - t)^2", "let y = z", "given t = 0", "given x[i], w[i], t positive",
                             "index i = 4", "constant alpha = 1", "function y", "let E = 1/2 * (y - t", "index j"}) {
        BOOST_TEST(outcomes(by_z, std::string(line) + "\n" + right) == "derived", line);
        BOOST_TEST(has(remark(std::string(line) + "\n" + right), "line 1 changes what the exercise declares"), line);
    }
    const std::string changed = "\\newcommand{\\frac}[2]{#1}\n";
    const Exercise typeset = exercise_of("(a) \\frac{\\partial E}{\\partial z}: 1\n");
    const Grade grade = derivation::grade(typeset, changed + right);
    BOOST_TEST(grade.earned() == 1);
    BOOST_REQUIRE(!grade.remarks.empty());
    BOOST_TEST(has(grade.remarks[0], "line 1 defines \\frac anew"));
    // A name of the answer's own may be one of another array.
    BOOST_TEST(outcomes(by_w, "let z[i] = w[i] * x[i]\nclaim (a) dE/dw[i] = (y - t) * (1 - y^2) * x[i]") == "derived");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_costs_itself) {
    const Grade grade = graded(by_z, "let a = (y\nlet b = 1 +\n\nclaim dE/dz = (y\nclaim dy/dz = a\n" + right);
    BOOST_TEST(grade.earned() == 2);
    BOOST_REQUIRE(grade.first_wrong() != nullptr);
    BOOST_TEST(grade.first_wrong()->line == 1u);
    BOOST_TEST(grade.first_wrong()->kind == "let");
    BOOST_TEST(grade.lines.size() == 5u);
    BOOST_TEST(grade.lines[1].line == 2u);
    BOOST_TEST(grade.lines[4].line == 6u);
    // A file of which no line can be read.
    for (const char* answer : {"my answer is 42\n", "= 0\n", "dE/dz = 1\n", "\xff\xfe", "+ 1\nclaim (a) dE/dz = 1"}) {
        const Grade bad = graded(by_z, answer);
        BOOST_REQUIRE_MESSAGE(bad.error, answer);
        BOOST_TEST(bad.error->line == 1u);
        BOOST_TEST(bad.exit_code() == 2);
    }
    BOOST_TEST(graded(by_z, right + "claim x = \xff\n").error->line == 2u);
    BOOST_TEST(graded(by_z, std::string(derivation::longest_file + 1, '#')).error.has_value());
    for (const char* empty : {"", " \n\n", "# nothing\n", "let a = y\n", "```deriv\n```\n"}) {
        BOOST_TEST(outcomes(by_z, empty) == "missing", empty);
        BOOST_TEST(graded(by_z, empty).remarks.size() == 1u);
    }
    BOOST_TEST(
        outcomes(by_z, "\xEF\xBB\xBFprose\r\n\r\n```deriv\r\nclaim (a) dE/dz = (y - t) * (1 - y^2)\r\n```\r\n") ==
        "derived");
}

BOOST_AUTO_TEST_CASE(an_exercise_is_refused_with_the_line) {
    const auto with = [](const std::string& points) { return declarations + "```points\n" + points + "```\n"; };
    BOOST_TEST(has(refusal("# Nothing\n", 1), "```deriv"));
    BOOST_TEST(has(refusal(declarations, 1), "```points"));
    BOOST_TEST(has(refusal(with(""), 1), "asks for nothing"));
    for (const char* line : {"dE/dz: 2", "(a) dE/dz 2", "(a): 2", "(a) dE/dz = 0: 2", "2: (a) dE/dz"})
        BOOST_TEST(has(refusal(with(line + std::string("\n")), 14), "has the form (a) dE/dw[i]: 2"), line);
    for (const char* points : {"", "two", "-1", "nan", "inf", "1e9", "2x", "1,5x"})
        BOOST_TEST(!refusal(with("(a) dE/dz: " + std::string(points) + "\n"), 14).empty(), points);
    BOOST_TEST(has(refusal(with("(a) dE/dz: 2\n(a) dE/dw[i]: 1\n"), 15), "stands in line 14 already"));
    BOOST_TEST(has(refusal(with("(a b) dE/dz: 2\n"), 14), "one word"));
    BOOST_TEST(has(refusal(with("(a) dE/dq: 2\n"), 14), "q was never declared"));
    BOOST_TEST(has(refusal(with("(a) y: 2\n"), 14), "is no derivative"));
    BOOST_TEST(has(refusal(with("(a) update y: 2\n"), 14), "is no parameter"));
    BOOST_TEST(has(refusal(with("(a) dE/dz: 2 with q\n"), 14), "q is neither a name"));
    BOOST_TEST(has(refusal(with("(a) dE/dz: 2 with (b)\n(b) dE/dy: 1\n"), 14), "(b) is no label above"));
    BOOST_TEST(has(refusal(with("(a) dE/dz: 2 without arctan\n"), 14), "arctan is no name"));
    BOOST_TEST(
        has(refusal("```deriv\ngiven x\nlet y = x^2\nclaim dy/dx = 2 * x\n```\n```points\n(a) dy/dx: 1\n```\n", 4),
            "belongs to an answer"));
    BOOST_TEST(has(refusal("```deriv\ngiven x\nlet y = x^\n```\n```points\n(a) dy/dx: 1\n```\n", 3), "is missing"));
    BOOST_TEST(has(refusal("```deriv\ngiven \xff\n```\n", 2), "UTF-8"));
    BOOST_TEST(!refusal(std::string(derivation::longest_file + 1, 'x'), 1).empty());
    // Comments, empty lines and a list's dashes.
    BOOST_TEST(exercise_of("# what to do\n\n- (a) dE/dz: 2 # easy\n* (b) dE/dw[i]: 1.5 points\n").points() == 3.5);
}

BOOST_AUTO_TEST_CASE(tables_are_quoted) {
    Exercise exercise = exercise_of(by_z);
    std::vector<Grade> grades = {derivation::grade(exercise, right, {"a,\"b\"\n\033[31m\xff", 1, 0}),
                                 derivation::grade(exercise, "claim (a) dE/dz = y, t\n", {"=SUM(A1)", 1, 0}),
                                 derivation::grade(exercise, "nothing", {"c", 1, 0})};
    const std::string csv = derivation::to_csv(exercise, grades);
    BOOST_TEST(
        has(csv,
            "answer,(a),points,of,wrong line,reason,remarks\n\"a,\"\"b\"\"  [31m?\",2,2,2,,,\n./=SUM(A1),0,0,2,1,"),
        csv);
    BOOST_TEST(has(csv, "\nc,,,2,,,\"line 1: a statement begins with"), csv);
    const std::string text = derivation::to_text(exercise, grades);
    BOOST_TEST(!has(text, "\033"));
    BOOST_TEST(has(text, "a,\"b\"  [31m?"));
    const auto json = nlohmann::json::parse(derivation::to_json(exercise, grades));
    BOOST_TEST(json["points"] == 2);
    BOOST_TEST(json["answers"].size() == 3u);
    BOOST_TEST(json["answers"][0]["earned"] == 2);
    BOOST_TEST(json["answers"][0]["first_wrong"].is_null());
    BOOST_TEST(json["answers"][1]["first_wrong"]["line"] == 1);
    BOOST_TEST(json["answers"][2]["error"]["line"] == 1);
}

BOOST_AUTO_TEST_CASE(hints_tell_more_at_each_step) {
    const Exercise exercise = exercise_of(by_w);
    const Grade wrong = derivation::grade(exercise, "claim (a) dE/dw[i] = (y - t) * (1 - y^2) * w[i]\n", {"me", 1, 0});
    std::vector<std::string> hints;
    for (int step = 1; step <= 3; ++step) hints.push_back(derivation::to_hint(exercise, wrong, step));
    for (const std::string& hint : hints) BOOST_TEST(has(hint, "line 1 is wrong"), hint);
    BOOST_TEST(has(hints[0], "^"));
    BOOST_TEST(!has(hints[0], "x[i]"));
    BOOST_TEST(hints[1].starts_with(hints[0]));
    BOOST_TEST(hints[1] != hints[0]);
    BOOST_TEST(!has(hints[1], "x[i]"), hints[1]);
    BOOST_TEST(has(hints[2], "It would hold with    (y - t) * (1 - y^2) * x[i]"), hints[2]);
    const Grade cheat = derivation::grade(exercise, "claim (a) dE/dw[i] = dE/dw[i]\n", {"me", 1, 0});
    BOOST_TEST(has(derivation::to_hint(exercise, cheat, 1), "(a) earns nothing yet: line 1\n"));
    BOOST_TEST(has(derivation::to_hint(exercise, cheat, 2), "a derivative stands in it"));
    const Grade done = derivation::grade(exercise, "claim (a) dE/dw = (y - t) * (1 - y^2) x\n", {"me", 1, 0});
    BOOST_TEST(derivation::to_hint(exercise, done, 3) == "me: 2 of 2 points\n  every label is derived\n");
}

BOOST_AUTO_TEST_CASE(threads_grade_at_once) {
    const Exercise exercise = exercise_of("(a) dE/dz: 1\n(b) dE/dw[i]: 1\n");
    const std::string answer = right + "claim (b) dE/dw[i] = (y - t) * (1 - y^2) * w[i]\n";
    const std::string expected = derivation::to_json(exercise, {derivation::grade(exercise, answer)});
    std::vector<std::string> found(4);
    std::vector<std::thread> threads;
    for (std::string& one : found)
        threads.emplace_back([&] {
            for (int i = 0; i < 5; ++i) one = derivation::to_json(exercise, {derivation::grade(exercise, answer)});
        });
    for (std::thread& thread : threads) thread.join();
    for (const std::string& one : found) BOOST_TEST(one == expected);
}
