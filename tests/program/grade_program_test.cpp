// deltarule grade as a teacher and a student meet it; the exercises of examples/ with ten made-up answers each.
#define BOOST_TEST_MODULE grade_program
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "temporary_folder.hpp"

namespace {

const Folder folder;
const std::string exercises = DELTARULE_SOURCE_DIR "/examples/exercises";

struct Result {
    int exit;
    std::string out, error;
};

Result run(const std::string& arguments) {
    const int status = std::system(("cd " + exercises + " && LC_ALL=C " DELTARULE_PROGRAM " grade " + arguments +
                                    " > " + folder / "out" + " 2> " + folder / "error")
                                       .c_str());
    return {WEXITSTATUS(status), bytes_of(folder / "out"), bytes_of(folder / "error")};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE(one_hidden_layer) {
    const Result result = run("one_hidden_layer.md one_hidden_layer/*");
    BOOST_TEST(result.exit == 1);
    BOOST_TEST(result.error.empty());
    const std::string table = R"(one_hidden_layer.md: 4 labels, 8 points, 10 answers

                                            (a)  (b)  (c)  (d)  of 8
one_hidden_layer/activation.deriv             1    0    2   2*     5
one_hidden_layer/changed_declaration.deriv    0   3*   2*    2     7
one_hidden_layer/cheat.deriv                  0    0    0    2     2
one_hidden_layer/empty.deriv                  -    -    -    -     0
one_hidden_layer/latex.md                     1    3    2    2     8
one_hidden_layer/missing_label.deriv          1    3    -    2     6
one_hidden_layer/partly.deriv                 1    3    0    0     4
one_hidden_layer/right.deriv                  1    3    2    2     8
one_hidden_layer/sign.deriv                   0   3*   2*   2*     7
one_hidden_layer/unreadable.deriv             1    0    0    2     3

- no line has this label
* right, but for a mistake that another label has paid for
)";
    BOOST_TEST(result.out.substr(0, table.size()) == table);
    for (const char* sentence :
         {"one_hidden_layer/activation.deriv\n  line 3 is wrong: (b) dE/dz[j] =", "f' is taken at a[j], not at z[j].",
          "(d): right, but for the mistake in line 3, which counts there",
          "line 2 changes what the exercise declares, which counts as it stands there:\n  let E =",
          "(a): line 3 earns nothing: a derivative stands in it",
          "(b): line 4 earns nothing: delta stands in it, which hides a derivative",
          "one_hidden_layer/empty.deriv\n  the file is empty\n",
          "(c): no line has this label; line 3 is about dE/dw[k,j]",
          "line 4 is ill-formed: (d) dE/dw[j,i] =", "line 2 is wrong: (a) dE/dy[k] = t[k] - y[k]",
          "line 1 is ill-formed: let e[k] = y[k] - t[k\n", "(b): a closing ) is missing"})
        BOOST_TEST(has(result.out, sentence), sentence);
    BOOST_TEST(!has(result.out, "one_hidden_layer/right.deriv\n"));
}

BOOST_AUTO_TEST_CASE(logistic_regression) {
    const Result result = run("logistic_regression.md logistic_regression/*");
    BOOST_TEST(result.exit == 1);
    const std::string table = R"(logistic_regression.md: 5 labels, 10 points, 10 answers

                                               (a)  (b)  (c)  (d)  (e)  of 10
logistic_regression/changed_declaration.deriv    2    2    1    4    1     10
logistic_regression/cheat.deriv                  0    0    0    0    0      0
logistic_regression/empty.deriv                  -    -    -    -    -      0
logistic_regression/latex.deriv                  2    2    1    4    1     10
logistic_regression/missing_label.deriv          2    -    1    0    -      3
logistic_regression/no_mean.deriv                0   2*   1*    0   1*      4
logistic_regression/partly.deriv                 2    2    1    -    -      5
logistic_regression/right.deriv                  2    2    1    4    1     10
logistic_regression/unreadable.deriv             0    0    1    4    1      6
logistic_regression/variance.deriv               2    2    1    0    0      5

- no line has this label
* right, but for a mistake that another label has paid for
)";
    BOOST_TEST(result.out.substr(0, table.size()) == table);
    for (const char* sentence :
         {"(c): line 6 earns nothing: log may not be used", "It is a step on J: where no `on J` stands behind it the loss is L here.",
          "(d): line 4 is not about d2L/(dw[i] dw[j])", "The 1/N of the mean is missing", "(b): q was never declared",
          "(e): The update goes the wrong way", "logistic_regression/empty.deriv\n  the file has no claim\n"})
        BOOST_TEST(has(result.out, sentence), sentence);
}

BOOST_AUTO_TEST_CASE(the_exit_code_says_whether_every_point_is_earned) {
    BOOST_TEST(run("one_hidden_layer.md one_hidden_layer/right.deriv one_hidden_layer/latex.md").exit == 0);
    BOOST_TEST(run("one_hidden_layer.md one_hidden_layer/right.deriv one_hidden_layer/sign.deriv").exit == 1);
    BOOST_TEST(run("logistic_regression.md logistic_regression/right.deriv --seed 7").exit == 0);
    // One that cannot be read does not keep the others from being graded.
    const Result missing =
        run("one_hidden_layer.md one_hidden_layer/right.deriv nobody.deriv one_hidden_layer.md - < /");
    BOOST_TEST(missing.exit == 2);
    BOOST_TEST(has(missing.out, "one_hidden_layer/right.deriv    1    3    2    2     8\nnobody.deriv "), missing.out);
    BOOST_TEST(has(missing.out, "nobody.deriv: the file cannot be opened (No such file or directory)"));
    BOOST_TEST(has(missing.out, "the standard input: cannot be read (Is a directory)"));
    const Result twice = run("- - < " + exercises + "/one_hidden_layer.md");
    BOOST_TEST(twice.exit == 2);
    BOOST_TEST(has(twice.out, "the standard input is read once: - stands for one file"), twice.out);
    const Result exercise = run("one_hidden_layer/right.deriv one_hidden_layer/right.deriv");
    BOOST_TEST(exercise.exit == 2);
    BOOST_TEST(exercise.out.empty());
    BOOST_TEST(has(exercise.error, "one_hidden_layer/right.deriv:1:1: an exercise has its declarations"),
               exercise.error);
    BOOST_TEST(run("nothing.md one_hidden_layer/right.deriv").exit == 2);
    BOOST_TEST(run("one_hidden_layer.md").exit == 2);
    const std::string full =
        " grade " + exercises + "/one_hidden_layer.md " + exercises + "/one_hidden_layer/right.deriv";
    BOOST_TEST(WEXITSTATUS(std::system((DELTARULE_PROGRAM + full + " > /dev/full 2> /dev/null").c_str())) == 2);
}

BOOST_AUTO_TEST_CASE(tables_for_programs) {
    const Result csv = run("one_hidden_layer.md --csv one_hidden_layer/activation.deriv nobody.deriv");
    BOOST_TEST(csv.exit == 2);
    BOOST_TEST(
        csv.out ==
        "answer,(a),(b),(c),(d),points,of,wrong line,reason,remarks\n"
        "one_hidden_layer/activation.deriv,1,0,2,2,5,8,3,\"f' is taken at a[j], not at z[j].\",\"(d): right, but "
        "for the mistake in line 3, which counts there\"\n"
        "nobody.deriv,,,,,,8,,,nobody.deriv: the file cannot be opened (No such file or directory)\n");
    BOOST_TEST(csv.error == "deltarule: nobody.deriv: the file cannot be opened (No such file or directory)\n");
    const Result json = run("one_hidden_layer.md --json one_hidden_layer/*");
    const auto parsed = nlohmann::json::parse(json.out);
    BOOST_TEST(parsed["labels"].size() == 4u);
    BOOST_REQUIRE(parsed["answers"].size() == 10u);
    BOOST_TEST(parsed["answers"][0]["earned"] == 5);
    BOOST_TEST(parsed["answers"][0]["labels"][3]["outcome"] == "follows");
    BOOST_TEST(parsed["answers"][0]["first_wrong"]["mistake"] == "derivative-at-activation");
    BOOST_TEST(run("one_hidden_layer.md --csv --json one_hidden_layer/right.deriv").exit == 2);
}

BOOST_AUTO_TEST_CASE(a_file_may_have_any_name) {
    folder.write("a\033[31m,\n\"b\".deriv", "claim (a) dE/dy[k] = y[k] - t[k]\n");
    const Result result = run("one_hidden_layer.md " + folder / "a*");
    BOOST_TEST(result.exit == 1);
    BOOST_TEST(!has(result.out, "\033"));
    BOOST_TEST(std::count(result.out.begin(), result.out.end(), '\n') == 11, result.out);
}

BOOST_AUTO_TEST_CASE(hints_in_three_steps) {
    const std::string arguments = "one_hidden_layer.md one_hidden_layer/activation.deriv --hint ";
    const Result where = run(arguments + "1"), kind = run(arguments + "2"), what = run(arguments + "3");
    BOOST_TEST(where.exit == 1);
    BOOST_TEST(has(where.out, "line 3 is wrong: (b)"));
    BOOST_TEST(!has(where.out, "place"));
    BOOST_TEST(has(kind.out, "The derivative is taken at the wrong place."));
    BOOST_TEST(!has(kind.out, "f'(z[j])"));
    BOOST_TEST(has(what.out, "It would hold with    sum(k, (y[k] - t[k]) * w[k,j]) * f'(z[j])"));
    BOOST_TEST(run(arguments + "4").exit == 2);
    for (const char* format : {" --json", " --csv"}) {  // a hint is a sentence
        const Result both = run(arguments + "1" + format);
        BOOST_TEST(both.exit == 2);
        BOOST_TEST(both.out.empty(), both.out);
        BOOST_TEST(has(both.error, "--hint"), both.error);
    }
    BOOST_TEST(run(arguments + "1 one_hidden_layer/sign.deriv").exit == 2);
    BOOST_TEST(has(run("one_hidden_layer.md one_hidden_layer/right.deriv --hint 1").out, "every label is derived"));
}
